"""Clauses 5.7.5 ... 5.7.10 and 6.25 ... 6.28: which types and attributes there are."""
import time

import pytest

from ngsi import ACCEPT_GEO, ACCEPT_LD, CORE, DEFAULT, JSON, geo, link, no_content, ok, prop, refused, rel

pytestmark = pytest.mark.clause("5.7.5")
PATHS = ["types", "types/Bus", "attributes", "attributes/speed"]


@pytest.fixture(scope="module")
def fleet(city):
    """A tenant with two buses, a tram, and something that is two things at once."""
    headers = {"NGSILD-Tenant": "fleet"}
    many = [{"type": "Property", "value": 1}, {"type": "Property", "value": 2, "datasetId": "urn:ngsi-ld:Dataset:2"}]
    for entity in (
            {"id": "urn:ngsi-ld:Bus:1", "type": "Bus", "speed": prop(30), "location": geo("Point", [8, 49])},
            {"id": "urn:ngsi-ld:Bus:2", "type": "Bus", "speed": rel("urn:ngsi-ld:Speed:1")},
            {"id": "urn:ngsi-ld:Tram:1", "type": "Tram", "speed": many, "scope": "/rail"},
            {"id": "urn:ngsi-ld:Both:1", "type": ["Tram", "https://example.org/types#Ferry"]}):
        ok(city.post("entities", entity, headers=headers), 201)
    return headers


def test_entity_type_list(city, fleet):
    answer = ok(city.get("types", headers=fleet))
    body = answer.json()
    assert set(body) == {"id", "type", "typeList"}
    assert body["id"].startswith("urn:") and body["type"] == "EntityTypeList"
    assert sorted(body["typeList"]) == ["Bus", "Tram", "https://example.org/types#Ferry"]
    assert answer.headers["Content-Type"] == "application/json" and CORE in answer.headers["Link"]


def test_lists_of_tenants_have_ids_of_their_own(city, fleet):
    assert city.get("types").json()["id"] != city.get("types", headers=fleet).json()["id"]


@pytest.mark.clause("5.7.6")
def test_details_of_entity_types(city, fleet):
    body = ok(city.get("types?details=true", headers=fleet)).json()
    assert all(set(t) == {"id", "type", "typeName", "attributeNames"} and t["type"] == "EntityType" for t in body)
    assert {t["typeName"]: sorted(t["attributeNames"]) for t in body} == {
        "Bus": ["location", "speed"], "Tram": ["speed"], "https://example.org/types#Ferry": []}
    assert {t["id"] for t in body} == {DEFAULT + "Bus", DEFAULT + "Tram", "https://example.org/types#Ferry"}
    assert ok(city.get("types?details=false", headers=fleet)).json()["type"] == "EntityTypeList"


@pytest.mark.clause("5.7.7")
def test_entity_type_information(city, fleet):
    body = ok(city.get("types/Bus", headers=fleet)).json()
    assert set(body) == {"id", "type", "typeName", "entityCount", "attributeDetails"}
    assert (body["id"], body["type"], body["typeName"], body["entityCount"]) == (
        DEFAULT + "Bus", "EntityTypeInfo", "Bus", 2)
    details = {a["attributeName"]: a for a in body["attributeDetails"]}
    assert details == {
        "location": {"id": "https://uri.etsi.org/ngsi-ld/location", "type": "Attribute", "attributeName": "location",
                     "attributeTypes": ["GeoProperty"]},
        "speed": {"id": DEFAULT + "speed", "type": "Attribute", "attributeName": "speed",
                  "attributeTypes": ["Property", "Relationship"]}}


@pytest.mark.clause("5.7.7")
def test_a_type_by_its_whole_name(city, fleet):
    body = ok(city.get("types/https%3A%2F%2Fexample.org%2Ftypes%23Ferry", headers=fleet)).json()
    assert (body["id"], body["entityCount"], body["attributeDetails"]) == ("https://example.org/types#Ferry", 1, [])


@pytest.mark.clause("5.7.8")
def test_attribute_list(city, fleet):
    body = ok(city.get("attributes", headers=fleet)).json()
    assert set(body) == {"id", "type", "attributeList"}
    assert body["id"].startswith("urn:") and body["type"] == "AttributeList"
    assert sorted(body["attributeList"]) == ["location", "speed"]  # neither scope nor system attributes


@pytest.mark.clause("5.7.9")
def test_details_of_attributes(city, fleet):
    body = ok(city.get("attributes?details=true", headers=fleet)).json()
    assert all(set(a) == {"id", "type", "attributeName", "typeNames"} and a["type"] == "Attribute" for a in body)
    assert {a["attributeName"]: sorted(a["typeNames"]) for a in body} == {"location": ["Bus"], "speed": ["Bus", "Tram"]}


@pytest.mark.clause("5.7.10")
def test_attribute_information(city, fleet):
    body = ok(city.get("attributes/speed", headers=fleet)).json()
    assert set(body) == {"id", "type", "attributeName", "attributeCount", "attributeTypes", "typeNames"}
    assert (body["id"], body["attributeName"], body["attributeCount"]) == (DEFAULT + "speed", "speed", 4)
    assert sorted(body["attributeTypes"]) == ["Property", "Relationship"]
    assert sorted(body["typeNames"]) == ["Bus", "Tram"]


@pytest.mark.clause("5.7.7")
@pytest.mark.parametrize("path", ["types/Boat", "types/urn:no:such", "types/id", "attributes/depth", "attributes/id",
                                  "attributes/type", "attributes/scope", "attributes/createdAt"])
def test_what_no_entity_has(city, fleet, path):
    refused(city.get(path, headers=fleet), "ResourceNotFound")


def test_what_is_gone_does_not_count(city, urn):
    headers = {"NGSILD-Tenant": urn().replace(":", "-")}
    for name in (1, 2):
        ok(city.post("entities", {"id": urn("Brief", name), "type": "Brief", "only": prop(1)}, headers=headers), 201)
    assert city.get("types/Brief", headers=headers).json()["entityCount"] == 2
    no_content(city.delete("entities/" + urn("Brief", 1), headers=headers))
    assert city.get("types/Brief", headers=headers).json()["entityCount"] == 1
    assert city.get("attributes/only", headers=headers).json()["attributeCount"] == 1
    no_content(city.delete(f"entities/{urn('Brief', 2)}/attrs/only", headers=headers))
    refused(city.get("attributes/only", headers=headers), "ResourceNotFound")
    no_content(city.delete("entities/" + urn("Brief", 2), headers=headers))
    assert city.get("types", headers=headers).json()["typeList"] == []
    assert city.get("attributes", headers=headers).json()["attributeList"] == []


@pytest.mark.clause("5.7.7", "4.22")
def test_what_has_expired_does_not_count(city, urn):
    headers = {"NGSILD-Tenant": urn().replace(":", "-")}
    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
    ok(city.post("entities", {"id": urn("Guest"), "type": "Guest", "a": prop(1), "expiresAt": end}, headers=headers), 201)
    assert city.get("types/Guest", headers=headers).json()["entityCount"] == 1
    time.sleep(2.1)
    refused(city.get("types/Guest", headers=headers), "ResourceNotFound")
    assert city.get("attributes", headers=headers).json()["attributeList"] == []


@pytest.mark.clause("6.25.3.1", "6.3.6")
@pytest.mark.parametrize("path", PATHS + ["types?details=true", "attributes?details=true"])
def test_ld_json_carries_the_context(city, fleet, path):
    answer = ok(city.get(path, headers={**fleet, **ACCEPT_LD}))
    assert answer.headers["Content-Type"] == "application/ld+json" and "Link" not in answer.headers
    body = answer.json()
    assert all(b["@context"] == CORE for b in (body if isinstance(body, list) else [body]))


@pytest.mark.clause("6.26.3.1", "6.3.5")
def test_names_follow_the_context_of_the_request(city, tmp_path, new_city):
    (tmp_path / "index.json").write_text('{"https://example.org/fleet.jsonld": "fleet.json"}')
    (tmp_path / "fleet.json").write_text('{"@context": {"Ferry": "https://example.org/types#Ferry", '
                                         '"wake": "https://example.org/types#wake"}}')
    other = new_city("--contexts", str(tmp_path))
    headers = link("https://example.org/fleet.jsonld")
    ok(other.post("entities", {"id": "urn:ngsi-ld:Ferry:1", "type": "Ferry", "wake": prop(1)}, headers=headers), 201)
    assert other.get("types", headers=headers).json()["typeList"] == ["Ferry"]
    assert other.get("types").json()["typeList"] == ["https://example.org/types#Ferry"]
    assert other.get("attributes/wake", headers=headers).json()["typeNames"] == ["Ferry"]
    refused(other.get("types/Ferry"), "ResourceNotFound")


@pytest.mark.clause("6.27.3.1", "6.3.18")
@pytest.mark.parametrize("path", ["types", "types/Bus", "attributes", "attributes/speed"])
def test_local_is_taken(city, fleet, path):
    for value in ("true", "false"):
        ok(city.get(f"{path}?local={value}", headers=fleet))
    refused(city.get(f"{path}?local=perhaps", headers=fleet), "BadRequestData")


REFUSALS = [
    ("GET", "types?details=perhaps", {}, "BadRequestData", 400),
    ("GET", "attributes?details=1", {}, "BadRequestData", 400),
    ("GET", "types?limit=5", {}, "InvalidRequest", 400),
    ("GET", "types?options=sysAttrs", {}, "InvalidRequest", 400),
    ("GET", "types/Bus?details=true", {}, "InvalidRequest", 400),
    ("GET", "attributes/speed?details=true", {}, "InvalidRequest", 400),
    ("GET", "types/a%20b", {}, "BadRequestData", 400),
    ("GET", "attributes/%3Cx%3E", {}, "BadRequestData", 400),
    ("GET", "types", {"NGSILD-Tenant": "nobody"}, "NonexistentTenant", 404),
    ("GET", "attributes/speed", {"NGSILD-Tenant": "nobody"}, "NonexistentTenant", 404),
    ("GET", "types", ACCEPT_GEO, "InvalidRequest", 406),
    ("GET", "attributes", {"Accept": "text/html"}, "InvalidRequest", 406),
    ("POST", "types", JSON, "OperationNotSupported", 405),
    ("DELETE", "types/Bus", {}, "OperationNotSupported", 405),
    ("PATCH", "attributes/speed", JSON, "OperationNotSupported", 405),
]


@pytest.mark.clause("6.28.3.1", "6.3.2", "6.3.20")
@pytest.mark.parametrize("method, path, headers, kind, status", REFUSALS, ids=[f"{m} {p} {k}" for m, p, _, k, _ in REFUSALS])
def test_refusals(city, fleet, method, path, headers, kind, status):
    answer = city.request(method, path, headers={**fleet, **headers})
    refused(answer, kind, status)
    if status == 405:
        assert answer.headers["Allow"] == "GET"
