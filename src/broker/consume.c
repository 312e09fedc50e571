/* One source today: its fragments become items one to one. */
#include "broker/consume.h"

void consume_entity(const struct consume_item *item, struct arena *a, struct entity *out)
{
    if (item->count == 1)
        fragment_entity(item->fragments, a, out);
    else
        merge_fragments(item->fragments, item->count, a, out);
}

static const struct doc *keep(const struct doc *d, struct arena *a)
{
    return d ? memcpy(arena_alloc(a, doc_bytes(d)), d, doc_bytes(d)) : NULL;
}

void consume_entity_kept(const struct consume_item *item, struct arena *a, struct entity *out)
{
    struct fragment *kept = arena_array(a, struct fragment, item->count);
    for (uint32_t i = 0; i < item->count; i++) {
        kept[i] = item->fragments[i];
        kept[i].doc = keep(kept[i].doc, a);
    }
    consume_entity(&(struct consume_item){kept, item->count}, a, out);
}

struct entity *consume_doc_kept(const struct doc *d, struct arena *a)
{
    struct entity *e = arena_array(a, struct entity, 1);
    doc_decode(keep(d, a), a, e);
    return e;
}

/* ---- retrieve ---- */

static void retrieve_finish(struct consume_retrieve *r)
{
    const struct doc *d = r->local.doc;
    r->status = r->local.call.status;
    r->fragment = (struct fragment){.doc = d};
    r->item = (struct consume_item){&r->fragment, d ? 1 : 0};
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
    r->broker = b;
    r->local.call.done = retrieve_done;
    r->warnings = NULL;
    r->warning_count = 0;
    if (!store_get(b->store, &r->local))
        return false;
    retrieve_finish(r);
    return true;
}

/* ---- query ---- */

static void query_finish(struct consume_query *q)
{
    uint32_t n = q->local.doc_count;
    q->status = q->local.call.status;
    if (q->status != OK)
        n = 0;
    struct fragment *fragments = arena_array(q->local.arena, struct fragment, n);
    q->items = arena_array(q->local.arena, struct consume_item, n);
    q->count = n;
    for (uint32_t i = 0; i < n; i++) {
        fragments[i] = (struct fragment){.doc = q->local.docs[i]};
        q->items[i] = (struct consume_item){&fragments[i], 1};
    }
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
    q->broker = b;
    q->local.call.done = query_done;
    q->warnings = NULL;
    q->warning_count = 0;
    if (!store_query(b->store, &q->local))
        return false;
    query_finish(q);
    return true;
}
