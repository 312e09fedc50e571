/* Managing and serving @contexts (CIM 009 clauses 5.13, 6.29, 6.30). The bodies of these operations are @contexts: they
 * are not read by the rules of 6.3.5, and come as any media type that JSON-LD has. */
#include "base/time.h"
#include "broker/hosted.h"
#include "front/ngsild/answer.h"
#include "front/ngsild/params.h"

/* ---- what is told of them ---- */

static struct str url_of(struct exchange *x, const struct context_info *c)
{
    if (!str_absent(c->url))
        return c->url;
    return arena_printf(x->arena, "%.*s" HOSTED_PATH "%.*s", STR_ARG(exchange_base(x)), STR_ARG(c->local_id));
}

static void write_time(struct buf *b, const char *name, int64_t us)
{
    if (us == TIME_NONE)
        return;
    buf_printf(b, ",\"%s\":\"", name);
    buf_time(b, us);
    buf_char(b, '"');
}

/* Clause 5.13.3.5. */
static void write_info(struct exchange *x, struct buf *b, const struct context_info *c)
{
    buf_lit(b, "{\"URL\":");
    json_write_str(b, url_of(x, c));
    buf_lit(b, ",\"localId\":");
    json_write_str(b, c->local_id);
    buf_printf(b, ",\"kind\":\"%s\"", context_kind_name((enum context_kind)c->kind));
    write_time(b, "createdAt", c->created_us);
    write_time(b, "expiresAt", c->expires_us);
    write_time(b, "lastUsage", c->used_us);
    if (!c->built_in) { /* it is part of every other, and nobody counts that */
        buf_lit(b, ",\"numberOfHits\":");
        buf_u64(b, c->hits);
    }
    buf_printf(b, ",\"extraInfo\":\"%s\"}", c->origin);
}

/* ---- add ---- */

struct adding {
    struct exchange *x;
    struct hosted_add call;
};

static void added(struct adding *a)
{
    if (a->call.status != OK)
        answer_refusal(a->x, a->call.status, &a->call.why);
    else
        answer_created(a->x, a->call.id);
}

static void add_done(struct hosted_add *call)
{
    added(container_of(call, struct adding, call));
}

void jsonld_contexts_add(struct exchange *x)
{
    const struct json *spec = json_get(&x->body, STR("@context"));
    struct at at = {.key = STR("@context")};
    if (!spec) {
        why_set(&x->why, E_INVALID_REQUEST, &at, "a JSON object with a member @context is expected");
        answer_why(x);
        return;
    }
    struct adding *a = arena_zarray(x->arena, struct adding, 1);
    a->x = x;
    a->call = (struct hosted_add){
        .caller = &x->caller,
        .home = exchange_home(x),
        .deadline_us = exchange_deadline(x),
        .arena = x->arena,
        .spec = spec,
        .kind = CONTEXT_HOSTED,
        .done = add_done,
    };
    if (hosted_add(x->broker, &a->call))
        added(a);
}

/* ---- list ---- */

static enum status kind_read(struct exchange *x, enum context_kind *kind)
{
    *kind = CONTEXT_ANY;
    if (!exchange_has(x, PARAM_KIND))
        return OK;
    for (*kind = CONTEXT_CACHED; *kind <= CONTEXT_IMPLICIT; (*kind)++)
        if (str_eq(x->params[PARAM_KIND], str_of(context_kind_name(*kind))))
            return OK;
    return why_set(&x->why, E_BAD_DATA, NULL, "kind must be Cached, Hosted or ImplicitlyCreated");
}

void jsonld_contexts_list(struct exchange *x)
{
    enum context_kind kind;
    bool details;
    struct context_info *list;
    if (params_bool(x, PARAM_DETAILS, &details) != OK || kind_read(x, &kind) != OK) {
        answer_why(x);
        return;
    }
    uint32_t n = contexts_list(x->broker->contexts, x->caller.tenant, kind, x->arena, &list);
    struct buf b;
    buf_init(&b, x->api->limits.answer_bytes);
    buf_char(&b, '[');
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            buf_char(&b, ',');
        if (details)
            write_info(x, &b, &list[i]);
        else
            json_write_str(&b, url_of(x, &list[i]));
    }
    buf_char(&b, ']');
    answer_body(x, 200, &b, false, NULL, 0);
}

/* ---- serve ---- */

/* Whose may be seen: without a tenant anybody's, since who dereferences the URL of an @context names none. */
static struct str view(const struct exchange *x)
{
    return str_absent(x->tenant_echo) ? STR_NONE : x->caller.tenant;
}

void jsonld_contexts_serve(struct exchange *x)
{
    struct context_info info;
    bool details;
    if (params_bool(x, PARAM_DETAILS, &details) != OK) {
        answer_why(x);
        return;
    }
    if (!contexts_find(x->broker->contexts, details ? x->caller.tenant : view(x), x->variables[0], true, x->arena, &info))
        why_set(&x->why, E_NOT_FOUND, NULL, "there is no @context %.*s here", STR_ARG(x->variables[0]));
    else if (!details && info.kind == CONTEXT_CACHED)
        why_set(&x->why, E_NOT_SUPPORTED, NULL, "%.*s is a cached copy: ask its origin", STR_ARG(info.url));
    if (x->why.status != OK) {
        answer_why(x);
        return;
    }
    struct buf b;
    buf_init(&b, x->api->limits.answer_bytes);
    if (details)
        write_info(x, &b, &info);
    else
        buf_str(&b, info.text);
    answer_document(x, &b, details ? MEDIA_JSON : x->accept);
}

/* ---- delete and reload ---- */

struct removing {
    struct exchange *x;
    struct hosted_delete drop;
    struct contexts_reload reload;
};

static void finished(struct exchange *x, enum status status, const struct why *why)
{
    if (status != OK)
        answer_refusal(x, status, why);
    else
        answer_empty(x, 204);
}

static void delete_done(struct hosted_delete *h)
{
    finished(container_of(h, struct removing, drop)->x, h->status, &h->why);
}

static void reload_done(struct contexts_reload *r)
{
    finished(container_of(r, struct removing, reload)->x, r->status, &r->why);
}

static void remove_it(struct exchange *x, const struct context_info *info)
{
    struct removing *r = arena_zarray(x->arena, struct removing, 1);
    r->x = x;
    if (info->fixed) {
        why_set(&x->why, E_BAD_DATA, NULL, "%.*s is %s: it stays", STR_ARG(info->url), info->origin);
        answer_why(x);
    } else if (info->kind == CONTEXT_CACHED) {
        contexts_drop(x->broker->contexts, info->url);
        answer_empty(x, 204);
    } else {
        r->drop = (struct hosted_delete){
            .caller = &x->caller,
            .home = exchange_home(x),
            .deadline_us = exchange_deadline(x),
            .id = info->local_id,
            .done = delete_done,
        };
        if (hosted_delete(x->broker, &r->drop))
            finished(x, r->drop.status, &r->drop.why);
    }
}

/* What is built in is always at hand and never changes. */
static void reload(struct exchange *x, const struct context_info *info)
{
    struct removing *r = arena_zarray(x->arena, struct removing, 1);
    r->x = x;
    if (info->built_in) {
        answer_empty(x, 204);
        return;
    }
    r->reload = (struct contexts_reload){
        .home = exchange_home(x),
        .url = info->url,
        .arena = x->arena,
        .done = reload_done,
    };
    if (contexts_reload(x->broker->contexts, &r->reload))
        finished(x, r->reload.status, &r->reload.why);
}

void jsonld_contexts_delete(struct exchange *x)
{
    struct context_info info = {0};
    bool again;
    if (params_bool(x, PARAM_RELOAD, &again) != OK) {
        answer_why(x);
        return;
    }
    bool found = contexts_find(x->broker->contexts, x->caller.tenant, x->variables[0], false, x->arena, &info);
    if (again && (!found || info.kind != CONTEXT_CACHED)) /* clause 5.13.5.4: what is not "Cached" */
        why_set(&x->why, E_BAD_DATA, NULL, "there is no cached @context %.*s to be reloaded", STR_ARG(x->variables[0]));
    else if (!found)
        why_set(&x->why, E_NOT_FOUND, NULL, "there is no @context %.*s here", STR_ARG(x->variables[0]));
    if (x->why.status != OK)
        answer_why(x);
    else if (again)
        reload(x, &info);
    else
        remove_it(x, &info);
}
