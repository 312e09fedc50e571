/* See edit_fixture.h. */
#include "edit_fixture.h"

#include "model/doc.h"

struct arena *arena;
struct terms *terms;

int edit_setup(void **state)
{
    (void)state;
    arena = arena_new(0);
    terms = terms_new(1000);
    return 0;
}

int edit_teardown(void **state)
{
    (void)state;
    terms_free(terms);
    arena_free(arena);
    return 0;
}

/* The notation with its quotes. */
static struct json *json_of(const char *text)
{
    struct str copy = arena_dup(arena, str_of(text));
    for (char *p = (char *)copy.p; *p; p++)
        if (*p == '\'')
            *p = '"';
    return tree_parse(arena, copy);
}

uint32_t term(const char *name)
{
    return terms_intern(terms, str_of(name), NULL);
}

struct entity *tree(const char *text)
{
    struct entity *e = arena_alloc(arena, sizeof *e);
    tree_read(arena, terms, ID, json_of(text), e);
    return e;
}

struct outcome apply(struct edit e, const struct entity *old, int64_t now)
{
    struct outcome o;
    e.id = ID;
    e.names = terms;
    edit_apply(&e, old, now, arena, &o.entity, &o.result);
    assert_true((o.result.status == OK) == (o.result.why == NULL));
    if (o.result.status != OK) {
        assert_false(o.result.changed || o.result.created || o.result.deleted);
        assert_int_equal(o.result.note_count, 0);
        assert_int_equal(o.result.why->status, o.result.status);
    }
    return o;
}

/* Through a block, as a store does it. */
struct entity *stored(const struct entity *e, uint64_t seq)
{
    struct doc *d = arena_alloc(arena, doc_size(e));
    struct entity *back = arena_alloc(arena, sizeof *back);
    doc_encode(e, d);
    doc_set_seq(d, seq);
    assert_int_equal(doc_check(d, doc_bytes(d), terms_count(terms), NULL), OK);
    doc_decode(d, arena, back);
    return back;
}

const struct entity *make(const char *text)
{
    struct outcome o =
        apply((struct edit){.kind = EDIT_CREATE, .fragment = tree(text)}, NULL, CREATED);
    assert_int_equal(o.result.status, OK);
    assert_true(o.result.created && o.result.changed);
    return stored(&o.entity, 1);
}

struct outcome change_flags(enum edit_kind kind, uint32_t flags, const struct entity *old,
                            const char *fragment)
{
    return apply((struct edit){.kind = (uint8_t)kind, .flags = flags, .fragment = tree(fragment)},
                 old, NOW);
}

struct outcome change(enum edit_kind kind, const struct entity *old, const char *fragment)
{
    return change_flags(kind, 0, old, fragment);
}

struct outcome change_attr(enum edit_kind kind, const struct entity *old, const char *name,
                           const char *fragment)
{
    struct edit e = {.kind = (uint8_t)kind, .term = term(name)};
    struct attr *attrs;
    e.attr_count = tree_read_attr(arena, terms, str_of(name), json_of(fragment), &attrs);
    e.attrs = attrs;
    return apply(e, old, NOW);
}

/* Without createdAt, modifiedAt and the sequences, if wanted. */
static struct json strip(const struct json *v)
{
    struct json out = *v;
    if (v->kind == JSON_ARRAY) {
        out.items = arena_array(arena, struct json, v->n);
        for (uint32_t i = 0; i < v->n; i++)
            out.items[i] = strip(&v->items[i]);
    } else if (v->kind == JSON_OBJECT) {
        out.members = arena_array(arena, struct json_member, v->n);
        out.n = 0;
        for (uint32_t i = 0; i < v->n; i++) {
            struct str k = v->members[i].key;
            if (!str_eq(k, STR("createdAt")) && !str_eq(k, STR("modifiedAt")) && k.p[0] != '@')
                out.members[out.n++] = (struct json_member){k, strip(&v->members[i].value)};
        }
    }
    return out;
}

struct json *written(const struct entity *e)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    tree_write(&b, terms, e);
    struct json *v = tree_parse(arena, buf_view(&b));
    buf_free(&b);
    return v;
}

static void assert_same(const struct json *got, const struct json *want)
{
    if (!json_same(got, want))
        fail_msg("got  %.*s\nwant %.*s", STR_ARG(json_text(arena, got)),
                 STR_ARG(json_text(arena, want)));
}

static struct json *version(struct outcome *o)
{
    if (o->result.status != OK)
        fail_msg("refused: %s", o->result.why->text);
    assert_true(o->result.changed);
    return written(stored(&o->entity, 2));
}

void assert_exactly(struct outcome o, const char *expected)
{
    assert_same(version(&o), json_of(expected));
}

void assert_gives(struct outcome o, const char *expected)
{
    struct json got = strip(version(&o)), want = strip(json_of(expected));
    assert_same(&got, &want);
}

void assert_unchanged(struct outcome o)
{
    assert_int_equal(o.result.status, OK);
    assert_false(o.result.changed || o.result.created || o.result.deleted);
}

void assert_refused(struct outcome o, enum status status, const char *text)
{
    assert_int_equal(o.result.status, status);
    if (!strstr(o.result.why->text, text))
        fail_msg("'%s' does not say '%s'", o.result.why->text, text);
}

void assert_note(const struct outcome *o, uint32_t i, const char *name, bool done)
{
    assert_true(i < o->result.note_count);
    const struct edit_note *n = &o->result.notes[i];
    assert_int_equal(n->term, name ? term(name) : TERM_NONE);
    assert_int_equal(n->done, done);
    assert_true(done == (n->reason == NULL));
}
