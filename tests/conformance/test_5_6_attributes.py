"""Clauses 5.6.2 to 5.6.5 and 5.6.19: attributes of an entity that exists; 5.5.8, partial update."""
from urllib.parse import quote

import pytest

from ngsi import DEFAULT, NULL, create, get, no_content, ok, prop, refused, rel

pytestmark = pytest.mark.clause("5.6.2")

X, Y = "urn:ngsi-ld:X:1", "urn:ngsi-ld:Y:1"
AT = "2022-03-14T01:59:26.535Z"


@pytest.fixture
def thing(city, urn):
    create(city, {"id": urn(), "type": "Thing", "t": prop(25, unitCode="CEL", observedAt=AT, acc=prop(1)), "r": rel(X),
                  "d": [prop(1), prop(2, datasetId=X)], "scope": "/a"})
    return f"entities/{urn()}"


def show(city, thing, query=""):
    return ok(city.get(thing + query)).json()


def instances(attribute):
    return {i.get("datasetId", "@none"): i for i in (attribute if isinstance(attribute, list) else [attribute])}


# ---- 5.6.2 ----

@pytest.mark.clause("5.6.2", "5.5.8", "6.6.3.2")
class TestUpdate:
    def test_replaces_attributes_whole(self, city, thing):
        before = show(city, thing, "?options=sysAttrs")
        no_content(city.patch(thing + "/attrs", {"t": prop(100, observedAt="2022-03-14T13:00:00Z")}))
        after = show(city, thing)
        assert after["t"] == prop(100, observedAt="2022-03-14T13:00:00Z")  # example 2 of clause 5.5.8
        assert after["r"] == rel(X)
        times = show(city, thing, "?options=sysAttrs")
        assert times["t"]["createdAt"] == before["t"]["createdAt"] < times["t"]["modifiedAt"]
        assert times["r"] == before["r"]

    def test_adds_what_is_missing(self, city, thing):
        no_content(city.patch(thing + "/attrs", {"n": prop(1)}))
        assert show(city, thing)["n"] == prop(1)

    @pytest.mark.parametrize("name, null", [("t", prop(NULL)), ("t", NULL), ("r", rel(NULL)), ("r", NULL)])
    def test_deletes_by_null(self, city, thing, name, null):
        no_content(city.patch(thing + "/attrs", {name: null}))
        assert name not in show(city, thing)

    def test_instances(self, city, thing):
        no_content(city.patch(thing + "/attrs", {"d": prop(9, datasetId=X)}))
        assert instances(show(city, thing)["d"]) == {"@none": prop(1), X: prop(9, datasetId=X)}
        no_content(city.patch(thing + "/attrs", {"d": [prop(8), prop(7, datasetId=Y)]}))
        assert instances(show(city, thing)["d"]) == {"@none": prop(8), X: prop(9, datasetId=X), Y: prop(7, datasetId=Y)}
        no_content(city.patch(thing + "/attrs", {"d": prop(NULL, datasetId=X)}))
        assert instances(show(city, thing)["d"]) == {"@none": prop(8), Y: prop(7, datasetId=Y)}

    def test_types_are_added(self, city, thing):
        no_content(city.patch(thing + "/attrs", {"type": ["Thing", "Other"], "t": prop(1)}))
        assert sorted(show(city, thing)["type"]) == ["Other", "Thing"]

    def test_scope_is_replaced_only_where_there_is_one(self, city, thing, urn):
        no_content(city.patch(thing + "/attrs", {"scope": ["/b", "/c"], "t": prop(1)}))
        assert show(city, thing)["scope"] == ["/b", "/c"]
        create(city, {"id": urn("Thing", "bare"), "type": "Thing", "t": prop(1)})
        city.patch(f"entities/{urn('Thing', 'bare')}/attrs", {"scope": "/b", "t": prop(2)})
        assert get(city, urn("Thing", "bare")) == {"id": urn("Thing", "bare"), "type": "Thing", "t": prop(2)}


# ---- 5.6.3 ----

@pytest.mark.clause("5.6.3", "6.6.3.1")
class TestAppend:
    def test_appends_and_overwrites(self, city, thing):
        no_content(city.post(thing + "/attrs", {"n": prop(1), "t": prop(2)}))
        got = show(city, thing)
        assert got["n"] == prop(1) and got["t"] == prop(2)

    def test_no_overwrite(self, city, thing):
        answer = ok(city.post(thing + "/attrs?options=noOverwrite", {"n": prop(1), "t": prop(2)}), 207)
        assert answer.headers["Content-Type"] == "application/json"
        result = answer.json()
        assert result["updated"] == [DEFAULT + "n"]
        assert [n["attributeName"]
                for n in result["notUpdated"]] == [DEFAULT + "t"] and result["notUpdated"][0]["reason"]
        got = show(city, thing)
        assert got["n"] == prop(1) and got["t"]["value"] == 25
        no_content(city.post(thing + "/attrs?options=noOverwrite", {"m": prop(1)}))

    def test_instances(self, city, thing):
        no_content(city.post(thing + "/attrs", {"d": [prop(5, datasetId=Y), prop(6, datasetId=X)]}))
        assert instances(show(city, thing)["d"]) == {"@none": prop(1), X: prop(6, datasetId=X), Y: prop(5, datasetId=Y)}

    def test_no_overwrite_of_instances(self, city, thing):
        ok(city.post(thing + "/attrs?options=noOverwrite", {"d": [prop(5, datasetId=Y), prop(6, datasetId=X)]}), 207)
        assert instances(show(city, thing)["d"]) == {"@none": prop(1), X: prop(2, datasetId=X), Y: prop(5, datasetId=Y)}

    def test_types_and_scopes(self, city, thing):
        no_content(city.post(thing + "/attrs?options=noOverwrite", {"type": "Other", "scope": ["/a", "/b"],
            "n": prop(1)}))
        got = show(city, thing)
        assert sorted(got["type"]) == ["Other", "Thing"] and sorted(got["scope"]) == ["/a", "/b"]
        no_content(city.post(thing + "/attrs", {"scope": "/c", "n": prop(1)}))
        assert show(city, thing)["scope"] == "/c"


# ---- 5.6.4 ----

@pytest.mark.clause("5.6.4", "5.5.8", "6.7.3.1")
class TestPartialUpdate:
    def test_overwrites_members_only(self, city, thing):
        no_content(city.patch(thing + "/attrs/t", {"type": "Property", "value": 100,
                                                   "observedAt": "2022-03-14T13:00:00Z"}))
        assert show(city, thing)["t"] == prop(100, unitCode="CEL", observedAt="2022-03-14T13:00:00Z", acc=prop(1))

    @pytest.mark.parametrize("fragment, want", [
        ({"value": 5}, {"value": 5}), ({"unitCode": "FAH"}, {"unitCode": "FAH"}),
        ({"unitCode": NULL}, {"unitCode": None}),
        ({"observedAt": NULL}, {"observedAt": None}), ({"acc": NULL}, {"acc": None}),
        ({"acc": prop(2)}, {"acc": prop(2)}),
        ({"n": prop(2)}, {"n": prop(2)}), ({"n": 2}, {"n": prop(2)}), ({"by": {"object": X}}, {"by": rel(X)}),
        ({"value": {"a": {"b": 1}}}, {"value": {"a": {"b": 1}}})])
    def test_members(self, city, thing, fragment, want):
        before = show(city, thing)["t"]
        no_content(city.patch(thing + "/attrs/t", fragment))
        assert show(city, thing)["t"] == {k: v for k, v in {**before, **want}.items() if v is not None}

    def test_value_is_replaced_not_merged(self, city, thing):
        no_content(city.patch(thing + "/attrs/t", {"value": {"a": 1, "b": 2}}))
        no_content(city.patch(thing + "/attrs/t", {"value": {"b": 3}}))
        assert show(city, thing)["t"]["value"] == {"b": 3}

    def test_instance(self, city, thing):
        no_content(city.patch(thing + "/attrs/d", {"value": 9, "datasetId": X}))
        assert instances(show(city, thing)["d"]) == {"@none": prop(1), X: prop(9, datasetId=X)}
        refused(city.patch(thing + "/attrs/d", {"value": 9, "datasetId": Y}), "ResourceNotFound")
        no_content(city.patch(thing + "/attrs/d", {"value": 8}))
        assert instances(show(city, thing)["d"])["@none"] == prop(8)

    @pytest.mark.parametrize("fragment", [rel(X), {"type": "GeoProperty",
                                                   "value": {"type": "Point", "coordinates": [0, 0]}},
                                          {"object": X}, {"languageMap": {"en": "x"}}])
    def test_the_type_stays(self, city, thing, fragment):
        refused(city.patch(thing + "/attrs/t", fragment), "BadRequestData")
        assert show(city, thing)["t"]["value"] == 25


# ---- 5.6.19 ----

@pytest.mark.clause("5.6.19", "6.7.3.3")
class TestReplaceAttribute:
    def test_replaces_whole(self, city, thing):
        before = show(city, thing, "?options=sysAttrs")["t"]
        no_content(city.put(thing + "/attrs/t", prop(1)))
        after = show(city, thing, "?options=sysAttrs")["t"]
        assert show(city, thing)["t"] == prop(1)
        assert after["createdAt"] == before["createdAt"] < after["modifiedAt"]

    def test_instance(self, city, thing):
        no_content(city.put(thing + "/attrs/d", prop(9, datasetId=X)))
        assert instances(show(city, thing)["d"]) == {"@none": prop(1), X: prop(9, datasetId=X)}
        refused(city.put(thing + "/attrs/d", prop(9, datasetId=Y)), "ResourceNotFound")


# ---- 5.6.5 ----

@pytest.mark.clause("5.6.5", "6.7.3.2")
class TestDeleteAttribute:
    def test_default_instance(self, city, thing):
        no_content(city.delete(thing + "/attrs/d"))
        assert show(city, thing)["d"] == prop(2, datasetId=X)
        refused(city.delete(thing + "/attrs/d"), "ResourceNotFound")

    def test_instance(self, city, thing):
        no_content(city.delete(f"{thing}/attrs/d?datasetId={X}"))
        assert show(city, thing)["d"] == prop(1)
        refused(city.delete(f"{thing}/attrs/d?datasetId={X}"), "ResourceNotFound")

    def test_all(self, city, thing):
        no_content(city.delete(thing + "/attrs/d?deleteAll=true"))
        assert "d" not in show(city, thing)

    def test_scope(self, city, thing):
        no_content(city.delete(thing + "/attrs/scope"))
        assert "scope" not in show(city, thing)
        refused(city.delete(thing + "/attrs/scope"), "ResourceNotFound")

    @pytest.mark.parametrize("query", ["datasetId=no%20uri", "deleteAll=perhaps"])
    def test_refusals(self, city, thing, query):
        refused(city.delete(f"{thing}/attrs/t?{query}"), "BadRequestData")

    def test_by_its_full_name(self, city, thing):
        no_content(city.delete(f"{thing}/attrs/{quote(DEFAULT + 't', safe='')}"))
        assert "t" not in show(city, thing)


# ---- what they all refuse ----

OPERATIONS = {"5.6.2": ("PATCH", "/attrs", {"t": prop(1)}), "5.6.3": ("POST", "/attrs", {"t": prop(1)}),
              "5.6.4": ("PATCH", "/attrs/t", prop(1)), "5.6.19": ("PUT", "/attrs/t", prop(1)),
              "5.6.5": ("DELETE", "/attrs/t", None)}
EACH = [pytest.param(*operation, id=number, marks=pytest.mark.clause(number))
        for number, operation in OPERATIONS.items()]
WITH_NAME = [case for case in EACH if case.values[1].endswith("/t")]
WITH_BODY = [case for case in EACH if case.values[2]]


@pytest.mark.parametrize("method, path, body", EACH)
def test_unknown_entities(city, urn, method, path, body):
    refused(city.request(method, f"entities/{urn()}{path}", json=body), "ResourceNotFound")


@pytest.mark.parametrize("method, path, body", EACH)
def test_ids_that_are_none(city, method, path, body):
    refused(city.request(method, f"entities/no-uri{path}", json=body), "BadRequestData")


@pytest.mark.parametrize("method, path, body", EACH)
def test_the_type_of_the_entity(city, thing, method, path, body):
    refused(city.request(method, thing + path + "?type=Other", json=body), "ResourceNotFound")
    assert show(city, thing)["t"]["value"] == 25
    no_content(city.request(method, thing + path + "?type=Thing", json=body))


@pytest.mark.parametrize("method, path, body", WITH_NAME)
def test_unknown_attributes(city, thing, method, path, body):
    refused(city.request(method, thing + "/attrs/unknown", json=body), "ResourceNotFound")


@pytest.mark.parametrize("method, path, body", WITH_NAME)
@pytest.mark.parametrize("name", ["1a", "a%20b", "a-b", "%3Ca%3E"])
def test_names_that_are_none(city, thing, method, path, body, name):
    refused(city.request(method, f"{thing}/attrs/{name}", json=body), "BadRequestData")


@pytest.mark.parametrize("method, body", [pytest.param("PUT", prop(1), marks=pytest.mark.clause("5.6.19")),
                                          pytest.param("DELETE", None, marks=pytest.mark.clause("5.6.5"))])
def test_names_that_are_missing(city, thing, method, body):
    """What is left is the resource of all attributes, which has no such method (6.6)."""
    assert city.request(method, thing + "/attrs/", json=body).status_code == 405


@pytest.mark.parametrize("method, path, body", [c for c in WITH_NAME if c.values[0] != "DELETE"])
def test_scope_is_no_attribute_here(city, thing, method, path, body):
    refused(city.request(method, f"{thing}/attrs/scope", json=body), "BadRequestData")


@pytest.mark.parametrize("method, path, body", WITH_BODY)
@pytest.mark.parametrize("attribute", [prop(None), rel("no uri"), {"type": "None", "value": 1}, prop(1, observedAt="x"),
                                       prop(1, unitCode=1)])
def test_attributes_that_are_none(city, thing, method, path, body, attribute):
    refused(city.request(method, thing + path, json=attribute if path.endswith("/t") else {"t": attribute}),
            "BadRequestData")
    assert show(city, thing)["t"]["value"] == 25


@pytest.mark.parametrize("method, path, body", EACH)
def test_unknown_tenants(city, thing, method, path, body):
    refused(city.request(method, thing + path, json=body, headers={"NGSILD-Tenant": "never_made"}), "NonexistentTenant")
