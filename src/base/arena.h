/* Memory that follows a lifetime: everything a request needs is allocated here
 * and freed at once.
 *
 * The maximum is soft: an allocation beyond it still succeeds, and arena_over()
 * turns true, so that the front end can refuse at its next step instead of every
 * allocation having an error path. Inputs are bounded at the edge, so one step
 * cannot go far beyond. Out of memory ends the process (docs/decisions). */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct arena;

/* Caller owns; free with arena_free(). bytes_max: soft maximum, 0 = none. */
struct arena *arena_new(size_t bytes_max);
/* For what lives long, and there may be many of: it begins with a kilobyte, not with eight. No maximum. */
struct arena *arena_new_small(void);
void arena_free(struct arena *a);
/* Forgets everything but keeps the first chunk for the next request. */
void arena_reset(struct arena *a);

/* A moment, to come back to: what was handed out since is given back to the system, but for one chunk's rest. */
struct arena_mark {
    const void *newest;
    size_t used, total;
};
struct arena_mark arena_mark(const struct arena *a);
void arena_rewind(struct arena *a, struct arena_mark m);

/* 16-byte aligned, not zeroed; valid until reset or free. Never NULL. */
void *arena_alloc(struct arena *a, size_t bytes);
void *arena_zalloc(struct arena *a, size_t bytes);
/* Grows an array that was the last allocation in place where it can. */
void *arena_grow(struct arena *a, void *old, size_t bytes_old, size_t bytes_new);
#define arena_array(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (n)))
#define arena_zarray(a, type, n) ((type *)arena_zalloc((a), sizeof(type) * (n)))

/* A copy, followed by a NUL that n does not count. */
struct str arena_dup(struct arena *a, struct str s);
/* All of them, one behind the other, and a NUL that n does not count. */
struct str arena_join(struct arena *a, const struct str *parts, size_t count);
struct str arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct str arena_vprintf(struct arena *a, const char *fmt, va_list ap);

/* Handed out since the last reset, which is what the maximum is about. */
size_t arena_bytes(const struct arena *a);
/* Taken from the system and not given back: what the arena costs. */
size_t arena_held(const struct arena *a);
bool arena_over(const struct arena *a);

/* malloc family that ends the process, with a message, when memory is out. malloc is jemalloc's (docs/decisions/0018). */
void *mem_alloc(size_t bytes);
void *mem_zalloc(size_t bytes);
/* A copy with a zero behind it; free() its p. */
struct str mem_dup(struct str s);
void *mem_realloc(void *p, size_t bytes);

#endif
