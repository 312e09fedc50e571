/* Columns of one name get a number behind it, so that no member of an object hides another. */
#include "sql/rows.h"

#include <math.h>

static bool taken(const struct rows *r, int before, struct str name)
{
    for (int i = 0; i < before; i++)
        if (str_eq(r->names[i], name))
            return true;
    return false;
}

/* CSV as RFC 4180 has it. */
static void csv_text(struct buf *b, struct str s)
{
    bool quoted = !s.n;
    for (size_t i = 0; i < s.n && !quoted; i++)
        quoted = s.p[i] == '"' || s.p[i] == ',' || s.p[i] == '\n' || s.p[i] == '\r';
    if (!quoted) {
        buf_str(b, s);
        return;
    }
    buf_char(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            buf_char(b, '"');
        buf_char(b, s.p[i]);
    }
    buf_char(b, '"');
}

static void table_begin(struct rows *r)
{
    buf_lit(r->out, "{\"type\":\"table\",\"columns\":[");
    for (int i = 0; i < r->columns; i++) {
        buf_str(r->out, i ? STR(",{\"text\":") : STR("{\"text\":"));
        json_write_str(r->out, r->names[i]);
        buf_char(r->out, '}');
    }
    buf_lit(r->out, "],\"rows\":[");
}

void rows_begin(struct rows *r, sqlite3_stmt *statement, enum sql_format format, struct arena *a, struct buf *out)
{
    *r = (struct rows){.format = format, .statement = statement, .out = out};
    r->columns = sqlite3_column_count(statement);
    r->names = arena_array(a, struct str, (size_t)r->columns);
    for (int i = 0; i < r->columns; i++) {
        struct str name = arena_dup(a, str_of(sqlite3_column_name(statement, i)));
        r->names[i] = name;
        for (int k = 1; taken(r, i, r->names[i]); k++)
            r->names[i] = arena_printf(a, "%.*s:%d", STR_ARG(name), k);
    }
    if (format == SQL_JSON || format == SQL_ARRAYS)
        buf_char(out, '[');
    if (format == SQL_TABLE)
        table_begin(r);
    for (int i = 0; format == SQL_CSV && i < r->columns; i++) {
        if (i)
            buf_char(out, ',');
        csv_text(out, r->names[i]);
    }
    if (format == SQL_CSV)
        buf_lit(out, "\r\n");
}

static void hex(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        buf_printf(b, "%02x", (unsigned char)s.p[i]);
}

static void value_add(struct rows *r, int i)
{
    struct buf *b = r->out;
    bool json = r->format != SQL_CSV;
    int type = sqlite3_column_type(r->statement, i);
    if (type == SQLITE_INTEGER) {
        buf_i64(b, sqlite3_column_int64(r->statement, i));
    } else if (type == SQLITE_FLOAT) {
        double d = sqlite3_column_double(r->statement, i);
        if (isfinite(d))
            buf_double(b, d);
        else
            buf_str(b, json ? STR("null") : d > 0 ? STR("Inf") : STR("-Inf"));
    } else if (type == SQLITE_NULL) {
        buf_str(b, json ? STR("null") : STR(""));
    } else if (type == SQLITE_BLOB) {
        struct str s = {sqlite3_column_blob(r->statement, i), (size_t)sqlite3_column_bytes(r->statement, i)};
        buf_str(b, json ? STR("\"") : STR(""));
        hex(b, s);
        buf_str(b, json ? STR("\"") : STR(""));
    } else {
        struct str s = {(const char *)sqlite3_column_text(r->statement, i), (size_t)sqlite3_column_bytes(r->statement, i)};
        if (json)
            json_write_str(b, s);
        else
            csv_text(b, s);
    }
}

void rows_add(struct rows *r)
{
    static const struct {
        const char *open, *close;
        bool named, apart; /* members, commas between rows */
    } SHAPES[] = {
        [SQL_JSON] = {"{", "}", true, true}, [SQL_CSV] = {"", "\r\n", false, false}, [SQL_LINES] = {"{", "}\n", true, false},
        [SQL_ARRAYS] = {"[", "]", false, true}, [SQL_TABLE] = {"[", "]", false, true},
    };
    struct buf *b = r->out;
    if (r->count++ && SHAPES[r->format].apart)
        buf_char(b, ',');
    buf_str(b, str_of(SHAPES[r->format].open));
    for (int i = 0; i < r->columns; i++) {
        if (i)
            buf_char(b, ',');
        if (SHAPES[r->format].named) {
            json_write_str(b, r->names[i]);
            buf_char(b, ':');
        }
        value_add(r, i);
    }
    buf_str(b, str_of(SHAPES[r->format].close));
}

void rows_end(struct rows *r)
{
    if (r->format == SQL_JSON || r->format == SQL_ARRAYS)
        buf_char(r->out, ']');
    if (r->format == SQL_TABLE)
        buf_lit(r->out, "]}");
}
