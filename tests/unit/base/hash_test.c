/* The table hash spreads; CRC-32C gives the published values on both paths. */
#include "test.h"

#include "base/crc32c.h"
#include "base/hash.h"

#include <stdlib.h>

static void equal_strings_hash_equal_at_any_address(void **state)
{
    (void)state;
    char text[200], shifted[208];
    uint64_t seed = 3;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)test_random(&seed);
    for (size_t n = 0; n <= sizeof text; n++) {
        for (size_t by = 0; by < 8; by++) {
            memcpy(shifted + by, text, n);
            assert_true(hash_str((struct str){text, n}) == hash_str((struct str){shifted + by, n}));
        }
    }
}

/* Flipping any one bit of the text changes about half of the hash's bits. */
static void every_bit_matters(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 100; n++) {
        char text[100];
        memset(text, 'a', sizeof text);
        uint64_t before = hash_str((struct str){text, n});
        unsigned flipped = 0;
        for (size_t bit = 0; bit < n * 8; bit++) {
            text[bit / 8] ^= (char)(1 << bit % 8);
            uint64_t after = hash_str((struct str){text, n});
            text[bit / 8] ^= (char)(1 << bit % 8);
            assert_true(before != after);
            flipped += (unsigned)__builtin_popcountll(before ^ after);
        }
        double mean = (double)flipped / (double)(n * 8);
        assert_true(mean > 24 && mean < 40);
    }
}

static void length_matters(void **state)
{
    (void)state;
    static const char zeros[64];
    uint64_t seen[64];
    for (size_t n = 0; n < 64; n++) {
        seen[n] = hash_str((struct str){zeros, n});
        for (size_t i = 0; i < n; i++)
            assert_true(seen[i] != seen[n]);
    }
}

enum { KEYS = 100000, SLOTS = 1 << 17 };

/* Chi-square over the slots of a table; a fair hash stays near 1 per freedom. */
static double spread(uint64_t (*hash)(size_t i), unsigned shift)
{
    unsigned *slots = calloc(SLOTS, sizeof *slots);
    double expected = (double)KEYS / SLOTS, sum = 0;
    for (size_t i = 0; i < KEYS; i++)
        slots[hash(i) >> shift & (SLOTS - 1)]++;
    for (size_t i = 0; i < SLOTS; i++)
        sum += (slots[i] - expected) * (slots[i] - expected) / expected;
    free(slots);
    return sum / SLOTS;
}

static uint64_t of_number(size_t i)
{
    return hash_u64(i);
}

static uint64_t of_multiple(size_t i)
{
    return hash_u64(i << 20);
}

static uint64_t of_urn(size_t i)
{
    char text[] = "urn:ngsi-ld:Vehicle:A0000000";
    for (size_t at = sizeof text - 2; i; at--, i /= 10)
        text[at] = (char)('0' + i % 10);
    return hash_str((struct str){text, sizeof text - 1});
}

static void keys_spread_evenly(void **state)
{
    (void)state;
    uint64_t (*const hashes[])(size_t) = {of_number, of_multiple, of_urn};
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) {
        assert_true(spread(hashes[i], 0) < 1.1);
        assert_true(spread(hashes[i], 64 - 17) < 1.1);
    }
}

typedef uint32_t crc_function(uint32_t crc, const void *p, size_t n);

/* RFC 3720 appendix B.4, and the check value of the catalogue of CRCs. */
static void check_vectors(crc_function *crc)
{
    unsigned char data[32];
    memset(data, 0, sizeof data);
    assert_int_equal(crc(0, data, sizeof data), 0x8A9136AA);
    memset(data, 0xFF, sizeof data);
    assert_int_equal(crc(0, data, sizeof data), 0x62A8AB43);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)i;
    assert_int_equal(crc(0, data, sizeof data), 0x46DD794E);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(31 - i);
    assert_int_equal(crc(0, data, sizeof data), 0x113FDB5C);
    static const unsigned char read10[48] = {
        0x01, 0xC0, 0x00, 0x00, 0,    0,    0,    0, 0, 0, 0,    0,    0,    0,    0,    0,
        0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0, 0, 0, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18,
        0x28, 0,    0,    0,    0,    0,    0,    0, 2, 0, 0,    0,    0,    0,    0,    0,
    };
    assert_int_equal(crc(0, read10, sizeof read10), 0xD9963A56);
    assert_int_equal(crc(0, "123456789", 9), 0xE3069283);
    assert_int_equal(crc(0, "", 0), 0);
}

static void crc_gives_the_published_values(void **state)
{
    (void)state;
    check_vectors(crc32c);
    check_vectors(crc32c_table);
    if (crc32c_hardware_present())
        check_vectors(crc32c_hardware);
}

static void crc_paths_agree_and_continue(void **state)
{
    (void)state;
    unsigned char data[1000];
    uint64_t seed = 99;
    if (!crc32c_hardware_present())
        skip();
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)test_random(&seed);
    for (size_t n = 0; n < sizeof data; n++) {
        size_t from = n % 9, cut = n / 3;
        if (from + n > sizeof data)
            from = 0;
        uint32_t whole = crc32c_table(0, data + from, n);
        assert_int_equal(crc32c_hardware(0, data + from, n), whole);
        uint32_t part = crc32c(0, data + from, cut);
        assert_int_equal(crc32c(part, data + from + cut, n - cut), whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_strings_hash_equal_at_any_address),
        cmocka_unit_test(every_bit_matters),
        cmocka_unit_test(length_matters),
        cmocka_unit_test(keys_spread_evenly),
        cmocka_unit_test(crc_gives_the_published_values),
        cmocka_unit_test(crc_paths_agree_and_continue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
