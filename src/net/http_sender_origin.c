/* Receivers. An origin that nobody uses is kept for a while, for what is known of it, as one of a
 * bounded number. */
#include "net/http_sender_int.h"

#include "base/hash.h"
#include "base/time.h"
#include "net/share.h"

#include <stdlib.h>

enum {
    QUIET_MAX = 16384,
    RESOLVED_US = 60000000,
    UNRESOLVED_US = 2000000,
    SWEEP_US = 10000, /* deadlines of waiting posts are looked at no more often than this */
};

/* ---- the table ---- */

static void table_grow(struct http_sender *s)
{
    size_t size = 2 * s->table_size;
    struct origin **table = mem_zalloc(size * sizeof *table);
    for (size_t i = 0; i < s->table_size; i++) {
        for (struct origin *o = s->table[i], *next; o; o = next) {
            next = o->chain;
            o->chain = table[o->hash & (size - 1)];
            table[o->hash & (size - 1)] = o;
        }
    }
    free(s->table);
    s->table = table;
    s->table_size = size;
}

static void origin_free(struct origin *o)
{
    struct http_sender *s = o->sender;
    struct origin **at = &s->table[o->hash & (s->table_size - 1)];
    while (*at != o)
        at = &(*at)->chain;
    *at = o->chain;
    s->origin_count--;
    if (!link_alone(&o->quiet))
        s->quiet_count--;
    link_remove(&o->quiet);
    link_remove(&o->starved);
    if (o->resolving)
        resolve_cancel(&o->resolve);
    loop_timer_clear(s->loop, &o->timer);
    free(o);
}

void origin_settle(struct origin *o)
{
    struct http_sender *s = o->sender;
    bool quiet = !o->connections && !o->waiting.count && !o->resolving;
    if (quiet == !link_alone(&o->quiet))
        return;
    if (!quiet) {
        link_remove(&o->quiet);
        s->quiet_count--;
        return;
    }
    link_append(&s->quiet, &o->quiet);
    if (++s->quiet_count > QUIET_MAX)
        origin_free(container_of(s->quiet.next, struct origin, quiet));
}

static void waiting_due(struct loop_timer *t);

static struct origin *origin_new(struct http_sender *s, const struct url *u, uint64_t hash)
{
    struct origin *o = mem_zalloc(sizeof *o + u->authority.n + u->host.n);
    char *text = (char *)(o + 1);
    memcpy(text, u->authority.p, u->authority.n);
    memcpy(text + u->authority.n, u->host.p, u->host.n);
    o->authority = (struct str){text, u->authority.n};
    o->host = (struct str){text + u->authority.n, u->host.n};
    o->port = u->port;
    o->hash = hash;
    o->sender = s;
    o->numeric = resolve_numeric(u->host, u->port, &o->addresses[0]);
    o->address_count = o->numeric;
    post_queue_init(&o->waiting);
    link_init(&o->all);
    link_init(&o->idle);
    link_init(&o->starved);
    link_init(&o->quiet);
    o->timer.fire = waiting_due;
    return o;
}

struct origin *origin_find(struct http_sender *s, const struct url *u)
{
    uint64_t hash = hash_str(u->authority);
    struct origin *o = s->table[hash & (s->table_size - 1)];
    while (o && (o->hash != hash || !str_eq(o->authority, u->authority)))
        o = o->chain;
    if (o)
        return o;
    if (s->origin_count == s->table_size)
        table_grow(s);
    o = origin_new(s, u, hash);
    o->chain = s->table[hash & (s->table_size - 1)];
    s->table[hash & (s->table_size - 1)] = o;
    s->origin_count++;
    return o;
}

/* ---- names ---- */

static void fail_waiting(struct origin *o, enum status status, const char *text)
{
    for (struct http_post *p; (p = post_queue_take(&o->waiting));)
        post_end(o->sender, p, why_set(&p->why, status, NULL, "%s: %.*s", text, STR_ARG(str_head(o->host, 200))));
}

static void resolved(struct resolve *r)
{
    struct origin *o = container_of(r, struct origin, resolve);
    o->resolving = false;
    o->address_count = r->status == OK ? r->count : 0;
    memcpy(o->addresses, r->addresses, o->address_count * sizeof *o->addresses);
    o->resolved_until_us = time_monotonic() + (r->status == OK ? RESOLVED_US : UNRESOLVED_US);
    if (r->status == E_BUSY)
        fail_waiting(o, E_BUSY, "too many names are being looked up");
    else if (r->status != OK)
        fail_waiting(o, E_IO, "no such host");
    origin_dispatch(o);
}

/* True when the addresses can be used now; false: they are being looked up, or there are none. */
static bool addresses_known(struct origin *o)
{
    if (o->numeric)
        return true;
    if (o->resolving)
        return false;
    if (time_monotonic() < o->resolved_until_us) {
        if (!o->address_count)
            fail_waiting(o, E_IO, "no such host");
        return o->address_count > 0;
    }
    o->resolving = true;
    o->resolve = (struct resolve){.host = o->host, .port = o->port, .done = resolved};
    resolve_start(o->sender->options.resolver, &o->resolve);
    return false;
}

/* ---- who may open a connection ---- */

static bool may_open(struct origin *o)
{
    struct http_sender *s = o->sender;
    if (o->connections >= share_own(s->options.connections_per_origin_max, o->suspect))
        return false;
    bool room = !o->suspect || s->connections[1] < share_all(s->options.connections_max, true);
    if (room && s->connections[0] + s->connections[1] >= s->options.connections_max) {
        if (link_alone(&s->old))
            room = false;
        else
            connection_close(container_of(s->old.next, struct connection, old));
    }
    if (!room && link_alone(&o->starved))
        link_append(&s->starved[o->suspect], &o->starved);
    return room;
}

/* The one that has waited longest for any connection. */
static void sender_feed_starved(struct http_sender *s)
{
    for (int suspect = 0; suspect < 2; suspect++) {
        if (link_alone(&s->starved[suspect]))
            continue;
        struct origin *o = container_of(s->starved[suspect].next, struct origin, starved);
        link_remove(&o->starved);
        origin_dispatch(o);
        return;
    }
}

void origin_dispatch(struct origin *o)
{
    while (o->waiting.count) {
        if (!link_alone(&o->idle)) {
            struct connection *c = container_of(o->idle.prev, struct connection, idle);
            connection_use(c, post_queue_take(&o->waiting));
        } else if (addresses_known(o) && o->waiting.count && may_open(o)) {
            connection_open(o, post_queue_take(&o->waiting));
        } else {
            break;
        }
    }
    if (!o->waiting.count)
        link_remove(&o->starved);
    origin_settle(o);
}

void origin_judge(struct origin *o, bool failed)
{
    if (o->suspect == failed)
        return;
    o->sender->connections[o->suspect] -= o->connections;
    o->suspect = failed;
    o->sender->connections[o->suspect] += o->connections;
    link_remove(&o->starved);
    if (failed && !o->connections)
        o->resolved_until_us = 0; /* it may have moved */
}

void origin_feed(struct origin *o)
{
    struct http_sender *s = o->sender;
    origin_dispatch(o);
    sender_feed_starved(s);
}

/* ---- posts that wait ---- */

static int64_t earliest(const struct origin *o)
{
    int64_t due = INT64_MAX;
    for (const struct http_post *p = o->waiting.first; p; p = p->next)
        due = p->deadline_us < due ? p->deadline_us : due;
    return due;
}

static void waiting_due(struct loop_timer *t)
{
    struct origin *o = container_of(t, struct origin, timer);
    struct http_sender *s = o->sender;
    int64_t now = time_monotonic();
    struct post_queue all = o->waiting;
    if (!all.count)
        return;
    post_queue_init(&o->waiting);
    for (struct http_post *p; (p = post_queue_take(&all));) {
        if (p->deadline_us > now)
            post_queue_append(&o->waiting, p);
        else
            post_end(s, p,
                     why_set(&p->why, E_TIMEOUT, NULL, "no connection was free within %u ms", p->timeout_ms));
    }
    if (o->waiting.count) {
        int64_t due = earliest(o);
        loop_timer_set(s->loop, t, due < now + SWEEP_US ? now + SWEEP_US : due);
    }
    origin_settle(o);
}

void origin_post(struct origin *o, struct http_post *p)
{
    if (p->again)
        post_queue_prepend(&o->waiting, p);
    else
        post_queue_append(&o->waiting, p);
    origin_settle(o); /* so that it is not taken for one that nobody uses meanwhile */
    origin_dispatch(o);
    if (o->waiting.count && (!o->timer.heap_index || p->deadline_us < o->timer.due_us))
        loop_timer_set(o->sender->loop, &o->timer, p->deadline_us);
}

void origins_free(struct http_sender *s)
{
    for (size_t i = 0; i < s->table_size; i++) {
        while (s->table[i]) {
            struct origin *o = s->table[i];
            while (!link_alone(&o->all)) {
                struct connection *c = container_of(o->all.next, struct connection, link);
                if (c->post)
                    post_end(s, c->post, E_CANCELLED);
                connection_close(c);
            }
            for (struct http_post *p; (p = post_queue_take(&o->waiting));)
                post_end(s, p, E_CANCELLED);
            origin_free(o);
        }
    }
}
