/* Messages, whole: headers and bodies of what a subscription is told of a change. */
#include "broker/notice.h"
#include "told.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { ITEMS_MAX = 4, NOW_S = 1600000000 };

struct test {
    struct told told;
    struct buf body;
    struct subscription *subscription;
    struct notice notice;
    struct due_item items[ITEMS_MAX];
    uint32_t count;
};

static int setup(void **state)
{
    static struct test t;
    t = (struct test){.count = 0};
    told_begin(&t.told);
    buf_init(&t.body, 1 << 16);
    *state = &t;
    return 0;
}

static int teardown(void **state)
{
    struct test *t = *state;
    subscription_unref(t->subscription);
    buf_free(&t->body);
    told_end(&t->told);
    return 0;
}

#define SPRING(attrs) "{\"id\":\"urn:e:1\",\"type\":\"Spring\"" attrs "}"
#define LEVEL(value) ",\"level\":{\"type\":\"Property\",\"value\":" value ",\"unitCode\":\"MTR\"}"
#define PLACE ",\"location\":{\"type\":\"GeoProperty\",\"value\":{\"type\":\"Point\",\"coordinates\":[117,36.5]}}"
#define FLOWS ",\"flows\":{\"type\":\"Relationship\",\"object\":\"urn:e:2\"}"
#define TO(uri, more) "\"endpoint\":{\"uri\":\"" uri "\"" more "}"
#define HTTP TO("http://localhost:9/n", "")
#define NOTIFICATION(members) "\"entities\":[{\"type\":\"Spring\"}],\"notification\":{" members "}"
#define GONE(members) "\"notificationTrigger\":[\"attributeDeleted\",\"entityDeleted\"]," NOTIFICATION(members)

/* before, after: NULL is none. Seconds 1 and 2. */
static void put(struct test *t, const char *before, const char *after)
{
    assert_true(t->count < ITEMS_MAX);
    t->items[t->count++] = (struct due_item){
        .first_seq = 2,
        .last_seq = 2,
        .at_us = 2000000,
        .before = before ? told_doc(&t->told, before, 1) : NULL,
        .after = after ? told_doc(&t->told, after, 2) : NULL,
    };
}

static bool try_write(struct test *t, const char *members)
{
    subscription_unref(t->subscription);
    t->subscription = told_subscription(&t->told, members);
    buf_clear(&t->body);
    t->notice = (struct notice){
        .subscription = t->subscription,
        .context = context_core(),
        .items = t->items,
        .count = t->count,
        .now_us = INT64_C(1000000) * NOW_S,
        .mark = STR("m"),
        .arena = t->told.arena,
        .body = &t->body,
        .registrations = STR_NONE,
        .tenant = STR_NONE,
        .snapshot = STR_NONE,
    };
    notice_begin(&t->notice);
    return notice_write(&t->notice);
}

#define ID_HEAD "{\"id\":\"urn:ngsi-ld:Notification:"
#define HEAD "-m\",\"type\":\"Notification\",\"subscriptionId\":\"urn:s:1\",\"notifiedAt\":\"2020-09-13T12:26:40Z\",\"data\":"

/* All of a notification: HEAD and tail behind what is made of names alone. */
static void assert_notification(struct str text, const char *tail)
{
    enum { HASH = 16 };
    assert_true(str_starts(text, STR(ID_HEAD)));
    struct str rest = str_from(text, sizeof ID_HEAD - 1 + HASH);
    assert_true(str_starts(rest, STR(HEAD)));
    rest = str_from(rest, sizeof HEAD - 1);
    if (!str_eq(rest, str_of(tail)))
        fail_msg("told\n%.*s\nnot\n%s", STR_ARG(rest), tail);
}

static void assert_told(struct test *t, const char *members, const char *tail)
{
    assert_true(try_write(t, members));
    assert_notification(buf_view(&t->body), tail);
}

static void assert_headers(const struct test *t, const char *const *headers, uint32_t count)
{
    assert_int_equal(t->notice.header_count, count);
    for (uint32_t i = 0; i < count; i++)
        if (!str_eq(t->notice.headers[i], str_of(headers[i])))
            fail_msg("%.*s, not %s", STR_ARG(t->notice.headers[i]), headers[i]);
}

#define LINK_HEADER "Link: <https://example.org/c>; rel=\"http://www.w3.org/ns/json-ld#context\"; type=\"application/ld+json\""

static void formats_show_one_entity_three_ways(void **state)
{
    struct test *t = *state;
    put(t, NULL, SPRING(LEVEL("2") FLOWS));
    assert_told(t, NOTIFICATION(HTTP),
                "[{\"id\":\"urn:e:1\",\"type\":\"Spring\",\"level\":{\"type\":\"Property\",\"value\":2,\"unitCode\":\"MTR\"},"
                "\"flows\":{\"type\":\"Relationship\",\"object\":\"urn:e:2\"}}]}");
    assert_told(t, NOTIFICATION("\"format\":\"concise\"," HTTP),
                "[{\"id\":\"urn:e:1\",\"type\":\"Spring\",\"level\":{\"value\":2,\"unitCode\":\"MTR\"},"
                "\"flows\":{\"object\":\"urn:e:2\"}}]}");
    assert_told(t, NOTIFICATION("\"format\":\"simplified\"," HTTP),
                "[{\"id\":\"urn:e:1\",\"type\":\"Spring\",\"level\":2,\"flows\":\"urn:e:2\"}]}");
    assert_told(t, NOTIFICATION("\"format\":\"simplified\",\"attributes\":[\"level\"]," HTTP),
                "[{\"id\":\"urn:e:1\",\"type\":\"Spring\",\"level\":2}]}");
}

static void several_entities_are_one_message(void **state)
{
    struct test *t = *state;
    put(t, NULL, SPRING(LEVEL("2")));
    put(t, NULL, "{\"id\":\"urn:e:7\",\"type\":\"Spring\"}");
    assert_told(t, NOTIFICATION("\"format\":\"simplified\"," HTTP),
                "[{\"id\":\"urn:e:1\",\"type\":\"Spring\",\"level\":2},{\"id\":\"urn:e:7\",\"type\":\"Spring\"}]}");
}

static void entities_of_which_nothing_shows_are_left_out(void **state)
{
    struct test *t = *state;
    put(t, NULL, SPRING(LEVEL("2")));
    (void)told_doc(&t->told, SPRING(FLOWS), 1); /* its names are known */
    (void)try_write(t, NOTIFICATION("\"pick\":[\"flows\"]," HTTP));
    assert_int_equal(t->notice.entity_count, 0);
    (void)try_write(t, NOTIFICATION("\"pick\":[\"level\"]," HTTP));
    assert_int_equal(t->notice.entity_count, 1);
}

static void what_is_gone_is_null(void **state)
{
    struct test *t = *state;
    put(t, SPRING(LEVEL("2") FLOWS), SPRING(""));
    assert_told(t, GONE(HTTP),
                "[{\"id\":\"urn:e:1\",\"type\":\"Spring\",\"level\":{\"type\":\"Property\",\"value\":\"urn:ngsi-ld:null\"},"
                "\"flows\":{\"type\":\"Relationship\",\"object\":\"urn:ngsi-ld:null\"}}]}");
    assert_told(t, GONE("\"format\":\"concise\"," HTTP),
                "[{\"id\":\"urn:e:1\",\"type\":\"Spring\",\"level\":\"urn:ngsi-ld:null\","
                "\"flows\":\"urn:ngsi-ld:null\"}]}"); /* clause 4.5.3.3 */
    assert_told(t, GONE("\"format\":\"simplified\"," HTTP),
                "[{\"id\":\"urn:e:1\",\"type\":\"Spring\",\"level\":\"urn:ngsi-ld:null\",\"flows\":\"urn:ngsi-ld:null\"}]}");
}

static void a_deleted_entity_says_when(void **state)
{
    struct test *t = *state;
    put(t, SPRING(LEVEL("2")), NULL);
    assert_told(t, "\"notificationTrigger\":[\"entityDeleted\"]," NOTIFICATION(HTTP),
                "[{\"id\":\"urn:e:1\",\"type\":\"Spring\",\"deletedAt\":\"1970-01-01T00:00:02Z\"}]}");
    assert_told(t, "\"notificationTrigger\":[\"attributeDeleted\"]," NOTIFICATION(HTTP),
                "[{\"id\":\"urn:e:1\",\"type\":\"Spring\",\"deletedAt\":\"1970-01-01T00:00:02Z\","
                "\"level\":{\"type\":\"Property\",\"value\":\"urn:ngsi-ld:null\"}}]}");
}

#define MANY(default_value, other_value) ",\"level\":[{\"type\":\"Property\",\"value\":" default_value "}," \
    "{\"type\":\"Property\",\"value\":" other_value ",\"datasetId\":\"urn:d:x\"}]"

static void instances_that_are_gone(void **state)
{
    struct test *t = *state;
    put(t, SPRING(MANY("1", "2")), SPRING(",\"level\":{\"type\":\"Property\",\"value\":1}"));
    put(t, SPRING(MANY("1", "2")), SPRING(""));
    assert_told(t, GONE("\"format\":\"concise\"," HTTP),
                "[{\"id\":\"urn:e:1\",\"type\":\"Spring\",\"level\":[{\"value\":1},{\"value\":\"urn:ngsi-ld:null\","
                "\"datasetId\":\"urn:d:x\"}]},"
                "{\"id\":\"urn:e:1\",\"type\":\"Spring\",\"level\":\"urn:ngsi-ld:null\"}]}"); /* all of them at once */
}

static void changes_show_what_was(void **state)
{
    struct test *t = *state;
    put(t, SPRING(LEVEL("1") FLOWS), SPRING(LEVEL("2") FLOWS));
    assert_told(t, NOTIFICATION("\"showChanges\":true,\"attributes\":[\"level\"]," HTTP),
                "[{\"id\":\"urn:e:1\",\"type\":\"Spring\",\"level\":{\"type\":\"Property\",\"value\":2,"
                "\"previousValue\":1,\"unitCode\":\"MTR\"}}]}");
    assert_told(t, NOTIFICATION("\"attributes\":[\"level\"]," HTTP),
                "[{\"id\":\"urn:e:1\",\"type\":\"Spring\",\"level\":{\"type\":\"Property\",\"value\":2,\"unitCode\":\"MTR\"}}]}");
    t->count = 0;
    put(t, SPRING(FLOWS), SPRING(""));
    assert_told(t, GONE("\"showChanges\":true," HTTP),
                "[{\"id\":\"urn:e:1\",\"type\":\"Spring\",\"flows\":{\"type\":\"Relationship\","
                "\"object\":\"urn:ngsi-ld:null\",\"previousObject\":\"urn:e:2\"}}]}");
}

static void the_context_is_linked_or_inside(void **state)
{
    struct test *t = *state;
    put(t, NULL, SPRING(LEVEL("2")));
    static const char *const JSON[] = {"Content-Type: application/json", LINK_HEADER, "NGSILD-Tenant: north"};
    static const char *const LD[] = {"Content-Type: application/ld+json", "NGSILD-Tenant: north"};
    assert_told(t, NOTIFICATION("\"format\":\"simplified\"," HTTP), "[{\"id\":\"urn:e:1\",\"type\":\"Spring\",\"level\":2}]}");
    assert_headers(t, JSON, 3);
    assert_true(try_write(t, NOTIFICATION("\"format\":\"simplified\","
                                          TO("http://localhost:9/n", ",\"accept\":\"application/ld+json\""))));
    assert_headers(t, LD, 2);
    struct str text = buf_view(&t->body), context = STR(",\"@context\":\"https://example.org/c\"}");
    assert_true(text.n > context.n && str_eq(str_from(text, text.n - context.n), context));
}

#define GEO_TO(more) TO("http://localhost:9/n", ",\"accept\":\"application/geo+json\"" more)
#define FEATURE "{\"id\":\"urn:e:1\",\"type\":\"Feature\",\"geometry\":{\"type\":\"Point\",\"coordinates\":[117,36.5]}," \
    "\"properties\":{\"type\":\"Spring\",\"location\":{\"type\":\"Point\",\"coordinates\":[117,36.5]}}}"

static void geojson_has_its_context_unless_json_is_preferred(void **state)
{
    struct test *t = *state;
    static const char *const PLAIN[] = {"Content-Type: application/geo+json", "NGSILD-Tenant: north"};
    static const char *const PREFERS[] = {"Content-Type: application/geo+json", LINK_HEADER, "NGSILD-Tenant: north",
                                          "Prefer: body=json"};
    put(t, NULL, SPRING(PLACE));
    assert_told(t, NOTIFICATION("\"format\":\"simplified\"," GEO_TO("")),
                "{\"type\":\"FeatureCollection\",\"features\":[" FEATURE "],\"@context\":\"https://example.org/c\"}}");
    assert_headers(t, PLAIN, 2);
    assert_told(t, NOTIFICATION("\"format\":\"simplified\"," GEO_TO(
                       ",\"receiverInfo\":[{\"key\":\"Prefer\",\"value\":\"body=json\"}]")),
                "{\"type\":\"FeatureCollection\",\"features\":[" FEATURE "]}}");
    assert_headers(t, PREFERS, 4);
}

#define ENVELOPE "{\"metadata\":{\"Content-Type\":\"application/json\",\"Link\":\"<https://example.org/c>; " \
    "rel=\\\"http://www.w3.org/ns/json-ld#context\\\"; type=\\\"application/ld+json\\\"\"," \
    "\"NGSILD-Tenant\":\"north\",\"k\":\"v\"},\"body\":"

static void mqtt_has_one_object_for_all(void **state)
{
    struct test *t = *state;
    put(t, NULL, SPRING(LEVEL("2")));
    assert_true(try_write(t, NOTIFICATION("\"format\":\"simplified\"," TO("mqtt://localhost/a/b",
        ",\"receiverInfo\":[{\"key\":\"k\",\"value\":\"v\"}],\"notifierInfo\":[{\"key\":\"MQTT-Version\","
        "\"value\":\"mqtt3.1.1\"},{\"key\":\"MQTT-QoS\",\"value\":\"2\"}]"))));
    struct str text = buf_view(&t->body);
    assert_true(str_starts(text, STR(ENVELOPE)));
    assert_notification(str_from(text, sizeof ENVELOPE - 1), "[{\"id\":\"urn:e:1\",\"type\":\"Spring\",\"level\":2}]}}");
    assert_int_equal(t->notice.header_count, 0);
    assert_int_equal(t->notice.mqtt_version, 3);
    assert_int_equal(t->notice.mqtt_qos, 2);
    assert_true(try_write(t, NOTIFICATION(TO("mqtts://localhost/a", ""))));
    assert_int_equal(t->notice.mqtt_version, 5);
    assert_int_equal(t->notice.mqtt_qos, 0);
}

static void the_same_message_has_the_same_id(void **state)
{
    struct test *t = *state;
    put(t, NULL, SPRING(LEVEL("2")));
    assert_true(try_write(t, NOTIFICATION(HTTP)));
    struct str first = arena_dup(t->told.arena, buf_view(&t->body));
    assert_true(try_write(t, NOTIFICATION(HTTP)));
    assert_true(str_eq(first, buf_view(&t->body)));
}

static void a_message_has_a_bound(void **state)
{
    struct test *t = *state;
    put(t, NULL, SPRING(LEVEL("2")));
    buf_free(&t->body);
    buf_init(&t->body, 100);
    assert_false(try_write(t, NOTIFICATION(HTTP)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(formats_show_one_entity_three_ways, setup, teardown),
        cmocka_unit_test_setup_teardown(several_entities_are_one_message, setup, teardown),
        cmocka_unit_test_setup_teardown(entities_of_which_nothing_shows_are_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_gone_is_null, setup, teardown),
        cmocka_unit_test_setup_teardown(a_deleted_entity_says_when, setup, teardown),
        cmocka_unit_test_setup_teardown(instances_that_are_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(changes_show_what_was, setup, teardown),
        cmocka_unit_test_setup_teardown(the_context_is_linked_or_inside, setup, teardown),
        cmocka_unit_test_setup_teardown(geojson_has_its_context_unless_json_is_preferred, setup, teardown),
        cmocka_unit_test_setup_teardown(mqtt_has_one_object_for_all, setup, teardown),
        cmocka_unit_test_setup_teardown(the_same_message_has_the_same_id, setup, teardown),
        cmocka_unit_test_setup_teardown(a_message_has_a_bound, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
