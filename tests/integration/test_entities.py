"""Entities in and out over HTTP: the everyday use of the API."""
import pytest

JSON = {"Content-Type": "application/json"}
LD = {"Content-Type": "application/ld+json"}
DEFAULT = "https://uri.etsi.org/ngsi-ld/default-context/"
ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
CORE_LINK = '<https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.9.jsonld>'


def spring(name="baotu", **attributes):
    return {"id": f"urn:ngsi-ld:Spring:{name}", "type": "Spring",
            "waterLevel": {"type": "Property", "value": 28.9, "unitCode": "MTR"},
            "locatedIn": {"type": "Relationship", "object": "urn:ngsi-ld:City:jinan"}, **attributes}


def problem(answer, status, kind):
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["type"] == ERRORS + kind
    assert body["title"] and body["detail"]
    assert answer.headers["Content-Type"] == "application/json"
    return body


def test_create_retrieve_delete(city):
    created = city.post("entities", spring())
    assert created.status_code == 201, created.text
    assert created.headers["Location"] == "/ngsi-ld/v1/entities/urn:ngsi-ld:Spring:baotu"
    assert created.content == b""
    got = city.get("entities/urn:ngsi-ld:Spring:baotu")
    assert got.status_code == 200
    assert got.json() == spring()
    assert CORE_LINK in got.headers["Link"]
    problem(city.post("entities", spring()), 409, "AlreadyExists")
    assert city.delete("entities/urn:ngsi-ld:Spring:baotu").status_code == 204
    problem(city.get("entities/urn:ngsi-ld:Spring:baotu"), 404, "ResourceNotFound")
    problem(city.delete("entities/urn:ngsi-ld:Spring:baotu"), 404, "ResourceNotFound")


ATTRIBUTES = {
    "integer": {"type": "Property", "value": 9007199254740993},
    "real": {"type": "Property", "value": 0.1},
    "boolean": {"type": "Property", "value": False},
    "text": {"type": "Property", "value": "趵突泉 \"\\\n\u0001"},
    "structure": {"type": "Property", "value": {"a": {"b": [1, 2, {"c": ""}]}, "value": 3}},
    "array": {"type": "Property", "value": [1, "two", {"three": 3}]},
    "observed": {"type": "Property", "value": 1, "observedAt": "2026-01-31T23:59:59.5Z", "unitCode": "CEL"},
    "relation": {"type": "Relationship", "object": "urn:ngsi-ld:City:jinan"},
    "relations": {"type": "Relationship", "object": ["urn:ngsi-ld:City:a", "urn:ngsi-ld:City:b"]},
    "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [117.01, 36.661]}},
    "area": {"type": "GeoProperty",
             "value": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}},
    "label": {"type": "LanguageProperty", "languageMap": {"zh": "泉", "en": "spring"}},
    "kind": {"type": "VocabProperty", "vocab": "Karst"},
    "raw": {"type": "JsonProperty", "json": {"id": "no uri", "@type": [None, {}]}},
    "list": {"type": "ListProperty", "valueList": [3, 1, 2]},
    "route": {"type": "ListRelationship", "objectList": [{"object": "urn:ngsi-ld:Stop:1"}, {"object": "urn:ngsi-ld:Stop:2"}]},
    "nested": {"type": "Property", "value": 1,
               "accuracy": {"type": "Property", "value": 0.5, "by": {"type": "Relationship", "object": "urn:x:y"}}},
}


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_every_kind_of_attribute_comes_back_equal(shared_city, name):
    entity = {"id": f"urn:ngsi-ld:Kind:{name}", "type": "Kind", name: ATTRIBUTES[name]}
    answer = shared_city.post("entities", entity)
    assert answer.status_code == 201, answer.text
    got = shared_city.get(f"entities/{entity['id']}").json()
    if name == "observed":
        got[name]["observedAt"] = got[name]["observedAt"].replace(".500Z", ".5Z")
    assert got == entity


def test_instances_by_dataset(shared_city):
    speed = [{"type": "Property", "value": 50, "datasetId": "urn:ngsi-ld:gps"}, {"type": "Property", "value": 48}]
    entity = {"id": "urn:ngsi-ld:Vehicle:datasets", "type": "Vehicle", "speed": speed}
    assert shared_city.post("entities", entity).status_code == 201
    got = shared_city.get("entities/urn:ngsi-ld:Vehicle:datasets").json()["speed"]
    assert sorted(got, key=lambda s: s["value"]) == sorted(speed, key=lambda s: s["value"])
    one = shared_city.get("entities/urn:ngsi-ld:Vehicle:datasets?datasetId=urn:ngsi-ld:gps").json()["speed"]
    assert one == speed[0]
    none = shared_city.get("entities/urn:ngsi-ld:Vehicle:datasets?datasetId=@none").json()["speed"]
    assert none == speed[1]
    simple = shared_city.get("entities/urn:ngsi-ld:Vehicle:datasets?options=keyValues").json()["speed"]
    assert simple == {"dataset": {"@none": 48, "urn:ngsi-ld:gps": 50}}
    gone = shared_city.delete("entities/urn:ngsi-ld:Vehicle:datasets/attrs/speed?datasetId=urn:ngsi-ld:gps")
    assert gone.status_code == 204
    assert shared_city.get("entities/urn:ngsi-ld:Vehicle:datasets").json()["speed"] == speed[1]


def test_update_append_partial_replace_delete_attribute(city):
    city.post("entities", spring())
    path = "entities/urn:ngsi-ld:Spring:baotu"
    assert city.patch(f"{path}/attrs", {"waterLevel": {"type": "Property", "value": 29}}).status_code == 204
    assert city.get(path).json()["waterLevel"] == {"type": "Property", "value": 29}  # unitCode is gone: 5.5.8
    assert city.patch(f"{path}/attrs/waterLevel", {"unitCode": "MTR"}).status_code == 204
    assert city.get(path).json()["waterLevel"] == {"type": "Property", "value": 29, "unitCode": "MTR"}
    assert city.post(f"{path}/attrs", {"depth": {"type": "Property", "value": 2}}).status_code == 204
    kept = city.post(f"{path}/attrs?options=noOverwrite", {"depth": {"type": "Property", "value": 3},
                                                          "width": {"type": "Property", "value": 4}})
    assert kept.status_code == 207
    assert kept.json()["updated"] == [DEFAULT + "width"]
    assert [n["attributeName"] for n in kept.json()["notUpdated"]] == [DEFAULT + "depth"]
    assert city.put(f"{path}/attrs/depth", {"type": "Property", "value": 5}).status_code == 204
    assert city.get(path).json()["depth"]["value"] == 5
    assert city.delete(f"{path}/attrs/depth").status_code == 204
    problem(city.delete(f"{path}/attrs/depth"), 404, "ResourceNotFound")
    problem(city.patch(f"{path}/attrs/depth", {"value": 1}), 404, "ResourceNotFound")
    assert "depth" not in city.get(path).json()


def test_merge_and_replace(city):
    city.post("entities", spring(address={"type": "Property", "value": {"city": "Jinan", "street": "a", "no": 1}}))
    path = "entities/urn:ngsi-ld:Spring:baotu"
    merged = city.patch(path, {"address": {"type": "Property", "value": {"street": "b", "no": "urn:ngsi-ld:null"}},
                               "waterLevel": "urn:ngsi-ld:null"})
    assert merged.status_code == 204, merged.text
    got = city.get(path).json()
    assert got["address"]["value"] == {"city": "Jinan", "street": "b"}
    assert "waterLevel" not in got
    replaced = city.put(path, {"id": "urn:ngsi-ld:Spring:baotu", "type": "Spring", "flow": 3})
    assert replaced.status_code == 204, replaced.text
    assert city.get(path).json() == {"id": "urn:ngsi-ld:Spring:baotu", "type": "Spring",
                                     "flow": {"type": "Property", "value": 3}}


def test_representations(shared_city):
    shared_city.post("entities", spring("forms", location=ATTRIBUTES["location"], label=ATTRIBUTES["label"]))
    path = "entities/urn:ngsi-ld:Spring:forms"
    simple = shared_city.get(path + "?options=keyValues").json()
    assert simple == {"id": "urn:ngsi-ld:Spring:forms", "type": "Spring", "waterLevel": 28.9,
                      "locatedIn": "urn:ngsi-ld:City:jinan", "location": ATTRIBUTES["location"]["value"],
                      "label": {"languageMap": {"zh": "泉", "en": "spring"}}}
    assert shared_city.get(path + "?format=simplified").json() == simple
    concise = shared_city.get(path + "?options=concise").json()
    assert concise["waterLevel"] == {"value": 28.9, "unitCode": "MTR"}
    assert concise["locatedIn"] == {"object": "urn:ngsi-ld:City:jinan"}
    english = shared_city.get(path + "?lang=en").json()["label"]
    assert english == {"type": "Property", "value": "spring", "lang": "en"}
    system = shared_city.get(path + "?options=sysAttrs").json()
    assert system["createdAt"].endswith("Z") and system["waterLevel"]["modifiedAt"].endswith("Z")
    geo = shared_city.get(path, headers={"Accept": "application/geo+json"})
    assert geo.headers["Content-Type"] == "application/geo+json"
    assert geo.json()["type"] == "Feature"
    assert geo.json()["geometry"] == ATTRIBUTES["location"]["value"]
    picked = shared_city.get(path + "?pick=id,waterLevel").json()
    assert set(picked) == {"id", "waterLevel"}
    omitted = shared_city.get(path + "?omit=waterLevel,type").json()
    assert set(omitted) == {"id", "locatedIn", "location", "label"}
    linked = shared_city.get(path, headers={"Accept": "application/ld+json"}).json()
    assert linked["@context"] == "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.9.jsonld"


def test_inline_context_names_the_terms(shared_city):
    entity = {"@context": [{"Spring": "https://city.example/Spring", "level": "https://city.example/level"}],
              "id": "urn:ngsi-ld:Spring:ld", "type": "Spring", "level": {"type": "Property", "value": 1}}
    answer = shared_city.request("POST", "entities", json=entity, headers=LD)
    assert answer.status_code == 201, answer.text
    plain = shared_city.get("entities/urn:ngsi-ld:Spring:ld").json()
    assert plain["type"] == "https://city.example/Spring"
    assert plain["https://city.example/level"]["value"] == 1
    assert shared_city.get("entities?type=https://city.example/Spring").json() == [plain]
    assert shared_city.get("entities?type=Spring&q=level==1").json() == []


def test_batches(city):
    entities = [spring(str(i)) for i in range(5)]
    created = city.post("entityOperations/create", entities)
    assert created.status_code == 201
    assert sorted(created.json()) == [e["id"] for e in entities]
    again = city.post("entityOperations/create", entities[:1] + [spring("new")])
    assert again.status_code == 207
    assert again.json()["success"] == ["urn:ngsi-ld:Spring:new"]
    assert again.json()["errors"][0]["entityId"] == entities[0]["id"]
    assert again.json()["errors"][0]["error"]["type"] == ERRORS + "AlreadyExists"
    upserted = city.post("entityOperations/upsert", [spring("0", flow=1), spring("6")])
    assert upserted.status_code == 201 and upserted.json() == ["urn:ngsi-ld:Spring:6"]
    assert city.post("entityOperations/upsert", [spring("0")]).status_code == 204
    bad = city.post("entityOperations/upsert", [spring("7"), {"id": "no uri", "type": "Spring"}])
    assert bad.status_code == 207
    assert bad.json()["success"] == ["urn:ngsi-ld:Spring:7"]
    assert bad.json()["errors"][0]["error"]["pointer"] == "/1/id"
    updated = city.post("entityOperations/update", [{"id": "urn:ngsi-ld:Spring:0", "type": "Spring", "flow": 2}])
    assert updated.status_code == 204
    assert city.get("entities/urn:ngsi-ld:Spring:0").json()["flow"]["value"] == 2
    merged = city.post("entityOperations/merge", [{"id": "urn:ngsi-ld:Spring:0", "flow": {"value": 3}}])
    assert merged.status_code == 204, merged.text
    gone = city.post("entityOperations/delete", ["urn:ngsi-ld:Spring:0", "urn:ngsi-ld:Spring:0"])
    assert gone.status_code == 207
    assert gone.json()["success"] == ["urn:ngsi-ld:Spring:0"]
    problem(city.post("entityOperations/create", []), 400, "BadRequestData")
    problem(city.post("entityOperations/create", {}), 400, "BadRequestData")


def test_queries(city):
    vehicles = [{"id": f"urn:ngsi-ld:Vehicle:{i:02}", "type": "Vehicle" if i % 2 else ["Vehicle", "Bus"],
                 "speed": {"type": "Property", "value": i}, "scope": f"/city/district{i % 3}",
                 "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [117 + i / 1000, 36]}}}
                for i in range(30)]
    assert city.post("entityOperations/create", vehicles).status_code == 201

    def ids(query):
        answer = city.get(f"entities?{query}&limit=100&options=keyValues")
        assert answer.status_code == 200, answer.text
        return [int(e["id"][-2:]) for e in answer.json()]
    assert ids("type=Vehicle") == list(range(30))
    assert ids("type=(Vehicle;Bus)") == list(range(0, 30, 2))
    assert ids("type=Vehicle&q=speed>27") == [28, 29]
    assert ids("type=Vehicle&q=speed==3..5|speed==9") == [3, 4, 5, 9]
    assert ids("type=Vehicle&idPattern=.*:0[01]$") == [0, 1]
    assert ids("id=urn:ngsi-ld:Vehicle:07&type=Vehicle") == [7]
    assert ids("type=Vehicle&scopeQ=/city/district1") == list(range(1, 30, 3))
    assert ids("type=Vehicle&scopeQ=/city/%2B") == list(range(30))
    assert ids("georel=near;maxDistance==200&geometry=Point&coordinates=[117.005,36]") == [3, 4, 5, 6, 7]
    assert ids("attrs=speed&q=speed<2") == [0, 1]
    assert ids("type=Vehicle&orderBy=speed;desc&local=true")[:3] == [29, 28, 27]
    page = city.get("entities?type=Vehicle&limit=10&offset=10&count=true")
    assert page.headers["NGSILD-Results-Count"] == "30"
    assert [int(e["id"][-2:]) for e in page.json()] == list(range(10, 20))
    assert 'rel="next"' in page.headers["Link"] and 'rel="prev"' in page.headers["Link"]
    counted = city.get("entities?type=Vehicle&limit=0&count=true")
    assert counted.json() == [] and counted.headers["NGSILD-Results-Count"] == "30"
    posted = city.post("entityOperations/query", {"type": "Query", "entities": [{"type": "Vehicle"}], "q": "speed>=29"})
    assert [e["id"] for e in posted.json()] == ["urn:ngsi-ld:Vehicle:29"]
    problem(city.get("entities"), 400, "BadRequestData")
    problem(city.get("entities?type=Vehicle&q=speed>"), 400, "BadRequestData")
    problem(city.get("entities?type=Vehicle&limit=0"), 400, "BadRequestData")
    problem(city.get("entities?type=Vehicle&colour=red"), 400, "InvalidRequest")


def test_purge(city):
    city.post("entityOperations/create", [spring(str(i)) for i in range(4)])
    assert city.delete("entities?type=Spring&drop=waterLevel").status_code == 204
    assert "waterLevel" not in city.get("entities/urn:ngsi-ld:Spring:1").json()
    assert city.delete("entities?type=Spring&id=urn:ngsi-ld:Spring:1").status_code == 204
    assert len(city.get("entities?type=Spring").json()) == 3
    assert city.delete("entities?type=Spring").status_code == 204
    assert city.get("entities?type=Spring").json() == []
    problem(city.delete("entities"), 400, "BadRequestData")


def test_tenants_are_apart(city):
    other = {"NGSILD-Tenant": "other"}
    problem(city.get("entities?type=Spring", headers=other), 404, "NonexistentTenant")
    created = city.post("entities", spring(), headers=other)
    assert created.status_code == 201 and created.headers["NGSILD-Tenant"] == "other"
    problem(city.get("entities/urn:ngsi-ld:Spring:baotu"), 404, "ResourceNotFound")
    assert city.get("entities/urn:ngsi-ld:Spring:baotu", headers=other).status_code == 200
    problem(city.get("entities?type=Spring", headers={"NGSILD-Tenant": "a b"}), 400, "BadRequestData")


def test_everything_survives_a_restart(city):
    city.post("entityOperations/create", [spring(str(i)) for i in range(50)])
    city.post("entities", spring("t"), headers={"NGSILD-Tenant": "t"})
    city.delete("entities/urn:ngsi-ld:Spring:7")
    before = city.get("entities?type=Spring&limit=100&options=sysAttrs").json()
    for _ in range(2):
        city.restart()
        assert city.get("entities?type=Spring&limit=100&options=sysAttrs").json() == before
        assert city.get("entities/urn:ngsi-ld:Spring:t", headers={"NGSILD-Tenant": "t"}).status_code == 200


@pytest.mark.parametrize("body, status, kind, pointer", [
    ("", 400, "InvalidRequest", ""),
    ("{", 400, "InvalidRequest", ""),
    ("[]", 400, "InvalidRequest", ""),
    ('{"type":"T"}', 400, "BadRequestData", ""),
    ('{"id":"urn:x:1"}', 400, "BadRequestData", ""),
    ('{"id":"no uri","type":"T"}', 400, "BadRequestData", "/id"),
    ('{"id":"urn:x:1","type":"T","a":{"type":"Relationship","object":"no uri"}}', 400, "BadRequestData", "/a/object"),
    ('{"id":"urn:x:1","type":"T","a":{"type":"Property"}}', 400, "BadRequestData", "/a"),
    ('{"id":"urn:x:1","type":"T","a":{"type":"Nonsense","value":1}}', 400, "BadRequestData", "/a/type"),
    ('{"id":"urn:x:1","type":"T","a":{"type":"Property","value":null}}', 400, "BadRequestData", "/a/value"),
    ('{"id":"urn:x:1","type":"T","a":{"type":"Property","value":1,"observedAt":"yesterday"}}', 400, "BadRequestData",
     "/a/observedAt"),
    ('{"id":"urn:x:1","type":"T","a":{"type":"GeoProperty","value":{"type":"Point","coordinates":[200,0]}}}', 400,
     "BadRequestData", "/a/value/coordinates"),
    ('{"@context":[],"id":"urn:x:1","type":"T"}', 400, "BadRequestData", "/@context"),
])
def test_bad_bodies_say_what_and_where(shared_city, body, status, kind, pointer):
    refusal = problem(shared_city.request("POST", "entities", data=body.encode(), headers=JSON), status, kind)
    assert refusal.get("pointer", "").startswith(pointer)
    assert shared_city.get("entities/urn:x:1").status_code == 404


def test_http_manners(shared_city):
    assert shared_city.request("POST", "entities", data=b"<a/>", headers={"Content-Type": "text/xml"}).status_code == 415
    refused = shared_city.get("entities?type=T", headers={"Accept": "text/html"})
    assert refused.status_code == 406
    wrong = shared_city.request("PUT", "entities", json={})
    assert wrong.status_code == 405 and set(wrong.headers["Allow"].split(", ")) == {"POST", "GET", "DELETE"}
    assert shared_city.get("nothing").status_code == 404
    assert shared_city.get("entities?type=%zz").status_code == 400
    assert shared_city.get("entities/no-uri").status_code == 400


def test_admin(shared_city):
    assert shared_city.get("/healthz").text == "ok\n"
    assert shared_city.get("/readyz").status_code == 200
    metrics = shared_city.get("/metrics").text
    assert "# TYPE wellspring_entities gauge" in metrics
    assert "wellspring_http_requests_total" in metrics


def test_scope_is_deleted_as_an_attribute(shared_city):
    shared_city.post("entities", spring("scoped", scope=["/Jinan/Lixia", "/Parks"]))
    path = "entities/urn:ngsi-ld:Spring:scoped"
    assert shared_city.get(path).json()["scope"] == ["/Jinan/Lixia", "/Parks"]
    assert shared_city.delete(f"{path}/attrs/scope").status_code == 204
    assert "scope" not in shared_city.get(path).json()
    problem(shared_city.delete(f"{path}/attrs/scope"), 404, "ResourceNotFound")
    gone = problem(shared_city.delete(f"{path}/attrs/nothing"), 404, "ResourceNotFound")
    assert "nothing" in gone["detail"]
