"""Killed under load, again and again: every due notification of an acknowledged change arrives at
least once, and each entity's versions in order (docs/decisions/0014)."""
import os
import random
import sys
import threading
import time

import requests

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "conformance"))
from receiver import Receiver  # noqa: E402

ROUNDS = int(os.environ.get("WELLSPRING_FAULT_ROUNDS", "5"))
WRITERS, ENTITIES = 4, 8

CONFIG = """
[store]
segment_bytes = "64 KiB"
log_bytes = "1 MiB"
[subscriptions]
waiting = 1000000
cooldown = "20 ms"
cooldown_max = "50 ms"
attempts = 1000
[log]
access = false
"""


class Writer(threading.Thread):
    """Counts its entities up; knows what was acknowledged and what was only asked for."""

    def __init__(self, city, number, state, stop):
        super().__init__(daemon=True)
        self.city, self.number, self.state, self.stop = city, number, state, stop

    def run(self):
        session = requests.Session()
        rng = random.Random(self.number)
        while not self.stop.is_set():
            i = self.number * ENTITIES + rng.randrange(ENTITIES)
            one = self.state[i]
            one["asked"] += 1
            body = {"count": {"type": "Property", "value": one["asked"]}}
            try:
                answer = session.patch(f"{self.city.url}/ngsi-ld/v1/entities/urn:ngsi-ld:Counter:{i}/attrs", json=body, timeout=10)
            except requests.RequestException:
                return
            if answer.status_code == 204:
                one["acknowledged"].append(one["asked"])


def test_killed_under_load(new_city, tmp_path):
    rng = random.Random(7)
    config = tmp_path / "small.toml"
    config.write_text(CONFIG)
    # some messages are refused, so that something always waits
    receiver = Receiver(lambda number, body: 503 if rng.random() < 0.1 else 200)
    delivered = []
    inner = receiver.answer

    def answer(number, body):
        status = inner(number, body)
        if status == 200:
            delivered.extend((e["id"], e["count"]["value"]) for e in body["data"])
        return status
    receiver.answer = answer
    city = new_city("--config", str(config)).start()
    state = [{"asked": 0, "acknowledged": []} for _ in range(WRITERS * ENTITIES)]
    restarts = [0]
    try:
        for i in range(len(state)):
            assert city.post("entities", {"id": f"urn:ngsi-ld:Counter:{i}", "type": "Counter",
                                          "count": {"type": "Property", "value": 0}}).status_code == 201
        assert city.post("subscriptions", {"type": "Subscription", "entities": [{"type": "Counter"}],
                                           "notification": {"endpoint": {"uri": receiver.uri}}}).status_code == 201
        for _ in range(ROUNDS):
            stop = threading.Event()
            writers = [Writer(city, n, state, stop) for n in range(WRITERS)]
            for w in writers:
                w.start()
            time.sleep(rng.uniform(0.5, 2.0))
            city.kill()
            stop.set()
            for w in writers:
                w.join()
            restarts.append(len(delivered))
            city.start()
        deadline = time.monotonic() + 60
        missing = True
        while missing and time.monotonic() < deadline:
            time.sleep(0.2)
            told = set(delivered)
            missing = [(i, v) for i, one in enumerate(state) for v in one["acknowledged"]
                       if (f"urn:ngsi-ld:Counter:{i}", v) not in told]
        assert sum(len(one["acknowledged"]) for one in state) > 100 * ROUNDS, "too little to prove anything"
        assert not missing, f"{len(missing)} acknowledged changes were not told: {missing[:10]}"
        back = {}  # an entity goes back in time only where a crash made it
        last = {}
        for name, value in delivered:
            if value <= last.get(name, 0):
                back[name] = back.get(name, 0) + 1
            last[name] = value
        assert all(n <= ROUNDS for n in back.values()), back
    finally:
        receiver.close()
