"""wellspring get, watch, top: what a person sees of a city, and of one that is not there."""
import http.server
import os
import socket
import subprocess
import threading

import pytest
from conftest import program


def run(*arguments, **kwargs):
    return subprocess.run([program(), *arguments], stdout=kwargs.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE,
                          text=True, timeout=60, check=False, **kwargs)


@pytest.fixture
def answering():
    """Something that answers every GET with the same body and is no city."""
    servers = []

    def start(body):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments):
                pass
        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"
    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("command", ["get", "watch", "top"])
def test_no_city_there(command):
    answer = run(command, "--to", "http://127.0.0.1:1")
    assert answer.returncode == 1 and answer.stdout == ""
    assert "http://127.0.0.1:1 does not answer" in answer.stderr


@pytest.mark.parametrize("arguments", [["--every", "nan"], ["--every", "inf"], ["--every", "0"], ["--limit", "-1"],
                                       ["--nonsense", "1"], ["--type"]])
def test_wrong_usage(arguments):
    assert run("watch", *arguments).returncode == 2


@pytest.mark.parametrize("listen, reached", [("0.0.0.0", "127.0.0.1"), ("[::]", "[::1]")])
def test_city_that_listens_everywhere_is_found(listen, reached):
    """A wildcard is no address to connect to; the guard would refuse it."""
    answer = run("get", "--listen", f"{listen}:1")
    assert f"http://{reached}:1 does not answer" in answer.stderr


def test_what_devices_say_does_not_drive_the_terminal(city):
    city.post("entities", {"id": "urn:x:1", "type": "T", "name": {"type": "Property", "value": "a\u001b[2J\u009b31m\u0007\nb é"}})
    for arguments in (["urn:x:1"], ["--type", "T"]):
        shown = run("get", *arguments, "--to", city.url).stdout
        assert "a?[2J??31m??b é" in shown


@pytest.mark.parametrize("body", [b"[1, \"two\", null, [3]]", b"[{}, {\"id\": 7}]", b"7", b"\"text\"", b"{}", b"[{\"id\": \"x\"}]"])
def test_answers_of_another_shape(answering, body):
    url = answering(body)
    assert run("get", "--to", url).returncode == 0
    with subprocess.Popen([program(), "watch", "--every", "0.1", "--to", url], stdout=subprocess.DEVNULL) as watching:
        with pytest.raises(subprocess.TimeoutExpired):
            watching.wait(0.5)
        watching.kill()


def test_no_json(answering):
    assert run("get", "--to", answering(b"<html>")).returncode == 1


def test_lost_output_is_an_error(city):
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    city.post("entities", {"id": "urn:x:1", "type": "T"})
    for arguments in (["config"], ["get", "urn:x:1", "--to", city.url], ["watch", "--to", city.url]):
        with open("/dev/full", "w", encoding="ascii") as full:
            answer = run(*arguments, stdout=full)
        assert answer.returncode == 1 and "standard output" in answer.stderr


def test_watch_ends_with_its_reader(city):
    city.post("entities", {"id": "urn:x:1", "type": "T", "n": {"type": "Property", "value": 0}})
    with subprocess.Popen([program(), "watch", "--type", "T", "--every", "0.1", "--to", city.url],
                          stdout=subprocess.PIPE, text=True) as watching:
        assert "urn:x:1" in watching.stdout.readline()
        watching.stdout.close()
        for n in range(100):
            city.patch("entities/urn:x:1/attrs", {"n": {"type": "Property", "value": n}})
            try:
                assert watching.wait(0.2) == 1
                return
            except subprocess.TimeoutExpired:
                pass
        watching.kill()
    pytest.fail("it goes on without a reader")


def test_long_data_directory(tmp_path, new_city):
    """The socket for orders is no reason to refuse a long path."""
    folder = tmp_path / ("d" * 120)
    folder.mkdir()
    city = new_city(folder=folder).start()
    assert city.get("/healthz").status_code == 200
    assert oct(os.stat(os.path.join(city.data, "control.sock")).st_mode & 0o777) == "0o600"


# ---- watch: what comes, and after a break ----

@pytest.fixture
def watching(city):
    started = []

    def start(*arguments, url=city.url):
        started.append(subprocess.Popen([program(), "watch", "--every", "0.1", *arguments, "--to", url], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True))
        return started[-1]
    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def lines(process, n):
    """Without the time: entity, attribute, value."""
    return [process.stdout.readline().rstrip("\n").split("  ", 1)[1] for _ in range(n)]


def test_watch_tells_changes_as_they_come(city, watching):
    for i in range(3):
        city.post("entities", {"id": f"urn:x:{i}", "type": "T", "n": {"type": "Property", "value": i}, "same": {"type": "Property", "value": 1}})
    process = watching("--type", "T", "--q", "n<10", "--limit", "2")
    assert lines(process, 8) == [f"urn:x:{i}  {what}" for i in range(2) for what in (f"id  urn:x:{i}", "type  T", f"n  {i}", "same  1")]
    before = next(line for line in city.request("GET", "/metrics").text.splitlines() if line.startswith("wellspring_http_requests_total "))
    for value in (5, 6, 12):
        city.patch("entities/urn:x:2/attrs", {"n": {"type": "Property", "value": value}})
    assert lines(process, 3) == ["urn:x:2  n  5", "urn:x:2  n  6", "urn:x:2  no longer matches"]  # none is missed, nothing told again
    city.patch("entities/urn:x:2/attrs", {"n": {"type": "Property", "value": 7}})
    assert lines(process, 4)[2] == "urn:x:2  n  7"
    city.delete("entities/urn:x:0")
    assert lines(process, 1) == ["urn:x:0  deleted"]
    after = next(line for line in city.request("GET", "/metrics").text.splitlines() if line.startswith("wellspring_http_requests_total "))
    assert int(after.split()[1]) - int(before.split()[1]) <= 6  # five changes and this: it does not poll


def test_watch_goes_on_after_a_break(city, watching):
    """Through something that breaks the first connection; what happens meanwhile is told once."""
    server = socket.create_server(("127.0.0.1", 0))
    heads, broken = [], threading.Event()

    def carry(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass

    def serve():
        while True:
            try:
                guest, _ = server.accept()
            except OSError:
                return
            head = guest.recv(65536)
            heads.append(head.decode())
            upstream = socket.create_connection(("127.0.0.1", int(city.url.rsplit(":", 1)[1])))
            upstream.sendall(head)
            threading.Thread(target=carry, args=(upstream, guest), daemon=True).start()
            if len(heads) == 1:
                broken.wait(20)
                for end in (guest, upstream):
                    end.shutdown(socket.SHUT_RDWR)
    threading.Thread(target=serve, daemon=True).start()
    city.post("entities", {"id": "urn:x:1", "type": "T", "n": {"type": "Property", "value": 0}})
    process = watching("urn:x:1", url=f"http://127.0.0.1:{server.getsockname()[1]}")
    assert lines(process, 3)[2] == "urn:x:1  n  0"
    city.patch("entities/urn:x:1/attrs", {"n": {"type": "Property", "value": 1}})
    assert lines(process, 1) == ["urn:x:1  n  1"]
    broken.set()
    for value in (2, 3):
        city.patch("entities/urn:x:1/attrs", {"n": {"type": "Property", "value": value}})
    assert lines(process, 2) == ["urn:x:1  n  2", "urn:x:1  n  3"]
    assert "Last-Event-ID" not in heads[0] and "Last-Event-ID: " in heads[1]
    server.close()


def test_watch_tells_what_is_wrong_with_a_query(city):
    answer = run("watch", "--q", "n<(", "--to", city.url)
    assert answer.returncode == 1 and "answer 400" in answer.stderr
