"""Clauses 5.5.5, 5.5.7, 6.3.5 and 6.3.16: the @context of a request, from an origin that the test runs."""
import json
import threading
import time

import pytest

from ngsi import ACCEPT_LD, CONTEXT_REL, CORE, DEFAULT, JSON, LD, create, get, ids, link, no_content, ok, prop, refused

pytestmark = pytest.mark.clause("5.5.7")

EX = "https://example.org/"
TERMS = {"a": EX + "a", "Thing": EX + "Thing", "Male": EX + "Male"}


def test_link_header(city, urn, origin):
    url = origin.serve("/link.jsonld", TERMS)
    create(city, {"id": urn(), "type": "Thing", "a": prop(1)}, headers=link(url))
    assert get(city, urn()) == {"id": urn(), "type": EX + "Thing", EX + "a": prop(1)}
    answer = ok(city.get(f"entities/{urn()}", headers=link(url)))
    assert answer.json() == {"id": urn(), "type": "Thing", "a": prop(1)}
    assert answer.headers["Link"].startswith(f"<{url}>")
    listed = ok(city.get(f"entities/{urn()}", headers={**link(url), **ACCEPT_LD})).json()
    assert listed["@context"] == url
    assert ids(city, f"type=Thing&id={urn()}", link(url)) == [urn()]
    assert ids(city, f"type=Thing&id={urn()}") == []
    assert ids(city, f"q=a==1&id={urn()}&pick=id", link(url)) == [urn()]
    no_content(city.patch(f"entities/{urn()}/attrs", {"a": prop(2)}, headers=link(url)))
    assert get(city, urn(), "?pick=a", headers=link(url)) == {"a": prop(2)}
    no_content(city.delete(f"entities/{urn()}/attrs/a", headers=link(url)))


@pytest.mark.parametrize("context", [TERMS, [TERMS], [TERMS, CORE], [CORE, TERMS], "url", ["url"], ["url", CORE],
                                     [{"a": "urn:x:other"}, "url"],
                                     {"ex": EX, "a": "ex:a", "Thing": {"@id": "ex:Thing"}}, ["outer"]],
                         ids=lambda c: json.dumps(c)[:40])
def test_body_contexts(city, urn, origin, context):
    url = origin.serve("/body.jsonld", TERMS)
    outer = origin.serve("/outer.jsonld", [url, {"unused": "urn:x:unused"}])
    text = json.dumps(context).replace('"url"', json.dumps(url)).replace('"outer"', json.dumps(outer))
    entity = {"@context": json.loads(text), "id": urn(), "type": "Thing", "a": prop(1)}
    ok(city.request("POST", "entities", json=entity, headers=LD), 201)
    assert get(city, urn()) == {"id": urn(), "type": EX + "Thing", EX + "a": prop(1)}


@pytest.mark.clause("5.5.5")
def test_the_core_context_comes_first(city, urn):
    entity = {"@context": [{"location": EX + "location", "Property": EX + "Property"}], "id": urn(), "type": "Thing",
              "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [1, 2]}}}
    answer = city.request("POST", "entities", json=entity, headers=LD)
    if answer.status_code == 201:  # or refused: the core terms are protected
        assert "location" in get(city, urn())
    else:
        refused(answer, "BadRequestData")


@pytest.mark.clause("5.5.5")
def test_the_vocabulary_of_the_core_context_is_the_last(city, urn):
    entity = {"@context": [{"@vocab": EX}], "id": urn(), "type": "Thing", "a": prop(1)}
    ok(city.request("POST", "entities", json=entity, headers=LD), 201)
    assert get(city, urn()) == {"id": urn(), "type": "Thing", "a": prop(1)}


@pytest.mark.clause("5.5.5")
def test_without_a_context(city, urn):
    create(city, {"id": urn(), "type": "Thing", "a": prop(1)})
    answer = ok(city.get(f"entities/{urn()}"))
    assert answer.headers["Link"] == f'<{CORE}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
    assert get(city, urn(),
               headers=link("https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.3.jsonld"))["a"] == prop(1)
    assert ids(city, f"type={DEFAULT}Thing&id={urn()}") == [urn()]


@pytest.mark.parametrize("version", ["-v1.3", "-v1.4", "-v1.5", "-v1.6", "-v1.7", "-v1.8", "-v1.9", ""])
def test_core_contexts_are_built_in(city, urn, version):
    url = f"https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context{version}.jsonld"
    ok(city.request("POST", "entities", json={"@context": url, "id": urn(), "type": "Thing", "a": prop(1)}, headers=LD),
       201)
    assert get(city, urn(), headers=link(url)) == {"id": urn(), "type": "Thing", "a": prop(1)}


def test_vocabularies_and_types_are_expanded(city, urn, origin):
    url = origin.serve("/vocab.jsonld", TERMS)
    create(city, {"id": urn(), "type": "Thing", "a": {"type": "VocabProperty", "vocab": "Male"}}, headers=link(url))
    assert get(city, urn())[EX + "a"]["vocab"] == EX + "Male"
    assert get(city, urn(), headers=link(url))["a"]["vocab"] == "Male"


def test_json_is_not_expanded(city, urn, origin):
    url = origin.serve("/json.jsonld", TERMS)
    create(city, {"id": urn(), "type": "T", "a": {"type": "JsonProperty", "json": {"a": "Male", "id": 5}}},
           headers=link(url))
    assert get(city, urn())[EX + "a"]["json"] == {"a": "Male", "id": 5}


@pytest.mark.clause("6.3.16")
class TestCache:
    def test_fetched_once(self, city, urn, origin):
        url = origin.serve("/once.jsonld", TERMS)
        for i in range(5):
            create(city, {"id": urn("Thing", i), "type": "Thing"}, headers=link(url))
        threads = [threading.Thread(target=lambda: city.get("entities?type=Thing", headers=link(url)))
                   for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert origin.asked.count("/once.jsonld") == 1

    def test_one_fetch_for_many_who_wait(self, city, origin):
        gate = threading.Event()
        body = json.dumps({"@context": TERMS}).encode()

        def slow():
            gate.wait(10)
            return body
        origin.answers["/slow.jsonld"] = (200, {"Content-Length": str(len(body))}, slow)
        codes = []
        threads = [threading.Thread(target=lambda: codes.append(city.get("entities?type=Thing",
            headers=link(origin.url + "/slow.jsonld")).status_code))
                   for _ in range(8)]
        for t in threads:
            t.start()
        time.sleep(0.3)
        ok(city.get("entities?type=Thing"))  # others do not wait
        gate.set()
        for t in threads:
            t.join()
        assert codes == [200] * 8 and origin.asked.count("/slow.jsonld") == 1

    def test_fetched_again_when_stale(self, new_city, urn, origin):
        city = new_city()
        url = origin.serve("/stale.jsonld", TERMS, Cache_Control="max-age=6")
        create(city, {"id": urn(), "type": "Thing", "a": prop(1)}, headers=link(url))
        origin.serve("/stale.jsonld", {**TERMS, "a": EX + "other"}, Cache_Control="max-age=6")
        assert "a" in get(city, urn(), headers=link(url))
        deadline = time.monotonic() + 20
        while "a" in get(city, urn(), headers=link(url)) and time.monotonic() < deadline:
            time.sleep(0.5)
        assert EX + "a" in get(city, urn(), headers=link(url))
        assert origin.asked.count("/stale.jsonld") == 2


class TestRefusals:
    def both(self, city, urn, url, kind):
        """As a link and in a body."""
        first = refused(city.get("entities?type=Thing", headers=link(url)), kind)
        entity = {"@context": [url], "id": urn(), "type": "Thing"}
        refused(city.request("POST", "entities", json=entity, headers=LD), kind)
        return first

    def test_missing(self, city, urn, origin):
        body = self.both(city, urn, origin.url + "/missing.jsonld", "LdContextNotAvailable")
        assert "/missing.jsonld" in body["detail"]

    def test_nobody_there(self, city, urn):
        self.both(city, urn, "http://127.0.0.1:1/x.jsonld", "LdContextNotAvailable")

    def test_redirects_are_not_followed(self, city, urn, origin):
        origin.serve("/target.jsonld", TERMS)
        self.both(city, urn, origin.serve("/moved.jsonld", b"", status=302, Location=origin.url + "/target.jsonld"),
                  "LdContextNotAvailable")
        assert "/target.jsonld" not in origin.asked

    @pytest.mark.parametrize("url", ["http://169.254.169.254/x.jsonld", "http://[fe80::1]/x.jsonld",
                                     "http://[::ffff:169.254.1.1]/x.jsonld"])
    def test_link_local_addresses(self, city, urn, url):
        self.both(city, urn, url, "LdContextNotAvailable")

    def test_configured_addresses(self, tmp_path, new_city, urn, origin):
        settings = tmp_path / "city.toml"
        settings.write_text('[egress]\nrefuse = ["127.0.0.0/8"]\n')
        url = origin.serve("/guarded.jsonld", TERMS)
        self.both(new_city("--config", str(settings)), urn, url, "LdContextNotAvailable")
        assert "/guarded.jsonld" not in origin.asked

    def test_too_large(self, tmp_path, new_city, urn, origin):
        settings = tmp_path / "city.toml"
        settings.write_text('[contexts]\ndocument_bytes = "4 KiB"\n')
        url = origin.serve("/large.jsonld", {f"t{i}": f"{EX}{i}" for i in range(1000)})
        self.both(new_city("--config", str(settings)), urn, url, "LdContextNotAvailable")

    def test_too_slow(self, tmp_path, new_city, urn, origin):
        settings = tmp_path / "city.toml"
        settings.write_text('[contexts]\ntimeout = "300 ms"\n')
        gate = threading.Event()

        def wait():
            gate.wait(20)
            return b"{}"
        origin.answers["/late.jsonld"] = (200, {"Content-Length": "2"}, wait)
        start = time.monotonic()
        try:
            self.both(new_city("--config", str(settings)), urn, origin.url + "/late.jsonld", "LdContextNotAvailable")
        finally:
            gate.set()
        assert time.monotonic() - start < 10

    @pytest.mark.parametrize("name, text", [("no json", b"<html>"), ("no context", b"{}"),
                                            ("no terms", b'{"@context": 5}'), ("a bad term", b'{"@context": {"a": 5}}'),
                                            ("a cycle", None), ("a bad version", b'{"@context": {"@version": 7}}')])
    def test_invalid(self, city, urn, origin, name, text):
        path = f"/invalid-{name.replace(' ', '-')}.jsonld"
        self.both(city, urn, origin.serve(path, text if text else [origin.url + path]), "BadRequestData")

    @pytest.mark.parametrize("context", [5, True, None, [5], {"a": 5}, {"a": {"@id": 5}}, "no url", {"@vocab": 5},
                                         {"a": {"@container": "@nothing"}}])
    def test_invalid_in_a_body(self, city, urn, context):
        entity = {"@context": context, "id": urn(), "type": "Thing"}
        answer = city.request("POST", "entities", json=entity, headers=LD)
        if context is None:  # a null context is the empty one: JSON-LD allows it
            assert answer.status_code in (201, 400)
        else:
            refused(answer, "BadRequestData")

    @pytest.mark.parametrize("header", [f'<{CORE}; rel={CONTEXT_REL}', "nonsense", f'{CORE}; rel="{CONTEXT_REL}"',
                                        f'<{CORE}>; rel="{CONTEXT_REL}', f'<{CORE}>; rel="{CONTEXT_REL}" more'])
    def test_links_that_are_none(self, city, urn, header):
        refused(city.get("entities?type=Thing", headers={"Link": header}), "InvalidRequest")
        refused(city.delete("entities/" + urn(), headers={"Link": header}), "InvalidRequest")
        refused(city.request("POST", "entities", json={"id": urn(), "type": "Thing"},
                             headers={**JSON, "Link": header}), "InvalidRequest")

    @pytest.mark.parametrize("header", [", ".join([f'<{CORE}>; rel="{CONTEXT_REL}"'] * 2),
                                        f'<relative.jsonld>; rel="{CONTEXT_REL}"', f'<>; rel="{CONTEXT_REL}"'])
    def test_links_that_name_no_context(self, city, header):
        refused(city.get("entities?type=Thing", headers={"Link": header}), "BadRequestData")

    @pytest.mark.parametrize("header", ['<URL>; title="a \\"b\\", <c>"; rel="REL"', '<URL>;rev="x";rel=REL',
                                        ', <URL>;; rel="next REL",', '<n>; rel=next, <URL> ; Rel = "REL"'])
    def test_links_as_rfc_8288_writes_them(self, city, urn, origin, header):
        url = origin.serve("/links.jsonld", TERMS)
        create(city, {"id": urn(), "type": "Thing", "a": prop(1)}, headers=link(url))
        asked = {"Link": header.replace("URL", url).replace("REL", CONTEXT_REL)}
        assert ok(city.get(f"entities/{urn()}", headers=asked)).json()["type"] == "Thing"

    def test_other_links_do_not_matter(self, city):
        ok(city.get("entities?type=Thing", headers={"Link": '<http://127.0.0.1:1/>; rel="next", <x>; rel=other'}))


@pytest.mark.clause("6.3.5")
def test_deletes_take_the_link(city, urn, origin):
    url = origin.serve("/delete.jsonld", TERMS)
    create(city, {"id": urn(), "type": "Thing", "a": prop(1)}, headers=link(url))
    refused(city.delete(f"entities/{urn()}/attrs/a"), "ResourceNotFound")
    refused(city.delete(f"entities/{urn()}?type=Thing"), "ResourceNotFound")
    no_content(city.delete(f"entities/{urn()}/attrs/a", headers=link(url)))
    no_content(city.delete(f"entities/{urn()}?type=Thing", headers=link(url)))


@pytest.mark.clause("6.3.5")
def test_posted_queries_take_link_or_body(city, urn, origin):
    url = origin.serve("/query.jsonld", TERMS)
    create(city, {"id": urn(), "type": "Thing", "a": prop(7)}, headers=link(url))
    query = {"type": "Query", "entities": [{"type": "Thing", "id": urn()}], "q": "a==7"}
    for body, headers in ((query, {**JSON, **link(url)}), ({**query, "@context": url}, LD),
                          ({**query, "@context": [url]}, LD)):
        answer = ok(city.request("POST", "entityOperations/query", json=body, headers=headers))
        assert answer.json() == [{"id": urn(), "type": "Thing", "a": prop(7)}]
    assert ok(city.post("entityOperations/query", query)).json() == []


def test_preloaded_documents_need_no_network(tmp_path, new_city, urn):
    folder = tmp_path / "contexts"
    folder.mkdir()
    (folder / "terms.json").write_text(json.dumps({"@context": TERMS}))
    (folder / "index.json").write_text(json.dumps({"https://nowhere.example/terms.jsonld": "terms.json"}))
    city = new_city("--contexts", str(folder))
    headers = link("https://nowhere.example/terms.jsonld")
    create(city, {"id": urn(), "type": "Thing", "a": prop(1)}, headers=headers)
    assert get(city, urn())[EX + "a"] == prop(1)


def test_the_cache_is_bounded(tmp_path, new_city, origin):
    settings = tmp_path / "city.toml"
    settings.write_text('[contexts]\ncache_bytes = "1 MiB"\n')
    city = new_city("--config", str(settings))
    terms = {f"t{i}": f"{EX}{i}" for i in range(500)}
    for n in range(40):
        ok(city.get("entities?type=Thing&local=true", headers=link(origin.serve(f"/bound{n}.jsonld", terms))))
    metrics = city.get("/metrics").text
    held = [float(line.split()[-1]) for line in metrics.splitlines() if line.startswith("wellspring_context")
            and "bytes" in line.split()[0]]
    assert held and held[0] <= 1 << 20
    ok(city.get("entities?type=Thing", headers=link(origin.url + "/bound0.jsonld")))  # fetched again
    assert origin.asked.count("/bound0.jsonld") == 2
