/* What a change of an entity leaves behind. The publishing thread's, for live changes and for the log's at a start. */
#include "base/hash.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/history_item.h"
#include "store/embedded/history_recent.h"

static void keep(struct embedded *e, struct tenant *t, const struct pending *p, struct str items, bool plain)
{
    if (!items.n)
        return;
    e->history.bytes += recent_add(t->recent, p->key, p->hash, p->seq, items, plain);
}

void history_note(struct embedded *e, struct tenant *t, const struct pending *p)
{
    e->history.points++;
    keep(e, t, p, p->items, false);
}

/* ---- attributes ---- */

static void put_point(struct embedded *e, uint8_t kind, const struct point *q)
{
    struct item i = {.kind = kind, .point = *q};
    item_write(&e->history.items, &i);
    e->history.points++;
}

/* The deletion of what stood there (4.5.7). */
static void put_deletion(struct embedded *e, const struct attr *was, int64_t at_us)
{
    struct point q = {.attr = {.term = was->term,
                               .kind = was->kind,
                               .dataset = was->dataset,
                               .value = {.kind = VALUE_NULL},
                               .observed_at = TIME_NONE,
                               .expires_at = TIME_NONE,
                               .created_at = was->created_at,
                               .modified_at = at_us},
                      .deleted_at = at_us};
    put_point(e, ITEM_POINT, &q);
}

/* Instance i of old: is it still there in next, or what took its place? */
static void capture_instance(struct embedded *e, const struct pending *p, const struct doc *old, uint32_t i)
{
    struct attr was, is;
    doc_attr(old, i, e->history.scratch, &was);
    bool there = false;
    uint32_t k = p->doc ? doc_find_attr(p->doc, was.term) : UINT32_MAX;
    for (; k != UINT32_MAX && k < doc_attr_count(p->doc) && doc_attr_term(p->doc, k) == was.term && !there; k++) {
        doc_attr_alone(p->doc, k, &is);
        there = str_eq(is.dataset, was.dataset);
    }
    if (there && is.seq == was.seq && is.modified_at == was.modified_at)
        return;
    put_point(e, ITEM_REPLACED, &(struct point){.attr = was, .deleted_at = TIME_NONE});
    if (!there)
        put_deletion(e, &was, p->at_us);
    if (there && is.seq == was.seq) { /* a part of it has ended (4.22): it stays as it was recorded */
        struct item item = {.kind = ITEM_SETTLED, .term = was.term, .dataset = was.dataset, .seq = was.seq};
        item_write(&e->history.items, &item);
    }
}

static void capture_attrs(struct embedded *e, const struct pending *p, const struct doc *old)
{
    uint32_t n = doc_attr_count(old);
    if (!p->changed_count || !p->doc || doc_expires_at(old) != TIME_NONE) { /* not known, or all, or what ends unasked */
        for (uint32_t i = 0; i < n; i++)
            capture_instance(e, p, old, i);
        return;
    }
    for (uint32_t k = 0; k < p->changed_count; k++) {
        uint32_t i = doc_find_attr(old, p->changed[k]);
        for (; i < n && doc_attr_term(old, i) == p->changed[k]; i++)
            capture_instance(e, p, old, i);
    }
}

/* ---- the scope ---- */

static bool same_scopes(const struct doc *x, const struct doc *y)
{
    uint32_t n = x ? doc_scope_count(x) : 0;
    if (n != (y ? doc_scope_count(y) : 0))
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (!str_eq(doc_scope(x, i), doc_scope(y, i)))
            return false;
    return true;
}

static struct value scope_value(const struct doc *d, struct arena *a)
{
    uint32_t n = doc_scope_count(d);
    if (n == 0)
        return (struct value){.kind = VALUE_NULL};
    if (n == 1)
        return (struct value){.kind = VALUE_STRING, .text = doc_scope(d, 0)};
    struct buf b;
    buf_init(&b, SIZE_MAX / 2);
    for (uint32_t i = 0; i < n; i++) {
        buf_char(&b, i ? ',' : '[');
        json_write_str(&b, doc_scope(d, i));
    }
    buf_char(&b, ']');
    struct value v = {.kind = VALUE_JSON, .text = arena_dup(a, buf_view(&b))};
    buf_free(&b);
    return v;
}

/* The scope has no times of its own in the entity, so each becomes an instance when it is set (4.5.6). */
static void capture_scope(struct embedded *e, const struct pending *p, const struct doc *old)
{
    if (same_scopes(old, p->doc))
        return;
    bool gone = !p->doc || doc_scope_count(p->doc) == 0;
    struct point q = {.attr = {.term = TERM_SCOPE,
                               .kind = ATTR_PROPERTY,
                               .dataset = STR(""),
                               .value = {.kind = VALUE_NULL},
                               .observed_at = gone ? TIME_NONE : p->at_us,
                               .expires_at = TIME_NONE,
                               .created_at = p->at_us,
                               .modified_at = p->at_us},
                      .deleted_at = gone ? p->at_us : TIME_NONE};
    if (!gone)
        q.attr.value = scope_value(p->doc, e->history.scratch);
    put_point(e, ITEM_POINT, &q);
}

/* ---- the entity ---- */

/* Types that it had and has no more; false: there are none. */
static bool capture_types(struct embedded *e, const struct pending *p, const struct doc *old)
{
    struct item types = {.kind = ITEM_TYPES, .type_count = doc_type_count(old)};
    types.types = arena_array(e->history.scratch, uint32_t, types.type_count);
    uint32_t n = 0;
    for (uint32_t i = 0; i < types.type_count; i++) {
        uint32_t k = 0;
        while (p->doc && k < doc_type_count(p->doc) && doc_type(p->doc, k) != doc_type(old, i))
            k++;
        if (!p->doc || k == doc_type_count(p->doc))
            types.types[n++] = doc_type(old, i);
    }
    types.type_count = n;
    if (n)
        item_write(&e->history.items, &types);
    return n;
}

/* It is gone: when it lived, for its past to tell. */
static void capture_end(struct embedded *e, const struct pending *p, const struct doc *old)
{
    struct item life = {.kind = ITEM_LIFE,
                        .created_at = doc_created_at(old),
                        .modified_at = doc_modified_at(old),
                        .deleted_at = p->at_us};
    item_write(&e->history.items, &life);
}

void history_capture(struct embedded *e, struct tenant *t, const struct pending *p, const struct doc *old)
{
    struct history *h = &e->history;
    if (!old && doc_scope_count(p->doc) == 0)
        return;
    buf_clear(&h->items);
    arena_reset(h->scratch);
    bool plain = p->doc;
    if (old) {
        capture_attrs(e, p, old);
        plain = !capture_types(e, p, old) && plain;
    }
    capture_scope(e, p, old);
    if (!p->doc)
        capture_end(e, p, old);
    keep(e, t, p, buf_view(&h->items), plain);
}

bool history_lags(struct embedded *e)
{
    size_t bytes = e->history.bytes, max = e->o.history_bytes_max;
    if (bytes < max)
        return false;
    fold_want(e);
    return bytes >= 2 * max && !e->fold.failing;
}
