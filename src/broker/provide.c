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

/* ---- deletions ---- */

static void deletion_recorded(struct provide_deletion *d)
{
    if (d->record.call.status != OK) {
        d->apply.call.status = d->record.call.status;
        d->apply.call.why = d->record.call.why;
    } else if (d->marked.status == OK) {
        *d->apply.results = (struct edit_result){.changed = true, .seq = d->marked.seq};
    } /* else it stays not found */
}

static void record_done(struct store_call *call)
{
    struct store_record *record = container_of(call, struct store_record, call);
    struct provide_deletion *d = container_of(record, struct provide_deletion, record);
    deletion_recorded(d);
    d->done(d);
}

/* A type that was asked for is one of the entity, not of what is remembered of it. */
static bool may_be_remembered(const struct provide_deletion *d)
{
    return d->apply.call.status == OK && d->apply.results->status == E_NOT_FOUND && !d->apply.edits->only_type;
}

static bool deletion_record(struct provide_deletion *d)
{
    const struct edit *e = d->apply.edits;
    d->mark = (struct record_edit){
        .kind = RECORD_EDIT_MARK_DELETED,
        .id = e->id,
        .term = e->flags & EDIT_SCOPE ? TERM_SCOPE : e->term,
        .whole = e->kind == EDIT_DELETE,
        .dataset = e->dataset,
        .all_datasets = e->kind == EDIT_DELETE || e->flags & EDIT_ALL_INSTANCES,
    };
    d->record = (struct store_record){
        .call = {.home = d->apply.call.home, .deadline_us = d->apply.call.deadline_us, .done = record_done},
        .caller = d->apply.caller,
        .edits = &d->mark,
        .count = 1,
        .results = &d->marked,
        .arena = d->apply.arena,
        .now_us = d->apply.now_us,
    };
    if (!store_record(d->broker->store, &d->record))
        return false;
    deletion_recorded(d);
    return true;
}

static void deletion_applied(struct store_call *call)
{
    struct store_apply *apply = container_of(call, struct store_apply, call);
    struct provide_deletion *d = container_of(apply, struct provide_deletion, apply);
    if (!may_be_remembered(d) || deletion_record(d))
        d->done(d);
}

bool provide_deletion(struct broker *b, struct provide_deletion *d)
{
    d->broker = b;
    d->apply.call.done = deletion_applied;
    if (!provide_edits(b, &d->apply))
        return false;
    return !may_be_remembered(d) || deletion_record(d);
}
