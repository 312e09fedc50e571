/* Temporal evolutions as JSON. The entity's own members and each instance are written as those of entities are; what is
 * added here is the arrays, instanceId and deletedAt, and the two forms that list values by attribute and dataset. */
#include "model/represent_temporal.h"

#include "model/represent_int.h"

#include <stdlib.h>

/* What a list of values is called in the simplified representation (clause 4.5.9). */
static const struct {
    const char *type, *list;
    const char *wrap; /* each value is {wrap: value} */
} LISTS[ATTR_KIND_COUNT] = {
    [ATTR_UNKNOWN] = {"Property", "values", NULL},
    [ATTR_PROPERTY] = {"Property", "values", NULL},
    [ATTR_RELATIONSHIP] = {"Relationship", "objects", NULL},
    [ATTR_GEO_PROPERTY] = {"GeoProperty", "values", NULL},
    [ATTR_LANGUAGE_PROPERTY] = {"LanguageProperty", "languageMaps", "languageMap"},
    [ATTR_VOCAB_PROPERTY] = {"VocabProperty", "vocabs", "vocab"},
    [ATTR_JSON_PROPERTY] = {"JsonProperty", "jsons", "json"},
    [ATTR_LIST_PROPERTY] = {"ListProperty", "valueLists", NULL},
    [ATTR_LIST_RELATIONSHIP] = {"ListRelationship", "objectLists", NULL},
};

/* One call of represent_evolution. */
struct writing {
    struct buf *b;
    struct represent r;
    const struct temporal_query *query;
    uint8_t format;
    struct str entity;
};

static bool shows(const struct represent *r, const struct series *s)
{
    struct attr any = {.term = s->term, .dataset = s->dataset};
    if (s->count == 0 && (!s->aggregates || aggregates_count(s->aggregates) == 0))
        return false;
    return s->term == TERM_SCOPE ? represent_shows_scope(r) : represent_shows(r, &any);
}

static void write_quoted_time(struct buf *b, int64_t us)
{
    buf_char(b, '"');
    buf_time(b, us);
    buf_char(b, '"');
}

static void write_time(struct buf *b, struct str name, int64_t us)
{
    if (us == TIME_NONE)
        return;
    represent_name(b, name, false);
    write_quoted_time(b, us);
}

/* ---- instances ---- */

/* A deleted scope has no levels. */
static void write_scope_value(struct writing *w, const struct point *p)
{
    if (p->attr.value.kind == VALUE_NULL)
        buf_lit(w->b, "[]");
    else
        represent_value(w->b, &w->r, &p->attr, false);
}

/* A Property with nothing but its times (clause 4.5.6). */
static void write_scope(struct writing *w, const struct point *p)
{
    if (w->format == TEMPORAL_CONCISE)
        buf_lit(w->b, "{\"value\":");
    else
        buf_lit(w->b, "{\"type\":\"Property\",\"value\":");
    write_scope_value(w, p);
    write_time(w->b, STR("observedAt"), p->attr.observed_at);
    if (w->r.sys_attrs) {
        write_time(w->b, STR("createdAt"), p->attr.created_at);
        write_time(w->b, STR("modifiedAt"), p->attr.modified_at);
    }
    write_time(w->b, STR("deletedAt"), p->deleted_at);
    buf_char(w->b, '}');
}

static void write_instance(struct writing *w, struct str name, struct str iri, const struct point *p)
{
    char id[INSTANCE_ID_MAX];
    represent_instance_open(w->b, &w->r, name, &p->attr, NULL, false);
    size_t n = instance_id_write(w->entity, iri, p->attr.dataset, p->attr.seq, p->index, id);
    buf_lit(w->b, ",\"instanceId\":");
    represent_plain(w->b, (struct str){id, n});
    write_time(w->b, STR("deletedAt"), p->deleted_at);
    buf_char(w->b, '}');
}

static int by_time(const void *a, const void *b)
{
    const struct point *const *x = a, *const *y = b;
    int c = point_order(*x, *y);
    return c ? c : str_cmp((*x)->attr.dataset, (*y)->attr.dataset);
}

/* The instances of all series that show, in order of time. */
static const struct point **gather(struct writing *w, const struct series *s, uint32_t count, uint32_t *n)
{
    uint32_t total = 0, shown = 0;
    for (uint32_t i = 0; i < count; i++)
        total += s[i].count;
    const struct point **points = arena_array(w->r.arena, const struct point *, total);
    *n = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!shows(&w->r, &s[i]))
            continue;
        shown++;
        for (uint32_t j = 0; j < s[i].count; j++)
            points[(*n)++] = &s[i].points[j];
    }
    if (shown > 1)
        qsort(points, *n, sizeof *points, by_time);
    return points;
}

static void write_instances(struct writing *w, struct str name, const struct series *s, uint32_t count)
{
    uint32_t n;
    struct str iri = s->term == TERM_SCOPE ? STR_NONE : context_term_iri(w->r.context, s->term);
    const struct point **points = gather(w, s, count, &n);
    buf_char(w->b, '[');
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            buf_char(w->b, ',');
        if (s->term == TERM_SCOPE)
            write_scope(w, points[i]);
        else
            write_instance(w, name, iri, points[i]);
    }
    buf_char(w->b, ']');
}

/* ---- simplified ---- */

/* With a language filter, a LanguageProperty is a Property (clause 4.15). */
static enum attr_kind shown_kind(const struct writing *w, const struct point *p)
{
    if (p->attr.kind == ATTR_LANGUAGE_PROPERTY && !str_absent(w->r.lang))
        return ATTR_PROPERTY;
    return (enum attr_kind)p->attr.kind;
}

static void write_value(struct writing *w, const struct point *p)
{
    enum attr_kind kind = shown_kind(w, p);
    struct attr deleted = {.kind = (uint8_t)kind, .value.kind = VALUE_NULL};
    if (p->attr.term == TERM_SCOPE) {
        write_scope_value(w, p);
    } else if (p->attr.value.kind != VALUE_NULL) {
        represent_simplified(w->b, &w->r, &p->attr);
    } else if (!LISTS[kind].wrap) {
        represent_value(w->b, &w->r, &deleted, false);
    } else {
        buf_char(w->b, '{');
        represent_name(w->b, str_of(LISTS[kind].wrap), true);
        represent_value(w->b, &w->r, &deleted, false);
        buf_char(w->b, '}');
    }
}

static void write_head(struct writing *w, const char *type, struct str dataset)
{
    buf_lit(w->b, "{\"type\":");
    represent_plain(w->b, str_of(type));
    if (dataset.n) {
        buf_lit(w->b, ",\"datasetId\":");
        represent_plain(w->b, dataset);
    }
}

/* Those of a kind that has a list; instances of one series that changed its kind make several. */
static void write_values(struct writing *w, const struct series *s, enum attr_kind kind)
{
    enum time_property property = w->query ? (enum time_property)w->query->property : TIME_OBSERVED_AT;
    bool first = true;
    write_head(w, LISTS[kind].type, s->dataset);
    represent_name(w->b, str_of(LISTS[kind].list), false);
    buf_char(w->b, '[');
    for (uint32_t i = 0; i < s->count; i++) {
        const struct point *p = &s->points[i];
        int64_t us = point_time(p, property);
        if (shown_kind(w, p) != kind)
            continue;
        if (!first)
            buf_char(w->b, ',');
        first = false;
        buf_char(w->b, '[');
        write_value(w, p);
        buf_char(w->b, ',');
        write_quoted_time(w->b, us != TIME_NONE ? us : point_place(p));
        buf_char(w->b, ']');
    }
    buf_lit(w->b, "]}");
}

static uint32_t kinds_of(const struct writing *w, const struct series *s)
{
    uint32_t kinds = 0;
    for (uint32_t i = 0; i < s->count; i++)
        kinds |= UINT32_C(1) << shown_kind(w, &s->points[i]);
    return kinds;
}

/* ---- aggregated ---- */

static void write_method(struct writing *w, const struct aggregates *g, int method)
{
    bool first = true;
    represent_name(w->b, str_of(aggregate_name(method)), false);
    buf_char(w->b, '[');
    for (uint32_t i = 0; i < aggregates_count(g); i++) {
        const struct aggregate_period *p = aggregates_period(g, i);
        if (!p->values[method].there)
            continue;
        struct attr value = {.kind = ATTR_PROPERTY, .value = p->values[method].value};
        if (!first)
            buf_char(w->b, ',');
        first = false;
        buf_char(w->b, '[');
        represent_value(w->b, &w->r, &value, false);
        buf_char(w->b, ',');
        write_quoted_time(w->b, p->from_us);
        buf_char(w->b, ',');
        write_quoted_time(w->b, p->to_us);
        buf_char(w->b, ']');
    }
    buf_char(w->b, ']');
}

/* Every method asked for is a member, and every attribute is a Property or a Relationship (clause 4.5.19.0). */
static void write_aggregates(struct writing *w, const struct series *s)
{
    uint8_t kind = aggregates_kind(s->aggregates);
    bool relationship = kind == ATTR_RELATIONSHIP || kind == ATTR_LIST_RELATIONSHIP;
    write_head(w, relationship ? "Relationship" : "Property", s->dataset);
    for (int m = 0; m < AGGREGATE_METHOD_COUNT; m++)
        if (w->query && (w->query->methods & AGGREGATE_BIT(m)))
            write_method(w, s->aggregates, m);
    buf_char(w->b, '}');
}

/* ---- attributes ---- */

/* Objects by dataset: one alone, or an array of them. */
static void write_groups(struct writing *w, const struct series *s, uint32_t count)
{
    bool aggregated = w->format == TEMPORAL_AGGREGATED, first = true;
    uint32_t groups = 0;
    for (uint32_t i = 0; i < count; i++)
        if (shows(&w->r, &s[i]))
            groups += aggregated ? 1 : (uint32_t)__builtin_popcount(kinds_of(w, &s[i]));
    if (groups > 1)
        buf_char(w->b, '[');
    for (uint32_t i = 0; i < count; i++) {
        if (!shows(&w->r, &s[i]))
            continue;
        for (uint32_t kinds = aggregated ? 1 : kinds_of(w, &s[i]); kinds; kinds &= kinds - 1) {
            if (!first)
                buf_char(w->b, ',');
            first = false;
            if (aggregated)
                write_aggregates(w, &s[i]);
            else
                write_values(w, &s[i], (enum attr_kind)__builtin_ctz(kinds));
        }
    }
    if (groups > 1)
        buf_char(w->b, ']');
}

/* Nothing but series of which a partial answer has left out all: the attribute is there, though nothing of it. */
static bool is_cut(const struct writing *w, const struct series *s, uint32_t count)
{
    struct attr any = {.term = s->term, .dataset = s->dataset};
    bool cut = w->format != TEMPORAL_AGGREGATED;
    for (uint32_t i = 0; i < count && cut; i++)
        cut = s[i].count == 0 && s[i].points;
    return cut && (s->term == TERM_SCOPE ? represent_shows_scope(&w->r) : represent_shows(&w->r, &any));
}

static void write_attribute(struct writing *w, const struct series *s, uint32_t count, bool *first)
{
    bool cut = is_cut(w, s, count), any = cut;
    for (uint32_t i = 0; i < count && !any; i++)
        any = shows(&w->r, &s[i]);
    if (!any)
        return;
    struct str name = s->term == TERM_SCOPE ? STR("scope") : context_compact_term(w->r.context, s->term);
    represent_name(w->b, name, *first);
    *first = false;
    if (w->format == TEMPORAL_NORMALIZED || w->format == TEMPORAL_CONCISE)
        write_instances(w, name, s, count);
    else if (cut)
        write_values(w, s, shown_kind(w, &s->points[0]));
    else
        write_groups(w, s, count);
}

/* What an evolution has in common with an entity. */
static struct entity head_of(const struct evolution *e)
{
    return (struct entity){.id = e->id,
                           .type_count = e->type_count,
                           .types = e->types,
                           .created_at = e->created_at,
                           .modified_at = e->modified_at,
                           .expires_at = e->expires_at};
}

void represent_evolution(struct buf *b, const struct represent_temporal *r, const struct evolution *e)
{
    struct writing w = {.b = b, .r = r->base, .query = r->query, .format = r->format, .entity = e->id};
    struct entity head = head_of(e);
    bool first;
    w.r.format = r->format == TEMPORAL_CONCISE ? REPRESENT_CONCISE : REPRESENT_NORMALIZED;
    w.r.geojson = false;
    w.r.previous = NULL;
    w.r.links = NULL;
    w.r.deleted = e->deleted_at != TIME_NONE;
    w.r.deleted_at = e->deleted_at;
    represent_open(b, &w.r, &head, &first);
    w.r.deleted_at = 0; /* each instance has its own */
    for (uint32_t i = 0, n; i < e->count; i += n) {
        for (n = 1; i + n < e->count && e->series[i + n].term == e->series[i].term; n++)
            ;
        write_attribute(&w, &e->series[i], n, &first);
    }
    represent_close(b, &w.r, first);
}

bool represent_evolution_leaves(const struct represent_temporal *r, const struct evolution *e)
{
    struct entity head = head_of(e);
    if (represent_leaves(&r->base, &head))
        return true;
    for (uint32_t i = 0; i < e->count; i++)
        if (shows(&r->base, &e->series[i]))
            return true;
    return false;
}
