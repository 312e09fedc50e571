"""Clause 6.3: what HTTP adds; 5.5.3, error bodies; 5.5.10 and 6.3.14, tenants."""
import json

import pytest

from ngsi import ACCEPT_GEO, CORE, JSON, MERGE, create, get, link, no_content, ok, prop, raw, refused

pytestmark = pytest.mark.clause("6.3.4")

ENTITY = "entities/urn:ngsi-ld:Http:1"
BODIES = [("POST", "entities", {"id": "urn:ngsi-ld:Http:2", "type": "T"}), ("PUT", ENTITY, {"type": "T"}),
          ("PATCH", ENTITY, {"a": prop(1)}),
          ("POST", ENTITY + "/attrs", {"a": prop(1)}), ("PATCH", ENTITY + "/attrs", {"a": prop(1)}),
          ("PATCH", ENTITY + "/attrs/a", prop(1)),
          ("PUT", ENTITY + "/attrs/a", prop(1)), ("POST", "entityOperations/create",
                                                  [{"id": "urn:ngsi-ld:Http:3", "type": "T"}]),
          ("POST", "entityOperations/upsert", [{"id": "urn:ngsi-ld:Http:4", "type": "T"}]),
          ("POST", "entityOperations/update", [{"id": "urn:ngsi-ld:Http:1", "a": prop(1)}]),
          ("POST", "entityOperations/merge", [{"id": "urn:ngsi-ld:Http:1", "a": prop(1)}]),
          ("POST", "entityOperations/delete", ["urn:ngsi-ld:Http:5"]),
          ("POST", "entityOperations/query", {"type": "Query", "entities": [{"type": "T"}]})]
WITH_BODY = pytest.mark.parametrize("method, path, body", BODIES, ids=[f"{m} {p[:28]}" for m, p, _ in BODIES])


@pytest.fixture(scope="module", autouse=True)
def entity(city):
    create(city, {"id": "urn:ngsi-ld:Http:1", "type": "T", "a": prop(1)})


@WITH_BODY
@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/geo+json",
                                          "application/x-www-form-urlencoded", ""])
def test_media_types_that_are_unsupported(city, method, path, body, content_type):
    answer = city.request(method, path, data=json.dumps(body), headers={"Content-Type": content_type})
    assert answer.status_code == 415 and answer.content == b""


@WITH_BODY
def test_merge_patch_is_for_patches(city, method, path, body):
    answer = city.request(method, path, json=body, headers=MERGE)
    if method == "PATCH":
        assert answer.status_code == 204, answer.text
    else:
        assert answer.status_code == 415 and answer.content == b""


@WITH_BODY
def test_media_types_have_parameters_and_any_case(city, method, path, body):
    answer = city.request(method, path, json=body, headers={"Content-Type": "Application/JSON; charset=utf-8"})
    assert answer.status_code in (200, 201, 204, 207, 409), answer.text


@WITH_BODY
def test_length_required(city, method, path, body):
    text = json.dumps(body).encode()
    status, _, answer = raw(city, method, "/ngsi-ld/v1/" + path, JSON)
    assert (status, answer) == (411, b"")
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(text), text)
    status, _, answer = raw(city, method, "/ngsi-ld/v1/" + path, {**JSON, "Transfer-Encoding": "chunked"}, chunked)
    assert (status, answer) == (411, b"")


GETS = ["entities?type=T", ENTITY]


class TestAccept:
    @pytest.mark.parametrize("path", GETS)
    @pytest.mark.parametrize("accept, media", [
        (None, "application/json"), ("*/*", "application/json"), ("application/*", "application/json"),
        ("application/json", "application/json"),
        ("application/ld+json", "application/ld+json"), ("application/geo+json", "application/geo+json"),
        ("text/html, application/ld+json", "application/ld+json"),
        ("application/ld+json, application/json", "application/json"),
        ("application/geo+json, application/ld+json", "application/ld+json"),
        ("application/json;q=0.5, application/ld+json", "application/ld+json"),
        ("application/json;q=0, */*", "application/ld+json"),
        ("*/*;q=0.1, application/geo+json", "application/geo+json"), ("APPLICATION/LD+JSON", "application/ld+json")])
    def test_chosen(self, city, path, accept, media):
        status, headers, _ = raw(city, "GET", "/ngsi-ld/v1/" + path, {"Accept": accept} if accept else {})
        assert (status, headers["Content-Type"]) == (200, media)

    @pytest.mark.parametrize("path", GETS)
    @pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*", "application/json;q=0", "*/*;q=0"])
    def test_none(self, city, path, accept):
        answer = city.get(path, headers={"Accept": accept})
        body = refused(answer, "InvalidRequest", 406)
        for media in ("application/json", "application/ld+json", "application/geo+json"):
            assert media in body["detail"]

    @WITH_BODY
    def test_geojson_is_for_consumption(self, city, method, path, body):
        answer = city.request(method, path, json=body, headers=ACCEPT_GEO)
        if path.endswith("query"):
            ok(answer)
        else:
            assert "application/json" in refused(answer, "InvalidRequest", 406)["detail"]

    def test_geojson_is_not_for_deletes(self, city):
        refused(city.delete("entities/urn:ngsi-ld:Http:9", headers=ACCEPT_GEO), "InvalidRequest", 406)


@pytest.mark.clause("6.3.2")
@pytest.mark.parametrize("method, path, allow", [
    ("PUT", "entities", "GET POST DELETE"), ("PATCH", "entityOperations/create", "POST"),
    ("GET", "entityOperations/upsert", "POST"), ("POST", ENTITY, "GET PUT PATCH DELETE"),
    ("GET", ENTITY + "/attrs", "POST PATCH"), ("DELETE", ENTITY + "/attrs", "POST PATCH"),
    ("POST", ENTITY + "/attrs/a", "PATCH PUT DELETE"),
    ("GET", "entityOperations/query", "POST"), ("DELETE", "entityOperations/delete", "POST"),
    ("BREW", "entities", "GET POST DELETE")])
def test_methods_not_allowed(city, method, path, allow):
    answer = city.request(method, path)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].replace(" ", "").split(",")) >= set(allow.split())
    assert answer.json()["status"] == 405


@pytest.mark.clause("6.3.2")
@pytest.mark.parametrize("path", ["", "nothing", "entities/urn:x:1/other", "entities/urn:x:1/attrs/a/b",
                                  "entityOperations", "entityOperations/none", "Entities"])
def test_resources_that_are_none(city, path):
    assert city.get(path).status_code in (404, 405)
    assert city.get(path).headers["Content-Type"] == "application/json"


@pytest.mark.clause("6.3.3", "5.5.3")
def test_errors_are_json_whatever_is_accepted(city):
    for accept in ("application/ld+json", "application/geo+json", "application/json", "*/*"):
        refused(city.get("entities/urn:ngsi-ld:Http:none", headers={"Accept": accept}), "ResourceNotFound")


@pytest.mark.clause("6.3.3", "5.5.3")
def test_errors_say_what_where_and_which_limit(city):
    body = refused(city.post("entities", {"id": "urn:x:1", "type": "T",
                                          "a": {"type": "Property", "value": 1, "b": prop(None)}}), "BadRequestData")
    assert body["pointer"] == "/a/b/value" and body["title"] == "Bad request data"
    deep = value = {}
    for _ in range(300):
        value["a"] = {}
        value = value["a"]
    answer = city.post("entities", {"id": "urn:x:1", "type": "T", "a": prop(deep)})
    assert answer.status_code == 400 and answer.json()["limit"].startswith("limits.")


@pytest.mark.clause("6.3.3")
def test_limits_of_a_request(city):
    status, _, _ = raw(city, "GET", "/ngsi-ld/v1/entities?type=" + "T" * 100000)
    assert status == 414
    status, _, _ = raw(city, "GET", "/ngsi-ld/v1/entities?type=T", {"X-Long": "x" * 100000})
    assert status == 431


@pytest.mark.clause("6.3.6")
def test_links_and_bodies(city, urn):
    made = create(city, {"id": urn(), "type": "T", "a": prop(1)})
    assert "Link" not in made.headers and made.headers["Content-Length"] == "0"
    no_content(city.patch(f"entities/{urn()}/attrs/a", prop(2)))
    answer = ok(city.get(f"entities/{urn()}"))
    assert answer.headers["Link"].startswith(f"<{CORE}>") and "@context" not in answer.json()


@pytest.mark.clause("6.3.6")
def test_partial_success_has_full_names(city, urn):
    create(city, {"id": urn(), "type": "T", "a": prop(1)})
    url = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld"
    answer = ok(city.post(f"entities/{urn()}/attrs?options=noOverwrite", {"a": prop(1), "b": prop(1)},
                          headers={**link(url), "Accept": "application/ld+json"}), 207)
    assert answer.headers["Content-Type"] == "application/json" and "Link" not in answer.headers
    assert answer.json()["updated"] == ["https://uri.etsi.org/ngsi-ld/default-context/b"]


@pytest.mark.clause("6.3.7")
@pytest.mark.parametrize("query, kind", [("format=xml", "InvalidRequest"), ("options=xml", "InvalidRequest"),
                                         ("options=keyValues,xml", "InvalidRequest"),
                                         ("options=noOverwrite", "InvalidRequest"),
                                         ("options=update", "InvalidRequest")])
def test_formats_that_are_none(city, query, kind):
    for path in (ENTITY + "?", "entities?type=T&"):
        refused(city.get(path + query), kind)


@pytest.mark.clause("6.3.7")
@pytest.mark.parametrize("query", ["options=keyValues,sysAttrs", "options=sysAttrs,keyValues",
                                   "options=sysAttrs&format=keyValues", "options=%20keyValues%2CsysAttrs"])
def test_options_are_a_list(city, query):
    got = ok(city.get(f"{ENTITY}?{query}")).json()
    assert not isinstance(got["a"], dict) and got["createdAt"]


OTHERS = [("GET", "entities?type=T&colour=red"), ("GET", ENTITY + "?limit=5"), ("GET", ENTITY + "?q=a"),
          ("DELETE", ENTITY + "?limit=5"), ("DELETE", "entities?type=T&limit=5"),
          ("DELETE", ENTITY + "/attrs/a?options=sysAttrs"), ("GET", "entities?type=T&type=U"),
          ("GET", "entities?type=T&TYPE=U"), ("GET", "entities?type=T&timerel=before"),
          ("DELETE", "entities?type=T&options=keyValues")]


@pytest.mark.clause("6.3.20")
@pytest.mark.parametrize("method, path", OTHERS, ids=[f"{m} {p}" for m, p in OTHERS])
def test_parameters_that_an_operation_does_not_take(city, method, path):
    refused(city.request(method, path), "InvalidRequest")


@pytest.mark.clause("6.3.20")
@pytest.mark.parametrize("path, query", [("entities", "options=keyValues"), (ENTITY + "/attrs", "options=update"),
                                         ("entityOperations/create", "options=update"),
                                         ("entityOperations/upsert", "options=noOverwrite"),
                                         ("entityOperations/query", "q=a"),
                                         ("entityOperations/delete", "options=update")])
def test_parameters_of_posts(city, path, query):
    body = [] if "Operations" in path else {}
    refused(city.post(f"{path}?{query}", body), "InvalidRequest")


@pytest.mark.clause("6.3.20")
def test_empty_parameters_are_absent(city):
    ok(city.get("entities?type=T&q=&attrs=&limit=&options="))
    ok(city.get("entities?&type=T&"))


@pytest.mark.clause("6.3.18")
@pytest.mark.parametrize("local", ["true", "false"])
def test_local_is_taken_everywhere(city, urn, local):
    ok(city.post(f"entities?local={local}", {"id": urn(), "type": "T", "a": prop(1)}), 201)
    ok(city.get(f"entities/{urn()}?local={local}"))
    ok(city.get(f"entities?type=T&local={local}"))
    no_content(city.patch(f"entities/{urn()}?local={local}", {"a": prop(2)}))
    no_content(city.post(f"entities/{urn()}/attrs?local={local}", {"a": prop(2)}))
    no_content(city.patch(f"entities/{urn()}/attrs?local={local}", {"a": prop(2)}))
    no_content(city.patch(f"entities/{urn()}/attrs/a?local={local}", prop(2)))
    no_content(city.put(f"entities/{urn()}/attrs/a?local={local}", prop(2)))
    no_content(city.put(f"entities/{urn()}?local={local}", {"type": "T", "a": prop(1)}))
    no_content(city.post(f"entityOperations/upsert?local={local}", [{"id": urn(), "type": "T", "a": prop(1)}]))
    no_content(city.delete(f"entities/{urn()}/attrs/a?local={local}"))
    no_content(city.delete(f"entities/{urn()}?local={local}"))


@pytest.mark.clause("6.4.3.2")
def test_head_is_a_get_without_a_body(city):
    answer = ok(city.request("HEAD", ENTITY))
    assert answer.content == b"" and answer.headers["Content-Type"] == "application/json"
    assert int(answer.headers["Content-Length"]) == len(city.get(ENTITY).content)
    assert city.request("HEAD", "entities/urn:ngsi-ld:Http:none").status_code == 404


@pytest.mark.clause("6.2")
def test_slash_at_the_end(city, urn):
    ok(city.post("entities/", {"id": urn(), "type": "T"}), 201)
    ok(city.get(f"entities/{urn()}/"))
    ok(city.get("entities/?type=T"))
    no_content(city.delete(f"entities/{urn()}/"))


# ---- tenants ----

@pytest.mark.clause("5.5.10", "6.3.14", "4.14")
class TestTenants:
    def test_apart(self, city, urn):
        here, there = {"NGSILD-Tenant": "Here"}, {"NGSILD-Tenant": "there-1.a:b_c"}
        for headers, value in (({}, 1), (here, 2), (there, 3)):
            create(city, {"id": urn(), "type": "Tenanted", "a": prop(value)}, headers=headers)
        for headers, value in (({}, 1), (here, 2), (there, 3)):
            assert get(city, urn(), headers=headers)["a"] == prop(value)
            assert len(ok(city.get("entities?type=Tenanted", headers=headers)).json()) == 1
        no_content(city.delete(f"entities/{urn()}", headers=here))
        refused(city.get(f"entities/{urn()}", headers=here), "ResourceNotFound")
        assert get(city, urn(), headers=there)["a"] == prop(3)

    def test_case_matters(self, city, urn):
        create(city, {"id": urn(), "type": "T"}, headers={"NGSILD-Tenant": "CASE"})
        refused(city.get(f"entities/{urn()}", headers={"NGSILD-Tenant": "case"}), "NonexistentTenant")

    def test_every_answer_names_it(self, city, tenant, urn):
        made = create(city, {"id": urn(), "type": "T", "a": prop(1)}, headers=tenant)
        answers = [made, city.get(f"entities/{urn()}", headers=tenant), city.get("entities?type=T", headers=tenant),
                   city.get("entities/urn:x:none", headers=tenant),
                   city.get("entities", headers=tenant), city.patch(f"entities/{urn()}", {"a": prop(2)},
                       headers=tenant),
                   city.post("entityOperations/upsert", [{"id": urn(), "type": "T"}], headers=tenant),
                   city.delete(f"entities/{urn()}", headers=tenant),
                   city.request("PUT", "entities", headers=tenant), city.get("entities?type=T",
                       headers={"NGSILD-Tenant": "never_made"})]
        assert [a.headers.get("NGSILD-Tenant") for a in answers[:8]] == [tenant["NGSILD-Tenant"]] * 8
        assert answers[9].headers["NGSILD-Tenant"] == "never_made"
        assert "NGSILD-Tenant" not in city.get(ENTITY).headers

    @pytest.mark.parametrize("name", ["a b", "a/b", "a\"b", "é", "x" * 1000])
    def test_names_that_are_none(self, city, name):
        refused(city.get("entities?type=T", headers={"NGSILD-Tenant": name.encode()}), "BadRequestData")

    @pytest.mark.parametrize("method, path, body", [("GET", "entities?type=T", None),
                                                    ("DELETE", "entities?type=T", None), ("GET", ENTITY, None),
                                                    ("PUT", ENTITY, {"type": "T"}),
                                                    ("PATCH", ENTITY, {"a": prop(1)}), ("DELETE", ENTITY, None),
                                                    ("POST", "entityOperations/query",
                                                     {"type": "Query", "entities": [{"type": "T"}]})])
    def test_only_creating_makes_one(self, city, method, path, body):
        refused(city.request(method, path, json=body, headers={"NGSILD-Tenant": "never_made"}), "NonexistentTenant")

    def test_a_refused_creation_makes_none(self, city):
        headers = {"NGSILD-Tenant": "refused_creation"}
        refused(city.post("entities", {"id": "no uri", "type": "T"}, headers=headers), "BadRequestData")
        refused(city.get("entities?type=T", headers=headers), "NonexistentTenant")


# ---- 6.3.6 and 4.3.6.8: answers that keep to an earlier version ----

@pytest.fixture(scope="module")
def modern(city):
    """An entity with things that earlier versions did not have."""
    create(city, {"id": "urn:ngsi-ld:Modern:1", "type": ["Modern", "T2"], "scope": "/a",
                  "kind": {"type": "VocabProperty", "vocab": "bus"},
                  "name": {"type": "LanguageProperty", "languageMap": {"fr": "oui"}},
                  "many": [prop(1, datasetId="urn:ngsi-ld:Dataset:1"), prop(2, unitCode="CEL")]})
    return "urn:ngsi-ld:Modern:1"


PREFER = pytest.mark.clause("6.3.6", "4.3.6.8")


@PREFER
@pytest.mark.parametrize("prefer, applied", [
    ("ngsi-ld=1.9", "1.9"), ("ngsi-ld=1.12", "1.9"), ("ngsi-ld=2.0", "1.9"), ("NGSI-LD=\"1.9\";q=0.5", "1.9"),
    ("respond-async, ngsi-ld=1.9", "1.9"), ("ngsi-ld=old", None), ("ngsi-ld=0.1", None), ("ngsi-ldx=1.9", None)])
def test_versions_that_change_nothing(city, modern, prefer, applied):
    for path in (f"entities/{modern}", "entities?type=Modern", "types", "info/sourceIdentity"):
        answer = ok(city.get(path, headers={"Prefer": prefer}))
        assert answer.headers.get("Preference-Applied") == (applied and f"ngsi-ld={applied}")
    kind = city.get(f"entities/{modern}", headers={"Prefer": prefer}).json()["kind"]
    assert kind["type"] == "VocabProperty"


@PREFER
@pytest.mark.parametrize("accept", ["application/json", "application/ld+json"])
def test_an_earlier_version_is_answered_with_203(city, modern, accept):
    headers = {"Prefer": "ngsi-ld=1.5", "Accept": accept}
    for path in (f"entities/{modern}", "entities?type=Modern"):
        answer = ok(city.get(path, headers=headers), 203)
        assert answer.headers["Preference-Applied"] == "ngsi-ld=1.5"
        body = answer.json()
        entity = body[0] if isinstance(body, list) else body
        assert entity["kind"] == prop("bus") and entity["name"]["type"] == "LanguageProperty"
        assert entity["type"] == ["Modern", "T2"] and len(entity["many"]) == 2 and entity["scope"] == "/a"
    query = {"type": "Query", "entities": [{"type": "Modern"}]}
    ok(city.post("entityOperations/query", query, headers={"Prefer": "ngsi-ld=1.5"}), 203)


@PREFER
def test_the_first_version(city, modern):
    answer = ok(city.get(f"entities/{modern}", headers={"Prefer": "ngsi-ld=1.0"}), 203)
    assert answer.json() == {"id": modern, "type": "Modern", "kind": prop("bus"), "name": prop({"fr": "oui"}),
                             "many": prop(2)}


@PREFER
def test_what_is_old_already_stays(city):
    answer = ok(city.get(ENTITY, headers={"Prefer": "ngsi-ld=1.0"}))
    assert answer.headers["Preference-Applied"] == "ngsi-ld=1.0"


@PREFER
def test_no_version_without_a_body_or_with_geojson(city, modern):
    refusal = city.get("entities/urn:no:such", headers={"Prefer": "ngsi-ld=1.5"})
    assert "Preference-Applied" not in refusal.headers
    answer = ok(city.get(f"entities/{modern}", headers={**ACCEPT_GEO, "Prefer": "ngsi-ld=1.5"}))
    assert "Preference-Applied" not in answer.headers
    assert answer.json()["properties"]["kind"]["type"] == "VocabProperty"


@pytest.mark.clause("6.3.6")
@pytest.mark.parametrize("prefer, inside", [
    (None, True), ("body=ld+json", True), ("body=json", False), ("BODY=\"json\"", False),
    ("ngsi-ld=1.9, body=json", False)])
def test_where_geojson_has_its_context(city, prefer, inside):
    headers = {**ACCEPT_GEO, **({"Prefer": prefer} if prefer else {})}
    answer = ok(city.get(ENTITY, headers=headers))
    assert ("@context" in answer.json()) == inside and ("Link" in answer.headers) == (not inside)
