"""Clause 4.5.23: linked entity retrieval, in every representation; with 4.9 (linked q), 4.21, 5.7.1, 5.7.2."""
from urllib.parse import quote

import pytest

from ngsi import ACCEPT_GEO, ACCEPT_LD, geo, ok, prop, refused, rel

pytestmark = pytest.mark.clause("4.5.23")

TENANT = {"NGSILD-Tenant": "linked"}
A, B, C, D = (f"urn:ngsi-ld:N:{n}" for n in "abcd")
ALICE, BOB, NOBODY = (f"urn:ngsi-ld:Person:{n}" for n in ("alice", "bob", "nobody"))
STOPS = [f"urn:ngsi-ld:Stop:{n}" for n in range(3)]
CAR = "urn:ngsi-ld:Car:1"


def member(objects):
    return {"type": "ListRelationship", "objectList": [{"object": o} for o in objects]}


ENTITIES = [
    # a ring a → b → c → a, and c → d
    {"id": A, "type": "N", "n": prop(1), "next": rel(B), "location": geo("Point", [1, 2])},
    {"id": B, "type": "N", "n": prop(2), "next": rel(C), "name": prop("b")},
    {"id": C, "type": "N", "n": prop(3), "next": rel(A), "leaf": rel(D)},
    {"id": D, "type": "Leaf", "n": prop(4), "says": {"type": "LanguageProperty", "languageMap": {"en": "x", "fr": "y"}}},
    {"id": ALICE, "type": "Person", "name": prop("Alice"), "knows": rel(BOB)},
    {"id": BOB, "type": ["Person", "Driver"], "name": prop("Bob", unitCode="X"), "scope": "/p"},
    *({"id": s, "type": "Stop", "no": prop(i)} for i, s in enumerate(STOPS)),
    {"id": CAR, "type": "Car", "passengers": {"type": "Relationship", "object": [ALICE, NOBODY, BOB]},
     "route": member([STOPS[1], STOPS[0], NOBODY, STOPS[1], STOPS[2]]), "lost": rel(NOBODY),
     "owner": [rel(ALICE), rel(BOB, datasetId="urn:x:second")],
     "built": prop(1999, by=rel(BOB))},
]


@pytest.fixture(scope="module")
def graph(city):
    ok(city.post("entityOperations/create", ENTITIES, headers=TENANT), 201)
    return city


def get(graph, path, headers=None):
    return ok(graph.get(path, headers={**TENANT, **(headers or {})})).json()


def bare(entity_id, **more):
    """The entity as it was made, and what is added to its attributes."""
    made = {k: v for k, v in next(e for e in ENTITIES if e["id"] == entity_id).items()}
    for name, members in more.items():
        made[name] = {**made[name], **members}
    return made


# ---- inline ----

@pytest.mark.clause("4.5.23.2", "4.5.3.2", "5.7.1.5")
class TestInline:
    def test_one_level_is_the_default(self, graph):
        assert get(graph, f"entities/{A}?join=inline") == bare(A, next={"entity": bare(B)})

    def test_levels(self, graph):
        inner = bare(B, next={"entity": bare(C, leaf={"entity": bare(D)})})
        assert get(graph, f"entities/{A}?join=inline&joinLevel=2") == bare(A, next={"entity": bare(B, next={"entity": bare(C)})})
        assert get(graph, f"entities/{A}?join=inline&joinLevel=3") == bare(A, next={"entity": inner})

    def test_a_cycle_ends_where_it_began(self, graph):
        assert get(graph, f"entities/{A}?join=inline&joinLevel=10") == get(graph, f"entities/{A}?join=inline&joinLevel=3")

    def test_contained_by(self, graph):
        assert get(graph, f"entities/{A}?join=inline&joinLevel=3&containedBy={B}") == bare(A)
        assert get(graph, f"entities/{A}?join=inline&joinLevel=3&containedBy={NOBODY},{C}") == bare(A, next={"entity": bare(B)})

    def test_objects_that_are_arrays(self, graph):
        car = get(graph, f"entities/{CAR}?join=inline&pick=passengers,lost")
        assert car["passengers"]["object"] == [ALICE, NOBODY, BOB]
        assert car["passengers"]["entity"] == [bare(ALICE), bare(BOB)]
        assert car["lost"] == rel(NOBODY)

    @pytest.mark.clause("4.5.22.2")
    def test_lists(self, graph):
        route = get(graph, f"entities/{CAR}?join=inline&pick=route")["route"]
        assert route == {**bare(CAR)["route"], "entityList": [bare(STOPS[1]), bare(STOPS[0]), bare(STOPS[2])]}

    def test_what_was_encountered_is_not_repeated(self, graph):
        car = get(graph, f"entities/{CAR}?join=inline&joinLevel=2&pick=passengers,owner,built")
        with_entity = [a for a in (car["passengers"], *car["owner"]) if "entity" in a]
        assert sum(len(a["entity"]) if isinstance(a["entity"], list) else 1 for a in with_entity) == 2
        assert car["built"] == bare(CAR)["built"]  # sub-attributes lead nowhere

    @pytest.mark.clause("4.5.5")
    def test_instances(self, graph):
        first, second = get(graph, f"entities/{CAR}?join=inline&pick=owner")["owner"]
        assert (first["entity"], second["entity"]) == (bare(ALICE), bare(BOB))
        only = get(graph, f"entities/{CAR}?join=inline&pick=owner&datasetId=urn:x:second")["owner"]
        bob = {k: bare(BOB)[k] for k in ("id", "type", "scope")}  # has no instance of that datasetId
        assert only == rel(BOB, datasetId="urn:x:second", entity=bob)
        default = get(graph, f"entities/{CAR}?join=inline&pick=owner&datasetId=@none")["owner"]
        assert default == rel(ALICE, entity=bare(ALICE))

    def test_each_linking_entity_has_a_graph_of_its_own(self, graph):
        found = get(graph, "entities?type=N&join=inline")
        assert [e["next"]["entity"]["id"] for e in found] == [B, C, A]
        assert found[2]["leaf"]["entity"] == bare(D)

    @pytest.mark.clause("4.5.3.3", "4.5.2.3")
    def test_concise(self, graph):
        got = get(graph, f"entities/{A}?join=inline&options=concise")
        assert got["next"] == {"object": B, "entity": {"id": B, "type": "N", "n": 2, "name": "b", "next": {"object": C}}}

    @pytest.mark.clause("4.5.4")
    def test_simplified(self, graph):
        bob = {"id": BOB, "type": ["Person", "Driver"], "scope": "/p", "name": "Bob"}
        alice = {"id": ALICE, "type": "Person", "name": "Alice", "knows": BOB}
        car = f"entities/{CAR}?join=inline&format=simplified&pick="
        assert get(graph, car + "passengers") == {"passengers": [alice, NOBODY, bob]}
        assert get(graph, car + "lost") == {"lost": NOBODY}
        assert get(graph, car + "owner") == {"owner": {"dataset": {"@none": alice, "urn:x:second": bob}}}
        stop = [{"id": s, "type": "Stop", "no": i} for i, s in enumerate(STOPS)]
        assert get(graph, car + "route") == {"route": [stop[1], stop[0], NOBODY, STOPS[1], stop[2]]}
        deep = get(graph, f"entities/{A}?join=inline&joinLevel=2&format=simplified")
        assert deep["next"]["next"]["leaf"] == D

    @pytest.mark.clause("4.5.16.2")
    def test_geojson(self, graph):
        feature = get(graph, f"entities/{A}?join=inline", ACCEPT_GEO)
        assert feature["type"] == "Feature" and feature["geometry"]["coordinates"] == [1, 2]
        assert feature["properties"]["next"]["entity"] == bare(B)
        features = get(graph, f"entities?type=N&id={A}&join=inline&format=simplified", ACCEPT_GEO)["features"]
        assert features[0]["properties"]["next"]["id"] == B

    @pytest.mark.clause("6.3.11", "4.15")
    def test_options_reach_linked_entities(self, graph):
        b = get(graph, f"entities/{A}?join=inline&options=sysAttrs")["next"]["entity"]
        assert "createdAt" in b and "modifiedAt" in b["n"]
        d = get(graph, f"entities/{C}?join=inline&lang=fr")["leaf"]["entity"]
        assert d["says"] == prop("y", lang="fr")

    def test_one_context(self, graph):
        got = get(graph, f"entities/{A}?join=inline", ACCEPT_LD)
        assert "@context" in got and "@context" not in got["next"]["entity"]


# ---- flat ----

@pytest.mark.clause("4.5.23.3", "5.7.1.5", "5.7.2.5")
class TestFlat:
    def test_always_an_array(self, graph):
        assert get(graph, f"entities/{A}?join=flat") == [bare(A), bare(B)]
        assert get(graph, f"entities/{A}?join=flat&containedBy={B}") == [bare(A)]
        assert get(graph, f"entities/{D}?join=flat") == [bare(D)]

    def test_levels_and_cycles(self, graph):
        assert [e["id"] for e in get(graph, f"entities/{A}?join=flat&joinLevel=10")] == [A, B, C, D]

    def test_lists_keep_their_order(self, graph):
        got = get(graph, f"entities/{CAR}?join=flat&pick=id,route")
        assert [e["id"] for e in got] == [CAR, STOPS[1], STOPS[0], STOPS[2]]

    def test_nothing_is_there_twice(self, graph):
        got = [e["id"] for e in get(graph, "entities?type=N&join=flat&joinLevel=2")]
        assert got == [A, B, C, D]
        assert [e["id"] for e in get(graph, "entities?type=Car&join=flat&joinLevel=2")].count(BOB) == 1

    def test_paging_counts_linking_entities(self, graph):
        answer = ok(graph.get("entities?type=N&join=flat&limit=1&count=true", headers=TENANT))
        assert [e["id"] for e in answer.json()] == [A, B]
        assert answer.headers["NGSILD-Results-Count"] == "3" and "join=flat" in answer.headers["Link"]

    @pytest.mark.clause("4.5.4")
    def test_representations(self, graph):
        assert get(graph, f"entities/{B}?join=flat&format=simplified&omit=name,n") == [
            {"id": B, "type": "N", "next": C}, {"id": C, "type": "N", "n": 3, "next": A, "leaf": D}]
        assert get(graph, f"entities/{D}?join=flat&options=concise")[0]["n"] == 4

    @pytest.mark.clause("4.5.16.3")
    def test_geojson(self, graph):
        got = get(graph, f"entities/{A}?join=flat", ACCEPT_GEO)
        assert got["type"] == "FeatureCollection" and [f["id"] for f in got["features"]] == [A, B]
        assert "@context" in got and "@context" not in got["features"][0]

    def test_contexts(self, graph):
        assert all("@context" in e for e in get(graph, f"entities/{A}?join=flat", ACCEPT_LD))


# ---- projections ----

@pytest.mark.clause("4.21", "5.7.1.4", "5.7.2.4")
class TestProjection:
    @pytest.mark.parametrize("query, want", [
        ("pick=id,next{n}", {"id": A, "next": rel(B, entity={"n": prop(2)})}),
        ("pick=next{id,next{n|leaf}}", {"next": rel(B, entity={"id": B, "next": rel(C, entity={"n": prop(3), "leaf": rel(D)})})}),
        ("pick=n", {"n": prop(1)}),
        ("pick=next{nothing}", {"next": rel(B)}),
        ("omit=location,next{next,name}", {"id": A, "type": "N", "n": prop(1),
                                           "next": rel(B, entity={"id": B, "type": "N", "n": prop(2)})}),
        ("omit=next,location", {"id": A, "type": "N", "n": prop(1)}),
        ("pick=next{n,name}&omit=next{name}", {"next": rel(B, entity={"n": prop(2)})})])
    def test_inline(self, graph, query, want):
        assert get(graph, f"entities/{A}?join=inline&joinLevel=2&{quote(query, safe='=&')}") == want

    def test_flat(self, graph):
        got = get(graph, f"entities?type=N&id={A}&join=flat&joinLevel=2&pick=id,next%7Bn,next%7D")
        assert got == [{"id": A, "next": rel(B)}, {"n": prop(2), "next": rel(C)}, bare(C)]

    def test_body(self, graph):
        body = {"type": "Query", "entities": [{"type": "N", "id": A}], "join": "inline", "joinLevel": 2,
                "containedBy": [C], "pick": ["next{name,next}"]}
        got = ok(graph.post("entityOperations/query", body, headers=TENANT)).json()
        assert got == [{"next": rel(B, entity={"name": prop("b"), "next": rel(C)})}]


# ---- linked q ----

@pytest.mark.clause("4.9", "5.7.2.4")
class TestLinkedQuery:
    @pytest.mark.parametrize("q, level, want", [
        ("next{n}==2", 1, [A]), ("next{n}>1", 1, [A, B]), ("next{N:n}>1", 1, [A, B]), ("leaf{N:n}", 1, []),
        ("leaf{Leaf:n}==4", 1, [C]), ("next{leaf{n}}==4", 2, [B]), ("next{next{leaf{n}}}==4", 3, [A]),
        ("next{N:leaf{Leaf:n}}==4", 2, [B]), ("leaf{says[fr]}==\"y\"", 1, [C]), ("next{name}|leaf{n}", 1, [A, C]),
        ("next{n}==2;n==1", 1, [A]), ("next{none}", 1, [])])
    def test_q(self, graph, q, level, want):
        got = get(graph, f"entities?q={quote(q)}&join=inline&joinLevel={level}")
        assert [e["id"] for e in got] == want
        got = get(graph, f"entities?q={quote(q)}&join=flat&joinLevel={level}&pick=id")
        assert [e["id"] for e in got] == want

    def test_lists_of_targets(self, graph):
        assert [e["id"] for e in get(graph, "entities?q=route%7Bno%7D==2&join=flat&pick=id")] == [CAR]
        assert [e["id"] for e in get(graph, "entities?q=passengers%7Bname%7D==%22Bob%22&join=flat&pick=id")] == [CAR]


# ---- refusals ----

@pytest.mark.clause("5.7.1.4", "5.7.2.4", "6.4.3.2", "6.5.3.1")
class TestRefusals:
    COMMON = ["join=sideways", "join=inline&joinLevel=0", "join=inline&joinLevel=-1", "join=inline&joinLevel=x",
              "join=flat&joinLevel=1&containedBy=no-uri", "join=flat&containedBy=urn:x:1,,urn:x:2",
              "pick=next%7Bn%7D", "omit=next%7Bn%7D", "join=@none&pick=next%7Bn%7D",
              "join=inline&pick=next%7Bnext%7Bn%7D%7D", "join=inline&omit=next%7Bnext%7Bn%7D%7D",
              "join=inline&joinLevel=11", "join=inline&joinLevel=2&pick=" + quote("a{" * 3 + "n" + "}" * 3)]

    @pytest.mark.parametrize("query", COMMON)
    def test_both(self, graph, query):
        refused(graph.get(f"entities/{A}?{query}", headers=TENANT), "BadRequestData")
        refused(graph.get(f"entities?type=N&{query}", headers=TENANT), "BadRequestData")

    @pytest.mark.parametrize("query", ["q=next%7Bn%7D==2", "q=next%7Bn%7D==2&join=@none",
                                       "q=next%7Bnext%7Bn%7D%7D&join=inline"])
    def test_too_deep(self, graph, query):
        refused(graph.get(f"entities?type=N&{query}", headers=TENANT), "BadRequestData")

    @pytest.mark.clause("5.2.23")
    @pytest.mark.parametrize("members", [{"join": 1}, {"join": "side"}, {"joinLevel": 0}, {"joinLevel": "2"},
                                         {"join": "flat", "joinLevel": 99}, {"containedBy": []}, {"containedBy": ["no uri"]},
                                         {"containedBy": 1}])
    def test_body(self, graph, members):
        body = {"type": "Query", "entities": [{"type": "N"}], **members}
        refused(graph.post("entityOperations/query", body, headers=TENANT), "BadRequestData")

    def test_too_many(self, new_city):
        city = new_city("--limits-linked-entities", "3")
        hub = {"id": "urn:x:hub", "type": "Hub", "to": {"type": "Relationship", "object": [f"urn:x:{i}" for i in range(4)]}}
        ok(city.post("entities", hub), 201)
        refused(city.get("entities/urn:x:hub?join=flat"), "TooComplexQuery")
        assert refused(city.get("entities?type=Hub&join=inline"), "TooComplexQuery")["limit"] == "limits.linked_entities"
        ok(city.get("entities/urn:x:hub?join=flat&containedBy=urn:x:0"))


@pytest.mark.clause("4.22")
def test_expired_targets_are_not_there(city, urn):
    ok(city.post("entities", {"id": urn(name=1), "type": "Gone", "expiresAt": "2020-01-01T00:00:00Z"}), 201)
    ok(city.post("entities", {"id": urn(), "type": "T", "to": rel(urn(name=1))}), 201)
    assert ok(city.get(f"entities/{urn()}?join=inline")).json()["to"] == rel(urn(name=1))
    assert len(ok(city.get(f"entities/{urn()}?join=flat")).json()) == 1
