/* What the writing and the reading side of the log share: layouts and names. */
#ifndef STORE_EMBEDDED_JOURNAL_INT_H
#define STORE_EMBEDDED_JOURNAL_INT_H

#include "store/embedded/journal.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

/* Bytes that no UTF-8 text contains, so that no stored string looks like a group. */
#define JOURNAL_GROUP_MAGIC 0xF847571Fu
#define JOURNAL_FILE_MAGIC "\x89WSLOG\r\n"
enum { JOURNAL_VERSION = 1, JOURNAL_HEADER = 64, JOURNAL_GROUP_HEADER = 48 };

/* At the start of a segment. */
struct journal_file {
    char magic[8];
    uint32_t version;
    uint32_t crc; /* CRC-32C of the bytes behind it, up to JOURNAL_HEADER */
    uint64_t segment;
    uint64_t store_id;
    uint64_t before_end; /* length of the segment before this one; 0: there was none */
    uint64_t zero[3];
};

/* In front of a group's records. */
struct journal_group {
    uint32_t magic;
    uint32_t crc;    /* CRC-32C of the bytes behind it, to the group's end */
    uint32_t length; /* with this header; a multiple of 8 */
    uint32_t count;  /* records */
    uint64_t segment;
    uint64_t offset; /* of this header in its segment */
    uint64_t synced; /* bytes of the segment known to be durable when this was written */
    uint64_t store_id;
};

struct journal {
    const struct embedded_io *io;
    char *dir;
    uint64_t store_id;
    size_t segment_bytes;
    uint64_t from; /* first segment to be read; older ones are waiting to be trimmed */

    /* the writer's */
    bool failed;
    int fd;            /* of the segment being written, -1: none */
    uint64_t capacity; /* bytes allocated to it */
    char *group;       /* being gathered; its header comes first */
    size_t group_bytes, group_cap;
    uint32_t group_count;

    /* written by the writer, read by others */
    _Atomic uint64_t segment; /* being written, or the last one found */
    _Atomic uint64_t end;     /* bytes written to it */
    _Atomic uint64_t synced;  /* of these, durable */
    _Atomic uint64_t groups, syncs;

    pthread_mutex_t lock; /* below */
    uint64_t first;       /* oldest segment there is; segment + 1: none */
    uint32_t stocked;     /* files that are ready to become a segment */

    int stock_fd;       /* of the file being prepared, -1: none; the preparing thread's, as the next */
    uint64_t stock_end; /* bytes written to it */
};

#define JOURNAL_STOCK "stock"
enum { JOURNAL_STOCK_MAX = 4 };

/* ---- journal_stock.c ---- */
/* What an earlier process left goes. */
void journal_stock_clear(struct journal *j);
/* Takes a file out of stock under the name `next`: from then on nobody else touches it. */
bool journal_stock_take(struct journal *j, const char *next);
/* Forgets the file being prepared. */
void journal_stock_drop(struct journal *j);

/* Path of segment n, or of a file of another name when name is not NULL. */
void journal_path(const struct journal *j, uint64_t n, const char *name, char out[PATH_MAX]);
/* Finds first and last segment. */
MUST_USE enum status journal_list(struct journal *j, uint64_t from, struct why *why);

#endif
