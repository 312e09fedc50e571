/* SQL over the city, read-only: SQLite's engine over tables that are the store (docs/sql.md).
 *
 *   sql.c            threads and the statements that wait for them
 *   session.c        one statement, from its text to its rows; guard.c what it may do and how much
 *   table.c          what the tables share; table_entity.c one for each type; table_history.c,
 *                    table_history_periods.c; series.c what these two share
 *   rows.c           rows as JSON, CSV, JSON lines
 *   wait.c           a thread waits for the store
 *
 * Nothing runs on the caller's thread; there are no threads before the first statement. */
#ifndef SQL_SQL_H
#define SQL_SQL_H

#include "base/buf.h"
#include "base/json.h"
#include "model/context.h"
#include "store/store.h"

#include <stdatomic.h>

struct sql;

struct sql_options {
    struct store *store;
    struct terms *terms;
    uint32_t threads;      /* statements at a time, "sql.threads" */
    uint32_t waiting_max;  /* statements that wait, "limits.sql_waiting" */
    int64_t time_us;       /* of one statement, from its start, "limits.sql_seconds" */
    uint64_t rows_max;     /* of an answer, "limits.sql_rows" */
    size_t bytes_max;      /* of an answer, "limits.answer_bytes" */
    size_t memory_max;     /* of the engine, all statements together, "limits.sql_memory" */
    size_t text_max;       /* of a statement, "limits.sql_bytes" */
    uint32_t periods_max;  /* of one aggregation of history, "limits.aggregation_periods" */
    uint32_t values_max;   /* different ones of it, "limits.aggregation_values" */
};

/* SQL_ARRAYS: [[1,"a"],…]; SQL_TABLE: {"type":"table","columns":[{"text":"n"},…],"rows":[[1,"a"],…]} */
enum sql_format { SQL_JSON, SQL_CSV, SQL_LINES, SQL_ARRAYS, SQL_TABLE };

struct sql_call {
    struct task task;
    struct runner *home;  /* where done is called, never inside sql_start() */
    void (*done)(struct sql_call *call);
    struct caller caller; /* what it points to lives until done; so do the next three */
    struct context *context; /* of names */
    struct str text;
    const struct json *parameters; /* an array for ?, an object for :name; NULL: none */
    uint8_t format;       /* enum sql_format */
    /* out */
    enum status status;
    struct why why;
    struct buf body;      /* the caller's when status is OK */
    uint64_t rows;
    /* private */
    struct sql_call *next;
    atomic_bool cancelled;
};

/* Caller owns. */
struct sql *sql_new(const struct sql_options *o);
void sql_start(struct sql *q, struct sql_call *call);
/* done is called soon, with E_CANCELLED unless it was on its way. Any thread, before done. */
void sql_cancel(struct sql_call *call);

struct sql_stats {
    uint64_t statements, refused, rows, running; /* totals, but for the last */
};
void sql_stats(struct sql *q, struct sql_stats *out);

/* Cancels all there is and ends the threads; callers' runners must still run. NULL is fine. */
void sql_stop(struct sql *q);
/* After sql_stop(). NULL is fine. */
void sql_free(struct sql *q);

#endif
