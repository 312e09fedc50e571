/* Private to import: what the command line names, as a flat list of files. */
#ifndef SENSE_IMPORT_INPUTS_H
#define SENSE_IMPORT_INPUTS_H

#include "sense/blob.h"
#include "sense/import.h"

struct import_input {
    const char *name;      /* as reported */
    const char *format;    /* a name whose extension tells the format */
    const char *path;      /* NULL: downloaded */
    struct blob blob;      /* of a download */
    uint64_t bytes;        /* size, for the progress bar */
    const struct why *why; /* it could not be had; NULL when fine */
};

struct import_inputs {
    struct arena *arena;
    struct import_input *list;
    uint32_t count, cap;
};

/* Walks directories (in byte order, without hidden files and links to directories) and downloads
 * addresses. What cannot be had is an input with a reason. E_LIMIT when there are too many files.
 */
MUST_USE enum status import_inputs_collect(struct import_inputs *in, const struct import_options *o,
                                           struct why *why);
void import_inputs_free(struct import_inputs *in);
/* The bytes of one input; the caller's from then on. */
MUST_USE enum status import_input_open(struct import_input *input, struct blob *blob,
                                       struct why *why);

#endif
