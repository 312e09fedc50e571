/* Lifetimes by RFC 9111; the expected values follow its sections 4.2.1, 4.2.3 and 5.2.2. */
#include "net/http_freshness.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { RECEIVED = 784111777 }; /* Sun, 06 Nov 1994 08:49:37 GMT */
#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

static int64_t of(const char *headers)
{
    struct http_freshness f;
    struct str rest = str_of(headers), line;
    http_freshness_init(&f);
    while (str_split(&rest, '\n', &line))
        http_freshness_header(&f, line);
    return http_freshness_seconds(&f, RECEIVED);
}

static void lifetime_follows_the_headers(void **state)
{
    (void)state;
    static const struct {
        const char *headers;
        int64_t seconds;
    } cases[] = {
        {"", -1},
        {"Content-Type: text/plain\r\n" DATE, -1},
        {"Cache-Control: public\r\n", -1},
        {"Cache-Control: max-age=60\r\n", 60},
        {"cache-control:public , MAX-AGE=\"60\"\r\n", 60},
        {"Cache-Control: max-age=60, s-maxage=10\r\n", 10},
        {"Cache-Control: s-maxage=10\r\nCache-Control: max-age=60\r\n", 10},
        {"Cache-Control: max-age=60, max-age=90\r\n", 60},
        {"Cache-Control: max-age=60\r\nAge: 20\r\n", 40},
        {"Cache-Control: max-age=60\r\nAge: 90\r\n", 0},
        {"Cache-Control: max-age=99999999999999999999\r\n", 2147483647},
        {"Cache-Control: max-age=x\r\n", 0},
        {"Cache-Control: max-age\r\n", 0},
        {"Cache-Control: max-age=60, no-store\r\n", 0},
        {"Cache-Control: no-cache\r\n", 0},
        {"Cache-Control: max-age=60, no-cache=\"set-cookie\"\r\n", 60},
        {DATE "Expires: Sun, 06 Nov 1994 08:50:37 GMT\r\n", 60},
        {DATE "Expires: Sun, 06 Nov 1994 08:50:37 GMT\r\nCache-Control: max-age=5\r\n", 5},
        {DATE "Expires: Sun, 06 Nov 1994 08:49:00 GMT\r\n", 0},
        {DATE "Expires: 0\r\n", 0},
        {"Expires: Sun, 06 Nov 1994 08:51:37 GMT\r\n", 120},
        {"X-Cache-Control: max-age=60\r\n", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (of(cases[i].headers) != cases[i].seconds)
            fail_msg("%s: %lld, not %lld", cases[i].headers, (long long)of(cases[i].headers),
                     (long long)cases[i].seconds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lifetime_follows_the_headers)};
    return cmocka_run_group_tests_name("net/http_freshness", tests, NULL, NULL);
}
