/* look (how many, or what is there) → put → done, or look again. */
#include "broker/document.h"

#include "broker/snapshots.h"

enum { TRIES_MAX = 100 };

static bool put(struct document_call *c);
static bool look(struct document_call *c);

static bool finish(struct document_call *c, enum status status, const struct why *why)
{
    c->status = status;
    if (why && why != &c->why)
        c->why = *why;
    return true;
}

/* ---- putting ---- */

static bool put_finished(struct document_call *c)
{
    enum status st = c->put.call.status;
    if (st == E_CONFLICT && ++c->tries < TRIES_MAX)
        return look(c);
    if (st == E_CONFLICT)
        st = why_set(&c->put.call.why, E_BUSY, NULL, "%.*s is being changed all the time",
                     STR_ARG(c->key));
    if (st == E_EXISTS || st == E_NOT_FOUND) {
        why_clear(&c->why);
        why_set(&c->why, st, NULL, "the %s %.*s %s", c->what, STR_ARG(c->key),
                st == E_EXISTS ? "exists already" : "does not exist");
        return finish(c, st, NULL);
    }
    return finish(c, st, &c->put.call.why);
}

static void put_done(struct store_call *call)
{
    struct document_call *c =
        container_of(container_of(call, struct store_put, call), struct document_call, put);
    if (put_finished(c))
        c->done(c);
}

static bool put(struct document_call *c)
{
    c->put.call.home = c->home;
    c->put.call.deadline_us = c->deadline_us;
    c->put.call.done = put_done;
    c->put.caller = c->caller;
    c->put.kind = c->kind;
    c->put.key = c->key;
    return store_put(c->broker->store, &c->put) && put_finished(c);
}

/* ---- looking ---- */

static bool counted(struct document_call *c)
{
    enum status st = c->list.call.status;
    if (st != OK && st != E_NO_TENANT)
        return finish(c, st, &c->list.call.why);
    if (st == OK && c->list.total >= c->most)
        return finish(c,
                      why_limit(&c->why, E_LIMIT, NULL, c->limit, "at most %llu %ss in a tenant",
                                (unsigned long long)c->most, c->what),
                      NULL);
    c->put = (struct store_put){.bytes = c->bytes,
                                .only_absent = true,
                                .create_tenant = !snapshots_held(c->caller->tenant)};
    return put(c);
}

static bool found(struct document_call *c)
{
    struct str next = STR_NONE;
    enum status st = c->list.call.status;
    if (st == E_NOT_FOUND) {
        why_set(&c->why, st, NULL, "the %s %.*s does not exist", c->what, STR_ARG(c->key));
        return finish(c, st, NULL);
    }
    if (st != OK)
        return finish(c, st, &c->list.call.why);
    const struct store_document *d = &c->list.documents[0];
    c->before = d->bytes;
    st = c->change ? c->change(c, d->bytes, &next) : OK;
    if (st != OK)
        return finish(c, st, NULL);
    c->after = next;
    c->put = (struct store_put){.bytes = next, .only_present = true, .only_seq = d->seq};
    return put(c);
}

static bool look_finished(struct document_call *c)
{
    return str_absent(c->bytes) ? found(c) : counted(c);
}

static void look_done(struct store_call *call)
{
    struct document_call *c =
        container_of(container_of(call, struct store_list, call), struct document_call, list);
    if (look_finished(c))
        c->done(c);
}

static bool look(struct document_call *c)
{
    c->list = (struct store_list){
        .call = {.home = c->home, .deadline_us = c->deadline_us, .done = look_done},
        .caller = c->caller,
        .kind = c->kind,
        .key = str_absent(c->bytes) ? c->key : STR_NONE,
        .arena = c->arena,
    };
    return store_list(c->broker->store, &c->list) && look_finished(c);
}

bool document_create(struct broker *b, struct document_call *c)
{
    c->broker = b;
    c->tries = 0;
    return look(c);
}

bool document_change(struct broker *b, struct document_call *c)
{
    c->bytes = STR_NONE;
    return document_create(b, c);
}

bool document_delete(struct broker *b, struct document_call *c)
{
    c->change = NULL;
    return document_change(b, c);
}
