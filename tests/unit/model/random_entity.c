/* See random_entity.h: trees that reach every field and every code of the block. */
#include "random_entity.h"

#include "model/doc.h"

uint64_t random_next(struct random *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint32_t random_below(struct random *r, uint32_t n)
{
    return (uint32_t)(random_next(r) % n);
}

static bool one_in(struct random *r, uint32_t n)
{
    return random_below(r, n) == 0;
}

static struct str random_text(struct random *r, struct arena *a, const char *prefix)
{
    static const uint32_t PADDING[] = {0, 0, 1, 20, 230, 260, 700};
    uint32_t n = PADDING[random_below(r, 7)];
    struct str s = arena_printf(a, "%s%u%*s", prefix, random_below(r, 50), (int)n, "");
    return s;
}

static int64_t random_time(struct random *r)
{
    switch (random_below(r, 12)) {
    case 0:
        return RANDOM_TIME + (int64_t)(random_next(r) >> 8); /* beyond 48 bits of µs */
    case 1:
        return RANDOM_TIME - (int64_t)random_below(r, 1u << 30);
    default:
        return RANDOM_TIME + (int64_t)random_below(r, 40);
    }
}

struct value random_value(struct random *r, struct arena *a, enum attr_kind kind)
{
    struct value v = {.kind = VALUE_JSON, .text = STR("{\"a\":[1,null,\"x\"]}")};
    switch (kind) {
    case ATTR_GEO_PROPERTY:
        v.kind = VALUE_GEO;
        v.point = one_in(r, 2);
        v.box = (struct box){1.5, -2.25, v.point ? 1.5 : 3.0, v.point ? -2.25 : 45.0};
        v.text = v.point ? STR("{\"type\":\"Point\",\"coordinates\":[1.5,-2.25]}")
                         : STR("{\"type\":\"LineString\",\"coordinates\":[[1.5,-2.25],[3,45]]}");
        return v;
    case ATTR_LANGUAGE_PROPERTY:
        v.text = arena_printf(a, "{\"zh\":\"%u\"}", random_below(r, 9));
        return v;
    case ATTR_PROPERTY:
        v.kind = (uint8_t)(VALUE_BOOL + random_below(r, 5));
        break;
    case ATTR_RELATIONSHIP:
    case ATTR_VOCAB_PROPERTY:
        v.kind = VALUE_STRING;
        break;
    default:
        return v;
    }
    v.plain = v.kind == VALUE_STRING && one_in(r, 2);
    if (v.kind == VALUE_STRING)
        v.text = random_text(r, a, "urn:x:");
    else if (v.kind != VALUE_JSON)
        v.text = STR_NONE;
    if (v.kind == VALUE_BOOL)
        v.boolean = one_in(r, 2);
    else if (v.kind == VALUE_INT)
        v.integer = (int64_t)random_next(r);
    else if (v.kind == VALUE_REAL)
        v.real = (double)random_below(r, 1000) / 7;
    return v;
}

static uint64_t random_seq(struct random *r, uint64_t created, uint64_t seq)
{
    switch (random_below(r, 4)) {
    case 0:
        return seq;
    case 1:
        return created;
    default:
        return created + random_next(r) % (seq - created + 1);
    }
}

static uint32_t random_attrs(struct random *r, struct arena *a, const struct entity *e,
                             uint32_t depth, struct attr **out);

static void random_attr(struct random *r, struct arena *a, const struct entity *e, uint32_t depth,
                        struct attr *out)
{
    enum attr_kind kind = ATTR_PROPERTY + random_below(r, ATTR_KIND_COUNT - ATTR_PROPERTY);
    *out = (struct attr){
        .term = 1 + random_below(r, RANDOM_TERM_MAX),
        .kind = (uint8_t)kind,
        .dataset = one_in(r, 3) ? arena_printf(a, "urn:d:%u", random_below(r, 3)) : STR(""),
        .value = random_value(r, a, kind),
        .unit_code = one_in(r, 4) ? STR("CEL") : STR_NONE,
        .value_type = one_in(r, 9) ? STR("http://www.w3.org/2001/XMLSchema#date") : STR_NONE,
        .object_type = one_in(r, 9) ? STR("\"https://x.org/Street\"") : STR_NONE,
        .observed_at = one_in(r, 3) ? random_time(r) : TIME_NONE,
        .expires_at = one_in(r, 9) ? random_time(r) : TIME_NONE,
        .created_at = one_in(r, 2) ? e->created_at : random_time(r),
        .modified_at = one_in(r, 3) ? e->modified_at : random_time(r),
        .seq = random_seq(r, e->created_seq, e->seq),
    };
    if (depth < 4 && one_in(r, 3))
        out->sub_count = random_attrs(r, a, e, depth + 1, &out->subs);
}

static uint32_t random_attrs(struct random *r, struct arena *a, const struct entity *e,
                             uint32_t depth, struct attr **out)
{
    uint32_t n = random_below(r, depth ? 3 : 9);
    *out = arena_array(a, struct attr, n + 1);
    for (;;) {
        for (uint32_t i = 0; i < n; i++)
            random_attr(r, a, e, depth, &(*out)[i]);
        const struct attr *dup;
        if (attrs_sort(*out, n, &dup))
            return n;
        n--;
    }
}

void random_entity(struct random *r, struct arena *a, uint64_t seq, struct entity *out)
{
    *out = (struct entity){
        .id = random_text(r, a, "urn:ngsi-ld:Thing:"),
        .type_count = 1 + random_below(r, 3),
        .scope_count = one_in(r, 3) ? random_below(r, 3) : 0,
        .created_at = random_time(r),
        .modified_at = random_time(r),
        .expires_at = one_in(r, 5) ? random_time(r) : TIME_NONE,
        .seq = seq,
        .created_seq = one_in(r, 3) ? seq : 1 + random_next(r) % seq,
    };
    out->types = arena_array(a, uint32_t, out->type_count);
    uint32_t first = 1 + random_below(r, 4);
    for (uint32_t i = 0; i < out->type_count; i++)
        out->types[i] = first + i;
    out->scopes = arena_array(a, struct str, out->scope_count + 1);
    for (uint32_t i = 0; i < out->scope_count; i++)
        out->scopes[i] = arena_printf(a, "/city/level%u", i + random_below(r, 3) * 10);
    out->attr_count = random_attrs(r, a, out, 0, &out->attrs);
}

/* Absent and empty differ. */
static bool text_same(struct str a, struct str b)
{
    return str_absent(a) == str_absent(b) && str_eq(a, b);
}

static bool value_exact(const struct value *a, const struct value *b)
{
    if (a->kind != b->kind)
        return false;
    switch ((enum value_kind)a->kind) {
    case VALUE_BOOL:
        return a->boolean == b->boolean;
    case VALUE_INT:
    case VALUE_REAL:
        return a->integer == b->integer; /* the same bits */
    case VALUE_STRING:
        return a->plain == b->plain && str_eq(a->text, b->text);
    case VALUE_GEO:
        return a->point == b->point && memcmp(&a->box, &b->box, sizeof a->box) == 0 &&
               str_eq(a->text, b->text);
    case VALUE_JSON:
        return str_eq(a->text, b->text);
    case VALUE_NONE:
    case VALUE_NULL:
        break;
    }
    return true;
}

static bool attrs_exact(const struct attr *a, const struct attr *b, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++, a++, b++)
        if (a->term != b->term || a->kind != b->kind || !str_eq(a->dataset, b->dataset) ||
            !value_exact(&a->value, &b->value) || !text_same(a->unit_code, b->unit_code) ||
            !text_same(a->value_type, b->value_type) ||
            !text_same(a->object_type, b->object_type) || a->observed_at != b->observed_at ||
            a->expires_at != b->expires_at || a->created_at != b->created_at ||
            a->modified_at != b->modified_at || a->seq != b->seq ||
            a->null_members != b->null_members || a->sub_count != b->sub_count ||
            !attrs_exact(a->subs, b->subs, a->sub_count))
            return false;
    return true;
}

bool tree_same(const struct entity *a, const struct entity *b)
{
    if (!str_eq(a->id, b->id) || a->type_count != b->type_count ||
        a->scope_count != b->scope_count || a->scope_null != b->scope_null ||
        a->expires_null != b->expires_null || a->created_at != b->created_at ||
        a->modified_at != b->modified_at || a->expires_at != b->expires_at || a->seq != b->seq ||
        a->created_seq != b->created_seq || a->attr_count != b->attr_count)
        return false;
    for (uint32_t i = 0; i < a->type_count; i++)
        if (a->types[i] != b->types[i])
            return false;
    for (uint32_t i = 0; i < a->scope_count; i++)
        if (!str_eq(a->scopes[i], b->scopes[i]))
            return false;
    return attrs_exact(a->attrs, b->attrs, a->attr_count);
}
