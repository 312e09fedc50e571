/* How much there is, how old what has to go is, and making room. */
#include "store/embedded/history_bound.h"

#include "base/log.h"
#include "store/embedded/base_db.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/history_chunk.h"
#include "store/embedded/history_kept.h"
#include "store/embedded/history_key.h"
#include "store/embedded/history_past.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COMPACT_MIN = 64 << 20, COMPACT_PART = 4 }; /* dropped bytes that are worth it, and which part of all */
enum { SPARE_PART = 10 };                          /* so much below the bound one sweeps, so that it lasts a while */
enum { AGE_STEPS = 16 };

void bound_init(struct embedded *e)
{
    struct bound *b = &e->history.bound;
    b->points_us = b->kept_us = INT64_MIN;
    b->forced_us = INT64_MIN;
}

void bound_free(struct embedded *e)
{
    bound_settle(e);
    free(e->history.bound.survey);
}

void bound_stats(struct embedded *e, struct store_stats *out)
{
    struct bound *b = &e->history.bound;
    out->history.disk_bytes = b->bytes;
    out->history.disk_bytes_max = b->bytes_told_max;
    out->history.forced = b->forced;
    out->history.forced_us = b->forced_us;
}

/* ---- compaction ---- */

static void *compact(void *arg)
{
    struct bound *b = arg;
    struct why why = {0};
    if (base_compact_past(b->base, b->cancel, &why) != OK)
        log_error("compacting the history failed", log_z("why", why.text));
    b->compaction_over = true;
    return NULL;
}

static void begin_compaction(struct embedded *e)
{
    struct bound *b = &e->history.bound;
    b->dropped = 0;
    b->compacted = true;
    b->compaction_over = false;
    b->base = e->fold.base;
    b->cancel = base_db_cancel_new();
    b->compacting = pthread_create(&b->thread, NULL, compact, b) == 0;
    if (!b->compacting)
        base_db_cancel_free(b->cancel);
}

static void end_compaction(struct bound *b)
{
    pthread_join(b->thread, NULL);
    base_db_cancel_free(b->cancel);
    b->compacting = false;
}

void bound_settle(struct embedded *e)
{
    struct bound *b = &e->history.bound;
    if (!b->compacting)
        return;
    base_db_cancel_set(b->cancel);
    end_compaction(b);
}

/* ---- the survey ---- */

static uint32_t class_of(int64_t now_us, int64_t us)
{
    double age = us < now_us ? (double)now_us - (double)us : 0, class = log2(age / 1e6 + 1) * AGE_STEPS;
    return class < BOUND_AGES - 1 ? (uint32_t)class : BOUND_AGES - 1;
}

/* The time of which all that is as old as that class, or older, is before. */
static int64_t time_of(int64_t now_us, uint32_t class)
{
    double age = (exp2((double)class / AGE_STEPS) - 1) * 1e6, at = (double)now_us - age;
    return at <= (double)INT64_MIN / 2 ? INT64_MIN / 2 : (int64_t)at;
}

/* Shares bytes out over the classes of all times between two, as if as many were of each. */
static void add_between(uint64_t *classes, int64_t now_us, int64_t first_us, int64_t last_us, uint64_t bytes)
{
    uint32_t oldest = class_of(now_us, first_us), youngest = class_of(now_us, last_us);
    double span = (double)last_us - (double)first_us;
    for (uint32_t i = oldest; i > youngest && span > 0; i--) {
        double part = ((double)time_of(now_us, i) - (double)first_us) / span; /* of what is left */
        uint64_t share = part <= 0 ? 0 : part >= 1 ? bytes : (uint64_t)(part * (double)bytes);
        classes[i] += share;
        bytes -= share;
        first_us = time_of(now_us, i);
        span = (double)last_us - (double)first_us;
    }
    classes[youngest] += bytes;
}

static void add_chunk(struct bound_survey *s, int64_t now_us, int64_t place, struct str bytes)
{
    struct chunk_summary c;
    struct why why = {0};
    if (chunk_read_summary(bytes, &c, &why) == OK)
        add_between(s->points, now_us, c.first_place, c.last_place, bytes.n);
    else
        s->points[class_of(now_us, place)] += bytes.n;
}

/* What is open of the series that a head has. */
static void look_at_head(struct embedded *e, int64_t now_us, struct str bytes, struct arena *scratch)
{
    struct past p;
    struct why why = {0};
    past_init(&p, terms_count(e->terms), scratch);
    if (past_read(&p, arena_dup(scratch, bytes), &why) != OK)
        return;
    for (uint32_t i = 0; i < p.count; i++) {
        struct str open = p.series[i].open, chunk;
        while (past_next_open(&open, &chunk))
            add_chunk(e->history.bound.survey, now_us, now_us, chunk);
    }
}

void bound_look(struct embedded *e, int64_t now_us, struct str key, struct str bytes, struct arena *scratch)
{
    struct bound_survey *s = e->history.bound.survey;
    uint32_t tenant, number;
    struct str id;
    uint8_t time, level;
    int64_t at;
    if (key.p[0] == '8' && kept_key_parts(key, &time, &level, &at, &number))
        add_between(s->kept, now_us, at, at + KEPT_SPANS * retention_level_us((enum retention_level)level), key.n + bytes.n);
    else if (key.p[0] == '6' && history_key_head_parts(key, &tenant, &id))
        look_at_head(e, now_us, bytes, scratch);
    else if (key.p[0] == '6')
        add_chunk(s, now_us, history_key_place(key), bytes);
}

/* Takes from the oldest class on until *excess is gone. */
static int64_t take_oldest(const uint64_t *classes, int64_t now_us, uint64_t *excess)
{
    uint32_t i = BOUND_AGES;
    while (i > 0 && *excess) {
        i--;
        *excess -= classes[i] < *excess ? classes[i] : *excess;
    }
    return i == BOUND_AGES ? INT64_MIN : time_of(now_us, i);
}

static bool choose(struct bound *b, int64_t now_us)
{
    uint64_t bytes = b->bytes, wanted = b->bytes_max - b->bytes_max / SPARE_PART, excess = bytes > wanted ? bytes - wanted : 0;
    b->points_us = take_oldest(b->survey->points, now_us, &excess);
    b->kept_us = take_oldest(b->survey->kept, now_us, &excess);
    free(b->survey);
    b->survey = NULL;
    b->futile = b->points_us == INT64_MIN && b->kept_us == INT64_MIN;
    if (b->futile)
        return false;
    b->forced++;
    b->forced_us = b->points_us > b->kept_us ? b->points_us : b->kept_us;
    log_warn("history is larger than history.disk_bytes: its oldest part goes", log_i("bytes", (int64_t)bytes),
             log_i("bytes_max", (int64_t)b->bytes_max), log_f("older_than_days", (double)(now_us - b->forced_us) / 86400e6));
    return true;
}

/* ---- what comes next ---- */

void bound_measure(struct embedded *e)
{
    struct bound *b = &e->history.bound;
    if (e->fold.base)
        b->bytes = base_past_bytes(e->fold.base);
}

void bound_swept(struct embedded *e)
{
    struct bound *b = &e->history.bound;
    if (b->points_us != INT64_MIN || b->kept_us != INT64_MIN)
        b->futile = !b->dropped;
    else
        b->futile = false;
    b->compacted = false;
    b->points_us = b->kept_us = INT64_MIN;
}

enum bound_next bound_next(struct embedded *e, int64_t now_us)
{
    struct bound *b = &e->history.bound;
    if (b->compacting && !b->compaction_over)
        return BOUND_WAIT;
    if (b->compacting)
        end_compaction(b);
    if (b->survey)
        return choose(b, now_us) ? BOUND_SWEEP : BOUND_REST;
    bound_measure(e);
    uint64_t bytes = b->bytes;
    bool over = b->bytes_max && bytes > b->bytes_max && !b->futile;
    bool worth = b->dropped > COMPACT_MIN && b->dropped > bytes / COMPACT_PART;
    if (!b->compacted && (over || worth)) {
        begin_compaction(e);
        return b->compacting ? BOUND_WAIT : BOUND_REST;
    }
    if (!over)
        return BOUND_REST;
    b->survey = mem_zalloc(sizeof *b->survey);
    return BOUND_SURVEY;
}
