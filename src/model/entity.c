/* Looking things up in an entity tree, and the order its attributes keep. */
#include "model/entity.h"

#include <assert.h>
#include <stdlib.h>

static const char *const KIND_NAMES[ATTR_KIND_COUNT] = {
    [ATTR_UNKNOWN] = "Attribute",
    [ATTR_PROPERTY] = "Property",
    [ATTR_RELATIONSHIP] = "Relationship",
    [ATTR_GEO_PROPERTY] = "GeoProperty",
    [ATTR_LANGUAGE_PROPERTY] = "LanguageProperty",
    [ATTR_VOCAB_PROPERTY] = "VocabProperty",
    [ATTR_JSON_PROPERTY] = "JsonProperty",
    [ATTR_LIST_PROPERTY] = "ListProperty",
    [ATTR_LIST_RELATIONSHIP] = "ListRelationship",
};

const char *attr_kind_name(enum attr_kind k)
{
    assert(k < ATTR_KIND_COUNT);
    return KIND_NAMES[k];
}

/* First instance of term in a sorted array; *count instances follow one another. */
static const struct attr *find(const struct attr *attrs, uint32_t n, uint32_t term, uint32_t *count)
{
    uint32_t low = 0, high = n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (attrs[mid].term < term)
            low = mid + 1;
        else
            high = mid;
    }
    uint32_t end = low;
    while (end < n && attrs[end].term == term)
        end++;
    if (count)
        *count = end - low;
    return end > low ? &attrs[low] : NULL;
}

const struct attr *entity_attr(const struct entity *e, uint32_t term, uint32_t *count)
{
    return find(e->attrs, e->attr_count, term, count);
}

const struct attr *attr_sub(const struct attr *a, uint32_t term, uint32_t *count)
{
    return find(a->subs, a->sub_count, term, count);
}

const struct attr *entity_instance(const struct entity *e, uint32_t term, struct str dataset)
{
    uint32_t count;
    const struct attr *a = entity_attr(e, term, &count);
    for (uint32_t i = 0; i < count; i++)
        if (str_eq(a[i].dataset, dataset))
            return &a[i];
    return NULL;
}

int attr_order(const struct attr *a, const struct attr *b)
{
    if (a->term != b->term)
        return a->term < b->term ? -1 : 1;
    return str_cmp(a->dataset, b->dataset);
}

static int order(const void *a, const void *b)
{
    return attr_order(a, b);
}

bool attrs_sort(struct attr *attrs, uint32_t n, const struct attr **dup)
{
    bool sorted = true;
    for (uint32_t i = 1; i < n && sorted; i++)
        sorted = attr_order(&attrs[i - 1], &attrs[i]) <= 0;
    if (!sorted)
        qsort(attrs, n, sizeof *attrs, order);
    for (uint32_t i = 1; i < n; i++) {
        if (attr_order(&attrs[i - 1], &attrs[i]) == 0) {
            *dup = &attrs[i];
            return false;
        }
    }
    return true;
}

bool entity_has_type(const struct entity *e, uint32_t type)
{
    for (uint32_t i = 0; i < e->type_count; i++)
        if (e->types[i] == type)
            return true;
    return false;
}

static bool value_same(const struct value *a, const struct value *b)
{
    if (a->kind != b->kind)
        return false;
    switch ((enum value_kind)a->kind) {
    case VALUE_BOOL:
        return a->boolean == b->boolean;
    case VALUE_INT:
        return a->integer == b->integer;
    case VALUE_REAL:
        return a->real == b->real;
    case VALUE_STRING:
    case VALUE_JSON:
    case VALUE_GEO:
        return str_eq(a->text, b->text);
    case VALUE_NONE:
    case VALUE_NULL:
        break;
    }
    return true;
}

bool attr_same(const struct attr *a, const struct attr *b)
{
    if (a->term != b->term || a->kind != b->kind || !str_eq(a->dataset, b->dataset) ||
        !value_same(&a->value, &b->value) || !str_eq(a->unit_code, b->unit_code) ||
        !str_eq(a->value_type, b->value_type) || !str_eq(a->object_type, b->object_type) ||
        a->observed_at != b->observed_at || a->expires_at != b->expires_at ||
        a->sub_count != b->sub_count)
        return false;
    for (uint32_t i = 0; i < a->sub_count; i++)
        if (!attr_same(&a->subs[i], &b->subs[i]))
            return false;
    return true;
}
