/* Is it UTF-8? Text from files must be, before it becomes JSON. */
#ifndef SENSE_UTF8_H
#define SENSE_UTF8_H

#include "base/str.h"

/* Offset of the first byte that is not part of well-formed UTF-8 (RFC 3629), or STR_NPOS. */
size_t utf8_find_invalid(struct str s);
/* The first bytes_max bytes of well-formed s, or fewer so that no character is cut. */
struct str utf8_head(struct str s, size_t bytes_max);

#endif
