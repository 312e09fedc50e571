/* Context information consumption (CIM 009 clauses 5.7.1, 5.7.2): an answer is put
 * together from sources, of which the local store is one. A source contributes
 * fragments and warnings; merge.h joins fragments of the same entity. What has
 * expired (4.22) the store leaves out, from pages and counts alike. */
#ifndef BROKER_CONSUME_H
#define BROKER_CONSUME_H

#include "broker/broker.h"
#include "broker/merge.h"

struct consume_warning {
    int code; /* IANA warning code, clause 6.3.17 */
    struct str text;
};

/* One entity of an answer, from one or more fragments. */
struct consume_item {
    const struct fragment *fragments;
    uint32_t count;
};
/* The merged tree, in the arena. */
void consume_entity(const struct consume_item *item, struct arena *a, struct entity *out);

/* The same, borrowing nothing from the store: it stays as long as the arena. */
void consume_entity_kept(const struct consume_item *item, struct arena *a, struct entity *out);
/* The same of a stored entity. */
struct entity *consume_doc_kept(const struct doc *d, struct arena *a);

struct consume_retrieve {
    struct store_get local; /* set caller, id, call.home, call.deadline_us */
    void (*done)(struct consume_retrieve *r);
    /* out */
    enum status status;
    struct consume_item item;
    struct fragment fragment;
    struct consume_warning *warnings;
    uint32_t warning_count;
    /* private */
    struct broker *broker;
};
/* True: completed at once. */
bool consume_retrieve(struct broker *b, struct consume_retrieve *r);

struct consume_query {
    struct store_query local; /* set all inputs of the query */
    void (*done)(struct consume_query *q);
    /* out */
    enum status status;
    struct consume_item *items;
    uint32_t count;
    struct consume_warning *warnings;
    uint32_t warning_count;
    /* private */
    struct broker *broker;
};
bool consume_query(struct broker *b, struct consume_query *q);

#endif
