"""wellspring import: real files go in and come out right; what cannot is reported line by line."""
import calendar
import csv
import functools
import http.server
import json
import os
import pty
import random
import re
import signal
import socket
import subprocess
import threading
import time
from urllib.parse import quote

import pytest
from conftest import program

DEFAULT = "https://uri.etsi.org/ngsi-ld/default-context/"
NO_NETWORK = ("--egress-refuse", "0.0.0.0/0,::/0")
IMPORT_TIMEOUT_S = 600


def command(city, *arguments):
    return [program(), "import", "--to", city.url, "--json", *map(str, arguments)]


@pytest.fixture
def importer(tmp_path):
    """Runs an import to its end: exit code, summary, messages."""
    def run(city, *arguments, timeout=IMPORT_TIMEOUT_S):
        done = subprocess.run(command(city, *arguments), capture_output=True, text=True, timeout=timeout,
                              env={**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}, check=False)
        summary = json.loads(done.stdout) if done.stdout else None
        return done.returncode, summary, done.stderr
    return run


def count(city, kind, **parameters):
    got = city.get("entities", params={"type": kind, "count": "true", "limit": 0, **parameters.pop("params", {})},
                   **parameters)
    assert got.status_code == 200, got.text
    return int(got.headers["NGSILD-Results-Count"])


def entity(city, entity_id, **kwargs):
    got = city.get("entities/" + quote(entity_id, safe=""), **kwargs)
    assert got.status_code == 200, got.text
    return got.json()


def report_rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["file", "line", "id", "reason"]
    return rows[1:]


# ---- smart-data-models ----

# What breaks a clause, or names an @context that is not there, with the member and the reason.
REFUSED = {
    "Building.VibrationsObserved": r'"location" must be a GeoProperty \(clause 4\.7\.1\) \(at /location\)',
    "Device.DeviceMeasurement": r'"location" must be a GeoProperty \(clause 4\.7\.1\) \(at /location\)',
    "Environment.AirQualityMonitoring": r'"location" must be a GeoProperty \(clause 4\.7\.1\) \(at /location\)',
    "Transportation.BikeLane": r'"location" must be a GeoProperty \(clause 4\.7\.1\) \(at /location\)',
    "Transportation.FareCollectionSystem": r'"location" must be a GeoProperty \(clause 4\.7\.1\) \(at /location\)',
    "Weather.SeaConditions": r'"location" must be a GeoProperty \(clause 4\.7\.1\) \(at /location\)',
    "Device.Device": r'"value" is reserved .*\(clause 4\.5\.1\) \(at /value\)',
    "Device.Modbus": r'"value" is reserved .*\(clause 4\.5\.1\) \(at /value\)',
    "Transportation.VehicleFault": r'"observedAt" is reserved .*\(clause 4\.5\.1\) \(at /observedAt\)',
    "Energy.InverterDevice": r'"nominalAmpereAC " is no name.*\(clause 4\.6\.2\) \(at /nominalAmpereAC \)',
    "Environment.PhreaticObserved": r'"status " is no name.*\(clause 4\.6\.2\) \(at /depth/status \)',
    "Transportation.TransportStation": r'"featuredArtist " is no name.*\(clause 4\.6\.2\) \(at /featuredArtist \)',
    "Energy.SolarEnergy": r"expected a position.*\(at /location/value/coordinates\)",
    "Environment.FloodMonitoring": r'"string" is no type of attribute.*\(at /floodLevelStatus/type\)',
    "Transportation.RestrictionException": r'"string" is no type of attribute.*\(at /name/type\)',
    "Transportation.SpecialRestriction": r'"string" is no type of attribute.*\(at /name/type\)',
    "Transportation.CityWork": r'"Property " is no type of attribute.*\(at /workDisposition/tramwayImpacted/type\)',
    "Environment.NightSkyQuality": r"the id of an entity must be a URI \(at /id\)",
    "Weather.WeatherForecast": r"the id of an entity must be a URI \(at /id\)",
    "Environment.WaterObserved": r"a Relationship's object must be a URI \(at /dateObserved/object\)",
    "Transportation.Vehicle": r"expected a DateTime in UTC.*\(clause 4\.6\.3\) \(at /battery/observedAt\)",
    "Device.PolarH10": r"@context https://raw\S*dataModel\.Device/refs/heads/master/context\.jsonld could not be",
    "Device.UWBAnchor": r"@context https://raw\S*dataModel\.Aeronautics/refs/heads/master/context\.jsonld could not",
    "Environment.IndoorEnvironmentObserved": r"@context https://fiware\.github\.io/data-models/context\.jsonld could",
}


def preload_folder(models, folder):
    """The models' @contexts under both addresses that entities give them; and for each example its own
    @context once more under one address, so that it can be asked for with a Link header."""
    folder.mkdir()
    index = {}
    for file in sorted((models / "contexts").iterdir()):
        (folder / file.name).write_bytes(file.read_bytes())
        index[f"https://raw.githubusercontent.com/smart-data-models/{file.stem}/master/context.jsonld"] = file.name
        index[f"https://smart-data-models.github.io/{file.stem}/context.jsonld"] = file.name
    for file in sorted((models / "examples").iterdir()):
        own = json.loads(file.read_text())["@context"]
        (folder / f"own.{file.name}").write_text(json.dumps({"@context": own}))
        index[own_context(file)] = f"own.{file.name}"
    (folder / "index.json").write_text(json.dumps(index))
    return folder


def own_context(file):
    return f"https://contexts.example/{file.stem}"


def without_context(value):
    if isinstance(value, dict):
        return {key: without_context(member) for key, member in value.items() if key != "@context"}
    if isinstance(value, list):
        return [without_context(element) for element in value]
    return value


def test_every_smart_data_model(new_city, shared_data, tmp_path, importer):
    """Each of the 107 into a tenant of its own, and out again as it went in."""
    models = type(tmp_path)(shared_data) / "smart-data-models"
    folder = preload_folder(models, tmp_path / "contexts")
    city = new_city("--contexts", str(folder), *NO_NETWORK).start()
    examples = sorted((models / "examples").iterdir())
    assert len(examples) == 107
    refused = {}
    for number, file in enumerate(examples):
        tenant = {"NGSILD-Tenant": f"model{number}"}
        sent = json.loads(file.read_text())
        code, summary, messages = importer(city, file, "--tenant", f"model{number}")
        if code:
            assert (code, summary["entities"], summary["rejected"]) == (1, 0, 1), messages
            refused[file.stem] = messages
            continue
        assert (summary["created"], summary["rejected"]) == (1, 0)
        link = f'<{own_context(file)}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
        got = entity(city, sent["id"], headers={**tenant, "Link": link})
        assert without_context(got) == without_context(sent), file.stem
        everything = city.get("entities", params={"local": "true"}, headers=tenant)
        assert [e["id"] for e in everything.json()] == [sent["id"]]
    assert sorted(refused) == sorted(REFUSED)
    for name, reason in REFUSED.items():
        assert re.search(reason, refused[name]), refused[name]


# ---- Beijing ----

WIND = {"NE": 45, "SE": 135, "NW": 315}


def beijing(shared_data):
    path = os.path.join(shared_data, "beijing", "PRSA_data_2010.1.1-2014.12.31.csv")
    with open(path, newline="", encoding="ascii") as file:
        return path, list(csv.DictReader(file))


def utc_text(row):
    """The row's hour, Beijing time, as UTC."""
    local = time.strptime("{year}-{month}-{day} {hour}".format(**row), "%Y-%m-%d %H")
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(calendar.timegm(local) - 8 * 3600))


def check_hour(city, row):
    hour = f"{row['year']}-{int(row['month']):02}-{int(row['day']):02}T{int(row['hour']):02}"
    when = utc_text(row)
    air = entity(city, f"urn:ngsi-ld:AirQualityObserved:beijing:{hour}")
    assert air["dateObserved"]["value"] == {"@type": "DateTime", "@value": when}
    if row["pm2.5"] == "NA":
        assert "pm25" not in air
    else:
        assert air["pm25"] == {"type": "Property", "value": float(row["pm2.5"]), "unitCode": "GQ",
                               "observedAt": when}
    weather = entity(city, f"urn:ngsi-ld:WeatherObserved:beijing:{hour}")
    for name, column, unit in (("temperature", "TEMP", "CEL"), ("dewPoint", "DEWP", "CEL"),
                               ("atmosphericPressure", "PRES", "A97"), ("cumulatedWindSpeed", "Iws", "MTS"),
                               ("cumulatedSnowHours", "Is", "HUR"), ("cumulatedRainHours", "Ir", "HUR")):
        assert weather[name] == {"type": "Property", "value": float(row[column]), "unitCode": unit,
                                 "observedAt": when}
    assert "location" not in air and "location" not in weather  # the file has none
    assert weather["windDirectionClass"]["value"] == row["cbwd"]
    assert weather.get("windDirection", {}).get("value") == WIND.get(row["cbwd"])


def test_hours_of_beijing(city, shared_data, importer):
    path, rows = beijing(shared_data)
    code, summary, messages = importer(city, path, "--mapping", "beijing-air-quality")
    assert code == 0, messages
    assert (summary["created"], summary["updated"], summary["rejected"]) == (2 * 43824, 0, 0)
    assert count(city, "AirQualityObserved") == count(city, "WeatherObserved") == 43824 == len(rows)
    known = [row for row in rows if row["pm2.5"] != "NA"]
    assert count(city, "AirQualityObserved", params={"q": "pm25"}) == len(known) == 41757
    heavy = sum(float(row["pm2.5"]) > 250 for row in known)
    assert count(city, "AirQualityObserved", params={"q": "pm25>250"}) == heavy
    frost = sum(float(row["TEMP"]) < 0 for row in rows)
    assert count(city, "WeatherObserved", params={"q": "temperature<0"}) == frost
    for row in [rows[0], rows[-1], *random.Random(1).sample(rows, 200)]:
        check_hour(city, row)
    # Once more: the same entities, none twice.
    code, summary, messages = importer(city, path, "--mapping", "beijing-air-quality")
    assert (code, summary["created"], summary["updated"]) == (0, 0, 2 * 43824), messages
    assert count(city, "WeatherObserved") == 43824


# ---- Jinan ----

def exact(line):
    """A line as something to compare: 117.0 and 117 are the same."""
    return tuple(tuple(map(float, position)) for position in line)


def test_roads_of_jinan(city, shared_data, importer):
    path = os.path.join(shared_data, "jinan", "roads.geojson")
    with open(path, encoding="utf-8") as file:
        features = json.load(file)["features"]
    lines = {exact(line): feature["properties"]["highway"]
             for feature in features for line in feature["geometry"]["coordinates"]}
    code, summary, messages = importer(city, path, "--mapping", "jinan-roads")
    assert code == 0, messages
    assert (summary["created"], summary["rejected"]) == (18118, 0)
    assert count(city, "RoadSegment") == 18118 == len(lines)
    seen, offset = {}, 0
    while offset < 18118:
        page = city.get("entities", params={"type": "RoadSegment", "limit": 1000, "offset": offset,
                                            "options": "keyValues"}).json()
        assert page
        for segment in page:
            assert segment["location"]["type"] == "LineString"
            line = segment["location"]["coordinates"]
            seen[exact(line)] = segment["roadClass"]
            assert segment["startPoint"]["coordinates"] == line[0]
            assert segment["endPoint"]["coordinates"] == line[-1]
            assert segment["length"] >= 0
        offset += len(page)
    assert seen == lines
    trunk = sum(kind == "trunk" for kind in lines.values())
    assert count(city, "RoadSegment", params={"q": 'roadClass=="trunk"'}) == trunk == 1095


# ---- timetables ----

def test_stops_of_anaheim(city, shared_data, importer):
    import io
    import zipfile
    path = os.path.join(shared_data, "gtfs", "anaheim.zip")
    with zipfile.ZipFile(path) as feed:
        stops = list(csv.DictReader(io.TextIOWrapper(feed.open("stops.txt"), encoding="utf-8-sig")))
        routes = list(csv.DictReader(io.TextIOWrapper(feed.open("routes.txt"), encoding="utf-8-sig")))
    code, summary, messages = importer(city, path)
    assert code == 0, messages
    assert summary["created"] == len(stops) + len(routes)
    assert count(city, "PublicTransportStop") == len(stops) > 70
    assert count(city, "PublicTransportRoute") == len(routes) == 13
    for stop in stops:
        got = entity(city, f"urn:ngsi-ld:PublicTransportStop:{stop['stop_id']}", params={"options": "keyValues"})
        assert got["name"] == stop["stop_name"]
        assert got["location"] == {"type": "Point",
                                   "coordinates": [float(stop["stop_lon"]), float(stop["stop_lat"])]}
        assert got.get("description", "") == stop["stop_desc"]
    for route in routes:
        got = entity(city, f"urn:ngsi-ld:PublicTransportRoute:{route['route_id']}", params={"options": "keyValues"})
        assert got["transportationType"] == int(route["route_type"])
        assert got["routeColor"] == "#" + route["route_color"]


# ---- rejected rows ----

MAPPING = {
    "missing": ["", "-"],
    "entities": [{"id": "urn:ngsi-ld:Spring:{name}", "type": "Spring",
                  "attributes": {"flow": {"column": "flow", "type": "number", "min": 0},
                                 "location": {"point": ["lon", "lat"]},
                                 "tapped": {"relationship": "{tap}"}}}],
}


def write_springs(folder, rows):
    (folder / "mapping.json").write_text(json.dumps(MAPPING))
    path = folder / "springs.csv"
    path.write_text("name,flow,lon,lat,tap\n" + "".join(row + "\n" for row in rows), encoding="utf-8")
    return path


BAD_SPRINGS = [
    "Baotu,1.5,117.01,36.66,",
    '"Black\nTiger",2,117.03,36.66,urn:x:1',  # one row on lines 3 and 4
    "Pearl,much,117.02,36.67,",               # line 5
    "Five Dragon,3,200,36.66,",               # 6
    "too,few",                                # 7
    '"no end,1,117,36,',                      # 8
    "Willow,-,117.02,36.66,not-a-uri",        # 9: refused by the city, not by the mapping
    "Ink,-4,117.02,36.66,",                   # 10
    "Clear,5,117.02,36.66,",
]
BAD_REPORT = [
    ("5", "", 'flow: column "flow" has "much", not a number'),
    ("6", "", 'location: column "lon" is no number of degrees within ±180'),
    ("7", "", "2 fields where the header has 5"),
    ("8", "", "a quote is not closed within"),
    ("9", "urn:ngsi-ld:Spring:Willow", "a Relationship's object must be a URI (at /tapped/object)"),
    ("10", "", 'flow: column "flow" has -4, outside of what the mapping allows'),
]


def check_report(rows, path):
    assert len(rows) == len(BAD_REPORT)
    for row, (line, entity_id, reason) in zip(rows, BAD_REPORT):
        assert row[:2] == [str(path), line]
        if entity_id:
            assert row[2] == entity_id
        assert row[3].startswith(reason), row


def test_report_of_rejected_rows_is_exact(city, tmp_path, importer):
    path, report = write_springs(tmp_path, BAD_SPRINGS), tmp_path / "report.csv"
    code, summary, messages = importer(city, path, "--mapping", tmp_path / "mapping.json", "--report", report)
    assert code == 1
    assert (summary["entities"], summary["rejected"], summary["complete"]) == (3, 6, True)
    check_report(report_rows(report), path)
    for line, _, reason in BAD_REPORT:
        assert f"{path}:{line}: {reason}" in messages
    names = {e["id"] for e in city.get("entities", params={"type": "Spring"}).json()}
    assert names == {"urn:ngsi-ld:Spring:Baotu", "urn:ngsi-ld:Spring:Black%0ATiger", "urn:ngsi-ld:Spring:Clear"}


def test_dry_run_rejects_the_same_and_sends_nothing(city, tmp_path, importer):
    path, report = write_springs(tmp_path, BAD_SPRINGS), tmp_path / "report.csv"
    code, summary, _ = importer(city, path, "--mapping", tmp_path / "mapping.json", "--report", report, "--dry-run")
    assert code == 1
    assert (summary["entities"], summary["rejected"], summary["dryRun"]) == (3, 6, True)
    check_report(report_rows(report), path)
    assert city.get("entities", params={"type": "Spring"}).json() == []


def test_unusable_beginnings_are_told_apart(city, tmp_path, importer):
    path = write_springs(tmp_path, ["a,1,2,3,"])
    (tmp_path / "broken.json").write_text('{"entities":[{"id":"urn:x:{name}","type":"T","attribute":{}}]}')
    for arguments, words in (
            (["--mapping", tmp_path / "broken.json", path], '"attribute" is not known here (at /entities/0/attribute)'),
            (["--mapping", "atlantis", path], "there is no mapping file atlantis; built in are beijing-air-quality"),
            (["--frobnicate", path], "unknown option --frobnicate"),
            (["--requests", "0", path], "--requests takes a number from 1 to 64"),
            ([], "import needs a FILE")):
        code, summary, messages = importer(city, *arguments)
        assert (code, summary) == (2, None)
        assert words in messages
    # An input that cannot be read is a rejection like any other; the rest goes in.
    good = tmp_path / "good.json"
    good.write_text('{"id":"urn:ngsi-ld:Spring:good","type":"Spring"}')
    code, summary, messages = importer(city, tmp_path / "gone.csv", path, good)
    assert (code, summary["entities"], summary["rejected"]) == (1, 1, 2)
    assert "gone.csv: cannot be opened" in messages
    assert "springs.csv: a table needs a mapping" in messages


# ---- other inputs ----

def test_key_values_directories_and_contexts(city, tmp_path, importer):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / ".hidden.json").write_text("broken")
    (tmp_path / "in" / "notes.txt").write_text("not for import")
    (tmp_path / "in" / "a.json").write_text(json.dumps(
        [{"id": "urn:ngsi-ld:Spring:a", "type": "Spring", "flow": 3, "near": "urn:ngsi-ld:Lake:1",
          "location": {"type": "Point", "coordinates": [117, 36]}}]))
    (tmp_path / "in" / "deep" / "b.ndjson").write_text(
        '{"id":"urn:ngsi-ld:Spring:b","type":"Spring","flow":{"type":"Property","value":4}}\n'
        '{"id":"urn:ngsi-ld:Spring:c","type":"Spring","flow":5,"@context":{"flow":"https://water.example/flow"}}\n')
    (tmp_path / "in" / "deep" / "map.geojson").write_text(json.dumps(
        {"type": "FeatureCollection", "features": [
            {"type": "Feature", "id": 7, "properties": {"flow": 6},
             "geometry": {"type": "Point", "coordinates": [117, 36]}}]}))
    code, summary, messages = importer(city, tmp_path / "in", "--type", "Spring")
    assert (code, summary["files"], summary["created"]) == (0, 3, 4), messages
    a = entity(city, "urn:ngsi-ld:Spring:a")
    assert a["near"] == {"type": "Relationship", "object": "urn:ngsi-ld:Lake:1"}
    assert a["location"]["type"] == "GeoProperty"
    assert entity(city, "urn:ngsi-ld:Spring:b")["flow"]["value"] == 4
    assert entity(city, "urn:ngsi-ld:Spring:c")["https://water.example/flow"]["value"] == 5
    assert entity(city, "urn:ngsi-ld:Spring:7")["flow"]["value"] == 6


def test_tenant_and_update(city, tmp_path, importer):
    path = tmp_path / "a.json"
    path.write_text('{"id":"urn:ngsi-ld:Spring:a","type":"Spring","flow":1,"name":"A"}')
    assert importer(city, path, "--tenant", "water")[0] == 0
    path.write_text('{"id":"urn:ngsi-ld:Spring:a","type":"Spring","flow":2}')
    assert importer(city, path, "--tenant", "water", "--update")[0] == 0
    tenant = {"NGSILD-Tenant": "water"}
    kept = entity(city, "urn:ngsi-ld:Spring:a", headers=tenant)
    assert (kept["flow"]["value"], kept["name"]["value"]) == (2, "A")
    assert importer(city, path, "--tenant", "water")[0] == 0
    assert "name" not in entity(city, "urn:ngsi-ld:Spring:a", headers=tenant)
    assert city.get("entities/urn:ngsi-ld:Spring:a").status_code == 404


def test_address(city, tmp_path, importer):
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "a.json").write_text('[{"id":"urn:ngsi-ld:Spring:a","type":"Spring"}]')
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "served"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    try:
        code, summary, messages = importer(city, f"{base}/a.json?x=1", f"{base}/gone.json")
        assert (code, summary["created"], summary["rejected"]) == (1, 1, 1), messages
        assert f"{base}/gone.json: the origin answered 404" in messages
        code, summary, messages = importer(city, f"{base}/a.json", "--egress-refuse", "127.0.0.0/8")
        assert (code, summary["rejected"]) == (1, 1), messages
    finally:
        server.shutdown()
        server.server_close()


class Busy(http.server.BaseHTTPRequestHandler):
    """A city that refuses its first batch for now and asks for a pause."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(time.monotonic())
        refused = len(self.server.asked) == 1
        self.send_response(429 if refused else 204)
        if refused:
            self.send_header("Retry-After", self.server.pause)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def busy_city():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Busy)
    server.url, server.asked = f"http://127.0.0.1:{server.server_port}", []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_pause_that_a_city_asks_for(busy_city, tmp_path, importer):
    path = write_springs(tmp_path, [f"s{i},1,2,3," for i in range(20)])
    busy_city.pause = "2"
    code, summary, messages = importer(busy_city, path, "--mapping", tmp_path / "mapping.json",
                                       "--batch-entities", 5, "--requests", 1)
    assert (code, summary["updated"]) == (0, 20), messages
    assert len(busy_city.asked) == 5 and busy_city.asked[1] - busy_city.asked[0] >= 2


def test_pause_that_is_longer_than_patience(busy_city, tmp_path, importer):
    path = write_springs(tmp_path, ["a,1,2,3,"])
    busy_city.pause = "3600"
    code, summary, messages = importer(busy_city, path, "--mapping", tmp_path / "mapping.json", "--patience", 5)
    assert (code, summary["complete"], len(busy_city.asked)) == (3, False, 1)
    assert "asks for a pause of 3600 s" in messages


# ---- interruptions ----

def many_springs(folder, number, bad_every):
    rows = [f"s{i},{'x' if i % bad_every == 0 else i},117.0,36.6," for i in range(1, number + 1)]
    return write_springs(folder, rows), number // bad_every


def start(city, state, *arguments):
    return subprocess.Popen(command(city, *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, "XDG_STATE_HOME": str(state)})


def wait_for_progress(folder, least=1):
    """Waits until the state file says that rows are behind it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for file in (folder / "wellspring").glob("import-*.json"):
            state = json.loads(file.read_text())
            if state["record"] >= least:
                return state
        time.sleep(0.01)
    raise AssertionError("the import got nowhere")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_interrupted_import_resumes(city, tmp_path, number):
    path, bad = many_springs(tmp_path, 20000, 97)
    state, report = tmp_path / "state", tmp_path / "report.csv"
    arguments = (path, "--mapping", tmp_path / "mapping.json", "--report", report,
                 "--batch-entities", 4, "--requests", 2)
    running = start(city, state, *arguments)
    wait_for_progress(state)
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    assert running.returncode == (-9 if number == signal.SIGKILL else 3), err
    reached = wait_for_progress(state)
    assert reached["record"] < 20000
    if number == signal.SIGINT:
        assert json.loads(out)["complete"] is False and "--resume goes on" in err
    resumed = start(city, state, *arguments, "--resume")
    out, err = resumed.communicate(timeout=IMPORT_TIMEOUT_S)
    summary = json.loads(out)
    assert resumed.returncode == 1, err
    # Nothing is missing, nothing is reported twice, and it did not begin anew.
    assert count(city, "Spring") == 20000 - bad
    assert (summary["entities"], summary["rejected"], summary["complete"]) == (20000 - bad, bad, True)
    assert [int(row[1]) for row in report_rows(report)] == [1 + 97 * i for i in range(1, bad + 1)]
    assert summary["entities"] > summary["updated"] >= 0
    assert not list((state / "wellspring").glob("import-*.json"))


def test_resume_refuses_another_file(city, tmp_path):
    path, _ = many_springs(tmp_path, 20000, 97)
    arguments = (path, "--mapping", tmp_path / "mapping.json", "--batch-entities", 4, "--requests", 1)
    running = start(city, tmp_path / "state", *arguments)
    wait_for_progress(tmp_path / "state")
    running.kill()
    running.communicate()
    path.write_text(path.read_text() + "another,1,117.0,36.6,\n")
    resumed = start(city, tmp_path / "state", *arguments, "--resume")
    _, err = resumed.communicate(timeout=60)
    assert resumed.returncode == 2
    assert "changed since the import was interrupted" in err


def test_waits_for_a_city_that_comes_back(new_city, tmp_path):
    """The city is killed in the middle and comes back on the same port: nothing is lost."""
    city = new_city().start()
    address = city.url[len("http://"):]
    path, bad = many_springs(tmp_path, 20000, 1000)
    running = start(city, tmp_path / "state", path, "--mapping", tmp_path / "mapping.json",
                    "--batch-entities", 4, "--requests", 2)
    wait_for_progress(tmp_path / "state")
    city.kill()
    time.sleep(0.5)
    city.start("--listen", address)
    out, err = running.communicate(timeout=IMPORT_TIMEOUT_S)
    assert running.returncode == 1, err
    assert json.loads(out)["rejected"] == bad
    assert count(city, "Spring") == 20000 - bad


def test_gives_up_on_a_city_that_is_not_there(tmp_path, importer):
    class Nobody:
        url = "http://127.0.0.1:9"
    path = write_springs(tmp_path, ["a,1,2,3,"])
    code, summary, messages = importer(Nobody, path, "--mapping", tmp_path / "mapping.json", "--patience", "1")
    assert (code, summary["complete"], summary["entities"]) == (3, False, 0)
    assert "stopped: " in messages


def test_second_interrupt_does_not_wait(tmp_path):
    """A city that takes requests and never answers."""
    class Mute:
        url = ""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        Mute.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        path = write_springs(tmp_path, ["a,1,2,3,"])
        running = start(Mute, tmp_path / "state", path, "--mapping", tmp_path / "mapping.json")
        connection, _ = listening.accept()
        with connection:
            running.send_signal(signal.SIGINT)
            time.sleep(0.5)
            assert running.poll() is None
            running.send_signal(signal.SIGINT)
            out, err = running.communicate(timeout=10)
    assert running.returncode == 3, err
    assert json.loads(out)["complete"] is False


# ---- what people see ----

def test_progress_only_on_a_terminal(city, tmp_path):
    path, _ = many_springs(tmp_path, 20000, 97)
    arguments = command(city, path, "--mapping", tmp_path / "mapping.json", "--batch-entities", 50, "--requests", 1,
                        "--report", tmp_path / "report.csv")
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}
    quiet = subprocess.run(arguments, capture_output=True, text=True, env=environment, check=False)
    assert "%" not in quiet.stderr and "\r" not in quiet.stderr
    ours, theirs = pty.openpty()
    running = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=theirs, env=environment)
    os.close(theirs)
    shown = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:
            break
        if not chunk:
            break
        shown += chunk
    os.close(ours)
    assert running.wait(60) == 1
    assert re.search(rb"\[#*\.*\] +\d+%  \d+ entities", shown)
