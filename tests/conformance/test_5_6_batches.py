"""Clauses 5.6.7 to 5.6.10 and 5.6.20: batches; 5.5.11: the same entity several times in one."""
import pytest

from ngsi import ERRORS, JSON, LD, NULL, create, get, no_content, ok, prop, refused, rel, without_times

pytestmark = pytest.mark.clause("5.6.7")

X = "urn:ngsi-ld:X:1"


def things(urn, *names, **attributes):
    return [{"id": urn("Thing", name), "type": "Thing", **(attributes or {"a": prop(1)})} for name in names]


def result(answer, success, errors):
    """A BatchOperationResult (clauses 5.2.16, 5.2.17): ids, and of each error id and kind."""
    ok(answer, 207)
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert set(body) == {"success", "errors"}
    assert sorted(body["success"]) == sorted(success)
    assert sorted((e.get("entityId"), e["error"]["type"]) for e in body["errors"]) == \
        sorted((i, ERRORS + kind) for i, kind in errors)
    for error in body["errors"]:
        assert error["error"]["title"] and error["error"]["detail"]
    return body


# ---- 5.6.7 ----

@pytest.mark.clause("5.6.7", "6.14.3.1")
class TestCreate:
    def test_all(self, city, urn):
        answer = ok(city.post("entityOperations/create", things(urn, "a", "b", "c")), 201)
        assert sorted(answer.json()) == [urn("Thing", n) for n in "abc"]
        assert get(city, urn("Thing", "b"))["a"] == prop(1)

    def test_some(self, city, urn):
        create(city, things(urn, "a")[0])
        batch = things(urn, "a", "b") + [{"id": "no uri", "type": "Thing"}, {"id": urn("Thing", "c")}]
        result(city.post("entityOperations/create", batch), [urn("Thing", "b")],
               [(urn("Thing", "a"), "AlreadyExists"), ("no uri", "BadRequestData"),
                (urn("Thing", "c"), "BadRequestData")])

    def test_none(self, city, urn):
        create(city, things(urn, "a")[0])
        result(city.post("entityOperations/create", things(urn, "a")), [], [(urn("Thing", "a"), "AlreadyExists")])

    @pytest.mark.clause("5.6.7", "5.5.11")
    def test_the_first_of_several_creates(self, city, urn):
        batch = things(urn, "a") + things(urn, "a", b=prop(2))
        result(city.post("entityOperations/create", batch), [urn("Thing", "a")], [(urn("Thing", "a"), "AlreadyExists")])
        assert get(city, urn("Thing", "a")) == batch[0]

    def test_each_element_has_its_context(self, city, urn):
        batch = [{**e, "@context": [{"a": f"https://example.org/{i}"}]} for i, e in enumerate(things(urn, "a", "b"))]
        ok(city.post("entityOperations/create", batch, headers=LD), 201)
        assert get(city, urn("Thing", "a"))["https://example.org/0"] == prop(1)
        assert get(city, urn("Thing", "b"))["https://example.org/1"] == prop(1)

    @pytest.mark.clause("5.6.7", "6.3.5")
    def test_contexts_where_they_do_not_belong(self, city, urn):
        batch = things(urn, "a", "b")
        mixed = [{**batch[0], "@context": []}, batch[1]]
        result(city.post("entityOperations/create", mixed), [urn("Thing", "b")],
               [(urn("Thing", "a"), "BadRequestData")])
        batch = things(urn, "c", "d")
        mixed = [{**batch[0], "@context": []}, batch[1]]
        result(city.post("entityOperations/create", mixed, headers=LD), [urn("Thing", "c")],
               [(urn("Thing", "d"), "BadRequestData")])


# ---- 5.6.8 ----

@pytest.mark.clause("5.6.8", "6.15.3.1")
class TestUpsert:
    def test_creates_and_replaces(self, city, urn):
        create(city, things(urn, "a", a=prop(1), b=prop(1))[0])
        before = get(city, urn("Thing", "a"), "?options=sysAttrs")
        answer = ok(city.post("entityOperations/upsert", things(urn, "a", "b", a=prop(2))), 201)
        assert answer.json() == [urn("Thing", "b")]
        after = get(city, urn("Thing", "a"), "?options=sysAttrs")
        assert without_times(after) == things(urn, "a", a=prop(2))[0]
        assert after["createdAt"] == before["createdAt"]

    def test_only_replaces(self, city, urn):
        create(city, things(urn, "a")[0])
        no_content(city.post("entityOperations/upsert", things(urn, "a", a=prop(2))))
        no_content(city.post("entityOperations/upsert?options=replace", things(urn, "a", b=prop(2))))
        assert get(city, urn("Thing", "a")) == things(urn, "a", b=prop(2))[0]

    def test_updates(self, city, urn):
        create(city, things(urn, "a", a=prop(1), b=prop(1, unitCode="CEL"))[0])
        answer = ok(city.post("entityOperations/upsert?options=update", things(urn, "a", "b", b=prop(2))), 201)
        assert answer.json() == [urn("Thing", "b")]
        assert get(city, urn("Thing", "a")) == things(urn, "a", a=prop(1), b=prop(2))[0]

    @pytest.mark.parametrize("query, want", [("", {"b": prop(2)}), ("?options=update", {"a": prop(1), "b": prop(2)})])
    @pytest.mark.clause("5.6.8", "5.5.11")
    def test_several_times_the_same(self, city, urn, query, want):
        answer = ok(city.post("entityOperations/upsert" + query, things(urn, "a") + things(urn, "a", b=prop(2))), 201)
        assert answer.json() == [urn("Thing", "a")]
        assert get(city, urn("Thing", "a")) == things(urn, "a", **want)[0]

    def test_some(self, city, urn):
        batch = things(urn, "a") + things(urn, "b", a=prop(None)) + [5]
        body = ok(city.post("entityOperations/upsert", batch), 207).json()
        assert body["success"] == [urn("Thing", "a")]
        assert [(e.get("entityId"), e["error"]["pointer"].split("/")[1])
                for e in body["errors"]] == [(urn("Thing", "b"), "1"), (None, "2")]


# ---- 5.6.9 ----

@pytest.mark.clause("5.6.9", "6.16.3.1")
class TestUpdate:
    def test_overwrites_and_appends(self, city, urn):
        ok(city.post("entityOperations/create", things(urn, "a", "b", a=prop(1, unitCode="CEL"), c=prop(3))), 201)
        no_content(city.post("entityOperations/update", things(urn, "a", "b", a=prop(2), b=prop(2))))
        for name in "ab":
            assert get(city, urn("Thing", name)) == things(urn, name, a=prop(2), b=prop(2), c=prop(3))[0]

    def test_no_overwrite(self, city, urn):
        create(city, things(urn, "a")[0])
        no_content(city.post("entityOperations/update?options=noOverwrite", things(urn, "a", b=prop(2))))
        answer = city.post("entityOperations/update?options=noOverwrite", things(urn, "a", a=prop(9), c=prop(3)))
        result(answer, [], [(urn("Thing", "a"), "BadRequestData")])
        assert get(city, urn("Thing", "a")) == things(urn, "a", a=prop(1), b=prop(2), c=prop(3))[0]

    def test_some(self, city, urn):
        create(city, things(urn, "a")[0])
        result(city.post("entityOperations/update", things(urn, "a", "b", a=prop(2))), [urn("Thing", "a")],
               [(urn("Thing", "b"), "ResourceNotFound")])

    @pytest.mark.clause("5.6.9", "5.5.11")
    def test_several_times_the_same(self, city, urn):
        create(city, things(urn, "a")[0])
        no_content(city.post("entityOperations/update", things(urn, "a", a=prop(2)) + things(urn, "a", a=prop(3),
            b=prop(4))))
        assert get(city, urn("Thing", "a")) == things(urn, "a", a=prop(3), b=prop(4))[0]


# ---- 5.6.20 ----

@pytest.mark.clause("5.6.20", "6.31.3.1")
class TestMerge:
    def test_merges(self, city, urn):
        ok(city.post("entityOperations/create", things(urn, "a", "b", a=prop({"x": 1, "y": 2}, unitCode="CEL"),
                                                       b=prop(1))), 201)
        no_content(city.post("entityOperations/merge", things(urn, "a", "b", a=prop({"x": 3}), b=NULL)))
        for name in "ab":
            assert get(city, urn("Thing", name)) == things(urn, name, a=prop({"x": 3, "y": 2}, unitCode="CEL"))[0]

    def test_some(self, city, urn):
        create(city, things(urn, "a")[0])
        batch = things(urn, "a", "b", b=prop(2)) + [{"type": "Thing", "b": prop(2)}]
        body = ok(city.post("entityOperations/merge", batch), 207).json()
        assert body["success"] == [urn("Thing", "a")]
        assert sorted(e["error"]["type"] for e in body["errors"]) == [ERRORS + "BadRequestData",
            ERRORS + "ResourceNotFound"]

    @pytest.mark.clause("5.6.20", "5.5.11")
    def test_several_times_the_same(self, city, urn):
        create(city, things(urn, "a")[0])
        no_content(city.post("entityOperations/merge", things(urn, "a", a=prop(2, unitCode="CEL")) + things(urn, "a",
            a=prop(3))))
        assert get(city, urn("Thing", "a"))["a"] == prop(3, unitCode="CEL")

    def test_simplified_with_a_common_time(self, city, urn):
        create(city, things(urn, "a", a=prop(1, observedAt="2026-01-01T00:00:00Z"), r=rel(X))[0])
        no_content(city.post("entityOperations/merge?options=keyValues&observedAt=2027-01-01T00:00:00Z",
                             [{"id": urn("Thing", "a"), "type": "Thing", "a": 2, "r": "urn:x:2"}]))
        assert get(city, urn("Thing", "a")) == things(urn, "a", a=prop(2, observedAt="2027-01-01T00:00:00Z"),
                                                      r=rel("urn:x:2"))[0]


# ---- 5.6.10 ----

@pytest.mark.clause("5.6.10", "6.17.3.1")
class TestDelete:
    def test_all(self, city, urn):
        ok(city.post("entityOperations/create", things(urn, "a", "b")), 201)
        no_content(city.post("entityOperations/delete", [urn("Thing", "a"), urn("Thing", "b")]))
        assert city.get(f"entities/{urn('Thing', 'a')}").status_code == 404

    @pytest.mark.clause("5.6.10", "5.5.11")
    def test_some(self, city, urn):
        ok(city.post("entityOperations/create", things(urn, "a")), 201)
        ids = [urn("Thing", "a"), urn("Thing", "a"), "no uri", urn("Thing", "z")]
        result(city.post("entityOperations/delete", ids), [urn("Thing", "a")],
               [(urn("Thing", "a"), "ResourceNotFound"), ("no uri", "BadRequestData"),
                (urn("Thing", "z"), "ResourceNotFound")])


# ---- what they all refuse ----

BATCHES = {"5.6.7": "create", "5.6.8": "upsert", "5.6.9": "update", "5.6.10": "delete", "5.6.20": "merge"}
EACH = [pytest.param(name, id=name, marks=pytest.mark.clause(number)) for number, name in BATCHES.items()]


@pytest.mark.parametrize("name", EACH)
@pytest.mark.parametrize("body, kind", [("[]", "BadRequestData"), ("{}", "BadRequestData"),
                                        ("[null]", "BadRequestData"),
                                        ("5", "BadRequestData"), ("\"urn:x:1\"", "BadRequestData"),
                                        ("[", "InvalidRequest"),
                                        ("", "InvalidRequest")])
def test_batches_that_are_none(city, name, body, kind):
    refused(city.request("POST", f"entityOperations/{name}", data=body, headers=JSON), kind)


@pytest.mark.parametrize("name", EACH)
def test_nothing_is_done_when_an_item_is_null(city, urn, name):
    create(city, things(urn, "a")[0])
    body = [urn("Thing", "a"), None] if name == "delete" else things(urn, "a", "b", b=prop(2)) + [None]
    refused(city.post(f"entityOperations/{name}", body), "BadRequestData")
    assert get(city, urn("Thing", "a")) == things(urn, "a")[0]
    assert city.get(f"entities/{urn('Thing', 'b')}").status_code == 404


@pytest.mark.parametrize("name", EACH)
@pytest.mark.clause("5.5.10")
def test_tenants(city, urn, name):
    headers = {"NGSILD-Tenant": f"batch_{name}"}
    body = [urn()] if name == "delete" else things(urn, 0)
    answer = city.post(f"entityOperations/{name}", body, headers=headers)
    assert answer.headers["NGSILD-Tenant"] == f"batch_{name}"
    if name in ("create", "upsert"):
        ok(answer, 201)
    else:
        refused(answer, "NonexistentTenant")


@pytest.mark.parametrize("name", ["create", "upsert", "update", "merge"])
@pytest.mark.clause("5.5.11")
def test_all_of_a_batch_have_one_time(city, urn, name):
    ok(city.post("entityOperations/upsert", things(urn, "a", "b", "c")), 201)
    if name != "create":
        assert city.post(f"entityOperations/{name}", things(urn, "a", "b", "c", a=prop(5))).status_code == 204
    times = set()
    for n in "abc":
        entity = get(city, urn("Thing", n), "?options=sysAttrs")
        times |= {entity["modifiedAt"], entity["a"]["modifiedAt"]}
    assert len(times) == 1
