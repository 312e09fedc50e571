/* CRC-32C (Castagnoli, RFC 3720 appendix B.4): polynomial 0x1EDC6F41 reflected,
 * start and end inverted. SSE4.2 has an instruction for it; elsewhere eight
 * tables take eight bytes a step. The choice is made once, before main. */
#include "base/crc32c.h"

#include "base/hash.h"

static const uint32_t POLYNOMIAL_REFLECTED = 0x82F63B78;

static uint32_t table[8][256]; /* table[k][b]: b followed by k zero bytes */
static uint32_t (*chosen)(uint32_t crc, const void *p, size_t n);

__attribute__((constructor)) static void choose(void)
{
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t crc = b;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL_REFLECTED : 0);
        table[0][b] = crc;
    }
    for (uint32_t b = 0; b < 256; b++)
        for (int k = 1; k < 8; k++)
            table[k][b] = table[k - 1][b] >> 8 ^ table[0][table[k - 1][b] & 0xFF];
    chosen = crc32c_hardware_present() ? crc32c_hardware : crc32c_table;
}

static uint32_t le32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint32_t crc32c_table(uint32_t crc, const void *data, size_t n)
{
    const unsigned char *p = data;
    crc = ~crc;
    for (; n >= 8; p += 8, n -= 8) {
        uint32_t low = crc ^ le32(p), high = le32(p + 4);
        crc = table[7][low & 0xFF] ^ table[6][low >> 8 & 0xFF] ^ table[5][low >> 16 & 0xFF] ^
              table[4][low >> 24] ^ table[3][high & 0xFF] ^ table[2][high >> 8 & 0xFF] ^
              table[1][high >> 16 & 0xFF] ^ table[0][high >> 24];
    }
    for (; n; p++, n--)
        crc = crc >> 8 ^ table[0][(crc ^ *p) & 0xFF];
    return ~crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>
#include <string.h>

bool crc32c_hardware_present(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.2");
}

__attribute__((target("sse4.2"))) uint32_t crc32c_hardware(uint32_t crc, const void *data, size_t n)
{
    const unsigned char *p = data;
    uint64_t wide = (uint32_t)~crc;
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t v;
        memcpy(&v, p, sizeof v);
        wide = _mm_crc32_u64(wide, v);
    }
    crc = (uint32_t)wide;
    for (; n; p++, n--)
        crc = _mm_crc32_u8(crc, *p);
    return ~crc;
}
#else
bool crc32c_hardware_present(void)
{
    return false;
}

uint32_t crc32c_hardware(uint32_t crc, const void *data, size_t n)
{
    return crc32c_table(crc, data, n);
}
#endif

uint32_t crc32c(uint32_t crc, const void *p, size_t n)
{
    return chosen(crc, p, n);
}
