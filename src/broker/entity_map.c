/* A map is two arrays: the bytes of all ids, and where each ends. Only the bits of what
 * was removed and the expiry change once it can be found. */
#include "broker/entity_map.h"

#include "base/hash.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_BYTES_MAX = 80, IDS_FIRST = 64, WORD = 64 };

struct entity_map {
    struct entity_maps *owner;
    char id[ID_BYTES_MAX];
    struct str tenant;
    uint64_t print;
    _Atomic int64_t expires_at;
    _Atomic uint32_t holders; /* the table is one */
    size_t charged;           /* of the owner's bytes */
    char *text;
    size_t text_room;
    size_t *ends;
    uint32_t count, room;
    pthread_mutex_t lock; /* below */
    uint64_t *removed;
};

struct entity_maps {
    struct entity_map_options o;
    pthread_mutex_t lock; /* below */
    struct entity_map **maps;
    uint32_t count;
    size_t bytes;
    uint64_t made;
};

/* ---- the table ---- */

struct entity_maps *entity_maps_new(const struct entity_map_options *o)
{
    struct entity_maps *maps = mem_zalloc(sizeof *maps);
    maps->o = *o;
    maps->maps = mem_alloc(o->maps_max * sizeof *maps->maps);
    pthread_mutex_init(&maps->lock, NULL);
    return maps;
}

const struct entity_map_options *entity_maps_options(const struct entity_maps *maps)
{
    return &maps->o;
}

static int64_t now_us(const struct entity_maps *maps)
{
    return maps->o.clock->now_us(maps->o.clock);
}

/* Lets go of maps[i]. Under the lock; the caller releases what is returned once the lock is free. */
static struct entity_map *take_out(struct entity_maps *maps, uint32_t i)
{
    struct entity_map *m = maps->maps[i];
    maps->maps[i] = maps->maps[--maps->count];
    return m;
}

/* Drops those that have expired, or belong to a tenant. */
static void drop(struct entity_maps *maps, int64_t now, const struct str *tenant)
{
    struct entity_map **gone = mem_alloc((maps->o.maps_max + 1) * sizeof *gone);
    uint32_t n = 0;
    pthread_mutex_lock(&maps->lock);
    for (uint32_t i = maps->count; i-- > 0;)
        if (maps->maps[i]->expires_at <= now || (tenant && str_eq(maps->maps[i]->tenant, *tenant)))
            gone[n++] = take_out(maps, i);
    pthread_mutex_unlock(&maps->lock);
    while (n)
        entity_map_release(gone[--n]);
    free(gone);
}

void entity_maps_forget(struct entity_maps *maps, struct str tenant)
{
    drop(maps, INT64_MIN, &tenant);
}

void entity_maps_free(struct entity_maps *maps)
{
    if (!maps)
        return;
    drop(maps, INT64_MAX, NULL);
    pthread_mutex_destroy(&maps->lock);
    free(maps->maps);
    free(maps);
}

/* ---- filling ---- */

struct entity_map *entity_map_new(struct entity_maps *maps, struct str tenant, uint64_t print)
{
    struct entity_map *m = mem_zalloc(sizeof *m + tenant.n);
    m->owner = maps;
    m->tenant = (struct str){memcpy(m + 1, tenant.p ? tenant.p : "", tenant.n), tenant.n};
    m->print = print;
    m->holders = 1;
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

static enum status charge(struct entity_map *m, size_t bytes, struct why *why)
{
    struct entity_maps *maps = m->owner;
    pthread_mutex_lock(&maps->lock);
    bool fits = bytes <= maps->o.bytes_max - maps->bytes;
    if (fits)
        maps->bytes += bytes;
    pthread_mutex_unlock(&maps->lock);
    m->charged += fits ? bytes : 0;
    return fits ? OK
                : why_limit(why, E_TOO_MANY_REQUESTS, NULL, "limits.entity_map_bytes",
                            "entity maps take all of their %zu bytes", maps->o.bytes_max);
}

static enum status grow(struct entity_map *m, size_t bytes, struct why *why)
{
    size_t used = m->count ? m->ends[m->count - 1] : 0;
    enum status st = OK;
    if (m->count == m->room) {
        uint32_t room = m->room ? 2 * m->room : IDS_FIRST;
        st = charge(m, (room - m->room) * (sizeof *m->ends + 1), why);
        if (st != OK)
            return st;
        m->ends = mem_realloc(m->ends, room * sizeof *m->ends);
        m->room = room;
    }
    if (bytes > m->text_room - used) {
        size_t room = 2 * m->text_room + bytes + IDS_FIRST * ID_BYTES_MAX / 2;
        st = charge(m, room - m->text_room, why);
        if (st != OK)
            return st;
        m->text = mem_realloc(m->text, room);
        m->text_room = room;
    }
    return st;
}

enum status entity_map_add(struct entity_map *m, struct str id, struct why *why)
{
    uint32_t max = m->owner->o.entities_max;
    if (m->count == max)
        return why_limit(why, E_TOO_MANY_RESULTS, NULL, "limits.entity_map_entities",
                         "an entity map has at most %u entities", max);
    enum status st = grow(m, id.n, why);
    if (st != OK)
        return st;
    size_t at = m->count ? m->ends[m->count - 1] : 0;
    memcpy(m->text + at, id.p, id.n);
    m->ends[m->count++] = at + id.n;
    return OK;
}

enum status entity_map_publish(struct entity_map *m, const struct duration *wish, struct why *why)
{
    struct entity_maps *maps = m->owner;
    int64_t now = now_us(maps), at = now + maps->o.lifetime_us;
    m->removed = mem_zalloc((m->count / WORD + 1) * sizeof *m->removed);
    if (wish && time_add(now, *wish, 1) < at)
        at = time_add(now, *wish, 1);
    m->expires_at = at;
    drop(maps, now, NULL);
    pthread_mutex_lock(&maps->lock);
    bool fits = maps->count < maps->o.maps_max;
    if (fits) {
        uint64_t number = ++maps->made;
        snprintf(m->id, sizeof m->id, "urn:ngsi-ld:EntityMap:%016" PRIx64 "-%" PRIu64,
                 hash_u64((uint64_t)now ^ number << 32), number);
        maps->maps[maps->count++] = entity_map_hold(m);
    }
    pthread_mutex_unlock(&maps->lock);
    return fits ? OK
                : why_limit(why, E_TOO_MANY_REQUESTS, NULL, "limits.entity_maps", "there are %u entity maps already",
                            maps->o.maps_max);
}

/* ---- finding ---- */

static uint32_t index_of(const struct entity_maps *maps, struct str tenant, struct str id)
{
    for (uint32_t i = 0; i < maps->count; i++)
        if (str_eq(str_of(maps->maps[i]->id), id) && str_eq(maps->maps[i]->tenant, tenant))
            return i;
    return UINT32_MAX;
}

struct entity_map *entity_map_find(struct entity_maps *maps, struct str tenant, struct str id)
{
    struct entity_map *m = NULL, *gone = NULL;
    int64_t now = now_us(maps);
    pthread_mutex_lock(&maps->lock);
    uint32_t i = index_of(maps, tenant, id);
    if (i != UINT32_MAX && maps->maps[i]->expires_at <= now)
        gone = take_out(maps, i);
    else if (i != UINT32_MAX)
        m = entity_map_hold(maps->maps[i]);
    pthread_mutex_unlock(&maps->lock);
    entity_map_release(gone);
    return m;
}

struct entity_map *entity_map_hold(struct entity_map *m)
{
    atomic_fetch_add_explicit(&m->holders, 1, memory_order_relaxed);
    return m;
}

void entity_map_release(struct entity_map *m)
{
    if (!m || atomic_fetch_sub_explicit(&m->holders, 1, memory_order_acq_rel) > 1)
        return;
    pthread_mutex_lock(&m->owner->lock);
    m->owner->bytes -= m->charged;
    pthread_mutex_unlock(&m->owner->lock);
    pthread_mutex_destroy(&m->lock);
    free(m->text);
    free(m->ends);
    free(m->removed);
    free(m);
}

void entity_map_delete(struct entity_map *m)
{
    struct entity_maps *maps = m->owner;
    struct entity_map *gone = NULL;
    pthread_mutex_lock(&maps->lock);
    for (uint32_t i = 0; i < maps->count && !gone; i++)
        if (maps->maps[i] == m)
            gone = take_out(maps, i);
    pthread_mutex_unlock(&maps->lock);
    entity_map_release(gone);
}

struct str entity_map_id(const struct entity_map *m)
{
    return str_of(m->id);
}

uint64_t entity_map_print(const struct entity_map *m)
{
    return m->print;
}

int64_t entity_map_expires_at(const struct entity_map *m)
{
    return m->expires_at;
}

void entity_map_set_expiry(struct entity_map *m, int64_t at_us)
{
    int64_t latest = now_us(m->owner) + m->owner->o.lifetime_us;
    m->expires_at = at_us < latest ? at_us : latest;
}

/* ---- ids ---- */

uint32_t entity_map_end(const struct entity_map *m)
{
    return m->count;
}

static bool is_removed(const struct entity_map *m, uint32_t i)
{
    return m->removed[i / WORD] >> i % WORD & 1;
}

uint32_t entity_map_seek(struct entity_map *m, uint64_t n)
{
    uint32_t i = 0;
    pthread_mutex_lock(&m->lock);
    while (i + WORD <= m->count) { /* whole words first */
        uint64_t live = WORD - (uint64_t)__builtin_popcountll(m->removed[i / WORD]);
        if (live > n)
            break;
        n -= live;
        i += WORD;
    }
    for (; i < m->count && (n || is_removed(m, i)); i++)
        n -= !is_removed(m, i);
    pthread_mutex_unlock(&m->lock);
    return i;
}

uint32_t entity_map_read(struct entity_map *m, uint32_t from, uint32_t most, struct str *ids, uint32_t *positions,
                         uint32_t *next)
{
    uint32_t n = 0;
    pthread_mutex_lock(&m->lock);
    for (; from < m->count && n < most; from++) {
        if (is_removed(m, from))
            continue;
        size_t at = from ? m->ends[from - 1] : 0;
        ids[n] = (struct str){m->text + at, m->ends[from] - at};
        positions[n++] = from;
    }
    pthread_mutex_unlock(&m->lock);
    *next = from;
    return n;
}

void entity_map_remove(struct entity_map *m, uint32_t position)
{
    pthread_mutex_lock(&m->lock);
    m->removed[position / WORD] |= UINT64_C(1) << position % WORD;
    pthread_mutex_unlock(&m->lock);
}
