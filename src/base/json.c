/* Reading (json_simdjson.cpp does the parsing, json_locate.c the explaining) and
 * the questions one asks of a tree. Writing is in json_write.c. */
#include "base/json.h"

#include "base/json_locate.h"
#include "base/json_tape.h"
#include "base/number.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static enum status refuse(struct str text, const struct json_limits *limits, struct why *why)
{
    struct json_place p = json_locate(text, limits->depth_max);
    switch (p.fault) {
    case JSON_FAULT_EMPTY:
        return why_set(why, E_INVALID_REQUEST, NULL, "%s", p.text);
    case JSON_FAULT_DEPTH:
        return why_limit(why, E_LIMIT, NULL, "limits.json_depth",
                         "line %zu, column %zu: arrays and objects are nested deeper than %u",
                         p.line, p.column, limits->depth_max);
    case JSON_FAULT_NONE: /* both readers judge by the same grammar; never accept on doubt */
        return why_set(why, E_INVALID_REQUEST, NULL, "the text is not JSON");
    default:
        return why_set(why, E_INVALID_REQUEST, NULL, "line %zu, column %zu: %s", p.line, p.column,
                       p.text);
    }
}

enum { INT64_DIGITS = 19 }; /* shorter integers always fit */

/* Whether a number's token is an integer that does not fit an int64. */
static bool is_wide_integer(struct str token)
{
    bool negative = token.p[0] == '-';
    struct str digits = str_from(token, negative);
    for (size_t i = 0; i < digits.n; i++)
        if (digits.p[i] < '0' || digits.p[i] > '9')
            return false; /* a fraction or an exponent */
    struct str most = negative ? STR("9223372036854775808") : STR("9223372036854775807");
    return digits.n > INT64_DIGITS || (digits.n == INT64_DIGITS && str_cmp(digits, most) > 0);
}

/* simdjson refuses integers beyond 64 bits. Written with an exponent they are
 * doubles to it: copies text with "e0" behind every wide integer outside strings. */
static struct str widen_integers(struct arena *a, struct str text)
{
    char *to = arena_alloc(a, text.n + text.n / INT64_DIGITS * 2 + 2);
    size_t n = 0, step;
    bool quoted = false;
    for (size_t i = 0; i < text.n; i += step) {
        struct str rest = str_from(text, i);
        size_t number = quoted ? 0 : number_length(rest);
        step = number ? number : quoted && rest.p[0] == '\\' && rest.n > 1 ? 2 : 1;
        quoted ^= rest.p[0] == '"';
        memcpy(to + n, rest.p, step);
        n += step;
        if (number && is_wide_integer(str_head(rest, number))) {
            memcpy(to + n, "e0", 2);
            n += 2;
        }
    }
    return (struct str){to, n};
}

enum status json_read(struct arena *a, struct str text, const struct json_limits *limits,
                      struct json *out, struct why *why)
{
    assert(limits->depth_max > 0);
    if (text.n > limits->bytes_max)
        return why_limit(why, E_TOO_LARGE, NULL, "limits.body_bytes",
                         "%zu bytes are more than the %zu allowed", text.n, limits->bytes_max);
    if (!text.n) /* the reader copies from its text, which may then be NULL */
        return refuse(text, limits, why);
    enum json_outcome outcome = json_tape_read(a, text, limits->depth_max, out);
    if (outcome == JSON_READ_NUMBER)
        outcome = json_tape_read(a, widen_integers(a, text), limits->depth_max, out);
    if (outcome == JSON_READ_OK)
        return OK;
    if (outcome == JSON_READ_MEMORY)
        return why_set(why, E_BUSY, NULL, "no memory to read %zu bytes of JSON", text.n);
    return refuse(text, limits, why);
}

const struct json *json_get(const struct json *o, struct str key)
{
    if (!json_is(o, JSON_OBJECT))
        return NULL;
    for (uint32_t i = o->n; i-- > 0;)
        if (str_eq(o->members[i].key, key))
            return &o->members[i].value;
    return NULL;
}

bool json_number(const struct json *v, double *out)
{
    if (json_is(v, JSON_INT))
        *out = (double)v->integer;
    else if (json_is(v, JSON_REAL))
        *out = v->real;
    else
        return false;
    return true;
}

const char *json_kind_name(enum json_kind kind)
{
    static const char *const NAMES[] = {
        [JSON_NULL] = "null",        [JSON_BOOL] = "a boolean",  [JSON_INT] = "a number",
        [JSON_REAL] = "a number",    [JSON_STRING] = "a string", [JSON_ARRAY] = "an array",
        [JSON_OBJECT] = "an object",
    };
    return NAMES[kind];
}

static bool same_number(const struct json *a, const struct json *b)
{
    if (a->kind == b->kind)
        return a->kind == JSON_INT ? a->integer == b->integer : a->real == b->real;
    int64_t i = a->kind == JSON_INT ? a->integer : b->integer;
    double d = a->kind == JSON_REAL ? a->real : b->real;
    /* Exact: a double at or beyond 2^63 is no int64, below it the cast is defined. */
    return d >= -0x1p63 && d < 0x1p63 && d == trunc(d) && (int64_t)d == i;
}

/* By key, members of the same key in their order. */
static int by_key(const void *left, const void *right)
{
    const struct json_member *a = *(const struct json_member *const *)left;
    const struct json_member *b = *(const struct json_member *const *)right;
    int c = str_cmp(a->key, b->key);
    return c ? c : (a > b) - (a < b);
}

/* Pointers to the members that count (the last of each key), sorted by key. */
static size_t sort_members(const struct json *o, const struct json_member **out)
{
    size_t kept = 0;
    for (uint32_t i = 0; i < o->n; i++)
        out[i] = &o->members[i];
    qsort(out, o->n, sizeof *out, by_key);
    for (uint32_t i = 0; i < o->n; i++)
        if (i + 1 == o->n || !str_eq(out[i]->key, out[i + 1]->key))
            out[kept++] = out[i];
    return kept;
}

static bool same_sorted(const struct json *a, const struct json *b)
{
    const struct json_member **left = mem_alloc(((size_t)a->n + b->n) * sizeof *left);
    const struct json_member **right = left + a->n;
    size_t n = sort_members(a, left);
    bool same = n == sort_members(b, right);
    for (size_t i = 0; same && i < n; i++)
        same = str_eq(left[i]->key, right[i]->key) && json_same(&left[i]->value, &right[i]->value);
    free(left);
    return same;
}

static bool same_object(const struct json *a, const struct json *b)
{
    uint32_t n = a->n < b->n ? a->n : b->n, equal = 0;
    while (equal < n && str_eq(a->members[equal].key, b->members[equal].key))
        equal++;
    if (equal < a->n || equal < b->n)
        return same_sorted(a, b);
    for (uint32_t i = 0; i < n; i++)
        if (!json_same(&a->members[i].value, &b->members[i].value))
            return same_sorted(a, b); /* a key given twice may still make them the same */
    return true;
}

static bool is_number(const struct json *v)
{
    return v->kind == JSON_INT || v->kind == JSON_REAL;
}

bool json_same(const struct json *a, const struct json *b)
{
    if (is_number(a) && is_number(b))
        return same_number(a, b);
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case JSON_BOOL:
        return a->boolean == b->boolean;
    case JSON_STRING:
        return str_eq(a->string, b->string);
    case JSON_ARRAY:
        if (a->n != b->n)
            return false;
        for (uint32_t i = 0; i < a->n; i++)
            if (!json_same(&a->items[i], &b->items[i]))
                return false;
        return true;
    case JSON_OBJECT:
        return same_object(a, b);
    default:
        return true; /* null */
    }
}
