"""Notifications to receivers of every kind: HTTP ones that misbehave, and a real Mosquitto that dies and returns."""
import contextlib
import json
import os
import shutil
import socket
import subprocess
import threading
import time

import pytest

MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
needs_mosquitto = pytest.mark.skipif(not os.path.exists(MOSQUITTO) or not shutil.which("mosquitto_sub"),
                                     reason="there is no mosquitto with mosquitto_sub")


def wait_until(met, seconds=20):
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.02)


def subscribe(city, uri, number=1, **endpoint):
    made = city.post("subscriptions", {
        "id": f"urn:ngsi-ld:Subscription:{number}", "type": "Subscription", "entities": [{"type": "Car"}],
        "notification": {"format": "keyValues", "endpoint": {"uri": uri, **endpoint}}})
    assert made.status_code == 201, made.text


def drive(city, speed, number=1):
    sent = city.post("entityOperations/upsert", [
        {"id": f"urn:ngsi-ld:Car:{number}", "type": "Car", "speed": {"type": "Property", "value": speed}}])
    assert sent.status_code in (201, 204), sent.text


class Receiver:
    """Takes POSTs and answers with what it was made with, seconds later; None: never."""

    def __init__(self, answer, seconds=0):
        self.answer, self.seconds, self.bodies, self.heads, self.connections = answer, seconds, [], [], 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.uri = f"http://127.0.0.1:{self.socket.getsockname()[1]}/notify"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                guest, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(guest,), daemon=True).start()

    def _serve(self, guest):
        with guest, contextlib.suppress(ConnectionError):  # a city that ends, or a connection cut for a huge answer
            self._answer_all(guest)

    def _answer_all(self, guest):
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                chunk = guest.recv(65536)
                if not chunk:
                    return
                data += chunk
            head, data = data.split(b"\r\n\r\n", 1)
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
            while len(data) < int(headers["Content-Length"]):
                data += guest.recv(65536)
            body, data = data[:int(headers["Content-Length"])], data[int(headers["Content-Length"]):]
            self.heads.append(headers)
            self.bodies.append(json.loads(body))
            if self.answer is None:
                continue
            time.sleep(self.seconds)
            guest.sendall(self.answer)
            if b"close" in self.answer or b"HTTP/1.0" in self.answer:
                return

    def speeds(self):
        return [entity["speed"] for body in list(self.bodies) for entity in body["data"]]

    def close(self):
        self.socket.close()


@pytest.fixture
def receivers():
    made = []

    def make(answer=b"HTTP/1.1 204 No Content\r\n\r\n", seconds=0):
        made.append(Receiver(answer, seconds))
        return made[-1]
    yield make
    for receiver in made:
        receiver.close()


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\nwhatever",
    b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 3000000,
], ids=["length", "chunked", "closing", "http10", "huge"])
def test_every_kind_of_receiver_is_told_in_order(city, receivers, answer):
    receiver = receivers(answer)
    subscribe(city, receiver.uri, receiverInfo=[{"key": "X-Token", "value": "abc"}])
    for speed in range(20):
        drive(city, speed)
    wait_until(lambda: receiver.speeds()[-1:] == [19])
    assert receiver.speeds() == list(range(20))
    assert all(h["X-Token"] == "abc" and h["Content-Type"].startswith("application/json") for h in receiver.heads)


def test_subscriptions_of_one_slow_receiver_wait_for_their_turn(new_city, receivers):
    """The time of a message begins when it is sent: 8 connections need 2.5 s for all that wait, and none may fail."""
    city, receiver = new_city("--egress-connections-per-host", "8").start(), receivers(seconds=0.1)
    for number in range(200):
        subscribe(city, receiver.uri, number, timeout=1000)
    drive(city, 7)
    wait_until(lambda: len(receiver.bodies) >= 200)
    wait_until(lambda: "wellspring_notifications_waiting 0\n" in city.get("/metrics").text)
    assert len(receiver.bodies) == len({body["subscriptionId"] for body in receiver.bodies}) == 200
    assert "wellspring_notifications_failed_total 0\n" in city.get("/metrics").text


def test_connections_are_kept(city, receivers):
    receiver = receivers()
    subscribe(city, receiver.uri)
    for speed in range(50):
        drive(city, speed)
    wait_until(lambda: receiver.speeds()[-1:] == [49])
    assert receiver.connections <= 2


def test_silent_receiver_costs_the_others_nothing(city, receivers):
    silent, lively = receivers(None), receivers()
    subscribe(city, silent.uri, 1, timeout=10000)
    subscribe(city, lively.uri, 2)
    start = time.monotonic()
    for speed in range(100):
        drive(city, speed)
    wait_until(lambda: lively.speeds()[-1:] == [99])
    assert time.monotonic() - start < 9  # before the silent one's time is over
    assert lively.speeds() == list(range(100))
    assert 1 <= silent.connections <= 8


def test_silent_https_receivers_cost_the_others_nothing(new_city, receivers):
    """As many of them as there are connections, never answering a handshake; the lively one goes through libcurl too."""
    city = new_city("--egress-connections", "8", "--egress-connections-per-host", "4").start()
    silent = [socket.create_server((f"127.0.0.{2 + i}", 0)) for i in range(8)]
    lively = receivers()
    for number, server in enumerate(silent, 2):
        host, port = server.getsockname()
        subscribe(city, f"https://{host}:{port}/", number, timeout=3000, cooldown=1)
    drive(city, -1)
    for number in range(2, 10):  # at first nobody knows that they are silent
        wait_until(lambda: city.get(f"subscriptions/urn:ngsi-ld:Subscription:{number}").json()["notification"].get("timesFailed"))
    subscribe(city, lively.uri.replace("//", "//somebody:hush@"), 1)
    start = time.monotonic()
    for speed in range(30):
        drive(city, speed)
    wait_until(lambda: lively.speeds()[-1:] == [29], 40)
    assert time.monotonic() - start < 3  # before the time of any silent one is over
    assert lively.speeds() == list(range(30))
    for server in silent:
        server.close()


def test_failures_are_counted(city, receivers):
    receiver = receivers(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")
    subscribe(city, receiver.uri)
    drive(city, 1)
    wait_until(lambda: city.get("subscriptions/urn:ngsi-ld:Subscription:1").json()["notification"].get("timesFailed", 0) > 0)


# ---- MQTT ----

def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


class Mosquitto:
    def __init__(self, folder):
        self.port = free_port()
        self.conf = os.path.join(str(folder), "mosquitto.conf")
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n")
        self.process, self.audience, self.messages = None, None, []
        self.start()

    def start(self):
        self.process = subprocess.Popen([MOSQUITTO, "-c", self.conf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._listens)
        self.audience = subprocess.Popen(["stdbuf", "-oL", "mosquitto_sub", "-p", str(self.port), "-h", "127.0.0.1", "-t", "city/#", "-q", "2",
                                          "-F", "%t %p", "-d"], stdout=subprocess.PIPE, text=True)
        for line in self.audience.stdout:
            if "Subscribed" in line:
                break
        threading.Thread(target=self._read, args=(self.audience,), daemon=True).start()

    def _listens(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def _read(self, audience):
        for line in audience.stdout:
            if line.startswith("city/"):
                topic, _, payload = line.partition(" ")
                self.messages.append((topic, json.loads(payload)))

    def kill(self):
        for process in (self.process, self.audience):
            if process:
                process.kill()
                process.wait()
        self.process = self.audience = None

    def speeds(self):
        return [e["speed"] for _, m in list(self.messages) for e in m["body"]["data"]]


@pytest.fixture
def mosquitto(tmp_path):
    running = Mosquitto(tmp_path)
    yield running
    running.kill()


@needs_mosquitto
@pytest.mark.parametrize("version", ["mqtt3.1.1", "mqtt5.0"])
@pytest.mark.parametrize("qos", ["0", "1", "2"])
def test_notifications_go_to_mqtt(city, mosquitto, version, qos):
    subscribe(city, f"mqtt://127.0.0.1:{mosquitto.port}/city/cars", receiverInfo=[{"key": "token", "value": "abc"}],
              notifierInfo=[{"key": "MQTT-Version", "value": version}, {"key": "MQTT-QoS", "value": qos}])
    for speed in range(10):
        drive(city, speed)
    wait_until(lambda: mosquitto.speeds()[-1:] == [9])
    assert mosquitto.speeds() == list(range(10))
    topic, message = mosquitto.messages[0]
    assert topic == "city/cars" and message["metadata"]["token"] == "abc"
    assert message["metadata"]["Content-Type"] == "application/json" and "Link" in message["metadata"]
    assert message["body"]["type"] == "Notification"


@needs_mosquitto
def test_the_status_of_a_snapshot_goes_to_mqtt(city, mosquitto):
    """Clauses 5.16.6 and 7.2."""
    uri = f"mqtt://127.0.0.1:{mosquitto.port}/city/snapshots"
    tenant = {"NGSILD-Tenant": "mqtt"}
    city.post("entities", {"id": "urn:ngsi-ld:Car:1", "type": "Car"}, headers=tenant)
    made = city.post("snapshots", {"type": "Snapshot", "endpoint": uri, "receiverInfo": [{"key": "token", "value": "abc"}],
                                   "snapshotQueries": [{"type": "Query", "entities": [{"type": "Car"}]}]}, headers=tenant)
    assert made.status_code == 201, made.text
    wait_until(lambda: mosquitto.messages)
    topic, message = mosquitto.messages[0]
    assert topic == "city/snapshots"
    assert message["metadata"] == {"Content-Type": "application/json", "NGSILD-Tenant": "mqtt", "token": "abc"}
    assert message["body"]["type"] == "SnapshotNotification" and message["body"]["snapshotStatus"] == "success"
    city.delete(made.headers["Location"], headers=tenant)


@needs_mosquitto
def test_mqtt_server_may_die_and_return(city, mosquitto):
    subscribe(city, f"mqtt://127.0.0.1:{mosquitto.port}/city/cars", cooldown=200, timeout=1000,
              notifierInfo=[{"key": "MQTT-QoS", "value": "1"}])
    drive(city, 1)
    wait_until(lambda: mosquitto.speeds() == [1])
    mosquitto.kill()
    drive(city, 2)
    time.sleep(0.5)
    mosquitto.start()
    drive(city, 3)
    wait_until(lambda: mosquitto.speeds()[-1:] == [3], 40)


def test_many_messages_of_nothing_end_one_after_another(new_city):
    city = new_city("--subscriptions-interval-entities", "1").start()
    for first in range(0, 40000, 1000):
        made = city.post("entityOperations/create", [{"id": f"urn:ngsi-ld:Car:{i}", "type": "Car"} for i in range(first, first + 1000)])
        assert made.status_code == 201, made.text
    made = city.post("subscriptions", {
        "type": "Subscription", "entities": [{"type": "Car"}], "timeInterval": 1,
        "notification": {"pick": ["nobodyHasThis"], "endpoint": {"uri": "http://127.0.0.1:1/"}}})
    assert made.status_code == 201, made.text
    time.sleep(2)
    assert city.process.poll() is None
    drive(city, 1)


def test_passwords_of_endpoints_are_not_logged(new_city):
    city = new_city().start()
    made = city.post("snapshots", {"type": "Snapshot", "snapshotQueries": [{"type": "Query", "entities": [{"type": "Car"}]}],
                                   "endpoint": "http://somebody:hush@127.0.0.1:1/"})
    assert made.status_code in (201, 202), made.text
    subscribe(city, "mqtt://somebody:hush@127.0.0.1:1/topic")
    drive(city, 1)
    wait_until(lambda: any("snapshot notification not taken" in line for line in city.lines))
    wait_until(lambda: any("MQTT server lost" in line for line in city.lines))
    assert not any("hush" in line for line in city.lines)


def test_schemes_may_be_written_large(city, receivers):
    receiver = receivers(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")
    subscribe(city, receiver.uri.replace("http", "HTTP"))
    drive(city, 1)
    wait_until(lambda: receiver.bodies)
    told = lambda: city.get("subscriptions/urn:ngsi-ld:Subscription:1").json()["notification"]
    wait_until(lambda: "lastNotification" in told())
    assert told()["status"] == "failed" and "lastSuccess" not in told()
    receiver.answer = b"HTTP/1.1 204 No Content\r\n\r\n"
    wait_until(lambda: "lastSuccess" in told())  # it is tried again
