/* Changing temporal evolutions (CIM 009 clauses 6.18.3.1, 6.19.3.2, 6.20 … 6.22): one record edit a request. */
#include "broker/evolve.h"
#include "front/ngsild/answer.h"
#include "front/ngsild/params.h"

struct recording {
    struct exchange *x;
    struct store_record record;
    struct record_edit edit;
    struct record_result result;
    struct evolution fragment;
};

static struct recording *recording_new(struct exchange *x, enum record_edit_kind kind)
{
    struct recording *r = arena_zarray(x->arena, struct recording, 1);
    r->x = x;
    r->edit.kind = (uint8_t)kind;
    r->edit.id = x->variables[0];
    return r;
}

static void finished(struct recording *r)
{
    if (r->record.call.status != OK)
        answer_refusal(r->x, r->record.call.status, &r->record.call.why);
    else if (r->result.status != OK)
        answer_refusal(r->x, r->result.status, r->result.why);
    else if (r->result.created)
        answer_created(r->x, r->edit.id);
    else
        answer_empty(r->x, 204);
}

static void record_done(struct store_call *call)
{
    struct store_record *record = container_of(call, struct store_record, call);
    finished(container_of(record, struct recording, record));
}

static void run(struct recording *r)
{
    struct exchange *x = r->x;
    r->record = (struct store_record){
        .call = {.home = exchange_home(x), .deadline_us = exchange_deadline(x), .done = record_done},
        .caller = &x->caller,
        .edits = &r->edit,
        .count = 1,
        .results = &r->result,
        .arena = x->arena,
    };
    if (evolve_record(x->broker, &r->record))
        finished(r);
}

/* ---- whole evolutions ---- */

void evolutions_create(struct exchange *x)
{
    struct recording *r = recording_new(x, RECORD_EDIT_UPSERT);
    struct reader reader = exchange_reader(x, READER_ENTITY);
    if (reader_evolution(&reader, &x->body, STR_NONE, NULL, &r->fragment, &x->why) != OK) {
        answer_why(x);
        return;
    }
    r->edit.id = r->fragment.id;
    r->edit.fragment = &r->fragment;
    run(r);
}

void evolutions_append(struct exchange *x)
{
    struct recording *r = recording_new(x, RECORD_EDIT_ADD);
    struct reader reader = exchange_reader(x, READER_APPEND);
    if (exchange_entity_id(x) != OK ||
        reader_evolution_fragment(&reader, &x->body, r->edit.id, NULL, &r->fragment, &x->why) != OK) {
        answer_why(x);
        return;
    }
    r->edit.fragment = &r->fragment;
    run(r);
}

void evolutions_delete(struct exchange *x)
{
    if (exchange_entity_id(x) != OK)
        answer_why(x);
    else
        run(recording_new(x, RECORD_EDIT_DELETE));
}

/* ---- attributes and instances ---- */

/* The entity and the attribute of the path; the scope is one here. */
static enum status path_attr(struct exchange *x, uint32_t *term)
{
    *term = TERM_SCOPE;
    if (exchange_entity_id(x) != OK || str_eq(x->variables[1], STR("scope")))
        return x->why.status;
    if (exchange_attr(x, false, term) == OK && *term == TERM_NONE)
        why_set(&x->why, E_NOT_FOUND, NULL, "nothing has an attribute \"%.*s\"", STR_ARG(x->variables[1]));
    return x->why.status;
}

void evolutions_delete_attr(struct exchange *x)
{
    struct recording *r = recording_new(x, RECORD_EDIT_DELETE_ATTR);
    r->edit.dataset = exchange_has(x, PARAM_DATASET_ID) ? x->params[PARAM_DATASET_ID] : STR("");
    if (params_bool(x, PARAM_DELETE_ALL, &r->edit.all_datasets) == OK && r->edit.dataset.n && !reader_is_uri(r->edit.dataset))
        why_set(&x->why, E_BAD_DATA, NULL, "datasetId must be a URI");
    if (x->why.status != OK || path_attr(x, &r->edit.term) != OK)
        answer_why(x);
    else
        run(r);
}

static enum status path_instance(struct exchange *x, struct record_edit *edit)
{
    edit->instance_id = x->variables[2];
    if (path_attr(x, &edit->term) != OK && x->why.status != E_NOT_FOUND)
        return x->why.status;
    if (!reader_is_uri(edit->instance_id)) {
        why_clear(&x->why); /* what is wrong comes before what is not there */
        return why_set(&x->why, E_BAD_DATA, NULL, "the instance id \"%.*s\" is not a URI", STR_ARG(edit->instance_id));
    }
    if (x->why.status == OK && !instance_id_read(edit->instance_id, &edit->instance_seq, &edit->instance_index))
        why_set(&x->why, E_NOT_FOUND, NULL, "there is no instance %.*s", STR_ARG(edit->instance_id));
    return x->why.status;
}

void evolutions_update_instance(struct exchange *x)
{
    struct recording *r = recording_new(x, RECORD_EDIT_MODIFY_INSTANCE);
    struct reader reader = exchange_reader(x, READER_APPEND);
    struct point *point = arena_array(x->arena, struct point, 1);
    struct series *series = arena_array(x->arena, struct series, 1);
    if (path_instance(x, &r->edit) != OK || reader_instance(&reader, r->edit.term, &x->body, NULL, point, &x->why) != OK) {
        answer_why(x);
        return;
    }
    *series = (struct series){.term = r->edit.term, .dataset = point->attr.dataset, .count = 1, .points = point};
    r->fragment = (struct evolution){.id = r->edit.id, .count = 1, .series = series};
    r->edit.fragment = &r->fragment;
    run(r);
}

void evolutions_delete_instance(struct exchange *x)
{
    struct recording *r = recording_new(x, RECORD_EDIT_DELETE_INSTANCE);
    if (path_instance(x, &r->edit) != OK)
        answer_why(x);
    else
        run(r);
}
