/* Discovery reads the census. Entities that have ended but are not swept away yet are counted
 * on the side and taken off; the sweep comes once a second, so they are few. Should
 * they be more than ENDED_MAX, the rest still counts until the sweep has come (clause 5.7.11
 * allows estimates): the committer waits while this reads.
 *
 * For a caller with a filter, what it may see is counted anew. */
#include "store/embedded/embedded_int.h"

#include <assert.h>

enum { ENDED_MAX = 20000, NAMES_FIRST = 16 };

struct discovery {
    struct store_census *call;
    struct tenant *t;
    const struct census *all;
    struct census *ended; /* of `all`, what does not count; NULL: nothing */
    struct arena *scratch;
};

/* ---- what has ended ---- */

/* Counts one, at least a part of which has ended. */
static void add_ended(struct discovery *r, const struct doc *d)
{
    if (!r->ended) {
        r->ended = census_new();
        r->scratch = arena_new(0);
    }
    arena_reset(r->scratch);
    const struct doc *left = read_seen(d, r->call->now_us, r->scratch);
    census_add(r->ended, d);
    if (left)
        census_remove(r->ended, left);
}

static void find_ended(struct discovery *r)
{
    const struct index_expiry *kinds[] = {&r->t->index->ends, &r->t->index->parts};
    uint32_t n = 0;
    for (int i = 0; i < 2; i++) {
        struct ordered_cursor c =
            ordered_from(kinds[i]->ends, 0, index_expiry_key(r->call->now_us));
        for (; n < ENDED_MAX && ordered_next(&c); n++) {
            const struct doc *d = state_at(tenant_state(r->t), c.slot);
            int64_t own = doc_own_expires_at(d);
            if (kinds[i] == &r->t->index->ends || own == TIME_NONE || own > r->call->now_us)
                add_ended(r, d); /* what has ended itself is counted once */
        }
    }
    r->call->visited += n;
    arena_free(r->scratch);
}

/* ---- what a caller may see ---- */

static struct census *count_visible(struct discovery *r)
{
    struct census *visible = census_new();
    struct arena *scratch = arena_new(0);
    struct read_env env;
    read_env_init(&env, r->t, r->call->now_us, scratch);
    for (uint32_t slot = 0, n = state_slots(tenant_state(r->t)); slot < n; slot++) {
        const struct doc *d = state_at(tenant_state(r->t), slot);
        if (!d)
            continue;
        r->call->visited++;
        arena_reset(scratch);
        const struct doc *left = read_seen(d, r->call->now_us, scratch);
        if (left && filter_match_doc(r->call->caller->filter, left, &env.env))
            census_add(visible, left);
    }
    arena_free(scratch);
    return visible;
}

/* ---- the answer ---- */

static uint32_t kinds_of(const uint64_t *instances, const uint64_t *ended)
{
    uint32_t kinds = 0;
    for (uint32_t k = 0; k < ATTR_KIND_COUNT; k++)
        if (instances[k] > (ended ? ended[k] : 0))
            kinds |= STORE_KIND_BIT(k);
    return kinds;
}

static struct store_name *list_add(struct arena *a, struct store_name **list, uint32_t *n)
{
    if (*n == 0 || (*n >= NAMES_FIRST && (*n & (*n - 1)) == 0)) {
        uint32_t room = *n ? 2 * *n : NAMES_FIRST;
        *list = arena_grow(a, *list, *n * sizeof **list, room * sizeof **list);
    }
    (*list)[*n] = (struct store_name){0};
    return &(*list)[(*n)++];
}

static void add_pairs(struct discovery *r, const struct census_name *name, enum census_side side,
                      struct store_name *out)
{
    enum census_side other = side == CENSUS_TYPES ? CENSUS_ATTRS : CENSUS_TYPES;
    for (const struct census_pair *p = name->pairs; p; p = p->next[side]) {
        const struct census_pair *less =
            r->ended ? census_pair(r->ended, p->terms[CENSUS_TYPES], p->terms[CENSUS_ATTRS]) : NULL;
        uint64_t count = p->total - (less ? less->total : 0);
        r->call->visited++;
        if (!count)
            continue;
        struct store_name *with = list_add(r->call->arena, &out->with, &out->with_count);
        with->term = p->terms[other];
        with->count = count;
        with->kinds = kinds_of(p->instances, less ? less->instances : NULL);
    }
}

static void add_name(struct discovery *r, const struct census_name *name, enum census_side side)
{
    const struct census_name *less = r->ended ? census_name(r->ended, side, name->term) : NULL;
    uint64_t count = name->count - (less ? less->count : 0);
    r->call->visited++;
    if (!count)
        return;
    struct store_name *out = list_add(r->call->arena, &r->call->names, &r->call->count);
    out->term = name->term;
    out->count = count;
    out->kinds = kinds_of(name->instances, less ? less->instances : NULL);
    if (r->call->details)
        add_pairs(r, name, side, out);
}

static void answer(struct discovery *r)
{
    struct store_census *call = r->call;
    enum census_side side = call->attributes ? CENSUS_ATTRS : CENSUS_TYPES;
    if (!call->term) {
        for (const struct census_name *n = r->all->live[side]; n; n = n->next)
            add_name(r, n, side);
        return;
    }
    const struct census_name *name = census_name(r->all, side, call->term);
    if (name)
        add_name(r, name, side);
    if (!call->count)
        call->call.status = why_set(&call->call.why, E_NOT_FOUND, NULL, "no entity has that %s",
                                    call->attributes ? "attribute" : "type");
}

bool discover_run(struct store *s, struct store_census *c)
{
    struct embedded *e = embedded_of(s);
    struct discovery r = {.call = c};
    struct census *visible = NULL;
    assert(reclaim_is_online(e->reclaim));
    c->names = NULL;
    c->count = 0;
    c->visited = 0;
    r.t = read_tenant(e, c->caller->tenant, &c->call);
    if (!r.t)
        return true;
    pthread_rwlock_rdlock(&r.t->lock);
    r.all = r.t->index->census;
    if (c->caller->filter)
        r.all = visible = count_visible(&r);
    else
        find_ended(&r);
    answer(&r);
    pthread_rwlock_unlock(&r.t->lock);
    census_free(visible);
    census_free(r.ended);
    return true;
}
