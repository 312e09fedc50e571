/* One source today: its fragments become items one to one. */
#include "broker/consume.h"

void consume_entity(const struct consume_item *item, struct arena *a, struct entity *out)
{
    if (item->count == 1)
        fragment_entity(item->fragments, a, out);
    else
        merge_fragments(item->fragments, item->count, a, out);
}

static void retrieve_finish(struct consume_retrieve *r)
{
    r->status = r->local.call.status;
    r->fragment = (struct fragment){.doc = r->local.doc};
    r->item = (struct consume_item){&r->fragment, r->local.doc ? 1 : 0};
}

static void retrieve_done(struct store_call *call)
{
    struct store_get *get = container_of(call, struct store_get, call);
    struct consume_retrieve *r = container_of(get, struct consume_retrieve, local);
    retrieve_finish(r);
    r->done(r);
}

bool consume_retrieve(struct broker *b, struct consume_retrieve *r)
{
    r->local.call.done = retrieve_done;
    r->warnings = NULL;
    r->warning_count = 0;
    if (!store_get(b->store, &r->local))
        return false;
    retrieve_finish(r);
    return true;
}

static void query_finish(struct consume_query *q)
{
    uint32_t n = q->local.doc_count;
    q->status = q->local.call.status;
    if (q->status != OK)
        n = 0;
    struct fragment *fragments = arena_array(q->local.arena, struct fragment, n);
    q->items = arena_array(q->local.arena, struct consume_item, n);
    for (uint32_t i = 0; i < n; i++) {
        fragments[i] = (struct fragment){.doc = q->local.docs[i]};
        q->items[i] = (struct consume_item){&fragments[i], 1};
    }
    q->count = n;
}

static void query_done(struct store_call *call)
{
    struct store_query *local = container_of(call, struct store_query, call);
    struct consume_query *q = container_of(local, struct consume_query, local);
    query_finish(q);
    q->done(q);
}

bool consume_query(struct broker *b, struct consume_query *q)
{
    q->local.call.done = query_done;
    q->warnings = NULL;
    q->warning_count = 0;
    if (!store_query(b->store, &q->local))
        return false;
    query_finish(q);
    return true;
}
