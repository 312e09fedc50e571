/* See state_write.h. */
#include "broker/state_write.h"

#include "base/log.h"

#include <stdlib.h>

enum { DOCUMENT_MAX = 1 << 20 };

struct state_write *state_write_new(struct state_writer *writer)
{
    struct state_write *w = mem_zalloc(sizeof *w);
    w->writer = writer;
    w->arena = arena_new(0);
    buf_init(&w->bytes, DOCUMENT_MAX);
    return w;
}

void state_write_free(struct state_write *w)
{
    buf_free(&w->bytes);
    arena_free(w->arena);
    free(w);
}

static void written(struct store_call *call)
{
    struct state_write *w = container_of(call, struct state_write, put.call);
    struct state_writer *writer = w->writer;
    if (call->status != OK && call->status != E_NO_TENANT && call->status != E_NOT_FOUND)
        log_warn("counters of notifications are not written", log_z("why", call->why.text));
    state_write_free(w);
    writer->writing--;
    atomic_fetch_sub(writer->under_way, 1);
}

static void put(struct state_write *w, struct str tenant, struct str key, struct str bytes)
{
    struct state_writer *writer = w->writer;
    w->caller.tenant = tenant;
    w->put = (struct store_put){
        .call = {.home = writer->home, .done = written},
        .caller = &w->caller,
        .kind = writer->kind,
        .key = key,
        .bytes = bytes,
        .only_present = str_absent(bytes),
    };
    writer->writing++;
    atomic_fetch_add(writer->under_way, 1);
    if (store_put(writer->broker->store, &w->put))
        written(&w->put.call);
}

void state_write_start(struct state_write *w, struct str tenant, struct str key)
{
    put(w, tenant, key, buf_view(&w->bytes));
}

void state_write_delete(struct state_write *w, struct str tenant, struct str key)
{
    put(w, tenant, key, STR_NONE);
}
