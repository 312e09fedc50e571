/* Entities and subscriptions from JSON, for tests of what becomes of a change. Names are of the core
 * @context. Everything lives until told_end(). */
#ifndef TESTS_BROKER_TOLD_H
#define TESTS_BROKER_TOLD_H

#include "model/doc.h"
#include "model/subscription.h"

struct told {
    struct arena *arena;
    struct terms *terms;
};

void told_begin(struct told *t);
void told_end(struct told *t);
/* An entity, or what is to be merged into one. Fails the test when it is neither. */
struct entity told_entity(struct told *t, const char *text, bool merge);
/* As the version that change seq wrote. */
struct doc *told_version(struct told *t, const struct entity *e, uint64_t seq);
/* A version by change seq at second seq, which wrote all its attributes. */
struct doc *told_doc(struct told *t, const char *text, uint64_t seq);
/* One reference, the caller's. members: what stands in it besides id and type; jsonldContext is
 * https://example.org/c. */
struct subscription *told_subscription(struct told *t, const char *members);

#endif
