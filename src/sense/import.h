/* wellspring import: files, directories and addresses into a running city.
 *
 * Inputs are read one after another, sent in batches with several requests under
 * way, and accounted for row by row: what was rejected is reported with file, line
 * and reason. A state file lets an interrupted import go on where it stopped; ids
 * are stable, so what is sent twice changes nothing. docs/import.md is the manual. */
#ifndef SENSE_IMPORT_H
#define SENSE_IMPORT_H

#include "base/status.h"
#include "base/str.h"
#include "net/http_client.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct import_options {
    const char *const *inputs; /* files, directories, http:// and https:// addresses */
    size_t input_count;
    const char *to;          /* "http://127.0.0.1:1026" */
    const char *tenant;      /* NULL: the default tenant */
    const char *mapping;     /* file or built-in name, NULL: none */
    const char *context;     /* @context for entities without one: an address or JSON; NULL: none */
    const char *type;        /* of features without a mapping; NULL: none */
    const char *report;      /* CSV file of rejected rows; NULL: on stderr only */
    const char *state;       /* file that remembers how far it got; NULL: a place of its own */
    bool update;             /* attributes that an input does not mention stay */
    bool dry_run;            /* read and check everything, send nothing */
    bool resume;             /* go on with the interrupted import of the same inputs */
    bool json;               /* the summary as JSON on stdout */
    bool quiet;              /* no progress bar */
    uint32_t requests;       /* under way at once */
    uint32_t batch_entities; /* in a request */
    size_t batch_bytes;      /* of a request */
    size_t download_bytes;   /* of one download */
    uint32_t timeout_s;      /* of one request */
    uint32_t patience_s;     /* a city that takes nothing for so long ends the import */
    struct http_client_options egress; /* guard of downloads and of the city's address */
};

enum {
    IMPORT_DONE = 0,
    IMPORT_REJECTED = 1,    /* done, but some rows were rejected */
    IMPORT_UNUSABLE = 2,    /* nothing was begun: wrong usage, an unreadable mapping … */
    IMPORT_INTERRUPTED = 3, /* the rest can follow with resume */
};

void import_options_preset(struct import_options *o);
/* What stands behind "import" on the command line; strings are borrowed from argv. argv is
 * reordered: inputs come first. E_BAD_DATA with a text for whoever typed it. */
MUST_USE enum status import_options_read(struct import_options *o, int argc, char **argv,
                                         struct why *why);
/* One line on each option, for help. */
extern const char import_usage[];

/* Runs to the end, or until SIGINT or SIGTERM, on the calling thread. Messages go to stderr.
 * Returns the exit code. */
int import_run(const struct import_options *o);

#endif
