"""What a city that does nothing costs: of a release, since memory of a sanitized build says nothing."""
import os
import resource
import socket

import pytest
from conftest import program

pytestmark = pytest.mark.skipif("san" in os.path.basename(os.path.dirname(program())), reason="memory of a sanitized build says nothing")

CONNECTIONS = 10000


def memory(city, *fields):
    with open(f"/proc/{city.process.pid}/status", encoding="ascii") as f:
        known = dict(line.split(":", 1) for line in f)
    return sum(int(known[field].split()[0]) for field in fields) * 1024


def test_a_city_without_anything_is_small(city):
    assert city.get("/healthz").status_code == 200
    assert memory(city, "RssAnon") < 15e6
    assert memory(city, "VmRSS") < 30e6


def test_idle_connections_are_cheap(new_city):
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < CONNECTIONS + 500:
        pytest.skip(f"only {hard} descriptors are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (CONNECTIONS + 500, hard))
    city = new_city("--server-idle-timeout", "300 s").start()
    host, port = city.url[len("http://"):].split(":")
    before, held = memory(city, "VmRSS"), []
    try:
        for _ in range(CONNECTIONS):  # each is used once, then silent
            held.append(socket.create_connection((host, int(port))))
            held[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert held[-1].recv(500).startswith(b"HTTP/1.1 200")
        cost = memory(city, "VmRSS") - before
        print(f"{CONNECTIONS} connections: {cost / 1e6:.0f} MB, {before / 1e6:.0f} MB before")
        assert cost < 170e6
        assert city.get("/healthz").status_code == 200
    finally:
        for s in held:
            s.close()
