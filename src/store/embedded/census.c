/* Names are found through maps of terms and stay there; pairs come and go in a chained hash. */
#include "store/embedded/census.h"

#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS_FIRST = 64 };

struct census *census_new(void)
{
    return mem_zalloc(sizeof(struct census));
}

void census_free(struct census *c)
{
    if (!c)
        return;
    for (uint32_t i = 0; i < c->bucket_count; i++) {
        while (c->buckets[i]) {
            struct census_pair *p = c->buckets[i];
            c->buckets[i] = p->chain;
            free(p);
        }
    }
    free(c->buckets);
    for (int side = 0; side < CENSUS_SIDES; side++) {
        for (uint32_t i = 0; i < c->names[side].size; i++)
            free(c->names[side].cells[i].value);
        term_map_free(&c->names[side]);
    }
    free(c);
}

/* ---- pairs ---- */

static uint32_t bucket_of(const struct census *c, uint32_t type, uint32_t attr)
{
    uint64_t h = ((uint64_t)type << 32 | attr) * UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(h >> 32) & (c->bucket_count - 1);
}

static void grow(struct census *c)
{
    struct census_pair **old = c->buckets;
    uint32_t n = c->bucket_count;
    c->bucket_count = n ? 2 * n : BUCKETS_FIRST;
    c->buckets = mem_zalloc(c->bucket_count * sizeof(struct census_pair *));
    for (uint32_t i = 0; i < n; i++) {
        for (struct census_pair *p = old[i], *next; p; p = next) {
            struct census_pair **at = &c->buckets[bucket_of(c, p->terms[0], p->terms[1])];
            next = p->chain;
            p->chain = *at;
            *at = p;
        }
    }
    free(old);
}

const struct census_pair *census_pair(const struct census *c, uint32_t type, uint32_t attr)
{
    if (!c->bucket_count)
        return NULL;
    struct census_pair *p = c->buckets[bucket_of(c, type, attr)];
    while (p && (p->terms[CENSUS_TYPES] != type || p->terms[CENSUS_ATTRS] != attr))
        p = p->chain;
    return p;
}

static void pair_link(struct census_pair *p, enum census_side side, struct census_name *name)
{
    p->next[side] = name->pairs;
    p->previous[side] = NULL;
    if (name->pairs)
        name->pairs->previous[side] = p;
    name->pairs = p;
}

static void pair_unlink(struct census_pair *p, enum census_side side, struct census_name *name)
{
    if (p->previous[side])
        p->previous[side]->next[side] = p->next[side];
    else
        name->pairs = p->next[side];
    if (p->next[side])
        p->next[side]->previous[side] = p->previous[side];
}

static struct census_pair *pair_make(struct census *c, struct census_name *type,
                                     struct census_name *attr)
{
    struct census_pair *p = mem_zalloc(sizeof *p);
    if (c->pair_count >= c->bucket_count)
        grow(c);
    p->terms[CENSUS_TYPES] = type->term;
    p->terms[CENSUS_ATTRS] = attr->term;
    p->names[CENSUS_TYPES] = type;
    p->names[CENSUS_ATTRS] = attr;
    struct census_pair **at = &c->buckets[bucket_of(c, type->term, attr->term)];
    p->chain = *at;
    *at = p;
    c->pair_count++;
    pair_link(p, CENSUS_TYPES, type);
    pair_link(p, CENSUS_ATTRS, attr);
    return p;
}

static void pair_free(struct census *c, struct census_pair *p)
{
    struct census_pair **at = &c->buckets[bucket_of(c, p->terms[0], p->terms[1])];
    while (*at != p)
        at = &(*at)->chain;
    *at = p->chain;
    c->pair_count--;
    pair_unlink(p, CENSUS_TYPES, p->names[CENSUS_TYPES]);
    pair_unlink(p, CENSUS_ATTRS, p->names[CENSUS_ATTRS]);
    for (uint32_t i = 0; i < CENSUS_RECENT; i++)
        if (c->recent[i] == p)
            c->recent[i] = NULL;
    free(p);
}

/* ---- names ---- */

const struct census_name *census_name(const struct census *c, enum census_side side, uint32_t term)
{
    void **at = term_map_find(&c->names[side], term);
    const struct census_name *name = at ? *at : NULL;
    return name && name->count ? name : NULL;
}

static struct census_name *name_at(struct census *c, enum census_side side, uint32_t term)
{
    void **at = term_map_at(&c->names[side], term);
    if (!*at) {
        struct census_name *name = mem_zalloc(sizeof *name);
        name->term = term;
        *at = name;
    }
    return *at;
}

static void name_add(struct census *c, enum census_side side, struct census_name *name, uint64_t n)
{
    name->count += n;
    if (name->count > n)
        return;
    name->previous = NULL;
    name->next = c->live[side];
    if (name->next)
        name->next->previous = name;
    c->live[side] = name;
}

static void name_remove(struct census *c, enum census_side side, struct census_name *name)
{
    assert(name->count);
    if (--name->count)
        return;
    if (name->previous)
        name->previous->next = name->next;
    else
        c->live[side] = name->next;
    if (name->next)
        name->next->previous = name->previous;
}

/* ---- entities ---- */

/* The pair of a type and the attribute at a place of the entity, made when there is none. */
static struct census_pair *pair_at(struct census *c, struct census_name *type, uint32_t attr,
                                   uint32_t place)
{
    struct census_pair **recent = &c->recent[place % CENSUS_RECENT];
    struct census_pair *p = *recent;
    if (p && p->terms[CENSUS_TYPES] == type->term && p->terms[CENSUS_ATTRS] == attr)
        return p;
    p = (struct census_pair *)(uintptr_t)census_pair(c, type->term, attr);
    if (!p)
        p = pair_make(c, type, name_at(c, CENSUS_ATTRS, attr));
    return *recent = p;
}

/* An entity has a type at least: its attributes count with the first. */
void census_add_like(struct census *c, const struct doc *d, uint64_t count)
{
    for (uint32_t t = 0, types = doc_type_count(d), n = doc_attr_count(d); t < types; t++) {
        struct census_name *type = name_at(c, CENSUS_TYPES, doc_type(d, t));
        name_add(c, CENSUS_TYPES, type, count);
        for (uint32_t i = 0; i < n; i++) {
            struct census_pair *p = pair_at(c, type, doc_attr_term(d, i), t * n + i);
            enum attr_kind kind = doc_attr_kind(d, i);
            p->total += count;
            p->instances[kind] += count;
            if (t == 0) {
                name_add(c, CENSUS_ATTRS, p->names[CENSUS_ATTRS], count);
                p->names[CENSUS_ATTRS]->instances[kind] += count;
            }
        }
    }
}

void census_add(struct census *c, const struct doc *d)
{
    census_add_like(c, d, 1);
}

void census_remove(struct census *c, const struct doc *d)
{
    for (uint32_t t = 0, types = doc_type_count(d), n = doc_attr_count(d); t < types; t++) {
        struct census_name *type = name_at(c, CENSUS_TYPES, doc_type(d, t));
        for (uint32_t i = 0; i < n; i++) {
            struct census_pair *p = pair_at(c, type, doc_attr_term(d, i), t * n + i);
            enum attr_kind kind = doc_attr_kind(d, i);
            assert(p->instances[kind] && p->total);
            if (t == 0) {
                p->names[CENSUS_ATTRS]->instances[kind]--;
                name_remove(c, CENSUS_ATTRS, p->names[CENSUS_ATTRS]);
            }
            p->instances[kind]--;
            if (--p->total == 0)
                pair_free(c, p);
        }
        name_remove(c, CENSUS_TYPES, type);
    }
}

/* ---- whole ---- */

/* Is all that a counts in b, with the same numbers? */
static bool within(const struct census *a, const struct census *b)
{
    for (int side = 0; side < CENSUS_SIDES; side++) {
        for (const struct census_name *x = a->live[side]; x; x = x->next) {
            const struct census_name *y = census_name(b, (enum census_side)side, x->term);
            if (!y || x->count != y->count ||
                memcmp(x->instances, y->instances, sizeof x->instances) != 0)
                return false;
        }
    }
    for (uint32_t i = 0; i < a->bucket_count; i++) {
        for (const struct census_pair *x = a->buckets[i]; x; x = x->chain) {
            const struct census_pair *y = census_pair(b, x->terms[0], x->terms[1]);
            if (!y || memcmp(x->instances, y->instances, sizeof x->instances) != 0)
                return false;
        }
    }
    return true;
}

bool census_equal(const struct census *a, const struct census *b)
{
    return within(a, b) && within(b, a);
}

size_t census_bytes(const struct census *c)
{
    size_t n = sizeof *c + c->bucket_count * sizeof c->buckets[0] +
               c->pair_count * sizeof(struct census_pair);
    for (int side = 0; side < CENSUS_SIDES; side++)
        n += c->names[side].size * sizeof c->names[side].cells[0] +
             c->names[side].count * sizeof(struct census_name);
    return n;
}
