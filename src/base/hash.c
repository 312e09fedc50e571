/* The table hash: 16 bytes a step through a 64×64→128 bit multiplication whose
 * halves are folded together, with secrets drawn at process start. Built on the
 * multiply-and-fold idea known from wyhash; no value of it is ever stored. */
#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

static uint64_t secret[4];

/* Before main, so that no call pays for a check. */
__attribute__((constructor)) static void draw_secrets(void)
{
    if (getrandom(secret, sizeof secret, 0) != sizeof secret) {
        perror("getrandom");
        abort();
    }
    for (size_t i = 0; i < sizeof secret / sizeof *secret; i++)
        secret[i] |= 1; /* a factor of 0 would erase the other */
}

__extension__ typedef unsigned __int128 product;

static inline uint64_t fold(uint64_t a, uint64_t b)
{
    product p = (product)a * b;
    return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static inline uint64_t load64(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint64_t load32(const char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* Up to 16 bytes as two words; loads overlap instead of branching on each length. */
static inline void load_tail(const char *p, size_t n, uint64_t *a, uint64_t *b)
{
    if (n >= 8) {
        *a = load64(p);
        *b = load64(p + n - 8);
    } else if (n >= 4) {
        *a = load32(p);
        *b = load32(p + n - 4);
    } else if (n > 0) {
        *a = (uint64_t)(unsigned char)p[0] << 16 | (uint64_t)(unsigned char)p[n / 2] << 8 |
             (unsigned char)p[n - 1];
        *b = 0;
    } else {
        *a = *b = 0;
    }
}

uint64_t hash_str(struct str s)
{
    const char *p = s.p;
    size_t n = s.n;
    uint64_t h = secret[0], g = secret[3], a, b;
    for (; n > 32; p += 32, n -= 32) { /* two independent chains */
        h = fold(load64(p) ^ secret[1], load64(p + 8) ^ h);
        g = fold(load64(p + 16) ^ secret[2], load64(p + 24) ^ g);
    }
    h ^= g;
    if (n > 16) {
        h = fold(load64(p) ^ secret[1], load64(p + 8) ^ h);
        p += 16;
        n -= 16;
    }
    load_tail(p, n, &a, &b);
    h = fold(a ^ secret[1], b ^ h);
    return fold(h ^ secret[2], s.n ^ secret[3]);
}

uint64_t hash_u64(uint64_t v)
{
    return fold(fold(v ^ secret[0], secret[1]) ^ secret[2], secret[3]);
}
