/* JSON (RFC 8259) in and out.
 *
 * Reading builds a compact tree in an arena; member order and duplicate keys are
 * kept, so that validation can refuse them by name. Strings are unescaped UTF-8.
 * Numbers written without fraction and exponent that fit become JSON_INT, all
 * others JSON_REAL; a number beyond double's range is refused. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

#include <stdint.h>

enum json_kind {
    JSON_NULL,
    JSON_BOOL,
    JSON_INT,
    JSON_REAL,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json_member;

struct json {
    uint8_t kind; /* enum json_kind */
    uint32_t n;   /* elements of an array, members of an object */
    union {
        bool boolean;
        int64_t integer;
        double real;
        struct str string;
        struct json *items;
        struct json_member *members;
    };
};

struct json_member {
    struct str key;
    struct json value;
};

struct json_limits {
    uint32_t depth_max;   /* nesting of arrays and objects */
    size_t bytes_max;
};

/* Parses the whole of text. The tree lives in the arena and borrows nothing from
 * text. E_INVALID_REQUEST with line, column and what was expected; E_LIMIT
 * ("limits.json_depth") or E_TOO_LARGE. */
MUST_USE enum status json_read(struct arena *a, struct str text, const struct json_limits *limits,
                               struct json *out, struct why *why);

/* Member of an object, or NULL (also when o is no object). The last one wins. */
const struct json *json_get(const struct json *o, struct str key);
static inline bool json_is(const struct json *v, enum json_kind kind)
{
    return v && v->kind == kind;
}
static inline bool json_is_string(const struct json *v, struct str s)
{
    return v && v->kind == JSON_STRING && str_eq(v->string, s);
}
/* Either number kind. */
bool json_number(const struct json *v, double *out);
/* Same meaning: numbers by value, objects without regard to member order. */
bool json_same(const struct json *a, const struct json *b);
const char *json_kind_name(enum json_kind kind); /* "a string", "an object" … */

/* Writing: minified. json_write_str adds quotes and escapes. */
void json_write(struct buf *b, const struct json *v);
void json_write_str(struct buf *b, struct str s);
void json_write_inner(struct buf *b, struct str s); /* escapes, without the quotes */
/* The same into the arena. */
struct str json_text(struct arena *a, const struct json *v);
/* True when s needs no escape inside a JSON string. */
bool json_plain(struct str s);

#endif
