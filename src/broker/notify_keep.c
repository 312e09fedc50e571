/* What became of notifications, written as documents at most once a second: of each
 * subscription its counters (STORE_SUBSCRIPTION_STATE under its id, so many a time, longest
 * ago first), and in one document of the default tenant, under the empty key, how far all of
 * them have come, which is what a crash goes back to. */
#include "base/time.h"
#include "broker/notify_int.h"

enum { AT_ONCE = 500, LAST_AT_ONCE = 100000, LAGGARDS_MAX = 1000 };
enum { EVERY_US = 1000000 };

/* At most `most` counters. True: there are more. */
static bool write_counters(struct notify *n, uint32_t most)
{
    for (uint32_t i = 0; i < most; i++) {
        struct state_write *w = state_write_new(&n->writer);
        struct str tenant, id;
        if (!outbox_changed_counters(n->outbox, w->arena, &tenant, &id, &w->bytes)) {
            state_write_free(w);
            return false;
        }
        state_write_start(w, tenant, id);
    }
    return true;
}

static void write_position(struct notify *n)
{
    struct state_write *w = state_write_new(&n->writer);
    outbox_position(n->outbox, LAGGARDS_MAX, &w->bytes);
    state_write_start(w, STR(""), STR(""));
}

void keep_soon(struct notify *n)
{
    if (!n->keep.at && !atomic_load(&n->stopping))
        send_plan(n, &n->keep, time_monotonic() + EVERY_US);
}

void keep_run(struct notify *n)
{
    if (n->writer.writing) { /* the store is slow: no more than it can take */
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
    struct state_write *w = state_write_new(&n->writer);
    struct str tenant = arena_dup(w->arena, lane_tenant(lane));
    state_write_delete(w, tenant, arena_dup(w->arena, lane_id(lane)));
}
