/* What an export asks the city for, statement by statement, and the rows that come: entities are paged by rowid, history
 * entity by entity, by time. */
#include "main/export_int.h"

#include "base/json.h"
#include "main/request.h"

#include <inttypes.h>
#include <stdlib.h>

enum { PAGE_ENTITIES = 2000, PAGE_INSTANCES = 20000, PAGE_IDS = 1000, DEPTH_MAX = 64 };

#define HISTORY_COLUMNS                                                                                                \
    "time, entity, type, attribute, dataset, value, number, observedAt, createdAt, modifiedAt, deletedAt, unitCode, instanceId"

/* ---- asking ---- */

static void name_put(struct buf *b, struct str s, char quote)
{
    buf_char(b, quote);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == quote)
            buf_char(b, quote);
        buf_char(b, s.p[i]);
    }
    buf_char(b, quote);
}

static enum status ask(struct export *x, struct buf *sql, bool csv, struct str *body, struct why *why)
{
    struct str headers[3] = {STR("Content-Type: application/sql"), csv ? STR("Accept: text/csv") : STR("Accept: application/x-ndjson")};
    size_t n = 2;
    if (x->context)
        headers[n++] = request_link(x->page, x->context);
    enum status st = request_post(x->request, STR("/sql"), headers, n, buf_view(sql), x->page, body, why);
    buf_free(sql);
    return st;
}

static enum status json_line(struct export *x, struct str line, struct json *out, struct why *why)
{
    struct json_limits limits = {.depth_max = DEPTH_MAX, .bytes_max = line.n + 1};
    return json_read(x->page, line, &limits, out, why);
}

/* The first number of the first row, 0 when there is none. */
static uint64_t count_ask(struct export *x, struct buf *sql)
{
    struct str body;
    struct json v;
    struct why why;
    why_clear(&why);
    if (ask(x, sql, false, &body, &why) != OK || json_line(x, body, &v, &why) != OK || v.kind != JSON_OBJECT || !v.n ||
        v.members[0].value.kind != JSON_INT)
        return 0;
    return (uint64_t)v.members[0].value.integer;
}

void export_pages_total(struct export *x)
{
    struct buf sql;
    buf_init(&sql, STATEMENT_MAX);
    buf_lit(&sql, "SELECT count(*) FROM ");
    if (x->history)
        buf_lit(&sql, "(SELECT DISTINCT entity FROM history)");
    else if (x->type)
        name_put(&sql, str_of(x->type), '"');
    else
        buf_lit(&sql, "(SELECT 1 LIMIT 0)");
    x->total = count_ask(x, &sql);
}

/* ---- rows ---- */

/* Takes a row off the front of *rest, its line's end included. A quoted field of CSV may have lines. */
static bool row_take(struct str *rest, bool csv, struct str *row)
{
    bool quoted = false;
    size_t i = 0;
    while (i < rest->n && (quoted || rest->p[i] != '\n')) {
        quoted = csv && rest->p[i] == '"' ? !quoted : quoted;
        i++;
    }
    *row = str_head(*rest, i + 1);
    *rest = str_from(*rest, i + 1);
    return row->n > 0;
}

/* The first field, which has neither quotes nor commas in it, and what is behind it. */
static struct str key_of(struct str row, bool csv, struct str *behind)
{
    size_t colon = csv ? 0 : str_find_char(row, ':') + 1, end = colon;
    while (end < row.n && row.p[end] != ',' && row.p[end] != '}')
        end++;
    struct str key = str_head(str_from(row, colon), end - colon);
    *behind = str_from(row, end < row.n && row.p[end] == ',' ? end + 1 : end);
    if (key.n >= 2 && key.p[0] == '"')
        key = (struct str){key.p + 1, key.n - 2};
    return key;
}

static void keep(struct buf *b, struct str s, struct str *to)
{
    struct buf fresh;
    buf_init(&fresh, STATEMENT_MAX);
    buf_str(&fresh, s); /* s may be what b has */
    buf_char(&fresh, 0);
    buf_free(b);
    *b = fresh;
    *to = (struct str){b->p, b->n - 1};
}

/* ---- entities ---- */

/* *more: there may be another page. columns: of CSV, as its header names them. */
static enum status entities_page(struct export *x, struct str type, struct str columns, bool *more, struct why *why)
{
    struct buf sql, out;
    struct str body, row, rest;
    uint64_t n = 0;
    buf_init(&sql, STATEMENT_MAX);
    buf_lit(&sql, "SELECT rowid, ");
    name_put(&sql, type, '\'');
    buf_lit(&sql, " AS type, ");
    buf_str(&sql, columns);
    buf_lit(&sql, " FROM ");
    name_put(&sql, type, '"');
    buf_printf(&sql, " WHERE rowid > %.*s ORDER BY rowid LIMIT %d", STR_ARG(str_absent(x->state.last) ? STR("0") : x->state.last),
               PAGE_ENTITIES);
    enum status st = ask(x, &sql, x->csv, &body, why);
    if (st != OK)
        return st;
    buf_init(&out, SIZE_MAX / 2);
    bool header = x->csv;
    struct str last = x->state.last;
    for (rest = body; row_take(&rest, x->csv, &row); header = false) {
        struct str behind, key = key_of(row, x->csv, &behind);
        if (header && x->header)
            continue;
        buf_str(&out, x->csv ? STR("") : STR("{"));
        buf_str(&out, behind);
        if (header)
            continue;
        last = key;
        n++;
    }
    x->header = true;
    st = export_write(x, buf_view(&out), why);
    buf_free(&out);
    if (n)
        keep(&x->last, last, &x->state.last);
    x->state.rows += n;
    x->state.entities += n;
    *more = n == PAGE_ENTITIES;
    return st;
}

/* The columns that a type has now, so that all pages of a CSV have the same. */
static enum status columns_ask(struct export *x, struct str type, struct str *out, struct why *why)
{
    struct buf sql, names;
    struct str body, part;
    *out = STR("*");
    if (!x->csv)
        return OK;
    buf_init(&sql, STATEMENT_MAX);
    buf_lit(&sql, "SELECT * FROM ");
    name_put(&sql, type, '"');
    buf_lit(&sql, " LIMIT 0");
    enum status st = ask(x, &sql, true, &body, why);
    if (st != OK)
        return st;
    buf_init(&names, STATEMENT_MAX);
    body = str_trim(body);
    while (body.n && str_split(&body, ',', &part)) { /* names of attributes have no commas */
        if (names.n)
            buf_lit(&names, ", ");
        name_put(&names, part, '"');
    }
    *out = arena_dup(x->kept, buf_view(&names));
    buf_free(&names);
    return OK;
}

enum status export_pages_type(struct export *x, struct str type, struct why *why)
{
    struct str columns;
    bool more = true;
    enum status st = columns_ask(x, type, &columns, why);
    while (st == OK && more) {
        arena_reset(x->page);
        st = entities_page(x, type, columns, &more, why);
        if (st == OK)
            st = export_pause(x, false, why);
    }
    return st;
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

enum status export_pages_types(struct export *x, struct why *why)
{
    struct str body;
    struct json v;
    struct str link = x->context ? request_link(x->kept, x->context) : STR_NONE;
    enum status st = request_get_with(x->request, STR("/ngsi-ld/v1/types?local=true"), &link, x->context ? 1 : 0, x->kept, &body, why);
    struct json_limits limits = {.depth_max = DEPTH_MAX, .bytes_max = body.n + 1};
    if (st == OK)
        st = json_read(x->kept, body, &limits, &v, why);
    const struct json *list = st == OK ? json_get(&v, STR("typeList")) : NULL;
    uint32_t n = 0, count = json_is(list, JSON_ARRAY) ? list->n : 0;
    struct str *names = arena_array(x->kept, struct str, count);
    for (uint32_t i = 0; i < count; i++)
        if (list->items[i].kind == JSON_STRING)
            names[n++] = list->items[i].string;
    if (n)
        qsort(names, n, sizeof *names, by_name);
    for (uint32_t i = 0; st == OK && i < n; i++) {
        if (!str_absent(x->state.type) && str_cmp(names[i], x->state.type) < 0)
            continue; /* done before */
        if (!str_eq(names[i], x->state.type))
            x->state.last = STR_NONE;
        x->state.type = names[i];
        st = export_pages_type(x, names[i], why);
    }
    return st;
}

/* ---- history ---- */

/* One page of the entity at hand. Rows of the last time of a full page are left to the next, which begins with it. */
static enum status instances_page(struct export *x, uint64_t *limit, bool *more, struct why *why)
{
    struct buf sql;
    struct str body, row, rest, behind, last = STR_NONE, entity = x->state.entity;
    uint64_t n = 0, whole = 0;
    buf_init(&sql, STATEMENT_MAX);
    buf_lit(&sql, "SELECT " HISTORY_COLUMNS " FROM history WHERE entity = ");
    name_put(&sql, entity, '\'');
    if (x->type) {
        buf_lit(&sql, " AND type = ");
        name_put(&sql, str_of(x->type), '\'');
    }
    if (!str_absent(x->state.time) || x->from) {
        buf_lit(&sql, " AND time >= ");
        name_put(&sql, str_absent(x->state.time) ? str_of(x->from) : x->state.time, '\'');
    }
    if (x->to) {
        buf_lit(&sql, " AND time < ");
        name_put(&sql, str_of(x->to), '\'');
    }
    buf_printf(&sql, " ORDER BY time, attribute, dataset LIMIT %" PRIu64, *limit);
    enum status st = ask(x, &sql, x->csv, &body, why);
    if (st != OK)
        return st;
    rest = body;
    struct str header = STR("");
    if (x->csv && row_take(&rest, true, &header) && x->header)
        header = STR("");
    x->header = true;
    const char *begin = rest.p, *end = begin;
    while (row_take(&rest, x->csv, &row)) {
        struct str key = key_of(row, x->csv, &behind);
        if (!str_absent(last) && !str_eq(key, last)) {
            whole = n;
            end = row.p;
        }
        last = key;
        n++;
    }
    *more = n >= *limit;
    if (!*more) {
        whole = n;
        end = begin + (rest.p - begin);
    } else if (!whole) {
        *limit *= 2; /* so many of one time */
    } else {
        keep(&x->time, last, &x->state.time);
        *limit = PAGE_INSTANCES;
    }
    st = export_write(x, header, why);
    if (st == OK && end)
        st = export_write(x, (struct str){begin, (size_t)(end - begin)}, why);
    x->state.rows += whole;
    return st;
}

static enum status entity_export(struct export *x, struct why *why)
{
    uint64_t limit = PAGE_INSTANCES;
    bool more = true;
    enum status st = OK;
    while (st == OK && more) {
        arena_reset(x->page);
        st = instances_page(x, &limit, &more, why);
        if (st == OK && more)
            st = export_pause(x, false, why);
    }
    if (st != OK)
        return st;
    x->state.entities++;
    keep(&x->last, x->state.entity, &x->state.last);
    x->state.entity = x->state.time = STR_NONE;
    return export_pause(x, false, why);
}

/* Ids behind the last; *n: how many. In an arena of their own. */
static enum status ids_ask(struct export *x, struct arena *a, struct str **ids, uint32_t *n, struct why *why)
{
    struct buf sql;
    struct str body, row;
    struct json v;
    buf_init(&sql, STATEMENT_MAX);
    buf_lit(&sql, "SELECT DISTINCT entity FROM history");
    if (!str_absent(x->state.last)) {
        buf_lit(&sql, " WHERE entity > ");
        name_put(&sql, x->state.last, '\'');
    }
    buf_printf(&sql, " ORDER BY entity LIMIT %d", PAGE_IDS);
    enum status st = ask(x, &sql, false, &body, why);
    *n = 0;
    *ids = arena_array(a, struct str, PAGE_IDS);
    while (st == OK && *n < PAGE_IDS && row_take(&body, false, &row)) {
        st = json_line(x, row, &v, why);
        const struct json *id = json_get(&v, STR("entity"));
        if (st == OK && json_is(id, JSON_STRING))
            (*ids)[(*n)++] = arena_dup(a, id->string);
    }
    return st;
}

enum status export_pages_history(struct export *x, struct why *why)
{
    struct arena *a = arena_new(0);
    uint32_t n = 1;
    struct str *ids;
    enum status st = str_absent(x->state.entity) ? OK : entity_export(x, why); /* the one that was begun */
    while (st == OK && n) {
        arena_reset(a);
        arena_reset(x->page);
        st = ids_ask(x, a, &ids, &n, why);
        for (uint32_t i = 0; st == OK && i < n; i++) {
            keep(&x->entity, ids[i], &x->state.entity);
            st = entity_export(x, why);
        }
    }
    arena_free(a);
    return st;
}
