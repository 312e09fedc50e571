/* One statement at work, on one thread. */
#ifndef SQL_SESSION_H
#define SQL_SESSION_H

#include "sql/sql.h"
#include "sql/wait.h"

#include <sqlite3.h>

/* A table that a statement may name. */
struct session_table {
    struct str name; /* with a NUL behind it */
    uint32_t type;   /* TERM_NONE: of history */
    const struct sqlite3_module *module;
    struct session *session;
};

struct session {
    const struct sql_options *options;
    struct sql_call *call;
    struct wait *wait;
    struct arena *arena;   /* of the session */
    sqlite3 *db;
    int64_t deadline_us;   /* monotonic */
    bool declaring;        /* what is parsed is a table's declaration, not the statement */
    enum status status;    /* the first reason of ours why it fails, else OK; SQLite has its own */
    struct why why;
    struct session_table *tables; /* sorted by name, without regard to ASCII case */
    uint32_t table_count;
};

#define SESSION_READ_ONLY "only SELECT is allowed: what the city knows is changed through NGSI-LD alone"

/* Runs call's statement to its end. */
void session_run(const struct sql_options *o, struct sql_call *call, struct wait *w);
/* Notes a reason; SQLITE_ERROR for SQLite, with the text in *message unless that is NULL. */
int session_fail(struct session *s, char **message, enum status status, const struct why *why);
/* The same of the statement's own time or end; OK while it may go on. */
enum status session_check(struct session *s);
/* NULL: there is none of that name. */
const struct session_table *session_find(const struct session *s, const char *name);

/* Declares a table's columns, in xConnect. */
int session_declare(struct session *s, const char *create);

#endif
