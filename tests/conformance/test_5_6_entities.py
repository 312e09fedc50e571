"""Clauses 5.6.1, 5.6.6, 5.6.17, 5.6.18: creating, deleting, merging and replacing an entity."""
from urllib.parse import quote

import pytest

from ngsi import DEFAULT, JSON, LD, MERGE, NULL, create, get, geo, no_content, ok, prop, refused, rel, without_times

pytestmark = pytest.mark.clause("5.6.1")

X = "urn:ngsi-ld:X:1"
AT = "2026-01-31T23:59:59Z"


# ---- 5.6.1 ----

@pytest.mark.clause("5.6.1", "6.4.3.1")
def test_create(city, urn):
    made = create(city, {"id": urn(), "type": "Thing", "a": prop(1)})
    assert made.headers["Location"] == f"/ngsi-ld/v1/entities/{urn()}"
    assert made.content == b"" and "Link" not in made.headers
    refused(city.post("entities", {"id": urn(), "type": "Other"}), "AlreadyExists")
    assert get(city, urn())["type"] == "Thing"


def test_create_with_nothing_but_a_type(city, urn):
    create(city, {"id": urn(), "type": "Thing"})
    assert get(city, urn()) == {"id": urn(), "type": "Thing"}


@pytest.mark.parametrize("entity_id", ["urn:ngsi-ld:A:b", "http://example.org/a?b=c#d", "urn:x:a/b", "urn:x:%20",
                                       "urn:ngsi-ld:泉:1",
                                       "urn:x:a;b,c", "urn:x:a&b=c", "urn:x:a+b"])
def test_ids_in_paths(city, entity_id):
    path = "entities/" + quote(entity_id, safe="")
    create(city, {"id": entity_id, "type": "Thing"})
    assert ok(city.get(path)).json()["id"] == entity_id
    no_content(city.delete(path))


# ---- 5.6.6 ----

@pytest.mark.clause("5.6.6", "6.5.3.2")
def test_delete(city, urn):
    create(city, {"id": urn(), "type": "Thing"})
    no_content(city.delete(f"entities/{urn()}"))
    refused(city.delete(f"entities/{urn()}"), "ResourceNotFound")
    refused(city.get(f"entities/{urn()}"), "ResourceNotFound")
    create(city, {"id": urn(), "type": "Other"})  # the id is free again
    assert get(city, urn())["type"] == "Other"


@pytest.mark.clause("5.6.6")
def test_delete_of_a_type(city, urn):
    create(city, {"id": urn(), "type": "Thing"})
    refused(city.delete(f"entities/{urn()}?type=Other"), "ResourceNotFound")
    assert city.get(f"entities/{urn()}").status_code == 200
    no_content(city.delete(f"entities/{urn()}?type=Other|Thing"))


# ---- 5.6.18 ----

@pytest.mark.clause("5.6.18", "6.5.3.3")
class TestReplace:
    def test_replaces_all_but_created_at(self, city, urn):
        create(city, {"id": urn(), "type": "Thing", "scope": "/a", "a": prop(1), "b": prop(2)})
        before = get(city, urn(), "?options=sysAttrs")
        no_content(city.put(f"entities/{urn()}", {"id": urn(), "type": "Other", "b": prop(3)}))
        after = get(city, urn(), "?options=sysAttrs")
        assert without_times(after) == {"id": urn(), "type": "Other", "b": prop(3)}
        assert after["createdAt"] == before["createdAt"] and after["modifiedAt"] > before["modifiedAt"]

    def test_the_id_may_be_left_out(self, city, urn):
        create(city, {"id": urn(), "type": "Thing"})
        no_content(city.put(f"entities/{urn()}", {"type": "Other"}))
        assert get(city, urn()) == {"id": urn(), "type": "Other"}

    @pytest.mark.parametrize("body", [{"id": X, "type": "Thing"}, {"type": "Thing", "a": NULL},
                                      {"type": "Thing", "a": prop(NULL)},
                                      {"type": "Thing", "a": rel(NULL)}, {"a": prop(1)},
                                      {"type": "Thing", "a": prop(None)}])
    def test_refusals(self, city, urn, body):
        create(city, {"id": urn(), "type": "Thing", "a": prop(1)})
        refused(city.put(f"entities/{urn()}", body), "BadRequestData")
        assert get(city, urn()) == {"id": urn(), "type": "Thing", "a": prop(1)}

    def test_unknown(self, city, urn):
        refused(city.put(f"entities/{urn()}", {"type": "Thing"}), "ResourceNotFound")
        create(city, {"id": urn(), "type": "Thing"})
        refused(city.put(f"entities/{urn()}?type=Other", {"type": "Thing"}), "ResourceNotFound")
        refused(city.put("entities/no-uri", {"type": "Thing"}), "BadRequestData")


# ---- 5.6.17, 5.5.12 ----

BEFORE = {"a": prop({"x": 1, "y": {"z": 2, "w": 3}, "l": [1, 2]}, unitCode="CEL", observedAt=AT,
                    acc=prop(1, unitCode="P1")),
          "r": rel(X), "l": {"type": "LanguageProperty", "languageMap": {"en": "yes", "fr": "oui"}},
          "j": {"type": "JsonProperty", "json": {"k": 1, "m": 2}}, "v": {"type": "VocabProperty", "vocab": "Old"},
          "p": {"type": "ListProperty", "valueList": [1, 2]}, "g": geo("Point", [1, 2]),
          "d": [prop(1), prop(2, datasetId=X)]}

# fragment, what changes of BEFORE (None: gone)
MERGED = {
    "new attribute": ({"n": prop(1)}, {"n": prop(1)}),
    "members of an object": ({"a": {"value": {"x": 9, "y": {"z": NULL}, "n": 1}}},
                             {"a": {**BEFORE["a"], "value": {"x": 9, "y": {"w": 3}, "l": [1, 2], "n": 1}}}),
    "an array is one value": ({"a": {"value": {"l": [3]}}}, {"a": {**BEFORE["a"],
        "value": {**BEFORE["a"]["value"], "l": [3]}}}),
    "an object by a number": ({"a": prop(5)}, {"a": {**BEFORE["a"], "value": 5}}),
    "a unit": ({"a": {"unitCode": "FAH"}}, {"a": {**BEFORE["a"], "unitCode": "FAH"}}),
    "a unit away": ({"a": {"type": "Property", "value": 5, "unitCode": NULL}},
                    {"a": {k: v for k, v in {**BEFORE["a"], "value": 5}.items() if k != "unitCode"}}),
    "a time": ({"a": {"observedAt": "2026-02-01T00:00:00Z"}}, {"a": {**BEFORE["a"],
        "observedAt": "2026-02-01T00:00:00Z"}}),
    "a sub-attribute": ({"a": {"acc": {"value": 7}}}, {"a": {**BEFORE["a"], "acc": prop(7, unitCode="P1")}}),
    "a sub-attribute away": ({"a": {"type": "Property", "acc": NULL}},
                             {"a": {k: v for k, v in BEFORE["a"].items() if k != "acc"}}),
    "a new sub-attribute": ({"r": {"since": prop(1)}}, {"r": rel(X, since=prop(1))}),
    "an object's target": ({"r": rel("urn:x:2")}, {"r": rel("urn:x:2")}),
    "attribute away by a bare Null": ({"a": NULL}, {"a": None}),
    "attribute away by its value": ({"a": prop(NULL)}, {"a": None}),
    "relationship away": ({"r": rel(NULL)}, {"r": None}),
    "languages": ({"l": {"type": "LanguageProperty", "languageMap": {"fr": "si", "de": "ja"}}},
                  {"l": {"type": "LanguageProperty", "languageMap": {"en": "yes", "fr": "si", "de": "ja"}}}),
    "languages away": ({"l": {"type": "LanguageProperty", "languageMap": {"@none": NULL}}}, {"l": None}),
    "json": ({"j": {"type": "JsonProperty", "json": {"m": 3}}}, {"j": {"type": "JsonProperty",
        "json": {"k": 1, "m": 3}}}),
    "json away": ({"j": {"type": "JsonProperty", "json": NULL}}, {"j": None}),
    "vocab": ({"v": {"type": "VocabProperty", "vocab": "New"}}, {"v": {"type": "VocabProperty", "vocab": "New"}}),
    "vocab away": ({"v": {"type": "VocabProperty", "vocab": NULL}}, {"v": None}),
    "list": ({"p": {"type": "ListProperty", "valueList": [3]}}, {"p": {"type": "ListProperty", "valueList": [3]}}),
    "list away": ({"p": {"type": "ListProperty", "valueList": [NULL]}}, {"p": None}),
    "geometry": ({"g": geo("Point", [3, 4])}, {"g": geo("Point", [3, 4])}),
    "default instance": ({"d": prop(9)}, {"d": [prop(9), prop(2, datasetId=X)]}),
    "instance": ({"d": prop(9, datasetId=X)}, {"d": [prop(1), prop(9, datasetId=X)]}),
    "new instance": ({"d": prop(9, datasetId="urn:x:2")}, {"d": [prop(1), prop(2, datasetId=X),
        prop(9, datasetId="urn:x:2")]}),
    "instance away": ({"d": prop(NULL, datasetId=X)}, {"d": prop(1)}),
    "a type": ({"type": "Other"}, {"type": ["Thing", "Other"]}),
    "the same type": ({"type": "Thing"}, {}),
    "a scope": ({"scope": "/new"}, {"scope": "/new"}),
    "Null of nothing": ({"none": NULL}, {}),
}


def in_order(entity):
    """Types and instances have no order."""
    entity = dict(entity)
    for name, value in entity.items():
        if isinstance(value, list):
            entity[name] = sorted(value, key=lambda v: str(v.get("datasetId", "")) if isinstance(v, dict) else str(v))
    return entity


@pytest.mark.clause("5.6.17", "5.5.12", "6.5.3.4")
class TestMerge:
    @pytest.mark.parametrize("fragment, change", MERGED.values(), ids=MERGED)
    @pytest.mark.parametrize("headers", [JSON, MERGE], ids=["json", "merge-patch"])
    def test_merge(self, city, urn, fragment, change, headers):
        before = {"id": urn(), "type": "Thing", **BEFORE}
        create(city, before)
        no_content(city.patch(f"entities/{urn()}", fragment, headers=headers))
        want = {k: v for k, v in {**before, **change}.items() if v is not None}
        assert in_order(get(city, urn())) == in_order(want)

    def test_created_at_stays(self, city, urn):
        create(city, {"id": urn(), "type": "Thing", "a": prop(1), "b": prop(1)})
        before = get(city, urn(), "?options=sysAttrs")
        no_content(city.patch(f"entities/{urn()}", {"a": prop(2)}))
        after = get(city, urn(), "?options=sysAttrs")
        assert after["createdAt"] == before["createdAt"] and after["a"]["createdAt"] == before["a"]["createdAt"]
        assert after["modifiedAt"] > before["modifiedAt"] and after["a"]["modifiedAt"] > before["a"]["modifiedAt"]
        assert after["b"] == before["b"]

    @pytest.mark.parametrize("query", ["options=keyValues", "format=simplified", "options=simplified",
                                       "format=keyValues"])
    def test_simplified_fragments_keep_kinds(self, city, urn, query):
        create(city, {"id": urn(), "type": "Thing", "a": prop(1, unitCode="CEL"), "r": rel(X), "v": BEFORE["v"],
                      "l": BEFORE["l"]})
        no_content(city.patch(f"entities/{urn()}?{query}", {"a": 2, "r": "urn:x:2", "v": {"vocab": "New"},
                                                            "n": "text"}))
        assert get(city, urn()) == {"id": urn(), "type": "Thing", "a": prop(2, unitCode="CEL"), "r": rel("urn:x:2"),
                                    "v": {"type": "VocabProperty", "vocab": "New"}, "l": BEFORE["l"], "n": prop("text")}

    def test_common_language(self, city, urn):
        create(city, {"id": urn(), "type": "Thing", "l": BEFORE["l"]})
        no_content(city.patch(f"entities/{urn()}?lang=fr&options=keyValues", {"l": "bien"}))
        assert get(city, urn())["l"]["languageMap"] == {"en": "yes", "fr": "bien"}

    def test_common_time(self, city, urn):
        create(city, {"id": urn(), "type": "Thing", "a": prop(1, observedAt=AT), "b": prop(1),
                      "c": prop(1, observedAt=AT)})
        no_content(city.patch(f"entities/{urn()}?observedAt=2027-01-01T00:00:00Z",
                              {"a": prop(2), "b": prop(2), "c": prop(2, observedAt="2028-01-01T00:00:00Z"),
                               "n": prop(2)}))
        got = get(city, urn())
        assert got["a"] == prop(2, observedAt="2027-01-01T00:00:00Z")
        assert got["b"] == prop(2) and got["n"] == prop(2)
        assert got["c"] == prop(2, observedAt="2028-01-01T00:00:00Z")

    @pytest.mark.parametrize("query, body", [
        ("", {"id": X, "a": prop(1)}), ("", {"a": prop(None)}), ("", {"a": rel("no uri")}),
        ("", {"a": {"type": "None", "value": 1}}),
        ("?observedAt=yesterday", {"a": prop(1)}), ("?lang=not%20one", {"a": prop(1)}), ("", {"type": NULL}),
        ("", {"id": NULL}),
        ("", {"d": {"datasetId": NULL, "type": "Property", "value": 1}}), ("", {"a": prop(1, observedAt="x")}),
        ("", {"1a": prop(1)})])
    def test_refusals(self, city, urn, query, body):
        create(city, {"id": urn(), "type": "Thing", "a": prop(1)})
        refused(city.patch(f"entities/{urn()}{query}", body), "BadRequestData")
        assert get(city, urn())["a"] == prop(1)

    def test_unknown(self, city, urn):
        refused(city.patch(f"entities/{urn()}", {"a": prop(1)}), "ResourceNotFound")
        create(city, {"id": urn(), "type": "Thing"})
        refused(city.patch(f"entities/{urn()}?type=Other", {"a": prop(1)}), "ResourceNotFound")
        no_content(city.patch(f"entities/{urn()}?type=Thing", {"a": prop(1)}))
        refused(city.patch("entities/no-uri", {"a": prop(1)}), "BadRequestData")
        refused(city.request("PATCH", "entities/", json={"a": prop(1)}), "BadRequestData")


# ---- 5.5.4 ----

OPERATIONS = {
    "create": ("POST", "entities", lambda i, a: {"id": i, "type": "Thing", "a": a}),
    "replace": ("PUT", "entities/{}", lambda i, a: {"id": i, "type": "Thing", "a": a}),
    "merge": ("PATCH", "entities/{}", lambda i, a: {"a": a}),
    "append": ("POST", "entities/{}/attrs", lambda i, a: {"a": a}),
    "update": ("PATCH", "entities/{}/attrs", lambda i, a: {"a": a}),
    "partial": ("PATCH", "entities/{}/attrs/a", lambda i, a: a),
    "replace attribute": ("PUT", "entities/{}/attrs/a", lambda i, a: a),
}
NULLS_ALLOWED = {"merge", "update", "partial"}


def run(city, operation, entity_id, attribute, headers=None):
    method, path, body = OPERATIONS[operation]
    if operation != "create":
        create(city, {"id": entity_id, "type": "Thing", "a": prop({"k": 1}), "b": prop(1)})
    return city.request(method, path.format(entity_id), json=body(entity_id, attribute), headers=headers)


@pytest.mark.clause("5.5.4")
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("body", ["", "{", "[", "nul", "{\"a\":1,}", "{'a':1}", "{\"a\":1}x", "{\"a\":01}",
                                  "{\"a\":NaN}", "\ufeff{}"])
def test_what_is_no_json(city, urn, operation, body):
    method, path, _ = OPERATIONS[operation]
    answer = city.request(method, path.format(urn()), data=body.encode(), headers=JSON)
    refused(answer, "InvalidRequest")


@pytest.mark.clause("5.5.4", "4.5.0")
@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o not in NULLS_ALLOWED])
@pytest.mark.parametrize("attribute", [prop(NULL), rel(NULL), {"type": "LanguageProperty",
    "languageMap": {"@none": NULL}},
                                       {"type": "ListProperty", "valueList": [NULL]}, prop({"k": NULL}), NULL],
                         ids=["value", "object", "languageMap", "valueList", "inside a value", "bare"])
def test_null_where_nothing_can_be_deleted(city, urn, operation, attribute):
    refused(run(city, operation, urn(), attribute), "BadRequestData")


@pytest.mark.clause("5.5.4")
@pytest.mark.parametrize("operation", ["update", "partial"])
def test_null_inside_a_value_is_for_merges_alone(city, urn, operation):
    refused(run(city, operation, urn(), prop({"k": NULL})), "BadRequestData")
    assert get(city, urn())["a"] == prop({"k": 1})


@pytest.mark.clause("5.5.4", "6.3.5")
@pytest.mark.parametrize("operation", OPERATIONS)
def test_context_only_where_it_belongs(city, urn, operation):
    method, path, body = OPERATIONS[operation]
    path = path.format(urn())
    if operation != "create":
        create(city, {"id": urn(), "type": "Thing", "a": prop(1)})
    given = body(urn(), prop(2))
    refused(city.request(method, path, json={**given, "@context": []}), "BadRequestData")
    refused(city.request(method, path, json=given, headers=LD), "BadRequestData")
    linked = {**LD, "Link": f'<{DEFAULT}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'}
    refused(city.request(method, path, json={**given, "@context": []}, headers=linked), "BadRequestData")
    answer = city.request(method, path, json={**given, "@context": []}, headers=LD)
    assert answer.status_code in (201, 204), answer.text
