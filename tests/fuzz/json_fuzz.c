/* JSON from anywhere: both readers judge alike, every refusal has a reason, and
 * what is read comes back the same from what is written of it. */
#include "fuzz.h"

#include "base/json.h"
#include "base/json_locate.h"

enum { DEPTH_MAX = 32, BYTES_MAX = 1 << 20 };

static const struct json_limits LIMITS = {.depth_max = DEPTH_MAX, .bytes_max = BYTES_MAX};

static void check_round_trip(struct arena *a, const struct json *v)
{
    struct json again;
    struct str text = json_text(a, v);
    fuzz_require(json_read(a, text, &LIMITS, &again, NULL) == OK);
    fuzz_require(json_same(v, &again));
    fuzz_require(json_same(&again, v));
    fuzz_require(str_eq(json_text(a, &again), text));
}

static void check_full_buffer(const struct json *v, size_t bytes_max)
{
    struct buf b;
    buf_init(&b, bytes_max);
    json_write(&b, v);
    fuzz_require(b.n <= bytes_max);
    buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(0);
    struct str text = {(const char *)data, size};
    struct json v;
    struct why why;
    why_clear(&why);
    enum status st = json_read(a, text, &LIMITS, &v, &why);
    if (size <= BYTES_MAX)
        fuzz_require((st == OK) == (json_locate(text, DEPTH_MAX).fault == JSON_FAULT_NONE));
    fuzz_require((st == OK) == (why.text[0] == 0));
    if (st == OK) {
        check_round_trip(a, &v);
        check_full_buffer(&v, size / 2 + 1);
    }
    arena_free(a);
    return 0;
}
