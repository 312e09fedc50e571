#!/usr/bin/env python3
"""Makes the description of the API, as OpenAPI 3.1 and for people, from the tables of this folder.

usage: openapi.py VERSION OPENAPI_JSON API_MD C_SOURCE

Every operation of endpoints.tsv must have a line in answers.tsv and the other way round, and every
schema that is named must be in schemas.json, so that the description cannot fall behind.
"""
import json
import pathlib
import sys

from tables import listed, rows

HERE = pathlib.Path(__file__).parent
BASE = "/ngsi-ld/v1/"

# Type of a URL parameter in parameters.tsv: its schema.
PARAMETER_TYPES = {
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer", "minimum": 0},
    "json": {"type": "string", "contentMediaType": "application/json"},
    "positive": {"type": "integer", "minimum": 1},
    "datetime": {"$ref": "#/components/schemas/DateTime"},
    "uri": {"$ref": "#/components/schemas/Id"},
    "names": {"type": "string", "description": "names, separated by commas"},
    "uris": {"type": "string", "description": "URIs, separated by commas"},
}

# Body in endpoints.tsv: schema, media types.
JSON_MEDIA = ["application/json", "application/ld+json"]
BODIES = {
    "entity": ({"$ref": "#/components/schemas/Entity"}, JSON_MEDIA),
    "fragment": ({"$ref": "#/components/schemas/Fragment"}, JSON_MEDIA),
    "attribute": ({"$ref": "#/components/schemas/Instances"}, JSON_MEDIA),
    "entities": ({"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Entity"}}, JSON_MEDIA),
    "ids": ({"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Id"}}, JSON_MEDIA),
    "query": ({"$ref": "#/components/schemas/Query"}, JSON_MEDIA),
    "subscription": ({"$ref": "#/components/schemas/Subscription"}, JSON_MEDIA),
    "registration": ({"$ref": "#/components/schemas/Registration"}, JSON_MEDIA),
    "registration_fragment": ({"$ref": "#/components/schemas/RegistrationFragment"}, JSON_MEDIA),
    "subscription_fragment": ({"$ref": "#/components/schemas/SubscriptionFragment"}, JSON_MEDIA),
    "snapshot": ({"$ref": "#/components/schemas/Snapshot"}, JSON_MEDIA),
    "snapshot_clone": ({"$ref": "#/components/schemas/SnapshotClone"}, JSON_MEDIA),
    "snapshot_fragment": ({"$ref": "#/components/schemas/SnapshotFragment"}, JSON_MEDIA),
    "entity_map": ({"$ref": "#/components/schemas/EntityMapFragment"}, JSON_MEDIA),
    "context": ({"$ref": "#/components/schemas/ServedContext"}, JSON_MEDIA),
    "evolution": ({"$ref": "#/components/schemas/EntityTemporal"}, JSON_MEDIA),
    "evolution_fragment": ({"$ref": "#/components/schemas/EntityTemporalFragment"}, JSON_MEDIA),
    "instance": ({"$ref": "#/components/schemas/EntityTemporalFragment"}, JSON_MEDIA),
    "temporal_query": ({"$ref": "#/components/schemas/TemporalQueryDocument"}, JSON_MEDIA),
}
MERGE_PATCH = "application/merge-patch+json"

SUCCESSES = {
    "200": "Here it is", "201": "Created", "204": "Done", "207": "Done in part: the body says what was not",
    "202": "Accepted: it goes on in the background",
    "206": "Here is a part of it: Content-Range says which time",
}
REFUSALS = {
    "400": "The request is wrong; the body says what, and where",
    "403": "Too complex, too large an answer, or an address that may not be reached",
    "404": "There is no such thing, or no such tenant",
    "406": "No representation that Accept allows",
    "409": "It exists already, or stands against something that does",
    "411": "Content-Length is missing",
    "413": "The body is larger than a limit, which the body names",
    "415": "The body's media type is not one of these",
    "422": "The city does not support this operation",
    "429": "A bound is used up: connections of one peer, entity maps, snapshots, @contexts that are served or downloaded; later it may go",
    "503": "The city cannot do it now; try again",
    "504": "An @context cannot be had, or the answer took too long",
    "507": "There is no room to write",
}
WITHOUT_BODY = ["400", "403", "404", "406", "422", "429", "503", "504"]
WITH_BODY = ["411", "413", "415", "507"]
BARE = ("411", "415")  # the status alone answers (6.3.4)

HEADERS = {
    "Location": "Path of what was created",
    "Content-Range": "The time that a part of an answer covers: DateTime, from where to where, and how many were asked for",
    "Link": "The @context of the answer; pages before and behind this one",
    "NGSILD-Results-Count": "Number of all results, when count=true",
    "NGSILD-EntityMap": "Path of the entity map used",
    "NGSILD-Tenant": "The tenant, when one was given",
    "NGSILD-Warning": "What the answer may lack",
    "Preference-Applied": "Version of NGSI-LD that the answer keeps to",
}

REQUEST_HEADERS = {
    "NGSILD-Tenant": ("Tenant to work in; the default one when absent", "6.3.14"),
    "NGSILD-Snapshot": ("Snapshot to work in; what is now when absent", "6.3.22"),
    "Link": ("The @context, with rel=\"http://www.w3.org/ns/json-ld#context\"", "6.3.5"),
}

# Parameters of pages.tsv that no operation of NGSI-LD has, and headers that pages with parameters heed.
PAGE_PARAMETERS = {
    "tenant": "Tenant to work in, like NGSILD-Tenant, for who can send no headers",
    "context": "URL of the @context, likewise instead of Link",
    "accept": "application/geo+json for GeoJSON, likewise instead of Accept",
    "query": "A statement in SQL, one SELECT",
}
# What a page takes as application/json, by its operation; other bodies are texts.
PAGE_BODIES = {
    "sqlPost": {"type": "object", "required": ["sql"], "properties": {
        "sql": {"type": "string", "description": "one SELECT"}, "parameters": {"type": ["object", "array"]}}},
    "grafanaQuery": {"type": "object", "required": ["targets"], "properties": {
        "range": {"type": "object", "properties": {"from": {"type": "string"}, "to": {"type": "string"}}},
        "intervalMs": {"type": "integer"},
        "targets": {"type": "array", "items": {"type": "object", "properties": {"target": {"type": "string"}}}}}},
}
PAGE_HEADERS = {"Last-Event-ID": "Point to go on from: the id of the last event that came"}


def schema_of(text, schemas):
    name = text.strip("[]")
    if name not in schemas:
        sys.exit(f"answers.tsv: schema {name} is not in schemas.json")
    ref = {"$ref": f"#/components/schemas/{name}"}
    return {"type": "array", "items": ref} if text.startswith("[") else ref


def success(text, geojson, schemas):
    """One success of answers.tsv: its status and response object."""
    text, *headers = text.split("+")
    status, _, schema = text.partition(":")
    if status not in SUCCESSES:
        sys.exit(f"answers.tsv: {status} is no success that is known")
    response = {"description": SUCCESSES[status]}
    if headers:
        response["headers"] = {h: {"$ref": f"#/components/headers/{h}"} for h in headers}
    if schema:
        media = JSON_MEDIA + (["application/geo+json"] if geojson else [])
        response["content"] = {m: {"schema": schema_of(schema, schemas)} for m in media}
        if geojson:
            response["content"]["application/geo+json"] = {"schema": {"type": "object"}}
    return status, response


def parameters_of(endpoint, declared):
    out = [{"name": part[1:-1], "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
           for part in endpoint["path"].split("/") if part.startswith("{")]
    for name in endpoint["parameters"]:
        if name == "options":
            schema = {"type": "string", "description": "of " + ", ".join(endpoint["options"])}
            out.append({"name": name, "in": "query", "description": declared[name][2], "schema": schema})
        else:
            out.append({"$ref": f"#/components/parameters/{name}"})
    out += [{"$ref": f"#/components/parameters/{h}"} for h in REQUEST_HEADERS]
    return out


def page_headers(page):
    return PAGE_HEADERS if page["media"] == "text/event-stream" else {}


def page_of(page, declared):
    """A page's operation; one that takes parameters heeds the headers of an NGSI-LD request, too."""
    out = {"operationId": page["operation"], "summary": page["summary"], "tags": ["city"],
           "responses": {"200": {"description": SUCCESSES["200"], "content": {page["media"]: {}}}}}
    own = [p for p in page["parameters"] if p in PAGE_PARAMETERS]
    if page["parameters"]:
        shared = {**page, "path": "", "parameters": [p for p in page["parameters"] if p not in own]}
        out["parameters"] = [p for p in parameters_of(shared, declared)
                             if p.get("$ref") != "#/components/parameters/NGSILD-Snapshot"]
        out["parameters"] += [{"name": p, "in": "query", "description": PAGE_PARAMETERS[p], "schema": {"type": "string"}}
                              for p in own]
        out["parameters"] += [{"name": h, "in": "header", "description": meaning, "schema": {"type": "string"}}
                              for h, meaning in page_headers(page).items()]
    if page["body"]:
        out["requestBody"] = {"required": True, "content": {
            media: {"schema": PAGE_BODIES.get(page["operation"], {"type": "object"}) if media.endswith("json") else {"type": "string"}}
            for media in page["body"]}}
    for status in page["refusals"]:
        out["responses"][status] = {"$ref": f"#/components/responses/{status}"}
    return out


def operation_of(endpoint, answered, declared, schemas):
    body = endpoint["body"]
    geojson = any(a.partition("+")[0].partition(":")[2] in ("Entity", "[Entity]") for a in answered["successes"])
    out = {
        "operationId": endpoint["operation"],
        "summary": endpoint["summary"],
        "description": f"CIM 009 clause {endpoint['clause']}",
        "tags": [endpoint["path"].split("/")[0]],
        "parameters": parameters_of(endpoint, declared),
        "responses": dict(success(s, geojson, schemas) for s in answered["successes"]),
    }
    if body != "-":
        schema, media = BODIES[body]
        if endpoint["method"] == "PATCH":
            media = media + [MERGE_PATCH]
        out["requestBody"] = {"required": True, "content": {m: {"schema": schema} for m in media}}
    for status in sorted({*WITHOUT_BODY, *(WITH_BODY if body != "-" else []), *answered["refusals"]}):
        out["responses"][status] = {"$ref": f"#/components/responses/{status}"}
    return out


def read(path=HERE):
    endpoints = [dict(zip(("operation", "method", "path", "parameters", "options", "body", "clause", "summary"), r))
                 for r in rows(path / "endpoints.tsv", 8)]
    for e in endpoints:
        e["parameters"], e["options"] = listed(e["parameters"]), listed(e["options"])
        if e["body"] != "-" and e["body"] not in BODIES:
            sys.exit(f"endpoints.tsv: {e['operation']}: openapi.py does not know the body {e['body']}")
    answers = {r[0]: {"successes": listed(r[1]), "refusals": listed(r[2])} for r in rows(path / "answers.tsv", 3)}
    lacking = {e["operation"] for e in endpoints} ^ set(answers)
    if lacking:
        sys.exit(f"endpoints.tsv and answers.tsv do not agree about {', '.join(sorted(lacking))}")
    parameters = {r[0]: r[1:] for r in rows(path / "parameters.tsv", 4)}
    schemas = json.loads((path / "schemas.json").read_text(encoding="utf-8"))
    pages = [dict(zip(("operation", "path", "media", "parameters", "options", "refusals", "summary"), r))
             for r in rows(path / "pages.tsv", 7)]
    for p in pages:  # path is "/live", or with another method and the media of its body "POST:application/json /sql"
        for column in ("parameters", "options", "refusals"):
            p[column] = listed(p[column])
        method, _, path = p["path"].rpartition(" ")
        p["method"], _, body = method.partition(":") if method else ("GET", "", "")
        p["path"], p["body"] = path, listed(body or "-")
        unknown = set(p["parameters"]) - set(parameters) - set(PAGE_PARAMETERS)
        if unknown:
            sys.exit(f"pages.tsv: {p['operation']}: no such parameters: {', '.join(sorted(unknown))}")
    return endpoints, answers, parameters, schemas, pages


def components(parameters, schemas):
    problem = {"application/json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    declared = {
        name: {"name": name, "in": "query", "description": f"{meaning} ({clause})",
               "schema": PARAMETER_TYPES.get(kind, {"type": "string"})}
        for name, (kind, clause, meaning) in parameters.items() if name != "options"}
    for name, (meaning, clause) in REQUEST_HEADERS.items():
        declared[name] = {"name": name, "in": "header", "description": f"{meaning} ({clause})",
                          "schema": {"type": "string"}}
    return {
        "schemas": schemas,
        "parameters": declared,
        "headers": {n: {"description": d, "schema": {"type": "string"}} for n, d in HEADERS.items()},
        "responses": {s: {"description": d} if s in BARE else {"description": d, "content": problem}
                      for s, d in REFUSALS.items()},
    }


def openapi(version, endpoints, answers, parameters, schemas, pages):
    paths = {}
    for e in endpoints:
        paths.setdefault(BASE + e["path"], {})[e["method"].lower()] = operation_of(
            e, answers[e["operation"]], parameters, schemas)
    for page in pages:
        paths.setdefault(page["path"], {})[page["method"].lower()] = page_of(page, parameters)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Wellspring", "version": version, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
                 "description": "The digital base of a city: NGSI-LD 1.9.1 (ETSI GS CIM 009)."},
        "paths": paths,
        "components": components(parameters, schemas),
    }


def section(e, answered, parameters):
    out = [f"### {e['summary']}", "", f"`{e['method']} {BASE}{e['path']}` · clause {e['clause']} · `{e['operation']}`", ""]
    if e["body"] != "-":
        schema, media = BODIES[e["body"]]
        named = schema.get("$ref", schema.get("items", {}).get("$ref", "")).rpartition("/")[2]
        out += [f"Body: {'a list of ' if 'items' in schema else ''}{named} as {', '.join(f'`{m}`' for m in media)}.", ""]
    if e["parameters"]:
        out += ["| Parameter | Type | Meaning |", "|---|---|---|"]
        out += [f"| `{p}` | {parameters[p][0]} | {parameters[p][2]}"
                f"{': ' + ', '.join(f'`{o}`' for o in e['options']) if p == 'options' else ''} ({parameters[p][1]}) |"
                for p in e["parameters"]]
        out.append("")
    for text in answered["successes"]:
        text, *headers = text.split("+")
        status, _, schema = text.partition(":")
        what = f" with {'a list of ' if schema.startswith('[') else ''}{schema.strip('[]')}" if schema else ""
        more = f" ({', '.join(f'`{h}`' for h in headers)})" if headers else ""
        out.append(f"- {status}: {SUCCESSES[status].lower()}{what}{more}")
    out += [f"- {s}: {REFUSALS[s].lower()}" for s in answered["refusals"]]
    return out + [""]


def markdown(endpoints, answers, parameters, schemas, pages):
    out = ["# The API", "", "Made from the tables in `api/`; the same as OpenAPI 3.1 is at `/openapi.json`.", "",
           "## Every operation may answer", "", "| Status | Meaning |", "|---|---|"]
    out += [f"| {s} | {REFUSALS[s]} |" for s in sorted(WITHOUT_BODY + WITH_BODY)]
    out += ["", "A refusal's body is a ProblemDetails (RFC 7807): `type` of clause 5.5.2, `title`, `detail`, and where it helps",
            "`pointer` (JSON Pointer into the body) and `limit` (name of the option that was broken).", ""]
    head = None
    for e in endpoints:
        if e["path"].split("/")[0] != head:
            head = e["path"].split("/")[0]
            out += [f"## {head}", ""]
        out += section(e, answers[e["operation"]], parameters)
    out += ["## Besides NGSI-LD", "", "| Path | Answer | |", "|---|---|---|"]
    out += [f"| `{'' if p['method'] == 'GET' else p['method'] + ' '}{p['path']}` | {p['media']} | {p['summary']} |" for p in pages]
    for p in pages:
        if p["parameters"]:
            own = {n: meaning for n, meaning in PAGE_PARAMETERS.items() if n in p["parameters"]}
            out += ["", f"Parameters of `{p['path']}`: {', '.join(f'`{name}`' for name in p['parameters'])}.",
                    *([f"Of `options`: {', '.join(f'`{o}`' for o in p['options'])}."] if p["options"] else []),
                    f"Refusals: {', '.join(p['refusals'])}.",
                    *(f"`{n}`: {meaning}." for n, meaning in {**own, **page_headers(p)}.items())]
    out += ["", "## Schemas", ""]
    out += [f"- **{name}**: {s.get('description', '')}" for name, s in schemas.items()]
    return "\n".join(out) + "\n"


def c_source(text):
    """The document as a C array; a string literal of that length is beyond what compilers must take."""
    numbers = [str(byte) for byte in text.encode("utf-8")]
    lines = [",".join(numbers[i:i + 32]) for i in range(0, len(numbers), 32)]
    return ('/* Made by api/openapi.py; do not edit. */\n#include "front/openapi.h"\n\n'
            "const char OPENAPI_JSON[] = {\n" + ",\n".join(lines) + "\n};\n"
            f"const size_t OPENAPI_JSON_BYTES = {len(numbers)};\n")


def main(version, openapi_path, markdown_path, c_path):
    tables = read()
    text = json.dumps(openapi(version, *tables), separators=(",", ":"))
    pathlib.Path(openapi_path).write_text(text, encoding="utf-8")
    pathlib.Path(markdown_path).write_text(markdown(*tables), encoding="utf-8")
    pathlib.Path(c_path).write_text(c_source(text), encoding="ascii")


if __name__ == "__main__":
    main(*sys.argv[1:])
