"""Subscriptions as documents: created, changed, shown, listed and deleted (notifications: test_5_8_6)."""
import datetime
import threading

import pytest

from ngsi import ACCEPT_LD, CORE, DEFAULT, LD, MERGE, NULL, no_content, ok, refused

ENDPOINT = {"uri": "http://127.0.0.1:9/notify"}
NOTIFICATION = {"endpoint": ENDPOINT}
PAIRS = {"receiverInfo": [{"key": "Authorization", "value": "Bearer x"}]}
SEEN = "2030-01-01T00:00:00Z"


def subscription(**members):
    return {"type": "Subscription", "entities": [{"type": "Car"}], "notification": NOTIFICATION, **members}


def without(subscription, *names):
    return {k: v for k, v in subscription.items() if k not in names}


def to(endpoint=None, **members):
    return subscription(notification={"endpoint": endpoint or ENDPOINT, **members})


def create(city, body, headers=None):
    answer = ok(city.post("subscriptions", body, headers=headers), 201)
    assert answer.content == b""
    return answer.headers["Location"].removeprefix("/ngsi-ld/v1/subscriptions/")


def get(city, name, query="", headers=None):
    return ok(city.get(f"subscriptions/{name}{query}", headers=headers)).json()


# ---- create ----

@pytest.mark.clause("5.8.1", "6.10.3.1")
def test_created_with_an_id_of_its_own_or_a_new_one(city, urn):
    name = urn("Subscription")
    assert create(city, subscription(id=name)) == name
    refused(city.post("subscriptions", subscription(id=name)), "AlreadyExists")
    made = [create(city, subscription()) for _ in range(2)]
    assert made[0] != made[1] and all(m.startswith("urn:ngsi-ld:Subscription:") for m in made)
    assert get(city, made[0])["id"] == made[0]


@pytest.mark.clause("5.8.1", "5.2.12")
def test_everything_is_shown_as_written(city, urn):
    body = {
        "id": urn("Subscription"), "type": "Subscription", "subscriptionName": "s", "description": "d",
        "entities": [{"type": "Car,(Bus;Red)", "id": ["urn:a", "urn:b"], "idPattern": "^urn:.*"}, {"type": "Van"}],
        "watchedAttributes": ["speed", "https://example.org/load"],
        "notificationTrigger": ["entityCreated", "entityDeleted", "attributeDeleted"],
        "q": 'speed>50;owner.name=="Ann"|!(observedAt<2020-01-01T00:00:00Z)',
        "geoQ": {"georel": "near;maxDistance==100", "geometry": "Point", "coordinates": [1, 2], "geoproperty": "place"},
        "scopeQ": "/a/+,/b/#", "csf": "brand==1", "throttling": 2.5, "datasetId": ["@none", "urn:d:1"], "lang": "fr,en;q=0.5",
        "expiresAt": SEEN, "isActive": False, "localOnly": True, "splitEntities": False,
        "jsonldContext": CORE, "ngsildConformance": "1.6",
        "notification": {
            "endpoint": {**ENDPOINT, "accept": "application/ld+json", "timeout": 500, "cooldown": 1000, **PAIRS,
                         "notifierInfo": [{"key": "x", "value": "y"}]},
            "format": "keyValues", "pick": ["id", "owner{name}"], "omit": ["speed"], "join": "inline", "joinLevel": 2,
            "sysAttrs": True, "showChanges": False},
    }
    create(city, body)
    shown = get(city, body["id"])
    assert shown.pop("status") == "paused"
    assert shown == body


@pytest.mark.clause("5.8.1", "5.5.7")
def test_names_are_stored_as_iris_and_shown_by_the_readers_context(city, urn):
    context = {"Car": "https://cars.org/Car", "speed": "https://cars.org/speed", "owner": "https://cars.org/owner"}
    body = subscription(id=urn("Subscription"), watchedAttributes=["speed"], q="speed>50;owner.name==1",
                        notification={**NOTIFICATION, "attributes": ["owner"]})
    ok(city.post("subscriptions", {**body, "@context": [context, CORE]}, headers=LD), 201)
    shown = get(city, body["id"])
    assert shown["entities"] == [{"type": "https://cars.org/Car"}]
    assert shown["watchedAttributes"] == ["https://cars.org/speed"]
    assert shown["q"] == "https://cars.org/speed>50;https://cars.org/owner.name==1"
    assert shown["notification"]["attributes"] == ["https://cars.org/owner"]
    assert "@context" not in shown


@pytest.mark.clause("5.8.1", "5.2.12", "4.9")
def test_values_of_q_are_expanded_where_asked(city, urn):
    name = create(city, subscription(q='kind==Person;name=="x"', expandValues="kind,name", jsonKeys="name"))
    assert get(city, name)["q"] == 'kind=="Person";name=="x"'


@pytest.mark.clause("5.8.1", "5.2.12")
def test_what_is_read_only_or_unknown_is_ignored(city):
    name = create(city, subscription(status="expired", createdAt="2000-01-01T00:00:00Z", unknown={"a": 1},
                                     notification={**NOTIFICATION, "timesSent": 42, "lastSuccess": "2000-01-01T00:00:00Z",
                                                   "status": "failed"}))
    shown = get(city, name)
    assert shown["status"] == "active"
    assert shown["notification"] == NOTIFICATION
    assert "unknown" not in shown and "createdAt" not in shown


@pytest.mark.clause("5.8.1")
def test_the_default_context_of_notifications_is_the_subscriptions(city):
    shown = get(city, create(city, subscription()))
    assert shown["jsonldContext"] == CORE
    assert shown["notificationTrigger"] == ["attributeCreated", "attributeUpdated"]  # the default of 5.2.12


REFUSED = {
    "no type": without(subscription(), "type"),
    "another type": subscription(type="Entity"),
    "id is no URI": subscription(id="x y"),
    "no notification": without(subscription(), "notification"),
    "no endpoint": subscription(notification={}),
    "neither entities nor watchedAttributes": without(subscription(), "entities"),
    "entities empty": subscription(entities=[]),
    "entities no array": subscription(entities={"type": "Car"}),
    "selector without type": subscription(entities=[{"id": "urn:a:b"}]),
    "selector id no URI": subscription(entities=[{"type": "A", "id": "x y"}]),
    "selector idPattern broken": subscription(entities=[{"type": "A", "idPattern": "("}]),
    "selector type broken": subscription(entities=[{"type": "A;;B"}]),
    "local scope denied for every type": subscription(entities=[{"type": "*"}], localOnly=False),
    "watchedAttributes empty": subscription(watchedAttributes=[]),
    "watchedAttributes no names": subscription(watchedAttributes=["a b"]),
    "watchedAttributes with timeInterval": subscription(watchedAttributes=["a"], timeInterval=5),
    "throttling with timeInterval": subscription(throttling=1, timeInterval=5),
    "timeInterval without entities": {**without(subscription(timeInterval=5), "entities")},
    "timeInterval 0": subscription(timeInterval=0),
    "timeInterval a string": subscription(timeInterval="5"),
    "throttling negative": subscription(throttling=-1),
    "unknown trigger": subscription(notificationTrigger=["entityChanged"]),
    "q broken": subscription(q="a=="),
    "q no string": subscription(q=["a"]),
    "csf broken": subscription(csf="(("),
    "scopeQ broken": subscription(scopeQ="//"),
    "geoQ without coordinates": subscription(geoQ={"georel": "within", "geometry": "Point"}),
    "geoQ unknown relation": subscription(geoQ={"georel": "at", "geometry": "Point", "coordinates": [1, 2]}),
    "geoQ bad geometry": subscription(geoQ={"georel": "within", "geometry": "Polygon", "coordinates": [1, 2]}),
    "temporalQ": subscription(temporalQ={"timerel": "before", "timeAt": SEEN}),
    "datasetId no URI": subscription(datasetId=["x y"]),
    "lang": subscription(lang="??"),
    "expiresAt in the past": subscription(expiresAt="2020-01-01T00:00:00Z"),
    "expiresAt no DateTime": subscription(expiresAt="soon"),
    "isActive no boolean": subscription(isActive="true"),
    "jsonldContext cannot be fetched": subscription(jsonldContext="urn:x:y"),
    "ngsildConformance": subscription(ngsildConformance="v1"),
    "NGSI-LD Null": subscription(q=NULL),
    "null": subscription(q=None),
    "format": to(format="geojson"),
    "attributes empty": to(attributes=[]),
    "attributes with id": to(attributes=["id"]),
    "attributes with pick": to(attributes=["a"], pick=["a"]),
    "attributes with omit": to(attributes=["a"], omit=["a"]),
    "pick and omit overlap": to(pick=["a", "b"], omit=["b"]),
    "pick broken": to(pick=["a{"]),
    "pick follows without join": to(pick=["a{b}"]),
    "join": to(join="outer"),
    "joinLevel 0": to(join="flat", joinLevel=0),
    "showChanges simplified": to(showChanges=True, format="keyValues"),
    "uri missing": to({"accept": "application/json"}),
    "uri no URI": to({"uri": "x y"}),
    "uri of another scheme": to({"uri": "ftp://example.org/"}),
    "uri without host": to({"uri": "http:///path"}),
    "mqtt without topic": to({"uri": "mqtt://example.org"}),
    "mqtt quality": to({"uri": "mqtt://example.org/t", "notifierInfo": [{"key": "MQTT-QoS", "value": "3"}]}),
    "mqtt version": to({"uri": "mqtt://example.org/t", "notifierInfo": [{"key": "MQTT-Version", "value": "4"}]}),
    "accept": to({**ENDPOINT, "accept": "text/plain"}),
    "timeout 0": to({**ENDPOINT, "timeout": 0}),
    "cooldown negative": to({**ENDPOINT, "cooldown": -1}),
    "pair without value": to({**ENDPOINT, "receiverInfo": [{"key": "A"}]}),
    "pair value a number": to({**ENDPOINT, "receiverInfo": [{"key": "A", "value": 1}]}),
    "header injection by value": to({**ENDPOINT, "receiverInfo": [{"key": "A", "value": "b\r\nC: d"}]}),
    "header injection by key": to({**ENDPOINT, "receiverInfo": [{"key": "A: b\r\nC", "value": "d"}]}),
    "header of the message": to({**ENDPOINT, "receiverInfo": [{"key": "Content-Length", "value": "3"}]}),
}


@pytest.mark.clause("5.8.1", "5.2.12", "5.2.13", "5.2.14.1", "5.2.15", "5.2.22", "5.2.33")
@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_refused(city, body):
    refused(city.post("subscriptions", body), "BadRequestData")


@pytest.mark.clause("5.8.1", "5.5.4")
def test_refusals_say_where(city):
    body = refused(city.post("subscriptions", to({**ENDPOINT, "receiverInfo": [{"key": "A", "value": "b\n"}]})), "BadRequestData")
    assert body["pointer"] == "/notification/endpoint/receiverInfo/0/value"
    refused(city.post("subscriptions", [subscription()]), "InvalidRequest")
    refused(city.request("POST", "subscriptions", data="{", headers={"Content-Type": "application/json"}), "InvalidRequest")


@pytest.mark.clause("5.8.1", "5.5.13")
def test_local_scope_needs_no_selector(city):
    create(city, without(subscription(localOnly=True), "entities"))
    create(city, without(subscription(watchedAttributes=["a"]), "entities"))
    create(city, without(subscription(localOnly=True, timeInterval=1000), "entities"))


@pytest.mark.clause("5.8.1")
def test_an_unavailable_context_is_refused(city):
    refused(city.post("subscriptions", subscription(jsonldContext="http://127.0.0.1:1/none.jsonld")), "LdContextNotAvailable")


@pytest.mark.clause("5.8.1")
def test_limits_have_names(new_city, tmp_path):
    config = tmp_path / "limits.toml"
    config.write_text("[limits]\nsubscriptions = 2\nsubscription_selectors = 2\nsubscription_bytes = 2000\n"
                      "[subscriptions]\ninterval_min = \"2 s\"\n")
    city = new_city("--config", str(config))
    assert refused(city.post("subscriptions", subscription(entities=[{"type": "A"}] * 3)), "BadRequestData")["limit"] == \
        "limits.subscription_selectors"
    body = refused(city.post("subscriptions", subscription(timeInterval=0.001)), "BadRequestData")
    assert body["limit"] == "subscriptions.interval_min" and body["pointer"] == "/timeInterval"
    large = city.post("subscriptions", subscription(description="x" * 2000))
    assert refused(large, "InvalidRequest", 413)["limit"] == "limits.subscription_bytes"
    names = [create(city, subscription()) for _ in range(2)]
    assert refused(city.post("subscriptions", subscription()), "BadRequestData")["limit"] == "limits.subscriptions"
    create(city, subscription(), headers={"NGSILD-Tenant": "other"})
    no_content(city.delete(f"subscriptions/{names[0]}"))
    name = create(city, subscription(timeInterval=2))
    body = refused(city.patch(f"subscriptions/{name}", {"timeInterval": 1.9}, headers=MERGE), "BadRequestData")
    assert body["limit"] == "subscriptions.interval_min"


# ---- retrieve, query ----

@pytest.mark.clause("5.8.3", "6.11.3.1")
def test_retrieve(city, urn):
    name = create(city, subscription(id=urn("Subscription")))
    plain = ok(city.get(f"subscriptions/{name}"))
    assert plain.headers["Content-Type"] == "application/json" and "json-ld#context" in plain.headers["Link"]
    shown = ok(city.get(f"subscriptions/{name}", headers=ACCEPT_LD)).json()
    assert shown["@context"] == CORE and shown["entities"] == [{"type": "Car"}]
    refused(city.get("subscriptions/none"), "BadRequestData")
    refused(city.get("subscriptions/urn:none"), "ResourceNotFound")
    refused(city.get(f"subscriptions/{name}", headers={"NGSILD-Tenant": "nowhere"}), "NonexistentTenant")


@pytest.mark.clause("5.2.2", "6.3.11")
def test_common_members_where_asked_for(city):
    name = create(city, subscription())
    shown = get(city, name, "?options=sysAttrs")
    assert shown["createdAt"] == shown["modifiedAt"]
    no_content(city.patch(f"subscriptions/{name}", {"isActive": False}))
    later = get(city, name, "?options=sysAttrs")
    assert later["createdAt"] == shown["createdAt"] < later["modifiedAt"]


@pytest.mark.clause("5.8.4", "6.10.3.2", "5.5.9", "6.3.10", "6.3.13")
def test_pages_and_count(city, tenant):
    made = sorted(create(city, subscription(), headers=tenant) for _ in range(5))
    first = ok(city.get("subscriptions?limit=2&count=true", headers=tenant))
    assert first.headers["NGSILD-Results-Count"] == "5"
    assert 'rel="next"' in first.headers["Link"] and 'rel="prev"' not in first.headers["Link"]
    last = ok(city.get("subscriptions?limit=2&offset=4", headers=tenant))
    assert 'rel="prev"' in last.headers["Link"] and 'rel="next"' not in last.headers["Link"]
    assert "NGSILD-Results-Count" not in last.headers
    middle = ok(city.get("subscriptions?limit=2&offset=2", headers=tenant))
    assert [s["id"] for page in (first, middle, last) for s in page.json()] == made
    none = ok(city.get("subscriptions?limit=0&count=true", headers=tenant))
    assert none.json() == [] and none.headers["NGSILD-Results-Count"] == "5"
    refused(city.get("subscriptions?limit=0", headers=tenant), "BadRequestData")
    refused(city.get("subscriptions?type=A", headers=tenant), "InvalidRequest")


# ---- update ----

@pytest.mark.clause("5.8.2", "5.5.8", "6.11.3.2")
def test_members_of_a_fragment_replace_those_there(city):
    name = create(city, subscription(q="a>1", description="d", notification={**NOTIFICATION, "format": "concise"}))
    no_content(city.patch(f"subscriptions/{name}", {"id": name, "type": "Subscription", "q": "b>1", "description": NULL,
                                                    "notification": {"endpoint": {"uri": "http://127.0.0.1:9/other"}}}))
    shown = get(city, name)
    assert shown["q"] == "b>1" and "description" not in shown
    assert shown["notification"] == {"endpoint": {"uri": "http://127.0.0.1:9/other"}}
    no_content(city.patch(f"subscriptions/{name}", {"entities": [{"type": "Van"}], "q": None}, headers=MERGE))
    assert "q" not in get(city, name)
    assert get(city, name)["entities"] == [{"type": "Van"}]


@pytest.mark.clause("5.8.2")
def test_status_follows_is_active_and_expires_at(city):
    name = create(city, subscription())
    for fragment, status in (({"isActive": False}, "paused"), ({"expiresAt": SEEN}, "paused"), ({"isActive": True}, "active"),
                             ({"isActive": False, "expiresAt": NULL}, "paused")):
        no_content(city.patch(f"subscriptions/{name}", fragment))
        assert get(city, name)["status"] == status, fragment
    soon = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(milliseconds=300)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    no_content(city.patch(f"subscriptions/{name}", {"isActive": True, "expiresAt": soon}))
    threading.Event().wait(0.5)
    assert get(city, name)["status"] == "expired"
    no_content(city.patch(f"subscriptions/{name}", {"isActive": True}))
    assert get(city, name)["status"] == "expired"
    no_content(city.patch(f"subscriptions/{name}", {"expiresAt": SEEN}))
    assert get(city, name)["status"] == "active"


@pytest.mark.clause("5.8.2")
@pytest.mark.parametrize("fragment", [
    {"id": "urn:another:one"}, {"type": "Entity"}, {"notification": NULL}, {"notification": {"format": "concise"}},
    {"notification": {"endpoint": None}}, {"entities": NULL}, {"entities": []}, {"expiresAt": "2020-01-01T00:00:00Z"},
    {"timeInterval": 5, "throttling": 1}, {"q": "a=="}, {"jsonldContext": NULL}, {"type": NULL}])
def test_a_fragment_is_refused(city, fragment):
    body = subscription(q="a>1")
    name = create(city, body)
    refused(city.patch(f"subscriptions/{name}", fragment), "BadRequestData")
    assert without(get(city, name), "id", "status", "jsonldContext", "notificationTrigger") == body


@pytest.mark.clause("5.8.2")
def test_a_fragment_for_nothing(city):
    refused(city.patch("subscriptions/none", {"q": "a"}), "BadRequestData")
    assert city.patch("subscriptions/", {"q": "a"}).status_code == 405
    refused(city.patch("subscriptions/urn:none", {"q": "a"}), "ResourceNotFound")
    name = create(city, subscription())
    refused(city.patch(f"subscriptions/{name}", {"jsonldContext": "http://127.0.0.1:1/none.jsonld"}), "LdContextNotAvailable")


@pytest.mark.clause("5.8.2")
def test_fragments_at_the_same_time_are_all_kept(city):
    name = create(city, subscription())
    members = ["description", "subscriptionName", "q", "scopeQ", "lang", "csf"]
    values = {m: "en" if m == "lang" else "/a" if m == "scopeQ" else "a" for m in members}

    def write(member):
        for _ in range(10):
            no_content(city.patch(f"subscriptions/{name}", {member: NULL}))
            no_content(city.patch(f"subscriptions/{name}", {member: values[member]}))
    writers = [threading.Thread(target=write, args=(m,)) for m in members]
    for w in writers:
        w.start()
    for w in writers:
        w.join()
    shown = get(city, name)
    assert {m: shown.get(m) for m in members} == values


# ---- delete ----

@pytest.mark.clause("5.8.5", "6.11.3.3")
def test_delete(city):
    name = create(city, subscription())
    no_content(city.delete(f"subscriptions/{name}"))
    refused(city.delete(f"subscriptions/{name}"), "ResourceNotFound")
    refused(city.get(f"subscriptions/{name}"), "ResourceNotFound")
    refused(city.delete("subscriptions/none"), "BadRequestData")


# ---- across a restart ----

@pytest.mark.clause("5.8.1")
def test_kept_across_a_restart_without_any_context_at_hand(new_city):
    city = new_city()
    context = {"speed": "https://cars.org/speed"}
    body = subscription(watchedAttributes=["speed"], q="speed>1")
    name = ok(city.post("subscriptions", {**body, "@context": [context, CORE]}, headers=LD), 201).headers["Location"][12:]
    before = ok(city.get(name)).json()
    city.restart()
    assert ok(city.get(name)).json() == before
    assert before["entities"] == [{"type": "Car"}] and before["q"] == "https://cars.org/speed>1"
    assert DEFAULT not in str(before)
