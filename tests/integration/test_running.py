"""Running the program: configuration, limits, signals, backup, patience with clients."""
import json
import os
import signal
import socket
import subprocess
import time

import pytest
from conftest import City, program

JSON = {"Content-Type": "application/json"}


def spring(name="baotu", **attributes):
    return {"id": f"urn:ngsi-ld:Spring:{name}", "type": "Spring", **attributes}


def run(*arguments, **kwargs):
    return subprocess.run([program(), *arguments], capture_output=True, text=True, timeout=60, check=False, **kwargs)


def address(city):
    host, port = city.url[len("http://"):].split(":")
    return host, int(port)


# ---- command line and configuration ----

def test_version_and_help():
    assert run("version").stdout.startswith("wellspring ")
    assert "usage: wellspring COMMAND" in run("help").stdout
    assert run("nonsense").returncode == 2


def test_reference_configuration_reads_back(tmp_path):
    reference = run("config").stdout
    assert "[limits]" in reference and "body_bytes" in reference
    file = tmp_path / "wellspring.toml"
    file.write_text(reference)
    assert run("config", "--config", str(file)).stdout == reference


def test_wrong_configuration_names_line_and_nearest_key(tmp_path):
    file = tmp_path / "wellspring.toml"
    file.write_text("[server]\n\nlisen = \"127.0.0.1:1\"\n")
    refused = run("serve", "--config", str(file))
    assert refused.returncode == 1
    assert "wellspring.toml:3" in refused.stderr and "server.listen" in refused.stderr
    refused = run("serve", "--threads", "many", "--data", str(tmp_path / "d"))
    assert refused.returncode == 1 and "threads" in refused.stderr
    refused = run("serve", "--data", str(tmp_path / "d"), env={**os.environ, "WELLSPRING_LIMITS_PAGE": "-1"})
    assert refused.returncode == 1 and "PAGE" in refused.stderr.upper()


def test_address_in_use_and_directory_in_use(city, tmp_path):
    refused = run("serve", "--data", city.data, "--listen", "127.0.0.1:0")
    assert refused.returncode == 1 and city.data in refused.stderr
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused = run("serve", "--data", str(tmp_path / "other"), "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert refused.returncode == 1 and "127.0.0.1" in refused.stderr


def test_sighup_takes_over_what_may_change(tmp_path, new_city):
    file = tmp_path / "wellspring.toml"
    file.write_text("[log]\naccess = false\n")
    city = new_city("--config", str(file)).start()
    city.get("entities?type=Silent")
    file.write_text("[log]\naccess = true\n")
    city.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and not any("taken over" in line for line in city.lines):
        time.sleep(0.05)
    city.get("entities?type=Logged")
    city.get("healthz")
    time.sleep(0.2)
    log = "".join(city.lines)
    assert "taken over" in log
    file.write_text("[log]\nacces = true\n")
    city.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and "not taken over" not in "".join(city.lines):
        time.sleep(0.05)
    assert city.get("/healthz").status_code == 200


def test_json_log_has_no_payload(new_city):
    city = new_city("--log-format", "json").start()
    city.post("entities", spring(secret={"type": "Property", "value": "hunter2"}))
    city.stop()
    lines = [json.loads(line) for line in city.lines if line.strip()]
    requests = [line for line in lines if line["event"] == "request"]
    assert requests and requests[0]["status"] == 201 and requests[0]["method"] == "POST"
    assert "hunter2" not in "".join(city.lines)


# ---- limits ----

def refused(answer, status, limit):
    assert answer.status_code == status, answer.text
    assert answer.json()["limit"] == limit
    return answer.json()


def test_limits_are_refused_by_name(new_city):
    city = new_city("--limits-body-bytes", "4096", "--limits-uri-bytes", "512", "--limits-json-depth", "8",
                    "--limits-attributes", "10", "--limits-attribute-depth", "2", "--limits-batch", "3",
                    "--limits-page", "50", "--limits-query-terms", "3", "--limits-types", "2",
                    "--limits-header-bytes", "2048", "--limits-name-bytes", "64",
                    "--limits-entity-bytes", "1024").start()
    refused(city.request("POST", "entities", data=b"[" * 5000, headers=JSON), 413, "limits.body_bytes")
    refused(city.get("entities?type=" + "x" * 600), 414, "limits.uri_bytes")
    refused(city.get("entities?type=T", headers={"X-Long": "x" * 3000}), 431, "limits.header_bytes")
    deep = spring(a={"type": "Property", "value": [[[[[[[[[1]]]]]]]]]})
    refused(city.post("entities", deep), 400, "limits.json_depth")
    many = spring(**{f"a{i}": {"type": "Property", "value": i} for i in range(11)})
    refused(city.post("entities", many), 400, "limits.attributes")
    nested = {"type": "Property", "value": 1}
    for _ in range(4):
        nested = {"type": "Property", "value": 1, "sub": nested}
    refused(city.post("entities", spring(a=nested)), 400, "limits.attribute_depth")
    refused(city.post("entityOperations/create", [spring(str(i)) for i in range(4)]), 413, "limits.batch")
    refused(city.get("entities?type=T&limit=51"), 400, "limits.page")
    assert city.get("entities?type=T&q=a==1;b==1;c==1;d==1").status_code == 403
    refused(city.post("entities", {"id": "urn:x:1", "type": ["A", "B", "C"]}), 400, "limits.types")
    refused(city.post("entities", spring("n" * 100)), 400, "limits.name_bytes")
    assert city.get("entities?local=true").json() == []
    grown = spring()
    assert city.post("entities", grown).status_code == 201
    path = f"entities/{grown['id']}"
    for i in range(20):  # what each request brings is within the limits
        answer = city.post(f"{path}/attrs", {f"a{i}": {"type": "Property", "value": i}})
        if answer.status_code != 204:
            break
    before = city.get(path).json()
    refused(city.post(f"{path}/attrs", {"b": {"type": "Property", "value": 1}}), 400, "limits.attributes")
    long = {"type": "Property", "value": "x" * 1000}
    refused(city.patch(f"{path}/attrs", {"a0": long, "a1": {"type": "Property", "value": 7}}), 413, "limits.entity_bytes")
    assert city.get(path).json() == before


def test_too_many_connections_are_turned_away(new_city):
    city = new_city("--limits-connections", "8", "--threads", "1").start()
    held = [socket.create_connection(address(city)) for _ in range(20)]
    try:
        answers = []
        for s in held:
            s.settimeout(5)
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            try:
                answers.append(s.recv(200).split(b" ")[1:2])
            except OSError:
                answers.append([b"closed"])
        assert [b"200"] in answers
        assert [b"200"] != answers[-1]
    finally:
        for s in held:
            s.close()
    time.sleep(0.3)
    assert city.get("/healthz").status_code == 200


def test_slow_and_silent_clients_are_dropped(new_city):
    city = new_city("--server-idle-timeout", "1 s", "--server-request-timeout", "2 s").start()
    with socket.create_connection(address(city)) as silent, socket.create_connection(address(city)) as slow:
        for s in (silent, slow):
            s.settimeout(15)
        slow.sendall(b"POST /ngsi-ld/v1/entities HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
                     b"Content-Type: application/json\r\n\r\n")
        start = time.monotonic()
        try:
            for _ in range(12):
                slow.sendall(b" ")
                time.sleep(0.5)
        except OSError:
            pass
        assert time.monotonic() - start < 14
        try:
            data = silent.recv(100)
        except ConnectionResetError:
            data = b""
        assert data == b"" or b" 408 " in data
    assert city.get("/healthz").status_code == 200


# ---- the end, and what remains ----

def test_sigterm_lets_open_requests_finish(city):
    with socket.create_connection(address(city)) as s:
        s.settimeout(20)
        body = json.dumps(spring()).encode()
        s.sendall(b"POST /ngsi-ld/v1/entities HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                  b"Content-Length: %d\r\n\r\n" % len(body))
        time.sleep(0.2)
        city.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        s.sendall(body)
        answer = s.recv(1000)
    assert city.process.wait(30) == 0
    if answer:  # begun before the signal: answered, and kept
        assert b" 201 " in answer
        city.start()
        assert city.get("entities/urn:ngsi-ld:Spring:baotu").status_code == 200


def test_sigterm_does_not_wait_for_slow_clients(new_city):
    city = new_city("--server-drain-timeout", "300 ms").start()
    with socket.create_connection(address(city)) as slow, socket.create_connection(address(city)) as silent:
        slow.sendall(b"POST /ngsi-ld/v1/entities HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                     b"Content-Length: 100\r\n\r\n{")
        silent.sendall(b"GET /ngsi-ld/v1/enti")
        time.sleep(0.2)
        start = time.monotonic()
        assert city.stop() == 0, "".join(city.lines)[-4000:]
        assert 0.2 < time.monotonic() - start < 10


@pytest.mark.parametrize("what", ["serve", "demo"])
def test_sigterm_does_not_wait_for_a_dead_disk(new_city, tmp_path, what):
    """A request that is never answered, nor can be freed: the process ends, and nothing acknowledged is lost."""
    shim = os.path.join(os.path.dirname(os.path.abspath(program())), "tests", "integration", "sync_hangs.so")
    if not os.path.exists(shim):
        pytest.skip(f"there is no {shim}: built without tests")
    hangs = tmp_path / "hangs"
    city = new_city("--server-drain-timeout", "200 ms", "--server-close-timeout", "700 ms")
    city.start(command=what, LD_PRELOAD=shim, SYNC_HANGS=str(hangs),
               ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0")
    assert city.post("entities", spring("kept")).status_code == 201
    hangs.touch()
    with socket.create_connection(address(city)) as waiting:
        body = json.dumps(spring("lost")).encode()
        waiting.sendall(b"POST /ngsi-ld/v1/entities HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                        b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        time.sleep(1.5 if what == "demo" else 0.3)  # the demo writes once a second
        start = time.monotonic()
        assert city.stop() == 1
        assert 0.6 < time.monotonic() - start < 10
        assert waiting.recv(100) == b""
    log = "".join(city.lines)
    for part in ("part=demo",) if what == "demo" else ("part=notifications", "requests=1 busy_loops=0"):
        assert 'event="ending without answers" ' + part in log
    city.start()
    assert city.get("entities/urn:ngsi-ld:Spring:kept").status_code == 200


def test_backup_while_running_restore_check(city, tmp_path):
    city.post("entityOperations/create", [spring(str(i), level=i) for i in range(200)])
    backup = str(tmp_path / "backup")
    made = run("backup", backup, "--data", city.data)
    assert made.returncode == 0, made.stderr
    city.post("entities", spring("later"))
    again = run("backup", backup, "--data", city.data)
    assert again.returncode == 1 and backup in again.stderr
    restored = str(tmp_path / "restored" )
    assert run("restore", backup, "--data", restored).returncode == 0
    assert run("restore", backup, "--data", restored).returncode == 1
    checked = run("check", "--data", restored)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "entities 200" in checked.stdout and "errors 0" in checked.stdout
    other = City(tmp_path / "none")
    other.data = restored
    other.start()
    try:
        count = other.get("entities?type=Spring&limit=0&count=true").headers["NGSILD-Results-Count"]
        assert count == "200"
    finally:
        assert other.stop() == 0


def test_check_refuses_a_running_city(city):
    answer = run("check", "--data", city.data)
    assert answer.returncode == 1


def test_get_prints_entities(city):
    city.post("entities", spring(level=3))
    shown = run("get", "urn:ngsi-ld:Spring:baotu", "--to", city.url)
    assert shown.returncode == 0, shown.stderr
    assert "urn:ngsi-ld:Spring:baotu" in shown.stdout and "level" in shown.stdout
    listed = run("get", "--type", "Spring", "--json", "--to", city.url)
    assert json.loads(listed.stdout)[0]["level"]["value"] == 3
    missing = run("get", "urn:ngsi-ld:Spring:none", "--to", city.url)
    assert missing.returncode == 1 and "404" in missing.stderr
