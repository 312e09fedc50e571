/* read the body → see that jsonldContext can be had (5.8.1.4, 5.8.2.4) → write. */
#include "broker/subscriptions.h"

#include "base/uuid.h"

static const struct str ID_PREFIX = {"urn:ngsi-ld:Subscription:", 25};
static const struct str ID_PREFIX_CSOURCE = {"urn:ngsi-ld:ContextSourceRegistrationSubscription:",
                                             50};

uint8_t subscriptions_kind(bool of_registrations)
{
    return of_registrations ? STORE_REGISTRATION_SUBSCRIPTION : STORE_SUBSCRIPTION;
}

void subscriptions_counters(const struct broker *b, bool of_registrations, struct str tenant,
                            struct str id, struct subscription_counters *out)
{
    *out = (struct subscription_counters){
        .last_notification = TIME_NONE, .last_success = TIME_NONE, .last_failure = TIME_NONE};
    const struct broker_subscriptions *o = &b->subscriptions;
    struct subscription_counters found;
    bool any = false;
    if (of_registrations && o->source_counters)
        any = o->source_counters(o->source_counters_arg, tenant, id, &found);
    else if (!of_registrations && o->counters)
        any = o->counters(o->counters_arg, tenant, id, &found);
    if (any)
        *out = found;
}

/* ---- making what is stored ---- */

static enum status settle(struct subscribe *s, enum status st, struct buf *b, struct str *out)
{
    struct document_call *c = &s->document;
    if (st == OK && b->full)
        st = why_limit(&c->why, E_TOO_LARGE, NULL, "limits.subscription_bytes",
                       "a subscription has at most %zu bytes", b->max);
    if (st == OK)
        *out = arena_dup(c->arena, buf_view(b));
    buf_free(b);
    return st;
}

static enum status read_new(struct subscribe *s)
{
    struct document_call *c = &s->document;
    struct buf b;
    buf_init(&b, c->broker->subscriptions.bytes_max);
    enum status st = subscription_read(&s->reader, s->body, c->key, &b, &c->why);
    return settle(s, st, &b, &c->bytes);
}

static enum status change(struct document_call *c, struct str stored, struct str *next)
{
    struct subscribe *s = container_of(c, struct subscribe, document);
    struct buf b;
    buf_init(&b, c->broker->subscriptions.bytes_max);
    enum status st = subscription_change(&s->reader, stored, s->body, &b, &c->why);
    return settle(s, st, &b, next);
}

/* ---- steps ---- */

static bool write_it(struct subscribe *s)
{
    struct document_call *c = &s->document;
    return c->change ? document_change(c->broker, c) : document_create(c->broker, c);
}

static void written(struct document_call *c)
{
    struct subscribe *s = container_of(c, struct subscribe, document);
    s->done(s);
}

static bool resolve_finished(struct subscribe *s)
{
    struct at at = {NULL, STR("jsonldContext"), 0};
    struct document_call *c = &s->document;
    if (s->resolving.status == OK) {
        context_unref(s->resolving.context);
        return write_it(s);
    }
    c->status = why_set(&c->why, s->resolving.status, &at, "%s", s->resolving.why.text);
    return true;
}

static void resolve_done(struct contexts_call *call)
{
    struct subscribe *s = container_of(call, struct subscribe, resolving);
    if (resolve_finished(s))
        s->done(s);
}

/* The one that was given; what the request itself names is at hand already. */
static bool resolve(struct subscribe *s)
{
    struct document_call *c = &s->document;
    const struct json *given = json_get(s->body, STR("jsonldContext"));
    if (!json_is(given, JSON_STRING) || str_eq(given->string, s->context_url) ||
        str_eq(given->string, STR("urn:ngsi-ld:null")))
        return write_it(s);
    s->url = *given;
    s->resolving = (struct contexts_call){
        .home = c->home, .arena = c->arena, .spec = &s->url, .done = resolve_done};
    return contexts_resolve(c->broker->contexts, &s->resolving) && resolve_finished(s);
}

static void prepare(struct broker *b, struct subscribe *s)
{
    struct document_call *c = &s->document;
    c->broker = b;
    c->kind = subscriptions_kind(s->of_registrations);
    c->what = "subscription";
    c->most = b->subscriptions.most;
    c->limit = "limits.subscriptions";
    c->done = written;
    s->reader = (struct subscription_reader){
        .context = s->context,
        .terms = b->terms,
        .limits = &b->subscriptions.limits,
        .arena = c->arena,
        .context_url = s->context_url,
        .now_us = b->ports->clock->now_us(b->ports->clock),
        .of_registrations = s->of_registrations,
    };
}

bool subscriptions_create(struct broker *b, struct subscribe *s)
{
    struct document_call *c = &s->document;
    const struct json *id = json_get(s->body, STR("id"));
    prepare(b, s);
    c->key = json_is(id, JSON_STRING)
                 ? id->string
                 : uuid_name(c->arena, s->of_registrations ? ID_PREFIX_CSOURCE : ID_PREFIX);
    c->status = read_new(s);
    return c->status != OK || resolve(s);
}

/* What the fragment says is checked with the document it changes: both are needed. */
bool subscriptions_change(struct broker *b, struct subscribe *s)
{
    prepare(b, s);
    s->document.change = change;
    return resolve(s);
}
