/* Context source registrations (CIM 009 clauses 5.9, 5.10): kept, found, and never in
 * conflict with one another or with entities (4.3.6.3). Nothing is forwarded to the
 * sources: registrations_find() is where that will begin. */
#ifndef BROKER_REGISTRATIONS_H
#define BROKER_REGISTRATIONS_H

#include "broker/document.h"
#include "model/registration.h"

/* ---- provision, clause 5.9 ---- */

struct registering {
    struct document_call document; /* in: caller, home, deadline_us, arena; key to change one.
                                      out: status, why, key */
    const struct context *context;
    const struct json *body;
    void (*done)(struct registering *r);
    /* private */
    struct registration_reader reader;
    struct registration *compiled;
    struct store_list list;
    struct store_query query;
};
/* Each: true when it completed at once. An id is made for one that brings none. */
bool registrations_create(struct broker *b, struct registering *r);
bool registrations_change(struct broker *b, struct registering *r);

/* ---- discovery, clause 5.10 ---- */

struct found_registration {
    struct str id, stored;
    const bool *infos; /* which of its RegistrationInfos match */
};

struct registrations_find {
    /* in */
    const struct caller *caller;
    struct runner *home;
    int64_t deadline_us;
    struct arena *arena;
    struct str id;                   /* present: that one alone, whatever it says */
    struct registration_query query; /* its filters are resolved here */
    struct filter *geo, *csf;        /* those of the query */
    uint64_t offset;
    uint32_t limit;
    void (*done)(struct registrations_find *f);
    /* out: in order of ids */
    enum status status;
    struct why why;
    struct found_registration *found;
    uint32_t count;
    uint64_t total;
    /* private */
    struct broker *broker;
    struct store_list list;
};
bool registrations_find(struct broker *b, struct registrations_find *f);

#endif
