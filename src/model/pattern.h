/* Regular expressions of queries (~=, idPattern): extended syntax of IEEE 1003.2
 * (POSIX), plus \d \w \s \b, which people write. Time is linear in the text, whatever
 * the pattern; memory is bounded. There are no back-references.
 *
 * A text matches when the pattern is found anywhere in it, as regexec() has it: '^'
 * and '$' tie it to the ends. "." is any character. Immutable: usable from any thread. */
#ifndef MODEL_PATTERN_H
#define MODEL_PATTERN_H

#include "base/status.h"
#include "base/str.h"

#include <stdbool.h>

struct pattern;

/* Caller owns; free with pattern_free(). bytes_max: of text ("limits.pattern_bytes"). E_BAD_DATA
 * for what is no pattern, E_TOO_COMPLEX for what is too long, or too large when compiled. what:
 * names it in errors ("idPattern"). */
MUST_USE enum status pattern_new(const char *what, struct str text, size_t bytes_max,
                                 struct pattern **out, struct why *why);
void pattern_free(struct pattern *p); /* NULL is fine */
bool pattern_match(const struct pattern *p, struct str text);
/* What every matching text begins with, so that an index can narrow: "abc" for "^abc.*x". "" when
 * unknown. Borrowed from p. */
struct str pattern_prefix(const struct pattern *p);
/* As written. Borrowed from p. */
struct str pattern_text(const struct pattern *p);
/* Length of the bracket expression that s begins with: "]" right behind "[" or "[^" stands for
 * itself, and classes such as [:digit:] nest. s.n when it has no end. */
size_t pattern_bracket_length(struct str s);

#endif
