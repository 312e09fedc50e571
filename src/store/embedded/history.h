/* History: every value that an attribute had stays, as a point of its series (CIM 009 clause 4.5.6).
 *
 *   a change is published → what it replaced goes, as items, into the tenant's recent table   history_capture.c
 *   a temporal edit is published → its items, too                                             history_edit.c
 *   a fold → groups are put into each entity's past; full series are sealed as chunks         history_fold.c
 *   now and then → what is older than may be goes                                         history_sweep.c
 *   a reader → past in the base + folding table + recent table + today's version              history_read.c
 *
 * What is current is in the version of today alone, so an entity that never changes costs no history. Nothing about
 * history is in memory but what the base has not got yet; that is bounded by "store.history_bytes", beyond which
 * a fold is asked for, and twice of which writers wait. */
#ifndef STORE_EMBEDDED_HISTORY_H
#define STORE_EMBEDDED_HISTORY_H

#include "base/buf.h"
#include "store/embedded/history_bound.h"
#include "store/embedded/history_sweep.h"
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>

struct base;
struct embedded;
struct pending;
struct tenant;

/* A thread that serves calls which read the disk. */
struct history_worker {
    struct embedded *e;
    pthread_t thread;
    bool running;
    pthread_mutex_t lock; /* below */
    pthread_cond_t wake;
    struct history_job *first, **last;
    bool stopping;
};

struct history {
    struct arena *scratch; /* the publishing thread's, as the next */
    struct buf items;
    _Atomic size_t bytes;  /* of recent and folding tables of all tenants */
    pthread_rwlock_t base_lock; /* the base stays open for who holds it for reading */
    struct history_worker reader, writer;
    struct sweep sweep;
    struct bound bound;
    _Atomic uint64_t points; /* captured or recorded since the start */
    _Atomic uint64_t sealed; /* chunks */
    _Atomic uint64_t damaged; /* chunks met that could not be read */
    _Atomic uint64_t heads_damaged; /* heads, the same */
    pthread_mutex_t told_lock;
    struct history_told *told; /* what the log says already */
    _Atomic uint64_t reads, chunks_read, chunks_summed, chunks_skipped;
};

void history_init(struct embedded *e);
MUST_USE enum status history_start(struct embedded *e, struct why *why);
/* Calls that wait are answered E_BUSY. */
void history_stop(struct embedded *e);
void history_free(struct embedded *e);
/* Fills out->history. Any thread. */
void history_stats(struct embedded *e, struct store_stats *out);

/* ---- history_capture.c; the publishing thread, the tenant's lock held ---- */
/* p replaces old, or deletes it; NULL: creates. */
void history_capture(struct embedded *e, struct tenant *t, const struct pending *p, const struct doc *old);
/* A history record. */
void history_note(struct embedded *e, struct tenant *t, const struct pending *p);
/* More is in memory than may be: the committer waits for a fold, and has asked for one. */
bool history_lags(struct embedded *e);

/* ---- history_fold.c; the fold's thread ---- */
/* What one tenant's recent table has becomes what this fold writes. The tenant's lock is held for writing. */
void history_take(struct tenant *t);
/* Writes it; before the tenant's entities. */
MUST_USE enum status history_write_part(struct embedded *e, struct tenant *t, struct why *why);
/* The base has it, or has not: it is recent again. The tenant's lock is held for writing. */
void history_settle(struct embedded *e, struct tenant *t);
void history_give_back(struct embedded *e, struct tenant *t);

/* ---- history_damage.c; any thread: each meeting counts, the log hears of each once ---- */
void history_tell_head(struct embedded *e, uint32_t tenant, struct str id);
/* So many open chunks. */
void history_tell_open(struct embedded *e, uint32_t tenant, struct str id, uint32_t chunks);
void history_tell_sealed(struct embedded *e, uint32_t tenant, struct str id, uint32_t term, const struct why *why);

/* ---- calls ---- */
bool history_evolve(struct store *s, struct store_evolve *v);
bool history_record(struct store *s, struct store_record *r);

#endif
