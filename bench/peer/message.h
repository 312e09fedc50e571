/* A message of W10: what a device says of itself, 200 bytes, for an MQTT server and for the store. */
#ifndef BENCH_PEER_MESSAGE_H
#define BENCH_PEER_MESSAGE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_BYTES = 200 };

/* Devices in no order that repeats soon. */
static inline uint32_t message_device(uint32_t n, uint32_t devices)
{
    return (uint32_t)((n * UINT64_C(0x9e3779b97f4a7c15) >> 32) % devices);
}

/* The n-th message, a fragment of an entity; out holds MESSAGE_BYTES and a NUL. */
static inline void message_write(char *out, uint32_t n, uint32_t device)
{
    char at[32], text[2 * MESSAGE_BYTES];
    snprintf(at, sizeof at, "2026-11-%02uT%02u:%02u:%02uZ", 1 + n / 86400 % 28, n / 3600 % 24, n / 60 % 60, n % 60);
    int got = snprintf(text, sizeof text,
                       "{\"temperature\":{\"type\":\"Property\",\"value\":%u.%u,\"unitCode\":\"CEL\",\"observedAt\":\"%s\"},"
                       "\"humidity\":{\"type\":\"Property\",\"value\":%u,\"unitCode\":\"P1\",\"observedAt\":\"%s\"}}",
                       15 + (device + n / 60) % 10, n % 10, at, 40 + (device + n) % 50, at);
    if (got < 0 || got > MESSAGE_BYTES)
        abort();
    memset(out, ' ', MESSAGE_BYTES);
    memcpy(out, text, (size_t)got);
    out[MESSAGE_BYTES] = '\0';
}

#endif
