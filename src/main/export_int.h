/* What the export's command and file (export.c) and its pages (export_pages.c) share. */
#ifndef MAIN_EXPORT_INT_H
#define MAIN_EXPORT_INT_H

#include "base/buf.h"
#include "main/export_state.h"

enum { STATEMENT_MAX = 1 << 20 };

struct export {
    struct request *request;
    struct arena *kept, *page; /* of the whole run; of the page at hand */
    const char *type, *from, *to, *context, *path;
    bool history, csv;
    int fd;
    const char *state_path;
    struct export_state state;
    struct buf last, entity, time; /* what the state's strings are of */
    uint64_t total;  /* entities there are; 0: unknown */
    bool header;     /* of CSV: is in the file */
    bool shown;      /* a progress bar */
    int64_t saved_us, started_us;
    uint64_t rows_before;
};

/* ---- export.c ---- */
/* Behind what the file has. */
MUST_USE enum status export_write(struct export *x, struct str s, struct why *why);
/* After each page: now and then, or at once, file and state are made durable. */
MUST_USE enum status export_pause(struct export *x, bool at_once, struct why *why);

/* ---- export_pages.c: what the state says is done is left out ---- */
MUST_USE enum status export_pages_type(struct export *x, struct str type, struct why *why);
/* All types, in order of names. */
MUST_USE enum status export_pages_types(struct export *x, struct why *why);
MUST_USE enum status export_pages_history(struct export *x, struct why *why);
/* How many entities there are to come, for the progress; 0 when that cannot be known. */
void export_pages_total(struct export *x);

#endif
