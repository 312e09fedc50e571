/* Entities and subscriptions for tests, read as the front would read them. */
#include "told.h"

#include "model/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct subscription_limits LIMITS = {
    .filter = {.nodes_max = 100, .depth_max = 8, .pattern_bytes_max = 100, .coordinates_max = 100},
    .projection = {.names_max = 20, .depth_max = 2},
    .selectors_max = 4,
    .names_max = 20,
    .pairs_max = 4,
    .timeout_max_ms = 1000,
};

void told_begin(struct told *t)
{
    *t = (struct told){arena_new(0), terms_new(200)};
    context_setup(t->terms);
}

void told_end(struct told *t)
{
    terms_free(t->terms);
    arena_free(t->arena);
}

static struct json value_of(struct told *t, struct str text)
{
    const struct json_limits limits = {.depth_max = 20, .bytes_max = 1 << 16};
    struct why why = {0};
    struct json v;
    if (json_read(t->arena, text, &limits, &v, &why) != OK)
        fail_msg("%.*s: %s", STR_ARG(text), why.text);
    return v;
}

struct entity told_entity(struct told *t, const char *text, bool merge)
{
    static const struct reader_limits limits = {.attrs_max = 20, .depth_max = 4, .types_max = 4,
                                                .scopes_max = 4, .name_bytes_max = 200, .coordinates_max = 20};
    struct reader r = {.context = context_core(), .limits = &limits, .arena = t->arena,
                       .mode = merge ? READER_MERGE : READER_ENTITY, .observed_at = TIME_NONE};
    struct json v = value_of(t, str_of(text));
    struct why why = {0};
    struct entity e;
    if (reader_entity(&r, &v, STR_NONE, NULL, &e, &why) != OK)
        fail_msg("%s: %s", text, why.text);
    return e;
}

struct doc *told_version(struct told *t, const struct entity *e, uint64_t seq)
{
    struct doc *d = arena_alloc(t->arena, doc_size(e));
    doc_encode(e, d);
    doc_set_seq(d, seq);
    return d;
}

struct doc *told_doc(struct told *t, const char *text, uint64_t seq)
{
    struct entity e = told_entity(t, text, false);
    int64_t now_us = (int64_t)seq * 1000000;
    e.created_at = 1000000;
    e.modified_at = now_us;
    for (uint32_t i = 0; i < e.attr_count; i++)
        e.attrs[i].created_at = e.attrs[i].modified_at = now_us;
    return told_version(t, &e, seq);
}

struct subscription *told_subscription(struct told *t, const char *members)
{
    struct json v = value_of(t, arena_printf(t->arena, "{\"id\":\"urn:s:1\",\"type\":\"Subscription\",%s}", members));
    struct subscription_reader r = {.context = context_core(), .terms = t->terms, .limits = &LIMITS,
                                    .arena = t->arena, .context_url = STR("https://example.org/c")};
    struct subscription *s = NULL;
    struct why why = {0};
    struct buf stored;
    buf_init(&stored, 1 << 16);
    enum status st = subscription_read(&r, &v, STR("urn:s:1"), &stored, &why);
    if (st == OK)
        st = subscription_compile(&s, STR("north"), buf_view(&stored), t->terms, &LIMITS, &why);
    buf_free(&stored);
    if (st != OK)
        fail_msg("%s: %s %s", members, why.pointer, why.text);
    return s;
}
