"""Clauses 5.7.3 and 5.7.4: temporal evolutions retrieved and queried; 4.11, the temporal query; 4.5.9 and 4.5.19, their
simplified and aggregated representations; 6.3.10, answers in part."""
import pytest

from ngsi import ACCEPT_LD, NULL, create, geo, no_content, ok, prop, refused, rel
from temporal import NOON, ROOT, at, found, history, listed, record, seen, values

pytestmark = pytest.mark.clause("5.7.4")

X = "urn:ngsi-ld:X:1"
QUERY = "temporal/entityOperations/query"


@pytest.fixture
def thing(city, urn):
    record(city, {"id": urn(), "type": "Thing", "speed": [seen(m, m) for m in range(0, 50, 10)],
                  "heat": [seen(1, 5), seen(2, 45)], "bare": [prop(9)]})
    return urn()


@pytest.fixture
def fleet(city, tenant):
    """Three evolutions in a tenant of their own; the tenant's headers."""
    for i, name in enumerate("cab"):
        record(city, {"id": f"urn:x:{name}", "type": ["Car", "Fast"] if name == "b" else "Car",
                      "speed": [seen(10 * i, 0), seen(10 * i + 5, 30)], "name": [seen(name, 0)],
                      "location": [geo("Point", [float(i), 0.0], observedAt=at(0))]}, headers=tenant)
    return tenant


# ---- 4.11 ----

@pytest.mark.clause("4.11", "5.7.3", "6.19.3.1")
class TestTime:
    @pytest.mark.parametrize("query, expected", [
        (f"timerel=before&timeAt={at(20)}", [0, 10]),
        (f"timerel=after&timeAt={at(20)}", [20, 30, 40]),
        (f"timerel=between&timeAt={at(10)}&endTimeAt={at(30)}", [10, 20]),
        (f"timerel=before&timeAt={at(20)[:-1]}.000Z", [0, 10]),
        (f"timerel=between&timeAt={at(10)}&endTimeAt={at(30)}&timeproperty=observedAt", [10, 20]),
        ("", [0, 10, 20, 30, 40]),
        ("lastN=2", [30, 40]),
        (f"timerel=before&timeAt={at(20)}&lastN=1", [10]),
    ])
    def test_chooses(self, city, thing, query, expected):
        assert values(history(city, thing, "?" + query)["speed"]) == expected

    def test_instances_without_the_property(self, city, thing):
        assert values(history(city, thing)["bare"]) == [9]
        assert "bare" not in history(city, thing, "?" + NOON)

    @pytest.mark.parametrize("name", ["createdAt", "modifiedAt"])
    def test_system_times(self, city, thing, name):
        assert set(history(city, thing, f"?{NOON}&timeproperty={name}")) >= {"speed", "heat", "bare"}
        refused(city.get(f"{ROOT}/{thing}?timerel=before&timeAt={at(0)}&timeproperty={name}"), "ResourceNotFound")

    def test_deletions(self, city, urn):
        create(city, {"id": urn(), "type": "Thing", "a": prop(1), "b": prop(1)})
        no_content(city.delete(f"entities/{urn()}/attrs/a"))
        got = history(city, urn(), "?timeproperty=deletedAt")
        assert values(got["a"]) == [NULL] and "b" not in got
        assert "a" in history(city, urn(), f"?{NOON}&timeproperty=deletedAt")

    @pytest.mark.parametrize("query", [
        "timerel=during&timeAt=2026-01-01T00:00:00Z", "timerel=after", "timeAt=2026-01-01T00:00:00Z",
        "timerel=after&timeAt=2026-01-01", "timerel=between&timeAt=2026-01-01T00:00:00Z",
        "timerel=between&timeAt=2026-01-02T00:00:00Z&endTimeAt=2026-01-01T00:00:00Z", "timeproperty=expiresAt",
        "lastN=0", "lastN=-1", "lastN=1.5", "lastN=x", "pick=r{name}", "pick=speed&omit=speed", "attrs=speed&pick=speed",
        "datasetId=nothing"])
    def test_refusals(self, city, thing, query):
        refused(city.get(f"{ROOT}/{thing}?{query}"), "BadRequestData")

    @pytest.mark.parametrize("query", ["lastN=99999999999", "lastN=1000000"])
    def test_absurd_numbers(self, city, thing, query):
        assert refused(city.get(f"{ROOT}/{thing}?{query}"), "BadRequestData")["limit"] == "limits.last_n"

    def test_last_n_is_per_attribute(self, city, urn):
        record(city, {"id": urn(), "type": "Thing", "n": [seen(1, 1), seen(3, 3), seen(2, 2, datasetId=X), seen(4, 4, datasetId=X)],
                      "m": [seen(5, 0)]})
        got = history(city, urn(), "?lastN=2")
        assert values(got["n"]) == [3, 4] and values(got["m"]) == [5]


# ---- 5.7.3 ----

@pytest.mark.clause("5.7.3", "6.19.3.1")
class TestRetrieve:
    def test_refusals(self, city, thing):
        refused(city.get(f"{ROOT}/nothing"), "BadRequestData")
        refused(city.get(f"{ROOT}/{thing}x"), "ResourceNotFound")
        refused(city.get(f"{ROOT}/{thing}?attrs=unheardOf"), "ResourceNotFound")
        refused(city.get(f"{ROOT}/{thing}?pick=unheardOf"), "ResourceNotFound")
        refused(city.get(f"{ROOT}/{thing}?omit=id,type,speed,heat,bare"), "ResourceNotFound")
        refused(city.get(f"{ROOT}/{thing}?timerel=after&timeAt={at(600)}"), "ResourceNotFound")
        refused(city.get(f"{ROOT}/{thing}?unheard=1"), "InvalidRequest")
        refused(city.get(f"{ROOT}/{thing}", headers={"Accept": "application/geo+json"}), "InvalidRequest", 406)

    def test_projections(self, city, thing):
        assert set(history(city, thing, "?attrs=speed")) == {"id", "type", "speed"}
        assert set(history(city, thing, "?pick=speed,heat")) == {"speed", "heat"}
        assert set(history(city, thing, "?pick=id")) == {"id"}
        assert set(history(city, thing, "?omit=speed,type")) == {"id", "heat", "bare"}

    def test_scope_is_an_attribute_of_attrs(self, city, urn):
        record(city, {"id": urn(), "type": "Thing", "scope": [seen("/a", 0)], "speed": [seen(1, 0)], "heat": [seen(1, 0)]})
        assert set(history(city, urn(), "?attrs=speed,scope")) == {"id", "type", "speed", "scope"}
        assert set(history(city, urn(), "?attrs=speed")) == {"id", "type", "speed"}

    def test_datasets(self, city, urn):
        record(city, {"id": urn(), "type": "Thing", "n": [seen(1, 1), seen(2, 2, datasetId=X)], "m": [seen(5, 0)]})
        assert values(history(city, urn(), f"?datasetId={X}")["n"]) == [2]
        assert "m" not in history(city, urn(), f"?datasetId={X}")
        assert values(history(city, urn(), "?datasetId=@none")["n"]) == [1]

    def test_instance_ids(self, city, thing):
        names = [i["instanceId"] for i in history(city, thing)["speed"]]
        assert len(set(names)) == 5 and all(n.startswith("urn:") for n in names)
        assert names == [i["instanceId"] for i in history(city, thing)["speed"]]

    @pytest.mark.clause("6.3.11")
    def test_system_attributes(self, city, thing):
        got = history(city, thing, "?options=sysAttrs")
        assert {"createdAt", "modifiedAt"} <= set(got) and {"createdAt", "modifiedAt"} <= set(got["speed"][0])
        assert not {"createdAt", "modifiedAt"} & (set(history(city, thing)) | set(history(city, thing)["speed"][0]))

    @pytest.mark.clause("6.3.5", "6.3.6")
    def test_contexts(self, city, thing):
        answer = ok(city.get(f"{ROOT}/{thing}", headers=ACCEPT_LD))
        assert "@context" in answer.json() and answer.headers["Content-Type"] == "application/ld+json"
        assert "Link" in ok(city.get(f"{ROOT}/{thing}")).headers

    @pytest.mark.clause("4.3.6.8", "6.3.6")
    @pytest.mark.parametrize("how", ["", "format=temporalValues", "format=concise", "format=aggregatedValues&aggrMethods=totalCount"])
    def test_what_is_old_already_stays(self, city, thing, how):
        answer = ok(city.get(f"{ROOT}/{thing}?{how}", headers={"Prefer": "ngsi-ld=1.5"}))
        assert answer.headers["Preference-Applied"] == "ngsi-ld=1.5" and answer.json() == history(city, thing, f"?{how}")

    @pytest.mark.clause("4.3.6.8", "6.3.6", "6.18.3.2", "6.19.3.1")
    def test_earlier_versions(self, city, tenant):
        record(city, {"id": "urn:x:1", "type": ["Car", "Fast"], "scope": [prop("/a", observedAt=at(0))],
                      "kind": [{"type": "VocabProperty", "vocab": "bus", "observedAt": at(0)},
                               {"type": "VocabProperty", "vocab": "tram", "observedAt": at(1), "expiresAt": "2090-01-01T00:00:00Z"}],
                      "name": [{"type": "LanguageProperty", "languageMap": {"fr": "oui"}, "observedAt": at(0)}],
                      "speed": [seen(1, 0, datasetId=X), seen(2, 1, unitCode="KMH", note={"type": "JsonProperty", "json": {"id": 7}})]},
               headers=tenant)

        def asked(version, query=NOON, path=ROOT):
            answer = ok(city.get(f"{path}?type=Car&{query}", headers={**tenant, "Prefer": f"ngsi-ld={version}"}), 203)
            assert answer.headers["Preference-Applied"] == f"ngsi-ld={version}"
            (car,) = answer.json()
            for instances in car.values():
                for instance in instances if isinstance(instances, list) else []:
                    if isinstance(instance, dict):
                        instance.pop("instanceId", None)
            return car
        car = asked("1.8")
        assert car["kind"] == [{"type": "VocabProperty", "vocab": v, "observedAt": at(i)} for i, v in enumerate(["bus", "tram"])]
        car = asked("1.5")
        assert car["kind"] == [prop("bus", observedAt=at(0)), prop("tram", observedAt=at(1))] and "scope" in car
        assert car["name"][0]["type"] == "LanguageProperty" and len(car["speed"]) == 2 and car["speed"][1]["note"] == prop({"id": 7})
        car = asked("1.3")
        assert car["name"] == [prop({"fr": "oui"}, observedAt=at(0))] and "scope" not in car and car["type"] == ["Car", "Fast"]
        car = asked("1.0")
        assert car == {"id": "urn:x:1", "type": "Car", "kind": [prop("bus"), prop("tram")], "name": [prop({"fr": "oui"})],
                       "speed": [prop(2, note=prop({"id": 7}))]}
        car = asked("1.0", f"format=temporalValues&{NOON}")  # times of values are no members of them
        assert car["speed"] == {"type": "Property", "values": [[2, at(1)]]}
        assert car["kind"] == {"type": "Property", "values": [["bus", at(0)], ["tram", at(1)]]}
        car = asked("1.2", f"format=aggregatedValues&aggrMethods=totalCount&attrs=speed&{NOON}")
        assert [count for count, *_ in car["speed"]["totalCount"]] == [1] and "datasetId" not in car["speed"]
        alone = ok(city.get(f"{ROOT}/urn:x:1", headers={**tenant, "Prefer": "ngsi-ld=1.5"}), 203)
        assert alone.json()["kind"][0]["type"] == "Property"
        body = {"type": "Query", "entities": [{"type": "Car"}], "temporalQ": {"timerel": "after", "timeAt": at(0)}}
        ok(city.post("temporal/entityOperations/query", body, headers={**tenant, "Prefer": "ngsi-ld=1.5"}), 203)

    def test_concise(self, city, thing):
        assert "type" not in history(city, thing, "?format=concise")["speed"][0]

    def test_language(self, city, urn):
        record(city, {"id": urn(), "type": "Thing",
                      "says": [{"type": "LanguageProperty", "languageMap": {"en": "yes", "fr": "oui"}, "observedAt": at(0)}]})
        got = listed(history(city, urn(), "?lang=fr")["says"])[0]
        assert got["value"] == "oui" and got["lang"] == "fr"


# ---- 4.5.9, 6.3.12 ----

@pytest.mark.clause("4.5.9", "6.3.12")
class TestTemporalValues:
    def test_every_kind(self, city, urn):
        record(city, {"id": urn(), "type": "Thing", "p": [seen(1, 0), seen("x", 1)], "r": [rel(X, observedAt=at(0))],
                      "l": [{"type": "LanguageProperty", "languageMap": {"en": "yes"}, "observedAt": at(0)}],
                      "k": [{"type": "ListProperty", "valueList": [1, 2], "observedAt": at(0)}],
                      "j": [{"type": "JsonProperty", "json": {"x": 1}, "observedAt": at(0)}],
                      "v": [{"type": "VocabProperty", "vocab": "Word", "observedAt": at(0)}]})
        got = history(city, urn(), "?format=temporalValues")
        assert got["p"] == {"type": "Property", "values": [[1, at(0)], ["x", at(1)]]}
        assert got["r"] == {"type": "Relationship", "objects": [[X, at(0)]]}
        assert got["l"] == {"type": "LanguageProperty", "languageMaps": [[{"languageMap": {"en": "yes"}}, at(0)]]}
        assert got["k"] == {"type": "ListProperty", "valueLists": [[[1, 2], at(0)]]}
        assert got["j"] == {"type": "JsonProperty", "jsons": [[{"json": {"x": 1}}, at(0)]]}
        assert got["v"] == {"type": "VocabProperty", "vocabs": [[{"vocab": "Word"}, at(0)]]}

    def test_time_is_that_of_the_property(self, city, thing):
        created = history(city, thing, "?options=sysAttrs")["speed"][0]["createdAt"]
        pair = history(city, thing, f"?{NOON}&timeproperty=createdAt&options=temporalValues")["speed"]["values"][0]
        assert pair[1] == created

    def test_formats(self, city, thing):
        plain = history(city, thing, "?format=temporalValues&attrs=speed")
        assert history(city, thing, "?options=temporalValues&attrs=speed") == plain
        assert history(city, thing, "?format=temporalValues&options=aggregatedValues&attrs=speed") == plain
        for query in ("format=simplified", "format=x", "options=x", "options=temporalValues,aggregatedValues",
                      "options=temporalValues,x"):
            refused(city.get(f"{ROOT}/{thing}?{query}"), "InvalidRequest")


# ---- 4.5.19 ----

@pytest.mark.clause("4.5.19", "4.5.19.1", "6.3.12")
class TestAggregatedValues:
    def ask(self, city, thing, query):
        return history(city, thing, f"?format=aggregatedValues&timerel=between&timeAt={at(0)}&endTimeAt={at(60)}&{query}")

    def test_one_period(self, city, thing):
        got = self.ask(city, thing, "attrs=speed&aggrMethods=sum,avg,min,max,totalCount,distinctCount,sumsq")["speed"]
        assert got.pop("type") == "Property"
        assert {m: [p[0] for p in periods] for m, periods in got.items()} == {
            "sum": [100], "avg": [20], "min": [0], "max": [40], "totalCount": [5], "distinctCount": [5], "sumsq": [3000]}
        assert got["sum"] == [[100, at(0), at(60)]]
        assert self.ask(city, thing, "attrs=speed&aggrMethods=sum&aggrPeriodDuration=PT0S")["speed"]["sum"] == got["sum"]

    def test_periods(self, city, thing):
        got = self.ask(city, thing, "attrs=speed&aggrMethods=sum&aggrPeriodDuration=PT20M")["speed"]["sum"]
        assert got == [[10, at(0), at(20)], [50, at(20), at(40)], [40, at(40), at(60)]]

    def test_months(self, city, urn):
        record(city, {"id": urn(), "type": "Thing", "n": [{"type": "Property", "value": m, "observedAt": f"2026-0{m}-28T00:00:00Z"}
                                                            for m in (1, 2, 3)]})
        got = history(city, urn(), "?format=aggregatedValues&aggrMethods=max&aggrPeriodDuration=P1M"
                                   "&timerel=between&timeAt=2026-01-01T00:00:00Z&endTimeAt=2026-04-01T00:00:00Z")["n"]["max"]
        assert got == [[m, f"2026-0{m}-01T00:00:00Z", f"2026-0{m + 1}-01T00:00:00Z"] for m in (1, 2, 3)]

    @pytest.mark.parametrize("query", ["", "aggrMethods=median", "aggrMethods=sum&aggrPeriodDuration=1h",
                                       "aggrMethods=sum,"])
    def test_refusals(self, city, thing, query):
        refused(city.get(f"{ROOT}/{thing}?format=aggregatedValues&{NOON}&{query}"), "BadRequestData")

    def test_too_many_periods(self, city, thing):
        answer = city.get(f"{ROOT}/{thing}?format=aggregatedValues&aggrMethods=sum&aggrPeriodDuration=PT0.001S"
                          f"&timerel=between&timeAt={at(0)}&endTimeAt={at(600)}")
        assert answer.status_code in (400, 403) and answer.json()["limit"] == "limits.aggregation_periods"

    def test_methods_that_do_not_apply(self, city, urn):
        record(city, {"id": urn(), "type": "Thing", "n": [seen(1, 0)], "name": [seen("x", 0)]})
        query = f"?format=aggregatedValues&aggrMethods=avg&{NOON}"
        refused(city.get(f"{ROOT}/{urn()}{query}&attrs=name"), "InvalidRequest")
        assert set(history(city, urn(), query)) == {"id", "type", "n"}  # nobody asked for the other


# ---- 5.7.4 ----

@pytest.mark.clause("5.7.4", "6.18.3.2")
class TestQuery:
    def test_by_type(self, city, fleet):
        assert found(city, f"type=Car&{NOON}", fleet) == ["urn:x:a", "urn:x:b", "urn:x:c"]
        assert found(city, f"type=Fast&{NOON}", fleet) == ["urn:x:b"]
        assert found(city, f"type=Unheard&{NOON}", fleet) == []

    def test_by_id(self, city, fleet):
        assert found(city, f"type=Car&id=urn:x:a,urn:x:c&{NOON}", fleet) == ["urn:x:a", "urn:x:c"]
        assert found(city, f"type=Car&idPattern=b$&{NOON}", fleet) == ["urn:x:b"]

    def test_by_attribute(self, city, fleet):
        record(city, {"id": "urn:x:d", "type": "Car", "other": [seen(1, 0)]}, headers=fleet)
        assert found(city, f"attrs=other&{NOON}", fleet) == ["urn:x:d"]
        answer = ok(city.get(f"{ROOT}?attrs=speed&{NOON}", headers=fleet)).json()
        assert len(answer) == 3 and set(answer[0]) == {"id", "type", "speed"}

    @pytest.mark.parametrize("q, expected", [
        ("speed==5", "c"), ("speed>20", "b"), ("speed>=10;speed<=15", "a"), ("speed==0|speed==20", "bc"),
        ("speed==0;speed==5", "c"), ("name==%22a%22", "a"), ("name~=%5Bab%5D", "ab"), ("unheard", "")])
    def test_by_q(self, city, fleet, q, expected):
        assert found(city, f"type=Car&q={q}&{NOON}", fleet) == [f"urn:x:{n}" for n in expected]

    def test_q_sees_the_time_asked_about_alone(self, city, fleet):
        assert found(city, f"type=Car&q=speed==5&timerel=before&timeAt={at(30)}", fleet) == []
        assert found(city, f"type=Car&q=speed==5&timerel=after&timeAt={at(30)}", fleet) == ["urn:x:c"]

    def test_by_geometry(self, city, fleet):
        near = "georel=near;maxDistance==1000&geometry=Point&coordinates=[1,0]"
        assert found(city, f"{near}&{NOON}", fleet) == ["urn:x:a"]
        assert found(city, f"{near}&timerel=after&timeAt={at(1)}", fleet) == []

    def test_time_decides_who_is_found(self, city, fleet):
        assert len(found(city, f"type=Car&timerel=before&timeAt={at(1)}", fleet)) == 3
        assert found(city, f"type=Car&timerel=before&timeAt={at(0)}", fleet) == []

    def test_entities_of_today(self, city, tenant):
        create(city, {"id": "urn:x:1", "type": "Car", "speed": seen(1, 0)}, headers=tenant)
        assert found(city, f"type=Car&{NOON}", tenant) == ["urn:x:1"]
        no_content(city.delete("entities/urn:x:1", headers=tenant))
        assert found(city, f"type=Car&{NOON}", tenant) == ["urn:x:1"]  # it had been there

    @pytest.mark.parametrize("query", [
        "", "type=Car", "lastN=2&type=Car", NOON, f"id=urn:x:a&{NOON}", f"attrs=createdAt&{NOON}", f"q=createdAt&{NOON}",
        f"type=Car&q=(&{NOON}", f"type=Car&id=nothing&{NOON}", f"type=Car&georel=near&{NOON}", f"type=Car&csf=(&{NOON}",
        f"type=Car&orderBy=speed&local=true&{NOON}", f"type=Car&orderBy=id,speed&local=true&{NOON}",
        f"type=Car&orderBy=id&local=false&{NOON}", f"type=Car&orderBy=id&collation=x&local=true&{NOON}",
        f"type=Car&pick=r{{name}}&{NOON}", f"type=Car&q=r{{name}}&{NOON}", f"type=*&local=false&{NOON}",
        f"type=Car&limit=0&{NOON}", f"type=Car&limit=x&{NOON}"])
    def test_refusals(self, city, query):
        refused(city.get(f"{ROOT}?{query}"), "BadRequestData")

    @pytest.mark.clause("4.21")
    def test_what_is_left_out_still_finds(self, city, tenant):
        record(city, {"id": "urn:x:1", "type": "Car", "speed": [seen(1, 5)], "heat": [seen(1, 0)]}, headers=tenant)
        late = f"timerel=after&timeAt={at(3)}"
        assert found(city, f"type=Car&omit=speed&{late}", tenant) == ["urn:x:1"] == found(city, f"type=Car&pick=id&{late}", tenant)
        assert found(city, f"type=Car&omit=speed&timerel=after&timeAt={at(6)}", tenant) == []
        assert history(city, "urn:x:1", f"?omit=speed&{late}", tenant) == {"id": "urn:x:1", "type": "Car"}
        assert set(history(city, "urn:x:1", "?omit=speed", tenant)) == {"id", "type", "heat"}
        history(city, "urn:x:1", f"?omit=heat&timerel=after&timeAt={at(6)}", tenant, 404)
        assert found(city, f"type=Car&omit=speed&q=speed==1&{NOON}", tenant) == ["urn:x:1"]

    def test_local_scope(self, city, fleet):
        assert len(found(city, f"local=true&{NOON}", fleet)) == 3
        assert len(found(city, f"type=*&{NOON}", fleet)) == 3

    @pytest.mark.clause("5.5.9", "6.3.10", "6.3.13")
    def test_pages(self, city, fleet):
        answer = ok(city.get(f"{ROOT}?type=Car&limit=2&count=true&{NOON}", headers=fleet))
        assert len(answer.json()) == 2 and answer.headers["NGSILD-Results-Count"] == "3" and 'rel="next"' in answer.headers["Link"]
        answer = ok(city.get(f"{ROOT}?type=Car&limit=2&offset=2&{NOON}", headers=fleet))
        assert [e["id"] for e in answer.json()] == ["urn:x:c"] and 'rel="prev"' in answer.headers["Link"]
        assert ok(city.get(f"{ROOT}?type=Car&limit=0&count=true&{NOON}", headers=fleet)).json() == []

    @pytest.mark.clause("4.23")
    def test_order(self, city, fleet):
        assert found(city, f"type=Car&orderBy=id;desc&local=true&{NOON}", fleet) == ["urn:x:c", "urn:x:b", "urn:x:a"]

    @pytest.mark.clause("4.23.1", "4.23.3")
    def test_order_is_that_of_a_collation(self, city, tenant):
        for name in ["b", "B", "a10", "a9"]:
            record(city, {"id": f"urn:x:{name}", "type": "Car", "speed": [seen(1, 0)]}, headers=tenant)
        names = lambda how: [i.removeprefix("urn:x:") for i in found(city, f"type=Car&local=true&{how}&{NOON}", tenant)]
        assert names("orderBy=id") == ["a10", "a9", "b", "B"]
        assert names("orderBy=id;desc") == ["B", "b", "a9", "a10"]
        assert names("orderBy=id&collation=und-u-kn-true") == ["a9", "a10", "b", "B"]
        assert names("orderBy=id&collation=und-u-kf-upper&offset=1&limit=2") == ["a9", "B"]
        made = ok(city.get(f"{ROOT}?type=Car&local=true&orderBy=id&entityMap=true&limit=1&{NOON}", headers=tenant), 201)
        within = {**tenant, "NGSILD-EntityMap": made.headers["NGSILD-EntityMap"]}  # which keeps the order
        assert found(city, f"type=Car&local=true&{NOON}", within) == ["urn:x:a10", "urn:x:a9", "urn:x:b", "urn:x:B"]

    def test_formats(self, city, fleet):
        got = ok(city.get(f"{ROOT}?type=Car&options=temporalValues&pick=id,speed&lastN=1&{NOON}", headers=fleet)).json()
        assert got[0] == {"id": "urn:x:a", "speed": {"type": "Property", "values": [[15, at(30)]]}}
        got = ok(city.get(f"{ROOT}?type=Car&format=aggregatedValues&aggrMethods=max&attrs=speed&{NOON}", headers=fleet)).json()
        assert [e["speed"]["max"][0][0] for e in got] == [15, 25, 5]

    def test_datasets_do_not_choose_entities(self, city, fleet):
        got = ok(city.get(f"{ROOT}?type=Car&datasetId={X}&{NOON}", headers=fleet)).json()
        assert [set(e) for e in got] == [{"id", "type"}] * 3
        assert found(city, f"type=Car&attrs=speed&datasetId={X}&{NOON}", fleet) == []


@pytest.mark.clause("4.18", "4.19", "C.5.16")
class TestScopeQueries:
    @pytest.fixture
    def scoped(self, city, tenant):
        record(city, {"id": "urn:x:1", "type": "Car", "scope": [seen("/A/B", -60), seen(["/C", "/D"], 20)],
                      "speed": [seen(1, 5), seen(2, 30)]}, headers=tenant)
        record(city, {"id": "urn:x:2", "type": "Car", "speed": [seen(1, 5)]}, headers=tenant)
        return tenant

    def ask(self, city, scoped, scope, query=f"timerel=between&timeAt={at(0)}&endTimeAt={at(60)}"):
        return ok(city.get(f"{ROOT}?type=Car&scopeQ={scope}&{query}", headers=scoped)).json()

    def test_only_while_valid(self, city, scoped):
        (got,) = self.ask(city, scoped, "/A/B")
        assert values(got["speed"]) == [1] and values(got["scope"]) == ["/A/B"]  # set before, and still valid
        (got,) = self.ask(city, scoped, "/C")
        assert values(got["speed"]) == [2]
        (got,) = self.ask(city, scoped, "/%23")
        assert values(got["speed"]) == [1, 2]

    @pytest.mark.parametrize("scope", ["/B", "/A", "(/A/B;/C)"])
    def test_others(self, city, scoped, scope):
        assert self.ask(city, scoped, scope) == []

    def test_out_of_time(self, city, scoped):
        assert self.ask(city, scoped, "/A/B", f"timerel=after&timeAt={at(25)}") == []


@pytest.mark.clause("6.24.3.1", "5.2.21", "5.2.23", "5.2.44")
class TestQueryByBody:
    TIME = {"timerel": "after", "timeAt": at(0)}

    def ask(self, city, fleet, query="", **members):
        body = {"type": "Query", "entities": [{"type": "Car"}], "temporalQ": self.TIME, **members}
        return city.post(QUERY + query, {k: v for k, v in body.items() if v is not None}, headers=fleet)

    def test_finds(self, city, fleet):
        got = ok(self.ask(city, fleet, q="speed>20", pick=["id", "speed"])).json()
        assert [e["id"] for e in got] == ["urn:x:b"] and set(got[0]) == {"id", "speed"}
        got = ok(self.ask(city, fleet, temporalQ={**self.TIME, "lastN": 1}, attrs=["speed"])).json()
        assert [values(e["speed"]) for e in got] == [[15], [25], [5]]

    @pytest.mark.parametrize("methods", ["min,max", ["min", "max"]])
    @pytest.mark.parametrize("where", ["temporalQ", "aggrParams"])
    def test_aggregates(self, city, fleet, methods, where):
        more = {"aggrMethods": methods, "aggrPeriodDuration": "PT1H"}
        members = {"temporalQ": {**self.TIME, **more}} if where == "temporalQ" else {"aggrParams": more}
        for query in ("", "?format=aggregatedValues", "?options=aggregatedValues"):
            got = ok(self.ask(city, fleet, query, attrs=["speed"], **members)).json()
            assert got[0]["speed"]["min"][0][0] == 10 and got[0]["speed"]["max"][0][0] == 15
        got = ok(self.ask(city, fleet, "?format=temporalValues", attrs=["speed"], **members)).json()
        assert "values" in got[0]["speed"]  # aggregation is of the aggregated representation alone

    @pytest.mark.parametrize("members", [
        {"temporalQ": None}, {"temporalQ": []}, {"temporalQ": {"timerel": "after"}}, {"temporalQ": {"timeAt": at(0)}},
        {"temporalQ": {**TIME, "lastN": 0}}, {"temporalQ": {**TIME, "lastN": 1.5}}, {"temporalQ": {**TIME, "lastN": "1"}},
        {"temporalQ": {**TIME, "timeproperty": "expiresAt"}}, {"temporalQ": {"timerel": "between", "timeAt": at(0)}},
        {"entities": None}, {"q": "("}, {"join": "inline"}])
    def test_refusals(self, city, fleet, members):
        refused(self.ask(city, fleet, **members), "BadRequestData")

    @pytest.mark.clause("5.7.2")
    def test_belongs_to_temporal_queries_alone(self, city, fleet):
        body = {"type": "Query", "entities": [{"type": "Car"}], "temporalQ": self.TIME}
        refused(city.post("entityOperations/query", body, headers=fleet), "BadRequestData")


# ---- 6.3.10 ----

@pytest.mark.clause("6.3.10", "5.7.3", "5.7.4")
class TestPartialAnswers:
    @pytest.fixture
    def small(self, new_city):
        city = new_city("--limits-temporal-points", "3")
        record(city, {"id": X, "type": "Car", "speed": [seen(m, m) for m in (0, 2, 4)], "heat": [seen(m, m) for m in (1, 3, 5)]})
        return city

    def ask(self, small, query):
        answer = ok(small.get(f"{ROOT}/{X}?attrs=speed,heat{query}"), 206)
        got = answer.json()
        return sorted(v for a in ("speed", "heat") for v in (values(got[a]) if got.get(a) else [])), answer.headers["Content-Range"]

    @pytest.mark.parametrize("query, start", [
        ("", 0), (f"&timerel=after&timeAt={at(-9)}", -9), (f"&timerel=before&timeAt={at(9)}", 0),
        (f"&timerel=between&timeAt={at(-9)}&endTimeAt={at(9)}", -9)])
    def test_forwards(self, small, query, start):
        assert self.ask(small, query) == ([0, 1, 2], f"DateTime {at(start)}-{at(2)}/*")

    @pytest.mark.parametrize("query, start", [
        ("", 5), (f"&timerel=after&timeAt={at(-9)}", 5), (f"&timerel=before&timeAt={at(9)}", 9),
        (f"&timerel=between&timeAt={at(-9)}&endTimeAt={at(9)}", 9)])
    def test_backwards(self, small, query, start):
        assert self.ask(small, query + "&lastN=3") == ([3, 4, 5], f"DateTime {at(start)}-{at(3)}/3")

    def test_attributes_out_of_the_part(self, small):
        got = ok(small.get(f"{ROOT}/{X}?attrs=speed,heat&lastN=3&timerel=before&timeAt={at(1)}")).json()
        assert set(got) == {"id", "type", "speed"}  # heat has nothing in the time asked about
        ok(small.post(f"{ROOT}/{X}/attrs", {"late": [seen(1, 90)]}), 204)
        assert ok(small.get(f"{ROOT}/{X}"), 206).json()["late"] == []  # it has, but not in this part
        got = ok(small.get(f"{ROOT}/{X}?format=temporalValues"), 206).json()
        assert got["late"] == {"type": "Property", "values": []}

    def test_queries(self, small):
        answer = ok(small.get(f"{ROOT}?type=Car&{NOON}"), 206)
        assert answer.headers["Content-Range"] == f"DateTime 2020-01-01T00:00:00Z-{at(2)}/*"

    def test_whole_answers(self, small):
        answer = ok(small.get(f"{ROOT}/{X}?attrs=speed"))
        assert "Content-Range" not in answer.headers


# ---- 5.5.14 ----

@pytest.mark.clause("5.5.14", "5.7.3", "5.7.4")
class TestEntityMaps:
    def test_of_a_query(self, city, fleet):
        made = ok(city.get(f"{ROOT}?type=Car&id=urn:x:a,urn:x:c&entityMap=true&{NOON}", headers=fleet), 201)
        where = made.headers["NGSILD-EntityMap"]
        assert [e["id"] for e in made.json()] == ["urn:x:a", "urn:x:c"]
        within = {**fleet, "NGSILD-EntityMap": where}
        again = ok(city.get(f"{ROOT}?type=Car&{NOON}", headers=within))
        assert [e["id"] for e in again.json()] == ["urn:x:a", "urn:x:c"] and again.headers["NGSILD-EntityMap"] == where
        page = ok(city.get(f"{ROOT}?type=Car&limit=1&offset=1&count=true&{NOON}", headers=within))
        assert [e["id"] for e in page.json()] == ["urn:x:c"] and page.headers["NGSILD-Results-Count"] == "2"

    def test_unknown_ones_are_made_anew(self, city, fleet):
        made = ok(city.get(f"{ROOT}?type=Car&{NOON}", headers={**fleet, "NGSILD-EntityMap": "urn:ngsi-ld:EntityMap:none"}), 201)
        assert made.headers["NGSILD-EntityMap"].endswith("none") is False and len(made.json()) == 3

    @pytest.mark.clause("5.14.5", "6.35.3.1")
    @pytest.mark.parametrize("by_body", [False, True])
    def test_alone(self, city, fleet, by_body):
        def make(time, q):
            body = {"type": "Query", "entities": [{"type": "Car"}], "temporalQ": {"timerel": "after", "timeAt": time}, "q": q}
            return city.post("temporal/entityMaps", body, headers=fleet) if by_body else city.get(
                f"temporal/entityMaps?type=Car&timerel=after&timeAt={time}&q={q}", headers=fleet)
        made = ok(make(at(0), "speed>=10"), 201)
        assert made.json()["entityMap"] == {"urn:x:a": ["@none"], "urn:x:b": ["@none"]}
        within = {**fleet, "NGSILD-EntityMap": made.headers["NGSILD-EntityMap"]}
        assert found(city, f"type=Car&{NOON}", within) == ["urn:x:a", "urn:x:b"]
        assert ok(make(at(60), "speed>=10"), 201).json()["entityMap"] == {}
        refused(city.get("temporal/entityMaps?type=Car", headers=fleet), "BadRequestData")
        refused(city.get(f"temporal/entityMaps?{NOON}", headers=fleet), "BadRequestData")

    def test_split_entities_are_filtered_later(self, city, fleet):
        made = ok(city.get(f"temporal/entityMaps?type=Car&splitEntities=true&q=speed==5&{NOON}", headers=fleet), 201)
        assert len(made.json()["entityMap"]) == 3
        within = {**fleet, "NGSILD-EntityMap": made.headers["NGSILD-EntityMap"]}
        assert found(city, f"type=Car&q=speed==5&{NOON}", within) == ["urn:x:c"]

    @pytest.mark.clause("5.5.9.3")
    def test_those_that_no_longer_match_are_removed(self, city, fleet):
        def within(query):
            return ok(city.get(f"{ROOT}?{query}", headers={**fleet, "NGSILD-EntityMap": where}))
        query = f"type=Car&q=speed>=5&{NOON}"
        made = ok(city.get(f"{ROOT}?{query}&entityMap=true", headers=fleet), 201)
        where = made.headers["NGSILD-EntityMap"]
        at_map = where.removeprefix("/ngsi-ld/v1/")
        assert [e["id"] for e in made.json()] == ["urn:x:a", "urn:x:b", "urn:x:c"]
        no_content(city.delete("temporal/entities/urn:x:b", headers=fleet))
        # another time, or other filters: answered within the map, which stays
        assert within(f"type=Car&q=speed>=5&timerel=after&timeAt={at(60)}").json() == []
        assert [e["id"] for e in within(f"type=Car&q=speed>=20&{NOON}").json()] == []
        assert set(ok(city.get(at_map, headers=fleet)).json()["entityMap"]) == {"urn:x:a", "urn:x:b", "urn:x:c"}
        # positions are the map's: its second entity is looked at, is gone, and the page is filled with the next
        page = within(f"{query}&limit=1&offset=1")
        assert [e["id"] for e in page.json()] == ["urn:x:c"] and 'rel="next"' not in page.headers["Link"]
        assert set(ok(city.get(at_map, headers=fleet)).json()["entityMap"]) == {"urn:x:a", "urn:x:c"}
        record(city, {"id": "urn:x:b", "type": "Car", "speed": [seen(50, 0)]}, headers=fleet)  # comes too late
        counted = within(f"{query}&limit=1&offset=1&count=true")
        assert [e["id"] for e in counted.json()] == ["urn:x:c"] and counted.headers["NGSILD-Results-Count"] == "2"

    def test_have_a_most_of_entities(self, new_city):
        small = new_city("--limits-entity-map-entities", "2")
        for i in range(3):
            record(small, {"id": f"urn:x:{i}", "type": "Car", "speed": [seen(1, 0)]})
        body = refused(small.get(f"{ROOT}?type=Car&entityMap=true&{NOON}"), "TooManyResults")
        assert body["limit"] == "limits.entity_map_entities"

    def test_of_one(self, city, fleet):
        answer = ok(city.get(f"{ROOT}/urn:x:a?entityMap=true", headers=fleet))
        got = ok(city.get(answer.headers["NGSILD-EntityMap"].removeprefix("/ngsi-ld/v1/"), headers=fleet)).json()
        assert got["entityMap"] == {"urn:x:a": ["@none"]}


# ---- names ----

@pytest.mark.clause("5.5.7", "4.4")
def test_names_are_expanded(city, urn):
    context = {"@context": {"velocity": "https://x.example/velocity"}}
    ok(city.post(ROOT, {**context, "id": urn(), "type": "Thing", "velocity": [seen(1, 0)]},
                 headers={"Content-Type": "application/ld+json"}), 201)
    assert "https://x.example/velocity" in history(city, urn())
    assert set(history(city, urn(), "?attrs=https://x.example/velocity")) == {"id", "type", "https://x.example/velocity"}
