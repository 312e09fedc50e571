/* Counters of subscriptions to registrations, as documents under their ids: each at most once a second,
 * and a last time at the end. */
#include "broker/counters.h"
#include "broker/source_watch_int.h"

enum { AT_ONCE = 500 };
enum { EVERY_US = 1000000 };

void source_keep_soon(struct watcher *w)
{
    if (w->removed || w->keep.at)
        return;
    agenda_set(&w->watch->keeps, &w->keep, time_monotonic() + EVERY_US);
    source_watch_set_alarm(w->watch);
}

static void write_one(struct watcher *w)
{
    struct state_write *s = state_write_new(&w->watch->writer);
    counters_write(&s->bytes, &w->counters);
    struct str tenant = arena_dup(s->arena, w->tenant->named.name);
    state_write_start(s, tenant, arena_dup(s->arena, w->id));
}

void source_keep_run(struct source_watch *w)
{
    int64_t now_us = time_monotonic();
    for (struct agenda_item *i; (i = agenda_next(&w->keeps, now_us));) {
        if (w->writer.writing >= AT_ONCE) /* the store is slow: no more than it can take */
            agenda_set(&w->keeps, i, now_us + EVERY_US);
        else
            write_one(container_of(i, struct watcher, keep));
    }
}

void source_keep_last(struct source_watch *w)
{
    for (struct agenda_item *i; (i = agenda_next(&w->keeps, INT64_MAX));)
        write_one(container_of(i, struct watcher, keep));
}

void source_keep_forget(struct watcher *w)
{
    agenda_clear(&w->watch->keeps, &w->keep);
    if (!w->counters.sent && !w->counters.dropped)
        return;
    struct state_write *s = state_write_new(&w->watch->writer);
    struct str tenant = arena_dup(s->arena, w->tenant->named.name);
    state_write_delete(s, tenant, arena_dup(s->arena, w->id));
}
