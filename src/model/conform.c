/* Kinds fall back by a table; members by the version that brought them. */
#include "model/conform.h"

#include "base/time.h"
#include "model/represent_int.h"

#include <assert.h>

/* Since which minor version there is such a thing. */
enum { SINCE_MANY = 3 /* types, instances, datasetId, observedAt, unitCode */, SINCE_SCOPE = 4, SINCE_OBJECT_TYPE = 8,
       SINCE_EXPIRY = 9 /* and valueType */ };

struct fallback {
    unsigned since;
    enum attr_kind before;
};

static const struct fallback KINDS[ATTR_KIND_COUNT] = {
    [ATTR_LANGUAGE_PROPERTY] = {4, ATTR_PROPERTY},
    [ATTR_JSON_PROPERTY] = {8, ATTR_PROPERTY},
    [ATTR_VOCAB_PROPERTY] = {8, ATTR_PROPERTY},
    [ATTR_LIST_PROPERTY] = {8, ATTR_PROPERTY},
    [ATTR_LIST_RELATIONSHIP] = {8, ATTR_RELATIONSHIP},
};

struct conforming {
    unsigned minor;
    const struct context *context;
    struct arena *arena;
    bool bare; /* observedAt stays: it is no member, but the time that a value goes with */
    bool changed;
};

bool conform_version(struct str text, unsigned *minor)
{
    unsigned long long major, least;
    size_t dot = str_find_char(text, '.');
    if (dot == STR_NPOS || !str_to_u64(str_head(text, dot), UINT32_MAX, &major) ||
        !str_to_u64(str_from(text, dot + 1), UINT32_MAX, &least) || major < 1)
        return false;
    *minor = major > 1 || least > CONFORM_LAST ? CONFORM_LAST : (unsigned)least;
    return true;
}

/* ---- attributes ---- */

static void drop_text(struct conforming *c, struct str *s, unsigned since)
{
    if (c->minor >= since || str_absent(*s))
        return;
    *s = STR_NONE;
    c->changed = true;
}

static void drop_time(struct conforming *c, int64_t *t, unsigned since)
{
    if (c->minor >= since || *t == TIME_NONE)
        return;
    *t = TIME_NONE;
    c->changed = true;
}

/* A vocab IRI, or an array of them, as plain text: nobody compacts a Property's value. */
static void plain_vocab(struct conforming *c, struct value *v)
{
    struct represent r = {.context = c->context, .arena = c->arena};
    if (v->kind == VALUE_STRING) {
        v->text = context_compact(c->context, v->text, c->arena);
        v->plain = json_plain(v->text);
    } else if (v->kind == VALUE_JSON) {
        struct buf b;
        buf_init(&b, SIZE_MAX);
        represent_iris(&b, &r, v->text);
        v->text = arena_dup(c->arena, buf_view(&b));
        buf_free(&b);
    }
}

static void conform_attrs(struct conforming *c, struct attr **attrs, uint32_t *count);

static void conform_attr(struct conforming *c, struct attr *a)
{
    const struct fallback *f = &KINDS[a->kind];
    if (c->minor < f->since) {
        if (a->kind == ATTR_VOCAB_PROPERTY)
            plain_vocab(c, &a->value);
        a->kind = (uint8_t)f->before;
        c->changed = true;
    }
    if (c->minor < SINCE_MANY && a->dataset.n) {
        a->dataset = STR("");
        c->changed = true;
    }
    drop_text(c, &a->unit_code, SINCE_MANY);
    if (!c->bare)
        drop_time(c, &a->observed_at, SINCE_MANY);
    drop_text(c, &a->object_type, SINCE_OBJECT_TYPE);
    drop_text(c, &a->value_type, SINCE_EXPIRY);
    drop_time(c, &a->expires_at, SINCE_EXPIRY);
    conform_attrs(c, &a->subs, &a->sub_count);
}

/* Instances stand in order, the default one first: where there may be one only, it is the first. */
static void conform_attrs(struct conforming *c, struct attr **attrs, uint32_t *count)
{
    struct attr *kept = arena_array(c->arena, struct attr, *count);
    uint32_t n = 0;
    for (uint32_t i = 0; i < *count; i++) {
        if (c->minor < SINCE_MANY && n && kept[n - 1].term == (*attrs)[i].term) {
            c->changed = true;
            continue;
        }
        kept[n] = (*attrs)[i];
        conform_attr(c, &kept[n++]);
    }
    *attrs = kept;
    *count = n;
}

/* ---- entities, evolutions ---- */

bool conform_entity(struct entity *e, unsigned minor, const struct context *context, struct arena *a)
{
    struct conforming c = {.minor = minor, .context = context, .arena = a};
    assert(minor <= CONFORM_LAST);
    if (minor == CONFORM_LAST)
        return false;
    drop_time(&c, &e->expires_at, SINCE_EXPIRY);
    if (minor < SINCE_SCOPE && e->scope_count) {
        e->scope_count = 0;
        c.changed = true;
    }
    if (minor < SINCE_MANY && e->type_count > 1) {
        e->type_count = 1;
        c.changed = true;
    }
    conform_attrs(&c, &e->attrs, &e->attr_count);
    return c.changed;
}

static bool is_dropped(const struct conforming *c, const struct evolution *e, const struct series *s)
{
    if (s->term == TERM_SCOPE)
        return c->minor < SINCE_SCOPE;
    return c->minor < SINCE_MANY && s > e->series && s[-1].term == s->term;
}

/* The scope's instances are Properties as they always were. In a partial answer points[0] is there without being counted. */
static void conform_series(struct conforming *c, struct series *s)
{
    if (c->minor < SINCE_MANY && s->dataset.n) {
        s->dataset = STR("");
        c->changed = true;
    }
    bool counted = c->changed;
    if (!s->count && s->points)
        conform_attr(c, &s->points[0].attr);
    c->changed = counted;
    for (uint32_t i = 0; i < s->count; i++)
        conform_attr(c, &s->points[i].attr);
}

/* Series of one attribute stand in order of their datasets, the default one first. */
bool conform_evolution(struct evolution *e, unsigned minor, bool bare, const struct context *context, struct arena *a)
{
    struct conforming c = {.minor = minor, .context = context, .arena = a, .bare = bare};
    struct series *kept = arena_array(a, struct series, e->count);
    uint32_t n = 0;
    assert(minor <= CONFORM_LAST);
    if (minor == CONFORM_LAST)
        return false;
    drop_time(&c, &e->expires_at, SINCE_EXPIRY);
    if (minor < SINCE_MANY && e->type_count > 1) {
        e->type_count = 1;
        c.changed = true;
    }
    for (uint32_t i = 0; i < e->count; i++) {
        if (is_dropped(&c, e, &e->series[i])) {
            c.changed = true;
            continue;
        }
        kept[n] = e->series[i];
        conform_series(&c, &kept[n++]);
    }
    e->series = kept;
    e->count = n;
    return c.changed;
}
