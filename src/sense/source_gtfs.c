/* Why: timetables are published as a zip of tables (gtfs.org/schedule/reference). Each table that
 * says where something is, or what is called how, is a CSV with a mapping of ours. Start at
 * gtfs_tables. */
#include "sense/source_impl.h"

#include <stdlib.h>
#include <zip.h>

#define GTFS_TABLE_BYTES_MAX (1u << 30)

/* The tables that become entities, in this order; a mark's part is the index. */
static const struct {
    const char *file;
    const char *mapping;
} gtfs_tables[] = {
    {"stops.txt", "gtfs-stops"},
    {"routes.txt", "gtfs-routes"},
};
#define GTFS_TABLES (sizeof gtfs_tables / sizeof *gtfs_tables)

struct gtfs_source {
    struct source source;
    struct arena *arena;                /* mappings */
    struct source *tables[GTFS_TABLES]; /* NULL: the feed has none */
    uint64_t bytes[GTFS_TABLES];
    struct mapping mappings[GTFS_TABLES];
};

/* Copies what the table's source gave into our own output. */
static void gtfs_take(struct source *s, const struct source_item *item)
{
    struct str id = str_absent(item->id) ? STR_NONE : arena_dup(s->out.arena, item->id);
    s->line = item->line;
    s->mark.sub = 0;
    if (item->why) {
        source_add_reject(s, id, item->why);
        return;
    }
    size_t from = s->out.json.n;
    buf_str(&s->out.json, item->json);
    source_add_entity(s, from, id, item->own_context);
}

static bool gtfs_record(struct source *s)
{
    struct gtfs_source *g = (struct gtfs_source *)s;
    for (; s->mark.part < GTFS_TABLES; s->mark = (struct source_mark){.part = s->mark.part + 1}) {
        struct source_item item;
        struct source *table = g->tables[s->mark.part];
        if (!table || !source_next(table, &item))
            continue;
        uint32_t part = s->mark.part;
        s->part = gtfs_tables[part].file;
        s->mark = item.after;
        s->mark.part = part;
        gtfs_take(s, &item);
        return true;
    }
    return false;
}

static void gtfs_seek(struct source *s)
{
    struct gtfs_source *g = (struct gtfs_source *)s;
    if (s->mark.part < GTFS_TABLES && g->tables[s->mark.part] && s->mark.record > 0) {
        struct source_mark inner = s->mark;
        inner.part = inner.sub = 0;
        source_seek(g->tables[s->mark.part], &inner);
    }
}

static void gtfs_progress(const struct source *s, uint64_t *done, uint64_t *total)
{
    const struct gtfs_source *g = (const struct gtfs_source *)s;
    *done = *total = 0;
    for (uint32_t i = 0; i < GTFS_TABLES; i++) {
        *total += g->bytes[i];
        if (i < s->mark.part)
            *done += g->bytes[i];
    }
    *done += s->mark.offset;
}

static void gtfs_free(struct source *s)
{
    struct gtfs_source *g = (struct gtfs_source *)s;
    for (uint32_t i = 0; i < GTFS_TABLES; i++)
        source_free(g->tables[i]);
    arena_free(g->arena);
    source_fini(s);
    free(g);
}

static const struct source_ops gtfs_ops = {
    .record = gtfs_record,
    .seek = gtfs_seek,
    .progress = gtfs_progress,
    .free = gtfs_free,
};

/* Unpacks one table into memory; an absent one leaves blob->bytes absent. */
static enum status gtfs_unpack(zip_t *zip, const char *name, struct blob *blob, struct why *why)
{
    zip_stat_t st;
    *blob = (struct blob){.bytes = STR_NONE};
    if (zip_stat(zip, name, ZIP_FL_NODIR, &st) != 0)
        return OK;
    if (!(st.valid & ZIP_STAT_SIZE) || st.size > GTFS_TABLE_BYTES_MAX)
        return why_limit(why, E_TOO_LARGE, NULL, "import.file_bytes", "%s is longer than %u bytes",
                         name, GTFS_TABLE_BYTES_MAX);
    zip_file_t *file = zip_fopen_index(zip, st.index, 0);
    if (!file)
        return why_set(why, E_BAD_DATA, NULL, "%s: %s", name, zip_strerror(zip));
    /* Never trust the size in the directory alone: read at most so much, expect exactly so much. */
    char *block = mem_alloc(st.size + 1);
    zip_int64_t n = zip_fread(file, block, st.size + 1);
    zip_fclose(file);
    if (n < 0 || (zip_uint64_t)n != st.size) {
        free(block);
        return why_set(why, E_BAD_DATA, NULL, "%s cannot be unpacked", name);
    }
    blob_take(blob, block, st.size);
    return OK;
}

static enum status gtfs_open_table(struct gtfs_source *g, zip_t *zip, uint32_t i, struct why *why)
{
    struct blob blob;
    enum status st = gtfs_unpack(zip, gtfs_tables[i].file, &blob, why);
    if (st != OK || str_absent(blob.bytes))
        return st;
    g->bytes[i] = blob.bytes.n;
    st = mapping_read(&g->mappings[i], mapping_builtin(str_of(gtfs_tables[i].mapping)), g->arena,
                      why);
    if (st != OK) {
        blob_close(&blob);
        return st;
    }
    return source_open_csv(&g->tables[i], gtfs_tables[i].file, &blob, &g->mappings[i],
                           &g->source.options, why);
}

static enum status gtfs_open_tables(struct gtfs_source *g, struct str bytes, struct why *why)
{
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *memory = zip_source_buffer_create(bytes.p, bytes.n, 0, &error);
    zip_t *zip = memory ? zip_open_from_source(memory, ZIP_RDONLY, &error) : NULL;
    if (!zip) {
        zip_source_free(memory);
        enum status st =
            why_set(why, E_BAD_DATA, NULL, "no zip archive: %s", zip_error_strerror(&error));
        zip_error_fini(&error);
        return st;
    }
    enum status st = OK;
    uint32_t found = 0;
    for (uint32_t i = 0; st == OK && i < GTFS_TABLES; i++) {
        st = gtfs_open_table(g, zip, i, why);
        found += g->tables[i] != NULL;
    }
    zip_discard(zip);
    zip_error_fini(&error);
    if (st == OK && found == 0)
        return why_set(why, E_BAD_DATA, NULL, "no GTFS feed: it has no stops.txt");
    return st;
}

enum status source_open_gtfs(struct source **out, struct blob *blob, const struct source_options *o,
                             struct why *why)
{
    struct gtfs_source *g = mem_zalloc(sizeof *g);
    source_init(&g->source, &gtfs_ops, o);
    g->arena = arena_new(0);
    enum status st = gtfs_open_tables(g, blob->bytes, why);
    blob_close(blob);
    if (st != OK)
        gtfs_free(&g->source);
    else
        *out = &g->source;
    return st;
}
