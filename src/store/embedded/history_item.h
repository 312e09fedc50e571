/* What a change did to a temporal evolution, as bytes: the block of a history record of the log, and what is kept in memory
 * of all changes until a fold writes it into the base. docs/formats/history.md.
 *
 * The items of one change are a group. An evolution takes groups in the order of their changes, each once: it knows the
 * last one it took, so to offer a group again does nothing. */
#ifndef STORE_EMBEDDED_HISTORY_ITEM_H
#define STORE_EMBEDDED_HISTORY_ITEM_H

#include "model/evolution.h"

enum item_kind {
    ITEM_POINT = 1,   /* an instance, of this change unless it says another */
    ITEM_REPLACED,    /* an instance that was current until now, when the entity got another in its place */
    ITEM_MODIFY,      /* an instance instead of the one with its change and index */
    ITEM_SETTLED,     /* term, dataset, change: the entity's instance of that change is in the past, for all that it changes */
    ITEM_DROP_POINT,  /* term, dataset, change, index */
    ITEM_DROP_SERIES, /* term, dataset: with all instances until now */
    ITEM_DROP_ALL,    /* the whole evolution until now */
    ITEM_TYPES,       /* types it has, too */
    ITEM_GROWN,       /* at a time, instances and types were added: that is its beginning, if it has none yet */
    ITEM_LIFE,        /* when the entity was made, modified last and deleted */
    ITEM_EXPIRES,     /* when the evolution ends (4.22) */
    ITEM_KIND_COUNT
};

struct item {
    uint8_t kind; /* enum item_kind */
    struct point point;  /* POINT, REPLACED, MODIFY; attr.seq 0: of this change */
    uint32_t term;       /* DROP_… */
    struct str dataset;
    uint64_t seq;        /* SETTLED, DROP_POINT */
    uint32_t index;
    bool current;        /* MODIFY, DROP_POINT: it was the entity's of today */
    uint32_t type_count; /* TYPES, GROWN */
    uint32_t *types;
    int64_t expires_at;  /* EXPIRES */
    int64_t created_at, modified_at, deleted_at; /* LIFE; TIME_NONE: unknown, or not deleted. GROWN: modified_at alone */
};

void item_write(struct buf *b, const struct item *i);
/* Takes one off the front of *bytes; borrows from there, the rest is in the arena. E_DAMAGED. */
MUST_USE enum status item_read(struct str *bytes, uint32_t term_max, struct arena *a, struct item *out, struct why *why);
/* All of them. */
MUST_USE enum status items_check(struct str bytes, uint32_t term_max, struct why *why);

/* Takes a group off the front of *bytes: its change and its items. recent_add() writes them. */
MUST_USE enum status group_read(struct str *bytes, uint64_t *seq, struct str *items, struct why *why);

#endif
