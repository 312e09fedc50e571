/* See growth.h. Attributes are counted only where the document is large enough to hold too many. */
#include "model/growth.h"

enum { ATTR_BYTES_MIN = 8 }; /* in a document */

static uint64_t count_attrs(const struct attr *attrs, uint32_t n)
{
    uint64_t all = n;
    for (uint32_t i = 0; i < n; i++)
        if (attrs[i].sub_count)
            all += count_attrs(attrs[i].subs, attrs[i].sub_count);
    return all;
}

static bool too_many(uint32_t max, uint64_t old, uint64_t next)
{
    return max && next > max && next > old;
}

enum status growth_check(const struct growth_limits *l, const struct entity *old, size_t old_bytes,
                         const struct entity *next, size_t next_bytes, struct why *why)
{
    if (l->bytes_max && next_bytes > l->bytes_max && next_bytes > old_bytes)
        return why_limit(why, E_TOO_LARGE, NULL, "limits.entity_bytes",
                         "the entity would take %zu bytes; at most %zu are allowed", next_bytes,
                         l->bytes_max);
    if (too_many(l->types_max, old ? old->type_count : 0, next->type_count))
        return why_limit(why, E_LIMIT, NULL, "limits.types", "an entity has at most %u types",
                         l->types_max);
    if (too_many(l->scopes_max, old ? old->scope_count : 0, next->scope_count))
        return why_limit(why, E_LIMIT, NULL, "limits.scopes", "an entity has at most %u scopes",
                         l->scopes_max);
    if (!l->attrs_max || next_bytes / ATTR_BYTES_MIN <= l->attrs_max)
        return OK;
    uint64_t before = old ? count_attrs(old->attrs, old->attr_count) : 0;
    if (too_many(l->attrs_max, before, count_attrs(next->attrs, next->attr_count)))
        return why_limit(why, E_LIMIT, NULL, "limits.attributes",
                         "an entity has at most %u attributes, sub-attributes included",
                         l->attrs_max);
    return OK;
}
