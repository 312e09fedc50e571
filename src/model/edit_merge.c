/* One instance of a fragment laid over the one an entity has: what it gives
 * replaces (5.6.4, clause 5.5.8 on an attribute) or merges into (5.6.17, clause
 * 5.5.12) what is there, what it leaves out stays, what it gives as NGSI-LD Null
 * goes. */
#include "model/edit_int.h"

#include "model/reader_member.h"

/* ATTR_NULL_… members that an attribute of that kind may have. */
static uint32_t members_of(enum attr_kind kind)
{
    uint64_t allowed = reader_member_allowed(kind);
    return ATTR_NULL_OBSERVED_AT | ATTR_NULL_EXPIRES_AT |
           (allowed & MEMBER_BIT(MEMBER_UNIT_CODE) ? ATTR_NULL_UNIT_CODE : 0) |
           (allowed & MEMBER_BIT(MEMBER_VALUE_TYPE) ? ATTR_NULL_VALUE_TYPE : 0) |
           (allowed & MEMBER_BIT(MEMBER_OBJECT_TYPE) ? ATTR_NULL_OBJECT_TYPE : 0);
}

/* Members that are there. */
static uint32_t members_in(const struct attr *a)
{
    return (str_absent(a->unit_code) ? 0 : ATTR_NULL_UNIT_CODE) |
           (str_absent(a->value_type) ? 0 : ATTR_NULL_VALUE_TYPE) |
           (str_absent(a->object_type) ? 0 : ATTR_NULL_OBJECT_TYPE) |
           (a->observed_at == TIME_NONE ? 0 : ATTR_NULL_OBSERVED_AT) |
           (a->expires_at == TIME_NONE ? 0 : ATTR_NULL_EXPIRES_AT);
}

static void clear_members(struct attr *a, uint32_t members)
{
    if (members & ATTR_NULL_UNIT_CODE)
        a->unit_code = STR_NONE;
    if (members & ATTR_NULL_VALUE_TYPE)
        a->value_type = STR_NONE;
    if (members & ATTR_NULL_OBJECT_TYPE)
        a->object_type = STR_NONE;
    if (members & ATTR_NULL_OBSERVED_AT)
        a->observed_at = TIME_NONE;
    if (members & ATTR_NULL_EXPIRES_AT)
        a->expires_at = TIME_NONE;
}

static bool change_members(struct edit_run *r, const struct attr *f, struct attr *out)
{
    uint32_t given = members_in(f), misfits = given & ~members_of(out->kind);
    if (misfits)
        return edit_refuse(r, E_BAD_DATA, "%s is a %s: it has no %s",
                           edit_name(r, f->term, f->dataset), attr_kind_name(out->kind),
                           misfits & ATTR_NULL_UNIT_CODE    ? "unitCode"
                           : misfits & ATTR_NULL_VALUE_TYPE ? "valueType"
                                                            : "objectType");
    /* a merge's common observedAt only moves one that is there (5.6.17.4) */
    if (f->guesses & ATTR_GUESS_OBSERVED_AT && out->observed_at == TIME_NONE)
        given &= ~(uint32_t)ATTR_NULL_OBSERVED_AT;
    if (given & ATTR_NULL_UNIT_CODE)
        out->unit_code = f->unit_code;
    if (given & ATTR_NULL_VALUE_TYPE)
        out->value_type = f->value_type;
    if (given & ATTR_NULL_OBJECT_TYPE)
        out->object_type = f->object_type;
    if (given & ATTR_NULL_OBSERVED_AT)
        out->observed_at = f->observed_at;
    if (given & ATTR_NULL_EXPIRES_AT)
        out->expires_at = f->expires_at;
    clear_members(out, f->null_members);
    return true;
}

/* Another kind is another value; members that it cannot have go with the old one. */
static bool change_kind(struct edit_run *r, const struct attr *f, bool merge, struct attr *out)
{
    if (!merge)
        return edit_refuse(r, E_BAD_DATA, "%s is a %s: a partial update cannot make it a %s",
                           edit_name(r, f->term, f->dataset), attr_kind_name(out->kind),
                           attr_kind_name(f->kind));
    if (f->value.kind == VALUE_NONE)
        return edit_refuse(r, E_BAD_DATA, "%s is a %s: it needs a value to become a %s",
                           edit_name(r, f->term, f->dataset), attr_kind_name(out->kind),
                           attr_kind_name(f->kind));
    out->kind = f->kind;
    clear_members(out, ~members_of(f->kind));
    return edit_value_merge(r, NULL, &f->value, &out->value);
}

static bool change_value(struct edit_run *r, const struct attr *f, bool merge, struct attr *out)
{
    if (f->kind != ATTR_UNKNOWN && f->kind != out->kind && !(f->guesses & ATTR_GUESS_KIND))
        return change_kind(r, f, merge, out);
    if (f->value.kind == VALUE_NONE)
        return true;
    struct value given;
    if (!edit_value_adopt(r, f, out->kind, &given))
        return false;
    if (merge)
        return edit_value_merge(r, &out->value, &given, &out->value);
    out->value = given;
    return true;
}

static enum edit_fate lay_over(struct edit_run *r, const struct attr *was, const struct attr *f,
                               bool merge, struct attr *out)
{
    *out = *was;
    out->modified_at = r->at;
    out->seq = 0;
    if (!change_value(r, f, merge, out) || !change_members(r, f, out))
        return EDIT_REFUSED;
    struct edit_list had = {was->subs, was->sub_count}, given = {f->subs, f->sub_count};
    if (f->sub_count && !edit_walk(r, had, given, merge ? edit_rule_merge : edit_rule_replace, true,
                                   false, &out->subs, &out->sub_count))
        return EDIT_REFUSED;
    return EDIT_SET;
}

enum edit_fate edit_rule_update(struct edit_run *r, const struct attr *was,
                                const struct attr *fragment, struct attr *out)
{
    if (fragment->value.kind == VALUE_NULL)
        return EDIT_REMOVED;
    return lay_over(r, was, fragment, false, out);
}

enum edit_fate edit_rule_merge(struct edit_run *r, const struct attr *was,
                               const struct attr *fragment, struct attr *out)
{
    if (!was || fragment->value.kind == VALUE_NULL)
        return edit_rule_replace(r, was, fragment, out);
    return lay_over(r, was, fragment, true, out);
}
