/* The path gives the identifier, the answer gives the way back to it. */
#include "front/ngsild/resource.h"

#include "front/ngsild/answer.h"

enum status resource_id(struct exchange *x, const char *what)
{
    if (!reader_is_uri(x->variables[0]))
        return why_set(&x->why, E_BAD_DATA, NULL, "the %s id \"%.*s\" is not a URI", what, STR_ARG(x->variables[0]));
    return OK;
}

struct document_call resource_call(struct exchange *x)
{
    return (struct document_call){
        .caller = &x->caller,
        .home = exchange_home(x),
        .deadline_us = exchange_deadline(x),
        .arena = x->arena,
        .key = x->variables[0],
    };
}

void resource_answer(struct exchange *x, const struct document_call *c)
{
    if (c->status != OK)
        answer_refusal(x, c->status, &c->why);
    else if (x->http->method == HTTP_POST)
        answer_created(x, c->key);
    else
        answer_empty(x, 204);
}

struct removing {
    struct exchange *x;
    struct document_call call;
};

static void removed(struct document_call *c)
{
    resource_answer(container_of(c, struct removing, call)->x, c);
}

void resource_remove(struct exchange *x, uint8_t kind, const char *what)
{
    struct removing *r = arena_zarray(x->arena, struct removing, 1);
    if (resource_id(x, what) != OK) {
        answer_why(x);
        return;
    }
    r->x = x;
    r->call = resource_call(x);
    r->call.kind = kind;
    r->call.what = what;
    r->call.done = removed;
    if (document_delete(x->broker, &r->call))
        removed(&r->call);
}
