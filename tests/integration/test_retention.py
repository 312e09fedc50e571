"""Policies of history in a running city: taken over with SIGHUP, told of in /metrics, and what they leave."""
import csv
import io
import re
import signal
import subprocess
import time

from conftest import program

ROOM = "urn:ngsi-ld:Room:swept"
MINUTES = 3 * 24 * 60
KEPT_S = 3600
SLACK_S = KEPT_S / 16 + 120


def utc(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def configure(file, *policies, more=""):
    lines = ", ".join(f'"{line}"' for line in policies)
    file.write_text(f'[history]\npolicies = [{lines}]\nsweep_interval = "100 ms"\n{more}')


def metric(city, name):
    found = re.search(rf"^wellspring_history_{re.escape(name)} (\d+)$", city.get("/metrics").text, re.M)
    assert found, name
    return int(found.group(1))


def wait_for(what, seconds=30):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def sweeps(city, n=2):
    """Waits for sweeps that begin from now on."""
    target = metric(city, "sweeps_total") + n
    wait_for(lambda: metric(city, "sweeps_total") >= target)


def record(city, first, entity=ROOM, **headers):
    instances = [{"type": "Property", "value": minute % 97, "observedAt": utc(first + 60 * minute)} for minute in range(MINUTES)]
    answer = city.post("temporal/entities", {"id": entity, "type": "Room", "temperature": instances}, headers=headers)
    assert answer.status_code == 201, answer.text


def by_the_hour(city, first):
    params = {"timerel": "after", "timeAt": utc(first), "options": "aggregatedValues", "aggrPeriodDuration": "PT1H",
              "aggrMethods": "totalCount,sum,min,max,sumsq", "local": "true"}
    answer = city.get(f"temporal/entities/{ROOM}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["temperature"]


def instances(city, entity=ROOM, **headers):
    answer = city.get(f"temporal/entities/{entity}", params={"local": "true"}, headers=headers)
    assert answer.status_code == 200, answer.text
    found = answer.json().get("temperature", [])
    return found if isinstance(found, list) else [found]


def test_policies_are_taken_over_and_leave_what_they_say(new_city, tmp_path):
    file = tmp_path / "wellspring.toml"
    configure(file)
    city = new_city("--config", str(file)).start()
    first = int(time.time()) // 3600 * 3600 - MINUTES * 60
    record(city, first)
    record(city, first, entity="urn:ngsi-ld:Room:elsewhere", **{"NGSILD-Tenant": "lab"})
    whole = by_the_hour(city, first)
    assert len(whole["sum"]) == 72 and whole["totalCount"][0][0] == 60
    oldest = instances(city)[0]

    configure(file, "type=Room keep=1h minutes=1d hours=forever", "tenant=lab keep=forever")
    city.process.send_signal(signal.SIGHUP)
    wait_for(lambda: metric(city, "points_dropped_total") > 0)
    sweeps(city)
    left = instances(city)
    assert left and all(i["observedAt"] >= utc(time.time() - KEPT_S - SLACK_S) for i in left)
    assert len(instances(city, "urn:ngsi-ld:Room:elsewhere", **{"NGSILD-Tenant": "lab"})) == MINUTES
    assert metric(city, "points_dropped_total") == metric(city, "points_aggregated_total") == MINUTES - len(left)
    assert metric(city, 'aggregates{level="minutes"}') > 1000
    assert metric(city, 'aggregates{level="hours"}') >= 40
    assert by_the_hour(city, first) == whole
    gone = city.delete(f"temporal/entities/{ROOM}/attrs/temperature/{oldest['instanceId']}")
    assert gone.status_code == 404, gone.text

    # once more, and by another process: nothing changes, and what comes late is added
    city.restart()
    sweeps(city)
    assert metric(city, "points_dropped_total") <= 3
    assert by_the_hour(city, first) == whole
    late = {"type": "Property", "value": 1000, "observedAt": utc(first + 30)}
    answer = city.post(f"temporal/entities/{ROOM}/attrs", {"temperature": [late]})
    assert answer.status_code == 204, answer.text
    sweeps(city)
    now = by_the_hour(city, first)
    assert now["totalCount"][0][0] == 61 and now["max"][0][0] == 1000
    assert now["totalCount"][1:] == whole["totalCount"][1:]
    printed = subprocess.run([program(), "history", ROOM, "temperature", "--to", city.url, "--from", utc(first),
                              "--every", "1d", "--agg", "totalCount", "--csv"], capture_output=True, text=True, timeout=30)
    assert printed.returncode == 0, printed.stderr
    assert sum(int(row["totalCount"]) for row in csv.DictReader(io.StringIO(printed.stdout))) == MINUTES + 1
    asked = city.request("POST", "/sql", headers={"Content-Type": "application/sql", "Accept": "application/json"},
                         data=f"SELECT time, totalCount, sum, distinctCount FROM history_periods WHERE entity = '{ROOM}' AND "
                              f"attribute = 'temperature' AND time >= '{utc(first)}' AND period = 'PT1H' ORDER BY time")
    assert asked.status_code == 200, asked.text
    assert [row["sum"] for row in asked.json()] == [period[0] for period in now["sum"]]
    assert asked.json()[0]["totalCount"] == 61 and asked.json()[0]["distinctCount"] is None


def test_a_wrong_policy_stops_the_start_but_not_a_city(new_city, tmp_path):
    file = tmp_path / "wellspring.toml"
    configure(file, "keep=1d", "type=Room keep=5 parsecs")
    refused = subprocess.run([program(), "serve", "--data", str(tmp_path / "none"), "--listen", "127.0.0.1:0", "--config", str(file)],
                             capture_output=True, text=True, timeout=30)
    assert refused.returncode == 1 and "line 2" in refused.stderr and "keep=5" in refused.stderr
    configure(file, "keep=1h")
    city = new_city("--config", str(file)).start()
    record(city, int(time.time()) - MINUTES * 60)
    sweeps(city)
    configure(file, "keep=1h minutes=1min")
    city.process.send_signal(signal.SIGHUP)
    wait_for(lambda: any("retention stays" in line and "minutes must reach" in line for line in city.lines))
    sweeps(city)
    assert 0 < len(instances(city)) <= 60 + SLACK_S / 60


def test_the_bound_on_the_disk_is_kept(new_city, tmp_path):
    file = tmp_path / "wellspring.toml"
    configure(file, more='disk_bytes = "100 kB"\n')
    city = new_city("--config", str(file)).start()
    now = int(time.time())
    for room in range(30):
        text = [{"type": "Property", "value": f"{room} {i} {hash((room, i))}", "observedAt": utc(now - 86400 * 30 + 600 * i)}
                for i in range(2000)]
        answer = city.post("temporal/entities", {"id": f"{ROOM}:{room}", "type": "Room", "temperature": text})
        assert answer.status_code == 201, answer.text
    sweeps(city)
    wait_for(lambda: metric(city, "forced_sweeps_total") >= 1 and metric(city, "disk_bytes") <= 100_000)
    assert metric(city, "disk_bytes_max") == 100_000
    assert metric(city, "forced_sweeps_total") < 10
    assert 0 < metric(city, "forced_horizon_seconds") <= time.time()
    assert metric(city, "points_dropped_total") > 10000
    assert any("history.disk_bytes" in line for line in city.lines)
