/* Subscriptions and registrations. The first byte says which ('s', 'c' of registrations, 'r'), the
 * rest is a body. What is accepted must be stored so that it compiles without its @context,
 * is shown as something that is accepted again, and matches without a fault. */
#include "fuzz.h"

#include "base/time.h"
#include "model/registration.h"
#include "model/subscription.h"

#define FILTER_LIMITS                                                                              \
    {                                                                                              \
        64, 16, 200, 100                                                                           \
    }

static const struct subscription_limits SUBSCRIPTIONS = {.filter = FILTER_LIMITS,
                                                         .projection = {64, 8},
                                                         .selectors_max = 8,
                                                         .names_max = 16,
                                                         .pairs_max = 8,
                                                         .timeout_max_ms = 1000};
static const struct registration_limits REGISTRATIONS = {.filter = FILTER_LIMITS,
                                                         .projection = {64, 8},
                                                         .reader = {.attrs_max = 100,
                                                                    .depth_max = 8,
                                                                    .types_max = 8,
                                                                    .scopes_max = 8,
                                                                    .name_bytes_max = 1000,
                                                                    .coordinates_max = 100},
                                                         .items_max = 16};
static const int64_t NOW = INT64_C(1577836800000000);
static struct terms *terms;

static struct str text_of(struct buf *b, struct arena *a)
{
    struct str text = arena_dup(a, buf_view(b));
    buf_free(b);
    return text;
}

static struct json parsed(struct str text, struct arena *a)
{
    const struct json_limits limits = {64, 1 << 20};
    struct json v;
    fuzz_require(json_read(a, text, &limits, &v, NULL) == OK);
    return v;
}

static void check_status(enum status st, const struct why *why)
{
    fuzz_require(st == OK || st == E_BAD_DATA || st == E_LIMIT || st == E_TOO_COMPLEX);
    fuzz_require(st == why->status && (st == OK) == (why->text[0] == 0));
}

/* ---- subscriptions ---- */

static bool subscription_stored(const struct json *body, bool of_registrations, struct arena *a,
                                struct str *out)
{
    struct why why = {0};
    struct buf b;
    struct subscription_reader r = {.context = context_core(),
                                    .terms = terms,
                                    .limits = &SUBSCRIPTIONS,
                                    .arena = a,
                                    .context_url = STR("http://c.example/"),
                                    .now_us = NOW,
                                    .of_registrations = of_registrations};
    buf_init(&b, 1 << 20);
    enum status st = subscription_read(&r, body, STR("urn:s:1"), &b, &why);
    check_status(st, &why);
    *out = text_of(&b, a);
    return st == OK;
}

static void try_subscription(const struct json *body, bool of_registrations, struct arena *a)
{
    struct str stored, again;
    struct subscription *s;
    struct buf b;
    if (!subscription_stored(body, of_registrations, a, &stored))
        return;
    fuzz_require(subscription_compile(&s, STR(""), stored, terms, &SUBSCRIPTIONS, NULL) == OK);
    fuzz_require(s->uri.n && s->id.n && s->context_url.n);
    if (of_registrations) {
        struct registration_query q;
        struct filter *csf;
        fuzz_require(registration_query_of(&q, s, stored, terms, &SUBSCRIPTIONS.filter, a, &csf,
                                           NULL) == OK);
        filter_free(csf);
    }
    subscription_unref(s);
    buf_init(&b, 1 << 20);
    fuzz_require(subscription_represent(&b, stored, context_core(), NULL, STR_NONE, false, NOW, a,
                                        NULL) == OK);
    struct json shown = parsed(text_of(&b, a), a);
    /* an IRI may be more than the grammar of a query can express, so it need not be accepted */
    (void)subscription_stored(&shown, of_registrations, a, &again);
}

/* ---- registrations ---- */

static bool registration_stored(const struct json *body, struct arena *a, struct str *out)
{
    struct why why = {0};
    struct buf b;
    struct registration_reader r = {context_core(), &REGISTRATIONS, a, NOW};
    buf_init(&b, 1 << 20);
    enum status st = registration_read(&r, body, STR("urn:r:1"), &b, &why);
    check_status(st, &why);
    *out = text_of(&b, a);
    return st == OK;
}

static void try_registration(const struct json *body, struct arena *a)
{
    struct str stored, again;
    struct registration *r;
    struct buf b;
    if (!registration_stored(body, a, &stored))
        return;
    fuzz_require(registration_compile(&r, stored, &REGISTRATIONS, a, NULL) == OK);
    struct registration_query any = {0};
    bool *infos = arena_zarray(a, bool, r->info_count);
    bool latest = !r->observed.given && !r->managed.given;
    fuzz_require(registration_matches(r, &any, infos, a) == latest);
    fuzz_require(registration_conflicts(r, r) == (r->mode == MODE_EXCLUSIVE));
    (void)registration_entities(r, terms, a);
    registration_free(r);
    buf_init(&b, 1 << 20);
    fuzz_require(
        registration_represent(&b, stored, context_core(), NULL, STR_NONE, false, a, NULL) == OK);
    struct json shown = parsed(text_of(&b, a), a);
    fuzz_require(registration_stored(&shown, a, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct json_limits limits = {32, 1 << 16};
    if (size == 0 || size > 8000)
        return 0;
    if (!terms) {
        terms = terms_new(100000);
        context_setup(terms);
    }
    struct arena *a = arena_new(0);
    struct json body;
    struct str text = {(const char *)data + 1, size - 1};
    if (json_read(a, text, &limits, &body, NULL) == OK) {
        if (data[0] == 'r')
            try_registration(&body, a);
        else if (data[0] == 's' || data[0] == 'c')
            try_subscription(&body, data[0] == 'c', a);
    }
    arena_free(a);
    return 0;
}
