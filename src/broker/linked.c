/* Breadth first. A level: the targets of all nodes of the level before that were not
 * encountered yet → one query for those not loaded yet → nodes and edges of those found. */
#include "broker/linked.h"

#include "base/hash.h"
#include "broker/consume.h"

#include <stdlib.h>

enum { TABLE_FIRST = 64 };
#define EVERYWHERE UINT32_MAX /* the graph of URIs that are encountered in every graph */
#define LOADED (UINT32_MAX - 1) /* under which what was asked for is kept, found or not */

struct cell {
    uint64_t hash;
    uint32_t graph; /* index of the root; 0 for all when flat */
    struct str id;  /* absent: free */
    const struct entity *entity; /* of LOADED; NULL: not there */
};

/* A target that will be a node, if its entity is found. */
struct awaited {
    struct link_node *from;
    uint32_t graph;
    struct link_target target;
};

struct linked_walk {
    struct linked *l;
    struct cell *cells; /* open addressing */
    uint32_t cell_count, cell_room;
    uint32_t level;
    struct link_node **front; /* nodes of the level before … */
    uint32_t *front_graph;    /* … and whose graph they are in */
    uint32_t front_count;
    struct link_node *from; /* being looked at */
    uint32_t from_graph;
    struct awaited *awaited;
    uint32_t awaited_count, awaited_room;
    uint32_t followed; /* in all */
    uint32_t found_room;
};

/* ---- what was encountered ---- */

static struct cell *cell_of(const struct linked_walk *w, uint32_t graph, struct str id, uint64_t hash)
{
    for (uint32_t i = (uint32_t)hash & (w->cell_room - 1);; i = (i + 1) & (w->cell_room - 1)) {
        struct cell *c = &w->cells[i];
        if (str_absent(c->id) || (c->hash == hash && c->graph == graph && str_eq(c->id, id)))
            return c;
    }
}

static uint64_t hash_of(uint32_t graph, struct str id)
{
    return hash_u64(hash_str(id) + graph);
}

static void grow(struct linked_walk *w)
{
    struct cell *old = w->cells;
    uint32_t room = w->cell_room;
    w->cell_room = room ? 2 * room : TABLE_FIRST;
    w->cells = arena_zarray(w->l->arena, struct cell, w->cell_room);
    for (uint32_t i = 0; i < room; i++)
        if (!str_absent(old[i].id))
            *cell_of(w, old[i].graph, old[i].id, old[i].hash) = old[i];
}

static const struct cell *find(const struct linked_walk *w, uint32_t graph, struct str id)
{
    const struct cell *c = cell_of(w, graph, id, hash_of(graph, id));
    return str_absent(c->id) ? NULL : c;
}

/* Its cell, made if need be; *added says which. */
static struct cell *put(struct linked_walk *w, uint32_t graph, struct str id, bool *added)
{
    if (w->cell_count * 2 >= w->cell_room)
        grow(w);
    uint64_t hash = hash_of(graph, id);
    struct cell *c = cell_of(w, graph, id, hash);
    *added = str_absent(c->id);
    if (*added) {
        *c = (struct cell){.hash = hash, .graph = graph, .id = id};
        w->cell_count++;
    }
    return c;
}

static void encounter(struct linked_walk *w, uint32_t graph, struct str id)
{
    bool added;
    (void)put(w, graph, id, &added);
}

/* ---- one level ---- */

static void await(void *arg, const struct link_target *t)
{
    struct linked_walk *w = arg;
    bool added;
    if (w->followed > w->l->entities_max || find(w, EVERYWHERE, t->id))
        return;
    (void)put(w, w->from_graph, t->id, &added);
    if (!added)
        return;
    w->followed++;
    if (w->awaited_count == w->awaited_room) {
        uint32_t room = w->awaited_room ? 2 * w->awaited_room : TABLE_FIRST;
        w->awaited = arena_grow(w->l->arena, w->awaited, w->awaited_room * sizeof *w->awaited, room * sizeof *w->awaited);
        w->awaited_room = room;
    }
    w->awaited[w->awaited_count++] = (struct awaited){w->from, w->from_graph, *t};
}

static enum status look_out(struct linked_walk *w)
{
    struct linked *l = w->l;
    w->awaited = NULL;
    w->awaited_count = w->awaited_room = 0;
    for (uint32_t i = 0; i < w->front_count && w->followed <= l->entities_max; i++) {
        w->from = w->front[i];
        w->from_graph = w->front_graph[i];
        links_each(l->represent, w->from, await, w);
    }
    if (w->followed > l->entities_max)
        return why_limit(&l->why, E_TOO_COMPLEX, NULL, "limits.linked_entities",
                         "more than %u linked entities: ask for a lower joinLevel, fewer entities or attributes",
                         l->entities_max);
    return OK;
}

static int str_order(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* The ids that nobody asked for yet; unique and sorted. */
static uint32_t ids_missing(struct linked_walk *w, struct str **out)
{
    uint32_t n = 0;
    *out = arena_array(w->l->arena, struct str, w->awaited_count);
    for (uint32_t i = 0; i < w->awaited_count; i++) {
        bool added;
        (void)put(w, LOADED, w->awaited[i].target.id, &added);
        if (added)
            (*out)[n++] = w->awaited[i].target.id;
    }
    if (n > 1)
        qsort(*out, n, sizeof **out, str_order);
    return n;
}

static void take_in(struct linked_walk *w)
{
    const struct store_query *q = &w->l->query;
    for (uint32_t i = 0; i < q->doc_count; i++) {
        bool added;
        struct entity *e = consume_doc_kept(q->docs[i], w->l->arena);
        if (w->l->prepare)
            w->l->prepare(w->l, e);
        put(w, LOADED, arena_dup(w->l->arena, doc_id(q->docs[i])), &added)->entity = e;
    }
}

static void add_found(struct linked_walk *w, struct link_node *n)
{
    struct linked *l = w->l;
    if (l->found_count == w->found_room) {
        uint32_t room = w->found_room ? 2 * w->found_room : TABLE_FIRST;
        l->found = arena_grow(l->arena, l->found, w->found_room * sizeof *l->found, room * sizeof *l->found);
        w->found_room = room;
    }
    l->found[l->found_count++] = n;
}

/* Makes the nodes; those of one linking entity follow one another. */
static void attach(struct linked_walk *w)
{
    struct linked *l = w->l;
    struct link_edge *edges = arena_array(l->arena, struct link_edge, w->awaited_count);
    w->front = arena_array(l->arena, struct link_node *, w->awaited_count);
    w->front_graph = arena_array(l->arena, uint32_t, w->awaited_count);
    w->front_count = 0;
    for (uint32_t i = 0; i < w->awaited_count; i++, edges++) {
        const struct awaited *a = &w->awaited[i];
        const struct cell *c = find(w, LOADED, a->target.id);
        struct link_node *n = arena_zarray(l->arena, struct link_node, 1);
        *n = (struct link_node){.entity = c->entity, .pick = a->target.pick, .omit = a->target.omit};
        if (!c->entity || !links_leaves(l->represent, n)) {
            edges--;
            continue;
        }
        if (!a->from->edge_count)
            a->from->edges = edges;
        a->from->edge_count++;
        *edges = (struct link_edge){a->target.attr, a->target.object, n};
        w->front[w->front_count] = n;
        w->front_graph[w->front_count++] = a->graph;
        add_found(w, n);
    }
}

/* ---- the walk ---- */

static bool loaded(struct linked *l)
{
    if (l->query.call.status == OK)
        return true;
    l->status = l->query.call.status;
    l->why = l->query.call.why;
    return false;
}

/* Goes on until the walk is over (true) or waits for the store. */
static bool go_on(struct linked_walk *w)
{
    struct linked *l = w->l;
    while (w->level++ < l->join->level && w->front_count) {
        struct str *ids;
        l->status = look_out(w);
        if (l->status != OK || !w->awaited_count)
            return true;
        uint32_t n = ids_missing(w, &ids);
        if (n) {
            l->query.filter = filter_of_ids(l->arena, ids, n);
            l->query.limit = n;
            if (!store_query(l->broker->store, &l->query))
                return false;
            if (!loaded(l))
                return true;
            take_in(w);
        }
        attach(w);
    }
    return true;
}

static void query_done(struct store_call *call)
{
    struct linked *l = container_of(container_of(call, struct store_query, call), struct linked, query);
    if (loaded(l)) {
        take_in(l->walk);
        attach(l->walk);
        if (!go_on(l->walk))
            return;
    }
    l->done(l);
}

static void start(struct linked_walk *w)
{
    struct linked *l = w->l;
    bool flat = l->join->kind == JOIN_FLAT;
    grow(w);
    for (uint32_t i = 0; i < l->join->contained_count; i++)
        encounter(w, EVERYWHERE, l->join->contained[i]);
    w->front = arena_array(l->arena, struct link_node *, l->root_count);
    w->front_graph = arena_array(l->arena, uint32_t, l->root_count);
    w->front_count = l->root_count;
    for (uint32_t i = 0; i < l->root_count; i++) {
        w->front[i] = &l->roots[i];
        w->front_graph[i] = flat ? 0 : i;
        l->roots[i].edge_count = 0;
        encounter(w, w->front_graph[i], l->roots[i].entity->id);
    }
}

bool linked_resolve(struct broker *b, struct linked *l)
{
    struct linked_walk *w = arena_zarray(l->arena, struct linked_walk, 1);
    *w = (struct linked_walk){.l = l};
    l->broker = b;
    l->walk = w;
    l->status = OK;
    why_clear(&l->why);
    l->found = NULL;
    l->found_count = 0;
    l->query = (struct store_query){
        .call = {.home = l->home, .deadline_us = l->deadline_us, .done = query_done},
        .caller = l->caller,
        .arena = l->arena,
    };
    start(w);
    return go_on(w);
}
