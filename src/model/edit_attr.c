/* Lists of attribute instances: the walk that lays a fragment over what an entity
 * has, and the operations that replace, remove or let expire (clauses 5.6.2 to
 * 5.6.5, 5.6.19, 5.6.21, 4.22). */
#include "model/edit_int.h"

#include <assert.h>

/* ---- replacing ---- */

/* The fragment's instance as a whole, with its sub-attributes; creation times stay where the
 * instance did. */
static bool renew(struct edit_run *r, const struct attr *was, const struct attr *f,
                  struct attr *out)
{
    if (f->value.kind == VALUE_NONE || f->kind == ATTR_UNKNOWN)
        return edit_refuse(r, E_BAD_DATA, "%s is not there yet: it needs a value",
                           edit_name(r, f->term, f->dataset));
    *out = *f;
    out->created_at = was ? was->created_at : r->at;
    out->modified_at = r->at;
    out->seq = 0;
    out->null_members = out->guesses = 0;
    out->lang = STR_NONE;
    if (f->guesses & ATTR_GUESS_OBSERVED_AT)
        out->observed_at = TIME_NONE;
    if (r->edit->kind == EDIT_MERGE && !edit_value_merge(r, NULL, &f->value, &out->value))
        return false;
    if (f->sub_count == 0)
        return true;
    struct edit_list had = {was ? was->subs : NULL, was ? was->sub_count : 0};
    struct edit_list given = {f->subs, f->sub_count};
    return edit_walk(r, had, given, edit_rule_replace, false, false, &out->subs, &out->sub_count);
}

enum edit_fate edit_rule_replace(struct edit_run *r, const struct attr *was,
                                 const struct attr *fragment, struct attr *out)
{
    if (fragment->value.kind == VALUE_NULL)
        return was ? EDIT_REMOVED : EDIT_ABSENT;
    return renew(r, was, fragment, out) ? EDIT_SET : EDIT_REFUSED;
}

/* ---- the walk ---- */

static const char *reason_of(enum edit_fate fate)
{
    return fate == EDIT_EXISTS   ? "the attribute exists already and is not overwritten"
           : fate == EDIT_ABSENT ? "the entity does not have this attribute"
                                 : NULL;
}

static enum edit_fate decide(struct edit_run *r, const struct attr *was, const struct attr *f,
                             edit_rule rule, bool top, struct attr *out)
{
    if (was && top && r->edit->flags & EDIT_NO_OVERWRITE) {
        *out = *was;
        return EDIT_EXISTS;
    }
    return rule(r, was, f, out);
}

bool edit_walk(struct edit_run *r, struct edit_list old, struct edit_list fragment, edit_rule rule,
               bool keep, bool top, struct attr **out, uint32_t *count)
{
    struct attr *attrs =
        arena_array(r->arena, struct attr, (keep ? old.count : 0) + fragment.count);
    uint32_t n = 0, i = 0;
    for (uint32_t k = 0; k < fragment.count; k++) {
        const struct attr *f = &fragment.attrs[k], *was = NULL;
        int order = 1;
        assert(k == 0 || attr_order(f - 1, f) < 0);
        for (; i < old.count && (order = attr_order(&old.attrs[i], f)) < 0; i++)
            if (keep)
                attrs[n++] = old.attrs[i];
        if (i < old.count && order == 0)
            was = &old.attrs[i++];
        enum edit_fate fate = decide(r, was, f, rule, top, &attrs[n]);
        if (fate == EDIT_REFUSED)
            return false;
        n += fate == EDIT_SET || fate == EDIT_EXISTS;
        if (!top)
            continue;
        edit_note(r, f->term, f->dataset, reason_of(fate));
        r->applied |= fate == EDIT_SET || fate == EDIT_REMOVED;
    }
    for (; keep && i < old.count; i++)
        attrs[n++] = old.attrs[i];
    *out = attrs;
    *count = n;
    return true;
}

/* ---- ATTR_UPDATE, ATTR_REPLACE ---- */

/* An update refuses instances that are not there (5.6.4.4); a replacement does what it can
 * (5.6.19.4). */
static enum edit_fate rule_of_present(struct edit_run *r, const struct attr *was,
                                      const struct attr *f, struct attr *out)
{
    bool update = r->edit->kind == EDIT_ATTR_UPDATE;
    if (was)
        return update ? edit_rule_update(r, was, f, out) : edit_rule_replace(r, was, f, out);
    if (!update)
        return EDIT_ABSENT;
    edit_refuse(r, E_NOT_FOUND, "entity %.*s has no %s", STR_ARG(r->old->id),
                edit_name(r, f->term, f->dataset));
    return EDIT_REFUSED;
}

void edit_attr_change(struct edit_run *r, struct entity *out)
{
    const struct edit *e = r->edit;
    struct edit_list had = {r->old->attrs, r->old->attr_count}, given = {e->attrs, e->attr_count};
    *out = *r->old;
    r->result->notes = arena_array(r->arena, struct edit_note, e->attr_count);
    if (!edit_walk(r, had, given, rule_of_present, true, true, &out->attrs, &out->attr_count))
        return;
    if (!r->applied)
        edit_refuse(r, E_NOT_FOUND, "entity %.*s has no %s", STR_ARG(e->id),
                    edit_name(r, e->term, e->attr_count == 1 ? e->attrs[0].dataset : STR("")));
}

/* ---- removing ---- */

/* Copies the instances that stay; `goes` says which do not. */
static void sift(struct edit_run *r, struct entity *out,
                 bool (*goes)(const struct edit *e, const struct attr *a))
{
    const struct entity *old = r->old;
    *out = *old;
    out->attrs = arena_array(r->arena, struct attr, old->attr_count);
    out->attr_count = 0;
    for (uint32_t i = 0; i < old->attr_count; i++)
        if (!goes(r->edit, &old->attrs[i]))
            out->attrs[out->attr_count++] = old->attrs[i];
    r->applied = out->attr_count < old->attr_count;
}

static void drop_scope(struct edit_run *r, struct entity *out)
{
    r->applied |= out->scope_count > 0;
    out->scopes = NULL;
    out->scope_count = 0;
}

static bool is_deleted(const struct edit *e, const struct attr *a)
{
    return a->term == e->term && (e->flags & EDIT_ALL_INSTANCES || str_eq(a->dataset, e->dataset));
}

void edit_attr_delete(struct edit_run *r, struct entity *out)
{
    const struct edit *e = r->edit;
    if (e->flags & EDIT_SCOPE) {
        *out = *r->old;
        drop_scope(r, out);
        if (!r->applied)
            edit_refuse(r, E_NOT_FOUND, "entity %.*s has no scope", STR_ARG(e->id));
        return;
    }
    sift(r, out, is_deleted);
    if (!r->applied)
        edit_refuse(r, E_NOT_FOUND, "entity %.*s has no %s", STR_ARG(e->id),
                    edit_name(r, e->term, e->flags & EDIT_ALL_INSTANCES ? STR("") : e->dataset));
}

static bool is_pruned(const struct edit *e, const struct attr *a)
{
    bool named = false;
    for (uint32_t i = 0; i < e->term_count && !named; i++)
        named = e->terms[i] == a->term;
    return named != ((e->flags & EDIT_KEEP) != 0);
}

void edit_attr_prune(struct edit_run *r, struct entity *out)
{
    sift(r, out, is_pruned);
    if (r->edit->flags & EDIT_SCOPE && !(r->edit->flags & EDIT_KEEP))
        drop_scope(r, out);
}

/* ---- expiry ---- */

static bool is_over(int64_t expires_at, int64_t now)
{
    return expires_at != TIME_NONE && expires_at <= now;
}

static bool any_over(const struct attr *attrs, uint32_t count, int64_t now)
{
    for (uint32_t i = 0; i < count; i++)
        if (is_over(attrs[i].expires_at, now) || any_over(attrs[i].subs, attrs[i].sub_count, now))
            return true;
    return false;
}

/* Without what is over, at any depth. True when something was. An attribute that loses a
 * sub-attribute is modified (at; TIME_NONE: leave that), but its value, and so its sequence, is
 * what it was. */
static bool expire_attrs(struct attr **attrs, uint32_t *count, int64_t now, int64_t at,
                         struct arena *arena)
{
    if (!any_over(*attrs, *count, now))
        return false;
    struct attr *left = arena_array(arena, struct attr, *count);
    uint32_t n = 0;
    for (uint32_t i = 0; i < *count; i++) {
        const struct attr *a = &(*attrs)[i];
        if (is_over(a->expires_at, now))
            continue;
        left[n] = *a;
        if (expire_attrs(&left[n].subs, &left[n].sub_count, now, at, arena) && at != TIME_NONE)
            left[n].modified_at = at;
        n++;
    }
    *attrs = left;
    *count = n;
    return true;
}

void edit_attr_expire(struct edit_run *r, struct entity *out)
{
    if (is_over(r->old->expires_at, r->now)) {
        r->result->deleted = r->applied = true;
        return;
    }
    *out = *r->old;
    r->applied = expire_attrs(&out->attrs, &out->attr_count, r->now, r->at, r->arena);
}

const struct entity *edit_attr_left(struct edit_run *r)
{
    const struct entity *old = r->old;
    if (is_over(old->expires_at, r->now))
        return NULL;
    if (!any_over(old->attrs, old->attr_count, r->now))
        return old;
    struct entity *left = arena_array(r->arena, struct entity, 1);
    *left = *old;
    (void)expire_attrs(&left->attrs, &left->attr_count, r->now, r->at, r->arena);
    return left;
}

bool edit_left(const struct entity *old, int64_t now, struct arena *a, struct entity *out)
{
    *out = *old;
    (void)expire_attrs(&out->attrs, &out->attr_count, now, TIME_NONE, a);
    return !is_over(old->expires_at, now);
}
