/* Reading heads, and making again what of a damaged one can be: which series there are, from the keys of their sealed
 * chunks; numbers and times, from the chunks' headers; what was put in, from how far the base goes. */
#include "store/embedded/history_head.h"

#include "store/embedded/base_view.h"
#include "store/embedded/history_chunk.h"
#include "store/embedded/history_kept.h"
#include "store/embedded/history_key.h"

#include <stdlib.h>

struct rebuilding {
    struct past *past;
    struct str head, last; /* the keys of the head, and of the last pair seen */
    bool backwards;
};

static void take_summary(struct past *p, const struct chunk_summary *s)
{
    int64_t created_at = s->first[TIME_CREATED_AT], modified_at = s->last[TIME_MODIFIED_AT];
    if (s->seq_max > p->applied) /* a fold that was not finished wrote it */
        p->applied = s->seq_max;
    if (created_at != TIME_NONE && (p->created_at == TIME_NONE || created_at < p->created_at))
        p->created_at = created_at;
    if (modified_at != TIME_NONE && (p->modified_at == TIME_NONE || modified_at > p->modified_at))
        p->modified_at = modified_at;
}

static bool take_pair(void *arg, struct str key, struct str bytes)
{
    struct rebuilding *r = arg;
    struct past *p = r->past;
    struct chunk_summary summary;
    struct why why = {0};
    uint32_t term;
    struct str dataset;
    if (r->backwards && str_cmp(key, r->last) <= 0)
        return false;
    if (!r->backwards)
        r->last = arena_dup(p->arena, key);
    if (key.n == r->head.n || !history_key_read_chunk(key, r->head.n, &term, &dataset) || term > p->term_max)
        return true;
    struct past_series *s = past_find(p, term, dataset);
    if (!s) {
        s = past_series(p, term, arena_dup(p->arena, dataset));
        s->rebuilt = true;
    }
    s->sealed += s->rebuilt;
    if (!p->lost)
        return true;
    if (history_key_number(key) >= p->chunks_made)
        p->chunks_made = history_key_number(key) + 1;
    if (chunk_read_summary(bytes, &summary, &why) == OK)
        take_summary(p, &summary);
    return true;
}

/* All chunks of the entity; where the disk itself gives nothing back, those before and behind that. */
static enum status rebuild(struct base_view *view, struct str head, struct past *p, struct why *why)
{
    struct rebuilding r = {.past = p, .head = head, .last = head};
    struct base_position position;
    struct str end = history_key_end(head, p->arena);
    enum status st = p->lost ? base_view_position(view, &position, why) : E_NOT_FOUND;
    if (st == OK)
        p->applied = position.seq > p->applied ? position.seq : p->applied; /* all heads of a base have what it goes up to */
    else if (st != E_NOT_FOUND && st != E_DAMAGED)
        return st;
    st = base_view_range(view, head, end, false, take_pair, &r, why);
    if (st != E_DAMAGED)
        return st;
    r.backwards = true;
    st = base_view_range(view, head, end, true, take_pair, &r, why);
    return st == E_DAMAGED ? OK : st;
}

static bool take_kept(void *arg, struct str key, struct str bytes)
{
    struct rebuilding *r = arg;
    struct past *p = r->past;
    uint8_t time, level;
    int64_t at;
    uint32_t number, term;
    struct str dataset;
    if (!kept_key_parts(key, &time, &level, &at, &number) || !kept_key_read_series(key, r->head.n, &term, &dataset) ||
        term > p->term_max)
        return true;
    struct past_series *s = past_find(p, term, dataset);
    if (!s) {
        s = past_series(p, term, arena_dup(p->arena, dataset));
        s->rebuilt = true;
    }
    if (s->rebuilt)
        s->kept[level] += kept_count(bytes);
    return true;
}

/* The same of kept aggregates. */
static enum status rebuild_kept(struct base_view *view, struct str head, struct past *p, struct why *why)
{
    struct str from = kept_key_entity(head, p->arena);
    struct rebuilding r = {.past = p, .head = head};
    enum status st = base_view_range(view, from, history_key_end(from, p->arena), false, take_kept, &r, why);
    return st == E_DAMAGED ? OK : st;
}

static enum status rebuild_all(struct base_view *view, struct str head, struct past *p, struct why *why)
{
    enum status st = rebuild(view, head, p, why);
    return st == OK ? rebuild_kept(view, head, p, why) : st;
}

enum status history_head_read(struct base_view *view, uint32_t tenant, struct str id, struct past *p, struct why *why)
{
    char *owned;
    struct str bytes, key = history_key_head(tenant, id, p->arena);
    struct why inner = {0};
    enum status st = base_view_get(view, key, &bytes, &owned, why);
    if (st == E_NOT_FOUND)
        return OK;
    if (st == E_DAMAGED || st == E_NOT_SUPPORTED) { /* a newer program's base is not opened at all */
        past_lose(p);
        return rebuild_all(view, key, p, why);
    }
    if (st != OK)
        return st;
    st = past_read(p, arena_dup(p->arena, bytes), &inner);
    free(owned);
    return st == OK ? OK : rebuild_all(view, key, p, why);
}

void history_head_set_aside(struct base *b, struct past *p, struct past_series *s, struct str series)
{
    for (uint32_t i = 0; i < s->damaged_count; i++, s->sealed++)
        base_put_past(b, history_key_chunk(series, INT64_MIN, p->chunks_made++, p->arena), s->damaged[i]);
    s->damaged_count = 0;
}
