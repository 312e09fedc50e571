/* A call waits in its origin's list until there is room for it, then it is libcurl's. An origin that nobody
 * uses is kept only if it failed last time, as one of a bounded number. */
#include "net/http_gate.h"

#include "base/hash.h"
#include "base/time.h"
#include "net/share.h"

#include <assert.h>
#include <stdlib.h>

enum { TABLE_SIZE = 4096, QUIET_MAX = 16384 };

struct gate_origin {
    struct gate_origin *chain; /* of the table */
    struct http_gate *gate;
    uint64_t hash;
    struct str name; /* behind this struct */
    bool suspect;    /* failed last time */
    uint32_t under_way;
    struct link waiting; /* its calls */
    struct link starved; /* in the gate's list of those for which there was no room among all */
    struct link quiet;   /* in the gate's list of those that nobody uses */
};

struct http_gate {
    struct loop *loop;
    struct http_client *client;
    uint32_t calls_max, calls_per_origin_max;
    struct gate_origin *table[TABLE_SIZE];
    uint32_t under_way[2];  /* [suspect] */
    struct link starved[2]; /* [suspect] */
    struct link running;    /* calls */
    struct link quiet;
    uint32_t origins, quiet_count, waiting;
    bool ending;
};

/* ---- origins ---- */

/* "host:port" of a URL, without credentials. */
static struct str origin_name(struct str url)
{
    size_t host = str_find_char(url, ':');
    host = host == STR_NPOS || url.n - host < 3 ? 0 : host + 3;
    size_t end = host;
    while (end < url.n && !strchr("/?#", url.p[end]))
        end++;
    for (size_t i = host; i < end; i++)
        if (url.p[i] == '@')
            host = i + 1;
    return (struct str){url.p + host, end - host};
}

static void origin_free(struct gate_origin *o)
{
    struct http_gate *g = o->gate;
    struct gate_origin **at = &g->table[o->hash % TABLE_SIZE];
    while (*at != o)
        at = &(*at)->chain;
    *at = o->chain;
    g->origins--;
    if (!link_alone(&o->quiet))
        g->quiet_count--;
    link_remove(&o->quiet);
    link_remove(&o->starved);
    free(o);
}

static struct gate_origin *origin_find(struct http_gate *g, struct str name)
{
    uint64_t hash = hash_str(name);
    for (struct gate_origin *o = g->table[hash % TABLE_SIZE]; o; o = o->chain)
        if (o->hash == hash && str_eq(o->name, name))
            return o;
    struct gate_origin *o = mem_zalloc(sizeof *o + name.n);
    if (name.n)
        memcpy(o + 1, name.p, name.n);
    o->name = (struct str){(char *)(o + 1), name.n};
    o->gate = g;
    o->hash = hash;
    link_init(&o->waiting);
    link_init(&o->starved);
    link_init(&o->quiet);
    o->chain = g->table[hash % TABLE_SIZE];
    g->table[hash % TABLE_SIZE] = o;
    g->origins++;
    return o;
}

/* In use, or kept for what is known of it. May free it, or another that nobody uses. */
static void origin_settle(struct gate_origin *o)
{
    struct http_gate *g = o->gate;
    bool quiet = !o->under_way && link_alone(&o->waiting);
    if (quiet && !o->suspect) {
        origin_free(o);
    } else if (quiet && link_alone(&o->quiet)) {
        link_append(&g->quiet, &o->quiet);
        if (++g->quiet_count > QUIET_MAX)
            origin_free(container_of(g->quiet.next, struct gate_origin, quiet));
    } else if (!quiet && !link_alone(&o->quiet)) {
        link_remove(&o->quiet);
        g->quiet_count--;
    }
}

/* ---- whose turn it is ---- */

static bool has_room(struct gate_origin *o)
{
    struct http_gate *g = o->gate;
    if (o->under_way >= share_own(g->calls_per_origin_max, o->suspect))
        return false;
    bool room = g->under_way[0] + g->under_way[1] < g->calls_max &&
                (!o->suspect || g->under_way[1] < share_all(g->calls_max, true));
    if (!room && link_alone(&o->starved))
        link_append(&g->starved[o->suspect], &o->starved);
    return room;
}

static void origin_dispatch(struct gate_origin *o)
{
    struct http_gate *g = o->gate;
    while (!link_alone(&o->waiting) && has_room(o)) {
        struct gate_call *c = container_of(o->waiting.next, struct gate_call, link);
        int64_t left_us = c->deadline_us - time_monotonic();
        link_remove(&c->link);
        link_append(&g->running, &c->link);
        loop_timer_clear(g->loop, &c->timer);
        c->call.timeout_ms = left_us < 1000 ? 1 : (uint32_t)(left_us / 1000);
        o->under_way++;
        g->under_way[o->suspect]++;
        g->waiting--;
        http_call_start(g->client, &c->call);
    }
    if (link_alone(&o->waiting))
        link_remove(&o->starved);
}

/* The one that has waited longest for a place among all. */
static void feed_starved(struct http_gate *g)
{
    for (int suspect = 0; suspect < 2; suspect++) {
        if (link_alone(&g->starved[suspect]))
            continue;
        struct gate_origin *o = container_of(g->starved[suspect].next, struct gate_origin, starved);
        link_remove(&o->starved);
        origin_dispatch(o);
        return;
    }
}

static void origin_judge(struct gate_origin *o, enum status status)
{
    bool failed = status != OK;
    if (failed == o->suspect || status == E_CANCELLED || status == E_BAD_DATA || status == E_INTERNAL)
        return;
    o->gate->under_way[o->suspect] -= o->under_way;
    o->suspect = failed;
    o->gate->under_way[o->suspect] += o->under_way;
    link_remove(&o->starved);
}

/* ---- calls ---- */

static void call_done(struct http_call *call)
{
    struct gate_call *c = container_of(call, struct gate_call, call);
    struct gate_origin *o = c->origin;
    struct http_gate *g = o->gate;
    link_remove(&c->link);
    o->under_way--;
    g->under_way[o->suspect]--;
    origin_judge(o, call->status);
    if (!g->ending) {
        origin_dispatch(o);
        feed_starved(g);
    }
    origin_settle(o);
    c->done(c);
}

static void never_begun(struct gate_call *c, enum status status)
{
    struct gate_origin *o = c->origin;
    link_remove(&c->link);
    loop_timer_clear(o->gate->loop, &c->timer);
    o->gate->waiting--;
    c->call.status = status;
    origin_dispatch(o);
    origin_settle(o);
    c->done(c);
}

static void turn_missed(struct loop_timer *t)
{
    struct gate_call *c = container_of(t, struct gate_call, timer);
    never_begun(c, why_set(&c->call.why, E_TIMEOUT, NULL, "no connection was free within %u ms", c->call.timeout_ms));
}

void http_gate_start(struct http_gate *g, struct gate_call *c)
{
    assert(c->done && c->call.timeout_ms > 0 && !g->ending);
    c->call.done = call_done;
    c->call.http_status = 0;
    why_clear(&c->call.why);
    c->origin = origin_find(g, origin_name(c->call.url));
    c->deadline_us = time_monotonic() + (int64_t)c->call.timeout_ms * 1000;
    c->timer = (struct loop_timer){.fire = turn_missed};
    link_append(&c->origin->waiting, &c->link);
    g->waiting++;
    origin_dispatch(c->origin);
    origin_settle(c->origin); /* in use from now on */
    if (!link_alone(&c->origin->waiting) && c->origin->waiting.prev == &c->link)
        loop_timer_set(g->loop, &c->timer, c->deadline_us);
}

/* ---- life ---- */

struct http_gate *http_gate_new(struct loop *loop, struct http_client *client, uint32_t calls_max,
                                uint32_t calls_per_origin_max)
{
    struct http_gate *g = mem_zalloc(sizeof *g);
    g->loop = loop;
    g->client = client;
    g->calls_max = calls_max;
    g->calls_per_origin_max = calls_per_origin_max;
    link_init(&g->starved[0]);
    link_init(&g->starved[1]);
    link_init(&g->running);
    link_init(&g->quiet);
    return g;
}

void http_gate_free(struct http_gate *g)
{
    if (!g)
        return;
    g->ending = true;
    while (!link_alone(&g->running))
        http_call_cancel(g->client, &container_of(g->running.next, struct gate_call, link)->call);
    for (size_t i = 0; i < TABLE_SIZE; i++) {
        for (struct gate_origin *o = g->table[i], *next; o; o = next) {
            next = o->chain;
            while (!link_alone(&o->waiting)) {
                struct gate_call *c = container_of(o->waiting.next, struct gate_call, link);
                link_remove(&c->link);
                loop_timer_clear(g->loop, &c->timer);
                c->call.status = E_CANCELLED;
                c->done(c);
            }
            origin_free(o);
        }
    }
    free(g);
}

struct http_gate_stats http_gate_stats(const struct http_gate *g)
{
    return (struct http_gate_stats){g->under_way[0] + g->under_way[1], g->waiting, g->origins};
}
