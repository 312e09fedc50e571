"""Clauses 5.7.1 and 5.7.2: retrieving and querying; with 4.10, 4.17, 4.19, 4.21 and 4.23, 5.5.9, 5.6.21."""
import re
from urllib.parse import quote

import pytest

from ngsi import ACCEPT_GEO, DEFAULT, create, geo, get, ids, no_content, ok, prop, refused, rel

pytestmark = pytest.mark.clause("5.7.2")


# ---- what the classes below look at ----

@pytest.fixture(scope="module")
def selectors(city):
    batch = [{"id": f"urn:ngsi-ld:S:{n}", "type": t, "a": prop(i), **({"x": prop(1)} if n in "ace" else {})}
             for i, (n, t) in enumerate(TestSelectors.TYPES.items())]
    ok(city.post("entityOperations/create", batch, headers=TestSelectors.TENANT), 201)
    return city


@pytest.fixture(scope="module")
def scoped(city):
    batch = [{"id": f"urn:ngsi-ld:S:{n}", "type": "S", **({"scope": s} if s else {})}
             for n, s in TestScopes.SCOPES.items()]
    ok(city.post("entityOperations/create", batch, headers=TestScopes.TENANT), 201)
    return city


@pytest.fixture(scope="module")
def places(city):
    batch = []
    for name, place in TestGeo.PLACES.items():
        more = {"location": geo(*place), "area": geo("Point", [100, 0])} if place else {"name": prop("no place")}
        batch.append({"id": f"urn:ngsi-ld:G:{name}", "type": "G", **more})
    two = [geo("Point", [50, 50]), geo("Point", [60, 60], datasetId="urn:x:1")]
    batch.append({"id": "urn:ngsi-ld:G:j", "type": "G", "location": two})
    ok(city.post("entityOperations/create", batch, headers=TestGeo.TENANT), 201)
    return city


@pytest.fixture(scope="module")
def ordered(city):
    for n, attributes in TestOrder.ENTITIES.items():
        create(city, {"id": f"urn:ngsi-ld:O:{n}", "type": "O", **attributes}, headers=TestOrder.TENANT)
    return city


@pytest.fixture(scope="module")
def pages(city):
    ok(city.post("entityOperations/create", [{"id": f"urn:x:{i:02}", "type": "P", "n": prop(i)} for i in range(45)],
                 headers=TestPages.TENANT), 201)
    return city


# ---- 5.7.1 ----

@pytest.mark.clause("5.7.1", "6.5.3.1")
class TestRetrieve:
    @pytest.fixture
    def thing(self, city, urn):
        create(city, {"id": urn(), "type": ["Thing", "Other"], "scope": "/a", "a": prop(1), "b": prop(2),
                      "r": rel("urn:x:1")})
        return f"entities/{urn()}"

    @pytest.mark.parametrize("query, members", [
        ("attrs=a", "id type a scope"), ("attrs=a,b", "id type a b scope"), ("attrs=a,none", "id type a scope"),
        ("pick=a", "a"), ("pick=id,a", "id a"),
        ("pick=id|type|b", "id type b"), ("pick=scope,a", "scope a"), ("pick=a,none", "a"),
        ("omit=a", "id type scope b r"),
        ("omit=id,type,scope", "a b r"), ("omit=none", "id type scope a b r"), ("pick=a,b&omit=r", "a b"),
        ("pick=" + quote(DEFAULT + "a", safe=""), "a"), ("type=Thing", "id type scope a b r"),
        ("type=(Thing;Other)", "id type scope a b r"),
        ("type=None,Other", "id type scope a b r"), ("local=true", "id type scope a b r"),
        ("join=@none", "id type scope a b r")])
    def test_projection(self, city, thing, query, members):
        got = set(ok(city.get(f"{thing}?{query}")).json())
        if query.startswith("attrs"):  # 5.7.1.4 speaks of attributes alone: the scope may go with them or stay
            got.add("scope")
        assert got == set(members.split())

    @pytest.mark.parametrize("query", ["attrs=none", "pick=none", "type=None", "type=(Thing;None)",
                                       "omit=id,type,scope,a,b,r",
                                       "pick=a&datasetId=urn:x:none"])
    def test_nothing_found(self, city, thing, query):
        refused(city.get(f"{thing}?{query}"), "ResourceNotFound")

    @pytest.mark.parametrize("query", ["attrs=a&pick=a", "attrs=a&omit=b", "pick=a&omit=a", "pick=r{a}", "omit=r{a}",
                                       "pick=none{a}", "pick=a,,b",
                                       "pick=a{", "pick={a}", "pick=1a", "attrs=a,,b", "attrs=1a", "geometryProperty=a",
                                       "type=(Thing", "type=;", "type=Thing;None", "type=Thing;(None)",
                                       "join=sideways", "local=perhaps", "datasetId=no%20uri", "lang=!!",
                                       "lang=en;quality=1", "lang=en,,fr",
                                       "joinLevel=0", "joinLevel=x", "containedBy=no-uri", "entityMapLifetime=soon",
                                       "entityMap=2"])
    def test_refusals(self, city, thing, query):
        refused(city.get(f"{thing}?{query}"), "BadRequestData")

    def test_unknown(self, city, urn):
        refused(city.get(f"entities/{urn()}"), "ResourceNotFound")
        refused(city.get("entities/no-uri"), "BadRequestData")
        refused(city.get(f"entities/{urn()}", headers={"NGSILD-Tenant": "never_made"}), "NonexistentTenant")


# ---- 5.7.2: what a query needs ----

class TestWhatAQueryNeeds:
    @pytest.mark.parametrize("query", ["", "id=urn:x:1", "idPattern=.*", "scopeQ=/a", "limit=5", "attrs=id",
                                       "attrs=createdAt", "q=createdAt",
                                       "q=modifiedAt>2020-01-01T00:00:00Z", "options=keyValues", "pick=a",
                                       "local=false"])
    def test_too_wide(self, city, query):
        refused(city.get(f"entities?{query}"), "BadRequestData")

    @pytest.mark.parametrize("query", ["type=T", "type=*", "attrs=a", "attrs=id,a", "q=a", "q=createdAt|a",
                                       "local=true",
                                       "georel=near;maxDistance==1&geometry=Point&coordinates=[0,0]"])
    def test_wide_enough(self, city, query):
        ok(city.get(f"entities?{query}"))

    @pytest.mark.parametrize("query", [
        "type=T&id=no-uri", "type=T&id=urn:x:1,,urn:x:2", "type=T&id=urn:x:1,no-uri", "type=T&idPattern=[",
        "type=T&idPattern=*", "type=(T", "type=T)",
        "type=T||U", "type=,T", "type=1T", "type=T&scopeQ=a//b", "type=T&scopeQ=(/a", "type=T&limit=-1",
        "type=T&limit=x", "type=T&offset=-1", "type=T&offset=x",
        "type=T&limit=0", "type=T&count=maybe", "type=T&geometryProperty=location", "type=T&georel=near;maxDistance==1",
        "type=T&geometry=Point",
        "type=T&coordinates=[0,0]", "type=T&join=sideways", "type=T&datasetId=no%20uri", "type=*&local=false",
        "type=T&csf=a==", "type=T&pick=r{a}",
        "type=T&attrs=a&pick=a", "type=T&orderBy=a;up&local=true", "type=T&lang=!!", "type=T&joinLevel=0",
        "type=T&joinLevel=-1", "type=T&containedBy=no-uri", "type=T&entityMapLifetime=soon", "type=T&entityMap=2",
        "type=T&splitEntities=2", "type=T&orderBy=location;dist-asc&local=true",
        "type=T&orderBy=a&collation=not_one&local=true", "type=T&orderBy=a&local=false"])
    def test_refusals(self, city, query):
        refused(city.get(f"entities?{query}"), "BadRequestData")

    def test_unknown_tenant(self, city):
        refused(city.get("entities?type=T", headers={"NGSILD-Tenant": "never_made"}), "NonexistentTenant")


# ---- selectors ----

@pytest.mark.clause("5.7.2", "4.17")
class TestSelectors:
    TENANT = {"NGSILD-Tenant": "selectors"}
    TYPES = {"a": ["Home"], "b": ["Home", "Vehicle"], "c": ["Vehicle"], "d": ["Motorhome"],
             "e": ["Home", "Vehicle", "Motorhome"]}

    def find(self, city, query):
        return "".join(i[-1] for i in ids(city, query, self.TENANT))

    @pytest.mark.parametrize("types, found", [
        ("Home", "abe"), ("Home|Vehicle", "abce"), ("Home,Vehicle", "abce"), ("(Home;Vehicle)", "be"),
        ("(Home;Vehicle)|Motorhome", "bde"),
        ("(Home;Vehicle),Motorhome", "bde"), ("(Home;Vehicle;Motorhome)", "e"), ("None", ""), ("None|Home", "abe"),
        ("(Home;None)", ""),
        ("*", "abcde"), (quote(DEFAULT + "Home", safe=""), "abe"), ("(Home)", "abe"),
        ("(Home;Vehicle)|(Motorhome;Home)", "be")])
    def test_types(self, selectors, types, found):
        assert self.find(selectors, f"type={types}") == found

    @pytest.mark.parametrize("query, found", [
        ("id=urn:ngsi-ld:S:a", "a"), ("id=urn:ngsi-ld:S:c,urn:ngsi-ld:S:a,urn:ngsi-ld:S:z", "ac"),
        ("idPattern=^urn:ngsi-ld:S:[ab]$", "ab"),
        ("idPattern=S:.$", "abcde"), ("idPattern=^S", ""), ("id=urn:ngsi-ld:S:a&idPattern=b$", ""), ("attrs=x", "ace"),
        ("attrs=x,none", "ace"),
        ("attrs=none", ""), ("q=a>2&attrs=x", "e"), ("q=x;a>0", "ce")])
    def test_others(self, selectors, query, found):
        assert self.find(selectors, f"type=*&{query}") == found

    @pytest.mark.clause("5.2.23", "5.2.33", "6.23.3.1")
    @pytest.mark.parametrize("body, found", [
        ({"entities": [{"type": "Home"}]}, "abe"), ({"entities": [{"type": "Motorhome"},
            {"type": "Vehicle", "idPattern": "c$"}]}, "cde"),
        ({"entities": [{"type": "Home", "id": "urn:ngsi-ld:S:a"}]}, "a"),
        ({"entities": [{"type": "Home", "id": ["urn:ngsi-ld:S:a", "urn:ngsi-ld:S:b"]}]}, "ab"),
        ({"entities": [{"type": "(Home;Vehicle)"}]}, "be"), ({"q": "x"}, "ace"), ({"attrs": ["x"]}, "ace"),
        ({"entities": [{"type": "*"}], "q": "a>=3"}, "de"),
        ({"geoQ": {"georel": "near;maxDistance==1", "geometry": "Point", "coordinates": [0, 0]}}, "")])
    def test_bodies(self, selectors, body, found):
        answer = ok(selectors.post("entityOperations/query", {"type": "Query", **body}, headers=self.TENANT))
        assert "".join(e["id"][-1] for e in answer.json()) == found

    @pytest.mark.clause("5.2.23", "6.23.3.1")
    @pytest.mark.parametrize("body", [
        {}, {"type": "Subscription"}, {"type": "Query"}, {"type": "Query", "entities": []},
        {"type": "Query", "entities": {}}, {"type": "Query", "q": 5},
        {"type": "Query", "q": "x", "attrs": []}, {"type": "Query", "q": "x", "pick": []},
        {"type": "Query", "q": "x", "omit": []}, {"type": "Query", "q": "x", "attrs": [5]},
        {"type": "Query", "entities": [{"id": "urn:x:1"}]}, {"type": "Query",
            "entities": [{"type": "T", "id": "no uri"}]}, {"type": "Query", "entities": ["T"]},
        {"type": "Query", "q": "x", "geoQ": {"georel": "near"}}, {"type": "Query", "q": "x", "geoQ": []},
        {"type": "Query", "q": "x", "joinLevel": 0},
        {"type": "Query", "q": "x", "scopeQ": "//"}, {"type": "Query", "q": "x", "lang": 5},
        {"type": "Query", "q": "x", "temporalQ": {}},
        {"type": "Query", "q": "x", "@context": []}, {"type": "Query", "q": "x", "datasetId": ["no uri"]},
        {"type": "Query", "q": "x", "pick": ["r{a}"]}])
    def test_bodies_that_are_none(self, selectors, body):
        refused(selectors.post("entityOperations/query", body, headers=self.TENANT), "BadRequestData")

    @pytest.mark.parametrize("text", ["[]", "{", ""])
    def test_bodies_that_are_no_json(self, selectors, text):
        refused(selectors.request("POST", "entityOperations/query", data=text,
                                  headers={"Content-Type": "application/json"}), "InvalidRequest")


# ---- 4.19 ----

@pytest.mark.clause("4.19", "4.18")
class TestScopes:
    TENANT = {"NGSILD-Tenant": "scopes"}
    SCOPES = {"a": "/Madrid", "b": "/Madrid/Gardens", "c": "/Madrid/Gardens/ParqueNorte",
              "d": "/Madrid/Sights/ParqueNorte", "e": ["/Madrid/Districts", "/CompanyA"],
              "f": "/CompanyB", "g": None, "h": "Madrid", "i": ["/CompanyA/OrganizationB/UnitC", "/CompanyB"]}

    @pytest.mark.parametrize("scopes, found", [
        ("/Madrid", "ah"), ("/Madrid/Gardens", "b"), ("/Madrid/Gardens/#", "bc"), ("/Madrid/#", "abcdeh"),
        ("/Madrid/+/ParqueNorte", "cd"), ("/+", "aefhi"),
        ("/+/Gardens", "b"), ("/#", "abcdefhi"), ("(/Madrid/Districts;/CompanyA)", "e"),
        ("(/Madrid/Districts;/CompanyA)|/CompanyB", "efi"),
        ("(/Madrid/Districts;/CompanyA),/CompanyB", "efi"), ("/CompanyA|/CompanyB", "efi"), ("/CompanyA", "e"),
        ("/CompanyA/#", "ei"), ("/None", ""),
        ("/Madrid/+", "be"), ("/+/+/+", "cdi"), ("/Mad", "")])
    def test_scopes(self, scoped, scopes, found):
        query = f"type=S&scopeQ={quote(scopes, safe='')}"
        assert "".join(i[-1] for i in ids(scoped, query, self.TENANT)) == found
        posted = ok(scoped.post("entityOperations/query", {"type": "Query", "entities": [{"type": "S"}],
                                                           "scopeQ": scopes}, headers=self.TENANT))
        assert "".join(e["id"][-1] for e in posted.json()) == found

    @pytest.mark.parametrize("scopes", ["/", "//", "/a//b", "(/a", "/a)", "/a;", "/#/a", "/a#", "/1a", "|/a", "/a||/b",
                                        "()"])
    def test_that_are_none(self, scoped, scopes):
        refused(scoped.get(f"entities?type=S&scopeQ={quote(scopes, safe='')}", headers=self.TENANT), "BadRequestData")


# ---- 4.10 ----

@pytest.mark.clause("4.10")
class TestGeo:
    TENANT = {"NGSILD-Tenant": "geo"}
    SQUARE = [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]]
    PLACES = {"a": ("Point", [5, 5]), "b": ("Point", [10, 10]), "c": ("Point", [20, 20]),
              "d": ("Polygon", [[[2, 2], [4, 2], [4, 4], [2, 4], [2, 2]]]),
              "e": ("Polygon", [[[5, 5], [15, 5], [15, 15], [5, 15], [5, 5]]]), "f": ("Polygon", SQUARE),
              "g": ("LineString", [[-5, 5], [15, 5]]),
              "h": ("Polygon", [[[-10, -10], [30, -10], [30, 30], [-10, 30], [-10, -10]]]), "i": None}

    CASES = [
        ("within", "Polygon", SQUARE, "adf"), ("contains", "Point", [5, 5], "afgh"),
        ("contains", "Point", [3, 3], "dfh"),
        ("intersects", "Polygon", SQUARE, "abdefgh"), ("disjoint", "Polygon", SQUARE, "cj"),
        ("equals", "Polygon", SQUARE, "f"),
        ("equals", "Point", [5, 5], "a"), ("equals", "Polygon", [[[10, 10], [0, 10], [0, 0], [10, 0], [10, 10]]], "f"),
        ("overlaps", "Polygon", SQUARE, "e"),
        ("overlaps", "LineString", [[0, 5], [20, 5]], "g"), ("intersects", "Point", [50, 50], "j"),
        ("intersects", "Point", [60, 60], "j"),
        ("intersects", "MultiPoint", [[20, 20], [50, 50]], "chj"), ("within", "MultiPolygon",
            [SQUARE, [[[19, 19], [21, 19], [20, 22], [19, 19]]]], "acdf"),
        ("near;maxDistance==1", "Point", [5, 5], "aefgh"), ("near;maxDistance==200000", "Point", [5, 6], "aefgh"),
        ("near;minDistance==3000000", "Point", [5, 5], "j"), ("near;maxDistance==1000", "LineString",
            [[20, 19.999], [20, 25]], "ch"),
        ("disjoint", "Point", [100, 0], "abcdefghj"), ("intersects", "LineString", [[20, 0], [20, 40]], "ch")]

    @staticmethod
    def _found(answer):
        return "".join(sorted(e["id"][-1] for e in ok(answer).json()))

    @pytest.mark.parametrize("georel, geometry, coordinates, found", CASES,
                             ids=[f"{c[0]}-{c[1]}-{c[3]}" for c in CASES])
    def test_relations(self, places, georel, geometry, coordinates, found):
        params = {"georel": georel, "geometry": geometry, "coordinates": str(coordinates).replace(" ", "")}
        assert self._found(places.get("entities", params=params, headers=self.TENANT)) == found
        body = {"type": "Query", "geoQ": {"georel": georel, "geometry": geometry, "coordinates": coordinates}}
        assert self._found(places.post("entityOperations/query", body, headers=self.TENANT)) == found

    def test_geoproperty(self, places):
        params = {"georel": "intersects", "geometry": "Point", "coordinates": "[100,0]", "geoproperty": "area"}
        assert self._found(places.get("entities", params=params, headers=self.TENANT)) == "abcdefgh"
        params["geoproperty"] = "name"
        assert self._found(places.get("entities", params=params, headers=self.TENANT)) == ""

    @pytest.mark.parametrize("georel, geometry, coordinates", [
        ("near", "Point", "[0,0]"), ("near;maxDistance", "Point", "[0,0]"), ("near;maxDistance==-1", "Point", "[0,0]"),
        ("near;maxDistance==0", "Point", "[0,0]"),
        ("near;maxDistance=1", "Point", "[0,0]"), ("near;maxDistance==x", "Point", "[0,0]"),
        ("near;someDistance==1", "Point", "[0,0]"), ("beside", "Point", "[0,0]"),
        ("within;maxDistance==1", "Point", "[0,0]"), ("within", "Circle", "[0,0]"),
        ("within", "GeometryCollection", "[0,0]"), ("within", "Point", "[0]"),
        ("within", "Point", "0,0"), ("within", "Point", "[\"0\",0]"), ("within", "Polygon", "[[0,0],[1,1]]"),
        ("within", "Polygon", "[[[0,0],[1,0],[1,1],[0,1]]]"),
        ("within", "LineString", "[[0,0]]"), ("within", "Point", "[200,0]"), ("within", "Point", "[0,91]"),
        ("within", "Point", "[0,0"), ("", "Point", "[0,0]")])
    def test_that_are_none(self, places, georel, geometry, coordinates):
        params = {"georel": georel, "geometry": geometry, "coordinates": coordinates, "type": "G"}
        refused(places.get("entities", params=params, headers=self.TENANT), "BadRequestData")


# ---- 4.21, for lists ----

@pytest.mark.clause("4.21", "5.7.2")
class TestProjectionOfLists:
    @pytest.fixture
    def things(self, city, urn):
        tenant = {"NGSILD-Tenant": "projection" + re.sub(r"\D", "", urn())}
        batch = [{"id": f"urn:x:{n}", "type": "T", "a": prop(1), **({"b": prop(2)} if n == "1" else {})} for n in "12"]
        ok(city.post("entityOperations/create", batch, headers=tenant), 201)
        return tenant

    @pytest.mark.parametrize("query, members", [("pick=b", [{"b"}]), ("pick=id,b", [{"id", "b"}, {"id"}]),
                                                ("attrs=b", [{"id", "type", "b"}]), ("omit=a,id,type", [{"b"}]),
                                                ("omit=b", [{"id", "type", "a"}] * 2)])
    def test_members(self, city, things, query, members):
        listed = ok(city.get(f"entities?type=T&{query}", headers=things)).json()
        assert [set(e) for e in listed] == members
        parts = dict(p.split("=") for p in query.split("&"))
        body = {"type": "Query", "entities": [{"type": "T"}], **{k: v.split(",") for k, v in parts.items()}}
        assert [set(e) for e in ok(city.post("entityOperations/query", body, headers=things)).json()] == members


# ---- 4.23 ----

@pytest.mark.clause("4.23")
class TestOrder:
    TENANT = {"NGSILD-Tenant": "order"}
    ENTITIES = {
        "a": {"n": prop(10), "s": prop("b"), "o": prop({"k": 3}), "location": geo("Point", [0, 0])},
        "b": {"n": prop(2.5), "s": prop("A"), "o": prop({"k": 1}), "location": geo("Point", [3, 0])},
        "c": {"n": prop(-1), "s": prop("á"), "o": prop({"k": 2}), "location": geo("Point", [1, 0])},
        "d": {"n": prop("text"), "s": prop("Zebra")}, "e": {"n": prop({"x": 1})}, "f": {"n": prop([1])},
        "g": {"n": prop(True)}, "h": {},
        "i": {"n": prop("2026-01-01T00:00:00Z"), "s": prop("b", sub=prop(1))}}

    @pytest.mark.parametrize("order, head", [
        ("n", "cbad"), ("n;asc", "cbad"), ("n;desc", "abcd"), ("s", "bcaid"), ("s;desc", "daicb"), ("s,n", "bcaid"),
        ("s;asc,n;desc", "bcaid"), ("o[k]", "bca"),
        ("o[k];desc", "acb"), ("id;desc", "ihgfedcba"), ("id", "abcdefghi"), ("createdAt", "abcdefghi"),
        ("createdAt;desc", "ihgfedcba"), ("s.sub", "i"),
        ("location;dist-asc&orderFrom=[0,0]", "acb"), ("location;dist-desc&orderFrom=[0,0]", "bca"),
        ("location;dist-asc&orderFrom=[3,0]", "bca"),
        ("location;dist-asc&orderFrom=[[3,0],[4,0]]&orderGeometry=LineString", "bca"), ("s&collation=und", "bcaid"),
        ("s&collation=de-u-co-phonebk", "bcaid")])
    def test_orders(self, ordered, order, head):
        for more in ("&local=true", ""):
            found = "".join(i[-1] for i in ids(ordered, f"type=O&limit=100&orderBy={order}{more}", self.TENANT))
            assert len(found) == len(self.ENTITIES)
            assert found[:len(head)] == head

    @pytest.mark.clause("4.23", "5.5.9")
    def test_pages_of_an_order(self, ordered):
        whole = ids(ordered, "type=O&orderBy=s;desc&limit=100", self.TENANT)
        paged = [i for offset in range(0, 9, 2) for i in ids(ordered, f"type=O&orderBy=s;desc&limit=2&offset={offset}",
            self.TENANT)]
        assert paged == whole


# ---- 5.5.9 ----

@pytest.mark.clause("5.5.9", "6.3.10", "6.3.13")
class TestPages:
    TENANT = {"NGSILD-Tenant": "pages"}

    @staticmethod
    def links(answer):
        return dict((rel, target) for target, rel in re.findall(r'<([^>]*)>; ?rel="(next|prev)"',
            answer.headers.get("Link", "")))

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_pages(self, pages, method):
        def page(path):
            if method == "GET":
                return ok(pages.get(path, headers=self.TENANT))
            return ok(pages.post(path.replace("entities?", "entityOperations/query?"),
                                 {"type": "Query", "entities": [{"type": "P"}]}, headers=self.TENANT))
        start = "entities?type=P&limit=20" if method == "GET" else "entities?limit=20"
        answer, seen, path = page(start), [], None
        assert "prev" not in self.links(answer)
        while True:
            seen += [e["id"] for e in answer.json()]
            links = self.links(answer)
            if "next" not in links:
                break
            assert answer.json() and len(answer.json()) == 20
            path = links["next"]
            answer = page(path)
            assert "prev" in self.links(answer)
        assert seen == [f"urn:x:{i:02}" for i in range(45)]
        back = page(self.links(answer)["prev"])
        assert [e["id"] for e in back.json()] == seen[20:40]

    @pytest.mark.parametrize("query, target", [
        ("type=P&limit=5&offset=5", "limit=5&offset={}&type=P"), ("type=P&q=n%3E%3D0&offset=5&limit=5", "limit=5&offset={}&q=n%3E%3D0&type=P"),
        ("offset=20&type=P&q=", "limit=20&offset={}&type=P")])
    def test_links_repeat_the_query_sorted_by_name(self, pages, query, target):
        answer = ok(pages.get(f"entities?{query}", headers=self.TENANT))
        steps = (("prev", 0), ("next", 10)) if "limit=5" in query else (("prev", 0), ("next", 40))
        assert self.links(answer) == {rel: "/ngsi-ld/v1/entities?" + target.format(n) for rel, n in steps}

    def test_link_has_the_media_type(self, pages):
        for accept in ("application/json", "application/ld+json", "application/geo+json"):
            answer = ok(pages.get("entities?type=P&limit=1", headers={**self.TENANT, "Accept": accept}))
            assert re.search(r'rel="next"; type="' + re.escape(accept) + '"', answer.headers["Link"])

    def test_default_page(self, pages):
        assert len(ids(pages, "type=P", self.TENANT)) == 20

    @pytest.mark.parametrize("query, total", [("type=P", 45), ("type=P&q=n>40", 4), ("type=None", 0)])
    def test_count(self, pages, query, total):
        for limit in (0, 3, 1000):
            answer = ok(pages.get(f"entities?{query}&count=true&limit={limit}", headers=self.TENANT))
            assert answer.headers["NGSILD-Results-Count"] == str(total)
            assert len(answer.json()) == min(limit, total)
        assert "NGSILD-Results-Count" not in pages.get(f"entities?{query}", headers=self.TENANT).headers

    def test_offsets(self, pages):
        assert ids(pages, "type=P&offset=44&limit=5", self.TENANT) == ["urn:x:44"]
        beyond = ok(pages.get("entities?type=P&offset=100&limit=5", headers=self.TENANT))
        assert beyond.json() == []
        refused(pages.get("entities?type=P&limit=100000", headers=self.TENANT), "BadRequestData")


# ---- 5.6.21 ----

@pytest.mark.clause("5.6.21", "6.4.3.3")
class TestPurge:
    @pytest.fixture
    def things(self, city, urn):
        tenant = {"NGSILD-Tenant": "purge" + re.sub(r"\D", "", urn())}
        batch = [{"id": f"urn:x:{i}", "type": "T" if i < 3 else "U", "a": prop(i), "b": prop(2), "scope": f"/s{i}",
                  "location": geo("Point", [i, 0])} for i in range(5)]
        ok(city.post("entityOperations/create", batch, headers=tenant), 201)
        return tenant

    @pytest.mark.parametrize("query, left", [
        ("type=T", "34"), ("type=T|U", ""), ("q=a>=2", "01"), ("attrs=a", ""), ("type=T&id=urn:x:1", "0234"),
        ("type=T&idPattern=1$", "0234"), ("local=true", ""),
        ("georel=near;maxDistance==10&geometry=Point&coordinates=[2,0]", "0134"), ("type=T&scopeQ=/s2", "0134"),
        ("type=None", "01234"), ("type=*&q=a==4", "0123")])
    def test_entities(self, city, things, query, left):
        no_content(city.delete(f"entities?{query}", headers=things))
        assert "".join(i[-1] for i in ids(city, "type=*", things)) == left

    @pytest.mark.parametrize("query, members", [("drop=a", "id type scope b location"),
                                                ("drop=a,b", "id type scope location"), ("keep=a", "id type scope a"),
                                                ("drop=none", "id type scope a b location"),
                                                ("drop=scope", "id type a b location"),
                                                ("keep=a,scope", "id type scope a")])
    def test_attributes(self, city, things, query, members):
        no_content(city.delete(f"entities?type=T&{query}", headers=things))
        for kind, shown in (("T", members), ("U", "id type scope a b location")):
            listed = ok(city.get(f"entities?type={kind}", headers=things)).json()
            assert {frozenset(e) for e in listed} == {frozenset(shown.split())}

    @pytest.mark.parametrize("query", ["", "id=urn:x:1", "idPattern=.*", "scopeQ=/s1", "q=createdAt", "attrs=id",
                                       "type=T&id=no-uri", "type=T&q=a==", "type=T&georel=near",
                                       "type=T&pick=r{a}", "q=r{a}==1", "type=T&drop=a&keep=b", "type=T&drop=1a",
                                       "type=T&csf=a=="])
    def test_refusals(self, city, things, query):
        refused(city.delete(f"entities?{query}", headers=things), "BadRequestData")
        assert len(ids(city, "type=*", things)) == 5

    def test_unknown_tenant(self, city):
        refused(city.delete("entities?type=T", headers={"NGSILD-Tenant": "never_made"}), "NonexistentTenant")
