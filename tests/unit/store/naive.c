/* See naive.h. Every call completes at once. */
#include "naive.h"

#include "naive_history.h"

#include "base/arena.h"
#include "model/order.h"

#include <stdlib.h>
#include <string.h>

struct kept_document {
    uint8_t kind;
    char *key, *bytes;
    size_t key_n, bytes_n;
    uint64_t seq;
};

struct naive_tenant {
    char *name;
    size_t name_n;
    struct doc **docs; /* in order of creation */
    uint32_t count;
    struct kept_document *documents;
    uint32_t document_count;
};

struct naive {
    struct store store;
    uint64_t seq;
    uint32_t tenants_max;
    struct clock *clock;
    struct naive_tenant *tenants;
    uint32_t tenant_count;
    struct doc **garbage; /* old versions; callers may still look at them */
    uint32_t garbage_count;
    struct store_listener *listeners;
    struct naive_history history;
};

static struct naive *of(struct store *s)
{
    return (struct naive *)s;
}

static void *copy(const void *p, size_t n)
{
    void *c = mem_alloc(n + 1);
    if (n)
        memcpy(c, p, n);
    return c;
}

static void discard(struct naive *n, struct doc *d)
{
    n->garbage = mem_realloc(n->garbage, (n->garbage_count + 1) * sizeof *n->garbage);
    n->garbage[n->garbage_count++] = d;
}

static void tell(struct naive *n, struct change c)
{
    for (struct store_listener *l = n->listeners; l; l = l->next)
        l->changes(l, &c, 1);
}

static struct naive_tenant *find_tenant(struct naive *n, struct str name)
{
    for (uint32_t i = 0; i < n->tenant_count; i++)
        if (str_eq((struct str){n->tenants[i].name, n->tenants[i].name_n}, name))
            return &n->tenants[i];
    return NULL;
}

static struct naive_tenant *add_tenant(struct naive *n, struct str name)
{
    n->tenants = mem_realloc(n->tenants, (n->tenant_count + 1) * sizeof *n->tenants);
    struct naive_tenant *t = &n->tenants[n->tenant_count++];
    *t = (struct naive_tenant){.name = copy(name.p, name.n), .name_n = name.n};
    return t;
}

static struct naive_tenant *make_tenant(struct naive *n, struct str name, int64_t at_us)
{
    struct naive_tenant *t = add_tenant(n, name);
    tell(n,
         (struct change){.seq = ++n->seq, .kind = CHANGE_TENANT, .tenant = name, .at_us = at_us});
    return t;
}

static enum status check_tenant(struct naive *n, struct str name, bool create,
                                struct store_call *call)
{
    call->status = OK;
    why_clear(&call->why);
    if (find_tenant(n, name))
        return OK;
    if (!create)
        call->status = why_set(&call->why, E_NO_TENANT, NULL, "no such tenant");
    else if (n->tenant_count >= n->tenants_max)
        call->status = why_limit(&call->why, E_LIMIT, NULL, "limits.tenants", "too many tenants");
    return call->status;
}

static uint32_t find_doc(const struct naive_tenant *t, struct str id)
{
    uint32_t i = 0;
    while (t && i < t->count && !str_eq(doc_id(t->docs[i]), id))
        i++;
    return i;
}

/* ---- calls ---- */

static void say(struct naive *n, const struct store_apply *a, uint32_t i, const struct doc *before,
                const struct doc *after)
{
    naive_history_change(&n->history, a->caller->tenant, before, after, n->seq, a->now_us);
    tell(n, (struct change){.seq = n->seq,
                            .kind = CHANGE_ENTITY,
                            .tenant = a->caller->tenant,
                            .before = before,
                            .after = after,
                            .at_us = a->now_us,
                            .key = a->edits[i].id});
}

static void drop_doc(struct naive *n, struct naive_tenant *t, uint32_t at)
{
    discard(n, t->docs[at]);
    memmove(t->docs + at, t->docs + at + 1, (t->count - at - 1) * sizeof *t->docs);
    t->count--;
}

static struct doc *encoded(struct entity *e, uint64_t seq)
{
    e->seq = 0;
    struct doc *d = mem_alloc(doc_size(e));
    doc_encode(e, d);
    doc_set_seq(d, seq);
    return d;
}

static void put_doc(struct naive *n, struct naive_tenant *t, uint32_t at, struct doc *d)
{
    if (at < t->count) {
        discard(n, t->docs[at]);
    } else {
        t->docs = mem_realloc(t->docs, (t->count + 1) * sizeof *t->docs);
        t->count++;
    }
    t->docs[at] = d;
}

static void apply_one(struct naive *n, struct store_apply *a, uint32_t i)
{
    struct naive_tenant *t = find_tenant(n, a->caller->tenant);
    uint32_t at = find_doc(t, a->edits[i].id);
    struct doc *before = t && at < t->count ? t->docs[at] : NULL, *after = NULL;
    struct entity old, next;
    struct edit_result *r = &a->results[i];
    *r = (struct edit_result){0};
    if (before)
        doc_decode(before, a->arena, &old);
    edit_apply(&a->edits[i], before ? &old : NULL, a->now_us, a->arena, &next, r);
    if (r->status != OK || !r->changed)
        return;
    if (!t)
        t = make_tenant(n, a->caller->tenant, a->now_us);
    if (r->expired) {
        n->seq++;
        say(n, a, i, before, NULL);
        drop_doc(n, t, at);
        at = t->count;
        before = NULL;
    }
    r->seq = ++n->seq;
    if (!r->deleted)
        after = encoded(&next, r->seq);
    say(n, a, i, before, after);
    if (after)
        put_doc(n, t, at, after);
    else
        drop_doc(n, t, at);
}

static bool naive_apply(struct store *s, struct store_apply *a)
{
    struct naive *n = of(s);
    if (check_tenant(n, a->caller->tenant, a->create_tenant, &a->call) == OK)
        for (uint32_t i = 0; i < a->count; i++)
            apply_one(n, a, i);
    return true;
}

/* The tree of what is left of d by now; NULL: nothing. */
static struct entity *left_of(struct naive *n, const struct doc *d, struct arena *a)
{
    struct entity *all = arena_array(a, struct entity, 2);
    doc_decode(d, a, &all[0]);
    return edit_left(&all[0], n->clock->now_us(n->clock), a, &all[1]) ? &all[1] : NULL;
}

/* The same as a version: d itself where nothing has expired. */
static const struct doc *left_doc(struct naive *n, const struct doc *d, const struct entity *left)
{
    if (doc_expires_at(d) == TIME_NONE || doc_expires_at(d) > n->clock->now_us(n->clock))
        return d;
    struct doc *version = mem_alloc(doc_size(left));
    doc_encode(left, version);
    discard(n, version);
    return version;
}

struct linked {
    struct filter_env env;
    struct naive *naive;
    struct naive_tenant *tenant;
};

static const struct entity *lookup(struct filter_env *env, struct str id)
{
    struct linked *l = container_of(env, struct linked, env);
    uint32_t at = find_doc(l->tenant, id);
    return at < l->tenant->count ? left_of(l->naive, l->tenant->docs[at], env->arena) : NULL;
}

static bool meets(struct naive *n, struct naive_tenant *t, const struct filter *f,
                  const struct entity *e, struct arena *a)
{
    struct linked l = {{.arena = a, .lookup = lookup}, n, t};
    return filter_match(f, e, &l.env);
}

static bool naive_get(struct store *s, struct store_get *g)
{
    struct naive *n = of(s);
    g->doc = NULL;
    if (check_tenant(n, g->caller->tenant, false, &g->call) != OK)
        return true;
    struct naive_tenant *t = find_tenant(n, g->caller->tenant);
    uint32_t at = find_doc(t, g->id);
    struct arena *a = arena_new(0);
    const struct entity *e = at < t->count ? left_of(n, t->docs[at], a) : NULL;
    if (e && meets(n, t, g->caller->filter, e, a))
        g->doc = left_doc(n, t->docs[at], e);
    else
        g->call.status = why_set(&g->call.why, E_NOT_FOUND, NULL, "no such entity");
    arena_free(a);
    return true;
}

/* Insertion into sorted matches: earlier created first among equals. */
static void insert(const struct order *o, struct entity *all, const struct doc **docs, uint32_t n,
                   struct arena *a)
{
    struct entity e = all[n];
    const struct doc *d = docs[n];
    while (n > 0 && o && order_compare(o, &all[n - 1], &e, a) > 0) {
        all[n] = all[n - 1];
        docs[n] = docs[n - 1];
        n--;
    }
    all[n] = e;
    docs[n] = d;
}

static bool naive_query(struct store *s, struct store_query *q)
{
    struct naive *n = of(s);
    q->doc_count = 0;
    q->total = 0;
    q->more = false;
    q->docs = NULL;
    if (check_tenant(n, q->caller->tenant, false, &q->call) != OK)
        return true;
    struct naive_tenant *t = find_tenant(n, q->caller->tenant);
    struct entity *all = arena_array(q->arena, struct entity, t->count + 1);
    const struct doc **docs = arena_array(q->arena, const struct doc *, t->count + 1);
    uint32_t matched = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        const struct entity *e = left_of(n, t->docs[i], q->arena);
        if (!e || doc_created_seq(t->docs[i]) <= q->after_seq ||
            !meets(n, t, q->filter, e, q->arena) ||
            !meets(n, t, q->caller->filter, e, q->arena))
            continue;
        docs[matched] = left_doc(n, t->docs[i], e);
        all[matched] = *e;
        insert(q->limit ? q->order : NULL, all, docs, matched, q->arena);
        matched++;
    }
    uint32_t first = q->offset < matched ? (uint32_t)q->offset : matched;
    q->docs = docs + first;
    q->doc_count = matched - first < q->limit ? matched - first : q->limit;
    q->more = first + q->doc_count < matched;
    q->total = q->count ? matched : 0;
    return true;
}

/* ---- history ---- */

static bool naive_evolve(struct store *s, struct store_evolve *v)
{
    struct naive *n = of(s);
    v->evolutions = NULL;
    v->evolution_count = 0;
    v->total = 0;
    v->more = v->partial = false;
    v->first_us = v->last_us = TIME_NONE;
    if (check_tenant(n, v->caller->tenant, false, &v->call) == OK)
        naive_history_evolve(&n->history, v);
    return true;
}

static bool naive_record(struct store *s, struct store_record *r)
{
    struct naive *n = of(s);
    if (check_tenant(n, r->caller->tenant, r->create_tenant, &r->call) != OK)
        return true;
    for (uint32_t i = 0; i < r->count; i++) {
        struct naive_tenant *t = find_tenant(n, r->caller->tenant);
        if (!t && r->edits[i].kind == RECORD_EDIT_UPSERT)
            t = make_tenant(n, r->caller->tenant, r->now_us);
        bool there = t && find_doc(t, r->edits[i].id) < t->count;
        r->results[i] = naive_history_record(&n->history, r->caller->tenant, &r->edits[i], there, n->seq + 1, r->now_us,
                                             r->arena);
        n->seq += r->results[i].status == OK;
    }
    return true;
}

/* ---- discovery: a look at everything ---- */

static struct store_name *name_in(struct arena *a, struct store_name **list, uint32_t *n, uint32_t term)
{
    for (uint32_t i = 0; i < *n; i++)
        if ((*list)[i].term == term)
            return &(*list)[i];
    *list = arena_grow(a, *list, *n * sizeof **list, (*n + 1) * sizeof **list);
    (*list)[*n] = (struct store_name){.term = term};
    return &(*list)[(*n)++];
}

static void census_name_of(struct store_census *c, const struct entity *e, uint32_t term, const struct attr *attr)
{
    if (c->term && c->term != term)
        return;
    struct store_name *name = name_in(c->arena, &c->names, &c->count, term);
    name->count++;
    if (attr)
        name->kinds |= STORE_KIND_BIT(attr->kind);
    uint32_t others = !c->details ? 0 : attr ? e->type_count : e->attr_count;
    for (uint32_t i = 0; i < others; i++) {
        const struct attr *a = attr ? attr : &e->attrs[i];
        struct store_name *with =
            name_in(c->arena, &name->with, &name->with_count, attr ? e->types[i] : a->term);
        with->count++;
        with->kinds |= STORE_KIND_BIT(a->kind);
    }
}

static bool naive_census(struct store *s, struct store_census *c)
{
    struct naive *n = of(s);
    c->names = NULL;
    c->count = 0;
    c->visited = 0;
    if (check_tenant(n, c->caller->tenant, false, &c->call) != OK)
        return true;
    const struct naive_tenant *t = find_tenant(n, c->caller->tenant);
    for (uint32_t i = 0; i < t->count; i++) {
        struct entity old, e;
        struct edit edit = {.kind = EDIT_EXPIRE, .id = doc_id(t->docs[i])};
        struct edit_result result;
        struct filter_env env = {.arena = c->arena};
        doc_decode(t->docs[i], c->arena, &old);
        e = old;
        edit_apply(&edit, &old, c->now_us, c->arena, &e, &result);
        if (result.deleted)
            continue;
        if (!result.changed)
            e = old;
        if (c->caller->filter && !filter_match(c->caller->filter, &e, &env))
            continue;
        for (uint32_t k = 0; k < (c->attributes ? e.attr_count : e.type_count); k++)
            census_name_of(c, &e, c->attributes ? e.attrs[k].term : e.types[k],
                           c->attributes ? &e.attrs[k] : NULL);
    }
    if (c->term && !c->count)
        c->call.status = why_set(&c->call.why, E_NOT_FOUND, NULL, "nobody has it");
    return true;
}

static void naive_cancel(struct store *s, struct store_call *call)
{
    (void)s;
    call->cancelled = true;
}

static uint32_t find_document(const struct naive_tenant *t, uint8_t kind, struct str key)
{
    uint32_t i = 0;
    while (t && i < t->document_count &&
           !(t->documents[i].kind == kind &&
             str_eq((struct str){t->documents[i].key, t->documents[i].key_n}, key)))
        i++;
    return i;
}

static void free_document(struct kept_document *d)
{
    free(d->key);
    free(d->bytes);
}

static bool naive_put(struct store *s, struct store_put *p)
{
    struct naive *n = of(s);
    if (check_tenant(n, p->caller->tenant, p->create_tenant, &p->call) != OK)
        return true;
    struct naive_tenant *t = find_tenant(n, p->caller->tenant);
    uint32_t at = find_document(t, p->kind, p->key);
    bool there = t && at < t->document_count;
    if (p->only_absent && there)
        p->call.status = why_set(&p->call.why, E_EXISTS, NULL, "exists");
    else if (p->only_present && !there)
        p->call.status = why_set(&p->call.why, E_NOT_FOUND, NULL, "does not exist");
    else if (p->only_seq && !(there && t->documents[at].seq == p->only_seq))
        p->call.status = why_set(&p->call.why, E_CONFLICT, NULL, "changed meanwhile");
    if (p->call.status != OK || (!there && str_absent(p->bytes)))
        return true;
    if (!t)
        t = make_tenant(n, p->caller->tenant, 0);
    if (there) {
        free_document(&t->documents[at]);
        t->documents[at] = t->documents[--t->document_count];
    }
    n->seq++;
    if (!str_absent(p->bytes)) {
        t->documents = mem_realloc(t->documents, (t->document_count + 1) * sizeof *t->documents);
        t->documents[t->document_count++] = (struct kept_document){
            p->kind, copy(p->key.p, p->key.n), copy(p->bytes.p, p->bytes.n), p->key.n, p->bytes.n,
            n->seq};
    }
    tell(n, (struct change){.seq = n->seq,
                            .kind = CHANGE_DOCUMENT,
                            .tenant = p->caller->tenant,
                            .document_kind = p->kind,
                            .key = p->key,
                            .bytes = p->bytes});
    return true;
}

static int by_key(const void *x, const void *y)
{
    return str_cmp(((const struct store_document *)x)->key,
                   ((const struct store_document *)y)->key);
}

static bool naive_list(struct store *s, struct store_list *l)
{
    struct naive *n = of(s);
    l->count = 0;
    l->total = 0;
    l->more = false;
    l->documents = NULL;
    if (check_tenant(n, l->caller->tenant, false, &l->call) != OK)
        return true;
    struct naive_tenant *t = find_tenant(n, l->caller->tenant);
    l->documents = arena_array(l->arena, struct store_document, t->document_count + 1);
    for (uint32_t i = 0; i < t->document_count; i++) {
        struct str key = {t->documents[i].key, t->documents[i].key_n};
        struct str bytes = {t->documents[i].bytes, t->documents[i].bytes_n};
        bool wanted = str_absent(l->key) ? str_absent(l->after) || str_cmp(key, l->after) > 0
                                         : str_eq(key, l->key);
        l->total += t->documents[i].kind == l->kind;
        if (t->documents[i].kind == l->kind && wanted)
            l->documents[l->count++] = (struct store_document){
                arena_dup(l->arena, key), arena_dup(l->arena, bytes), t->documents[i].seq};
    }
    qsort(l->documents, l->count, sizeof *l->documents, by_key);
    if (!str_absent(l->key) && !l->count)
        l->call.status = why_set(&l->call.why, E_NOT_FOUND, NULL, "does not exist");
    uint32_t skip = str_absent(l->key) && l->offset < l->count ? (uint32_t)l->offset : 0;
    l->documents += skip;
    l->count = str_absent(l->key) && l->offset >= l->count ? 0 : l->count - skip;
    if (str_absent(l->key) && l->count > l->limit) {
        l->count = l->limit;
        l->more = true;
    }
    return true;
}

static void naive_listen(struct store *s, struct store_listener *l)
{
    l->next = of(s)->listeners;
    of(s)->listeners = l;
}

static uint64_t naive_seq(struct store *s)
{
    return of(s)->seq;
}

static uint32_t naive_tenants(struct store *s, struct arena *a, struct str **names)
{
    struct naive *n = of(s);
    *names = arena_array(a, struct str, n->tenant_count);
    for (uint32_t i = 0; i < n->tenant_count; i++)
        (*names)[i] = arena_dup(a, (struct str){n->tenants[i].name, n->tenants[i].name_n});
    return n->tenant_count;
}

static bool naive_tenant_exists(struct store *s, struct str name)
{
    return find_tenant(of(s), name) != NULL;
}

static void drop_contents(struct naive *n, struct naive_tenant *t)
{
    for (uint32_t i = 0; i < t->count; i++)
        discard(n, t->docs[i]);
    for (uint32_t i = 0; i < t->document_count; i++)
        free_document(&t->documents[i]);
    free(t->docs);
    free(t->documents);
    free(t->name);
}

static bool naive_tenant_delete(struct store *s, struct store_tenant_delete *d)
{
    struct naive *n = of(s);
    if (d->tenant.n == 0) {
        d->call.status = why_set(&d->call.why, E_BAD_DATA, NULL, "the default tenant stays");
        return true;
    }
    if (check_tenant(n, d->tenant, false, &d->call) != OK)
        return true;
    struct naive_tenant *t = find_tenant(n, d->tenant);
    naive_history_forget(&n->history, d->tenant);
    drop_contents(n, t);
    *t = n->tenants[--n->tenant_count];
    tell(n, (struct change){.seq = ++n->seq, .kind = CHANGE_TENANT, .tenant = d->tenant, .gone = true});
    return true;
}

static enum status naive_backup(struct store *s, const char *dir, struct why *why)
{
    (void)s;
    return why_set(why, E_NOT_SUPPORTED, NULL, "%s: nothing is on disk here", dir);
}

static void naive_stats(struct store *s, struct store_stats *out)
{
    struct naive *n = of(s);
    *out = (struct store_stats){.tenants = n->tenant_count, .committed_seq = n->seq};
    for (uint32_t i = 0; i < n->tenant_count; i++)
        out->entities += n->tenants[i].count;
}

static const char *naive_ready(struct store *s)
{
    (void)s;
    return "";
}

static void nothing(struct store *s)
{
    (void)s;
}

static void naive_close(struct store *s)
{
    struct naive *n = of(s);
    while (n->tenant_count)
        drop_contents(n, &n->tenants[--n->tenant_count]);
    for (uint32_t i = 0; i < n->garbage_count; i++)
        free(n->garbage[i]);
    naive_history_free(&n->history);
    free(n->garbage);
    free(n->tenants);
    free(n);
}

static const struct store_ops OPS = {
    .apply = naive_apply,
    .get = naive_get,
    .query = naive_query,
    .census = naive_census,
    .evolve = naive_evolve,
    .record = naive_record,
    .cancel = naive_cancel,
    .put = naive_put,
    .list = naive_list,
    .listen = naive_listen,
    .seq = naive_seq,
    .tenants = naive_tenants,
    .tenant_exists = naive_tenant_exists,
    .tenant_delete = naive_tenant_delete,
    .backup = naive_backup,
    .stats = naive_stats,
    .ready = naive_ready,
    .thread_enter = nothing,
    .thread_leave = nothing,
    .thread_offline = nothing,
    .thread_online = nothing,
    .thread_quiescent = nothing,
    .close = naive_close,
};

struct store *naive_new(uint32_t tenants_max, struct clock *clock, const struct terms *terms)
{
    struct naive *n = mem_zalloc(sizeof *n);
    n->store.ops = &OPS;
    n->tenants_max = tenants_max;
    n->clock = clock;
    naive_history_init(&n->history, terms);
    add_tenant(n, STR(""));
    return &n->store;
}
