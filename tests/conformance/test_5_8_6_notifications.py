"""Notification behaviour (clause 5.8.6): what triggers one, what is in it, and when it comes."""
import time

import pytest
from ngsi import CORE, DEFAULT, LD, NULL, link
from receiver import Receiver

pytestmark = pytest.mark.clause("5.8.6")


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def subscribe(city, receiver, tenant):
    """Subscribes to Buildings of a tenant of its own; members and those of notification as given."""
    made = []

    def make(notification=None, endpoint=None, headers=None, **members):
        body = {"type": "Subscription", "entities": [{"type": "Building"}],
                "notification": {"endpoint": {"uri": receiver.uri, **(endpoint or {})}, **(notification or {})}}
        body.update(members)
        body = {name: value for name, value in body.items() if value is not None}
        answer = city.post("subscriptions", body, headers={**tenant, **(headers or {})})
        assert answer.status_code == 201, answer.text
        made.append(answer.headers["Location"].rsplit("/", 1)[1])
        return made[-1]
    yield make
    for name in made:
        city.delete(f"subscriptions/{name}", headers=tenant)


def building(urn, **attributes):
    return {"id": urn("Building"), "type": "Building", **attributes}


def prop(value, **members):
    return {"type": "Property", "value": value, **members}


def put(city, tenant, entity, **kwargs):
    answer = city.post("entities", entity, headers=tenant, **kwargs)
    assert answer.status_code == 201, answer.text
    return entity["id"]


def change(city, tenant, name, fragment):
    answer = city.patch(f"entities/{name}/attrs", fragment, headers=tenant)
    assert answer.status_code in (204, 207), answer.text


def test_the_message(city, tenant, subscribe, receiver, urn):
    """Clauses 5.3.1 and 6.3.8: members, media type, Link to the @context, tenant."""
    name = subscribe()
    entity = put(city, tenant, building(urn, height=prop(7)))
    (headers, body), = receiver.wait()
    assert set(body) == {"id", "type", "subscriptionId", "notifiedAt", "data"}
    assert body["id"].startswith("urn:") and body["type"] == "Notification"
    assert body["subscriptionId"] == name
    assert body["notifiedAt"].endswith("Z")
    assert body["data"] == [{"id": entity, "type": "Building", "height": prop(7)}]
    assert headers["Content-Type"] == "application/json"
    assert headers["Link"] == link(CORE)["Link"]
    assert headers["NGSILD-Tenant"] == tenant["NGSILD-Tenant"]


def test_counters(city, tenant, subscribe, receiver, urn):
    """Clause 5.2.14.2."""
    name = subscribe()
    put(city, tenant, building(urn))
    put(city, tenant, {**building(urn, height=prop(7)), "id": urn("Building", 1)})
    receiver.wait()
    for _ in range(50):
        told = city.get(f"subscriptions/{name}", headers=tenant).json()["notification"]
        if told.get("timesSent"):
            break
        time.sleep(0.05)
    assert told["timesSent"] == 1 and told["status"] == "ok"
    assert told["lastNotification"] and told["lastSuccess"]
    assert "lastFailure" not in told


def test_what_a_receiver_misses_is_counted(city, tenant, subscribe, receiver, urn):
    """Own members beside those of clause 5.2.14.2: nothing is merged or dropped silently."""
    def shown(member, value):
        for _ in range(100):
            told = city.get(f"subscriptions/{name}", headers=tenant).json()["notification"]
            if told.get(member) == value:
                break
            time.sleep(0.02)
        return told
    name = subscribe(throttling=60)
    entity = put(city, tenant, building(urn, height=prop(0)))
    assert shown("timesSent", 1).keys().isdisjoint({"changesMerged", "changesDropped"})
    for height in range(1, 5):
        change(city, tenant, entity, {"height": prop(height)})
    told = shown("changesMerged", 3)
    assert told["changesMerged"] == 3 and "changesDropped" not in told
    city.patch(f"subscriptions/{name}", {"isActive": False}, headers=tenant)
    told = shown("changesDropped", 1)
    assert (told["changesMerged"], told["changesDropped"], told["timesSent"]) == (3, 1, 1)


# ---- what triggers a notification ----

WHAT = ["entityCreated", "attributeUpdated", "attributeCreated", "attributeDeleted", "entityDeleted"]


@pytest.mark.parametrize("triggers, expected", [
    (None, ["entityCreated", "attributeUpdated", "attributeCreated"]),
    (["entityCreated"], ["entityCreated"]),
    (["entityUpdated"], ["entityCreated", "attributeUpdated", "attributeCreated", "attributeDeleted", "entityDeleted"]),
    (["entityDeleted"], ["entityDeleted"]),
    (["attributeCreated"], ["entityCreated", "attributeCreated"]),
    (["attributeUpdated"], ["attributeUpdated"]),
    (["attributeDeleted"], ["attributeDeleted", "entityDeleted"]),
])
def test_triggers(city, tenant, subscribe, receiver, urn, triggers, expected):
    """An entity's creation creates its attributes, its deletion deletes them."""
    subscribe(notificationTrigger=triggers)
    steps = {
        "entityCreated": lambda: put(city, tenant, building(urn, height=prop(1))),
        "attributeUpdated": lambda: change(city, tenant, urn("Building"), {"height": prop(2)}),
        "attributeCreated": lambda: city.post(f"entities/{urn('Building')}/attrs", {"floors": prop(3)}, headers=tenant),
        "attributeDeleted": lambda: city.delete(f"entities/{urn('Building')}/attrs/floors", headers=tenant),
        "entityDeleted": lambda: city.delete(f"entities/{urn('Building')}", headers=tenant),
    }
    count = 0
    for what in WHAT:
        steps[what]()
        if what in expected:
            count += 1
            receiver.wait(count)
        else:
            receiver.quiet(count, 0.15)


def test_the_same_value_is_no_change(city, tenant, subscribe, receiver, urn):
    subscribe(notificationTrigger=["attributeUpdated"])
    name = put(city, tenant, building(urn, height=prop(1, unitCode="MTR")))
    change(city, tenant, name, {"height": prop(1, unitCode="MTR")})
    receiver.quiet(0)
    change(city, tenant, name, {"height": prop(1, unitCode="KMT")})
    receiver.wait(1)


def test_a_sub_attribute_is_part_of_its_attribute(city, tenant, subscribe, receiver, urn):
    subscribe(notificationTrigger=["attributeUpdated"])
    name = put(city, tenant, building(urn, height=prop(1, accuracy=prop(5))))
    change(city, tenant, name, {"height": prop(1, accuracy=prop(6))})
    assert receiver.bodies()[0]["data"][0]["height"]["accuracy"] == prop(6)


def test_watched_attributes(city, tenant, subscribe, receiver, urn):
    subscribe(watchedAttributes=["height"])
    name = put(city, tenant, building(urn, floors=prop(1)))
    change(city, tenant, name, {"floors": prop(2)})
    receiver.quiet(0)
    city.post(f"entities/{name}/attrs", {"height": prop(9)}, headers=tenant)
    change(city, tenant, name, {"height": prop(10), "floors": prop(4)})
    assert [e["height"]["value"] for e in receiver.entities(2)] == [9, 10]


def test_names_that_nothing_had_when_the_subscription_came(city, tenant, subscribe, receiver, urn):
    kind = f"Novel{urn('x').split(':')[-1].replace('-', '')}"
    subscribe(entities=[{"type": kind}], watchedAttributes=[f"{kind}Height"], q=f"{kind}Floors>1",
              notification={"pick": ["id", f"{kind}Height"]})
    put(city, tenant, {"id": urn(kind), "type": kind, f"{kind}Height": prop(1), f"{kind}Floors": prop(2)})
    assert receiver.entities(1) == [{"id": urn(kind), f"{kind}Height": prop(1)}]


@pytest.mark.parametrize("selector, hit", [
    ({"type": "Building"}, True), ({"type": "Tower"}, False), ({"type": "Tower|Building"}, True),
    ({"type": "(Tower;Building)"}, False), ({"type": "*"}, True),
    ({"type": "Building", "id": "own"}, True), ({"type": "Building", "id": "urn:ngsi-ld:Building:other"}, False),
    ({"type": "Building", "id": ["urn:ngsi-ld:Building:other", "own"]}, True),
    ({"type": "Building", "idPattern": "^urn:ngsi-ld:Building:"}, True),
    ({"type": "Building", "idPattern": "^urn:ngsi-ld:Tower:"}, False),
    ({"type": "Building", "idPattern": "uilding"}, True),
    ({"type": "Building", "id": "own", "idPattern": "^nothing$"}, True),  # id goes first: clause 5.2.33
])
@pytest.mark.clause("5.2.33")
def test_selectors(city, tenant, subscribe, receiver, urn, selector, hit):
    own = urn("Building")
    names = selector.get("id")
    if isinstance(names, list):
        selector = {**selector, "id": [own if n == "own" else n for n in names]}
    elif names == "own":
        selector = {**selector, "id": own}
    subscribe(entities=[{"type": "Nothing"}, selector])
    put(city, tenant, building(urn, height=prop(1)))
    receiver.wait(1) if hit else receiver.quiet(0)


POINT = {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [8.5, 47.4]}}


@pytest.mark.parametrize("members, hit", [
    ({"q": "height>5"}, True), ({"q": "height>7"}, False), ({"q": 'use=="school";height==7'}, True),
    ({"q": 'use=="church"'}, False), ({"q": "!height"}, False), ({"q": 'tags=="b"'}, True),
    # clause 4.9: percent-encoded is what stands in a URI, and this does not
    ({"q": 'name=="Eight %25"'}, True), ({"q": 'name=="Eight%20%2525"'}, False), ({"q": 'name=="Eight %"'}, False),
    ({"scopeQ": "/city/#"}, True), ({"scopeQ": "/city/west"}, True), ({"scopeQ": "/town/#"}, False),
    ({"scopeQ": "/city"}, False), ({"scopeQ": "/city/+"}, True), ({"scopeQ": "(/city/west;/owner)|/none"}, True),
    ({"geoQ": {"geometry": "Point", "coordinates": [8.5001, 47.4], "georel": "near;maxDistance==1000"}}, True),
    ({"geoQ": {"geometry": "Point", "coordinates": [9.5, 47.4], "georel": "near;maxDistance==1000"}}, False),
    ({"geoQ": {"geometry": "Point", "coordinates": [9.5, 47.4], "georel": "near;minDistance==1000"}}, True),
    ({"geoQ": {"geometry": "Polygon", "georel": "within",
               "coordinates": [[[8, 47], [9, 47], [9, 48], [8, 48], [8, 47]]]}}, True),
    ({"q": "height>5", "scopeQ": "/town/#"}, False),
    ({"q": "height>5", "scopeQ": "/city/#",
      "geoQ": {"geometry": "Point", "coordinates": [8.5, 47.4], "georel": "near;maxDistance==10"}}, True),
])
@pytest.mark.clause("4.9", "4.10", "4.19")
def test_conditions(city, tenant, subscribe, receiver, urn, members, hit):
    subscribe(**members)
    put(city, tenant, building(urn, height=prop(7), use=prop("school"), tags=prop(["a", "b"]), location=POINT, name=prop("Eight %25"),
                               scope=["/city/west", "/owner"]))
    receiver.wait(1) if hit else receiver.quiet(0)


def test_a_condition_is_about_the_new_version(city, tenant, subscribe, receiver, urn):
    subscribe(q="height>5")
    name = put(city, tenant, building(urn, height=prop(1)))
    change(city, tenant, name, {"height": prop(6)})
    change(city, tenant, name, {"height": prop(2)})
    change(city, tenant, name, {"height": prop(8)})
    assert [e["height"]["value"] for e in receiver.entities(2)] == [6, 8]
    receiver.quiet(len(receiver.messages), 0.2)


def test_a_condition_follows_relationships(city, tenant, subscribe, receiver, urn):
    put(city, tenant, {"id": urn("Owner"), "type": "Owner", "age": prop(40)})
    subscribe(q="owner{age}>30")
    for number, owner in ((0, urn("Owner")), (1, urn("Owner", "none"))):
        put(city, tenant, {"id": urn("Building", number), "type": "Building",
                           "owner": {"type": "Relationship", "object": owner}})
    assert [e["id"] for e in receiver.entities(1)] == [urn("Building", 0)]
    receiver.quiet(1, 0.2)


def test_other_tenants_hear_nothing(city, subscribe, receiver, urn):
    subscribe()
    put(city, {}, building(urn, height=prop(7)))
    receiver.quiet(0)


# ---- when it is sent ----

def test_paused_and_expired(city, tenant, subscribe, receiver, urn):
    name = subscribe(isActive=False)
    entity = put(city, tenant, building(urn, height=prop(1)))
    receiver.quiet(0, 0.2)
    city.patch(f"subscriptions/{name}", {"isActive": True}, headers=tenant)
    change(city, tenant, entity, {"height": prop(2)})
    assert receiver.entities(1)[0]["height"]["value"] == 2
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
    city.patch(f"subscriptions/{name}", {"expiresAt": soon}, headers=tenant)
    time.sleep(2.2)
    change(city, tenant, entity, {"height": prop(3)})
    receiver.quiet(1, 0.3)
    assert city.get(f"subscriptions/{name}", headers=tenant).json()["status"] == "expired"


def test_a_deleted_subscription_is_silent(city, tenant, subscribe, receiver, urn):
    name = subscribe()
    city.delete(f"subscriptions/{name}", headers=tenant)
    put(city, tenant, building(urn, height=prop(1)))
    receiver.quiet(0, 0.3)


def test_throttling(city, tenant, subscribe, receiver, urn):
    """Clause 5.2.12; what changes meanwhile is told in the end, as it is then."""
    name = subscribe(throttling=1)
    entity = put(city, tenant, building(urn, height=prop(0)))
    receiver.wait(1)
    for value in (1, 2, 3):
        change(city, tenant, entity, {"height": prop(value)})
    receiver.quiet(1, 0.5)
    second = receiver.bodies(2)[1]
    assert [e["height"]["value"] for e in second["data"]] == [3]
    assert receiver.times[1] - receiver.times[0] > 0.95
    receiver.quiet(2, 0.3)
    assert city.get(f"subscriptions/{name}", headers=tenant).json()["notification"]["timesSent"] == 2


def test_time_interval(city, tenant, subscribe, receiver, urn):
    subscribe(timeInterval=1, q="height>1")
    receiver.quiet(0, 1.2)  # no entity, no notification
    for number in range(3):
        put(city, tenant, {"id": urn("Building", number), "type": "Building", "height": prop(number + 1)})
    first, second = receiver.bodies(2)
    for body in (first, second):
        assert [e["id"] for e in body["data"]] == [urn("Building", 1), urn("Building", 2)]
    assert 0.8 < receiver.times[1] - receiver.times[0] < 1.3


def test_versions_of_an_entity_come_in_order(city, tenant, subscribe, receiver, urn):
    subscribe()
    entity = put(city, tenant, building(urn, height=prop(0)))
    for value in range(1, 60):
        change(city, tenant, entity, {"height": prop(value)})
    assert [e["height"]["value"] for e in receiver.entities(60)] == list(range(60))
    for body in receiver.bodies(len(receiver.messages)):
        assert len({e["id"] for e in body["data"]}) == len(body["data"])


def test_a_batch_may_go_in_one_message(city, tenant, subscribe, receiver, urn):
    subscribe()
    body = [{"id": urn("Building", n), "type": "Building", "height": prop(n)} for n in range(30)]
    city.post("entityOperations/create", body, headers=tenant)
    assert [e["id"] for e in receiver.entities(30)] == [e["id"] for e in body]


# ---- failures ----

def test_a_failure_is_tried_again_after_the_cooldown(city, tenant, subscribe, receiver, urn):
    receiver.answer = lambda number, body: 500 if number == 0 else 200
    name = subscribe(endpoint={"cooldown": 600})
    put(city, tenant, building(urn, height=prop(1)))
    first, second = receiver.bodies(2)
    assert first["id"] == second["id"] and first["data"] == second["data"]
    assert receiver.times[1] - receiver.times[0] > 0.55
    time.sleep(0.2)
    told = city.get(f"subscriptions/{name}", headers=tenant).json()["notification"]
    assert (told["timesSent"], told["timesFailed"], told["status"]) == (2, 1, "ok")
    assert told["lastFailure"] < told["lastSuccess"]


def test_a_receiver_that_never_answers_holds_nobody_up(city, tenant, subscribe, receiver, urn):
    dead = Receiver(lambda number, body: None)
    try:
        name = subscribe(endpoint={"uri": dead.uri, "timeout": 300, "cooldown": 200})
        subscribe()
        begin = time.monotonic()
        entity = put(city, tenant, building(urn, height=prop(0)))
        for value in range(1, 20):
            change(city, tenant, entity, {"height": prop(value)})
        assert len(receiver.entities(20)) == 20
        assert time.monotonic() - begin < 3
        dead.wait(2)
        time.sleep(0.5)
        told = city.get(f"subscriptions/{name}", headers=tenant).json()["notification"]
        assert told["status"] == "failed" and told["timesFailed"] >= 1
    finally:
        dead.close()


def configured(new_city, folder, text):
    config = folder / "limits.toml"
    config.write_text("[subscriptions]\n" + text)
    return new_city("--config", str(config))


def test_what_waits_too_long_is_merged(new_city, tmp_path, urn):
    """The oldest of the same entity goes into the newest; nothing is lost but what lies between."""
    receiver = Receiver(lambda number, body: 503 if number < 2 else 200)
    city = configured(new_city, tmp_path, 'waiting = 10\ncooldown = "1 s"\n')
    try:
        body = {"type": "Subscription", "entities": [{"type": "Building"}],
                "notification": {"endpoint": {"uri": receiver.uri}, "showChanges": True}}
        assert city.post("subscriptions", body).status_code == 201
        entity = put(city, {}, building(urn, height=prop(0)))
        receiver.wait(1)
        for value in range(1, 101):
            change(city, {}, entity, {"height": prop(value)})
        deadline = time.monotonic() + 15
        while receiver.messages[-1][1]["data"][-1]["height"]["value"] != 100 and time.monotonic() < deadline:
            time.sleep(0.1)
        told = [body["data"][0]["height"] for body in receiver.bodies(len(receiver.messages))][2:]
        assert told[0]["value"] == 0 and told[-1]["value"] == 100
        for earlier, later in zip(told, told[1:]):  # each says what was told before it
            assert later["previousValue"] == earlier["value"]
        assert "wellspring_notifications_merged_total 91" in city.get("/metrics").text
    finally:
        receiver.close()


# ---- representations ----

def attributes(urn):
    return building(urn, height=prop(7, unitCode="MTR"), use=prop("school"), location=POINT,
                    owner={"type": "Relationship", "object": "urn:ngsi-ld:Owner:1"},
                    names={"type": "LanguageProperty", "languageMap": {"en": "House", "de": "Haus"}})


@pytest.mark.parametrize("notification, expected", [
    ({"format": "simplified", "attributes": ["height", "owner"]},
     {"type": "Building", "height": 7, "owner": "urn:ngsi-ld:Owner:1"}),
    ({"format": "keyValues", "pick": ["id", "use"]}, {"use": "school"}),
    ({"format": "concise", "pick": ["id", "height", "use"]}, {"height": {"value": 7, "unitCode": "MTR"}, "use": "school"}),
    ({"omit": ["height", "location", "owner", "names", "type"]}, {"use": prop("school")}),
])
@pytest.mark.clause("4.5.4", "4.21")
def test_formats_and_projections(city, tenant, subscribe, receiver, urn, notification, expected):
    subscribe(notification=notification)
    name = put(city, tenant, attributes(urn))
    assert receiver.entities(1) == [{"id": name, **expected}]


def test_a_projection_that_leaves_nothing_sends_nothing(city, tenant, subscribe, receiver, urn):
    subscribe(notification={"pick": ["colour"]})
    put(city, tenant, attributes(urn))
    receiver.quiet(0, 0.3)


def test_language_filter(city, tenant, subscribe, receiver, urn):
    subscribe(lang="de", notification={"pick": ["names"]})
    put(city, tenant, attributes(urn))
    assert receiver.entities(1) == [{"names": {"type": "Property", "value": "Haus", "lang": "de"}}]


def test_datasets(city, tenant, subscribe, receiver, urn):
    subscribe(datasetId=["urn:x:a", "@none"], notification={"pick": ["height"], "format": "concise"})
    put(city, tenant, building(urn, height=[prop(1), prop(2, datasetId="urn:x:a"), prop(3, datasetId="urn:x:b")]))
    assert receiver.entities(1) == [{"height": [{"value": 1}, {"value": 2, "datasetId": "urn:x:a"}]}] or \
        receiver.entities(1) == [{"height": [1, {"value": 2, "datasetId": "urn:x:a"}]}]


def test_system_attributes(city, tenant, subscribe, receiver, urn):
    subscribe(notification={"sysAttrs": True, "pick": ["id", "height"]})
    put(city, tenant, building(urn, height=prop(7)))
    entity, = receiver.entities(1)
    assert {"createdAt", "modifiedAt"} <= set(entity) and {"createdAt", "modifiedAt"} <= set(entity["height"])


def test_json_ld_has_the_context_inside(city, tenant, subscribe, receiver, urn):
    subscribe(endpoint={"accept": "application/ld+json"})
    put(city, tenant, building(urn, height=prop(7)))
    (headers, body), = receiver.wait()
    assert headers["Content-Type"] == "application/ld+json" and "Link" not in headers
    assert body["data"][0]["@context"] == CORE and body["@context"] == CORE


@pytest.mark.parametrize("prefer", [None, "body=json", "body=ld+json"])
def test_geojson(city, tenant, subscribe, receiver, urn, prefer):
    """Clauses 5.2.30, 6.3.8."""
    info = {"receiverInfo": [{"key": "Prefer", "value": prefer}]} if prefer else {}
    subscribe(endpoint={"accept": "application/geo+json", **info}, notification={"pick": ["id", "type", "location", "height"]})
    name = put(city, tenant, attributes(urn))
    (headers, body), = receiver.wait()
    assert headers["Content-Type"] == "application/geo+json"
    assert body["data"]["type"] == "FeatureCollection"
    feature, = body["data"]["features"]
    assert feature["id"] == name and feature["geometry"] == POINT["value"]
    assert feature["properties"]["height"] == prop(7, unitCode="MTR")
    if prefer == "body=json":
        assert "@context" not in body["data"] and headers["Link"] == link(CORE)["Link"]
    else:
        assert body["data"]["@context"] == CORE and "Link" not in headers


def test_receiver_info(city, tenant, subscribe, receiver, urn):
    """Clause 6.3.8."""
    subscribe(endpoint={"receiverInfo": [{"key": "Authorization", "value": "Bearer x"}, {"key": "X-Mine", "value": "1"}]})
    put(city, tenant, building(urn, height=prop(7)))
    (headers, _), = receiver.wait()
    assert headers["Authorization"] == "Bearer x" and headers["X-Mine"] == "1"


def test_an_earlier_version(city, tenant, subscribe, receiver, urn):
    """Clause 4.3.6.8."""
    subscribe(ngsildConformance="1.3", notification={"pick": ["names", "scope"]})
    put(city, tenant, {**attributes(urn), "scope": "/city"})
    assert receiver.entities(1) == [{"names": prop({"en": "House", "de": "Haus"})}]


def test_linked_entities(city, tenant, subscribe, receiver, urn):
    """Clause 4.5.23."""
    put(city, tenant, {"id": urn("Owner"), "type": "Owner", "age": prop(40)})
    owned = building(urn, owner={"type": "Relationship", "object": urn("Owner"), "objectType": "Owner"})
    flat = subscribe(notification={"join": "flat"})
    inline = subscribe(notification={"join": "inline"})
    name = put(city, tenant, owned)
    told = {body["subscriptionId"]: body["data"] for body in receiver.bodies(2)}
    assert [e["id"] for e in told[flat]] == [name, urn("Owner")]
    entity, = told[inline]
    assert entity["owner"]["entity"]["age"] == prop(40)


# ---- changes and deletions ----

def test_show_changes(city, tenant, subscribe, receiver, urn):
    subscribe(notification={"showChanges": True, "pick": ["height", "use", "owner", "names"]})
    name = put(city, tenant, attributes(urn))
    assert "previousValue" not in str(receiver.entities(1))
    change(city, tenant, name, {"height": prop(8, unitCode="MTR"),
                                "owner": {"type": "Relationship", "object": "urn:ngsi-ld:Owner:2"},
                                "names": {"type": "LanguageProperty", "languageMap": {"en": "Home"}}})
    assert receiver.entities(2)[1] == {
        "height": prop(8, previousValue=7, unitCode="MTR"), "use": prop("school"),
        "owner": {"type": "Relationship", "object": "urn:ngsi-ld:Owner:2", "previousObject": "urn:ngsi-ld:Owner:1"},
        "names": {"type": "LanguageProperty", "languageMap": {"en": "Home"},
                  "previousLanguageMap": {"en": "House", "de": "Haus"}}}


@pytest.mark.parametrize("notification, expected", [
    ({}, {"type": "LanguageProperty", "languageMap": {"@none": NULL}}),
    ({"format": "simplified"}, NULL),
    ({"format": "concise"}, NULL),
    ({"showChanges": True}, {"type": "LanguageProperty", "languageMap": {"@none": NULL},
                             "previousLanguageMap": {"en": "House", "de": "Haus"}}),
])
@pytest.mark.clause("4.5.0")
def test_a_deleted_attribute(city, tenant, subscribe, receiver, urn, notification, expected):
    subscribe(notification=notification, notificationTrigger=["attributeDeleted"])
    name = put(city, tenant, attributes(urn))
    city.delete(f"entities/{name}/attrs/names", headers=tenant)
    entity, = receiver.entities(1)
    assert entity["names"] == expected or (notification.get("format") == "simplified" and
                                           entity["names"] == {"@none": NULL})
    assert "height" in entity


def test_a_deleted_instance_keeps_its_dataset(city, tenant, subscribe, receiver, urn):
    subscribe(notification={"sysAttrs": True}, notificationTrigger=["attributeDeleted"])
    name = put(city, tenant, building(urn, height=[prop(1), prop(2, datasetId="urn:x:a")]))
    city.delete(f"entities/{name}/attrs/height?datasetId=urn:x:a", headers=tenant)
    entity, = receiver.entities(1)
    gone = entity["height"][1]
    assert gone["value"] == NULL and gone["datasetId"] == "urn:x:a" and gone["deletedAt"]
    assert "deletedAt" not in entity["height"][0] and "deletedAt" not in entity


def test_an_attribute_that_is_gone_with_all_instances(city, tenant, subscribe, receiver, urn):
    subscribe(notificationTrigger=["attributeDeleted"])
    name = put(city, tenant, building(urn, height=[prop(1), prop(2, datasetId="urn:x:a")]))
    city.delete(f"entities/{name}/attrs/height?deleteAll=true", headers=tenant)
    assert receiver.entities(1)[0]["height"] == prop(NULL)


@pytest.mark.parametrize("notification, triggers, members", [
    ({}, ["entityDeleted"], {"id", "type", "deletedAt"}),
    ({"sysAttrs": True}, ["entityDeleted"], {"id", "type", "deletedAt", "createdAt", "modifiedAt"}),
    ({"showChanges": True}, ["entityDeleted"], {"id", "type", "deletedAt", "height", "use", "location", "owner", "names"}),
    ({}, ["attributeDeleted"], {"id", "type", "deletedAt", "height"}),
])
def test_a_deleted_entity(city, tenant, subscribe, receiver, urn, notification, triggers, members):
    watched = ["height"] if triggers == ["attributeDeleted"] else None
    subscribe(notification=notification, notificationTrigger=triggers, watchedAttributes=watched)
    name = put(city, tenant, attributes(urn))
    city.delete(f"entities/{name}", headers=tenant)
    entity, = receiver.entities(1)
    assert set(entity) == members
    if "height" in members:
        assert entity["height"]["value"] == NULL
        assert entity["height"].get("previousValue") == (7 if notification else None)


# ---- the @context ----

def test_names_are_compacted_by_the_subscriptions_context(city, tenant, subscribe, receiver, urn):
    subscribe(headers=LD, **{"@context": [{"tallness": DEFAULT + "height"}, CORE], "jsonldContext": CORE},
              notification={"pick": ["tallness"]})
    put(city, tenant, attributes(urn))
    assert receiver.entities(1) == [{"height": prop(7, unitCode="MTR")}]


# ---- across a restart ----

def test_counters_and_subscriptions_outlive_a_restart(new_city, receiver, urn):
    city = new_city()
    body = {"type": "Subscription", "entities": [{"type": "Building"}], "notification": {"endpoint": {"uri": receiver.uri}}}
    name = city.post("subscriptions", body).headers["Location"].rsplit("/", 1)[1]
    entity = put(city, {}, building(urn, height=prop(1)))
    receiver.wait(1)
    city.restart()
    assert city.get(f"subscriptions/{name}").json()["notification"]["timesSent"] == 1
    change(city, {}, entity, {"height": prop(2)})
    assert [e["height"]["value"] for e in receiver.entities(2)] == [1, 2]
    receiver.quiet(2, 0.3)


def test_what_waits_outlives_a_restart(new_city, tmp_path, urn):
    receiver = Receiver(lambda number, body: 503)
    city = configured(new_city, tmp_path, 'cooldown = "300 ms"\n')
    try:
        body = {"type": "Subscription", "entities": [{"type": "Building"}], "notification": {"endpoint": {"uri": receiver.uri}}}
        city.post("subscriptions", body)
        entity = put(city, {}, building(urn, height=prop(0)))
        for value in range(1, 5):
            change(city, {}, entity, {"height": prop(value)})
        receiver.wait(1)
        city.restart()
        before = len(receiver.messages)
        receiver.answer = lambda number, body: 200
        receiver.wait(before + 5)
        told = [e["height"]["value"] for _, body in receiver.messages[before:] for e in body["data"]]
        assert [v for i, v in enumerate(told) if v not in told[:i]] == [0, 1, 2, 3, 4]
        ids = {body["id"] for _, body in receiver.messages}
        assert len(ids) == 5  # the same notification has the same id again
    finally:
        receiver.close()
