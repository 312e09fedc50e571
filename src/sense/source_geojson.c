/* Why: maps come as GeoJSON (RFC 7946). A feature becomes an entity through a mapping, or as it is
 * (feature.h), and a feature that bundles thousands of lines can be split into one entity a line.
 * Start at geojson_record(). */
#include "sense/feature.h"
#include "sense/json_split.h"
#include "sense/shape.h"
#include "sense/source_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define GEOJSON_DEPTH_MAX 64

struct geojson_source {
    struct source source;
    struct blob blob;
    struct json_split split;
    struct str stem;
    struct json *fields; /* per field of the mapping */
    struct mapping_scratch scratch;
};

static struct str geojson_number(struct source *s, uint64_t n)
{
    return arena_printf(s->out.arena, "%" PRIu64, n);
}

/* One entity, or what the mapping makes, of a feature with this geometry. */
static void geojson_take(struct geojson_source *g, const struct json *feature,
                         const struct json *geometry, uint64_t part)
{
    struct source *s = &g->source;
    struct arena *a = s->out.arena;
    const struct json *id = json_get(feature, STR("id"));
    struct str minified = geometry ? json_text(a, geometry) : STR("");
    struct str digest = arena_printf(a, "%016" PRIx64, shape_digest(minified));
    if (!s->options.mapping) {
        feature_add(s, feature, geometry, digest);
        return;
    }
    struct record r = {.fields = g->fields, .geometry = geometry};
    r.facts[FACT_FILE] = g->stem;
    r.facts[FACT_LINE] = geojson_number(s, s->line);
    r.facts[FACT_RECORD] = geojson_number(s, s->mark.record);
    r.facts[FACT_PART] = geojson_number(s, part + 1);
    r.facts[FACT_DIGEST] = digest;
    if (json_is(id, JSON_STRING) || json_is(id, JSON_INT))
        r.facts[FACT_FEATURE] = id->kind == JSON_STRING ? id->string : json_text(a, id);
    source_apply_mapping(s, s->options.mapping, &r, &g->scratch);
}

static void geojson_bind(struct geojson_source *g, const struct json *feature)
{
    static const struct json none = {.kind = JSON_NULL};
    const struct mapping *m = g->source.options.mapping;
    const struct json *properties = json_get(feature, STR("properties"));
    for (uint32_t i = 0; m && i < m->fields.count; i++) {
        const struct json *v = json_get(properties, m->fields.names[i]);
        g->fields[i] = v ? *v : none;
    }
}

static void geojson_take_lines(struct geojson_source *g, const struct json *feature,
                               const struct json *lines)
{
    for (uint32_t i = 0; i < lines->n; i++) {
        struct json_member members[] = {
            {STR("type"), {.kind = JSON_STRING, .string = STR("LineString")}},
            {STR("coordinates"), lines->items[i]},
        };
        struct json line = {.kind = JSON_OBJECT, .n = 2, .members = members};
        geojson_take(g, feature, &line, i);
    }
}

static void geojson_take_feature(struct geojson_source *g, const struct json *feature)
{
    struct source *s = &g->source;
    struct why why;
    why_clear(&why);
    if (!json_is_string(json_get(feature, STR("type")), STR("Feature"))) {
        (void)why_set(&why, E_BAD_DATA, NULL, "no Feature: \"type\" says something else");
        source_add_reject(s, STR_NONE, &why);
        return;
    }
    const struct json *geometry = json_get(feature, STR("geometry"));
    if (geometry && geometry->kind != JSON_OBJECT)
        geometry = NULL;
    geojson_bind(g, feature);
    const struct json *coordinates = json_get(geometry, STR("coordinates"));
    if (s->options.mapping && s->options.mapping->split_lines &&
        json_is_string(json_get(geometry, STR("type")), STR("MultiLineString")) &&
        json_is(coordinates, JSON_ARRAY))
        geojson_take_lines(g, feature, coordinates);
    else
        geojson_take(g, feature, geometry, 0);
}

static bool geojson_record(struct source *s)
{
    struct geojson_source *g = (struct geojson_source *)s;
    const struct json_limits limits = {.depth_max = GEOJSON_DEPTH_MAX,
                                       .bytes_max = s->options.limits.record_bytes_max};
    struct json_element element;
    struct json feature;
    struct why why;
    why_clear(&why);
    enum json_split_step step = json_split_next(&g->split, &element, &why);
    if (step == JSON_SPLIT_END)
        return false;
    s->line = element.line;
    s->mark = (struct source_mark){
        .offset = g->split.at, .line = g->split.line, .record = s->mark.record + 1};
    s->mark.part = step == JSON_SPLIT_BAD; /* nothing can be read behind it */
    if (step == JSON_SPLIT_BAD ||
        json_read(s->out.arena, element.text, &limits, &feature, &why) != OK)
        source_add_reject(s, STR_NONE, &why);
    else
        geojson_take_feature(g, &feature);
    return true;
}

static void geojson_seek(struct source *s)
{
    struct geojson_source *g = (struct geojson_source *)s;
    if (s->mark.record > 0)
        json_split_seek(&g->split, s->mark.offset, s->mark.line);
    g->split.ended = s->mark.part > 0;
}

static void geojson_progress(const struct source *s, uint64_t *done, uint64_t *total)
{
    *done = s->mark.offset;
    *total = ((const struct geojson_source *)s)->blob.bytes.n;
}

static void geojson_free(struct source *s)
{
    struct geojson_source *g = (struct geojson_source *)s;
    blob_close(&g->blob);
    buf_free(&g->scratch.text);
    free(g->fields);
    source_fini(s);
    free(g);
}

static const struct source_ops geojson_ops = {
    .record = geojson_record,
    .seek = geojson_seek,
    .progress = geojson_progress,
    .free = geojson_free,
};

enum status source_open_geojson(struct source **out, const char *name, struct blob *blob,
                                const struct source_options *o, struct why *why)
{
    struct geojson_source *g = mem_zalloc(sizeof *g);
    source_init(&g->source, &geojson_ops, o);
    if (o->mapping && o->mapping->kind != MAPPING_GEOJSON)
        g->source.options.mapping = NULL; /* it is for the tables among the inputs */
    const struct mapping *m = g->source.options.mapping;
    g->blob = *blob;
    g->stem = source_stem(name);
    g->scratch.arena = g->source.out.arena;
    buf_init(&g->scratch.text, 1u << 20);
    g->fields = mem_zalloc(sizeof *g->fields * ((m ? m->fields.count : 0) + 1));
    enum status st = json_split_init(&g->split, g->blob.bytes, why);
    if (st != OK)
        geojson_free(&g->source);
    else
        *out = &g->source;
    return st;
}
