"""A city a test can start, stop, kill and ask: the real binary on a free port."""
import os
import re
import select
import shutil
import signal
import subprocess
import time

import pytest
import requests

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.environ.get("WELLSPRING_SHARED_DATA", os.path.join(ROOT, "..", "shared", "data"))
START_TIMEOUT_S = 30


def program():
    named = os.environ.get("WELLSPRING")
    if named:
        return named
    for build in ("dev", "release", "asan"):
        path = os.path.join(ROOT, "build", build, "wellspring")
        if os.path.exists(path):
            return path
    raise RuntimeError("no build of wellspring found")


class City:
    """One process of the program and its data directory."""

    def __init__(self, folder, *options):
        self.data = os.path.join(str(folder), "data")
        self.options = options
        self.process = None
        self.url = None
        self.lines = []

    def start(self, *options, command="serve", **environment):
        self.process = subprocess.Popen(
            [program(), command, "--data", self.data, "--listen", "127.0.0.1:0", *self.options, *options],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, env={**os.environ, **environment})
        deadline = time.monotonic() + START_TIMEOUT_S
        buffer = b""
        while time.monotonic() < deadline:
            ready, _, _ = select.select([self.process.stderr], [], [], 0.2)
            if not ready:
                continue
            chunk = os.read(self.process.stderr.fileno(), 65536)
            if not chunk:
                break
            buffer += chunk
            found = re.search(rb"listening.*?address[\"=:]+([0-9.:\[\]]+)", buffer)
            if found:
                self.url = "http://" + found.group(1).decode()
                self._drain()
                return self
        raise RuntimeError("the city did not start: " + buffer.decode(errors="replace"))

    def _drain(self):
        """Keeps the pipe of messages empty, so that the city never waits for us."""
        import threading

        def read(stream, lines):
            for line in stream:
                lines.append(line.decode(errors="replace"))
        threading.Thread(target=read, args=(self.process.stderr, self.lines), daemon=True).start()

    def stop(self, number=signal.SIGTERM, timeout=30):
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(timeout)
        return self.process.returncode if self.process else None

    def kill(self):
        self.stop(signal.SIGKILL)

    def restart(self, *options):
        code = self.stop()
        assert code == 0, "".join(self.lines)[-4000:]
        return self.start(*options)

    # ---- requests ----

    def request(self, method, path, **kwargs):
        if path.startswith("/"):
            url = self.url + path
        else:
            url = f"{self.url}/ngsi-ld/v1/{path}"
        kwargs.setdefault("timeout", 30)
        return requests.request(method, url, **kwargs)

    def get(self, path, **kwargs):
        return self.request("GET", path, **kwargs)

    def post(self, path, body, **kwargs):
        return self.request("POST", path, json=body, **kwargs)

    def patch(self, path, body, **kwargs):
        return self.request("PATCH", path, json=body, **kwargs)

    def put(self, path, body, **kwargs):
        return self.request("PUT", path, json=body, **kwargs)

    def delete(self, path, **kwargs):
        return self.request("DELETE", path, **kwargs)


@pytest.fixture
def new_city(tmp_path):
    """Makes cities that end with the test; a city must end in order unless the test killed it."""
    made = []

    def make(*options, folder=None):
        city = City(folder or tmp_path, *options)
        made.append(city)
        return city
    yield make
    for city in made:
        if city.process and city.process.poll() is None:
            code = city.stop()
            assert code == 0, f"exit code {code}: " + "".join(city.lines)[-4000:]


@pytest.fixture
def city(new_city):
    return new_city().start()


@pytest.fixture(scope="module")
def shared_city(tmp_path_factory):
    """One city for the tests of a module that do not disturb one another (own ids or tenants)."""
    running = City(tmp_path_factory.mktemp("city")).start()
    yield running
    code = running.stop()
    assert code == 0, f"exit code {code}: " + "".join(running.lines)[-4000:]


@pytest.fixture
def shared_data():
    """Folder of the real data; tests that need it are skipped where it is missing."""
    if not os.path.isdir(SHARED):
        pytest.skip("no ../shared/data")
    return SHARED


@pytest.fixture
def scratch(tmp_path):
    yield tmp_path
    shutil.rmtree(tmp_path, ignore_errors=True)
