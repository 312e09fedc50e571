/* See scope_span.h. A scope that was set before the time asked about, and is still valid then, counts. */
#include "model/scope_span.h"

#include "base/json.h"

#include <stdlib.h>

int64_t temporal_place(const struct temporal_query *q, const struct point *p)
{
    int64_t us = q->by_place ? TIME_NONE : point_time(p, (enum time_property)q->property);
    return us == TIME_NONE ? point_place(p) : us;
}

static int by_start(const void *x, const void *y)
{
    const struct scope_span *a = x, *b = y;
    return a->from_us != b->from_us ? (a->from_us < b->from_us ? -1 : 1) : point_order(a->point, b->point);
}

/* A scope point's value is a string, or a JSON array of them. */
static bool matches(const struct scope_expr *expr, const struct value *v, struct arena *a)
{
    const struct json_limits limits = {.depth_max = 2, .bytes_max = SIZE_MAX};
    struct json list;
    if (v->kind == VALUE_STRING)
        return scope_expr_match(expr, &v->text, 1);
    if (v->kind != VALUE_JSON || json_read(a, v->text, &limits, &list, NULL) != OK || list.kind != JSON_ARRAY)
        return false;
    struct str *scopes = arena_array(a, struct str, list.n);
    for (uint32_t i = 0; i < list.n; i++)
        scopes[i] = list.items[i].kind == JSON_STRING ? list.items[i].string : STR("");
    return scope_expr_match(expr, scopes, list.n);
}

uint32_t scope_spans(const struct scope_expr *expr, const struct series *scopes, const struct temporal_query *q,
                     struct arena *a, struct scope_span **out)
{
    uint32_t count = scopes ? scopes->count : 0, n = 0;
    struct scope_span *spans = *out = arena_array(a, struct scope_span, count + 1);
    for (uint32_t i = 0; i < count; i++)
        spans[i] = (struct scope_span){temporal_place(q, &scopes->points[i]), INT64_MAX, &scopes->points[i]};
    qsort(spans, count, sizeof *spans, by_start);
    for (uint32_t i = 0; i < count; i++) {
        struct scope_span s = spans[i];
        if (i + 1 < count)
            s.to_us = spans[i + 1].from_us;
        if (s.to_us > q->from_us && s.from_us < q->to_us && s.from_us < s.to_us && matches(expr, &s.point->attr.value, a))
            spans[n++] = s;
    }
    return n;
}

bool scope_spans_have(const struct scope_span *spans, uint32_t count, const struct temporal_query *q, const struct point *p)
{
    int64_t us = temporal_place(q, p);
    for (uint32_t i = 0; i < count; i++)
        if (us >= spans[i].from_us && us < spans[i].to_us)
            return true;
    return false;
}
