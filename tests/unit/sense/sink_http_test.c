/* What an answer to a batch means for each of its entities. */
#include "check.h"

#include "sense/sink_http.h"

static struct sink_entity entities[3];
static struct sink_entity *list[3] = {&entities[0], &entities[1], &entities[2]};

static struct sink_batch answered(struct arena *a, int http_status, const char *answer)
{
    struct sink_batch b = {.entities = list, .count = 3, .arena = a};
    static const char *const ids[] = {"urn:a", "urn:b", "urn:c"};
    for (int i = 0; i < 3; i++)
        entities[i] = (struct sink_entity){.id = str_of(ids[i]), .status = E_INTERNAL};
    sink_http_read(&b, http_status, str_of(answer));
    return b;
}

static void reads_success(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    assert_int_equal(answered(a, 204, "").status, OK);
    for (int i = 0; i < 3; i++)
        assert_true(entities[i].status == OK && entities[i].fate == SINK_UPDATED);
    assert_int_equal(answered(a, 201, "[\"urn:c\",\"urn:a\",\"urn:else\"]").status, OK);
    for (int i = 0; i < 3; i++)
        assert_true(entities[i].status == OK &&
                    entities[i].fate == (i == 1 ? SINK_UPDATED : SINK_CREATED));
    arena_free(a);
}

static void reads_results_of_each(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct sink_batch b =
        answered(a, 207,
                 "{\"success\":[\"urn:b\"],\"errors\":[{\"entityId\":\"urn:a\",\"error\":{\"type\":"
                 "\"x\",\"title\":\"T\","
                 "\"detail\":\"a number was "
                 "expected\",\"status\":400,\"pointer\":\"/17/temperature/value\"}},"
                 "{\"entityId\":\"urn:c\",\"error\":{\"status\":503,\"title\":\"Busy\"}}]}");
    assert_int_equal(b.status, OK);
    assert_int_equal(entities[0].status, E_BAD_DATA);
    assert_str(entities[0].reason, "a number was expected (at /temperature/value)");
    assert_int_equal(entities[1].status, OK);
    assert_int_equal(entities[1].fate, SINK_STORED);
    assert_int_equal(entities[2].status, E_BUSY);
    /* silence is no success */
    b = answered(a, 207, "{\"success\":[\"urn:b\"],\"errors\":[]}");
    assert_int_equal(entities[0].status, E_BAD_DATA);
    assert_str(entities[0].reason, "the city's answer does not mention it");
    b = answered(a, 207, "no json");
    assert_int_equal(entities[1].status, E_BAD_DATA);
    arena_free(a);
}

static void tells_kinds_of_refusal_apart(void **state)
{
    (void)state;
    static const struct {
        int http;
        const char *answer;
        enum status status;
        const char *text;
    } cases[] = {
        {400, "{\"title\":\"Bad\",\"detail\":\"not JSON\"}", E_BAD_DATA, "not JSON"},
        {400, "{\"detail\":\"x\",\"pointer\":\"/3\"}", E_BAD_DATA, "x"},
        {413, "", E_BAD_DATA, "refused without a reason"},
        {504,
         "{\"type\":\"https://uri.etsi.org/ngsi-ld/errors/"
         "LdContextNotAvailable\",\"detail\":\"gone\"}",
         E_BAD_DATA, "gone"},
        {429, "", E_BUSY, "429"},
        {503, "{\"title\":\"Busy\"}", E_BUSY, "the city answered 503: Busy"},
        {500, "", E_IO, "500"},
        {507, "", E_IO, "507"},
        {404, "", E_NOT_SUPPORTED, "404"},
        {401, "", E_NOT_SUPPORTED, "401"},
        {302, "", E_NOT_SUPPORTED, "302"},
    };
    struct arena *a = arena_new(0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sink_batch b = answered(a, cases[i].http, cases[i].answer);
        assert_int_equal(b.status, cases[i].status);
        assert_non_null(strstr(b.why.text, cases[i].text));
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_success),
        cmocka_unit_test(reads_results_of_each),
        cmocka_unit_test(tells_kinds_of_refusal_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
