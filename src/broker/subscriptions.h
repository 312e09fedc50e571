/* Subscriptions to entities (CIM 009 clause 5.8) and to context source registrations
 * (5.11): created, changed and deleted as documents of the store, whose change stream
 * tells the notifying part. Retrieving and listing is store_list(). */
#ifndef BROKER_SUBSCRIPTIONS_H
#define BROKER_SUBSCRIPTIONS_H

#include "broker/document.h"
#include "model/subscription.h"

struct subscribe {
    struct document_call document; /* in: caller, home, deadline_us, arena; key to change one.
                                      out: status, why, key */
    const struct context *context; /* of the request */
    struct str context_url;        /* of the same, for jsonldContext */
    const struct json *body;
    bool of_registrations;
    void (*done)(struct subscribe *s);
    /* private */
    struct contexts_call resolving; /* of the jsonldContext given */
    struct json url;
    struct subscription_reader reader;
};
/* Creates one, with an id of its own when it brings none. True: completed at once. */
bool subscriptions_create(struct broker *b, struct subscribe *s);
/* By a fragment. */
bool subscriptions_change(struct broker *b, struct subscribe *s);
/* Kind of the documents. */
uint8_t subscriptions_kind(bool of_registrations);
/* What happened to the notifications of one; zeros when nothing has. */
void subscriptions_counters(const struct broker *b, bool of_registrations, struct str tenant,
                            struct str id, struct subscription_counters *out);

#endif
