/* Records of the log: every byte where docs/formats/log.md says, and nothing else read. */
#include "fixture.h"

#include "store/embedded/record.h"

#include <string.h>

static const uint32_t CHANGED[3] = {5, 6, 7};

static struct record sample(void)
{
    return (struct record){.kind = RECORD_DOCUMENT,
                           .document_kind = 2,
                           .seq = 0x0102030405060708,
                           .origin = 9,
                           .at_us = -5,
                           .tenant = 11,
                           .changed_count = 3,
                           .changed = CHANGED,
                           .key = STR("key"),
                           .block = STR("some bytes")};
}

static void test_layout(void **state)
{
    (void)state;
    struct record r = sample();
    _Alignas(8) unsigned char p[256];
    assert_int_equal(record_bytes(&r), 48 + 16 + 8 + 16);
    memset(p, 0xEE, sizeof p);
    record_write(&r, p);
    static const unsigned char HEADER[48] = {1,    RECORD_DOCUMENT,
                                             2,    0,
                                             88,   0,
                                             0,    0,
                                             8,    7,
                                             6,    5,
                                             4,    3,
                                             2,    1,
                                             9,    0,
                                             0,    0,
                                             0,    0,
                                             0,    0,
                                             0xFB, 0xFF,
                                             0xFF, 0xFF,
                                             0xFF, 0xFF,
                                             0xFF, 0xFF,
                                             11,   0,
                                             0,    0,
                                             3,    0,
                                             0,    0,
                                             3,    0,
                                             0,    0,
                                             10,   0,
                                             0,    0};
    assert_memory_equal(p, HEADER, sizeof HEADER);
    assert_memory_equal(p + 48, "\5\0\0\0\6\0\0\0\7\0\0\0\0\0\0\0", 16);
    assert_memory_equal(p + 64, "key\0\0\0\0\0", 8);
    assert_memory_equal(p + 72, "some bytes\0\0\0\0\0\0", 16);
    assert_int_equal(p[88], 0xEE);
}

static void test_reads_what_was_written(void **state)
{
    (void)state;
    struct record r = sample(), got;
    _Alignas(8) char p[256];
    size_t used;
    record_write(&r, p);
    assert_int_equal(record_read(p, sizeof p, &got, &used, NULL), OK);
    assert_int_equal(used, record_bytes(&r));
    assert_int_equal(got.kind, r.kind);
    assert_int_equal(got.document_kind, r.document_kind);
    assert_int_equal(got.seq, r.seq);
    assert_int_equal(got.origin, r.origin);
    assert_int_equal(got.at_us, r.at_us);
    assert_int_equal(got.tenant, r.tenant);
    assert_int_equal(got.changed_count, 3);
    assert_memory_equal(got.changed, CHANGED, sizeof CHANGED);
    assert_true(str_eq(got.key, r.key) && str_eq(got.block, r.block));
}

static void test_refuses_what_is_no_record(void **state)
{
    (void)state;
    struct record r = sample(), got;
    _Alignas(8) char p[256], q[256];
    size_t used, n = record_bytes(&r);
    record_write(&r, p);
    for (size_t cut = 0; cut < n; cut++)
        assert_int_equal(record_read(p, cut, &got, &used, NULL), E_DAMAGED);
    static const struct {
        size_t at;
        char value;
        enum status status;
    } CASES[] = {{0, 0, E_DAMAGED},    {0, 2, E_NOT_SUPPORTED},
                 {1, 0, E_DAMAGED},    {1, RECORD_KIND_COUNT, E_DAMAGED},
                 {3, 1, E_DAMAGED},    {4, 80, E_DAMAGED},
                 {5, 1, E_DAMAGED},    {36, 9, E_DAMAGED},
                 {39, 127, E_DAMAGED}, {40, 99, E_DAMAGED},
                 {43, 127, E_DAMAGED}, {47, 127, E_DAMAGED}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        memcpy(q, p, sizeof q);
        q[CASES[i].at] = CASES[i].value;
        assert_int_equal(record_read(q, sizeof q, &got, &used, NULL), CASES[i].status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_reads_what_was_written),
        cmocka_unit_test(test_refuses_what_is_no_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
