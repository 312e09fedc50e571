/* The outbox across a restart: what waits, how far lanes have come, and their counters, as
 * bytes (docs/formats/outbox.md). Little-endian; every document begins with its magic. */
#include "base/arena.h"
#include "broker/counters.h"
#include "broker/outbox_int.h"

#include <stdlib.h>
#include <string.h>

enum { VERSION = 1 };
enum { FLAG_CREATED = 1 };

/* ---- reading and writing numbers ---- */

struct input {
    struct str rest;
    bool bad;
};

static void take(struct input *in, void *out, size_t n)
{
    in->bad = in->bad || in->rest.n < n;
    if (in->bad) {
        memset(out, 0, n);
        return;
    }
    memcpy(out, in->rest.p, n);
    in->rest = str_from(in->rest, n);
}

static uint32_t take32(struct input *in)
{
    uint32_t v;
    take(in, &v, sizeof v);
    return v;
}

static uint64_t take64(struct input *in)
{
    uint64_t v;
    take(in, &v, sizeof v);
    return v;
}

static struct str take_str(struct input *in, size_t n)
{
    in->bad = in->bad || in->rest.n < n;
    struct str s = in->bad ? STR("") : str_head(in->rest, n);
    in->rest = str_from(in->rest, s.n);
    return s;
}

static void put_head(struct buf *b, const char magic[4])
{
    buf_put(b, magic, 4);
    buf_le32(b, VERSION);
}

static bool take_head(struct input *in, const char magic[4])
{
    struct str m = take_str(in, 4);
    uint32_t version = take32(in);
    return !in->bad && memcmp(m.p, magic, 4) == 0 && version == VERSION;
}

/* Tenant's length, tenant, id. */
static void put_name(struct buf *b, const struct lane *l)
{
    buf_le32(b, (uint32_t)l->tenant.n);
    buf_le32(b, (uint32_t)l->id.n);
    buf_str(b, l->tenant);
    buf_str(b, l->id);
}

static struct lane *take_lane(const struct outbox *o, struct input *in)
{
    uint32_t tenant_bytes = take32(in), id_bytes = take32(in);
    struct str tenant = take_str(in, tenant_bytes), id = take_str(in, id_bytes);
    return in->bad ? NULL : lane_find(o, tenant, id);
}

/* ---- what waits ---- */

static void put_version(struct buf *b, const struct outbox_doc *d)
{
    if (d)
        buf_put(b, outbox_doc_of(d), doc_bytes(outbox_doc_of(d)));
}

static uint32_t version_bytes(const struct outbox_doc *d)
{
    return d ? (uint32_t)doc_bytes(outbox_doc_of(d)) : 0;
}

struct frozen_due {
    uint64_t first_seq, last_seq;
    int64_t at_us;
    struct outbox_doc *before, *after; /* held */
    bool created;
};

struct frozen_lane {
    size_t name_bytes;
    uint32_t count;
};

/* Lanes, and in their order the names and all that wait. */
struct outbox_frozen {
    struct buf names, lanes, dues;
};

static void freeze_lane(struct outbox_frozen *f, const struct lane *l)
{
    size_t start = f->names.n;
    put_name(&f->names, l);
    struct frozen_lane frozen = {f->names.n - start, l->count};
    buf_put(&f->lanes, &frozen, sizeof frozen);
    for (const struct due *d = l->first; d; d = d->next) {
        struct frozen_due due = {d->first_seq,        d->last_seq,        d->at_us,
                                 doc_hold(d->before), doc_hold(d->after), d->created};
        buf_put(&f->dues, &due, sizeof due);
    }
}

/* False: no more. */
static bool freeze_next(struct outbox *o, struct outbox_frozen *f)
{
    outbox_lock(o);
    while (o->freezing && o->freezing->removed)
        o->freezing = o->freezing->next_waiting;
    const struct lane *l = o->freezing;
    if (l) {
        freeze_lane(f, l);
        o->freezing = l->next_waiting;
    }
    outbox_unlock(o);
    return l != NULL;
}

/* Lane by lane, so that delivery does not wait for it. Meanwhile things are only taken out: what is
 * delivered before its lane's turn is not saved, and needs not be. */
struct outbox_frozen *outbox_freeze(struct outbox *o)
{
    struct outbox_frozen *f = mem_zalloc(sizeof *f);
    buf_init(&f->names, SIZE_MAX / 2);
    buf_init(&f->lanes, SIZE_MAX / 2);
    buf_init(&f->dues, SIZE_MAX / 2);
    outbox_lock(o);
    o->freezing = o->waiting;
    outbox_unlock(o);
    while (freeze_next(o, f))
        ;
    return f;
}

static void put_due(struct buf *b, const struct frozen_due *d)
{
    buf_le64(b, d->first_seq);
    buf_le64(b, d->last_seq);
    buf_le64(b, (uint64_t)d->at_us);
    buf_le32(b, d->created ? FLAG_CREATED : 0);
    buf_le32(b, 0);
    buf_le32(b, version_bytes(d->before));
    buf_le32(b, version_bytes(d->after));
    put_version(b, d->before);
    put_version(b, d->after);
}

static void let_go(struct outbox *o, const struct frozen_due *dues, uint32_t count)
{
    outbox_lock(o);
    for (uint32_t i = 0; i < count; i++) {
        doc_let_go(dues[i].before);
        doc_let_go(dues[i].after);
    }
    outbox_unlock(o);
}

void outbox_save(struct outbox *o, struct outbox_frozen *f,
                 void (*put)(void *arg, struct str key, struct str bytes), void *arg)
{
    const struct frozen_lane *lanes = (const struct frozen_lane *)(const void *)f->lanes.p;
    const struct frozen_due *due = (const struct frozen_due *)(const void *)f->dues.p;
    struct str names = buf_view(&f->names);
    struct buf bytes;
    buf_init(&bytes, SIZE_MAX / 2);
    for (size_t i = 0; i < f->lanes.n / sizeof *lanes; i++, due += lanes[i - 1].count) {
        buf_clear(&bytes);
        put_head(&bytes, "WSOB");
        for (uint32_t k = 0; k < lanes[i].count; k++)
            put_due(&bytes, &due[k]);
        let_go(o, due, lanes[i].count);
        put(arg, str_head(names, lanes[i].name_bytes), buf_view(&bytes));
        names = str_from(names, lanes[i].name_bytes);
    }
    buf_free(&bytes);
    buf_free(&f->names);
    buf_free(&f->lanes);
    buf_free(&f->dues);
    free(f);
}

/* NULL: none, or damaged. */
static struct outbox_doc *take_version(struct outbox *o, struct input *in, uint32_t n)
{
    struct str bytes = take_str(in, n);
    if (in->bad || n == 0)
        return NULL;
    struct outbox_doc *d = doc_copy(o, (const struct doc *)(const void *)bytes.p, n);
    if (doc_check(d->bytes, n, terms_count(o->o.terms), NULL) == OK)
        return d;
    in->bad = true;
    o->stats.bytes -= n;
    free(d);
    return NULL;
}

static void restore_due(struct outbox *o, struct lane *lane, struct input *in)
{
    struct due d = {.first_seq = take64(in), .last_seq = take64(in)};
    d.at_us = (int64_t)take64(in);
    d.created = take32(in) & FLAG_CREATED;
    (void)take32(in);
    uint32_t before = take32(in), after = take32(in);
    d.before = take_version(o, in, before);
    d.after = take_version(o, in, after);
    if (in->bad || (!d.before && !d.after) || d.last_seq <= lane->delivered) {
        doc_release(o, d.before);
        doc_release(o, d.after);
        return;
    }
    due_append(o, lane, d);
}

void outbox_restore(struct outbox *o, struct str key, struct str bytes)
{
    struct input name = {key, false}, in = {bytes, false};
    outbox_lock(o);
    struct lane *lane = take_lane(o, &name);
    if (lane && take_head(&in, "WSOB")) {
        while (in.rest.n && !in.bad)
            restore_due(o, lane, &in);
        lane_mark_ready(o, lane);
    }
    outbox_unlock(o);
}

/* ---- how far ---- */

/* A lane that is not empty, and what of it is done. */
struct lag {
    const struct lane *lane;
    uint64_t seq;
};

static int by_seq(const void *a, const void *b)
{
    uint64_t x = ((const struct lag *)a)->seq, y = ((const struct lag *)b)->seq;
    return (x > y) - (x < y);
}

/* The one that lags least comes first. */
struct lag_heap {
    struct lag *lags;
    uint32_t count, room;
};

static void heap_down(struct lag_heap *h)
{
    struct lag moved = h->lags[0];
    uint32_t at = 0;
    for (uint32_t child; (child = 2 * at + 1) < h->count; at = child) {
        child += child + 1 < h->count && h->lags[child + 1].seq > h->lags[child].seq;
        if (h->lags[child].seq <= moved.seq)
            break;
        h->lags[at] = h->lags[child];
    }
    h->lags[at] = moved;
}

static void heap_up(struct lag_heap *h, struct lag added)
{
    uint32_t at = h->count++;
    for (uint32_t up; at && h->lags[up = (at - 1) / 2].seq < added.seq; at = up)
        h->lags[at] = h->lags[up];
    h->lags[at] = added;
}

/* Keeps as many as there is room for, those that lag most. */
static void heap_offer(struct lag_heap *h, struct lag lag)
{
    if (h->count < h->room) {
        heap_up(h, lag);
    } else if (lag.seq < h->lags[0].seq) {
        h->lags[0] = lag;
        heap_down(h);
    }
}

/* Under the lock all that wait are looked at, but only as many as are listed are sorted. */
void outbox_position(struct outbox *o, uint32_t lanes_max, struct buf *b)
{
    struct lag_heap h = {.room = lanes_max + 1};
    h.lags = mem_alloc(h.room * sizeof *h.lags);
    outbox_lock(o);
    for (const struct lane *l = o->waiting; l; l = l->next_waiting)
        if (!l->removed)
            heap_offer(&h, (struct lag){l, l->first->last_seq - 1});
    qsort(h.lags, h.count, sizeof *h.lags, by_seq);
    uint32_t listed = h.count < lanes_max ? h.count : lanes_max;
    put_head(b, "WSOP");
    buf_le64(b, listed < h.count ? h.lags[listed].seq : o->seq);
    for (uint32_t i = 0; i < listed; i++) {
        buf_le64(b, h.lags[i].seq);
        put_name(b, h.lags[i].lane);
    }
    outbox_unlock(o);
    free(h.lags);
}

static void advance(struct outbox *o, struct lane *lane, uint64_t seq)
{
    if (seq > lane->delivered)
        lane->delivered = seq;
    for (struct due *d = lane->first, *next; d; d = next) {
        next = d->next;
        if (d->last_seq <= lane->delivered)
            due_remove(o, lane, d);
    }
}

void outbox_reposition(struct outbox *o, struct str bytes)
{
    struct input in = {bytes, false};
    outbox_lock(o);
    if (take_head(&in, "WSOP")) {
        uint64_t all = take64(&in);
        uint64_t mark = ++o->marks;
        while (in.rest.n && !in.bad) {
            uint64_t seq = take64(&in);
            struct lane *lane = take_lane(o, &in);
            if (!lane)
                continue;
            lane->mark = mark;
            advance(o, lane, seq);
        }
        for (uint32_t i = 0; i <= o->lane_mask && !in.bad; i++)
            for (struct lane *l = o->lanes[i]; l; l = l->next)
                if (l->mark != mark)
                    advance(o, l, all);
    }
    outbox_unlock(o);
}

/* ---- counters ---- */

bool outbox_changed_counters(struct outbox *o, struct arena *a, struct str *tenant, struct str *id,
                             struct buf *b)
{
    outbox_lock(o);
    struct lane *l = o->changed;
    if (l) {
        lane_unmark_changed(o, l);
        *tenant = arena_dup(a, l->tenant);
        *id = arena_dup(a, l->id);
        counters_write(b, &l->counters);
    }
    outbox_unlock(o);
    return l != NULL;
}

void outbox_restore_counters(struct outbox *o, struct str tenant, struct str id, struct str bytes)
{
    struct subscription_counters c;
    if (!counters_read(&c, bytes))
        return;
    outbox_lock(o);
    struct lane *lane = lane_find(o, tenant, id);
    if (lane)
        lane->counters = c;
    outbox_unlock(o);
}
