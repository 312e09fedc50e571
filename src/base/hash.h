/* Hashes: a fast 64-bit one for tables in memory (never stored), CRC-32C for
 * everything on disk. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/str.h"

#include <stdint.h>

/* Seeded per process, so that chosen keys cannot collide on purpose. */
uint64_t hash_str(struct str s);
uint64_t hash_u64(uint64_t v);
/* Castagnoli, RFC 3720 appendix B.4; crc is 0 to start or the last result. */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);

#endif
