/* Snapshots over HTTP (CIM 009 clauses 6.36 … 6.38, 6.3.22). Their queries are compiled
 * here, with the request's @context, and outlive the request. */
#include "front/ngsild/snapshots.h"

#include "broker/snapshots.h"
#include "front/ngsild/answer.h"
#include "front/ngsild/evolutions_input.h"
#include "front/ngsild/params.h"
#include "front/ngsild/query_input.h"

/* ---- NGSILD-Snapshot ---- */

/* Resources that belong to the tenant, not to a snapshot of it (clause 5.5.15: the Core API). */
static bool is_beside(const struct endpoint *e)
{
    static const char *const BESIDE[] = {"snapshots", "csourceRegistrations", "csourceSubscriptions", "jsonldContexts", "info"};
    for (size_t i = 0; i < sizeof BESIDE / sizeof *BESIDE; i++)
        if (strcmp(e->segments[0], BESIDE[i]) == 0)
            return true;
    return false;
}

enum status snapshots_select(struct exchange *x)
{
    struct str id = http_request_header(x->http, "NGSILD-Snapshot");
    if (str_absent(id))
        return OK;
    if (!reader_is_uri(id))
        return why_set(&x->why, E_BAD_DATA, NULL, "NGSILD-Snapshot: \"%.*s\" is not a URI", STR_ARG(str_head(id, 200)));
    x->snapshot_echo = id;
    if (is_beside(x->endpoint))
        return why_set(&x->why, E_NOT_SUPPORTED, NULL, "%s are not part of a snapshot", x->endpoint->segments[0]);
    return snapshots_enter(x->broker->snapshots, x->caller.tenant, id, x->arena, &x->caller.tenant, &x->why);
}

/* ---- answers ---- */

struct snapshotting {
    struct exchange *x;
    struct snapshot_call call;
};

static void snapshot_answer(struct exchange *x, const struct snapshot *s)
{
    struct buf b;
    buf_init(&b, x->api->limits.answer_bytes);
    snapshot_write(&b, s);
    if (x->accept == MEDIA_LD_JSON) {
        buf_lit(&b, ",\"@context\":");
        buf_str(&b, answer_context_json(x));
    }
    buf_char(&b, '}');
    answer_body(x, 200, &b, true, NULL, 0);
}

static void purge_answer(struct snapshotting *p)
{
    const struct snapshot_call *c = &p->call;
    struct buf b;
    bool first = true, failed = false;
    for (uint32_t i = 0; i < c->purge_count; i++)
        failed |= c->purge_why[i].status != OK;
    if (!failed) {
        answer_empty(p->x, 204);
        return;
    }
    buf_init(&b, p->x->api->limits.answer_bytes);
    buf_lit(&b, "{\"success\":[");
    for (uint32_t i = 0; i < c->purge_count; i++) {
        if (c->purge_why[i].status != OK)
            continue;
        if (!first)
            buf_char(&b, ',');
        first = false;
        json_write_str(&b, c->purged[i]);
    }
    buf_lit(&b, "],\"errors\":[");
    first = true;
    for (uint32_t i = 0; i < c->purge_count; i++) {
        if (c->purge_why[i].status == OK)
            continue;
        buf_str(&b, first ? STR("{\"entityId\":") : STR(",{\"entityId\":"));
        first = false;
        json_write_str(&b, c->purged[i]);
        buf_lit(&b, ",\"error\":");
        problem_write(&b, c->purge_why[i].status, &c->purge_why[i], c->purged[i]);
        buf_char(&b, '}');
    }
    buf_lit(&b, "]}");
    answer_body(p->x, 207, &b, false, NULL, 0);
}

static void call_done(struct snapshot_call *c)
{
    struct snapshotting *p = container_of(c, struct snapshotting, call);
    if (c->status != OK)
        answer_refusal(p->x, c->status, &c->why);
    else if (c->order == SNAPSHOT_ORDER_CHANGE)
        snapshot_answer(p->x, &c->result);
    else if (c->order == SNAPSHOT_ORDER_DELETE)
        answer_empty(p->x, 204);
    else if (c->order == SNAPSHOT_ORDER_PURGE)
        purge_answer(p);
    else
        answer_created(p->x, c->result.id);
}

static struct snapshotting *snapshotting_new(struct exchange *x, enum snapshot_order order)
{
    struct snapshotting *p = arena_zarray(x->arena, struct snapshotting, 1);
    p->x = x;
    p->call = (struct snapshot_call){
        .order = order,
        .tenant = x->caller.tenant,
        .id = x->variables[0],
        .arena = x->arena,
        .home = exchange_home(x),
        .done = call_done,
    };
    return p;
}

static enum status path_id(struct exchange *x)
{
    if (!reader_is_uri(x->variables[0]))
        return why_set(&x->why, E_BAD_DATA, NULL, "the snapshot id \"%.*s\" is not a URI", STR_ARG(x->variables[0]));
    return OK;
}

/* ---- queries that outlive the request ---- */

struct compiled {
    struct snapshot_queries q;
    struct arena *arena;
    struct exchange **exchanges; /* what each query was read with */
    uint32_t exchange_count;
};

static void compiled_release(struct snapshot_queries *q)
{
    struct compiled *c = container_of(q, struct compiled, q);
    for (uint32_t i = 0; i < c->exchange_count; i++)
        exchange_end(c->exchanges[i]);
    arena_free(c->arena);
}

/* One query as if it had come alone. */
static struct exchange *exchange_of(struct exchange *x, struct compiled *c, const struct json *body, bool temporal)
{
    static const struct endpoint PLAIN = {.operation = "snapshot"}, TEMPORAL = {.operation = "snapshot", .body = BODY_TEMPORAL_QUERY};
    struct exchange *one = arena_zarray(c->arena, struct exchange, 1);
    one->api = x->api;
    one->broker = x->broker;
    one->arena = c->arena;
    one->endpoint = temporal ? &TEMPORAL : &PLAIN;
    one->body = *body;
    one->context = context_ref(x->context);
    c->exchanges[c->exchange_count++] = one;
    return one;
}

static enum status query_compile(struct exchange *x, struct compiled *c, const struct json *body)
{
    struct exchange *one = exchange_of(x, c, body, false);
    struct snapshot_query *out = &c->q.queries[c->q.count++];
    struct query_input in;
    enum status st = query_input_body(one, &in);
    if (st == OK)
        st = query_input_filter(one, &in);
    if (st == OK)
        st = query_input_represent(one, &in, &out->represent, &out->join);
    out->filter = one->filter;
    if (st != OK)
        x->why = one->why;
    return st;
}

/* What it would aggregate is kept as it is. */
static enum status temporal_compile(struct exchange *x, struct compiled *c, const struct json *body)
{
    struct exchange *one = exchange_of(x, c, body, true);
    struct snapshot_temporal_query *out = &c->q.temporal[c->q.temporal_count++];
    struct evolutions_input *in = arena_zarray(c->arena, struct evolutions_input, 1);
    struct query_parts parts;
    enum status st = query_input_body(one, &in->query);
    if (st == OK)
        st = evolutions_input_body(one, in);
    if (st == OK)
        st = query_input_parts(one, &in->query, &parts);
    if (st != OK) {
        x->why = one->why;
        return st;
    }
    in->time.methods = 0;
    out->asked = evolutions_input_asked(one, in, &parts);
    out->omit = in->show.base.omit;
    return OK;
}

/* NULL with x->why. */
static struct compiled *queries_compile(struct exchange *x, const struct snapshot *given)
{
    struct arena *a = arena_new(0);
    struct compiled *c = arena_zarray(a, struct compiled, 1);
    struct json list = {.kind = JSON_ARRAY}, temporal = {.kind = JSON_ARRAY};
    struct json_limits limits = {.depth_max = x->api->limits.json_depth, .bytes_max = x->api->limits.body_bytes};
    enum status st = OK;
    c->arena = a;
    c->q.release = compiled_release;
    if (!str_absent(given->queries))
        st = json_read(a, given->queries, &limits, &list, &x->why);
    if (st == OK && !str_absent(given->temporal_queries))
        st = json_read(a, given->temporal_queries, &limits, &temporal, &x->why);
    c->q.queries = arena_zarray(a, struct snapshot_query, list.n);
    c->q.temporal = arena_zarray(a, struct snapshot_temporal_query, temporal.n);
    c->exchanges = arena_zarray(a, struct exchange *, list.n + temporal.n);
    for (uint32_t i = 0; i < list.n && st == OK; i++)
        st = query_compile(x, c, &list.items[i]);
    for (uint32_t i = 0; i < temporal.n && st == OK; i++)
        st = temporal_compile(x, c, &temporal.items[i]);
    if (st == OK)
        return c;
    compiled_release(&c->q);
    return NULL;
}

/* ---- operations ---- */

void snapshots_create(struct exchange *x)
{
    struct snapshotting *p = snapshotting_new(x, SNAPSHOT_ORDER_CREATE);
    struct compiled *c = NULL;
    if (snapshot_read(&x->body, SNAPSHOT_CREATE, x->arena, &p->call.given, &x->why) == OK)
        c = queries_compile(x, &p->call.given);
    if (!c) {
        answer_why(x);
        return;
    }
    p->call.queries = &c->q;
    snapshots_call(x->broker->snapshots, &p->call);
}

void snapshots_clone(struct exchange *x)
{
    struct snapshotting *p = snapshotting_new(x, SNAPSHOT_ORDER_CLONE);
    if (path_id(x) != OK || snapshot_read(&x->body, SNAPSHOT_CLONE, x->arena, &p->call.given, &x->why) != OK)
        answer_why(x);
    else
        snapshots_call(x->broker->snapshots, &p->call);
}

void snapshots_retrieve(struct exchange *x)
{
    struct snapshot s;
    if (path_id(x) == OK && !snapshots_get(x->broker->snapshots, x->caller.tenant, x->variables[0], x->arena, &s))
        why_set(&x->why, E_NOT_FOUND, NULL, "there is no snapshot %.*s", STR_ARG(x->variables[0]));
    if (x->why.status != OK)
        answer_why(x);
    else
        snapshot_answer(x, &s);
}

void snapshots_update(struct exchange *x)
{
    struct snapshotting *p = snapshotting_new(x, SNAPSHOT_ORDER_CHANGE);
    p->call.fragment = &x->body;
    if (path_id(x) != OK)
        answer_why(x);
    else
        snapshots_call(x->broker->snapshots, &p->call);
}

void snapshots_delete(struct exchange *x)
{
    struct snapshotting *p = snapshotting_new(x, SNAPSHOT_ORDER_DELETE);
    if (path_id(x) != OK)
        answer_why(x);
    else
        snapshots_call(x->broker->snapshots, &p->call);
}

void snapshots_purge(struct exchange *x)
{
    struct snapshotting *p = snapshotting_new(x, SNAPSHOT_ORDER_PURGE);
    struct filter_reader r = exchange_filter_reader(x);
    enum status st = OK;
    if (!exchange_has(x, PARAM_Q))
        st = why_set(&x->why, E_BAD_DATA, NULL, "q is needed: it says which snapshots to purge");
    if (st == OK)
        st = snapshot_query_read(&r, x->broker->terms, x->params[PARAM_Q], &x->filter, &x->why);
    if (st != OK) {
        answer_why(x);
        return;
    }
    p->call.filter = x->filter;
    snapshots_call(x->broker->snapshots, &p->call);
}
