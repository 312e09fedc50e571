/* The contract of a store: current state and, later, history, kept in memory by
 * store/embedded or in a database across the network. Small on purpose; one test
 * suite judges every implementation.
 *
 * Calls are made on a loop's thread and complete at once (the function returns
 * true; `done` is never called) or later (false; `done` is called once, on the
 * caller's runner, never inside the call). What a call points to must live until it
 * completes. Results that are borrowed from the store stay valid until the thread
 * next waits for events.
 *
 * A write completes once it is durable and visible; nobody reads what a crash could
 * undo. Sequences are assigned in commit order and never reused.
 *
 * What has expired (clause 4.22) is not there from that moment on, for reads and writes, found
 * or counted; its deletion is a change, made when it is swept away or its id taken again. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "base/status.h"
#include "base/task.h"
#include "model/doc.h"
#include "model/edit.h"
#include "model/filter.h"
#include "model/retention.h"
#include "model/temporal.h"

#include <stdbool.h>
#include <stdint.h>

struct store;

/* Who asks. Every call carries one; today everything is allowed. */
struct caller {
    struct str tenant;           /* "" is the default tenant */
    struct str subject;          /* who, for logs and permissions; may be empty */
    const struct filter *filter; /* ANDed to whatever is asked; NULL: none */
};

/* The part that all calls share. */
struct store_call {
    struct task task;        /* the store's while the call runs */
    struct runner *home;     /* where done is called */
    int64_t deadline_us;     /* monotonic; 0: none. Later completion is E_TIMEOUT; a write may still happen */
    enum status status;      /* of the whole call */
    struct why why;          /* when status != OK */
    void (*done)(struct store_call *call);
    bool cancelled;          /* set by store_cancel */
    void *impl;
};

/* ---- entities ---- */

struct store_apply {
    struct store_call call;
    const struct caller *caller;
    const struct edit *edits; /* run in order, each on its own; edits of one id see one another */
    uint32_t count;
    struct edit_result *results; /* one each, array given by the caller; filled by completion */
    struct arena *arena;      /* for results; the store may use it until completion */
    bool create_tenant;       /* operations that create things make the tenant (5.5.10), others get E_NO_TENANT */
    int64_t now_us;           /* wall time of the change, µs; all edits of the call share it */
};
bool store_apply(struct store *s, struct store_apply *a);

struct store_get {
    struct store_call call;
    const struct caller *caller;
    struct str id;
    const struct doc *doc; /* NULL when status is E_NOT_FOUND. Borrowed */
};
bool store_get(struct store *s, struct store_get *g);

/* What a query did, counted where it happens. */
struct store_explain {
    const char *index;     /* "type", "id", "geo", "attribute", "value", "scope", "scan" */
    uint64_t candidates;   /* in the smallest set found */
    uint64_t visited;      /* documents looked at */
    uint64_t matched;
};

struct store_query {
    struct store_call call;
    const struct caller *caller;
    const struct filter *filter; /* NULL: everything */
    const struct order *order;   /* NULL: order of creation */
    uint64_t after_seq;          /* cursor: only entities created after this sequence; 0: from the start */
    uint64_t offset;
    uint32_t limit;              /* 0 with count: only the number */
    bool count;                  /* total wanted */
    struct arena *arena;
    uint32_t visit_max;          /* give up with E_TOO_COMPLEX beyond; 0: none */
    /* out */
    const struct doc **docs;     /* borrowed docs, array in the arena */
    uint32_t doc_count;
    uint64_t total;              /* when count */
    bool more;                   /* there are entities behind this page */
    struct store_explain explain;
};
bool store_query(struct store *s, struct store_query *q);

/* What entities are made of (clauses 5.7.5 … 5.7.10). */
struct store_name {
    uint32_t term;
    uint64_t count;          /* entities of a type, instances of an attribute */
    uint32_t kinds;          /* of an attribute: STORE_KIND_BIT of each kind that an instance has */
    struct store_name *with; /* with details: the attributes that entities of a type have, counted and with their kinds
                                there; the types of the entities that have an attribute, counted by its instances */
    uint32_t with_count;
};
#define STORE_KIND_BIT(kind) (UINT32_C(1) << (kind))

/* Which types, or which attributes, entities have. The work is proportional to the answer, not to the entities, but
 * for those that have ended and are not swept away yet, and but for a caller with a filter. */
struct store_census {
    struct store_call call;
    const struct caller *caller;
    bool attributes; /* else types */
    bool details;    /* what they occur with is wanted */
    uint32_t term;   /* this one alone, else E_NOT_FOUND; TERM_NONE: all */
    int64_t now_us;  /* wall time; what has ended by then does not count */
    struct arena *arena;
    /* out, in no order */
    struct store_name *names;
    uint32_t count;
    uint64_t visited; /* names, pairs of them and entities looked at */
};
bool store_census(struct store *s, struct store_census *c);

/* ---- history ---- */

/* Temporal evolutions (clauses 5.7.3, 5.7.4): what changes of entities left behind and what store_record() added, the
 * instances of today among them. Reads the disk, so it mostly completes later. */
struct store_evolve {
    struct store_call call;
    const struct caller *caller;
    struct str id;               /* present: this one alone, else E_NOT_FOUND */
    const struct filter *filter; /* which entities: ids, patterns, types; NULL: all */
    const struct filter *values; /* q and geo queries: some instances in the time asked about match; NULL: any */
    const struct scope_expr *scopes; /* scope query: scopes that were valid in the time asked about match, and only instances
                                        of when they were valid are meant (model/scope_span.h); NULL: any */
    const struct temporal_query *time;
    const uint32_t *terms; /* attributes wanted, sorted; NULL: all. An entity without an instance of one of them in the */
    uint32_t term_count;   /* time asked about is not found by a query */
    bool no_scope;         /* with terms: the scope is not wanted */
    const uint32_t *unshown; /* attributes, sorted, that are not shown: of these it only matters whether there is an instance; */
    uint32_t unshown_count;  /* they are not read when another has one */
    bool all_unshown;        /* all are but the scope */
    const struct str *datasets; /* datasetIds wanted; "@none" is the default instance; NULL: all */
    uint32_t dataset_count;
    uint64_t points_max;   /* instances in the whole answer, at most, but for those of one time; beyond, it is partial */
    uint32_t buckets_max;  /* periods of an aggregation */
    uint32_t distinct_max; /* different values of all of them, for distinctCount; 0: any number */
    uint64_t offset;
    uint32_t limit;        /* entities; 0 with count: only the number */
    bool count;
    const struct order *order;  /* of ids alone; NULL: by code points */
    const struct str *among;    /* these alone, and in this order, be they found; NULL: all */
    uint32_t among_count;
    bool ids_alone;         /* nothing of them is read: evolutions have ids, of all entities that may be meant and of others */
    struct arena *arena;
    /* out, in the arena */
    struct evolution *evolutions;
    uint32_t evolution_count;
    uint64_t total; /* when count */
    bool more;
    bool unshown_found; /* with id: an attribute that is not shown has an instance in the time asked about, and no other has */
    bool *missed;   /* with among, for each: it was looked at, and is not found */
    bool partial;   /* instances were left out: later ones, or with last_n earlier ones, than … (6.3.10) */
    int64_t first_us, last_us; /* times, of the property asked about, of the earliest and latest instance in the answer */
    struct {
        uint64_t entities, chunks_read, chunks_summed, chunks_skipped, points;
    } explain; /* looked at */
};
bool store_evolve(struct store *s, struct store_evolve *v);

enum record_edit_kind {
    RECORD_EDIT_UPSERT,          /* 5.6.11: makes the evolution, or adds instances and types */
    RECORD_EDIT_ADD,             /* 5.6.12: the same to one that is there, else E_NOT_FOUND */
    RECORD_EDIT_DELETE_ATTR,     /* 5.6.13: instances of dataset, or all */
    RECORD_EDIT_MODIFY_INSTANCE, /* 5.6.14 */
    RECORD_EDIT_DELETE_INSTANCE, /* 5.6.15 */
    RECORD_EDIT_DELETE,          /* 5.6.16: the whole evolution */
    RECORD_EDIT_MARK_DELETED,    /* 5.6.5, 5.6.6 of an entity that is known by its evolution alone: it, or the attribute
                                    `term`, ends now; a point with deletedAt says so */
    RECORD_EDIT_COPY,            /* 5.16: makes the evolution, or adds types and instances as they are, with their changes,
                                    numbers and times, and the entity's times; those that it has already are the caller's
                                    to leave out */
};

/* A change of evolutions themselves. The entities of today stay as they are. */
struct record_edit {
    uint8_t kind; /* enum record_edit_kind */
    struct str id;
    const struct evolution *fragment; /* UPSERT, ADD; MODIFY_INSTANCE: one series of one point. seq, index and system
                                         times are the store's, but for COPY */
    uint32_t term; /* DELETE_ATTR …; MARK_DELETED: TERM_NONE with whole, the entity */
    bool whole;    /* MARK_DELETED: the entity, not its scope (TERM_SCOPE) */
    struct str dataset;
    bool all_datasets;
    uint64_t instance_seq; /* …_INSTANCE: of instance_id_read() */
    uint32_t instance_index;
    struct str instance_id; /* the same as given, to be compared whole */
};
struct record_result {
    enum status status;
    struct why *why; /* in the arena when status != OK */
    bool created;
    uint64_t seq;
};
struct store_record {
    struct store_call call;
    const struct caller *caller;
    const struct record_edit *edits; /* run in order, each on its own */
    uint32_t count;
    struct record_result *results; /* one each, array given by the caller */
    struct arena *arena;
    bool create_tenant;
    bool blind;    /* UPSERTs alone, and results need not say whether they created anything: nothing is looked up */
    int64_t now_us;
};
bool store_record(struct store *s, struct store_record *r);

/* Gives up waiting: done is called soon with E_CANCELLED, unless it was on its way. */
void store_cancel(struct store *s, struct store_call *call);

/* ---- documents of a kind: subscriptions, registrations, contexts, snapshots, rules … ---- */

enum store_kind {
    STORE_CONTEXT = 1,
    STORE_SUBSCRIPTION,
    STORE_REGISTRATION,
    STORE_SNAPSHOT,
    STORE_ENTITY_MAP,
    STORE_SETTING,
    STORE_SUBSCRIPTION_STATE, /* what became of a subscription's notifications; "": how far all have come */
    STORE_REGISTRATION_SUBSCRIPTION,
    STORE_REGISTRATION_SUBSCRIPTION_STATE, /* what became of its notifications */
    STORE_KIND_COUNT
};

struct store_put {
    struct store_call call;
    const struct caller *caller;
    uint8_t kind; /* enum store_kind */
    struct str key;
    struct str bytes;   /* absent: delete */
    bool only_absent;   /* else E_EXISTS */
    bool only_present;  /* else E_NOT_FOUND */
    uint64_t only_seq;  /* 0: whatever is there; else that of the document there, or E_CONFLICT */
    bool create_tenant;
};
bool store_put(struct store *s, struct store_put *p);

struct store_document {
    struct str key, bytes; /* in the arena of the listing */
    uint64_t seq;
};
struct store_list {
    struct store_call call;
    const struct caller *caller;
    uint8_t kind;
    struct str key;   /* present: this one alone */
    struct str after; /* keys behind this one */
    uint64_t offset;  /* so many are left out first */
    uint32_t limit;
    struct arena *arena;
    struct store_document *documents; /* ordered by key */
    uint32_t count;
    bool more;
    uint64_t total; /* of that kind, whatever page was asked for */
};
bool store_list(struct store *s, struct store_list *l);

/* ---- the change stream ---- */

enum change_kind { CHANGE_ENTITY, CHANGE_DOCUMENT, CHANGE_TENANT };

struct change {
    uint64_t seq;
    uint8_t kind; /* enum change_kind */
    struct str tenant;
    const struct doc *before; /* NULL: created. CHANGE_ENTITY */
    const struct doc *after;  /* NULL: deleted */
    int64_t at_us;            /* wall time of the change */
    uint8_t document_kind;    /* CHANGE_DOCUMENT */
    struct str key;
    struct str bytes;         /* CHANGE_DOCUMENT: what it says now; absent: deleted */
    bool gone;                /* CHANGE_TENANT: it was deleted, else made */
};

/* Where a listener puts what it wants back after a restart. */
struct store_saver {
    void (*put)(struct store_saver *s, struct str key, struct str bytes);
};

/* Live changes, in commit order, called by the committer after they are visible: be quick, copy what
 * you keep. Docs are borrowed for the call. Register before the store serves.
 *
 * A listener that must not lose a change across a crash sets the other three as well, and gives itself to
 * the store before it loads. With every checkpoint, which lets go of the log behind it, the store asks for
 * what the listener made of the changes up to seq and still needs: first it has it frozen, while no
 * change is published, so be quick; then saved, while changes come again, which also frees what was
 * frozen. It replaces what was saved before. A start gives back first the documents and what was
 * saved, then, through changes(), every change since. */
struct store_listener {
    struct str name;     /* what it saves is kept under it; static */
    struct store *store; /* set by the store, before it tells anything; its changes() may store_get() */
    void (*changes)(struct store_listener *l, const struct change *changes, uint32_t count);
    void *(*freeze)(struct store_listener *l, uint64_t seq);
    void (*save)(struct store_listener *l, void *frozen, struct store_saver *saver);
    void (*restore)(struct store_listener *l, struct str key, struct str bytes);
    void *frozen;        /* of the checkpoint under way; the store's */
    struct store_listener *next;
};
void store_listen(struct store *s, struct store_listener *l);
/* Sequence of the last committed change. */
uint64_t store_seq(struct store *s);

/* ---- tenants and upkeep ---- */

/* Names in arena. */
uint32_t store_tenants(struct store *s, struct arena *a, struct str **names);
bool store_tenant_exists(struct store *s, struct str name);

struct store_tenant_delete {
    struct store_call call;
    struct str tenant;
};
bool store_tenant_delete(struct store *s, struct store_tenant_delete *d);

/* How long history is kept, from now on; replaces what was said before. What is too old goes in the background, unless the
 * current instance of an attribute is: that stays. */
struct store_retention {
    struct retention *rules;    /* handed over; NULL: everything stays forever */
    uint64_t disk_bytes_max;    /* that history may take, about: beyond, its oldest part goes in any case. 0: no bound */
    int64_t sweep_interval_us;  /* between two times that the history is looked through; > 0 */
};
void store_retain(struct store *s, const struct store_retention *r);

/* Online copy to a new directory dir; blocks the calling thread (not a loop). */
MUST_USE enum status store_backup(struct store *s, const char *dir, struct why *why);

/* What sweeps of the history did. */
struct store_swept {
    uint64_t dropped;                          /* instances that were too old */
    uint64_t aggregated;                       /* of these, those that are in a kept aggregate now */
    uint64_t kept_moved, kept_dropped;         /* kept aggregates that became part of one of a longer span, or went */
    uint64_t chunks_dropped, chunks_rewritten; /* sealed ones */
};
struct store_stats {
    uint64_t id;                /* of the data, random, the same as long as they live */
    uint64_t entities, tenants, terms;
    uint64_t state_bytes;       /* documents and indexes in memory */
    uint64_t state_bytes_max;   /* beyond, creations are refused */
    uint64_t log_bytes, log_bytes_max, log_segments;
    bool fold_failing; /* the log cannot be shortened: writes go on until it is full */
    uint64_t commits, groups, syncs; /* totals */
    uint64_t commit_us_total;   /* time from apply to durable, summed */
    uint64_t folded_seq, committed_seq;
    uint64_t candidates_total, visited_total, queries_total;
    struct {
        uint64_t bytes, bytes_max; /* in memory, not folded yet; beyond, a fold begins */
        uint64_t points;           /* that changes left behind, or that were recorded; totals, as the rest */
        uint64_t sealed;           /* chunks written */
        uint64_t damaged;          /* chunks met that could not be read */
        uint64_t heads_damaged;    /* heads of entities' pasts, the same */
        uint64_t reads, chunks_read, chunks_summed, chunks_skipped;
        uint64_t sweeps;           /* ended */
        struct store_swept swept;
        uint64_t kept[RETENTION_LEVEL_COUNT]; /* that there are, as of the last sweep */
        uint64_t disk_bytes, disk_bytes_max; /* that it takes, about, as of the last fold or sweep; 0: no bound */
        uint64_t forced;           /* sweeps for the bound's sake */
        int64_t forced_us;         /* what was older than that went with the last of them; INT64_MIN: there was none */
        int64_t swept_at_us;       /* wall time, when the last sweep ended; 0: none has */
        uint64_t swept_us;         /* how long it took */
    } history;
    bool read_only;             /* writes refused: full or failed */
    char reason[160];
};
void store_stats(struct store *s, struct store_stats *out);
/* "": ready; else why not (loading, read-only …). Borrowed, static. */
const char *store_ready(struct store *s);

/* Threads that call the store or hold borrowed results: announce themselves, and say when they hold nothing. A thread
 * that has announced itself must say so before it waits for a write: the store may put off the work till then. */
void store_thread_enter(struct store *s);
void store_thread_leave(struct store *s);
void store_thread_offline(struct store *s); /* about to wait: nothing borrowed is held */
void store_thread_online(struct store *s);
void store_thread_quiescent(struct store *s); /* nothing borrowed is held, and there is more to do: no wait */

/* Waits for what is in flight, folds, closes. */
void store_close(struct store *s);

/* What an implementation provides; the functions above call through it. */
struct store_ops {
    bool (*apply)(struct store *s, struct store_apply *a);
    bool (*get)(struct store *s, struct store_get *g);
    bool (*query)(struct store *s, struct store_query *q);
    bool (*census)(struct store *s, struct store_census *c);
    bool (*evolve)(struct store *s, struct store_evolve *v);
    bool (*record)(struct store *s, struct store_record *r);
    void (*cancel)(struct store *s, struct store_call *call);
    bool (*put)(struct store *s, struct store_put *p);
    bool (*list)(struct store *s, struct store_list *l);
    void (*listen)(struct store *s, struct store_listener *l);
    uint64_t (*seq)(struct store *s);
    uint32_t (*tenants)(struct store *s, struct arena *a, struct str **names);
    bool (*tenant_exists)(struct store *s, struct str name);
    bool (*tenant_delete)(struct store *s, struct store_tenant_delete *d);
    enum status (*backup)(struct store *s, const char *dir, struct why *why);
    void (*retain)(struct store *s, const struct store_retention *r);
    void (*stats)(struct store *s, struct store_stats *out);
    const char *(*ready)(struct store *s);
    void (*thread_enter)(struct store *s);
    void (*thread_leave)(struct store *s);
    void (*thread_offline)(struct store *s);
    void (*thread_online)(struct store *s);
    void (*thread_quiescent)(struct store *s);
    void (*close)(struct store *s);
};
struct store {
    const struct store_ops *ops;
};

#endif
