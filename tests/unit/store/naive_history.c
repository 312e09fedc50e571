/* How the naive history comes about; see naive_history.h. */
#include "naive_history.h"

#include <stdlib.h>
#include <string.h>

void naive_history_init(struct naive_history *h, const struct terms *terms)
{
    *h = (struct naive_history){.terms = terms, .arena = arena_new(0)};
}

void naive_history_free(struct naive_history *h)
{
    arena_free(h->arena);
    free(h->all);
}

static struct evolution *find(struct naive_history *h, struct str tenant, struct str id)
{
    for (uint32_t i = 0; i < h->count; i++)
        if (str_eq(h->all[i].tenant, tenant) && str_eq(h->all[i].e.id, id))
            return &h->all[i].e;
    return NULL;
}

static struct evolution *make(struct naive_history *h, struct str tenant, struct str id)
{
    h->all = mem_realloc(h->all, (h->count + 1) * sizeof *h->all);
    struct naive_evolution *n = &h->all[h->count++];
    *n = (struct naive_evolution){arena_dup(h->arena, tenant),
                                  {.id = arena_dup(h->arena, id),
                                   .created_at = TIME_NONE,
                                   .modified_at = TIME_NONE,
                                   .deleted_at = TIME_NONE,
                                   .expires_at = TIME_NONE}};
    return &n->e;
}

static void drop(struct naive_history *h, uint32_t at)
{
    h->all[at] = h->all[--h->count];
}

void naive_history_forget(struct naive_history *h, struct str tenant)
{
    for (uint32_t i = h->count; i-- > 0;)
        if (str_eq(h->all[i].tenant, tenant))
            drop(h, i);
}

static void add_type(struct naive_history *h, struct evolution *e, uint32_t type)
{
    for (uint32_t i = 0; i < e->type_count; i++)
        if (e->types[i] == type)
            return;
    e->types = arena_grow(h->arena, e->types, e->type_count * sizeof *e->types, (e->type_count + 1) * sizeof *e->types);
    e->types[e->type_count++] = type;
}

/* ---- series ---- */

static int series_order(uint32_t term, struct str dataset, const struct series *s)
{
    return term != s->term ? (term < s->term ? -1 : 1) : str_cmp(dataset, s->dataset);
}

static struct series *find_series(struct evolution *e, uint32_t term, struct str dataset)
{
    for (uint32_t i = 0; i < e->count; i++)
        if (series_order(term, dataset, &e->series[i]) == 0)
            return &e->series[i];
    return NULL;
}

static struct series *series_of(struct naive_history *h, struct evolution *e, uint32_t term, struct str dataset)
{
    struct series *s = find_series(e, term, dataset);
    if (s)
        return s;
    uint32_t at = 0;
    e->series = arena_grow(h->arena, e->series, e->count * sizeof *s, (e->count + 1) * sizeof *s);
    while (at < e->count && series_order(term, dataset, &e->series[at]) > 0)
        at++;
    memmove(e->series + at + 1, e->series + at, (e->count - at) * sizeof *s);
    e->count++;
    e->series[at] = (struct series){.term = term, .dataset = arena_dup(h->arena, dataset)};
    return &e->series[at];
}

static void drop_series(struct evolution *e, struct series *s)
{
    memmove(s, s + 1, (size_t)(e->series + --e->count - s) * sizeof *s);
}

/* A copy that lives as long as the history. */
static struct point kept(struct naive_history *h, const struct point *p)
{
    struct buf b;
    struct point copy;
    struct why why;
    buf_init(&b, SIZE_MAX);
    point_write(&b, p);
    struct str bytes = arena_dup(h->arena, buf_view(&b));
    buf_free(&b);
    if (point_read(&bytes, UINT32_MAX, h->arena, &copy, &why) != OK)
        abort();
    return copy;
}

static void add_point(struct naive_history *h, struct evolution *e, const struct point *p)
{
    struct series *s = series_of(h, e, p->attr.term, p->attr.dataset);
    uint32_t at = s->count;
    if (!(s->count & (s->count - 1))) /* full at every power of two */
        s->points = arena_grow(h->arena, s->points, s->count * sizeof *p, (s->count + !s->count) * 2 * sizeof *p);
    for (; at > 0 && point_order(&s->points[at - 1], p) > 0; at--)
        s->points[at] = s->points[at - 1];
    s->points[at] = kept(h, p);
    s->count++;
}

static void drop_point(struct evolution *e, struct series *s, uint32_t at)
{
    memmove(s->points + at, s->points + at + 1, (--s->count - at) * sizeof *s->points);
    if (s->count == 0)
        drop_series(e, s);
}

/* The instance that tells of a deletion. */
static struct point ending(uint32_t term, struct str dataset, uint8_t kind, int64_t created_at, uint64_t seq, int64_t at_us)
{
    return (struct point){.attr = {.term = term,
                                   .kind = kind,
                                   .dataset = dataset,
                                   .value = {.kind = VALUE_NULL},
                                   .observed_at = TIME_NONE,
                                   .expires_at = TIME_NONE,
                                   .created_at = created_at,
                                   .modified_at = at_us,
                                   .seq = seq},
                          .deleted_at = at_us};
}

/* ---- changes of entities ---- */

static struct value scope_value(const struct entity *e, struct arena *a)
{
    if (e->scope_count == 1)
        return (struct value){.kind = VALUE_STRING, .plain = json_plain(e->scopes[0]), .text = e->scopes[0]};
    struct buf b;
    buf_init(&b, SIZE_MAX);
    for (uint32_t i = 0; i < e->scope_count; i++) {
        buf_char(&b, i ? ',' : '[');
        json_write_str(&b, e->scopes[i]);
    }
    buf_char(&b, ']');
    struct value v = {.kind = VALUE_JSON, .text = arena_dup(a, buf_view(&b))};
    buf_free(&b);
    return v;
}

static bool same_scopes(const struct entity *x, const struct entity *y)
{
    bool same = x->scope_count == y->scope_count;
    for (uint32_t i = 0; same && i < x->scope_count; i++)
        same = str_eq(x->scopes[i], y->scopes[i]);
    return same;
}

static void change_scope(struct naive_history *h, struct evolution *e, const struct entity *before,
                         const struct entity *after, uint64_t seq, int64_t at_us)
{
    if (same_scopes(before, after))
        return;
    struct point p = ending(TERM_SCOPE, STR(""), ATTR_PROPERTY, at_us, seq, at_us);
    if (after->scope_count) {
        p.deleted_at = TIME_NONE;
        p.attr.observed_at = at_us;
        p.attr.value = scope_value(after, h->arena);
    }
    add_point(h, e, &p);
}

static void change_attrs(struct naive_history *h, struct evolution *e, const struct entity *before,
                         const struct entity *after, uint64_t seq, int64_t at_us)
{
    for (uint32_t i = 0; i < before->attr_count; i++) {
        const struct attr *a = &before->attrs[i];
        if (entity_instance(after, a->term, a->dataset))
            continue;
        struct point p = ending(a->term, a->dataset, a->kind, a->created_at, seq, at_us);
        add_point(h, e, &p);
    }
    for (uint32_t i = 0; i < after->attr_count; i++) {
        struct point p = {.attr = after->attrs[i], .deleted_at = TIME_NONE};
        if (p.attr.seq == seq)
            add_point(h, e, &p);
    }
}

void naive_history_change(struct naive_history *h, struct str tenant, const struct doc *before, const struct doc *after,
                          uint64_t seq, int64_t at_us)
{
    struct entity was = {0}, is = {0};
    struct evolution *e = find(h, tenant, doc_id(after ? after : before));
    if (!e)
        e = make(h, tenant, doc_id(after ? after : before));
    if (before)
        doc_decode(before, h->arena, &was);
    if (after)
        doc_decode(after, h->arena, &is);
    const struct entity *life = after ? &is : &was;
    for (uint32_t i = 0; i < was.type_count; i++)
        add_type(h, e, was.types[i]);
    for (uint32_t i = 0; i < is.type_count; i++)
        add_type(h, e, is.types[i]);
    e->created_at = life->created_at;
    e->modified_at = after ? is.modified_at : at_us;
    e->deleted_at = after ? TIME_NONE : at_us;
    e->expires_at = life->expires_at;
    change_scope(h, e, &was, &is, seq, at_us);
    change_attrs(h, e, &was, &is, seq, at_us);
}

/* ---- changes of evolutions ---- */

struct recording {
    struct naive_history *h;
    struct str tenant;
    const struct record_edit *edit;
    uint64_t seq;
    int64_t now_us;
};

static void stamp_subs(struct attr *a, uint64_t seq, int64_t now_us, struct arena *arena)
{
    struct attr *subs = arena_array(arena, struct attr, a->sub_count);
    for (uint32_t i = 0; i < a->sub_count; i++) {
        subs[i] = a->subs[i];
        subs[i].seq = seq;
        subs[i].created_at = subs[i].modified_at = now_us;
        stamp_subs(&subs[i], seq, now_us, arena);
    }
    a->subs = subs;
}

/* A client's instance as it is kept. */
static struct point stamped(const struct recording *r, const struct point *given, uint64_t seq, uint32_t index)
{
    struct point p = *given;
    p.index = index;
    p.attr.seq = seq;
    p.attr.created_at = p.attr.modified_at = r->now_us;
    p.attr.null_members = p.attr.guesses = 0;
    stamp_subs(&p.attr, seq, r->now_us, r->h->arena);
    if (p.attr.value.kind != VALUE_NULL)
        p.deleted_at = TIME_NONE;
    else if (p.deleted_at == TIME_NONE)
        p.deleted_at = p.attr.observed_at != TIME_NONE ? p.attr.observed_at : r->now_us;
    return p;
}

static enum status add_all(const struct recording *r, struct evolution *e)
{
    const struct evolution *given = r->edit->fragment;
    for (uint32_t i = 0; i < given->type_count; i++)
        add_type(r->h, e, given->types[i]);
    for (uint32_t i = 0; i < given->count; i++)
        for (uint32_t k = 0; k < given->series[i].count; k++) {
            struct point p = stamped(r, &given->series[i].points[k], r->seq, k);
            add_point(r->h, e, &p);
        }
    e->modified_at = r->now_us;
    return OK;
}

static enum status upsert(const struct recording *r, struct evolution *e, bool *created)
{
    *created = !e;
    if (!e) {
        e = make(r->h, r->tenant, r->edit->id);
        e->created_at = r->now_us;
        e->expires_at = r->edit->fragment->expires_at;
    }
    return add_all(r, e);
}

static enum status copy(const struct recording *r, struct evolution *e, bool *created)
{
    const struct evolution *given = r->edit->fragment;
    *created = !e;
    if (!e)
        e = make(r->h, r->tenant, r->edit->id);
    for (uint32_t i = 0; i < given->type_count; i++)
        add_type(r->h, e, given->types[i]);
    for (uint32_t i = 0; i < given->count; i++)
        for (uint32_t k = 0; k < given->series[i].count; k++)
            add_point(r->h, e, &given->series[i].points[k]);
    e->created_at = given->created_at;
    e->modified_at = given->modified_at;
    e->deleted_at = given->deleted_at;
    return OK;
}

static enum status delete_attr(const struct recording *r, struct evolution *e)
{
    bool found = false;
    for (uint32_t i = e->count; i-- > 0;)
        if (e->series[i].term == r->edit->term &&
            (r->edit->all_datasets || str_eq(e->series[i].dataset, r->edit->dataset))) {
            drop_series(e, &e->series[i]);
            found = true;
        }
    if (found)
        e->modified_at = r->now_us;
    return found ? OK : E_NOT_FOUND;
}

static bool is_meant(const struct recording *r, const struct evolution *e, const struct series *s, const struct point *p)
{
    struct str iri = s->term == TERM_SCOPE ? STR("https://uri.etsi.org/ngsi-ld/scope") : terms_iri(r->h->terms, s->term);
    return p->attr.seq == r->edit->instance_seq && p->index == r->edit->instance_index &&
           instance_id_is(r->edit->instance_id, e->id, iri, s->dataset, p->attr.seq, p->index);
}

static struct series *find_instance(const struct recording *r, struct evolution *e, uint32_t *at)
{
    for (uint32_t i = 0; i < e->count; i++)
        for (*at = 0; e->series[i].term == r->edit->term && *at < e->series[i].count; ++*at)
            if (is_meant(r, e, &e->series[i], &e->series[i].points[*at]))
                return &e->series[i];
    return NULL;
}

static enum status change_instance(const struct recording *r, struct evolution *e)
{
    uint32_t at;
    struct series *s = find_instance(r, e, &at);
    if (!s)
        return E_NOT_FOUND;
    struct point was = s->points[at];
    e->modified_at = r->now_us;
    if (r->edit->kind == RECORD_EDIT_MODIFY_INSTANCE) {
        struct point p = stamped(r, &r->edit->fragment->series[0].points[0], was.attr.seq, was.index);
        p.attr.term = s->term;
        p.attr.dataset = s->dataset;
        p.attr.created_at = was.attr.created_at;
        memmove(s->points + at, s->points + at + 1, (--s->count - at) * sizeof *s->points);
        add_point(r->h, e, &p);
    } else {
        drop_point(e, s, at);
    }
    return OK;
}

static enum status mark_deleted(const struct recording *r, struct evolution *e)
{
    bool found = false;
    if (e->deleted_at != TIME_NONE)
        return E_NOT_FOUND;
    for (uint32_t i = 0; i < e->count; i++) {
        const struct series *s = &e->series[i];
        const struct point *last = &s->points[s->count - 1];
        bool meant = r->edit->whole || (s->term == r->edit->term &&
                                        (r->edit->all_datasets || str_eq(s->dataset, r->edit->dataset)));
        if (!meant || last->deleted_at != TIME_NONE)
            continue;
        struct point p = ending(s->term, s->dataset, last->attr.kind, last->attr.created_at, r->seq, r->now_us);
        add_point(r->h, e, &p);
        found = true;
    }
    if (r->edit->whole)
        e->deleted_at = r->now_us;
    if (found || r->edit->whole)
        e->modified_at = r->now_us;
    return found || r->edit->whole ? OK : E_NOT_FOUND;
}

static enum status record(const struct recording *r, bool there, bool *created)
{
    struct evolution *e = find(r->h, r->tenant, r->edit->id);
    if (r->edit->kind == RECORD_EDIT_UPSERT)
        return upsert(r, e, created);
    if (r->edit->kind == RECORD_EDIT_COPY)
        return copy(r, e, created);
    if (!e)
        return E_NOT_FOUND;
    switch ((enum record_edit_kind)r->edit->kind) {
    case RECORD_EDIT_UPSERT:
    case RECORD_EDIT_COPY:
    case RECORD_EDIT_ADD:
        return add_all(r, e);
    case RECORD_EDIT_DELETE_ATTR:
        return delete_attr(r, e);
    case RECORD_EDIT_MODIFY_INSTANCE:
    case RECORD_EDIT_DELETE_INSTANCE:
        return change_instance(r, e);
    case RECORD_EDIT_MARK_DELETED:
        return there ? E_NOT_FOUND : mark_deleted(r, e);
    case RECORD_EDIT_DELETE:
        break;
    }
    drop(r->h, (uint32_t)(container_of(e, struct naive_evolution, e) - r->h->all));
    return OK;
}

struct record_result naive_history_record(struct naive_history *h, struct str tenant, const struct record_edit *edit,
                                          bool there, uint64_t seq, int64_t now_us, struct arena *a)
{
    struct recording r = {h, tenant, edit, seq, now_us};
    struct record_result result = {0};
    result.status = record(&r, there, &result.created);
    if (result.status == OK) {
        result.seq = seq;
        return result;
    }
    result.why = arena_zalloc(a, sizeof *result.why);
    why_set(result.why, result.status, NULL, "not remembered");
    return result;
}
