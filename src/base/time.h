/* Wall time as µs since 1970-01-01T00:00:00Z, and its ISO 8601 forms
 * (CIM 009 clause 4.6.3). Nothing here reads a clock except time_now(). */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

#include <stdint.h>

#define TIME_NONE INT64_MIN

/* A clock that tests can replace. */
struct clock {
    int64_t (*now_us)(struct clock *clock);
};
/* CLOCK_REALTIME, µs. */
extern struct clock clock_system;
int64_t time_now(void);
/* CLOCK_MONOTONIC, µs. */
int64_t time_monotonic(void);

/* "2020-01-31T23:59:59Z", with one to six digits of fraction behind '.' or ',';
 * years 0000 to 9999. False when s is anything else. */
MUST_USE bool time_parse(struct str s, int64_t *us);
/* Also accepts an offset "+02:00"/"-0130" and a missing zone, read as the given
 * offset from UTC in minutes; 'T' may be a space. For importers. */
MUST_USE bool time_parse_lenient(struct str s, int zone_minutes, int64_t *us);
MUST_USE bool time_parse_date(struct str s, int64_t *us);  /* "2020-01-31" */
MUST_USE bool time_parse_clock(struct str s, int64_t *us); /* "23:59:59.5Z", µs since midnight */

#define TIME_TEXT_MAX 28
/* "2020-01-31T23:59:59Z", with 3 or 6 digits of fraction when not zero, and a NUL.
 * Times outside the years 0000 to 9999 become the nearest inside. Returns the length. */
size_t time_format(int64_t us, char out[TIME_TEXT_MAX]);
void buf_time(struct buf *b, int64_t us); /* without quotes */

/* ISO 8601 duration "P1Y2M3DT4H5M6.7S" or "P2W". Months and seconds are kept apart.
 * A fraction may stand in the last part only, and not in years or months. */
struct duration {
    int64_t months;
    int64_t us;
};
MUST_USE bool duration_parse(struct str s, struct duration *out);
/* us + d * times by the calendar, in UTC: the months first, a day past the month's
 * end becoming its last day, then the rest. Stays within the years 0000 to 9999. */
int64_t time_add(int64_t us, struct duration d, int64_t times);

#endif
