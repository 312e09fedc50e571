/* The built-in contexts: equal to what is published, always first. */
#include "context_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define NGSI_LD "https://uri.etsi.org/ngsi-ld/"
#define CORE NGSI_LD "v1/ngsi-ld-core-context"

static void compare(struct fixture *f, const char *path, const char *iri)
{
    const struct json *published = fixture_shared(f, path);
    if (!published) {
        print_message("there is no ../shared/data/%s\n", path);
        skip();
    }
    const struct json *ours = context_core_document(str_of(iri));
    assert_non_null(ours);
    const struct json *a = json_get(published, STR("@context")),
                      *b = json_get(ours, STR("@context"));
    for (uint32_t i = 0; i < a->n; i++) {
        struct str key = a->members[i].key;
        const struct json *same = json_get(b, key);
        if (!same || !json_same(same, &a->members[i].value))
            fail_msg("%s: \"%.*s\" is not the same", path, STR_ARG(key));
    }
    assert_true(json_same(published, ours));
}

#define EQUALS_PUBLISHED(name, file, iri)                                                          \
    static void name##_equals_published(void **state)                                              \
    {                                                                                              \
        compare(*state, "ngsild/" file, iri);                                                      \
    }
EQUALS_PUBLISHED(v1_3, "ngsi-ld-core-context-v1.3.jsonld", CORE "-v1.3.jsonld")
EQUALS_PUBLISHED(v1_6, "ngsi-ld-core-context-v1.6.jsonld", CORE "-v1.6.jsonld")
EQUALS_PUBLISHED(v1_7, "ngsi-ld-core-context-v1.7.jsonld", CORE "-v1.7.jsonld")
EQUALS_PUBLISHED(v1_8, "ngsi-ld-core-context-v1.8.jsonld", CORE "-v1.8.jsonld")
EQUALS_PUBLISHED(v1_9, "ngsi-ld-core-context-v1.9.jsonld", CORE "-v1.9.jsonld")
EQUALS_PUBLISHED(unversioned, "ngsi-ld-core-context-v1.9.jsonld", CORE ".jsonld")
EQUALS_PUBLISHED(proof, "w3id.org-security-data-integrity-v2.jsonld",
                 "https://w3id.org/security/data-integrity/v2")

static void core_iris_are_told_apart(void **state)
{
    (void)state;
    assert_true(context_is_core_iri(STR(CORE ".jsonld")));
    for (char minor = '3'; minor <= '9'; minor++) {
        char iri[] = CORE "-v1.N.jsonld", plain[] = "http://uri.etsi.org/ngsi-ld/v1/"
                                                    "ngsi-ld-core-context-v1.N.jsonld";
        iri[sizeof iri - 9] = plain[sizeof plain - 9] = minor;
        assert_true(context_is_core_iri(str_of(iri)));
        assert_true(context_is_core_iri(str_of(plain)));
        assert_non_null(context_core_document(str_of(iri)));
    }
    static const char *const OTHERS[] = {
        CORE "-v1.2.jsonld",
        CORE "-v1.10.jsonld",
        CORE "-v1.:.jsonld",
        CORE "-non-existing.jsonld",
        CORE ".jsonldx",
        CORE,
        CORE "-v1.9.jsonlD",
        "",
        CORE "-v2.3.jsonld",
        "https://example.org/",
        "ftp://uri.etsi.org/ngsi-ld/v1/x.jsonld",
    };
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++) {
        assert_false(context_is_core_iri(str_of(OTHERS[i])));
        assert_null(context_core_document(str_of(OTHERS[i])));
    }
    assert_false(context_is_core_iri(STR("https://w3id.org/security/data-integrity/v2")));
    assert_true(context_is_core_iri(context_core_iri()));
}

/* What an IRI of the core document means, with its two prefixes. */
static struct str full(struct fixture *f, struct str id)
{
    if (str_starts(id, STR("ngsi-ld:")))
        return arena_printf(f->arena, NGSI_LD "%.*s", STR_ARG(str_from(id, 8)));
    if (str_starts(id, STR("geojson:")))
        return arena_printf(f->arena, "https://purl.org/geojson/vocab#%.*s",
                            STR_ARG(str_from(id, 8)));
    return id;
}

static void every_core_term_goes_both_ways(void **state)
{
    struct fixture *f = *state;
    const struct json *o = json_get(context_core_document(context_core_iri()), STR("@context"));
    uint32_t seen = 0;
    for (uint32_t i = 0; i < o->n; i++) {
        struct str term = o->members[i].key;
        const struct json *v = &o->members[i].value;
        const struct json *type = json_get(v, STR("@type")), *box = json_get(v, STR("@container"));
        if (term.p[0] == '@')
            continue;
        struct str id = v->kind == JSON_OBJECT ? json_get(v, STR("@id"))->string : v->string;
        if (id.p[0] == '@') {
            fixture_expands(f, context_core(), term.p, NULL);
            continue;
        }
        struct str iri = arena_dup(f->arena, full(f, id));
        fixture_expands(f, context_core(), term.p, iri.p);
        fixture_compacts(f, context_core(), iri.p, term.p);
        struct str want = type ? type->string : STR_NONE;
        if (str_eq(want, STR("DateTime")))
            want = STR(NGSI_LD "DateTime");
        assert_true(str_eq(context_coercion(context_core(), term), want));
        assert_true(str_eq(context_container(context_core(), term), box ? box->string : STR_NONE));
        seen++;
    }
    assert_true(seen > 200);
}

static void no_context_is_the_core(void **state)
{
    struct fixture *f = *state;
    struct context *c = NULL;
    assert_int_equal(
        context_build(&c, NULL, STR_NONE, NULL, &f->limits, f->arena, &f->missing, &f->why), OK);
    assert_ptr_equal(c, context_core());
    static const char *const SAME[] = {
        "[]",
        "{}",
        "null",
        "\"" CORE "-v1.3.jsonld\"",
        "[\"http://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld\", null, {}]",
        "{\"@base\": \"https://example.org/\", \"@vocab\": \"https://example.org/v#\"}",
        "{\"location\": \"https://example.org/place\"}",
    };
    for (size_t i = 0; i < sizeof SAME / sizeof *SAME; i++)
        assert_ptr_equal(fixture_context(f, SAME[i]), context_core());
    assert_int_equal(f->loads, 0);
    context_unref(context_core());
    context_unref(context_ref(context_core()));
    fixture_expands(f, context_core(), "location", NGSI_LD "location");
}

static void unknown_names_are_in_the_default_context(void **state)
{
    struct fixture *f = *state;
    const struct context *c = context_core();
    fixture_expands(f, c, "speed", NGSI_LD "default-context/speed");
    fixture_compacts(f, c, NGSI_LD "default-context/speed", "speed");
    fixture_expands(f, c, "a/b", NGSI_LD "default-context/a/b");
    fixture_expands(f, c, "ngsi-ld:name", NGSI_LD "name");
    fixture_compacts(f, c, NGSI_LD "name", "ngsi-ld:name");
    fixture_expands(f, c, "https://example.org/speed", "https://example.org/speed");
    fixture_compacts(f, c, "https://example.org/speed", "https://example.org/speed");
    fixture_expands(f, c, "urn:example:speed", "urn:example:speed");
    fixture_expands(f, c, ":speed", NGSI_LD "default-context/:speed");
    fixture_expands(f, c, "@1", NGSI_LD "default-context/@1"); /* no keyword's form */
    static const char *const NOTHING[] = {"", "@id", "@value", "@anything", "id", "type", "_:b0"};
    for (size_t i = 0; i < sizeof NOTHING / sizeof *NOTHING; i++)
        fixture_expands(f, c, NOTHING[i], NULL);
}

/* A name is only given when it leads back to the IRI. */
static void names_lead_back(void **state)
{
    struct fixture *f = *state;
    const struct context *c = context_core();
    fixture_compacts(f, c, NGSI_LD "default-context/location", "ngsi-ld:default-context/location");
    fixture_compacts(f, c, NGSI_LD "default-context/a:b", "ngsi-ld:default-context/a:b");
    fixture_compacts(f, c, NGSI_LD "default-context/@id", "ngsi-ld:default-context/@id");
    fixture_compacts(f, c, NGSI_LD "default-context/", "ngsi-ld:default-context/");
    fixture_compacts(f, c, NGSI_LD, "ngsi-ld");
    fixture_compacts(f, c, NGSI_LD "//x", NGSI_LD "//x");
}

/* Clause 4.4, 5.5.7: as if in the last position, wherever it stands. */
static void core_terms_cannot_be_redefined(void **state)
{
    struct fixture *f = *state;
    static const char *const USERS[] = {
        "{\"location\": \"https://x.org/location\", \"Property\": null, \"speed\": "
        "\"https://x.org/s\","
        " \"value\": {\"@id\": \"https://x.org/v\", \"@type\": \"@id\"}}",
        "[{\"location\": \"https://x.org/location\", \"speed\": \"https://x.org/s\"},"
        " \"" CORE ".jsonld\"]",
        "[\"" CORE "-v1.8.jsonld\", {\"location\": \"https://x.org/location\","
        " \"speed\": \"https://x.org/s\"}]",
    };
    for (size_t i = 0; i < sizeof USERS / sizeof *USERS; i++) {
        struct context *c = fixture_context(f, USERS[i]);
        assert_ptr_not_equal(c, context_core());
        fixture_expands(f, c, "location", NGSI_LD "location");
        fixture_expands(f, c, "Property", NGSI_LD "Property");
        fixture_expands(f, c, "speed", "https://x.org/s");
        fixture_compacts(f, c, NGSI_LD "location", "location");
        fixture_compacts(f, c, "https://x.org/location", "https://x.org/location");
        assert_true(str_absent(context_coercion(c, STR("value"))));
        context_unref(c);
    }
}

static void a_core_iri_goes_by_its_core_term(void **state)
{
    struct fixture *f = *state;
    struct context *c = fixture_context(f, "{\"at\": \"" NGSI_LD "location\", \"n\": \"" NGSI_LD
                                           "\", \"x\": \"ngsi-ld:x\","
                                           " \"vocab2\": \"" NGSI_LD "default-context/\"}");
    fixture_expands(f, c, "at", NGSI_LD "location");
    fixture_compacts(f, c, NGSI_LD "location", "location");
    fixture_expands(f, c, "x", NGSI_LD "x");
    fixture_compacts(f, c, NGSI_LD "name", "n:name"); /* the shortest compact IRI */
    fixture_compacts(f, c, NGSI_LD "default-context/speed", "speed");
    context_unref(c);
}

/* @vocab of the core stands last as well: it takes what no term takes. */
static void user_vocab_serves_definitions_only(void **state)
{
    struct fixture *f = *state;
    struct context *c = fixture_context(f, "{\"@vocab\": \"https://x.org/v#\", \"speed\": {},"
                                           " \"weight\": \"mass\"}");
    fixture_expands(f, c, "speed", "https://x.org/v#speed");
    fixture_expands(f, c, "weight", "https://x.org/v#mass");
    fixture_expands(f, c, "other", NGSI_LD "default-context/other");
    fixture_compacts(f, c, "https://x.org/v#other", "https://x.org/v#other");
    context_unref(c);
}

static void proof_context_may_be_named(void **state)
{
    struct fixture *f = *state;
    f->limits.scoped_refused = true;
    struct context *c = fixture_context(f, "\"https://w3id.org/security/data-integrity/v2\"");
    fixture_expands(f, c, "proof", "https://w3id.org/security#proof");
    fixture_expands(f, c, "nonce", NGSI_LD "default-context/nonce");
    assert_int_equal(f->loads, 0);
    context_unref(c);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(v1_3_equals_published),
        CASE(v1_6_equals_published),
        CASE(v1_7_equals_published),
        CASE(v1_8_equals_published),
        CASE(v1_9_equals_published),
        CASE(unversioned_equals_published),
        CASE(proof_equals_published),
        CASE(core_iris_are_told_apart),
        CASE(every_core_term_goes_both_ways),
        CASE(no_context_is_the_core),
        CASE(unknown_names_are_in_the_default_context),
        CASE(names_lead_back),
        CASE(core_terms_cannot_be_redefined),
        CASE(a_core_iri_goes_by_its_core_term),
        CASE(user_vocab_serves_definitions_only),
        CASE(proof_context_may_be_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
