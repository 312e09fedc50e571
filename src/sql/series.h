/* Whose series a statement asks for, as the tables of history share it: their first four columns. */
#ifndef SQL_SERIES_H
#define SQL_SERIES_H

#include "sql/table.h"

enum series_column { SERIES_ENTITY, SERIES_TYPE, SERIES_ATTRIBUTE, SERIES_DATASET, SERIES_COLUMNS };

struct series_wanted {
    struct arena *plan; /* of what follows */
    struct str entity, above, type_name, attribute_name, dataset; /* absent: any; above: ids from there on */
    bool none;            /* nothing can be found */
    struct filter *types; /* NULL: any */
    uint32_t term;        /* with an attribute_name */
    struct str *ids;      /* that may be meant */
    uint32_t id_count;
};

/* What their cursors begin with. */
struct series_cursor {
    struct table_cursor base; /* first */
    struct series_wanted wanted;
    struct temporal_query time;
    uint32_t next;                /* ids from next on have not been read whole */
    uint32_t batch;               /* so many are read together */
    struct evolution *evolutions; /* in the page */
    uint32_t count;
    uint32_t e, s, p;             /* the row: evolution, series, its instance or period */
};

/* xBestIndex: is the store told of constraint i, on one of the columns? */
bool series_pushed(sqlite3_index_info *info, int i, enum push_op op);
/* What share of rows stays. */
double series_share(enum series_column column, enum push_op op);

/* xFilter: one constraint; then, behind the last, names and ids. An error code of SQLite's, with the reason told. */
void series_want(struct series_wanted *w, enum series_column column, enum push_op op, sqlite3_value *v);
int series_find(struct series_wanted *w, sqlite3_vtab *table, struct session *s);
/* The call that reads n of the ids from `first` on, into the arena; time, bounds and methods are left to set. */
struct store_evolve series_evolve(const struct series_wanted *w, struct session *s, uint32_t first, uint32_t n,
                                  struct arena *a);
/* Waits for it: SQLITE_OK also when there is nothing; v->evolution_count is set. */
int series_read(struct store_evolve *v, sqlite3_vtab *table, struct session *s);

/* Moves on to a row, if it stands at none. read: the page that follows, at its beginning, with no evolutions when all have
 * been read. */
int series_settle(struct series_cursor *c, int (*read)(struct series_cursor *c));
/* xEof. */
int series_eof(sqlite3_vtab_cursor *c);

void series_show(sqlite3_context *out, const struct session *s, const struct series_wanted *w, const struct evolution *e,
                 const struct series *series, enum series_column column);

#endif
