/* Working a temporal edit out: what it adds, which series and instances it means, what of them goes
 * or ends. Reads the past of its entity; changes nothing. */
#include "store/embedded/history_edit.h"

#include "store/embedded/base_view.h"
#include "store/embedded/history_chunk.h"
#include "store/embedded/history_item.h"
#include "store/embedded/history_key.h"
#include "store/embedded/tenant.h"

static enum status unknown(struct history_edit *h)
{
    return why_set(&h->why, E_NOT_FOUND, NULL, "nothing is known of %.*s", STR_ARG(h->asked->id));
}

static void put(struct history_edit *h, const struct item *i)
{
    item_write(&h->items, i);
}

/* ---- adding ---- */

/* Sub-attributes that a client gave are of the same change and time as what they belong to. */
static void stamp_subs(struct history_edit *h, struct attr *a, uint64_t seq)
{
    struct attr *subs = arena_array(h->arena, struct attr, a->sub_count);
    for (uint32_t i = 0; i < a->sub_count; i++) {
        subs[i] = a->subs[i];
        subs[i].seq = seq;
        subs[i].created_at = subs[i].modified_at = h->now_us;
        stamp_subs(h, &subs[i], seq);
    }
    a->subs = subs;
}

static void put_new(struct history_edit *h, const struct point *given, uint32_t index)
{
    struct item i = {.kind = ITEM_POINT, .point = *given};
    struct point *p = &i.point;
    p->attr.seq = 0;
    p->index = index;
    p->attr.created_at = p->attr.modified_at = h->now_us;
    stamp_subs(h, &p->attr, 0);
    if (p->attr.value.kind != VALUE_NULL)
        p->deleted_at = TIME_NONE;
    else if (p->deleted_at == TIME_NONE)
        p->deleted_at = p->attr.observed_at != TIME_NONE ? p->attr.observed_at : h->now_us;
    put(h, &i);
}

void history_edit_add(struct history_edit *h)
{
    const struct evolution *f = h->asked->fragment;
    put(h, &(struct item){
               .kind = ITEM_GROWN, .modified_at = h->now_us, .type_count = f->type_count, .types = f->types});
    if (f->expires_at != TIME_NONE)
        put(h, &(struct item){.kind = ITEM_EXPIRES, .expires_at = f->expires_at});
    for (uint32_t i = 0; i < f->count; i++)
        for (uint32_t k = 0; k < f->series[i].count; k++)
            put_new(h, &f->series[i].points[k], k);
}

static void put_copies(struct history_edit *h)
{
    const struct evolution *f = h->asked->fragment;
    put(h, &(struct item){.kind = ITEM_TYPES, .type_count = f->type_count, .types = f->types});
    for (uint32_t i = 0; i < f->count; i++)
        for (uint32_t k = 0; k < f->series[i].count; k++)
            put(h, &(struct item){.kind = ITEM_POINT, .point = f->series[i].points[k]});
    put(h, &(struct item){.kind = ITEM_LIFE,
                          .created_at = f->created_at,
                          .modified_at = f->modified_at,
                          .deleted_at = f->deleted_at});
}

static enum status add(struct history_edit *h)
{
    bool there = h->tenant && history_view_exists(&h->view);
    if (!there && h->asked->kind == RECORD_EDIT_ADD)
        return unknown(h);
    h->created = !there;
    if (h->asked->kind == RECORD_EDIT_COPY)
        put_copies(h);
    else
        history_edit_add(h);
    return OK;
}

/* ---- series ---- */

/* What today's version has in that series, if it counts. */
static bool current(const struct history_edit *h, uint32_t term, struct str dataset, struct attr *out)
{
    const struct doc *d = h->view.doc;
    uint32_t i = d && term != TERM_SCOPE ? doc_find_attr(d, term) : UINT32_MAX;
    for (; i != UINT32_MAX && i < doc_attr_count(d) && doc_attr_term(d, i) == term; i++) {
        doc_attr(d, i, h->arena, out);
        if (str_eq(out->dataset, dataset))
            return history_view_current(&h->view, out);
    }
    return false;
}

/* datasetIds of the attribute's series, past and of today, each once, that the edit means. */
static uint32_t datasets(const struct history_edit *h, struct str **out)
{
    const struct past *p = &h->view.past;
    const struct doc *d = h->view.doc;
    uint32_t term = h->asked->term, n = 0;
    uint32_t i = d && term != TERM_SCOPE ? doc_find_attr(d, term) : UINT32_MAX;
    *out = arena_array(h->arena, struct str, p->count + (d ? doc_attr_count(d) : 0));
    for (uint32_t k = 0; k < p->count; k++)
        if (p->series[k].term == term)
            (*out)[n++] = p->series[k].dataset;
    for (; i != UINT32_MAX && i < doc_attr_count(d) && doc_attr_term(d, i) == term; i++) {
        struct attr a;
        doc_attr_alone(d, i, &a);
        if (!past_find(p, term, a.dataset))
            (*out)[n++] = a.dataset;
    }
    uint32_t meant = 0;
    for (uint32_t k = 0; k < n; k++)
        if (h->asked->all_datasets || str_eq((*out)[k], h->asked->dataset))
            (*out)[meant++] = (*out)[k];
    return meant;
}

static bool has_instances(const struct history_edit *h, struct str dataset)
{
    struct attr a;
    const struct past_series *s = past_find(&h->view.past, h->asked->term, dataset);
    return (s && (s->count || s->open.n || s->sealed || past_has_kept(s))) || current(h, h->asked->term, dataset, &a);
}

static enum status no_attribute(struct history_edit *h)
{
    return why_set(&h->why, E_NOT_FOUND, NULL, "the evolution of %.*s has no instance of that attribute%s",
                   STR_ARG(h->asked->id), h->asked->all_datasets ? "" : " and datasetId");
}

static enum status delete_attr(struct history_edit *h)
{
    struct str *names;
    uint32_t n = datasets(h, &names);
    for (uint32_t i = 0; i < n; i++)
        if (has_instances(h, names[i]))
            put(h, &(struct item){.kind = ITEM_DROP_SERIES, .term = h->asked->term, .dataset = names[i]});
    return h->items.n ? OK : no_attribute(h);
}

/* ---- instances ---- */

struct search {
    const struct history_edit *h;
    const struct past_series *series;
    bool last;          /* any: the last one found stays */
    struct point found; /* in the edit's arena */
    bool there;
};

static void take(struct search *f, const struct point *p)
{
    const struct record_edit *edit = f->h->asked;
    if (f->last ? f->there && point_order(&f->found, p) > 0
                : p->attr.seq != edit->instance_seq || p->index != edit->instance_index)
        return;
    f->found = *p;
    f->there = true;
}

static bool search_chunk(void *arg, struct str key, struct str bytes)
{
    struct search *f = arg;
    struct chunk c;
    struct why why = {0};
    struct arena *a = f->h->arena;
    uint64_t seq = f->h->asked->instance_seq;
    (void)key;
    if (chunk_read_summary(bytes, &c.summary, &why) != OK ||
        (!f->last && (seq < c.summary.seq_min || seq > c.summary.seq_max)) ||
        (f->last && f->there && c.summary.last_place < point_place(&f->found)) ||
        chunk_open(&c, arena_dup(a, bytes), &why) != OK)
        return true;
    struct point *points = arena_array(a, struct point, c.summary.count);
    if (chunk_points(&c, f->series->term, f->series->dataset, f->h->view.past.term_max, a, points, &why) != OK)
        return true;
    for (uint32_t i = 0; i < c.summary.count; i++)
        if (!past_edited(f->series, points[i].attr.seq, points[i].index)) /* what stands instead is not sealed */
            take(f, &points[i]);
    return f->last || !f->there;
}

/* In what is past; OK also when it is not there. */
static enum status search(struct history_edit *h, struct past_series *s, struct search *f)
{
    f->h = h;
    f->series = s;
    past_open(&h->view.past, s);
    for (uint32_t i = 0; i < s->count; i++)
        take(f, &s->points[i]);
    if ((f->there && !f->last) || !s->sealed || s->emptied || !h->view.base)
        return OK;
    struct str from = history_key_series(h->tenant->id, h->asked->id, s->term, s->dataset, h->arena);
    return base_view_range(h->view.base, from, history_key_end(from, h->arena), f->last, search_chunk, f, &h->why);
}

/* The instance that the edit names. */
static enum status find_instance(struct history_edit *h, struct point *out, bool *is_current)
{
    const struct record_edit *edit = h->asked;
    struct str *names;
    struct str iri = edit->term == TERM_SCOPE ? STR("https://uri.etsi.org/ngsi-ld/scope") : terms_iri(h->terms, edit->term);
    struct attr a;
    uint32_t n = datasets(h, &names);
    for (uint32_t i = 0; i < n; i++) {
        struct past_series *s = past_find(&h->view.past, edit->term, names[i]);
        struct search f = {0};
        if (!instance_id_is(edit->instance_id, edit->id, iri, names[i], edit->instance_seq, edit->instance_index))
            continue;
        enum status st = s ? search(h, s, &f) : OK;
        if (st != OK)
            return st;
        *is_current = !f.there && current(h, edit->term, names[i], &a) && a.seq == edit->instance_seq &&
                      edit->instance_index == 0;
        if (f.there || *is_current) {
            *out = f.there ? f.found : (struct point){.attr = a, .deleted_at = TIME_NONE};
            return OK;
        }
    }
    return why_set(&h->why, E_NOT_FOUND, NULL, "%.*s has no instance %.*s of that attribute", STR_ARG(edit->id),
                   STR_ARG(edit->instance_id));
}

static enum status change_instance(struct history_edit *h)
{
    struct point was = {0};
    bool is_current = false;
    enum status st = find_instance(h, &was, &is_current);
    if (st != OK)
        return st;
    if (h->asked->kind == RECORD_EDIT_DELETE_INSTANCE) {
        put(h, &(struct item){.kind = ITEM_DROP_POINT,
                              .term = was.attr.term,
                              .dataset = was.attr.dataset,
                              .seq = was.attr.seq,
                              .index = was.index,
                              .current = is_current});
        return OK;
    }
    struct item i = {.kind = ITEM_MODIFY, .point = h->asked->fragment->series[0].points[0], .current = is_current};
    struct point *p = &i.point;
    p->attr.term = was.attr.term;
    p->attr.dataset = was.attr.dataset;
    p->attr.seq = was.attr.seq;
    p->index = was.index;
    p->attr.created_at = was.attr.created_at;
    p->attr.modified_at = h->now_us > was.attr.modified_at ? h->now_us : was.attr.modified_at;
    stamp_subs(h, &p->attr, was.attr.seq);
    if (p->attr.value.kind != VALUE_NULL)
        p->deleted_at = TIME_NONE;
    else if (p->deleted_at == TIME_NONE)
        p->deleted_at = p->attr.observed_at != TIME_NONE ? p->attr.observed_at : h->now_us;
    put(h, &i);
    return OK;
}

/* ---- ends ---- */

static enum status mark_series(struct history_edit *h, struct past_series *s)
{
    struct search f = {.last = true};
    enum status st = search(h, s, &f);
    if (st != OK || !f.there || f.found.deleted_at != TIME_NONE)
        return st;
    int64_t now_us = h->now_us;
    struct point p = {.attr = {.term = s->term,
                               .kind = f.found.attr.kind,
                               .dataset = s->dataset,
                               .value = {.kind = VALUE_NULL},
                               .observed_at = TIME_NONE,
                               .expires_at = TIME_NONE,
                               .created_at = f.found.attr.created_at,
                               .modified_at = now_us},
                      .deleted_at = now_us};
    put(h, &(struct item){.kind = ITEM_POINT, .point = p});
    return OK;
}

static enum status mark_deleted(struct history_edit *h)
{
    const struct record_edit *edit = h->asked;
    struct past *p = &h->view.past;
    enum status st = OK;
    if (edit->whole && p->deleted_at != TIME_NONE)
        return unknown(h);
    for (uint32_t i = 0; i < p->count && st == OK; i++) {
        struct past_series *s = &p->series[i];
        bool meant = s->term == edit->term && (edit->all_datasets || str_eq(s->dataset, edit->dataset));
        if (edit->whole || meant)
            st = mark_series(h, s);
    }
    if (st == OK && edit->whole)
        put(h, &(struct item){.kind = ITEM_LIFE,
                              .created_at = TIME_NONE,
                              .modified_at = h->now_us,
                              .deleted_at = h->now_us});
    return st != OK || h->items.n ? st : no_attribute(h);
}

/* ---- an edit ---- */

enum status history_edit_work_out(struct history_edit *h)
{
    uint8_t kind = h->asked->kind;
    if (kind == RECORD_EDIT_UPSERT || kind == RECORD_EDIT_ADD || kind == RECORD_EDIT_COPY)
        return add(h);
    if (!h->tenant || !history_view_exists(&h->view))
        return unknown(h);
    switch ((enum record_edit_kind)kind) {
    case RECORD_EDIT_DELETE_ATTR:
        return delete_attr(h);
    case RECORD_EDIT_MODIFY_INSTANCE:
    case RECORD_EDIT_DELETE_INSTANCE:
        return change_instance(h);
    case RECORD_EDIT_MARK_DELETED:
        return h->view.doc ? unknown(h) : mark_deleted(h);
    case RECORD_EDIT_DELETE:
        put(h, &(struct item){.kind = ITEM_DROP_ALL});
        return OK;
    case RECORD_EDIT_UPSERT:
    case RECORD_EDIT_ADD:
    case RECORD_EDIT_COPY:
        break;
    }
    return why_set(&h->why, E_INTERNAL, NULL, "an unknown kind of temporal edit");
}
