/* Instances of the history from anywhere: what is read can be written, and means the same when read again; so do
 * shapes. */
#include "fuzz.h"

#include "model/evolution.h"

#include <math.h>
#include <string.h>

enum { TERM_MAX = 64 };

static void require_sound(const struct attr *a, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        fuzz_require(a[i].kind > ATTR_UNKNOWN && a[i].kind < ATTR_KIND_COUNT && a[i].term <= TERM_MAX);
        fuzz_require(a[i].value.kind != VALUE_NONE && a[i].value.kind <= VALUE_GEO);
        fuzz_require(a[i].value.kind != VALUE_REAL || isfinite(a[i].value.real));
        require_sound(a[i].subs, a[i].sub_count);
    }
}

/* Bytes may be longer than need be, what they mean is written in one way. */
static void try_points(struct str bytes, struct arena *a)
{
    struct buf b, again;
    buf_init(&b, 1 << 30);
    buf_init(&again, 1 << 30);
    struct point p, same;
    while (bytes.n && point_read(&bytes, TERM_MAX, a, &p, NULL) == OK) {
        require_sound(&p.attr, 1);
        buf_clear(&b);
        buf_clear(&again);
        point_write(&b, &p);
        struct str written = buf_view(&b);
        fuzz_require(point_read(&written, TERM_MAX, a, &same, NULL) == OK && !written.n);
        point_write(&again, &same);
        fuzz_require(str_eq(buf_view(&b), buf_view(&again)));
        fuzz_require(point_order(&p, &same) == 0);
    }
    buf_free(&b);
    buf_free(&again);
}

static void try_shape(struct str bytes, struct arena *a)
{
    struct buf b, again;
    buf_init(&b, 1 << 30);
    buf_init(&again, 1 << 30);
    struct point p = {.attr = {.modified_at = 1700000000000000, .seq = 77}}, same = p;
    if (point_shape_read(&bytes, TERM_MAX, a, &p, NULL) == OK) {
        require_sound(p.attr.subs, p.attr.sub_count);
        point_shape_write(&b, &p);
        struct str written = buf_view(&b);
        fuzz_require(point_shape_read(&written, TERM_MAX, a, &same, NULL) == OK && !written.n);
        point_shape_write(&again, &same);
        fuzz_require(str_eq(buf_view(&b), buf_view(&again)));
    }
    buf_free(&b);
    buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *exact = mem_alloc(size); /* no byte longer */
    if (size)
        memcpy(exact, data, size);
    struct arena *a = arena_new(0);
    try_points((struct str){exact, size}, a);
    try_shape((struct str){exact, size}, a);
    arena_free(a);
    free(exact);
    return 0;
}
