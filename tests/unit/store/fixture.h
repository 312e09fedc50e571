/* What the store's tests share: a runner, calls that wait, small entities, a directory. */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/task.h"
#include "store/embedded/embedded.h"
#include "store/store.h"
#include "waiter.h"

#include <pthread.h>

/* Time that passes when told. Alone: only for the thread that made it, so that the store's own
 * threads sweep nothing away. */
struct manual_clock {
    struct clock clock;
    _Atomic int64_t now; /* the store's threads read it */
    _Atomic bool alone;
    pthread_t thread;
};
void manual_clock_init(struct manual_clock *c, int64_t now, bool alone);

/* Options for tests: small segments, a clock that stands still until told. */
struct embedded_options fixture_options(const char *dir, struct clock *clock);
/* A fresh directory under the build's temporary one; fixture_remove() takes it away with what is in
 * it. */
void fixture_directory(char *path, size_t n);
void fixture_remove(const char *path);

/* A store with what is needed to talk to it from this thread. */
struct fixture {
    struct store *store;
    struct terms *terms;
    struct waiter waiter;
    struct manual_clock clock; /* for the store; alone */
    struct arena *arena; /* of results; reset by fixture_reset() */
    struct caller caller;
    int64_t now_us;
    int64_t deadline_us; /* of calls that are started; 0: none */
};
void fixture_init(struct fixture *f);
void fixture_free(struct fixture *f);
uint32_t fixture_term(struct fixture *f, const char *name);

/* Calls that wait for their completion. Results in f->arena. */
enum status fixture_apply(struct fixture *f, const struct edit *edits, uint32_t n,
                          struct edit_result *results);
enum status fixture_apply_in(struct fixture *f, const struct edit *edits, uint32_t n,
                             struct edit_result *results, bool create_tenant);
struct edit_result fixture_edit(struct fixture *f, const struct edit *edit);
/* A call under way. Edits must live until it is done. */
struct async {
    struct store_apply apply;
    struct edit_result results[8];
    bool done;
};
void fixture_start(struct fixture *f, struct async *a, const struct edit *edits, uint32_t n);
enum status fixture_wait(struct fixture *f, struct async *a);
const struct doc *fixture_get(struct fixture *f, const char *id); /* NULL: not found */
enum status fixture_query(struct fixture *f, struct store_query *q);
enum status fixture_census(struct fixture *f, struct store_census *c);
enum status fixture_evolve(struct fixture *f, struct store_evolve *v);
enum status fixture_record(struct fixture *f, struct store_record *r); /* its caller is given */
enum status fixture_put(struct fixture *f, uint8_t kind, const char *key, const char *bytes);
enum status fixture_call_put(struct fixture *f, struct store_put *p);
enum status fixture_list(struct fixture *f, struct store_list *l);
enum status fixture_drop_tenant(struct fixture *f, const char *name);

/* Entities: of a type, with one number. */
struct entity *fixture_entity(struct fixture *f, const char *id, const char *type, const char *attr,
                              int64_t value);
struct edit fixture_create(struct fixture *f, const char *id, const char *type, int64_t value);
/* A filter in f->arena. */
struct filter *fixture_of_type(struct fixture *f, const char *type);

#endif
