/* Entities through the reader, queries through the parsers, answers from both evaluators. */
#include "filter_fixture.h"

#include "model/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct json_limits JSON = {64, 1 << 20};
static const struct reader_limits LIMITS = {.attrs_max = 100,
                                            .depth_max = 8,
                                            .types_max = 8,
                                            .scopes_max = 8,
                                            .name_bytes_max = 1000,
                                            .coordinates_max = 1000};

/* Terms that the tests of all query languages use. */
static const char CONTEXT[] =
    "{\"ex\": \"https://example.org/\", \"Male\": \"https://example.org/Male\","
    " \"commercial\": \"https://example.org/commercial\","
    " \"speed\": \"https://example.org/speed\","
    " \"Device\": \"https://example.org/vocab#Device\"}";

static struct city *city_of(struct filter_env *env)
{
    return (struct city *)((char *)env - offsetof(struct city, env));
}

static uint32_t find(struct city *c, struct str id)
{
    uint32_t i = 0;
    c->lookups++;
    while (i < c->count && !str_eq(c->entities[i].id, id))
        i++;
    return i;
}

static const struct entity *lookup(struct filter_env *env, struct str id)
{
    struct city *c = city_of(env);
    uint32_t i = find(c, id);
    return i < c->count ? &c->entities[i] : NULL;
}

static const struct doc *lookup_doc(struct filter_env *env, struct str id)
{
    struct city *c = city_of(env);
    uint32_t i = find(c, id);
    return i < c->count ? c->docs[i] : NULL;
}

static struct json parse(struct city *c, const char *text)
{
    struct json v;
    struct why why = {0};
    if (json_read(c->arena, str_of(text), &JSON, &v, &why) != OK)
        fail_msg("%s: %s", why.text, text);
    return v;
}

int city_setup(void **state)
{
    struct city *c = mem_zalloc(sizeof *c);
    c->arena = arena_new(0);
    c->scratch = arena_new(0);
    c->terms = terms_new(100000);
    context_setup(c->terms);
    struct json spec = parse(c, CONTEXT);
    struct context_limits limits = {1000, 8, 8};
    struct str missing;
    struct why why = {0};
    if (context_build(&c->context, &spec, STR_NONE, NULL, &limits, c->arena, &missing, &why) != OK)
        fail_msg("%s", why.text);
    c->limits = (struct filter_limits){64, 16, 200, 1000};
    c->reader =
        (struct filter_reader){.context = c->context, .limits = &c->limits, .arena = c->arena};
    c->env = (struct filter_env){.arena = c->scratch};
    *state = c;
    return 0;
}

int city_teardown(void **state)
{
    struct city *c = *state;
    context_unref(c->context);
    terms_free(c->terms);
    arena_free(c->scratch);
    arena_free(c->arena);
    free(c);
    return 0;
}

static void set_times(struct attr *attrs, uint32_t n, const struct entity *e)
{
    for (uint32_t i = 0; i < n; i++) {
        attrs[i].created_at = e->created_at;
        attrs[i].modified_at = e->modified_at;
        set_times(attrs[i].subs, attrs[i].sub_count, e);
    }
}

void city_encode(struct city *c)
{
    struct entity *e = &c->entities[c->count - 1];
    set_times(e->attrs, e->attr_count, e);
    struct doc *d = arena_alloc(c->arena, doc_size(e));
    doc_encode(e, d);
    c->docs[c->count - 1] = d;
}

struct entity *city_add(struct city *c, const char *text)
{
    assert_true(c->count < CITY_MAX);
    struct reader r = {.context = c->context,
                       .limits = &LIMITS,
                       .arena = c->arena,
                       .mode = READER_ENTITY,
                       .observed_at = TIME_NONE};
    struct json v = parse(c, text);
    struct why why = {0};
    struct entity *e = &c->entities[c->count++];
    if (reader_entity(&r, &v, STR_NONE, NULL, e, &why) != OK)
        fail_msg("%s at %s: %s", why.text, why.pointer, text);
    e->seq = e->created_seq = c->count;
    assert_true(time_parse(STR("2020-01-01T00:00:00Z"), &e->created_at));
    assert_true(time_parse(STR("2020-06-01T00:00:00Z"), &e->modified_at));
    city_encode(c);
    return e;
}

struct filter *city_q(struct city *c, const char *q)
{
    struct filter *f = NULL;
    struct why why = {0};
    if (filter_read_q(&c->reader, str_of(q), &f, &why) != OK)
        fail_msg("%s: %s", q, why.text);
    return f;
}

void city_refuses(struct city *c, const char *q, enum status status, unsigned column,
                  const char *part)
{
    struct filter *f = NULL;
    struct why why = {0};
    char place[32] = "";
    if (column)
        snprintf(place, sizeof place, "column %u: ", column);
    enum status st = filter_read_q(&c->reader, str_of(q), &f, &why);
    if (st != status || why.status != status || !strstr(why.text, place) || !strstr(why.text, part))
        fail_msg("%s: %s: %s", q, status_name(st), why.text);
    assert_null(f);
}

bool city_matches(struct city *c, const struct filter *f, uint32_t i)
{
    bool answers[3];
    c->env.lookup = lookup;
    c->env.lookup_doc = NULL;
    answers[0] = filter_match(f, &c->entities[i], &c->env);
    answers[1] = filter_match_doc(f, c->docs[i], &c->env);
    c->env.lookup_doc = lookup_doc;
    answers[2] = filter_match_doc(f, c->docs[i], &c->env);
    if (answers[0] != answers[1] || answers[1] != answers[2])
        fail_msg("tree, block, linked blocks: %d %d %d on %.*s", answers[0], answers[1], answers[2],
                 STR_ARG(c->entities[i].id));
    arena_reset(c->scratch);
    return answers[0];
}

static bool has_word(const char *words, struct str id)
{
    struct str rest = str_of(words), word;
    while (str_split(&rest, ' ', &word))
        if (word.n && str_ends(id, word))
            return true;
    return false;
}

void city_expect(struct city *c, const char *q, const char *expected)
{
    struct filter *f = city_q(c, q);
    for (uint32_t i = 0; i < c->count; i++)
        if (city_matches(c, f, i) != has_word(expected, c->entities[i].id))
            fail_msg("%s: %.*s should %smatch", q, STR_ARG(c->entities[i].id),
                     has_word(expected, c->entities[i].id) ? "" : "not ");
    filter_free(f);
}
