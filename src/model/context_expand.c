/* From names to IRIs (JSON-LD 1.1 API, section 5.2, with vocab true) in a finished
 * context, and to term ids.
 *
 * Ids are remembered at two places, both written by any thread without a lock: beside
 * each definition, and, for names that only @vocab expands, in a table of the core
 * context that all contexts share, since their @vocab is the core's. A slot there is
 * the upper half of the name's hash and the id; that it belongs to the name is seen by
 * comparing the name with the end of the IRI, so a slot may be overwritten at any time. */
#include "model/context_internal.h"

#include "base/hash.h"
#include "model/context_iri.h"

static bool stands_for_iri(const struct definition *d)
{
    return !str_absent(d->iri) && d->iri.p[0] != '@' && !d->reverse;
}

/* A name with a colon; absent when it is neither compact nor absolute. */
static struct str expand_compact(const struct context *c, struct str name, size_t colon,
                                 struct arena *a)
{
    struct str prefix = str_head(name, colon), suffix = str_from(name, colon + 1);
    const struct context *owner;
    if (str_starts(suffix, STR("//")))
        return arena_dup(a, name);
    const struct definition *d = context_find(c, prefix, hash_str(prefix), &owner);
    if (d && d->prefix && stands_for_iri(d)) {
        const struct str both[] = {d->iri, suffix};
        return context_iri_join(both, 2, a);
    }
    return context_iri_has_scheme(name) ? arena_dup(a, name) : STR_NONE;
}

/* What is no term of c. */
static struct str expand_rest(const struct context *c, struct str name, struct arena *a)
{
    if (name.n == 0 || context_iri_has_keyword_form(name) || str_starts(name, STR("_:")))
        return STR_NONE;
    size_t colon = str_find_char(name, ':');
    if (colon != STR_NPOS && colon > 0) {
        struct str iri = expand_compact(c, name, colon, a);
        if (!str_absent(iri))
            return iri;
    }
    const struct str both[] = {c->vocab, name};
    return context_iri_join(both, 2, a);
}

struct str context_expand(const struct context *c, struct str name, struct arena *a)
{
    const struct context *owner;
    const struct definition *d = context_find(c, name, hash_str(name), &owner);
    if (d)
        return stands_for_iri(d) ? d->iri : STR_NONE;
    return expand_rest(c, name, a);
}

static uint32_t id_of(const struct context *c, struct str iri, bool intern, struct why *why)
{
    if (str_absent(iri))
        return TERM_NONE;
    return intern ? terms_intern(c->terms, iri, why) : terms_find(c->terms, iri);
}

static uint32_t expand_defined(const struct context *owner, const struct definition *d, bool intern,
                               struct why *why)
{
    _Atomic uint32_t *known = &owner->ids[d - owner->definitions];
    uint32_t id = atomic_load_explicit(known, memory_order_acquire);
    if (id != TERM_NONE || !stands_for_iri(d))
        return id;
    id = id_of(owner, d->iri, intern, why);
    if (id != TERM_NONE)
        atomic_store_explicit(known, id, memory_order_release);
    return id;
}

/* Two slots beside each other may hold a name. */
static uint32_t vocab_recall(const struct context *core, struct str name, uint64_t hash)
{
    for (uint32_t i = 0; i < 2; i++) {
        uint64_t slot = atomic_load_explicit(
            &core->vocab_memo[((uint32_t)hash & (VOCAB_MEMO_SLOTS - 1)) ^ i], memory_order_acquire);
        if (slot == 0 || slot >> 32 != hash >> 32)
            continue;
        struct str iri = terms_iri(core->terms, (uint32_t)slot);
        if (iri.n == core->vocab.n + name.n && str_ends(iri, name))
            return (uint32_t)slot;
    }
    return TERM_NONE;
}

static void vocab_remember(const struct context *core, uint64_t hash, uint32_t id)
{
    uint32_t first = (uint32_t)hash & (VOCAB_MEMO_SLOTS - 1);
    bool free = atomic_load_explicit(&core->vocab_memo[first], memory_order_relaxed) == 0;
    uint64_t slot = (hash & 0xffffffff00000000u) | id;
    atomic_store_explicit(&core->vocab_memo[free ? first : first ^ 1], slot, memory_order_release);
}

uint32_t context_expand_term(const struct context *c, struct str name, bool intern, struct arena *a,
                             struct why *why)
{
    uint64_t hash = hash_str(name);
    const struct context *owner;
    const struct definition *d = context_find(c, name, hash, &owner);
    if (d)
        return expand_defined(owner, d, intern, why);
    if (str_find_char(name, ':') != STR_NPOS)
        return id_of(c, expand_rest(c, name, a), intern, why);
    uint32_t id = vocab_recall(c->core, name, hash);
    if (id != TERM_NONE)
        return id;
    id = id_of(c, expand_rest(c, name, a), intern, why);
    if (id != TERM_NONE)
        vocab_remember(c->core, hash, id);
    return id;
}

struct str context_coercion(const struct context *c, struct str name)
{
    const struct context *owner;
    const struct definition *d = context_find(c, name, hash_str(name), &owner);
    return d ? d->type : STR_NONE;
}

struct str context_container(const struct context *c, struct str name)
{
    const struct context *owner;
    const struct definition *d = context_find(c, name, hash_str(name), &owner);
    return d ? d->container : STR_NONE;
}
