/* UTF-8 (RFC 3629): for text that comes from outside other than as JSON. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/str.h"

#include <stdint.h>

/* Length of the well-formed sequence at the start of s, 0 when there is none. */
size_t utf8_length(struct str s);
bool utf8_valid(struct str s);
/* Writes code point c (no surrogate, at most 0x10FFFF); returns 1 to 4. */
size_t utf8_encode(uint32_t c, char out[4]);

#endif
