/* How many connections each peer address has: a chained table keyed by the 16-byte IP, grown with
 * the number of peers. Its size is bounded by the number of connections. */
#include "net/http_server_int.h"

#include <stdlib.h>

struct peer {
    struct peer *next;
    unsigned char ip[16];
    uint32_t connections;
};

struct peers {
    struct peer **slots;
    size_t slot_count; /* a power of two */
    size_t count;
    uint64_t seed;
};

enum { SLOTS_FIRST = 16 };

struct peers *http_peers_new(void)
{
    struct peers *p = mem_zalloc(sizeof *p);
    p->slot_count = SLOTS_FIRST;
    p->slots = mem_zalloc(p->slot_count * sizeof(struct peer *));
    p->seed = (uint64_t)(uintptr_t)p * 0x9e3779b97f4a7c15u;
    return p;
}

void http_peers_free(struct peers *p)
{
    for (size_t i = 0; i < p->slot_count; i++) {
        for (struct peer *e = p->slots[i], *next; e; e = next) {
            next = e->next;
            free(e);
        }
    }
    free(p->slots);
    free(p);
}

static struct peer **slot_of(const struct peers *p, const unsigned char ip[16])
{
    uint64_t part[2];
    memcpy(part, ip, sizeof part);
    uint64_t h = (part[0] ^ p->seed) * 0x9e3779b97f4a7c15u;
    h = (h ^ (h >> 32) ^ part[1]) * 0xff51afd7ed558ccdu;
    return &p->slots[(h ^ (h >> 29)) & (p->slot_count - 1)];
}

static void grow(struct peers *p)
{
    struct peer **old = p->slots;
    size_t old_count = p->slot_count;
    p->slot_count *= 2;
    p->slots = mem_zalloc(p->slot_count * sizeof(struct peer *));
    for (size_t i = 0; i < old_count; i++) {
        for (struct peer *e = old[i], *next; e; e = next) {
            next = e->next;
            struct peer **slot = slot_of(p, e->ip);
            e->next = *slot;
            *slot = e;
        }
    }
    free(old);
}

struct peer *http_peers_enter(struct peers *p, const struct sockaddr *address, uint32_t *now)
{
    unsigned char ip[16] = {0};
    if (!address_ip(address, ip))
        memset(ip, 0, sizeof ip);
    struct peer **slot = slot_of(p, ip);
    struct peer *e = *slot;
    while (e && memcmp(e->ip, ip, sizeof ip) != 0)
        e = e->next;
    if (!e) {
        if (p->count++ == p->slot_count) {
            grow(p);
            slot = slot_of(p, ip);
        }
        e = mem_zalloc(sizeof *e);
        memcpy(e->ip, ip, sizeof ip);
        e->next = *slot;
        *slot = e;
    }
    *now = ++e->connections;
    return e;
}

void http_peers_leave(struct peers *p, struct peer *peer)
{
    if (--peer->connections)
        return;
    struct peer **at = slot_of(p, peer->ip);
    while (*at != peer)
        at = &(*at)->next;
    *at = peer->next;
    free(peer);
    p->count--;
}
