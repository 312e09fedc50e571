/* Sixteen random bytes of the kernel; without them there is no name that nobody else has, so the process ends. */
#include "base/uuid.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void uuid_make(char out[UUID_LENGTH])
{
    static const char DIGITS[] = "0123456789abcdef";
    uint8_t b[16];
    if (getrandom(b, sizeof b, 0) != sizeof b) {
        perror("getrandom");
        abort();
    }
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40); /* version */
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80); /* variant */
    for (size_t i = 0, n = 0; i < sizeof b; i++) {
        if (n == 8 || n == 13 || n == 18 || n == 23)
            out[n++] = '-';
        out[n++] = DIGITS[b[i] >> 4];
        out[n++] = DIGITS[b[i] & 15];
    }
}

struct str uuid_name(struct arena *a, struct str prefix)
{
    char uuid[UUID_LENGTH];
    uuid_make(uuid);
    return arena_printf(a, "%.*s%.*s", STR_ARG(prefix), UUID_LENGTH, uuid);
}
