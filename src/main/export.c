/* wellspring export: the entities of types, or their history, into a file of CSV or JSON lines.
 *
 * Pages of rows are asked for with SQL and written as they come; after each, the state says what the file has, so that the
 * same command goes on where another was interrupted. Entities are paged by rowid, history entity by entity, by time. */
#include "base/json.h"
#include "base/time.h"
#include "main/command.h"
#include "main/export_state.h"
#include "main/request.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE_ENTITIES = 2000, PAGE_INSTANCES = 20000, PAGE_IDS = 1000, STATEMENT_MAX = 1 << 20, DEPTH_MAX = 64, BAR = 30 };
#define SAVE_EVERY_US INT64_C(500000)

#define HISTORY_COLUMNS                                                                                                \
    "time, entity, type, attribute, dataset, value, number, observedAt, createdAt, modifiedAt, deletedAt, unitCode, instanceId"

struct export {
    struct request *request;
    struct arena *kept, *page;
    const char *type, *from, *to, *context, *path;
    bool history, csv;
    int fd;
    const char *state_path;
    struct export_state state;
    struct buf last, entity, time; /* what the state's strings are of */
    uint64_t total;  /* entities there are; 0: unknown */
    bool header;     /* of CSV: is in the file */
    bool shown;      /* a progress bar */
    int64_t saved_us, started_us;
    uint64_t rows_before;
};

/* ---- arguments ---- */

static bool value_take(struct export *x, const char *name, const char *value)
{
    const struct {
        const char *name;
        const char **to;
    } OPTIONS_OF[] = {{"--type", &x->type}, {"--from", &x->from}, {"--to", &x->to}, {"--context", &x->context}, {"-o", &x->path}};
    if (strcmp(name, "--format") == 0) {
        x->csv = strcmp(value, "csv") == 0;
        return x->csv || strcmp(value, "jsonl") == 0;
    }
    for (size_t i = 0; i < sizeof OPTIONS_OF / sizeof *OPTIONS_OF; i++)
        if (strcmp(name, OPTIONS_OF[i].name) == 0) {
            *OPTIONS_OF[i].to = value;
            return true;
        }
    return false;
}

/* NULL when all is understood, else what is not. */
static const char *export_arguments(struct export *x, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--history") == 0)
            x->history = true;
        else if (i + 1 >= argc || !value_take(x, argv[i], argv[i + 1]))
            return argv[i];
        else
            i++;
    }
    if (!x->path)
        return "without -o FILE, it";
    if (x->csv && !x->history && !x->type)
        return "CSV of several types, whose columns differ,";
    return (x->from || x->to) && !x->history ? "a time without --history" : NULL;
}

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

static enum status write_all(struct export *x, struct str s, struct why *why)
{
    x->state.bytes += s.n;
    while (s.n) {
        ssize_t n = write(x->fd, s.p, s.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return why_set(why, E_IO, NULL, "%s: %s", x->path, strerror(errno));
        s = str_from(s, (size_t)n);
    }
    return OK;
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

/* ---- progress ---- */

static void progress_show(struct export *x, bool last)
{
    if (!x->shown)
        return;
    double seconds = (double)(time_monotonic() - x->started_us) / 1e6;
    double part = x->total ? (double)x->state.entities / (double)x->total : 0;
    part = part > 1 || last ? 1 : part;
    char bar[BAR + 1];
    for (int i = 0; i < BAR; i++)
        bar[i] = i < part * BAR ? '#' : '.';
    bar[BAR] = 0;
    fprintf(stderr, "\r[%s] %3.0f%%  %" PRIu64 " rows  %.0f/s%s", bar, part * 100, x->state.rows,
            seconds > 0 ? (double)(x->state.rows - x->rows_before) / seconds : 0, last ? "\n" : "");
    fflush(stderr);
}

/* After each page. */
static enum status pause_save(struct export *x, bool at_once, struct why *why)
{
    int64_t now = time_monotonic();
    if (!at_once && now - x->saved_us < SAVE_EVERY_US)
        return OK;
    x->saved_us = now;
    progress_show(x, false);
    if (fdatasync(x->fd) != 0 && errno != EINVAL)
        return why_set(why, E_IO, NULL, "%s: %s", x->path, strerror(errno));
    return export_state_save(&x->state, x->state_path, why);
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
    st = write_all(x, buf_view(&out), why);
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

static enum status type_export(struct export *x, struct str type, struct why *why)
{
    struct str columns;
    bool more = true;
    enum status st = columns_ask(x, type, &columns, why);
    while (st == OK && more) {
        arena_reset(x->page);
        st = entities_page(x, type, columns, &more, why);
        if (st == OK)
            st = pause_save(x, false, why);
    }
    return st;
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* All types, in order of names. */
static enum status types_export(struct export *x, struct why *why)
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
        st = type_export(x, names[i], why);
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
    st = write_all(x, header, why);
    if (st == OK && end)
        st = write_all(x, (struct str){begin, (size_t)(end - begin)}, why);
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
            st = pause_save(x, false, why);
    }
    if (st != OK)
        return st;
    x->state.entities++;
    keep(&x->last, x->state.entity, &x->state.last);
    x->state.entity = x->state.time = STR_NONE;
    return pause_save(x, false, why);
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

static enum status history_export(struct export *x, struct why *why)
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

/* ---- the file ---- */

static struct str run_of(const struct export *x)
{
    const char *parts[] = {x->type, x->from, x->to, x->context, x->history ? "history" : NULL, x->csv ? "csv" : "jsonl"};
    struct str run = arena_printf(x->kept, "%.*s %.*s", STR_ARG(request_base(x->request)), STR_ARG(request_tenant(x->request)));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        run = arena_printf(x->kept, "%.*s|%s", STR_ARG(run), parts[i] ? parts[i] : "");
    return run;
}

/* Goes on with what is there, or begins. */
static enum status file_open(struct export *x, struct why *why)
{
    struct str run = run_of(x);
    struct stat at;
    x->state_path = arena_printf(x->kept, "%s.state", x->path).p;
    enum status st = export_state_load(&x->state, x->state_path, x->kept, why);
    bool resumes = st == OK;
    if (st != OK && st != E_NOT_FOUND)
        return st;
    why_clear(why);
    if (resumes && !str_eq(x->state.run, run))
        return why_set(why, E_CONFLICT, NULL, "%s is of another export: remove it to begin anew", x->state_path);
    x->state.run = run;
    x->fd = open(x->path, O_WRONLY | O_CREAT | O_CLOEXEC | (resumes ? 0 : O_EXCL), 0666);
    if (x->fd < 0)
        return why_set(why, E_IO, NULL, "%s: %s", x->path, strerror(errno));
    if (resumes && (fstat(x->fd, &at) != 0 || (uint64_t)at.st_size < x->state.bytes))
        return why_set(why, E_CONFLICT, NULL, "%s is shorter than it was: remove it and %s to begin anew", x->path, x->state_path);
    if (resumes && (ftruncate(x->fd, (off_t)x->state.bytes) != 0 || lseek(x->fd, 0, SEEK_END) < 0))
        return why_set(why, E_IO, NULL, "%s: %s", x->path, strerror(errno));
    x->header = x->state.bytes > 0;
    x->rows_before = x->state.rows;
    return resumes ? OK : export_state_save(&x->state, x->state_path, why);
}

static void total_ask(struct export *x)
{
    struct buf sql;
    if (!x->shown)
        return;
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

static enum status time_check(const char *text, struct why *why)
{
    int64_t us;
    if (!text || time_parse_date(str_of(text), &us) || time_parse_lenient(str_of(text), 0, &us))
        return OK;
    return why_set(why, E_INVALID_REQUEST, NULL, "%s is no time: 2024-01-31 or 2024-01-31T23:59:59Z", text);
}

static enum status export_run(struct export *x, struct why *why)
{
    enum status st = time_check(x->from, why);
    if (st == OK)
        st = time_check(x->to, why);
    if (st == OK)
        st = file_open(x, why);
    if (st != OK)
        return st;
    x->shown = isatty(STDERR_FILENO);
    x->started_us = x->saved_us = time_monotonic();
    total_ask(x);
    st = x->history ? history_export(x, why) : x->type ? type_export(x, str_of(x->type), why) : types_export(x, why);
    if (st != OK) { /* as far as it got */
        struct why second;
        why_clear(&second);
        if (pause_save(x, true, &second) != OK)
            fprintf(stderr, "wellspring: %s\n", second.text);
        return st;
    }
    if (fdatasync(x->fd) != 0 && errno != EINVAL)
        return why_set(why, E_IO, NULL, "%s: %s", x->path, strerror(errno));
    progress_show(x, true);
    unlink(x->state_path);
    fprintf(stderr, "%" PRIu64 " rows of %" PRIu64 " entities in %s\n", x->state.rows, x->state.entities, x->path);
    return OK;
}

int command_export(struct config *config, int argc, char **argv)
{
    struct export x = {.fd = -1};
    struct why why;
    why_clear(&why);
    buf_init(&x.last, STATEMENT_MAX);
    buf_init(&x.entity, STATEMENT_MAX);
    buf_init(&x.time, STATEMENT_MAX);
    x.request = request_new(config, &argc, argv, &why);
    if (!x.request)
        return command_fail(&why);
    x.kept = arena_new(0);
    x.page = arena_new(0);
    const char *wrong = export_arguments(&x, argc, argv);
    enum status st = wrong ? why_set(&why, E_INVALID_REQUEST, NULL, "%s is not understood", wrong) : export_run(&x, &why);
    if (x.fd >= 0)
        close(x.fd);
    request_free(x.request);
    buf_free(&x.last);
    buf_free(&x.entity);
    buf_free(&x.time);
    arena_free(x.kept);
    arena_free(x.page);
    return st == OK ? 0 : wrong ? command_usage(why.text) : command_fail(&why);
}
