/* Applying edits: may this one run, what does it mean for types, scopes and expiry,
 * and who computes the attributes. The other parts are listed in edit_int.h. */
#include "model/edit_int.h"

#include "model/filter.h"

#include <assert.h>
#include <stdio.h>

bool edit_refuse(struct edit_run *r, enum status status, const char *fmt, ...)
{
    struct edit_result *result = r->result;
    result->status = status;
    result->why = arena_zalloc(r->arena, sizeof *result->why);
    va_list ap;
    va_start(ap, fmt);
    struct str text = arena_vprintf(r->arena, fmt, ap);
    va_end(ap);
    why_set(result->why, status, NULL, "%.*s", STR_ARG(text));
    return false;
}

const char *edit_name(struct edit_run *r, uint32_t term, struct str dataset)
{
    struct str iri = r->edit->names ? terms_iri(r->edit->names, term) : STR_NONE;
    const char *space = str_absent(iri) ? "" : " ";
    if (dataset.n)
        return arena_printf(r->arena, "attribute%s%.*s with datasetId %.*s", space, STR_ARG(iri),
                            STR_ARG(dataset))
            .p;
    return arena_printf(r->arena, "attribute%s%.*s", space, STR_ARG(iri)).p;
}

void edit_note(struct edit_run *r, uint32_t term, struct str dataset, const char *reason)
{
    r->result->notes[r->result->note_count++] = (struct edit_note){
        .term = term, .dataset = dataset, .done = reason == NULL, .reason = reason};
}

/* ---- the entity's own members ---- */

/* All of the fragment's types are added; none is ever removed (4.16). */
static void add_types(struct edit_run *r, struct entity *out)
{
    const struct entity *f = r->edit->fragment;
    uint32_t *types = NULL;
    for (uint32_t i = 0; i < f->type_count; i++) {
        if (entity_has_type(out, f->types[i]))
            continue;
        if (!types) {
            types = arena_array(r->arena, uint32_t, out->type_count + f->type_count);
            memcpy(types, out->types, sizeof *types * out->type_count);
            out->types = types;
        }
        types[out->type_count++] = f->types[i];
        r->applied = true;
    }
}

static bool has_scope(const struct entity *e, struct str scope)
{
    for (uint32_t i = 0; i < e->scope_count; i++)
        if (str_eq(e->scopes[i], scope))
            return true;
    return false;
}

static void add_scopes(struct edit_run *r, struct entity *out)
{
    const struct entity *f = r->edit->fragment;
    struct str *scopes = arena_array(r->arena, struct str, out->scope_count + f->scope_count);
    for (uint32_t i = 0; i < out->scope_count; i++)
        scopes[i] = out->scopes[i];
    out->scopes = scopes;
    for (uint32_t i = 0; i < f->scope_count; i++) {
        if (has_scope(out, f->scopes[i]))
            continue;
        scopes[out->scope_count++] = f->scopes[i];
        r->applied = true;
    }
}

/* 5.6.2: replaced where there is one, else ignored. 5.6.3, 5.6.17: set, or added without
 * overwriting. */
static void change_scope(struct edit_run *r, struct entity *out)
{
    const struct entity *f = r->edit->fragment;
    bool update = r->edit->kind == EDIT_UPDATE || r->edit->kind == EDIT_UPSERT_UPDATE;
    if (!f->scope_null && f->scope_count == 0)
        return;
    if ((f->scope_null || update) && out->scope_count == 0) {
        edit_note(r, TERM_NONE, STR(""), "the entity has no scope");
        return;
    }
    if (!f->scope_null && r->edit->flags & EDIT_NO_OVERWRITE) {
        add_scopes(r, out);
    } else {
        out->scopes = f->scope_null ? NULL : f->scopes;
        out->scope_count = f->scope_null ? 0 : f->scope_count;
        r->applied = true;
    }
    edit_note(r, TERM_NONE, STR(""), NULL);
}

static void change_expiry(struct edit_run *r, struct entity *out)
{
    const struct entity *f = r->edit->fragment;
    bool had = out->expires_at != TIME_NONE;
    if (f->expires_null ? !had : f->expires_at == TIME_NONE)
        return;
    if (had && r->edit->flags & EDIT_NO_OVERWRITE)
        return;
    out->expires_at = f->expires_null ? TIME_NONE : f->expires_at;
    r->applied = true;
}

/* ---- operations on whole entities ---- */

/* CREATE, REPLACE and both upserts: the fragment is the entity; what it had before only lends its
 * birth. */
static void replace_entity(struct edit_run *r, struct entity *out)
{
    const struct entity *f = r->edit->fragment, *old = r->old;
    *out = (struct entity){
        .id = r->edit->id,
        .type_count = f->type_count,
        .types = f->types,
        .scope_count = f->scope_count,
        .scopes = f->scopes,
        .created_at = old ? old->created_at : r->at,
        .expires_at = f->expires_at,
        .created_seq = old ? old->created_seq : 0,
    };
    struct edit_list had = {old ? old->attrs : NULL, old ? old->attr_count : 0};
    struct edit_list given = {f->attrs, f->attr_count};
    if (!edit_walk(r, had, given, edit_rule_replace, false, false, &out->attrs, &out->attr_count))
        return;
    r->result->created = old == NULL;
    r->applied = true;
}

/* Sequences belong to the store that gave them. */
static struct attr *without_seq(struct edit_run *r, const struct attr *attrs, uint32_t count)
{
    struct attr *out = arena_array(r->arena, struct attr, count);
    for (uint32_t i = 0; i < count; i++) {
        out[i] = attrs[i];
        out[i].seq = 0;
        out[i].subs = without_seq(r, attrs[i].subs, attrs[i].sub_count);
    }
    return out;
}

static enum edit_fate rule_copy(struct edit_run *r, const struct attr *was, const struct attr *fragment, struct attr *out)
{
    (void)r;
    *out = was ? *was : *fragment;
    return was ? EDIT_EXISTS : EDIT_SET;
}

static void copy_entity(struct edit_run *r, struct entity *out)
{
    const struct entity *f = r->edit->fragment, *old = r->old;
    struct edit_list given = {without_seq(r, f->attrs, f->attr_count), f->attr_count};
    *out = old ? *old : *f;
    out->id = r->edit->id;
    out->created_seq = old ? old->created_seq : 0;
    out->attrs = (struct attr *)given.attrs;
    r->result->created = !old;
    r->applied = !old;
    if (!old)
        return;
    struct edit_list had = {old->attrs, old->attr_count};
    if (!edit_walk(r, had, given, rule_copy, true, false, &out->attrs, &out->attr_count))
        return;
    r->applied = out->attr_count > old->attr_count;
    add_types(r, out);
    add_scopes(r, out);
}

/* UPDATE, UPSERT_UPDATE of an existing one, APPEND and MERGE. */
static void change_entity(struct edit_run *r, struct entity *out)
{
    const struct entity *f = r->edit->fragment, *old = r->old;
    struct edit_list had = {old->attrs, old->attr_count}, given = {f->attrs, f->attr_count};
    edit_rule rule = r->edit->kind == EDIT_MERGE ? edit_rule_merge : edit_rule_replace;
    *out = *old;
    r->result->notes = arena_array(r->arena, struct edit_note, f->attr_count + 1);
    if (!edit_walk(r, had, given, rule, true, true, &out->attrs, &out->attr_count))
        return;
    add_types(r, out);
    change_scope(r, out);
    change_expiry(r, out);
}

/* ---- which edit may run, and what runs ---- */

static bool needs_entity(enum edit_kind kind)
{
    return kind != EDIT_COPY && kind != EDIT_CREATE && kind != EDIT_UPSERT_REPLACE && kind != EDIT_UPSERT_UPDATE &&
           kind != EDIT_EXPIRE;
}

static bool may_run(struct edit_run *r)
{
    const struct edit *e = r->edit;
    if (!r->old) {
        if (needs_entity(e->kind))
            return edit_refuse(r, E_NOT_FOUND, "there is no entity %.*s", STR_ARG(e->id));
        if (e->if_seq)
            return edit_refuse(r, E_CONFLICT, "entity %.*s is not there any more", STR_ARG(e->id));
        return true;
    }
    if (e->kind == EDIT_CREATE)
        return edit_refuse(r, E_EXISTS, "entity %.*s exists already", STR_ARG(e->id));
    if (e->only_type && !type_expr_match(e->only_type, r->old))
        return edit_refuse(r, E_NOT_FOUND, "there is no entity %.*s of the requested type",
                           STR_ARG(e->id));
    if (e->if_seq && e->if_seq != r->old->seq)
        return edit_refuse(r, E_CONFLICT, "entity %.*s has changed in the meantime",
                           STR_ARG(e->id));
    return true;
}

static void run(struct edit_run *r, struct entity *out)
{
    switch ((enum edit_kind)r->edit->kind) {
    case EDIT_CREATE:
    case EDIT_REPLACE:
    case EDIT_UPSERT_REPLACE:
        replace_entity(r, out);
        break;
    case EDIT_UPSERT_UPDATE:
        if (r->old)
            change_entity(r, out);
        else
            replace_entity(r, out);
        break;
    case EDIT_APPEND:
    case EDIT_UPDATE:
    case EDIT_MERGE:
        change_entity(r, out);
        break;
    case EDIT_DELETE:
        r->result->deleted = r->applied = true;
        break;
    case EDIT_ATTR_UPDATE:
    case EDIT_ATTR_REPLACE:
        edit_attr_change(r, out);
        break;
    case EDIT_ATTR_DELETE:
        edit_attr_delete(r, out);
        break;
    case EDIT_PRUNE:
        edit_attr_prune(r, out);
        break;
    case EDIT_EXPIRE:
        if (r->old)
            edit_attr_expire(r, out);
        break;
    case EDIT_COPY:
        copy_entity(r, out);
        break;
    }
}

void edit_apply(const struct edit *e, const struct entity *old, int64_t now, struct arena *a,
                struct entity *out, struct edit_result *result)
{
    *result = (struct edit_result){.status = OK};
    struct edit_run r = {
        .edit = e,
        .old = old,
        .now = now,
        .at = old && old->modified_at > now ? old->modified_at : now,
        .arena = a,
        .result = result,
    };
    if (old && e->kind != EDIT_EXPIRE) {
        r.old = edit_attr_left(&r);
        result->expired = r.old == NULL;
        r.at = r.old ? r.at : now;
    }
    if (!may_run(&r))
        return;
    run(&r, out);
    if (result->status != OK) {
        result->note_count = 0;
        return;
    }
    result->changed = r.applied;
    if (!result->changed || result->deleted)
        return;
    if (e->kind != EDIT_COPY)
        out->modified_at = r.at;
    out->seq = 0;
    out->scope_null = out->expires_null = false;
}
