"""Requests made from the city's own description of its API: tests/api/fuzz.py says what must hold."""
import collections
import importlib.util
import os

_PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "api", "fuzz.py")
_SPEC = importlib.util.spec_from_file_location("api_fuzz", _PATH)
_FUZZ = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_FUZZ)

REQUESTS = 6000


def test_whatever_is_asked_is_answered(city):
    findings, counts = _FUZZ.fuzz(city.url, requests=REQUESTS, seed=2026)
    assert not findings
    classes = collections.Counter()
    for (_operation, status), number in counts.items():
        classes[status // 100] += number
    # Both what is right and what is wrong was asked, of every operation.
    assert classes[2] > REQUESTS // 5 and classes[4] > REQUESTS // 10
    assert len({operation for operation, _status in counts}) == len(_FUZZ.Fuzzer(city.url, 1).operations)
    assert city.get("/healthz").status_code == 200
