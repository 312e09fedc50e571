"""Subscriptions to registrations: kept like others, and told which sources match (5.11)."""
import datetime
import time

import pytest

from ngsi import CORE, LD, NULL, no_content, ok, refused
from receiver import Receiver

PATH = "csourceSubscriptions"
CAR = {"entities": [{"type": "Car"}]}
SPAN = {"startAt": "2020-01-01T00:00:00Z", "endAt": "2021-01-01T00:00:00Z"}


@pytest.fixture
def receiver():
    r = Receiver()
    yield r
    r.close()


def subscription(receiver, endpoint=None, notification=None, **members):
    return {"type": "Subscription", "entities": [{"type": "Car"}],
            "notification": {"endpoint": {"uri": receiver.uri, **(endpoint or {})}, **(notification or {})}, **members}


def subscribe(city, body, headers):
    return ok(city.post(PATH, body, headers=headers), 201).headers["Location"].removeprefix(f"/ngsi-ld/v1/{PATH}/")


def register(city, headers, *infos, **members):
    body = {"type": "ContextSourceRegistration", "endpoint": "http://source.example/", "information": list(infos) or [CAR], **members}
    return ok(city.post("csourceRegistrations", body, headers=headers), 201).headers["Location"][len("/ngsi-ld/v1/csourceRegistrations/"):]


def told(receiver, count):
    return [(b["triggerReason"], sorted(r["id"] for r in b["data"])) for b in receiver.bodies(count)]


def counted(city, tenant, name, times):
    """The notification's members, once it was sent so often: the answer to the receiver comes first."""
    for _ in range(100):
        shown = ok(city.get(f"{PATH}/{name}", headers=tenant)).json()["notification"]
        if shown.get("timesSent") == times:
            break
        time.sleep(0.02)
    return shown


@pytest.mark.clause("5.11.2", "5.11.3", "5.11.4", "5.11.5", "5.11.6", "6.12.3.1", "6.12.3.2", "6.13.3.1", "6.13.3.2", "6.13.3.3")
def test_kept_apart_from_other_subscriptions(city, tenant, receiver):
    body = subscription(receiver, q="speed>1", csf="brand==1", temporalQ={"timerel": "before", "timeAt": SPAN["startAt"]})
    name = subscribe(city, body, tenant)
    shown = ok(city.get(f"{PATH}/{name}", headers=tenant)).json()
    assert shown == {**body, "id": name, "status": "active"}
    refused(city.get(f"subscriptions/{name}", headers=tenant), "ResourceNotFound")
    refused(city.post(PATH, {**body, "id": name}, headers=tenant), "AlreadyExists")
    assert [s["id"] for s in ok(city.get(f"{PATH}?count=true", headers=tenant)).json()] == [name]
    no_content(city.patch(f"{PATH}/{name}", {"temporalQ": NULL, "isActive": False}, headers=tenant))
    shown = ok(city.get(f"{PATH}/{name}", headers=tenant)).json()
    assert "temporalQ" not in shown and shown["status"] == "paused"
    refused(city.patch(f"{PATH}/{name}", {"entities": []}, headers=tenant), "BadRequestData")
    refused(city.post(PATH, {**body, "entities": []}, headers=tenant), "BadRequestData")
    refused(city.post(PATH, {**body, "temporalQ": {"timerel": "at", "timeAt": SPAN["startAt"]}}, headers=tenant), "BadRequestData")
    no_content(city.delete(f"{PATH}/{name}", headers=tenant))
    refused(city.delete(f"{PATH}/{name}", headers=tenant), "ResourceNotFound")
    refused(city.get(f"{PATH}/none", headers=tenant), "BadRequestData")


@pytest.mark.clause("5.11.7", "5.11.2", "5.3.2", "5.3.3")
def test_told_at_first_and_of_every_change(city, tenant, receiver):
    there = register(city, tenant)
    name = subscribe(city, subscription(receiver), tenant)
    first = receiver.bodies(1)[0]
    assert first["type"] == "ContextSourceNotification" and first["subscriptionId"] == name
    assert first["id"].startswith("urn:") and first["notifiedAt"].endswith("Z")
    assert told(receiver, 1) == [("newlyMatching", [there])]
    new = register(city, tenant)
    assert told(receiver, 2)[1] == ("newlyMatching", [new])
    no_content(city.patch(f"csourceRegistrations/{new}", {"description": "d"}, headers=tenant))
    assert told(receiver, 3)[2] == ("updated", [new])
    assert receiver.bodies(3)[2]["data"][0]["description"] == "d"
    no_content(city.patch(f"csourceRegistrations/{new}", {"information": [{"entities": [{"type": "Bus"}]}]}, headers=tenant))
    assert told(receiver, 4)[3] == ("noLongerMatching", [new])
    no_content(city.patch(f"csourceRegistrations/{new}", {"description": "e"}, headers=tenant))
    no_content(city.patch(f"csourceRegistrations/{new}", {"information": [CAR]}, headers=tenant))
    assert told(receiver, 5)[4] == ("newlyMatching", [new])
    no_content(city.delete(f"csourceRegistrations/{new}", headers=tenant))
    assert told(receiver, 6)[5] == ("noLongerMatching", [new])
    register(city, tenant, {"entities": [{"type": "Bus"}]})
    receiver.quiet(6)


@pytest.mark.clause("5.11.7")
def test_only_what_matches_of_a_registration_is_told(city, tenant, receiver):
    subscribe(city, subscription(receiver), tenant)
    register(city, tenant, CAR, {"entities": [{"type": "Bus"}]})
    assert receiver.bodies(1)[0]["data"][0]["information"] == [CAR]


@pytest.mark.clause("5.11.2", "5.12")
@pytest.mark.parametrize("members, yes, no", [
    ({"watchedAttributes": ["speed"]}, {"infos": [{"propertyNames": ["speed"]}]}, {"infos": [{"entities": [{"type": "Bus"}]}]}),
    ({"notification": {"attributes": ["speed"]}}, {"infos": [{**CAR, "relationshipNames": ["speed"]}]},
     {"infos": [{**CAR, "propertyNames": ["load"]}]}),
    ({"csf": "brand==\"a\""}, {"brand": "a"}, {"brand": "b"}),
    ({"scopeQ": "/a/#"}, {"scope": "/a/b"}, {"scope": "/b"}),
    ({"geoQ": {"georel": "near;maxDistance==1000", "geometry": "Point", "coordinates": [1, 2]}},
     {"location": {"type": "Point", "coordinates": [1, 2]}}, {"location": {"type": "Point", "coordinates": [2, 2]}}),
    ({"temporalQ": {"timerel": "before", "timeAt": "2020-06-01T00:00:00Z"}}, {"observationInterval": SPAN}, {}),
    ({"temporalQ": {"timerel": "after", "timeAt": "2020-06-01T00:00:00Z", "timeproperty": "createdAt"}},
     {"managementInterval": SPAN}, {"observationInterval": SPAN}),
    ({}, {}, {"observationInterval": SPAN}),
    ({"datasetId": ["urn:d:1"]}, {"datasetId": ["urn:d:1"]}, {"datasetId": ["urn:d:2"]}),
], ids=["watched", "told", "csf", "scope", "place", "observed", "managed", "latest", "dataset"])
def test_what_matches(city, tenant, receiver, members, yes, no):
    subscribe(city, subscription(receiver, **members), tenant)
    register(city, tenant, *no.get("infos", []), **{k: v for k, v in no.items() if k != "infos"})
    name = register(city, tenant, *yes.get("infos", []), **{k: v for k, v in yes.items() if k != "infos"})
    assert told(receiver, 1) == [("newlyMatching", [name])]
    receiver.quiet(1, 0.2)


@pytest.mark.clause("5.11.7", "5.8.6")
def test_silent_while_paused_or_expired(city, tenant, receiver):
    name = subscribe(city, subscription(receiver, isActive=False), tenant)
    register(city, tenant)
    receiver.quiet(0)
    no_content(city.patch(f"{PATH}/{name}", {"isActive": True}, headers=tenant))
    assert told(receiver, 1)[0][0] == "newlyMatching"
    soon = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(milliseconds=600)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    no_content(city.patch(f"{PATH}/{name}", {"expiresAt": soon}, headers=tenant))
    while ok(city.get(f"{PATH}/{name}", headers=tenant)).json()["status"] != "expired":
        time.sleep(0.05)
    time.sleep(0.2)  # what was on its way has come
    count = len(receiver.messages)
    register(city, tenant)
    receiver.quiet(count)


@pytest.mark.clause("5.11.7", "5.2.14.2")
def test_counters(city, tenant, receiver):
    name = subscribe(city, subscription(receiver), tenant)
    register(city, tenant)
    receiver.wait(1)
    shown = counted(city, tenant, name, 1)
    assert (shown["status"], shown["timesSent"]) == ("ok", 1) and shown["lastSuccess"] == shown["lastNotification"]
    assert "timesFailed" not in shown and "lastFailure" not in shown


@pytest.mark.clause("5.11.7", "5.2.15")
def test_tried_again_after_a_failure(city, tenant):
    r = Receiver(lambda number, body: 500 if number == 0 else 200)
    try:
        name = subscribe(city, subscription(r, {"cooldown": 50}), tenant)
        register(city, tenant)
        assert len(r.bodies(2)) == 2
        shown = counted(city, tenant, name, 2)
        assert (shown["status"], shown["timesSent"], shown["timesFailed"]) == ("ok", 2, 1)
    finally:
        r.close()


@pytest.mark.clause("5.11.7")
def test_at_an_interval_with_everything_that_matches(city, tenant, receiver):
    names = sorted(register(city, tenant) for _ in range(2))
    subscribe(city, subscription(receiver, timeInterval=1), tenant)
    assert told(receiver, 3)[:3] == [("newlyMatching", names)] * 3


@pytest.mark.clause("5.11.7", "5.3.2")
def test_a_message_that_comes_again_has_the_same_id(city, tenant):
    """So that receivers can tell; what changes meanwhile is the next one's."""
    r = Receiver(lambda number, body: 500 if number == 1 else 200)
    try:
        first = register(city, tenant)
        subscribe(city, subscription(r, {"cooldown": 300}), tenant)
        r.wait(1)
        no_content(city.patch(f"csourceRegistrations/{first}", {"description": "d"}, headers=tenant))
        r.wait(2)
        no_content(city.patch(f"csourceRegistrations/{first}", {"description": "e"}, headers=tenant))
        initial, failed, again, last = r.bodies(4)
        assert again["id"] == failed["id"] and again["data"] == failed["data"]
        assert len({b["id"] for b in (initial, failed, last)}) == 3
        assert [b["data"][0].get("description") for b in (initial, again, last)] == [None, "d", "e"]
    finally:
        r.close()


@pytest.mark.clause("5.11.3", "5.11.7")
def test_changed_while_everything_is_being_told(city, tenant):
    """5.11.3.4: told anew, also when the message of before is still under way."""
    def answer(number, body):
        if number == 0:
            time.sleep(0.5)
        return 200
    r = Receiver(answer)
    try:
        there = register(city, tenant)
        name = subscribe(city, subscription(r), tenant)
        time.sleep(0.2)
        no_content(city.patch(f"{PATH}/{name}", {"notification": {"endpoint": {"uri": r.uri}, "sysAttrs": True}}, headers=tenant))
        assert told(r, 2) == [("newlyMatching", [there])] * 2
        assert "createdAt" in r.bodies(2)[1]["data"][0]
    finally:
        r.close()


@pytest.mark.clause("5.9.2", "5.11.7")
def test_an_expired_registration_is_deleted_and_told_of(city, tenant, receiver):
    soon = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(milliseconds=400)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    subscribe(city, subscription(receiver), tenant)
    name = register(city, tenant, expiresAt=soon)
    assert told(receiver, 2) == [("newlyMatching", [name]), ("noLongerMatching", [name])]


@pytest.mark.clause("5.11.7", "5.5.7")
def test_names_are_those_of_the_subscriptions_context(city, tenant, receiver):
    context = {"Car": "https://cars.org/Car"}
    ok(city.post(PATH, {**subscription(receiver), "@context": [context, CORE]}, headers={**tenant, **LD}), 201)
    register(city, tenant, {"entities": [{"type": "https://cars.org/Car"}]})
    assert receiver.bodies(1)[0]["data"][0]["information"] == [{"entities": [{"type": "Car"}]}]


@pytest.mark.clause("5.11.7")
def test_goes_on_after_a_restart(new_city, receiver):
    city = new_city()
    name = register(city, {})
    subscribe(city, subscription(receiver), {})
    assert told(receiver, 1) == [("newlyMatching", [name])]
    city.restart()
    receiver.quiet(1)
    no_content(city.patch(f"csourceRegistrations/{name}", {"description": "d"}))
    assert told(receiver, 2)[1] == ("updated", [name])


@pytest.mark.clause("5.11.7", "5.2.14.2")
def test_counters_outlive_a_restart(new_city, receiver):
    city = new_city()
    register(city, {})
    name = subscribe(city, subscription(receiver), {})
    before = counted(city, {}, name, 1)
    city.restart()
    assert ok(city.get(f"{PATH}/{name}")).json()["notification"] == before
    register(city, {})
    assert counted(city, {}, name, 2)["timesSent"] == 2
