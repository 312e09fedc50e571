"""SQL over the city: what tables show, what the store is told, what is refused, and by which limit."""
import csv
import datetime
import io
import json
import os
import subprocess
import time

import pytest
from conftest import City, program

CARS = 300
CORE = "https://uri.etsi.org/ngsi-ld/default-context/"


def car(i):
    speed = "fast" if i % 50 == 0 else i * 0.5
    return {"id": f"urn:ngsi-ld:Car:{i:03}", "type": "Car", "scope": ["/a", "/b"] if i % 2 else "/a",
            "speed": {"type": "Property", "value": speed, "observedAt": f"2024-01-01T00:{i // 60:02}:{i % 60:02}Z",
                      "unitCode": "KMH"},
            "open": {"type": "Property", "value": i % 3 == 0},
            "owner": {"type": "Relationship", "object": f"urn:ngsi-ld:Person:{i % 7}"},
            "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [i / 10, 1]}}}


@pytest.fixture(scope="module")
def cars(tmp_path_factory):
    city = City(tmp_path_factory.mktemp("city"), "--limits-sql-seconds", "4 s", "--limits-sql-rows", "1000").start()
    answer = city.post("entityOperations/create", [car(i) for i in range(CARS)])
    assert answer.status_code == 201, answer.text
    for k in range(1, 200):
        attrs = {"speed": {"type": "Property", "value": k * 1.25, "observedAt": f"2024-02-01T00:{k // 60:02}:{k % 60:02}.5Z"}}
        assert city.patch("entities/urn:ngsi-ld:Car:001/attrs", attrs).status_code == 204
    assert city.post("entities", {"id": "urn:ngsi-ld:Car:gone", "type": "Car",
                                  "speed": {"type": "Property", "value": 1}}).status_code == 201
    assert city.delete("entities/urn:ngsi-ld:Car:gone").status_code == 204
    yield city
    assert city.stop() == 0


def sql(city, statement, **kwargs):
    return city.request("POST", "/sql", data=statement.encode() if isinstance(statement, str) else statement, **kwargs)


def rows(city, statement, **kwargs):
    if isinstance(statement, dict):  # with parameters
        statement, kwargs = json.dumps(statement), {"headers": {"Content-Type": "application/json"}, **kwargs}
    answer = sql(city, statement, **kwargs)
    assert answer.status_code == 200, answer.text
    return answer.json()


def metric(city, name):
    return next(float(line.split()[1]) for line in city.request("GET", "/metrics").text.splitlines() if line.startswith(name + " "))


def plan(city, statement):
    return [row["detail"] for row in rows(city, "EXPLAIN QUERY PLAN " + statement)]


# ---- what tables show ----

def test_columns_of_a_type(cars):
    row = rows(cars, "SELECT * FROM Car WHERE id = 'urn:ngsi-ld:Car:003'")[0]
    assert list(row) == ["id", "scope", "createdAt", "modifiedAt", "location", "open", "owner", "speed",
                         "location_observedAt", "open_observedAt", "owner_observedAt", "speed_observedAt"]
    assert row["scope"] == '["/a","/b"]' and row["open"] == 1 and row["owner"] == "urn:ngsi-ld:Person:3"
    assert row["speed"] == 1.5 and row["speed_observedAt"] == "2024-01-01T00:00:03Z"
    assert json.loads(row["location"]) == {"type": "Point", "coordinates": [0.3, 1]}


@pytest.mark.parametrize("where, wanted", [
    ("speed <= 20", lambda v: isinstance(v, float) and v <= 20),
    ("speed < 20", lambda v: isinstance(v, float) and v < 20),
    ("speed >= 20 AND speed < 30.5", lambda v: isinstance(v, float) and 20 <= v < 30.5),
    ("speed BETWEEN 10 AND 11", lambda v: isinstance(v, float) and 10 <= v <= 11),
    ("speed = 60", lambda v: v == 60),
    ("speed > 100", lambda v: v == "fast" or v > 100),  # in SQL every text is above every number
    ("speed > 100 AND typeof(speed) <> 'text'", lambda v: v != "fast" and v > 100),
    ("speed = 'fast'", lambda v: v == "fast"),
    ("speed <> 60", lambda v: v != 60),
    ("speed IS NOT NULL", lambda v: True),
    ("speed < 'a'", lambda v: v != "fast"),
    ("speed <= 10 OR speed > 140", lambda v: v == "fast" or v <= 10 or v > 140),
])
def test_comparisons_are_those_of_sql(cars, where, wanted):
    """Whatever is handed to the store, the answer is what SQL says."""
    speeds = {c["id"]: c["speed"]["value"] for c in map(car, range(CARS))}
    speeds["urn:ngsi-ld:Car:001"] = 199 * 1.25
    found = [row["id"] for row in rows(cars, f"SELECT id FROM Car WHERE {where}")]
    assert sorted(found) == sorted(i for i, v in speeds.items() if wanted(v))


@pytest.mark.parametrize("where, wanted", [("open = 1", lambda i: i % 3 == 0), ("open <= 0", lambda i: i % 3),
                                           ("open < 1", lambda i: i % 3), ("open BETWEEN 0 AND 1", lambda i: True),
                                           ("open >= 1 AND open < 7", lambda i: i % 3 == 0), ("open = 2", lambda i: False)])
def test_booleans_are_one_and_zero(cars, where, wanted):
    assert rows(cars, f"SELECT count(*) AS n FROM Car WHERE {where}")[0]["n"] == sum(bool(wanted(i)) for i in range(CARS))


def test_aggregates_equal_what_python_computes(cars):
    speeds = [c["speed"]["value"] for c in map(car, range(CARS)) if c["speed"]["value"] != "fast"]
    speeds[0] = 199 * 1.25  # of 001
    row = rows(cars, "SELECT count(speed) n, sum(speed) s, min(speed) lo, max(speed) hi FROM Car WHERE speed <= 1e9")[0]
    assert row == {"n": len(speeds), "s": pytest.approx(sum(speeds)), "lo": min(speeds), "hi": max(speeds)}


def test_history_has_every_value(cars):
    found = rows(cars, "SELECT * FROM history WHERE entity = 'urn:ngsi-ld:Car:001' AND attribute = 'speed' ORDER BY time")
    assert [row["number"] for row in found] == [0.5] + [k * 1.25 for k in range(1, 200)]
    first = found[0]
    assert first["type"] == "Car" and first["dataset"] is None and first["unitCode"] == "KMH"
    assert first["time"] == first["observedAt"] == "2024-01-01T00:00:01Z" and first["deletedAt"] is None
    assert len({row["instanceId"] for row in found}) == 200


def test_history_by_time(cars):
    where = "entity = 'urn:ngsi-ld:Car:001' AND attribute = 'speed'"
    for column in ("time", "observedAt"):
        found = rows(cars, f"SELECT number FROM history WHERE {where} AND {column} >= '2024-02-01T00:01:00Z' AND {column} < '2024-02-01T00:02'")
        assert [row["number"] for row in found] == [k * 1.25 for k in range(60, 120)]


def test_times_compare_as_times(cars):
    n = rows(cars, "SELECT '2024-01-01T00:00:00Z' = time AS same, time FROM history WHERE time = '2024-01-01' "
                   "AND attribute = 'speed'")
    assert [row["time"] for row in n] == ["2024-01-01T00:00:00Z"] and n[0]["same"] == 1
    assert rows(cars, "SELECT count(*) n FROM Car WHERE speed_observedAt < '2024-01-01T00:00:10.000Z'")[0]["n"] == 9
    assert rows(cars, "SELECT count(*) n FROM Car WHERE createdAt > '2024-01-01' AND modifiedAt < '2020-01-01'")[0]["n"] == 0
    assert rows(cars, "SELECT count(*) n FROM Car WHERE createdAt > '2024-01-01'")[0]["n"] == CARS


def test_history_has_what_is_gone(cars):
    found = rows(cars, "SELECT DISTINCT entity FROM history WHERE entity > 'urn:ngsi-ld:Car:298' ORDER BY entity")
    assert [row["entity"] for row in found] == ["urn:ngsi-ld:Car:299", "urn:ngsi-ld:Car:gone"]
    found = rows(cars, "SELECT * FROM history WHERE entity = 'urn:ngsi-ld:Car:gone' AND deletedAt IS NOT NULL")
    assert found and all(row["value"] is None for row in found)
    assert rows(cars, "SELECT count(*) n FROM Car WHERE id = 'urn:ngsi-ld:Car:gone'")[0]["n"] == 0


def test_history_of_all(cars):
    found = {(row["attribute"], row["n"]) for row in
             rows(cars, "SELECT attribute, count(*) n FROM history WHERE entity <> 'urn:ngsi-ld:Car:gone' GROUP BY attribute")}
    assert found >= {("speed", CARS + 199), ("open", CARS), ("owner", CARS), ("location", CARS)}


@pytest.mark.parametrize("either, other", [
    ("entity = 'urn:ngsi-ld:Car:002'", "entity = 'urn:ngsi-ld:Car:003'"), ("attribute = 'speed'", "attribute = 'open'"),
    ("entity = 'urn:ngsi-ld:Car:001'", "attribute = 'speed'"), ("time < '2024-01-01T00:01'", "entity = 'urn:ngsi-ld:Car:001'")])
def test_either_of_two_conditions(cars, either, other):
    """Each may be looked up by itself, and what both find counts once."""
    def found(*conditions):
        where = " OR ".join(f"{c} AND entity < 'urn:ngsi-ld:Car:100'" for c in conditions)
        return [r["i"] for r in rows(cars, "SELECT coalesce(instanceId, entity || value) i FROM history WHERE " + where)]
    assert sorted(found(either, other)) == sorted(set(found(either)) | set(found(other)))


def test_join(cars):
    found = rows(cars, "SELECT c.id, max(h.number) AS top FROM Car c JOIN history h ON h.entity = c.id AND h.attribute = 'speed' "
                       "WHERE c.speed >= 100 AND c.speed <= 101 GROUP BY c.id ORDER BY c.id")
    assert found == [{"id": f"urn:ngsi-ld:Car:{i}", "top": i / 2} for i in (201, 202)]


def test_a_long_series_is_read_in_parts(cars):
    """More instances than are read together (65,536)."""
    tenant, most = {"NGSILD-Tenant": "long"}, 70000
    times = [f"2024-01-01T{i // 3600:02}:{i // 60 % 60:02}:{i % 60:02}Z" for i in range(most)]
    for part in range(0, most, 10000):
        instances = [{"type": "Property", "value": i, "observedAt": times[i]} for i in range(part, part + 10000)]
        answer = cars.post("temporal/entities", {"id": "urn:x:1", "type": "Sensor", "n": instances}, headers=tenant)
        assert answer.status_code in (201, 204), answer.text
    statement = "SELECT count(*) n, count(DISTINCT time) t, sum(number) s, min(time) a, max(time) b FROM history WHERE attribute = 'n'"
    for more in ("", " AND type = 'Sensor'", " AND entity = 'urn:x:1'", " AND observedAt > '2000'"):
        row = rows(cars, statement + more, headers=tenant)[0]
        assert row == {"n": most, "t": most, "s": sum(range(most)), "a": times[0], "b": times[-1]}


def test_json_is_taken_apart(cars):
    found = rows(cars, "SELECT s.value FROM Car c, json_each(c.scope) s WHERE c.id = 'urn:ngsi-ld:Car:003'")
    assert [r["value"] for r in found] == ["/a", "/b"]
    assert rows(cars, "SELECT location ->> '$.coordinates[0]' AS x FROM Car WHERE id = 'urn:ngsi-ld:Car:003'") == [{"x": 0.3}]


# ---- names and tenants ----

def test_tenants_are_apart(cars):
    assert sql(cars, "SELECT * FROM Car", headers={"NGSILD-Tenant": "nobody"}).status_code == 404
    assert cars.post("entities", {"id": "urn:x:1", "type": "Bus"}, headers={"NGSILD-Tenant": "t1"}).status_code == 201
    assert rows(cars, "SELECT id FROM Bus", headers={"NGSILD-Tenant": "t1"}) == [{"id": "urn:x:1"}]
    assert sql(cars, "SELECT id FROM Bus").status_code == 400


def test_names_by_iri_and_by_context(cars):
    assert rows(cars, f'SELECT count(*) n FROM "{CORE}Car"')[0]["n"] == CARS
    assert rows(cars, f"SELECT count(*) n FROM history WHERE type = '{CORE}Car' AND attribute = '{CORE}open'")[0]["n"] == CARS
    context = {"@context": {"Auto": CORE + "Car", "tempo": CORE + "speed"}}
    answer = cars.post("jsonldContexts", context)
    assert answer.status_code == 201
    link = f"<{cars.url}{answer.headers['Location']}>; rel=\"http://www.w3.org/ns/json-ld#context\"; type=\"application/ld+json\""
    assert rows(cars, "SELECT tempo FROM Auto WHERE tempo = 60", headers={"Link": link}) == [{"tempo": 60}]


def test_types_that_differ_in_case_alone_are_named_by_iri(cars):
    tenant = {"NGSILD-Tenant": "case"}
    for i, kind in enumerate(("Lamp", "lamp", "History")):
        assert cars.post("entities", {"id": f"urn:x:{i}", "type": kind}, headers=tenant).status_code == 201
    assert sql(cars, "SELECT * FROM Lamp", headers=tenant).status_code == 400
    assert rows(cars, f'SELECT id FROM "{CORE}History"', headers=tenant) == [{"id": "urn:x:2"}]
    assert "entity" in rows(cars, "SELECT count(entity) AS entity FROM history", headers=tenant)[0]


# ---- periods of history ----

def observe(city, entity, attribute, values, first=0):
    """One value a minute from 2024-05-01 on, so many minutes behind."""
    start = datetime.datetime(2024, 5, 1, tzinfo=datetime.timezone.utc)
    stamp = lambda m: (start + datetime.timedelta(minutes=first + m)).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {"id": entity, "type": "Sensor", attribute: [{"type": "Property", "value": v, "observedAt": stamp(m)} for m, v in enumerate(values)]}
    assert city.post("temporal/entities", body).status_code in (201, 204)


@pytest.fixture(scope="module")
def sensors(tmp_path_factory):
    city = City(tmp_path_factory.mktemp("sensors"), "--store-log-bytes", "4 MiB", "--limits-aggregation-periods", "5000").start()
    for first in range(0, 20000, 5000):
        observe(city, "urn:x:1", "heat", [(m * 7919) % 400 / 10 for m in range(first, first + 5000)], first)
    observe(city, "urn:x:2", "heat", [1, 2, "warm", True])
    observe(city, "urn:x:2", "name", ["a", "b", "a"])
    observe(city, "urn:x:2", "other", [5, 6], 1440)
    yield city
    assert city.stop() == 0


def test_periods_are_what_the_instances_amount_to(sensors):
    got = rows(sensors, "SELECT date(time) AS day, totalCount AS n, sum, avg, min, max, distinctCount AS d, sumsq, stddev FROM history_periods "
               "WHERE entity = 'urn:x:1' AND attribute = 'heat' AND period = 'P1D' AND time >= '2024-05-02' AND time < '2024-05-10'")
    one_by_one = rows(sensors, "SELECT date(time) AS day, count(*) AS n, sum(number) AS sum, avg(number) AS avg, min(number) AS min, "
                      "max(number) AS max, count(DISTINCT number) AS d, sum(number * number) AS sumsq FROM history "
                      "WHERE entity = 'urn:x:1' AND attribute = 'heat' AND time >= '2024-05-02' AND time < '2024-05-10' GROUP BY day")
    assert len(got) == len(one_by_one) == 8
    for mine, theirs in zip(got, one_by_one):
        assert mine.pop("stddev") > 0
        assert mine.pop("day") == theirs.pop("day") and mine == pytest.approx(theirs)


def test_a_header_is_enough_where_a_chunk_is_covered(sensors):
    def looked(columns):
        before = [metric(sensors, f"wellspring_history_chunks_{what}_total") for what in ("read", "summed")]
        got = rows(sensors, f"SELECT {columns} FROM history_periods WHERE entity = 'urn:x:1' AND attribute = 'heat'")
        return got, [metric(sensors, f"wellspring_history_chunks_{what}_total") - n for what, n in zip(("read", "summed"), before)]
    deadline = time.monotonic() + 60
    while looked("totalCount, min, max")[1] != [0, 19]:  # folded in the background
        observe(sensors, "urn:x:filler", "text", ["x" * 1000] * 1000)
        assert time.monotonic() < deadline
    assert looked("totalCount, min, max")[0] == [{"totalCount": 20000, "min": 0, "max": 39.9}]
    assert looked("distinctCount")[1] == [19, 0]  # values must be seen for that


def test_periods_of_every_series(sensors):
    got = rows(sensors, "SELECT entity, type, attribute, dataset, totalCount AS n, avg, max, timeproperty FROM history_periods WHERE entity <> 'urn:x:filler'")
    of = {(r["entity"], r["attribute"]): r for r in got}
    assert set(of) == {("urn:x:1", "heat"), ("urn:x:2", "heat"), ("urn:x:2", "name"), ("urn:x:2", "other")}
    assert of["urn:x:2", "name"]["n"] == 3 and of["urn:x:2", "name"]["avg"] is None
    assert all(r["type"] == "Sensor" and r["dataset"] is None and r["timeproperty"] is None for r in got)
    assert rows(sensors, "SELECT sum(totalCount) AS n FROM history_periods WHERE type = 'Sensor' AND entity < 'urn:x:f'") == [{"n": 20009}]
    assert rows(sensors, "SELECT time FROM history_periods WHERE entity = 'urn:x:2' AND period IN ('P1D', 'PT1H') AND attribute = 'other' ORDER BY time") == [
        {"time": "2024-05-02T00:00:00Z"}] * 2
    assert rows(sensors, "SELECT p.max FROM (SELECT 'P1D' AS step) AS s JOIN history_periods p ON p.period = s.step "
                "WHERE p.entity = 'urn:x:2' AND p.attribute = 'other'") == [{"max": 6}]
    assert rows(sensors, "SELECT * FROM history_periods WHERE entity = 'urn:x:2' AND timeproperty = 'deletedAt'") == []
    assert rows(sensors, "SELECT totalCount AS n FROM history_periods WHERE entity = 'urn:x:2' AND attribute = 'other' AND timeproperty = 'createdAt' "
                "AND time > '2026-01-01'")[0]["n"] == 2


def test_periods_count_what_was_never_observed(sensors):
    """Like the time of history: where it was recorded."""
    for value in (28.9, 29.1):
        body = {"id": "urn:y:1", "type": "Spring", "level": {"type": "Property", "value": value}}
        assert sensors.post("entityOperations/upsert", [body]).status_code in (201, 204)
    of = "FROM history_periods WHERE entity = 'urn:y:1' AND attribute = 'level'"
    assert rows(sensors, f"SELECT totalCount AS n, min, max {of}") == [{"n": 2, "min": 28.9, "max": 29.1}]
    assert rows(sensors, f"SELECT totalCount AS n {of} AND time >= '2026' AND time < '2100'") == [{"n": 2}]
    assert rows(sensors, f"SELECT totalCount AS n {of} AND time < '2026'") == []
    assert rows(sensors, f"SELECT totalCount AS n {of} AND timeproperty = 'observedAt'") == []


@pytest.mark.parametrize("condition, word", [
    ("period = 'a day'", "ISO 8601"), ("period = '-P1D'", ""), ("timeproperty = 'soon'", "timeproperty"),
    ("period = 'PT1S' AND time >= '2024-05-01' AND time < '2024-06-01'", "limits.aggregation_periods"),
    ("period = 'PT1M'", "limits.aggregation_periods")])
def test_periods_that_are_refused(sensors, condition, word):
    answer = sql(sensors, f"SELECT * FROM history_periods WHERE entity = 'urn:x:1' AND attribute = 'heat' AND {condition}")
    assert answer.status_code in (400, 403, 413) and word in answer.text, answer.text


# ---- what the store is told ----

@pytest.mark.parametrize("statement, told", [
    ("SELECT * FROM Car WHERE id = 'x'", "id="),
    ("SELECT * FROM Car WHERE speed <= 5 AND speed >= 3", "speed<=, speed>="),
    ("SELECT * FROM Car WHERE speed IS NOT NULL", "speed is not null"),
    ("SELECT * FROM Car WHERE rowid > 5", "rowid>"),
    ("SELECT * FROM Car WHERE createdAt >= '2024-01-01'", "createdAt>="),
    ("SELECT * FROM Car WHERE createdAt > '2024-01-01'", "createdAt>"),
    ("SELECT * FROM Car WHERE speed_observedAt > '2024-01-01T00:00:03Z'", "speed_observedAt>"),
    ("SELECT * FROM Car WHERE owner = 'urn:ngsi-ld:Person:3'", "owner="),
    ("SELECT * FROM Car WHERE owner = 'x' COLLATE NOCASE", "owner is not null"),
    ("SELECT * FROM history WHERE time > '2024-01-01'", "time>"),
    ("SELECT * FROM history_periods WHERE entity = 'x' AND attribute = 'y' AND period = 'P1D' AND time > '2024'",
     "entity=, attribute=, period=, time>"),
    ("SELECT * FROM history_periods WHERE type = 'Car' AND timeproperty = 'modifiedAt' AND avg > 5", "type=, timeproperty="),
    ("SELECT * FROM history WHERE entity = 'x' AND dataset = 'y'", "entity=, dataset="),
    ("SELECT * FROM history WHERE entity = 'x' AND attribute = 'y' AND time >= '2024-01-01' AND time < '2025-01-01'",
     "entity=, attribute=, time>=, time<"),
    ("SELECT * FROM history WHERE type = 'Car' AND observedAt > '2024-01-01'", "type=, observedAt>"),
    ("SELECT DISTINCT entity FROM history WHERE entity > 'x'", "entity>, one row an entity"),
])
def test_plan_says_what_is_pushed_down(cars, statement, told):
    assert plan(cars, statement)[0].split(":", 1)[1] == told


@pytest.mark.parametrize("statement", ["SELECT * FROM Car WHERE id = 'x' COLLATE NOCASE", "SELECT * FROM Car WHERE length(id) > 3",
                                       "SELECT * FROM Car WHERE createdAt > '2024' COLLATE BINARY"])
def test_what_the_store_would_read_otherwise_is_not_pushed(cars, statement):
    assert plan(cars, statement)[0].split(":", 1)[1] == ""


def test_texts_and_times_find_by_index(new_city):
    """What is pushed down is found all the same, of whatever kind it is; and by the index."""
    city = new_city().start()
    kinds = [{"type": "Property", "value": "a"}, {"type": "Property", "value": 1}, {"type": "Property", "value": [1, 2]},
             {"type": "VocabProperty", "vocab": "a"}, {"type": "Relationship", "object": "urn:x:a"}, {"type": "Property", "value": "2024-01-01T00:00:00Z"},
             {"type": "LanguageProperty", "languageMap": {"en": "a"}}, {"type": "JsonProperty", "json": {"a": 1}}, {"type": "Property", "value": ""},
             [{"type": "Property", "value": "a"}, {"type": "Property", "value": "b", "datasetId": "urn:d:1"}], {"type": "Property", "value": True}]
    entities = [{"id": f"urn:x:{i:02}", "type": "T", "v": kind} for i, kind in enumerate(kinds)]
    entities += [{"id": f"urn:y:{i:04}", "type": "T", "v": {"type": "Property", "value": f"filler {i}",
                  "observedAt": f"2024-01-{1 + i % 28:02}T00:00:00Z"}} for i in range(2000)]
    assert city.post("entityOperations/create", entities).status_code == 201
    values = {row["v"] for row in rows(city, "SELECT DISTINCT v FROM T WHERE id < 'urn:y'")} - {1}
    for value in values:
        asked = {"sql": "SELECT id FROM T WHERE v = :v", "parameters": {"v": value}}
        one_by_one = {"sql": "SELECT id FROM T WHERE +v = :v", "parameters": {"v": value}}
        assert rows(city, asked) == rows(city, one_by_one) and rows(city, asked), value
    assert rows(city, "SELECT id FROM T WHERE v = 'b'") == []  # not the first instance

    def candidates():
        before = metric(city, "wellspring_query_candidates_total")
        assert rows(city, "SELECT id FROM T WHERE v = 'filler 77'") == [{"id": "urn:y:0077"}]
        return metric(city, "wellspring_query_candidates_total") - before
    deadline = time.monotonic() + 30  # the index is made in the background, once it is asked for
    while candidates() >= 20:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    late = "SELECT count(*) AS n FROM T WHERE {}v_observedAt > '2024-01-27T00:00:00Z'"
    assert rows(city, late.format("")) == rows(city, late.format("+")) == [{"n": 71}]


def test_order_by_rowid_needs_no_sorting(cars):
    assert not any("B-TREE" in line for line in plan(cars, "SELECT * FROM Car WHERE rowid > 3 ORDER BY rowid LIMIT 5"))
    assert any("B-TREE" in line for line in plan(cars, "SELECT * FROM Car ORDER BY rowid DESC"))
    seen, last = [], 0
    while page := rows(cars, f"SELECT rowid, id FROM Car WHERE rowid > {last} ORDER BY rowid LIMIT 77"):
        seen += [row["id"] for row in page]
        last = page[-1]["rowid"]
    assert sorted(seen) == [f"urn:ngsi-ld:Car:{i:03}" for i in range(CARS)]


# ---- formats ----

def test_csv_and_lines(cars):
    statement = "SELECT id, location, speed, NULL AS empty, 'a\"b,\n' AS text FROM Car WHERE speed <= 2 ORDER BY id"
    wanted = rows(cars, statement)
    answer = sql(cars, statement, headers={"Accept": "text/csv"})
    assert answer.headers["Content-Type"].startswith("text/csv")
    read = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [r["text"] for r in read] == ['a"b,\n'] * len(wanted) and [r["id"] for r in read] == [r["id"] for r in wanted]
    answer = sql(cars, statement, headers={"Accept": "application/x-ndjson;q=0.9, text/csv;q=0.5"})
    assert [json.loads(line) for line in answer.text.splitlines()] == wanted
    assert sql(cars, statement, headers={"Accept": "image/png"}).status_code == 406


def test_parameters_and_get(cars):
    body = {"sql": "SELECT id FROM Car WHERE id = :id AND speed < :top", "parameters": {"id": "urn:ngsi-ld:Car:010", "top": 99}}
    assert cars.post("/sql", body).json() == [{"id": "urn:ngsi-ld:Car:010"}]
    assert cars.post("/sql", {"sql": "SELECT ? + ? AS n", "parameters": [1, 2.5]}).json() == [{"n": 3.5}]
    assert cars.post("/sql", {"sql": "SELECT :x"}).status_code == 400
    assert cars.get("/sql", params={"query": "SELECT 1 AS a, 2 AS a"}).json() == [{"a": 1, "a:1": 2}]
    assert cars.get("/sql").status_code == 400 and cars.delete("/sql").status_code == 405


# ---- refusals ----

@pytest.mark.parametrize("statement, status, word", [
    ("INSERT INTO Car(id) VALUES ('x')", 403, "only SELECT"),
    ("DELETE FROM Car", 403, "only SELECT"),
    ("UPDATE Car SET speed = 1", 403, "only SELECT"),
    ("CREATE TABLE x(y)", 403, "only SELECT"),
    ("DROP TABLE Car", 403, "only SELECT"),
    ("PRAGMA table_info(Car)", 403, "only SELECT"),
    ("SELECT * FROM pragma_table_list", 403, ""),
    ("SELECT * FROM sqlite_master", 403, "sqlite_master"),
    ("SELECT * FROM dbstat", 403, ""),
    ("ATTACH '/tmp/x' AS y", 403, "only SELECT"),
    ("VACUUM INTO '/tmp/x'", 403, "only SELECT"),
    ("BEGIN", 403, "only SELECT"),
    ("SELECT load_extension('x')", 403, "load_extension"),
    ("SELECT zeroblob(1000000000)", 403, "zeroblob"),
    ("EXPLAIN SELECT * FROM Car", 403, "QUERY PLAN"),
    ("SELECT * FROM main.sqlite_schema", 403, ""),
    ("SELECT 1; SELECT 2", 400, "one statement"),
    ("SELECT * FROM Tram", 400, "there are: Car, history, history_periods"),
    ("SELECT wheels FROM Car", 400, "wheels"),
    ("SELEC", 400, "syntax"),
    ("", 400, "SELECT is expected"),
    ("-- nothing", 400, "SELECT is expected"),
    ("SELECT 1" + "+1" * 5000, 400, "depth"),
    (b'SELECT "\xa0"', 400, "UTF-8"),
])
def test_refused(cars, statement, status, word):
    answer = sql(cars, statement)
    assert answer.status_code == status, answer.text
    assert word in answer.json()["detail"]


def test_metrics_count(cars):
    def count(name):
        return int(next(line.split()[1] for line in cars.get("/metrics").text.splitlines() if line.startswith(f"wellspring_sql_{name} ")))
    before = count("statements_total"), count("refused_total"), count("rows_total")
    rows(cars, "SELECT 1 UNION ALL SELECT 2")
    sql(cars, "SELECT x")
    assert (count("statements_total"), count("refused_total"), count("rows_total")) == (before[0] + 2, before[1] + 1, before[2] + 2)


def test_limits_are_named(cars):
    forever = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT "
    for statement, limit in ((forever + "count(*) FROM r", "limits.sql_seconds"), (forever + "n FROM r", "limits.sql_rows"),
                             ("SELECT '" + "x" * 70000 + "'", "limits.sql_bytes"),
                             ("SELECT count(*) FROM history a, history b, history c", "limits.sql_seconds")):
        began = time.monotonic()
        answer = sql(cars, statement)
        assert answer.status_code in (403, 413) and answer.json()["limit"] == limit
        assert time.monotonic() - began < 20


def test_memory_is_bounded(new_city):
    city = new_city("--limits-sql-memory", "8 MiB").start()
    big = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r LIMIT 3000) SELECT length(group_concat(printf('%10000d', n))) FROM r"
    answer = sql(city, big)
    assert answer.status_code == 403 and answer.json()["limit"] == "limits.sql_memory"
    assert rows(city, "SELECT 1 AS one") == [{"one": 1}]


def test_client_that_goes_ends_its_statement(new_city):
    import requests
    city = new_city("--limits-sql-seconds", "60 s", "--sql-threads", "1").start()
    forever = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r"
    with pytest.raises(requests.Timeout):
        sql(city, forever, timeout=0.5)
    began = time.monotonic()
    assert rows(city, "SELECT 1 AS one") == [{"one": 1}]  # the one thread is free again
    assert time.monotonic() - began < 20


def test_city_ends_in_spite_of_a_statement(new_city):
    import threading
    city = new_city("--limits-sql-seconds", "3600 s", "--server-drain-timeout", "100 ms").start()
    forever = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r"

    def ask():
        try:
            sql(city, forever)
        except OSError:
            pass
    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.5)
    assert city.stop() == 0
    asking.join()


def test_only_where_it_is_enabled(new_city):
    city = new_city("--sql-enabled", "never").start()
    answer = sql(city, "SELECT 1")
    assert answer.status_code == 403 and answer.json()["limit"] == "sql.enabled"
    assert city.post("/grafana/query", {"targets": []}).json()["limit"] == "sql.enabled"


def test_not_where_others_may_ask(new_city):
    everywhere = new_city().start("--listen", "0.0.0.0:0")
    everywhere.url = everywhere.url.replace("0.0.0.0", "127.0.0.1")
    answer = sql(everywhere, "SELECT 1")
    assert answer.status_code == 403 and answer.json()["limit"] == "sql.enabled"
    assert everywhere.stop() == 0
    everywhere.start("--listen", "0.0.0.0:0", "--sql-enabled", "always")
    everywhere.url = everywhere.url.replace("0.0.0.0", "127.0.0.1")
    assert rows(everywhere, "SELECT 1 AS one") == [{"one": 1}]


# ---- the command ----

def run(city, *arguments):
    return subprocess.run([program(), "sql", *arguments, "--to", city.url], capture_output=True, text=True, timeout=60, check=False)


def test_command_prints(cars):
    shown = run(cars, "SELECT id, speed FROM Car WHERE speed BETWEEN 9.5 AND 10 ORDER BY id")
    assert shown.returncode == 0 and shown.stdout.splitlines() == [
        "id                   speed", "urn:ngsi-ld:Car:019    9.5", "urn:ngsi-ld:Car:020     10", "(2 rows)"]
    assert run(cars, "SELECT 1 AS a, 'x' AS b", "--csv").stdout == "a,b\n1,x\n"
    assert run(cars, "--jsonl", "SELECT 1 AS a").stdout == '{"a":1}\n'
    assert run(cars).returncode == 2
    refused = run(cars, "DELETE FROM Car")
    assert refused.returncode == 1 and "only SELECT" in refused.stderr


# ---- history and export ----

def command(city, *arguments):
    return subprocess.run([program(), *arguments, "--to", city.url], capture_output=True, text=True, timeout=120, check=False)


def test_history_of_periods(cars):
    shown = command(cars, "history", "urn:ngsi-ld:Car:001", "speed", "--from", "2024-02-01", "--to", "2024-02-02", "--every", "1m",
                    "--agg", "avg,max,totalCount", "--csv")
    assert shown.returncode == 0, shown.stderr
    read = list(csv.DictReader(io.StringIO(shown.stdout)))
    minutes = {m: [k * 1.25 for k in range(1, 200) if k // 60 == m] for m in range(4)}
    assert [r["time"] for r in read] == [f"2024-02-01T00:{m:02}:00Z" for m in range(4)]
    for m, row in enumerate(read):
        assert float(row["avg"]) == pytest.approx(sum(minutes[m]) / len(minutes[m]))
        assert float(row["max"]) == max(minutes[m]) and int(row["totalCount"]) == len(minutes[m])


def test_history_of_values_and_plots(cars):
    shown = command(cars, "history", "urn:ngsi-ld:Car:001", "speed", "--to", "2024-02-01T00:00:03Z")
    assert shown.stdout.splitlines() == ["time                      value", "2024-01-01T00:00:01Z        0.5",
                                         "2024-02-01T00:00:01.500Z   1.25", "2024-02-01T00:00:02.500Z    2.5", "(3 rows)"]
    shown = subprocess.run([program(), "history", "urn:ngsi-ld:Car:001", "speed", "--from", "2024-02-01", "--plot", "--to", cars.url],
                           capture_output=True, text=True, check=True, env={"COLUMNS": "60"}, timeout=60)
    lines = shown.stdout.splitlines()
    assert lines[0] == "speed value" and len(lines) == 14 and all(len(line) <= 60 for line in lines)
    assert lines[1].split()[0] == "248.75" and lines[12].split()[0] == "1.25"
    first, last = lines[12][11:], lines[1][11:]
    assert first[0] != "\u2800" and last[-1] != "\u2800" and first[-1] == last[0] == "\u2800"  # it rises
    assert command(cars, "history", "urn:ngsi-ld:Car:001", "speed", "--every", "soon").returncode == 2
    assert command(cars, "history", "urn:ngsi-ld:Car:001").returncode == 2
    assert command(cars, "history", "urn:x:none", "speed", "--every", "1h").returncode == 1


def test_export_of_a_type(cars, tmp_path):
    file = tmp_path / "cars.csv"
    done = command(cars, "export", "--type", "Car", "--format", "csv", "-o", str(file))
    assert done.returncode == 0, done.stderr
    with open(file, newline="", encoding="utf-8") as f:
        read = list(csv.DictReader(f))
    assert [r["id"] for r in read] == [f"urn:ngsi-ld:Car:{i:03}" for i in range(CARS)]
    assert read[7]["type"] == "Car" and float(read[7]["speed"]) == 3.5 and "rowid" not in read[7]
    assert not (tmp_path / "cars.csv.state").exists()
    again = command(cars, "export", "--type", "Car", "--format", "csv", "-o", str(file))
    assert again.returncode == 1 and "File exists" in again.stderr


def test_export_goes_on_where_it_was_interrupted(new_city, tmp_path):
    city = new_city("--limits-sql-rows", "25000").start()
    for part in range(10):
        made = [{"id": f"urn:x:{part * 1000 + i:05}", "type": "T", "n": {"type": "Property", "value": i}} for i in range(1000)]
        assert city.post("entityOperations/create", made).status_code == 201
    whole, file = tmp_path / "whole", tmp_path / "part"
    assert command(city, "export", "-o", str(whole)).returncode == 0
    records = [json.loads(line) for line in whole.read_text().splitlines()]
    assert len(records) == 10000 and records[-1]["type"] == "T" and records[-1]["id"] == "urn:x:09999"
    # as a crash leaves it: the state says 4,000 rows, the file has more, and a part of a row
    lines = whole.read_text().splitlines(keepends=True)
    arguments = ("export", "-o", str(file))
    state = tmp_path / "part.state"
    run = f"{city.url} ||||||jsonl"
    state.write_text(json.dumps({"wellspring": "export", "version": 1, "run": run, "bytes": len("".join(lines[:4000])), "rows": 4000,
                                 "entities": 4000, "type": "T", "last": rows(city, "SELECT rowid FROM T WHERE id = 'urn:x:03999'")[0]["rowid"].__str__()}))
    file.write_text("".join(lines[:4100]) + "{\"type\":")
    other = command(city, *arguments, "--type", "T")
    assert other.returncode == 1 and "another export" in other.stderr
    done = command(city, *arguments)
    assert done.returncode == 0, done.stderr
    assert file.read_text() == whole.read_text() and not state.exists()


def test_export_of_history(cars, tmp_path):
    file = tmp_path / "history"
    done = command(cars, "export", "--history", "--type", "Car", "--format", "jsonl", "-o", str(file), "--from", "2024-02-01")
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in file.read_text().splitlines()]
    assert [r["number"] for r in records if r["entity"] == "urn:ngsi-ld:Car:001" and r["attribute"] == "speed"] == [
        k * 1.25 for k in range(1, 200)]
    wanted = rows(cars, "SELECT count(*) n FROM history WHERE type = 'Car' AND time >= '2024-02-01'")[0]["n"]
    assert len(records) == wanted
    assert command(cars, "export", "--history", "-o", str(tmp_path / "x"), "--from", "soon").returncode == 1
    assert command(cars, "export", "--format", "csv", "-o", str(tmp_path / "y")).returncode == 2


def test_export_of_a_long_series(new_city, tmp_path):
    """More than a page of one entity (20,000 rows), with several instances of each time."""
    city = new_city().start()
    times = [f"2024-01-01T{i // 3600:02}:{i // 60 % 60:02}:{i % 60:02}Z" for i in range(4000)]
    for k in range(6):
        document = {"id": "urn:x:1", "type": "S", f"a{k}": [{"type": "Property", "value": i, "observedAt": t} for i, t in enumerate(times)]}
        answer = city.post("temporal/entities", document)
        assert answer.status_code in (201, 204), answer.text
    for form in ("csv", "jsonl"):
        file = tmp_path / form
        done = command(city, "export", "--history", "--format", form, "-o", str(file))
        assert done.returncode == 0, done.stderr
        with open(file, newline="", encoding="utf-8") as f:
            read = list(csv.DictReader(f)) if form == "csv" else [json.loads(line) for line in f]
        assert sorted((r["attribute"], r["time"]) for r in read) == sorted((f"a{k}", t) for k in range(6) for t in times)


def test_export_shows_a_bar_on_a_terminal(cars, tmp_path):
    import pty
    master, terminal = pty.openpty()
    done = subprocess.run([program(), "export", "--type", "Car", "-o", str(tmp_path / "x"), "--to", cars.url], stderr=terminal, check=True,
                          timeout=60)
    os.close(terminal)
    shown = os.read(master, 65536).decode()
    os.close(master)
    assert done.returncode == 0 and "[##############################] 100%  300 rows" in shown


# ---- Grafana ----

def test_grafana(cars):
    assert cars.get("/grafana/").status_code == 200 and cars.get("/grafana").status_code == 200
    assert "urn:ngsi-ld:Car:001 speed" in cars.post("/grafana/search", {"target": "Car:001"}).json()
    assert cars.post("/grafana/search", {"target": ".*"}).json() == []  # characters, no pattern
    assert {"label": "urn:ngsi-ld:Car:002 speed", "value": "urn:ngsi-ld:Car:002 speed"} in cars.post("/grafana/metrics", {}).json()
    for path in ("tag-keys", "tag-values", "annotations", "metric-payload-options"):
        assert cars.post(f"/grafana/{path}", {}).json() == []
    body = {"range": {"from": "2024-02-01T00:00:00.000Z", "to": "2024-02-01T00:10:00.000Z"}, "intervalMs": 60000, "maxDataPoints": 100,
            "targets": [{"target": "urn:ngsi-ld:Car:001 speed max", "refId": "A"}, {"refId": "B"},
                        {"target": "SELECT time, number FROM history WHERE entity = 'urn:ngsi-ld:Car:001' AND attribute = 'speed' "
                                   "AND time >= :from AND time < '2024-02-01T00:00:02Z'", "refId": "C"}]}
    series, table = cars.post("/grafana/query", body).json()
    start = 1706745600000
    assert series == {"target": "urn:ngsi-ld:Car:001 speed max",
                      "datapoints": [[59 * 1.25, start], [119 * 1.25, start + 60000], [179 * 1.25, start + 120000],
                                     [199 * 1.25, start + 180000]]}
    assert table == {"type": "table", "columns": [{"text": "time"}, {"text": "number"}], "rows": [["2024-02-01T00:00:01.500Z", 1.25]]}
    assert cars.post("/grafana/query", {"targets": [{"target": "nonsense"}]}).status_code == 400
    assert cars.post("/grafana/query", {"targets": [{"target": "DELETE FROM Car x"}]}).status_code == 400
    assert cars.post("/grafana/query", {}).status_code == 400 and cars.get("/grafana/query").status_code == 405
    assert cars.post("/grafana/nothing", {}).status_code == 404
