/* One source today: its fragments become items one to one. What has expired is not
 * served, though the store may not have swept it away yet (clause 4.22): such a
 * fragment is the tree without it, or nothing at all. */
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

/* ---- expiry ---- */

static int64_t now_us(struct broker *b)
{
    return b->ports->clock->now_us(b->ports->clock);
}

static bool is_over(const struct doc *d, int64_t now)
{
    return doc_expires_at(d) != TIME_NONE && doc_expires_at(d) <= now;
}

/* What is left of d, in which something has expired; NULL when that is nothing. */
static struct entity *left_over(const struct doc *d, int64_t now, struct arena *a)
{
    struct entity *old = arena_array(a, struct entity, 1), *left = arena_array(a, struct entity, 1);
    struct edit edit = {.kind = EDIT_EXPIRE, .id = doc_id(d)};
    struct edit_result result;
    doc_decode(d, a, old);
    edit_apply(&edit, old, now, a, left, &result);
    if (result.deleted)
        return NULL;
    if (!result.changed)
        return old;
    left->modified_at = old->modified_at; /* nothing was modified: it is only not shown */
    left->seq = old->seq;
    return left;
}

struct entity *consume_left(const struct doc *d, int64_t now, struct arena *a)
{
    const struct doc *kept = keep(d, a);
    if (is_over(d, now))
        return left_over(kept, now, a);
    struct entity *e = arena_array(a, struct entity, 1);
    doc_decode(kept, a, e);
    return e;
}

/* ---- retrieve ---- */

static void retrieve_finish(struct consume_retrieve *r)
{
    const struct doc *d = r->local.doc;
    r->status = r->local.call.status;
    r->fragment = (struct fragment){.doc = d};
    r->item = (struct consume_item){&r->fragment, d ? 1 : 0};
    if (r->status != OK || !is_over(d, now_us(r->broker)))
        return;
    r->fragment = (struct fragment){.entity = left_over(d, now_us(r->broker), r->arena)};
    if (r->fragment.entity)
        return;
    r->item.count = 0;
    r->status = why_set(&r->local.call.why, E_NOT_FOUND, NULL, "the entity %.*s has expired", STR_ARG(doc_id(d)));
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

/* The fragment of d, or nothing when it has expired or no longer matches without what has. */
static bool fragment_of(struct consume_query *q, const struct doc *d, int64_t now, struct fragment *out)
{
    *out = (struct fragment){.doc = d};
    if (!is_over(d, now))
        return true;
    struct filter_env env = {.arena = q->local.arena};
    *out = (struct fragment){.entity = left_over(d, now, q->local.arena)};
    return out->entity && filter_match(q->local.filter, out->entity, &env);
}

static void query_finish(struct consume_query *q)
{
    uint32_t n = q->local.doc_count;
    q->status = q->local.call.status;
    if (q->status != OK)
        n = 0;
    struct fragment *fragments = arena_array(q->local.arena, struct fragment, n);
    q->items = arena_array(q->local.arena, struct consume_item, n);
    q->count = 0;
    int64_t now = n ? now_us(q->broker) : 0;
    for (uint32_t i = 0; i < n; i++)
        if (fragment_of(q, q->local.docs[i], now, &fragments[i]))
            q->items[q->count++] = (struct consume_item){&fragments[i], 1};
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
