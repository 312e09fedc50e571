"""Clauses 5.13, 6.29 and 6.30: @contexts that the city keeps and serves."""
import json
import time
import urllib.parse

import pytest

from ngsi import ACCEPT_GEO, ACCEPT_LD, CORE, JSON, LD, create, get, link, no_content, ok, prop, refused, send

pytestmark = pytest.mark.clause("5.13.2", "6.29.3.1")
PATH = "/ngsi-ld/v1/jsonldContexts/"
EX = "https://example.org/"
TERMS = {"speed": EX + "speed", "Bus": EX + "Bus"}
HOSTED = {"@context": TERMS}
MINE = {"NGSILD-Tenant": "mine"}


def path_of(identifier):
    return "jsonldContexts/" + urllib.parse.quote(identifier, safe="")


def add(city, context=TERMS, headers=None):
    """Its local identifier."""
    answer = ok(city.post("jsonldContexts", {"@context": context}, headers=headers), 201)
    assert answer.content == b"" and answer.headers["Location"].startswith(PATH)
    return urllib.parse.unquote(answer.headers["Location"][len(PATH):])


def info(city, identifier, headers=None):
    return ok(city.get(path_of(identifier) + "?details=true", headers=headers)).json()


def fetched(city, origin, urn, path, context=TERMS, **headers):
    """The URL of an @context that the city has cached."""
    url = origin.serve(path, context, **headers)
    create(city, {"id": urn("Cached"), "type": "Bus"}, headers=link(url))
    return url


# ---- 5.13.2: add ----

def test_add_and_serve(city):
    identifier = add(city)
    assert identifier.startswith("urn:")
    for query in ("", "?details=false"):
        answer = ok(city.get(path_of(identifier) + query))
        assert answer.json() == HOSTED
        assert answer.headers["Content-Type"] == "application/json" and "Link" not in answer.headers
    answer = ok(city.get(path_of(identifier), headers=ACCEPT_LD))
    assert answer.json() == HOSTED and answer.headers["Content-Type"] == "application/ld+json"


def test_only_the_context_is_kept(city):
    answer = ok(city.post("jsonldContexts", {**HOSTED, "note": "not kept", "id": "urn:x:y"}), 201)
    assert ok(city.get(answer.headers["Location"])).json() == HOSTED


@pytest.mark.parametrize("headers", [JSON, LD])
def test_both_media_types(city, headers):
    ok(send(city, "POST", "jsonldContexts", json.dumps(HOSTED), headers), 201)


@pytest.mark.parametrize("context", [TERMS, CORE, [CORE, TERMS], [], {}, None, [TERMS, [TERMS]],
                                     ["https://nobody.invalid/context.jsonld", TERMS]])
def test_whatever_a_context_may_be(city, context):
    assert ok(city.get(path_of(add(city, context)))).json() == {"@context": context}


def test_the_same_twice_is_two(city):
    assert add(city) != add(city)


ADD_REFUSALS = [
    ('{"a": "b"}', JSON, "InvalidRequest", 400), ("[]", JSON, "InvalidRequest", 400), ("", JSON, "InvalidRequest", 400),
    ('{"@context": {', JSON, "InvalidRequest", 400), ('{"@context": 42}', JSON, "BadRequestData", 400),
    ('{"@context": true}', JSON, "BadRequestData", 400),
    ('{"@context": ["https://nobody.invalid/c.jsonld", 7]}', JSON, "BadRequestData", 400),
    ('{"@context": {"a": 42}}', JSON, "BadRequestData", 400),
    ('{"@context": {"a": {"@id": "urn:a", "@context": {"b": "urn:b"}}}}', JSON, "BadRequestData", 400),
]


@pytest.mark.parametrize("body, headers, kind, status", ADD_REFUSALS, ids=[r[0][:40] for r in ADD_REFUSALS])
def test_additions_refused(city, body, headers, kind, status):
    answer = send(city, "POST", "jsonldContexts", body, headers)
    refused(answer, kind, status)
    assert "Location" not in answer.headers


def test_addition_preconditions(city):
    assert send(city, "POST", "jsonldContexts", json.dumps(HOSTED), {"Content-Type": "text/plain"}).status_code == 415
    refused(city.post("jsonldContexts?details=true", HOSTED), "InvalidRequest")


def test_bounds(new_city, tmp_path):
    settings = tmp_path / "city.toml"
    settings.write_text('[contexts]\nhosted = 2\nhosted_bytes = "1 KiB"\n')
    city = new_city("--config", str(settings))
    first = add(city)
    answer = city.post("jsonldContexts", {"@context": {f"t{i}": EX + str(i) for i in range(100)}})
    assert answer.status_code == 429 and answer.json()["limit"] == "contexts.hosted_bytes"
    add(city)
    answer = city.post("jsonldContexts", HOSTED)
    assert answer.status_code == 429 and answer.json()["limit"] == "contexts.hosted"
    no_content(city.delete(path_of(first)))
    add(city)


# ---- use ----

@pytest.mark.clause("5.13.1", "6.3.5")
def test_requests_may_name_them(city, urn):
    identifier = add(city)
    url = city.url + PATH + identifier
    create(city, {"id": urn("Bus"), "type": "Bus", "speed": prop(1)}, headers=link(url))
    assert get(city, urn("Bus"))["https://example.org/speed"] == prop(1)
    assert get(city, urn("Bus"), headers=link(url))["type"] == "Bus"
    encoded = city.url + PATH + urllib.parse.quote(identifier, safe="")
    other = "https://another-name.example/prefix" + PATH + identifier  # whichever way the city is reached
    for same in (encoded, other):
        assert get(city, urn("Bus"), headers=link(same))["type"] == "Bus"
    nested = add(city, [url, {"length": EX + "length"}])
    body = {"id": urn("Bus", 2), "type": "Bus", "length": prop(2), "@context": city.url + PATH + nested}
    create_ld = ok(city.post("entities", body, headers=LD), 201)
    assert create_ld.status_code == 201
    assert set(get(city, urn("Bus", 2))) == {"id", "type", EX + "length"}


@pytest.mark.clause("5.13.1", "5.13.5")
def test_after_removal_they_cannot_be_had(city, urn):
    identifier = add(city)
    headers = link(city.url + PATH + identifier)
    create(city, {"id": urn("Bus"), "type": "Bus"}, headers=headers)
    no_content(city.delete(path_of(identifier)))
    refused(city.get("entities/" + urn("Bus"), headers=headers), "LdContextNotAvailable")


@pytest.mark.clause("5.13.1")
def test_they_outlive_the_process(new_city, urn):
    city = new_city()
    kept, gone = add(city), add(city)
    tenants = add(city, headers=MINE)
    no_content(city.delete(path_of(gone)))
    before = info(city, kept)
    city.stop()
    city.start()
    after = info(city, kept)
    assert (after["createdAt"], after["kind"]) == (before["createdAt"], "Hosted")
    assert ok(city.get(path_of(kept))).json() == HOSTED
    refused(city.get(path_of(gone)), "ResourceNotFound")
    assert info(city, tenants, headers=MINE)["kind"] == "Hosted"
    create(city, {"id": urn("Bus"), "type": "Bus"}, headers=link(city.url + PATH + kept))
    assert get(city, urn("Bus"))["type"] == EX + "Bus"


# ---- 5.13.3: list ----

@pytest.mark.clause("5.13.3", "6.29.3.2")
def test_list(city, origin, urn):
    hosted, cached = city.url + PATH + add(city), fetched(city, origin, urn, "/listed.jsonld")
    everything = ok(city.get("jsonldContexts")).json()
    assert {hosted, cached, CORE} <= set(everything)
    assert ok(city.get("jsonldContexts?details=false")).json() == everything
    only = ok(city.get("jsonldContexts?kind=Hosted")).json()
    assert hosted in only and cached not in only and CORE not in only
    only = ok(city.get("jsonldContexts?kind=Cached")).json()
    assert {cached, CORE} <= set(only) and hosted not in only
    assert hosted not in ok(city.get("jsonldContexts?kind=ImplicitlyCreated")).json()
    assert ok(city.get(hosted[len(city.url):])).json() == HOSTED  # the URL is one to fetch it from


@pytest.mark.clause("5.13.3", "6.29.3.2")
def test_list_with_details(city, origin, urn):
    identifier, cached = add(city), fetched(city, origin, urn, "/detailed.jsonld", Cache_Control="max-age=600")
    found = {i["URL"]: i for i in ok(city.get("jsonldContexts?details=true")).json()}
    mine, theirs = found[city.url + PATH + identifier], found[cached]
    assert mine["localId"] == identifier and mine["kind"] == "Hosted" and "expiresAt" not in mine
    assert theirs["kind"] == "Cached" and theirs["localId"].startswith("urn:") and theirs["numberOfHits"] == 1
    assert theirs["createdAt"] <= theirs["lastUsage"] < theirs["expiresAt"]
    known = {"URL", "localId", "kind", "createdAt", "expiresAt", "lastUsage", "numberOfHits", "extraInfo"}
    assert all(set(i) <= known and {"URL", "localId", "kind", "createdAt"} <= set(i) for i in found.values())
    hosted = ok(city.get("jsonldContexts?details=true&kind=Hosted")).json()
    assert {i["kind"] for i in hosted} == {"Hosted"}


@pytest.mark.clause("5.13.3")
def test_urls_of_a_city_with_a_name(new_city, tmp_path):
    settings = tmp_path / "city.toml"
    settings.write_text('[server]\nurl = "https://city.example"\n')
    city = new_city("--config", str(settings))
    assert "https://city.example" + PATH + add(city) in city.get("jsonldContexts").json()


# ---- 5.13.4: serve ----

@pytest.mark.clause("5.13.4", "6.30.3.1")
def test_details(city, origin, urn):
    identifier, url = add(city), fetched(city, origin, urn, "/served.jsonld")
    assert info(city, identifier)["URL"] == city.url + PATH + identifier
    cached = info(city, url)
    assert cached["kind"] == "Cached" and cached["URL"] == url
    assert info(city, cached["localId"])["URL"] == url
    assert info(city, CORE)["kind"] == "Cached" and info(city, CORE)["extraInfo"] == "built in"
    refused(city.get(path_of(url)), "OperationNotSupported")
    refused(city.get(path_of(cached["localId"])), "OperationNotSupported")
    refused(city.get(path_of(CORE)), "OperationNotSupported")


@pytest.mark.clause("5.13.3", "5.13.4")
def test_hits_and_usage(city, origin, urn):
    """A hit is that it was found, for a request or for whoever asks for it."""
    url = fetched(city, origin, urn, "/counted.jsonld")
    assert info(city, url)["numberOfHits"] == 1
    assert info(city, url)["numberOfHits"] == 2
    for _ in range(5):
        ok(city.get("types", headers=link(url)))
    last = info(city, url)
    assert last["numberOfHits"] == 8
    time.sleep(0.01)
    ok(city.get("types", headers=link(url)))
    assert info(city, url)["lastUsage"] > last["lastUsage"]
    identifier = add(city)
    assert "lastUsage" not in info(city, identifier)
    ok(city.get("types", headers=link(city.url + PATH + identifier)))
    ok(city.get(path_of(identifier)))
    assert info(city, identifier)["numberOfHits"] == 3


# ---- 5.13.5: delete and reload ----

@pytest.mark.clause("5.13.5", "6.30.3.2")
def test_delete(city, origin):
    identifier = add(city)
    no_content(city.delete(path_of(identifier)))
    refused(city.get(path_of(identifier)), "ResourceNotFound")
    refused(city.delete(path_of(identifier)), "ResourceNotFound")
    for by in ("URL", "localId"):
        url = origin.serve(f"/deleted-{by}.jsonld", TERMS)
        ok(city.get("types", headers=link(url)))
        no_content(city.delete(path_of(info(city, url)[by]) + "?reload=false"))
        refused(city.get(path_of(url) + "?details=true"), "ResourceNotFound")
        asked = len(origin.asked)
        ok(city.get("types", headers=link(url)))
        assert len(origin.asked) == asked + 1  # it was gone for requests, too


@pytest.mark.clause("5.13.5")
def test_an_array_goes_without_its_members(city, origin, urn):
    inner = fetched(city, origin, urn, "/member.jsonld")
    outer = add(city, [inner])
    no_content(city.delete(path_of(outer)))
    assert info(city, inner)["kind"] == "Cached"


@pytest.mark.clause("5.13.5", "6.30.3.2")
def test_reload(city, origin, urn):
    url = fetched(city, origin, urn, "/reloaded.jsonld", {"Bus": EX + "Old"}, Cache_Control="max-age=600")
    before = info(city, url)
    origin.serve("/reloaded.jsonld", {"Bus": EX + "New"}, Cache_Control="max-age=600")
    assert get(city, urn("Cached"), headers=link(url))["type"] == "Bus"
    no_content(city.delete(path_of(url) + "?reload=true"))
    assert get(city, urn("Cached"), headers=link(url))["type"] == EX + "Old"
    after = info(city, url)
    assert after["localId"] == before["localId"] and after["createdAt"] > before["createdAt"]
    no_content(city.delete(path_of(before["localId"]) + "?reload=true"))


@pytest.mark.clause("5.13.5", "6.30.3.2")
@pytest.mark.parametrize("path, context, status", [("missing", TERMS, 404), ("broken", b"{", 200), ("none", b"{}", 200),
                                                   ("wrong", {"Bus": 7}, 200)])
def test_a_reload_that_fails_changes_nothing(city, origin, urn, path, context, status):
    path = f"/failing-{path}.jsonld"
    url = fetched(city, origin, urn, path, Cache_Control="max-age=600")
    origin.serve(path, context, status=status)
    refused(city.delete(path_of(url) + "?reload=true"), "LdContextNotAvailable")
    assert info(city, url)["kind"] == "Cached"
    assert get(city, urn("Cached"), headers=link(url))["type"] == "Bus"


@pytest.mark.clause("5.13.5")
def test_what_cannot_be_removed(new_city, tmp_path):
    (tmp_path / "index.json").write_text('{"https://example.org/own.jsonld": "own.json"}')
    (tmp_path / "own.json").write_text(json.dumps(HOSTED))
    city = new_city("--contexts", str(tmp_path))
    for url in (CORE, "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.3.jsonld", "https://example.org/own.jsonld"):
        refused(city.delete(path_of(url)), "BadRequestData")
        assert info(city, url)["kind"] == "Cached"
    no_content(city.delete(path_of(CORE) + "?reload=true"))
    refused(city.delete(path_of("https://example.org/own.jsonld") + "?reload=true"), "LdContextNotAvailable")
    ok(city.get("types", headers=link("https://example.org/own.jsonld")))


REFUSALS = [
    ("GET", "jsonldContexts?kind=hosted", {}, "BadRequestData", 400),
    ("GET", "jsonldContexts?kind=Other&details=true", {}, "BadRequestData", 400),
    ("GET", "jsonldContexts?details=perhaps", {}, "BadRequestData", 400),
    ("GET", "jsonldContexts?limit=3", {}, "InvalidRequest", 400),
    ("GET", "jsonldContexts", ACCEPT_GEO, "InvalidRequest", 406),
    ("GET", "jsonldContexts/nothing", {}, "ResourceNotFound", 404),
    ("GET", "jsonldContexts/nothing?details=true", {}, "ResourceNotFound", 404),
    ("GET", "jsonldContexts/nothing?details=perhaps", {}, "BadRequestData", 400),
    ("GET", "jsonldContexts/nothing?kind=Hosted", {}, "InvalidRequest", 400),
    ("GET", "jsonldContexts/urn:ngsi-ld:Context:0123456789abcdef", {}, "ResourceNotFound", 404),
    ("DELETE", "jsonldContexts/nothing", {}, "ResourceNotFound", 404),
    ("DELETE", "jsonldContexts/nothing?reload=false", {}, "ResourceNotFound", 404),
    ("DELETE", "jsonldContexts/nothing?reload=true", {}, "BadRequestData", 400),
    ("DELETE", "jsonldContexts/nothing?reload=perhaps", {}, "BadRequestData", 400),
    ("DELETE", "jsonldContexts/", {}, "BadRequestData", 400),
    ("DELETE", "jsonldContexts/nothing?details=true", {}, "InvalidRequest", 400),
    ("PATCH", "jsonldContexts/nothing", JSON, "OperationNotSupported", 405),
    ("PUT", "jsonldContexts", JSON, "OperationNotSupported", 405),
]


@pytest.mark.clause("6.29.3.2", "6.30.3.1", "6.30.3.2", "6.3.2")
@pytest.mark.parametrize("method, path, headers, kind, status", REFUSALS, ids=[f"{m} {p}" for m, p, *_ in REFUSALS])
def test_refusals(city, method, path, headers, kind, status):
    refused(city.request(method, path, headers=headers), kind, status)


@pytest.mark.clause("5.13.5")
def test_what_is_served_is_not_reloaded(city):
    refused(city.delete(path_of(add(city)) + "?reload=true"), "BadRequestData")


# ---- 5.5.10: tenants ----

@pytest.mark.clause("5.5.10", "6.3.14")
def test_tenants_are_apart(city, origin, urn):
    theirs = {"NGSILD-Tenant": "theirs"}
    identifier = add(city, headers=MINE)
    assert info(city, identifier, headers=MINE)["kind"] == "Hosted"
    for headers in (theirs, None):
        refused(city.get(path_of(identifier) + "?details=true", headers=headers), "ResourceNotFound")
        refused(city.delete(path_of(identifier), headers=headers), "ResourceNotFound")
        assert identifier not in city.get("jsonldContexts", headers=headers).text
    refused(city.get(path_of(identifier), headers=theirs), "ResourceNotFound")
    url = fetched(city, origin, urn, "/public.jsonld")
    assert info(city, url, headers=theirs)["kind"] == "Cached"  # a copy of what is public is everybody's
    answer = ok(city.get(path_of(identifier), headers=MINE))
    assert answer.json() == HOSTED and answer.headers["NGSILD-Tenant"] == "mine"
    assert ok(city.get(path_of(identifier))).json() == HOSTED  # who dereferences a URL names no tenant
    no_content(city.delete(path_of(identifier), headers=MINE))


# ---- implicit creation ----

def subscribe(city, urn, context, headers=None, **more):
    """The jsonldContext of a new subscription."""
    body = {"id": urn("Subscription"), "type": "Subscription", "entities": [{"type": "Bus"}],
            "notification": {"endpoint": {"uri": "http://127.0.0.1:9/"}}, "@context": context, **more}
    ok(city.post("subscriptions", body, headers={**LD, **(headers or {})}), 201)
    return ok(city.get("subscriptions/" + urn("Subscription"), headers=headers)).json()["jsonldContext"]


@pytest.mark.clause("5.13.1", "5.8.1")
def test_a_context_without_a_url_gets_one(city, origin, urn):
    context = [origin.serve("/one.jsonld", {"Bus": EX + "Bus"}), {"speed": EX + "speed"}]
    url = subscribe(city, urn, context)
    assert url.startswith(city.url + PATH)
    told = info(city, url)
    assert told["kind"] == "ImplicitlyCreated" and told["URL"] == url
    assert ok(city.get(url[len(city.url):])).json() == {"@context": context}
    assert ok(city.get("jsonldContexts?kind=ImplicitlyCreated")).json().count(url) == 1
    create(city, {"id": urn("Bus"), "type": "Bus"}, headers=link(url))
    assert get(city, urn("Bus"))["type"] == EX + "Bus"
    refused(city.delete(path_of(told["localId"]) + "?reload=true"), "BadRequestData")
    no_content(city.delete(path_of(told["localId"])))


@pytest.mark.clause("5.13.1", "5.8.1")
def test_the_same_content_gets_one_url(city, urn):
    context = {"speed": EX + urn()}
    assert subscribe(city, urn, context) == subscribe(city, lambda *_: urn("Other"), context)
    assert subscribe(city, lambda *_: urn("Third"), {"speed": EX + "else" + urn()}) != subscribe(
        city, lambda *_: urn("Fourth"), context)
    ours = subscribe(city, urn, context, headers={"NGSILD-Tenant": "ours"})
    assert ours not in city.get("jsonldContexts").text and ours in city.get(
        "jsonldContexts", headers={"NGSILD-Tenant": "ours"}).text


@pytest.mark.clause("5.13.1", "5.8.1")
def test_a_url_that_is_there_is_taken(city, origin, urn):
    url = origin.serve("/there.jsonld", TERMS)
    before = ok(city.get("jsonldContexts?kind=ImplicitlyCreated")).json()
    for i, context in enumerate([url, [url], [url, CORE], [CORE, url]]):
        assert subscribe(city, lambda *_, i=i: urn("S", i), context) == url
    assert subscribe(city, lambda *_: urn("Core"), [CORE]) == CORE
    given = subscribe(city, lambda *_: urn("Given"), [url, {"a": EX + "a"}], jsonldContext=url)
    assert given == url
    assert ok(city.get("jsonldContexts?kind=ImplicitlyCreated")).json() == before
