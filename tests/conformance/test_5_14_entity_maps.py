"""Clauses 5.14 and 5.5.14: entity maps, made, used for paging (5.5.9.3), retrieved, updated, deleted."""
import re
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

import pytest

from ngsi import ACCEPT_GEO, ACCEPT_LD, LD, create, no_content, ok, prop, refused, send

pytestmark = pytest.mark.clause("5.14.4")

LOCATION = re.compile(r"^/ngsi-ld/v1/entityMaps/(urn:ngsi-ld:EntityMap:[0-9a-f]+-[0-9]+)$")


@pytest.fixture
def things(city, tenant):
    """Twenty entities in a tenant of their own; the tenant's headers."""
    batch = [{"id": f"urn:x:{i:02}", "type": "Thing", "n": prop(i)} for i in range(20)]
    ok(city.post("entityOperations/create", batch, headers=tenant), 201)
    return tenant


def located(answer):
    """The id of the map that an answer names."""
    return LOCATION.match(answer.headers["NGSILD-EntityMap"]).group(1)


def make(city, query, headers):
    answer = ok(city.get(f"entityMaps?{query}", headers=headers), 201)
    return located(answer), answer.json()


def using(headers, map_id):
    return {**headers, "NGSILD-EntityMap": f"/ngsi-ld/v1/entityMaps/{map_id}"}


def got(answer, status=200):
    return [e["id"][-2:] for e in ok(answer, status).json()]


def links(answer):
    return dict((rel, target) for target, rel in re.findall(r'<([^>]*)>; rel="(next|prev)"', answer.headers.get("Link", "")))


def in_hours(text):
    return (datetime.fromisoformat(text.replace("Z", "+00:00")) - datetime.now(timezone.utc)) / timedelta(hours=1)


# ---- 5.14.4: making one ----

@pytest.mark.clause("6.34.3.1", "5.2.39", "4.5.25")
class TestCreate:
    def test_by_parameters(self, city, things):
        map_id, body = make(city, "type=Thing&q=n>16", things)
        assert body["id"] == map_id and body["type"] == "EntityMap" and 0.9 < in_hours(body["expiresAt"]) <= 1
        assert body["entityMap"] == {f"urn:x:{i}": ["@none"] for i in (17, 18, 19)}

    @pytest.mark.clause("6.34.3.2")
    def test_by_body(self, city, things):
        answer = ok(city.post("entityMaps", {"type": "Query", "entities": [{"type": "Thing"}], "q": "n<2",
                                             "entityMapLifetime": "PT10M"}, headers=things), 201)
        assert answer.json()["id"] == located(answer)
        assert list(answer.json()["entityMap"]) == ["urn:x:00", "urn:x:01"] and in_hours(answer.json()["expiresAt"]) < 0.2

    @pytest.mark.parametrize("query, want", [
        ("type=None", []), ("local=true&id=urn:x:03,urn:x:05", ["03", "05"]), ("type=Thing&limit=1&offset=5&q=n<3", ["00", "01", "02"]),
        ("type=Thing&idPattern=1$", ["01", "11"]), ("type=Thing&q=n<3&orderBy=n;desc", ["02", "01", "00"]),
        ("type=Thing&q=n<1&pick=id&omit=n&options=sysAttrs&entityMap=false&count=true&lang=en", ["00"]), ("attrs=n&q=n==4", ["04"])])
    def test_what_is_in_it(self, city, things, query, want):
        assert [i[-2:] for i in make(city, query, things)[1]["entityMap"]] == want

    @pytest.mark.clause("5.7.2.4", "4.3.6.7")
    def test_split_entities_are_candidates(self, city, things):
        assert len(make(city, "type=Thing&q=n>16&splitEntities=true", things)[1]["entityMap"]) == 20
        assert len(make(city, "type=Thing&q=n>16&splitEntities=true&local=true", things)[1]["entityMap"]) == 3
        map_id, _ = make(city, "type=Thing&q=n>16&splitEntities=true", things)
        assert got(city.get("entities?type=Thing&q=n>16&splitEntities=true", headers=using(things, map_id))) == ["17", "18", "19"]

    @pytest.mark.parametrize("query", ["", "id=urn:x:1", "idPattern=.*", "attrs=createdAt", "type=Thing&q=))", "type=Thing&csf=((",
                                       "type=Thing&georel=near", "type=Thing&id=no-uri", "type=Thing&pick=a%7Bb%7D",
                                       "type=Thing&q=a%7Bb%7D", "type=Thing&join=flat&q=a%7Bb%7Bc%7D%7D", "type=Thing&join=side",
                                       "type=Thing&geometryProperty=a", "type=Thing&entityMapLifetime=1hour",
                                       "type=Thing&entityMap=2", "type=Thing&splitEntities=maybe", "type=Thing&joinLevel=0"])
    def test_refusals(self, city, things, query):
        refused(city.get(f"entityMaps?{query}", headers=things), "BadRequestData")

    @pytest.mark.parametrize("body", [{}, {"type": "Query"}, {"type": "Query", "entities": []}, {"type": "EntityMap"},
                                      {"type": "Query", "q": "))"}, {"type": "Query", "q": "n", "entityMapLifetime": "soon"},
                                      {"type": "Query", "q": "n", "entityMap": "true"}, {"type": "Query", "q": "n", "splitEntities": 1}])
    def test_refusals_of_bodies(self, city, things, body):
        refused(city.post("entityMaps", body, headers=things), "BadRequestData")

    def test_other_refusals(self, city, things):
        refused(city.get("entityMaps?type=Thing&sideways=1", headers=things), "InvalidRequest")
        refused(city.get("entityMaps?type=Thing", headers={"NGSILD-Tenant": "never_made"}), "NonexistentTenant")
        refused(city.get("entityMaps?type=Thing", headers={**things, **ACCEPT_GEO}), "InvalidRequest", 406)
        refused(send(city, "POST", "entityMaps", "[]", things), "InvalidRequest")

    def test_context(self, city, things):
        assert "@context" in ok(city.get("entityMaps?type=Thing", headers={**things, **ACCEPT_LD}), 201).json()
        assert "json-ld#context" in ok(city.get("entityMaps?type=Thing", headers=things), 201).headers["Link"]


# ---- 5.5.14, 6.4.3.2: queries ----

@pytest.mark.clause("5.5.14", "5.5.9.3", "6.4.3.2", "5.7.2.4")
class TestPaging:
    def test_made_by_a_query(self, city, things):
        answer = city.get("entities?type=Thing&limit=3&entityMap=true&entityMapLifetime=PT5M", headers=things)
        assert got(answer, 201) == ["00", "01", "02"]
        kept = ok(city.get(f"entityMaps/{located(answer)}", headers=things)).json()
        assert len(kept["entityMap"]) == 20 and in_hours(kept["expiresAt"]) < 0.1

    def test_made_by_a_query_as_a_body(self, city, things):
        answer = city.post("entityOperations/query?limit=2", {"type": "Query", "q": "n", "entityMap": True}, headers=things)
        assert got(answer, 201) == ["00", "01"]
        assert len(ok(city.get(f"entityMaps/{located(answer)}", headers=things)).json()["entityMap"]) == 20

    def test_the_set_is_fixed(self, city, things):
        map_id, _ = make(city, "type=Thing", things)
        create(city, {"id": "urn:x:0z", "type": "Thing", "n": prop(0)}, headers=things)
        seen, path = [], "entities?type=Thing&limit=7"
        while path:
            answer = ok(city.get(path, headers=using(things, map_id)))
            assert located(answer) == map_id
            seen += got(answer)
            path = links(answer).get("next")
        assert seen == [f"{i:02}" for i in range(20)]

    def test_pages_are_filled_and_the_map_is_pruned(self, city, things):
        map_id, _ = make(city, "type=Thing", things)
        for i in (1, 2, 9):
            no_content(city.delete(f"entities/urn:x:{i:02}", headers=things))
        first = city.get("entities?type=Thing&limit=5", headers=using(things, map_id))
        assert got(first) == ["00", "03", "04", "05", "06"] and "offset=5" in links(first)["next"]
        assert got(city.get(links(first)["next"], headers=using(things, map_id))) == ["07", "08", "10", "11", "12"]
        left = ok(city.get(f"entityMaps/{map_id}", headers=things)).json()["entityMap"]
        assert not {"urn:x:01", "urn:x:02", "urn:x:09"} & set(left) and len(left) == 17
        last = city.get("entities?type=Thing&limit=5&offset=15", headers=using(things, map_id))
        assert got(last) == ["18", "19"] and set(links(last)) == {"prev"} and "offset=10" in links(last)["prev"]
        assert links(city.get("entities?type=Thing&limit=2&offset=15", headers=using(things, map_id))).keys() == {"prev"}

    def test_filters_are_checked_again(self, city, things):
        map_id, _ = make(city, "type=Thing&q=n>14", things)
        no_content(city.patch("entities/urn:x:17/attrs", {"n": prop(0)}, headers=things))
        no_content(city.patch("entities/urn:x:00/attrs", {"n": prop(100)}, headers=things))
        answer = city.get("entities?type=Thing&q=n>14&count=true&limit=2", headers=using(things, map_id))
        assert got(answer) == ["15", "16"] and answer.headers["NGSILD-Results-Count"] == "4"
        no_content(city.patch("entities/urn:x:17/attrs", {"n": prop(17)}, headers=things))
        assert got(city.get("entities?type=Thing&q=n>14", headers=using(things, map_id))) == ["15", "16", "18", "19"]

    def test_ids_narrow_but_do_not_prune(self, city, things):
        map_id, _ = make(city, "type=Thing", things)
        assert got(city.get("entities?type=Thing&id=urn:x:07,urn:x:03,urn:y", headers=using(things, map_id))) == ["03", "07"]
        answer = city.get("entities?type=Thing&q=n>10&limit=3&offset=3&count=true", headers=using(things, map_id))
        assert got(answer) == ["14", "15", "16"] and answer.headers["NGSILD-Results-Count"] == "9"
        assert len(ok(city.get(f"entityMaps/{map_id}", headers=things)).json()["entityMap"]) == 20

    def test_the_order_is_the_maps(self, city, things):
        map_id, _ = make(city, "type=Thing&orderBy=n;desc", things)
        assert got(city.get("entities?type=Thing&limit=3&offset=2", headers=using(things, map_id))) == ["17", "16", "15"]

    def test_count_alone(self, city, things):
        map_id, _ = make(city, "type=Thing", things)
        answer = city.get("entities?type=Thing&limit=0&count=true", headers=using(things, map_id))
        assert got(answer) == [] and answer.headers["NGSILD-Results-Count"] == "20"
        assert got(city.get("entities?type=Thing&offset=100", headers=using(things, map_id))) == []

    @pytest.mark.clause("4.5.23")
    def test_with_join(self, city, things):
        create(city, {"id": "urn:x:to", "type": "From", "r": {"type": "Relationship", "object": "urn:x:05"}}, headers=things)
        answer = ok(city.get("entities?type=From&entityMap=true&join=flat", headers=things), 201)
        assert [e["id"] for e in answer.json()] == ["urn:x:to", "urn:x:05"]
        assert list(ok(city.get(f"entityMaps/{located(answer)}", headers=things)).json()["entityMap"]) == ["urn:x:to"]

    @pytest.mark.parametrize("value", ["urn:ngsi-ld:EntityMap:none", "/ngsi-ld/v1/entityMaps/urn:x:none", "nonsense", "%zz", ""])
    def test_an_unknown_map_is_made_anew(self, city, things, value):
        answer = city.get("entities?type=Thing&limit=1", headers={**things, "NGSILD-EntityMap": value})
        assert got(answer, 201) == ["00"] and located(answer) not in value

    def test_a_bare_id_or_a_whole_url_names_it_too(self, city, things):
        map_id, _ = make(city, "type=Thing&q=n==3", things)
        for value in (map_id, f"{city.url}/ngsi-ld/v1/entityMaps/{quote(map_id, safe='')}"):
            answer = city.get("entities?type=Thing&q=n==3", headers={**things, "NGSILD-EntityMap": value})
            assert got(answer) == ["03"] and located(answer) == map_id

    def test_many(self, city, tenant):
        batch = [{"id": f"urn:m:{i:05}", "type": "Many", "n": prop(i % 7)} for i in range(6000)]
        ok(city.post("entityOperations/create", batch, headers=tenant), 201)
        map_id, body = make(city, "type=Many&q=n!=3", tenant)
        assert list(body["entityMap"]) == [e["id"] for e in batch if e["n"]["value"] != 3]
        no_content(city.delete("entities?type=Many&q=n==2", headers=tenant))
        answer = city.get("entities?type=Many&q=n!=3&limit=1000&offset=1000&count=true", headers=using(tenant, map_id))
        want = [e["id"] for e in batch if e["n"]["value"] not in (2, 3)]
        assert [e["id"] for e in ok(answer).json()] == want[1000:2000]
        assert answer.headers["NGSILD-Results-Count"] == str(len(want))
        assert [e["id"] for e in ok(city.get("entities?type=Many&q=n!=3&limit=1000&offset=4000", headers=using(tenant, map_id))).json()] == want[4000:]


# ---- 5.7.1.4: retrieval ----

@pytest.mark.clause("5.7.1.4", "6.5.3.1")
class TestRetrieval:
    def test_flag_and_header(self, city, things):
        answer = ok(city.get("entities/urn:x:03?entityMap=true&entityMapLifetime=PT1M", headers=things))
        map_id = located(answer)
        assert ok(city.get(f"entityMaps/{map_id}", headers=things)).json()["entityMap"] == {"urn:x:03": ["@none"]}
        assert located(ok(city.get("entities/urn:x:03", headers=using(things, map_id)))) == map_id
        other = located(ok(city.get("entities/urn:x:03", headers=using(things, "urn:x:none"))))
        assert other != map_id
        assert "NGSILD-EntityMap" not in ok(city.get("entities/urn:x:03", headers=things)).headers
        refused(city.get("entities/urn:x:none?entityMap=true", headers=things), "ResourceNotFound")


# ---- 5.14.1, 5.14.2, 5.14.3 ----

@pytest.mark.clause("5.14.1", "6.32.3.1")
class TestRetrieve:
    def test_retrieve(self, city, things):
        map_id, body = make(city, "type=Thing&q=n<3", things)
        assert ok(city.get(f"entityMaps/{map_id}", headers=things)).json() == body
        assert set(ok(city.get(f"entityMaps/{map_id}", headers={**things, **ACCEPT_LD})).json()) == {*body, "@context"}

    def test_refusals(self, city, things):
        map_id, _ = make(city, "type=Thing", things)
        refused(city.get("entityMaps/no%20uri", headers=things), "BadRequestData")
        refused(city.get("entityMaps/urn:x:none", headers=things), "ResourceNotFound")
        refused(city.get(f"entityMaps/{map_id}"), "ResourceNotFound")  # another tenant's
        refused(city.get(f"entityMaps/{map_id}?sideways=1", headers=things), "InvalidRequest")


@pytest.mark.clause("5.14.2", "6.32.3.2")
class TestUpdate:
    def test_expiry(self, city, things):
        map_id, body = make(city, "type=Thing&q=n<3", things)
        no_content(city.patch(f"entityMaps/{map_id}", {"type": "EntityMap", "id": map_id, "expiresAt": "2099-01-01T00:00:00Z",
                                                       "entityMap": {"urn:y": ["@none"]}, "linkedMaps": {}}, headers=things))
        after = ok(city.get(f"entityMaps/{map_id}", headers=things)).json()
        assert after["entityMap"] == body["entityMap"] and 0.9 < in_hours(after["expiresAt"]) <= 1  # the limit
        no_content(city.patch(f"entityMaps/{map_id}", {}, headers=things))
        soon = (datetime.now(timezone.utc) + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
        no_content(send(city, "PATCH", f"entityMaps/{map_id}", '{"@context": [], "expiresAt": "%s"}' % soon, {**things, **LD}))
        assert ok(city.get(f"entityMaps/{map_id}", headers=things)).json()["expiresAt"] == soon

    def test_a_map_that_has_expired_is_gone(self, city, things):
        map_id, _ = make(city, "type=Thing", things)
        no_content(city.patch(f"entityMaps/{map_id}", {"expiresAt": "2000-01-01T00:00:00Z"}, headers=things))
        refused(city.get(f"entityMaps/{map_id}", headers=things), "ResourceNotFound")
        refused(city.patch(f"entityMaps/{map_id}", {}, headers=things), "ResourceNotFound")
        assert located(ok(city.get("entities?type=Thing", headers=using(things, map_id)), 201)) != map_id

    @pytest.mark.parametrize("body", [{"expiresAt": "tomorrow"}, {"expiresAt": 1}, {"expiresAt": None},
                                      {"expiresAt": "urn:ngsi-ld:null"}, {"type": "Other"}, {"id": "urn:x:other"},
                                      {"n": prop(1)}])
    def test_refusals(self, city, things, body):
        map_id, _ = make(city, "type=Thing", things)
        refused(city.patch(f"entityMaps/{map_id}", body, headers=things), "BadRequestData")

    def test_other_refusals(self, city, things):
        map_id, _ = make(city, "type=Thing", things)
        refused(city.patch("entityMaps/no%20uri", {}, headers=things), "BadRequestData")
        refused(city.patch("entityMaps/urn:x:none", {}, headers=things), "ResourceNotFound")
        refused(send(city, "PATCH", f"entityMaps/{map_id}", "[]", things), "InvalidRequest")
        refused(city.post(f"entityMaps/{map_id}", {}, headers=things), "OperationNotSupported", 405)


@pytest.mark.clause("5.14.3", "6.32.3.3")
class TestDelete:
    def test_delete(self, city, things):
        map_id, _ = make(city, "type=Thing", things)
        refused(city.delete(f"entityMaps/{map_id}"), "ResourceNotFound")  # another tenant's
        no_content(city.delete(f"entityMaps/{map_id}", headers=things))
        refused(city.delete(f"entityMaps/{map_id}", headers=things), "ResourceNotFound")
        refused(city.get(f"entityMaps/{map_id}", headers=things), "ResourceNotFound")
        refused(city.delete("entityMaps/no%20uri", headers=things), "BadRequestData")


# ---- bounds ----

def limit_of(answer):
    """The bound that earlier requests have used up: no fault of the city's, and time helps."""
    assert answer.status_code == 429, f"{answer.status_code} {answer.text}"
    assert answer.json()["type"] == "about:blank"
    return answer.json()["limit"]


@pytest.mark.clause("5.5.14")
class TestBounds:
    def test_entities(self, new_city):
        city = new_city("--limits-entity-map-entities", "3")
        for i in range(4):
            create(city, {"id": f"urn:x:{i}", "type": "T", "n": prop(i)})
        assert refused(city.get("entityMaps?type=T"), "TooManyResults")["limit"] == "limits.entity_map_entities"
        assert refused(city.get("entityMaps?type=T&orderBy=n"), "TooManyResults")["limit"] == "limits.entity_map_entities"
        refused(city.get("entities?type=T&entityMap=true"), "TooManyResults")
        ok(city.get("entityMaps?type=T&q=n>0"), 201)

    def test_maps(self, new_city):
        city = new_city("--limits-entity-maps", "2")
        create(city, {"id": "urn:x:1", "type": "T"})
        ids = [make(city, "type=T", {})[0] for _ in range(2)]
        assert limit_of(city.get("entityMaps?type=T")) == "limits.entity_maps"
        assert limit_of(city.get("entities/urn:x:1?entityMap=true")) == "limits.entity_maps"
        no_content(city.patch(f"entityMaps/{ids[0]}", {"expiresAt": "2000-01-01T00:00:00Z"}))
        make(city, "type=T", {})

    def test_bytes(self, new_city):
        city = new_city("--limits-entity-map-bytes", "16 KiB")
        create(city, {"id": "urn:x:" + "1" * 1000, "type": "T"})
        made = 0
        while city.get("entityMaps?type=T").status_code == 201:
            made += 1
        assert 1 <= made < 16
        assert limit_of(city.get("entityMaps?type=T")) == "limits.entity_map_bytes"

    def test_lifetime(self, new_city):
        city = new_city("--limits-entity-map-lifetime", "2 s")
        create(city, {"id": "urn:x:1", "type": "T"})
        assert in_hours(make(city, "type=T&entityMapLifetime=P10Y", {})[1]["expiresAt"]) < 0.001

    def test_default_of_split_entities(self, new_city):
        city = new_city("--query-split-entities", "true")
        create(city, {"id": "urn:x:1", "type": "T", "n": prop(1)})
        assert len(make(city, "type=T&q=n>5", {})[1]["entityMap"]) == 1
        assert len(make(city, "type=T&q=n>5&splitEntities=false", {})[1]["entityMap"]) == 0
