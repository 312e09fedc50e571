/* See watch_keys.h. Filing and unfiling walk the same way, so that counts come out even. */
#include "broker/watch_keys.h"

#include "base/hash.h"
#include "broker/watch_compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_ID,
    KEY_PREFIX,
    KEY_TYPE,
    KEY_SCOPE,       /* exactly this one */
    KEY_SCOPE_BELOW, /* this one, or one below */
    KEY_CELL,
    KEY_WIDE, /* geometries that cover too many cells */
    KEY_VALUE,
    KEY_NUMBER,
    KEY_VALUES, /* values that are more than one */
    KEY_ORDER,
};

enum { CELLS_MAX = 16, ANY = 0 /* no term is 0 */ };

static uint64_t key_of(const struct watch_classes *c, uint64_t kind, uint64_t a, uint64_t b)
{
    return hash_u64(hash_u64(hash_u64(c->seed + kind) ^ a) ^ b);
}

static void add(struct watch_keys *keys, uint64_t key)
{
    if (keys->count == keys->room) {
        keys->room = keys->room ? 2 * keys->room : 16;
        keys->keys = mem_realloc(keys->keys, keys->room * sizeof keys->keys[0]);
    }
    keys->keys[keys->count++] = key;
}

/* ---- filing ---- */

/* Counting by `by`, which is 1 or -1; keys may be NULL. */
struct filing {
    struct watch_classes *c;
    struct watch_keys *keys;
    int by;
};

static void count(const struct filing *f, uint32_t *of)
{
    *of += (uint32_t)f->by;
}

static void file(const struct filing *f, uint64_t kind, uint64_t a, uint64_t b)
{
    if (f->keys)
        add(f->keys, key_of(f->c, kind, a, b));
}

static void file_ids(const struct filing *f, const struct entity_selector *s)
{
    count(f, &f->c->ids);
    for (uint32_t i = 0; i < s->id_count; i++)
        file(f, KEY_ID, hash_str(s->ids[i]), 0);
}

static void count_term(const struct filing *f, struct watch_terms *terms, uint32_t term)
{
    uint32_t at = term % WATCH_TERM_CLASSES;
    uint64_t bit = UINT64_C(1) << at;
    count(f, &terms->counts[at]);
    terms->used = terms->counts[at] ? terms->used | bit : terms->used & ~bit;
}

static bool has_term(const struct watch_terms *terms, uint32_t term)
{
    return terms->used >> term % WATCH_TERM_CLASSES & 1;
}

static void file_prefix(const struct filing *f, struct str prefix)
{
    struct str head = str_head(prefix, WATCH_PREFIX_MAX);
    uint32_t *n = &f->c->prefixes[head.n];
    count(f, n);
    uint64_t bit = UINT64_C(1) << head.n;
    f->c->prefix_lengths = *n ? f->c->prefix_lengths | bit : f->c->prefix_lengths & ~bit;
    file(f, KEY_PREFIX, hash_str(head), 0);
}

static void file_watched(const struct filing *f, const struct subscription *s, uint32_t type)
{
    if (s->watched_count == 0)
        file(f, KEY_TYPE, type, ANY);
    for (uint32_t i = 0; i < s->watched_count; i++)
        if (s->watched[i].term != TERM_NONE)
            file(f, KEY_TYPE, type, s->watched[i].term);
}

/* Of a conjunction of types the first stands for all. */
static void file_types(const struct filing *f, const struct subscription *s,
                       const struct type_expr *types)
{
    count(f, &f->c->types);
    if (!types)
        file_watched(f, s, ANY);
    for (uint32_t i = 0; types && i < types->count; i++)
        if (types->any[i].types[0].term != TERM_NONE)
            file_watched(f, s, types->any[i].types[0].term);
}

static void file_selectors(const struct filing *f, const struct subscription *s)
{
    if (s->selector_count == 0)
        file_types(f, s, NULL);
    for (uint32_t i = 0; i < s->selector_count; i++) {
        const struct entity_selector *e = &s->selectors[i];
        if (e->id_count)
            file_ids(f, e);
        else if (e->id_prefix.n)
            file_prefix(f, e->id_prefix);
        else
            file_types(f, s, e->type);
    }
}

static bool selectors_tell_ids(const struct subscription *s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->selector_count; i++)
        n += s->selectors[i].id_count || s->selectors[i].id_prefix.n;
    return n && n == s->selector_count;
}

/* ---- scopes ---- */

static struct str without_slash(struct str s)
{
    return s.n && s.p[0] == '/' ? str_from(s, 1) : s;
}

/* Levels in front of the first wildcard. */
static struct str literal_scope(struct str pattern, bool *exact)
{
    struct str p = without_slash(pattern), rest = p, level;
    size_t n = 0;
    *exact = false;
    while (str_split(&rest, '/', &level)) {
        if (str_eq(level, STR("#")) || str_eq(level, STR("+")))
            return str_head(p, n ? n - 1 : 0);
        n = (size_t)(level.p - p.p) + level.n + 1;
    }
    *exact = true;
    return p;
}

/* The pattern of a conjunction that says most. */
static struct str telling_scope(const struct scope_all *all, bool *exact)
{
    struct str best = STR("");
    *exact = false;
    for (uint32_t i = 0; i < all->count; i++) {
        bool x;
        struct str literal = literal_scope(all->patterns[i], &x);
        if (literal.n > best.n || (x && !*exact)) {
            best = literal;
            *exact = x;
        }
    }
    return best;
}

static bool scope_tells(const struct filter *f)
{
    if (!f || f->kind != FILTER_SCOPE)
        return false;
    for (uint32_t i = 0; i < f->scope->count; i++) {
        bool exact;
        if (!telling_scope(&f->scope->any[i], &exact).n)
            return false;
    }
    return true;
}

static void file_scopes(const struct filing *f, const struct scope_expr *scopes)
{
    count(f, &f->c->scopes);
    for (uint32_t i = 0; i < scopes->count; i++) {
        bool exact;
        struct str literal = telling_scope(&scopes->any[i], &exact);
        file(f, exact ? KEY_SCOPE : KEY_SCOPE_BELOW, hash_str(literal), 0);
    }
}

/* ---- cells ---- */

static bool geo_tells(const struct filter *f)
{
    return f && f->kind == FILTER_GEO && f->geo->bounded && watch_cells_tell(f->geo->reach);
}

static uint64_t cell_key(uint32_t term, uint32_t level)
{
    return (uint64_t)term << 8 | level;
}

static void file_cells(const struct filing *f, const struct geo_filter *g)
{
    uint32_t level = watch_cells_level(g->reach);
    count(f, &f->c->levels[level]);
    uint32_t bit = UINT32_C(1) << level;
    f->c->levels_used = f->c->levels[level] ? f->c->levels_used | bit : f->c->levels_used & ~bit;
    if (g->property.term == TERM_NONE)
        return;
    struct watch_cells c = watch_cells_of(g->reach, level);
    for (uint32_t x = c.west; x <= c.east; x++)
        for (uint32_t y = c.south; y <= c.north; y++)
            file(f, KEY_CELL, cell_key(g->property.term, level), (uint64_t)x << 32 | y);
    file(f, KEY_WIDE, g->property.term, 0);
}

/* ---- values ---- */

/* Numbers that are equal have one. */
static uint64_t number_hash(double number)
{
    uint64_t bits;
    number += 0.0; /* -0 is 0 */
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static void file_values(const struct filing *f, const struct compare *c)
{
    uint32_t term = c->path[0].term;
    count(f, &f->c->values);
    if (term == TERM_NONE)
        return;
    for (uint32_t i = 0; i < c->operand_count; i++)
        if (c->operands[i].kind == OPERAND_NUMBER)
            file(f, KEY_NUMBER, term, number_hash(c->operands[i].number));
        else
            file(f, KEY_VALUE, term, hash_str(c->operands[i].text));
    file(f, KEY_VALUES, term, 0);
}

/* ---- orders ---- */

static void file_ordered(const struct filing *f, uint32_t type, uint32_t watched, uint32_t attr)
{
    count_term(f, &f->c->ordered, attr);
    count_term(f, &f->c->ordered_watched, watched);
    file(f, KEY_ORDER, (uint64_t)type << 32 | watched, attr);
}

static void file_ordered_type(const struct filing *f, const struct subscription *s, uint32_t type,
                              uint32_t attr)
{
    if (s->watched_count == 0)
        file_ordered(f, type, ANY, attr);
    for (uint32_t i = 0; i < s->watched_count; i++)
        if (s->watched[i].term != TERM_NONE)
            file_ordered(f, type, s->watched[i].term, attr);
}

/* By the interval, and type and watched attribute with it: many may want what is usual. */
static void file_interval(const struct filing *f, const struct subscription *s, uint32_t attr)
{
    if (attr == TERM_NONE)
        return;
    if (s->selector_count == 0)
        file_ordered_type(f, s, ANY, attr);
    for (uint32_t i = 0; i < s->selector_count; i++) {
        const struct type_expr *types = s->selectors[i].type;
        if (!types)
            file_ordered_type(f, s, ANY, attr);
        for (uint32_t j = 0; types && j < types->count; j++)
            if (types->any[j].types[0].term != TERM_NONE)
                file_ordered_type(f, s, types->any[j].types[0].term, attr);
    }
}

/* ---- all of it ---- */

static void file_all(const struct filing *f, const struct subscription *s, struct watch_range *r,
                     bool *ranged)
{
    const struct compare *value = watch_equality(s->q);
    const struct name *ordered;
    *ranged = false;
    if (selectors_tell_ids(s))
        file_selectors(f, s);
    else if (scope_tells(s->scope))
        file_scopes(f, s->scope->scope);
    else if (geo_tells(s->geo))
        file_cells(f, s->geo->geo);
    else if (value)
        file_values(f, value);
    else if ((*ranged = watch_interval(s->q, &ordered, r)))
        file_interval(f, s, ordered->term);
    else
        file_selectors(f, s);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void watch_keys_file(struct watch_classes *c, const struct subscription *s, struct watch_keys *keys)
{
    *keys = (struct watch_keys){0};
    file_all(&(struct filing){c, keys, 1}, s, &keys->range, &keys->ranged);
    if (!keys->count)
        return;
    qsort(keys->keys, keys->count, sizeof keys->keys[0], by_value);
    uint32_t n = 1;
    for (uint32_t i = 1; i < keys->count; i++)
        if (keys->keys[i] != keys->keys[n - 1])
            keys->keys[n++] = keys->keys[i];
    keys->count = n;
}

void watch_keys_unfile(struct watch_classes *c, const struct subscription *s)
{
    struct watch_range range;
    bool ranged;
    file_all(&(struct filing){c, NULL, -1}, s, &range, &ranged);
}

/* ---- asking ---- */

static void ask_ids(const struct watch_classes *c, struct str id, struct watch_keys *keys)
{
    if (c->ids)
        add(keys, key_of(c, KEY_ID, hash_str(id), 0));
    for (uint64_t left = c->prefix_lengths; left; left &= left - 1) {
        size_t n = (size_t)__builtin_ctzll(left);
        if (n <= id.n)
            add(keys, key_of(c, KEY_PREFIX, hash_str(str_head(id, n)), 0));
    }
}

static void ask_type(const struct watch_classes *c, uint32_t type, const struct delta *delta,
                     struct watch_keys *keys)
{
    add(keys, key_of(c, KEY_TYPE, type, ANY));
    for (uint32_t i = 0; i < delta->count; i++)
        add(keys, key_of(c, KEY_TYPE, type, delta->attrs[i].term));
}

static void ask_scope(const struct watch_classes *c, struct str scope, struct watch_keys *keys)
{
    struct str s = without_slash(scope);
    add(keys, key_of(c, KEY_SCOPE, hash_str(s), 0));
    add(keys, key_of(c, KEY_SCOPE_BELOW, hash_str(s), 0));
    for (size_t i = 1; i < s.n; i++)
        if (s.p[i] == '/')
            add(keys, key_of(c, KEY_SCOPE_BELOW, hash_str(str_head(s, i)), 0));
}

static void ask_geometry(const struct watch_classes *c, uint32_t term, const struct value *v,
                         struct watch_keys *keys)
{
    bool wide = !watch_cells_tell(v->box);
    for (uint32_t left = c->levels_used; left && !wide; left &= left - 1) {
        uint32_t level = (uint32_t)__builtin_ctz(left);
        struct watch_cells cells = watch_cells_of(v->box, level);
        wide = watch_cells_count(cells) > CELLS_MAX;
        for (uint32_t x = cells.west; x <= cells.east && !wide; x++)
            for (uint32_t y = cells.south; y <= cells.north; y++)
                add(keys, key_of(c, KEY_CELL, cell_key(term, level), (uint64_t)x << 32 | y));
    }
    if (wide)
        add(keys, key_of(c, KEY_WIDE, term, 0));
}

static void ask_value(const struct watch_classes *c, uint32_t term, const struct value *v,
                      struct watch_keys *keys)
{
    if (v->kind == VALUE_STRING)
        add(keys, key_of(c, KEY_VALUE, term, hash_str(v->text)));
    else if (v->kind == VALUE_INT)
        add(keys, key_of(c, KEY_NUMBER, term, number_hash((double)v->integer)));
    else if (v->kind == VALUE_REAL)
        add(keys, key_of(c, KEY_NUMBER, term, number_hash(v->real)));
    else if (v->kind == VALUE_JSON)
        add(keys, key_of(c, KEY_VALUES, term, 0));
}

static void ask_values(const struct watch_classes *c, const struct doc *d, struct watch_keys *keys)
{
    for (uint32_t i = 0; i < doc_attr_count(d); i++) {
        struct value v;
        uint32_t term = doc_attr_term(d, i);
        doc_attr_value(d, i, &v);
        if (v.kind == VALUE_GEO && c->levels_used)
            ask_geometry(c, term, &v, keys);
        if (c->values)
            ask_value(c, term, &v, keys);
    }
}

/* The least interval with all numbers of the instances of an attribute, which begin at i. False: it has none. */
static bool range_of(const struct doc *d, uint32_t i, uint32_t term, struct watch_range *r)
{
    *r = (struct watch_range){INFINITY, -INFINITY};
    for (; i < doc_attr_count(d) && doc_attr_term(d, i) == term; i++) {
        struct value v;
        doc_attr_value(d, i, &v);
        if (v.kind == VALUE_JSON) { /* may be several numbers */
            *r = (struct watch_range){-INFINITY, INFINITY};
            return true;
        }
        if (v.kind != VALUE_INT && v.kind != VALUE_REAL)
            continue;
        double number = v.kind == VALUE_INT ? (double)v.integer : v.real;
        r->low = number < r->low ? number : r->low;
        r->high = number > r->high ? number : r->high;
    }
    return r->low <= r->high;
}

static void ask_range(const struct watch_classes *c, uint64_t type, const struct delta *delta,
                      const struct watch_ask *ask, struct watch_asks *asks)
{
    for (uint32_t i = 0; i <= delta->count; i++) {
        uint32_t watched = i ? delta->attrs[i - 1].term : ANY;
        if (!has_term(&c->ordered_watched, watched))
            continue;
        if (asks->count == asks->room) {
            asks->room = asks->room ? 2 * asks->room : 16;
            asks->asks = mem_realloc(asks->asks, asks->room * sizeof asks->asks[0]);
        }
        asks->asks[asks->count] = *ask;
        asks->asks[asks->count++].key = key_of(c, KEY_ORDER, type << 32 | watched, ask->key);
    }
}

static void ask_ranges(const struct watch_classes *c, const struct doc *d,
                       const struct delta *delta, struct watch_asks *asks)
{
    uint32_t last = TERM_NONE;
    for (uint32_t i = 0; i < doc_attr_count(d); i++) {
        struct watch_ask ask = {.key = doc_attr_term(d, i)};
        bool first = ask.key != last;
        last = (uint32_t)ask.key;
        if (!first || !has_term(&c->ordered, last) || !range_of(d, i, last, &ask.range))
            continue;
        ask_range(c, ANY, delta, &ask, asks);
        for (uint32_t j = 0; j < doc_type_count(d); j++)
            ask_range(c, doc_type(d, j), delta, &ask, asks);
    }
}

void watch_keys_ask(const struct watch_classes *c, const struct doc *d, const struct delta *delta,
                    struct watch_keys *keys, struct watch_asks *asks)
{
    ask_ids(c, doc_id(d), keys);
    if (c->types)
        ask_type(c, ANY, delta, keys);
    for (uint32_t i = 0; c->types && i < doc_type_count(d); i++)
        ask_type(c, doc_type(d, i), delta, keys);
    for (uint32_t i = 0; c->scopes && i < doc_scope_count(d); i++)
        ask_scope(c, doc_scope(d, i), keys);
    if (c->levels_used || c->values)
        ask_values(c, d, keys);
    if (c->ordered.used)
        ask_ranges(c, d, delta, asks);
}
