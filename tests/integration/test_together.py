"""Everything at once: batches, queries, purges, an import, other @contexts, on one city that plays its demo. What it
proves under the thread sanitizer is that nothing races; here, that what one does is not undone by another."""
import json
import os
import random
import subprocess
import threading
import time

from conftest import program

ROUNDS = 12
SIZE = 40
QUERIES = ({"type": "Kept", "q": "n>=10;n<30"}, {"type": "Gone", "orderBy": "n"}, {"type": "Kept|Gone", "limit": 1000},
           {"type": "Kept", "georel": "near;maxDistance==5000", "geometry": "Point", "coordinates": "[117.0,36.6]"},
           {"type": "TrafficFlowObserved", "limit": 100, "options": "keyValues"}, {"type": "Imported", "count": "true"})


def thing(kind, number, **attributes):
    return {"id": f"urn:ngsi-ld:{kind}:{number}", "type": kind, "n": {"type": "Property", "value": number % 50},
            "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [117.0, 36.6 + number / 1e4]}},
            **attributes}


class Crowd:
    """Threads that go on until they are done or one of them fails."""

    def __init__(self):
        self.failure, self.threads = None, []

    def start(self, work, *arguments):
        def run():
            try:
                work(*arguments)
            except BaseException as failure:  # told by end()
                self.failure = self.failure or failure
        thread = threading.Thread(target=run, daemon=True)
        self.threads.append(thread)
        thread.start()

    def end(self):
        for thread in self.threads:
            thread.join(300)
            assert not thread.is_alive()
        if self.failure:
            raise self.failure


def write(city, writer):
    for round_number in range(ROUNDS):
        first = writer * 1000
        kept = [thing("Kept", first + i, round={"type": "Property", "value": round_number}) for i in range(SIZE)]
        answer = city.post("entityOperations/upsert", kept)
        assert answer.status_code in (201, 204), answer.text
        answer = city.post("entityOperations/merge", [{"id": kept[0]["id"], "merged": {"type": "Property", "value": 1}}])
        assert answer.status_code == 204, answer.text
        city.post("entityOperations/upsert", [thing("Gone", first + i) for i in range(SIZE)])
        answer = city.delete("entities", params={"type": "Gone"})
        assert answer.status_code in (204, 207, 404), answer.text
        city.post("entityOperations/delete", [kept[1]["id"]])


def ask(city, seed, writing):
    rng = random.Random(seed)
    while writing.is_set():
        query = dict(rng.choice(QUERIES))
        headers = {}
        if rng.random() < 0.5:
            headers["Accept"] = "application/ld+json"
        answer = city.get("entities", params=query, headers=headers)
        assert answer.status_code == 200, answer.text
        context = {f"term{rng.randrange(40)}": "https://city.example/n"}
        answer = city.request("POST", "entityOperations/query", headers={"Content-Type": "application/ld+json"}, json={
            "type": "Query", "entities": [{"type": "Kept"}], "@context": context})
        assert answer.status_code == 200, answer.text
        time.sleep(0.01)


def bring(city, folder):
    path = os.path.join(folder, "imported.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump([{"id": f"urn:ngsi-ld:Imported:{i}", "type": "Imported", "n": i} for i in range(3000)], file)
    done = subprocess.run([program(), "import", "--to", city.url, "--json", "--batch-entities", "200", path],
                          capture_output=True, text=True, timeout=300, check=False,
                          env={**os.environ, "XDG_STATE_HOME": os.path.join(folder, "state")})
    assert done.returncode == 0 and json.loads(done.stdout)["created"] == 3000, done.stderr


def total(city, kind):
    return int(city.get("entities", params={"type": kind, "count": "true", "limit": 0}).headers["NGSILD-Results-Count"])


def test_everything_at_once(new_city, tmp_path):
    city = new_city("--contexts-cache-bytes", "1 MiB", "--server-threads", "4", "--demo-speed", "60").start(command="demo")
    asking, doing, writing = Crowd(), Crowd(), threading.Event()
    writing.set()
    for seed in range(3):
        asking.start(ask, city, seed, writing)
    for writer in range(2):
        doing.start(write, city, writer)
    doing.start(bring, city, str(tmp_path))
    backup = subprocess.run([program(), "backup", str(tmp_path / "backup"), "--data", city.data], capture_output=True,
                            text=True, timeout=120, check=False)
    assert backup.returncode == 0, backup.stderr
    try:
        doing.end()
    finally:
        writing.clear()
    asking.end()
    city.delete("entities", params={"type": "Gone"})
    assert (total(city, "Kept"), total(city, "Gone"), total(city, "Imported")) == (2 * (SIZE - 1), 0, 3000)
    for writer in range(2):
        first = city.get(f"entities/urn:ngsi-ld:Kept:{writer * 1000}").json()
        assert (first["round"]["value"], first["merged"]["value"]) == (ROUNDS - 1, 1)
    city.restart()
    assert (total(city, "Kept"), total(city, "Gone"), total(city, "Imported")) == (2 * (SIZE - 1), 0, 3000)
