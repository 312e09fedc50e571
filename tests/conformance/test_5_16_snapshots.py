"""Clause 5.16: snapshots, made of queries, cloned, used (5.5.15, 6.3.22), updated, deleted, purged, told of."""
import http.server
import json
import threading
import time
from datetime import datetime, timedelta, timezone

import pytest

from ngsi import ACCEPT_LD, LD, NULL, create, no_content, ok, prop, refused, rel, send
from temporal import NOON, ROOT, at, record, seen, values

pytestmark = pytest.mark.clause("5.16.1")

MEMBERS = {"id", "type", "snapshotQueries", "snapshotPriority", "snapshotStatus", "snapshotQueriesDetails", "createdAt",
           "modifiedAt", "expiresAt", "lastUsedAt"}


def query(kind="Thing", **more):
    return {"type": "Query", "entities": [{"type": kind}], **more}


def snapshot(*queries, **more):
    return {"type": "Snapshot", "snapshotQueries": list(queries) or [query()], **more}


@pytest.fixture
def things(city, tenant):
    batch = [{"id": f"urn:x:{i}", "type": "Thing", "n": prop(i, unitCode="X"), "name": prop(f"t{i}"), "scope": "/s"} for i in range(6)]
    ok(city.post("entityOperations/create", batch, headers=tenant), 201)
    return tenant


def ready(city, snapshot_id, headers):
    for _ in range(300):
        got = ok(city.get(f"snapshots/{snapshot_id}", headers=headers)).json()
        if got["snapshotStatus"] != "preparing":
            return got
        time.sleep(0.02)
    raise AssertionError("still preparing")


def make(city, body, headers, status=None):
    answer = ok(city.post("snapshots", body, headers=headers), 201)
    assert answer.headers["Location"].startswith("/ngsi-ld/v1/snapshots/")
    got = ready(city, answer.headers["Location"].rsplit("/", 1)[1], headers)
    if status:
        assert got["snapshotStatus"] == status, got
    return got


def inside(headers, of):
    return {**headers, "NGSILD-Snapshot": of["id"]}


def found(city, path, headers):
    answer = ok(city.get(path, headers=headers))
    assert answer.headers["NGSILD-Snapshot"] == headers["NGSILD-Snapshot"]
    return {e["id"]: e for e in answer.json()}


def when(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def hours_left(s):
    return (when(s["expiresAt"]) - datetime.now(timezone.utc)) / timedelta(hours=1)


# ---- 5.16.1 ----

@pytest.mark.clause("6.36.3.1", "5.2.41", "5.2.42")
class TestCreate:
    def test_what_it_says(self, city, things):
        got = make(city, snapshot(query(q="n>3")), things, "success")
        assert set(got) == MEMBERS and got["type"] == "Snapshot" and got["snapshotPriority"] == 5
        assert got["snapshotQueries"] == [query(q="n>3")] and got["snapshotQueriesDetails"] == [{"resultStatus": "success"}]
        assert 23 < hours_left(got) <= 24 and when(got["createdAt"]) <= when(got["modifiedAt"])
        assert "@context" in ok(city.get(f"snapshots/{got['id']}", headers={**things, **ACCEPT_LD})).json()

    def test_what_is_asked_for(self, city, things):
        asked = snapshot(id="urn:x:mine", snapshotLifetime="PT2H", snapshotPriority=9, snapshotStatus="success",
                         createdAt="2000-01-01T00:00:00Z")
        got = make(city, asked, things)
        assert got["id"] == "urn:x:mine" and got["snapshotPriority"] == 9 and got["snapshotLifetime"] == "PT2H"
        assert 1.9 < hours_left(got) <= 2 and when(got["createdAt"]).year > 2000
        refused(city.post("snapshots", asked, headers=things), "AlreadyExists")
        assert hours_left(make(city, snapshot(snapshotLifetime="P99Y"), things)) <= 24  # the limit

    @pytest.mark.parametrize("queries, status, details", [
        ([query()], "success", ["success"]), ([query(), query("None")], "partial", ["success", "empty"]),
        ([query("None")], "empty", ["empty"]), ([query("None"), query("None")], "empty", ["empty", "empty"])])
    def test_status(self, city, things, queries, status, details):
        got = make(city, snapshot(*queries), things, status)
        assert [d["resultStatus"] for d in got["snapshotQueriesDetails"]] == details

    def test_a_body_with_context(self, city, things):
        body = {**snapshot({"type": "Query", "entities": [{"type": "T2"}]}), "@context": {"T2": "https://uri.etsi.org/ngsi-ld/default-context/Thing"}}
        answer = ok(send(city, "POST", "snapshots", json.dumps(body), {**things, **LD}), 201)
        assert ready(city, answer.headers["Location"].rsplit("/", 1)[1], things)["snapshotStatus"] == "success"

    @pytest.mark.parametrize("body", [
        {"type": "Snapshot"}, {"snapshotQueries": [query()]}, snapshot(type="Other"), {"type": "Snapshot", "snapshotQueries": []},
        {"type": "Snapshot", "snapshotQueries": query()}, {"type": "Snapshot", "snapshotQueries": ["x"]},
        {"type": "Snapshot", "snapshotQueries": [{"entities": [{"type": "T"}]}]}, snapshot({"type": "Query"}), snapshot(query(q="))")),
        snapshot(query(entities=[])), snapshot(query(attrs=[])), snapshot(query(joinLevel=0)), snapshot(query(join="side")),
        snapshot(query(temporalQ={"timerel": "before"})), {"type": "Snapshot", "snapshotTemporalQueries": [query()]},
        snapshot(id="no uri"), snapshot(id=1), snapshot(snapshotLifetime="soon"), snapshot(snapshotLifetime=1),
        snapshot(snapshotPriority=0), snapshot(snapshotPriority=11), snapshot(snapshotPriority=2.5), snapshot(snapshotPriority="2"),
        snapshot(endpoint="nowhere"), snapshot(endpoint=1), snapshot(endpoint="ftp://x.org"), snapshot(endpoint="mqtt://x.org"), snapshot(endpoint="http:x"), snapshot(receiverInfo=[]),
        snapshot(receiverInfo=[{"key": "a"}]), snapshot(receiverInfo=[{"key": "a b", "value": "c"}]),
        snapshot(endpoint="http://127.0.0.1:9/x", receiverInfo=[{"key": "a", "value": "b"}, {"key": "content-length", "value": "3"}]),
        snapshot(receiverInfo=[{"key": "Transfer-Encoding", "value": "chunked"}]), snapshot(receiverInfo=[{"key": "Host", "value": "x"}]),
        snapshot(receiverInfo=[{"key": "a", "value": "c\r\nd: e"}]), snapshot(endpoint=NULL), snapshot(speed=prop(1)), snapshot(snapshotLifetime=None)])
    def test_refusals(self, city, things, body):
        refused(city.post("snapshots", body, headers=things), "BadRequestData")

    def test_other_refusals(self, city, things):
        refused(send(city, "POST", "snapshots", "[]", things), "InvalidRequest")
        refused(city.get("snapshots", headers=things), "OperationNotSupported", 405)
        refused(city.post("snapshots?q=a", snapshot(), headers=things), "InvalidRequest")

    def test_bounds(self, new_city):
        city = new_city("--limits-snapshots", "1", "--limits-snapshot-entities", "3")
        for i in range(4):
            create(city, {"id": f"urn:x:{i}", "type": "Thing", "n": prop(i)})
        got = make(city, snapshot(query(q="n<2"), query(), query("None")), {}, "partial")
        assert [d["resultStatus"] for d in got["snapshotQueriesDetails"]] == ["success", "failure", "empty"]
        assert "limits.snapshot_entities" in got["snapshotQueriesDetails"][1]["problemDetails"]["detail"]
        answer = city.post("snapshots", snapshot())
        assert answer.status_code == 429 and answer.json()["limit"] == "limits.snapshots"
        no_content(city.delete(f"snapshots/{got['id']}"))
        make(city, snapshot(query(q="n<1")), {})


@pytest.mark.clause("5.16.1", "5.7.4")
class TestTemporalQueries:
    """The past of what they find is part of the snapshot, and can be asked for within it."""

    @pytest.fixture
    def past(self, city, tenant):
        for i, name in enumerate("abc"):
            record(city, {"id": f"urn:x:{name}", "type": "Car", "speed": [seen(10 * i + k, k, unitCode="KMH") for k in range(4)],
                          "heat": [seen(k, k) for k in range(2)], "scope": [prop("/s", observedAt=at(0))]}, headers=tenant)
        create(city, {"id": "urn:x:now", "type": "Car", "speed": seen(1, 0)}, headers=tenant)
        city.patch("entities/urn:x:now/attrs/speed", seen(2, 5), headers=tenant)
        return tenant

    def temporal(self, timerel="after", time=at(0), kind="Car", **more):
        return query(kind, temporalQ={"timerel": timerel, "timeAt": time}, **more)

    def kept(self, city, past, *queries, status="success", **more):
        body = {"type": "Snapshot", "snapshotTemporalQueries": list(queries), **more}
        got = make(city, body, past, status)
        assert len(got["snapshotTemporalQueriesDetails"]) == len(queries)
        return got

    def all(self, city, headers, query=f"type=Car&options=sysAttrs&{NOON}"):
        return {e["id"]: e for e in ok(city.get(f"{ROOT}?{query}", headers=headers)).json()}

    def test_everything(self, city, past):
        before = self.all(city, past)
        assert len(before) == 4
        of = self.kept(city, past, self.temporal())
        assert [d["resultStatus"] for d in of["snapshotTemporalQueriesDetails"]] == ["success"]
        no_content(city.delete("temporal/entities/urn:x:b", headers=past))
        city.patch("entities/urn:x:now/attrs/speed", seen(3, 6), headers=past)
        assert self.all(city, inside(past, of)) == before  # instance ids and times of the system among them
        assert found(city, "entities?type=Car", inside(past, of)) == {}  # entities of today are asked for by other queries

    def test_what_was_asked_for(self, city, past):
        of = self.kept(city, past, self.temporal(time=at(2), attrs=["speed"], q="speed>=13"))
        got = self.all(city, inside(past, of))
        assert {i: values(e["speed"]) for i, e in got.items()} == {"urn:x:b": [12, 13], "urn:x:c": [22, 23]}
        assert not any("heat" in e for e in got.values())
        of = self.kept(city, past, self.temporal(kind="Car", omit="speed"), self.temporal(kind="Bus"), status="partial")
        assert [d["resultStatus"] for d in of["snapshotTemporalQueriesDetails"]] == ["success", "empty"]
        assert not any("speed" in e for e in self.all(city, inside(past, of)).values())
        self.kept(city, past, self.temporal(kind="Bus"), status="empty")

    def test_nothing_is_there_twice(self, city, past):
        before = self.all(city, past)
        body = snapshot(query("Car"), snapshotTemporalQueries=[self.temporal(), self.temporal(time=at(1)), self.temporal(attrs=["heat"])])
        of = make(city, body, past, "success")
        within = inside(past, of)
        assert [values(self.all(city, within)["urn:x:now"]["speed"])] == [[1, 2]]
        assert {i: values(e["speed"]) for i, e in self.all(city, within).items()} == {i: values(e["speed"]) for i, e in before.items()}
        no_content(city.patch("entities/urn:x:now/attrs/speed", seen(9, 9), headers=within))  # what-if
        assert values(self.all(city, within)["urn:x:now"]["speed"]) == [1, 2, 9]
        assert values(self.all(city, past)["urn:x:now"]["speed"]) == [1, 2]

    def test_a_clone_has_the_past(self, city, past):
        before = self.all(city, past)
        of = make(city, snapshot(query("Car"), snapshotTemporalQueries=[self.temporal()]), past, "success")
        made = ok(city.post(f"snapshots/{of['id']}/clone", {"type": "Snapshot"}, headers=past), 201)
        clone = ready(city, made.headers["Location"].rsplit("/", 1)[1], past)
        assert clone["snapshotTemporalQueriesDetails"] == of["snapshotTemporalQueriesDetails"]
        no_content(city.delete(f"snapshots/{of['id']}", headers=past))
        assert {i: values(e["speed"]) for i, e in self.all(city, inside(past, clone)).items()} == {
            i: values(e["speed"]) for i, e in before.items()}

    def test_deletions_and_the_deleted(self, city, past):
        no_content(city.delete("entities/urn:x:now", headers=past))
        before = self.all(city, past)
        of = self.kept(city, past, self.temporal())
        assert self.all(city, inside(past, of)) == before and "deletedAt" in before["urn:x:now"]

    def test_there_is_a_most(self, new_city):
        small = new_city("--limits-snapshot-instances", "5")
        for i in range(2):
            record(small, {"id": f"urn:x:{i}", "type": "Car", "speed": [seen(k, k) for k in range(4)]})
        got = make(small, {"type": "Snapshot", "snapshotTemporalQueries": [self.temporal()]}, {}, "failure")
        problem = got["snapshotTemporalQueriesDetails"][0]["problemDetails"]
        assert problem["type"].endswith("TooManyResults") and "at most 5 instances" in problem["detail"]

    @pytest.mark.parametrize("more", [{"q": "("}, {"join": "flat"}, {"temporalQ": {"timerel": "after"}}, {"temporalQ": {"timerel": "soon", "timeAt": at(0)}},
                                      {"ordering": {"orderBy": "speed"}}])
    def test_refusals(self, city, past, more):
        body = {"type": "Snapshot", "snapshotTemporalQueries": [{**self.temporal(), **more}]}
        refused(city.post("snapshots", body, headers=past), "BadRequestData")


# ---- 5.5.15: using one ----

@pytest.mark.clause("5.5.15", "6.3.22", "4.3.7")
class TestUse:
    def test_it_is_frozen(self, city, things):
        of = make(city, snapshot(query(q="n>3")), things)
        before = ok(city.get("entities/urn:x:4?options=sysAttrs", headers=things)).json()
        no_content(city.patch("entities/urn:x:4/attrs", {"n": prop(0)}, headers=things))
        no_content(city.delete("entities/urn:x:5", headers=things))
        create(city, {"id": "urn:x:9", "type": "Thing", "n": prop(9)}, headers=things)
        assert set(found(city, "entities?type=Thing", inside(things, of))) == {"urn:x:4", "urn:x:5"}
        answer = ok(city.get("entities/urn:x:4?options=sysAttrs", headers=inside(things, of)))
        assert answer.json() == before and answer.headers["NGSILD-Snapshot"] == of["id"]
        refused(city.get("entities/urn:x:9", headers=inside(things, of)), "ResourceNotFound")

    def test_queries_on_it_are_whole_queries(self, city, things):
        of = make(city, snapshot(), things)
        here = inside(things, of)
        assert set(found(city, "entities?q=n>=4", here)) == {"urn:x:4", "urn:x:5"}
        assert list(found(city, "entities?type=Thing&orderBy=n;desc&limit=2&local=false", here)) == ["urn:x:5", "urn:x:4"]
        assert set(found(city, "entities?id=urn:x:1", here)) == {"urn:x:1"}  # local: nothing is too wide (5.5.13)
        assert set(found(city, "entities?type=*&local=false", here)) == {f"urn:x:{i}" for i in range(6)}
        assert ok(city.post("entityOperations/query", query(q="n==3"), headers=here)).json()[0]["id"] == "urn:x:3"
        assert ok(city.get("types", headers=here)).json()["typeList"] == ["Thing"]
        mapped = ok(city.get("entityMaps?type=Thing", headers=here), 201)
        assert len(mapped.json()["entityMap"]) == 6
        refused(city.get(mapped.headers["NGSILD-EntityMap"], headers=things), "ResourceNotFound")

    def test_what_if(self, city, things):
        of = make(city, snapshot(), things)
        here = inside(things, of)
        no_content(city.patch("entities/urn:x:1/attrs", {"n": prop(100)}, headers=here))
        create(city, {"id": "urn:x:new", "type": "Thing"}, headers=here)
        no_content(city.delete("entities/urn:x:0", headers=here))
        assert ok(city.get("entities/urn:x:1", headers=here)).json()["n"]["value"] == 100
        assert ok(city.get("entities/urn:x:1", headers=things)).json()["n"]["value"] == 1
        ok(city.get("entities/urn:x:0", headers=things))
        refused(city.get("entities/urn:x:new", headers=things), "ResourceNotFound")

    def test_last_use(self, city, things):
        of = make(city, snapshot(), things)
        assert of["lastUsedAt"] == of["createdAt"]
        found(city, "entities?type=Thing", inside(things, of))
        assert when(ok(city.get(f"snapshots/{of['id']}", headers=things)).json()["lastUsedAt"]) > when(of["lastUsedAt"])

    def test_projections(self, city, things):
        create(city, {"id": "urn:x:l", "type": "Link", "to": rel("urn:x:2"), "extra": prop(1)}, headers=things)
        of = make(city, snapshot(query(pick=["id", "n"], q="n==1"), query(omit=["name", "scope"], q="n==1|n==2"), query(attrs=["name"], q="n==3"),
                                 query("Link", pick=["to{n}"], join="flat", q="extra")), things, "success")
        got = found(city, "entities?type=*&options=keyValues", inside(things, of))
        assert got["urn:x:1"] == {"id": "urn:x:1", "type": "Thing", "n": 1}
        assert got["urn:x:3"] == {"id": "urn:x:3", "type": "Thing", "name": "t3"}
        assert got["urn:x:l"] == {"id": "urn:x:l", "type": "Link", "to": "urn:x:2"}
        assert got["urn:x:2"]["n"] == 2 and set(got) == {"urn:x:1", "urn:x:2", "urn:x:3", "urn:x:l"}

    def test_queries_that_meet_unite(self, city, things):
        of = make(city, snapshot(query(pick=["n"], q="n==1"), query(pick=["name", "scope"], q="n==1")), things)
        assert found(city, "entities?type=*&options=keyValues", inside(things, of)) == {
            "urn:x:1": {"id": "urn:x:1", "type": "Thing", "scope": "/s", "n": 1, "name": "t1"}}

    def test_refusals(self, city, things):
        of = make(city, snapshot(query("None")), things, "empty")
        here = inside(things, of)
        assert found(city, "entities?type=Thing", here) == {}
        answer = city.get("entities?type=Thing", headers={**things, "NGSILD-Snapshot": "urn:x:none"})
        refused(answer, "ResourceNotFound")
        assert answer.headers["NGSILD-Snapshot"] == "urn:x:none"
        refused(city.get("entities?type=Thing", headers={**things, "NGSILD-Snapshot": "no uri"}), "BadRequestData")
        refused(city.get("entities?type=Thing", headers={"NGSILD-Snapshot": of["id"]}), "ResourceNotFound")  # another tenant
        refused(city.post("snapshots", snapshot(), headers=here), "OperationNotSupported")
        refused(city.get("info/sourceIdentity", headers=here), "OperationNotSupported")

    def test_no_tenant_reaches_in(self, city, things):
        make(city, snapshot(), things)
        refused(city.get("entities?type=Thing", headers={"NGSILD-Tenant": "/snapshot/0"}), "BadRequestData")

    def test_many(self, city, tenant):
        batch = [{"id": f"urn:m:{i}", "type": "Many", "n": prop(i)} for i in range(3000)]
        ok(city.post("entityOperations/create", batch, headers=tenant), 201)
        of = make(city, snapshot(query("Many")), tenant, "success")
        answer = ok(city.get("entities?type=Many&limit=0&count=true", headers=inside(tenant, of)))
        assert answer.headers["NGSILD-Results-Count"] == "3000"


# ---- 5.16.2 … 5.16.5 ----

@pytest.mark.clause("5.16.2", "6.38.3.1")
class TestClone:
    def test_clone(self, city, things):
        of = make(city, snapshot(query(q="n>3")), things)
        no_content(city.patch("entities/urn:x:4/attrs", {"n": prop(44)}, headers=inside(things, of)))
        answer = ok(city.post(f"snapshots/{of['id']}/clone", {"type": "Snapshot", "snapshotPriority": 2, "snapshotLifetime": "PT1H"},
                              headers=things), 201)
        clone = ready(city, answer.headers["Location"].rsplit("/", 1)[1], things)
        assert clone["id"] != of["id"] and clone["snapshotStatus"] == "success" and clone["snapshotPriority"] == 2
        assert hours_left(clone) <= 1 and clone["snapshotQueries"] == of["snapshotQueries"]
        no_content(city.delete(f"snapshots/{of['id']}", headers=things))
        got = found(city, "entities?type=Thing", inside(things, clone))
        assert {i: e["n"]["value"] for i, e in got.items()} == {"urn:x:4": 44, "urn:x:5": 5}

    @pytest.mark.parametrize("body", [{}, {"type": "Other"}, snapshot(), {"type": "Snapshot", "snapshotPriority": 0}, {"type": "Snapshot", "id": "x y"},
                                      {"type": "Snapshot", "snapshotTemporalQueries": []}, {"type": "Snapshot", "other": 1}])
    def test_refusals(self, city, things, body):
        of = make(city, snapshot(), things)
        refused(city.post(f"snapshots/{of['id']}/clone", body, headers=things), "BadRequestData")

    def test_other_refusals(self, city, things):
        of = make(city, snapshot(), things)
        refused(city.post("snapshots/urn:x:none/clone", {"type": "Snapshot"}, headers=things), "ResourceNotFound")
        refused(city.post("snapshots/no%20uri/clone", {"type": "Snapshot"}, headers=things), "BadRequestData")
        refused(city.post(f"snapshots/{of['id']}/clone", {"type": "Snapshot", "id": of["id"]}, headers=things), "AlreadyExists")


@pytest.mark.clause("5.16.3", "6.37.3.1")
class TestRetrieve:
    def test_refusals(self, city, things):
        of = make(city, snapshot(), things)
        refused(city.get("snapshots/no%20uri", headers=things), "BadRequestData")
        refused(city.get("snapshots/urn:x:none", headers=things), "ResourceNotFound")
        refused(city.get(f"snapshots/{of['id']}"), "ResourceNotFound")  # another tenant's


@pytest.mark.clause("5.16.4", "6.37.3.2")
class TestUpdate:
    def test_update(self, city, things):
        of = make(city, snapshot(snapshotLifetime="PT2H", receiverInfo=[{"key": "a", "value": "b"}]), things)
        got = ok(city.patch(f"snapshots/{of['id']}", {"snapshotPriority": 1}, headers=things)).json()
        assert {k: v for k, v in got.items() if k != "modifiedAt"} == {**{k: v for k, v in of.items() if k != "modifiedAt"}, "snapshotPriority": 1}
        assert when(got["modifiedAt"]) > when(of["modifiedAt"])
        got = ok(city.patch(f"snapshots/{of['id']}", {"type": "Snapshot", "id": of["id"], "snapshotLifetime": "PT30M", "receiverInfo": NULL,
                                                      "expiresAt": "2099-01-01T00:00:00Z", "snapshotStatus": "empty"}, headers=things)).json()
        assert hours_left(got) <= 0.5 and "receiverInfo" not in got and got["snapshotStatus"] == "success"
        assert ok(city.get(f"snapshots/{of['id']}", headers=things)).json() == got
        assert "snapshotLifetime" not in ok(city.patch(f"snapshots/{of['id']}", {"snapshotLifetime": NULL}, headers=things)).json()

    @pytest.mark.parametrize("body", [{"snapshotQueries": []}, {"snapshotQueries": [query()]}, {"snapshotTemporalQueries": []}, {"type": "Other"},
                                      {"id": "urn:x:other"}, {"snapshotPriority": 11}, {"snapshotPriority": NULL}, {"snapshotLifetime": "x"},
                                      {"snapshotLifetime": None}, {"endpoint": "x"}, {"speed": 1}])
    def test_refusals(self, city, things, body):
        of = make(city, snapshot(), things)
        refused(city.patch(f"snapshots/{of['id']}", body, headers=things), "BadRequestData")

    def test_headers_of_the_transport(self, city, things):
        """Over MQTT they are metadata like any other."""
        of = make(city, snapshot(endpoint="mqtt://127.0.0.1:9/x", receiverInfo=[{"key": "Host", "value": "x"}]), things)
        refused(city.patch(f"snapshots/{of['id']}", {"endpoint": "http://127.0.0.1:9/x"}, headers=things), "BadRequestData")

    def test_other_refusals(self, city, things):
        refused(city.patch("snapshots/urn:x:none", {"snapshotPriority": 1}, headers=things), "ResourceNotFound")
        refused(city.patch("snapshots/no%20uri", {}, headers=things), "BadRequestData")


@pytest.mark.clause("5.16.5", "6.37.3.3")
class TestDelete:
    def test_delete(self, city, things):
        of = make(city, snapshot(), things)
        refused(city.delete(f"snapshots/{of['id']}"), "ResourceNotFound")
        no_content(city.delete(f"snapshots/{of['id']}", headers=things))
        refused(city.delete(f"snapshots/{of['id']}", headers=things), "ResourceNotFound")
        refused(city.get(f"snapshots/{of['id']}", headers=things), "ResourceNotFound")
        refused(city.get("entities?type=Thing", headers=inside(things, of)), "ResourceNotFound")
        refused(city.delete("snapshots/no%20uri", headers=things), "BadRequestData")


@pytest.mark.clause("5.16.7", "6.36.3.2", "4.9")
class TestPurge:
    @pytest.mark.parametrize("q, gone", [
        ("snapshotPriority<5", [2]), ("snapshotPriority==2..5", [2, 5]), ("snapshotStatus==\"empty\"", [9]),
        ("snapshotPriority>=1", [2, 5, 9]), ("snapshotPriority==5|snapshotStatus==\"empty\"", [5, 9]), ("snapshotLifetime", [2]),
        ("snapshotLifetime==\"PT1H\";snapshotPriority==2", [2]), ("createdAt>2020-01-01T00:00:00Z;snapshotPriority!=2", [5, 9]),
        ("expiresAt<2020-01-01T00:00:00Z|snapshotPriority==9", [9]), ("lastUsedAt>2020-01-01T00:00:00Z;snapshotPriority==5", [5])])
    def test_purge(self, city, things, q, gone):
        made = {2: make(city, snapshot(snapshotPriority=2, snapshotLifetime="PT1H"), things), 5: make(city, snapshot(), things),
                9: make(city, snapshot(query("None"), snapshotPriority=9), things)}
        no_content(city.delete("snapshots", params={"q": q}, headers=things))
        for priority, of in made.items():
            assert city.get(f"snapshots/{of['id']}", headers=things).status_code == (404 if priority in gone else 200), priority

    @pytest.mark.parametrize("q", ["", "speed>50", "id==\"urn:x\"", "snapshotPriority<", "endpoint.observedAt", "endpoint{a}", "snapshotPriority>5;other"])
    def test_refusals(self, city, things, q):
        of = make(city, snapshot(), things)
        refused(city.delete("snapshots", params={"q": q}, headers=things), "BadRequestData")
        ok(city.get(f"snapshots/{of['id']}", headers=things))

    def test_none(self, city, things):
        refused(city.delete("snapshots?q=snapshotPriority==1", headers=things), "ResourceNotFound")


# ---- time and restarts ----

class TestLife:
    def test_expiry(self, city, things):
        of = make(city, snapshot(snapshotLifetime="PT1S"), things)
        time.sleep(1.1)
        refused(city.get(f"snapshots/{of['id']}", headers=things), "ResourceNotFound")
        refused(city.get("entities?type=Thing", headers=inside(things, of)), "ResourceNotFound")
        make(city, snapshot(id=of["id"]), things)  # the id is free again

    def test_restart(self, new_city):
        city = new_city()
        create(city, {"id": "urn:x:1", "type": "Thing", "n": prop(1)})
        of = make(city, snapshot(endpoint="http://127.0.0.1:9/x", receiverInfo=[{"key": "k", "value": "v"}]), {}, "success")
        clone = ok(city.post(f"snapshots/{of['id']}/clone", {"type": "Snapshot", "id": "urn:x:clone"}), 201)
        assert clone.headers["Location"].endswith("urn:x:clone")
        ready(city, "urn:x:clone", {})
        no_content(city.patch("entities/urn:x:1/attrs", {"n": prop(2)}))
        city.restart()
        assert ok(city.get(f"snapshots/{of['id']}")).json() == of
        assert found(city, "entities?type=Thing", inside({}, of))["urn:x:1"]["n"]["value"] == 1
        no_content(city.delete(f"snapshots/{of['id']}"))
        city.kill()
        city.start()
        refused(city.get(f"snapshots/{of['id']}"), "ResourceNotFound")
        assert found(city, "entities?type=Thing", inside({}, {"id": "urn:x:clone"}))["urn:x:1"]["n"]["value"] == 1


# ---- 5.16.6 ----

@pytest.fixture
def receiver():
    got = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((dict(self.headers), json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.got = got
    yield server
    server.shutdown()
    server.server_close()


def told(receiver, n):
    deadline = time.monotonic() + 10
    while len(receiver.got) < n and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(receiver.got) == n, receiver.got
    return receiver.got[n - 1]


@pytest.mark.clause("5.16.6", "5.3.4")
def test_notifications(city, things, receiver):
    uri = f"http://127.0.0.1:{receiver.server_address[1]}/told"
    of = make(city, snapshot(query(), query("None"), endpoint=uri, receiverInfo=[{"key": "X-Of", "value": "mine"}]), things, "partial")
    headers, body = told(receiver, 1)
    assert headers["X-Of"] == "mine" and headers["NGSILD-Tenant"] == things["NGSILD-Tenant"] and headers["Content-Type"] == "application/json"
    assert set(body) == {"id", "type", "snapshotId", "notifiedAt", "expiresAt", "snapshotPriority", "snapshotStatus", "snapshotQueriesDetails"}
    assert body["type"] == "SnapshotNotification" and body["snapshotId"] == of["id"] and body["snapshotStatus"] == "partial"
    assert [d["resultStatus"] for d in body["snapshotQueriesDetails"]] == ["success", "empty"] and body["expiresAt"] == of["expiresAt"]
    ok(city.patch(f"snapshots/{of['id']}", {"snapshotPriority": 7, "snapshotLifetime": "PT2S"}, headers=things))
    second = told(receiver, 2)[1]
    assert second["snapshotPriority"] == 7 and second["id"] != body["id"]
    last = told(receiver, 3)[1]  # it expires
    assert when(last["expiresAt"]) < when(last["notifiedAt"])


@pytest.mark.clause("5.5.15", "6.3.22", "5.8.6")
def test_subscriptions_within_a_snapshot(city, things, receiver):
    of = make(city, snapshot(), things)
    uri = f"http://127.0.0.1:{receiver.server_address[1]}/told"
    ok(city.post("subscriptions", {"type": "Subscription", "entities": [{"type": "Thing"}],
                                   "notification": {"endpoint": {"uri": uri}}}, headers=inside(things, of)), 201)
    no_content(city.patch("entities/urn:x:1/attrs", {"n": prop(11)}, headers=things))
    no_content(city.patch("entities/urn:x:1/attrs", {"n": prop(12)}, headers=inside(things, of)))
    headers, body = told(receiver, 1)
    assert headers["NGSILD-Snapshot"] == of["id"] and headers["NGSILD-Tenant"] == things["NGSILD-Tenant"]
    assert body["data"][0]["n"]["value"] == 12
    no_content(city.delete(f"snapshots/{of['id']}", headers=things))
