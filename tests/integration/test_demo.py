"""wellspring demo: a city that lives without any file."""
import time

import pytest

KINDS = {"TrafficFlowObserved": 400, "AirQualityObserved": 80, "WeatherObserved": 20, "OffStreetParking": 60,
         "ParkingSpot": 440, "Streetlight": 500, "WasteContainer": 300, "SmartMeteringObservation": 200}


def count(city, kind, **parameters):
    got = city.get("entities", params={"type": kind, "count": "true", "limit": 0, **parameters})
    assert got.status_code == 200, got.text
    return int(got.headers["NGSILD-Results-Count"])


def wait_until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def all_values(city, kind):
    page = city.get("entities", params={"type": kind, "limit": 1000, "options": "keyValues"}).json()
    return {entity["id"]: entity for entity in page}


@pytest.fixture
def demo(new_city):
    def start(*options):
        city = new_city().start(*options, command="demo")
        wait_until(lambda: count(city, "SmartMeteringObservation") > 0 or "--devices" in options)
        return city
    return start


def test_model_city_is_all_there_and_marked(demo):
    city = demo("--start", "2024-06-21T14:00:00Z")  # ten in the evening
    for kind, number in KINDS.items():
        assert count(city, kind) == number
        assert count(city, kind, q="simulated==true") == number
        assert count(city, kind, q='dataProvider=="Wellspring model city (simulated)"') == number
        assert count(city, kind, q='name~="[(]simulated[)]$"') == number
    assert count(city, "Streetlight", q='powerState=="on"') == 500
    near = city.get("entities", params={"type": "Streetlight", "georel": "near;maxDistance==2000", "geometry": "Point",
                                        "coordinates": "[117.0,36.66]", "limit": 1000}).json()
    assert 10 < len(near) < 500


def test_machine_is_the_first_real_device(demo):
    city = demo("--devices", "0")
    wait_until(lambda: count(city, "Device") == 1)
    first = city.get("entities", params={"type": "Device"}).json()[0]
    assert first["simulated"]["value"] is False
    assert first["memoryTotal"]["value"] > first["memoryAvailable"]["value"] > 0
    assert first["diskTotal"]["value"] > 0 and first["uptime"]["value"] > 0

    def observed():
        return city.get("entities/" + first["id"]).json()
    wait_until(lambda: "processorUtilization" in observed())
    later = observed()
    assert 0 <= later["processorUtilization"]["value"] <= 1
    assert later["loadAverage"]["observedAt"] > first["loadAverage"]["observedAt"]
    assert later["name"] == first["name"]  # what does not change stays
    assert count(city, "Streetlight") == 0


def test_seeds_differ_and_repeat(new_city, tmp_path):
    seen = []
    for number, seed in enumerate(("7", "7", "8")):
        (tmp_path / str(number)).mkdir()
        city = new_city(folder=tmp_path / str(number))
        city.start("--seed", seed, "--start", "2024-01-15T00:00:00Z", command="demo")
        wait_until(lambda city=city: count(city, "SmartMeteringObservation") == 200)
        # Those that have reported only once so far show the first second.
        seen.append({key: value for key, value in all_values(city, "WasteContainer").items()
                     if value["dateObserved"]["@value"] == "2024-01-15T00:00:00Z"})
        assert city.stop() == 0
    common = set(seen[0]) & set(seen[1]) & set(seen[2])
    assert len(common) > 250
    assert all(seen[0][key] == seen[1][key] for key in common)
    assert all(seen[0][key] != seen[2][key] for key in common)


def test_speed_of_time(demo):
    city = demo("--speed", "3600", "--start", "2024-06-21T00:00:00Z")

    def hours():
        return {entity["dateObserved"]["@value"][:13] for entity in all_values(city, "WeatherObserved").values()}
    before = hours()
    wait_until(lambda: len(hours() - before) > 0)
    passed = set(before)
    for _ in range(30):
        passed |= hours()
        time.sleep(0.1)
    assert len(passed) >= 3


def test_demo_in_a_tenant_and_wrong_options(new_city, tmp_path):
    city = new_city().start("--demo-tenant", "model", "--devices", "100", command="demo")

    def there():
        got = city.get("entities", params={"type": "ParkingSpot", "count": "true"},
                       headers={"NGSILD-Tenant": "model"})
        return got.status_code == 200 and got.headers["NGSILD-Results-Count"] == "22"
    wait_until(there)
    assert count(city, "ParkingSpot") == 0
    with pytest.raises(RuntimeError, match="demo.start is a date and time"):
        (tmp_path / "other").mkdir()
        new_city(folder=tmp_path / "other").start("--start", "yesterday", command="demo")
