/* Context information provision of single entities and attributes (CIM 009 clauses
 * 6.4.3.1, 6.4.3.3, 6.5.3.2 … 6.7.3.3): one edit a request. */
#include "base/time.h"
#include "broker/provide.h"
#include "broker/purge.h"
#include "front/ngsild/answer.h"
#include "front/ngsild/params.h"
#include "front/ngsild/query_input.h"

struct provision {
    struct exchange *x;
    struct store_apply apply; /* of what is no deletion */
    struct provide_deletion deletion;
    struct edit edit;
    struct entity fragment;
    struct edit_result result;
};

static struct provision *provision_new(struct exchange *x, enum edit_kind kind)
{
    struct provision *p = arena_zarray(x->arena, struct provision, 1);
    p->x = x;
    p->edit.kind = (uint8_t)kind;
    p->edit.id = x->variables[0];
    p->edit.names = x->broker->terms;
    return p;
}

/* ---- the answer ---- */

/* Notes about the scope have no term. */
static struct str note_name(const struct exchange *x, const struct edit_note *note)
{
    return note->term == TERM_NONE ? STR("scope") : terms_iri(x->broker->terms, note->term);
}

static void update_result_write(struct exchange *x, struct buf *b, const struct edit_result *r)
{
    buf_lit(b, "{\"updated\":[");
    bool first = true;
    for (uint32_t i = 0; i < r->note_count; i++) {
        if (!r->notes[i].done)
            continue;
        if (!first)
            buf_char(b, ',');
        first = false;
        json_write_str(b, note_name(x, &r->notes[i]));
    }
    buf_lit(b, "],\"notUpdated\":[");
    first = true;
    for (uint32_t i = 0; i < r->note_count; i++) {
        if (r->notes[i].done)
            continue;
        buf_str(b, first ? STR("{\"attributeName\":") : STR(",{\"attributeName\":"));
        first = false;
        json_write_str(b, note_name(x, &r->notes[i]));
        buf_lit(b, ",\"reason\":");
        json_write_str(b, str_of(r->notes[i].reason));
        buf_char(b, '}');
    }
    buf_lit(b, "]}");
}

static bool all_done(const struct edit_result *r)
{
    for (uint32_t i = 0; i < r->note_count; i++)
        if (!r->notes[i].done)
            return false;
    return true;
}

static void finished(struct provision *p, const struct store_call *call)
{
    struct exchange *x = p->x;
    if (call->status != OK) {
        answer_refusal(x, call->status, &call->why);
    } else if (p->result.status != OK) {
        answer_refusal(x, p->result.status, p->result.why);
    } else if (p->edit.kind == EDIT_CREATE) {
        answer_created(x, p->edit.id);
    } else if ((p->edit.kind == EDIT_APPEND || p->edit.kind == EDIT_UPDATE) && !all_done(&p->result)) {
        struct buf b;
        buf_init(&b, x->api->limits.answer_bytes);
        update_result_write(x, &b, &p->result);
        answer_body(x, 207, &b, false, NULL, 0);
    } else {
        answer_empty(x, 204);
    }
}

static void apply_done(struct store_call *call)
{
    struct store_apply *apply = container_of(call, struct store_apply, call);
    finished(container_of(apply, struct provision, apply), call);
}

static struct store_apply apply_of(struct provision *p)
{
    struct exchange *x = p->x;
    return (struct store_apply){
        .call = {.home = exchange_home(x), .deadline_us = exchange_deadline(x), .done = apply_done},
        .caller = &x->caller,
        .edits = &p->edit,
        .count = 1,
        .results = &p->result,
        .arena = x->arena,
    };
}

static void run(struct provision *p)
{
    p->apply = apply_of(p);
    if (provide_edits(p->x->broker, &p->apply))
        finished(p, &p->apply.call);
}

static void deletion_done(struct provide_deletion *d)
{
    finished(container_of(d, struct provision, deletion), &d->apply.call);
}

static void run_deletion(struct provision *p)
{
    p->deletion.apply = apply_of(p);
    p->deletion.done = deletion_done;
    if (provide_deletion(p->x->broker, &p->deletion))
        deletion_done(&p->deletion);
}

/* ---- entities ---- */

/* Reads the body as entity or fragment of the entity in the path, then runs. */
static void run_fragment(struct provision *p, const struct reader *reader)
{
    struct exchange *x = p->x;
    struct type_expr *only;
    if (reader_entity(reader, &x->body, p->edit.id, NULL, &p->fragment, &x->why) != OK ||
        exchange_only_type(x, &only) != OK) {
        answer_why(x);
        return;
    }
    p->edit.only_type = only;
    p->edit.fragment = &p->fragment;
    if (p->edit.kind == EDIT_CREATE)
        p->edit.id = p->fragment.id;
    run(p);
}

void provision_create(struct exchange *x)
{
    struct reader reader = exchange_reader(x, READER_ENTITY);
    struct provision *p = provision_new(x, EDIT_CREATE);
    p->edit.id = STR_NONE;
    run_fragment(p, &reader);
}

static void with_entity(struct exchange *x, enum edit_kind kind, enum reader_mode mode)
{
    struct reader reader = exchange_reader(x, mode);
    if (exchange_entity_id(x) != OK) {
        answer_why(x);
        return;
    }
    struct provision *p = provision_new(x, kind);
    if (exchange_option(x, KEYWORD_NO_OVERWRITE))
        p->edit.flags |= EDIT_NO_OVERWRITE;
    run_fragment(p, &reader);
}

void provision_replace(struct exchange *x)
{
    with_entity(x, EDIT_REPLACE, READER_ENTITY);
}

void provision_append(struct exchange *x)
{
    with_entity(x, EDIT_APPEND, READER_APPEND);
}

void provision_update(struct exchange *x)
{
    with_entity(x, EDIT_UPDATE, READER_UPDATE);
}

void provision_merge(struct exchange *x)
{
    struct reader reader = exchange_reader(x, READER_MERGE);
    if (exchange_entity_id(x) != OK || query_input_merge(x, &reader) != OK) {
        answer_why(x);
        return;
    }
    run_fragment(provision_new(x, EDIT_MERGE), &reader);
}

void provision_delete(struct exchange *x)
{
    struct type_expr *only;
    if (exchange_entity_id(x) != OK || exchange_only_type(x, &only) != OK) {
        answer_why(x);
        return;
    }
    struct provision *p = provision_new(x, EDIT_DELETE);
    p->edit.only_type = only;
    run_deletion(p);
}

/* ---- attributes ---- */

/* The term of the path's attribute, which must be one that some entity has: nothing is interned for a request that
 * cannot succeed. */
static enum status known_attr(struct exchange *x, uint32_t *term)
{
    if (exchange_attr(x, false, term) == OK && *term == TERM_NONE)
        why_set(&x->why, E_NOT_FOUND, NULL, "no entity has an attribute \"%.*s\"", STR_ARG(x->variables[1]));
    return x->why.status;
}

static void with_attr(struct exchange *x, enum edit_kind kind, enum reader_mode mode)
{
    struct provision *p = provision_new(x, kind);
    struct reader reader = exchange_reader(x, mode);
    struct attr *attrs;
    struct type_expr *only;
    if (exchange_entity_id(x) == OK && str_eq(x->variables[1], STR("scope")))
        why_set(&x->why, E_BAD_DATA, NULL, "scope cannot be changed as an attribute here: patch the entity");
    if (x->why.status != OK || known_attr(x, &p->edit.term) != OK ||
        reader_attr(&reader, p->edit.term, &x->body, NULL, &attrs, &p->edit.attr_count, &x->why) != OK ||
        exchange_only_type(x, &only) != OK) {
        answer_why(x);
        return;
    }
    p->edit.attrs = attrs;
    p->edit.only_type = only;
    run(p);
}

void provision_update_attr(struct exchange *x)
{
    with_attr(x, EDIT_ATTR_UPDATE, READER_UPDATE);
}

void provision_replace_attr(struct exchange *x)
{
    with_attr(x, EDIT_ATTR_REPLACE, READER_APPEND);
}

void provision_delete_attr(struct exchange *x)
{
    struct provision *p = provision_new(x, EDIT_ATTR_DELETE);
    struct type_expr *only;
    bool all;
    if (exchange_entity_id(x) != OK || params_bool(x, PARAM_DELETE_ALL, &all) != OK ||
        exchange_only_type(x, &only) != OK) {
        answer_why(x);
        return;
    }
    p->edit.only_type = only;
    p->edit.flags = all ? EDIT_ALL_INSTANCES : 0;
    p->edit.dataset = exchange_has(x, PARAM_DATASET_ID) ? x->params[PARAM_DATASET_ID] : STR("");
    if (p->edit.dataset.n && !reader_is_uri(p->edit.dataset)) {
        why_set(&x->why, E_BAD_DATA, NULL, "datasetId must be a URI");
        answer_why(x);
        return;
    }
    if (str_eq(x->variables[1], STR("scope"))) {
        p->edit.flags |= EDIT_SCOPE;
    } else if (known_attr(x, &p->edit.term) != OK) {
        answer_why(x);
        return;
    }
    run_deletion(p);
}

/* ---- purge ---- */

struct purging {
    struct exchange *x;
    struct purge purge;
};

static void purge_done(struct purge *purge)
{
    struct exchange *x = container_of(purge, struct purging, purge)->x;
    if (purge->status != OK)
        answer_refusal(x, purge->status, &purge->why);
    else
        answer_empty(x, 204);
}

/* drop or keep, expanded; both together make no sense. */
static enum status purge_terms(struct exchange *x, struct purge *purge)
{
    uint32_t param = exchange_has(x, PARAM_KEEP) ? PARAM_KEEP : PARAM_DROP;
    struct str *names;
    uint32_t count;
    if (exchange_has(x, PARAM_KEEP) && exchange_has(x, PARAM_DROP))
        return why_set(&x->why, E_BAD_DATA, NULL, "drop and keep exclude one another");
    enum status st = params_list(x, param, x->api->limits.ids, &names, &count);
    if (st != OK || !count)
        return st;
    uint32_t *terms = arena_array(x->arena, uint32_t, count);
    for (uint32_t i = 0; i < count; i++) {
        if (!reader_is_name(names[i]))
            return why_set(&x->why, E_BAD_DATA, NULL, "\"%.*s\" is not a valid attribute name", STR_ARG(names[i]));
        purge->scope |= str_eq(names[i], STR("scope"));
        terms[i] = context_expand_term(x->context, names[i], false, x->arena, &x->why);
    }
    purge->terms = terms;
    purge->term_count = count;
    purge->keep = param == PARAM_KEEP;
    return x->why.status;
}

void provision_purge(struct exchange *x)
{
    struct purging *p = arena_zarray(x->arena, struct purging, 1);
    struct query_input in;
    p->x = x;
    if (str_find_char(x->params[PARAM_PICK], '{') != STR_NPOS) {
        why_set(&x->why, E_BAD_DATA, NULL, "a purge does not follow relationships");
        answer_why(x);
        return;
    }
    if (query_input_params(x, &in) != OK || query_input_filter(x, &in) != OK || purge_terms(x, &p->purge) != OK) {
        answer_why(x);
        return;
    }
    p->purge.caller = &x->caller;
    p->purge.filter = x->filter;
    p->purge.home = exchange_home(x);
    p->purge.arena = x->arena;
    p->purge.done = purge_done;
    purge_start(x->broker, &p->purge);
}
