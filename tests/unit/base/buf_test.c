/* Buffers: growth, the maximum, numbers and fixed-width integers. */
#include "test.h"

#include "base/buf.h"

static void grows_and_keeps(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 10000; i++)
        buf_printf(&b, "%04d,", i);
    assert_int_equal(b.n, 50000);
    assert_memory_equal(b.p + 5 * 1234, "1234,", 5);
    assert_memory_equal(b.p + 5 * 9999, "9999,", 5);
    assert_false(b.full);
    buf_free(&b);
}

static void turns_full_at_its_maximum(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    buf_lit(&b, "0123456789");
    assert_false(b.full);
    buf_char(&b, 'x');
    assert_true(b.full);
    assert_str(buf_view(&b), "0123456789");
    buf_clear(&b);
    assert_false(b.full);
    buf_lit(&b, "longer than ten");
    assert_true(b.full);
    assert_int_equal(b.n, 0);
    buf_free(&b);
}

static void reservation_cannot_overflow(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    buf_char(&b, 'x');
    assert_false(buf_reserve(&b, SIZE_MAX));
    assert_true(b.full);
    assert_int_equal(b.n, 1);
    buf_free(&b);
}

static void writes_integers(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    buf_u64(&b, 0);
    buf_char(&b, ' ');
    buf_u64(&b, UINT64_MAX);
    buf_char(&b, ' ');
    buf_i64(&b, INT64_MIN);
    buf_char(&b, ' ');
    buf_i64(&b, -1);
    assert_str(buf_view(&b), "0 18446744073709551615 -9223372036854775808 -1");
    buf_clear(&b);
    buf_hex(&b, 0x12, 4);
    buf_hex(&b, 0xfedcba9876543210, 16);
    buf_hex(&b, 0x12345, 2);
    assert_str(buf_view(&b), "0012fedcba987654321045");
    buf_free(&b);
}

static void writes_little_endian(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    buf_le16(&b, 0x0102);
    buf_le32(&b, 0x03040506);
    buf_le64(&b, 0x0708090A0B0C0D0EULL);
    const unsigned char expected[] = {2, 1, 6, 5, 4, 3, 0x0E, 0x0D, 0x0C, 0x0B, 0x0A, 9, 8, 7};
    assert_int_equal(b.n, sizeof expected);
    assert_memory_equal(b.p, expected, sizeof expected);
    buf_free(&b);
}

static void doubles_respect_the_maximum(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 40);
    buf_double(&b, 0.5);
    assert_str(buf_view(&b), "0.5");
    buf_double(&b, 0.25);
    buf_double(&b, 0.125);
    assert_true(b.n <= 40);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_keeps),
        cmocka_unit_test(turns_full_at_its_maximum),
        cmocka_unit_test(reservation_cannot_overflow),
        cmocka_unit_test(writes_integers),
        cmocka_unit_test(writes_little_endian),
        cmocka_unit_test(doubles_respect_the_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
