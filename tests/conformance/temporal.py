"""What the tests of temporal evolutions share: instances at minutes of one noon, and how to ask for them."""
from ngsi import ok, prop

NOON = "timerel=after&timeAt=2020-01-01T00:00:00Z"
ROOT = "temporal/entities"


def at(minute):
    """An instant, so many minutes after noon."""
    return f"2026-03-01T{12 + minute // 60:02}:{minute % 60:02}:00Z"


def seen(value, minute, **more):
    return prop(value, observedAt=at(minute), **more)


def record(city, entity, headers=None, status=201):
    return ok(city.post(ROOT, entity, headers=headers), status)


def history(city, entity_id, query="", headers=None, status=200):
    return ok(city.get(f"{ROOT}/{entity_id}{query}", headers=headers), status).json()


def listed(attribute):
    """Instances as a list, however many there are (4.5.7)."""
    return attribute if isinstance(attribute, list) else [attribute]


def values(attribute):
    return [i.get("value", i.get("object")) for i in listed(attribute)]


def found(city, query, headers=None):
    """Ids that a query finds."""
    return [e["id"] for e in ok(city.get(f"{ROOT}?{query}", headers=headers)).json()]
