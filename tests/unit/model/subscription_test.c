/* Subscriptions: what is refused, and that the stored form needs no @context. */
#include "context_fixture.h"

#include "base/time.h"
#include "model/iri_text.h"
#include "model/pattern.h"
#include "model/subscription.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct subscription_limits LIMITS = {
    .filter = {100, 8, 100, 100},
    .projection = {100, 4},
    .selectors_max = 3,
    .names_max = 6,
    .pairs_max = 2,
    .timeout_max_ms = 5000, .interval_min_us = 1000000,
};
static const int64_t NOW = INT64_C(1577836800000000); /* 2020-01-01 */

#define CONTEXT                                                                                    \
    "{\"Car\":\"https://cars.org/Car\",\"speed\":\"https://cars.org/v#speed\","                    \
    "\"owner\":\"https://cars.org/owner\",\"Person\":\"https://cars.org/Person\","                 \
    "\"x\":\"https://x.org/\"}"
#define ENDPOINT "\"endpoint\":{\"uri\":\"http://localhost:9/n\"}"
#define NOTIFICATION "\"notification\":{" ENDPOINT "}"
#define HEAD "{\"type\":\"Subscription\",\"entities\":[{\"type\":\"Car\"}],"

static struct json parsed(struct fixture *f, const char *text)
{
    static const struct json_limits limits = {32, 1 << 20};
    struct json v;
    assert_int_equal(json_read(f->arena, str_of(text), &limits, &v, &f->why), OK);
    return v;
}

static struct subscription_reader reader(struct fixture *f, struct context *c)
{
    return (struct subscription_reader){
        .context = c,
        .terms = f->terms,
        .limits = &LIMITS,
        .arena = f->arena,
        .context_url = STR("https://cars.org/context"),
        .now_us = NOW,
    };
}

/* The stored form; absent when refused. */
static struct str stored_of(struct fixture *f, struct context *c, const char *text)
{
    struct subscription_reader r = reader(f, c);
    struct json body = parsed(f, text);
    struct str out = STR_NONE;
    struct buf b;
    why_clear(&f->why);
    buf_init(&b, 1 << 20);
    if (subscription_read(&r, &body, STR("urn:s:1"), &b, &f->why) == OK)
        out = arena_dup(f->arena, buf_view(&b));
    buf_free(&b);
    return out;
}

static struct json shown(struct fixture *f, struct context *c, struct str stored, int64_t now)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    assert_int_equal(
        subscription_represent(&b, stored, c, NULL, STR_NONE, false, now, f->arena, &f->why), OK);
    struct str text = arena_dup(f->arena, buf_view(&b));
    buf_free(&b);
    return parsed(f, text.p);
}

static struct subscription *compiled(struct fixture *f, struct str stored)
{
    struct subscription *s;
    assert_int_equal(subscription_compile(&s, STR("t"), stored, f->terms, &LIMITS, &f->why), OK);
    return s;
}

#define FULL                                                                                       \
    "{\"id\":\"urn:s:2\",\"type\":\"Subscription\","                                               \
    "\"entities\":[{\"type\":\"Car|(x:Bus;Person)\",\"idPattern\":\"^urn:car:.*\"},"               \
    "{\"type\":\"*\",\"id\":[\"urn:b\",\"urn:a\"]}],"                                              \
    "\"watchedAttributes\":[\"speed\",\"x:load\"],"                                                \
    "\"q\":\"speed>50;owner{Person:owner}==\\\"Ann\\\"|speed.observedAt>2020-01-01T00:00:00Z;"     \
    "owner==Person\",\"expandValues\":\"owner\","                                                  \
    "\"geoQ\":{\"georel\":\"near;maxDistance==10\",\"geometry\":\"Point\",\"coordinates\":\"[1,2]" \
    "\","                                                                                          \
    "\"geoproperty\":\"owner\"},\"scopeQ\":\"/a/#\",\"throttling\":1.5,"                           \
    "\"notification\":{\"pick\":[\"id\",\"owner{speed|id}\"],\"join\":\"flat\",\"format\":"        \
    "\"keyValues\"," ENDPOINT "}}"

static void goes_round(void **state)
{
    struct fixture *f = *state;
    struct context *c = fixture_context(f, CONTEXT);
    struct str stored = stored_of(f, c, FULL);
    struct json input = parsed(f, FULL), out;
    assert_string_equal(f->why.text, "");
    out = shown(f, c, stored, NOW);
    for (uint32_t i = 0; i < input.n; i++) {
        const struct json *member = json_get(&out, input.members[i].key);
        if (str_eq(input.members[i].key, STR("q"))) /* what was expanded is shown in quotes */
            assert_true(str_ends(member->string, STR("owner==\"Person\"")));
        else
            assert_true(member && json_same(member, &input.members[i].value));
    }
    assert_true(json_is_string(json_get(&out, STR("status")), STR("active")));
    assert_null(json_get(&out, STR("createdAt")));
    assert_null(json_get(&out, STR("version")));
    /* by other names, the IRIs */
    out = shown(f, context_core(), stored, NOW);
    assert_true(json_is_string(&json_get(&out, STR("watchedAttributes"))->items[0],
                               STR("https://cars.org/v#speed")));
    assert_true(str_starts(json_get(&out, STR("q"))->string, STR("https://cars.org/v#speed>50;")));
    context_unref(c);
}

static void short_intervals_of_old_are_raised(void **state)
{
    struct fixture *f = *state;
    struct str stored = stored_of(f, context_core(),
                                  "{\"type\":\"Subscription\",\"entities\":[{\"type\":\"A\"}],"
                                  "\"timeInterval\":2,\"notification\":{" ENDPOINT "}}");
    struct subscription_limits limits = LIMITS;
    struct subscription *s = compiled(f, stored);
    assert_int_equal(s->interval_us, 2000000);
    subscription_unref(s);
    limits.interval_min_us = 5000000;
    assert_int_equal(subscription_compile(&s, STR("t"), stored, f->terms, &limits, &f->why), OK);
    assert_int_equal(s->interval_us, 5000000);
    subscription_unref(s);
}

static void compiles_without_context(void **state)
{
    struct fixture *f = *state;
    struct context *c = fixture_context(f, CONTEXT);
    struct str stored = stored_of(f, c, FULL);
    context_unref(c);
    uint32_t speed = terms_intern(f->terms, STR("https://cars.org/v#speed"), NULL);
    struct subscription *s = compiled(f, stored);
    assert_false(s->settled);
    assert_int_equal(s->selector_count, 2);
    assert_int_equal(s->selectors[0].type->count, 2);
    assert_true(str_eq(s->selectors[0].type->any[1].types[0].iri, STR("https://x.org/Bus")));
    assert_true(pattern_match(s->selectors[0].id_pattern, STR("urn:car:1")));
    assert_true(str_eq(s->selectors[0].id_prefix, STR("urn:car:")));
    assert_null(s->selectors[1].type);
    assert_true(s->selectors[1].id_count == 2 && str_eq(s->selectors[1].ids[0], STR("urn:a")));
    assert_int_equal(s->watched[0].term, speed);
    assert_int_equal(s->watched[1].term, TERM_NONE);
    assert_int_equal(s->triggers, TRIGGER_ATTR_CREATED | TRIGGER_ATTR_UPDATED);
    assert_true(s->q && s->geo && s->scope && s->condition->kind == FILTER_AND);
    assert_true(str_eq(s->geo->geo->property.iri, STR("https://cars.org/owner")));
    assert_true(s->active && s->throttling_us == 1500000 && s->interval_us == 0);
    assert_int_equal(s->format, REPRESENT_SIMPLIFIED);
    assert_true(s->pick->id && s->pick->count == 0 && s->join == JOIN_FLAT && s->join_level == 1);
    assert_true(str_eq(s->context_url, STR("https://cars.org/context")));
    uint32_t owner = terms_intern(f->terms, STR("https://cars.org/owner"), NULL);
    assert_int_equal(subscription_resolve(&s, f->terms, &LIMITS, &f->why), OK);
    assert_true(s->pick->count == 1 && s->pick->terms[0] == owner);
    subscription_unref(subscription_ref(s));
    subscription_unref(s);
}

static void compiles_endpoint(void **state)
{
    struct fixture *f = *state;
    struct str stored = stored_of(
        f, context_core(),
        HEAD "\"notificationTrigger\":[\"entityDeleted\",\"entityUpdated\"],\"isActive\":false,"
             "\"expiresAt\":\"2020-01-02T00:00:00Z\",\"notification\":{\"attributes\":[\"a\"],"
             "\"endpoint\":{\"uri\":\"mqtts://u:p@h:1/a/b\",\"accept\":\"application/ld+json\","
             "\"timeout\":9000,\"cooldown\":0.5,\"notifierInfo\":[{\"key\":\"MQTT-QoS\",\"value\":"
             "\"2\"}],\"receiverInfo\":[{\"key\":\"X\",\"value\":\"y\"}]}}}");
    terms_intern(f->terms, STR("https://uri.etsi.org/ngsi-ld/default-context/a"), NULL);
    struct subscription *s = compiled(f, stored);
    assert_false(s->active);
    assert_int_equal(s->expires_at, NOW + INT64_C(86400000000));
    assert_int_equal(s->triggers, TRIGGER_ENTITY_DELETED | TRIGGER_ATTR_CREATED |
                                      TRIGGER_ATTR_UPDATED | TRIGGER_ATTR_DELETED);
    assert_true(s->pick->id && s->pick->type && s->pick->scope && s->pick->count == 1);
    assert_int_equal(s->media, NOTIFY_LD_JSON);
    assert_int_equal(s->timeout_ms, 5000);
    assert_int_equal(s->cooldown_ms, 1);
    assert_true(s->notifier_count == 1 && str_eq(s->notifier[0].value, STR("2")));
    assert_true(s->receiver_count == 1 && str_eq(s->receiver[0].key, STR("X")));
    subscription_unref(s);
    struct json out = shown(f, context_core(), stored, NOW);
    assert_true(json_is_string(json_get(&out, STR("status")), STR("paused")));
    out = shown(f, context_core(), stored, NOW + INT64_C(86400000000));
    assert_true(json_is_string(json_get(&out, STR("status")), STR("expired")));
}

/* ---- refusals ---- */

struct refusal {
    const char *text, *pointer, *part;
};

static const struct refusal REFUSALS[] = {
    {"{" NOTIFICATION ",\"entities\":[{\"type\":\"A\"}]}", "/type", "type"},
    {"{\"type\":\"Subscription\"," NOTIFICATION "}", "", "needs entities"},
    {"{\"type\":\"Sub\"," NOTIFICATION "}", "/type", "Subscription"},
    {HEAD "\"id\":\"x\"," NOTIFICATION "}", "/id", "URI"},
    {HEAD "\"q\":\"a==1\"}", "/notification", "needs"},
    {"{\"type\":\"Subscription\",\"entities\":[]," NOTIFICATION "}", "/entities", "empty"},
    {"{\"type\":\"Subscription\",\"entities\":{\"type\":\"A\"}," NOTIFICATION "}", "/entities",
     "an array"},
    {"{\"type\":\"Subscription\",\"entities\":[{\"id\":\"urn:a\"}]," NOTIFICATION "}",
     "/entities/0", "type"},
    {"{\"type\":\"Subscription\",\"entities\":[{\"type\":\"A\",\"id\":\"a b\"}]," NOTIFICATION "}",
     "/entities/0/id", "URI"},
    {"{\"type\":\"Subscription\",\"entities\":[{\"type\":\"A\",\"idPattern\":\"(\"}]," NOTIFICATION
     "}",
     "/entities/0/idPattern", "idPattern"},
    {HEAD "\"watchedAttributes\":[]," NOTIFICATION "}", "/watchedAttributes", "empty"},
    {HEAD "\"watchedAttributes\":[\"a b\"]," NOTIFICATION "}", "/watchedAttributes/0", "name"},
    {HEAD "\"watchedAttributes\":[\"a\"],\"timeInterval\":5," NOTIFICATION "}", "/timeInterval",
     "watchedAttributes"},
    {HEAD "\"throttling\":1,\"timeInterval\":5," NOTIFICATION "}", "/timeInterval", "throttling"},
    {HEAD "\"throttling\":-1," NOTIFICATION "}", "/throttling", "above 0"},
    {HEAD "\"timeInterval\":0," NOTIFICATION "}", "/timeInterval", "above 0"},
    {HEAD "\"q\":\"a==\"," NOTIFICATION "}", "/q", "column"},
    {HEAD "\"csf\":\"((\"," NOTIFICATION "}", "/csf", "column"},
    {HEAD "\"scopeQ\":\"//\"," NOTIFICATION "}", "/scopeQ", "scopeQ"},
    {HEAD "\"geoQ\":{\"georel\":\"near\"}," NOTIFICATION "}", "/geoQ", "needs"},
    {HEAD
     "\"geoQ\":{\"georel\":\"near\",\"geometry\":\"Point\",\"coordinates\":[1,2]}," NOTIFICATION
     "}",
     "/geoQ", "maxDistance"},
    {HEAD "\"notificationTrigger\":[\"entityChanged\"]," NOTIFICATION "}", "/notificationTrigger/0",
     "expected"},
    {HEAD "\"expiresAt\":\"2019-12-31T23:59:59Z\"," NOTIFICATION "}", "/expiresAt", "past"},
    {HEAD "\"expiresAt\":\"soon\"," NOTIFICATION "}", "/expiresAt", "DateTime"},
    {HEAD "\"isActive\":\"yes\"," NOTIFICATION "}", "/isActive", "boolean"},
    {HEAD "\"datasetId\":[\"x\"]," NOTIFICATION "}", "/datasetId/0", "URI"},
    {HEAD "\"lang\":\"??\"," NOTIFICATION "}", "/lang", "language"},
    {HEAD "\"jsonldContext\":\"urn:x:y\"," NOTIFICATION "}", "/jsonldContext", "http"},
    {HEAD "\"ngsildConformance\":\"v1\"," NOTIFICATION "}", "/ngsildConformance", "version"},
    {HEAD "\"temporalQ\":{\"timerel\":\"before\",\"timeAt\":\"2020-01-01T00:00:00Z\"}," NOTIFICATION
          "}",
     "/temporalQ", "registrations"},
    {HEAD "\"q\":\"urn:ngsi-ld:null\"," NOTIFICATION "}", "/q", "Null"},
    {HEAD "\"q\":null," NOTIFICATION "}", "/q", "null"},
    {HEAD "\"q\":\"a\",\"q\":\"b\"," NOTIFICATION "}", "/q", "twice"},
    {"{\"type\":\"Subscription\",\"entities\":[{\"type\":\"*\"}],\"localOnly\":false," NOTIFICATION
     "}",
     "/localOnly", "local scope"},
    {HEAD "\"notification\":{}}", "/notification", "endpoint"},
    {HEAD "\"notification\":{\"endpoint\":{}}}", "/notification/endpoint", "uri"},
    {HEAD "\"notification\":{\"endpoint\":{\"uri\":\"ftp://h/\"}}}", "/notification/endpoint/uri",
     "mqtts"},
    {HEAD "\"notification\":{\"endpoint\":{\"uri\":\"http:///x\"}}}", "/notification/endpoint/uri",
     "host"},
    {HEAD "\"notification\":{\"endpoint\":{\"uri\":\"mqtt://h\"}}}", "/notification/endpoint/uri",
     "topic"},
    {HEAD "\"notification\":{\"format\":\"x\"," ENDPOINT "}}", "/notification/format", "expected"},
    {HEAD "\"notification\":{\"join\":\"x\"," ENDPOINT "}}", "/notification/join", "flat"},
    {HEAD "\"notification\":{\"joinLevel\":0," ENDPOINT "}}", "/notification/joinLevel", "above 0"},
    {HEAD "\"notification\":{\"attributes\":[\"id\"]," ENDPOINT "}}", "/notification/attributes/0",
     "pick"},
    {HEAD "\"notification\":{\"attributes\":[\"a\"],\"pick\":[\"b\"]," ENDPOINT "}}",
     "/notification", "excludes"},
    {HEAD "\"notification\":{\"omit\":[\"c,id\"],\"pick\":[\"b\",\"id\"]," ENDPOINT "}}",
     "/notification", "same member"},
    {HEAD "\"notification\":{\"pick\":[\"b{\"]," ENDPOINT "}}", "/notification/pick/0", "column"},
    {HEAD "\"notification\":{\"pick\":[\"b{a}\"]," ENDPOINT "}}", "/notification", "join"},
    {HEAD "\"notification\":{\"showChanges\":true,\"format\":\"simplified\"," ENDPOINT "}}",
     "/notification", "showChanges"},
    {HEAD "\"notification\":{\"endpoint\":{\"uri\":\"http://h/\",\"accept\":\"text/plain\"}}}",
     "/notification/endpoint/accept", "expected"},
    {HEAD "\"notification\":{\"endpoint\":{\"uri\":\"http://h/\",\"timeout\":0}}}",
     "/notification/endpoint/timeout", "above 0"},
    {HEAD "\"notification\":{\"endpoint\":{\"uri\":\"http://h/\",\"receiverInfo\":[{\"key\":\"A\","
          "\"value\":\"b\\r\\nC: d\"}]}}}",
     "/notification/endpoint/receiverInfo/0/value", "control"},
    {HEAD "\"notification\":{\"endpoint\":{\"uri\":\"http://h/\",\"receiverInfo\":[{\"key\":\"A:\","
          "\"value\":\"b\"}]}}}",
     "/notification/endpoint/receiverInfo/0/key", "header"},
    {HEAD "\"notification\":{\"endpoint\":{\"uri\":\"http://h/\",\"receiverInfo\":[{\"key\":"
          "\"content-length\",\"value\":\"1\"}]}}}",
     "/notification/endpoint/receiverInfo/0", "Content-Length"},
    {HEAD "\"notification\":{\"endpoint\":{\"uri\":\"mqtt://h/t\",\"notifierInfo\":[{\"key\":"
          "\"MQTT-QoS\",\"value\":\"3\"}]}}}",
     "/notification/endpoint/notifierInfo/0", "MQTT-QoS"},
    {HEAD "\"notification\":{\"endpoint\":{\"uri\":\"http://h/\",\"receiverInfo\":[{\"key\":\"A\"}]"
          "}}}",
     "/notification/endpoint/receiverInfo/0", "needs key and value"},
};

static void refuses(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof REFUSALS / sizeof *REFUSALS; i++) {
        const struct refusal *r = &REFUSALS[i];
        struct str stored = stored_of(f, context_core(), r->text);
        if (!str_absent(stored) || f->why.status != E_BAD_DATA ||
            strcmp(f->why.pointer, r->pointer) != 0 || !strstr(f->why.text, r->part))
            fail_msg("%s: %d %s %s", r->text, f->why.status, f->why.pointer, f->why.text);
    }
}

static void keeps_to_limits(void **state)
{
    static const struct {
        const char *text, *limit;
    } CASES[] = {
        {"{\"type\":\"Subscription\",\"entities\":[{\"type\":\"A\"},{\"type\":\"A\"},{\"type\":"
         "\"A\"},{\"type\":\"A\"}]," NOTIFICATION "}",
         "limits.subscription_selectors"},
        {HEAD "\"watchedAttributes\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\"]," NOTIFICATION "}",
         "limits.subscription_names"},
        {HEAD "\"notification\":{\"endpoint\":{\"uri\":\"http://h/\",\"receiverInfo\":[{\"key\":"
              "\"A\",\"value\":\"\"},{\"key\":\"A\",\"value\":\"\"},{\"key\":\"A\",\"value\":\"\"}]"
              "}}}",
         "limits.subscription_pairs"},
        {"{\"type\":\"Subscription\",\"entities\":[{\"type\":\"A\"}],\"timeInterval\":0.999,"
         NOTIFICATION "}", "subscriptions.interval_min"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        assert_true(str_absent(stored_of(f, context_core(), CASES[i].text)));
        assert_int_equal(f->why.status, E_LIMIT);
        assert_string_equal(f->why.limit, CASES[i].limit);
    }
}

/* ---- fragments ---- */

static enum status change(struct fixture *f, struct str *stored, const char *fragment)
{
    struct subscription_reader r = reader(f, context_core());
    struct json v = parsed(f, fragment);
    struct buf b;
    r.now_us = NOW + 1000000;
    why_clear(&f->why);
    buf_init(&b, 1 << 20);
    enum status st = subscription_change(&r, *stored, &v, &b, &f->why);
    if (st == OK)
        *stored = arena_dup(f->arena, buf_view(&b));
    buf_free(&b);
    return st;
}

static void changes(void **state)
{
    struct fixture *f = *state;
    struct str s = stored_of(
        f, context_core(),
        HEAD "\"q\":\"a>1\",\"expandValues\":\"a\",\"description\":\"d\"," NOTIFICATION "}");
    assert_int_equal(change(f, &s, "{\"description\":\"urn:ngsi-ld:null\",\"isActive\":false}"),
                     OK);
    struct json out = shown(f, context_core(), s, NOW);
    assert_null(json_get(&out, STR("description")));
    assert_true(json_is_string(json_get(&out, STR("status")), STR("paused")));
    assert_int_equal(change(f, &s, "{\"q\":\"a==b\"}"), OK);
    out = shown(f, context_core(), s, NOW);
    assert_true(json_is_string(json_get(&out, STR("q")), STR("a==\"b\"")));
    assert_int_equal(change(f, &s, "{\"jsonKeys\":\"a\"}"), E_BAD_DATA);
    assert_int_equal(change(f, &s, "{\"entities\":\"urn:ngsi-ld:null\"}"), E_BAD_DATA);
    assert_int_equal(change(f, &s, "{\"notification\":\"urn:ngsi-ld:null\"}"), E_BAD_DATA);
    assert_int_equal(change(f, &s, "{\"notification\":{\"format\":\"concise\"}}"), E_BAD_DATA);
    assert_int_equal(change(f, &s, "{\"id\":\"urn:other\"}"), E_BAD_DATA);
    assert_string_equal(f->why.pointer, "/id");
    assert_int_equal(change(f, &s, "{\"expiresAt\":\"2020-01-01T00:00:00Z\"}"), E_BAD_DATA);
    assert_int_equal(change(f, &s, "{\"id\":\"urn:s:1\",\"type\":\"Subscription\"}"), OK);
    s = STR("{\"version\":2}");
    assert_int_equal(change(f, &s, "{}"), E_DAMAGED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(goes_round, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(short_intervals_of_old_are_raised, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(compiles_without_context, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(compiles_endpoint, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(refuses, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(keeps_to_limits, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(changes, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("subscription", tests, NULL, NULL);
}
