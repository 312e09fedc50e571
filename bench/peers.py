"""Others that do the same work, in the same run. What is not installed is left out by its name.

W8P: the readings of peer/readings.h as history of a city, as rows of SQLite and in InfluxDB 1.6, in one run: points a
CPU second and bytes a point on the disk, all folds and compactions counted, and the aggregate of W9. Each gets batches of
10,000 and makes them durable before it answers. The city and SQLite are measured in-process, so what a caller does is in
their CPU time; InfluxDB's is the server's alone.

W10: messages of 200 bytes, each applied to its entity on its own, durable and with history, a thousand under way, beside
what Mosquitto delivers of them to a subscriber that does nothing. The city has no MQTT front here: it is measured
below the sockets, on one core, as Mosquitto has one."""
import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.parse

from city import API, BUILD, City, Server, pinned

SERIES, LONG, PERIODS, ASKED = 1000, 100000, 100, 51
START = 1700000000 // 60 * 60
DATABASE = "bench"
INFLUX = """
reporting-disabled = true
bind-address = "127.0.0.1:{backup}"
[meta]
  dir = "{dir}/meta"
  logging-enabled = false
[data]
  dir = "{dir}/data"
  wal-dir = "{dir}/wal"
  query-log-enabled = false
  cache-snapshot-write-cold-duration = "2s"
  compact-full-write-cold-duration = "4s"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
"""


def program(name, *arguments):
    """A program's lines on core 0."""
    done = subprocess.run(["taskset", "-c", "0", os.path.join(BUILD, "bench", name), *map(str, arguments)],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return done.stdout.splitlines()


def figures(lines):
    """The programs' lines, "name   value unit", by the beginning of the name."""
    return {line[:52].strip(): float(line[52:].split()[0]) for line in lines}


def row(name, stored, spent_on, took, answer):
    """Points a CPU second and a second, bytes a point; ms of an aggregate, and over HTTP."""
    over = f", {answer:.2f} ms over HTTP" if answer else ""
    inside = f"{took:.2f} ms in-process" if took else ""
    return {"workload": "W8P", "name": name, "points_per_cpu_second": stored[0], "points_per_second": stored[1],
            "bytes_per_point": spent_on, "aggregate_ms": took, "aggregate_http_ms": answer,
            "note": f"{name}: {stored[0]:.0f} points a CPU second, {stored[1]:.0f} a second, {spent_on:.2f} bytes a point; "
                    f"aggregate {inside}{over}".replace("aggregate ,", "aggregate")}


def median_ms(address, method, path, body=None, check=None):
    """An answer's time as one client sees it, over one connection."""
    connection = http.client.HTTPConnection(*address.split(":"), timeout=60)
    took = []
    for _ in range(ASKED):
        begin = time.perf_counter()
        connection.request(method, path, body)
        answer = connection.getresponse()
        text = answer.read()
        took.append((time.perf_counter() - begin) * 1e3)
        if answer.status != 200 or not check(json.loads(text)):
            sys.exit(f"{method} {path}: {answer.status} {text[:500]}")
    connection.close()
    return statistics.median(took)


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(START + seconds))


# ---- the three ----

def of_city(points, scratch):
    data = os.path.join(scratch, "city")
    got = figures(program("history", "--dir", data, "--series", SERIES, "--points", points, "--long", LONG, "--readings", "yes"))
    city = City(data)
    query = urllib.parse.urlencode({
        "attrs": "temperature", "options": "aggregatedValues", "aggrMethods": "avg,min,max,sum,stddev",
        "aggrPeriodDuration": f"PT{LONG // PERIODS}M", "timerel": "between", "timeAt": stamp(0), "endTimeAt": stamp(60 * LONG)})
    answer = median_ms(city.address, "GET", f"{API}/temporal/entities/urn:ngsi-ld:Sensor:bench:{SERIES:06}?{query}",
                       check=lambda e: len(e["temperature"]["stddev"]) == PERIODS)
    city.stop()
    return row("wellspring", (got["points a CPU second, closing included"], got["points a second"]),
               got["bytes a point on the disk, all included"], got["aggregate of one series into 100 periods, median"], answer)


def of_sqlite(points, scratch, clustered):
    got = figures(program("sqlite_rows", "--file", os.path.join(scratch, f"rows-{clustered}"), "--series", SERIES, "--points",
                          points, "--long", LONG, "--clustered", clustered))
    return row("SQLite, " + ("its key is the table" if clustered == "yes" else "table and index"),
               (got["points a CPU second"], got["points a second"]), got["bytes a point on the disk"],
               got["aggregate of one series into 100 periods, median"], None)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


class Influx(Server):
    def __init__(self, where):
        os.makedirs(where)
        self.where, port = where, free_port()
        config = os.path.join(where, "influxdb.conf")
        with open(config, "w", encoding="utf-8") as f:
            f.write(INFLUX.format(dir=where, port=port, backup=free_port()))
        with open(os.path.join(where, "log"), "w", encoding="utf-8") as log:
            self.process = pinned(0, ["influxd", "run", "-config", config], stdout=subprocess.PIPE, stderr=log, text=True)
        self.lines, self.address = self.process.stdout, f"127.0.0.1:{port}"
        for _ in range(300):
            try:
                self.ask("CREATE DATABASE bench")
                return
            except ConnectionError:
                time.sleep(0.1)
        self.process.kill()
        sys.exit("influxd did not start")

    def ask(self, statement):
        connection = http.client.HTTPConnection(*self.address.split(":"), timeout=60)
        connection.request("POST", "/query?" + urllib.parse.urlencode({"q": statement}))
        answer = connection.getresponse().read()
        connection.close()
        return json.loads(answer)

    def write(self, *arguments):
        """Seconds of a stream of readings, from the other core."""
        done = pinned(1, [os.path.join(BUILD, "bench", "influx_lines"), "--connect", self.address, "--database", DATABASE,
                          *map(str, arguments)], stdout=subprocess.PIPE, text=True)
        out = done.communicate()[0]
        if done.returncode:
            sys.exit("influxdb took no points")
        return float(out)

    def settle(self):
        """Until it has compacted what it was given: idle for longer than its pauses."""
        quiet, before = 0, self.cpu()
        while quiet < 8:
            time.sleep(1)
            spent = self.cpu()
            quiet, before = (quiet + 1 if spent - before < 0.03 else 0), spent

    def disk(self):
        """Blocks: its index of series is a few files with holes."""
        out = subprocess.check_output(["du", "-sc", "-B1", os.path.join(self.where, "data"), os.path.join(self.where, "wal")], text=True)
        return int(out.splitlines()[-1].split()[0])


def of_influx(points, scratch):
    influx = Influx(os.path.join(scratch, "influx"))
    try:
        spent = influx.cpu()
        seconds = influx.write("--series", SERIES, "--points", points)
        influx.settle()
        spent = influx.cpu() - spent
        disk = influx.disk()
        influx.write("--first", SERIES, "--series", 1, "--points", LONG)
        influx.settle()
        statement = ("SELECT mean(value), min(value), max(value), sum(value), stddev(value) FROM temperature "
                     f"WHERE sensor = '{SERIES:06}' AND time >= '{stamp(0)}' AND time < '{stamp(60 * LONG)}' "
                     f"GROUP BY time({LONG // PERIODS}m)")
        # Its periods begin at multiples of their length, so that there may be one more.
        answer = median_ms(influx.address, "GET", "/query?" + urllib.parse.urlencode({"db": DATABASE, "q": statement}),
                           check=lambda a: len(a["results"][0]["series"][0]["values"]) in (PERIODS, PERIODS + 1))
    finally:
        influx.stop()
    return row("InfluxDB", (points / spent, points / seconds), disk / points, None, answer)


def compare(points):
    scratch = os.path.join(BUILD, "data8p")
    shutil.rmtree(scratch, ignore_errors=True)
    os.makedirs(scratch)
    rows = [of_city(points, scratch), of_sqlite(points, scratch, "no"), of_sqlite(points, scratch, "yes")]
    if shutil.which("influxd"):
        rows.append(of_influx(points, scratch))
    else:
        rows.append({"workload": "W8P", "note": "InfluxDB: skipped, influxd is not installed (Debian package influxdb)"})
    shutil.rmtree(scratch)
    return rows


# ---- messages ----

class Mosquitto(Server):
    """Without bounds on what is under way, so that nothing is dropped; nothing is kept on the disk."""

    def __init__(self, where):
        os.makedirs(where)
        self.port = free_port()
        config = os.path.join(where, "mosquitto.conf")
        with open(config, "w", encoding="utf-8") as f:
            f.write(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n"
                    "max_inflight_messages 0\nmax_queued_messages 0\nlog_type error\nlog_dest stdout\n")
        self.process = pinned(0, [mosquitto(), "-c", config], stdout=subprocess.PIPE, text=True)
        self.lines, self.address = self.process.stdout, f"127.0.0.1:{self.port}"
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except ConnectionError:
                time.sleep(0.1)
        self.process.kill()
        sys.exit("mosquitto did not start")

    def deliver(self, qos, seconds):
        """Messages a second and a CPU second of the server."""
        spent = self.cpu()
        done = pinned(1, [os.path.join(BUILD, "bench", "mosquitto_empty"), "--port", str(self.port), "--qos", str(qos),
                          "--seconds", str(seconds)], stdout=subprocess.PIPE, text=True)
        out = done.communicate()[0]
        if done.returncode:
            sys.exit("mosquitto did not deliver")
        count, took = map(float, out.split())
        return count / took, count / (self.cpu() - spent)


def mosquitto():
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


def messages(seconds, runs):
    scratch = os.path.join(BUILD, "data10")
    shutil.rmtree(scratch, ignore_errors=True)
    os.makedirs(scratch)
    taken, delivered = [], {0: [], 1: []}
    server = Mosquitto(os.path.join(scratch, "mosquitto")) if mosquitto() else None
    for i in range(1 + runs):  # in turns; the first is the warm-up
        got = figures(program("messages", "--dir", os.path.join(scratch, "city"), "--seconds", seconds))
        taken.append((got["messages a second"], got["messages a CPU second, folds included"]))
        for qos in delivered if server else ():
            delivered[qos].append(server.deliver(qos, seconds))
        shutil.rmtree(os.path.join(scratch, "city"))
    if server:
        server.stop()
    shutil.rmtree(scratch)
    ours = medians(taken[1:])
    rows = [{"workload": "W10", "taken_per_second": ours[0], "taken_per_cpu_second": ours[1],
             "note": f"applied: {ours[0]:.0f} a second, {ours[1]:.0f} a CPU second"}]
    if not server:
        rows.append({"workload": "W10", "note": "Mosquitto: skipped, mosquitto is not installed"})
    for qos, got in delivered.items() if server else ():
        theirs = medians(got[1:])
        rows.append({"workload": "W10", "qos": qos, "delivered_per_second": theirs[0], "delivered_per_cpu_second": theirs[1],
                     "note": f"Mosquitto, QoS {qos}, to an empty subscriber: {theirs[0]:.0f} a second, {theirs[1]:.0f} a CPU second; "
                             f"applied to delivered {ours[0] / theirs[0]:.2f}, of CPU seconds {ours[1] / theirs[1]:.2f}"})
    return rows


def medians(pairs):
    return tuple(statistics.median(p[i] for p in pairs) for i in range(2))
