/* What the tables of clause 4.5.19.1 say: which data type a value is of, which methods apply to it, what they give.
 * A DateTime, Date or Time says so by its valueType or as a JSON-LD typed value; a bare string that is written as a Time
 * (4.6.3) is one, too, since nothing else is. Other bare strings are strings, whose order is that of time anyway. */
#include "model/aggregate_int.h"

#include "base/json_scan.h"
#include "base/number.h"

#include <math.h>

#define BIT AGGREGATE_BIT
#define COUNTS (BIT(AGGREGATE_TOTAL_COUNT) | BIT(AGGREGATE_DISTINCT_COUNT))
#define ENDS (BIT(AGGREGATE_MIN) | BIT(AGGREGATE_MAX))
#define SUM_AND_MEAN (BIT(AGGREGATE_SUM) | BIT(AGGREGATE_AVG))
#define ALL (BIT(AGGREGATE_METHOD_COUNT) - 1)

static const uint32_t ALLOWED[CLASS_COUNT] = {
    [CLASS_NUMBER] = ALL,
    [CLASS_BOOLEAN] = ALL,
    [CLASS_STRING] = COUNTS | ENDS,
    [CLASS_ARRAY] = COUNTS | ENDS | SUM_AND_MEAN,
    [CLASS_DATE_TIME] = COUNTS | ENDS,
    [CLASS_DATE] = COUNTS | ENDS,
    [CLASS_TIME] = COUNTS | ENDS | BIT(AGGREGATE_AVG),
    [CLASS_RELATIONSHIP] = COUNTS,
    [CLASS_OTHER] = COUNTS,
};

/* Values that cannot be compared with one another can only be counted. */
uint32_t aggregate_allowed(uint32_t classes)
{
    if (!(classes & ~(UINT32_C(1) << CLASS_NUMBER | UINT32_C(1) << CLASS_BOOLEAN)))
        return ALL;
    if (classes & (classes - 1))
        return COUNTS;
    return ALLOWED[__builtin_ctz(classes)];
}

/* ---- what a value is ---- */

static void set_number(struct item *item, enum class class, double number)
{
    item->class = (uint8_t)class;
    item->number = number;
}

static void set_string(struct item *item, struct str text)
{
    int64_t us;
    item->class = CLASS_STRING;
    item->text = text;
    if (text.n >= 9 && text.p[2] == ':' && time_parse_clock(text, &us)) {
        item->order = us;
        set_number(item, CLASS_TIME, (double)us);
    }
}

/* A string of a type, by the last part of the type's name. */
static void set_typed(struct item *item, struct str type, struct str text)
{
    for (size_t i = 0; i < type.n; i++)
        if (type.p[i] == '/' || type.p[i] == '#' || type.p[i] == ':') {
            type = str_from(type, i + 1);
            i = (size_t)-1;
        }
    set_string(item, text);
    if (str_eq_fold(type, STR("DateTime")) && time_parse(text, &item->order))
        item->class = CLASS_DATE_TIME;
    else if (str_eq_fold(type, STR("Date")) && time_parse_date(text, &item->order))
        item->class = CLASS_DATE;
    else if (str_eq_fold(type, STR("URI")) || str_eq_fold(type, STR("anyURI")) || str_eq(type, STR("@id")))
        item->class = CLASS_OTHER;
}

static uint32_t count_elements(struct str array)
{
    struct str rest = json_scan_inside(array), element;
    uint32_t n = 0;
    while (json_scan_element(&rest, &element))
        n++;
    return n;
}

/* Of minified text. depth: a typed value is looked into once. */
static void set_json(struct item *item, struct str text, struct arena *a, int depth)
{
    double number = 0;
    item->class = CLASS_OTHER;
    item->text = text;
    switch (json_scan_kind(text)) {
    case JSON_ARRAY:
        set_number(item, CLASS_ARRAY, count_elements(text));
        break;
    case JSON_STRING:
        set_string(item, json_scan_string(text, a));
        break;
    case JSON_BOOL:
        set_number(item, CLASS_BOOLEAN, text.p[0] == 't');
        break;
    case JSON_REAL:
        if (number_parse(text, &number))
            set_number(item, CLASS_NUMBER, number);
        break;
    case JSON_OBJECT: {
        struct str value = depth ? STR_NONE : json_scan_get(text, STR("@value"));
        struct str type = json_scan_get(text, STR("@type"));
        if (str_absent(value))
            break;
        if (json_scan_kind(value) == JSON_STRING && json_scan_kind(type) == JSON_STRING)
            set_typed(item, json_scan_string(type, a), json_scan_string(value, a));
        else
            set_json(item, value, a, depth + 1);
        break;
    }
    default:
        break;
    }
}

struct item aggregate_item(const struct point *p, int64_t us, struct arena *a)
{
    const struct value *v = &p->attr.value;
    struct item item = {.us = us, .class = CLASS_OTHER, .text = v->text};
    switch ((enum attr_kind)p->attr.kind) {
    case ATTR_RELATIONSHIP:
    case ATTR_LIST_RELATIONSHIP:
        item.class = CLASS_RELATIONSHIP;
        item.single = v->kind == VALUE_STRING;
        return item;
    case ATTR_GEO_PROPERTY:
    case ATTR_LANGUAGE_PROPERTY:
    case ATTR_VOCAB_PROPERTY: /* its names are URIs */
        return item;
    default:
        break;
    }
    if (v->kind == VALUE_INT)
        set_number(&item, CLASS_NUMBER, (double)v->integer);
    else if (v->kind == VALUE_REAL)
        set_number(&item, CLASS_NUMBER, v->real);
    else if (v->kind == VALUE_BOOL)
        set_number(&item, CLASS_BOOLEAN, v->boolean);
    else if (v->kind == VALUE_JSON)
        set_json(&item, v->text, a, 0);
    else if (v->kind == VALUE_STRING && !str_absent(p->attr.value_type))
        set_typed(&item, p->attr.value_type, v->text);
    else if (v->kind == VALUE_STRING)
        set_string(&item, v->text);
    return item;
}

/* ---- what a method gives ---- */

static struct aggregate_value give_count(uint64_t n)
{
    return (struct aggregate_value){.there = true, .value = {.kind = VALUE_INT, .integer = (int64_t)n}};
}

/* What JSON has no numbers for, a sum beyond double's range, is not there. */
static struct aggregate_value give_number(double number)
{
    return (struct aggregate_value){.there = isfinite(number), .value = {.kind = VALUE_REAL, .real = number}};
}

static struct aggregate_value give_text(struct str text)
{
    return (struct aggregate_value){.there = true, .value = {.kind = VALUE_STRING, .text = text}};
}

static struct aggregate_value give_clock(double us, struct arena *a)
{
    char text[TIME_TEXT_MAX];
    size_t n = time_format(llround(us), text), date = sizeof "1970-01-01T" - 1;
    return give_text(arena_dup(a, (struct str){text + date, n - date}));
}

static double deviation(const struct sums *s)
{
    return s->max == s->min ? 0 : sqrt(s->m2 / (double)s->n);
}

struct aggregate_value aggregate_result(const struct bucket *b, enum aggregate_method method, struct arena *a)
{
    bool time = b->classes == UINT32_C(1) << CLASS_TIME, text = !str_absent(b->least);
    const struct sums *s = &b->sums;
    if (!(aggregate_allowed(b->classes) & BIT(method)))
        return (struct aggregate_value){.there = false};
    switch (method) {
    case AGGREGATE_TOTAL_COUNT:
        return give_count(b->count);
    case AGGREGATE_DISTINCT_COUNT:
        return b->indistinct ? (struct aggregate_value){.there = false} : give_count(b->distinct);
    case AGGREGATE_SUM:
        return give_number(s->sum + s->sum_rest);
    case AGGREGATE_AVG:
        return time ? give_clock(sums_mean(s), a) : give_number(sums_mean(s));
    case AGGREGATE_MIN:
        return text ? give_text(b->least) : give_number(s->min);
    case AGGREGATE_MAX:
        return text ? give_text(b->greatest) : give_number(s->max);
    case AGGREGATE_STDDEV:
        return give_number(deviation(s));
    case AGGREGATE_SUMSQ:
        return give_number(s->squares + s->squares_rest);
    case AGGREGATE_METHOD_COUNT:
        break;
    }
    return (struct aggregate_value){.there = false};
}
