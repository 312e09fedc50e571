/* Sizes and durations as people write them: "64 MiB", "250 ms". */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include "base/buf.h"
#include "base/str.h"

#include <stdint.h>

/* "4096", "64 KiB", "1 GB": k, M, G, T by 1000 with B, by 1024 with iB. */
bool units_parse_bytes(struct str s, int64_t *bytes);
/* "30 s", "250 ms", also us, min, h, d; only 0 needs no unit. */
bool units_parse_duration(struct str s, int64_t *us);
/* With the largest unit that leaves a whole number. */
void units_write_bytes(struct buf *b, int64_t bytes);
void units_write_duration(struct buf *b, int64_t us);

#endif
