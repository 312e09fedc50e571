/* See evolve_map.h. */
#include "broker/evolve_map.h"

static void make_finish(struct evolve_map *m)
{
    m->status = m->query.status;
    if (m->status != OK) {
        m->why = m->query.local.call.why;
        return;
    }
    if (m->query.local.more) {
        m->status = why_limit(&m->why, E_TOO_MANY_RESULTS, NULL, "limits.entity_map_entities",
                              "an entity map has at most %u entities", m->query.local.limit);
        return;
    }
    m->map = entity_map_new(m->broker->maps, m->asked.caller->tenant, m->print);
    for (uint32_t i = 0; i < m->query.count && m->status == OK; i++)
        m->status = entity_map_add(m->map, m->query.evolutions[i].id, &m->why);
    if (m->status == OK)
        m->status = entity_map_publish(m->map, m->wish, &m->why);
    if (m->status != OK) {
        entity_map_release(m->map);
        m->map = NULL;
    }
}

static void make_done(struct evolve_query *q)
{
    struct evolve_map *m = container_of(q, struct evolve_map, query);
    make_finish(m);
    m->done(m);
}

bool evolve_map_make(struct broker *b, struct evolve_map *m)
{
    m->broker = b;
    m->map = NULL;
    why_clear(&m->why);
    m->time = *m->asked.time;
    m->time.methods = 0; /* only who is found matters */
    m->query = (struct evolve_query){.local = m->asked, .done = make_done};
    m->query.local.time = &m->time;
    m->query.local.points_max = 1;
    m->query.local.offset = 0;
    m->query.local.limit = entity_maps_options(b->maps)->entities_max;
    m->query.local.count = false;
    if (!evolve_query(b, &m->query))
        return false;
    make_finish(m);
    return true;
}

struct evolve_among evolve_map_read(struct entity_map *map, uint64_t n, struct arena *a)
{
    uint32_t from = entity_map_seek(map, n), most = entity_map_end(map) - from, next;
    struct evolve_among among = {.ids = arena_array(a, struct str, most + 1), .positions = arena_array(a, uint32_t, most + 1)};
    if (most)
        among.count = entity_map_read(map, from, most, among.ids, among.positions, &next);
    return among;
}

void evolve_map_prune(struct entity_map *map, const struct evolve_among *among, const bool *missed)
{
    for (uint32_t i = 0; i < among->count; i++)
        if (missed[i])
            entity_map_remove(map, among->positions[i]);
}
