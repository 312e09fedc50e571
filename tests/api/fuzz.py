#!/usr/bin/env python3
"""Asks a running city what its own description allows, and what it does not, and looks at the answers.

usage: fuzz.py URL [--seconds N] [--requests N] [--seed N]

Requests are made from /openapi.json: most values fit their schema, some are bent. Whatever is asked, the
city answers with a status that the operation declares, no 5xx except for an @context that cannot be had,
JSON where it says JSON, and a problem with type and title where it refuses. Prints what breaks this, with
the request, and the table operation, status, number; the exit code is 1 then. Equal seeds ask the same,
as long as the city answers the same.
"""
import argparse
import collections
import http.client
import json
import random
import sys
import time
import urllib.parse

NASTY_TEXT = ["", " ", "\u0000", "\ud7ff", "\U0001f6a6", "é" * 40, "a" * 3000, "%", "%zz", "../..", "null", "urn:ngsi-ld:null",
              "@none", "@context", "<a>", "\"", "'", "\\", ";", "1e999", "-0", "http://[::1", "urn:", "\r\nX: y", "*", "+", "()", "[["]
NASTY_VALUES = [None, True, 0, -1, 2 ** 53, -2 ** 63, 2 ** 64, 1e308, 1e-320, [], {}, [[]], [[[[[[]]]]]], {"": {}}, "", "\u0000",
                {"type": "Property"}, {"@value": 1}, {"@type": 5}, {"type": "Relationship", "object": []}, "urn:ngsi-ld:null"]
NAMES = ["speed", "temperature", "isParked", "location", "name", "observedAt", "scope", "type", "id", "a", "http://x.org/p", "ü",
         "value", "@id", "createdAt", "a.b", "sub", "expiresAt", "p:q"]
TYPES = ["Vehicle", "Building", "T", "http://x.org/T", "(A|B);C", "A,B", "*", "A|", ""]
SOUND = 3  # so many words at the beginning of each list below are right
GEO_QUERY = [("georel", "near;maxDistance==100000"), ("geometry", "Point"), ("coordinates", "[1,2]")]
WORDS = {
    "q": ["speed>1", "speed|name==\"x\"", "(speed>1;name)|a", "name==\"x\"", "(speed>1;name)|a", "a[b.c]==1..2", "name~=a.*", "!speed", "a{T}.b>1", "observedAt>2020-01-01T00:00:00Z",
          "speed==1,2,3", "((((", "a==", "name~=(a+)+$", "speed>1;;a", "sub.a.b!=\"é\""],
    "georel": ["near;maxDistance==100", "near;minDistance==1", "within", "intersects", "disjoint", "overlaps", "contains", "equals", "near", "far"],
    "geometry": ["Point", "Polygon", "LineString", "MultiPoint", "GeometryCollection", "x"],
    "coordinates": ["[1,2]", "[[0,0],[0,1],[1,1],[0,0]]", "[[[0,0],[0,1],[1,1],[0,0]]]", "[181,91]", "[]", "[1e400,0]", "[[", "\"[1,2]\""],
    "geoproperty": ["location", "a", "b", ""],
    "geometryProperty": ["location", "a"],
    "type": TYPES,
    "idPattern": [".*", "urn:.*", "^urn:ngsi-ld:[^:]+:1", "(", "(a+)+$", "[[:alpha:]]+"],
    "scopeQ": ["/a", "/a/#", "/+/b;/c", "/#", "a", "(/a|/b);/c", "/"],
    "attrs": ["speed", "speed,name", ",", "location"],
    "pick": ["id", "id,type,speed", "a{b,c{d}}", "a{", "a|b"],
    "omit": ["id", "speed", "a{b}", "scope"],
    "keep": ["speed", "a,b"],
    "drop": ["speed", "a,b"],
    "options": ["keyValues", "sysAttrs", "concise", "normalized,sysAttrs", "noOverwrite", "update", "replace", "simplified", "x", ","],
    "format": ["normalized", "concise", "temporalValues", "aggregatedValues", "simplified", "keyValues", "x"],
    "lang": ["en", "de,en;q=0.5", "*", "\u00e9"],
    "datasetId": ["@none", "urn:x:1", "urn:x:1,@none", "x", ",,"],
    "orderBy": ["speed", "speed;desc", "name;asc,speed", "id;x", "dist-asc"],
    "collation": ["en", "zh-u-co-pinyin", "de", "x"],
    "orderFrom": ["[1,2]", "["],
    "join": ["flat", "inline", "@none", "x"],
    "joinLevel": ["1", "2", "3", "0", "-1", "99999999999"],
    "containedBy": ["urn:x:1", "urn:x:1,urn:ngsi-ld:Vehicle:1", "x"],
    "limit": ["1", "2", "20", "0", "-1", "99999999999999999999", "x"],
    "offset": ["0", "1", "1000000", "-1"],
    "count": ["true", "false", "true", "x"],
    "local": ["true", "false"],
    "observedAt": ["2020-01-01T00:00:00Z", "2021-01-01T00:00:00.5Z", "2020-06-01T00:00:00+02:00", "yesterday", "2020-13-01T00:00:00Z"],
    "timerel": ["before", "after", "between", "x"],
    "timeAt": ["2020-01-01T00:00:00Z", "2019-01-01T00:00:00Z", "2098-01-01T00:00:00Z", "x"],
    "endTimeAt": ["2100-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "2100-06-01T00:00:00Z", "x"],
    "timeproperty": ["observedAt", "createdAt", "modifiedAt", "deletedAt", "expiresAt"],
    "lastN": ["1", "2", "20", "0", "99999999999"],
    "aggrMethods": ["sum,avg,stddev", "min,max", "totalCount,distinctCount,sumsq", "median"],
    "aggrPeriodDuration": ["P1M", "PT1H", "PT0S", "PT0.000001S", "x"],
}
TIME_QUERY = [("timerel", "after"), ("timeAt", "2019-01-01T00:00:00Z")]
SETS = {"georel": GEO_QUERY, "timerel": TIME_QUERY}  # parameters that go together
MEDIA = ["application/json", "application/ld+json", "application/geo+json", "*/*", "text/html", "application/json;q=0.5, */*;q=0.1", "x"]
CONTEXT_LINK = '<%s>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
CORE = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld"
LINKS = [CONTEXT_LINK % CORE, CONTEXT_LINK % "http://127.0.0.1:1/none.jsonld", "<x>", "", '<a>; rel="b', ", ,"]
NO_BODY = (411, 415)  # the status alone answers (6.3.4)
# Share of values that do not fit: of most requests none, so that they reach what lies behind the checks.
BENT = [0, 0, 0, 0.03, 0.2]
FITTING_NAMES = ["speed", "temperature", "isParked", "location", "name", "a", "http://x.org/p", "sub"]
FITTING_TYPES = ["Vehicle", "Building", "T", "http://x.org/T"]


class Maker:
    """Random values for schemas of a description."""

    def __init__(self, rng, schemas):
        self.rng, self.schemas = rng, schemas
        self.ids = ["urn:ngsi-ld:Vehicle:%d" % i for i in range(12)]
        self.bent = 0

    def begin(self):
        """A request of its own measure."""
        self.bent = self.rng.choice(BENT)

    def bends(self):
        return self.rng.random() < self.bent

    def text(self):
        return self.rng.choice(NASTY_TEXT) if self.bends() else self.rng.choice(FITTING_TYPES)

    def of_format(self, name):
        r = self.rng
        if name == "uri":
            return r.choice(["urn:x:" + self.text(), self.text()]) if self.bends() else r.choice(self.ids)
        if self.bends():
            return r.choice(["2020-02-30T00:00:00Z", "2020-01-01", "99999-01-01T00:00:00Z"])
        return r.choice(["2020-01-01T00:00:00Z", "2099-12-31T23:59:59.999Z"])

    def attribute(self, depth):
        """One instance that is right, of any kind, with sub-attributes."""
        r = self.rng
        out = r.choice([
            lambda: {"type": "Property", "value": r.choice([1, -2.5, "x", True, [1, 2], {"a": 1}])},
            lambda: {"type": "Relationship", "object": r.choice(self.ids)},
            lambda: {"type": "GeoProperty", "value": self.geometry()},
            lambda: {"type": "LanguageProperty", "languageMap": {"en": "street", "de": "Straße"}},
            lambda: {"type": "VocabProperty", "vocab": r.choice(["T", ["T", "Vehicle"]])},
            lambda: {"type": "JsonProperty", "json": {"a": [None]}},
            lambda: {"type": "ListProperty", "valueList": [1, "x", []]},
            lambda: {"type": "ListRelationship", "objectList": [r.choice(self.ids)]},
            lambda: {"value": r.randrange(100)},
        ])()
        if r.random() < 0.2:
            out["observedAt"] = self.of_format("date-time")
        if r.random() < 0.1:
            out["datasetId"] = "urn:x:%d" % r.randrange(3)
        if r.random() < 0.2 and depth < 5:
            out[r.choice(FITTING_NAMES)] = self.attribute(depth + 1)
        return out

    def value(self, schema, depth=0):
        r = self.rng
        if self.bends():
            return r.choice(NASTY_VALUES)
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            if name in ("Attribute", "Instances", "TemporalInstances") and r.random() < 0.8:
                return self.attribute(depth)
            if name == "Geometry":
                return self.geometry()
            return self.value(self.schemas[name], depth)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return r.choice(schema["enum"])
        if "anyOf" in schema:
            return self.value(r.choice(schema["anyOf"]), depth + 1)
        kind = schema.get("type")
        kind = r.choice(kind) if isinstance(kind, list) else kind
        kind = kind or r.choice(["string", "number", "boolean", "object", "array"])
        return getattr(self, "make_" + kind)(schema, depth)

    def make_string(self, schema, depth):
        return self.of_format(schema["format"]) if "format" in schema else self.text()

    def make_number(self, schema, depth):
        return self.rng.choice([self.rng.randrange(-5, 100), self.rng.uniform(-180, 180)])

    def make_integer(self, schema, depth):
        return self.rng.randrange(0, 10)

    def make_boolean(self, schema, depth):
        return self.rng.random() < 0.5

    def make_array(self, schema, depth):
        most = 1 if depth > 4 else 4
        return [self.value(schema.get("items", {"type": "number"}), depth + 1)
                for _ in range(self.rng.randrange(schema.get("minItems", 0), most + 1))]

    def make_object(self, schema, depth):
        r, out = self.rng, {}
        for name, inner in schema.get("properties", {}).items():
            if name in schema.get("required", []) and r.random() > 0.02 or r.random() < 0.25 / (1 + depth):
                out[name] = self.value(inner, depth + 1)
        more = schema.get("additionalProperties")
        more = {} if more is True else more
        if more is not None and more is not False and depth < 6:
            for _ in range(r.randrange(0, 4)):
                out[r.choice(NAMES if self.bends() else FITTING_NAMES)] = self.value(more, depth + 1)
        if not self.bends():
            out.pop("@context", None)
        return out

    def variable(self, name):
        """Value of a path's variable: an entity's id, a name, or the id of anything else that may be there."""
        if self.bends():
            return self.rng.choice(NASTY_TEXT) or "x"
        if name in ("attrId", "type"):
            return self.rng.choice(FITTING_NAMES + FITTING_TYPES)
        return self.rng.choice(self.ids)

    def geometry(self):
        r = self.rng
        return r.choice([{"type": "Point", "coordinates": [r.uniform(-180, 180), r.uniform(-90, 90)]},
                         {"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1], [0, 0]]]}])

    def param(self, name):
        r = self.rng
        if self.bends():
            return r.choice(NASTY_TEXT)
        if name == "id":
            return ",".join(r.sample(self.ids, r.randrange(1, 3)))
        if name not in WORDS:
            return self.text()
        return r.choice(WORDS[name] if self.bends() or r.random() < 0.05 else WORDS[name][:SOUND])


def resolve(node, description):
    while "$ref" in node:
        target = description
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def is_endless(operation):
    """Does it answer with events that never end? Nothing waits for those."""
    return any("text/event-stream" in answer.get("content", {}) for answer in operation["responses"].values())


class Fuzzer:
    def __init__(self, url, seed):
        self.host = urllib.parse.urlsplit(url).netloc
        self.rng = random.Random(seed)
        self.connection = None
        self.description = json.loads(self.send("GET", "/openapi.json", {}, None)[2])
        self.operations = [(method.upper(), path, operation) for path, methods in self.description["paths"].items()
                           for method, operation in methods.items() if not is_endless(operation)]
        self.maker = Maker(self.rng, self.description["components"]["schemas"])
        self.counts = collections.Counter()
        self.findings = []

    def send(self, method, target, headers, body):
        """Status, headers, body; asks once more on a connection that was closed meanwhile."""
        for attempt in (1, 2):
            if not self.connection:
                self.connection = http.client.HTTPConnection(self.host, timeout=60)
            try:
                self.connection.putrequest(method, target, skip_accept_encoding=True)
                for name, value in headers.items():
                    self.connection.putheader(name, value.encode("utf-8"))
                if body is not None:
                    self.connection.putheader("Content-Length", str(len(body)))
                self.connection.endheaders(body)
                answer = self.connection.getresponse()
                return answer.status, answer.headers, answer.read()
            except (http.client.HTTPException, OSError):
                self.connection.close()
                self.connection = None
                if attempt == 2:
                    raise
        return None

    def request(self, method, path, operation):
        r, bends = self.rng, self.maker.bends
        self.maker.begin()
        query, headers = [], {}
        for declared in operation.get("parameters", []):
            parameter = resolve(declared, self.description)
            name, place = parameter["name"], parameter["in"]
            if place == "path":
                value = self.maker.variable(name)
                path = path.replace("{%s}" % name, urllib.parse.quote(value.encode("utf-8", "replace"), safe="" if r.random() < 0.5 else ":"))
            elif place == "query" and r.random() < 2 / (4 + len(operation["parameters"])):
                together = SETS[name] if name in SETS and not bends() else [(name, self.maker.param(name))]
                query += [f"{n}={urllib.parse.quote(v.encode('utf-8', 'replace'))}" for n, v in together]
        if bends():
            query.append(r.choice(["unknown=1", "=", "&", "q", "type", "%"]))
        if r.random() < 0.2:
            headers["NGSILD-Tenant"] = r.choice(["not there", "x" * 300, "<"] if bends() else ["one", "two"])
        if r.random() < 0.2:
            headers["Accept"] = r.choice(MEDIA if bends() else MEDIA[:2])
        if r.random() < 0.1:
            headers["Link"] = r.choice(LINKS if bends() else LINKS[:1])
        body = None
        if "requestBody" in operation:
            content = operation["requestBody"]["content"]
            media = r.choice(list(content))
            headers["Content-Type"] = r.choice(MEDIA) if bends() else media
            body = self.body(content[media].get("schema", {"type": "string"}), headers)
        return path + ("?" + "&".join(query) if query else ""), headers, body

    def body(self, schema, headers):
        r = self.rng
        value = self.maker.value(schema)
        if headers["Content-Type"] == "application/ld+json" and isinstance(value, dict) and "Link" not in headers:
            value.setdefault("@context", r.choice([CORE, [CORE], {"p": "http://x.org/"}, [CORE, {"speed": "http://x.org/s"}]]))
        text = json.dumps(value, ensure_ascii=r.random() < 0.5).encode("utf-8", "replace")
        if self.maker.bends() and r.random() < 0.3:
            cut = r.randrange(0, len(text) + 1)
            text = r.choice([text[:cut], text + b"x", text[:cut] + bytes([r.randrange(256)]) + text[cut:], b""])
        return text

    def finding(self, what, request, answer):
        method, target, headers, body = request
        self.findings.append(what)
        print(f"FOUND {what}\n  {method} {target}\n  {headers}\n  {body!r}\n  -> {answer[0]} {answer[2][:600]!r}", flush=True)

    def judge(self, operation, request, answer):
        status, headers, body = answer
        name = operation["operationId"]
        self.counts[name, status] += 1
        problem = None
        if "json" in headers.get("Content-Type", "") and body:
            try:
                problem = json.loads(body)
            except ValueError as error:
                self.finding(f"{name}: no JSON: {error}", request, answer)
                return
        if str(status) not in operation["responses"] and status not in (405, 414, 431):
            self.finding(f"{name}: {status} is not declared", request, answer)
        if status >= 500 and not (status == 504 and problem and problem.get("type", "").endswith("LdContextNotAvailable")):
            self.finding(f"{name}: {status}", request, answer)
        if status >= 400 and status not in NO_BODY and not (isinstance(problem, dict) and problem.get("type") and problem.get("title")):
            self.finding(f"{name}: {status} without a problem", request, answer)

    def step(self):
        method, path, operation = self.rng.choice(self.operations)
        target, headers, body = self.request(method, path, operation)
        request = (method, target, headers, body)
        try:
            answer = self.send(method, target, headers, body)
        except (http.client.HTTPException, OSError) as error:
            self.finding(f"{operation['operationId']}: no answer: {error!r}", request, (0, {}, b""))
            return
        self.judge(operation, request, answer)


def fuzz(url, seconds=None, requests=None, seed=1):
    """Findings, and a Counter of (operation, status)."""
    fuzzer = Fuzzer(url, seed)
    until = time.monotonic() + seconds if seconds else None
    done = 0
    while (until is None or time.monotonic() < until) and (requests is None or done < requests):
        fuzzer.step()
        done += 1
        if len(fuzzer.findings) >= 50:
            break
    return fuzzer.findings, fuzzer.counts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--requests", type=int)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    findings, counts = fuzz(arguments.url, arguments.seconds, arguments.requests or (None if arguments.seconds else 10000), arguments.seed)
    for (name, status), number in sorted(counts.items()):
        print(f"{name:24} {status} {number}")
    print(f"{sum(counts.values())} requests, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
