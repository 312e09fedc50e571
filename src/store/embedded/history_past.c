/* Putting groups into a past. Its head's bytes are history_past_bytes.c's. */
#include "store/embedded/history_past.h"

#include "base/varint.h"
#include "store/embedded/history_chunk.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 4 };

void past_init(struct past *p, uint32_t term_max, struct arena *a)
{
    *p = (struct past){.arena = a,
                       .term_max = term_max,
                       .expires_at = TIME_NONE,
                       .created_at = TIME_NONE,
                       .modified_at = TIME_NONE,
                       .deleted_at = TIME_NONE};
}

/* An array in the arena with room for one more. */
#define ROOM_FOR_ONE(a, array, count, room)                                                                            \
    do {                                                                                                               \
        if ((count) == (room)) {                                                                                       \
            uint32_t more_ = (room) ? 2 * (room) : ROOM_FIRST;                                                         \
            void *moved_ = arena_alloc((a), (size_t)more_ * sizeof *(array));                                          \
            if (count)                                                                                                 \
                memcpy(moved_, (array), (size_t)(count) * sizeof *(array));                                            \
            (array) = moved_;                                                                                          \
            (room) = more_;                                                                                            \
        }                                                                                                              \
    } while (0)

/* ---- series ---- */

/* Where the series is, or is to be. */
static uint32_t place(const struct past *p, uint32_t term, struct str dataset, bool *found)
{
    uint32_t low = 0, high = p->count;
    *found = false;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        const struct past_series *s = &p->series[mid];
        int c = s->term != term ? (s->term < term ? -1 : 1) : str_cmp(s->dataset, dataset);
        *found = *found || c == 0;
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

struct past_series *past_find(const struct past *p, uint32_t term, struct str dataset)
{
    bool found;
    uint32_t at = place(p, term, dataset, &found);
    return found ? &p->series[at] : NULL;
}

struct past_series *past_series(struct past *p, uint32_t term, struct str dataset)
{
    bool found;
    uint32_t at = place(p, term, dataset, &found);
    if (found)
        return &p->series[at];
    ROOM_FOR_ONE(p->arena, p->series, p->count, p->room);
    memmove(&p->series[at + 1], &p->series[at], (p->count - at) * sizeof p->series[0]);
    p->series[at] = (struct past_series){.term = term, .dataset = dataset, .opened = true, .rebuilt = p->series_lost};
    p->count++;
    return &p->series[at];
}

bool past_next_open(struct str *open, struct str *chunk)
{
    return open->n && varint_take_text(open, chunk);
}

static void open_chunk(struct past *p, struct past_series *s, struct str bytes)
{
    struct chunk c;
    struct why why = {0};
    enum status st = chunk_open(&c, bytes, &why);
    uint32_t n = st == OK ? c.summary.count : 0;
    if (s->room - s->count < n) {
        s->points = arena_grow(p->arena, s->points, s->room * sizeof s->points[0], (s->count + n) * sizeof s->points[0]);
        s->room = s->count + n;
    }
    if (st == OK)
        st = chunk_points(&c, s->term, s->dataset, p->term_max, p->arena, s->points + s->count, &why);
    if (st == OK) {
        s->count += n;
        return;
    }
    ROOM_FOR_ONE(p->arena, s->damaged, s->damaged_count, s->damaged_room);
    s->damaged[s->damaged_count++] = bytes;
    p->damaged++;
}

void past_open(struct past *p, struct past_series *s)
{
    struct str chunk;
    if (s->opened)
        return;
    while (s->open.n) {
        if (!past_next_open(&s->open, &chunk)) { /* a length is damaged: what is left is of no use, but is not forgotten */
            chunk = s->open;
            s->open.n = 0;
        }
        open_chunk(p, s, chunk);
    }
    s->open_count = 0;
    s->opened = true;
}

uint64_t past_taken(const struct past *p, const struct past_series *s)
{
    return s && s->taken > p->taken ? s->taken : p->taken;
}

bool past_has_kept(const struct past_series *s)
{
    uint64_t any = 0;
    for (int k = 0; k < RETENTION_LEVEL_COUNT; k++)
        any |= s->kept[k];
    return any;
}

bool past_edited(const struct past_series *s, uint64_t seq, uint32_t index)
{
    for (uint32_t i = 0; i < s->edit_count; i++)
        if (s->edits[i].seq == seq && s->edits[i].index == index)
            return true;
    return false;
}

bool past_is_empty(const struct past *p)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (p->series[i].count || p->series[i].open.n || p->series[i].sealed || past_has_kept(&p->series[i]))
            return false;
    return p->type_count == 0 && p->created_at == TIME_NONE;
}

/* ---- items ---- */

static void add(struct past *p, const struct point *q)
{
    struct past_series *s = past_series(p, q->attr.term, q->attr.dataset);
    ROOM_FOR_ONE(p->arena, s->points, s->count, s->room);
    s->points[s->count++] = *q;
    s->touched = true;
}

/* The instance is no more; if it was sealed, that is noted. */
static void drop(struct past *p, uint32_t term, struct str dataset, uint64_t seq, uint32_t index, bool current)
{
    struct past_series *s = past_series(p, term, dataset);
    s->touched = true;
    if (current && seq > s->taken)
        s->taken = seq; /* what replaces it will not bring it back */
    past_open(p, s);
    for (uint32_t i = 0; i < s->count; i++)
        if (s->points[i].attr.seq == seq && s->points[i].index == index) {
            s->points[i] = s->points[--s->count];
            return;
        }
    if (!s->sealed || s->emptied)
        return;
    ROOM_FOR_ONE(p->arena, s->edits, s->edit_count, s->edit_room);
    s->edits[s->edit_count++] = (struct past_edit){seq, index};
}

static void empty(struct past_series *s, uint64_t seq)
{
    s->taken = seq;
    s->emptied = s->emptied || s->sealed > 0 || past_has_kept(s);
    s->sealed = 0;
    memset(s->kept, 0, sizeof s->kept);
    s->touched = s->opened = true;
    s->open.n = 0;
    s->open_count = s->count = s->edit_count = s->damaged_count = 0;
}

static void drop_all(struct past *p, uint64_t seq)
{
    for (uint32_t k = 0; k < p->count; k++)
        empty(&p->series[k], seq);
    p->taken = seq;
    p->type_count = 0;
    p->created_at = p->modified_at = p->deleted_at = p->expires_at = TIME_NONE;
}

static void settle(struct past *p, const struct item *i)
{
    struct past_series *s = past_series(p, i->term, i->dataset);
    s->taken = i->seq > s->taken ? i->seq : s->taken;
    s->touched = true;
}

static void add_types(struct past *p, const struct item *i)
{
    uint32_t *types = arena_array(p->arena, uint32_t, p->type_count + i->type_count);
    uint32_t n = p->type_count;
    if (n)
        memcpy(types, p->types, n * sizeof *types);
    for (uint32_t k = 0; k < i->type_count; k++) {
        uint32_t seen = 0;
        while (seen < n && types[seen] != i->types[k])
            seen++;
        if (seen == n)
            types[n++] = i->types[k];
    }
    p->types = types;
    p->type_count = n;
}

static bool end(struct past *p, uint64_t seq, int64_t now_us)
{
    bool over = p->expires_at != TIME_NONE && p->expires_at <= now_us;
    if (over)
        drop_all(p, seq);
    return over;
}

bool past_end(struct past *p, int64_t now_us)
{
    return end(p, p->applied, now_us);
}

static void grow(struct past *p, const struct item *i, uint64_t seq)
{
    (void)end(p, seq, i->modified_at); /* what begins now is another */
    add_types(p, i);
    if (p->created_at == TIME_NONE)
        p->created_at = i->modified_at;
    p->modified_at = i->modified_at;
}

static void live(struct past *p, const struct item *i)
{
    if (i->created_at != TIME_NONE)
        p->created_at = i->created_at;
    if (i->modified_at != TIME_NONE)
        p->modified_at = i->modified_at;
    p->deleted_at = i->deleted_at;
}

/* What names no change is of this one. */
static void stamp(struct attr *a, uint64_t seq)
{
    if (!a->seq)
        a->seq = seq;
    for (uint32_t i = 0; i < a->sub_count; i++)
        stamp(&a->subs[i], seq);
}

static void apply(struct past *p, struct item *i, uint64_t seq)
{
    struct point *q = &i->point;
    if (i->kind <= ITEM_MODIFY)
        stamp(&q->attr, seq);
    switch ((enum item_kind)i->kind) {
    case ITEM_POINT:
        add(p, q);
        break;
    case ITEM_REPLACED:
        if (q->attr.seq > past_taken(p, past_find(p, q->attr.term, q->attr.dataset)))
            add(p, q);
        break;
    case ITEM_MODIFY:
        drop(p, q->attr.term, q->attr.dataset, q->attr.seq, q->index, i->current);
        add(p, q);
        break;
    case ITEM_SETTLED:
        settle(p, i);
        break;
    case ITEM_DROP_POINT:
        drop(p, i->term, i->dataset, i->seq, i->index, i->current);
        break;
    case ITEM_DROP_SERIES:
        empty(past_series(p, i->term, i->dataset), seq);
        break;
    case ITEM_DROP_ALL:
        drop_all(p, seq);
        break;
    case ITEM_TYPES:
        add_types(p, i);
        break;
    case ITEM_GROWN:
        grow(p, i, seq);
        break;
    case ITEM_LIFE:
        live(p, i);
        break;
    case ITEM_EXPIRES:
        p->expires_at = i->expires_at;
        break;
    case ITEM_KIND_COUNT:
        break;
    }
}

enum status past_apply(struct past *p, struct str groups, struct why *why)
{
    while (groups.n) {
        uint64_t seq;
        struct str items;
        enum status st = group_read(&groups, &seq, &items, why);
        bool known = st == OK && seq <= p->applied;
        while (st == OK && !known && items.n) {
            struct item i;
            st = item_read(&items, p->term_max, p->arena, &i, why);
            if (st == OK)
                apply(p, &i, seq);
        }
        if (st != OK)
            return st;
        if (!known)
            p->applied = seq;
    }
    return OK;
}
