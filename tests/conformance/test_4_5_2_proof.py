"""Clauses 4.5.2.2, 4.5.2.3, 4.5.3 and C.11: attributes that are sealed by an ngsildproof."""
import pytest

from ngsi import DEFAULT, create, get, link, no_content, ok, prop, refused, rel

pytestmark = pytest.mark.clause("4.5.2.2", "5.2.5")
SEAL = {"type": "DataIntegrityProof", "created": "2026-01-27T21:02:24Z", "cryptosuite": "eddsa-rdfc-2022",
        "verificationMethod": "https://city.example/issuers/1#key", "proofPurpose": "assertionMethod",
        "proofValue": "z3XrH3diVCqpVHXkE7Wbnictqy"}


def proof(entity, **more):
    return prop(SEAL, entityIdSealed=entity, entityTypeSealed="Store", **more)


@pytest.mark.parametrize("sealed", [prop("Tiger Street 4"), rel("urn:ngsi-ld:City:1"),
                                    {"type": "LanguageProperty", "languageMap": {"en": "Tiger Street"}},
                                    {"type": "VocabProperty", "vocab": "street"},
                                    {"type": "JsonProperty", "json": {"street": 4}},
                                    {"type": "ListProperty", "valueList": [4, 5]}], ids=lambda a: a["type"])
def test_it_comes_back_as_it_was(city, urn, sealed):
    attribute = {**sealed, "ngsildproof": proof(urn())}
    create(city, {"id": urn(), "type": "Store", "address": attribute})
    assert get(city, urn())["address"] == attribute
    concise = get(city, urn(), "?format=concise")["address"]["ngsildproof"]
    assert concise == {k: v for k, v in proof(urn()).items() if k != "type"}
    assert "ngsildproof" not in str(get(city, urn(), "?format=simplified"))


def test_concise_input(city, urn):
    bare = {k: v for k, v in proof(urn()).items() if k != "type"}
    create(city, {"id": urn(), "type": "Store", "address": {"value": 1, "ngsildproof": bare}})
    assert get(city, urn())["address"] == prop(1, ngsildproof=proof(urn()))


@pytest.mark.clause("4.5.2.2", "5.5.7")
def test_the_sealed_type_is_a_name(city, origin, urn):
    """It is expanded and compacted like a type; the proof itself is not."""
    url = origin.serve("/store.jsonld", {"Store": "https://example.org/Store", "created": "https://example.org/created"})
    create(city, {"id": urn(), "type": "Store", "a": prop(1, ngsildproof=proof(urn()))}, headers=link(url))
    assert get(city, urn(), headers=link(url))["a"]["ngsildproof"] == proof(urn())
    elsewhere = get(city, urn())["a"]["ngsildproof"]
    assert elsewhere["entityTypeSealed"] == "https://example.org/Store" and elsewhere["value"] == SEAL
    unknown = proof(urn(), **{})
    create(city, {"id": urn(name=1), "type": "Store", "a": prop(1, ngsildproof=unknown)})
    assert get(city, urn(name=1))["a"]["ngsildproof"]["entityTypeSealed"] in ("Store", DEFAULT + "Store")


def test_it_follows_the_attribute(city, urn):
    create(city, {"id": urn(), "type": "Store", "a": prop(1, ngsildproof=proof(urn())), "b": prop(2)})
    no_content(city.patch(f"entities/{urn()}/attrs", {"a": prop(3, ngsildproof=proof(urn()))}))
    assert get(city, urn())["a"]["ngsildproof"] == proof(urn())
    no_content(city.patch(f"entities/{urn()}/attrs", {"a": prop(4)}))
    assert get(city, urn())["a"] == prop(4)  # what sealed the old value does not seal the new one


@pytest.mark.parametrize("attribute", [
    prop(1, entityIdSealed="urn:x:1"), prop(1, entityTypeSealed="Store"),
    prop(1, other=prop(SEAL, entityIdSealed="urn:x:1")),
    prop(1, ngsildproof=rel("urn:x:1")), prop(1, ngsildproof=prop("sealed")), prop(1, ngsildproof=prop([SEAL])),
    prop(1, ngsildproof=prop(SEAL, entityIdSealed=7)), prop(1, ngsildproof=prop(SEAL, entityTypeSealed=["A", 7])),
    prop(1, ngsildproof={"type": "JsonProperty", "json": SEAL})])
def test_refusals(city, urn, attribute):
    refused(city.post("entities", {"id": urn(), "type": "Store", "a": attribute}), "BadRequestData")


@pytest.mark.clause("6.3.21", "6.3.5")
def test_a_profile_link_stands_beside_the_context(city, urn):
    profile = '<https://uri.etsi.org/ngsi-ld/profile/version>; rel="profile"'
    entity = {"id": urn(), "type": "T", "a": prop(1)}
    ok(city.post("entities", entity, headers={"Link": profile}), 201)
    body = {**entity, "id": urn(name=1), "@context": [{"T": "https://example.org/T"}]}
    ok(city.post("entities", body, headers={"Link": profile, "Content-Type": "application/ld+json"}), 201)
    assert get(city, urn(name=1))["type"] == "https://example.org/T"
