/* Rows of an answer, in one of three formats. */
#ifndef SQL_ROWS_H
#define SQL_ROWS_H

#include "sql/sql.h"

#include <sqlite3.h>

struct rows {
    uint8_t format; /* enum sql_format */
    sqlite3_stmt *statement;
    int columns;
    struct str *names; /* as they are written */
    struct buf *out;
    uint64_t count;
};

/* Before the first row. */
void rows_begin(struct rows *r, sqlite3_stmt *statement, enum sql_format format, struct arena *a, struct buf *out);
/* The one that the statement stands at. */
void rows_add(struct rows *r);
void rows_end(struct rows *r);

#endif
