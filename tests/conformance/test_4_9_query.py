"""Clause 4.9, the query language: which of a few entities each query finds, by hand."""
import pytest

from ngsi import ids, link, ok, prop, raw, refused, rel

pytestmark = pytest.mark.clause("4.9")

TENANT = {"NGSILD-Tenant": "queries"}
X = "urn:ngsi-ld:X:"
ENTITIES = {
    "A": {"n": prop(10), "s": prop("red"), "b": prop(True), "d": prop("2026-01-10T00:00:00Z"),
          "o": prop({"city": "Berlin", "pop": {"m": 3.6}, "tags": ["x", "y"]}), "arr": prop(["blue", "red"]),
          "r": rel(X + "1")},
    "B": {"n": prop(20), "s": prop("blue"), "b": prop(False), "d": prop("2026-02-10T12:30:00.5Z"),
          "o": prop({"city": "Paris"}), "arr": prop([1, 2, 3]), "r": rel([X + "1", X + "2"])},
    "C": {"n": prop(30.5), "s": prop("Red"), "arr": prop(["green"]),
          "l": {"type": "LanguageProperty", "languageMap": {"en": "red", "fr": "rouge"}}},
    "D": {"n": prop("10"), "s": prop(""), "v": {"type": "VocabProperty", "vocab": "Male"},
          "l": {"type": "LanguageProperty", "languageMap": {"en": ["cat", "blue"], "fr": "red"}}},
    "E": {"n": prop([5, 10, 15]), "s": prop(["red", "green"]), "date": prop("2026-01-10"), "time": prop("10:00:00Z"),
          "v": {"type": "VocabProperty", "vocab": ["Male", "Old"]}},
    "F": {"n": [prop(11), prop(99, datasetId=X + "d")], "m": prop(1, acc=prop(0.5, by=rel(X + "9")), unitCode="CEL",
                                                                 observedAt="2026-01-05T00:00:00Z")},
    "G": {"s": prop("x;y|z(a),\"q\" ==1"), "m": prop(-2.5e3, acc=prop(2))},
    "H": {"lr": {"type": "ListRelationship", "objectList": [{"object": X + "1"}, {"object": X + "3"}]},
          "lp": {"type": "ListProperty", "valueList": [1, "two"]},
          "j": {"type": "JsonProperty", "json": {"id": "85a6", "value": "Overstay", "deep": {"k": 7}}},
          "面": prop("泉城")},
}

# query, the entities found
FOUND = [
    # existence
    ("n", "ABCDEF"), ("s", "ABCDEG"), ("l", "CD"), ("v", "DE"), ("r", "AB"), ("lr", "H"), ("lp", "H"), ("j", "H"),
    ("none", ""),
    ("m.acc", "FG"), ("m.acc.by", "F"), ("m.none", ""), ("o[city]", "AB"), ("o[pop.m]", "A"), ("o[pop]", "A"),
    ("o[none]", ""),
    ("m.observedAt", "F"), ("m.unitCode", "F"), ("面", "H"),
    # numbers
    ("n==10", "AE"), ("n==20", "B"), ("n==30.5", "C"), ("n==3.05e1", "C"), ("n==10.0", "AE"), ("n==11", "F"),
    ("n==99", "F"),
    ("n==7", ""), ("n>10", "BCF"), ("n>=10", "ABCF"), ("n<20", "AF"), ("n<=20", "ABF"), ("n>1000", ""), ("n<0", ""),
    ("m==-2500", "G"), ("m<-2499.5", "G"), ("m>-1", "F"), ("m>=-2500", "FG"),
    # unequal: contains the element, and the value is another, of whatever type
    ("n!=10", "BCDF"), ("n!=20", "ACDEF"), ("n!=5", "ABCDF"), ("s!=\"red\"", "BCDG"), ("none!=1", ""), ("m!=1", "G"),
    # ranges and lists
    ("n==10..20", "ABEF"), ("n==11..20", "BEF"), ("n==20..30.5", "BC"), ("n!=10..20", "CDF"), ("n==5..5", "E"),
    ("n==10,20", "ABE"), ("n==1,2,3", ""), ("n!=10,20", "CDF"), ("s==\"red\",\"blue\"", "ABE"),
    ("s!=\"red\",\"blue\"", "CDG"),
    ("n==10,\"10\"", "ADE"), ("s==\"a\"..\"s\"", "ABE"), ("d==2026-01-01T00:00:00Z..2026-01-31T00:00:00Z", "A"),
    # strings
    ("s==\"red\"", "AE"), ("s==\"Red\"", "C"), ("s==\"\"", "D"), ("s==\"r\"", ""), ("s>\"blue\"", "AG"),
    ("s<\"blue\"", "CD"),
    ("s>=\"red\"", "AG"), ("s==\"x;y|z(a),\\\"q\\\" ==1\"", "G"), ("n==\"10\"", "D"), ("面==\"泉城\"", "H"),
    ("面==\"\\u6cc9城\"", "H"),
    ("arr==\"red\"", "A"), ("arr==\"green\"", "C"), ("arr==2", "B"), ("arr==\"2\"", ""), ("arr!=\"red\"", "BC"),
    ("arr!=2", "AC"),
    # true and false
    ("b==true", "A"), ("b==false", "B"), ("b!=true", "B"), ("n==true", ""), ("b==1", ""), ("b==true,false", "AB"),
    ("b!=1", "AB"),
    # times: a temporal order
    ("d==2026-01-10T00:00:00Z", "A"), ("d>2026-01-10T00:00:00Z", "B"), ("d>=2026-01-10T00:00:00Z", "AB"),
    ("d<2026-02-10T12:30:01Z", "AB"), ("d<2026-02-10T12:30:00.4Z", "A"), ("d==2026-01-10T00:00:00.000Z", "A"),
    ("d!=2026-01-10T00:00:00Z", "B"), ("date==2026-01-10", "E"), ("date>2026-01-09", "E"), ("date>2026-01-10", ""),
    ("time==10:00:00Z", "E"), ("time<10:00:00.5Z", "E"), ("time>10:00:00Z", ""),
    ("m.observedAt==2026-01-05T00:00:00Z", "F"), ("m.observedAt>2026-01-04T00:00:00Z", "F"),
    ("m.observedAt<2026-01-05T00:00:00Z", ""),
    ("createdAt>2020-01-01T00:00:00Z;n", "ABCDEF"), ("n;modifiedAt<2020-01-01T00:00:00Z", ""),
    ("n.createdAt>2020-01-01T00:00:00Z", "ABCDEF"),
    # patterns
    ("s~=r.d", "A"), ("s~=^[rR]ed$", "AC"), ("s~=^b", "B"), ("s~=.*", "ABCDG"), ("s!~=^r", "BCDG"), ("s!~=.*", ""),
    ("n~=10", "D"), ("n!~=10", ""), ("o[city]~=^B", "A"),
    # relationships: only == and != make sense
    (f"r=={X}1", "AB"), (f"r==\"{X}1\"", "AB"), (f"r=={X}2", "B"), (f"r=={X}7", ""), (f"r!={X}2", "A"),
    (f"r!={X}7", "AB"),
    (f"r==\"{X}2\",\"{X}7\"", "B"), (f"r!=\"{X}2\",\"{X}7\"", "A"), (f"r>\"{X}0\"", ""), (f"r~={X}1", ""),
    (f"r==1", ""), (f"lr=={X}3", "H"), (f"lr=={X}2", ""), (f"lr!={X}2", "H"), (f"lr!={X}3", ""),
    (f"m.acc.by=={X}9", "F"),
    # language properties
    ("l==\"red\"", "CD"), ("l[*]==\"red\"", "CD"), ("l[en]==\"red\"", "C"), ("l[fr]==\"red\"", "D"),
    ("l[en]==\"blue\"", "D"),
    ("l[en]!=\"red\"", "D"), ("l[*]!=\"red\"", ""), ("l!=\"red\"", ""), ("l[de]==\"red\"", ""), ("l[fr]~=^r", "CD"),
    ("l[en]==\"cat\",\"red\"", "CD"),
    # vocabularies: expanded by the @context
    ("v==\"https://uri.etsi.org/ngsi-ld/default-context/Male\"", "DE"),
    ("v==https://uri.etsi.org/ngsi-ld/default-context/Old", "E"),
    ("v!=https://uri.etsi.org/ngsi-ld/default-context/Old", "D"), ("v==https://example.org/Male", ""),
    # compound values
    ("o[city]==\"Berlin\"", "A"), ("o[city]!=\"Berlin\"", "B"), ("o[pop.m]>3", "A"), ("o[pop.m]==3.6", "A"),
    ("o[tags]==\"x\"", "A"),
    ("o[pop.none]==1", ""), ("o[city.x]==1", ""), ("m.acc==0.5", "F"), ("m.acc>=0.5", "FG"), ("m.acc[x]==1", ""),
    ("lp==1", "H"), ("lp==\"two\"", "H"), ("lp==3", ""), ("lp!=3", "H"), ("j[deep.k]==7", "H"),
    ("j[value]==\"Overstay\"", "H"),
    # conjunction binds closer than disjunction; parentheses closest
    ("n==10;s==\"red\"", "AE"), ("n==10|s==\"blue\"", "ABE"), ("n==10;s==\"blue\"", ""),
    ("n==20|n==10;s==\"red\"", "ABE"),
    ("(n==20|n==10);s==\"red\"", "AE"), ("s==\"blue\";(n==10|n==20)", "B"), ("(n>=10;n<=20)|m<0", "ABFG"),
    ("n;s;b", "AB"),
    ("b|l|lr", "ABCDH"), ("n==10;b==true|n==20;b==false", "AB"), ("(n==10;b==true)|(n==20;b==false)", "AB"),
    ("((s==\"red\"|s==\"Red\");n>5)", "AC"), ("((n==10))", "AE"),
]


@pytest.fixture(scope="module")
def stocked(city):
    batch = [{"id": f"urn:ngsi-ld:Q:{name}", "type": "Q", **attributes} for name, attributes in ENTITIES.items()]
    ok(city.post("entityOperations/create", batch, headers=TENANT), 201)
    return city


def find(city, q, **more):
    answer = ok(city.get("entities", params={"q": q, "limit": 100, **more}, headers=TENANT))
    return "".join(sorted(e["id"][-1] for e in answer.json()))


@pytest.mark.parametrize("q, found", FOUND, ids=[q for q, _ in FOUND])
def test_query(stocked, q, found):
    assert find(stocked, q) == found
    assert find(stocked, q, type="Q") == found


@pytest.mark.parametrize("q, found", FOUND[::5], ids=[q for q, _ in FOUND[::5]])
def test_query_in_a_body(stocked, q, found):
    body = {"type": "Query", "q": q}
    answer = ok(stocked.post("entityOperations/query?limit=100", body, headers=TENANT))
    assert "".join(sorted(e["id"][-1] for e in answer.json())) == found


SYNTAX = ["n==", "==1", "n>", "n===1", "n=1", ";n", "n;", "n|", "|n", "(n", "n)", "()", "n;;s", "n==1;", "n==\"x",
          "n==x\"",
          "n==1..", "n==..2", "n==1,,2", "n>1,2", "n>1..2", "n<true", "n[", "n[]", "n[a", "n]a[", "n.", ".n", "n..m",
          "1n", "n~=[",
          "n~=*", "n{", "n{}", "n{x", "n!1", "n==1 2", "n[a]b==1", "n[a][b]==1", "s~=(", "s~=(?i)RED", "n==\"\\x\""]


@pytest.mark.parametrize("q", SYNTAX)
def test_query_that_is_none(stocked, q):
    refused(stocked.get("entities", params={"q": q}, headers=TENANT), "BadRequestData")
    refused(stocked.post("entityOperations/query", {"type": "Query", "q": q}, headers=TENANT), "BadRequestData")


@pytest.mark.clause("4.9", "5.5.7")
def test_values_are_expanded_where_asked(stocked):
    assert find(stocked, "v==\"Male\"", expandValues="v") == "DE"
    assert find(stocked, "v!=\"Old\"", expandValues="v") == "D"
    assert find(stocked, "s==\"red\"", expandValues="v") == "AE"
    body = {"type": "Query", "q": "v==\"Old\"", "expandValues": "v"}
    assert [e["id"][-1] for e in ok(stocked.post("entityOperations/query", body, headers=TENANT)).json()] == ["E"]


def test_json_keys(stocked):
    assert find(stocked, "j[value]==\"Overstay\"", jsonKeys="j") == "H"
    assert find(stocked, "j[id]==\"85a6\"", jsonKeys="j") == "H"
    assert find(stocked, "j[value]==\"Other\"", jsonKeys="j") == ""


@pytest.mark.clause("4.9", "5.7.2")
def test_linked_entities_need_join(stocked):
    refused(stocked.get("entities", params={"q": "r{n}==1"}, headers=TENANT), "BadRequestData")
    refused(stocked.get("entities", params={"q": "r{Q:n}==1"}, headers=TENANT), "BadRequestData")


@pytest.mark.clause("4.9", "6.3.4")
def test_percent_encoding(stocked):
    assert ids(stocked, "q=s%3D%3D%22red%22%3Bn%3E5", TENANT) == ["urn:ngsi-ld:Q:A"]
    assert ids(stocked, "q=s==%22red%22;b", TENANT) == ["urn:ngsi-ld:Q:A"]
    for target in ("/ngsi-ld/v1/entities?q=n%3", "/ngsi-ld/v1/entities?q=%zz", "/ngsi-ld/v1/entities?q=%00"):
        status, _, body = raw(stocked, "GET", target)
        assert status == 400 and b"InvalidRequest" in body


def test_a_query_that_is_too_complex(stocked):
    q = "|".join(f"n=={i}" for i in range(3000))
    body = refused(stocked.post("entityOperations/query", {"type": "Query", "q": q}, headers=TENANT), "TooComplexQuery")
    assert body["limit"] == "limits.query_terms"
    nested = "(" * 500 + "n" + ")" * 500
    refused(stocked.post("entityOperations/query", {"type": "Query", "q": nested}, headers=TENANT), "TooComplexQuery")
