/* One source today: its evolutions are the answer. */
#include "broker/evolve.h"

#include "broker/snapshots.h"

static void query_finish(struct evolve_query *q)
{
    q->status = q->local.call.status;
    q->evolutions = q->local.evolutions;
    q->count = q->status == OK ? q->local.evolution_count : 0;
}

static void query_done(struct store_call *call)
{
    struct store_evolve *local = container_of(call, struct store_evolve, call);
    struct evolve_query *q = container_of(local, struct evolve_query, local);
    query_finish(q);
    q->done(q);
}

bool evolve_query(struct broker *b, struct evolve_query *q)
{
    q->broker = b;
    q->local.call.done = query_done;
    q->warnings = NULL;
    q->warning_count = 0;
    if (!store_evolve(b->store, &q->local))
        return false;
    query_finish(q);
    return true;
}

bool evolve_record(struct broker *b, struct store_record *r)
{
    r->now_us = b->ports->clock->now_us(b->ports->clock);
    r->create_tenant = false;
    if (snapshots_held(r->caller->tenant)) /* which may be deleted meanwhile, and stays so */
        return store_record(b->store, r);
    for (uint32_t i = 0; i < r->count && !r->create_tenant; i++)
        r->create_tenant = r->edits[i].kind == RECORD_EDIT_UPSERT;
    return store_record(b->store, r);
}
