/* Matching and representing: once for each distinct query, once for each distinct view of it. */
#include "front/live_int.h"

#include <stdlib.h>

enum { MESSAGE_BYTES_MAX = 64 << 20 };

enum event { EVENT_NONE, EVENT_APPEAR, EVENT_CHANGE, EVENT_LEAVE, EVENT_DELETE, EVENT_RESET };
static const char *const EVENT_NAMES[] = {"", "appear", "change", "leave", "delete", "reset"};

/* ---- who watches ---- */

static struct live_filter *filter_find(struct live *l, const struct live_query *q)
{
    for (struct link *i = l->filters.next; i != &l->filters; i = i->next) {
        struct live_filter *f = container_of(i, struct live_filter, link);
        if (str_eq(f->query->filter_key, q->filter_key) && str_eq(f->query->tenant, q->tenant))
            return f;
    }
    struct live_filter *f = mem_zalloc(sizeof *f);
    link_init(&f->views);
    link_append(&l->filters, &f->link);
    return f;
}

static struct live_view *view_find(struct live_filter *f, struct str key)
{
    for (struct link *i = f->views.next; i != &f->views; i = i->next) {
        struct live_view *v = container_of(i, struct live_view, link);
        if (str_eq(v->query->view_key, key))
            return v;
    }
    return NULL;
}

void live_view_join(struct live *l, struct live_stream *s)
{
    struct live_filter *f = filter_find(l, s->offered);
    struct live_view *v = view_find(f, s->offered->view_key);
    if (v) {
        live_query_free(s->offered);
    } else {
        v = mem_zalloc(sizeof *v);
        v->query = s->offered;
        link_init(&v->streams);
        link_append(&f->views, &v->link);
        if (!f->query)
            f->query = v->query;
    }
    s->offered = NULL;
    s->view = v;
    v->filter = f;
    link_append(&v->streams, &s->link);
}

void live_view_leave(struct live_stream *s)
{
    struct live_view *v = s->view;
    if (!v)
        return;
    struct live_filter *f = v->filter;
    link_remove(&s->link);
    s->view = NULL;
    if (!link_alone(&v->streams))
        return;
    link_remove(&v->link);
    if (link_alone(&f->views)) {
        link_remove(&f->link);
        free(f);
    } else if (f->query == v->query) {
        f->query = container_of(f->views.next, struct live_view, link)->query;
    }
    live_query_free(v->query);
    free(v);
}

void live_view_break_all(struct live *l)
{
    for (struct link *i = l->filters.next; i != &l->filters; i = i->next) {
        struct live_filter *f = container_of(i, struct live_filter, link);
        for (struct link *j = f->views.next; j != &f->views; j = j->next) {
            struct live_view *v = container_of(j, struct live_view, link);
            for (struct link *k = v->streams.next; k != &v->streams; k = k->next)
                live_stream_tell(container_of(k, struct live_stream, link), NULL);
        }
    }
}

/* ---- matching ---- */

/* A change with its documents decoded, as far as somebody wanted to see them. */
struct decoded {
    const struct live_record *record;
    struct arena *arena;
    struct entity *before, *after;
};

static const struct entity *decode(struct decoded *d, const struct doc *doc, struct entity **e)
{
    if (doc && !*e) {
        *e = arena_array(d->arena, struct entity, 1);
        doc_decode(doc, d->arena, *e);
    }
    return *e;
}

static enum event event_of(struct live_filter *f, struct decoded *d)
{
    if (d->record->tenant_gone)
        return EVENT_RESET;
    live_query_refresh(f->query);
    struct filter_env env = {.arena = d->arena};
    const struct entity *before = decode(d, d->record->before, &d->before);
    const struct entity *after = decode(d, d->record->after, &d->after);
    bool was = before && filter_match(f->query->x.filter, before, &env);
    bool is = after && filter_match(f->query->x.filter, after, &env);
    if (is)
        return was ? EVENT_CHANGE : EVENT_APPEAR;
    return !was ? EVENT_NONE : after ? EVENT_LEAVE : EVENT_DELETE;
}

/* ---- representing ---- */

static void represent(struct buf *b, const struct live_view *v, struct arena *a, const struct entity *e)
{
    struct represent r = v->query->represent;
    r.arena = a;
    represent_entity(b, &r, e);
}

static void represent_identity(struct buf *b, const struct live_view *v, struct arena *a, const struct entity *e)
{
    static const struct projection IDENTITY = {.id = true, .type = true};
    struct represent r = {
        .format = REPRESENT_SIMPLIFIED, .geojson = v->query->represent.geojson, .context = v->query->represent.context, .arena = a, .pick = &IDENTITY};
    represent_entity(b, &r, e);
}

/* A view that leaves things out may show nothing of a change. */
static bool shows(const struct live_view *v, struct decoded *d)
{
    const struct represent *r = &v->query->represent;
    if (!r->pick && !r->omit && !r->dataset_count && str_absent(r->lang))
        return true;
    struct buf before, after;
    buf_init(&before, MESSAGE_BYTES_MAX);
    buf_init(&after, MESSAGE_BYTES_MAX);
    represent(&before, v, d->arena, d->before);
    represent(&after, v, d->arena, d->after);
    bool differ = !str_eq(buf_view(&before), buf_view(&after));
    buf_free(&before);
    buf_free(&after);
    return differ;
}

/* NULL: there is nothing to tell. */
static struct live_message *message_of(const struct live *l, const struct live_view *v, struct decoded *d,
                                       enum event event, bool *too_large)
{
    struct buf b;
    *too_large = false;
    if (v->query->terms_seen != terms_count(l->options.api->broker->terms))
        live_query_refresh(v->query);
    if (event == EVENT_CHANGE && !shows(v, d))
        return NULL;
    if ((event == EVENT_CHANGE || event == EVENT_APPEAR) && !represent_leaves(&v->query->represent, d->after))
        return NULL;
    buf_init(&b, MESSAGE_BYTES_MAX);
    buf_printf(&b, "event: %s\nid: ", EVENT_NAMES[event]);
    live_hub_id(l, &b, d->record->seq);
    buf_lit(&b, "\ndata: ");
    if (event == EVENT_RESET)
        buf_lit(&b, "{}");
    else if (event == EVENT_LEAVE || event == EVENT_DELETE)
        represent_identity(&b, v, d->arena, d->before);
    else
        represent(&b, v, d->arena, d->after);
    buf_lit(&b, "\n\n");
    *too_large = b.full;
    struct live_message *m = NULL;
    if (!b.full) {
        m = mem_alloc(sizeof *m + b.n);
        atomic_init(&m->refs, 1);
        m->n = b.n;
        memcpy(m->text, b.p, b.n);
    }
    buf_free(&b);
    return m;
}

static void view_tell(struct live *l, struct live_view *v, struct decoded *d, enum event event)
{
    bool too_large;
    struct live_message *m = message_of(l, v, d, event, &too_large);
    if (!m && !too_large)
        return;
    for (struct link *i = v->streams.next; i != &v->streams; i = i->next)
        live_stream_tell(container_of(i, struct live_stream, link), m);
    if (m)
        live_message_unref(m);
}

void live_view_change(struct live *l, const struct live_record *r)
{
    struct decoded d = {.record = r, .arena = l->scratch};
    for (struct link *i = l->filters.next; i != &l->filters; i = i->next) {
        struct live_filter *f = container_of(i, struct live_filter, link);
        enum event event = str_eq(f->query->tenant, r->tenant) ? event_of(f, &d) : EVENT_NONE;
        for (struct link *j = f->views.next; event && j != &f->views; j = j->next)
            view_tell(l, container_of(j, struct live_view, link), &d, event);
    }
    arena_reset(l->scratch);
}

void live_view_replay(struct live *l, struct live_stream *s, const struct live_record *r)
{
    struct decoded d = {.record = r, .arena = l->scratch};
    bool too_large = false;
    enum event event = str_eq(s->view->query->tenant, r->tenant) ? event_of(s->view->filter, &d) : EVENT_NONE;
    struct live_message *m = event ? message_of(l, s->view, &d, event, &too_large) : NULL;
    if (m || too_large)
        live_stream_tell(s, m);
    if (m)
        live_message_unref(m);
    arena_reset(l->scratch);
}
