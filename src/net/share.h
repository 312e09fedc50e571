/* How connections are shared out among receivers, so that no number of silent ones takes them from the living. */
#ifndef NET_SHARE_H
#define NET_SHARE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SHARE_SUSPECTS = 4,    /* one of so many connections is for all those together that failed last time */
    SHARE_SUSPECT_OWN = 2, /* of one such receiver, at most */
};

/* Of all connections, those for receivers that failed last time, or for the others. */
static inline uint32_t share_all(uint32_t max, bool suspect)
{
    return suspect ? (max + SHARE_SUSPECTS - 1) / SHARE_SUSPECTS : max;
}

/* Of the connections of one receiver. */
static inline uint32_t share_own(uint32_t max, bool suspect)
{
    return suspect && max > SHARE_SUSPECT_OWN ? SHARE_SUSPECT_OWN : max;
}

#endif
