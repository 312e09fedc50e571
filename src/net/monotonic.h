/* The loop's clock, until base/time.c is there. */
#ifndef NET_MONOTONIC_H
#define NET_MONOTONIC_H

#include <stdint.h>
#include <time.h>

static inline int64_t monotonic_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

#endif
