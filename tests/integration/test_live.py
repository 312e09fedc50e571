"""Live streams: the entities that match, then what becomes of them (GET /live)."""
import concurrent.futures
import http.server
import json
import os
import re
import socket
import struct
import threading
import time

import pytest
import requests
import urllib3


def car(number, speed=0, **more):
    return {"id": f"urn:ngsi-ld:Car:{number}", "type": "Car", "speed": {"type": "Property", "value": speed}, **more}


class Stream:
    """Server-sent events of one answer, read on a thread."""

    def __init__(self, city, query, last_id=None, **headers):
        if last_id:
            headers["Last-Event-ID"] = last_id
        self.answer = requests.get(f"{city.url}/live?{query}", headers=headers, stream=True, timeout=30)
        assert self.answer.status_code == 200, self.answer.text
        self.events, self.last_id, self.comments, self.ended = [], None, 0, False
        self.came = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        event = {}
        try:
            for line in self._lines():
                if line.startswith(":"):
                    self.comments += 1
                elif line:
                    key, _, value = line.partition(":")
                    event[key] = value.strip()
                else:
                    self.last_id = event.get("id", self.last_id)
                    if "data" in event:
                        with self.came:
                            self.events.append((event["event"], json.loads(event["data"])))
                            self.came.notify()
                    event = {}
        except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError, AttributeError):
            pass
        with self.came:
            self.ended = True
            self.came.notify()

    def _lines(self):
        rest = b""
        for chunk in self.answer.raw.stream(decode_content=False):  # as they come
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (line.decode() for line in lines)

    def until(self, name, seconds=20):
        """All events up to and with the first one of that name; they are taken."""
        with self.came:
            assert self.came.wait_for(lambda: any(e[0] == name for e in self.events), seconds), (name, self.events[-5:])
            at = [e[0] for e in self.events].index(name) + 1
            taken, self.events = self.events[:at], self.events[at:]
            return taken

    def next(self, seconds=20):
        with self.came:
            assert self.came.wait_for(lambda: self.events, seconds), "nothing comes"
            return self.events.pop(0)

    def close(self):
        try:
            self.answer.raw._fp.fp.raw._sock.shutdown(socket.SHUT_RDWR)
        except (AttributeError, OSError):
            pass
        self.answer.close()


@pytest.fixture
def watch():
    streams = []

    def make(*arguments, **more):
        streams.append(Stream(*arguments, **more))
        return streams[-1]
    yield make
    for stream in streams:
        stream.close()


def speed(city, number, value, **more):
    changed = city.patch(f"entities/urn:ngsi-ld:Car:{number}/attrs", {"speed": {"type": "Property", "value": value}}, **more)
    assert changed.status_code == 204, changed.text


def test_geojson_for_a_map(city, watch):
    place = {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [1, 2]}}
    city.post("entities", car(1, 5, location=place, spot={**place, "value": {"type": "Point", "coordinates": [3, 4]}}))
    feature = {"id": "urn:ngsi-ld:Car:1", "type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}}
    by_param = watch(city, "type=Car&options=keyValues&accept=application/geo%2Bjson")
    by_header = watch(city, "type=Car&options=keyValues&geometryProperty=spot", Accept="text/event-stream, application/geo+json")
    plain = watch(city, "type=Car&options=keyValues", Accept="text/event-stream")
    for stream, at in ((by_param, [1, 2]), (by_header, [3, 4])):
        (name, got), _ready = stream.until("ready")
        assert name == "entity" and got.items() >= {**feature, "geometry": {"type": "Point", "coordinates": at}}.items()
        assert got["properties"]["type"] == "Car" and got["properties"]["speed"] == 5
    assert plain.until("ready")[0][1]["type"] == "Car"
    city.patch("entities/urn:ngsi-ld:Car:1/attrs", {"speed": {"type": "Property", "value": 6}})
    city.delete("entities/urn:ngsi-ld:Car:1")
    (change, changed), (gone, left) = by_param.until("delete")
    assert change == "change" and changed["properties"]["speed"] == 6
    assert gone == "delete" and left["id"] == "urn:ngsi-ld:Car:1" and left["type"] == "Feature" and left["properties"]["type"] == "Car"
    for wrong in ("accept=text/html", "geometryProperty=spot", "accept=application/geo%2Bjson&accept=application/json"):
        assert requests.get(f"{city.url}/live?type=Car&{wrong}", timeout=10).status_code == 400


def test_entities_first_then_what_becomes_of_them(city, watch):
    for number in range(3):
        city.post("entities", car(number, 10 * number))
    stream = watch(city, "type=Car&q=speed>5&options=keyValues")
    begun = stream.until("ready")
    assert sorted(e[1]["id"] for e in begun[:-1]) == ["urn:ngsi-ld:Car:1", "urn:ngsi-ld:Car:2"]
    assert begun[0][1]["speed"] in (10, 20)
    speed(city, 0, 50)
    assert stream.next() == ("appear", {"id": "urn:ngsi-ld:Car:0", "type": "Car", "speed": 50})
    speed(city, 0, 51)
    assert stream.next() == ("change", {"id": "urn:ngsi-ld:Car:0", "type": "Car", "speed": 51})
    speed(city, 0, 1)
    assert stream.next() == ("leave", {"id": "urn:ngsi-ld:Car:0", "type": "Car"})
    speed(city, 0, 2)  # nobody asked
    city.delete("entities/urn:ngsi-ld:Car:1")
    assert stream.next() == ("delete", {"id": "urn:ngsi-ld:Car:1", "type": "Car"})
    city.post("entities", car(7, 7))
    assert stream.next()[0] == "appear"


def test_names_may_be_new(city, watch):
    stream = watch(city, "type=Boat&q=knots>3&pick=id,knots&options=keyValues")
    assert stream.until("ready") == [("ready", {})]
    city.post("entities", {"id": "urn:ngsi-ld:Boat:1", "type": "Boat", "knots": {"type": "Property", "value": 4}})
    assert stream.next() == ("appear", {"id": "urn:ngsi-ld:Boat:1", "knots": 4})


def test_view_is_told_what_it_shows_alone(city, watch):
    city.post("entities", car(1, 5, colour={"type": "Property", "value": "red"}))
    picked = watch(city, "type=Car&pick=id,colour&options=keyValues")
    whole = watch(city, "type=Car&options=keyValues")
    picked.until("ready")
    whole.until("ready")
    speed(city, 1, 6)
    city.patch("entities/urn:ngsi-ld:Car:1/attrs", {"colour": {"type": "Property", "value": "blue"}})
    assert picked.next() == ("change", {"id": "urn:ngsi-ld:Car:1", "colour": "blue"})
    assert whole.next()[1]["speed"] == 6
    assert whole.next()[1]["colour"] == "blue"


def test_tenants_are_apart(city, watch):
    stream = watch(city, "type=Car&tenant=north")  # does not exist yet
    assert stream.answer.headers["NGSILD-Tenant"] == "north"
    stream.until("ready")
    city.post("entities", car(1))
    city.post("entities", car(2), headers={"NGSILD-Tenant": "north"})
    assert stream.next()[1]["id"] == "urn:ngsi-ld:Car:2"


def test_format_language_and_place(city, watch):
    city.post("entities", car(1, name={"type": "LanguageProperty", "languageMap": {"en": "one", "de": "eins"}},
                              location={"type": "GeoProperty", "value": {"type": "Point", "coordinates": [117, 36.65]}}))
    city.post("entities", car(2, location={"type": "GeoProperty", "value": {"type": "Point", "coordinates": [0, 0]}}))
    stream = watch(city, "type=Car&format=simplified&lang=de&georel=near;maxDistance==1000&geometry=Point&"
                         "coordinates=[117,36.65]")
    begun = stream.until("ready")
    assert len(begun) == 2 and begun[0][1]["name"] == "eins"


def test_goes_on_where_it_was(city, watch):
    stream = watch(city, "type=Car&options=keyValues")
    stream.until("ready")
    city.post("entities", car(1, 1))
    stream.next()
    last = stream.last_id
    stream.close()
    speed(city, 1, 2)
    speed(city, 1, 3)
    again = watch(city, "type=Car&options=keyValues", last_id=last)
    assert again.next() == ("change", {"id": "urn:ngsi-ld:Car:1", "type": "Car", "speed": 2})
    assert again.next()[1]["speed"] == 3
    speed(city, 1, 4)
    assert again.next()[1]["speed"] == 4


def test_goes_on_every_time(city, watch):
    """What is told again may come before the stream has begun: many readers at once, so that it does."""
    stream = watch(city, "type=Car&options=keyValues")
    stream.until("ready")
    city.post("entities", car(1, 0))
    stream.next()
    last = stream.last_id
    speeds = list(range(1, 6))
    for value in speeds:
        speed(city, 1, value)
    for _ in range(6):
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            again = list(pool.map(lambda _: watch(city, "type=Car&options=keyValues", last_id=last), range(20)))
        for reader in again:
            assert [reader.next()[1]["speed"] for _ in speeds] == speeds
            reader.close()


@pytest.mark.parametrize("last", ["0-1", "nonsense", "-", "ffff-18446744073709551615"])
def test_unknown_point_is_a_reset(city, watch, last):
    city.post("entities", car(1, 1))
    stream = watch(city, "type=Car", last_id=last)
    begun = stream.until("ready")
    assert [e[0] for e in begun] == ["reset", "entity", "ready"]


def test_restart_is_a_reset(city, watch):
    city.post("entities", car(1, 1))
    stream = watch(city, "type=Car")
    stream.until("ready")
    last = stream.last_id
    city.restart()
    assert [e[0] for e in watch(city, "type=Car", last_id=last).until("ready")] == ["reset", "entity", "ready"]


def test_what_is_not_kept_any_more_is_a_reset(new_city, watch):
    os.environ["WELLSPRING_LIVE_RING_BYTES"] = "65536"
    try:
        city = new_city().start()
    finally:
        del os.environ["WELLSPRING_LIVE_RING_BYTES"]
    stream = watch(city, "type=Car")
    stream.until("ready")
    last = stream.last_id
    stream.close()
    city.post("entities", car(1, 1))
    for value in range(300):
        speed(city, 1, value)
    assert watch(city, "type=Car", last_id=last).next()[0] == "reset"


def test_many_entities_come_as_the_reader_takes_them(city, watch):
    filler = {"type": "Property", "value": "x" * 2000}
    for first in range(0, 3000, 500):
        made = city.post("entityOperations/create", [car(n, n, filler=filler) for n in range(first, first + 500)])
        assert made.status_code == 201
    stream = watch(city, "type=Car")
    deadline = time.monotonic() + 60
    seen = set()
    while time.monotonic() < deadline:
        name, data = stream.next()
        if name == "ready":
            break
        seen.add(data["id"])
    assert len(seen) == 3000


def metric(city, name):
    return int(re.search(rf"^wellspring_live_{name} (\d+)$", city.get("/metrics").text, re.MULTILINE)[1])


def test_streams_are_counted(new_city, watch):
    city = new_city().start()
    city.post("entities", car(1, 1))
    stream = watch(city, "type=Car")
    stream.until("ready")
    speed(city, 1, 2)
    stream.next()
    assert [metric(city, name) for name in ("streams", "streams_total", "events_total", "dropped_total")] == [1, 1, 2, 0]
    assert city.get("/live?limit=1").status_code == 400  # opens none
    stream.close()
    until = time.monotonic() + 20
    while metric(city, "streams") and time.monotonic() < until:
        time.sleep(0.05)
    assert [metric(city, name) for name in ("streams", "streams_total")] == [0, 1]


def test_slow_reader_is_dropped_and_costs_nobody_else(city, watch):
    dropped = metric(city, "dropped_total")
    host, port = city.url[7:].split(":")
    lazy = socket.create_connection((host, int(port)))
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    lazy.sendall(b"GET /live?type=Car HTTP/1.1\r\nHost: x\r\n\r\n")
    quick = watch(city, "type=Car&options=keyValues")
    quick.until("ready")
    lazy.recv(1000)
    city.post("entities", car(1, 1, filler={"type": "Property", "value": "x" * 50000}))
    for value in range(200):  # 10 MB, more than sockets and its own buffer take
        speed(city, 1, value)
    assert quick.until("change")[0][0] == "appear"
    for value in range(1, 200):
        assert quick.next()[1]["speed"] == value
    lazy.settimeout(20)
    got, tail = 0, b""
    while not tail.endswith(b"\r\n0\r\n\r\n"):  # it ends
        chunk = lazy.recv(1 << 20)
        assert chunk
        got += len(chunk)
        tail = (tail + chunk)[-10:]
    assert got < 10_000_000
    assert metric(city, "dropped_total") == dropped + 1
    lazy.close()


def test_streams_are_bounded_and_say_that_they_are_there(new_city, watch):
    os.environ["WELLSPRING_LIVE_STREAMS"] = "2"
    os.environ["WELLSPRING_LIVE_HEARTBEAT"] = "100 ms"
    try:
        city = new_city().start()
    finally:
        del os.environ["WELLSPRING_LIVE_STREAMS"], os.environ["WELLSPRING_LIVE_HEARTBEAT"]
    one, _ = watch(city, "type=Car"), watch(city, "type=Bus")
    full = city.get("/live?type=Car")
    assert full.status_code == 503 and "live.streams" in full.text
    one.until("ready")
    first = one.last_id
    city.post("entities", {"id": "urn:ngsi-ld:Tram:1", "type": "Tram"})
    deadline = time.monotonic() + 10
    while one.last_id == first and time.monotonic() < deadline:
        time.sleep(0.05)
    assert one.last_id != first  # where to go on from moves, although nothing was told
    assert one.comments > 0
    one.close()
    deadline = time.monotonic() + 10
    while city.get("/live?type=Tram", stream=True).status_code == 503 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert time.monotonic() < deadline


@pytest.mark.parametrize("query, code", [
    ("foo=1", 400), ("type=Car&q=(", 400), ("type=Car&limit=3", 400), ("type=Car&join=inline", 400),
    ("tenant=no!", 400), ("tenant=a&tenant=b", 400), ("type=%zz", 400), ("type=Car&context=http://169.254.1.1/c", 504),
])
def test_refusals(shared_city, query, code):
    assert shared_city.get("/live?" + query).status_code == code


def test_other_methods_are_refused(shared_city):
    refused = shared_city.request("POST", "/live")
    assert refused.status_code == 405 and refused.headers["Allow"] == "GET"


def test_everything_may_be_watched(shared_city, watch):
    assert watch(shared_city, "").until("ready")


def test_many_streams_under_load_end_in_order(city, watch):
    streams = [watch(city, f"type=Car&q=speed>{n % 5}&options=keyValues") for n in range(40)]
    for stream in streams:
        stream.until("ready")
    city.post("entities", car(1, 0))
    for value in range(100):
        speed(city, 1, value)
    for stream in streams:
        stream.until("appear")
        while stream.next()[1].get("speed") != 99:
            pass
    for stream in streams[::2]:
        stream.close()
    speed(city, 1, 100)
    assert streams[1].next()[1]["speed"] == 100
    assert city.stop() == 0


def test_readers_that_leave_before_the_stream_begins(city, watch):
    asked, answer = threading.Semaphore(0), threading.Event()

    class Slow(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.release()
            answer.wait(20)
            body = b'{"@context": {"Car": "urn:car"}}'
            self.send_response(200)
            self.send_header("Content-Type", "application/ld+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    watch(city, "type=Bus").until("ready")  # the hub is at work
    origin = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=origin.serve_forever, daemon=True).start()
    host, port = city.url.split("//")[1].split(":")
    readers = []
    for number in range(8):
        reader = socket.create_connection((host, int(port)))
        context = f"http%3A%2F%2F127.0.0.1%3A{origin.server_address[1]}%2F{number}"
        reader.sendall(f"GET /live?type=Car&context={context} HTTP/1.1\r\nHost: city\r\n\r\n".encode())
        readers.append(reader)
    for _ in range(4):  # as many as are fetched at once, or more
        assert asked.acquire(timeout=20)
    for reader in readers:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        reader.close()
    time.sleep(0.5)
    answer.set()
    time.sleep(1)
    origin.shutdown()
    stream = watch(city, "type=Car")
    stream.until("ready")
    city.post("entities", car(1))
    assert stream.next()[0] == "appear"
    assert city.process.poll() is None
