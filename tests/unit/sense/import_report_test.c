/* The report's file: CSV as RFC 4180 has it, continued where an earlier part ended. */
#include "check.h"

#include "sense/import_report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/import-report-XXXXXX";
static char text[65536];

static const char *file_text(void)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = 0;
    fclose(f);
    return text;
}

static void open_quietly(struct import_report *r, uint64_t keep, FILE **messages, char **said,
                         size_t *said_bytes)
{
    struct why why;
    why_clear(&why);
    assert_int_equal(import_report_open(r, path, keep, true, &why), OK);
    *messages = open_memstream(said, said_bytes);
    r->err = *messages;
    r->progress = false;
}

static void writes_csv_and_goes_on(void **state)
{
    (void)state;
    struct import_report r;
    FILE *messages;
    char *said;
    size_t n;
    open_quietly(&r, 0, &messages, &said, &n);
    import_report_reject(&r, "a \"b\".csv", NULL, 7, STR("urn:x"), STR("has \"q\", not a number"));
    uint64_t keep = r.bytes;
    import_report_reject(&r, "feed.zip", "stops.txt", 8, STR_NONE, STR("later"));
    assert_true(import_report_flush(&r));
    assert_int_equal(strlen(file_text()), r.bytes);
    assert_string_equal(text, "file,line,id,reason\r\n"
                              "\"a \"\"b\"\".csv\",7,\"urn:x\",\"has \"\"q\"\", not a number\"\r\n"
                              "\"feed.zip/stops.txt\",8,\"\",\"later\"\r\n");
    import_report_close(&r);
    fclose(messages);
    assert_string_equal(said, "a \"b\".csv:7: has \"q\", not a number [urn:x]\n"
                              "feed.zip/stops.txt:8: later\n");
    free(said);
    /* What came after the last saved state is written anew. */
    open_quietly(&r, keep, &messages, &said, &n);
    import_report_reject(&r, "c.csv", NULL, 0, STR_NONE, STR("cannot be opened"));
    assert_true(import_report_flush(&r));
    assert_non_null(strstr(file_text(), "a number\"\r\n\"c.csv\",0,\"\",\"cannot be opened\"\r\n"));
    assert_int_equal(strlen(text), r.bytes);
    import_report_close(&r);
    fclose(messages);
    assert_string_equal(said, "c.csv: cannot be opened\n");
    free(said);
}

static void shows_the_first_ten(void **state)
{
    (void)state;
    struct import_report r;
    FILE *messages;
    char *said;
    size_t n, lines = 0;
    open_quietly(&r, 0, &messages, &said, &n);
    for (uint64_t i = 1; i <= 5000; i++)
        import_report_reject(&r, "a.csv", NULL, i, STR_NONE, STR("no"));
    assert_true(import_report_flush(&r));
    import_report_close(&r);
    fclose(messages);
    for (const char *c = said; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 11);
    assert_non_null(
        strstr(said, "a.csv:10: no\nwellspring: further rejected rows are in the report\n"));
    free(said);
    lines = 0;
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    for (int c; (c = fgetc(f)) != EOF;)
        lines += c == '\n';
    fclose(f);
    assert_int_equal(lines, 5001);
}

static void refuses_another_report(void **state)
{
    (void)state;
    struct import_report r;
    struct why why;
    why_clear(&why);
    assert_int_equal(import_report_open(&r, path, 1u << 30, true, &why), E_CONFLICT);
    import_report_close(&r);
    why_clear(&why);
    assert_int_equal(import_report_open(&r, "/nowhere/report.csv", 0, true, &why), E_IO);
    import_report_close(&r);
}

static void says_when_the_disk_is_full(void **state)
{
    (void)state;
    struct import_report r;
    struct why why;
    why_clear(&why);
    if (access("/dev/full", W_OK) != 0)
        skip();
    assert_int_equal(import_report_open(&r, path, 0, true, &why), OK);
    assert_non_null(freopen("/dev/full", "w", fdopen(r.fd, "w")));
    import_report_reject(&r, "a.csv", NULL, 1, STR_NONE, STR("no"));
    assert_false(import_report_flush(&r));
    assert_true(r.failed && r.reason[0]);
    import_report_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_csv_and_goes_on),
        cmocka_unit_test(shows_the_first_ten),
        cmocka_unit_test(refuses_another_report),
        cmocka_unit_test(says_when_the_disk_is_full),
    };
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
