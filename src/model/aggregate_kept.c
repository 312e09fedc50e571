/* Adding values to what is kept of them. */
#include "model/aggregate_int.h"

#include <assert.h>

#define CLASS_BIT(class) (UINT32_C(1) << (class))

static_assert((int)KEPT_CLASSES == (int)CLASS_COUNT, "docs/formats/history.md says what the bits mean");

bool kept_aggregate_has_sums(uint32_t classes)
{
    return classes & (CLASS_BIT(CLASS_NUMBER) | CLASS_BIT(CLASS_BOOLEAN) | CLASS_BIT(CLASS_ARRAY) | CLASS_BIT(CLASS_TIME));
}

bool kept_aggregate_has_texts(uint32_t classes)
{
    return classes & (CLASS_BIT(CLASS_STRING) | CLASS_BIT(CLASS_DATE_TIME) | CLASS_BIT(CLASS_DATE) | CLASS_BIT(CLASS_TIME));
}

static struct extremes extremes_of(struct kept_aggregate *k)
{
    return (struct extremes){&k->least, &k->greatest, &k->least_order, &k->greatest_order};
}

/* No longer than may be, and no character cut. */
static struct str shortened(struct str text)
{
    size_t n = text.n < KEPT_TEXT_MAX ? text.n : KEPT_TEXT_MAX;
    while (n && n < text.n && ((unsigned char)text.p[n] & 0xC0) == 0x80)
        n--;
    return str_head(text, n);
}

void kept_aggregate_add(struct kept_aggregate *k, const struct point *p, struct arena *a)
{
    struct arena_mark before = arena_mark(a);
    struct item item = aggregate_item(p, k->from_us, a);
    uint32_t class = CLASS_BIT(item.class);
    struct str text = shortened(item.text), least = k->least, greatest = k->greatest;
    if (k->count++ == 0)
        k->kind = p->attr.kind;
    k->classes |= class;
    if (kept_aggregate_has_sums(class))
        sums_add(&k->sums, &item.number, 1, AGGREGATE_BIT(AGGREGATE_METHOD_COUNT) - 1);
    if (kept_aggregate_has_texts(class)) {
        struct extremes x = extremes_of(k);
        extremes_add(&x, text, item.order, a);
    }
    if (k->least.p == least.p && k->greatest.p == greatest.p)
        arena_rewind(a, before);
}

void kept_aggregate_merge(struct kept_aggregate *k, const struct kept_aggregate *more)
{
    int64_t from_us = k->from_us;
    if (k->count == 0) {
        *k = *more;
        k->from_us = from_us;
        return;
    }
    k->count += more->count;
    k->classes |= more->classes;
    if (more->sums.n)
        sums_merge(&k->sums, &more->sums);
    struct extremes x = extremes_of(k);
    if (!str_absent(more->least))
        extremes_add(&x, more->least, more->least_order, NULL);
    if (!str_absent(more->greatest))
        extremes_add(&x, more->greatest, more->greatest_order, NULL);
}
