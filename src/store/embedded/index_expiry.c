/* See index_expiry.h. */
#include "store/embedded/index_expiry.h"

#include "base/time.h"

void index_expiry_init(struct index_expiry *x)
{
    *x = (struct index_expiry){.ends = ordered_new(), .over = bitmap_new()};
}

void index_expiry_free(struct index_expiry *x)
{
    ordered_free(x->ends);
    bitmap_free(x->over);
}

uint64_t index_expiry_key(int64_t us)
{
    return (uint64_t)us ^ (uint64_t)1 << 63;
}

static struct ordered_cursor from_passed(const struct index_expiry *x, int64_t now_us)
{
    return ordered_from(x->ends, x->passed + 1, index_expiry_key(now_us));
}

bool index_expiry_is_due(const struct index_expiry *x, int64_t now_us)
{
    if (!ordered_count(x->ends) || index_expiry_key(now_us) <= x->passed)
        return false;
    struct ordered_cursor c = from_passed(x, now_us);
    return ordered_next(&c);
}

void index_expiry_pass(struct index_expiry *x, int64_t now_us)
{
    if (index_expiry_key(now_us) <= x->passed)
        return;
    struct ordered_cursor c = from_passed(x, now_us);
    while (ordered_next(&c))
        bitmap_add(x->over, c.slot);
    x->passed = index_expiry_key(now_us);
}

void index_expiry_set(struct index_expiry *x, uint32_t slot, int64_t end_us)
{
    if (end_us != TIME_NONE && index_expiry_key(end_us) <= x->passed)
        bitmap_add(x->over, slot);
    else
        bitmap_remove(x->over, slot);
}

size_t index_expiry_bytes(const struct index_expiry *x)
{
    return ordered_bytes(x->ends) + bitmap_bytes(x->over);
}
