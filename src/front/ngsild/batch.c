/* Batch operations (CIM 009 clauses 5.6.7 … 5.6.10, 5.6.20): the elements are read
 * one after another, each with its own @context where the body is ld+json; what
 * cannot be read becomes an error of that element; the rest is applied in one go.
 *
 * State machine: read element i → (context missing: wait) → … → apply → answer. */
#include "broker/provide.h"
#include "front/ngsild/answer.h"
#include "front/ngsild/params.h"
#include "front/ngsild/query_input.h"

#include <stdlib.h>

struct batch {
    struct exchange *x;
    struct reader reader;
    uint8_t kind; /* enum edit_kind */
    uint32_t flags;
    uint32_t count;         /* elements */
    uint32_t next;          /* element to read */
    struct str *ids;        /* of each element, absent when unknown */
    struct why **refusals;  /* of each element, NULL when readable */
    struct edit *edits;
    uint32_t *element_of;   /* edit → element */
    uint32_t edit_count;
    struct edit_result *results;
    struct store_apply apply;
    struct contexts_call resolving;
    struct context **contexts; /* distinct ones in use, released at the end */
    uint32_t context_count;
    const struct json *spec_now; /* @context of the element before, to skip resolving it again */
};

/* ---- the answer ---- */

static void contexts_release(struct batch *b)
{
    for (uint32_t i = 0; i < b->context_count; i++)
        context_unref(b->contexts[i]);
    b->context_count = 0;
}

static void ids_write(struct batch *b, struct buf *out, bool created_only)
{
    bool first = true;
    buf_char(out, '[');
    for (uint32_t i = 0; i < b->edit_count; i++) {
        const struct edit_result *r = &b->results[i];
        if (r->status != OK || (created_only && !r->created))
            continue;
        if (!first)
            buf_char(out, ',');
        first = false;
        json_write_str(out, b->edits[i].id);
    }
    buf_char(out, ']');
}

static void error_write(struct buf *out, struct str id, enum status status, const struct why *why, bool first)
{
    buf_str(out, first ? STR("{") : STR(",{"));
    if (!str_absent(id)) {
        buf_lit(out, "\"entityId\":");
        json_write_str(out, id);
        buf_char(out, ',');
    }
    buf_lit(out, "\"error\":");
    problem_write(out, status, why, id);
    buf_char(out, '}');
}

/* Without overwriting, an entity some of whose attributes were there already is not updated (5.6.9). */
static void append_check(struct batch *b, struct edit_result *r)
{
    if (b->kind != EDIT_APPEND || r->status != OK)
        return;
    for (uint32_t i = 0; i < r->note_count; i++) {
        if (r->notes[i].done)
            continue;
        r->why = arena_zarray(b->x->arena, struct why, 1);
        r->status = why_set(r->why, E_BAD_DATA, NULL, "not all attributes were appended: %.*s: %s",
                            STR_ARG(r->notes[i].term == TERM_NONE ? STR("scope")
                                                                  : terms_iri(b->x->broker->terms, r->notes[i].term)),
                            r->notes[i].reason);
        return;
    }
}

/* In the order of the elements. Returns how many. */
static uint32_t errors_write(struct batch *b, struct buf *out)
{
    uint32_t errors = 0, e = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        if (b->refusals[i]) {
            error_write(out, b->ids[i], b->refusals[i]->status, b->refusals[i], !errors++);
            continue;
        }
        const struct edit_result *r = &b->results[e++];
        if (r->status != OK)
            error_write(out, b->ids[i], r->status, r->why, !errors++);
    }
    return errors;
}

static bool any_failed(const struct batch *b)
{
    if (b->edit_count < b->count)
        return true;
    for (uint32_t i = 0; i < b->edit_count; i++)
        if (b->results[i].status != OK)
            return true;
    return false;
}

static bool any_created(const struct batch *b)
{
    for (uint32_t i = 0; i < b->edit_count; i++)
        if (b->results[i].status == OK && b->results[i].created)
            return true;
    return false;
}

static void answer(struct batch *b)
{
    struct exchange *x = b->x;
    struct buf out;
    buf_init(&out, x->api->limits.answer_bytes);
    if (any_failed(b)) {
        buf_lit(&out, "{\"success\":");
        ids_write(b, &out, false);
        buf_lit(&out, ",\"errors\":[");
        errors_write(b, &out);
        buf_lit(&out, "]}");
        contexts_release(b);
        answer_body(x, 207, &out, false, NULL, 0);
    } else if (any_created(b)) {
        ids_write(b, &out, true);
        contexts_release(b);
        answer_body(x, 201, &out, false, NULL, 0);
    } else {
        contexts_release(b);
        answer_empty(x, 204);
    }
}

static void refuse(struct batch *b, enum status status, const struct why *why)
{
    contexts_release(b);
    answer_refusal(b->x, status, why);
}

/* ---- applying ---- */

static void applied(struct batch *b)
{
    for (uint32_t i = 0; i < b->edit_count; i++)
        append_check(b, &b->results[i]);
    if (b->apply.call.status != OK)
        refuse(b, b->apply.call.status, &b->apply.call.why);
    else
        answer(b);
}

static void apply_done(struct store_call *call)
{
    applied(container_of(container_of(call, struct store_apply, call), struct batch, apply));
}

static void apply(struct batch *b)
{
    struct exchange *x = b->x;
    b->results = arena_zarray(x->arena, struct edit_result, b->edit_count);
    if (!b->edit_count) {
        answer(b);
        return;
    }
    b->apply = (struct store_apply){
        .call = {.home = exchange_home(x), .deadline_us = exchange_deadline(x), .done = apply_done},
        .caller = &x->caller,
        .edits = b->edits,
        .count = b->edit_count,
        .results = b->results,
        .arena = x->arena,
    };
    if (provide_edits(x->broker, &b->apply))
        applied(b);
}

/* ---- reading ---- */

static void element_refuse(struct batch *b, uint32_t i, const struct why *why)
{
    struct why *copy = arena_array(b->x->arena, struct why, 1);
    *copy = *why;
    b->refusals[i] = copy;
}

static void element_read(struct batch *b, uint32_t i)
{
    const struct json *v = &b->x->body.items[i];
    struct at at = {.index = i};
    struct entity *e = arena_array(b->x->arena, struct entity, 1);
    struct why why;
    why_clear(&why);
    if (reader_entity(&b->reader, v, STR_NONE, &at, e, &why) == OK && str_absent(e->id))
        why_set(&why, E_BAD_DATA, &at, "an element of a batch needs an \"id\"");
    if (why.status != OK) {
        element_refuse(b, i, &why);
        return;
    }
    b->element_of[b->edit_count] = i;
    b->edits[b->edit_count++] =
        (struct edit){.kind = b->kind, .flags = b->flags, .id = e->id, .fragment = e, .names = b->x->broker->terms};
}

/* The id, as far as it can be told, for the report of an error. */
static struct str element_id(const struct json *v)
{
    const struct json *id = json_get(v, STR("id"));
    if (!id)
        id = json_get(v, STR("@id"));
    return json_is(id, JSON_STRING) ? id->string : STR_NONE;
}

static void read_on(struct batch *b);

static void context_take(struct batch *b)
{
    b->contexts[b->context_count++] = b->resolving.context;
    b->reader.context = b->resolving.context;
    b->spec_now = b->resolving.spec;
}

static void context_resolved(struct contexts_call *call)
{
    struct batch *b = container_of(call, struct batch, resolving);
    if (call->status != OK) {
        element_refuse(b, b->next, &call->why);
        b->next++;
    } else {
        context_take(b);
    }
    read_on(b);
}

/* Makes b->reader.context that of element v. False: waiting. */
static bool element_context(struct batch *b, const struct json *v, const struct at *at)
{
    struct exchange *x = b->x;
    const struct json *spec = json_get(v, STR("@context"));
    struct at here = {.up = at, .key = STR("@context")};
    struct why why;
    why_clear(&why);
    if (x->content == MEDIA_JSON) {
        b->reader.context = x->context;
        if (!spec)
            return true;
        why_set(&why, E_BAD_DATA, &here, "an application/json body must not contain @context");
    } else if (!spec) {
        why_set(&why, E_BAD_DATA, &here, "an element of an application/ld+json body must contain @context");
    } else if (b->spec_now && json_same(spec, b->spec_now)) {
        return true;
    } else {
        b->resolving = (struct contexts_call){
            .home = exchange_home(x), .arena = x->arena, .spec = spec, .done = context_resolved};
        if (!contexts_resolve(x->broker->contexts, &b->resolving))
            return false;
        if (b->resolving.status == OK) {
            context_take(b);
            return true;
        }
        why = b->resolving.why;
    }
    element_refuse(b, b->next, &why);
    return true;
}

static void read_on(struct batch *b)
{
    for (; b->next < b->count; b->next++) {
        const struct json *v = &b->x->body.items[b->next];
        struct at at = {.index = b->next};
        b->ids[b->next] = element_id(v);
        if (v->kind == JSON_OBJECT && !element_context(b, v, &at))
            return;
        if (!b->refusals[b->next])
            element_read(b, b->next);
    }
    apply(b);
}

static enum status elements_check(struct exchange *x)
{
    if (x->body.kind != JSON_ARRAY || !x->body.n)
        return why_set(&x->why, E_BAD_DATA, NULL, "an array that is not empty is expected");
    if (x->api->limits.batch && x->body.n > x->api->limits.batch)
        return why_limit(&x->why, E_TOO_LARGE, NULL, "limits.batch", "at most %u elements are allowed in a batch",
                         x->api->limits.batch);
    for (uint32_t i = 0; i < x->body.n; i++) {
        struct at at = {.index = i};
        if (x->body.items[i].kind == JSON_NULL)
            return why_set(&x->why, E_BAD_DATA, &at, "null is no element of a batch");
    }
    return OK;
}

static struct batch *batch_new(struct exchange *x)
{
    struct batch *b = arena_zarray(x->arena, struct batch, 1);
    b->x = x;
    b->count = x->body.n;
    b->ids = arena_zarray(x->arena, struct str, b->count);
    b->refusals = arena_zarray(x->arena, struct why *, b->count);
    b->edits = arena_array(x->arena, struct edit, b->count);
    b->element_of = arena_array(x->arena, uint32_t, b->count);
    b->contexts = arena_array(x->arena, struct context *, b->count);
    return b;
}

/* What each operation does with its elements. */
static enum status mode(struct batch *b)
{
    struct exchange *x = b->x;
    switch (x->endpoint - ENDPOINTS) {
    case OPERATION_BATCH_CREATE:
        b->kind = EDIT_CREATE;
        b->reader = exchange_reader(x, READER_ENTITY);
        return OK;
    case OPERATION_BATCH_UPSERT:
        b->kind = exchange_option(x, KEYWORD_UPDATE) ? EDIT_UPSERT_UPDATE : EDIT_UPSERT_REPLACE;
        b->reader = exchange_reader(x, READER_ENTITY);
        return OK;
    case OPERATION_BATCH_UPDATE:
        b->kind = EDIT_APPEND;
        b->flags = exchange_option(x, KEYWORD_NO_OVERWRITE) ? EDIT_NO_OVERWRITE : 0;
        b->reader = exchange_reader(x, READER_APPEND);
        return OK;
    default:
        b->kind = EDIT_MERGE;
        b->reader = exchange_reader(x, READER_MERGE);
        return query_input_merge(x, &b->reader);
    }
}

void batch_run(struct exchange *x)
{
    if (elements_check(x) != OK) {
        answer_why(x);
        return;
    }
    struct batch *b = batch_new(x);
    if (mode(b) != OK) {
        answer_why(x);
        return;
    }
    read_on(b);
}

void batch_delete(struct exchange *x)
{
    if (elements_check(x) != OK) {
        answer_why(x);
        return;
    }
    struct batch *b = batch_new(x);
    for (uint32_t i = 0; i < b->count; i++) {
        const struct json *v = &x->body.items[i];
        struct at at = {.index = i};
        struct why why;
        why_clear(&why);
        if (v->kind == JSON_STRING)
            b->ids[i] = v->string;
        if (v->kind != JSON_STRING || !reader_is_uri(v->string)) {
            why_set(&why, E_BAD_DATA, &at, "an entity id, a URI, is expected");
            element_refuse(b, i, &why);
            continue;
        }
        b->edits[b->edit_count++] = (struct edit){.kind = EDIT_DELETE, .id = v->string};
    }
    apply(b);
}
