/* Matching context source registrations (clause 5.12; 5.10.2.4 for places, times and
 * properties), and conflicts between proxied ones (4.3.6.3). */
#include "model/filter_int.h"
#include "model/geometry.h"
#include "model/pattern.h"
#include "model/registration.h"

static bool is_among(const struct str *list, uint32_t n, struct str s)
{
    for (uint32_t i = 0; i < n; i++)
        if (str_eq(list[i], s))
            return true;
    return false;
}

static bool share_one(const struct str *x, uint32_t xn, const struct str *y, uint32_t yn)
{
    for (uint32_t i = 0; i < xn; i++)
        if (is_among(y, yn, x[i]))
            return true;
    return false;
}

/* ---- entities and attributes ---- */

static bool types_match(const struct type_expr *t, const struct entity_info *e)
{
    for (uint32_t i = 0; t && i < t->count; i++) {
        uint32_t k = 0;
        while (k < t->any[i].count && is_among(e->types, e->type_count, t->any[i].types[k].iri))
            k++;
        if (k == t->any[i].count)
            return true;
    }
    return !t;
}

static bool ids_match(const struct entity_selector *s, const struct entity_info *e)
{
    if (str_absent(e->id) && !e->id_pattern)
        return true;
    for (uint32_t i = 0; i < s->id_count; i++)
        if (str_absent(e->id) ? pattern_match(e->id_pattern, s->ids[i]) : str_eq(e->id, s->ids[i]))
            return true;
    if (s->id_count)
        return false;
    if (!s->id_pattern)
        return true;
    return str_absent(e->id) || pattern_match(s->id_pattern, e->id);
}

static bool entities_match(const struct registration_query *q, const struct registration_info *i)
{
    if (!q->selector_count || !i->entity_count)
        return true;
    for (uint32_t s = 0; s < q->selector_count; s++)
        for (uint32_t k = 0; k < i->entity_count; k++)
            if (types_match(q->selectors[s].type, &i->entities[k]) &&
                ids_match(&q->selectors[s], &i->entities[k]))
                return true;
    return false;
}

static bool names_match(const struct registration_query *q, const struct registration_info *i)
{
    return !q->name_count || !i->name_count ||
           share_one(q->names, q->name_count, i->names, i->name_count);
}

/* ---- places and times ---- */

/* Could there be, within the place v, a geometry that f asks for? */
static bool may_contain(const struct geo_filter *f, const struct value *v)
{
    if (f->rel == GEOREL_DISJOINT)
        return !geometry_within(f->reference, v);
    if (f->has_min)
        return !v->point;
    return geometry_intersects(f->reference, v);
}

static bool place_matches(const struct filter *f, const struct entity *e)
{
    uint32_t n = 0;
    const struct attr *a = entity_attr(e, f->geo->property.term, &n);
    for (uint32_t i = 0; a && i < n; i++)
        if (a[i].value.kind == VALUE_GEO &&
            (filter_geo_match(f->geo, &a[i].value) || may_contain(f->geo, &a[i].value)))
            return true;
    return false;
}

static bool span_matches(const struct time_span *s, const struct temporal_query *t)
{
    if (!s->given)
        return false;
    return s->start <= t->to_us && (s->end == TIME_NONE || s->end >= t->from_us);
}

/* Sources of the latest information, or of that time (5.9.1). */
static bool times_match(const struct registration *r, const struct temporal_query *t)
{
    if (t->relation == TIMEREL_ANY)
        return !r->observed.given && !r->managed.given;
    return span_matches(t->property == TIME_OBSERVED_AT ? &r->observed : &r->managed, t);
}

/* ---- the whole ---- */

bool registration_matches(const struct registration *r, const struct registration_query *q,
                          bool *infos, struct arena *scratch)
{
    struct filter_env env = {.arena = scratch};
    bool any = false;
    for (uint32_t i = 0; i < r->info_count; i++) {
        infos[i] = entities_match(q, &r->infos[i]) && names_match(q, &r->infos[i]);
        any |= infos[i];
    }
    if (!any || !times_match(r, &q->temporal))
        return false;
    if (q->dataset_count && r->dataset_count &&
        !share_one(q->datasets, q->dataset_count, r->datasets, r->dataset_count))
        return false;
    if (q->geo && !place_matches(q->geo, &r->properties))
        return false;
    return (!q->scope || filter_match(q->scope, &r->properties, &env)) &&
           (!q->csf || filter_match(q->csf, &r->properties, &env));
}

/* ---- proxied registrations ---- */

static bool ids_overlap(const struct entity_info *x, const struct entity_info *y)
{
    if (!str_absent(x->id) && !str_absent(y->id))
        return str_eq(x->id, y->id);
    const struct entity_info *one = str_absent(x->id) ? y : x, *other = one == x ? y : x;
    if (str_absent(one->id) || !other->id_pattern)
        return true;
    return pattern_match(other->id_pattern, one->id);
}

static bool infos_overlap(const struct registration_info *x, const struct registration_info *y)
{
    if (x->name_count && y->name_count &&
        !share_one(x->names, x->name_count, y->names, y->name_count))
        return false;
    if (!x->entity_count || !y->entity_count)
        return true;
    for (uint32_t i = 0; i < x->entity_count; i++)
        for (uint32_t k = 0; k < y->entity_count; k++)
            if (ids_overlap(&x->entities[i], &y->entities[k]) &&
                share_one(x->entities[i].types, x->entities[i].type_count, y->entities[k].types,
                          y->entities[k].type_count))
                return true;
    return false;
}

static bool is_proxied(const struct registration *r)
{
    return r->mode == MODE_EXCLUSIVE || r->mode == MODE_REDIRECT;
}

bool registration_conflicts(const struct registration *x, const struct registration *y)
{
    if (!is_proxied(x) || !is_proxied(y) ||
        (x->mode != MODE_EXCLUSIVE && y->mode != MODE_EXCLUSIVE))
        return false;
    for (uint32_t i = 0; i < x->info_count; i++)
        for (uint32_t k = 0; k < y->info_count; k++)
            if (infos_overlap(&x->infos[i], &y->infos[k]))
                return true;
    return false;
}

/* ---- the entities of a proxied one ---- */

static struct filter *any_of(struct arena *a, struct filter **parts, uint32_t n)
{
    if (n == 1)
        return parts[0];
    struct filter *f = arena_zarray(a, struct filter, 1);
    *f = (struct filter){.kind = FILTER_OR, .count = n, .parts = parts};
    return f;
}

static struct name *names_of(const struct str *iris, uint32_t n, const struct terms *terms,
                             struct arena *a)
{
    struct name *names = arena_array(a, struct name, n);
    for (uint32_t i = 0; i < n; i++)
        names[i] = (struct name){iris[i], terms_find(terms, iris[i])};
    return names;
}

/* An entity has all the types; its id alone tells which one an exclusive registration means. */
static struct filter *entity_filter(const struct entity_info *e, bool by_id,
                                    const struct terms *terms, struct arena *a)
{
    struct filter *f = NULL;
    if (!by_id) {
        struct type_expr *t = arena_zarray(a, struct type_expr, 1);
        t->count = 1;
        t->any = arena_zarray(a, struct type_all, 1);
        t->any->count = e->type_count;
        t->any->types = names_of(e->types, e->type_count, terms, a);
        f = filter_of_type(a, t);
    }
    if (!str_absent(e->id))
        return filter_and(a, f, filter_of_ids(a, &e->id, 1));
    return e->id_pattern ? filter_and(a, f, filter_of_pattern(a, e->id_pattern)) : f;
}

struct filter *registration_entities(const struct registration *r, const struct terms *terms,
                                     struct arena *a)
{
    struct filter **any = arena_zarray(a, struct filter *, r->info_count);
    for (uint32_t i = 0; i < r->info_count; i++) {
        const struct registration_info *info = &r->infos[i];
        struct filter **parts = arena_zarray(a, struct filter *, info->entity_count);
        for (uint32_t k = 0; k < info->entity_count; k++)
            parts[k] = entity_filter(&info->entities[k], r->mode == MODE_EXCLUSIVE, terms, a);
        any[i] = info->entity_count ? any_of(a, parts, info->entity_count) : NULL;
        if (info->name_count)
            any[i] =
                filter_and(a, any[i],
                           filter_of_attrs(a, names_of(info->names, info->name_count, terms, a),
                                           info->name_count));
    }
    return any_of(a, any, r->info_count);
}
