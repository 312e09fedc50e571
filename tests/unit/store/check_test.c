/* `wellspring check` on data directories damaged on purpose, one thing at a time: it says what, and nothing
 * else. Likewise the comparison of indexes. */
#include "opened.h"

#include "base/time.h"
#include "store/embedded/base_db.h"
#include "store/embedded/base_read.h"
#include "store/embedded/embedded_int.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENTITIES = 20 };

static struct opened o;
static struct fixture *const f = &o.fixture;

static int setup(void **state)
{
    (void)state;
    opened_init(&o);
    opened_start(&o);
    for (int i = 0; i < ENTITIES; i++) {
        struct edit e = fixture_create(f, arena_printf(f->arena, "urn:e:%d", i).p, "T", i);
        assert_int_equal(fixture_edit(f, &e).status, OK);
    }
    struct entity *e = fixture_entity(f, "urn:g", "T", "place", 0);
    e->scopes = (struct str[]){STR("/City")};
    e->scope_count = 1;
    e->attrs[0].kind = ATTR_GEO_PROPERTY;
    e->attrs[0].value = (struct value){
        .kind = VALUE_GEO,
        .point = true,
        .text = STR("{\"type\":\"Point\",\"coordinates\":[117,36.5]}"),
        .box = {117, 36.5, 117, 36.5},
    };
    struct edit edit = {.kind = EDIT_CREATE, .id = e->id, .fragment = e};
    assert_int_equal(fixture_edit(f, &edit).status, OK);
    assert_int_equal(fixture_put(f, STORE_CONTEXT, "k", "v"), OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    opened_end(&o);
    return 0;
}

/* ---- what the check says ---- */

struct said {
    int errors;
    char first[640];
};

static void hear(void *arg, const char *text)
{
    struct said *s = arg;
    if (!s->errors++)
        snprintf(s->first, sizeof s->first, "%s", text);
}

static void assert_finds(const char *what)
{
    struct said said = {0};
    struct embedded_report report;
    struct why why = {0};
    enum status st = embedded_check(o.dir, &report, hear, &said, &why);
    if (!what) {
        if (st != OK)
            fail_msg("%s", said.first);
        return;
    }
    assert_int_equal(st, E_DAMAGED);
    assert_int_equal(said.errors, 1);
    if (!strstr(said.first, what))
        fail_msg("\"%s\" does not say \"%s\"", said.first, what);
}

/* ---- the base ---- */

/* The third entity of the base, in an arena. */
struct finding {
    struct base_reader reader;
    struct arena *arena;
    struct doc *doc;
    unsigned seen;
};

static enum status find_entity(struct base_reader *r, uint32_t tenant, uint64_t created_seq,
                               struct str block, struct why *why)
{
    struct finding *s = container_of(r, struct finding, reader);
    (void)tenant;
    (void)created_seq;
    (void)why;
    if (++s->seen == 3) {
        s->doc = arena_alloc(s->arena, block.n);
        memcpy(s->doc, block.p, block.n);
    }
    return OK;
}

typedef void damage(struct base *b, struct doc *d, struct base_position *p);

static void damage_base(damage *what)
{
    char path[300];
    struct base *b;
    struct base_position p;
    struct why why = {0};
    struct finding s = {.reader.entity = find_entity, .arena = arena_new(0)};
    opened_shut(&o);
    assert_finds(NULL);
    snprintf(path, sizeof path, "%s/base", o.dir);
    assert_int_equal(base_open(&b, path, false, &why), OK);
    assert_int_equal(base_read_position(b, &p, &why), OK);
    assert_int_equal(base_read(b, &s.reader, &why), OK);
    what(b, s.doc, &p);
    assert_int_equal(base_flush(b, &p, &why), OK);
    base_close(b);
    arena_free(s.arena);
}

static void bend_block(struct base *b, struct doc *d, struct base_position *p)
{
    (void)p;
    ((unsigned char *)d)[doc_bytes(d) - 9] ^= 0xFF;
    ((unsigned char *)d)[48] ^= 1; /* the number of attributes */
    base_put_entity(b, 1, d);
}

static void test_an_entity_of_the_base(void **state)
{
    (void)state;
    char what[64];
    snprintf(what, sizeof what, "base: entity %llu of tenant 1",
             (unsigned long long)doc_created_seq(fixture_get(f, "urn:e:2")));
    damage_base(bend_block);
    assert_finds(what);
}

/* The key is '4', tenant, sequence (docs/formats/keys.md): base_put_entity() writes no such thing. */
static void test_an_entity_under_the_key_of_another(void **state)
{
    (void)state;
    static const char key[] = {'4', 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x23, 0x45};
    const struct doc *d = fixture_get(f, "urn:e:7");
    struct arena *kept = arena_new(0);
    struct str block = arena_dup(kept, (struct str){(const char *)d, doc_bytes(d)});
    char what[96];
    snprintf(what, sizeof what, "base: entity %llu of tenant 1 is stored under the key of 9029",
             (unsigned long long)doc_created_seq(d));
    opened_shut(&o);
    assert_finds(NULL);
    struct base_db *db = opened_db(&o);
    base_db_put(db, (struct str){key, sizeof key}, &block, 1);
    assert_null(base_db_write(db));
    assert_null(base_db_flush(db));
    base_db_close(db);
    arena_free(kept);
    assert_finds(what);
}

static void skip_a_term(struct base *b, struct doc *d, struct base_position *p)
{
    (void)d;
    (void)p;
    base_put_term(b, 9000, STR("https://example.org/skipped"));
}

static void test_a_term_of_the_base(void **state)
{
    (void)state;
    damage_base(skip_a_term);
    assert_finds("base: term 9000 follows term");
}

static void add_a_document(struct base *b, struct doc *d, struct base_position *p)
{
    (void)d;
    (void)p;
    base_put_document(b, 1, 99, STR("strange"), 1, STR("x"));
}

static void test_a_document_of_the_base(void **state)
{
    (void)state;
    damage_base(add_a_document);
    assert_finds("base: document strange of tenant 1 has kind 99");
}

static void change_owner(struct base *b, struct doc *d, struct base_position *p)
{
    (void)b;
    (void)d;
    p->store_id ^= 1;
}

static void test_the_position_of_the_base(void **state)
{
    (void)state;
    damage_base(change_owner);
    assert_finds("base: it belongs to another store");
}

/* ---- the log ---- */

static void test_a_frame_of_the_log(void **state)
{
    (void)state;
    char path[300];
    unsigned char byte;
    opened_shut(&o);
    assert_finds(NULL);
    snprintf(path, sizeof path, "%s/log/0000000000000001.log", o.dir);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, 300), 1); /* in a group with others behind it */
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, 300), 1);
    close(fd);
    assert_finds("segment 0000000000000001");
}

/* ---- the indexes ---- */

static struct tenant *default_tenant(void)
{
    return tenants_find(embedded_of(f->store)->tenants, STR(""));
}

static void assert_disagrees(const char *what)
{
    char text[256] = "";
    struct tenant *t = default_tenant();
    uint64_t wrong = index_verify(t->index, tenant_state(t), text, sizeof text);
    assert_int_equal(wrong, what ? 1 : 0);
    if (what && !strstr(text, what))
        fail_msg("\"%s\" does not say \"%s\"", text, what);
}

/* Takes slot out of a set, looks, and puts it back. */
static void assert_bitmap_is_watched(struct bitmap *b, const char *what)
{
    bool there = bitmap_has(b, 3);
    if (there)
        bitmap_remove(b, 3);
    else
        bitmap_add(b, 3);
    assert_disagrees(what);
    if (there)
        bitmap_add(b, 3);
    else
        bitmap_remove(b, 3);
    assert_disagrees(NULL);
}

static void assert_order_is_watched(struct ordered *set, const char *what)
{
    assert_true(ordered_add(set, 12345, 3));
    assert_disagrees(what);
    assert_true(ordered_remove(set, 12345, 3));
    assert_disagrees(NULL);
}

static void test_indexes(void **state)
{
    (void)state;
    struct index *ix = default_tenant()->index;
    struct index_value *v = index_value_new(fixture_term(f, "value"));
    assert_disagrees(NULL);
    while (index_value_build(v, tenant_state(default_tenant()), 1000))
        continue;
    v->next = ix->values;
    ix->values = v;
    assert_bitmap_is_watched(ix->live, "all entities");
    assert_bitmap_is_watched(*term_map_find(&ix->types, fixture_term(f, "T")), "type");
    assert_bitmap_is_watched(*term_map_find(&ix->attrs, fixture_term(f, "value")), "attribute");
    assert_bitmap_is_watched(ix->ends.over, "ends");
    assert_bitmap_is_watched(ix->parts.over, "ends of parts");
    assert_bitmap_is_watched(v->others, "other values");
    struct index_scope *scope = name_map_get(ix->scopes, STR("/City"));
    assert_bitmap_is_watched(scope->slots, "scope");
    assert_order_is_watched(*term_map_find(&ix->cells, fixture_term(f, "place")), "geometries");
    assert_order_is_watched(ix->ends.ends, "ends");
    assert_order_is_watched(ix->parts.ends, "ends of parts");
    assert_order_is_watched(v->numbers, "numbers");
    assert_order_is_watched(v->texts, "texts");
    census_add(ix->census, fixture_get(f, "urn:e:3"));
    assert_disagrees("census");
    census_remove(ix->census, fixture_get(f, "urn:e:3"));
    assert_disagrees(NULL);
    opened_shut(&o);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_entity_of_the_base),
        TEST(test_an_entity_under_the_key_of_another),
        TEST(test_a_term_of_the_base),
        TEST(test_a_document_of_the_base),
        TEST(test_the_position_of_the_base),
        TEST(test_a_frame_of_the_log),
        TEST(test_indexes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
