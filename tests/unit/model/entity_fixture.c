/* See the header. Comparison is by meaning, messages show both texts. */
#include "entity_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

const struct reader_limits ENTITY_LIMITS = {
    .attrs_max = 1000,
    .depth_max = 8,
    .types_max = 8,
    .scopes_max = 8,
    .instances_max = 30,
    .name_bytes_max = 512,
    .coordinates_max = 10000,
};

const struct json *entity_json(struct fixture *f, const char *text)
{
    const struct json_limits limits = {.depth_max = 64, .bytes_max = 64 << 20};
    struct json *v = arena_alloc(f->arena, sizeof *v);
    struct why why = {0};
    if (json_read(f->arena, str_of(text), &limits, v, &why) != OK)
        fail_msg("%s: %s", why.text, text);
    return v;
}

struct reader entity_reader(struct fixture *f, const struct context *c, enum reader_mode mode)
{
    return (struct reader){.context = c,
                           .limits = &ENTITY_LIMITS,
                           .arena = f->arena,
                           .mode = mode,
                           .observed_at = TIME_NONE};
}

struct entity *entity_read(struct fixture *f, const struct reader *r, const char *text)
{
    struct entity *e = arena_alloc(f->arena, sizeof *e);
    struct why why = {0};
    if (reader_entity(r, entity_json(f, text), STR_NONE, NULL, e, &why) != OK)
        fail_msg("%s: %s\n%s", why.pointer, why.text, text);
    return e;
}

void entity_refused(struct fixture *f, const struct reader *r, const struct refused_case *c)
{
    struct entity e;
    struct why why = {0};
    enum status st = reader_entity(r, entity_json(f, c->json), STR_NONE, NULL, &e, &why);
    if (st == OK)
        fail_msg("taken: %s", c->json);
    if (why.status != st || (st != E_BAD_DATA && st != E_LIMIT))
        fail_msg("status %s: %s", status_name(st), c->json);
    if (strcmp(why.pointer, c->pointer) != 0 || !strstr(why.text, c->part))
        fail_msg("%s\n  at \"%s\" (not \"%s\"): \"%s\" (not \"%s\")", c->json, why.pointer,
                 c->pointer, why.text, c->part);
}

void entity_members_refused(struct fixture *f, const struct reader *r,
                            const struct refused_case *cases)
{
    for (; cases->json; cases++) {
        struct str text =
            arena_printf(f->arena, "{\"id\":\"urn:x:1\",\"type\":\"T\",%s}", cases->json);
        struct refused_case whole = {text.p, cases->pointer, cases->part};
        entity_refused(f, r, &whole);
    }
}

struct represent entity_represent(struct fixture *f, const struct context *c,
                                  enum represent_format format)
{
    return (struct represent){.format = (uint8_t)format, .context = c, .arena = f->arena};
}

struct str entity_text(struct fixture *f, const struct represent *r, const struct entity *e)
{
    struct buf b;
    buf_init(&b, 1 << 24);
    represent_entity(&b, r, e);
    assert_false(b.full);
    struct str text = arena_dup(f->arena, buf_view(&b));
    buf_free(&b);
    return text;
}

void entity_shows(struct fixture *f, const struct represent *r, const struct entity *e,
                  const char *expected)
{
    struct str text = entity_text(f, r, e);
    if (!json_same(entity_json(f, text.p), entity_json(f, expected)))
        fail_msg("\n   got: %s\nwanted: %s", text.p, expected);
}

void entity_same(struct fixture *f, const struct entity *a, const struct entity *b,
                 const char *what)
{
    struct represent r = entity_represent(f, context_core(), REPRESENT_NORMALIZED);
    bool same = str_eq(a->id, b->id) && a->type_count == b->type_count &&
                a->scope_count == b->scope_count && a->attr_count == b->attr_count &&
                a->expires_at == b->expires_at;
    for (uint32_t i = 0; same && i < a->type_count; i++)
        same = a->types[i] == b->types[i];
    for (uint32_t i = 0; same && i < a->scope_count; i++)
        same = str_eq(a->scopes[i], b->scopes[i]);
    for (uint32_t i = 0; same && i < a->attr_count; i++)
        same = attr_same(&a->attrs[i], &b->attrs[i]);
    if (!same)
        fail_msg("%s:\n%s\n%s", what, entity_text(f, &r, a).p, entity_text(f, &r, b).p);
}
