/* Does one value meet an operator and its operands (CIM 009 clause 4.9)?
 *
 * Types never mix: a number is not a string, and a string is compared with a date only
 * when it is one. Then '==' and the orders do not match and '!=' does. Strings are
 * compared by code point. Arrays meet '==' when an element does, '!=' when none does,
 * and no other operator; so do the maps of LanguageProperties, of which every other
 * operator needs one string that meets it (and '!~=' that none is in the pattern).
 * Relationships meet '==' and '!=' only. A value object ("@value", JSON-LD) is its value. */
#include "model/filter_int.h"

#include "base/json_scan.h"
#include "base/number.h"
#include "base/time.h"
#include "model/pattern.h"

enum { LESS = -1, SAME = 0, MORE = 1, UNLIKE = 2 };

enum scalar_kind { SCALAR_NUMBER, SCALAR_STRING, SCALAR_BOOL, SCALAR_TIME, SCALAR_OTHER };

struct scalar {
    enum scalar_kind kind;
    union {
        double number;
        bool boolean;
        int64_t us;
        struct str text;
    };
};

static inline int sign(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* A string against a temporal operand: by the instant it says. */
static int compare_times(struct str text, const struct operand *o)
{
    int64_t us;
    bool is = o->kind == OPERAND_DATETIME ? time_parse(text, &us)
              : o->kind == OPERAND_DATE   ? time_parse_date(text, &us)
                                          : time_parse_clock(text, &us);
    return is ? sign(us, o->us) : UNLIKE;
}

static int compare_text(struct str text, const struct operand *o)
{
    if (o->kind == OPERAND_STRING) {
        int c = str_cmp(text, o->text);
        return (c > 0) - (c < 0);
    }
    return o->kind == OPERAND_NUMBER || o->kind == OPERAND_BOOL ? UNLIKE : compare_times(text, o);
}

static int compare_scalar(const struct scalar *s, const struct operand *o)
{
    switch (s->kind) {
    case SCALAR_NUMBER:
        return o->kind == OPERAND_NUMBER ? (s->number > o->number) - (s->number < o->number)
                                         : UNLIKE;
    case SCALAR_STRING:
        return compare_text(s->text, o);
    case SCALAR_BOOL:
        return o->kind == OPERAND_BOOL && s->boolean == o->boolean ? SAME : UNLIKE;
    case SCALAR_TIME: /* a quoted DateTime is one too */
        return o->kind == OPERAND_DATETIME || (o->kind == OPERAND_STRING && o->us != TIME_NONE)
                   ? sign(s->us, o->us)
                   : UNLIKE;
    case SCALAR_OTHER:
        break;
    }
    return UNLIKE;
}

/* The equal operator, on what is no array. */
static bool equals(const struct compare *c, const struct scalar *s)
{
    if (c->range) {
        int low = compare_scalar(s, &c->operands[0]), high = compare_scalar(s, &c->operands[1]);
        return (low == SAME || low == MORE) && (high == SAME || high == LESS);
    }
    for (uint32_t i = 0; i < c->operand_count; i++)
        if (compare_scalar(s, &c->operands[i]) == SAME)
            return true;
    return false;
}

static bool scalar_meets(const struct compare *c, const struct scalar *s)
{
    int order;
    switch ((enum compare_op)c->op) {
    case COMPARE_EXISTS:
        return true;
    case COMPARE_EQ:
        return equals(c, s);
    case COMPARE_NE:
        return !equals(c, s);
    case COMPARE_MATCH:
        return s->kind == SCALAR_STRING && pattern_match(c->pattern, s->text);
    case COMPARE_NOT_MATCH:
        return s->kind == SCALAR_STRING && !pattern_match(c->pattern, s->text);
    case COMPARE_GT:
    case COMPARE_GE:
    case COMPARE_LT:
    case COMPARE_LE:
        break;
    }
    order = compare_scalar(s, &c->operands[0]);
    return order == LESS   ? c->op == COMPARE_LT || c->op == COMPARE_LE
           : order == MORE ? c->op == COMPARE_GT || c->op == COMPARE_GE
                           : order == SAME && (c->op == COMPARE_GE || c->op == COMPARE_LE);
}

/* ---- JSON text ---- */

static struct scalar json_scalar(struct str text, struct arena *a)
{
    struct scalar s = {.kind = SCALAR_OTHER};
    switch (json_scan_kind(text)) {
    case JSON_STRING:
        s.kind = SCALAR_STRING;
        s.text = json_scan_string(text, a);
        break;
    case JSON_REAL:
        if (number_parse(text, &s.number))
            s.kind = SCALAR_NUMBER;
        break;
    case JSON_BOOL:
        s.kind = SCALAR_BOOL;
        s.boolean = text.p[0] == 't';
        break;
    case JSON_OBJECT:
        text = json_scan_get(text, STR("@value"));
        if (!str_absent(text) && json_scan_kind(text) != JSON_OBJECT)
            s = json_scalar(text, a);
        break;
    default:
        break;
    }
    return s;
}

static bool array_has(const struct compare *c, struct str array, struct arena *a)
{
    struct str rest = json_scan_inside(array), element;
    while (json_scan_element(&rest, &element)) {
        struct scalar s = json_scalar(element, a);
        if (equals(c, &s))
            return true;
    }
    return false;
}

static bool json_meets(const struct compare *c, struct str text, struct arena *a)
{
    if (json_scan_kind(text) == JSON_ARRAY)
        return c->op == COMPARE_EXISTS || (c->op == COMPARE_EQ && array_has(c, text, a)) ||
               (c->op == COMPARE_NE && !array_has(c, text, a));
    struct scalar s = json_scalar(text, a);
    return scalar_meets(c, &s);
}

/* ---- language maps ---- */

/* Each operator as "some string of the map meets it", turned around for those that want none. */
static bool map_meets(const struct compare *c, struct str map, struct str lang, struct arena *a)
{
    struct compare some = *c;
    bool none = c->op == COMPARE_NE || c->op == COMPARE_NOT_MATCH, all = str_eq(lang, STR("*"));
    if (none)
        some.op = c->op == COMPARE_NE ? COMPARE_EQ : COMPARE_MATCH;
    struct str rest = json_scan_inside(map), key, value;
    bool found = false, defined = false;
    while (json_scan_member(&rest, &key, &value)) {
        if (!all && !str_eq_fold(json_scan_string(key, a), lang))
            continue;
        defined |= c->op != COMPARE_NOT_MATCH || json_scan_kind(value) == JSON_STRING;
        found |= json_meets(&some, value, a);
    }
    return none ? defined && !found : found;
}

/* ---- values ---- */

/* "[a.b]" on a value: what a MemberExpression of ECMA 262 gives; absent when it is undefined. */
static struct str follow_value_path(const struct compare *c, const struct value *v)
{
    struct str text = v->kind == VALUE_JSON || v->kind == VALUE_GEO ? v->text : STR_NONE;
    for (uint32_t i = 0; i < c->value_path_count && !str_absent(text); i++)
        text = json_scan_get(text, c->value_path[i]);
    return text;
}

static bool plain_meets(const struct compare *c, const struct value *v, struct arena *a)
{
    struct scalar s = {.kind = SCALAR_OTHER};
    switch ((enum value_kind)v->kind) {
    case VALUE_INT:
        s.kind = SCALAR_NUMBER;
        s.number = (double)v->integer;
        break;
    case VALUE_REAL:
        s.kind = SCALAR_NUMBER;
        s.number = v->real;
        break;
    case VALUE_STRING:
        s.kind = SCALAR_STRING;
        s.text = v->text;
        break;
    case VALUE_BOOL:
        s.kind = SCALAR_BOOL;
        s.boolean = v->boolean;
        break;
    case VALUE_JSON:
        return json_meets(c, v->text, a);
    case VALUE_GEO:
        break;
    case VALUE_NONE:
    case VALUE_NULL:
        return false;
    }
    return scalar_meets(c, &s);
}

bool filter_value_match(const struct compare *c, enum attr_kind kind, const struct value *v,
                        struct arena *a)
{
    bool link = kind == ATTR_RELATIONSHIP || kind == ATTR_LIST_RELATIONSHIP;
    if (link && c->op != COMPARE_EXISTS && c->op != COMPARE_EQ && c->op != COMPARE_NE)
        return false;
    if (kind == ATTR_LANGUAGE_PROPERTY && v->kind == VALUE_JSON && c->value_path_count < 2)
        return map_meets(c, v->text, c->value_path_count ? c->value_path[0] : STR("*"), a);
    if (c->value_path_count == 0)
        return plain_meets(c, v, a);
    struct str text = follow_value_path(c, v);
    return !str_absent(text) && json_meets(c, text, a);
}

/* ---- members ---- */

bool filter_time_match(const struct compare *c, int64_t us)
{
    struct scalar s = {.kind = SCALAR_TIME, .us = us};
    return us != TIME_NONE && c->value_path_count == 0 && scalar_meets(c, &s);
}

static bool text_match(const struct compare *c, struct str text)
{
    struct scalar s = {.kind = SCALAR_STRING, .text = text};
    return text.n && c->value_path_count == 0 && scalar_meets(c, &s);
}

bool filter_member_match(const struct compare *c, const struct attr *attr, struct arena *a)
{
    switch ((enum compare_member)c->member) {
    case MEMBER_CREATED_AT:
        return filter_time_match(c, attr->created_at);
    case MEMBER_MODIFIED_AT:
        return filter_time_match(c, attr->modified_at);
    case MEMBER_EXPIRES_AT:
        return filter_time_match(c, attr->expires_at);
    case MEMBER_OBSERVED_AT:
        return filter_time_match(c, attr->observed_at);
    case MEMBER_UNIT_CODE:
        return text_match(c, attr->unit_code);
    case MEMBER_DATASET_ID:
        return text_match(c, attr->dataset);
    case MEMBER_TYPE:
        return text_match(c, str_of(attr_kind_name((enum attr_kind)attr->kind)));
    case MEMBER_VALUE_TYPE:
        return text_match(c, attr->value_type);
    case MEMBER_OBJECT_TYPE:
        return attr->object_type.n && c->value_path_count == 0 &&
               json_meets(c, attr->object_type, a);
    case MEMBER_NONE:
    case MEMBER_DELETED_AT:
    case MEMBER_INSTANCE_ID:
        break;
    }
    return false;
}
