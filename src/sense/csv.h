/* Rows of a CSV text (RFC 4180), one at a time, over bytes in memory.
 *
 * Quoted fields may hold delimiters, line ends and doubled quotes; a byte order
 * mark is skipped; lines end in LF or CRLF; blank lines are skipped. A row that
 * breaks the rules is reported with its line and reading goes on behind it: a
 * quote that is never closed costs its own line, not the rest of the file. */
#ifndef SENSE_CSV_H
#define SENSE_CSV_H

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

#include <stdint.h>

struct csv_limits {
    size_t row_bytes_max;
    uint32_t fields_max;
};

struct csv_row {
    struct str *fields; /* borrowed from the text or the reader until the next row */
    uint32_t count;
    uint64_t line; /* of the row's first byte, from 1 */
    size_t offset; /* of the row's first byte */
};

struct csv {
    struct str text;
    char delimiter;
    struct csv_limits limits;
    size_t at;     /* where the next row begins */
    uint64_t line; /* and its line */
    struct str *fields;
    struct buf unquoted; /* fields with doubled quotes, unescaped */
};

enum csv_step { CSV_ROW, CSV_BAD, CSV_END };

/* text is borrowed. Free with csv_free(). */
void csv_init(struct csv *c, struct str text, char delimiter, const struct csv_limits *limits);
void csv_free(struct csv *c);
/* CSV_BAD: row->line and row->offset say where, why says what; the next call goes on behind it. */
enum csv_step csv_next(struct csv *c, struct csv_row *row, struct why *why);
/* Goes on at a row that begins at offset and line (as told by an earlier csv_row or csv.at). */
void csv_seek(struct csv *c, size_t offset, uint64_t line);

#endif
