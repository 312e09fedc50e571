/* The embedded store's own parts, for its own files. Locks, in the order in which one thread
 * may take them: writers' lock (commit.lock) → publish_lock → a tenant's lock → journal, reclaim.
 */
#ifndef STORE_EMBEDDED_EMBEDDED_INT_H
#define STORE_EMBEDDED_EMBEDDED_INT_H

#include "store/embedded/commit.h"
#include "store/embedded/embedded.h"
#include "store/embedded/embedded_io.h"
#include "store/embedded/fold.h"
#include "store/embedded/history.h"
#include "store/embedded/journal.h"
#include "store/embedded/upkeep.h"

struct embedded {
    struct store store;
    struct embedded_options o;
    char *dir;
    const struct embedded_io *io;
    struct terms *terms;
    uint64_t store_id;
    int lock_fd;
    struct reclaim *reclaim;
    struct journal *journal;
    _Atomic(struct tenants *) tenants; /* replaced by the committer */
    struct store_listener *listeners;
    _Atomic uint64_t committed_seq;
    struct blocks blocks;       /* versions on their way included */
    _Atomic size_t table_bytes; /* tables and indexes, as last counted */
    _Atomic bool disk_low;      /* less free than the reserve */
    size_t queue_bytes_max;
    struct commit commit;
    struct upkeep upkeep;
    struct fold fold;
    struct history history;
    uint64_t fold_segments; /* of the log, that are worth a fold */
    pthread_mutex_t
        publish_lock; /* held while a group is published: between groups, all is of one moment */
    uint64_t published_segment; /* of the log, of the last group published */
    uint32_t *dropped;          /* tenants deleted since the last fold began; under publish_lock */
    uint32_t dropped_count, dropped_room;
    _Atomic uint64_t
        folding_seq; /* the last fold began behind this change; the base holds nothing younger */
    _Atomic uint64_t queries, candidates, visited;
};

static inline struct embedded *embedded_of(struct store *s)
{
    return (struct embedded *)s;
}

/* ---- embedded.c ---- */
/* Empty, with the default tenant; no file is touched, no thread started. */
struct embedded *embedded_new(struct terms *terms, const struct embedded_options *o);
void embedded_free(struct embedded *e);

/* ---- backup.c ---- */
MUST_USE enum status backup_make(struct store *s, const char *dir, struct why *why);

/* ---- publish.c: a committed change becomes visible ---- */
/* Under publish_lock; locks tenants itself. Fills in `before`. */
void publish_group(struct embedded *e, struct pending *first);
/* A tenant's number whose keys the base is to drop. Under publish_lock. */
void publish_dropped(struct embedded *e, uint32_t id);
/* Tells the listeners. */
void publish_tell(struct embedded *e, struct pending *first);
/* Retires the versions that publication replaced; frees the chain. */
void publish_retire(struct embedded *e, struct pending *first);
/* Frees a chain that will never be published; its versions may have been seen as heads. */
void publish_discard(struct embedded *e, struct pending *first);

/* ---- write.c ---- */
bool write_apply(struct store *s, struct store_apply *a);
bool write_put(struct store *s, struct store_put *p);
bool write_tenant_delete(struct store *s, struct store_tenant_delete *d);
/* Starts a call: is writing possible, and which tenant is meant? NULL with OK: one that is to be made. The writers' lock is
 * held, as for the next. */
MUST_USE enum status write_begin(struct embedded *e, struct str name, bool create, struct tenant **t, bool *ahead,
                                 struct why *why);
/* Makes the tenant, because its first entity, document or history comes. */
struct tenant *write_make_tenant(struct embedded *e, struct op *op, struct str name, int64_t at_us);

/* ---- read.c ---- */
bool read_get(struct store *s, struct store_get *g);
bool read_list(struct store *s, struct store_list *l);
/* The committed tenant, or NULL and E_NO_TENANT in call. Borrowed while online. */
struct tenant *read_tenant(struct embedded *e, struct str name, struct store_call *call);
/* Wall time by which reads decide what has expired. */
int64_t read_now(struct embedded *e);
/* Has something in d ended, or d itself? */
static inline bool read_is_over(const struct doc *d, int64_t now_us)
{
    return doc_expires_at(d) != TIME_NONE && doc_expires_at(d) <= now_us;
}
/* d without what has expired (4.22): d itself, a copy in a, or NULL when nothing is left. */
const struct doc *read_seen(const struct doc *d, int64_t now_us, struct arena *a);
/* For filters that follow relationships. */
struct read_env {
    struct filter_env env;
    struct tenant *tenant;
    int64_t now_us;
};
void read_env_init(struct read_env *env, struct tenant *t, int64_t now_us, struct arena *scratch);

/* ---- query.c ---- */
bool query_run(struct store *s, struct store_query *q);

/* ---- discover.c ---- */
bool discover_run(struct store *s, struct store_census *c);

/* ---- upkeep.c ---- */
/* Asks for indexes of the values of these attributes, which a query would have used. Any thread. */
void upkeep_want_values(struct embedded *e, struct tenant *t, const uint32_t *terms, uint32_t n);

#endif
