/* Records of kept aggregates (model/aggregate_kept.h): those of one series, one length and one time property that begin in a
 * stretch of KEPT_SPANS spans, such as the minutes of a day. Layout in docs/formats/history.md.
 *
 * Instances with observedAt and those without, which stand where they were modified, are kept apart, since queries ask
 * for the one time or the other. */
#ifndef STORE_EMBEDDED_HISTORY_KEPT_H
#define STORE_EMBEDDED_HISTORY_KEPT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "model/aggregate_kept.h"
#include "model/retention.h"

#include <stdbool.h>
#include <stdint.h>

struct base_view;

enum { KEPT_SPANS = 1440 };

/* By what time: its place in a key. */
enum kept_time { KEPT_OBSERVED, KEPT_MODIFIED, KEPT_TIME_COUNT };
enum kept_time kept_time_of(const struct point *p);

/* Where the span of that time begins, and the stretch. */
int64_t kept_span_at(enum retention_level level, int64_t us);
int64_t kept_record_at(enum retention_level level, int64_t us);
/* Times beyond this are not aggregated: their stretch would not fit. */
bool kept_fits(int64_t us);

/* Appends a record of n aggregates, in order of time, all of one stretch, each of at least one value. */
void kept_write(struct buf *b, enum retention_level level, const struct kept_aggregate *all, uint32_t n);
/* Those of a record that begins at a time. Everything is in the arena, or borrows from bytes. E_DAMAGED, E_NOT_SUPPORTED for a
 * newer version. */
MUST_USE enum status kept_read(struct str bytes, enum retention_level level, int64_t record_us, struct arena *a,
                               struct kept_aggregate **all, uint32_t *n, struct why *why);

/* How many a record says that it has; 0: it has no head. */
uint32_t kept_count(struct str bytes);

/* Keys: '8', tenant, id, 00, term, datasetId, 00, time, level, start, number. */
struct str kept_key_series(uint32_t tenant, struct str id, uint32_t term, struct str dataset, struct arena *a);
/* All of an entity begin with it. head: the key of its past's head. */
struct str kept_key_entity(struct str head, struct arena *a);
/* Whose a record's key is; entity: bytes of kept_key_entity(). dataset borrows from key. */
bool kept_key_read_series(struct str key, size_t entity, uint32_t *term, struct str *dataset);
/* All that begin with it are of that time and level, in order of their start. */
struct str kept_key_level(struct str series, enum kept_time time, enum retention_level level, struct arena *a);
/* number: 0, unless one that cannot be read is in the way. */
struct str kept_key_record(struct str level, int64_t record_us, uint32_t number, struct arena *a);
/* What the end of a record's key says. False: it is none. */
bool kept_key_parts(struct str key, uint8_t *time, uint8_t *level, int64_t *record_us, uint32_t *number);

#endif
