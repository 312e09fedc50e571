/* What became of notifications, written as documents at most once a second: of each
 * subscription its counters (STORE_SUBSCRIPTION_STATE under its id, so many a time, longest
 * ago first), and in one document of the default tenant, under the empty key, how far all of
 * them have come, which is what a crash goes back to. */
#include "base/log.h"
#include "base/time.h"
#include "broker/notify_int.h"

#include <stdlib.h>

enum { AT_ONCE = 500, LAST_AT_ONCE = 100000, LAGGARDS_MAX = 1000, DOCUMENT_MAX = 1 << 20 };
enum { EVERY_US = 1000000 };

struct writing {
    struct store_put put;
    struct caller caller;
    struct notify *notify;
    struct arena *arena;
    struct buf bytes;
};

static void written(struct store_call *call)
{
    struct writing *w = container_of(call, struct writing, put.call);
    struct notify *n = w->notify;
    if (call->status != OK && call->status != E_NO_TENANT && call->status != E_NOT_FOUND)
        log_warn("counters of notifications are not written", log_z("why", call->why.text));
    buf_free(&w->bytes);
    arena_free(w->arena);
    free(w);
    n->writing--;
    atomic_fetch_sub(&n->under_way, 1);
}

static struct writing *writing_new(struct notify *n)
{
    struct writing *w = mem_zalloc(sizeof *w);
    w->notify = n;
    w->arena = arena_new(0);
    buf_init(&w->bytes, DOCUMENT_MAX);
    return w;
}

static void write_document(struct writing *w, struct str tenant, struct str key, struct str bytes)
{
    struct notify *n = w->notify;
    w->caller.tenant = tenant;
    w->put = (struct store_put){
        .call = {.home = n->host->runner, .done = written},
        .caller = &w->caller,
        .kind = STORE_SUBSCRIPTION_STATE,
        .key = key,
        .bytes = bytes,
        .only_present = str_absent(bytes),
    };
    n->writing++;
    atomic_fetch_add(&n->under_way, 1);
    if (store_put(n->broker->store, &w->put))
        written(&w->put.call);
}

/* At most `most` counters. True: there are more. */
static bool write_counters(struct notify *n, uint32_t most)
{
    for (uint32_t i = 0; i < most; i++) {
        struct writing *w = writing_new(n);
        struct str tenant, id;
        if (!outbox_changed_counters(n->outbox, w->arena, &tenant, &id, &w->bytes)) {
            buf_free(&w->bytes);
            arena_free(w->arena);
            free(w);
            return false;
        }
        write_document(w, tenant, id, buf_view(&w->bytes));
    }
    return true;
}

static void write_position(struct notify *n)
{
    struct writing *w = writing_new(n);
    outbox_position(n->outbox, LAGGARDS_MAX, &w->bytes);
    write_document(w, STR(""), STR(""), buf_view(&w->bytes));
}

void keep_soon(struct notify *n)
{
    if (!n->keep.at && !atomic_load(&n->stopping))
        send_plan(n, &n->keep, time_monotonic() + EVERY_US);
}

void keep_run(struct notify *n)
{
    if (n->writing) { /* the store is slow: no more than it can take */
        keep_soon(n);
        return;
    }
    write_position(n);
    if (write_counters(n, AT_ONCE))
        keep_soon(n);
}

void keep_last(struct notify *n)
{
    write_position(n);
    (void)write_counters(n, LAST_AT_ONCE);
}

void keep_forget(struct notify *n, const struct lane *lane)
{
    if (outbox_find(n->outbox, lane_tenant(lane), lane_id(lane)))
        return; /* there is another of that name already */
    struct writing *w = writing_new(n);
    struct str tenant = arena_dup(w->arena, lane_tenant(lane));
    write_document(w, tenant, arena_dup(w->arena, lane_id(lane)), STR_NONE);
}
