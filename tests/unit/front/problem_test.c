/* Refusals as ProblemDetails (RFC 7807, CIM 009 clause 5.5.3). */
#include "front/ngsild/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ERRORS "https://uri.etsi.org/ngsi-ld/errors/"

static int setup(void **state)
{
    *state = arena_new(0);
    return 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static struct json problem(struct arena *a, enum status status, const struct why *why, struct str instance)
{
    const struct json_limits limits = {.depth_max = 3, .bytes_max = 100000};
    struct buf b;
    struct json v;
    buf_init(&b, 100000);
    problem_write(&b, status, why, instance);
    assert_int_equal(json_read(a, arena_dup(a, buf_view(&b)), &limits, &v, NULL), OK);
    buf_free(&b);
    return v;
}

static void has(const struct json *v, const char *name, const char *text)
{
    const struct json *m = json_get(v, str_of(name));
    if (text && !json_is_string(m, str_of(text)))
        fail_msg("%s is not \"%s\"", name, text);
    if (!text)
        assert_null(m);
}

static void every_status_has_a_type_and_a_code(void **state)
{
    static const struct {
        enum status status;
        int http;
        const char *type;
    } CLAUSES[] = { /* table 6.3.2-1 */
        {E_INVALID_REQUEST, 400, ERRORS "InvalidRequest"},
        {E_BAD_DATA, 400, ERRORS "BadRequestData"},
        {E_NOT_FOUND, 404, ERRORS "ResourceNotFound"},
        {E_EXISTS, 409, ERRORS "AlreadyExists"},
        {E_NO_TENANT, 404, ERRORS "NonexistentTenant"},
        {E_NOT_SUPPORTED, 422, ERRORS "OperationNotSupported"},
        {E_CONTEXT, 504, ERRORS "LdContextNotAvailable"},
        {E_TOO_COMPLEX, 403, ERRORS "TooComplexQuery"},
        {E_TOO_MANY_RESULTS, 403, ERRORS "TooManyResults"},
        {E_INTERNAL, 500, ERRORS "InternalError"},
    };
    struct arena *a = *state;
    for (size_t i = 0; i < sizeof CLAUSES / sizeof *CLAUSES; i++) {
        struct json v = problem(a, CLAUSES[i].status, NULL, STR_NONE);
        assert_int_equal(problem_http_status(CLAUSES[i].status), CLAUSES[i].http);
        has(&v, "type", CLAUSES[i].type);
    }
    for (int s = E_INVALID_REQUEST; s <= E_INTERNAL + 3; s++) { /* unknown ones too */
        struct json v = problem(a, (enum status)s, NULL, STR_NONE);
        double code;
        assert_true(problem_http_status((enum status)s) >= 400 && problem_http_status((enum status)s) < 600);
        assert_true(json_number(json_get(&v, STR("status")), &code));
        assert_int_equal((int)code, problem_http_status((enum status)s));
        assert_true(json_is(json_get(&v, STR("title")), JSON_STRING));
        assert_true(json_is(json_get(&v, STR("detail")), JSON_STRING));
    }
    assert_int_equal(problem_http_status(E_INTERNAL + 3), 500);
}

static void reasons_are_said(void **state)
{
    struct arena *a = *state;
    struct why why;
    struct at at = {.key = STR("a/b")};
    why_clear(&why);
    why_limit(&why, E_LIMIT, &at, "limits.types", "at most %d types, \"%s\"\n", 2, "x");
    struct json v = problem(a, E_LIMIT, &why, STR("urn:x:1"));
    has(&v, "detail", "at most 2 types, \"x\"\n");
    has(&v, "pointer", "/a~1b");
    has(&v, "limit", "limits.types");
    has(&v, "instance", "urn:x:1");
    why_clear(&why);
    v = problem(a, E_BUSY, &why, STR_NONE);
    has(&v, "detail", "Busy"); /* without a reason of its own */
    has(&v, "pointer", NULL);
    has(&v, "limit", NULL);
    has(&v, "instance", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_status_has_a_type_and_a_code, setup, teardown),
        cmocka_unit_test_setup_teardown(reasons_are_said, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
