/* Two state machines of the same shape: ask for a slice → take in what it found → post the
 * next one. The slices of a map are made by order of creation, or at once when an order is
 * asked for; those of a page by the map's own ids. */
#include "broker/map_query.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { MAKE_SLICE = 2000, PAGE_SLICE = 500, PAGE_SLICE_MIN = 32 };

static struct str id_of(const struct consume_item *item)
{
    return item->fragments->doc ? doc_id(item->fragments->doc) : item->fragments->entity->id;
}

static enum status go_on(struct broker *b, int64_t deadline_us, struct why *why)
{
    if (atomic_load_explicit(&b->closing, memory_order_relaxed))
        return why_set(why, E_CANCELLED, NULL, "the city is stopping");
    if (deadline_us && deadline_us < time_monotonic())
        return why_set(why, E_TIMEOUT, NULL, "the query took too long");
    return OK;
}

/* ---- making ---- */

static void make_finish(struct map_make *m)
{
    arena_free(m->slice);
    if (m->status != OK) {
        entity_map_release(m->map);
        m->map = NULL;
    }
    m->done(m);
}

static void make_slice(struct task *task);

static void make_taken(struct map_make *m)
{
    const struct consume_query *q = &m->query;
    m->status = q->status;
    if (m->status != OK)
        m->why = q->local.call.why;
    for (uint32_t i = 0; i < q->count && m->status == OK; i++)
        m->status = entity_map_add(m->map, id_of(&q->items[i]), &m->why);
    bool more = m->status == OK && q->local.more;
    if (more && m->order)
        m->status = why_limit(&m->why, E_TOO_MANY_RESULTS, NULL, "limits.entity_map_entities",
                              "an entity map has at most %u entities", q->local.limit);
    if (more && m->status == OK) {
        m->after_seq = doc_created_seq(q->local.docs[q->local.doc_count - 1]);
        m->next.run = make_slice;
        runner_post(m->home, &m->next);
        return;
    }
    if (m->status == OK)
        m->status = entity_map_publish(m->map, m->wish, &m->why);
    make_finish(m);
}

static void make_done(struct consume_query *q)
{
    make_taken(container_of(q, struct map_make, query));
}

static void make_slice(struct task *task)
{
    struct map_make *m = container_of(task, struct map_make, next);
    m->status = go_on(m->broker, m->deadline_us, &m->why);
    if (m->status != OK) {
        make_finish(m);
        return;
    }
    arena_reset(m->slice);
    m->query = (struct consume_query){
        .local = {.call = {.home = m->home, .deadline_us = m->deadline_us},
                  .caller = m->caller,
                  .filter = m->filter,
                  .order = m->order,
                  .after_seq = m->after_seq,
                  .limit = m->order ? entity_maps_options(m->broker->maps)->entities_max : MAKE_SLICE,
                  .arena = m->slice,
                  .visit_max = m->visit_max},
        .done = make_done,
    };
    if (consume_query(m->broker, &m->query))
        make_taken(m);
}

void map_make_start(struct broker *b, struct map_make *m)
{
    m->broker = b;
    m->slice = arena_new(0);
    m->after_seq = 0;
    m->map = entity_map_new(b->maps, m->caller->tenant, m->print);
    why_clear(&m->why);
    make_slice(&m->next);
}

/* ---- paging ---- */

struct found {
    struct str id;
    const struct consume_item *item;
};

static int found_order(const void *a, const void *b)
{
    return str_cmp(((const struct found *)a)->id, ((const struct found *)b)->id);
}

/* What the slice found, by id. */
static struct found *found_sort(struct map_page *p)
{
    const struct consume_query *q = &p->query;
    struct found *found = arena_array(p->slice, struct found, q->count);
    for (uint32_t i = 0; i < q->count; i++)
        found[i] = (struct found){id_of(&q->items[i]), &q->items[i]};
    if (q->count > 1)
        qsort(found, q->count, sizeof *found, found_order);
    return found;
}

static void item_keep(struct map_page *p, const struct consume_item *item)
{
    struct fragment *f = arena_array(p->arena, struct fragment, 1);
    struct entity *e = arena_array(p->arena, struct entity, 1);
    if (item->fragments->doc) {
        consume_entity_kept(item, p->arena, e);
        *f = (struct fragment){.entity = e};
    } else { /* in the slice's arena, which goes: by way of a block */
        struct doc *d = arena_alloc(p->arena, doc_size(item->fragments->entity));
        doc_encode(item->fragments->entity, d);
        doc_set_seq(d, item->fragments->entity->seq);
        *f = (struct fragment){.doc = d};
    }
    p->items[p->item_count++] = (struct consume_item){f, 1};
}

/* One more match. True: nothing else is wanted. */
static bool match_add(struct map_page *p, const struct consume_item *item)
{
    p->matched++;
    if (p->skip) {
        p->skip--;
    } else if (p->item_count < p->limit) {
        item_keep(p, item);
    } else {
        p->more = true;
        return !p->count;
    }
    return false;
}

static void page_finish(struct map_page *p)
{
    arena_free(p->slice);
    p->total = p->matched;
    p->done(p);
}

static void page_slice(struct task *task);

static void page_taken(struct map_page *p)
{
    const struct consume_query *q = &p->query;
    p->status = q->status;
    if (p->status != OK) {
        p->why = q->local.call.why;
        page_finish(p);
        return;
    }
    const struct found *found = found_sort(p);
    bool enough = false;
    for (uint32_t i = 0; i < p->id_count && !enough; i++) {
        struct found key = {p->ids[i], NULL};
        const struct found *f = q->count ? bsearch(&key, found, q->count, sizeof key, found_order) : NULL;
        if (f)
            enough = match_add(p, f->item);
        else if (p->prune)
            entity_map_remove(p->map, p->positions[i]);
    }
    if (enough || p->at >= entity_map_end(p->map)) {
        page_finish(p);
        return;
    }
    p->next.run = page_slice;
    runner_post(p->home, &p->next);
}

static void page_done(struct consume_query *q)
{
    page_taken(container_of(q, struct map_page, query));
}

static void page_slice(struct task *task)
{
    struct map_page *p = container_of(task, struct map_page, next);
    p->status = go_on(p->broker, p->deadline_us, &p->why);
    if (p->status != OK) {
        page_finish(p);
        return;
    }
    arena_reset(p->slice);
    uint64_t want = p->skip + (p->limit - p->item_count) + 1;
    uint32_t most = p->count || want > PAGE_SLICE ? PAGE_SLICE : want < PAGE_SLICE_MIN ? PAGE_SLICE_MIN : (uint32_t)want;
    p->ids = arena_array(p->slice, struct str, most);
    p->positions = arena_array(p->slice, uint32_t, most);
    p->id_count = entity_map_read(p->map, p->at, most, p->ids, p->positions, &p->at);
    p->query = (struct consume_query){
        .local = {.call = {.home = p->home, .deadline_us = p->deadline_us},
                  .caller = p->caller,
                  .filter = filter_and(p->slice, filter_of_ids(p->slice, p->ids, p->id_count), (struct filter *)p->filter),
                  .limit = most,
                  .arena = p->slice},
        .done = page_done,
    };
    if (consume_query(p->broker, &p->query))
        page_taken(p);
}

void map_page_start(struct broker *b, struct map_page *p)
{
    p->broker = b;
    p->slice = arena_new(0);
    p->items = arena_array(p->arena, struct consume_item, p->limit);
    p->item_count = 0;
    p->matched = 0;
    p->more = false;
    p->at = 0;
    p->skip = p->offset;
    why_clear(&p->why);
    if (p->prune && !p->count) {
        p->at = entity_map_seek(p->map, p->offset);
        p->skip = 0;
    }
    page_slice(&p->next);
}
