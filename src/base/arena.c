/* Chunks in a list, a bump pointer in the newest. Chunks double up to 1 MiB, so
 * that a request of any size costs few malloc calls; a reset keeps one. */
#include "base/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { ALIGN = 16, CHUNK_FIRST = 8 << 10, CHUNK_SMALL = 1 << 10, CHUNK_MAX = 1 << 20 };

struct chunk {
    struct chunk *older;
    size_t bytes; /* behind the header */
    _Alignas(ALIGN) char data[];
};

struct arena {
    struct chunk *newest;
    size_t used; /* in newest */
    size_t total; /* handed out, all chunks */
    size_t held;  /* of all chunks, with their headers */
    size_t bytes_max;
    size_t first; /* bytes of the first chunk */
};

static void out_of_memory(size_t bytes)
{
    fprintf(stderr, "out of memory (%zu bytes asked)\n", bytes);
    abort();
}

void *mem_alloc(size_t bytes)
{
    void *p = malloc(bytes ? bytes : 1);
    if (!p)
        out_of_memory(bytes);
    return p;
}

void *mem_zalloc(size_t bytes)
{
    void *p = calloc(1, bytes ? bytes : 1);
    if (!p)
        out_of_memory(bytes);
    return p;
}

struct str mem_dup(struct str s)
{
    char *p = mem_alloc(s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return (struct str){p, s.n};
}

void *mem_realloc(void *old, size_t bytes)
{
    void *p = realloc(old, bytes ? bytes : 1);
    if (!p)
        out_of_memory(bytes);
    return p;
}

struct arena *arena_new(size_t bytes_max)
{
    struct arena *a = mem_zalloc(sizeof *a);
    a->bytes_max = bytes_max;
    a->first = CHUNK_FIRST;
    return a;
}

struct arena *arena_new_small(void)
{
    struct arena *a = arena_new(0);
    a->first = CHUNK_SMALL;
    return a;
}

static void chunks_free(struct chunk *c)
{
    while (c) {
        struct chunk *older = c->older;
        free(c);
        c = older;
    }
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    chunks_free(a->newest);
    free(a);
}

void arena_reset(struct arena *a)
{
    struct chunk *keep = a->newest;
    if (keep) {
        while (keep->older) { /* the first chunk is the smallest */
            struct chunk *older = keep->older;
            a->held -= sizeof *keep + keep->bytes;
            free(keep);
            keep = older;
        }
    }
    a->newest = keep;
    a->used = 0;
    a->total = 0;
}

struct arena_mark arena_mark(const struct arena *a)
{
    return (struct arena_mark){a->newest, a->used, a->total};
}

void arena_rewind(struct arena *a, struct arena_mark m)
{
    while (a->newest != m.newest) {
        struct chunk *c = a->newest;
        a->newest = c->older;
        a->held -= sizeof *c + c->bytes;
        free(c);
    }
    a->used = m.used;
    a->total = m.total;
}

static void chunk_add(struct arena *a, size_t bytes)
{
    size_t size = a->newest ? a->newest->bytes * 2 : a->first;
    if (size > CHUNK_MAX)
        size = CHUNK_MAX;
    if (size < bytes)
        size = bytes;
    struct chunk *c = mem_alloc(sizeof *c + size);
    c->older = a->newest;
    c->bytes = size;
    a->held += sizeof *c + size;
    a->newest = c;
    a->used = 0;
}

static size_t round_up(size_t bytes)
{
    assert(bytes <= SIZE_MAX - ALIGN);
    return (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

void *arena_alloc(struct arena *a, size_t bytes)
{
    size_t n = round_up(bytes);
    if (!a->newest || a->newest->bytes - a->used < n)
        chunk_add(a, n);
    void *p = a->newest->data + a->used;
    a->used += n;
    a->total += n;
    return p;
}

void *arena_zalloc(struct arena *a, size_t bytes)
{
    return memset(arena_alloc(a, bytes), 0, bytes);
}

void *arena_grow(struct arena *a, void *old, size_t bytes_old, size_t bytes_new)
{
    size_t n_old = round_up(bytes_old), n_new = round_up(bytes_new);
    if (old && n_new <= n_old)
        return old;
    if (old && (char *)old + n_old == a->newest->data + a->used &&
        a->newest->bytes - a->used >= n_new - n_old) {
        a->used += n_new - n_old;
        a->total += n_new - n_old;
        return old;
    }
    void *p = arena_alloc(a, bytes_new);
    if (old)
        memcpy(p, old, bytes_old);
    return p;
}

struct str arena_dup(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return (struct str){p, s.n};
}

struct str arena_join(struct arena *a, const struct str *parts, size_t count)
{
    struct str all = {NULL, 0};
    for (size_t i = 0; i < count; i++)
        all.n += parts[i].n;
    char *p = arena_alloc(a, all.n + 1);
    all.p = p;
    for (size_t i = 0; i < count; p += parts[i++].n)
        if (parts[i].n)
            memcpy(p, parts[i].p, parts[i].n);
    *p = 0;
    return all;
}

struct str arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    assert(n >= 0);
    char *p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return (struct str){p, (size_t)n};
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str s = arena_vprintf(a, fmt, ap);
    va_end(ap);
    return s;
}

size_t arena_bytes(const struct arena *a)
{
    return a->total;
}

size_t arena_held(const struct arena *a)
{
    return sizeof *a + a->held;
}

bool arena_over(const struct arena *a)
{
    return a->bytes_max && a->total > a->bytes_max;
}
