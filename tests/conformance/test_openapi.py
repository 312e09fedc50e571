"""The served description of the API agrees with what the city does."""
import re

import pytest



def references(node):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


@pytest.fixture(scope="module")
def description(city):
    answer = city.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    return answer.json()


@pytest.mark.clause("6.2")
def test_references_lead_somewhere(description):
    assert description["openapi"].startswith("3.1.")
    found = 0
    for reference in references(description):
        node = description
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
        found += 1
    assert found > 100


@pytest.mark.clause("6.2")
def test_operations_are_named_once(description):
    names = [operation["operationId"] for path in description["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))


@pytest.mark.clause("6.2")
def test_every_path_is_there(city, description):
    """Each path answers, with a method it does not have, by naming those it has."""
    for path, operations in description["paths"].items():
        url = re.sub(r"\{[^}]*\}", "urn:ngsi-ld:Nothing:1", path)
        answer = city.request("TRACE", url)
        assert answer.status_code == 405, (path, answer.status_code)
        allowed = {m.strip().lower() for m in answer.headers["Allow"].split(",")} - {"head", "options"}
        assert allowed == set(operations), path


@pytest.mark.clause("6.2")
def test_live_takes_the_parameters_it_declares(city, description):
    """What is not declared is refused by name; a repeated one, which no value can mend, only when it is declared."""
    live = description["paths"]["/live"]["get"]
    assert list(live["responses"]["200"]["content"]) == ["text/event-stream"]
    declared = {p["$ref"].rpartition("/")[2] if "$ref" in p else p["name"] for p in live["parameters"]
                if "$ref" in p or p["in"] == "query"}
    every = {p["name"] for p in description["components"]["parameters"].values() if p["in"] == "query"}
    every |= {"options", "tenant", "context"}
    assert {"q", "georel", "tenant"} <= declared & every and "limit" in every - declared
    for name in every:
        answer = city.get(f"/live?{name}=1&{name}=1")
        assert answer.status_code == 400, name
        said = answer.json()["detail"]
        assert ("is given twice" in said) == (name in declared), said
        assert ("is not supported" in said) == (name not in declared), said
