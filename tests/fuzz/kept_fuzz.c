/* Kept aggregates of the history from anywhere: what is read is written again as a record that says the same. Each input is
 * tried as it is, and with a checksum that holds, so that mutations reach what lies behind. */
#include "fuzz.h"

#include "base/hash.h"
#include "store/embedded/history_kept.h"

#include <string.h>

static void try_record(struct str bytes)
{
    struct arena *a = arena_new(0);
    struct kept_aggregate *all, *back;
    uint32_t n, m;
    struct why why = {0};
    struct buf b;
    buf_init(&b, 1 << 30);
    if (kept_read(bytes, RETENTION_HOURS, 0, a, &all, &n, &why) == OK) {
        kept_write(&b, RETENTION_HOURS, all, n);
        fuzz_require(!b.full && kept_read(buf_view(&b), RETENTION_HOURS, 0, a, &back, &m, &why) == OK && n == m);
        for (uint32_t i = 0; i < n; i++) {
            fuzz_require(all[i].from_us == back[i].from_us && all[i].count == back[i].count && all[i].classes == back[i].classes);
            fuzz_require(memcmp(&all[i].sums, &back[i].sums, sizeof all[i].sums) == 0);
            fuzz_require(str_eq(all[i].least, back[i].least) && str_eq(all[i].greatest, back[i].greatest));
            fuzz_require(all[i].least_order == back[i].least_order && all[i].greatest_order == back[i].greatest_order);
        }
    }
    buf_free(&b);
    arena_free(a);
}

static void try_key(struct str key)
{
    uint8_t time, level;
    int64_t at;
    uint32_t number;
    enum { TAIL = 14 };
    struct arena *a = arena_new(0);
    if (kept_key_parts(key, &time, &level, &at, &number)) {
        struct str series = str_head(key, key.n - TAIL);
        struct str of_level = kept_key_level(series, (enum kept_time)time, (enum retention_level)level, a);
        fuzz_require(str_eq(kept_key_record(of_level, at, number, a), key));
    }
    arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = {(const char *)data, size};
    struct buf b;
    buf_init(&b, 1 << 30);
    try_record(bytes);
    try_key(bytes);
    buf_str(&b, bytes);
    buf_le32(&b, crc32c(0, data, size));
    try_record(buf_view(&b));
    buf_free(&b);
    return 0;
}
