"""The city of the integration tests, one for each module: tests keep apart by ids and tenants.

Every test says which clause of CIM 009 it is about, by `pytestmark` or a marker of its own:
@pytest.mark.clause("5.6.1"). clauses.py prints which clause has which tests.
"""
import importlib.util
import itertools
import os

import pytest

from origins import Origin

_PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration", "conftest.py")
_SPEC = importlib.util.spec_from_file_location("wellspring_city", _PATH)
_MODULE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_MODULE)
City = _MODULE.City

_NUMBERS = itertools.count(1)


def pytest_configure(config):
    config.addinivalue_line("markers", "clause(*numbers): clauses of CIM 009 that a test is about")


def pytest_collection_modifyitems(items):
    """Runs for the tests of other folders too, when those are asked for together with these."""
    here = os.path.dirname(os.path.abspath(__file__))
    nameless = [i.nodeid for i in items if str(i.path).startswith(here) and not i.get_closest_marker("clause")]
    if nameless:
        raise pytest.UsageError("these name no clause: " + ", ".join(nameless))


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    running = City(tmp_path_factory.mktemp("city")).start()
    yield running
    code = running.stop()
    assert code == 0, f"exit code {code}: " + "".join(running.lines)[-4000:]


@pytest.fixture
def new_city(tmp_path):
    """Makes cities with options of their own, which end with the test."""
    made = []

    def make(*options):
        folder = tmp_path / f"city{len(made)}"
        folder.mkdir()
        made.append(City(folder, *options).start())
        return made[-1]
    yield make
    for running in made:
        code = running.stop()
        assert code == 0, f"exit code {code}: " + "".join(running.lines)[-4000:]


@pytest.fixture
def urn():
    """Makes ids that no other test has."""
    number = next(_NUMBERS)

    def make(kind="Thing", name=0):
        return f"urn:ngsi-ld:{kind}:{number}-{name}"
    return make


@pytest.fixture
def tenant(city):
    """Headers of a tenant of its own, which exists."""
    headers = {"NGSILD-Tenant": f"t{next(_NUMBERS)}"}
    made = city.post("entities", {"id": "urn:ngsi-ld:First:1", "type": "First"}, headers=headers)
    assert made.status_code == 201, made.text
    return headers


@pytest.fixture(scope="module")
def origin():
    running = Origin()
    yield running
    running.server.shutdown()
    running.server.server_close()
