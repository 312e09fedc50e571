"""Context source registrations: provided, conflicting, found and shown."""
import datetime
import threading

import pytest

from ngsi import ACCEPT_LD, CORE, LD, NULL, compact, no_content, ok, prop, refused

PATH = "csourceRegistrations"
LATER = "2030-01-01T00:00:00Z"
SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]]}
SPAN = {"startAt": "2020-01-01T00:00:00Z", "endAt": "2021-01-01T00:00:00Z"}


def registration(*infos, **members):
    return {"type": "ContextSourceRegistration", "endpoint": "http://source.example:1026/ngsi-ld",
            "information": list(infos) or [{"entities": [{"type": "Car"}]}], **members}


def info(names=None, **entity):
    out = {"entities": [{"type": "Car", **entity}]} if entity or names is None else {"entities": [{"type": "Car"}]}
    return {**out, **({"propertyNames": names} if names else {})}


def create(city, body, headers=None):
    answer = ok(city.post(PATH, body, headers=headers), 201)
    assert answer.content == b""
    return answer.headers["Location"].removeprefix(f"/ngsi-ld/v1/{PATH}/")


def get(city, name, query="", headers=None):
    return ok(city.get(f"{PATH}/{name}{query}", headers=headers)).json()


def found(city, query, headers):
    return [r["id"] for r in ok(city.get(f"{PATH}?{query}", headers=headers)).json()]


# ---- provision ----

@pytest.mark.clause("5.9.2", "6.8.3.1")
def test_created_with_an_id_of_its_own_or_a_new_one(city, urn):
    name = urn("ContextSourceRegistration")
    assert create(city, registration(id=name)) == name
    refused(city.post(PATH, registration(id=name)), "AlreadyExists")
    made = create(city, registration())
    assert made.startswith("urn:ngsi-ld:ContextSourceRegistration:")


@pytest.mark.clause("5.9.2", "5.2.9", "5.2.10", "5.10.1")
def test_everything_is_shown_as_written(city, urn):
    body = registration(
        {"entities": [{"type": ["Car", "Red"], "id": "urn:a:1"}, {"type": "Van", "idPattern": "^urn:v"}],
         "propertyNames": ["speed", "https://example.org/x"], "relationshipNames": ["owner"]},
        {"relationshipNames": ["at"]},
        id=urn("Registration"), contextSourceInfo=[{"key": "accept", "value": "application/ld+json"}, {"key": "X", "value": "y"}],
        contextSourceAlias="source-1", registrationName="n", description="d", datasetId=["@none", "urn:d:1"], expiresAt=LATER,
        location=SQUARE, observationSpace=SQUARE, operationSpace=SQUARE,
        management={"cacheDuration": "PT1M", "cooldown": 10, "localOnly": True, "timeout": 100},
        managementInterval=SPAN, observationInterval={"startAt": SPAN["startAt"]}, mode="inclusive",
        operations=["retrieveOps", "createEntity"], refreshRate="PT1H", scope=["/a", "/b/c"], tenant="t",
        sourceType=prop("sensor"), brand="ours")
    create(city, body)
    assert get(city, body["id"]) == body
    shown = ok(city.get(f"{PATH}/{body['id']}?options=sysAttrs", headers=ACCEPT_LD)).json()
    assert shown["@context"] == CORE and shown["createdAt"] == shown["modifiedAt"]


@pytest.mark.clause("5.9.2", "5.5.7", "5.10.1")
def test_names_are_stored_as_iris(city, urn):
    context = {"Car": "https://cars.org/Car", "speed": "https://cars.org/speed", "brand": "https://cars.org/brand"}
    body = registration({"entities": [{"type": "Car"}], "propertyNames": ["speed"]}, id=urn("Registration"), brand="x")
    ok(city.post(PATH, {**body, "@context": [context, CORE]}, headers=LD), 201)
    shown = get(city, body["id"])
    assert shown["information"] == [{"entities": [{"type": "https://cars.org/Car"}], "propertyNames": ["https://cars.org/speed"]}]
    assert shown["https://cars.org/brand"] == "x"


REFUSED = {
    "no type": {k: v for k, v in registration().items() if k != "type"},
    "another type": registration(type="Registration"),
    "id is no URI": registration(id="x y"),
    "no endpoint": {k: v for k, v in registration().items() if k != "endpoint"},
    "endpoint not http": registration(endpoint="urn:x:y"),
    "no information": {k: v for k, v in registration().items() if k != "information"},
    "information empty": registration(information=[]),
    "information says nothing": registration({}),
    "entities empty": registration({"entities": []}),
    "EntityInfo without type": registration({"entities": [{"id": "urn:a:1"}]}),
    "EntityInfo id": registration({"entities": [{"type": "A", "id": "x y"}]}),
    "EntityInfo idPattern": registration({"entities": [{"type": "A", "idPattern": "("}]}),
    "propertyNames empty": registration({"propertyNames": []}),
    "relationshipNames no names": registration({"relationshipNames": ["a b"]}),
    "expiresAt in the past": registration(expiresAt="2020-01-01T00:00:00Z"),
    "expiresAt no DateTime": registration(expiresAt="soon"),
    "expiresAt null": registration(expiresAt=None),
    "NGSI-LD Null": registration(description=NULL),
    "description empty": registration(description=""),
    "alias no token": registration(contextSourceAlias="a b"),
    "location no geometry": registration(location={"type": "Point", "coordinates": ["a"]}),
    "interval without start": registration(observationInterval={"endAt": LATER}),
    "interval backwards": registration(managementInterval={"startAt": LATER, "endAt": SPAN["startAt"]}),
    "mode": registration(mode="other"),
    "operations": registration(operations=["fly"]),
    "refreshRate": registration(refreshRate="often"),
    "management timeout": registration(management={"timeout": 0}),
    "management cacheDuration": registration(management={"cacheDuration": "x"}),
    "scope": registration(scope="a b"),
    "datasetId": registration(datasetId=["x y"]),
    "source info pair": registration(contextSourceInfo=[{"key": "a"}]),
    "source info injection": registration(contextSourceInfo=[{"key": "a", "value": "b\r\nc: d"}]),
    "source info accept": registration(contextSourceInfo=[{"key": "accept", "value": "text/plain"}]),
    "source info jsonldContext": registration(contextSourceInfo=[{"key": "jsonldContext", "value": "x"}]),
    "source info ngsildConformance": registration(contextSourceInfo=[{"key": "ngsildConformance", "value": "x"}]),
    "exclusive without attributes": registration(info(id="urn:a:1"), mode="exclusive"),
    "exclusive of a type": registration(info(["speed"]), mode="exclusive"),
    "exclusive of a pattern": registration(info(["speed"], idPattern="^urn"), mode="exclusive"),
    "auxiliary writes": registration(mode="auxiliary", operations=["createEntity"]),
    "auxiliary without operations": registration(mode="auxiliary"),
    "a property that is none": registration(brand={"type": "Relationship", "object": "x y"}),
}


@pytest.mark.clause("5.9.2", "5.2.8", "5.2.9", "5.2.10", "5.2.11", "5.2.34", "4.3.6.3", "4.3.6.6", "4.20")
@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_refused(city, body):
    refused(city.post(PATH, body), "BadRequestData")


@pytest.mark.clause("5.9.2", "5.5.4")
def test_refusals_say_where(city):
    body = refused(city.post(PATH, registration({"entities": [{"type": "A", "id": "x"}]})), "BadRequestData")
    assert body["pointer"] == "/information/0/entities/0/id"
    refused(city.post(PATH, [registration()]), "InvalidRequest")


@pytest.mark.clause("5.9.2", "4.3.6.3")
def test_proxied_registrations_exclude_one_another(city, urn, tenant):
    car, other = urn("Car", 1), urn("Car", 2)

    def post(names, mode, **entity):
        return city.post(PATH, registration(info(names, **entity), mode=mode), headers=tenant)
    first = ok(post(["speed", "load"], "exclusive", id=car), 201).headers["Location"][12:]
    for mode in ("exclusive", "redirect"):
        refused(post(["speed"], mode, id=car), "Conflict", 409)
        ok(post(["speed"], mode, id=other + mode), 201)
        ok(post(["colour"], mode, id=car + mode), 201)
    refused(post(None, "redirect", idPattern="Car"), "Conflict", 409)
    ok(post(["height"], "redirect"), 201)
    ok(post(["height"], "redirect"), 201)
    ok(post(["speed"], "inclusive", id=car), 201)
    ok(city.post(PATH, registration(info(["speed"], id=car), mode="auxiliary", operations=["retrieveOps"]), headers=tenant), 201)
    no_content(city.delete(first, headers=tenant))
    second = ok(post(["speed"], "redirect", id=car), 201).headers["Location"][12:]
    third = ok(post(["size"], "redirect", id=car), 201).headers["Location"][12:]
    refused(city.patch(third, {"mode": "exclusive", "information": [info(["speed"], id=car)]}, headers=tenant), "Conflict", 409)
    no_content(city.patch(second, {"description": "itself is no conflict"}, headers=tenant))


@pytest.mark.clause("5.9.2", "5.9.3")
def test_what_is_here_cannot_be_elsewhere(city, urn, tenant):
    car = urn("Car")
    ok(city.post("entities", {"id": car, "type": "Car", "speed": prop(1)}, headers=tenant), 201)
    refused(city.post(PATH, registration(info(["speed"], id=car), mode="exclusive"), headers=tenant), "Conflict", 409)
    made = create(city, registration(info(["load"], id=car), mode="exclusive"), headers=tenant)
    refused(city.post(PATH, registration(info(), mode="redirect"), headers=tenant), "Conflict", 409)
    refused(city.post(PATH, registration(info(["speed"]), mode="redirect"), headers=tenant), "Conflict", 409)
    create(city, registration(info(["colour"]), mode="redirect"), headers=tenant)
    create(city, registration({"entities": [{"type": "Van"}]}, mode="redirect"), headers=tenant)
    refused(city.patch(f"{PATH}/{made}", {"information": [info(["speed"], id=car)]}, headers=tenant), "Conflict", 409)


@pytest.mark.clause("5.9.3", "6.9.3.2", "5.5.8")
def test_update(city):
    name = create(city, registration(description="d", brand="a", wheels=4))
    no_content(city.patch(f"{PATH}/{name}", {"type": "ContextSourceRegistration", "description": NULL, "brand": NULL, "seats": 5,
                                             "information": [{"propertyNames": ["speed"]}]}))
    shown = get(city, name)
    assert shown["information"] == [{"propertyNames": ["speed"]}]
    assert "description" not in shown and "brand" not in shown and (shown["wheels"], shown["seats"]) == (4, 5)
    for fragment in ({"id": "urn:other:1"}, {"endpoint": NULL}, {"information": NULL}, {"type": "Entity"}, {"information": []},
                     {"expiresAt": "2020-01-01T00:00:00Z"}, {"mode": "exclusive"}, {"endpoint": None}):
        refused(city.patch(f"{PATH}/{name}", fragment), "BadRequestData")
    assert get(city, name) == shown
    no_content(city.patch(f"{PATH}/{name}", {"wheels": None, "scope": None}))  # a JSON Merge Patch (5.4)
    assert "wheels" not in get(city, name)
    refused(city.patch(f"{PATH}/none", {"description": "x"}), "BadRequestData")
    assert city.patch(f"{PATH}/", {"description": "x"}).status_code == 405
    refused(city.patch(f"{PATH}/urn:none", {"description": "x"}), "ResourceNotFound")


@pytest.mark.clause("5.9.4", "6.9.3.3", "5.10.1", "6.9.3.1")
def test_delete_and_retrieve(city):
    name = create(city, registration())
    no_content(city.delete(f"{PATH}/{name}"))
    for method in (city.get, city.delete):
        refused(method(f"{PATH}/{name}"), "ResourceNotFound")
        refused(method(f"{PATH}/none"), "BadRequestData")


@pytest.mark.clause("5.9.2")
def test_expired_ones_are_gone(city, tenant):
    soon = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(milliseconds=400)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    name = create(city, registration(expiresAt=soon), headers=tenant)
    assert found(city, "type=Car", tenant) == [name]
    threading.Event().wait(0.6)
    assert found(city, "type=Car", tenant) == []
    refused(city.get(f"{PATH}/{name}", headers=tenant), "ResourceNotFound")


@pytest.mark.clause("5.9.2")
def test_limits_have_names(new_city, tmp_path):
    config = tmp_path / "limits.toml"
    config.write_text("[limits]\nregistrations = 1\nregistration_items = 2\nregistration_bytes = 2000\n")
    city = new_city("--config", str(config))
    assert refused(city.post(PATH, registration(*[info()] * 3)), "BadRequestData")["limit"] == "limits.registration_items"
    assert refused(city.post(PATH, registration(description="x" * 2000)), "InvalidRequest", 413)["limit"] == \
        "limits.registration_bytes"
    create(city, registration())
    assert refused(city.post(PATH, registration()), "BadRequestData")["limit"] == "limits.registrations"


# ---- discovery ----

@pytest.fixture(scope="module")
def sources(city):
    """Registrations by name, in a tenant of their own."""
    headers = {"NGSILD-Tenant": "sources"}
    bodies = {
        "cars": registration({"entities": [{"type": "Car"}]}, brand="a"),
        "speeds": registration({"entities": [{"type": "Car"}, {"type": "Bus"}], "propertyNames": ["speed"],
                                "relationshipNames": ["owner"]}, {"entities": [{"type": "Tram"}]}, scope="/city/north"),
        "one": registration({"entities": [{"type": "Car", "id": "urn:car:1"}]}, datasetId=["urn:d:1"]),
        "pattern": registration({"entities": [{"type": "Car", "idPattern": "^urn:car:2"}]}, location=SQUARE),
        "names": registration({"propertyNames": ["height"]}, location={"type": "Point", "coordinates": [20, 20]}),
        "past": registration({"entities": [{"type": "Car"}]}, observationInterval=SPAN),
        "managed": registration({"entities": [{"type": "Car"}]}, managementInterval={"startAt": SPAN["startAt"]}),
        "both": registration({"entities": [{"type": ["Car", "Red"]}]}),
    }
    for name, body in bodies.items():
        create(city, {**body, "id": f"urn:source:{name}"}, headers=headers)
    return headers


QUERIES = {
    "type=Car": "cars speeds one pattern names both",
    "type=Bus": "speeds names",
    "type=Tram": "speeds names",
    "type=Plane": "names",
    "type=(Car;Red)": "both names",
    "type=Bus,Red": "speeds both names",
    "type=Car&id=urn:car:1": "cars speeds one names both",
    "type=Car&id=urn:car:2x,urn:car:9": "cars speeds pattern names both",
    "type=Car&idPattern=car:1": "cars speeds one pattern names both",
    "type=Car&idPattern=zzz": "cars speeds pattern names both",
    "attrs=speed": "cars speeds one pattern both",
    "attrs=owner,height&type=Car": "cars speeds one pattern names both",
    "attrs=weight": "cars speeds one pattern both",
    "q=speed>5": "cars speeds one pattern both",
    "q=height==1|owner.name==2&type=Bus": "speeds names",
    "type=Car&csf=brand==%22a%22": "cars",
    "type=Car&csf=endpoint~=source": "cars speeds one pattern names both",
    "type=Car&scopeQ=/city/%23": "speeds",
    "type=Car&datasetId=urn:d:1": "cars speeds one pattern names both",
    "type=Car&datasetId=urn:d:2": "cars speeds pattern names both",
    "type=Car&georel=within&geometry=Polygon&coordinates=[[[1,1],[2,1],[2,2],[1,1]]]": "pattern",
    "type=Car&georel=near;maxDistance==1000&geometry=Point&coordinates=[5,5]": "pattern",
    "type=Car&georel=near;maxDistance==1000&geometry=Point&coordinates=[50,50]": "",
    "type=Car&georel=intersects&geometry=Point&coordinates=[20,20]": "",
    "type=Car&timerel=before&timeAt=2020-06-01T00:00:00Z": "past",
    "type=Car&timerel=before&timeAt=2019-06-01T00:00:00Z": "",
    "type=Car&timerel=after&timeAt=2022-06-01T00:00:00Z": "",
    "type=Car&timerel=after&timeAt=2022-06-01T00:00:00Z&timeproperty=modifiedAt": "managed",
    "type=Car&timerel=between&timeAt=2019-06-01T00:00:00Z&endTimeAt=2020-06-01T00:00:00Z": "past",
    "type=Car&timerel=between&timeAt=2018-06-01T00:00:00Z&endTimeAt=2019-06-01T00:00:00Z": "",
}


@pytest.mark.clause("5.10.2", "5.12", "6.8.3.2", "5.9.1")
@pytest.mark.parametrize("query", QUERIES)
def test_found(city, sources, query):
    assert sorted(found(city, query, sources)) == sorted(f"urn:source:{n}" for n in QUERIES[query].split())


@pytest.mark.clause("5.10.2")
def test_only_what_matches_of_one_is_shown(city, sources):
    shown = ok(city.get(f"{PATH}?type=Tram&scopeQ=/city/north", headers=sources)).json()
    assert [compact(r["information"]) for r in shown] == [compact([{"entities": [{"type": "Tram"}]}])]


@pytest.mark.clause("5.10.2", "5.5.9", "6.3.10", "6.3.13")
def test_pages_and_count(city, sources):
    first = ok(city.get(f"{PATH}?type=Car&limit=4&count=true", headers=sources))
    assert first.headers["NGSILD-Results-Count"] == "6" and len(first.json()) == 4 and 'rel="next"' in first.headers["Link"]
    last = ok(city.get(f"{PATH}?type=Car&limit=4&offset=4", headers=sources))
    assert len(last.json()) == 2 and 'rel="next"' not in last.headers["Link"]


@pytest.mark.clause("5.10.2")
@pytest.mark.parametrize("query", [
    "", "id=urn:a:1", "idPattern=x", "csf=brand", "type=Car&id=x", "type=Car&idPattern=(", "q=a==", "type=A;;B", "attrs=a%20b",
    "type=Car&georel=near", "type=Car&georel=at&geometry=Point&coordinates=[1,2]", "type=Car&timerel=before",
    "type=Car&timeAt=2020-01-01T00:00:00Z", "type=Car&timerel=at&timeAt=2020-01-01T00:00:00Z",
    "type=Car&timerel=between&timeAt=2020-01-01T00:00:00Z", "type=Car&csf=((", "type=Car&scopeQ=//",
    "type=Car&timerel=before&timeAt=2020-01-01T00:00:00Z&timeproperty=x", "type=Car&limit=0"])
def test_a_query_is_refused(city, query):
    refused(city.get(f"{PATH}?{query}"), "BadRequestData")


@pytest.mark.clause("5.9.2")
def test_kept_across_a_restart(new_city):
    city = new_city()
    body = registration(info(["speed"], id="urn:car:1"), mode="exclusive", brand="a", id="urn:source:kept")
    create(city, body)
    city.restart()
    assert get(city, "urn:source:kept") == body
    assert found(city, "type=Car&csf=brand==%22a%22", {}) == ["urn:source:kept"]
