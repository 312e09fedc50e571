/* Instances of an attribute of a temporal evolution: each as an attribute of an entity is read (clauses 4.5.7, 4.5.8), or
 * as pairs of value and time (4.5.9). The NGSI-LD Null as a value, which only updates take elsewhere, tells of a deletion;
 * such an instance is read as if in an update, and must have no other Null. */
#include "model/reader_int.h"

#define DELETED_AT STR("deletedAt")

static const struct point BLANK = {
    .attr = {.dataset = {"", 0},
             .observed_at = TIME_NONE,
             .expires_at = TIME_NONE,
             .created_at = TIME_NONE,
             .modified_at = TIME_NONE},
    .deleted_at = TIME_NONE,
};

/* The encodings of clause 4.5.0, whatever the kind. */
static bool is_null(const struct json *v)
{
    if (v->kind == JSON_OBJECT && v->n == 1 && str_eq(v->members[0].key, STR("@none")))
        return reader_is_null(&v->members[0].value);
    if (v->kind == JSON_ARRAY && v->n == 1)
        return reader_is_null(&v->items[0]);
    return reader_is_null(v);
}

static enum status add_points(struct reading *rd, uint32_t more, const struct at *at)
{
    uint32_t most = rd->r->limits->instances_max;
    if (more > most - rd->points)
        return why_limit(rd->why, E_LIMIT, at, "limits.instances",
                         "a temporal evolution has at most %u instances in one request", most);
    rd->points += more;
    return OK;
}

/* ---- instances ---- */

static bool is_deletion(const struct json *v)
{
    for (uint32_t i = 0; i < v->n; i++)
        if ((MEMBER_BIT(reader_member_of(v->members[i].key)) & MEMBERS_WITH_VALUE) && is_null(&v->members[i].value))
            return true;
    return false;
}

static bool has_null(const struct attr *a)
{
    bool found = a->null_members != 0;
    for (uint32_t i = 0; i < a->sub_count && !found; i++)
        found = a->subs[i].value.kind == VALUE_NULL || has_null(&a->subs[i]);
    return found;
}

static enum status read_deleted_at(struct reading *rd, const struct json *v, const struct at *at, int64_t *us)
{
    const struct json *deleted = json_get(v, DELETED_AT);
    struct at here = {at, DELETED_AT, 0};
    return deleted ? reader_value_time(rd, deleted, &here, us) : OK;
}

static enum status read_point(struct reading *rd, const struct named *n, const struct json *v, const struct at *at,
                              struct point *out)
{
    *out = BLANK;
    if (!reader_shape_is_instance(v))
        return why_set(rd->why, E_BAD_DATA, at,
                       "an attribute of a temporal evolution must be an instance, an object with its \"type\" or its value, "
                       "or an array of instances (clause 4.5.7)");
    bool deletion = is_deletion(v);
    struct reader as = *rd->r;
    as.mode = deletion ? READER_UPDATE : READER_APPEND;
    struct reading one = {.r = &as, .why = rd->why};
    enum status st = reader_attr_instance(&one, n, v, at, &out->attr);
    if (st != OK || !deletion)
        return st;
    out->attr.guesses = 0;
    if (has_null(&out->attr))
        return why_set(rd->why, E_BAD_DATA, at, "only the value of a deleted instance is the NGSI-LD Null (clause 5.5.4)");
    return read_deleted_at(rd, v, at, &out->deleted_at);
}

/* ---- pairs of value and time ---- */

static const struct list {
    struct str name;
    enum attr_kind kind;
    struct str wrap; /* each value stands in an object as this member */
} LISTS[] = {
    {{"values", 6}, ATTR_PROPERTY, {NULL, 0}},
    {{"objects", 7}, ATTR_RELATIONSHIP, {NULL, 0}},
    {{"languageMaps", 12}, ATTR_LANGUAGE_PROPERTY, {"languageMap", 11}},
    {{"vocabs", 6}, ATTR_VOCAB_PROPERTY, {"vocab", 5}},
    {{"jsons", 5}, ATTR_JSON_PROPERTY, {"json", 4}},
    {{"valueLists", 10}, ATTR_LIST_PROPERTY, {NULL, 0}},
    {{"objectLists", 11}, ATTR_LIST_RELATIONSHIP, {NULL, 0}},
};

static const struct list *list_named(struct str key)
{
    for (size_t i = 0; i < sizeof LISTS / sizeof *LISTS; i++)
        if (str_eq(LISTS[i].name, key))
            return &LISTS[i];
    return NULL;
}

/* The member with the pairs, when v is an attribute in simplified temporal representation; else NULL. */
static const struct json_member *find_pairs(const struct json *v)
{
    const struct json_member *found = NULL;
    for (uint32_t i = 0; v->kind == JSON_OBJECT && i < v->n; i++) {
        const struct json_member *m = &v->members[i];
        if (MEMBER_BIT(reader_member_of(m->key)) & MEMBERS_WITH_VALUE)
            return NULL;
        if (m->value.kind == JSON_ARRAY && list_named(m->key))
            found = m;
    }
    return found;
}

/* What all pairs have in common. */
struct pairs {
    const struct list *list;
    enum attr_kind kind; /* ATTR_UNKNOWN: not said */
    struct attr common;  /* term, dataset */
};

static enum status read_pairs_type(struct reading *rd, const struct named *n, const struct json *type, const struct at *at,
                                   struct pairs *p)
{
    enum attr_kind kind = type && type->kind == JSON_STRING ? reader_member_kind_of(type->string) : ATTR_UNKNOWN;
    bool fits = kind == p->list->kind || (kind == ATTR_GEO_PROPERTY && p->list->kind == ATTR_PROPERTY);
    if (type && !fits)
        return why_set(rd->why, E_BAD_DATA, at, "\"%.*s\" are of a %s (clause 4.5.9)", STR_ARG(p->list->name),
                       attr_kind_name(p->list->kind));
    if (reader_is_geo(n->name) && kind != ATTR_GEO_PROPERTY && (type || p->list->kind != ATTR_PROPERTY))
        return why_set(rd->why, E_BAD_DATA, at, "\"%.*s\" must be a GeoProperty (clause 4.7.1)", STR_ARG(n->name));
    p->kind = reader_is_geo(n->name) ? ATTR_GEO_PROPERTY : kind;
    return OK;
}

/* Reads what stands beside the pairs. */
static enum status read_pairs_head(struct reading *rd, const struct named *n, const struct json *v,
                                   const struct json_member *pairs, const struct at *at, struct pairs *p)
{
    const struct json *type = NULL;
    *p = (struct pairs){.list = list_named(pairs->key), .common = BLANK.attr};
    p->common.term = n->term;
    for (uint32_t i = 0; i < v->n; i++) {
        const struct json_member *m = &v->members[i];
        struct at here = {at, m->key, 0};
        enum member which = reader_member_of(m->key);
        enum status st = OK;
        if (which == MEMBER_TYPE)
            type = &m->value;
        else if (which == MEMBER_DATASET_ID)
            st = reader_meta_dataset(rd, &m->value, &here, &p->common);
        else if (m != pairs)
            st = why_set(rd->why, E_BAD_DATA, &here,
                         "the simplified temporal representation has a \"type\", a \"datasetId\" and \"%.*s\", and no more "
                         "(clause 4.5.9)",
                         STR_ARG(p->list->name));
        if (st != OK)
            return st;
    }
    struct at here = {at, STR("type"), 0};
    return read_pairs_type(rd, n, type, type ? &here : at, p);
}

/* What stands in {"json": …} and its like; a Null may stand alone. */
static const struct json *unwrap(const struct pairs *p, const struct json *v)
{
    if (str_absent(p->list->wrap) || reader_is_null(v))
        return v;
    return v->kind == JSON_OBJECT && v->n == 1 ? json_get(v, p->list->wrap) : NULL;
}

static enum status read_pair(struct reading *rd, const struct pairs *p, const struct json *v, const struct at *at,
                             struct point *out)
{
    *out = BLANK;
    out->attr = p->common;
    if (v->kind != JSON_ARRAY || v->n != 2)
        return why_set(rd->why, E_BAD_DATA, at, "expected a value and its time, as [12.5, \"2020-01-31T23:59:59Z\"]");
    struct at at_value = {at, STR_NONE, 0}, at_time = {at, STR_NONE, 1};
    const struct json *value = unwrap(p, &v->items[0]);
    if (!value)
        return why_set(rd->why, E_BAD_DATA, &at_value, "a value here must be an object with \"%.*s\" (clause 4.5.9)",
                       STR_ARG(p->list->wrap));
    bool geo = p->kind == ATTR_GEO_PROPERTY || (p->kind == ATTR_UNKNOWN && geometry_looks_like(value));
    out->attr.kind = geo ? ATTR_GEO_PROPERTY : (uint8_t)p->list->kind;
    struct reader as = *rd->r;
    as.mode = is_null(value) ? READER_UPDATE : READER_APPEND;
    struct reading one = {.r = &as, .why = rd->why};
    enum status st = reader_value(&one, value, &at_value, &out->attr);
    bool deletion = out->attr.value.kind == VALUE_NULL;
    if (st == OK)
        st = reader_value_time(rd, &v->items[1], &at_time, deletion ? &out->deleted_at : &out->attr.observed_at);
    return st;
}

static enum status read_pairs(struct reading *rd, const struct named *n, const struct json *v,
                              const struct json_member *m, const struct at *at, struct point *points)
{
    struct pairs p;
    struct at here = {at, m->key, 0};
    enum status st = read_pairs_head(rd, n, v, m, at, &p);
    for (uint32_t i = 0; i < m->value.n && st == OK; i++) {
        struct at element = {&here, STR_NONE, i};
        st = read_pair(rd, &p, &m->value.items[i], &element, &points[i]);
    }
    return st;
}

/* ---- attributes ---- */

static enum status make_room(struct reading *rd, const struct json *v, const struct at *at, struct point **points)
{
    bool array = v->kind == JSON_ARRAY;
    uint32_t total = 0, most = rd->r->limits->instances_max;
    for (uint32_t i = 0; i < (array ? v->n : 1) && total <= most; i++) {
        const struct json_member *pairs = find_pairs(array ? &v->items[i] : v);
        total += !pairs ? 1 : pairs->value.n <= most ? pairs->value.n : most + 1;
    }
    if (total == 0)
        return why_set(rd->why, E_BAD_DATA, at, "an array of instances cannot be empty");
    enum status st = add_points(rd, total, at);
    if (st == OK)
        *points = arena_array(rd->r->arena, struct point, total);
    return st;
}

enum status reader_points(struct reading *rd, const struct named *n, const struct json *v, const struct at *at,
                          struct point **points, uint32_t *count)
{
    bool array = v->kind == JSON_ARRAY;
    *count = 0;
    enum status st = make_room(rd, v, at, points);
    for (uint32_t i = 0; st == OK && i < (array ? v->n : 1); i++) {
        struct at element = {at, STR_NONE, i};
        const struct json *item = array ? &v->items[i] : v;
        const struct at *here = array ? &element : at;
        const struct json_member *pairs = find_pairs(item);
        if (pairs)
            st = read_pairs(rd, n, item, pairs, here, &(*points)[*count]);
        else
            st = read_point(rd, n, item, here, &(*points)[*count]);
        *count += pairs ? pairs->value.n : 1;
    }
    return st;
}

/* ---- scope ---- */

/* One scope is a string, several are an array of them. */
static enum status set_scopes(struct reading *rd, const struct json *v, const struct at *at, struct point *out)
{
    struct entity e = {.scope_count = 0};
    if (is_null(v) || (v->kind == JSON_ARRAY && v->n == 0)) {
        out->attr.value.kind = VALUE_NULL;
        return OK;
    }
    enum status st = reader_scopes(rd, v, at, &e);
    if (st != OK)
        return st;
    if (e.scope_count == 1) {
        out->attr.value = (struct value){.kind = VALUE_STRING, .plain = json_plain(e.scopes[0]), .text = e.scopes[0]};
        return OK;
    }
    struct json list = {.kind = JSON_ARRAY, .n = e.scope_count};
    list.items = arena_array(rd->r->arena, struct json, e.scope_count);
    for (uint32_t i = 0; i < e.scope_count; i++)
        list.items[i] = (struct json){.kind = JSON_STRING, .string = e.scopes[i]};
    out->attr.value = (struct value){.kind = VALUE_JSON, .text = reader_value_text(rd, &list)};
    return OK;
}

static enum status read_scope_member(struct reading *rd, const struct json_member *m, const struct at *at,
                                     struct point *out, bool *valued)
{
    struct at here = {at, m->key, 0};
    enum member which = reader_member_of(m->key);
    if (which == MEMBER_VALUE) {
        *valued = true;
        return set_scopes(rd, &m->value, &here, out);
    }
    if (which == MEMBER_OBSERVED_AT)
        return reader_value_time(rd, &m->value, &here, &out->attr.observed_at);
    if (which == MEMBER_TYPE ? json_is_string(&m->value, STR("Property")) : !!(MEMBER_BIT(which) & MEMBERS_OF_SYSTEM))
        return OK;
    return why_set(rd->why, E_BAD_DATA, &here,
                   "a scope of a temporal evolution is a Property with no members but its times (clause 4.5.6)");
}

static enum status read_scope_point(struct reading *rd, const struct json *v, const struct at *at, struct point *out)
{
    bool valued = false;
    *out = BLANK;
    out->attr.term = TERM_SCOPE;
    out->attr.kind = ATTR_PROPERTY;
    if (v->kind != JSON_OBJECT)
        return why_set(rd->why, E_BAD_DATA, at, "an instance of the scope must be an object with a \"value\" (clause 4.5.6)");
    for (uint32_t i = 0; i < v->n; i++) {
        enum status st = read_scope_member(rd, &v->members[i], at, out, &valued);
        if (st != OK)
            return st;
    }
    if (!valued)
        return why_set(rd->why, E_BAD_DATA, at, "an instance of the scope needs a member \"value\"");
    return out->attr.value.kind == VALUE_NULL ? read_deleted_at(rd, v, at, &out->deleted_at) : OK;
}

static enum status read_scope_pairs(struct reading *rd, const struct json_member *m, const struct at *at,
                                    struct point *points)
{
    struct at list = {at, m->key, 0};
    for (uint32_t i = 0; i < m->value.n; i++) {
        struct at here = {&list, STR_NONE, i}, at_value = {&here, STR_NONE, 0}, at_time = {&here, STR_NONE, 1};
        const struct json *pair = &m->value.items[i];
        struct point *p = &points[i];
        *p = BLANK;
        p->attr.kind = ATTR_PROPERTY;
        if (pair->kind != JSON_ARRAY || pair->n != 2)
            return why_set(rd->why, E_BAD_DATA, &here, "expected a scope and its time");
        enum status st = set_scopes(rd, &pair->items[0], &at_value, p);
        bool deletion = p->attr.value.kind == VALUE_NULL;
        if (st == OK)
            st = reader_value_time(rd, &pair->items[1], &at_time, deletion ? &p->deleted_at : &p->attr.observed_at);
        if (st != OK)
            return st;
    }
    return OK;
}

enum status reader_scope_points(struct reading *rd, const struct json *v, const struct at *at, struct point **points,
                                uint32_t *count)
{
    bool array = v->kind == JSON_ARRAY;
    const struct json *first = array && v->n ? &v->items[0] : v;
    bool plain = first->kind == JSON_STRING;
    const struct json_member *pairs = array ? NULL : find_pairs(v);
    *count = plain || !array ? 1 : v->n;
    if (plain) {
        struct point *p = *points = arena_array(rd->r->arena, struct point, 1);
        *p = BLANK;
        p->attr.kind = ATTR_PROPERTY;
        enum status st = add_points(rd, 1, at);
        if (st == OK && is_null(v))
            st = why_set(rd->why, E_BAD_DATA, at, "the NGSI-LD Null is for updates and merges only (clause 5.5.4)");
        return st == OK ? set_scopes(rd, v, at, p) : st;
    }
    enum status st = make_room(rd, v, at, points);
    if (st != OK || pairs) {
        *count = pairs ? pairs->value.n : 0;
        return st == OK ? read_scope_pairs(rd, pairs, at, *points) : st;
    }
    for (uint32_t i = 0; i < *count && st == OK; i++) {
        struct at element = {at, STR_NONE, i};
        st = read_scope_point(rd, array ? &v->items[i] : v, array ? &element : at, &(*points)[i]);
    }
    return st;
}
