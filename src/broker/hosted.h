/* The @contexts that the city serves (CIM 009 clause 5.13): hosted for clients that added them, or created
 * implicitly for requests whose own @context has no URL. The store keeps them as documents, one each by its local
 * identifier (docs/formats/contexts.md); contexts.h has them at hand, so that resolving one needs neither the store
 * nor a network. */
#ifndef BROKER_HOSTED_H
#define BROKER_HOSTED_H

#include "broker/broker.h"

/* Path of a served @context: this and its local identifier. */
#define HOSTED_PATH "/ngsi-ld/v1/jsonldContexts/"

/* Adds one: it is durable, and can be used, when done is called. The tenant is made when there is none. */
struct hosted_add {
    const struct caller *caller;
    struct runner *home;
    int64_t deadline_us;
    struct arena *arena;
    const struct json *spec; /* the value of "@context" */
    enum context_kind kind;  /* CONTEXT_HOSTED or _IMPLICIT */
    void (*done)(struct hosted_add *h);
    /* out */
    enum status status; /* E_BAD_DATA: spec is no @context; E_TOO_MANY_REQUESTS */
    struct why why;
    struct str id; /* local identifier, in the arena */
    /* private */
    struct broker *broker;
    struct store_put put;
    struct str text;
    int64_t created_us;
};
/* True: completed at once, done is not called. */
bool hosted_add(struct broker *b, struct hosted_add *h);

/* "A URL for this @context", for Link headers of what is sent later: the URL that spec itself is, or names
 * alone besides the core; the core's for none; else that of an implicitly created one, the same for the same content of a tenant. */
struct hosted_url {
    const struct caller *caller;
    struct runner *home;
    int64_t deadline_us;
    struct arena *arena;
    const struct json *spec; /* NULL: the core alone */
    struct str base;         /* scheme and authority, at which clients reach this city: "http://host:1026" */
    void (*done)(struct hosted_url *u);
    /* out */
    enum status status;
    struct why why;
    struct str url; /* in the arena, or spec's */
    /* private */
    struct hosted_add add;
};
bool hosted_url(struct broker *b, struct hosted_url *u);

/* Removes one from the store, then from use. E_NOT_FOUND. */
struct hosted_delete {
    const struct caller *caller;
    struct runner *home;
    int64_t deadline_us;
    struct str id;
    void (*done)(struct hosted_delete *h);
    /* out */
    enum status status;
    struct why why;
    /* private */
    struct broker *broker;
    struct store_put put;
};
bool hosted_delete(struct broker *b, struct hosted_delete *h);

/* Takes all that the store has into use; called once, at start, by a thread that may wait. From then on a tenant's
 * are dropped with it. listener must live as long as the store. */
struct hosted_listener {
    struct store_listener listener;
    struct broker *broker;
};
MUST_USE enum status hosted_load(struct broker *b, struct hosted_listener *listener, struct why *why);

#endif
