/* Context processing by the rules of JSON-LD 1.1: what definitions mean, what is
 * refused and where. */
#include "context_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define DEFAULT "https://uri.etsi.org/ngsi-ld/default-context/"

/* One line: a context, a name, what it expands to (NULL: to nothing). */
struct expansion {
    const char *context, *name, *iri;
};

static void check(struct fixture *f, const struct expansion *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct context *c = fixture_context(f, rows[i].context);
        fixture_expands(f, c, rows[i].name, rows[i].iri);
        context_unref(c);
    }
}
#define CHECK(rows) check(*state, rows, sizeof(rows) / sizeof *(rows))

static void terms_stand_for_iris(void **state)
{
    static const struct expansion ROWS[] = {
        {"{\"a\": \"https://x.org/a\"}", "a", "https://x.org/a"},
        {"{\"a\": {\"@id\": \"https://x.org/a\"}}", "a", "https://x.org/a"},
        {"{\"a\": \"urn:x:a\"}", "a", "urn:x:a"},
        {"{\"a\": \"b\"}", "a", DEFAULT "b"},
        {"{\"a\": \"a\"}", "a", DEFAULT "a"},
        {"{\"a\": {\"@id\": \"a\"}}", "a", DEFAULT "a"},
        {"{\"a\": {}}", "a", DEFAULT "a"},
        {"{\"a\": null}", "a", NULL},
        {"{\"a\": {\"@id\": null}}", "a", NULL},
        {"{\"a\": \"@type\"}", "a", NULL},
        {"{\"a\": \"@id\"}", "a", NULL},
        {"{\"a\": \"@later\"}", "a", DEFAULT "a"}, /* looks like a keyword: not defined */
        {"[{\"a\": \"urn:a\"}, {\"a\": {\"@id\": \"@later\"}}]", "a", DEFAULT "a"},
        {"{\"a\": {\"@reverse\": \"@later\"}}", "a", DEFAULT "a"},
        {"{\"a\": {\"@reverse\": \"https://x.org/a\"}}", "a", NULL},
        {"{\"a\": \"_:a\"}", "a", NULL}, /* a blank node is no name */
        {"{\"@later\": \"https://x.org/a\", \"b\": \"urn:b\"}", "@later", NULL},
        {"{\"a\": \"https://x.org/with space\"}", "a", "https://x.org/with space"},
        {"{\"\\u00fcber\": \"https://x.org/\\u00fc\"}",
         "\xc3\xbc"
         "ber",
         "https://x.org/\xc3\xbc"},
        {"{\"a\": \"urn:1\", \"a\": \"urn:2\"}", "a", "urn:2"}, /* the last one wins */
    };
    CHECK(ROWS);
}

static void prefixes_make_compact_iris(void **state)
{
    static const struct expansion ROWS[] = {
        {"{\"x\": \"https://x.org/\", \"a\": \"x:a\"}", "a", "https://x.org/a"},
        {"{\"a\": \"x:a\", \"x\": \"https://x.org/\"}", "a", "https://x.org/a"}, /* forward */
        {"{\"a\": \"x:a\", \"x\": \"y:x/\", \"y\": \"https://y.org#\"}", "a", "https://y.org#x/a"},
        {"{\"a\": \"b\", \"b\": \"x:b\", \"x\": \"urn:x:\"}", "a", "urn:x:b"},
        {"{\"x\": \"https://x.org/\"}", "x:new", "https://x.org/new"},
        {"{\"x\": \"https://x.org/\"}", "x:", "https://x.org/"},
        {"{\"x\": \"https://x.org/\"}", "x:a:b", "https://x.org/a:b"},
        {"{\"x\": \"https://x.org/\"}", "x", "https://x.org/"},
        {"{\"x\": \"https://x.org/\"}", "x://a", "x://a"},
        /* only strings that end in a delimiter are prefixes of themselves */
        {"{\"x\": \"https://x.org/x\"}", "x:a", "x:a"},
        {"{\"x\": {\"@id\": \"https://x.org/\"}}", "x:a", "x:a"},
        {"{\"x\": {\"@id\": \"https://x.org/x\", \"@prefix\": true}}", "x:a", "https://x.org/xa"},
        {"{\"x\": {\"@id\": \"https://x.org/\", \"@prefix\": false}}", "x:a", "x:a"},
        {"{\"x\": null}", "x:a", "x:a"},
        {"{\"x\": {\"@id\": null, \"@prefix\": true}}", "x:a", "x:a"},
        /* a term may be a compact IRI, and then says itself what it stands for */
        {"{\"x\": \"https://x.org/\", \"x:a\": {\"@type\": \"@id\"}}", "x:a", "https://x.org/a"},
        {"{\"x\": {\"@id\": \"https://x.org/\"}, \"x:a\": {}}", "x:a", "https://x.org/a"},
        {"{\"x\": \"https://x.org/\", \"x:a\": \"https://x.org/a\"}", "x:a", "https://x.org/a"},
        {"{\"https://x.org/a\": {\"@type\": \"@id\"}}", "https://x.org/a", "https://x.org/a"},
        {"{\"@vocab\": \"https://x.org/\", \"a/b\": {}}", "a/b", "https://x.org/a/b"},
        /* the core's own prefix serves as well, unless the user has another */
        {"{\"a\": \"ngsi-ld:a\"}", "a", "https://uri.etsi.org/ngsi-ld/a"},
        {"{\"ngsi-ld\": \"https://x.org/\", \"a\": \"ngsi-ld:a\"}", "a", "https://x.org/a"},
        {"{\"data\": \"https://x.org/\", \"a\": \"data:a\"}", "a", "https://x.org/a"},
        {"{\"data\": \"https://x.org/\"}", "data:a", "data:a"}, /* in names the core's data wins */
    };
    CHECK(ROWS);
}

static void arrays_apply_in_order(void **state)
{
    static const struct expansion ROWS[] = {
        {"[{\"a\": \"urn:1\"}, {\"a\": \"urn:2\"}]", "a", "urn:2"},
        {"[{\"a\": \"urn:1\"}, {\"b\": \"urn:2\"}]", "a", "urn:1"},
        {"[{\"a\": \"urn:1\"}, null, {\"b\": \"urn:2\"}]", "a", DEFAULT "a"},
        {"[[{\"a\": \"urn:1\"}], [[{\"b\": \"urn:2\"}]]]", "b", "urn:2"},
        {"[{\"x\": \"urn:x:\"}, {\"a\": \"x:a\"}]", "a", "urn:x:a"},
        {"[{\"x\": \"urn:x:\"}, {\"a\": \"x:a\"}, {\"x\": \"urn:y:\"}]", "a", "urn:x:a"},
        {"[{\"@vocab\": \"urn:v:\"}, {\"a\": {}}]", "a", "urn:v:a"},
        {"[{\"@vocab\": \"urn:v:\"}, null, {\"a\": {}}]", "a", DEFAULT "a"},
        {"[{\"@vocab\": \"urn:v:\"}, {\"@vocab\": \"w/\"}, {\"a\": {}}]", "a", "urn:v:w/a"},
        {"[{\"@vocab\": \"urn:v:\"}, {\"@vocab\": \"\"}, {\"a\": {}}]", "a", "urn:v:a"},
        {"[{\"x\": \"urn:x:\"}, {\"@vocab\": \"x:v:\", \"a\": {}}]", "a", "urn:x:v:a"},
        {"[{\"a\": \"urn:1\"}, {\"a\": null}]", "a", NULL},
    };
    CHECK(ROWS);
}

static void coercions_are_kept(void **state)
{
    struct fixture *f = *state;
    struct context *c = fixture_context(
        f, "{\"xsd\": \"http://www.w3.org/2001/XMLSchema#\","
           "\"a\": {\"@id\": \"urn:a\", \"@type\": \"xsd:date\"},"
           "\"b\": {\"@id\": \"urn:b\", \"@type\": \"@id\", \"@container\": \"@set\"},"
           "\"c\": {\"@id\": \"urn:c\", \"@type\": \"DateTime\"},"
           "\"d\": {\"@id\": \"urn:d\", \"@type\": \"Mine\"},"
           "\"e\": {\"@id\": \"urn:e\", \"@container\": [\"@set\", \"@language\"]},"
           "\"f\": {\"@id\": \"urn:f\", \"@container\": \"@type\"},"
           "\"g\": {\"@id\": \"urn:g\", \"@type\": \"@json\"},"
           "\"h\": {\"@id\": \"urn:h\", \"@container\": [\"@list\"]},"
           "\"i\": {\"@id\": \"urn:i\", \"@container\": [\"@graph\", \"@id\", \"@set\"]},"
           "\"j\": {\"@id\": \"urn:j\", \"@container\": \"@index\", \"@index\": \"k\"},"
           "\"l\": {\"@id\": \"urn:l\", \"@language\": \"en\", \"@direction\": null,"
           " \"@nest\": \"@nest\"},"
           "\"@type\": {\"@container\": \"@set\", \"@protected\": true}}");
    static const struct {
        const char *name, *type, *container;
    } ROWS[] = {
        {"a", "http://www.w3.org/2001/XMLSchema#date", NULL},
        {"b", "@id", "@set"},
        {"c", "https://uri.etsi.org/ngsi-ld/DateTime", NULL},
        {"d", DEFAULT "Mine", NULL},
        {"e", NULL, "@language"},
        {"f", "@id", "@type"},
        {"g", "@json", NULL},
        {"h", NULL, "@list"},
        {"i", NULL, "@id"},
        {"j", NULL, "@index"},
        {"l", NULL, NULL},
        {"unknown", NULL, NULL},
        {"datasetId", "@id", NULL},
        {"languageMap", NULL, "@language"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct str name = str_of(ROWS[i].name);
        assert_true(str_eq(context_coercion(c, name), str_of(ROWS[i].type)));
        assert_true(str_eq(context_container(c, name), str_of(ROWS[i].container)));
    }
    context_unref(c);
}

struct refusal {
    const char *context, *pointer, *part;
};

static void bad_definitions_are_refused(void **state)
{
    static const struct refusal ROWS[] = {
        {"5", "/@context", "not a number"},
        {"[{}, true]", "/@context/1", "not a boolean"},
        {"{\"a\": 5}", "/@context/a", "a string, an object or null"},
        {"[{\"a\": []}]", "/@context/0/a", "a string, an object or null"},
        {"{\"\": \"urn:a\"}", "/@context/", "empty"},
        {"{\"@id\": \"urn:a\"}", "/@context/@id", "cannot be defined"},
        {"{\"@context\": {}}", "/@context/@context", "cannot be defined"},
        {"{\"@type\": \"urn:a\"}", "/@context/@type", "@set"},
        {"{\"@type\": {\"@id\": \"urn:a\"}}", "/@context/@type", "@set"},
        {"{\"@type\": {\"@container\": \"@list\"}}", "/@context/@type", "@set"},
        {"{\"@type\": {}}", "/@context/@type", "@set"},
        {"{\"a\": {\"@id\": 5}}", "/@context/a/@id", "not a number"},
        {"{\"a\": {\"@id\": \"@context\"}}", "/@context/a/@id", "no other name"},
        {"[{\"@vocab\": null}, {\"a\": \"b\"}]", "/@context/1/a", "no IRI"},
        {"{\"a\": null, \"b\": \"a\"}", "/@context/b", "no IRI"},
        {"{\"https://x.org/a\": \"@id\"}", "/@context/https:~1~1x.org~1a", "says"},
        {"[{\"@vocab\": null}, {\"a\": {}}]", "/@context/1/a", "nothing says"},
        {"{\"a\": {\"id\": \"urn:a\"}}", "/@context/a/id", "no member"},
        {"{\"a\": {\"@value\": \"urn:a\"}}", "/@context/a/@value", "no member"},
        {"{\"a\": {\"@type\": 5}}", "/@context/a/@type", "a string"},
        {"{\"a\": {\"@type\": \"@list\"}}", "/@context/a/@type", "not \"@list\""},
        {"{\"a\": {\"@type\": \"_:b\"}}", "/@context/a/@type", "not \"_:b\""},
        {"{\"n\": null, \"a\": {\"@type\": \"n\"}}", "/@context/a/@type", "not \"n\""},
        {"{\"a\": {\"@container\": \"@none\"}}", "/@context/a/@container", "container"},
        {"{\"a\": {\"@container\": []}}", "/@context/a/@container", "container"},
        {"{\"a\": {\"@container\": [\"@list\", \"@set\"]}}", "/@context/a/@container", "container"},
        {"{\"a\": {\"@container\": [\"@set\", \"@set\"]}}", "/@context/a/@container", "container"},
        {"{\"a\": {\"@container\": [\"@id\", \"@index\"]}}", "/@context/a/@container", "container"},
        {"{\"a\": {\"@container\": \"@type\", \"@type\": \"urn:t\"}}", "/@context/a/@container",
         "needs @type"},
        {"{\"a\": {\"@reverse\": \"urn:a\", \"@id\": \"urn:b\"}}", "/@context/a/@reverse",
         "beside"},
        {"{\"a\": {\"@reverse\": 1}}", "/@context/a/@reverse", "a string"},
        {"{\"a\": {\"@reverse\": \"@id\"}}", "/@context/a/@reverse", "must be an IRI"},
        {"{\"a\": {\"@reverse\": \"urn:a\", \"@container\": \"@list\"}}", "/@context/a/@container",
         "container"},
        {"{\"a\": {\"@prefix\": 1}}", "/@context/a/@prefix", "true or false"},
        {"{\"a\": {\"@id\": \"@id\", \"@prefix\": true}}", "/@context/a/@prefix", "an IRI"},
        {"{\"urn:a\": {\"@prefix\": true}}", "/@context/urn:a/@prefix", "no prefix"},
        {"{\"a\": {\"@protected\": 1}}", "/@context/a/@protected", "true or false"},
        {"{\"a\": {\"@index\": \"k\"}}", "/@context/a/@index", "the container @index"},
        {"{\"a\": {\"@language\": 1}}", "/@context/a/@language", "string or null"},
        {"{\"a\": {\"@direction\": \"up\"}}", "/@context/a/@direction", "ltr"},
        {"{\"a\": {\"@nest\": \"@id\"}}", "/@context/a/@nest", "@nest"},
        {"{\"x\": \"urn:x:\", \"x:a\": \"urn:b\"}", "/@context/x:a", "says urn:x:a"},
        {"{\"https://x.org/a\": \"https://x.org/b\"}", "/@context/https:~1~1x.org~1a", "says"},
        {"{\"@vocab\": 1}", "/@context/@vocab", "IRI or null"},
        {"[{\"@vocab\": null}, {\"@vocab\": \"v\"}]", "/@context/1/@vocab", "\"v\" is none"},
        {"{\"@base\": 1}", "/@context/@base", "string or null"},
        {"{\"@language\": []}", "/@context/@language", "string or null"},
        {"{\"@direction\": \"up\"}", "/@context/@direction", "ltr"},
        {"{\"@version\": 1.0}", "/@context/@version", "1.1"},
        {"{\"@version\": \"1.1\"}", "/@context/@version", "1.1"},
        {"{\"@propagate\": 1}", "/@context/@propagate", "true or false"},
        {"{\"@propagate\": false}", "/@context/@propagate", "no use"},
        {"{\"@protected\": 1}", "/@context/@protected", "true or false"},
        {"{\"@import\": 1}", "/@context/@import", "IRI of a context"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        fixture_refused(*state, ROWS[i].context, E_BAD_DATA, ROWS[i].pointer, ROWS[i].part);
}

static void circles_are_refused(void **state)
{
    static const struct refusal ROWS[] = {
        {"{\"a\": \"a:b\"}", "/@context/a", "needs itself"},
        {"{\"a\": \"b:x\", \"b\": \"a:x\"}", "/@context/b", "needs itself"},
        {"{\"a\": \"b\", \"b\": \"c\", \"c\": \"a\"}", "/@context/c", "needs itself"},
        {"{\"a\": {\"@id\": \"urn:a\", \"@type\": \"a\"}}", "/@context/a/@type", "needs itself"},
        {"{\"a\": {\"@reverse\": \"a:x\"}}", "/@context/a/@reverse", "needs itself"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        fixture_refused(*state, ROWS[i].context, E_BAD_DATA, ROWS[i].pointer, ROWS[i].part);
}

static void protected_terms_stay(void **state)
{
    struct fixture *f = *state;
    static const struct refusal ROWS[] = {
        {"[{\"@protected\": true, \"a\": \"urn:1\"}, {\"a\": \"urn:2\"}]", "/@context/1/a",
         "is protected"},
        {"[{\"a\": {\"@id\": \"urn:1\", \"@protected\": true}}, {\"a\": null}]", "/@context/1/a",
         "is protected"},
        {"[{\"@protected\": true, \"a\": \"urn:1\"}, null]", "/@context/1", "protected"},
        {"[{\"@protected\": true, \"a\": \"urn:1\"}, {\"a\": {\"@id\": \"urn:1\", \"@type\": "
         "\"@id\"}}]",
         "/@context/1/a", "is protected"},
        {"[{\"@protected\": true, \"a\": \"urn:1\"}, {\"a\": \"urn:1\"}, {\"a\": \"urn:2\"}]",
         "/@context/2/a", "is protected"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        fixture_refused(f, ROWS[i].context, E_BAD_DATA, ROWS[i].pointer, ROWS[i].part);
    static const struct expansion FINE[] = {
        {"[{\"@protected\": true, \"a\": \"urn:1\"}, {\"a\": \"urn:1\"}]", "a", "urn:1"},
        {"[{\"@protected\": true, \"a\": {\"@id\": \"urn:1\", \"@protected\": false}},"
         " {\"a\": \"urn:2\"}]",
         "a", "urn:2"},
    };
    CHECK(FINE);
}

static const struct remote_text REMOTES[] = {
    {"https://x.org/c/one.jsonld",
     "{\"@context\": [{\"a\": \"urn:1:a\"}, \"two.jsonld\"], \"id\": \"ignored\"}"},
    {"https://x.org/c/two.jsonld", "{\"@context\": {\"b\": \"urn:2:b\"}}"},
    {"https://x.org/core.jsonld",
     "{\"@context\": [\"https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.5.jsonld\","
     " {\"a\": \"urn:1:a\"}]}"},
    {"https://x.org/self.jsonld", "{\"@context\": [\"self.jsonld\"]}"},
    {"https://x.org/ping.jsonld", "{\"@context\": \"pong.jsonld\"}"},
    {"https://x.org/pong.jsonld", "{\"@context\": \"ping.jsonld\"}"},
    {"https://x.org/none.jsonld", "{\"a\": \"urn:1\"}"},
    {"https://x.org/list.jsonld", "[1]"},
    {"https://x.org/bad.jsonld", "{\"@context\": [{}, {\"a\": {\"@id\": 5}}]}"},
    {"https://x.org/gone.jsonld", "{\"@context\": [\"https://y.org/gone.jsonld\"]}"},
    {"https://x.org/part.jsonld",
     "{\"@context\": {\"a\": \"x:1\", \"b\": \"x:2\", \"x\": \"urn:x:\"}}"},
    {"https://x.org/parts.jsonld", "{\"@context\": [{\"a\": \"urn:1\"}]}"},
    {"https://x.org/import.jsonld", "{\"@context\": {\"@import\": \"part.jsonld\"}}"},
    {NULL, NULL},
};

static void remote_contexts_are_taken_in(void **state)
{
    struct fixture *f = *state;
    f->remotes = REMOTES;
    static const struct expansion ROWS[] = {
        {"\"https://x.org/c/one.jsonld\"", "a", "urn:1:a"},
        {"[\"https://x.org/c/one.jsonld\"]", "b", "urn:2:b"},
        {"[\"https://x.org/c/one.jsonld\", {\"b\": \"urn:3:b\"}]", "b", "urn:3:b"},
        {"[{\"b\": \"urn:3:b\"}, \"https://x.org/c/one.jsonld\"]", "b", "urn:2:b"},
        {"\"https://x.org/core.jsonld\"", "a", "urn:1:a"},
        {"[\"https://x.org/c/two.jsonld\", \"https://x.org/c/two.jsonld\"]", "b", "urn:2:b"},
        {"{\"@import\": \"https://x.org/part.jsonld\"}", "a", "urn:x:1"},
        {"{\"@import\": \"https://x.org/part.jsonld\", \"b\": \"urn:b\"}", "b", "urn:b"},
        {"{\"@import\": \"https://x.org/part.jsonld\", \"x\": \"urn:y:\"}", "a", "urn:y:1"},
    };
    CHECK(ROWS);
    f->base = STR("https://x.org/c/entities?type=T");
    static const struct expansion RELATIVE[] = {
        {"\"one.jsonld\"", "b", "urn:2:b"},
        {"\"/c/two.jsonld\"", "b", "urn:2:b"},
        {"{\"@import\": \"../part.jsonld\"}", "a", "urn:x:1"},
    };
    CHECK(RELATIVE);
}

static void remote_faults_point_home(void **state)
{
    struct fixture *f = *state;
    f->remotes = REMOTES;
    static const struct refusal ROWS[] = {
        {"\"relative.jsonld\"", "/@context", "no absolute IRI"},
        {"[\"https://x.org/self.jsonld\"]", "/@context/0", "includes itself"},
        {"[{}, \"https://x.org/ping.jsonld\"]", "/@context/1", "includes itself"},
        {"\"https://x.org/none.jsonld\"", "/@context", "no member \"@context\""},
        {"\"https://x.org/list.jsonld\"", "/@context", "no member \"@context\""},
        {"[\"https://x.org/bad.jsonld\"]", "/@context/0",
         "in https://x.org/bad.jsonld, at /@context/1/a/@id: "},
        {"{\"@import\": \"https://x.org/parts.jsonld\"}", "/@context/@import", "one object"},
        {"{\"@import\": \"https://x.org/import.jsonld\"}", "/@context/@import", "without @import"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        fixture_refused(f, ROWS[i].context, E_BAD_DATA, ROWS[i].pointer, ROWS[i].part);
}

static void a_missing_document_is_named(void **state)
{
    struct fixture *f = *state;
    f->remotes = REMOTES;
    fixture_refused(f, "[{}, \"https://x.org/gone.jsonld\"]", E_CONTEXT, "/@context/1",
                    "https://y.org/gone.jsonld is not available");
    assert_true(str_eq(f->missing, STR("https://y.org/gone.jsonld")));
    fixture_refused(f, "{\"@import\": \"https://z.org/\"}", E_CONTEXT, "/@context/@import",
                    "z.org");
    assert_true(str_eq(f->missing, STR("https://z.org/")));
    context_unref(fixture_context(f, "\"https://x.org/c/one.jsonld\""));
    assert_true(str_absent(f->missing));
}

/* Clause 5.5.7: refused; where allowed, checked and of no effect. */
static void scoped_contexts(void **state)
{
    struct fixture *f = *state;
    f->remotes = REMOTES;
    const char *fine =
        "{\"a\": {\"@id\": \"urn:a\", \"@context\": {\"b\": \"urn:b\", \"c\": \"x:c\"}},"
        " \"x\": \"urn:x:\", \"d\": {\"@id\": \"urn:d\", \"@context\": null}}";
    struct context *c = fixture_context(f, fine);
    fixture_expands(f, c, "a", "urn:a");
    fixture_expands(f, c, "b", DEFAULT "b");
    context_unref(c);
    static const char *const ALSO[] = {
        "{\"a\": {\"@id\": \"urn:a\", \"@context\": [\"https://x.org/c/one.jsonld\"]}}",
        ("[{\"@protected\": true, \"a\": \"urn:1\"}, {\"b\": {\"@id\": \"urn:b\","
         " \"@context\": [null, {\"a\": \"urn:2\"}]}}]"), /* a scoped context may override */
        "{\"a\": {\"@id\": \"urn:a\", \"@context\": {\"@propagate\": false}}}",
    };
    for (size_t i = 0; i < sizeof ALSO / sizeof *ALSO; i++)
        context_unref(fixture_context(f, ALSO[i]));
    static const struct refusal ROWS[] = {
        {"{\"a\": {\"@id\": \"urn:a\", \"@context\": 5}}", "/@context/a/@context", "not a number"},
        {"{\"a\": {\"@id\": \"urn:a\", \"@context\": {\"b\": \"b:b\"}}}", "/@context/a/@context/b",
         "needs itself"},
        {"{\"a\": {\"@reverse\": \"urn:a\", \"@context\": {\"b\": 5}}}", "/@context/a/@context/b",
         "a string"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        fixture_refused(f, ROWS[i].context, E_BAD_DATA, ROWS[i].pointer, ROWS[i].part);
    f->limits.scoped_refused = true;
    fixture_refused(f, fine, E_BAD_DATA, "/@context/a/@context", "scoped");
    fixture_refused(f, "{\"a\": {\"@reverse\": \"urn:a\", \"@context\": {}}}", E_BAD_DATA,
                    "/@context/a/@context", "scoped");
}

/* ---- limits ---- */

/* Repeats middle n times between the ends; "%u" in middle is the number. */
static const char *repeat(struct fixture *f, const char *start, const char *middle, unsigned n,
                          const char *end)
{
    struct buf b;
    buf_init(&b, 64 << 20);
    buf_str(&b, str_of(start));
    for (unsigned i = 0; i < n; i++) {
        for (const char *p = middle; *p; p++) {
            if (*p == '#')
                buf_u64(&b, i);
            else if (*p == '+')
                buf_u64(&b, i + 1);
            else
                buf_char(&b, *p);
        }
    }
    buf_str(&b, str_of(end));
    const char *out = arena_dup(f->arena, buf_view(&b)).p;
    buf_free(&b);
    return out;
}

static void limit(struct fixture *f, const char *text, const char *name)
{
    enum status st;
    assert_null(fixture_build(f, text, &st));
    if (st != E_LIMIT || strcmp(f->why.limit, name) != 0)
        fail_msg("%s %s: %s at %s", status_name(st), f->why.limit, f->why.text, f->why.pointer);
}

static void every_limit_has_its_name(void **state)
{
    struct fixture *f = *state;
    f->remotes = REMOTES;
    f->limits.terms_max = 1000;
    const char *start = "{", *end = "\"z\": \"urn:z\"}";
    context_unref(fixture_context(f, repeat(f, start, "\"t#\": \"urn:t#\",", 999, end)));
    limit(f, repeat(f, start, "\"t#\": \"urn:t#\",", 1000, end), "limits.context_terms");
    /* redefinitions count as well: they are work */
    limit(f, repeat(f, "[", "{\"a\": \"urn:#\"},", 1001, "{}]"), "limits.context_terms");
    limit(f,
          repeat(f, "{\"a\": {\"@id\": \"urn:a\", \"@context\": {", "\"t#\": null,", 1000,
                 "\"z\": null}}}"),
          "limits.context_terms");

    f->limits.depth_max = 8;
    context_unref(fixture_context(f, repeat(f, "[[[[[[[[", "{\"a#\": \"urn:a\"}", 1, "]]]]]]]]")));
    limit(f, "[[[[[[[[[{\"a\": \"urn:a\"}]]]]]]]]]", "limits.context_depth");
    context_unref(fixture_context(f, repeat(f, "{", "\"t#\": \"t+:x/\",", 8, "\"t8\": \"urn:\"}")));
    limit(f, repeat(f, "{", "\"t#\": \"t+:x/\",", 500, "\"t500\": \"urn:\"}"),
          "limits.context_depth");
    /* the two add up, also through scoped contexts */
    const char *scoped = "{\"t0\": \"t1:x/\", \"t1\": \"t2:x/\", \"t2\": \"t3:x/\","
                         " \"t3\": {\"@id\": \"urn:\", \"@context\": ";
    context_unref(fixture_context(f, repeat(f, "", scoped, 1, "[[[[{}]]]]}}")));
    limit(f, repeat(f, "", scoped, 1, "[[[[[{}]]]]]}}"), "limits.context_depth");
    limit(f, repeat(f, "", scoped, 3, "{}}}}}}}"), "limits.context_depth");

    f->limits.remotes_max = 3;
    f->loads = 0;
    limit(f, repeat(f, "[", "\"https://x.org/c/two.jsonld\",", 50, "{}]"),
          "limits.context_remotes");
    assert_int_equal(f->loads, 3);
    f->loads = 0;
    limit(f, "[\"https://x.org/c/one.jsonld\", \"https://x.org/c/one.jsonld\"]",
          "limits.context_remotes");
    assert_int_equal(f->loads, 3);
}

static void limits_in_a_remote_point_home(void **state)
{
    struct fixture *f = *state;
    f->remotes = REMOTES;
    f->limits.terms_max = 1;
    limit(f, "[\"https://x.org/c/one.jsonld\"]", "limits.context_terms");
    assert_string_equal(f->why.pointer, "/@context/0");
    assert_non_null(strstr(f->why.text, "in https://x.org/c/two.jsonld, at /@context/b"));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(terms_stand_for_iris),
        CASE(prefixes_make_compact_iris),
        CASE(arrays_apply_in_order),
        CASE(coercions_are_kept),
        CASE(bad_definitions_are_refused),
        CASE(circles_are_refused),
        CASE(protected_terms_stay),
        CASE(remote_contexts_are_taken_in),
        CASE(remote_faults_point_home),
        CASE(a_missing_document_is_named),
        CASE(scoped_contexts),
        CASE(every_limit_has_its_name),
        CASE(limits_in_a_remote_point_home),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
