/* Why: CSV, GeoJSON, NGSI-LD and GTFS look the same to whoever sends entities on. A kind of source
 * reads one record into `out`; here its entities are dealt out and marks are kept.
 *
 * Invariant: entries before `next` have been handed out; `before` is the mark of their record, and
 * `mark` the one behind it. */
#include "sense/source.h"

#include "sense/json_split.h"
#include "sense/source_impl.h"

#include <assert.h>
#include <stdlib.h>
#include <strings.h>

const struct source_limits source_limits_preset = {
    .record_bytes_max = 64u << 20,
    .output_bytes_max = 512u << 20,
    .fields_max = 4096,
};

void source_init(struct source *s, const struct source_ops *ops,
                 const struct source_options *options)
{
    s->ops = ops;
    s->options = *options;
    s->mark = (struct source_mark){.line = 1};
    buf_init(&s->out.json, options->limits.output_bytes_max);
    s->out.arena = arena_new(0);
}

void source_fini(struct source *s)
{
    buf_free(&s->out.json);
    arena_free(s->out.arena);
    free(s->out.entries);
}

void source_free(struct source *s)
{
    if (s)
        s->ops->free(s);
}

static struct source_entry *source_add(struct source *s)
{
    struct source_output *o = &s->out;
    if (o->count == o->cap) {
        o->cap = o->cap ? o->cap * 2 : 16;
        o->entries = mem_realloc(o->entries, o->cap * sizeof *o->entries);
    }
    return &o->entries[o->count++];
}

void source_add_entity(struct source *s, size_t from, struct str id, bool own_context)
{
    *source_add(s) = (struct source_entry){
        .from = from, .n = s->out.json.n - from, .id = id, .own_context = own_context};
}

void source_add_reject(struct source *s, struct str id, const struct why *why)
{
    struct why *kept = arena_array(s->out.arena, struct why, 1);
    *kept = *why;
    *source_add(s) = (struct source_entry){.id = id, .why = kept};
}

void source_apply_mapping(struct source *s, const struct mapping *m, const struct record *r,
                          struct mapping_scratch *scratch)
{
    uint32_t count = s->out.count;
    size_t from = s->out.json.n;
    for (uint32_t i = 0; i < m->entity_count; i++) {
        struct str id = STR_NONE;
        struct why why;
        size_t at = s->out.json.n;
        why_clear(&why);
        enum status st = mapping_apply(m, &m->entities[i], r, scratch, &s->out.json, &id, &why);
        if (st == OK) {
            source_add_entity(s, at, id, !str_absent(m->context));
            if (str_absent(m->context) && !str_absent(s->options.context))
                source_put_context(s, s->options.context);
        } else if (st != E_NOT_FOUND) {
            s->out.count = count;
            s->out.json.n = from;
            s->out.json.full = false;
            source_add_reject(s, id, &why);
            return;
        }
    }
}

void source_put_context(struct source *s, struct str context)
{
    struct source_entry *e = &s->out.entries[s->out.count - 1];
    struct buf *b = &s->out.json;
    assert(b->n > 0 && b->p[b->n - 1] == '}');
    b->n--;
    buf_lit(b, ",\"@context\":");
    buf_str(b, context);
    buf_char(b, '}');
    e->n = b->n - e->from;
    e->own_context = true;
}

/* Reads records until one gives something. */
static bool source_fill(struct source *s)
{
    while (s->next == s->out.count) {
        arena_reset(s->out.arena);
        buf_clear(&s->out.json);
        s->out.count = s->next = 0;
        uint32_t done = s->mark.sub;
        s->mark.sub = 0;
        s->before = s->mark;
        if (!s->ops->record(s))
            return false;
        s->next = done < s->out.count ? done : s->out.count;
    }
    return true;
}

bool source_next(struct source *s, struct source_item *item)
{
    if (!source_fill(s))
        return false;
    const struct source_entry *e = &s->out.entries[s->next++];
    *item = (struct source_item){
        .id = e->id, .part = s->part, .line = s->line, .why = e->why, .after = s->mark};
    if (!e->why) {
        item->json = (struct str){s->out.json.p + e->from, e->n};
        item->own_context = e->own_context;
    }
    if (s->next < s->out.count) {
        item->after = s->before;
        item->after.sub = s->next;
    }
    return true;
}

void source_seek(struct source *s, const struct source_mark *mark)
{
    assert(s->out.count == 0);
    s->mark = *mark;
    s->ops->seek(s);
}

void source_progress(const struct source *s, uint64_t *done, uint64_t *total)
{
    s->ops->progress(s, done, total);
}

/* ---- opening ---- */

struct str source_stem(const char *name)
{
    const char *slash = strrchr(name, '/');
    struct str s = str_of(slash ? slash + 1 : name);
    for (size_t i = s.n; i-- > 1;)
        if (s.p[i] == '.')
            return str_head(s, i);
    return s;
}

enum source_kind { SOURCE_UNKNOWN, SOURCE_CSV, SOURCE_JSON, SOURCE_ZIP };

static enum source_kind source_kind_of(const char *name)
{
    static const struct {
        const char *extension;
        enum source_kind kind;
    } kinds[] = {
        {".csv", SOURCE_CSV},     {".json", SOURCE_JSON},  {".jsonld", SOURCE_JSON},
        {".zip", SOURCE_ZIP},     {".jsonl", SOURCE_JSON}, {".geojson", SOURCE_JSON},
        {".ndjson", SOURCE_JSON},
    };
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t m = strlen(kinds[i].extension);
        if (n > m && strcasecmp(name + n - m, kinds[i].extension) == 0)
            return kinds[i].kind;
    }
    return SOURCE_UNKNOWN;
}

bool source_knows_name(const char *name)
{
    return source_kind_of(name) != SOURCE_UNKNOWN;
}

/* A JSON text holds entities or features; its beginning tells which. */
static enum status source_open_json(struct source **out, const char *name, struct blob *blob,
                                    const struct source_options *o, struct why *why)
{
    struct json_split split;
    if (json_split_init(&split, blob->bytes, why) != OK) {
        blob_close(blob);
        return why->status;
    }
    if (split.form == JSON_SPLIT_FEATURES || split.feature ||
        (o->mapping && o->mapping->kind == MAPPING_GEOJSON))
        return source_open_geojson(out, name, blob, o, why);
    return source_open_ngsild(out, blob, o, why);
}

enum status source_open(struct source **out, const char *name, struct blob *blob,
                        const struct source_options *options, struct why *why)
{
    switch (source_kind_of(name)) {
    case SOURCE_CSV:
        return source_open_csv(out, name, blob, options->mapping, options, why);
    case SOURCE_JSON:
        return source_open_json(out, name, blob, options, why);
    case SOURCE_ZIP:
        return source_open_gtfs(out, blob, options, why);
    case SOURCE_UNKNOWN:
        break;
    }
    blob_close(blob);
    return why_set(
        why, E_NOT_SUPPORTED, NULL,
        "the name does not end in .csv, .json, .jsonld, .jsonl, .ndjson, .geojson or .zip");
}
