/* Private to the kinds of sources: what they have in common, and how a record's
 * entities are handed over. */
#ifndef SENSE_SOURCE_IMPL_H
#define SENSE_SOURCE_IMPL_H

#include "sense/source.h"

struct source_entry {
    size_t from, n; /* in output.json */
    struct str id;
    bool own_context;
    const struct why *why; /* in the arena when rejected */
};

/* What one record gave, in order. */
struct source_output {
    struct buf json;
    struct arena *arena;
    struct source_entry *entries;
    uint32_t count, cap;
};

struct source_ops {
    /* Reads the record at s->mark into s->out, sets s->line and moves the mark behind it (sub 0).
     * False at the end. */
    bool (*record)(struct source *s);
    /* s->mark has been set to another place. */
    void (*seek)(struct source *s);
    void (*progress)(const struct source *s, uint64_t *done, uint64_t *total);
    void (*free)(struct source *s); /* frees s as well */
};

struct source {
    const struct source_ops *ops;
    struct source_options options;
    struct source_mark mark;   /* behind the record in `out` */
    struct source_mark before; /* of the record in `out` */
    const char *part;          /* file of an archive that it is in; static, or NULL */
    uint64_t line;             /* where that record begins */
    uint32_t next;             /* entry to hand out */
    struct source_output out;
};

void source_init(struct source *s, const struct source_ops *ops,
                 const struct source_options *options);
/* Frees what source_init() made; for ops->free. */
void source_fini(struct source *s);

/* Adds the text in out.json from `from` on as one entity. */
void source_add_entity(struct source *s, size_t from, struct str id, bool own_context);
/* Adds a rejection; id may be absent. */
void source_add_reject(struct source *s, struct str id, const struct why *why);
/* Makes all entities that the mapping makes of a record, or rejects the record as a whole. */
void source_apply_mapping(struct source *s, const struct mapping *m, const struct record *r,
                          struct mapping_scratch *scratch);
/* Writes an @context member ahead of the closing brace that out.json ends with. */
void source_put_context(struct source *s, struct str context);

/* Name of a file without folder and extension. Borrowed from name. */
struct str source_stem(const char *name);

MUST_USE enum status source_open_csv(struct source **out, const char *name, struct blob *blob,
                                     const struct mapping *m, const struct source_options *o,
                                     struct why *why);
MUST_USE enum status source_open_geojson(struct source **out, const char *name, struct blob *blob,
                                         const struct source_options *o, struct why *why);
MUST_USE enum status source_open_ngsild(struct source **out, struct blob *blob,
                                        const struct source_options *o, struct why *why);
MUST_USE enum status source_open_gtfs(struct source **out, struct blob *blob,
                                      const struct source_options *o, struct why *why);

#endif
