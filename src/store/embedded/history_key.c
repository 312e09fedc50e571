/* Keys as bytes. */
#include "store/embedded/history_key.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

enum { TENANT_END = 5, CHUNK_TAIL = 12 };

static char *put(char *to, const void *p, size_t n)
{
    if (n)
        memcpy(to, p, n);
    return to + n;
}

static char *put_be32(char *to, uint32_t v)
{
    v = htobe32(v);
    return put(to, &v, sizeof v);
}

struct str history_key_head(uint32_t tenant, struct str id, struct arena *a)
{
    char *p = arena_alloc(a, TENANT_END + id.n + 1), *to = p;
    *to++ = '6';
    to = put(put_be32(to, tenant), id.p, id.n);
    *to++ = 0;
    return (struct str){p, (size_t)(to - p)};
}

struct str history_key_end(struct str key, struct arena *a)
{
    struct str end = arena_dup(a, key);
    char *last = (char *)end.p + end.n - 1;
    assert((unsigned char)*last != 0xff);
    ++*last;
    return end;
}

bool history_key_head_parts(struct str key, uint32_t *tenant, struct str *id)
{
    uint32_t big;
    if (key.n <= TENANT_END || str_find_char(str_from(key, TENANT_END), 0) != key.n - TENANT_END - 1)
        return false;
    memcpy(&big, key.p + 1, sizeof big);
    *tenant = be32toh(big);
    *id = (struct str){key.p + TENANT_END, key.n - TENANT_END - 1};
    return true;
}

struct str history_key_after(struct str key, struct arena *a)
{
    char *p = arena_alloc(a, key.n + 1);
    *put(p, key.p, key.n) = 0;
    return (struct str){p, key.n + 1};
}

struct str history_key_series(uint32_t tenant, struct str id, uint32_t term, struct str dataset, struct arena *a)
{
    struct str head = history_key_head(tenant, id, a);
    char *p = arena_alloc(a, head.n + 4 + dataset.n + 1);
    char *to = put(put_be32(put(p, head.p, head.n), term), dataset.p, dataset.n);
    *to++ = 0;
    return (struct str){p, (size_t)(to - p)};
}

struct str history_key_chunk(struct str series, int64_t place, uint32_t number, struct arena *a)
{
    char *p = arena_alloc(a, series.n + CHUNK_TAIL);
    uint64_t flipped = htobe64((uint64_t)place ^ UINT64_C(1) << 63);
    put_be32(put(put(p, series.p, series.n), &flipped, sizeof flipped), number);
    return (struct str){p, series.n + CHUNK_TAIL};
}

int64_t history_key_place(struct str key)
{
    uint64_t flipped;
    memcpy(&flipped, key.p + key.n - CHUNK_TAIL, sizeof flipped);
    return (int64_t)(be64toh(flipped) ^ UINT64_C(1) << 63);
}

bool history_key_read_chunk(struct str key, size_t head_bytes, uint32_t *term, struct str *dataset)
{
    uint32_t big;
    if (key.n < head_bytes + sizeof big + 1 + CHUNK_TAIL)
        return false;
    struct str rest = str_from(key, head_bytes);
    memcpy(&big, rest.p, sizeof big);
    *term = be32toh(big);
    *dataset = str_head(str_from(rest, sizeof big), rest.n - sizeof big - 1 - CHUNK_TAIL);
    return dataset->p[dataset->n] == 0 && str_find_char(*dataset, 0) == STR_NPOS;
}

uint32_t history_key_number(struct str key)
{
    uint32_t big;
    memcpy(&big, key.p + key.n - sizeof big, sizeof big);
    return be32toh(big);
}

struct str history_key_gone(uint32_t tenant, struct str id, struct arena *a)
{
    char *p = arena_alloc(a, TENANT_END + id.n), *to = p;
    *to++ = '7';
    (void)put(put_be32(to, tenant), id.p, id.n);
    return (struct str){p, TENANT_END + id.n};
}

struct str history_key_gone_id(struct str key)
{
    return str_from(key, TENANT_END);
}
