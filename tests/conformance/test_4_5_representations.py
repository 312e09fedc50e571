"""Clause 4.5: every kind of attribute in every representation, in and out."""
import pytest

from ngsi import ACCEPT_GEO, ACCEPT_LD, CORE, DEFAULT, create, geo, get, ok, prop, refused, rel, send, without_times

pytestmark = pytest.mark.clause("4.5.1")

X, Y = "urn:ngsi-ld:X:1", "urn:ngsi-ld:Y:1"
AT = "2026-01-31T23:59:59Z"
POINT = {"type": "Point", "coordinates": [117.01, 36.66]}
POLYGON = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}

# clause, normalized, concise, simplified
FORMS = {
    "integer": ("4.5.2", prop(5), 5, 5),
    "negative": ("4.5.2", prop(-9007199254740993), -9007199254740993, -9007199254740993),
    "real": ("4.5.2", prop(0.25), 0.25, 0.25),
    "true": ("4.5.2", prop(True), True, True),
    "false": ("4.5.2", prop(False), False, False),
    "text": ("4.5.2", prop("Baotu"), "Baotu", "Baotu"),
    "empty_text": ("4.5.2", prop(""), "", ""),
    "object": ("4.5.2", prop({"a": {"b": [1, {"c": 0}]}}), {"a": {"b": [1, {"c": 0}]}},
               {"a": {"b": [1, {"c": 0}]}}),
    "array": ("4.5.2", prop([1, "two", {"three": 3}]), [1, "two", {"three": 3}], [1, "two", {"three": 3}]),
    "unit": ("4.5.2", prop(5, unitCode="CEL"), {"value": 5, "unitCode": "CEL"}, 5),
    "observed": ("4.5.2", prop(5, observedAt=AT), {"value": 5, "observedAt": AT}, 5),
    "dataset": ("4.5.5", prop(5, datasetId=X), {"value": 5, "datasetId": X}, 5),
    "sub": ("4.5.2", prop(5, accuracy=prop(0.1)), {"value": 5, "accuracy": 0.1}, 5),
    "deep": ("4.5.2", prop(5, by=rel(X, since=prop(1, unitCode="ANN"))),
             {"value": 5, "by": {"object": X, "since": {"value": 1, "unitCode": "ANN"}}}, 5),
    "relationship": ("4.5.3", rel(X), {"object": X}, X),
    "relationships": ("4.5.3", rel([X, Y]), {"object": [X, Y]}, [X, Y]),
    "relationship_type": ("4.5.3", rel(X, objectType="Thing"), {"object": X, "objectType": "Thing"}, X),
    "relationship_sub": ("4.5.3", rel(X, observedAt=AT, weight=prop(2)),
                         {"object": X, "observedAt": AT, "weight": 2}, X),
    "point": ("4.7", {"type": "GeoProperty", "value": POINT}, POINT, POINT),
    "polygon": ("4.7", {"type": "GeoProperty", "value": POLYGON}, POLYGON, POLYGON),
    "point_sub": ("4.7", {"type": "GeoProperty", "value": POINT, "accuracy": prop(3)},
                  {"value": POINT, "accuracy": 3}, POINT),
    "language": ("4.5.18", {"type": "LanguageProperty", "languageMap": {"en": "yes", "fr": ["oui", "si"]}},
                 {"languageMap": {"en": "yes", "fr": ["oui", "si"]}},
                 {"languageMap": {"en": "yes", "fr": ["oui", "si"]}}),
    "language_none": ("4.5.18", {"type": "LanguageProperty", "languageMap": {"@none": "x", "zh-Hans": "泉"}},
                      {"languageMap": {"@none": "x", "zh-Hans": "泉"}},
                      {"languageMap": {"@none": "x", "zh-Hans": "泉"}}),
    "vocab": ("4.5.20", {"type": "VocabProperty", "vocab": "Male"}, {"vocab": "Male"}, {"vocab": "Male"}),
    "vocabs": ("4.5.20", {"type": "VocabProperty", "vocab": ["Male", "Old"]}, {"vocab": ["Male", "Old"]},
               {"vocab": ["Male", "Old"]}),
    "list": ("4.5.21", {"type": "ListProperty", "valueList": [3, 1, "2"]}, {"valueList": [3, 1, "2"]}, [3, 1, "2"]),
    "empty_list": ("4.5.21", {"type": "ListProperty", "valueList": []}, {"valueList": []}, []),
    "list_relationship": ("4.5.22",
                          {"type": "ListRelationship", "objectList": [{"object": Y}, {"object": X}]},
                          {"objectList": [Y, X]}, [Y, X]),
    "json": ("4.5.24", {"type": "JsonProperty", "json": {"id": "85a6", "value": None, "@type": [{}]}},
             {"json": {"id": "85a6", "value": None, "@type": [{}]}},
             {"json": {"id": "85a6", "value": None, "@type": [{}]}}),
}
CASES = [pytest.param(*form[1:], id=name, marks=pytest.mark.clause("4.5.1", form[0])) for name, form in FORMS.items()]


@pytest.mark.parametrize("normalized, concise, simplified", CASES)
def test_representations_out(city, urn, normalized, concise, simplified):
    entity = {"id": urn(), "type": "Thing", "a": normalized}
    create(city, entity)
    assert get(city, urn()) == entity
    assert get(city, urn(), "?format=normalized")["a"] == normalized
    assert get(city, urn(), "?options=normalized")["a"] == normalized
    for spelling in ("format=concise", "options=concise"):
        assert get(city, urn(), "?" + spelling)["a"] == concise
    for spelling in ("format=simplified", "format=keyValues", "options=simplified", "options=keyValues"):
        assert get(city, urn(), "?" + spelling)["a"] == simplified
    assert get(city, urn(), "?format=concise&options=keyValues")["a"] == concise  # format takes precedence: 6.3.7


@pytest.mark.parametrize("normalized, concise, simplified", CASES)
def test_concise_in(city, urn, normalized, concise, simplified):
    create(city, {"id": urn(), "type": "Thing", "a": concise})
    assert get(city, urn())["a"] == normalized


@pytest.mark.parametrize("normalized, concise, simplified", CASES)
def test_geojson_properties(city, urn, normalized, concise, simplified):
    entity = {"id": urn(), "type": "Thing", "a": normalized}
    create(city, entity)
    feature = get(city, urn(), headers=ACCEPT_GEO)
    assert feature["type"] == "Feature" and feature["id"] == urn()
    assert feature["geometry"] is None
    assert feature["properties"] == {"type": "Thing", "a": normalized}
    assert get(city, urn(), "?format=simplified", headers=ACCEPT_GEO)["properties"] == {"type": "Thing",
        "a": simplified}


PROHIBITED = [
    ("4.5.2", prop(1, object=X)), ("4.5.2", prop(1, languageMap={"en": "x"})), ("4.5.2", prop(1, json={})),
    ("4.5.2", prop(1, vocab="x")), ("4.5.2", prop(1, valueList=[1])), ("4.5.2", prop(1, objectList=[X])),
    ("4.5.2", prop(1, entity={})), ("4.5.2", prop(1, entityList=[])), ("4.5.2", prop(1, previousValue=2)),
    ("4.5.2", prop(1, entityIdSealed=X)), ("4.5.2", {"type": "Property"}),
    ("4.5.3", rel(X, value=1)), ("4.5.3", rel(X, unitCode="CEL")), ("4.5.3", rel(X, languageMap={"en": "x"})),
    ("4.5.3", rel(X, json={})), ("4.5.3", rel(X, vocab="x")), ("4.5.3", rel(X, valueList=[1])),
    ("4.5.3", rel(X, objectList=[X])), ("4.5.3", rel(X, previousObject=Y)), ("4.5.3", rel("no uri")),
    ("4.5.3", rel(5)), ("4.5.3", rel(["urn:x:1", 5])), ("4.5.3", rel({})), ("4.5.3", {"type": "Relationship"}),
    ("4.5.3", rel(X, objectType=5)),
    ("4.5.18", {"type": "LanguageProperty", "languageMap": {"en": "x"}, "unitCode": "CEL"}),
    ("4.5.18", {"type": "LanguageProperty", "languageMap": {"en": "x"}, "value": 1}),
    ("4.5.18", {"type": "LanguageProperty", "languageMap": {"": "x"}}),
    ("4.5.18", {"type": "LanguageProperty", "languageMap": {"en": 5}}),
    ("4.5.18", {"type": "LanguageProperty", "languageMap": {"not a tag": "x"}}),
    ("4.5.18", {"type": "LanguageProperty", "languageMap": "x"}), ("4.5.18", {"type": "LanguageProperty"}),
    ("4.5.20", {"type": "VocabProperty", "vocab": 5}), ("4.5.20", {"type": "VocabProperty", "vocab": {}}),
    ("4.5.20", {"type": "VocabProperty", "vocab": "x", "value": 1}),
    ("4.5.20", {"type": "VocabProperty", "vocab": "x", "unitCode": "CEL"}), ("4.5.20", {"type": "VocabProperty"}),
    ("4.5.21", {"type": "ListProperty", "valueList": 5}), ("4.5.21", {"type": "ListProperty", "value": [1]}),
    ("4.5.21", {"type": "ListProperty", "valueList": [1], "value": 1}), ("4.5.21", {"type": "ListProperty"}),
    ("4.5.22", {"type": "ListRelationship", "objectList": ["no uri"]}),
    ("4.5.22", {"type": "ListRelationship", "objectList": [{"value": X}]}),
    ("4.5.22", {"type": "ListRelationship", "objectList": X}),
    ("4.5.22", {"type": "ListRelationship", "objectList": [{"object": X}], "object": X}),
    ("4.5.22", {"type": "ListRelationship"}),
    ("4.5.24", {"type": "JsonProperty", "json": {}, "unitCode": "CEL"}),
    ("4.5.24", {"type": "JsonProperty", "json": {}, "value": 1}), ("4.5.24", {"type": "JsonProperty"}),
    ("4.7", {"type": "GeoProperty", "value": 5}), ("4.7", {"type": "GeoProperty"}),
    ("4.7", {"type": "GeoProperty", "value": {"type": "Circle", "coordinates": [0, 0]}}),
    ("4.7", {"type": "GeoProperty", "value": {"type": "Point"}}),
    ("4.7", {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [0]}}),
    ("4.7", {"type": "GeoProperty", "value": {"type": "Point", "coordinates": ["0", 0]}}),
    ("4.7", {"type": "GeoProperty", "value": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]}}),
    ("4.7", {"type": "GeoProperty", "value": {"type": "LineString", "coordinates": [[0, 0]]}}),
    ("4.7", {"type": "GeoProperty", "value": {"type": "GeometryCollection", "geometries": [POINT]}}),
    ("4.8", prop(1, observedAt="2026-01-31")), ("4.8", prop(1, observedAt="2026-01-31T23:59:59+01:00")),
    ("4.8", prop(1, observedAt="2026-02-30T23:59:59Z")), ("4.8", prop(1, observedAt=5)),
    ("4.5.2", prop(1, unitCode=5)), ("4.5.2", prop(1, datasetId="no uri")), ("4.5.2", prop(1, datasetId=5)),
    ("4.5.2", {"type": "NoProperty", "value": 1}), ("4.5.2", {"type": 5, "value": 1}),
    ("4.5.2", {"type": None, "value": 1}),
]


@pytest.mark.parametrize("attribute", [pytest.param(a, id=f"{c}-{i}", marks=pytest.mark.clause(c))
                                       for i, (c, a) in enumerate(PROHIBITED)])
def test_members_that_an_attribute_may_not_have(city, urn, attribute):
    body = refused(city.post("entities", {"id": urn(), "type": "Thing", "a": attribute}), "BadRequestData")
    assert body["pointer"].startswith("/a")
    assert city.get(f"entities/{urn()}").status_code == 404
    # at sub-attributes the same
    refused(city.post("entities", {"id": urn(), "type": "Thing", "x": prop(1, a=attribute)}), "BadRequestData")


SHAPES = [
    ({}, "an id"), ({"id": None}, "id null"), ({"id": 5}, "id number"), ({"id": ""}, "empty id"),
    ({"id": "no uri"}, "id no URI"), ({"id": ["urn:x:1"]}, "id array"), ({"type": None}, "type null"),
    ({"type": 5}, "type number"), ({"type": []}, "no types"), ({"type": ["T", 5]}, "types"),
    ({"type": ""}, "empty type"),
    ({"scope": 5}, "scope number"), ({"scope": "/a//b"}, "scope with an empty level"), ({"scope": "1a"}, "scope digit"),
    ({"scope": ["/a", 5]}, "scopes"), ({"expiresAt": "tomorrow"}, "expiresAt"), ({"expiresAt": 5}, "expiresAt number"),
    ({"a": None}, "null"), ({"a": prop(None)}, "null value"), ({"datasetId": "urn:x:y"}, "non-reified name"),
    ({"observedAt": AT}, "non-reified name"), ({"unitCode": prop(1)}, "non-reified name"),
    ({"lang": prop(1)}, "non-reified name"),
    ({"a": prop(1, **{"@context": []})}, "embedded context"),
    ({"a": [prop(1), prop(2)]}, "two default instances"),
    ({"a": [prop(1, datasetId=X), prop(2, datasetId=X)]}, "two instances of a dataset"),
]


@pytest.mark.parametrize("change, what", SHAPES, ids=[f"{w}-{i}" for i, (_, w) in enumerate(SHAPES)])
def test_shapes_that_are_no_entity(city, urn, change, what):
    entity = {"id": urn(), "type": "Thing", **change}
    if what == "an id":
        del entity["id"]
    refused(city.post("entities", entity), "BadRequestData")


@pytest.mark.clause("5.2.2", "4.8")
def test_system_members_of_input_are_ignored(city, urn):
    create(city, {"id": urn(), "type": "Thing", "createdAt": "2001-01-01T00:00:00Z", "modifiedAt": "x",
                  "a": prop(1, createdAt="2001-01-01T00:00:00Z", modifiedAt="2001-01-01T00:00:00Z")})
    entity = get(city, urn(), "?options=sysAttrs")
    for part in (entity, entity["a"]):
        assert part["createdAt"] > "2020" and part["modifiedAt"] > "2020"
    assert without_times(entity) == get(city, urn()) == {"id": urn(), "type": "Thing", "a": prop(1)}


def test_several_types(city, urn):
    create(city, {"id": urn(), "type": ["Spring", "Monument", "Spring"]})
    assert sorted(get(city, urn())["type"]) == ["Monument", "Spring"]


@pytest.mark.clause("4.18")
@pytest.mark.parametrize("scope", ["/Madrid", "Madrid", "/Madrid/Gardens/ParqueNorte", ["/a/b", "/c"], "/济南/趵突泉_1"])
def test_scopes(city, urn, scope):
    create(city, {"id": urn(), "type": "Thing", "scope": scope})
    assert get(city, urn())["scope"] == scope


@pytest.mark.clause("4.5.5")
def test_instances_of_an_attribute(city, urn):
    speed = [prop(48), prop(50, datasetId="urn:ngsi-ld:gps"), rel(X, datasetId="urn:ngsi-ld:other")]
    create(city, {"id": urn(), "type": "Vehicle", "speed": speed})

    def by_dataset(instances):
        return {i.get("datasetId", "@none"): i for i in instances}
    assert by_dataset(get(city, urn())["speed"]) == by_dataset(speed)
    simple = get(city, urn(), "?format=simplified")["speed"]
    assert simple == {"dataset": {"@none": 48, "urn:ngsi-ld:gps": 50, "urn:ngsi-ld:other": X}}
    assert get(city, urn(), "?datasetId=@none")["speed"] == speed[0]
    assert get(city, urn(), "?datasetId=urn:ngsi-ld:gps")["speed"] == speed[1]
    assert len(get(city, urn(), "?datasetId=urn:ngsi-ld:gps,@none")["speed"]) == 2
    assert "speed" not in get(city, urn(), "?datasetId=urn:ngsi-ld:none-such")
    refused(city.get(f"entities/{urn()}?datasetId=no%20uri"), "BadRequestData")


@pytest.mark.clause("4.5.16", "6.3.15")
class TestGeoJson:
    @pytest.fixture
    def place(self, city, urn):
        entity = {"id": urn(), "type": "Place", "name": prop("x"), "location": {"type": "GeoProperty", "value": POINT},
                  "area": {"type": "GeoProperty", "value": POLYGON}, "shape": [
                      {"type": "GeoProperty", "value": POINT, "datasetId": X},
                      {"type": "GeoProperty", "value": POLYGON, "datasetId": Y}]}
        create(city, entity)
        return entity

    @pytest.mark.parametrize("query, geometry", [
        ("", POINT), ("?geometryProperty=area", POLYGON), ("?geometryProperty=name", None),
        ("?geometryProperty=none", None), ("?geometryProperty=shape", None),
        (f"?geometryProperty=shape&datasetId={Y}", POLYGON), (f"?geometryProperty=shape&datasetId={X}", POINT)])
    def test_geometry(self, city, place, query, geometry):
        feature = get(city, place["id"], query, headers=ACCEPT_GEO)
        assert feature["geometry"] == geometry
        assert feature["@context"] == CORE

    def test_feature(self, city, place):
        answer = ok(city.get(f"entities/{place['id']}", headers=ACCEPT_GEO))
        assert answer.headers["Content-Type"] == "application/geo+json"
        assert "Link" not in answer.headers
        feature = answer.json()
        assert set(feature) == {"id", "type", "geometry", "properties", "@context"}
        want = {k: v for k, v in place.items() if k != "id"}
        assert feature["properties"] == want

    def test_context_in_the_link_when_preferred(self, city, place):
        answer = ok(city.get(f"entities/{place['id']}", headers={**ACCEPT_GEO, "Prefer": "body=json"}))
        assert "@context" not in answer.json()
        assert f"<{CORE}>" in answer.headers["Link"]

    def test_collection(self, city, place):
        answer = ok(city.get(f"entities?type=Place&id={place['id']}", headers=ACCEPT_GEO))
        collection = answer.json()
        assert collection["type"] == "FeatureCollection" and collection["@context"] == CORE
        assert [f["id"] for f in collection["features"]] == [place["id"]]
        assert "@context" not in collection["features"][0]
        none = ok(city.get("entities?type=NoSuchType", headers=ACCEPT_GEO)).json()
        assert none["type"] == "FeatureCollection" and none["features"] == []

    def test_posted_queries_take_the_geometry_property_too(self, city, place):
        query = {"type": "Query", "entities": [{"type": "Place", "id": place["id"]}]}
        answer = ok(city.post("entityOperations/query?geometryProperty=area", query, headers=ACCEPT_GEO))
        assert [f["geometry"] for f in answer.json()["features"]] == [POLYGON]
        refused(city.post("entityOperations/query?geometryProperty=area", query), "BadRequestData")

    def test_geometry_property_is_for_geojson(self, city, place):
        refused(city.get(f"entities/{place['id']}?geometryProperty=area"), "BadRequestData")
        refused(city.get("entities?type=Place&geometryProperty=area"), "BadRequestData")


@pytest.mark.clause("4.15")
@pytest.mark.parametrize("lang, text, tag", [
    ("en", "grand", "en"), ("fr", "grand (fr)", "fr"), ("fr-CH", "grand (fr)", "fr"), ("*", None, None),
    ("it", None, None), ("it,fr;q=0.5", "grand (fr)", "fr"), ("fr;q=0.1,en;q=0.9", "grand", "en"),
    ("it;q=1,*;q=0.5", None, None), ("zh", "大", "zh"), ("EN", "grand", "en")])
def test_language_filter(city, urn, lang, text, tag):
    create(city, {"id": urn(), "type": "Thing",
                  "a": {"type": "LanguageProperty", "languageMap": {"en": "grand", "fr": "grand (fr)", "zh": "大"}}})
    attribute = ok(city.get(f"entities/{urn()}", params={"lang": lang})).json()["a"]
    assert attribute["type"] == "Property"
    if text is None:  # any language will do
        assert attribute["value"] in ("grand", "grand (fr)", "大") and attribute["lang"] in ("en", "fr", "zh")
    else:
        assert (attribute["value"], attribute["lang"]) == (text, tag)
    simple = ok(city.get(f"entities/{urn()}", params={"lang": lang, "format": "simplified"})).json()["a"]
    assert simple == attribute["value"]


@pytest.mark.clause("4.6.3")
@pytest.mark.parametrize("text, shown", [
    ("2026-01-31T23:59:59Z", "2026-01-31T23:59:59Z"), ("2026-01-31T23:59:59.000Z", "2026-01-31T23:59:59Z"),
    ("2026-01-31T23:59:59.5Z", "2026-01-31T23:59:59.500Z"),
    ("2026-01-31T23:59:59,25Z", "2026-01-31T23:59:59.250Z"),
    ("2026-01-31T23:59:59.123456Z", "2026-01-31T23:59:59.123456Z")])
def test_times(city, urn, text, shown):
    """Those that the broker knows are instants; in values they are text (docs/decisions/0011)."""
    typed = {"@type": "DateTime", "@value": text}
    create(city, {"id": urn(), "type": "Thing", "a": prop(1, observedAt=text), "b": prop(text), "c": prop(typed)})
    entity = get(city, urn())
    assert entity["a"]["observedAt"] == shown and entity["b"]["value"] == text and entity["c"]["value"] == typed


@pytest.mark.clause("4.6.3")
@pytest.mark.parametrize("text", ["2026-01-31T23:59:59", "2026-01-31T23:59Z", "20260131T235959Z",
                                  "2026-01-31 23:59:59Z",
                                  "2026-13-01T00:00:00Z", "2026-01-31T24:01:00Z", "2026-01-31T23:59:59.1234567Z",
                                  "2026-01-31T23:59:59.Z", "2026-01-31T23:59:59+00:00", ""])
def test_times_that_are_none(city, urn, text):
    refused(city.post("entities", {"id": urn(), "type": "T", "a": prop(1, observedAt=text)}), "BadRequestData")


@pytest.mark.clause("4.6.2")
@pytest.mark.parametrize("name", ["a", "A1_", "naïve", "温度", "ns:name", "x٣", "https://example.org/a"])
def test_names(city, urn, name):
    create(city, {"id": urn(), "type": "Thing", name: prop(1)})
    assert get(city, urn())[name] == prop(1)


@pytest.mark.clause("4.6.2")
@pytest.mark.parametrize("name", ["1a", "_a", "a b", "a-b", "a.b", "", "a<b", "a\"b", "a=b", "a(b)", "€", "@value",
                                  "@id2"])
def test_names_that_are_none(city, urn, name):
    refused(city.post("entities", {"id": urn(), "type": "Thing", name: prop(1)}), "BadRequestData")


@pytest.mark.clause("4.6.4")
@pytest.mark.parametrize("value", ["<script>alert('x')</script>", "a=\"b\";c(d)", "\u0000\u001f\\/\"", "😀𝄞",
                                   {"<k>": "=;()'\""}])
def test_content_is_preserved(city, urn, value):
    create(city, {"id": urn(), "type": "Thing", "a": prop(value)})
    assert get(city, urn())["a"]["value"] == value


@pytest.mark.clause("4.6.1")
def test_text_is_utf8(city, urn):
    bad = b'{"id":"' + urn().encode() + b'","type":"Thing","a":{"type":"Property","value":"\xc3\x28"}}'
    refused(send(city, "POST", "entities", bad), "InvalidRequest")


@pytest.mark.clause("5.2.2", "6.3.11")
def test_system_attributes_everywhere(city, urn):
    create(city, {"id": urn(), "type": "Thing", "a": prop(1, b=prop(2)), "l": {"type": "JsonProperty", "json": {}}})
    plain = get(city, urn())
    for form in ("normalized", "concise"):
        entity = get(city, urn(), f"?options=sysAttrs&format={form}")
        for part in (entity, entity["a"], entity["a"]["b"], entity["l"]):
            assert part["createdAt"].endswith("Z") and part["modifiedAt"] >= part["createdAt"]
    assert without_times(get(city, urn(), "?options=sysAttrs")) == plain
    simple = get(city, urn(), "?options=sysAttrs,keyValues")
    assert simple["createdAt"] and simple["a"] == 1


@pytest.mark.clause("5.5.7")
def test_ld_json_answers_carry_the_context(city, urn):
    create(city, {"id": urn(), "type": "Thing", "a": prop(1)})
    answer = ok(city.get(f"entities/{urn()}", headers=ACCEPT_LD))
    assert answer.headers["Content-Type"] == "application/ld+json"
    assert answer.json() == {"@context": CORE, "id": urn(), "type": "Thing", "a": prop(1)}
    assert "Link" not in answer.headers
    listed = ok(city.get(f"entities?type=Thing&id={urn()}", headers=ACCEPT_LD)).json()
    assert listed[0]["@context"] == CORE
    assert get(city, urn(), "?type=" + DEFAULT + "Thing")["type"] == "Thing"


@pytest.mark.clause("4.7")
@pytest.mark.parametrize("kind, coordinates", [
    ("Point", [0, 0]), ("Point", [-180, -90]), ("Point", [180, 90, 8848.5]), ("MultiPoint", [[0, 0], [1, 1]]),
    ("LineString", [[0, 0], [1, 1]]), ("MultiLineString", [[[0, 0], [1, 1]], [[2, 2], [3, 3]]]),
    ("Polygon", [[[0, 0], [4, 0], [4, 4], [0, 0]], [[1, 0.5], [2, 0.5], [2, 1], [1, 0.5]]]),
    ("MultiPolygon", [[[[0, 0], [1, 0], [1, 1], [0, 0]]], [[[5, 5], [6, 5], [6, 6], [5, 5]]]])])
def test_geometries(city, urn, kind, coordinates):
    create(city, {"id": urn(), "type": "Thing", "location": geo(kind, coordinates)})
    assert get(city, urn())["location"] == geo(kind, coordinates)
