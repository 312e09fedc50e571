/* See watch.h. A tenant without subscriptions costs one look-up. Names that the city has not
 * seen yet are waited for by their IRI's hash: a new term wakes those who named it. */
#include "broker/watch.h"

#include "base/hash.h"
#include "broker/watch_keys.h"
#include "broker/watch_order.h"
#include "broker/watch_table.h"
#include "model/pattern.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { TENANTS_MIN = 16 };

struct place {
    uint64_t key;
    uint32_t at;
    struct watch_node *node; /* of an interval; NULL: of a table */
};

/* The keys it is found by come first, behind them those of names it waits for. */
struct watcher {
    struct watcher *next, *prev; /* of all */
    struct subscription *subscription;
    void *owner;
    struct watch_tenant *tenant;
    uint64_t seen; /* number of the last change that it was a candidate for */
    uint32_t key_count, place_count;
    struct place *places;
};

struct watch_tenant {
    struct watch_tenant *next; /* of one bucket */
    struct str name;           /* behind this struct */
    uint32_t watchers;
    struct watch_classes classes;
};

struct watch {
    struct watch_options o;
    uint32_t terms_seen;
    struct watch_table *by_key, *by_name;
    struct watch_tenant **tenants;
    uint32_t tenant_count, tenant_mask;
    struct watch_order *by_number;
    struct watch_keys asked;
    struct watch_asks asked_ranges;
    struct watcher *all;
    _Atomic uint64_t watchers, changes, keys, candidates, matched;
};

static void moved_key(struct watcher *w, uint32_t number, uint32_t at)
{
    w->places[number].at = at;
}

struct watch *watch_new(const struct watch_options *o)
{
    struct watch *w = mem_zalloc(sizeof *w);
    w->o = *o;
    w->terms_seen = terms_count(o->terms);
    w->by_key = watch_table_new(moved_key);
    w->by_name = watch_table_new(moved_key);
    w->by_number = watch_order_new();
    w->tenant_mask = TENANTS_MIN - 1;
    w->tenants = mem_zalloc(TENANTS_MIN * sizeof(struct watch_tenant *));
    return w;
}

void watch_free(struct watch *w)
{
    if (!w)
        return;
    while (w->all)
        watch_remove(w, w->all);
    watch_table_free(w->by_key);
    watch_table_free(w->by_name);
    watch_order_free(w->by_number);
    free(w->tenants);
    free(w->asked.keys);
    free(w->asked_ranges.asks);
    free(w);
}

/* ---- tenants ---- */

static struct watch_tenant **tenant_place(const struct watch *w, struct str name, uint64_t hash)
{
    struct watch_tenant **at = &w->tenants[hash & w->tenant_mask];
    while (*at && ((*at)->classes.seed != hash || !str_eq((*at)->name, name)))
        at = &(*at)->next;
    return at;
}

static void grow_tenants(struct watch *w)
{
    struct watch_tenant **old = w->tenants;
    uint32_t count = w->tenant_mask + 1;
    w->tenant_mask = 2 * count - 1;
    w->tenants = mem_zalloc(2 * count * sizeof *w->tenants);
    for (uint32_t i = 0; i < count; i++)
        for (struct watch_tenant *t = old[i], *next; t; t = next) {
            next = t->next;
            struct watch_tenant **at = &w->tenants[t->classes.seed & w->tenant_mask];
            t->next = *at;
            *at = t;
        }
    free(old);
}

static struct watch_tenant *tenant_make(struct watch *w, struct str name)
{
    uint64_t hash = hash_str(name);
    struct watch_tenant **at = tenant_place(w, name, hash), *t = *at;
    if (t)
        return t;
    t = *at = mem_zalloc(sizeof *t + name.n);
    if (name.n)
        memcpy(t + 1, name.p, name.n);
    t->name = (struct str){(char *)(t + 1), name.n};
    t->classes.seed = hash;
    if (++w->tenant_count > w->tenant_mask)
        grow_tenants(w);
    return t;
}

static void tenant_leave(struct watch *w, struct watch_tenant *t)
{
    if (--t->watchers)
        return;
    *tenant_place(w, t->name, t->classes.seed) = t->next;
    w->tenant_count--;
    free(t);
}

/* ---- names nobody has yet ---- */

static void want(const struct name *n, struct watch_keys *missing)
{
    if (n->term != TERM_NONE)
        return;
    if (missing->count == missing->room) {
        missing->room = missing->room ? 2 * missing->room : 8;
        missing->keys = mem_realloc(missing->keys, missing->room * sizeof missing->keys[0]);
    }
    missing->keys[missing->count++] = hash_str(n->iri);
}

static void want_compare(const struct compare *c, struct watch_keys *missing)
{
    for (uint32_t i = 0; i < c->link_count; i++) {
        want(&c->links[i].relationship, missing);
        for (uint32_t j = 0; j < c->links[i].type_count; j++)
            want(&c->links[i].types[j], missing);
    }
    for (uint32_t i = 0; i < c->path_count; i++)
        want(&c->path[i], missing);
}

static void want_types(const struct type_expr *t, struct watch_keys *missing)
{
    for (uint32_t i = 0; t && i < t->count; i++)
        for (uint32_t j = 0; j < t->any[i].count; j++)
            want(&t->any[i].types[j], missing);
}

static void want_filter(const struct filter *f, struct watch_keys *missing)
{
    if (!f)
        return;
    if (f->kind == FILTER_AND || f->kind == FILTER_OR || f->kind == FILTER_NOT)
        for (uint32_t i = 0; i < f->count; i++)
            want_filter(f->parts[i], missing);
    if (f->kind == FILTER_TYPE)
        want_types(f->type, missing);
    if (f->kind == FILTER_ATTRS)
        for (uint32_t i = 0; i < f->count; i++)
            want(&f->attrs[i], missing);
    if (f->kind == FILTER_COMPARE)
        want_compare(f->compare, missing);
    if (f->kind == FILTER_GEO)
        want(&f->geo->property, missing);
}

static void want_all(const struct subscription *s, struct watch_keys *missing)
{
    for (uint32_t i = 0; i < s->selector_count; i++)
        want_types(s->selectors[i].type, missing);
    for (uint32_t i = 0; i < s->watched_count; i++)
        want(&s->watched[i], missing);
    want_filter(s->condition, missing);
}

/* ---- adding and removing ---- */

static void file_place(struct watch *w, struct watcher *x, uint32_t i, const struct watch_keys *keys)
{
    struct place *p = &x->places[i];
    if (i < keys->count && keys->ranged)
        p->node = watch_order_add(w->by_number, p->key, keys->range, x);
    else
        watch_table_add(i < keys->count ? w->by_key : w->by_name, p->key, (struct watch_entry){x, i});
}

static void file_watcher(struct watch *w, struct watcher *x)
{
    struct watch_keys keys, missing = {0};
    watch_keys_file(&x->tenant->classes, x->subscription, &keys);
    want_all(x->subscription, &missing);
    x->key_count = keys.count;
    x->place_count = keys.count + missing.count;
    x->places = mem_zalloc(x->place_count * sizeof x->places[0]);
    for (uint32_t i = 0; i < x->place_count; i++) {
        x->places[i].key = i < keys.count ? keys.keys[i] : missing.keys[i - keys.count];
        file_place(w, x, i, &keys);
    }
    free(keys.keys);
    free(missing.keys);
}

static void unfile_watcher(struct watch *w, struct watcher *x)
{
    for (uint32_t i = 0; i < x->place_count; i++) {
        struct place *p = &x->places[i];
        if (p->node)
            watch_order_remove(w->by_number, p->node);
        else
            watch_table_remove(i < x->key_count ? w->by_key : w->by_name, p->key, p->at);
    }
    watch_keys_unfile(&x->tenant->classes, x->subscription);
    free(x->places);
}

struct watcher *watch_add(struct watch *w, struct subscription *s, void *owner)
{
    struct watcher *x = mem_zalloc(sizeof *x);
    x->subscription = subscription_ref(s);
    x->owner = owner;
    x->next = w->all;
    if (w->all)
        w->all->prev = x;
    w->all = x;
    x->tenant = tenant_make(w, s->tenant);
    x->tenant->watchers++;
    file_watcher(w, x);
    atomic_fetch_add_explicit(&w->watchers, 1, memory_order_relaxed);
    return x;
}

void watch_remove(struct watch *w, struct watcher *x)
{
    *(x->prev ? &x->prev->next : &w->all) = x->next;
    if (x->next)
        x->next->prev = x->prev;
    unfile_watcher(w, x);
    tenant_leave(w, x->tenant);
    subscription_unref(x->subscription);
    free(x);
    atomic_fetch_sub_explicit(&w->watchers, 1, memory_order_relaxed);
}

/* One of its names is known now. */
static void learn(struct watch *w, struct watcher *x)
{
    struct subscription *s = subscription_ref(x->subscription);
    struct why why = {0};
    if (subscription_resolve(&s, w->o.terms, w->o.limits, &why) == OK) {
        unfile_watcher(w, x);
        subscription_unref(x->subscription);
        x->subscription = s;
        file_watcher(w, x);
        w->o.learnt(w->o.arg, x->owner, s);
    } else {
        subscription_unref(s);
    }
}

static void learn_terms(struct watch *w)
{
    uint32_t known = terms_count(w->o.terms);
    while (w->terms_seen < known) {
        uint64_t name = hash_str(terms_iri(w->o.terms, ++w->terms_seen));
        uint32_t count = watch_table_find(w->by_name, name).count;
        struct watcher **waiting = mem_alloc(count * sizeof(struct watcher *));
        for (uint32_t i = 0; i < count; i++) /* filing changes the list */
            waiting[i] = watch_table_find(w->by_name, name).entries[i].watcher;
        for (uint32_t i = 0; i < count; i++)
            if (i == 0 || waiting[i] != waiting[i - 1])
                learn(w, waiting[i]);
        free(waiting);
    }
}

/* ---- changes ---- */

static bool type_meets(const struct type_expr *types, const struct doc *d)
{
    if (!types)
        return true;
    for (uint32_t i = 0; i < types->count; i++) {
        const struct type_all *all = &types->any[i];
        uint32_t k = 0;
        for (; k < all->count; k++) {
            uint32_t j = 0, n = doc_type_count(d);
            while (j < n && doc_type(d, j) != all->types[k].term)
                j++;
            if (j == n)
                break;
        }
        if (k == all->count)
            return true;
    }
    return false;
}

static bool selector_meets(const struct entity_selector *e, const struct doc *d)
{
    struct str id = doc_id(d);
    if (e->id_count) {
        uint32_t i = 0;
        while (i < e->id_count && !str_eq(e->ids[i], id))
            i++;
        if (i == e->id_count)
            return false;
    } else if (e->id_pattern && !pattern_match(e->id_pattern, id)) {
        return false;
    }
    return type_meets(e->type, d);
}

static bool is_selected(const struct subscription *s, const struct doc *d)
{
    for (uint32_t i = 0; i < s->selector_count; i++)
        if (selector_meets(&s->selectors[i], d))
            return true;
    return s->selector_count == 0;
}

static bool is_watched(const struct subscription *s, uint32_t term)
{
    for (uint32_t i = 0; i < s->watched_count; i++)
        if (s->watched[i].term == term)
            return true;
    return s->watched_count == 0;
}

/* Did what happened trigger it? A created or deleted entity must have an attribute that is
 * watched. */
static bool is_triggered(const struct subscription *s, const struct delta *delta)
{
    if (!(delta->triggers & s->triggers))
        return false;
    bool entity = delta->entity & s->triggers;
    if (entity && s->watched_count == 0)
        return true;
    for (uint32_t i = 0; i < delta->count; i++)
        if ((entity || delta->attrs[i].triggers & s->triggers) &&
            is_watched(s, delta->attrs[i].term))
            return true;
    return false;
}

static bool is_for(const struct subscription *s, const struct doc *d, const struct delta *delta,
                   int64_t at_us, struct filter_env *env)
{
    if (!s->active || s->interval_us || s->of_registrations ||
        (s->expires_at != TIME_NONE && s->expires_at <= at_us))
        return false;
    return is_triggered(s, delta) && is_selected(s, d) && filter_match_doc(s->condition, d, env);
}

/* A change on its way through the index. */
struct checking {
    struct watch_order_found by_number;
    struct watch *watch;
    const struct change *change;
    const struct delta *delta;
    struct filter_env *env;
    struct watch_found *found;
};

static void check(struct checking *k, struct watcher *x)
{
    struct watch *w = k->watch;
    const struct change *c = k->change;
    if (x->seen == w->changes)
        return;
    x->seen = w->changes;
    atomic_fetch_add_explicit(&w->candidates, 1, memory_order_relaxed);
    if (!is_for(x->subscription, c->after ? c->after : c->before, k->delta, c->at_us, k->env))
        return;
    atomic_fetch_add_explicit(&w->matched, 1, memory_order_relaxed);
    k->found->found(k->found, x->owner, x->subscription, k->delta);
}

static void in_order(struct watch_order_found *f, struct watcher *x)
{
    check(container_of(f, struct checking, by_number), x);
}

static void check_all(struct checking *k)
{
    struct watch *w = k->watch;
    uint64_t steps = w->asked.count + w->asked_ranges.count;
    watch_table_near(w->by_key, w->asked.keys, w->asked.count);
    for (uint32_t i = 0; i < w->asked.count; i++) {
        struct watch_list l = watch_table_find(w->by_key, w->asked.keys[i]);
        for (uint32_t j = 0; j < l.count; j++)
            check(k, l.entries[j].watcher);
    }
    for (uint32_t i = 0; i < w->asked_ranges.count; i++) {
        const struct watch_ask *ask = &w->asked_ranges.asks[i];
        steps += watch_order_find(w->by_number, ask->key, ask->range, &k->by_number);
    }
    atomic_fetch_add_explicit(&w->keys, steps, memory_order_relaxed);
}

void watch_change(struct watch *w, const struct change *c, struct filter_env *env,
                  struct watch_found *f)
{
    if (w->tenant_count == 0 || (!c->before && !c->after))
        return;
    const struct watch_tenant *t = *tenant_place(w, c->tenant, hash_str(c->tenant));
    if (!t)
        return;
    if (w->terms_seen != terms_count(w->o.terms))
        learn_terms(w);
    struct delta delta;
    delta_of(c->before, c->after, env->arena, &delta);
    if (!delta.triggers)
        return;
    atomic_fetch_add_explicit(&w->changes, 1, memory_order_relaxed);
    w->asked.count = w->asked_ranges.count = 0;
    watch_keys_ask(&t->classes, c->after ? c->after : c->before, &delta, &w->asked, &w->asked_ranges);
    check_all(&(struct checking){{in_order}, w, c, &delta, env, f});
}

void watch_stats(const struct watch *w, struct watch_stats *out)
{
    *out = (struct watch_stats){w->watchers, w->changes, w->keys, w->candidates, w->matched};
}
