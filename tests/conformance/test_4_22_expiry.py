"""Clause 4.22: what has an expiresAt is not served from that moment on."""
import datetime
import time

import pytest

from ngsi import create, get, ids, no_content, ok, prop, refused, rel

pytestmark = pytest.mark.clause("4.22")

PAST, FUTURE = "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"


def soon(seconds=1.5):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def passes(text):
    at = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
    time.sleep(max(0, at - time.time()) + 0.005)


def test_shown_with_system_attributes_alone(city, urn):
    create(city, {"id": urn(), "type": "T", "expiresAt": FUTURE, "a": prop(1, expiresAt=FUTURE,
        b=prop(2, expiresAt=FUTURE)), "r": rel("urn:x:1", expiresAt=FUTURE)})
    assert "expiresAt" not in ok(city.get(f"entities/{urn()}")).text
    entity = get(city, urn(), "?options=sysAttrs")
    for part in (entity, entity["a"], entity["a"]["b"], entity["r"]):
        assert part["expiresAt"] == FUTURE


def test_an_entity_is_gone_at_once(city, urn):
    at = soon()
    create(city, {"id": urn(), "type": "Gone", "expiresAt": at, "a": prop(1)})
    assert get(city, urn())["a"] == prop(1)
    passes(at)
    refused(city.get(f"entities/{urn()}"), "ResourceNotFound")
    assert ids(city, f"type=Gone&id={urn()}") == []


def test_attributes_instances_and_sub_attributes_are_gone_at_once(city, urn):
    at = soon()
    create(city, {"id": urn(), "type": "T", "a": prop(1, expiresAt=at), "b": prop(2, sub=prop(3, expiresAt=at)),
                  "c": [prop(4), prop(5, datasetId="urn:x:1", expiresAt=at)]})
    assert ids(city, f"q=a==1&id={urn()}&attrs=a") == [urn()]
    passes(at)
    assert get(city, urn()) == {"id": urn(), "type": "T", "b": prop(2), "c": prop(4)}
    assert ok(city.get(f"entities?type=T&id={urn()}")).json() == [{"id": urn(), "type": "T", "b": prop(2),
        "c": prop(4)}]
    for q in ("a==1", "a", "b.sub", "c==5"):
        assert ids(city, f"type=T&id={urn()}&q={q}") == []
    assert ids(city, f"type=T&id={urn()}&q=c==4") == [urn()]


def test_what_is_over_already_is_never_served(city, urn):
    create(city, {"id": urn("T", 1), "type": "Over", "expiresAt": PAST})
    refused(city.get(f"entities/{urn('T', 1)}"), "ResourceNotFound")
    create(city, {"id": urn("T", 2), "type": "T", "a": prop(1, expiresAt=PAST), "b": prop(2)})
    assert get(city, urn("T", 2)) == {"id": urn("T", 2), "type": "T", "b": prop(2)}
    assert ids(city, "type=Over") == []


def test_the_id_is_free_at_once(city, urn):
    at = soon()
    create(city, {"id": urn(), "type": "T", "expiresAt": at, "a": prop(1)})
    refused(city.post("entities", {"id": urn(), "type": "New"}), "AlreadyExists")
    passes(at)
    refused(city.patch(f"entities/{urn()}/attrs", {"a": prop(2)}), "ResourceNotFound")
    refused(city.delete(f"entities/{urn()}"), "ResourceNotFound")
    create(city, {"id": urn(), "type": "New"})
    assert get(city, urn()) == {"id": urn(), "type": "New"}


def test_pages_and_counts_are_exact(city, urn):
    at = soon(3)
    batch = [{"id": urn("T", n), "type": "Paged", **({"expiresAt": at} if n % 3 else {})} for n in range(30)]
    assert city.post("entityOperations/create", batch).status_code == 201
    first = ok(city.get("entities?type=Paged&limit=10&count=true"))
    assert len(first.json()) == 10 and first.headers["NGSILD-Results-Count"] == "30"
    passes(at)
    found = []
    for offset in (0, 4, 8):
        page = ok(city.get(f"entities?type=Paged&limit=4&offset={offset}&count=true"))
        assert page.headers["NGSILD-Results-Count"] == "10"
        found.append([e["id"] for e in page.json()])
    assert [len(f) for f in found] == [4, 4, 2]
    assert sum(found, []) == [urn("T", n) for n in range(0, 30, 3)]


def test_merges_make_and_unmake_it(city, urn):
    create(city, {"id": urn(), "type": "T", "a": prop(1)})
    no_content(city.patch(f"entities/{urn()}", {"expiresAt": FUTURE, "a": {"expiresAt": FUTURE}}))
    entity = get(city, urn(), "?options=sysAttrs")
    assert entity["expiresAt"] == entity["a"]["expiresAt"] == FUTURE
    no_content(city.patch(f"entities/{urn()}", {"expiresAt": "urn:ngsi-ld:null",
                                                "a": {"type": "Property", "expiresAt": "urn:ngsi-ld:null"}}))
    assert "expiresAt" not in str(get(city, urn(), "?options=sysAttrs"))
    no_content(city.patch(f"entities/{urn()}", {"expiresAt": PAST}))
    refused(city.get(f"entities/{urn()}"), "ResourceNotFound")


@pytest.mark.parametrize("text", ["tomorrow", "2026-01-01", "2026-13-01T00:00:00Z", 5, None])
def test_times_that_are_none(city, urn, text):
    refused(city.post("entities", {"id": urn(), "type": "T", "expiresAt": text}), "BadRequestData")
    refused(city.post("entities", {"id": urn(), "type": "T", "a": prop(1, expiresAt=text)}), "BadRequestData")


def test_a_temporal_evolution_ends(city, urn):
    at = soon()
    evolution = {"id": urn(), "type": "Passing", "expiresAt": at,
                 "a": [{"type": "Property", "value": 1, "observedAt": "2020-01-01T00:00:00Z"}]}
    ok(city.post("temporal/entities", evolution), 201)
    assert "expiresAt" not in ok(city.get(f"temporal/entities/{urn()}")).text
    assert ok(city.get(f"temporal/entities/{urn()}?options=sysAttrs")).json()["expiresAt"] == at
    passes(at)
    refused(city.get(f"temporal/entities/{urn()}"), "ResourceNotFound")
    refused(city.delete(f"temporal/entities/{urn()}"), "ResourceNotFound")
    ok(city.post("temporal/entities", {**evolution, "expiresAt": FUTURE}), 201)
    assert len(ok(city.get(f"temporal/entities/{urn()}")).json()["a"]) == 1
