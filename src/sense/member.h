/* Reading hand-written JSON objects by declaration: a table of member names, each
 * with the function that takes its value. An unknown member is an error, so a slip
 * of the pen is named with its pointer instead of being ignored. */
#ifndef SENSE_MEMBER_H
#define SENSE_MEMBER_H

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"
#include "sense/field.h"
#include "sense/template.h"

#include <stdbool.h>
#include <stdint.h>

#define MEMBER_LIST_MAX 4096

struct member_reader {
    struct arena *arena;
    struct why *why;
    struct field_names *fields; /* where columns and templates intern the names they use */
};

/* The last of a table has a NULL name. */
struct member {
    const char *name;
    enum status (*read)(struct member_reader *r, const struct json *v, const struct at *at,
                        void *into);
};

#define MEMBER_REFUSE(r, at, ...) why_set((r)->why, E_BAD_DATA, (at), __VA_ARGS__)

MUST_USE enum status member_read_all(struct member_reader *r, const struct json *o,
                                     const struct at *at, const struct member *members, void *into);

/* One value each; E_BAD_DATA says what was expected. */
MUST_USE enum status member_string(struct member_reader *r, const struct json *v,
                                   const struct at *at, struct str *out);
MUST_USE enum status member_strings(struct member_reader *r, const struct json *v,
                                    const struct at *at, const struct str **out, uint32_t *count);
MUST_USE enum status member_char(struct member_reader *r, const struct json *v, const struct at *at,
                                 char *out);
MUST_USE enum status member_bool(struct member_reader *r, const struct json *v, const struct at *at,
                                 bool *out);
MUST_USE enum status member_number(struct member_reader *r, const struct json *v,
                                   const struct at *at, double *out);
/* Index of the string among n names. */
MUST_USE enum status member_choice(struct member_reader *r, const struct json *v,
                                   const struct at *at, const char *const *names, uint8_t n,
                                   uint8_t *out);
/* A column's field index. */
MUST_USE enum status member_column(struct member_reader *r, const struct json *v,
                                   const struct at *at, uint32_t *out);
MUST_USE enum status member_template(struct member_reader *r, const struct json *v,
                                     const struct at *at, struct template *out);
MUST_USE enum status member_new_template(struct member_reader *r, const struct json *v,
                                         const struct at *at, const struct template **out);

#endif
