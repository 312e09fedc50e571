/* See outbox.h. What is taken stands at the front of its lane until it is settled, and is
 * neither merged nor dropped. */
#include "broker/counters.h"
#include "broker/outbox_int.h"

#include "base/arena.h"
#include "base/hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS_MIN = 64 };

struct outbox *outbox_new(const struct outbox_options *o, void (*wake)(void *arg), void *arg)
{
    struct outbox *b = mem_zalloc(sizeof *b);
    b->o = *o;
    b->wake = wake;
    b->wake_arg = arg;
    pthread_mutex_init(&b->lock, NULL);
    b->lane_mask = b->entity_mask = BUCKETS_MIN - 1;
    b->lanes = mem_zalloc(BUCKETS_MIN * sizeof(struct lane *));
    b->entities = mem_zalloc(BUCKETS_MIN * sizeof(struct due_entity *));
    b->ready_last = &b->ready;
    return b;
}

/* ---- lists of lanes ---- */

void lane_mark_ready(struct outbox *o, struct lane *lane)
{
    if (lane->ready)
        return;
    lane->ready = true;
    lane->next_ready = NULL;
    *o->ready_last = lane;
    o->ready_last = &lane->next_ready;
}

void lane_mark_changed(struct outbox *o, struct lane *lane)
{
    if (lane->changed || lane->removed)
        return;
    lane->changed = true;
    lane->next_changed = NULL;
    lane->prev_changed = o->changed_last;
    *(o->changed_last ? &o->changed_last->next_changed : &o->changed) = lane;
    o->changed_last = lane;
}

void lane_unmark_changed(struct outbox *o, struct lane *lane)
{
    if (!lane->changed)
        return;
    lane->changed = false;
    *(lane->prev_changed ? &lane->prev_changed->next_changed : &o->changed) = lane->next_changed;
    *(lane->next_changed ? &lane->next_changed->prev_changed : &o->changed_last) =
        lane->prev_changed;
}

/* ---- lanes ---- */

static uint64_t lane_hash(struct str tenant, struct str id)
{
    return hash_str(id) ^ hash_u64(hash_str(tenant));
}

static struct lane **lane_place(const struct outbox *o, struct str tenant, struct str id)
{
    uint64_t hash = lane_hash(tenant, id);
    struct lane **at = &o->lanes[hash & o->lane_mask];
    while (*at &&
           ((*at)->hash != hash || !str_eq((*at)->id, id) || !str_eq((*at)->tenant, tenant)))
        at = &(*at)->next;
    return at;
}

struct lane *lane_find(const struct outbox *o, struct str tenant, struct str id)
{
    return *lane_place(o, tenant, id);
}

static void grow_lanes(struct outbox *o)
{
    struct lane **old = o->lanes;
    uint32_t count = o->lane_mask + 1;
    o->lane_mask = 2 * count - 1;
    o->lanes = mem_zalloc(2 * (size_t)count * sizeof *o->lanes);
    for (uint32_t i = 0; i < count; i++)
        for (struct lane *l = old[i], *next; l; l = next) {
            next = l->next;
            struct lane **at = &o->lanes[l->hash & o->lane_mask];
            l->next = *at;
            *at = l;
        }
    free(old);
}

static void destroy(struct lane *lane)
{
    subscription_unref(lane->subscription);
    free((char *)lane->tenant.p);
    free((char *)lane->id.p);
    free(lane);
}

void outbox_free(struct outbox *o)
{
    if (!o)
        return;
    for (struct lane *l; (l = outbox_next(o));)
        if (l->removed)
            lane_free(o, l);
    for (uint32_t i = 0; i <= o->lane_mask; i++)
        for (struct lane *l = o->lanes[i], *next; l; l = next) {
            next = l->next;
            due_remove_all(o, l);
            destroy(l);
        }
    free(o->lanes);
    free(o->entities);
    pthread_mutex_destroy(&o->lock);
    free(o);
}

struct lane *outbox_find(struct outbox *o, struct str tenant, struct str id)
{
    outbox_lock(o);
    struct lane *l = lane_find(o, tenant, id);
    outbox_unlock(o);
    return l;
}

static struct lane *lane_make(struct outbox *o, const struct subscription *s)
{
    struct lane *l = mem_zalloc(sizeof *l);
    l->tenant = mem_dup(s->tenant);
    l->id = mem_dup(s->id);
    l->hash = lane_hash(s->tenant, s->id);
    l->counters = counters_none();
    struct lane **at = lane_place(o, s->tenant, s->id);
    *at = l;
    if (++o->lane_count > o->lane_mask)
        grow_lanes(o);
    o->stats.lanes++;
    return l;
}

struct lane *outbox_set(struct outbox *o, struct subscription *s)
{
    outbox_lock(o);
    struct lane *l = lane_find(o, s->tenant, s->id);
    if (!l)
        l = lane_make(o, s);
    struct subscription *old = l->subscription;
    l->subscription = subscription_ref(s);
    lane_mark_ready(o, l);
    outbox_unlock(o);
    subscription_unref(old);
    return l;
}

static void take_out(struct outbox *o, struct lane **at)
{
    struct lane *l = *at;
    *at = l->next;
    o->lane_count--;
    o->stats.lanes--;
    l->removed = true;
    l->watcher = NULL;
    lane_unmark_changed(o, l);
    lane_mark_ready(o, l);
}

void outbox_remove(struct outbox *o, struct lane *lane)
{
    outbox_lock(o);
    take_out(o, lane_place(o, lane->tenant, lane->id));
    outbox_unlock(o);
}

void outbox_remove_tenant(struct outbox *o, struct str tenant,
                          void (*gone)(void *arg, struct lane *lane), void *arg)
{
    outbox_lock(o);
    for (uint32_t i = 0; i <= o->lane_mask; i++)
        for (struct lane **at = &o->lanes[i]; *at;) {
            if (!str_eq((*at)->tenant, tenant)) {
                at = &(*at)->next;
                continue;
            }
            gone(arg, *at);
            take_out(o, at);
        }
    outbox_unlock(o);
}

void outbox_each(struct outbox *o, void (*each)(void *arg, struct lane *lane), void *arg)
{
    outbox_lock(o);
    for (uint32_t i = 0; i <= o->lane_mask; i++)
        for (struct lane *l = o->lanes[i]; l; l = l->next)
            each(arg, l);
    outbox_unlock(o);
}

void outbox_each_context(struct outbox *o, void (*each)(void *arg, struct str url), void *arg)
{
    outbox_lock(o);
    for (uint32_t i = 0; i <= o->lane_mask; i++)
        for (const struct lane *l = o->lanes[i]; l; l = l->next)
            each(arg, l->subscription->context_url);
    outbox_unlock(o);
}

struct str lane_tenant(const struct lane *lane)
{
    return lane->tenant;
}

struct str lane_id(const struct lane *lane)
{
    return lane->id;
}

void lane_set_watcher(struct lane *lane, void *watcher)
{
    lane->watcher = watcher;
}

void *lane_watcher(const struct lane *lane)
{
    return lane->watcher;
}

/* ---- putting in ---- */

void outbox_put(struct outbox *o, struct lane *lane, struct outbox_change *c, bool with_before)
{
    outbox_lock(o);
    if (c->seq <= lane->delivered) {
        outbox_unlock(o);
        return;
    }
    with_before |= !c->after;
    due_append(o, lane,
               (struct due){.first_seq = c->seq,
                            .last_seq = c->seq,
                            .at_us = c->at_us,
                            .created = !c->before,
                            .before = with_before ? doc_share(o, &c->before_copy, c->before) : NULL,
                            .after = doc_share(o, &c->after_copy, c->after)});
    o->stats.put++;
    due_make_room(o, lane, lane->last);
    lane_mark_ready(o, lane);
    outbox_unlock(o);
}

void outbox_end(struct outbox *o, struct outbox_change *c)
{
    if (!c->before_copy && !c->after_copy)
        return;
    outbox_lock(o);
    doc_release(o, c->before_copy);
    doc_release(o, c->after_copy);
    outbox_unlock(o);
}

void outbox_flush(struct outbox *o, uint64_t seq)
{
    outbox_lock(o);
    o->seq = seq;
    bool wake = o->ready && !o->woken;
    o->woken = o->woken || wake;
    outbox_unlock(o);
    if (wake)
        o->wake(o->wake_arg);
}

/* ---- taking out ---- */

void outbox_begin(struct outbox *o)
{
    outbox_lock(o);
    o->woken = true;
    outbox_unlock(o);
}

struct lane *outbox_next(struct outbox *o)
{
    outbox_lock(o);
    struct lane *l = o->ready;
    if (l) {
        o->ready = l->next_ready;
        if (!o->ready)
            o->ready_last = &o->ready;
        l->ready = false;
    } else {
        o->woken = false;
    }
    outbox_unlock(o);
    return l;
}

static enum lane_life life_of(const struct lane *lane)
{
    return !lane->removed ? LANE_LIVES : lane->ready ? LANE_LEAVES : LANE_LEFT;
}

enum lane_life outbox_life(struct outbox *o, const struct lane *lane)
{
    outbox_lock(o);
    enum lane_life life = life_of(lane);
    outbox_unlock(o);
    return life;
}

enum lane_life outbox_look(struct outbox *o, const struct lane *lane, struct subscription **s,
                           uint32_t *waiting)
{
    outbox_lock(o);
    enum lane_life life = life_of(lane);
    if (life == LANE_LIVES) {
        *s = subscription_ref(lane->subscription);
        *waiting = lane->count;
    }
    outbox_unlock(o);
    return life;
}

void lane_free(struct outbox *o, struct lane *lane)
{
    outbox_lock(o);
    assert(lane->removed && !lane->ready);
    due_remove_all(o, lane);
    outbox_unlock(o);
    destroy(lane);
}

void outbox_renew(struct outbox *o, struct lane *lane, const struct subscription *old,
                  struct subscription *fresh)
{
    struct subscription *unused = NULL;
    outbox_lock(o);
    if (lane->subscription == old && fresh != old) {
        unused = lane->subscription;
        lane->subscription = subscription_ref(fresh);
    }
    outbox_unlock(o);
    subscription_unref(unused);
}

static void fill(struct due_item *item, const struct due *d)
{
    *item = (struct due_item){d->first_seq, d->last_seq, d->at_us, outbox_doc_of(d->before),
                              outbox_doc_of(d->after)};
}

uint32_t outbox_take(struct outbox *o, struct lane *lane, struct due_item *items, uint32_t room)
{
    outbox_lock(o);
    uint32_t n = 0;
    if (lane->taken) {
        assert(lane->taken <= room);
        for (struct due *d = lane->first; d != lane->untaken; d = d->next)
            fill(&items[n++], d);
    } else {
        /* An entity's oldest is the only one of it that may be taken. */
        struct due *d = lane->untaken;
        for (; d && n < room && d->entity->oldest == d; d = d->next)
            fill(&items[n++], d);
        lane->untaken = d;
        lane->taken = n;
        lane_note_size(o, lane);
    }
    outbox_unlock(o);
    return n;
}

static void settle(struct outbox *o, struct lane *lane, bool given_up)
{
    o->stats.delivered += given_up ? 0 : lane->taken;
    o->stats.given_up += given_up ? lane->taken : 0;
    lane->counters.dropped += given_up ? lane->taken : 0;
    while (lane->first != lane->untaken) {
        if (lane->first->last_seq > lane->delivered)
            lane->delivered = lane->first->last_seq;
        lane->taken--;
        due_remove(o, lane, lane->first);
    }
    lane_mark_changed(o, lane);
}

bool outbox_settle(struct outbox *o, struct lane *lane, bool given_up)
{
    outbox_lock(o);
    settle(o, lane, given_up);
    bool more = lane->first != NULL;
    outbox_unlock(o);
    return more;
}

void outbox_clear(struct outbox *o, struct lane *lane)
{
    outbox_lock(o);
    lane->counters.dropped += lane->count;
    o->stats.dropped += lane->count;
    if (lane->count)
        lane_mark_changed(o, lane);
    due_remove_all(o, lane);
    outbox_unlock(o);
}

void outbox_count(struct outbox *o, struct lane *lane, bool ok, int64_t now_us)
{
    outbox_lock(o);
    struct subscription_counters *c = &lane->counters;
    c->sent++;
    o->stats.sent++;
    c->last_notification = now_us;
    *(ok ? &c->last_success : &c->last_failure) = now_us;
    c->last_failed = !ok;
    c->failed += !ok;
    o->stats.failed += !ok;
    if (ok)
        settle(o, lane, false);
    else
        lane_mark_changed(o, lane);
    outbox_unlock(o);
}

void lane_set_delivery(struct lane *lane, struct delivery *d)
{
    lane->delivery = d;
}

struct delivery *lane_delivery(const struct lane *lane)
{
    return lane->delivery;
}

/* ---- figures ---- */

bool outbox_counters(struct outbox *o, struct str tenant, struct str id,
                     struct subscription_counters *out)
{
    outbox_lock(o);
    const struct lane *l = lane_find(o, tenant, id);
    if (l)
        *out = l->counters;
    outbox_unlock(o);
    return l != NULL;
}

void outbox_stats(struct outbox *o, struct outbox_stats *out)
{
    outbox_lock(o);
    *out = o->stats;
    outbox_unlock(o);
}
