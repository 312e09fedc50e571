"""Clauses 5.6.11 to 5.6.16: temporal evolutions as clients change them; and 5.6.1 to 5.6.6, 5.6.17: what changes of entities
leave behind in them."""
from urllib.parse import quote

import pytest

from ngsi import LD, MERGE, NULL, create, geo, get, no_content, ok, prop, refused, rel, send
from temporal import ROOT, at, history, listed, record, seen, values

pytestmark = pytest.mark.clause("5.6.11")

X = "urn:ngsi-ld:X:1"


@pytest.fixture
def thing(city, urn):
    """The id of an evolution without an entity: three instances of speed."""
    record(city, {"id": urn(), "type": "Thing", "speed": [seen(10, 0), seen(20, 10), seen(30, 20)]})
    return urn()


def instance_ids(city, entity_id, name="speed"):
    return [i["instanceId"] for i in listed(history(city, entity_id)[name])]


# ---- 5.6.11 ----

@pytest.mark.clause("5.6.11", "6.18.3.1", "5.2.20")
class TestUpsert:
    def test_creates(self, city, urn):
        answer = record(city, {"id": urn(), "type": "Thing", "speed": [seen(1, 0)]})
        assert answer.headers["Location"] == f"/ngsi-ld/v1/temporal/entities/{urn()}" and answer.content == b""
        got = history(city, urn())
        assert got["id"] == urn() and got["type"] == "Thing" and values(got["speed"]) == [1]

    def test_makes_no_entity(self, city, thing):
        refused(city.get(f"entities/{thing}"), "ResourceNotFound")

    def test_adds_to_one_that_is_there(self, city, thing):
        answer = city.post(ROOT, {"id": thing, "type": "Thing", "speed": seen(15, 5), "r": rel(X, observedAt=at(1))})
        no_content(answer)
        got = history(city, thing)
        assert values(got["speed"]) == [10, 15, 20, 30] and values(got["r"]) == [X]

    def test_adds_types(self, city, thing):
        no_content(city.post(ROOT, {"id": thing, "type": ["Thing", "Other"], "speed": seen(1, 1)}))
        assert sorted(history(city, thing)["type"]) == ["Other", "Thing"]

    def test_adds_to_what_an_entity_left(self, city, urn):
        create(city, {"id": urn(), "type": "Thing", "speed": prop(1)})
        no_content(city.post(ROOT, {"id": urn(), "type": "Thing", "speed": seen(7, 0)}))
        assert sorted(values(history(city, urn())["speed"])) == [1, 7]
        assert get(city, urn())["speed"] == prop(1)  # the entity of today stays as it is

    def test_every_kind_of_attribute(self, city, urn):
        given = {"p": seen({"a": [1]}, 0), "r": rel([X, urn()], observedAt=at(0)),
                 "g": geo("Point", [8.5, 41.2], observedAt=at(0)),
                 "l": {"type": "LanguageProperty", "languageMap": {"en": "yes"}, "observedAt": at(0)},
                 "v": {"type": "VocabProperty", "vocab": "Word", "observedAt": at(0)},
                 "j": {"type": "JsonProperty", "json": {"x": 1}, "observedAt": at(0)},
                 "k": {"type": "ListProperty", "valueList": [1, 2], "observedAt": at(0)},
                 "m": {"type": "ListRelationship", "objectList": [{"object": X}], "observedAt": at(0)}}
        record(city, {"id": urn(), "type": "Thing", **{n: [a] for n, a in given.items()}})
        got = history(city, urn())
        for name, attribute in given.items():
            one = listed(got[name])[0]
            assert {m: v for m, v in one.items() if m != "instanceId"} == attribute, name

    def test_sub_attributes_and_datasets(self, city, urn):
        record(city, {"id": urn(), "type": "Thing",
                      "speed": [seen(1, 0, unitCode="KMH", acc=prop(2)), seen(5, 0, datasetId=X)]})
        got = {i.get("datasetId"): i for i in history(city, urn())["speed"]}
        assert got[None]["acc"] == prop(2) and got[None]["unitCode"] == "KMH" and got[X]["value"] == 5

    def test_simplified(self, city, urn):
        record(city, {"id": urn(), "type": "Thing", "speed": {"type": "Property", "values": [[1, at(0)], [2, at(1)]]}})
        assert [(i["value"], i["observedAt"]) for i in history(city, urn())["speed"]] == [(1, at(0)), (2, at(1))]

    def test_deletions(self, city, urn):
        record(city, {"id": urn(), "type": "Thing", "speed": [seen(1, 0), seen(NULL, 5)]})
        last = history(city, urn(), f"?timerel=before&timeAt={at(9)}")["speed"][-1]
        assert last["value"] == NULL and last["deletedAt"] == at(5)

    def test_scope(self, city, urn):
        record(city, {"id": urn(), "type": "Thing", "scope": [seen("/a", 0), seen(["/b", "/c"], 5)], "speed": [seen(1, 0)]})
        assert values(history(city, urn())["scope"]) == ["/a", ["/b", "/c"]]

    @pytest.mark.parametrize("entity, kind", [
        ({"type": "Thing", "speed": [{"type": "Property", "value": 1}]}, "BadRequestData"),
        ({"id": "nothing", "type": "Thing", "speed": []}, "BadRequestData"),
        ({"id": X, "speed": [{"type": "Property", "value": 1}]}, "BadRequestData"),
        ({"id": X, "type": "Thing", "speed": [{"type": "Property"}]}, "BadRequestData"),
        ({"id": X, "type": "Thing", "speed": [{"type": "Property", "value": 1, "observedAt": "today"}]}, "BadRequestData"),
        ({"id": X, "type": "Thing", "speed": [{"type": "Property", "value": 1, "observedAt": "2026-01-01T00:00:00+01:00"}]},
         "BadRequestData"),
        ({"id": X, "type": "Thing", "expiresAt": NULL, "speed": [{"type": "Property", "value": 1}]}, "BadRequestData"),
    ])
    def test_refusals(self, city, entity, kind):
        refused(city.post(ROOT, entity), kind)
        refused(city.get(f"{ROOT}/{X}"), "ResourceNotFound")

    @pytest.mark.parametrize("text", ["", "{", "[]"])
    def test_no_json_object(self, city, text):
        refused(send(city, "POST", ROOT, text), "InvalidRequest")

    def test_too_many_instances(self, new_city, urn):
        small = new_city("--limits-instances", "3")
        entity = {"id": urn(), "type": "Thing", "speed": [seen(i, i) for i in range(4)]}
        body = refused(small.post(ROOT, entity), "BadRequestData")
        assert body["limit"] == "limits.instances"


# ---- 5.6.12 ----

@pytest.mark.clause("5.6.12", "6.20.3.1")
class TestAppend:
    def test_appends(self, city, thing):
        no_content(city.post(f"{ROOT}/{thing}/attrs", {"speed": [seen(5, 5)], "heat": seen(1, 1)}))
        got = history(city, thing)
        assert values(got["speed"]) == [10, 5, 20, 30] and values(got["heat"]) == [1]

    def test_types(self, city, thing):
        no_content(city.post(f"{ROOT}/{thing}/attrs", {"type": "Other", "speed": [seen(5, 5)]}))
        assert sorted(history(city, thing)["type"]) == ["Other", "Thing"]

    def test_refusals(self, city, thing):
        refused(city.post(f"{ROOT}/{thing}x/attrs", {"speed": [seen(5, 5)]}), "ResourceNotFound")
        refused(city.post(f"{ROOT}/nothing/attrs", {"speed": [seen(5, 5)]}), "BadRequestData")
        refused(city.post(f"{ROOT}/{thing}/attrs", {"speed": [{"type": "Property"}]}), "BadRequestData")
        refused(send(city, "POST", f"{ROOT}/{thing}/attrs", ""), "InvalidRequest")


# ---- 5.6.13 ----

@pytest.mark.clause("5.6.13", "6.21.3.1")
class TestDeleteAttribute:
    @pytest.fixture
    def datasets(self, city, urn):
        record(city, {"id": urn(), "type": "Thing", "other": seen(1, 0),
                      "speed": [seen(1, 0), seen(2, 0, datasetId=X), seen(3, 1, datasetId=X)]})
        return urn()

    def test_default_instances(self, city, datasets):
        no_content(city.delete(f"{ROOT}/{datasets}/attrs/speed"))
        assert values(history(city, datasets)["speed"]) == [2, 3]

    def test_dataset(self, city, datasets):
        no_content(city.delete(f"{ROOT}/{datasets}/attrs/speed?datasetId={X}"))
        assert values(history(city, datasets)["speed"]) == [1]

    def test_all(self, city, datasets):
        no_content(city.delete(f"{ROOT}/{datasets}/attrs/speed?deleteAll=true"))
        got = history(city, datasets)
        assert "speed" not in got and "other" in got
        refused(city.delete(f"{ROOT}/{datasets}/attrs/speed?deleteAll=true"), "ResourceNotFound")

    def test_of_an_entity(self, city, urn):
        create(city, {"id": urn(), "type": "Thing", "speed": prop(1), "other": prop(2)})
        no_content(city.delete(f"{ROOT}/{urn()}/attrs/speed"))
        assert "speed" not in history(city, urn())
        assert get(city, urn())["speed"] == prop(1)
        no_content(city.patch(f"entities/{urn()}/attrs/speed", prop(3)))
        assert values(history(city, urn())["speed"]) == [3]

    def test_refusals(self, city, thing):
        refused(city.delete(f"{ROOT}/nothing/attrs/speed"), "BadRequestData")
        refused(city.delete(f"{ROOT}/{thing}/attrs/{quote('a b')}"), "BadRequestData")
        refused(city.delete(f"{ROOT}/{thing}/attrs/speed?datasetId=nothing"), "BadRequestData")
        refused(city.delete(f"{ROOT}/{thing}x/attrs/speed"), "ResourceNotFound")
        refused(city.delete(f"{ROOT}/{thing}/attrs/unheardOf"), "ResourceNotFound")
        refused(city.delete(f"{ROOT}/{thing}/attrs/speed?datasetId={X}"), "ResourceNotFound")


# ---- 5.6.14, 5.6.15 ----

@pytest.mark.clause("5.6.14", "6.22.3.1")
class TestModifyInstance:
    def test_replaces(self, city, thing):
        names = instance_ids(city, thing)
        before = history(city, thing, "?options=sysAttrs")["speed"][1]
        path = f"{ROOT}/{thing}/attrs/speed/{names[1]}"
        no_content(city.patch(path, {"speed": [seen(99, 40, unitCode="KMH")]}))
        got = history(city, thing, "?options=sysAttrs")["speed"]
        assert [i["value"] for i in got] == [10, 30, 99]  # in order of time
        last = got[-1]
        assert last["instanceId"] == names[1] and last["unitCode"] == "KMH" and last["observedAt"] == at(40)
        assert last["createdAt"] == before["createdAt"] < last["modifiedAt"]
        assert instance_ids(city, thing) == [names[0], names[2], names[1]]

    def test_of_an_entity(self, city, urn):
        create(city, {"id": urn(), "type": "Thing", "speed": prop(1)})
        name = instance_ids(city, urn())[0]
        no_content(city.patch(f"{ROOT}/{urn()}/attrs/speed/{name}", {"speed": [seen(5, 0)]}))
        assert values(history(city, urn())["speed"]) == [5]
        assert get(city, urn())["speed"] == prop(1)

    def test_refusals(self, city, thing):
        name = instance_ids(city, thing)[0]
        good = {"speed": [seen(1, 1)]}
        refused(city.patch(f"{ROOT}/nothing/attrs/speed/{name}", good), "BadRequestData")
        refused(city.patch(f"{ROOT}/{thing}/attrs/speed/nothing", good), "BadRequestData")
        refused(city.patch(f"{ROOT}/{thing}/attrs/{quote('a b')}/{name}", good), "BadRequestData")
        refused(city.patch(f"{ROOT}/{thing}/attrs/speed/{name}", {"speed": [seen(1, 1), seen(2, 2)]}), "BadRequestData")
        refused(city.patch(f"{ROOT}/{thing}/attrs/speed/{name}", {"other": [seen(1, 1)]}), "BadRequestData")
        refused(city.patch(f"{ROOT}/{thing}x/attrs/speed/{name}", good), "ResourceNotFound")
        refused(city.patch(f"{ROOT}/{thing}/attrs/speed/urn:ngsi-ld:Instance:none", good), "ResourceNotFound")
        assert values(history(city, thing)["speed"]) == [10, 20, 30]


@pytest.mark.clause("5.6.15", "6.22.3.2")
class TestDeleteInstance:
    def test_deletes(self, city, thing):
        names = instance_ids(city, thing)
        no_content(city.delete(f"{ROOT}/{thing}/attrs/speed/{names[1]}"))
        assert instance_ids(city, thing) == [names[0], names[2]]
        refused(city.delete(f"{ROOT}/{thing}/attrs/speed/{names[1]}"), "ResourceNotFound")

    def test_the_latest_of_an_entity(self, city, urn):
        create(city, {"id": urn(), "type": "Thing", "speed": prop(1)})
        no_content(city.patch(f"entities/{urn()}/attrs/speed", prop(2)))
        last = instance_ids(city, urn())[-1]
        no_content(city.delete(f"{ROOT}/{urn()}/attrs/speed/{last}"))
        assert values(history(city, urn())["speed"]) == [1]
        assert get(city, urn())["speed"] == prop(2)

    def test_refusals(self, city, thing, urn):
        name = instance_ids(city, thing)[0]
        record(city, {"id": urn("Other"), "type": "Thing", "speed": [seen(1, 0)], "heat": [seen(1, 0)]})
        refused(city.delete(f"{ROOT}/nothing/attrs/speed/{name}"), "BadRequestData")
        refused(city.delete(f"{ROOT}/{thing}/attrs/speed/nothing"), "BadRequestData")
        refused(city.delete(f"{ROOT}/{thing}x/attrs/speed/{name}"), "ResourceNotFound")
        refused(city.delete(f"{ROOT}/{urn('Other')}/attrs/speed/{name}"), "ResourceNotFound")  # of another entity
        refused(city.delete(f"{ROOT}/{urn('Other')}/attrs/heat/{instance_ids(city, urn('Other'))[0]}"), "ResourceNotFound")


# ---- 5.6.16 ----

@pytest.mark.clause("5.6.16", "6.19.3.2")
class TestDelete:
    def test_deletes(self, city, thing):
        no_content(city.delete(f"{ROOT}/{thing}"))
        refused(city.get(f"{ROOT}/{thing}"), "ResourceNotFound")
        refused(city.delete(f"{ROOT}/{thing}"), "ResourceNotFound")
        record(city, {"id": thing, "type": "Thing", "speed": [seen(1, 1)]})  # it is created anew
        assert values(history(city, thing)["speed"]) == [1]

    def test_the_entity_stays(self, city, urn):
        create(city, {"id": urn(), "type": "Thing", "speed": prop(1)})
        no_content(city.delete(f"{ROOT}/{urn()}"))
        assert get(city, urn())["speed"] == prop(1)
        refused(city.get(f"{ROOT}/{urn()}"), "ResourceNotFound")
        no_content(city.patch(f"entities/{urn()}/attrs/speed", prop(2)))
        assert values(history(city, urn())["speed"]) == [2]

    def test_refusals(self, city):
        refused(city.delete(f"{ROOT}/nothing"), "BadRequestData")
        assert city.delete(f"{ROOT}/").status_code == 405  # the resource of all evolutions
        refused(city.delete(f"{ROOT}/urn:ngsi-ld:Thing:none"), "ResourceNotFound")


# ---- what changes of entities leave behind ----

@pytest.mark.clause("4.5.6", "4.5.7", "4.8")
class TestCurrentStateAndHistory:
    def test_every_change_of_a_value(self, city, urn):
        create(city, {"id": urn(), "type": "Thing", "speed": prop(1), "still": prop(0)})
        entity = f"entities/{urn()}"
        no_content(city.patch(f"{entity}/attrs/speed", prop(2, observedAt=at(0))))
        no_content(city.patch(f"{entity}/attrs", {"speed": prop(3)}))
        no_content(city.post(f"{entity}/attrs", {"speed": prop(4)}))
        no_content(city.patch(entity, {"speed": prop(5)}, headers=MERGE))
        no_content(city.put(f"{entity}/attrs/speed", prop(6)))
        no_content(city.put(entity, {"id": urn(), "type": "Thing", "speed": prop(7), "still": prop(0)}))
        ok(city.post("entityOperations/upsert", [{"id": urn(), "type": "Thing", "speed": prop(8), "still": prop(0)}]), 204)
        got = history(city, urn())
        assert values(got["speed"]) == [2, 1, 3, 4, 5, 6, 7, 8]  # in order of time: one was observed long ago
        assert get(city, urn())["speed"] == prop(8)

    def test_the_latest_instance_is_the_entitys(self, city, urn):
        create(city, {"id": urn(), "type": "Thing", "speed": seen(1, 0, unitCode="KMH", acc=prop(2))})
        now = get(city, urn(), "?options=sysAttrs")
        last = listed(history(city, urn(), "?options=sysAttrs")["speed"])[-1]
        last.pop("instanceId")
        assert last == now["speed"]
        got = history(city, urn(), "?options=sysAttrs")
        assert got["createdAt"] == now["createdAt"] and got["modifiedAt"] == now["modifiedAt"]

    def test_deleted_attributes(self, city, urn):
        create(city, {"id": urn(), "type": "Thing", "speed": prop(1), "r": rel(X)})
        no_content(city.delete(f"entities/{urn()}/attrs/speed"))
        no_content(city.patch(f"entities/{urn()}/attrs", {"r": NULL}))
        got = history(city, urn())
        for name, member in (("speed", "value"), ("r", "object")):
            assert len(got[name]) == 2 and got[name][1][member] == NULL and "deletedAt" in got[name][1]
            assert "observedAt" not in got[name][1]

    def test_deleted_entities(self, city, urn):
        create(city, {"id": urn(), "type": "Thing", "speed": prop(1), "scope": "/a"})
        no_content(city.delete(f"entities/{urn()}"))
        got = history(city, urn(), "?options=sysAttrs")
        assert "deletedAt" in got and got["speed"][1]["value"] == NULL and len(got["scope"]) == 2
        refused(city.delete(f"entities/{urn()}"), "ResourceNotFound")
        create(city, {"id": urn(), "type": "Thing", "speed": prop(2)})
        got = history(city, urn(), "?options=sysAttrs")
        assert "deletedAt" not in got and values(got["speed"]) == [1, NULL, 2]

    def test_scopes(self, city, urn):
        create(city, {"id": urn(), "type": "Thing", "scope": "/a", "speed": prop(1)})
        no_content(city.post(f"entities/{urn()}/attrs", {"scope": ["/b", "/c"]}))
        got = history(city, urn(), "?options=sysAttrs")["scope"]
        assert [i["value"] for i in got][-1] in (["/b", "/c"], ["/a", "/b", "/c"]) and got[0]["value"] == "/a"
        assert got[0]["observedAt"] == got[0]["modifiedAt"]  # 4.5.6
        no_content(city.delete(f"entities/{urn()}/attrs/scope"))
        assert "deletedAt" in history(city, urn())["scope"][-1]

    def test_batches_and_purges(self, city, tenant):
        batch = [{"id": f"urn:x:{i}", "type": "Purged", "speed": prop(i)} for i in range(3)]
        ok(city.post("entityOperations/create", batch, headers=tenant), 201)
        ok(city.post("entityOperations/delete", ["urn:x:0"], headers=tenant), 204)
        ok(city.delete("entities?type=Purged&drop=speed", headers=tenant), 204)
        for i in range(3):
            assert values(history(city, f"urn:x:{i}", headers=tenant)["speed"]) == [i, NULL]

    def test_refused_changes_leave_nothing(self, city, urn):
        create(city, {"id": urn(), "type": "Thing", "speed": prop(1)})
        refused(city.post("entities", {"id": urn(), "type": "Thing", "speed": prop(2)}), "AlreadyExists")
        refused(city.patch(f"entities/{urn()}/attrs/speed", {"type": "Property", "observedAt": "x"}), "BadRequestData")
        assert values(history(city, urn())["speed"]) == [1]


@pytest.mark.clause("5.6.5", "5.6.6")
class TestDeletionsWithoutAnEntity:
    """What only the temporal API has recorded is deleted by the core API, too: that is remembered."""

    def test_an_attribute(self, city, thing):
        no_content(city.delete(f"entities/{thing}/attrs/speed"))
        last = history(city, thing, "?timeproperty=deletedAt")["speed"]
        assert listed(last)[0]["value"] == NULL and "deletedAt" in listed(last)[0]
        refused(city.delete(f"entities/{thing}/attrs/speed"), "ResourceNotFound")

    def test_the_scope(self, city, urn):
        record(city, {"id": urn(), "type": "Thing", "scope": [seen("/a", 0)], "speed": [seen(1, 0)]})
        no_content(city.delete(f"entities/{urn()}/attrs/scope"))
        assert "deletedAt" in listed(history(city, urn(), "?timeproperty=deletedAt")["scope"])[0]
        refused(city.delete(f"entities/{urn()}/attrs/scope"), "ResourceNotFound")

    def test_the_entity(self, city, thing):
        no_content(city.delete(f"entities/{thing}"))
        got = history(city, thing, "?timeproperty=deletedAt&options=sysAttrs")
        assert "deletedAt" in got and values(got["speed"]) == [NULL]
        refused(city.delete(f"entities/{thing}"), "ResourceNotFound")

    def test_not_with_a_type_that_it_would_have(self, city, thing):
        refused(city.delete(f"entities/{thing}?type=Thing"), "ResourceNotFound")

    def test_nothing_is_known(self, city):
        refused(city.delete("entities/urn:ngsi-ld:Thing:none"), "ResourceNotFound")


@pytest.mark.clause("5.5.10", "6.3.14")
class TestTenants:
    def test_apart(self, city, tenant, thing):
        refused(city.get(f"{ROOT}/{thing}", headers=tenant), "ResourceNotFound")
        record(city, {"id": thing, "type": "Thing", "speed": [seen(77, 0)]}, headers=tenant)
        assert values(history(city, thing, headers=tenant)["speed"]) == [77]
        assert values(history(city, thing)["speed"]) == [10, 20, 30]

    def test_made_by_an_upsert_alone(self, city, urn):
        new = {"NGSILD-Tenant": "made-by-history"}
        refused(city.get(f"{ROOT}/{urn()}", headers=new), "NonexistentTenant")
        refused(city.post(f"{ROOT}/{urn()}/attrs", {"speed": [seen(1, 0)]}, headers=new), "NonexistentTenant")
        record(city, {"id": urn(), "type": "Thing", "speed": [seen(1, 0)]}, headers=new)
        assert values(history(city, urn(), headers=new)["speed"]) == [1]


@pytest.mark.clause("5.6.11", "4.5.6")
def test_survives_a_restart(new_city, tmp_path, urn):
    city = new_city()
    create(city, {"id": urn(), "type": "Thing", "speed": prop(1)})
    no_content(city.patch(f"entities/{urn()}/attrs/speed", prop(2)))
    no_content(city.post(ROOT, {"id": urn(), "type": "Thing", "speed": [seen(0, 0)]}))
    before = history(city, urn(), "?options=sysAttrs")
    city.stop()
    city.start()
    assert history(city, urn(), "?options=sysAttrs") == before


@pytest.mark.clause("5.6.11", "4.4")
def test_contexts_of_bodies(city, urn):
    entity = {"@context": {"velocity": "https://x.example/velocity", "Car": "https://x.example/Car"},
              "id": urn(), "type": "Car", "velocity": [seen(1, 0)]}
    ok(city.post(ROOT, entity, headers=LD), 201)
    got = history(city, urn())
    assert got["type"] == "https://x.example/Car" and values(got["https://x.example/velocity"]) == [1]
