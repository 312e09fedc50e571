/* Attributes: which members of an object name them, how many instances each has,
 * what kind each instance is (said by "type", else inferred as clauses 4.5.2.3,
 * 4.5.3.3, 4.7.3 and their like say) and which members its kind allows.
 *
 * Attributes are read in the order of the document, so that the first fault is the
 * one reported, each into the slot that the order of terms gives it. */
#include "model/reader_int.h"

#include <stdlib.h>

static const struct attr BLANK = {
    .observed_at = TIME_NONE,
    .expires_at = TIME_NONE,
    .created_at = TIME_NONE,
    .modified_at = TIME_NONE,
};

#define SAYS_ATTRIBUTE (MEMBER_BIT(MEMBER_TYPE) | MEMBERS_WITH_VALUE | MEMBERS_OF_META)

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

/* ---- shapes ---- */

static uint64_t members_seen(const struct json *v)
{
    uint64_t seen = 0;
    for (uint32_t i = 0; i < v->n; i++)
        seen |= MEMBER_BIT(reader_member_of(v->members[i].key));
    return seen;
}

/* {"@type": …, "@value": …} (clause C.6), or a bare geometry: a value in spite of its "type". */
static bool is_typed_value(const struct json *v, uint64_t seen)
{
    return (seen & MEMBER_BIT(MEMBER_KEYWORD)) && json_get(v, STR("@value"));
}
static bool is_bare_geometry(const struct json *v, uint64_t seen)
{
    return (seen & MEMBER_BIT(MEMBER_TYPE)) && !(seen & MEMBERS_WITH_VALUE) &&
           geometry_looks_like(v);
}

bool reader_attr_is_instance(const struct json *v)
{
    if (v->kind != JSON_OBJECT)
        return false;
    uint64_t seen = members_seen(v);
    return (seen & SAYS_ATTRIBUTE) && !is_typed_value(v, seen) && !is_bare_geometry(v, seen);
}

static bool is_instance_array(const struct json *v)
{
    if (v->kind != JSON_ARRAY || v->n == 0)
        return false;
    for (uint32_t i = 0; i < v->n; i++)
        if (!reader_attr_is_instance(&v->items[i]))
            return false;
    return true;
}

bool reader_attr_is_bare(const struct json *v)
{
    return v->kind == JSON_ARRAY ? !is_instance_array(v)
                                 : !reader_attr_is_instance(v) && !geometry_looks_like(v) && !reader_is_null(v);
}

/* {"dataset": {"@none": …, "urn:…": …}}: several instances, simplified (clause 4.5.4). */
static bool is_dataset_map(const struct json *v)
{
    return v->kind == JSON_OBJECT && v->n == 1 && str_eq(v->members[0].key, STR("dataset")) &&
           v->members[0].value.kind == JSON_OBJECT && v->members[0].value.n > 0;
}

static uint32_t count_instances(const struct reading *rd, const struct json *v)
{
    if (rd->r->simplified)
        return is_dataset_map(v) ? v->members[0].value.n : 1;
    return v->kind == JSON_ARRAY && is_instance_array(v) ? v->n : 1;
}

/* In a merge, {"speed": {"source": {"value": …}}} goes on to sub-attributes, while
 * {"address": {"city": …}} goes into the value: told apart by what the members hold. */
static bool is_bare_fragment(const struct reading *rd, const struct json *v)
{
    if (rd->r->mode != READER_MERGE || v->n == 0)
        return false;
    for (uint32_t i = 0; i < v->n; i++)
        if (!reader_attr_is_instance(&v->members[i].value) && !is_instance_array(&v->members[i].value))
            return false;
    return true;
}

/* ---- parts of an instance ---- */

static enum status add_part(struct reading *rd, struct parts *p, enum member which,
                            const struct json_member *m, const struct at *at)
{
    uint64_t repeatable = MEMBER_BIT(MEMBER_KEYWORD) | MEMBER_BIT(MEMBER_PREVIOUS);
    if (p->seen & MEMBER_BIT(which) & ~repeatable) {
        struct at here = {at, m->key, 0};
        return why_set(rd->why, E_BAD_DATA, &here, "the member \"%s\" is there twice",
                       reader_member_name(which));
    }
    p->seen |= MEMBER_BIT(which);
    p->of[which] = m;
    return OK;
}

static enum status scan_parts(struct reading *rd, const struct json *v, const struct at *at,
                              struct parts *p)
{
    p->seen = 0;
    p->names = 0;
    for (uint32_t i = 0; i < v->n; i++) {
        const struct json_member *m = &v->members[i];
        enum member which = reader_member_of(m->key);
        if (which == MEMBER_NONE) {
            p->names++;
            continue;
        }
        if ((p->seen & MEMBER_BIT(which)) && json_get(v, STR("@value")))
            continue; /* a typed value, and no concern of ours */
        enum status st = add_part(rd, p, which, m, at);
        if (st != OK)
            return st;
    }
    return OK;
}

/* The members of v that name sub-attributes; those that turn out to be core members by another
 * spelling go to the parts. */
static enum status resolve_names(struct reading *rd, const struct json *v, const struct at *at,
                                 struct parts *p, struct named *named, uint32_t *count)
{
    *count = 0;
    enum status room = reader_attr_room(rd, p->names, at);
    if (room != OK)
        return room;
    for (uint32_t i = 0; i < v->n && p->names; i++) {
        enum member which;
        if (reader_member_of(v->members[i].key) != MEMBER_NONE)
            continue;
        enum status st = reader_attr_classify(rd, &v->members[i], at, &which, &named[*count]);
        if (st == OK && which != MEMBER_NONE)
            st = add_part(rd, p, which, &v->members[i], at);
        else if (st == OK)
            ++*count;
        if (st != OK)
            return st;
    }
    return OK;
}

static enum status add_sealed(struct reading *rd, const struct parts *p, struct named *named,
                              uint32_t *count)
{
    static const struct {
        enum member member;
        struct str iri;
    } SEALED[] = {
        {MEMBER_ENTITY_ID_SEALED, {NGSI_LD "entityIdSealed", sizeof NGSI_LD + 13}},
        {MEMBER_ENTITY_TYPE_SEALED, {NGSI_LD "entityTypeSealed", sizeof NGSI_LD + 15}},
    };
    for (int i = 0; i < 2; i++) {
        if (!(p->seen & MEMBER_BIT(SEALED[i].member)))
            continue;
        uint32_t term =
            context_expand_term(rd->r->context, SEALED[i].iri, true, rd->r->arena, rd->why);
        if (term == TERM_NONE)
            return rd->why->status;
        named[(*count)++] = (struct named){.member = p->of[SEALED[i].member],
                                           .term = term,
                                           .count = 1,
                                           .sealed = SEALED[i].member};
    }
    return OK;
}

/* ---- instances ---- */

/* What the operation adds to attributes of an entity (clause 5.6.17). */
static void add_defaults(const struct reading *rd, uint32_t depth, struct attr *out)
{
    const struct reader *r = rd->r;
    if (r->mode != READER_MERGE || out->value.kind == VALUE_NULL)
        return;
    if (depth == 0 && r->observed_at != TIME_NONE && out->observed_at == TIME_NONE &&
        !(out->null_members & ATTR_NULL_OBSERVED_AT)) {
        out->observed_at = r->observed_at;
        out->guesses |= ATTR_GUESS_OBSERVED_AT;
    }
    if ((out->guesses & ATTR_GUESS_KIND) && out->value.kind == VALUE_STRING)
        out->lang = r->lang;
}

/* v is nothing but a value. */
static enum status read_bare(struct reading *rd, const struct named *n, const struct json *v,
                             const struct at *at, struct attr *out)
{
    if (reader_is_null(v))
        out->kind = ATTR_UNKNOWN;
    else if (geometry_looks_like(v) || reader_is_geo(n->name))
        out->kind = ATTR_GEO_PROPERTY;
    else
        out->kind = ATTR_PROPERTY;
    if (reader_is_proof(n->name) && out->kind != ATTR_UNKNOWN &&
        (out->kind != ATTR_PROPERTY || v->kind != JSON_OBJECT))
        return why_set(
            rd->why, E_BAD_DATA, at,
            "ngsildproof must be a Property with an object as its value (clause 4.5.2.2)");
    if (reading_takes_null(rd) && out->kind != ATTR_UNKNOWN)
        out->guesses |= ATTR_GUESS_KIND;
    return reader_value(rd, v, at, out);
}

static bool is_uri_text(const struct json *v)
{
    return v->kind == JSON_STRING && reader_is_uri(v->string) && !reader_is_null(v);
}

/* Where the @context says that the values of a name are IRIs ("@type": "@id"), simplified text is
 * the target of a Relationship; names of a vocabulary ("@vocab") make a VocabProperty. */
static enum attr_kind coerced_kind(const struct reading *rd, const struct named *n,
                                   const struct json *v)
{
    bool array = v->kind == JSON_ARRAY;
    if (v->kind != JSON_STRING && (!array || v->n == 0))
        return ATTR_UNKNOWN;
    struct str coercion = context_coercion(rd->r->context, n->member ? n->member->key : n->name);
    bool is_id = str_eq(coercion, STR("@id"));
    if (reader_is_null(v) || (!is_id && !str_eq(coercion, STR("@vocab"))))
        return ATTR_UNKNOWN;
    for (uint32_t i = 0; i < (array ? v->n : 1); i++) {
        const struct json *item = array ? &v->items[i] : v;
        if (is_id ? !is_uri_text(item) : item->kind != JSON_STRING)
            return ATTR_UNKNOWN;
    }
    return is_id ? ATTR_RELATIONSHIP : ATTR_VOCAB_PROPERTY;
}

/* Simplified: {"languageMap": …}, {"json": …}, {"vocab": …} or a bare value (clause 4.5.4). */
static enum status read_simplified(struct reading *rd, const struct named *n, const struct json *v,
                                   const struct at *at, struct attr *out)
{
    if (reader_is_geo(n->name) || reader_is_proof(n->name))
        return read_bare(rd, n, v, at, out);
    if (v->kind == JSON_OBJECT && v->n == 1) {
        const struct json_member *m = &v->members[0];
        enum member which = reader_member_of(m->key);
        if (which == MEMBER_LANGUAGE_MAP || which == MEMBER_JSON || which == MEMBER_VOCAB) {
            struct at here = {at, m->key, 0};
            out->kind = reader_member_kind(which);
            return reader_value(rd, &m->value, &here, out);
        }
    }
    enum attr_kind coerced = coerced_kind(rd, n, v);
    if (coerced == ATTR_UNKNOWN)
        return read_bare(rd, n, v, at, out);
    out->kind = (uint8_t)coerced;
    if (reading_takes_null(rd))
        out->guesses |= ATTR_GUESS_KIND;
    return reader_value(rd, v, at, out);
}

static enum status read_parts(struct reading *rd, const struct named *n, const struct json *v,
                              const struct at *at, struct parts *p, uint32_t depth,
                              struct attr *out)
{
    uint32_t sub_count = 0, room = p->names + (p->seen & MEMBERS_SEALED ? 2 : 0);
    struct named *subs = room ? arena_array(rd->r->arena, struct named, room) : NULL;
    enum status st = resolve_names(rd, v, at, p, subs, &sub_count);
    bool partial = depth == 0 ? rd->partial : rd->r->mode == READER_MERGE;
    if (st == OK)
        st = reader_kind_settle(rd, n, p, partial, at, out);
    if (st != OK)
        return st;
    enum member which = reader_member_of_value((enum attr_kind)out->kind);
    if (p->seen & MEMBER_BIT(which)) {
        const struct json_member *m = p->of[which];
        struct at here = {at, m->key, 0};
        if (reader_is_proof(n->name) && m->value.kind != JSON_OBJECT && !reader_is_null(&m->value))
            return why_set(rd->why, E_BAD_DATA, &here,
                           "the value of ngsildproof must be an object (clause 4.5.2.2)");
        st = reader_value(rd, &m->value, &here, out);
    }
    if (st == OK)
        st = reader_meta(rd, p, at, out);
    if (st == OK && (p->seen & MEMBERS_SEALED))
        st = add_sealed(rd, p, subs, &sub_count);
    if (st == OK && sub_count)
        st = reader_attr_list(rd, subs, sub_count, depth + 1, at, &out->subs, &out->sub_count);
    return st;
}

static enum status read_instance(struct reading *rd, const struct named *n, const struct json *v,
                                 const struct at *at, uint32_t depth, struct attr *out)
{
    struct parts p;
    *out = BLANK;
    out->term = n->term;
    out->dataset = STR("");
    enum status st;
    if (rd->r->simplified) {
        st = read_simplified(rd, n, v, at, out);
    } else if (v->kind != JSON_OBJECT) {
        st = read_bare(rd, n, v, at, out);
    } else {
        st = scan_parts(rd, v, at, &p);
        if (st != OK)
            return st;
        bool is_attr = (p.seen & SAYS_ATTRIBUTE)
                           ? !is_typed_value(v, p.seen) && !is_bare_geometry(v, p.seen)
                           : is_bare_fragment(rd, v);
        if (rd->partial && depth == 0 && rd->r->mode == READER_UPDATE)
            is_attr = !is_bare_geometry(v, p.seen);
        st = is_attr ? read_parts(rd, n, v, at, &p, depth, out) : read_bare(rd, n, v, at, out);
    }
    if (st == OK)
        add_defaults(rd, depth, out);
    return st;
}

enum status reader_attr_instance(struct reading *rd, const struct named *n, const struct json *v,
                                 const struct at *at, struct attr *out)
{
    enum status st = add_instances(rd, 1, at);
    return st == OK ? read_instance(rd, n, v, at, 0, out) : st;
}

/* entityIdSealed and entityTypeSealed are kept as sub-attributes of the proof. */
static enum status read_sealed(struct reading *rd, const struct named *n, const struct at *at,
                               struct attr *out)
{
    const struct json *v = &n->member->value;
    *out = BLANK;
    out->term = n->term;
    out->dataset = STR("");
    out->kind = n->sealed == MEMBER_ENTITY_TYPE_SEALED ? ATTR_VOCAB_PROPERTY : ATTR_PROPERTY;
    if (out->kind == ATTR_PROPERTY && (v->kind != JSON_STRING || !reader_is_uri(v->string)))
        return why_set(rd->why, E_BAD_DATA, at, "entityIdSealed must be a URI");
    return reader_value(rd, v, at, out);
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
        enum status st = read_instance(rd, n, &m->value, &here, 0, &attrs[i]);
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
    bool map = rd->r->simplified && is_dataset_map(v);
    if (map)
        st = read_dataset_map(rd, n, &v->members[0].value, at, attrs);
    else if (!rd->r->simplified && is_instance_array(v))
        for (uint32_t i = 0; i < count && st == OK; i++) {
            struct at here = {at, STR_NONE, i};
            st = read_instance(rd, n, &v->items[i], &here, depth, &attrs[i]);
        }
    else
        return read_instance(rd, n, v, at, depth, &attrs[0]);
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
        st = n->sealed ? read_sealed(rd, n, &here, &(*attrs)[n->slot])
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
            if (!reader_attr_is_instance(&v->items[i]))
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
