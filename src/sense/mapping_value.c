/* Why: tables hold text, cities want numbers, times and truths; whatever cannot be read without
 * doubt rejects its row. A number is passed on digit by digit, so that nothing is lost to a double
 * on the way. Start at mapping_put_value(). */
#include "sense/mapping_value.h"

#include "base/time.h"
#include "sense/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define NUMBER_DIGITS_MAX 400
#define VALUE_SHOWN 60 /* bytes of a refused value in the report */

bool mapping_is_missing(const struct mapping *m, const struct json *v)
{
    if (v->kind == JSON_NULL)
        return true;
    if (v->kind != JSON_STRING)
        return false;
    for (uint32_t i = 0; i < m->missing_count; i++)
        if (str_eq(v->string, m->missing[i]))
            return true;
    return false;
}

static size_t digits(struct str s, size_t i)
{
    size_t from = i;
    while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
        i++;
    return i - from;
}

/* A number in the widest sense of tables: sign, digits, point, exponent. *json: RFC 8259 allows it
 * as it stands. */
static bool is_number(struct str s, bool *json)
{
    size_t i = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+');
    *json = !(i && s.p[0] == '+');
    size_t whole = digits(s, i), part = 0;
    if (whole == 0 || (whole > 1 && s.p[i] == '0'))
        *json = false;
    i += whole;
    if (i < s.n && s.p[i] == '.') {
        part = digits(s, i + 1);
        *json = *json && part > 0;
        i += 1 + part;
    }
    if (whole + part == 0)
        return false;
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        i += 1 + (i + 1 < s.n && (s.p[i + 1] == '-' || s.p[i + 1] == '+'));
        size_t exponent = digits(s, i);
        if (exponent == 0)
            return false;
        i += exponent;
    }
    return i == s.n;
}

static bool number_of(const struct json *v, double *number, struct str *exact)
{
    char text[NUMBER_DIGITS_MAX + 1];
    bool json;
    *exact = STR_NONE;
    if (json_number(v, number))
        return true;
    if (v->kind != JSON_STRING)
        return false;
    struct str s = str_trim(v->string);
    if (s.n > NUMBER_DIGITS_MAX || !is_number(s, &json))
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    *number = strtod(text, NULL);
    if (json)
        *exact = s;
    return isfinite(*number);
}

bool mapping_put_number(const struct json *v, struct buf *out, double *number)
{
    struct str exact;
    if (!number_of(v, number, &exact))
        return false;
    if (!str_absent(exact))
        buf_str(out, exact);
    else if (v->kind == JSON_STRING)
        buf_double(out, *number);
    else
        json_write(out, v);
    return true;
}

static struct str shown(const struct json *v)
{
    return v->kind == JSON_STRING ? utf8_head(v->string, VALUE_SHOWN)
                                  : str_of(json_kind_name(v->kind));
}

#define NOT(why, v, what)                                                                          \
    why_set((why), E_BAD_DATA, NULL, "has \"%.*s\", not %s", STR_ARG(shown(v)), what)

static enum status put_number(const struct mapping_attr *a, const struct json *v, struct buf *out,
                              struct why *why)
{
    double number;
    size_t from = out->n;
    if (!mapping_put_number(v, out, &number))
        return NOT(why, v, "a number");
    if (a->scaled) {
        number = number * a->scale + a->offset;
        out->n = from;
        if (!isfinite(number))
            return NOT(why, v, "a number that can be scaled");
        /* Twelve digits hide the error of one multiplication: 61 °F as 16.1111111111. */
        buf_printf(out, "%.12g", number);
    }
    if (a->type == MAPPING_INTEGER && number != floor(number))
        return NOT(why, v, "a whole number");
    if ((a->has_min && number < a->min) || (a->has_max && number > a->max))
        return why_set(why, E_BAD_DATA, NULL, "has %.12g, outside of what the mapping allows",
                       number);
    return OK;
}

static enum status put_boolean(const struct json *v, struct buf *out, struct why *why)
{
    static const char *const yes[] = {"true", "yes", "1", "t", "y"};
    static const char *const no[] = {"false", "no", "0", "f", "n"};
    if (v->kind == JSON_BOOL) {
        json_write(out, v);
        return OK;
    }
    struct str s = v->kind == JSON_STRING ? str_trim(v->string) : STR("");
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (str_eq_fold(s, str_of(yes[i]))) {
            buf_lit(out, "true");
            return OK;
        }
        if (str_eq_fold(s, str_of(no[i]))) {
            buf_lit(out, "false");
            return OK;
        }
    }
    return NOT(why, v, "a truth value");
}

static enum status put_datetime(const struct json *v, int zone_minutes, struct buf *out,
                                struct why *why)
{
    int64_t us;
    if (v->kind != JSON_STRING || !time_parse_lenient(str_trim(v->string), zone_minutes, &us))
        return NOT(why, v, "a date and time");
    buf_lit(out, "{\"@type\":\"DateTime\",\"@value\":\"");
    buf_time(out, us);
    buf_lit(out, "\"}");
    return OK;
}

/* Text that is itself JSON: checked, then minified. */
static enum status put_json(const struct json *v, struct buf *out, struct why *why)
{
    static const struct json_limits limits = {.depth_max = 32, .bytes_max = 1u << 20};
    if (v->kind != JSON_STRING) {
        json_write(out, v);
        return OK;
    }
    struct arena *a = arena_new(0);
    struct json tree;
    enum status st = json_read(a, v->string, &limits, &tree, NULL);
    if (st == OK)
        json_write(out, &tree);
    arena_free(a);
    return st == OK ? OK : NOT(why, v, "JSON");
}

/* What the map makes of v: NULL when it rejects. */
static const struct json *mapped(const struct mapping_attr *a, const struct json *v)
{
    struct str key = STR("");
    char text[64];
    if (v->kind == JSON_STRING)
        key = v->string;
    else if (v->kind == JSON_BOOL)
        key = v->boolean ? STR("true") : STR("false");
    else if (v->kind == JSON_INT)
        key =
            (struct str){text, (size_t)snprintf(text, sizeof text, "%lld", (long long)v->integer)};
    for (uint32_t i = 0; i < a->pair_count; i++)
        if (str_eq(key, a->pairs[i].from))
            return a->pairs[i].to;
    return a->otherwise;
}

enum status mapping_put_value(const struct mapping_attr *a, const struct json *v, int zone_minutes,
                              struct buf *out, struct why *why)
{
    if (a->pair_count > 0) {
        const struct json *to = mapped(a, v);
        if (!to)
            return NOT(why, v, "a value that the map knows");
        if (to->kind == JSON_NULL)
            return E_NOT_FOUND;
        json_write(out, to);
        return OK;
    }
    switch ((enum mapping_type)a->type) {
    case MAPPING_NUMBER:
    case MAPPING_INTEGER:
        return put_number(a, v, out, why);
    case MAPPING_BOOLEAN:
        return put_boolean(v, out, why);
    case MAPPING_DATETIME:
        return put_datetime(v, zone_minutes, out, why);
    case MAPPING_JSON:
        return put_json(v, out, why);
    case MAPPING_STRING:
        if (v->kind != JSON_STRING) {
            buf_char(out, '"');
            bool simple = template_put_value(out, v);
            buf_char(out, '"');
            return simple ? OK : NOT(why, v, "text");
        }
        break;
    case MAPPING_AS_IS:
    case MAPPING_TYPE_COUNT:
        break;
    }
    json_write(out, v);
    return OK;
}
