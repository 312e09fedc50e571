/* From a scope to the block of a context (see context_internal.h): counts, asks for
 * the memory once, copies, and builds the three ways in. */
#include "model/context_build.h"

#include "base/hash.h"
#include "model/context_iri.h"

#include <assert.h>
#include <stdlib.h>

/* A user's definition counts unless the core has the term. */
static bool kept(const struct definition *d, const struct context *core)
{
    return d && !d->dropped && (!core || !context_own(core, d->term, hash_str(d->term)));
}

static bool stands_for_iri(const struct definition *d)
{
    return !str_absent(d->iri) && !d->reverse && !context_iri_is_keyword(d->iri);
}

/* Terms of one IRI, best first: those that suit any attribute before those for special
 * values (what the inverse context of JSON-LD says of node objects), then the shortest,
 * then the least (section 4.3). */
static int preference(const struct definition *a, const struct definition *b)
{
    const struct definition *both[] = {a, b};
    int special[2];
    for (int i = 0; i < 2; i++) {
        struct str c = both[i]->container, t = both[i]->type;
        special[i] = (!str_absent(c) && !str_eq(c, STR("@set"))) ||
                     (!str_absent(t) && !str_eq(t, STR("@id")) && !str_eq(t, STR("@vocab")));
    }
    if (special[0] != special[1])
        return special[0] - special[1];
    if (a->term.n != b->term.n)
        return a->term.n < b->term.n ? -1 : 1;
    return str_cmp(a->term, b->term);
}

static void index_put(struct name_index *x, struct str key, uint32_t place)
{
    uint64_t hash = hash_str(key);
    uint32_t i = (uint32_t)hash & x->mask;
    while (x->slots[i].place)
        i = (i + 1) & x->mask;
    x->slots[i] = (struct name_slot){(uint32_t)(hash >> 32), place + 1};
}

/* The best of the terms that share an IRI stays. */
static void index_put_iri(struct context *c, uint32_t place)
{
    const struct definition *d = &c->definitions[place];
    uint32_t i = (uint32_t)hash_str(d->iri) & c->iris.mask;
    for (; c->iris.slots[i].place; i = (i + 1) & c->iris.mask) {
        const struct definition *other = &c->definitions[c->iris.slots[i].place - 1];
        if (str_eq(other->iri, d->iri)) {
            if (preference(d, other) < 0)
                c->iris.slots[i].place = place + 1;
            return;
        }
    }
    index_put(&c->iris, d->iri, place);
}

static int prefix_order(const void *a, const void *b)
{
    const struct definition *x = ((const struct prefix *)a)->definition;
    const struct definition *y = ((const struct prefix *)b)->definition;
    int order = str_cmp(x->iri, y->iri);
    return order ? order : preference(x, y);
}

/* Sorted, the prefixes of an entry that are entries themselves form a chain that
 * starts at the entry before it. */
static void link_prefixes(struct context *c)
{
    if (c->prefix_count)
        qsort(c->prefixes, c->prefix_count, sizeof *c->prefixes, prefix_order);
    for (uint32_t i = 1; i < c->prefix_count; i++) {
        uint32_t k = i;
        while (k && !str_starts(c->prefixes[i].definition->iri, c->prefixes[k - 1].definition->iri))
            k = c->prefixes[k - 1].shorter;
        c->prefixes[i].shorter = k;
    }
}

/* Hands out parts of the block; with p NULL it only counts. */
struct carver {
    char *p;
    size_t used;
};

static void *carve(struct carver *v, size_t bytes)
{
    size_t at = (v->used + 7) & ~(size_t)7;
    v->used = at + bytes;
    return v->p ? v->p + at : NULL;
}

static struct str carve_str(struct carver *v, struct str s)
{
    if (str_absent(s))
        return s;
    size_t at = v->used;
    v->used += s.n + 1;
    if (!v->p)
        return s;
    if (s.n)
        memcpy(v->p + at, s.p, s.n);
    v->p[at + s.n] = 0;
    return (struct str){v->p + at, s.n};
}

static uint32_t index_slots(uint32_t count)
{
    uint32_t n = 4;
    while (n < count * 2)
        n *= 2;
    return n;
}

/* Lays out everything but the strings. */
static struct context *carve_tables(struct carver *v, uint32_t count, uint32_t prefixes)
{
    uint32_t slots = index_slots(count);
    struct context *c = carve(v, sizeof *c);
    struct definition *definitions = carve(v, count * sizeof *definitions);
    _Atomic uint32_t *ids = carve(v, count * sizeof *ids);
    struct name_slot *names = carve(v, slots * sizeof *names);
    struct name_slot *iris = carve(v, slots * sizeof *iris);
    struct prefix *sorted = carve(v, prefixes * sizeof *sorted);
    if (!c)
        return NULL;
    c->definitions = definitions;
    c->ids = ids;
    c->names = (struct name_index){slots - 1, names};
    c->iris = (struct name_index){slots - 1, iris};
    c->prefixes = sorted;
    return c;
}

/* Copies the definitions, or only counts their bytes. */
static void carve_definitions(struct carver *v, const struct scope *s, const struct context *core,
                              struct context *c)
{
    for (uint32_t i = 0; s->slots && i <= s->mask; i++) {
        const struct definition *d = s->slots[i];
        if (!kept(d, core))
            continue;
        struct definition copy = *d;
        copy.term = carve_str(v, d->term);
        copy.iri = carve_str(v, d->iri);
        copy.type = carve_str(v, d->type);
        copy.container = carve_str(v, d->container);
        if (c)
            c->definitions[c->count++] = copy;
    }
}

static void build_indexes(struct context *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        const struct definition *d = &c->definitions[i];
        index_put(&c->names, d->term, i);
        c->has_colons |= str_find_char(d->term, ':') != STR_NPOS;
        if (!stands_for_iri(d))
            continue;
        index_put_iri(c, i);
        if (d->prefix)
            c->prefixes[c->prefix_count++].definition = d;
    }
    link_prefixes(c);
}

struct context *context_freeze(const struct scope *s, const struct context *core,
                               struct terms *terms)
{
    uint32_t count = 0, prefixes = 0;
    for (uint32_t i = 0; s->slots && i <= s->mask; i++) {
        if (!kept(s->slots[i], core))
            continue;
        count++;
        prefixes += s->slots[i]->prefix;
    }
    if (core && count == 0)
        return NULL;
    struct carver v = {0};
    carve_tables(&v, count, prefixes);
    carve_definitions(&v, s, core, NULL);
    if (!core)
        carve_str(&v, s->vocab);
    size_t bytes = v.used;
    v = (struct carver){.p = mem_zalloc(bytes)};
    struct context *c = carve_tables(&v, count, prefixes);
    carve_definitions(&v, s, core, c);
    c->core = core ? core : c;
    c->vocab = core ? core->vocab : carve_str(&v, s->vocab);
    c->terms = terms;
    c->block_bytes = bytes;
    assert(v.used == bytes && c->count == count);
    build_indexes(c);
    atomic_init(&c->refs, 1);
    pthread_mutex_init(&c->lock, NULL);
    return c;
}
