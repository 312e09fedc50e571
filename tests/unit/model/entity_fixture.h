/* Reading entities from JSON text and comparing representations with expected JSON,
 * for the tests of reader, represent and projection. Built on context_fixture. */
#ifndef TESTS_ENTITY_FIXTURE_H
#define TESTS_ENTITY_FIXTURE_H

#include "context_fixture.h"

#include "model/reader.h"
#include "model/represent.h"

/* Limits that no ordinary case meets. */
extern const struct reader_limits ENTITY_LIMITS;

/* A case of a table: what is read, and where and why it is refused. */
struct refused_case {
    const char *json;
    const char *pointer;
    const char *part; /* of the sentence */
};

const struct json *entity_json(struct fixture *f, const char *text);
struct reader entity_reader(struct fixture *f, const struct context *c, enum reader_mode mode);
/* Fails the test when it is refused. In f's arena. */
struct entity *entity_read(struct fixture *f, const struct reader *r, const char *text);
void entity_refused(struct fixture *f, const struct reader *r, const struct refused_case *c);
/* Tables end with json == NULL. The cases are the members of an entity behind id and type. */
void entity_members_refused(struct fixture *f, const struct reader *r,
                            const struct refused_case *cases);

struct represent entity_represent(struct fixture *f, const struct context *c,
                                  enum represent_format format);
/* The text, in f's arena. */
struct str entity_text(struct fixture *f, const struct represent *r, const struct entity *e);
/* Same meaning as expected; the order of members is free, that of arrays is not. */
void entity_shows(struct fixture *f, const struct represent *r, const struct entity *e,
                  const char *expected);
/* Same id, types, scopes and attributes (attr_same), in the same order. */
void entity_same(struct fixture *f, const struct entity *a, const struct entity *b,
                 const char *what);

#endif
