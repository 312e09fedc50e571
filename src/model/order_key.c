/* Computing sort keys. */
#include "model/order_key.h"

#include "base/json_scan.h"
#include "base/number.h"
#include "base/time.h"

#include <math.h>
#include <unicode/ucol.h>
#include <unicode/ustring.h>

enum { UNITS_MAX = 1024 };

static void weigh_collated(const struct order *o, struct str text, struct buf *bytes,
                           struct order_weight *w)
{
    UChar units[UNITS_MAX];
    UErrorCode error = U_ZERO_ERROR;
    int32_t n = 0, source = text.n < 4 * UNITS_MAX ? (int32_t)text.n : 4 * UNITS_MAX;
    u_strFromUTF8WithSub(units, UNITS_MAX, &n, text.p, source, 0xFFFD, NULL, &error);
    n = n < UNITS_MAX ? n : UNITS_MAX; /* what did not fit is left out */
    buf_clear(bytes);
    buf_reserve(bytes, 256);
    uint8_t *room = (uint8_t *)bytes->p;
    int32_t length = ucol_getSortKey(o->collator, units, n, room, (int32_t)bytes->cap);
    if ((size_t)length > bytes->cap && buf_reserve(bytes, (size_t)length))
        ucol_getSortKey(o->collator, units, n, (uint8_t *)bytes->p, (int32_t)bytes->cap);
    w->rank = RANK_STRING;
    w->bytes = (struct str){bytes->p, (size_t)length};
}

static void weigh_text(const struct order *o, struct str text, struct buf *bytes,
                       struct order_weight *w)
{
    bool digit = text.n && text.p[0] >= '0' && text.p[0] <= '9';
    if (digit && time_parse(text, &w->integer))
        w->rank = RANK_DATETIME;
    else if (digit && time_parse_date(text, &w->integer))
        w->rank = RANK_DATE;
    else if (digit && time_parse_clock(text, &w->integer))
        w->rank = RANK_TIME;
    else
        weigh_collated(o, text, bytes, w);
}

static void weigh_time(int64_t us, struct order_weight *w)
{
    if (us == TIME_NONE)
        return;
    w->rank = RANK_DATETIME;
    w->integer = us;
}

static void weigh_json(const struct order *o, struct str text, struct buf *bytes, struct arena *a,
                       struct order_weight *w)
{
    struct str typed;
    switch (json_scan_kind(text)) {
    case JSON_NULL:
        w->rank = RANK_NULL;
        break;
    case JSON_BOOL:
        w->rank = RANK_BOOL;
        w->integer = text.p[0] == 't';
        break;
    case JSON_STRING:
        weigh_text(o, json_scan_string(text, a), bytes, w);
        break;
    case JSON_ARRAY:
        w->rank = RANK_ARRAY;
        w->bytes = text;
        break;
    case JSON_OBJECT:
        typed = json_scan_get(text, STR("@value"));
        if (!str_absent(typed) && json_scan_kind(typed) != JSON_OBJECT) {
            weigh_json(o, typed, bytes, a, w);
            break;
        }
        w->rank = RANK_OBJECT;
        w->bytes = text;
        break;
    case JSON_INT:
    case JSON_REAL:
        w->rank = number_parse(text, &w->number) ? RANK_NUMBER : RANK_NULL;
        break;
    }
}

/* The string of a language map: that of lang ("": the first member). */
static struct str pick_language(struct str map, struct str lang, struct arena *a)
{
    struct str rest = json_scan_inside(map), key, value;
    while (json_scan_member(&rest, &key, &value)) {
        if (lang.n && !str_eq_fold(json_scan_string(key, a), lang))
            continue;
        struct str inside = json_scan_inside(value), first;
        if (json_scan_kind(value) == JSON_ARRAY && json_scan_element(&inside, &first))
            return first;
        return value;
    }
    return STR_NONE;
}

static void weigh_value(const struct order *o, const struct order_key *k, enum attr_kind kind,
                        const struct value *v, struct buf *bytes, struct arena *a,
                        struct order_weight *w)
{
    struct str text = v->kind == VALUE_JSON || v->kind == VALUE_GEO ? v->text : STR_NONE;
    if (kind == ATTR_LANGUAGE_PROPERTY && k->value_path_count < 2) {
        text = pick_language(text, k->value_path_count ? k->value_path[0] : STR(""), a);
    } else {
        for (uint32_t i = 0; i < k->value_path_count && !str_absent(text); i++)
            text = json_scan_get(text, k->value_path[i]);
    }
    if (!str_absent(text))
        weigh_json(o, text, bytes, a, w);
    if (!str_absent(text) || k->value_path_count)
        return;
    switch ((enum value_kind)v->kind) {
    case VALUE_BOOL:
        w->rank = RANK_BOOL;
        w->integer = v->boolean;
        break;
    case VALUE_INT:
        w->rank = RANK_NUMBER;
        w->number = (double)v->integer;
        break;
    case VALUE_REAL:
        w->rank = RANK_NUMBER;
        w->number = v->real;
        break;
    case VALUE_STRING:
        weigh_text(o, v->text, bytes, w);
        break;
    case VALUE_NONE:
    case VALUE_NULL:
    case VALUE_JSON:
    case VALUE_GEO:
        break;
    }
}

static void weigh_member(const struct order *o, const struct order_key *k, const struct attr *attr,
                         struct buf *bytes, struct order_weight *w)
{
    struct str text = STR("");
    switch ((enum compare_member)k->member) {
    case MEMBER_CREATED_AT:
        weigh_time(attr->created_at, w);
        break;
    case MEMBER_MODIFIED_AT:
        weigh_time(attr->modified_at, w);
        break;
    case MEMBER_EXPIRES_AT:
        weigh_time(attr->expires_at, w);
        break;
    case MEMBER_OBSERVED_AT:
        weigh_time(attr->observed_at, w);
        break;
    case MEMBER_UNIT_CODE:
        text = attr->unit_code;
        break;
    case MEMBER_DATASET_ID:
        text = attr->dataset;
        break;
    case MEMBER_TYPE:
        text = str_of(attr_kind_name((enum attr_kind)attr->kind));
        break;
    case MEMBER_VALUE_TYPE:
        text = attr->value_type;
        break;
    case MEMBER_OBJECT_TYPE:
        text = attr->object_type;
        break;
    case MEMBER_NONE:
    case MEMBER_DELETED_AT:
    case MEMBER_INSTANCE_ID:
        break;
    }
    if (text.n)
        weigh_collated(o, text, bytes, w);
}

static void weigh_distance(const struct order *o, const struct value *v, struct order_weight *w)
{
    double metres = geometry_haversine_m(o->from, v);
    if (isnan(metres))
        return;
    w->rank = RANK_DISTANCE;
    w->number = metres;
}

static void weigh_attr(const struct order *o, const struct order_key *k,
                       const struct filter_subject *s, struct buf *bytes, struct arena *a,
                       struct order_weight *w)
{
    struct filter_instances it = filter_instances_of(s, &k->path[0]);
    if (!filter_instances_left(&it))
        return;
    struct value v;
    enum attr_kind kind = ATTR_UNKNOWN;
    if (k->path_count > 1 || k->member) {
        struct attr room;
        const struct attr *attr = filter_instance_attr(&it, a, &room);
        uint32_t n;
        for (uint32_t i = 1; attr && i < k->path_count; i++)
            attr = k->path[i].term == TERM_NONE ? NULL : attr_sub(attr, k->path[i].term, &n);
        if (!attr)
            return;
        if (k->member) {
            weigh_member(o, k, attr, bytes, w);
            return;
        }
        v = attr->value;
        kind = (enum attr_kind)attr->kind;
    } else {
        kind = filter_instance_value(&it, &v);
    }
    if (k->by_distance && v.kind == VALUE_GEO)
        weigh_distance(o, &v, w);
    else
        weigh_value(o, k, kind, &v, bytes, a, w);
}

static int64_t expires_at(const struct filter_subject *s, struct arena *a)
{
    struct entity tree; /* a block's header has the earliest of all, not the entity's own */
    if (s->tree)
        return s->tree->expires_at;
    doc_decode(s->doc, a, &tree);
    return tree.expires_at;
}

void order_weigh(const struct order *o, const struct order_key *k, const struct filter_subject *s,
                 struct buf *bytes, struct arena *a, struct order_weight *w)
{
    const struct doc *d = s->doc;
    *w = (struct order_weight){.rank = RANK_ABSENT, .integer = 0};
    switch ((enum order_system)k->system) {
    case ORDER_ATTR:
        weigh_attr(o, k, s, bytes, a, w);
        break;
    case ORDER_ID:
        weigh_collated(o, filter_subject_id(s), bytes, w);
        break;
    case ORDER_TYPE:
        weigh_collated(o, context_compact_term(o->context, d ? doc_type(d, 0) : s->tree->types[0]),
                       bytes, w);
        break;
    case ORDER_SCOPE:
        if (d ? doc_scope_count(d) > 0 : s->tree->scope_count > 0)
            weigh_collated(o, d ? doc_scope(d, 0) : s->tree->scopes[0], bytes, w);
        break;
    case ORDER_CREATED:
        weigh_time(d ? doc_created_at(d) : s->tree->created_at, w);
        break;
    case ORDER_MODIFIED:
        weigh_time(d ? doc_modified_at(d) : s->tree->modified_at, w);
        break;
    case ORDER_EXPIRES:
        weigh_time(expires_at(s, a), w);
        break;
    }
}

int order_weight_compare(const struct order_key *k, const struct order_weight *x,
                         const struct order_weight *y)
{
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    int c = 0;
    switch ((enum order_rank)x->rank) {
    case RANK_DISTANCE:
    case RANK_NUMBER:
        c = (x->number > y->number) - (x->number < y->number);
        break;
    case RANK_STRING:
    case RANK_OBJECT:
    case RANK_ARRAY:
        c = str_cmp(x->bytes, y->bytes);
        break;
    case RANK_BOOL:
    case RANK_TIME:
    case RANK_DATE:
    case RANK_DATETIME:
        c = (x->integer > y->integer) - (x->integer < y->integer);
        break;
    case RANK_NULL:
    case RANK_ABSENT:
        break;
    }
    return k->descending ? -c : c;
}
