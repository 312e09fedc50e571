/* Properties over random entities: what is represented, normalized or concise, reads
 * back as the same tree; what is stored decodes to the same tree; any form is JSON. */
#include "entity_fixture.h"
#include "random_entity.h"

#include "model/doc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct maker {
    struct random *random;
    struct buf *b;
};

static uint32_t below(struct maker *m, uint32_t n)
{
    return random_below(m->random, n);
}

static bool one_in(struct maker *m, uint32_t n)
{
    return below(m, n) == 0;
}

/* One of several texts. */
#define PICK(m, ...)                                                                               \
    buf_str((m)->b, str_of((const char *const[]){__VA_ARGS__}[below(                               \
                        (m), sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))]))

static void make_value(struct maker *m, uint32_t depth)
{
    switch (below(m, depth < 3 ? 9 : 5)) {
    case 0:
        buf_i64(m->b, (int64_t)random_next(m->random) >> below(m, 64));
        break;
    case 1:
        buf_printf(m->b, "%.*e", (int)below(m, 17), (double)(int64_t)random_next(m->random));
        break;
    case 2:
        PICK(m, "true", "false", "0.1", "-0.0", "1e-7", "1.50");
        break;
    case 3:
        PICK(m, "\"\"", "\"plain\"", "\"es\\\"c\\\\\\u0001\"", "\"\\u6d4e南 \\ud83d\\ude00\"",
             "\"urn:x:1\"", "\"2020-01-01T00:00:00Z\"");
        break;
    case 4:
        PICK(m, "{\"@type\":\"DateTime\",\"@value\":\"x\"}",
             "{\"@type\":\"@json\",\"@value\":null}", "{\"type\":\"Point\",\"coordinates\":[1,2]}",
             "{\"type\":\"Point\"}", "{}", "[]", "[{\"type\":\"Property\",\"value\":1}]",
             "[{\"unitCode\":1},{\"value\":2}]", "{\"datasetId\":\"x\",\"y\":1}",
             "{\"lang\":\"fr\",\"id\":1}");
        break;
    case 5:
    case 6:
        buf_char(m->b, '[');
        for (uint32_t i = 0, n = below(m, 4); i < n; i++) {
            if (i)
                buf_char(m->b, ',');
            make_value(m, depth + 1);
        }
        buf_char(m->b, ']');
        break;
    default:
        buf_char(m->b, '{');
        for (uint32_t i = 0, n = below(m, 4); i < n; i++) {
            buf_printf(m->b, "%s\"%s%u\":", i ? "," : "", one_in(m, 2) ? "k" : "clé ", i);
            make_value(m, depth + 1);
        }
        if (one_in(m, 6)) {
            if (m->b->p[m->b->n - 1] != '{')
                buf_char(m->b, ',');
            PICK(m, "\"type\":1", "\"value\":{}", "\"object\":3", "\"observedAt\":\"x\"",
                 "\"scope\":2");
        }
        buf_char(m->b, '}');
        break;
    }
}

/* "type" and the member with the value of a random kind. */
static void make_kind(struct maker *m, bool typed)
{
    switch (below(m, 10)) {
    case 0:
        if (typed)
            buf_lit(m->b, "\"type\":\"Relationship\",");
        PICK(m, "\"object\":\"urn:x:1\"", "\"object\":[\"urn:x:1\",\"http://é.org/?q#f\"]",
             "\"object\":[\"urn:x:1\"],\"objectType\":\"Shop\"",
             "\"objectType\":[\"Shop\",\"ex:Bus\"],\"object\":\"urn:x:2\"");
        break;
    case 1:
        if (typed)
            buf_lit(m->b, "\"type\":\"GeoProperty\",");
        PICK(m, "\"value\":{\"type\":\"Point\",\"coordinates\":[117.5,36.25]}",
             "\"value\":{\"coordinates\":[[0,0],[1,1.5]],\"type\":\"LineString\"}",
             "\"value\":{\"type\":\"Point\",\"coordinates\":[1,2],\"value\":7}",
             "\"value\":{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1,0],[1,1],[0,0]]],\"bbox\":"
             "[0]}");
        break;
    case 2:
        if (typed)
            buf_lit(m->b, "\"type\":\"LanguageProperty\",");
        PICK(m, "\"languageMap\":{\"en\":\"a\",\"zh-Hans\":[\"b\",\"\\\"c]}\"]}",
             "\"languageMap\":{\"@none\":\"x\"},\"valueType\":\"langString\"");
        break;
    case 3:
        if (typed)
            buf_lit(m->b, "\"type\":\"VocabProperty\",");
        PICK(m, "\"vocab\":\"non-commercial\"", "\"vocab\":[\"a\",\"ex:b\",\"http://e.org/c\"]");
        break;
    case 4:
        if (typed)
            buf_lit(m->b, "\"type\":\"JsonProperty\",");
        PICK(m, "\"json\":{\"id\":null,\"value\":[1,{\"type\":2}]}", "\"json\":[{},3]");
        break;
    case 5:
        if (typed)
            buf_lit(m->b, "\"type\":\"ListProperty\",");
        PICK(m, "\"valueList\":[]",
             "\"valueList\":[1,\"b\",[2.50,{\"c\":1}]],\"unitCode\":\"MMT\"");
        break;
    case 6:
        if (typed)
            buf_lit(m->b, "\"type\":\"ListRelationship\",");
        PICK(m, "\"objectList\":[\"urn:x:1\",{\"object\":\"urn:x:2\"}]", "\"objectList\":[]");
        break;
    default:
        if (typed)
            buf_lit(m->b, "\"type\":\"Property\",");
        buf_lit(m->b, "\"value\":");
        make_value(m, 0);
        if (one_in(m, 4))
            PICK(m, ",\"unitCode\":\"a\\\"b\"", ",\"valueType\":\"xsd:double\"",
                 ",\"valueType\":\"DateTime\"");
        break;
    }
}

static void make_attrs(struct maker *m, uint32_t depth);

static void make_instance(struct maker *m, uint32_t depth, const char *dataset)
{
    buf_char(m->b, '{');
    make_kind(m, !one_in(m, 3));
    if (dataset)
        buf_printf(m->b, ",\"datasetId\":\"%s\"", dataset);
    if (one_in(m, 4))
        buf_printf(m->b, ",\"observedAt\":\"2020-02-29T23:59:%02u%sZ\"", below(m, 60),
                   one_in(m, 2) ? ".000001" : "");
    if (one_in(m, 8))
        buf_lit(m->b, ",\"expiresAt\":\"2040-01-01T00:00:00Z\"");
    if (depth < 3 && one_in(m, 3))
        make_attrs(m, depth + 1);
    buf_char(m->b, '}');
}

/* ,"name": … */
static void make_attrs(struct maker *m, uint32_t depth)
{
    uint32_t n = below(m, depth ? 3 : 7);
    uint32_t first = below(m, 20);
    for (uint32_t i = 0; i < n; i++) {
        buf_printf(m->b, ",\"%s%u\":", one_in(m, 3) ? "ex:n" : "n", first + i);
        if (one_in(m, 5)) {
            make_value(m, 2);
        } else if (one_in(m, 4)) {
            buf_char(m->b, '[');
            make_instance(m, depth, one_in(m, 2) ? NULL : "urn:d:3");
            buf_char(m->b, ',');
            make_instance(m, depth, "urn:d:1");
            if (one_in(m, 2)) {
                buf_char(m->b, ',');
                make_instance(m, depth, "urn:d:2");
            }
            buf_char(m->b, ']');
        } else {
            make_instance(m, depth, one_in(m, 6) ? "urn:d:9" : NULL);
        }
    }
}

static void make_entity(struct maker *m)
{
    buf_clear(m->b);
    buf_printf(m->b, "{\"id\":\"urn:x:%u\",\"type\":", below(m, 1000));
    PICK(m, "\"T\"", "[\"T\",\"ex:U\"]", "\"http://example.org/V\"");
    PICK(m, "", ",\"scope\":\"/a/b\"", ",\"scope\":[\"a\",\"/b\"]",
         ",\"expiresAt\":\"2030-01-01T00:00:00.25Z\"");
    make_attrs(m, 0);
    buf_lit(m->b, "}");
    buf_char(m->b, 0);
}

static void check_stored(struct fixture *f, struct entity *e)
{
    struct entity back;
    struct why why = {0};
    e->created_at = e->modified_at = 1;
    size_t n = doc_size(e);
    void *block = aligned_alloc(8, (n + 7) & ~(size_t)7);
    doc_encode(e, block);
    doc_set_seq(block, 1);
    if (doc_check(block, n, terms_count(f->terms), &why) != OK)
        fail_msg("%s", why.text);
    doc_decode(block, f->arena, &back);
    entity_same(f, e, &back, "stored");
    free(block);
}

/* Many are refused: the maker does not know all rules. Enough must not be. */
static void what_is_shown_reads_back(void **state)
{
    enum { ROUNDS = 20000 };
    struct fixture *f = *state;
    struct random random = {20260};
    struct buf b;
    buf_init(&b, 1 << 20);
    struct maker m = {&random, &b};
    struct context *c = fixture_context(f, "{\"ex\":\"http://example.org/\",\"n3\":\"ex:n4\"}");
    struct reader r = entity_reader(f, c, READER_ENTITY);
    struct arena *mine = f->arena;
    uint32_t read = 0, attrs = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct entity e;
        f->arena = r.arena = arena_new(0);
        make_entity(&m);
        if (reader_entity(&r, entity_json(f, b.p), STR_NONE, NULL, &e, NULL) == OK) {
            struct represent rep = entity_represent(f, c, REPRESENT_NORMALIZED);
            rep.sys_attrs = true;
            read++;
            attrs += e.attr_count;
            entity_same(f, &e, entity_read(f, &r, entity_text(f, &rep, &e).p), b.p);
            rep.format = REPRESENT_CONCISE;
            entity_same(f, &e, entity_read(f, &r, entity_text(f, &rep, &e).p), b.p);
            rep.format = REPRESENT_SIMPLIFIED;
            rep.lang = one_in(&m, 2) ? STR("zh") : STR_NONE;
            rep.geojson = one_in(&m, 2);
            entity_json(f, entity_text(f, &rep, &e).p);
            check_stored(f, &e);
        }
        arena_free(f->arena);
    }
    f->arena = mine;
    buf_free(&b);
    context_unref(c);
    print_message("%u of %d read, with %u attributes\n", read, ROUNDS, attrs);
    assert_true(read > ROUNDS / 2 && attrs > ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_shown_reads_back, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
