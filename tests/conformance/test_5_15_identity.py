"""Clauses 5.15.1, 5.2.40 and 6.33: who this context source is."""
import re

import pytest

from ngsi import ACCEPT_GEO, ACCEPT_LD, CORE, JSON, ok, refused

pytestmark = pytest.mark.clause("5.15.1", "5.2.40")
PATH = "info/sourceIdentity"
TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


def test_members(city):
    answer = ok(city.get(PATH))
    body = answer.json()
    assert set(body) == {"id", "type", "contextSourceAlias", "contextSourceUptime", "contextSourceTimeAt",
                         "contextSourceExtras"}
    assert body["id"].startswith("urn:") and body["type"] == "ContextSourceIdentity"
    assert TOKEN.fullmatch(body["contextSourceAlias"])
    assert re.fullmatch(r"P\d+DT\d+H\d+M\d+S", body["contextSourceUptime"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", body["contextSourceTimeAt"])
    assert CORE in answer.headers["Link"]


@pytest.mark.clause("5.15.1", "4.14")
def test_the_alias_names_the_tenant(city):
    names = [None, "a", "b", "a:b", "a_b"]
    aliases = [city.get(PATH, headers={"NGSILD-Tenant": n} if n else None).json()["contextSourceAlias"] for n in names]
    assert len(set(aliases)) == len(names) and all(TOKEN.fullmatch(a) for a in aliases)
    assert city.get(PATH, headers={"NGSILD-Tenant": "a"}).json()["contextSourceAlias"] == aliases[1]


def test_it_stays_and_can_be_chosen(new_city):
    city = new_city()
    before = city.get(PATH).json()["contextSourceAlias"]
    city.stop()
    city.start()
    assert city.get(PATH).json()["contextSourceAlias"] == before
    assert new_city().get(PATH).json()["contextSourceAlias"] != before
    assert new_city("--alias", "harbour").get(PATH).json()["contextSourceAlias"] == "harbour"


@pytest.mark.clause("6.33.3.1", "6.3.6")
def test_ld_json_carries_the_context(city):
    answer = ok(city.get(PATH, headers=ACCEPT_LD))
    assert answer.headers["Content-Type"] == "application/ld+json" and answer.json()["@context"] == CORE


@pytest.mark.clause("6.33.3.1", "6.3.2")
@pytest.mark.parametrize("method, path, headers, kind, status", [
    ("GET", PATH + "?details=true", {}, "InvalidRequest", 400),
    ("GET", PATH, ACCEPT_GEO, "InvalidRequest", 406),
    ("GET", PATH, {"NGSILD-Tenant": "a b"}, "BadRequestData", 400),
    ("POST", PATH, JSON, "OperationNotSupported", 405),
    ("GET", "info", {}, "ResourceNotFound", 404)])
def test_refusals(city, method, path, headers, kind, status):
    refused(city.request(method, path, headers=headers), kind, status)
