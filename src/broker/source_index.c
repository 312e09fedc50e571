/* Of a subscription, each selector has its keys:
 *
 *   ids given    each id, for registrations of entities with an id;
 *                its types (or "any type") among those for registrations without an id
 *   else         its types, or "everything"
 *
 * where a type is one of each conjunction. Registrations that name no entities may concern all: these are looked up
 * by the attributes asked for. Keys are hashes: two that are the same find some in vain. */
#include "broker/source_index.h"

#include "base/hash.h"
#include "broker/source_watch_int.h"

#include <stdlib.h>

enum key_kind { KEY_EVERYTHING = 1, KEY_TYPE, KEY_ID, KEY_TYPE_WITHOUT_ID, KEY_ANY_TYPE_WITHOUT_ID, KEY_NAME, KEY_ANY_NAME };

static uint64_t key_of(enum key_kind kind, struct str s)
{
    return hash_u64((s.n ? hash_str(s) : 0) + (uint64_t)kind);
}

/* ---- subscriptions ---- */

static void moved(struct watcher *x, uint32_t number, uint32_t at)
{
    x->keys[number].at = at;
}

static void add_key(struct watcher *x, enum key_kind kind, struct str s)
{
    struct source_tenant *t = x->tenant;
    uint32_t number = x->key_count++;
    if (!t->index)
        t->index = watch_table_new(moved);
    if ((number & (number - 1)) == 0) /* powers of two, and none */
        x->keys = mem_realloc(x->keys, (number ? 2 * number : 1) * sizeof *x->keys);
    x->keys[number].key = key_of(kind, s);
    watch_table_add(t->index, x->keys[number].key, (struct watch_entry){x, number});
}

static void add_types(struct watcher *x, const struct type_expr *type, enum key_kind kind, enum key_kind none)
{
    for (uint32_t i = 0; type && i < type->count; i++)
        add_key(x, kind, type->any[i].types[0].iri);
    if (!type)
        add_key(x, none, STR_NONE);
}

void source_index_add(struct watcher *x)
{
    const struct registration_query *q = &x->query;
    for (uint32_t i = 0; i < q->selector_count; i++) {
        const struct entity_selector *s = &q->selectors[i];
        for (uint32_t k = 0; k < s->id_count; k++)
            add_key(x, KEY_ID, s->ids[k]);
        if (s->id_count)
            add_types(x, s->type, KEY_TYPE_WITHOUT_ID, KEY_ANY_TYPE_WITHOUT_ID);
        else
            add_types(x, s->type, KEY_TYPE, KEY_EVERYTHING);
    }
    if (!q->selector_count)
        add_key(x, KEY_EVERYTHING, STR_NONE);
    for (uint32_t i = 0; i < q->name_count; i++)
        add_key(x, KEY_NAME, q->names[i]);
    if (!q->name_count)
        add_key(x, KEY_ANY_NAME, STR_NONE);
}

void source_index_remove(struct watcher *x)
{
    for (uint32_t i = 0; i < x->key_count; i++)
        watch_table_remove(x->tenant->index, x->keys[i].key, x->keys[i].at);
    x->key_count = 0;
    free(x->keys);
    x->keys = NULL;
}

/* ---- registrations ---- */

static void found(struct source_found *f, struct watcher *x, uint64_t lookup, struct arena *a)
{
    if (x->lookup == lookup)
        return;
    x->lookup = lookup;
    if (f->count == f->room) {
        uint32_t room = f->room ? 2 * f->room : 16;
        struct watcher **more = arena_array(a, struct watcher *, room);
        for (uint32_t i = 0; i < f->count; i++)
            more[i] = f->watchers[i];
        f->watchers = more;
        f->room = room;
    }
    f->watchers[f->count++] = x;
}

static void find_key(struct source_found *f, const struct source_tenant *t, enum key_kind kind, struct str s,
                     struct arena *a)
{
    if (!t->index)
        return;
    struct watch_list l = watch_table_find(t->index, key_of(kind, s));
    for (uint32_t i = 0; i < l.count; i++)
        found(f, l.entries[i].watcher, t->lookup, a);
}

static void find_entity(struct source_found *f, const struct source_tenant *t, const struct entity_info *e,
                        struct arena *a)
{
    bool by_id = !str_absent(e->id);
    for (uint32_t i = 0; i < e->type_count; i++) {
        find_key(f, t, KEY_TYPE, e->types[i], a);
        if (!by_id)
            find_key(f, t, KEY_TYPE_WITHOUT_ID, e->types[i], a);
    }
    if (by_id)
        find_key(f, t, KEY_ID, e->id, a);
    else
        find_key(f, t, KEY_ANY_TYPE_WITHOUT_ID, STR_NONE, a);
}

/* Any entity's, and attributes if it names some. */
static void find_any_entity(struct source_found *f, const struct source_tenant *t, const struct registration_info *info,
                            struct arena *a)
{
    for (uint32_t i = 0; i < info->name_count; i++)
        find_key(f, t, KEY_NAME, info->names[i], a);
    find_key(f, t, KEY_ANY_NAME, STR_NONE, a);
    if (info->name_count)
        return;
    for (struct named *n = named_first(&t->watchers); n; n = named_next(&t->watchers, n))
        if (container_of(n, struct watcher, named)->key_count)
            found(f, container_of(n, struct watcher, named), t->lookup, a);
}

static void find_registration(struct source_found *f, const struct source_tenant *t, const struct registration *r,
                              struct arena *a)
{
    for (uint32_t i = 0; r && i < r->info_count; i++) {
        const struct registration_info *info = &r->infos[i];
        for (uint32_t k = 0; k < info->entity_count; k++)
            find_entity(f, t, &info->entities[k], a);
        if (!info->entity_count)
            find_any_entity(f, t, info, a);
    }
}

struct source_found source_index_find(struct source_tenant *t, const struct registration *was,
                                      const struct registration *is, struct arena *a)
{
    struct source_found f = {0};
    t->lookup++;
    find_key(&f, t, KEY_EVERYTHING, STR_NONE, a);
    find_registration(&f, t, was, a);
    find_registration(&f, t, is, a);
    return f;
}
