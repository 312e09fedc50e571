/* The order of query results (orderBy, CIM 009 clause 4.23): read once, then either
 * compared pair by pair (trees, tests) or, for stores, by keys that are computed once
 * per entity while the best of them are gathered.
 *
 * Values of different data types follow one another as clause 4.23.2 lists them, also
 * where the direction is descending: then the values of each type are turned around,
 * and null and what has no value stay last. An attribute with several instances counts
 * by the first (the default one, if there is), a LanguageProperty by the first string of
 * its map unless a language is named ("name[en]"). Of strings the first 1,024 UTF-16
 * units are looked at. */
#ifndef MODEL_ORDER_H
#define MODEL_ORDER_H

#include "model/filter.h"

struct doc;

enum order_system {
    ORDER_ATTR,
    ORDER_ID,
    ORDER_TYPE,
    ORDER_SCOPE,
    ORDER_CREATED,
    ORDER_MODIFIED,
    ORDER_EXPIRES
};

struct order_key {
    uint32_t path_count; /* 0 when system says what it is */
    struct name *path;
    uint8_t member; /* enum compare_member that the path ends in: name.observedAt */
    uint32_t value_path_count;
    struct str *value_path;
    uint8_t system; /* ORDER_ATTR: attribute; else enum order_system */
    bool descending;
    bool by_distance;
};
struct order {
    uint32_t count;
    struct order_key *keys;
    struct geometry *from;   /* for distance */
    void *collator;          /* ICU; freed with order_free. Used from one thread at a time */
    struct context *context; /* types are ordered by the names that the asker knows */
};

/* order_by: "name,age;desc,location;dist-asc,address[city]". collation: a BCP 47 tag with -u-
 * extension (RFC 6067), absent for ICU's root order. order_from: coordinates as JSON text, needed
 * by distance; order_geometry: absent for "Point". E_BAD_DATA. Free with order_free(). */
MUST_USE enum status order_read(const struct filter_reader *r, struct str order_by,
                                struct str collation, struct str order_from,
                                struct str order_geometry, struct order **out, struct why *why);
void order_free(struct order *o);

/* Not total: ties (0) are broken by created_seq by the caller. */
int order_compare(const struct order *o, const struct entity *a, const struct entity *b,
                  struct arena *scratch);

/* Ids, by the first key of o, which is ORDER_ID; NULL: by code points. */
void order_ids(const struct order *o, struct str *ids, uint32_t n);

/* The first `keep` of any number of entities, ties by created_seq. Holds at most 2 × keep (or 64)
 * of them, and computes the keys of each once. Docs are borrowed until take. struct order_top *top
 * = order_top_new(o, offset + limit); … order_top_add(top, d) … n = order_top_take(top, arena,
 * &docs); the page is docs[offset] ff. order_top_free(top); */
struct order_top;
struct order_top *order_top_new(const struct order *o, uint32_t keep);
void order_top_add(struct order_top *t, const struct doc *d);
/* In order, in the arena; at most keep. Once. */
uint32_t order_top_take(struct order_top *t, struct arena *a, const struct doc ***docs);
void order_top_free(struct order_top *t);

#endif
