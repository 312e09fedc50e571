/* The embedded store: state and indexes in memory, every change in a log before it
 * is acknowledged, folded in the background into RocksDB. */
#ifndef STORE_EMBEDDED_EMBEDDED_H
#define STORE_EMBEDDED_EMBEDDED_H

#include "model/growth.h"
#include "model/terms.h"
#include "store/store.h"

enum embedded_durability {
    EMBEDDED_SYNC,     /* every group synced before it is acknowledged */
    EMBEDDED_INTERVAL, /* synced every interval_ms; a crash of the machine may lose that much */
};

struct embedded_options {
    const char *dir;
    enum embedded_durability durability;
    uint32_t interval_ms;
    size_t segment_bytes; /* of the log */
    size_t log_bytes_max; /* "store.log_bytes": writes wait, or are refused, beyond */
    size_t group_bytes_max;
    size_t state_bytes_max;     /* "store.state_bytes"; 0: three quarters of machine_memory() */
    size_t disk_reserve_bytes;  /* creations are refused when less is free: "store.disk_reserve" */
    uint32_t tenants_max;       /* "limits.tenants" */
    struct growth_limits growth; /* of an entity by edits */
    size_t history_bytes_max;    /* "store.history_bytes": of history that the base has not got yet; 0: the default */
    uint32_t value_indexes_max; /* ordered indexes on attributes that queries use */
    uint32_t visit_slice;       /* candidates looked at before a long query yields to its loop */
    struct clock *clock;
    struct store_listener *listeners; /* that are told of what happened since the last fold, too; NULL: none */
    const struct embedded_io *io; /* NULL: the operating system; tests put faults here */
};

/* Opens (and creates) the data directory, recovers, loads. terms is filled with the stored terms
 * and from then on logged by the store. E_DAMAGED names segment and offset; E_CONFLICT when another
 * process holds the lock. */
MUST_USE enum status embedded_open(struct store **out, struct terms *terms,
                                   const struct embedded_options *o, struct why *why);

/* Offline: verifies every record and index of dir; writes what it found to report. */
struct embedded_report {
    uint64_t entities, documents, segments, groups, records, terms, errors;
};
MUST_USE enum status embedded_check(const char *dir, struct embedded_report *report,
                                    void (*error)(void *arg, const char *text), void *arg,
                                    struct why *why);
/* Restores a backup made by store_backup into an absent or empty dir. */
MUST_USE enum status embedded_restore(const char *from, const char *dir, struct why *why);

#endif
