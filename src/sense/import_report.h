/* Private to import: what people see – rejected rows, the progress bar, the summary. */
#ifndef SENSE_IMPORT_REPORT_H
#define SENSE_IMPORT_REPORT_H

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct import_report {
    FILE *err;     /* messages */
    bool progress; /* a bar is wanted, and err is a terminal */
    bool bar_shown;
    int fd;             /* the report's file, or -1 */
    struct buf pending; /* of it, not written yet */
    uint64_t bytes;     /* of it, pending ones included */
    uint32_t shown;     /* rejections on err */
    bool failed;        /* the file could not be written */
    char reason[128];
};

struct import_figures {
    uint64_t stored, created, updated, rejected; /* as in struct import_state */
    uint64_t here;                               /* rows of this run alone, for the rate */
    uint64_t bytes_done, bytes_total;
    int64_t elapsed_us;
    uint32_t inputs;
    bool dry_run, complete;
};

/* path: CSV file of rejected rows, NULL for none. keep: bytes of an earlier part to keep, 0 to
 * begin anew. */
MUST_USE enum status import_report_open(struct import_report *r, const char *path, uint64_t keep,
                                        bool progress, struct why *why);
/* part may be NULL, id absent, line 0 for the file as a whole. */
void import_report_reject(struct import_report *r, const char *file, const char *part,
                          uint64_t line, struct str id, struct str reason);
/* Writes what is pending, so that `bytes` of the file are really there. False when that fails. */
bool import_report_flush(struct import_report *r);
void import_report_progress(struct import_report *r, const struct import_figures *f);
/* One line for people on stderr, and one of JSON on stdout when asked for. */
void import_report_summary(struct import_report *r, const struct import_figures *f, bool json);
/* A message on a line of its own. */
void import_report_say(struct import_report *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void import_report_close(struct import_report *r);

#endif
