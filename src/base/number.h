/* Decimal numbers as JSON writes them (RFC 8259 section 6), to and from double.
 * Both ways are exact: the shortest text that reads back as the same double, and
 * the double nearest to the text. No locale is involved. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

#define NUMBER_TEXT_MAX 32

/* "25", "0.1", "1e+22", "-0.0"; d must be finite. Returns the length; no NUL. */
size_t number_format(double d, char out[NUMBER_TEXT_MAX]);
/* Length of the number that s starts with, 0 when it starts with none. */
size_t number_length(struct str s);
/* The whole of s is one number within double's range; what is too small becomes 0. */
bool number_parse(struct str s, double *out);

#endif
