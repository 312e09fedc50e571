/* The kind of an attribute instance, said by its "type" or inferred from the member
 * that holds its value (clauses 4.5.2.3, 4.5.3.3, 4.5.18.3, 4.5.20.3 to 4.5.22.3,
 * 4.5.24.3, 4.7.3), and the members that the kind allows. */
#include "model/reader_int.h"

static enum status read_type(struct reading *rd, const struct json_member *m, const struct at *at,
                             enum attr_kind *kind)
{
    struct at here = {at, m->key, 0};
    if (m->value.kind != JSON_STRING)
        return why_set(rd->why, E_BAD_DATA, &here, "the type of an attribute must be a string");
    struct str name = m->value.string;
    *kind = reader_member_kind_of(name);
    if (*kind == ATTR_UNKNOWN) {
        struct str iri = context_expand(rd->r->context, name, rd->r->arena);
        if (!str_absent(iri) && str_starts(iri, STR(NGSI_LD)))
            *kind = reader_member_kind_of(str_from(iri, sizeof NGSI_LD - 1));
    }
    if (*kind != ATTR_UNKNOWN)
        return OK;
    return why_set(rd->why, E_BAD_DATA, &here,
                   "\"%.*s\" is no type of attribute: Property, Relationship, GeoProperty, "
                   "LanguageProperty, VocabProperty, JsonProperty, ListProperty, ListRelationship",
                   STR_ARG(str_head(name, 64)));
}

/* Without "type": by the member that holds the value. */
static enum status infer_kind(struct reading *rd, const struct parts *p, const struct at *at,
                              struct attr *out)
{
    uint64_t with = p->seen & MEMBERS_WITH_VALUE;
    if (!with)
        return OK;
    enum member which = (enum member)__builtin_ctzll(with);
    uint64_t others = with & (with - 1);
    if (others) {
        enum member other = (enum member)__builtin_ctzll(others);
        struct at here = {at, p->of[other]->key, 0};
        return why_set(rd->why, E_BAD_DATA, &here,
                       "an attribute cannot have both \"%s\" and \"%s\"", reader_member_name(which),
                       reader_member_name(other));
    }
    out->kind = reader_member_kind(which);
    if (which == MEMBER_VALUE) {
        if (geometry_looks_like(&p->of[which]->value))
            out->kind = ATTR_GEO_PROPERTY;
        if (reading_takes_null(rd))
            out->guesses |= ATTR_GUESS_KIND;
    }
    return OK;
}

static enum status refuse_member(struct reading *rd, const struct parts *p, uint64_t refused,
                                 enum attr_kind kind, const struct at *at)
{
    enum member which = (enum member)__builtin_ctzll(refused);
    struct str key = p->of[which]->key;
    struct at here = {at, key, 0};
    return why_set(rd->why, E_BAD_DATA, &here, "%s %s never has a member \"%.*s\": %s",
                   kind == ATTR_UNKNOWN ? "an" : "a", attr_kind_name(kind),
                   STR_ARG(str_head(key, 64)), reader_member_reason(which));
}

enum status reader_kind_settle(struct reading *rd, const struct named *n, const struct parts *p,
                               bool partial, const struct at *at, struct attr *out)
{
    enum attr_kind kind = ATTR_UNKNOWN;
    enum status st = OK;
    if (p->seen & MEMBER_BIT(MEMBER_TYPE)) {
        st = read_type(rd, p->of[MEMBER_TYPE], at, &kind);
        out->kind = (uint8_t)kind;
    } else {
        st = infer_kind(rd, p, at, out);
        kind = (enum attr_kind)out->kind;
        if (kind == ATTR_PROPERTY && reader_is_geo(n->name))
            out->kind = kind = ATTR_GEO_PROPERTY;
    }
    if (st != OK)
        return st;
    uint64_t allowed = reader_member_allowed(kind);
    if (reader_is_proof(n->name) && (kind == ATTR_PROPERTY || kind == ATTR_UNKNOWN))
        allowed |= MEMBERS_SEALED;
    if (p->seen & ~allowed)
        return refuse_member(rd, p, p->seen & ~allowed, kind, at);
    if (kind != ATTR_UNKNOWN && kind != ATTR_GEO_PROPERTY && reader_is_geo(n->name))
        return why_set(rd->why, E_BAD_DATA, at, "\"%.*s\" must be a GeoProperty (clause 4.7.1)",
                       STR_ARG(n->name));
    if (kind != ATTR_UNKNOWN && kind != ATTR_PROPERTY && reader_is_proof(n->name))
        return why_set(rd->why, E_BAD_DATA, at, "ngsildproof must be a Property (clause 4.5.2.2)");
    enum member which = reader_member_of_value(kind);
    if (!partial && !(p->seen & MEMBER_BIT(which)))
        return why_set(rd->why, E_BAD_DATA, at, "a %s needs a member \"%s\"",
                       attr_kind_name(kind ? kind : ATTR_PROPERTY), reader_member_name(which));
    return OK;
}
