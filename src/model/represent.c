/* Entities: which members show (projection, datasetId filter) and in what order: id,
 * type, scope, system attributes, attributes as stored, "@context" last, which is
 * where every example of the standard has it. GeoJSON puts all but the id into
 * "properties" (clauses 4.5.16, 4.5.17). */
#include "model/represent_int.h"

static bool shows_id(const struct represent *r)
{
    return (!r->pick || r->pick->id) && !(r->omit && r->omit->id);
}
static bool shows_type(const struct represent *r)
{
    return (!r->pick || r->pick->type) && !(r->omit && r->omit->type);
}
bool represent_shows_scope(const struct represent *r)
{
    return (!r->pick || r->pick->scope) && !(r->omit && r->omit->scope);
}

/* relation{…} in omit is about the linked entities, not the relation. */
static bool shows_term(const struct represent *r, uint32_t term)
{
    if (r->pick && !projection_has(r->pick, term))
        return false;
    return !r->omit || !projection_omits(r->omit, term);
}

static bool shows_instance(const struct represent *r, const struct attr *a)
{
    if (r->dataset_count == 0)
        return true;
    for (uint32_t i = 0; i < r->dataset_count; i++)
        if (a->dataset.n ? str_eq(a->dataset, r->datasets[i])
                         : str_eq(r->datasets[i], STR("@none")))
            return true;
    return false;
}

bool represent_shows(const struct represent *r, const struct attr *a)
{
    return shows_term(r, a->term) && shows_instance(r, a);
}

static uint32_t count_shown(const struct represent *r, const struct attr *instances, uint32_t count)
{
    if (r->dataset_count == 0)
        return count;
    uint32_t shown = 0;
    for (uint32_t i = 0; i < count; i++)
        shown += shows_instance(r, &instances[i]);
    return shown;
}

/* ---- attributes ---- */

/* {"dataset": {"@none": …, "urn:…": …}} */
static void write_dataset_map(struct buf *b, const struct represent *r,
                              const struct attr *instances, uint32_t count)
{
    bool first = true;
    buf_lit(b, "{\"dataset\":{");
    for (uint32_t i = 0; i < count; i++) {
        if (!shows_instance(r, &instances[i]))
            continue;
        represent_name(b, instances[i].dataset.n ? instances[i].dataset : STR("@none"), first);
        represent_simplified(b, r, &instances[i]);
        first = false;
    }
    buf_lit(b, "}}");
}

/* showChanges: what the instance was, where that is something else. */
static const struct attr *before_of(const struct represent *r, const struct attr *a)
{
    const struct attr *before =
        r->previous ? entity_instance(r->previous, a->term, a->dataset) : NULL;
    return before && before->kind == a->kind && !attr_same(before, a) ? before : NULL;
}

static void write_instances(struct buf *b, const struct represent *r, struct str name,
                            const struct attr *instances, uint32_t count, uint32_t shown)
{
    bool first = true;
    if (shown > 1 && r->format == REPRESENT_SIMPLIFIED) {
        write_dataset_map(b, r, instances, count);
        return;
    }
    if (shown > 1)
        buf_char(b, '[');
    for (uint32_t i = 0; i < count; i++) {
        if (!shows_instance(r, &instances[i]))
            continue;
        if (!first)
            buf_char(b, ',');
        first = false;
        if (r->format == REPRESENT_SIMPLIFIED)
            represent_simplified(b, r, &instances[i]);
        else
            represent_instance(b, r, name, &instances[i], before_of(r, &instances[i]), shown == 1);
    }
    if (shown > 1)
        buf_char(b, ']');
}

void represent_attr(struct buf *b, const struct represent *r, const struct attr *instances,
                    uint32_t count)
{
    struct str name = context_compact_term(r->context, instances[0].term);
    write_instances(b, r, name, instances, count, count_shown(r, instances, count));
}

/* Instances of one term follow one another. */
static uint32_t run_length(const struct entity *e, uint32_t from)
{
    uint32_t n = 1;
    while (from + n < e->attr_count && e->attrs[from + n].term == e->attrs[from].term)
        n++;
    return n;
}

static void write_attrs(struct buf *b, const struct represent *r, const struct entity *e,
                        bool *first)
{
    for (uint32_t i = 0, n; i < e->attr_count; i += n) {
        const struct attr *a = &e->attrs[i];
        n = run_length(e, i);
        uint32_t shown = shows_term(r, a->term) ? count_shown(r, a, n) : 0;
        if (shown == 0)
            continue;
        struct str name = context_compact_term(r->context, a->term);
        represent_name(b, name, *first);
        *first = false;
        write_instances(b, r, name, a, n, shown);
    }
}

/* ---- the entity's own members ---- */

static void write_types(struct buf *b, const struct represent *r, const struct entity *e)
{
    if (e->type_count != 1)
        buf_char(b, '[');
    for (uint32_t i = 0; i < e->type_count; i++) {
        if (i)
            buf_char(b, ',');
        json_write_str(b, context_compact_term(r->context, e->types[i]));
    }
    if (e->type_count != 1)
        buf_char(b, ']');
}

static void write_scopes(struct buf *b, const struct entity *e)
{
    if (e->scope_count != 1)
        buf_char(b, '[');
    for (uint32_t i = 0; i < e->scope_count; i++) {
        if (i)
            buf_char(b, ',');
        represent_plain(b, e->scopes[i]);
    }
    if (e->scope_count != 1)
        buf_char(b, ']');
}

static void write_time(struct buf *b, struct str name, int64_t us, bool *first)
{
    if (us == TIME_NONE)
        return;
    represent_name(b, name, *first);
    buf_char(b, '"');
    buf_time(b, us);
    buf_char(b, '"');
    *first = false;
}

/* All members but the id and "@context". */
static void write_members(struct buf *b, const struct represent *r, const struct entity *e,
                          bool *first)
{
    if (e->type_count && shows_type(r)) {
        represent_name(b, STR("type"), *first);
        write_types(b, r, e);
        *first = false;
    }
    if (e->scope_count && represent_shows_scope(r)) {
        represent_name(b, STR("scope"), *first);
        write_scopes(b, e);
        *first = false;
    }
    if (r->sys_attrs) {
        write_time(b, STR("expiresAt"), e->expires_at, first);
        write_time(b, STR("createdAt"), e->created_at, first);
        write_time(b, STR("modifiedAt"), e->modified_at, first);
    }
    if (r->deleted)
        write_time(b, STR("deletedAt"), r->deleted_at, first);
    write_attrs(b, r, e, first);
}

static void write_id(struct buf *b, const struct represent *r, const struct entity *e, bool *first)
{
    if (!shows_id(r))
        return;
    represent_name(b, STR("id"), *first);
    represent_plain(b, e->id);
    *first = false;
}

static void write_context(struct buf *b, const struct represent *r, bool first)
{
    if (str_absent(r->at_context))
        return;
    represent_name(b, STR("@context"), first);
    buf_str(b, r->at_context);
}

void represent_open(struct buf *b, const struct represent *r, const struct entity *e, bool *first)
{
    *first = true;
    buf_char(b, '{');
    write_id(b, r, e, first);
    write_members(b, r, e, first);
}

void represent_close(struct buf *b, const struct represent *r, bool first)
{
    write_context(b, r, first);
    buf_char(b, '}');
}

/* ---- GeoJSON ---- */

/* The instance whose value is the Feature's geometry, or NULL (clause 4.5.16.1). */
static const struct attr *geometry_instance(const struct represent *r, const struct entity *e)
{
    uint32_t count, term = r->geometry_given ? r->geometry_property
                                             : context_expand_term(r->context, STR("location"),
                                                                   false, r->arena, NULL);
    const struct attr *a = term == TERM_NONE ? NULL : entity_attr(e, term, &count);
    if (!a)
        return NULL;
    if (count > 1 && r->dataset_count == 0)
        return a->dataset.n == 0 ? a : NULL;
    for (uint32_t i = 0; i < count; i++)
        if (shows_instance(r, &a[i]))
            return &a[i];
    return NULL;
}

static void write_feature(struct buf *b, const struct represent *r, const struct entity *e)
{
    bool first = true;
    buf_char(b, '{');
    write_id(b, r, e, &first);
    represent_name(b, STR("type"), first);
    buf_lit(b, "\"Feature\",\"geometry\":");
    const struct attr *geometry = geometry_instance(r, e);
    if (geometry && geometry->value.kind == VALUE_GEO)
        buf_str(b, geometry->value.text);
    else
        buf_lit(b, "null");
    buf_lit(b, ",\"properties\":{");
    first = true;
    write_members(b, r, e, &first);
    buf_char(b, '}');
    if (!r->in_list)
        write_context(b, r, false);
    buf_char(b, '}');
}

void represent_entity(struct buf *b, const struct represent *r, const struct entity *e)
{
    bool first;
    if (r->geojson) {
        write_feature(b, r, e);
        return;
    }
    represent_open(b, r, e, &first);
    represent_close(b, r, first);
}

void represent_list_open(struct buf *b, const struct represent *r)
{
    if (r->geojson)
        buf_lit(b, "{\"type\":\"FeatureCollection\",\"features\":[");
    else
        buf_char(b, '[');
}

void represent_list_close(struct buf *b, const struct represent *r)
{
    buf_char(b, ']');
    if (r->geojson) {
        write_context(b, r, false);
        buf_char(b, '}');
    }
}

bool represent_leaves(const struct represent *r, const struct entity *e)
{
    if (shows_id(r) || (e->type_count && shows_type(r)) || (e->scope_count && represent_shows_scope(r)))
        return true;
    for (uint32_t i = 0; i < e->attr_count; i++)
        if (represent_shows(r, &e->attrs[i]))
            return true;
    return false;
}

void represent_keep(const struct represent *r, const struct entity *e, struct entity *out)
{
    *out = *e;
    if (!represent_shows_scope(r))
        out->scope_count = 0;
    out->attrs = arena_array(r->arena, struct attr, e->attr_count);
    out->attr_count = 0;
    for (uint32_t i = 0; i < e->attr_count; i++)
        if (represent_shows(r, &e->attrs[i]))
            out->attrs[out->attr_count++] = e->attrs[i];
}
