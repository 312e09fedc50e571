/* The right-hand sides of query terms. Internal to model/filter*.c. */
#ifndef MODEL_FILTER_OPERAND_H
#define MODEL_FILTER_OPERAND_H

#include "model/filter_text.h"

/* One value. comparable: only numbers, quoted strings, dates and times (what '<' takes); else also
 * true, false, URIs and bare words. after: the operator, for errors. */
MUST_USE enum status filter_operand_read(struct filter_text *t, const char *after, bool comparable,
                                         struct operand *out);
/* A regular expression: a quoted string, or bare up to the ';', '|' or ')' that is not its own. */
MUST_USE enum status filter_operand_pattern(struct filter_text *t, struct str *out);

#endif
