/* What the table of a type's entities (table_entity.c) and its filters (table_entity_filter.c) share. */
#ifndef SQL_TABLE_ENTITY_INT_H
#define SQL_TABLE_ENTITY_INT_H

#include "sql/table.h"

enum column_kind { COLUMN_ID, COLUMN_SCOPE, COLUMN_CREATED, COLUMN_MODIFIED, COLUMN_VALUE, COLUMN_OBSERVED };

struct column {
    struct str name;
    uint8_t kind;  /* enum column_kind */
    uint32_t term; /* of an attribute */
};

struct entities {
    struct table base; /* first */
    uint32_t type;
    uint64_t entities;
    uint32_t count;
    struct column *columns; /* in the session's arena */
};

/* What the store is asked for. */
struct entity_asked {
    struct arena *plan;    /* of the filter */
    struct filter *filter;
    uint64_t after, last;  /* rowids: behind, and up to; narrowed */
};
/* text: of xBestIndex; values: its arguments. */
void table_entity_filter(struct entity_asked *asked, const struct entities *t, struct str text, sqlite3_value **values);

#endif
