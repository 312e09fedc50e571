"""What the benchmarks share: the release build, programs on a core of their own, and what a city uses."""
import atexit
import json
import os
import random
import re
import socket
import subprocess
import sys
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build", "bench")
SHARED = os.environ.get("WELLSPRING_SHARED_DATA", os.path.join(ROOT, "..", "shared", "data"))
TICKS = os.sysconf("SC_CLK_TCK")
BATCH = 1000
API = "/ngsi-ld/v1"


def build():
    if not os.path.exists(os.path.join(BUILD, "build.ninja")):
        subprocess.run(["meson", "setup", "--buildtype=release", "-Dbench=true", BUILD], cwd=ROOT, check=True,
                       stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", BUILD, "--quiet"], check=True)


def pinned(core, command, **kwargs):
    return subprocess.Popen(["taskset", "-c", str(core), *command], **kwargs)


class Server:
    """A program that prints or logs the address it listens on, pinned to core 0."""

    def __init__(self, command, pattern, stream):
        self.process = pinned(0, command, **{stream: subprocess.PIPE}, text=True)
        atexit.register(self.process.kill)  # whatever happens: nothing after an orderly end
        self.lines = getattr(self.process, stream)
        for line in self.lines:
            found = re.search(pattern, line)
            if found:
                self.address = found.group(1)
                break
        else:
            sys.exit(f"{command[0]} did not start")

    def cpu(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return {k: int(v.split()[0]) * 1024 for k, v in (l.split(":", 1) for l in f) if k.startswith(("VmRSS", "VmHWM", "RssAnon"))}

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.lines.close()


class City(Server):
    def __init__(self, data, *options):
        self.data = data
        super().__init__([os.path.join(BUILD, "wellspring"), "serve", "--data", data, "--listen", "127.0.0.1:0",
                          "--threads", "1", "--access-log", "false", *options],
                         r"listening.*?address=\"?([0-9.:]+)", "stderr")

    def request(self, method, path, body=None):
        request = urllib.request.Request(f"http://{self.address}{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=300) as answer:
            return answer.read()

    def metric(self, name):
        text = self.request("GET", "/metrics").decode()
        return float(re.search(rf"^wellspring_{name} (\S+)", text, re.M).group(1))


# ---- entities ----

def vehicle(i, noise):
    """An entity of 5 attributes, about 700 bytes of JSON."""
    observed = f"2026-01-31T12:{i // 60 % 60:02}:{i % 60:02}Z"
    return {"id": f"urn:ngsi-ld:Vehicle:{i}", "type": "Vehicle",
            "speed": {"type": "Property", "value": noise.randrange(1000) / 10, "unitCode": "KMH", "observedAt": observed},
            "location": {"type": "GeoProperty", "observedAt": observed, "value": {"type": "Point", "coordinates": [
                round(116.75 + noise.random() * 0.76, 6), round(36.54 + noise.random() * 0.61, 6)]}},
            "brandName": {"type": "Property", "value": noise.choice(["Yutong", "BYD", "Zhongtong", "King Long"]),
                          "observedAt": observed},
            "isParked": {"type": "Relationship", "object": f"urn:ngsi-ld:OffStreetParking:{i % 1000:04}",
                         "observedAt": observed,
                         "providedBy": {"type": "Relationship", "object": f"urn:ngsi-ld:Camera:{i % 5000:04}"}},
            "load": {"type": "Property", "value": i % 1000, "observedAt": observed,
                     "accuracy": {"type": "Property", "value": noise.randrange(100) / 100}}}


def batch_bodies(first, count, seed=1):
    noise = random.Random(seed)
    return json.dumps([vehicle(i, noise) for i in range(first, first + count)], separators=(",", ":")).encode()


def fill(city, count, first=0):
    """Vehicles first … count - 1 in batches over one raw connection; seconds the city took to answer them."""
    host, port = city.address.split(":")
    with socket.create_connection((host, int(port))) as s:
        spent = 0.0
        for first in range(first, count, BATCH):
            body = batch_bodies(first, min(BATCH, count - first), first)
            start = time.monotonic()
            s.sendall(b"POST /ngsi-ld/v1/entityOperations/upsert HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                      b"Content-Length: %d\r\n\r\n" % len(body) + body)
            answer_read(s)
            spent += time.monotonic() - start
    return spent


def answer_read(s):
    data = b""
    while b"\r\n\r\n" not in data:
        data += s.recv(1 << 20)
    head, body = data.split(b"\r\n\r\n", 1)
    if not head.startswith(b"HTTP/1.1 20"):
        sys.exit(data.decode(errors="replace")[:2000])
    length = re.search(rb"content-length: (\d+)", head, re.I)
    wanted = int(length.group(1)) if length else 0
    while len(body) < wanted:
        body += s.recv(1 << 20)
    return head + b"\r\n\r\n" + body
