/* The past of one entity as the base keeps it: a head, with what is not sealed yet of each series as an open chunk in it,
 * and sealed chunks under keys of their own. In memory while groups are put into it, for a fold or for a reader.
 *
 * An instance that a change of the entity replaced comes with ITEM_REPLACED, from the version before; that of today is
 * in today's version alone. A series' `taken`, and the head's, say up to which change such instances have been dealt with
 * otherwise: modified or removed by themselves while they were current. */
#ifndef STORE_EMBEDDED_HISTORY_PAST_H
#define STORE_EMBEDDED_HISTORY_PAST_H

#include "model/retention.h"
#include "store/embedded/history_item.h"

/* Under a key of its own, and not there any more: dropped, or modified (then there is a point for it). */
struct past_edit {
    uint64_t seq;
    uint32_t index;
};

struct past_series {
    uint32_t term;
    struct str dataset;
    uint64_t taken;
    uint32_t sealed; /* chunks of its own in the base */
    uint64_t kept[RETENTION_LEVEL_COUNT]; /* aggregates of instances that are no more (history_kept.h) */
    uint32_t open_count; /* instances in `open` */
    bool emptied;    /* these are to go: the series was dropped */
    bool touched;    /* it is not as it was read */
    bool opened;     /* points holds what `open` had, too */
    bool rebuilt;    /* known by its sealed chunks alone: the head is damaged there */
    struct str open; /* chunks, each behind its length, as they were read; n 0: none */
    struct point *points; /* in no order */
    uint32_t count, room;
    struct str *damaged; /* open chunks that could not be read */
    uint32_t damaged_count, damaged_room;
    struct past_edit *edits; /* of sealed instances; sealed must be > 0 */
    uint32_t edit_count, edit_room;
};

/* Is the entity among those that the base lists as known by their past? */
enum past_listed { PAST_LISTED_UNKNOWN, PAST_NOT_LISTED, PAST_LISTED };

enum { PAST_TAIL_BYTES = 512 }; /* of groups behind a head, before they are put in */

struct past {
    struct arena *arena;
    uint8_t listed;       /* enum past_listed, as read */
    uint32_t term_max;
    uint64_t applied;     /* change of the last group put in */
    uint64_t taken;
    uint32_t chunks_made; /* in all; the next one's number */
    int64_t expires_at;   /* the evolution's own; TIME_NONE: none */
    int64_t created_at, modified_at, deleted_at; /* of the entity, once it was gone or if it never was; else TIME_NONE */
    uint32_t type_count;
    uint32_t *types;
    struct past_series *series; /* by term and dataset */
    uint32_t count, room;
    uint32_t damaged; /* open chunks that could not be read: their instances are missing */
    bool lost;        /* the entity's own fields of the head could not be read */
    bool series_lost; /* nor could all of its series */
};

/* Empty. All it holds will be in the arena, or borrowed from what is read and put in. */
void past_init(struct past *p, uint32_t term_max, struct arena *a);
/* Bytes of a head. E_DAMAGED: p then has all that can be read, and says what is lost. */
MUST_USE enum status past_read(struct past *p, struct str bytes, struct why *why);
/* With p->listed, and no tail. */
void past_write(struct buf *b, const struct past *p);

/* A head in its parts: groups can be put behind its tail without a look at its body. */
struct past_head {
    uint8_t listed;  /* enum past_listed */
    struct str tail; /* groups that are not put in */
    struct str body; /* absent when it cannot be told where it begins */
};
/* E_DAMAGED: but for the body, if that is there. */
MUST_USE enum status past_head_read(struct past_head *h, struct str bytes, struct why *why);
/* With more behind the tail, PAST_TAIL_BYTES at most together. */
void past_head_write(struct buf *b, const struct past_head *h, struct str more);
void past_write_body(struct buf *b, const struct past *p);
/* A whole head of version 1, which does not begin with a 0. False: it is none, and p is to be made empty again. */
bool past_read_old(struct past *p, struct str bytes);
/* Parts of heads of both versions, taken off the front of *bytes; false: cut off, or unknown terms. */
bool past_take_time(struct str *bytes, int64_t *out);
bool past_take_types(struct past *p, struct str *bytes, uint64_t count);
/* A head that cannot be read at all. */
void past_lose(struct past *p);
/* Puts in every group behind p->applied. E_DAMAGED. */
MUST_USE enum status past_apply(struct past *p, struct str groups, struct why *why);
/* Drops all if the evolution has ended (4.22): true then. */
bool past_end(struct past *p, int64_t now_us);
/* One that is there from now on. What past_find() gave before is no longer valid. */
struct past_series *past_series(struct past *p, uint32_t term, struct str dataset);
/* NULL: none. */
struct past_series *past_find(const struct past *p, uint32_t term, struct str dataset);
/* Makes points of the open chunks. One that is damaged counts in p->damaged, and is kept apart. */
void past_open(struct past *p, struct past_series *s);
/* Takes a chunk off the front of what a series has open; false: there is none. */
bool past_next_open(struct str *open, struct str *chunk);
/* Nothing is left to keep. */
bool past_is_empty(const struct past *p);
/* Change up to which instances of the entity's versions do not count. */
uint64_t past_taken(const struct past *p, const struct past_series *s);
bool past_has_kept(const struct past_series *s);
/* Was that sealed instance dropped or modified? */
bool past_edited(const struct past_series *s, uint64_t seq, uint32_t index);

#endif
