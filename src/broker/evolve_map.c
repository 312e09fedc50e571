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

struct filter *evolve_map_filter(struct entity_map *map, struct arena *a)
{
    uint32_t most = entity_map_end(map), next;
    struct str *ids = arena_array(a, struct str, most + 1);
    uint32_t *positions = arena_array(a, uint32_t, most + 1);
    uint32_t n = most ? entity_map_read(map, 0, most, ids, positions, &next) : 0;
    return filter_of_ids(a, ids, n);
}
