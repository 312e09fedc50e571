/* The table of snapshots and the life of an entry: what GET shows of it, how its filling ended,
 * until it expires or is ended. The thread of the snapshots alone changes it, under the lock. */
#include "broker/snapshots_int.h"

#include "base/log.h"

enum { USED_STORED_US = 60 * 1000000 }; /* how far the stored lastUsedAt may lag */

struct snapshot_entry *snapshot_entry_find(const struct snapshots *s, struct str tenant, struct str id)
{
    struct snapshot_entry *e = s->entries;
    while (e && !(str_eq(e->s.id, id) && str_eq(e->tenant, tenant)))
        e = e->next;
    return e;
}

struct snapshot_entry *snapshot_entry_new(struct str tenant, struct str held_in, const struct snapshot *given)
{
    struct arena *a = arena_new(0);
    struct snapshot_entry *e = arena_zarray(a, struct snapshot_entry, 1);
    e->arena = a;
    e->tenant = arena_dup(a, tenant);
    e->held_in = arena_dup(a, held_in);
    e->texts = arena_new(0);
    e->s = snapshot_dup(given, e->texts);
    e->last_used_at = e->stored_used_at = given->last_used_at;
    return e;
}

void snapshot_entry_add(struct snapshots *s, struct snapshot_entry *e)
{
    pthread_mutex_lock(&s->lock);
    e->next = s->entries;
    s->entries = e;
    s->count++;
    pthread_mutex_unlock(&s->lock);
}

static void take_out(struct snapshots *s, struct snapshot_entry *e)
{
    pthread_mutex_lock(&s->lock);
    struct snapshot_entry **at = &s->entries;
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    s->count--;
    pthread_mutex_unlock(&s->lock);
}

void snapshot_entry_free(struct snapshot_entry *e)
{
    if (e->fill)
        snapshot_fill_cancel(e->fill);
    arena_free(e->texts);
    arena_free(e->arena);
}

enum status snapshot_entry_end(struct snapshots *s, struct snapshot_entry *e, bool told, struct why *why)
{
    enum status st = snapshot_keep_delete(s, e, why);
    if (st != OK && st != E_NOT_FOUND && st != E_NO_TENANT)
        return st;
    take_out(s, e);
    if (told)
        snapshot_tell(s, e, true);
    snapshot_keep_release(s, e->held_in);
    snapshot_entry_free(e);
    return OK;
}

void snapshot_entry_set(struct snapshots *s, struct snapshot_entry *e, const struct snapshot *to)
{
    struct arena *texts = arena_new(0), *old = e->texts;
    struct snapshot kept = snapshot_dup(to, texts);
    pthread_mutex_lock(&s->lock);
    e->s = kept;
    e->texts = texts;
    pthread_mutex_unlock(&s->lock);
    arena_free(old);
}

void snapshot_entry_finish(struct snapshots *s, struct snapshot_entry *e, enum snapshot_status status, struct str details,
                           struct str temporal_details)
{
    struct why why;
    struct snapshot to = e->s;
    why_clear(&why);
    to.status = (uint8_t)status;
    to.details = details;
    to.temporal_details = temporal_details;
    to.modified_at = snapshots_now(s);
    if (snapshot_keep_put(s, e, &to, false, &why) != OK)
        log_warn("snapshot not stored", log_s("id", e->s.id), log_s("why", str_of(why.text)));
    snapshot_entry_set(s, e, &to);
    snapshot_tell(s, e, false);
}

void snapshot_entry_expire(struct snapshots *s)
{
    struct why why;
    int64_t now = snapshots_now(s);
    for (struct snapshot_entry *e = s->entries, *next; e; e = next) {
        next = e->next;
        why_clear(&why);
        if (e->s.expires_at <= now)
            (void)snapshot_entry_end(s, e, true, &why);
        else if (e->last_used_at - e->stored_used_at > USED_STORED_US)
            (void)snapshot_keep_put(s, e, &e->s, false, &why);
    }
}
