/* Checking the history of a base, pair by pair, in order of keys. */
#include "store/embedded/history_check.h"

#include "store/embedded/history_chunk.h"
#include "store/embedded/history_kept.h"
#include "store/embedded/history_past.h"

#include <string.h>

enum { KEY_BEGIN = 5 };

static enum status check_chunk(struct str bytes, uint32_t term_max, struct arena *a, struct why *why)
{
    struct chunk c;
    enum status st = chunk_open(&c, bytes, why);
    if (st != OK)
        return st;
    struct point *points = arena_array(a, struct point, c.summary.count);
    st = chunk_points(&c, 1, STR(""), term_max, a, points, why);
    for (uint32_t i = 1; st == OK && i < c.summary.count; i++)
        if (point_order(&points[i - 1], &points[i]) >= 0)
            st = why_set(why, E_DAMAGED, NULL, "instances of a chunk are out of order");
    return st;
}

static enum status check_head(struct history_check *c, struct str bytes, uint32_t term_max, struct why *why)
{
    struct past p;
    past_init(&p, term_max, c->arena);
    enum status st = past_read(&p, bytes, why);
    c->unsure = st != OK;
    c->unsure_kept = c->unsure_kept || c->unsure;
    for (uint32_t i = 0; st == OK && i < p.count; i++) {
        c->due += p.series[i].sealed;
        for (int k = 0; k < RETENTION_LEVEL_COUNT; k++)
            c->kept_due += p.series[i].kept[k];
        struct str open = p.series[i].open, chunk;
        while (st == OK && past_next_open(&open, &chunk))
            st = check_chunk(chunk, term_max, c->arena, why);
        if (st == OK && open.n)
            st = why_set(why, E_DAMAGED, NULL, "an open chunk is cut off");
    }
    return st;
}

/* Have as many chunks come as the last head has? */
static enum status settle(struct history_check *c, struct why *why)
{
    uint64_t due = c->due, met = c->met;
    bool unsure = c->unsure;
    c->due = c->met = 0;
    c->unsure = false;
    return due == met || unsure ? OK
                      : why_set(why, E_DAMAGED, NULL, "a history should have %llu sealed chunks, and has %llu",
                                (unsigned long long)due, (unsigned long long)met);
}

/* The same, saying whose it is. */
static enum status name(struct str id, enum status st, const struct why *inner, struct why *why)
{
    return st == OK ? OK : why_set(why, st, NULL, "%.*s: %s", STR_ARG(id), inner->text);
}

static enum status check_kept(struct history_check *c, struct str key, struct str bytes, struct why *why)
{
    uint8_t time, level;
    int64_t record_us;
    uint32_t number, n;
    struct kept_aggregate *all;
    if (!kept_key_parts(key, &time, &level, &record_us, &number))
        return why_set(why, E_DAMAGED, NULL, "the key of kept aggregates is not what was written");
    enum status st = kept_read(bytes, (enum retention_level)level, record_us, c->arena, &all, &n, why);
    c->kept_met += st == OK ? n : 0;
    return st;
}

enum status history_check_pair(struct history_check *c, struct str key, struct str bytes, uint32_t term_max,
                               struct why *why)
{
    struct str rest = str_from(key, KEY_BEGIN);
    size_t end = str_find_char(rest, 0);
    if (key.p[0] == '7')
        return settle(c, why);
    arena_reset(c->arena);
    bytes = arena_dup(c->arena, bytes);
    if (key.p[0] == '8')
        return check_kept(c, key, bytes, why);
    if (end == STR_NPOS)
        return why_set(why, E_DAMAGED, NULL, "a history has a key without an end");
    struct why inner = {0};
    if (end + 1 < rest.n) {
        c->met++;
        enum status st = check_chunk(bytes, term_max, c->arena, &inner);
        return name(str_head(rest, end), st, &inner, why);
    }
    struct why before = {0};
    enum status st = settle(c, &before), of_head = check_head(c, bytes, term_max, &inner);
    if (st != OK)
        *why = before;
    return st != OK ? st : name(str_head(rest, end), of_head, &inner, why);
}

enum status history_check_end(struct history_check *c, struct why *why)
{
    enum status st = settle(c, why);
    if (st != OK || c->unsure_kept || c->kept_due == c->kept_met)
        return st;
    return why_set(why, E_DAMAGED, NULL, "there should be %llu kept aggregates, and there are %llu",
                   (unsigned long long)c->kept_due, (unsigned long long)c->kept_met);
}
