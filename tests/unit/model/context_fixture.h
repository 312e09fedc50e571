/* Contexts from JSON text, with a small set of remote documents, for tests. */
#ifndef TESTS_CONTEXT_FIXTURE_H
#define TESTS_CONTEXT_FIXTURE_H

#include "base/json.h"
#include "model/context.h"

struct remote_text {
    const char *url;
    const char *text;
};

/* Everything one test needs; made by fixture_setup, gone with fixture_teardown. */
struct fixture {
    struct arena *arena;
    struct terms *terms;
    struct context_limits limits;
    const struct remote_text *remotes; /* ends with a NULL url */
    uint32_t loads;
    struct str missing;
    struct why why;
    struct str base;
};

/* For cmocka_unit_test_setup_teardown. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* The context that the text of an "@context" value makes; NULL, and f->why, when refused. */
struct context *fixture_build(struct fixture *f, const char *text, enum status *st);
/* Builds what must be fine. */
struct context *fixture_context(struct fixture *f, const char *text);
/* Builds what must be refused at pointer with a text that contains `part`. */
void fixture_refused(struct fixture *f, const char *text, enum status st, const char *pointer,
                     const char *part);
/* name expands to iri (NULL: to nothing). */
void fixture_expands(struct fixture *f, const struct context *c, const char *name, const char *iri);
void fixture_compacts(struct fixture *f, const struct context *c, const char *iri,
                      const char *name);
/* The parsed file under the shared data folder; NULL when it is not there. */
const struct json *fixture_shared(struct fixture *f, const char *path);
const char *fixture_shared_folder(void);

#endif
