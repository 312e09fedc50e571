/* What is asked of the snapshots: create, clone, change, delete, purge (clause 5.16). Each runs
 * on their thread from beginning to end, but for the filling of what it made. */
#include "broker/snapshots_int.h"

#include "base/hash.h"
#include "base/time.h"

#include <inttypes.h>

static int64_t expiry_of(const struct snapshots *s, struct str lifetime, int64_t now)
{
    struct duration d;
    int64_t latest = now + s->o.lifetime_us;
    if (str_absent(lifetime) || !duration_parse(lifetime, &d) || time_add(now, d, 1) > latest)
        return latest;
    return time_add(now, d, 1);
}

static struct str name_new(struct snapshots *s, struct arena *a, const char *prefix)
{
    uint64_t number = ++s->made;
    uint64_t mixed = hash_u64((uint64_t)snapshots_now(s) ^ number << 40);
    return arena_printf(a, "%s%016" PRIx64 "%04" PRIx64, prefix, mixed, number & 0xffff);
}

/* A new entry of what is given, stored, with a tenant for its entities; NULL with c->why. */
static struct snapshot_entry *make(struct snapshots *s, struct snapshot_call *c)
{
    struct snapshot given = c->given;
    int64_t now = snapshots_now(s);
    snapshot_entry_expire(s);
    if (s->count >= s->o.snapshots_max) {
        why_limit(&c->why, E_TOO_MANY_REQUESTS, NULL, "limits.snapshots", "there are %u snapshots already", s->o.snapshots_max);
        return NULL;
    }
    if (str_absent(given.id))
        given.id = name_new(s, c->arena, "urn:ngsi-ld:Snapshot:");
    if (snapshot_entry_find(s, c->tenant, given.id)) {
        why_set(&c->why, E_EXISTS, NULL, "the snapshot %.*s exists already", STR_ARG(given.id));
        return NULL;
    }
    given.created_at = given.modified_at = given.last_used_at = now;
    given.expires_at = expiry_of(s, given.lifetime, now);
    given.status = SNAPSHOT_PREPARING;
    struct snapshot_entry *e = snapshot_entry_new(c->tenant, name_new(s, c->arena, SNAPSHOT_HELD_PREFIX), &given);
    if (snapshot_keep_put(s, e, &e->s, true, &c->why) != OK) {
        snapshot_entry_free(e);
        return NULL;
    }
    if (snapshot_keep_hold(s, e, &c->why) != OK) {
        struct why ignored;
        why_clear(&ignored);
        (void)snapshot_keep_delete(s, e, &ignored);
        snapshot_entry_free(e);
        return NULL;
    }
    snapshot_entry_add(s, e);
    c->result = snapshot_dup(&e->s, c->arena);
    return e;
}

static void run_create(struct snapshots *s, struct snapshot_call *c)
{
    struct snapshot_entry *e = make(s, c);
    if (e)
        snapshot_fill_start(s, e, c->queries, STR_NONE);
    else
        c->queries->release(c->queries);
}

static struct snapshot_entry *find_or_refuse(struct snapshots *s, struct snapshot_call *c)
{
    struct snapshot_entry *e = snapshot_entry_find(s, c->tenant, c->id);
    if (e && e->s.expires_at > snapshots_now(s))
        return e;
    why_set(&c->why, E_NOT_FOUND, NULL, "there is no snapshot %.*s", STR_ARG(c->id));
    return NULL;
}

static void run_clone(struct snapshots *s, struct snapshot_call *c)
{
    const struct snapshot_entry *from = find_or_refuse(s, c);
    if (!from)
        return;
    if (from->s.status == SNAPSHOT_PREPARING) {
        why_set(&c->why, E_BUSY, NULL, "the snapshot %.*s is being prepared", STR_ARG(c->id));
        return;
    }
    struct snapshot what = snapshot_dup(&from->s, c->arena);
    c->given.queries = what.queries;
    c->given.temporal_queries = what.temporal_queries;
    c->given.details = what.details;
    c->given.temporal_details = what.temporal_details;
    struct str copy_of = arena_dup(c->arena, from->held_in);
    struct snapshot_entry *e = make(s, c);
    if (e)
        snapshot_fill_start(s, e, NULL, copy_of);
}

static void run_change(struct snapshots *s, struct snapshot_call *c)
{
    struct snapshot_entry *e = find_or_refuse(s, c);
    if (!e)
        return;
    struct snapshot to = e->s;
    if (snapshot_read(c->fragment, SNAPSHOT_FRAGMENT, c->arena, &to, &c->why) != OK)
        return;
    to.modified_at = snapshots_now(s);
    if (json_get(c->fragment, STR("snapshotLifetime")))
        to.expires_at = expiry_of(s, to.lifetime, to.modified_at);
    if (snapshot_keep_put(s, e, &to, false, &c->why) != OK)
        return;
    snapshot_entry_set(s, e, &to);
    c->result = snapshot_dup(&e->s, c->arena);
    c->result.last_used_at = e->last_used_at;
    snapshot_tell(s, e, false);
}

static void run_purge(struct snapshots *s, struct snapshot_call *c)
{
    struct arena *scratch = arena_new(0);
    c->purged = arena_array(c->arena, struct str, s->count);
    c->purge_why = arena_zarray(c->arena, struct why, s->count);
    for (struct snapshot_entry *e = s->entries, *next; e; e = next) {
        next = e->next;
        struct snapshot now = e->s;
        now.last_used_at = e->last_used_at;
        if (!str_eq(e->tenant, c->tenant) || !snapshot_query_match(c->filter, s->broker->terms, &now, scratch))
            continue;
        c->purged[c->purge_count] = arena_dup(c->arena, e->s.id);
        (void)snapshot_entry_end(s, e, false, &c->purge_why[c->purge_count]);
        c->purge_count++;
    }
    arena_free(scratch);
    if (!c->purge_count)
        why_set(&c->why, E_NOT_FOUND, NULL, "no snapshot matches");
}

void snapshot_order_run(struct snapshots *s, struct snapshot_call *c)
{
    struct snapshot_entry *e;
    switch (c->order) {
    case SNAPSHOT_ORDER_CREATE:
        run_create(s, c);
        break;
    case SNAPSHOT_ORDER_CLONE:
        run_clone(s, c);
        break;
    case SNAPSHOT_ORDER_CHANGE:
        run_change(s, c);
        break;
    case SNAPSHOT_ORDER_DELETE:
        e = find_or_refuse(s, c);
        if (e)
            (void)snapshot_entry_end(s, e, false, &c->why);
        break;
    case SNAPSHOT_ORDER_PURGE:
        run_purge(s, c);
        break;
    }
}
