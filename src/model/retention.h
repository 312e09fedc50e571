/* How long history is kept: for entities of a tenant, of a type, or all (docs/history.md). Instances are kept as they are
 * for a while, and after that as aggregates of a minute, an hour, a day. Rules are lines of words:
 *
 *   "tenant=city type=AirQualityObserved keep=90d minutes=1y hours=5y days=forever"
 *
 * tenant=* (or none): every tenant; tenant= is the default one. type=* (or none): every type; an IRI, or the short name of
 * one in NGSI-LD's default context. A span is a number and s, min, h, d, w or y (of 365 days), or "forever", and told from
 * now back: each reaches farther than the one before. keep must be given; a level that is not given is not kept.
 *
 * Of the rules that fit, the most particular one holds: for the tenant and the type, else for the tenant, else for the
 * type, else for all. An entity of several types is kept as long as any of them is. */
#ifndef MODEL_RETENTION_H
#define MODEL_RETENTION_H

#include "base/status.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum retention_level { RETENTION_MINUTES, RETENTION_HOURS, RETENTION_DAYS, RETENTION_LEVEL_COUNT };
enum { RETENTION_RULES_MAX = 1000 };
#define RETENTION_FOREVER INT64_MAX

/* µs, from now back. */
struct retention_spans {
    int64_t keep_us;
    int64_t level_us[RETENTION_LEVEL_COUNT]; /* 0: not kept */
};

struct retention; /* immutable */

/* The rules of n lines; NULL and E_BAD_DATA, which says which line (from 1) is wrong and why. Caller owns. */
struct retention *retention_new(const struct str *lines, size_t n, struct why *why);
void retention_free(struct retention *r); /* NULL is fine */
/* Is there anything that does not stay forever? */
bool retention_ends(const struct retention *r);
/* What holds for entities of a type, an IRI (absent: of none). Everything stays forever where no rule fits. Borrowed. */
const struct retention_spans *retention_find(const struct retention *r, struct str tenant, struct str type);
/* Makes each span as long as in more. */
void retention_widen(struct retention_spans *spans, const struct retention_spans *more);
/* How long a level's aggregates are: a minute, an hour, a day. */
int64_t retention_level_us(enum retention_level level);
/* "minutes", "hours", "days". */
const char *retention_level_name(enum retention_level level);

#endif
