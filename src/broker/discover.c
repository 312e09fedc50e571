/* One source today: the store's names become IRIs and are put in order. */
#include "broker/discover.h"

#include <stdlib.h>

static int iri_order(const void *x, const void *y)
{
    const struct discover_name *a = x, *b = y;
    return str_cmp(a->iri, b->iri);
}

static struct discover_name *names_of(struct discover *d, const struct store_name *from, uint32_t n)
{
    struct discover_name *names = arena_array(d->local.arena, struct discover_name, n);
    for (uint32_t i = 0; i < n; i++)
        names[i] = (struct discover_name){
            .iri = terms_iri(d->broker->terms, from[i].term),
            .term = from[i].term,
            .count = from[i].count,
            .kinds = from[i].kinds,
            .with = from[i].with_count ? names_of(d, from[i].with, from[i].with_count) : NULL,
            .with_count = from[i].with_count,
        };
    if (n > 1)
        qsort(names, n, sizeof *names, iri_order);
    return names;
}

static void finish(struct discover *d)
{
    d->status = d->local.call.status;
    d->count = d->status == OK ? d->local.count : 0;
    d->names = names_of(d, d->local.names, d->count);
}

static void census_done(struct store_call *call)
{
    struct store_census *local = container_of(call, struct store_census, call);
    struct discover *d = container_of(local, struct discover, local);
    finish(d);
    d->done(d);
}

bool discover_start(struct broker *b, struct discover *d)
{
    d->broker = b;
    d->local.now_us = b->ports->clock->now_us(b->ports->clock);
    d->local.call.done = census_done;
    if (!store_census(b->store, &d->local))
        return false;
    finish(d);
    return true;
}
