/* Times, order and names of instances. */
#include "model/evolution.h"

#include <stdio.h>
#include <stdlib.h>

int64_t point_time(const struct point *p, enum time_property property)
{
    switch (property) {
    case TIME_OBSERVED_AT:
        return p->attr.observed_at;
    case TIME_CREATED_AT:
        return p->attr.created_at;
    case TIME_MODIFIED_AT:
        return p->attr.modified_at;
    case TIME_DELETED_AT:
        return p->deleted_at;
    case TIME_PROPERTY_COUNT:
        break;
    }
    return TIME_NONE;
}

int64_t point_place(const struct point *p)
{
    if (p->attr.observed_at != TIME_NONE)
        return p->attr.observed_at;
    return p->deleted_at != TIME_NONE ? p->deleted_at : p->attr.modified_at;
}

int point_order(const struct point *a, const struct point *b)
{
    int64_t x = point_place(a), y = point_place(b);
    if (x != y)
        return x < y ? -1 : 1;
    if (a->attr.seq != b->attr.seq)
        return a->attr.seq < b->attr.seq ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

static int by_order(const void *x, const void *y)
{
    return point_order(x, y);
}

void points_sort(struct point *points, uint32_t n)
{
    if (n)
        qsort(points, n, sizeof *points, by_order);
}

const struct series *evolution_series(const struct evolution *e, uint32_t term, uint32_t *count)
{
    uint32_t low = 0, high = e->count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (e->series[mid].term < term)
            low = mid + 1;
        else
            high = mid;
    }
    uint32_t end = low;
    while (end < e->count && e->series[end].term == term)
        end++;
    if (count)
        *count = end - low;
    return end > low ? &e->series[low] : NULL;
}

/* ---- instance ids ---- */

#define PREFIX "urn:ngsi-ld:Instance:"

/* FNV-1a, 64 bits (RFC 9923): the same for ever, since clients keep the ids. */
static uint64_t fnv(uint64_t hash, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        hash = (hash ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
    return hash * UINT64_C(0x100000001b3); /* as if a zero followed: "ab", "c" is not "a", "bc" */
}

size_t instance_id_write(struct str entity, struct str attr_iri, struct str dataset, uint64_t seq, uint32_t index,
                         char out[INSTANCE_ID_MAX])
{
    uint64_t hash = fnv(fnv(fnv(UINT64_C(0xcbf29ce484222325), entity), attr_iri), dataset);
    return (size_t)snprintf(out, INSTANCE_ID_MAX, PREFIX "%llx-%x-%016llx", (unsigned long long)seq, index,
                            (unsigned long long)hash);
}

/* Takes hexadecimal digits, as they are written, off the front of *s. */
static bool take_hex(struct str *s, uint64_t max, uint64_t *out)
{
    size_t n = 0;
    *out = 0;
    for (; n < s->n; n++) {
        char c = s->p[n];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            break;
        if (*out > max >> 4)
            return false;
        *out = *out << 4 | (unsigned)digit;
    }
    *s = str_from(*s, n);
    return n > 0;
}

bool instance_id_read(struct str id, uint64_t *seq, uint32_t *index)
{
    uint64_t i;
    if (!str_starts(id, STR(PREFIX)))
        return false;
    struct str rest = str_from(id, sizeof PREFIX - 1);
    if (!take_hex(&rest, UINT64_MAX, seq) || !str_starts(rest, STR("-")))
        return false;
    rest = str_from(rest, 1);
    if (!take_hex(&rest, UINT32_MAX, &i) || !str_starts(rest, STR("-")))
        return false;
    *index = (uint32_t)i;
    return true;
}

bool instance_id_is(struct str id, struct str entity, struct str attr_iri, struct str dataset, uint64_t seq,
                    uint32_t index)
{
    char own[INSTANCE_ID_MAX];
    size_t n = instance_id_write(entity, attr_iri, dataset, seq, index, own);
    return str_eq(id, (struct str){own, n});
}
