"""@contexts from the network and from a folder: fetched once, within bounds, or refused."""
import concurrent.futures
import http.server
import json
import re
import threading
import time

import pytest
import requests

LD = {"Content-Type": "application/ld+json"}
ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
CORE = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.9.jsonld"
VOCABULARY = "https://vocabulary.example/"


def context(*names):
    return {"@context": {name: VOCABULARY + name for name in names}}


class Origin:
    """An HTTP server of documents; counts who asks for what."""

    def __init__(self):
        self.pages = {}  # path → (status, headers, body, delay in s)
        self.asked = []
        self.lock = threading.Lock()
        origin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                with origin.lock:
                    origin.asked.append(self.path)
                status, headers, body, delay = origin.pages.get(self.path, (404, {}, b"not here", 0))
                time.sleep(delay)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    pass

            def log_message(self, *_arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def put(self, path, body, status=200, delay=0, **headers):
        """The URL of what is put there."""
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.pages[path] = (status, {name.replace("_", "-"): value for name, value in headers.items()}, body, delay)
        return self.url + path

    def count(self, path):
        with self.lock:
            return self.asked.count(path)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def origin():
    running = Origin()
    yield running
    running.close()


def link(url):
    return {"Link": f'<{url}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'}


def refused(answer, status, kind):
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["type"] == ERRORS + kind
    return body["detail"]


def metric(city, name):
    found = re.search(rf"^wellspring_{name} (\d+)$", city.get("/metrics").text, re.MULTILINE)
    return int(found.group(1))


def test_fetched_once_and_cached(city, origin):
    url = origin.put("/a.jsonld", context("Spring", "level"))
    entity = {"id": "urn:x:1", "type": "Spring", "level": {"type": "Property", "value": 3}, "@context": url}
    assert city.request("POST", "entities", json=entity, headers=LD).status_code == 201
    for _ in range(5):
        listed = city.get("entities?type=Spring", headers=link(url))
        assert [e["id"] for e in listed.json()] == ["urn:x:1"]
    assert origin.count("/a.jsonld") == 1
    expanded = city.get("entities/urn:x:1").json()
    assert expanded["type"] == VOCABULARY + "Spring" and VOCABULARY + "level" in expanded
    assert metric(city, "context_fetches_total") == 1


def test_freshness_is_what_the_origin_says(city, origin):
    url = origin.put("/a", context("Spring"), Cache_Control="max-age=1")
    kept = origin.put("/b", context("Spring"), Cache_Control="max-age=600")
    for named in (url, kept):
        assert city.get("entities?type=Spring", headers=link(named)).status_code == 200
    origin.put("/a", {"@context": {"Spring": VOCABULARY + "Fountain"}})
    entity = {"id": "urn:x:1", "type": VOCABULARY + "Fountain"}
    assert city.post("entities", entity).status_code == 201
    deadline = time.monotonic() + 20  # it is kept for 5 s at least
    while not city.get("entities?type=Spring", headers=link(url)).json() and time.monotonic() < deadline:
        time.sleep(0.25)
    assert origin.count("/a") == 2
    city.get("entities?type=Spring", headers=link(kept))
    assert origin.count("/b") == 1


def test_nested_documents_and_arrays(city, origin):
    inner = origin.put("/deep/inner.jsonld", context("depth"))
    origin.put("/deep/outer.jsonld", {"@context": ["inner.jsonld", {"width": VOCABULARY + "width"}]})
    entity = {"id": "urn:x:1", "type": "T", "depth": {"type": "Property", "value": 1},
              "width": {"type": "Property", "value": 2},
              "@context": [origin.url + "/deep/outer.jsonld", {"T": VOCABULARY + "T"}, CORE]}
    assert city.request("POST", "entities", json=entity, headers=LD).status_code == 201
    stored = city.get("entities/urn:x:1").json()
    assert {VOCABULARY + "depth", VOCABULARY + "width"} <= set(stored) and stored["type"] == VOCABULARY + "T"
    assert city.get("entities/urn:x:1", headers=link(inner)).json()["depth"]["value"] == 1
    assert origin.count("/deep/inner.jsonld") == origin.count("/deep/outer.jsonld") == 1


def test_contexts_that_include_one_another_or_too_many(new_city, origin):
    city = new_city("--limits-context-remotes", "4").start()
    origin.put("/a", {"@context": origin.url + "/b"})
    origin.put("/b", {"@context": origin.url + "/a"})
    detail = refused(city.get("entities?type=T", headers=link(origin.url + "/a")), 400, "BadRequestData")
    assert "includes itself" in detail
    for i in range(6):
        origin.put(f"/chain{i}", {"@context": f"{origin.url}/chain{i + 1}"})
    answer = city.get("entities?type=T", headers=link(origin.url + "/chain0"))
    assert answer.status_code == 400 and answer.json()["limit"] == "limits.context_remotes"


def test_what_is_no_context_is_refused(new_city, origin):
    city = new_city("--contexts-document-bytes", "10000").start()
    gone = origin.url + "/none"
    assert "404" in refused(city.get("entities?type=T", headers=link(gone)), 504, "LdContextNotAvailable")
    origin.put("/elsewhere", context("T"))
    moved = origin.put("/moved", b"", status=302, Location=origin.url + "/elsewhere")
    assert "302" in refused(city.get("entities?type=T", headers=link(moved)), 504, "LdContextNotAvailable")
    assert origin.count("/elsewhere") == 0
    broken = origin.put("/broken", b'{"@context": {')
    assert broken in refused(city.get("entities?type=T", headers=link(broken)), 400, "BadRequestData")
    page = origin.put("/page", b"<html></html>", Content_Type="text/html")
    refused(city.get("entities?type=T", headers=link(page)), 400, "BadRequestData")
    large = origin.put("/large", context(*(f"name{i}" for i in range(1000))))
    assert "10000" in refused(city.get("entities?type=T", headers=link(large)), 504, "LdContextNotAvailable")
    # a failure is remembered for a while: no storm on an origin that is down
    for _ in range(5):
        refused(city.get("entities?type=T", headers=link(gone)), 504, "LdContextNotAvailable")
    assert origin.count("/none") == 1
    assert metric(city, "context_failures_total") == 5


def test_slow_origins_and_nobody_there(new_city, origin):
    city = new_city("--contexts-timeout", "500 ms").start()
    slow = origin.put("/slow", context("T"), delay=3)
    start = time.monotonic()
    refused(city.get("entities?type=T", headers=link(slow)), 504, "LdContextNotAvailable")
    refused(city.get("entities?type=T", headers=link("http://127.0.0.1:1/a")), 504, "LdContextNotAvailable")
    assert time.monotonic() - start < 3


@pytest.mark.parametrize("url", ["http://169.254.1.1/latest", "http://[fe80::1]/", "http://[::ffff:169.254.1.1]/",
                                 "http://0.0.0.0:80/", "http://224.0.0.1/"])
def test_guard_refuses_addresses(shared_city, url):
    start = time.monotonic()
    detail = refused(shared_city.get("entities?type=T", headers=link(url)), 504, "LdContextNotAvailable")
    assert "must not be called" in detail
    assert time.monotonic() - start < 2


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/a", "gopher://127.0.0.1/a", "urn:x:a", "nonsense"])
def test_other_schemes_are_not_fetched(shared_city, url):
    answer = shared_city.get("entities?type=T", headers=link(url))
    assert answer.status_code in (400, 504), answer.text
    assert "root:" not in answer.text


def test_configured_ranges_are_refused(tmp_path, new_city, origin):
    file = tmp_path / "wellspring.toml"
    file.write_text('[egress]\nrefuse = ["127.0.0.0/8"]\n')
    city = new_city("--config", str(file)).start()
    url = origin.put("/a", context("T"))
    assert "must not be called" in refused(city.get("entities?type=T", headers=link(url)), 504, "LdContextNotAvailable")
    assert origin.asked == []


def test_hundred_requests_one_fetch(city, origin):
    url = origin.put("/a", context("T"), delay=0.5)
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda _: city.get("entities?type=T", headers=link(url)).status_code, range(100)))
    assert answers == [200] * 100
    assert origin.count("/a") == 1


def test_fetches_at_once_are_bounded(new_city, origin):
    city = new_city("--contexts-fetches", "2").start()
    urls = [origin.put(f"/{i}", context("T"), delay=1) for i in range(8)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = [a.status_code for a in pool.map(lambda u: city.get("entities?type=T", headers=link(u)), urls)]
    assert sorted(set(answers)) == [200, 429] and answers.count(200) >= 2


def test_flood_of_contexts_stays_within_its_memory(new_city, origin):
    city = new_city("--contexts-cache-bytes", "1 MiB").start()
    session = requests.Session()
    for i in range(400):
        entities = [{"id": f"urn:x:{i}", "type": "T", "@context": {f"name{i}_{n}": f"{VOCABULARY}{n}" for n in range(50)}}]
        answer = session.post(f"{city.url}/ngsi-ld/v1/entityOperations/upsert", json=entities, headers=LD, timeout=30)
        assert answer.status_code == 201, answer.text
    for i in range(20):
        url = origin.put(f"/{i}", context(*(f"name{n}" for n in range(500))))
        assert session.get(f"{city.url}/ngsi-ld/v1/entities?type=T", headers=link(url), timeout=30).status_code == 200
    assert metric(city, "context_cache_bytes") <= 1 << 20
    assert metric(city, "context_evictions_total") > 100


def test_preloaded_by_path_without_a_network(tmp_path, new_city):
    folder = tmp_path / "contexts"
    (folder / "models.example" / "v1").mkdir(parents=True)
    (folder / "models.example" / "v1" / "water.jsonld").write_text(
        json.dumps({"@context": ["https://models.example/v1/base.json", {"level": VOCABULARY + "level"}]}))
    (folder / "models.example" / "v1" / "base.json").write_text(json.dumps(context("Spring")))
    city = new_city("--contexts", str(folder)).start()
    entity = {"id": "urn:x:1", "type": "Spring", "level": {"type": "Property", "value": 1},
              "@context": "https://models.example/v1/water.jsonld"}
    assert city.request("POST", "entities", json=entity, headers=LD).status_code == 201
    found = city.get("entities?type=Spring", headers=link("http://models.example/v1/water.jsonld"))
    assert found.json()[0]["level"]["value"] == 1
    assert city.get("entities/urn:x:1").json()["type"] == VOCABULARY + "Spring"
    assert metric(city, "context_fetches_total") == 0


def test_preloaded_by_index_without_a_network(tmp_path, new_city):
    folder = tmp_path / "contexts"
    folder.mkdir()
    (folder / "water").write_text(json.dumps(context("Spring")))
    (folder / "index.json").write_text(json.dumps({"https://models.example/water?v=2": "water"}))
    city = new_city("--contexts", str(folder)).start()
    entity = {"id": "urn:x:1", "type": "Spring", "@context": ["https://models.example/water?v=2", CORE]}
    assert city.request("POST", "entities", json=entity, headers=LD).status_code == 201
    assert city.get("entities/urn:x:1").json()["type"] == VOCABULARY + "Spring"
    assert metric(city, "context_fetches_total") == 0


def test_core_contexts_are_never_fetched(city):
    for version in ("-v1.3", "-v1.6", "-v1.8", "-v1.9", ""):
        url = f"https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context{version}.jsonld"
        assert city.get("entities?type=T", headers=link(url)).status_code == 200
    assert metric(city, "context_fetches_total") == 0


def test_the_end_does_not_wait_for_slow_origins(new_city, origin):
    """Requests that wait for an @context are answered when the city ends, and the end is in order."""
    city = new_city("--contexts-timeout", "60 s", "--server-drain-timeout", "500 ms").start()
    urls = [origin.put(f"/{i}", context("T"), delay=20) for i in range(4)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(lambda u: city.get("entities?type=T", headers=link(u)), u) for u in urls * 2]
        deadline = time.monotonic() + 10
        while len(origin.asked) < 4 and time.monotonic() < deadline:
            time.sleep(0.05)
        start = time.monotonic()
        assert city.stop() == 0, "".join(city.lines)[-4000:]
        assert time.monotonic() - start < 10
        for answer in waiting:
            try:
                assert answer.result().status_code in (503, 504)
            except requests.ConnectionError:
                pass  # closed before the answer was sent
