/* Subscriptions (CIM 009 clauses 6.10, 6.11) and context source registration
 * subscriptions (6.12, 6.13): the same operations on two lists. */
#include "broker/hosted.h"
#include "broker/subscriptions.h"

#include "front/ngsild/answer.h"
#include "front/ngsild/page.h"
#include "front/ngsild/resource.h"

static bool of_registrations(const struct exchange *x)
{
    return str_eq(str_of(x->endpoint->segments[0]), STR("csourceSubscriptions"));
}

/* ---- create, update, delete ---- */

struct subscribing {
    struct exchange *x;
    struct hosted_url url;
    bool (*operation)(struct broker *b, struct subscribe *s);
    struct subscribe call;
};

static void subscribed(struct subscribe *call)
{
    resource_answer(container_of(call, struct subscribing, call)->x, &call->document);
}

/* The URL of the request's @context is there. */
static void named(struct subscribing *s)
{
    struct exchange *x = s->x;
    if (s->url.status != OK) {
        answer_refusal(x, s->url.status, &s->url.why);
        return;
    }
    s->call = (struct subscribe){
        .document = resource_call(x),
        .context = x->context,
        .context_url = s->url.url,
        .body = &x->body,
        .of_registrations = of_registrations(x),
        .done = subscribed,
    };
    if (s->operation(x->broker, &s->call))
        subscribed(&s->call);
}

static void url_done(struct hosted_url *u)
{
    named(container_of(u, struct subscribing, url));
}

/* A new one that does not say which @context its notifications have is given that of the request. */
static void run(struct exchange *x, bool (*operation)(struct broker *, struct subscribe *))
{
    struct subscribing *s = arena_zarray(x->arena, struct subscribing, 1);
    bool needed = x->http->method == HTTP_POST && !json_get(&x->body, STR("jsonldContext"));
    s->x = x;
    s->operation = operation;
    s->url = (struct hosted_url){
        .caller = &x->caller,
        .home = exchange_home(x),
        .deadline_us = exchange_deadline(x),
        .arena = x->arena,
        .spec = x->has_spec ? &x->spec : NULL,
        .base = exchange_base(x),
        .url = exchange_context_url(x),
        .done = url_done,
    };
    if (!needed || hosted_url(x->broker, &s->url))
        named(s);
}

void subscriptions_post(struct exchange *x)
{
    run(x, subscriptions_create);
}

void subscriptions_patch(struct exchange *x)
{
    if (resource_id(x, "subscription") != OK)
        answer_why(x);
    else
        run(x, subscriptions_change);
}

void subscriptions_remove(struct exchange *x)
{
    resource_remove(x, subscriptions_kind(of_registrations(x)), "subscription");
}

/* ---- retrieve, query ---- */

struct listing {
    struct exchange *x;
    struct store_list call;
    struct page page;
    bool one;
};

static enum status write_one(struct exchange *x, const struct store_document *d, struct buf *b)
{
    struct subscription_counters counters;
    struct clock *clock = x->broker->ports->clock;
    struct str at_context = x->accept == MEDIA_LD_JSON ? answer_context_json(x) : STR_NONE;
    subscriptions_counters(x->broker, of_registrations(x), x->caller.tenant, d->key, &counters);
    return subscription_represent(b, d->bytes, x->context, &counters, at_context, exchange_option(x, KEYWORD_SYS_ATTRS),
                                  clock->now_us(clock), x->arena, &x->why);
}

static enum status write_all(const struct listing *l, struct buf *b)
{
    enum status st = OK;
    if (!l->one)
        buf_char(b, '[');
    for (uint32_t i = 0; st == OK && i < l->call.count; i++) {
        if (i)
            buf_char(b, ',');
        st = write_one(l->x, &l->call.documents[i], b);
    }
    if (!l->one)
        buf_char(b, ']');
    return st;
}

static void listed(struct listing *l)
{
    struct exchange *x = l->x;
    struct http_header headers[PAGE_HEADERS_MAX];
    struct buf b;
    if (l->call.call.status == E_NOT_FOUND)
        why_set(&x->why, E_NOT_FOUND, NULL, "the subscription %.*s does not exist", STR_ARG(l->call.key));
    else if (l->call.call.status != OK)
        x->why = l->call.call.why;
    buf_init(&b, x->api->limits.answer_bytes);
    if (x->why.status != OK || write_all(l, &b) != OK) {
        buf_free(&b);
        answer_why(x);
        return;
    }
    size_t n = l->one ? 0 : page_headers(x, &l->page, l->call.total, l->call.more, headers);
    answer_body(x, 200, &b, true, headers, n);
}

static void list_done(struct store_call *call)
{
    listed(container_of(container_of(call, struct store_list, call), struct listing, call));
}

static void list(struct listing *l)
{
    struct exchange *x = l->x;
    l->call = (struct store_list){
        .call = {.home = exchange_home(x), .deadline_us = exchange_deadline(x), .done = list_done},
        .caller = &x->caller,
        .kind = subscriptions_kind(of_registrations(x)),
        .key = l->one ? x->variables[0] : STR_NONE,
        .offset = l->page.offset,
        .limit = (uint32_t)l->page.limit,
        .arena = x->arena,
    };
    if (store_list(x->broker->store, &l->call))
        listed(l);
}

void subscriptions_get(struct exchange *x)
{
    struct listing *l = arena_zarray(x->arena, struct listing, 1);
    l->x = x;
    l->one = true;
    if (resource_id(x, "subscription") != OK)
        answer_why(x);
    else
        list(l);
}

void subscriptions_query(struct exchange *x)
{
    struct listing *l = arena_zarray(x->arena, struct listing, 1);
    l->x = x;
    if (page_read(x, &l->page) != OK)
        answer_why(x);
    else
        list(l);
}
