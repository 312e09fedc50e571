"""What the conformance tests share: names, headers, and what a refusal looks like."""
import http.client
import json

CORE = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.9.jsonld"
DEFAULT = "https://uri.etsi.org/ngsi-ld/default-context/"
ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
CONTEXT_REL = "http://www.w3.org/ns/json-ld#context"
NULL = "urn:ngsi-ld:null"
JSON = {"Content-Type": "application/json"}
LD = {"Content-Type": "application/ld+json"}
MERGE = {"Content-Type": "application/merge-patch+json"}
ACCEPT_LD = {"Accept": "application/ld+json"}
ACCEPT_GEO = {"Accept": "application/geo+json"}

STATUS = {"InvalidRequest": 400, "BadRequestData": 400, "AlreadyExists": 409, "OperationNotSupported": 422,
          "ResourceNotFound": 404, "InternalError": 500, "TooComplexQuery": 403, "TooManyResults": 403,
          "LdContextNotAvailable": 504, "NonexistentTenant": 404}


def link(url):
    return {"Link": f'<{url}>; rel="{CONTEXT_REL}"; type="application/ld+json"'}


def refused(answer, kind, status=None):
    """Checks the error body of clauses 5.5.2, 5.5.3 and 6.3.3, and gives it back."""
    assert answer.status_code == (status or STATUS[kind]), f"{answer.status_code} {answer.text}"
    body = answer.json()
    assert body["type"] == ERRORS + kind, body
    assert isinstance(body["title"], str) and body["title"]
    assert isinstance(body["detail"], str) and body["detail"]
    assert body["status"] == answer.status_code
    assert answer.headers["Content-Type"] == "application/json"
    assert CONTEXT_REL not in answer.headers.get("Link", "")  # 6.3.6: no Link to a @context with an error
    return body


def ok(answer, status=200):
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    return answer


def no_content(answer):
    """204: no body and no length of one (clause 6.3.6)."""
    ok(answer, 204)
    assert answer.content == b""
    assert "Content-Length" not in answer.headers
    assert "Link" not in answer.headers


def send(city, method, path, text, headers=None):
    """The bytes as they are."""
    return city.request(method, path, data=text.encode() if isinstance(text, str) else text,
                        headers={**JSON, **(headers or {})})


def create(city, entity, headers=None):
    return ok(city.post("entities", entity, headers=headers), 201)


def get(city, entity_id, query="", headers=None):
    return ok(city.get(f"entities/{entity_id}{query}", headers=headers)).json()


def ids(city, query, headers=None):
    """The ids a query finds, in order."""
    answer = ok(city.get(f"entities?{query}", headers=headers))
    return [e["id"] for e in answer.json()]


def compact(value):
    return json.dumps(value, separators=(",", ":"))


def prop(value, **more):
    return {"type": "Property", "value": value, **more}


def rel(target, **more):
    return {"type": "Relationship", "object": target, **more}


def geo(kind, coordinates, **more):
    return {"type": "GeoProperty", "value": {"type": kind, "coordinates": coordinates}, **more}


def without_times(entity):
    """The entity without its system attributes, at every depth."""
    if isinstance(entity, dict):
        return {k: without_times(v) for k, v in entity.items() if k not in ("createdAt", "modifiedAt")}
    if isinstance(entity, list):
        return [without_times(v) for v in entity]
    return entity


def raw(city, method, target, headers=None, body=None):
    """A request byte for byte as given, which requests would mend: (status, headers, body)."""
    connection = http.client.HTTPConnection(city.url[len("http://"):], timeout=30)
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        connection.endheaders()
        if body is not None:
            connection.send(body)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()
