/* Sources as text, for tests: what an input gives, a line an item. */
#ifndef TESTS_SENSE_SOURCE_TEXT_H
#define TESTS_SENSE_SOURCE_TEXT_H

#include "sense/source.h"

/* An owned copy of a literal. */
struct blob blob_of(const char *text);
/* Opens the data and writes entities as they are and rejections as "line:reason". A source that
 * cannot be opened gives "refused:reason". Static storage. */
const char *source_text(const char *name, struct blob *blob, const struct source_options *o);

#endif
