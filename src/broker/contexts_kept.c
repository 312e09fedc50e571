/* What is kept is the cache itself: fetched documents stand under their URLs, those that the city serves under their
 * local identifiers, pinned. A fetched document's identifier is made from its place in the cache: it is the same as
 * long as the city runs. */
#include "broker/contexts_int.h"

#include "base/buf.h"
#include "base/hash.h"

#include <inttypes.h>
#include <stdlib.h>

#define PATH "/ngsi-ld/v1/jsonldContexts/"
#define URN "urn:ngsi-ld:Context:"

enum { NUMBER_DIGITS = 16 };

const char *context_kind_name(enum context_kind k)
{
    static const char *const NAMES[] = {"", "Cached", "Hosted", "ImplicitlyCreated"};
    return NAMES[k];
}

/* ---- identifiers ---- */

struct str contexts_local(struct str url, struct arena *a)
{
    size_t at = str_find(url, STR(PATH)), n = 0;
    if (at == STR_NPOS)
        return url;
    struct str id = str_from(url, at + sizeof PATH - 1);
    if (str_find_char(id, '%') == STR_NPOS)
        return id;
    char *p = arena_alloc(a, id.n + 1);
    for (size_t i = 0; i < id.n; i++) { /* identifiers have no character but ':' that anybody would encode */
        bool colon = id.n - i > 2 && id.p[i] == '%' && id.p[i + 1] == '3' && (id.p[i + 2] | 0x20) == 'a';
        p[n++] = colon ? ':' : id.p[i];
        i += colon ? 2 : 0;
    }
    return (struct str){p, n};
}

static struct str number_id(struct str key, struct arena *a)
{
    return arena_printf(a, URN "%016" PRIx64, context_cache_number(key));
}

/* False: id is none of those made by number_id(). */
static bool number_read(struct str id, uint64_t *number)
{
    if (!str_starts(id, STR(URN)) || id.n != sizeof URN - 1 + NUMBER_DIGITS)
        return false;
    *number = 0;
    for (size_t i = sizeof URN - 1; i < id.n; i++) {
        char ch = id.p[i];
        if (!((ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'f')))
            return false;
        *number = *number << 4 | (uint64_t)(ch <= '9' ? ch - '0' : ch - 'a' + 10);
    }
    return true;
}

/* ---- what is told of a document ---- */

static bool is_served(const struct document *d)
{
    return d->origin == DOCUMENT_HOSTED || d->origin == DOCUMENT_IMPLICIT;
}

static void describe(const struct cached *e, struct arena *a, struct context_info *out)
{
    static const char *const ORIGINS[] = {"fetched", "preloaded", "hosted", "hosted"};
    static const uint8_t KINDS[] = {CONTEXT_CACHED, CONTEXT_CACHED, CONTEXT_HOSTED, CONTEXT_IMPLICIT};
    const struct document *d = e->document;
    int64_t used_us = atomic_load_explicit(&e->used_us, memory_order_relaxed);
    struct str key = arena_dup(a, e->key);
    *out = (struct context_info){
        .kind = KINDS[d->origin],
        .url = is_served(d) ? STR_NONE : key,
        .local_id = is_served(d) ? key : number_id(key, a),
        .text = is_served(d) ? arena_dup(a, d->text) : STR_NONE,
        .origin = ORIGINS[d->origin],
        .fixed = d->origin == DOCUMENT_PRELOADED,
        .created_us = d->created_us,
        .expires_us = e->expires_us == INT64_MAX ? TIME_NONE : e->expires_us,
        .used_us = used_us ? used_us : TIME_NONE,
        .hits = e->uses,
    };
}

static void describe_core(const struct contexts *c, struct str iri, struct arena *a, struct context_info *out)
{
    *out = (struct context_info){
        .kind = CONTEXT_CACHED,
        .url = arena_dup(a, iri),
        .local_id = number_id(iri, a),
        .origin = "built in",
        .fixed = true,
        .built_in = true,
        .created_us = c->start_us,
        .expires_us = TIME_NONE,
        .used_us = TIME_NONE,
    };
}

/* ---- listing and finding ---- */

struct listing {
    struct arena *arena;
    struct str tenant;
    enum context_kind kind;
    struct context_info *list;
    uint32_t count, room;
};

static void list_add(struct listing *l, const struct context_info *info)
{
    if (l->kind != CONTEXT_ANY && info->kind != l->kind)
        return;
    if (l->count == l->room) {
        uint32_t room = l->room ? 2 * l->room : 16;
        l->list = arena_grow(l->arena, l->list, l->room * sizeof *l->list, room * sizeof *l->list);
        l->room = room;
    }
    l->list[l->count++] = *info;
}

static void list_document(void *arg, struct cached *e)
{
    struct listing *l = arg;
    struct context_info info;
    if (is_served(e->document) && !str_eq(e->document->tenant, l->tenant))
        return;
    describe(e, l->arena, &info);
    list_add(l, &info);
}

static int id_order(const void *x, const void *y)
{
    const struct context_info *a = x, *b = y;
    return str_cmp(a->local_id, b->local_id);
}

uint32_t contexts_list(struct contexts *c, struct str tenant, enum context_kind kind, struct arena *a,
                       struct context_info **out)
{
    struct listing l = {.arena = a, .tenant = tenant, .kind = kind};
    struct context_info core;
    describe_core(c, context_core_iri(), a, &core);
    list_add(&l, &core);
    contexts_lock(c);
    context_cache_settle(c->cache);
    context_cache_each_document(c->cache, c->now_us, list_document, &l);
    contexts_unlock(c);
    if (l.count > 1)
        qsort(l.list, l.count, sizeof *l.list, id_order);
    *out = l.list;
    return l.count;
}

static struct cached *find(struct contexts *c, struct str tenant, struct str id)
{
    uint64_t number;
    struct cached *e = context_cache_document(c->cache, id, c->now_us);
    if (!e && number_read(id, &number)) {
        e = context_cache_numbered(c->cache, number, c->now_us);
        if (e && is_served(e->document)) /* it has an identifier of its own */
            e = NULL;
    }
    if (e && is_served(e->document) && !str_absent(tenant) && !str_eq(e->document->tenant, tenant))
        return NULL;
    return e;
}

bool contexts_find(struct contexts *c, struct str tenant, struct str id, bool use, struct arena *a,
                   struct context_info *out)
{
    struct str key = contexts_local(id, a);
    if (context_core_document(key) || str_eq(key, number_id(context_core_iri(), a))) {
        describe_core(c, context_core_document(key) ? key : context_core_iri(), a, out);
        return true;
    }
    contexts_lock(c);
    struct cached *e = find(c, tenant, key);
    if (e) {
        context_cache_settle(c->cache);
        describe(e, a, out);
        e->uses += use;
        if (use)
            atomic_store_explicit(&e->used_us, c->now_us, memory_order_relaxed);
    }
    contexts_unlock(c);
    return e != NULL;
}

/* ---- hosting ---- */

/* A string, an object, null, or an array of these; remote documents not at hand hide nothing else from this. */
static enum status check_shape(const struct json *spec, struct why *why)
{
    if (spec->kind == JSON_STRING || spec->kind == JSON_OBJECT || spec->kind == JSON_NULL)
        return OK;
    if (spec->kind != JSON_ARRAY)
        return why_set(why, E_BAD_DATA, NULL, "an @context is a URL, an object or an array of these, not %s",
                       json_kind_name((enum json_kind)spec->kind));
    for (uint32_t i = 0; i < spec->n; i++) {
        enum status st = check_shape(&spec->items[i], why);
        if (st != OK)
            return st;
    }
    return OK;
}

enum status contexts_check(struct contexts *c, const struct json *spec, struct arena *a, struct why *why)
{
    struct str missing;
    enum status st = check_shape(spec, why);
    if (st != OK)
        return st;
    contexts_lock(c);
    st = contexts_try(c, spec, a, &missing, why);
    contexts_unlock(c);
    if (st == E_CONTEXT) {
        why_clear(why);
        st = OK;
    }
    return st;
}

/* ---- implicitly created ones, by what they say ---- */

/* Long enough that no two have the same; if two had, the second would be made anew each time. */
enum { DIGEST_BYTES = 8 };

static uint64_t digest(struct str tenant, struct str text)
{
    return hash_str(text) ^ hash_u64(hash_str(tenant));
}

static struct cached *find_implicit(struct contexts *c, struct str tenant, struct str text)
{
    uint64_t hash = digest(tenant, text);
    struct named *n = named_find(&c->implicit, (struct str){(const char *)&hash, DIGEST_BYTES});
    if (!n)
        return NULL;
    const struct document *d = container_of(n, struct document, same);
    bool same = str_eq(d->text, text) && str_eq(d->tenant, tenant);
    return same ? context_cache_document(c->cache, d->id, c->now_us) : NULL;
}

/* The first of those that say the same. */
static void index_implicit(struct contexts *c, struct document *d)
{
    uint64_t hash = digest(d->tenant, d->text);
    struct str name = arena_dup(d->arena, (struct str){(const char *)&hash, DIGEST_BYTES});
    if (d->origin == DOCUMENT_IMPLICIT && !named_find(&c->implicit, name))
        named_add(&c->implicit, &d->same, name);
}

static void unindex_implicit(struct contexts *c, struct document *d)
{
    if (d->same.name.n)
        named_remove(&c->implicit, &d->same);
    d->same.name = STR("");
}

struct str contexts_implicit(struct contexts *c, struct str tenant, struct str text, struct arena *a)
{
    contexts_lock(c);
    struct cached *e = find_implicit(c, tenant, text);
    struct str id = e ? arena_dup(a, e->key) : STR_NONE;
    if (e)
        atomic_store_explicit(&e->used_us, c->now_us, memory_order_relaxed);
    contexts_unlock(c);
    return id;
}

struct unused {
    struct contexts *owner;
    struct arena *arena;
    int64_t before_us;
    struct context_unused *list;
    uint32_t count, room;
};

static void mark_referred(void *arg, struct str url)
{
    struct unused *u = arg;
    struct contexts *c = u->owner;
    if (str_find(url, STR(PATH)) == STR_NPOS)
        return;
    struct cached *e = context_cache_document(c->cache, contexts_local(url, u->arena), c->now_us);
    if (e)
        e->document->mark = c->marks;
}

static void collect_unused(void *arg, struct cached *e)
{
    struct unused *u = arg;
    const struct document *d = e->document;
    int64_t used_us = atomic_load_explicit(&e->used_us, memory_order_relaxed);
    used_us = used_us > d->created_us ? used_us : d->created_us;
    if (used_us < u->owner->start_us) /* what refers to it may not be known yet */
        used_us = u->owner->start_us;
    if (d->origin != DOCUMENT_IMPLICIT || d->mark == u->owner->marks || used_us >= u->before_us)
        return;
    if (u->count == u->room) {
        uint32_t room = u->room ? 2 * u->room : 16;
        u->list = arena_grow(u->arena, u->list, u->room * sizeof *u->list, room * sizeof *u->list);
        u->room = room;
    }
    u->list[u->count++] =
        (struct context_unused){arena_dup(u->arena, e->key), arena_dup(u->arena, d->tenant), used_us};
}

static int age_order(const void *x, const void *y)
{
    const struct context_unused *a = x, *b = y;
    return (a->used_us > b->used_us) - (a->used_us < b->used_us);
}

uint32_t contexts_unused(struct contexts *c, int64_t before_us, struct contexts_referred *referred, uint32_t most,
                         struct arena *a, struct context_unused **out)
{
    struct unused u = {.owner = c, .arena = a, .before_us = before_us};
    contexts_lock(c);
    c->marks++;
    referred->call(referred, mark_referred, &u);
    context_cache_each_document(c->cache, c->now_us, collect_unused, &u);
    contexts_unlock(c);
    if (u.count > 1)
        qsort(u.list, u.count, sizeof *u.list, age_order);
    *out = u.list;
    return u.count < most ? u.count : most;
}

/* ---- room ---- */

uint32_t contexts_hosted_max(const struct contexts *c)
{
    return c->o.hosted_max;
}

enum status contexts_reserve(struct contexts *c, size_t bytes, struct why *why)
{
    enum status st = OK;
    contexts_lock(c);
    if (c->hosted_count >= c->o.hosted_max)
        st = why_limit(why, E_TOO_MANY_REQUESTS, NULL, "contexts.hosted", "the city serves %u @contexts already", c->o.hosted_max);
    else if (bytes > c->o.hosted_bytes_max - c->hosted_bytes)
        st = why_limit(why, E_TOO_MANY_REQUESTS, NULL, "contexts.hosted_bytes",
                       "the @contexts that the city serves would have more than %zu bytes", c->o.hosted_bytes_max);
    if (st == OK) {
        c->hosted_count++;
        c->hosted_bytes += bytes;
    }
    contexts_unlock(c);
    return st;
}

static void release(struct contexts *c, size_t bytes)
{
    c->hosted_count--;
    c->hosted_bytes -= bytes;
}

void contexts_unreserve(struct contexts *c, size_t bytes)
{
    contexts_lock(c);
    release(c, bytes);
    contexts_unlock(c);
}

enum status contexts_host(struct contexts *c, struct str id, struct str text, enum context_kind kind, struct str tenant,
                          int64_t created_us, struct why *why)
{
    struct document *d;
    enum status st = contexts_document(c, id, text, &d, why);
    if (st != OK)
        return st;
    d->origin = kind == CONTEXT_HOSTED ? DOCUMENT_HOSTED : DOCUMENT_IMPLICIT;
    d->text = arena_dup(d->arena, text);
    d->tenant = arena_dup(d->arena, tenant);
    d->created_us = created_us;
    contexts_lock(c);
    struct cached *e = contexts_entry(d, INT64_MAX);
    e->pinned = true;
    d->id = arena_dup(d->arena, id);
    index_implicit(c, d);
    context_cache_add(c->cache, e, CACHED_DOCUMENT, id);
    contexts_unlock(c);
    return OK;
}

static void drop(struct contexts *c, struct cached *e)
{
    if (is_served(e->document))
        release(c, e->document->text.n);
    unindex_implicit(c, e->document);
    context_cache_remove(c->cache, e);
}

void contexts_drop(struct contexts *c, struct str key)
{
    contexts_lock(c);
    struct cached *e = find(c, STR_NONE, key);
    if (e)
        drop(c, e);
    contexts_unlock(c);
}

struct evacuation {
    struct str tenant;
    struct cached *found;
};

static void match_tenant(void *arg, struct cached *e)
{
    struct evacuation *x = arg;
    if (is_served(e->document) && str_eq(e->document->tenant, x->tenant))
        x->found = e;
}

void contexts_drop_tenant(struct contexts *c, struct str tenant)
{
    struct evacuation x = {.tenant = tenant};
    contexts_lock(c);
    do {
        x.found = NULL;
        context_cache_each_document(c->cache, c->now_us, match_tenant, &x);
        if (x.found)
            drop(c, x.found);
    } while (x.found);
    contexts_unlock(c);
}
