/* Attributes: which members of an object name them, and how many instances each has, told apart by datasetId.
 *
 * Attributes are read in the order of the document, so that the first fault is the
 * one reported, each into the slot that the order of terms gives it. */
#include "model/reader_int.h"

#include <stdlib.h>

/* ---- names ---- */

enum status reader_attr_room(struct reading *rd, uint32_t more, const struct at *at)
{
    uint32_t most = rd->r->limits->attrs_max;
    if (more <= most - rd->instances)
        return OK;
    return why_limit(rd->why, E_LIMIT, at, "limits.attributes",
                     "an entity has at most %u attribute instances, sub-attributes included", most);
}

static enum status add_instances(struct reading *rd, uint32_t more, const struct at *at)
{
    enum status st = reader_attr_room(rd, more, at);
    if (st == OK)
        rd->instances += more;
    return st;
}

static enum status check_name(struct reading *rd, struct str name, const struct at *at)
{
    if (reader_is_name(name))
        return OK;
    return why_set(
        rd->why, E_BAD_DATA, at,
        "\"%.*s\" is no name: it must begin with a letter and go on with letters, digits "
        "or '_', maybe behind a prefix and ':', or be a URI (clause 4.6.2)",
        STR_ARG(str_head(name, 64)));
}

enum status reader_attr_term(struct reading *rd, struct str given, const struct at *at,
                             uint32_t *term, struct str *name)
{
    const struct reader *r = rd->r;
    enum status st = reader_value_length(rd, given, at, "a name");
    if (st == OK)
        st = check_name(rd, given, at);
    if (st != OK)
        return st;
    *term = context_expand_term(r->context, given, true, r->arena, rd->why);
    if (*term == TERM_NONE)
        return rd->why->status != OK
                   ? rd->why->status
                   : why_set(rd->why, E_BAD_DATA, at, "the @context maps this name to no IRI");
    *name = context_compact_term(r->context, *term);
    return str_eq(*name, given) ? OK : check_name(rd, *name, at);
}

enum status reader_attr_classify(struct reading *rd, const struct json_member *m,
                                 const struct at *at, enum member *which, struct named *out)
{
    *which = reader_member_of(m->key);
    if (*which != MEMBER_NONE)
        return OK;
    struct at here = {at, m->key, 0};
    *out = (struct named){.member = m, .count = 1};
    enum status st = reader_attr_term(rd, m->key, &here, &out->term, &out->name);
    if (st == OK && !str_eq(out->name, m->key))
        *which = reader_member_of(out->name); /* a core term by another spelling */
    return st;
}

/* ---- instances of one ---- */

static uint32_t count_instances(const struct reading *rd, const struct json *v)
{
    if (rd->r->simplified)
        return reader_shape_is_dataset_map(v) ? v->members[0].value.n : 1;
    return v->kind == JSON_ARRAY && reader_shape_is_instances(v) ? v->n : 1;
}

enum status reader_attr_instance(struct reading *rd, const struct named *n, const struct json *v,
                                 const struct at *at, struct attr *out)
{
    enum status st = add_instances(rd, 1, at);
    return st == OK ? reader_instance_read(rd, n, v, at, 0, out) : st;
}

static int by_dataset(const void *a, const void *b)
{
    return attr_order(a, b);
}

/* Sorts the instances of one attribute. They are told apart by datasetId: *dup is the second of
 * two that share one, as it stands in the document. */
static bool sort_instances(struct attr *attrs, uint32_t count, uint32_t *dup)
{
    for (uint32_t i = 0; i < count; i++)
        attrs[i].seq = i;
    qsort(attrs, count, sizeof *attrs, by_dataset);
    bool unique = true;
    for (uint32_t i = 0; i < count; i++) {
        if (i && str_eq(attrs[i].dataset, attrs[i - 1].dataset) && unique) {
            uint64_t later = attrs[i].seq > attrs[i - 1].seq ? attrs[i].seq : attrs[i - 1].seq;
            *dup = (uint32_t)later;
            unique = false;
        }
        if (i)
            attrs[i - 1].seq = 0;
    }
    attrs[count - 1].seq = 0;
    return unique;
}

/* {"dataset": {…}}: the keys are the datasetIds. */
static enum status read_dataset_map(struct reading *rd, const struct named *n,
                                    const struct json *map, const struct at *at, struct attr *attrs)
{
    struct at at_map = {at, STR("dataset"), 0};
    for (uint32_t i = 0; i < map->n; i++) {
        const struct json_member *m = &map->members[i];
        struct at here = {&at_map, m->key, 0};
        enum status st = reader_instance_read(rd, n, &m->value, &here, 0, &attrs[i]);
        struct json key = {.kind = JSON_STRING, .string = m->key};
        if (st == OK)
            st = reader_meta_dataset(rd, &key, &here, &attrs[i]);
        if (st != OK)
            return st;
    }
    return OK;
}

static enum status read_instances(struct reading *rd, const struct named *n, const struct json *v,
                                  const struct at *at, uint32_t depth, struct attr *attrs,
                                  uint32_t count)
{
    enum status st = OK;
    bool map = rd->r->simplified && reader_shape_is_dataset_map(v);
    if (map)
        st = read_dataset_map(rd, n, &v->members[0].value, at, attrs);
    else if (!rd->r->simplified && reader_shape_is_instances(v))
        for (uint32_t i = 0; i < count && st == OK; i++) {
            struct at here = {at, STR_NONE, i};
            st = reader_instance_read(rd, n, &v->items[i], &here, depth, &attrs[i]);
        }
    else
        return reader_instance_read(rd, n, v, at, depth, &attrs[0]);
    uint32_t dup = 0;
    if (st != OK || sort_instances(attrs, count, &dup))
        return st;
    struct at here = {at, STR_NONE, dup};
    return why_set(rd->why, E_BAD_DATA, map ? at : &here,
                   "two instances of an attribute cannot share a datasetId, and only one can be "
                   "the default, without any (clause 4.5.5)");
}

/* ---- lists ---- */

static int by_term(const void *a, const void *b)
{
    const struct named *const *x = a, *const *y = b;
    if ((*x)->term != (*y)->term)
        return (*x)->term < (*y)->term ? -1 : 1;
    return (*x > *y) - (*x < *y);
}

/* Pointers into named, by term and then as they stand in the document. */
static void sort_named(struct named *named, uint32_t count, struct named **order)
{
    enum { FEW = 24 };
    for (uint32_t i = 0; i < count; i++) {
        uint32_t j = i;
        if (count <= FEW)
            for (; j > 0 && order[j - 1]->term > named[i].term; j--)
                order[j] = order[j - 1];
        order[j] = &named[i];
    }
    if (count > FEW)
        qsort(order, count, sizeof *order, by_term);
}

/* Gives every attribute the slot that the order of terms demands. */
static enum status place(struct reading *rd, struct named *named, uint32_t count,
                         const struct at *at, uint32_t *total)
{
    struct named **order = arena_array(rd->r->arena, struct named *, count);
    sort_named(named, count, order);
    uint32_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (i && order[i - 1]->term == order[i]->term) {
            struct at here = {at, order[i]->member->key, 0};
            return why_set(rd->why, E_BAD_DATA, &here,
                           "this attribute is there twice, also as \"%.*s\"",
                           STR_ARG(str_head(order[i - 1]->member->key, 64)));
        }
        order[i]->slot = sum;
        sum += order[i]->count;
    }
    *total = sum;
    return OK;
}

enum status reader_attr_list(struct reading *rd, struct named *named, uint32_t count,
                             uint32_t depth, const struct at *at, struct attr **attrs,
                             uint32_t *attr_count)
{
    const struct reader_limits *limits = rd->r->limits;
    uint32_t total = 0;
    if (depth > limits->depth_max)
        return why_limit(rd->why, E_LIMIT, at, "limits.attribute_depth",
                         "attributes nest at most %u deep", limits->depth_max);
    for (uint32_t i = 0; i < count; i++)
        if (!named[i].sealed)
            named[i].count = count_instances(rd, &named[i].member->value);
    enum status st = place(rd, named, count, at, &total);
    if (st == OK)
        st = add_instances(rd, total, at);
    if (st != OK)
        return st;
    *attrs = arena_array(rd->r->arena, struct attr, total);
    *attr_count = total;
    for (uint32_t i = 0; i < count; i++) {
        const struct named *n = &named[i];
        struct at here = {at, n->member->key, 0};
        st = n->sealed ? reader_instance_sealed(rd, n, &here, &(*attrs)[n->slot])
                       : read_instances(rd, n, &n->member->value, &here, depth, &(*attrs)[n->slot],
                                        n->count);
        if (st != OK)
            return st;
    }
    return OK;
}

enum status reader_attr_instances(struct reading *rd, const struct named *n, const struct json *v,
                                  const struct at *at, struct attr **attrs, uint32_t *count)
{
    if (v->kind == JSON_ARRAY && !rd->r->simplified) {
        if (v->n == 0)
            return why_set(rd->why, E_BAD_DATA, at, "an array of instances cannot be empty");
        for (uint32_t i = 0; i < v->n; i++) {
            struct at here = {at, STR_NONE, i};
            if (!reader_shape_is_instance(&v->items[i]))
                return why_set(rd->why, E_BAD_DATA, &here,
                               "an element must be an instance of the attribute, with a \"type\", "
                               "a value or a datasetId");
        }
    }
    uint32_t total = count_instances(rd, v);
    enum status st = add_instances(rd, total, at);
    if (st != OK)
        return st;
    *attrs = arena_array(rd->r->arena, struct attr, total);
    *count = total;
    return read_instances(rd, n, v, at, 0, *attrs, total);
}
