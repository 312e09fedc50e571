"""W13: a mixed load at a set rate for an hour; is the memory of the city flat, are its descriptors and threads?

What grows by design is held still by the load: every entity, subscription, registration and @context that is made is
deleted again, the past of the entity too, history is dropped after five minutes, and the bounds of log, memory for history and
live streams are set so low that they are reached within the warm-up and then only go up and down."""
import collections
import http.client
import json
import os
import random
import shutil
import socket
import statistics
import sys
import threading
import time
import urllib.parse

from city import API, BATCH, BUILD, City, fill, vehicle

WORKERS = 4
SAMPLE_S = 5  # more often in a run of a few minutes
BLOCKS = 24  # of the time after the warm-up; their medians are what the slope is computed from
STANDING = 50  # visitors of a worker at a time
# Small, so that what goes up and down does so many times in an hour.
OPTIONS = ("--threads", "2", "--store-segment-bytes", "2MiB", "--store-log-bytes", "16MiB", "--store-history-bytes", "4MiB",
           "--live-ring-bytes", "1MiB", "--history-policies", "keep=5min", "--history-sweep-interval", "30s",
           # who left in the midst of a request, or of a stream, is soon forgotten: else their number is all one sees
           "--server-request-timeout", "5s", "--server-idle-timeout", "10s", "--live-heartbeat", "2s")


# ---- is it flat? ----

def slope(values):
    """Theil-Sen: the median slope of all pairs, and the 95 % interval that Kendall's variance gives it; an item each."""
    n = len(values)
    slopes = sorted((values[j] - values[i]) / (j - i) for i in range(n) for j in range(i + 1, n))
    half = 1.96 * (n * (n - 1) * (2 * n + 5) / 18) ** 0.5
    low = max(0, round((len(slopes) - half) / 2))
    high = min(len(slopes) - 1, round((len(slopes) + half) / 2))
    return statistics.median(slopes), slopes[low], slopes[high]


def blocks(values, count=BLOCKS):
    """Medians of so many equal parts."""
    n = len(values)
    return [statistics.median(values[n * i // count:n * (i + 1) // count]) for i in range(count)]


def verdict(values, hours, tolerated):
    """(slope, low, high) an hour and what they say: it is flat when even the high end is no more than what is tolerated an
    hour, else it grows when the low end is above zero, else nobody can tell."""
    per_hour = tuple(s * BLOCKS / hours for s in slope(blocks(values)))
    if per_hour[2] <= tolerated:
        return per_hour, "flat"
    return per_hour, "grows" if per_hour[1] > 0 else "cannot tell"


# ---- the load ----

class Receiver(threading.Thread):
    """Takes notifications and answers them."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.taken = 0

    def run(self):
        while True:
            threading.Thread(target=self.serve, args=(self.listener.accept()[0],), daemon=True).start()

    def serve(self, s):
        with s, s.makefile("rb") as f:
            while f.readline():
                length = 0
                while (line := f.readline().strip()):
                    if line.lower().startswith(b"content-length:"):
                        length = int(line[15:])
                f.read(length)
                s.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
                self.taken += 1


class Worker(threading.Thread):
    """One of those that use the city, with a connection and things of its own. Answers that are not as they should be
    end the run."""

    def __init__(self, number, city, entities, rate, until, receiver):
        super().__init__(daemon=True)
        self.number, self.entities, self.rate, self.until = number, entities, rate, until
        self.host, self.port = city.address.split(":")
        self.receiver = receiver
        self.noise = random.Random(number)
        self.connection = None
        self.made = 0
        self.standing = {kind: collections.deque() for kind in ("Visitor", "Subscription", "ContextSourceRegistration")}
        self.counts = collections.Counter()
        self.failure = None
        self.share = [(getattr(self, name), weight) for name, weight in SHARES.items()]

    def run(self):
        operations, weights = zip(*self.share)
        due = time.monotonic()
        try:
            while time.monotonic() < self.until:
                operation = self.noise.choices(operations, weights)[0]
                operation()
                self.counts[operation.__name__] += 1
                due = max(due + 1 / self.rate, time.monotonic() - 1)  # what was missed is not made up for
                time.sleep(max(0, due - time.monotonic()))
        except Exception as e:  # the run ends with it: soak()
            self.failure = f"{operation.__name__}: {e!r}"

    def ask(self, method, path, body=None, expect=(200, 201, 204, 206), accept=None, kind="application/json"):
        if self.connection is None:
            self.connection = http.client.HTTPConnection(self.host, int(self.port), timeout=120)
        data = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
        headers = {"Content-Type": kind} if data else {}
        self.connection.request(method, path, data, headers | ({"Accept": accept} if accept else {}))
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status not in expect:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:500]}")
        return text

    def some(self):
        return f"urn:ngsi-ld:Vehicle:{self.noise.randrange(self.entities)}"

    def fresh(self, kind):
        self.made += 1
        return f"urn:ngsi-ld:{kind}:{self.number}-{self.made}"

    def now(self, back=0):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - back))

    # -- reading --

    def retrieve(self):
        self.ask("GET", f"{API}/entities/{self.some()}")

    def query_number(self):
        self.ask("GET", f"{API}/entities?type=Vehicle&q=load%3C10&limit=20&offset={self.noise.randrange(100)}")

    def query_near(self):
        place = f"[{116.75 + self.noise.random() * 0.76:.4f},{36.54 + self.noise.random() * 0.61:.4f}]"
        self.ask("GET", f"{API}/entities?georel=near%3BmaxDistance%3D%3D1000&geometry=Point&coordinates={place}&limit=20")

    def evolution(self):
        self.ask("GET", f"{API}/temporal/entities/{self.some()}?attrs=speed&lastN=100&options=temporalValues")

    def aggregate(self):
        self.ask("GET", f"{API}/temporal/entities/{self.some()}?attrs=speed&options=aggregatedValues&aggrMethods=avg,max"
                 f"&aggrPeriodDuration=PT1M&timerel=after&timeAt={self.now(3600)}", expect=(200, 404))

    def evolutions(self):
        self.ask("GET", f"{API}/temporal/entities?type=Vehicle&attrs=speed&lastN=5&limit=10&timerel=after&timeAt={self.now(600)}")

    def sql(self):
        statement = self.noise.choice((
            "SELECT count(*), avg(load) FROM Vehicle",
            f"SELECT time, number FROM history WHERE entity = '{self.some()}' AND attribute = 'speed'",
            "SELECT id, speed FROM Vehicle ORDER BY speed DESC LIMIT 10"))
        self.ask("POST", "/sql", statement, kind="application/sql")

    def pages(self):
        ask = self.ask("POST", f"{API}/entityMaps", {"type": "Query", "entities": [{"type": "Vehicle"}], "q": "load<3"})
        self.ask("DELETE", f"{API}/entityMaps/{urllib.parse.quote(json.loads(ask)['id'], safe='')}")

    # -- writing --

    def patch(self):
        self.ask("PATCH", f"{API}/entities/{self.some()}/attrs", {
            "speed": {"type": "Property", "value": self.noise.randrange(1000) / 10, "observedAt": self.now()}})

    def upsert(self):
        first = self.noise.randrange(self.entities - 100)
        self.ask("POST", f"{API}/entityOperations/upsert", [vehicle(first + i, self.noise) for i in range(100)])

    def late(self):
        self.ask("POST", f"{API}/temporal/entities/{self.some()}/attrs", {
            "speed": [{"type": "Property", "value": self.noise.randrange(1000) / 10, "observedAt": self.now(7200)}]})

    def visit(self):
        """An entity comes, changes, and the one that came fifty before it goes with all that is known of it."""
        visitor = self.fresh("Visitor")
        number = {"type": "Property", "value": self.noise.randrange(100)}
        self.ask("POST", f"{API}/entities", {"id": visitor, "type": "Visitor", "count": number, "scope": "/a/b"})
        self.ask("PATCH", f"{API}/entities/{visitor}/attrs", {"count": number})
        self.leave("Visitor", visitor, "entities", "temporal/entities")

    def subscribe(self):
        name = self.fresh("Subscription")
        self.ask("POST", f"{API}/subscriptions", {
            "id": name, "type": "Subscription", "entities": [{"type": "Vehicle"}], "watchedAttributes": ["speed"],
            "q": f"load=={self.noise.randrange(1000)}",
            "notification": {"endpoint": {"uri": f"http://127.0.0.1:{self.receiver.port}/"}}})
        self.leave("Subscription", name, "subscriptions")

    def register(self):
        name = self.fresh("ContextSourceRegistration")
        self.ask("POST", f"{API}/csourceRegistrations", {
            "id": name, "type": "ContextSourceRegistration", "endpoint": f"http://127.0.0.1:{self.receiver.port}",
            "information": [{"entities": [{"type": "Elsewhere"}]}]})
        self.leave("ContextSourceRegistration", name, "csourceRegistrations")

    def leave(self, kind, name, *places):
        standing = self.standing[kind]
        standing.append(name)
        if len(standing) > STANDING:
            gone = standing.popleft()
            for place in places:
                self.ask("DELETE", f"{API}/{place}/{gone}")

    # -- misuse and connections --

    def reconnect(self):
        if self.connection:
            self.connection.close()
        self.connection = None
        self.retrieve()

    def abandon(self):
        """Half a request, or an answer that nobody takes."""
        with socket.create_connection((self.host, int(self.port))) as s:
            s.sendall(self.noise.choice((
                b"GET /ngsi", b"POST /ngsi-ld/v1/entities HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{",
                b"GET /ngsi-ld/v1/entities?type=Vehicle&limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n")))

    def listen(self):
        """A live stream, taken a little of."""
        with socket.create_connection((self.host, int(self.port))) as s:
            s.sendall(b"GET /live?type=Vehicle HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
            s.recv(4096)

    def mistake(self):
        self.ask("GET", f"{API}/entities/urn:ngsi-ld:Nobody:{self.noise.random()}", expect=(404,))
        self.ask("POST", f"{API}/entities", '{"id":"urn:x:y","type":', expect=(400,))
        self.ask("GET", f"{API}/entities?q=((", expect=(400,))


SHARES = {"retrieve": 250, "query_number": 50, "query_near": 50, "evolution": 60, "aggregate": 40, "evolutions": 10, "sql": 4,
          "pages": 5, "patch": 300, "upsert": 4, "late": 20, "visit": 80, "subscribe": 20, "register": 10, "reconnect": 60,
          "abandon": 10, "listen": 4, "mistake": 10}


# ---- the run ----

def directory_bytes(path):
    total = 0
    for folder, _, files in os.walk(path):
        for name in files:
            try:
                total += os.stat(os.path.join(folder, name)).st_blocks * 512
            except FileNotFoundError:
                pass  # merged away meanwhile
    return total


def sample(city, begin):
    pid = city.process.pid
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        status = dict(line.split(":", 1) for line in f)
    return {"t": time.monotonic() - begin, "cpu": city.cpu(), "anonymous": int(status["RssAnon"].split()[0]) * 1024,
            "descriptors": len(os.listdir(f"/proc/{pid}/fd")), "threads": int(status["Threads"]),
            "disk": directory_bytes(city.data),
            **{name: city.metric(name) for name in ("history_bytes", "log_bytes", "state_bytes", "history_points_total", "terms")}}


def keep_log(city, path):
    """What the city says goes to a file; a full pipe would hold it up."""
    with open(path, "w", encoding="utf-8") as f:
        for line in city.lines:
            f.write(line)
            f.flush()


def watch(city, workers, seconds, begin, path):
    samples, pause = [], min(SAMPLE_S, seconds / BLOCKS / 4)
    with open(path, "w", encoding="utf-8") as f:
        while time.monotonic() < begin + seconds:
            time.sleep(pause)
            samples.append(sample(city, begin))
            print(json.dumps(samples[-1]), file=f, flush=True)
            for w in workers:
                if w.failure:
                    sys.exit(f"the soak failed: {w.failure}")
    return samples


def soak(arguments):
    """mixed load for --minutes at --rate; the slope of memory, descriptors and threads, with its 95 % interval"""
    data = os.path.join(BUILD, "data13")
    shutil.rmtree(data, ignore_errors=True)
    entities = min(arguments.entities, 20 * BATCH)
    city, receiver = City(data, *OPTIONS), Receiver()
    stamp = time.strftime("%Y%m%d-%H%M%S")
    threading.Thread(target=keep_log, args=(city, os.path.join(BUILD, f"soak-{stamp}.log")), daemon=True).start()
    receiver.start()
    fill(city, entities)
    seconds, begin = arguments.minutes * 60, time.monotonic()
    workers = [Worker(i, city, entities, arguments.rate / WORKERS, begin + seconds, receiver) for i in range(WORKERS)]
    for w in workers:
        w.start()
    samples = watch(city, workers, seconds, begin, os.path.join(BUILD, f"soak-{stamp}.jsonl"))
    for w in workers:
        w.join()
    rows = report(samples, sum((w.counts for w in workers), collections.Counter()), receiver.taken, seconds)
    city.stop()
    return rows


def report(samples, counts, taken, seconds):
    """The first sixth is the warm-up. Tolerated are 2 % an hour; of descriptors, whose number is chance, 10 %: far less than
    one connection in a thousand."""
    kept = [s for s in samples if s["t"] > seconds / 6]
    hours = (kept[-1]["t"] - kept[0]["t"]) / 3600
    rows = [f"{sum(counts.values())} operations in {seconds / 60:.0f} min, {sum(counts.values()) / seconds:.0f}/s, "
            f"{samples[-1]['cpu'] / seconds:.2f} of a core, {taken} notifications; "
            f"{samples[-1]['history_points_total']:.0f} points, data directory {samples[0]['disk'] / 1e6:.1f} to "
            f"{samples[-1]['disk'] / 1e6:.1f} MB"]
    for name, unit, scale, tolerated in (("anonymous", "MB", 1e6, 0.02), ("descriptors", "", 1, 0.1), ("threads", "", 1, 0.02)):
        values = [s[name] / scale for s in kept]
        middle = statistics.median(values)
        (slow, low, high), word = verdict(values, hours, tolerated * middle)
        rows.append(f"{name} {middle:.1f} {unit} ({min(values):.1f} to {max(values):.1f}): "
                    f"{slow:+.3f} {unit} an hour (95 %: {low:+.3f} to {high:+.3f}): {word}")
    return [{"workload": "W13", "note": r} for r in rows]
