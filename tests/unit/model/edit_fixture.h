/* What the tests of edits share: entities from notation (tree_json.h, with ' for "),
 * created at CREATED by change 1 and passed through a block as a store does it;
 * edits at NOW, whose outcome becomes version 2. */
#ifndef TESTS_EDIT_FIXTURE_H
#define TESTS_EDIT_FIXTURE_H

#include "model/doc.h"
#include "model/edit.h"
#include "model/filter.h"
#include "tree_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define ID STR("urn:ngsi-ld:T:1")
#define CREATED 100
#define NOW 200

extern struct arena *arena;
extern struct terms *terms;

int edit_setup(void **state);
int edit_teardown(void **state);
#define EDIT_TEST(name) cmocka_unit_test_setup_teardown(name, edit_setup, edit_teardown)

uint32_t term(const char *name);
struct entity *tree(const char *text);
struct json *written(const struct entity *e);
/* The version as it comes back from a block. */
struct entity *stored(const struct entity *e, uint64_t seq);
/* A new entity. */
const struct entity *make(const char *text);

struct outcome {
    struct edit_result result;
    struct entity entity;
};
struct outcome apply(struct edit e, const struct entity *old, int64_t now);
struct outcome change(enum edit_kind kind, const struct entity *old, const char *fragment);
struct outcome change_flags(enum edit_kind kind, uint32_t flags, const struct entity *old,
                            const char *fragment);
struct outcome change_attr(enum edit_kind kind, const struct entity *old, const char *name,
                           const char *fragment);

/* The next version, with system members or without. */
void assert_exactly(struct outcome o, const char *expected);
void assert_gives(struct outcome o, const char *expected);
void assert_unchanged(struct outcome o);
void assert_refused(struct outcome o, enum status status, const char *text);
/* name NULL: the scope. */
void assert_note(const struct outcome *o, uint32_t i, const char *name, bool done);

#define TEMPERATURE                                                                                \
    "{'type':['T'],'temperature':[{'type':'Property','value':25,'unitCode':'CEL','observedAt':7}]" \
    "}"

#endif
