/* What the tables share: values as SQLite has them, times that compare as times, and the text that tells
 * EXPLAIN QUERY PLAN, and later xFilter, what was handed to the store. */
#ifndef SQL_TABLE_H
#define SQL_TABLE_H

#include "model/evolution.h"
#include "sql/session.h"

/* Declares the collation TIME: texts that are times compare as these, before all that are none. */
void table_set(sqlite3 *db);
extern const sqlite3_module TABLE_ENTITY, TABLE_HISTORY, TABLE_HISTORY_PERIODS; /* pAux: a struct session_table */

/* ---- tables and cursors ---- */

struct table {
    sqlite3_vtab base; /* first */
    struct session *session;
    size_t cursor_bytes; /* of its cursors, each of which begins with a struct table_cursor */
};
/* A table whose columns are always the same: what xConnect does; and xDisconnect of any. */
int table_connect_declared(void *aux, const char *declaration, size_t cursor_bytes, sqlite3_vtab **out);
int table_disconnect(sqlite3_vtab *v);

/* What a cursor begins with. */
struct table_cursor {
    sqlite3_vtab_cursor base; /* first */
    struct arena *plan, *page; /* of the statement's conditions; of the rows at hand */
};
/* xOpen and xClose of any. */
int table_cursor_open(sqlite3_vtab *v, sqlite3_vtab_cursor **out);
int table_cursor_close(sqlite3_vtab_cursor *c);
/* xFilter: as it was opened. */
void table_cursor_reset(sqlite3_vtab_cursor *c);

/* Entities of that type; TERM_NONE: of one that nobody has. */
struct filter *table_type_filter(struct arena *a, const struct session *s, uint32_t type);

/* ---- results ---- */

void table_text(sqlite3_context *out, struct str s);
void table_time(sqlite3_context *out, int64_t us); /* TIME_NONE: null */
/* Booleans are 1 and 0, structures JSON text, names of a vocabulary compact. */
void table_value(sqlite3_context *out, const struct session *s, const struct attr *a);

/* ---- what is handed to the store ---- */

/* Operators of constraints, and of a column that must not be null. */
enum push_op { PUSH_EQ, PUSH_LE, PUSH_LT, PUSH_GE, PUSH_GT, PUSH_HAS, PUSH_OPS };

struct push {
    struct str column;
    uint8_t op; /* enum push_op */
};

/* xBestIndex: the op of constraint i as the store may be asked, PUSH_OPS when it may not. */
enum push_op push_op_of(const sqlite3_index_info *info, int i);
/* Does constraint i compare bytes, or times? */
bool push_compares(sqlite3_index_info *info, int i, const char *collation);
/* Appends "column<=" to text. */
void push_write(struct buf *text, struct str column, enum push_op op);
/* Takes the next off *text. False at the end. */
bool push_read(struct str *text, struct push *out);
/* text becomes info->idxStr. */
int push_take(struct buf *text, sqlite3_index_info *info);

/* A range of times, narrowed by one constraint after another: [from, to). */
struct push_range {
    int64_t from_us, to_us;
};
/* A value that is no time narrows nothing. */
void push_time(struct push_range *r, enum push_op op, sqlite3_value *v);

#endif
