/* Between pattern.c and the C++ shim over RE2. */
#ifndef MODEL_PATTERN_RE2_H
#define MODEL_PATTERN_RE2_H

#include "base/str.h"

struct pattern_re2;

enum pattern_outcome { PATTERN_OK, PATTERN_BROKEN, PATTERN_LARGE };

/* error: RE2's words for what is wrong, cut to n bytes with the NUL. */
enum pattern_outcome pattern_re2_new(struct str text, struct pattern_re2 **out, char *error,
                                     size_t n);
void pattern_re2_free(struct pattern_re2 *p);
bool pattern_re2_find(const struct pattern_re2 *p, struct str text);

#endif
