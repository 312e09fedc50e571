/* Provision is the store's business once time and tenant are settled. */
#include "broker/provide.h"

#include "broker/snapshots.h"

static bool creates(const struct edit *e)
{
    return e->kind == EDIT_CREATE || e->kind == EDIT_UPSERT_REPLACE || e->kind == EDIT_UPSERT_UPDATE;
}

bool provide_edits(struct broker *b, struct store_apply *a)
{
    a->now_us = b->ports->clock->now_us(b->ports->clock);
    a->create_tenant = false;
    if (snapshots_held(a->caller->tenant)) /* which may be deleted meanwhile, and stays so */
        return store_apply(b->store, a);
    for (uint32_t i = 0; i < a->count && !a->create_tenant; i++)
        a->create_tenant = creates(&a->edits[i]);
    return store_apply(b->store, a);
}
