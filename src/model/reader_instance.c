/* One instance of an attribute: what kind it is (said by "type", else inferred as clauses 4.5.2.3, 4.5.3.3, 4.7.3 and
 * their like say), its value, its members and its sub-attributes. */
#include "model/reader_int.h"

static const struct attr BLANK = {
    .observed_at = TIME_NONE,
    .expires_at = TIME_NONE,
    .created_at = TIME_NONE,
    .modified_at = TIME_NONE,
};

/* ---- parts ---- */

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

/* ---- an instance ---- */

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

enum status reader_instance_read(struct reading *rd, const struct named *n, const struct json *v,
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
                           ? !reader_shape_is_typed_value(v, p.seen) && !reader_shape_is_bare_geometry(v, p.seen)
                           : reader_shape_is_fragment(rd, v);
        if (rd->partial && depth == 0 && rd->r->mode == READER_UPDATE)
            is_attr = !reader_shape_is_bare_geometry(v, p.seen);
        st = is_attr ? read_parts(rd, n, v, at, &p, depth, out) : read_bare(rd, n, v, at, out);
    }
    if (st == OK)
        add_defaults(rd, depth, out);
    return st;
}

enum status reader_instance_sealed(struct reading *rd, const struct named *n, const struct at *at,
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
