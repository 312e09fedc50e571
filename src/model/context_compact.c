/* From IRIs to names (JSON-LD 1.1 API, section 6.2, with vocab true): the best term
 * for the IRI, else what is left without @vocab, else the shortest compact IRI, else
 * the IRI (clause 5.5.7). A name is only given when it expands to the IRI again. The
 * types and containers of values, which choose among terms in JSON-LD, do not count:
 * in NGSI-LD values are objects of their own. */
#include "model/context_internal.h"

#include "base/hash.h"

#include <stdlib.h>

/* The bytes from `cut` of the IRI, behind "term:" when there is a definition; the term
 * alone when cut is 0. */
struct compacted {
    const struct definition *definition;
    size_t cut;
};

static const struct definition *by_iri(const struct context *c, struct str iri, uint64_t hash)
{
    uint32_t tag = (uint32_t)(hash >> 32);
    for (uint32_t i = (uint32_t)hash & c->iris.mask;; i = (i + 1) & c->iris.mask) {
        struct name_slot s = c->iris.slots[i];
        if (s.place == 0)
            return NULL;
        if (s.tag == tag && str_eq(c->definitions[s.place - 1].iri, iri))
            return &c->definitions[s.place - 1];
    }
}

static bool is_term(const struct context *c, struct str name)
{
    const struct context *owner;
    return context_find(c, name, hash_str(name), &owner) != NULL;
}

static void put_compact(char *to, struct str term, struct str rest)
{
    memcpy(to, term.p, term.n);
    to[term.n] = ':';
    memcpy(to + term.n + 1, rest.p, rest.n);
}

/* Is "term:rest" a term of its own? Only possible where some term has a colon. */
static bool is_taken(const struct context *c, struct str term, struct str rest)
{
    if (!c->has_colons && !c->core->has_colons)
        return false;
    struct str name = {mem_alloc(term.n + 1 + rest.n), term.n + 1 + rest.n};
    put_compact((char *)name.p, term, rest);
    bool taken = is_term(c, name);
    free((char *)name.p);
    return taken;
}

/* Place plus one of the last prefix whose IRI is not greater. */
static uint32_t last_not_greater(const struct context *c, struct str iri)
{
    uint32_t low = 0, high = c->prefix_count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (str_cmp(c->prefixes[mid].definition->iri, iri) <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Is "a:…" better than "b:…", given how much of the IRI each stands for? */
static bool better(const struct definition *a, const struct definition *b)
{
    size_t na = a->term.n + b->iri.n, nb = b->term.n + a->iri.n;
    return na != nb ? na < nb : str_cmp(a->term, b->term) < 0;
}

/* The best of the prefixes that owner has, among those found so far. */
static void try_prefixes(const struct context *c, const struct context *owner, struct str iri,
                         struct compacted *best)
{
    for (uint32_t k = last_not_greater(owner, iri); k; k = owner->prefixes[k - 1].shorter) {
        const struct definition *d = owner->prefixes[k - 1].definition;
        if (!str_starts(iri, d->iri) || iri.n == d->iri.n || str_eq(d->term, STR("_")))
            continue;
        struct str rest = str_from(iri, d->iri.n);
        if (str_starts(rest, STR("//")) || (best->definition && !better(d, best->definition)))
            continue;
        if (!is_taken(c, d->term, rest))
            *best = (struct compacted){d, d->iri.n};
    }
}

static struct compacted compact(const struct context *c, struct str iri)
{
    uint64_t hash = hash_str(iri);
    struct compacted out = {by_iri(c->core, iri, hash), 0};
    if (!out.definition && c != c->core)
        out.definition = by_iri(c, iri, hash);
    if (out.definition)
        return out;
    if (iri.n > c->vocab.n && str_starts(iri, c->vocab)) {
        struct str rest = str_from(iri, c->vocab.n);
        if (rest.p[0] != '@' && str_find_char(rest, ':') == STR_NPOS && !is_term(c, rest)) {
            out.cut = c->vocab.n;
            return out;
        }
    }
    try_prefixes(c, c->core, iri, &out);
    if (c != c->core)
        try_prefixes(c, c, iri, &out);
    return out;
}

/* "term:rest" in the arena. */
static struct str compact_text(struct compacted how, struct str iri, struct arena *a)
{
    struct str term = how.definition->term, rest = str_from(iri, how.cut);
    char *p = arena_alloc(a, term.n + 1 + rest.n);
    put_compact(p, term, rest);
    return (struct str){p, term.n + 1 + rest.n};
}

struct str context_compact(const struct context *c, struct str iri, struct arena *a)
{
    struct compacted how = compact(c, iri);
    if (!how.definition)
        return str_from(iri, how.cut);
    return how.cut ? compact_text(how, iri, a) : how.definition->term;
}

/* Where the memo has its chunk for a term: root, and place in it. */
static void memo_place(uint32_t term, uint32_t *root, uint32_t *place)
{
    uint32_t n = term / MEMO_CHUNK + 1;
    *root = 31u - (uint32_t)__builtin_clz(n);
    *place = n - (1u << *root);
}

static memo_slot *memo_find(const struct context *c, uint32_t term)
{
    uint32_t root, place;
    memo_place(term, &root, &place);
    memo_chunk *chunks = atomic_load_explicit(&c->memo[root], memory_order_acquire);
    if (!chunks)
        return NULL;
    memo_slot *slots = atomic_load_explicit(&chunks[place], memory_order_acquire);
    return slots ? &slots[term % MEMO_CHUNK] : NULL;
}

/* Under the lock. */
static void memo_grown(struct context *c, size_t bytes)
{
    atomic_fetch_add_explicit(&c->memo_bytes, bytes, memory_order_relaxed);
    if (c->account)
        atomic_fetch_add_explicit(c->account, bytes, memory_order_relaxed);
}

/* Under the lock. */
static memo_slot *memo_make(struct context *c, uint32_t term)
{
    uint32_t root, place;
    memo_place(term, &root, &place);
    memo_chunk *chunks = atomic_load_explicit(&c->memo[root], memory_order_relaxed);
    if (!chunks) {
        size_t bytes = sizeof *chunks << root;
        chunks = mem_zalloc(bytes);
        memo_grown(c, bytes);
        atomic_store_explicit(&c->memo[root], chunks, memory_order_release);
    }
    memo_slot *slots = atomic_load_explicit(&chunks[place], memory_order_relaxed);
    if (!slots) {
        slots = mem_zalloc(MEMO_CHUNK * sizeof *slots);
        memo_grown(c, MEMO_CHUNK * sizeof *slots);
        atomic_store_explicit(&chunks[place], slots, memory_order_release);
    }
    return &slots[term % MEMO_CHUNK];
}

static uintptr_t memo_encode(struct context *c, struct str iri)
{
    struct compacted how = compact(c, iri);
    if (!how.definition)
        return how.cut << 1 | 1;
    if (!how.cut)
        return (uintptr_t)&how.definition->term;
    size_t before = c->memo_strings ? arena_held(c->memo_strings) : 0;
    if (!c->memo_strings)
        c->memo_strings = arena_new(0);
    struct str *text = arena_alloc(c->memo_strings, sizeof *text);
    *text = compact_text(how, iri, c->memo_strings);
    memo_grown(c, arena_held(c->memo_strings) - before);
    return (uintptr_t)text;
}

static struct str memo_decode(const struct context *c, uint32_t term, uintptr_t slot)
{
    if (slot & 1)
        return str_from(terms_iri(c->terms, term), slot >> 1);
    return *(const struct str *)slot;
}

/* Apart, so that the way through a warm memo needs no stack. */
__attribute__((noinline)) static struct str compact_new(struct context *c, uint32_t term)
{
    pthread_mutex_lock(&c->lock);
    memo_slot *slot = memo_make(c, term);
    uintptr_t value = atomic_load_explicit(slot, memory_order_relaxed);
    if (!value) {
        value = memo_encode(c, terms_iri(c->terms, term));
        atomic_store_explicit(slot, value, memory_order_release);
    }
    pthread_mutex_unlock(&c->lock);
    return memo_decode(c, term, value);
}

struct str context_compact_term(const struct context *c, uint32_t term)
{
    const memo_slot *slot = memo_find(c, term);
    uintptr_t value = slot ? atomic_load_explicit(slot, memory_order_acquire) : 0;
    if (__builtin_expect(value != 0, 1))
        return memo_decode(c, term, value);
    return compact_new((struct context *)c, term); /* all but the memo stays as it is */
}

void context_memo_free(struct context *c)
{
    for (uint32_t root = 0; root < MEMO_ROOTS; root++) {
        memo_chunk *chunks = c->memo[root];
        for (uint32_t i = 0; chunks && i < 1u << root; i++)
            free(chunks[i]);
        free(chunks);
    }
    arena_free(c->memo_strings);
}

struct str context_term_iri(const struct context *c, uint32_t term)
{
    return terms_iri(c->terms, term);
}
