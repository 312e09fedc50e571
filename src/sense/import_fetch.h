/* Private to import: one download, waited for. */
#ifndef SENSE_IMPORT_FETCH_H
#define SENSE_IMPORT_FETCH_H

#include "sense/blob.h"
#include "sense/import.h"

/* Fetches url behind the guard of o->egress. *format: a name in the arena whose extension tells the
 * format, from the address or else the media type. */
MUST_USE enum status import_fetch(const char *url, const struct import_options *o, struct arena *a,
                                  struct blob *out, const char **format, struct why *why);

#endif
