/* Every kind of option reads from a string; bool, int and bytes also from the TOML
 * value of their own kind. Bounds are checked in one place, behind the reading. */
#include "base/config_value.h"

#include "base/units.h"

#include <stdarg.h>
#include <stdio.h>

struct target {
    const struct config_option *option;
    const char *where;
    struct config_value *out;
    struct why *why;
};

__attribute__((format(printf, 2, 3))) static enum status refuse(const struct target *t,
                                                                const char *fmt, ...)
{
    char reason[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(reason, sizeof reason, fmt, ap);
    va_end(ap);
    return why_set(t->why, E_BAD_DATA, NULL, "%s: %s.%s %s", t->where, t->option->section,
                   t->option->key, reason);
}

static void write_number(const struct config_option *o, struct buf *b, int64_t v)
{
    if (o->type == OPTION_BYTES)
        units_write_bytes(b, v);
    else if (o->type == OPTION_DURATION)
        units_write_duration(b, v);
    else
        buf_i64(b, v);
}

static bool is_bounded(const struct config_option *o)
{
    return o->min != 0 || o->max != 0;
}

static enum status check_bounds(const struct target *t)
{
    const struct config_option *o = t->option;
    bool number = o->type == OPTION_INT || o->type == OPTION_BYTES || o->type == OPTION_DURATION;
    int64_t v = t->out->number;
    if (!number || !is_bounded(o) || (v >= o->min && v <= o->max))
        return OK;
    struct buf b;
    buf_init(&b, 256);
    buf_lit(&b, "is ");
    write_number(o, &b, v);
    buf_lit(&b, ", which is not within ");
    write_number(o, &b, o->min);
    buf_lit(&b, " and ");
    write_number(o, &b, o->max);
    enum status st = refuse(t, "%.*s", (int)b.n, b.p);
    buf_free(&b);
    return st;
}

static enum status read_choice(const struct target *t, struct str s)
{
    struct str rest = str_of(t->option->choices), one;
    for (int64_t i = 0; str_split(&rest, '|', &one); i++) {
        if (str_eq(one, s)) {
            t->out->number = i;
            return OK;
        }
    }
    return refuse(t, "is one of %s", t->option->choices);
}

static bool read_plain_integer(struct str s, int64_t *out)
{
    bool negative = s.n && s.p[0] == '-';
    unsigned long long v = 0;
    bool digit = false; /* seen just before */
    for (size_t i = negative; i < s.n; i++) {
        unsigned d = (unsigned)(unsigned char)s.p[i] - '0';
        if (s.p[i] == '_' && digit && i + 1 < s.n) {
            digit = false;
            continue;
        }
        if (d > 9 || __builtin_mul_overflow(v, 10ULL, &v) ||
            __builtin_add_overflow(v, (unsigned long long)d, &v) || v > INT64_MAX)
            return false;
        digit = true;
    }
    *out = negative ? -(int64_t)v : (int64_t)v;
    return digit;
}

/* What stands between quotes in TOML, or alone in the environment. */
static enum status read_string(const struct target *t, struct str s)
{
    switch (t->option->type) {
    case OPTION_BYTES:
        return units_parse_bytes(s, &t->out->number)
                   ? OK
                   : refuse(t, "is a size such as 4096, \"64 MiB\" or \"1 GB\"");
    case OPTION_DURATION:
        return units_parse_duration(s, &t->out->number)
                   ? OK
                   : refuse(t, "is a duration such as \"250 ms\", \"30 s\" or \"5 min\"");
    case OPTION_CHOICE:
        return read_choice(t, s);
    default:
        t->out->string = s;
        return OK;
    }
}

enum status config_value_from_toml(const struct config_option *o, const struct toml_value *from,
                                   const char *where, struct config_value *out, struct why *why)
{
    static const enum toml_kind KINDS[] = {
        [OPTION_BOOL] = TOML_BOOL,       [OPTION_INT] = TOML_INT,
        [OPTION_BYTES] = TOML_STRING,    [OPTION_DURATION] = TOML_STRING,
        [OPTION_STRING] = TOML_STRING,   [OPTION_CHOICE] = TOML_STRING,
        [OPTION_STRINGS] = TOML_STRINGS,
    };
    static const char *const EXPECTED[] = {
        [TOML_BOOL] = "is true or false",
        [TOML_INT] = "is an integer",
        [TOML_STRING] = "is a string in quotes",
        [TOML_STRINGS] = "is an array of strings",
    };
    const struct target t = {o, where, out, why};
    enum status st = OK;
    *out = (struct config_value){0};
    if (o->type == OPTION_BYTES && from->kind == TOML_INT) {
        out->number = from->integer;
        if (from->integer < 0)
            return refuse(&t, "is not negative");
    } else if (o->type == OPTION_DURATION && from->kind == TOML_INT && from->integer != 0) {
        return refuse(&t, "needs a unit, such as \"%lld s\"", (long long)from->integer);
    } else if (o->type == OPTION_DURATION && from->kind == TOML_INT) {
        out->number = 0;
    } else if (from->kind != KINDS[o->type]) {
        return refuse(&t, "%s", EXPECTED[KINDS[o->type]]);
    } else if (from->kind == TOML_BOOL) {
        out->number = from->boolean;
    } else if (from->kind == TOML_INT) {
        out->number = from->integer;
    } else if (from->kind == TOML_STRINGS) {
        out->strings = from->strings;
        out->strings_n = from->strings_n;
    } else {
        st = read_string(&t, from->string);
    }
    return st == OK ? check_bounds(&t) : st;
}

static void split_strings(struct arena *a, struct str text, struct config_value *out)
{
    size_t n = 0, most = 1;
    for (size_t i = 0; i < text.n; i++)
        most += text.p[i] == ',';
    struct str *strings = arena_array(a, struct str, most), one;
    while (str_split(&text, ',', &one)) {
        one = str_trim(one);
        if (one.n)
            strings[n++] = one;
    }
    out->strings = strings;
    out->strings_n = n;
}

enum status config_value_from_text(struct arena *a, const struct config_option *o, struct str text,
                                   const char *where, struct config_value *out, struct why *why)
{
    const struct target t = {o, where, out, why};
    enum status st = OK;
    *out = (struct config_value){0};
    text = arena_dup(a, text);
    if (o->type == OPTION_BOOL) {
        out->number = str_eq(text, STR("true"));
        if (!out->number && !str_eq(text, STR("false")))
            st = refuse(&t, "is true or false");
    } else if (o->type == OPTION_INT) {
        if (!read_plain_integer(text, &out->number))
            st = refuse(&t, "is an integer");
    } else if (o->type == OPTION_STRINGS) {
        split_strings(a, text, out);
    } else {
        st = read_string(&t, text);
    }
    return st == OK ? check_bounds(&t) : st;
}

void config_value_describe(const struct config_option *o, struct buf *b)
{
    static const char *const NAMES[] = {
        [OPTION_BOOL] = "true or false",
        [OPTION_INT] = "integer",
        [OPTION_BYTES] = "size",
        [OPTION_DURATION] = "duration",
        [OPTION_STRING] = "string",
        [OPTION_CHOICE] = "one of ",
        [OPTION_STRINGS] = "array of strings",
    };
    buf_str(b, str_of(NAMES[o->type]));
    if (o->type == OPTION_CHOICE) {
        struct str rest = str_of(o->choices), one;
        for (int i = 0; str_split(&rest, '|', &one); i++) {
            if (i)
                buf_lit(b, ", ");
            buf_str(b, one);
        }
    } else if (is_bounded(o)) {
        buf_lit(b, ", ");
        write_number(o, b, o->min);
        buf_lit(b, " to ");
        write_number(o, b, o->max);
    }
}
