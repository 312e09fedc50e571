/* Why: a table and a mapping give entities, row by row. Start at csv_record(). */
#include "sense/csv.h"
#include "sense/source_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct csv_source {
    struct source source;
    struct blob blob;
    const struct mapping *mapping;
    struct str stem;
    struct csv csv;
    size_t first_row; /* offset and line behind the header */
    uint64_t first_line;
    uint32_t column_count;
    uint32_t *columns;   /* per field of the mapping: its column */
    struct json *fields; /* the row at hand, as the mapping sees it */
    struct mapping_scratch scratch;
};

static struct csv_source *csv_source_of(struct source *s)
{
    return (struct csv_source *)s;
}

/* A row of another length than the header is refused, as it may be shifted; empty fields behind the
 * last column are taken for a spreadsheet's. */
static bool csv_check_count(const struct csv_source *c, const struct csv_row *row, struct why *why)
{
    uint32_t n = row->count;
    while (n > c->column_count && row->fields[n - 1].n == 0)
        n--;
    if (n == c->column_count)
        return true;
    (void)why_set(why, E_BAD_DATA, NULL, "%u fields where the header has %u", n, c->column_count);
    return false;
}

static void csv_apply_row(struct csv_source *c, const struct csv_row *row)
{
    const struct mapping *m = c->mapping;
    char line[24], number[24];
    struct record r = {.fields = c->fields};
    for (uint32_t i = 0; i < m->fields.count; i++) {
        struct str s = c->columns[i] == FIELD_NONE ? STR("") : row->fields[c->columns[i]];
        c->fields[i] = (struct json){.kind = s.n ? JSON_STRING : JSON_NULL, .string = s};
    }
    r.facts[FACT_FILE] = c->stem;
    r.facts[FACT_LINE] =
        (struct str){line, (size_t)snprintf(line, sizeof line, "%" PRIu64, row->line)};
    r.facts[FACT_RECORD] = (struct str){
        number, (size_t)snprintf(number, sizeof number, "%" PRIu64, c->source.mark.record)};
    source_apply_mapping(&c->source, m, &r, &c->scratch);
}

static bool csv_record(struct source *s)
{
    struct csv_source *c = csv_source_of(s);
    struct csv_row row;
    struct why why;
    why_clear(&why);
    enum csv_step step = csv_next(&c->csv, &row, &why);
    if (step == CSV_END)
        return false;
    s->line = row.line;
    s->mark = (struct source_mark){
        .offset = c->csv.at, .line = c->csv.line, .record = s->mark.record + 1};
    if (step == CSV_BAD || !csv_check_count(c, &row, &why))
        source_add_reject(s, STR_NONE, &why);
    else
        csv_apply_row(c, &row);
    return true;
}

static void csv_source_seek(struct source *s)
{
    struct csv_source *c = csv_source_of(s);
    if (s->mark.record == 0)
        csv_seek(&c->csv, c->first_row, c->first_line);
    else
        csv_seek(&c->csv, s->mark.offset, s->mark.line);
}

static void csv_progress(const struct source *s, uint64_t *done, uint64_t *total)
{
    *done = s->mark.offset;
    *total = ((const struct csv_source *)s)->blob.bytes.n;
}

static void csv_source_free(struct source *s)
{
    struct csv_source *c = csv_source_of(s);
    csv_free(&c->csv);
    blob_close(&c->blob);
    buf_free(&c->scratch.text);
    free(c->columns);
    free(c->fields);
    source_fini(s);
    free(c);
}

static const struct source_ops csv_ops = {
    .record = csv_record,
    .seek = csv_source_seek,
    .progress = csv_progress,
    .free = csv_source_free,
};

static bool csv_is_optional(const struct mapping *m, struct str name)
{
    for (uint32_t i = 0; i < m->optional_count; i++)
        if (str_eq(m->optional[i], name))
            return true;
    return false;
}

/* Finds every column that the mapping uses; FIELD_NONE for an optional one that is not there. */
static enum status csv_bind(struct csv_source *c, const struct str *names, uint32_t count,
                            struct why *why)
{
    const struct field_names *f = &c->mapping->fields;
    c->column_count = count;
    c->columns = mem_alloc(sizeof *c->columns * (f->count + 1));
    c->fields = mem_alloc(sizeof *c->fields * (f->count + 1));
    for (uint32_t i = 0; i < f->count; i++) {
        uint32_t column = 0;
        while (column < count && !str_eq(str_trim(names[column]), f->names[i]))
            column++;
        if (column == count && !csv_is_optional(c->mapping, f->names[i]))
            return why_set(why, E_BAD_DATA, NULL, "the header has no column \"%.*s\"",
                           STR_ARG(f->names[i]));
        c->columns[i] = column == count ? FIELD_NONE : column;
    }
    return OK;
}

static enum status csv_begin(struct csv_source *c, struct why *why)
{
    const struct mapping *m = c->mapping;
    struct csv_row header;
    enum status st = OK;
    if (!str_absent(m->encoding)) {
        char encoding[64];
        snprintf(encoding, sizeof encoding, "%.*s", STR_ARG(m->encoding));
        st = blob_decode(&c->blob, encoding, SIZE_MAX / 2, why);
    }
    const struct source_limits *l = &c->source.options.limits;
    csv_init(
        &c->csv, c->blob.bytes, m->delimiter,
        &(struct csv_limits){.row_bytes_max = l->record_bytes_max, .fields_max = l->fields_max});
    if (st != OK)
        return st;
    if (m->column_count > 0) {
        st = csv_bind(c, m->columns, m->column_count, why);
    } else {
        enum csv_step step = csv_next(&c->csv, &header, why);
        if (step == CSV_END)
            return why_set(why, E_BAD_DATA, NULL, "the file is empty");
        st = step == CSV_BAD ? why->status : csv_bind(c, header.fields, header.count, why);
    }
    c->first_row = c->csv.at;
    c->first_line = c->csv.line;
    return st;
}

enum status source_open_csv(struct source **out, const char *name, struct blob *blob,
                            const struct mapping *m, const struct source_options *o,
                            struct why *why)
{
    if (!m || m->kind != MAPPING_CSV) {
        blob_close(blob);
        return why_set(
            why, E_BAD_DATA, NULL,
            "a table needs a mapping for CSV: --mapping FILE or the name of a built-in one");
    }
    struct csv_source *c = mem_zalloc(sizeof *c);
    source_init(&c->source, &csv_ops, o);
    c->blob = *blob;
    c->mapping = m;
    c->stem = source_stem(name);
    c->scratch.arena = c->source.out.arena;
    buf_init(&c->scratch.text, 1u << 20);
    enum status st = csv_begin(c, why);
    if (st != OK)
        csv_source_free(&c->source);
    else
        *out = &c->source;
    return st;
}
