/* Why: cities publish tables as CSV, and the report of an import must name the exact line. The
 * reader walks bytes once; a field is a slice of the text unless it holds doubled quotes.
 *
 * Invariant: c->at is always the first byte of a line and c->line its number. Start at csv_next().
 */
#include "sense/csv.h"

#include "base/arena.h"
#include "sense/utf8.h"

#include <assert.h>
#include <stdlib.h>

void csv_init(struct csv *c, struct str text, char delimiter, const struct csv_limits *limits)
{
    assert(limits->fields_max > 0 && limits->row_bytes_max > 0);
    *c = (struct csv){.text = text, .delimiter = delimiter, .limits = *limits, .line = 1};
    c->fields = mem_alloc(sizeof *c->fields * limits->fields_max);
    buf_init(&c->unquoted, limits->row_bytes_max + 1);
    if (str_starts(text, STR("\xEF\xBB\xBF")))
        c->at = 3;
}

void csv_free(struct csv *c)
{
    free(c->fields);
    buf_free(&c->unquoted);
    *c = (struct csv){0};
}

void csv_seek(struct csv *c, size_t offset, uint64_t line)
{
    assert(offset <= c->text.n);
    c->at = offset;
    c->line = line;
}

/* Moves behind the line end at or after c->at. */
static void csv_skip_line(struct csv *c)
{
    struct str rest = str_from(c->text, c->at);
    size_t end = str_find_char(rest, '\n');
    c->at = end == STR_NPOS ? c->text.n : c->at + end + 1;
    c->line++;
}

/* Length of the line end at offset i: 0 when there is none. */
static size_t csv_line_end(const struct csv *c, size_t i)
{
    if (i < c->text.n && c->text.p[i] == '\n')
        return 1;
    if (i + 1 < c->text.n && c->text.p[i] == '\r' && c->text.p[i + 1] == '\n')
        return 2;
    return 0;
}

/* Reads the field at *i; *i moves behind it, onto a delimiter, a line end or the text's end. */
static struct str csv_plain_field(const struct csv *c, size_t *i, size_t stop)
{
    size_t from = *i, at = from;
    const char *p = c->text.p;
    while (at < stop && p[at] != c->delimiter && p[at] != '\n')
        at++;
    *i = at;
    size_t n = at - from;
    if (at < c->text.n && p[at] == '\n' && n > 0 && p[at - 1] == '\r') {
        n--;
        *i = at - 1;
    }
    return (struct str){p + from, n};
}

/* The same for a field that begins with a quote. *lines counts the line ends inside. */
static enum status csv_quoted_field(struct csv *c, size_t *i, size_t stop, struct str *field,
                                    uint64_t *lines, struct why *why)
{
    const char *p = c->text.p;
    size_t from = *i + 1, at = from, copied = from;
    size_t unquoted_from = c->unquoted.n;
    bool doubled = false;
    for (; at < stop; at++) {
        if (p[at] == '\n')
            ++*lines;
        if (p[at] != '"')
            continue;
        if (at + 1 >= c->text.n || p[at + 1] != '"')
            break;
        buf_put(&c->unquoted, p + copied, at + 1 - copied);
        doubled = true;
        copied = at + 2;
        at++;
    }
    if (at >= stop)
        return why_set(why, E_BAD_DATA, NULL, "a quote is not closed within %zu bytes",
                       stop - c->at);
    if (doubled) {
        buf_put(&c->unquoted, p + copied, at - copied);
        *field = (struct str){c->unquoted.p + unquoted_from, c->unquoted.n - unquoted_from};
    } else {
        *field = (struct str){p + from, at - from};
    }
    *i = at + 1;
    if (*i < c->text.n && p[*i] != c->delimiter && csv_line_end(c, *i) == 0)
        return why_set(why, E_BAD_DATA, NULL, "text follows a closing quote");
    return OK;
}

/* Reads the fields of the row at c->at; *i ends behind its line end. */
static enum status csv_read_fields(struct csv *c, struct csv_row *row, size_t *i, uint64_t *lines,
                                   struct why *why)
{
    size_t stop =
        c->limits.row_bytes_max < c->text.n - c->at ? c->at + c->limits.row_bytes_max : c->text.n;
    for (;;) {
        if (row->count == c->limits.fields_max)
            return why_limit(why, E_LIMIT, NULL, "import.columns", "more than %u fields",
                             c->limits.fields_max);
        struct str *field = &row->fields[row->count];
        if (*i < stop && c->text.p[*i] == '"') {
            enum status st = csv_quoted_field(c, i, stop, field, lines, why);
            if (st != OK)
                return st;
        } else {
            *field = csv_plain_field(c, i, stop);
        }
        row->count++;
        if (*i >= c->text.n)
            break;
        size_t end = csv_line_end(c, *i);
        if (end > 0) {
            *i += end;
            break;
        }
        if (*i >= stop)
            return why_limit(why, E_LIMIT, NULL, "import.row_bytes", "longer than %zu bytes",
                             c->limits.row_bytes_max);
        ++*i; /* the delimiter */
    }
    return OK;
}

enum csv_step csv_next(struct csv *c, struct csv_row *row, struct why *why)
{
    for (size_t end; (end = csv_line_end(c, c->at)) > 0; c->line++)
        c->at += end;
    *row = (struct csv_row){.fields = c->fields, .line = c->line, .offset = c->at};
    if (c->at >= c->text.n)
        return CSV_END;
    /* The buffer must not move while fields borrow from it. */
    buf_clear(&c->unquoted);
    size_t most = c->text.n - c->at;
    buf_reserve(&c->unquoted, most < c->limits.row_bytes_max ? most : c->limits.row_bytes_max);
    size_t i = c->at;
    uint64_t lines = 1;
    if (csv_read_fields(c, row, &i, &lines, why) != OK) {
        csv_skip_line(c);
        return CSV_BAD;
    }
    size_t bad = utf8_find_invalid((struct str){c->text.p + c->at, i - c->at});
    c->at = i;
    c->line += lines;
    if (bad == STR_NPOS)
        return CSV_ROW;
    (void)why_set(why, E_BAD_DATA, NULL, "byte %zu of the row is not UTF-8", bad + 1);
    return CSV_BAD;
}
