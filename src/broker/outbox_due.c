/* What waits in a lane: a list in the order of changes, and for each entity of the lane the
 * list of its own. Versions are shared by all that wait with them. */
#include "base/arena.h"
#include "base/hash.h"
#include "broker/outbox_int.h"

#include <stdlib.h>
#include <string.h>

/* ---- versions ---- */

const struct doc *outbox_doc_of(const struct outbox_doc *d)
{
    return d ? (const struct doc *)(const void *)d->bytes : NULL;
}

struct outbox_doc *doc_copy(struct outbox *o, const struct doc *d, size_t n)
{
    struct outbox_doc *copy = mem_alloc(sizeof *copy + n);
    copy->refs = 1;
    copy->holds = 0;
    memcpy(copy->bytes, d, n);
    o->stats.bytes += n;
    return copy;
}

void doc_release(struct outbox *o, struct outbox_doc *d)
{
    if (!d || --d->refs)
        return;
    o->stats.bytes -= doc_bytes(outbox_doc_of(d));
    if (!d->holds)
        free(d);
}

struct outbox_doc *doc_hold(struct outbox_doc *d)
{
    if (d)
        d->holds++;
    return d;
}

void doc_let_go(struct outbox_doc *d)
{
    if (d && --d->holds == 0 && d->refs == 0)
        free(d);
}

struct outbox_doc *doc_share(struct outbox *o, struct outbox_doc **copy, const struct doc *d)
{
    if (!d)
        return NULL;
    if (!*copy)
        *copy = doc_copy(o, d, doc_bytes(d));
    (*copy)->refs++;
    return *copy;
}

/* ---- entities that wait ---- */

static struct str due_id(const struct due *d)
{
    return doc_id(outbox_doc_of(d->after ? d->after : d->before));
}

static uint64_t entity_hash(const struct lane *lane, struct str id)
{
    return hash_str(id) ^ hash_u64((uint64_t)(uintptr_t)lane);
}

static struct due_entity **entity_place(const struct outbox *o, const struct lane *lane,
                                        struct str id, uint64_t hash)
{
    struct due_entity **at = &o->entities[hash & o->entity_mask];
    while (*at &&
           ((*at)->hash != hash || (*at)->lane != lane || !str_eq(due_id((*at)->newest), id)))
        at = &(*at)->next;
    return at;
}

static void grow_entities(struct outbox *o)
{
    struct due_entity **old = o->entities;
    uint64_t count = o->entity_mask + 1;
    o->entity_mask = 2 * count - 1;
    o->entities = mem_zalloc(2 * count * sizeof *o->entities);
    for (uint64_t i = 0; i < count; i++)
        for (struct due_entity *e = old[i], *next; e; e = next) {
            next = e->next;
            struct due_entity **at = &o->entities[e->hash & o->entity_mask];
            e->next = *at;
            *at = e;
        }
    free(old);
}

static void entity_add(struct outbox *o, struct lane *lane, struct due *d)
{
    uint64_t hash = entity_hash(lane, due_id(d));
    struct due_entity **at = entity_place(o, lane, due_id(d), hash), *e = *at;
    if (!e) {
        e = *at = mem_zalloc(sizeof *e);
        e->lane = lane;
        e->hash = hash;
        e->oldest = d;
        if (++o->entity_count > o->entity_mask)
            grow_entities(o);
    } else {
        e->newest->same_newer = d;
        d->same_older = e->newest;
    }
    e->newest = d;
    d->entity = e;
}

static void entity_drop(struct outbox *o, struct due *d)
{
    struct due_entity *e = d->entity;
    if (e->oldest == d && e->newest == d) {
        struct due_entity **at = &o->entities[e->hash & o->entity_mask];
        while (*at != e)
            at = &(*at)->next;
        *at = e->next;
        o->entity_count--;
        free(e);
        return;
    }
    *(d->same_older ? &d->same_older->same_newer : &e->oldest) = d->same_newer;
    *(d->same_newer ? &d->same_newer->same_older : &e->newest) = d->same_older;
}

/* ---- lanes with something in them ---- */

static void note_empty(struct outbox *o, struct lane *lane)
{
    if (o->freezing == lane)
        o->freezing = lane->next_waiting;
    *(lane->prev_waiting ? &lane->prev_waiting->next_waiting : &o->waiting) = lane->next_waiting;
    if (lane->next_waiting)
        lane->next_waiting->prev_waiting = lane->prev_waiting;
}

static void note_waiting(struct outbox *o, struct lane *lane)
{
    lane->prev_waiting = NULL;
    lane->next_waiting = o->waiting;
    if (o->waiting)
        o->waiting->prev_waiting = lane;
    o->waiting = lane;
}

void lane_note_size(struct outbox *o, struct lane *lane)
{
    uint32_t spare = lane->count - lane->taken;
    uint8_t size = spare ? (uint8_t)(32 - __builtin_clz(spare)) : 0;
    if (size == lane->size)
        return;
    if (lane->size) {
        *(lane->prev_alike ? &lane->prev_alike->next_alike : &o->alike[lane->size]) =
            lane->next_alike;
        if (lane->next_alike)
            lane->next_alike->prev_alike = lane->prev_alike;
    }
    lane->size = size;
    if (!size)
        return;
    lane->prev_alike = NULL;
    lane->next_alike = o->alike[size];
    if (lane->next_alike)
        lane->next_alike->prev_alike = lane;
    o->alike[size] = lane;
}

/* ---- what waits ---- */

void due_append(struct outbox *o, struct lane *lane, struct due fresh)
{
    struct due *d = mem_alloc(sizeof *d);
    *d = fresh;
    d->next = d->same_older = d->same_newer = NULL;
    d->prev = lane->last;
    *(lane->last ? &lane->last->next : &lane->first) = d;
    lane->last = d;
    if (!lane->untaken)
        lane->untaken = d;
    entity_add(o, lane, d);
    if (lane->count++ == 0)
        note_waiting(o, lane);
    lane_note_size(o, lane);
    o->stats.waiting++;
    o->stats.bytes += sizeof *d;
}

void due_remove(struct outbox *o, struct lane *lane, struct due *d)
{
    if (lane->untaken == d)
        lane->untaken = d->next;
    *(d->prev ? &d->prev->next : &lane->first) = d->next;
    *(d->next ? &d->next->prev : &lane->last) = d->prev;
    entity_drop(o, d);
    doc_release(o, d->before);
    doc_release(o, d->after);
    free(d);
    if (--lane->count == 0)
        note_empty(o, lane);
    lane_note_size(o, lane);
    o->stats.waiting--;
    o->stats.bytes -= sizeof *d;
}

void due_remove_all(struct outbox *o, struct lane *lane)
{
    lane->taken = 0;
    while (lane->first)
        due_remove(o, lane, lane->first);
}

/* ---- room ---- */

static struct due *oldest_untaken(const struct lane *lane, const struct due_entity *e)
{
    struct due *d = e->oldest;
    for (const struct due *t = lane->first; d && t != lane->untaken; t = t->next)
        if (t == d)
            d = d->same_newer;
    return d;
}

/* The next of the entity takes the older one's place, too: it says what changed since before that,
 * so that each still says what came after the one that is told before it. */
static void merge(struct outbox *o, struct lane *lane, struct due *old, struct due *next)
{
    struct outbox_doc *before = old->before ? old->before : old->created ? NULL : next->before;
    if (!before && !next->after) /* a deletion needs a version to speak of */
        before = old->after ? old->after : next->before;
    if (before)
        before->refs++;
    doc_release(o, next->before);
    next->before = before;
    next->created = old->created;
    next->first_seq = old->first_seq;
    due_remove(o, lane, old);
    lane->counters.merged++;
    o->stats.merged++;
    lane_mark_changed(o, lane);
}

static void drop(struct outbox *o, struct lane *lane, struct due *d)
{
    due_remove(o, lane, d);
    lane->counters.dropped++;
    o->stats.dropped++;
    lane_mark_changed(o, lane);
}

/* One that may drop about as many as any: at least half as many. NULL: none but that one may. */
static struct lane *find_fat(const struct outbox *o, const struct lane *but)
{
    for (int size = LANE_SIZES - 1; size; size--)
        for (struct lane *l = o->alike[size]; l; l = l->next_alike)
            if (l != but)
                return l;
    return NULL;
}

void due_make_room(struct outbox *o, struct lane *lane, struct due *d)
{
    bool throttled = lane->subscription->throttling_us > 0;
    if (lane->count > o->o.lane_max || throttled || o->stats.bytes > o->o.bytes_max) {
        struct due *old = oldest_untaken(lane, d->entity);
        if (old != d)
            merge(o, lane, old, old->same_newer);
    }
    if (lane->count > o->o.lane_max && lane->untaken != d)
        drop(o, lane, lane->untaken);
    while (o->stats.bytes > o->o.bytes_max) {
        struct lane *fat = lane->untaken != d ? lane : find_fat(o, lane);
        if (!fat) {
            if (o->stats.waiting > 1)
                drop(o, lane, d);
            break;
        }
        drop(o, fat, fat->untaken);
    }
}

