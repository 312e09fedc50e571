/* The cursor that the parsers of query languages share: what is left of the text, and
 * errors that say the column and what was expected. Internal to model/filter*.c and
 * order.c. */
#ifndef MODEL_FILTER_TEXT_H
#define MODEL_FILTER_TEXT_H

#include "base/status.h"
#include "base/str.h"
#include "model/filter.h"

#include <stdbool.h>

struct filter_text {
    const char *what; /* the parameter: "q", "scopeQ" */
    struct str all;
    size_t at; /* byte offset */
    const struct filter_reader *reader;
    struct why *why;
};

static inline struct str filter_text_rest(const struct filter_text *t)
{
    return str_from(t->all, t->at);
}
static inline bool filter_text_end(const struct filter_text *t)
{
    return t->at >= t->all.n;
}
static inline bool filter_text_is(const struct filter_text *t, char c)
{
    return t->at < t->all.n && t->all.p[t->at] == c;
}
/* Takes c if it comes next. */
static inline bool filter_text_take(struct filter_text *t, char c)
{
    bool is = filter_text_is(t, c);
    t->at += is;
    return is;
}
/* Is all of it text? */
MUST_USE enum status filter_text_check(const struct filter_text *t);
bool filter_text_take_word(struct filter_text *t, struct str word);
void filter_text_skip_spaces(struct filter_text *t);

/* E_BAD_DATA "q: column 12: …"; columns count characters from 1. */
enum status filter_text_fault(const struct filter_text *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Length of the characters of a name (clause 4.6.2: letters, numbers, '_') at the start of s, 0
 * when it does not begin with a letter. */
size_t filter_name_length(struct str s);
/* Length of a name, or of a compact or full IRI, at the start of s. In IRIs, the dots behind the
 * last '/', '#' or ':' separate the steps of a path, so they end it; so do the operators and
 * delimiters of the query languages. */
size_t filter_iri_length(struct str s);
/* Expands raw. E_BAD_DATA when it is a keyword. */
MUST_USE enum status filter_text_name(const struct filter_text *t, struct str raw,
                                      struct name *out);
/* The member that iri names, MEMBER_NONE for attributes. */
enum compare_member filter_member_of(struct str iri);

/* A path of attributes, its trailing member, and the path into the value: "a.b.observedAt",
 * "a[b.c]". */
struct filter_path {
    uint32_t count;
    struct name *names;
    uint8_t member; /* enum compare_member; count may then be 0 */
    uint32_t value_count;
    struct str *value;
};
MUST_USE enum status filter_text_path(struct filter_text *t, struct filter_path *out);

#endif
