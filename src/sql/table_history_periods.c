/* history_periods: a row for each period in which a series has instances, with what they amount to (CIM 009 clause 4.5.19).
 * SQLite does not hand aggregates to a table, so they are columns here: which are read is what the store works out, and
 * where a chunk of history lies in one period its header is enough.
 *
 * Conditions on time, period and timeproperty say what is worked out, so they must be known before: a plan in which one is
 * not is refused. */
#include "base/hash.h"
#include "model/aggregate.h"
#include "sql/series.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH_MAX = 32, TEXT_MAX = 4096 };

/* Behind enum series_column; from TOTAL on as enum aggregate_method. */
enum column { TIME = SERIES_COLUMNS, UNTIL, PERIOD, PROPERTY, METHODS, COLUMNS = METHODS + AGGREGATE_METHOD_COUNT };

#define DECLARATION                                                                                                    \
    "CREATE TABLE x(entity TEXT, type TEXT, attribute TEXT, dataset TEXT, time TEXT COLLATE TIME, "                    \
    "until TEXT COLLATE TIME, period TEXT, timeproperty TEXT, "

struct cursor {
    struct series_cursor rows;   /* first */
    struct push_range times;
    struct str period, property; /* as given; absent: not given */
};

static struct str column_name(int column)
{
    static const char *const NAMES[METHODS] = {"entity", "type", "attribute", "dataset", "time", "until", "period", "timeproperty"};
    return str_of(column < METHODS ? NAMES[column] : aggregate_name(column - METHODS));
}

/* ---- plans ---- */

static bool decides(int column)
{
    return column == TIME || column == PERIOD || column == PROPERTY;
}

static bool pushed(sqlite3_index_info *info, int i, enum push_op op)
{
    int column = info->aConstraint[i].iColumn;
    if (column < 0 || op >= PUSH_HAS)
        return false;
    if (column < SERIES_COLUMNS)
        return series_pushed(info, i, op);
    if (column == TIME)
        return push_compares(info, i, "TIME");
    return (column == PERIOD || column == PROPERTY) && op == PUSH_EQ && push_compares(info, i, "BINARY");
}

/* Which methods the statement reads; the number is always known, and every series has it. */
static int methods_of(const sqlite3_index_info *info)
{
    uint32_t methods = AGGREGATE_BIT(AGGREGATE_TOTAL_COUNT);
    for (int m = 0; m < AGGREGATE_METHOD_COUNT; m++)
        if (info->colUsed >> (METHODS + m) & 1)
            methods |= AGGREGATE_BIT(m);
    return (int)methods;
}

static int table_plan(sqlite3_vtab *v, sqlite3_index_info *info)
{
    struct buf text;
    double rows = 1e6;
    int arguments = 0;
    (void)v;
    buf_init(&text, TEXT_MAX);
    for (int i = 0; i < info->nConstraint; i++) {
        int column = info->aConstraint[i].iColumn;
        enum push_op op = push_op_of(info, i);
        if (!info->aConstraint[i].usable) {
            if (decides(column) && op < PUSH_HAS) {
                buf_free(&text);
                return SQLITE_CONSTRAINT;
            }
            continue;
        }
        if (!pushed(info, i, op))
            continue;
        push_write(&text, column_name(column), op);
        info->aConstraintUsage[i].argvIndex = ++arguments;
        info->aConstraintUsage[i].omit = column == SERIES_TYPE || column == SERIES_ATTRIBUTE; /* rows show the name that was given */
        rows *= column < SERIES_COLUMNS ? series_share((enum series_column)column, op) : 0.5;
    }
    info->idxNum = methods_of(info);
    info->estimatedRows = (sqlite3_int64)rows + 1;
    info->estimatedCost = rows * 40 + 1000;
    return push_take(&text, info);
}

/* ---- what is asked for ---- */

static void want_text(struct cursor *c, struct str *to, sqlite3_value *v)
{
    struct str text = {(const char *)sqlite3_value_text(v), (size_t)sqlite3_value_bytes(v)};
    if (str_absent(text) || (!str_absent(*to) && !str_eq(*to, text)))
        c->rows.wanted.none = true; /* nothing equals null, or two texts */
    else
        *to = arena_dup(c->rows.base.plan, text);
}

static void want(struct cursor *c, struct str text, sqlite3_value **values)
{
    struct push p;
    for (int n = 0; push_read(&text, &p); n++) {
        int column = 0;
        while (column < COLUMNS && !str_eq(column_name(column), p.column))
            column++;
        if (column < SERIES_COLUMNS)
            series_want(&c->rows.wanted, (enum series_column)column, p.op, values[n]);
        else if (column == TIME)
            push_time(&c->times, p.op, values[n]);
        else
            want_text(c, column == PERIOD ? &c->period : &c->property, values[n]);
    }
}

static struct str methods_text(struct arena *a, uint32_t methods)
{
    struct str text = STR("");
    for (int m = 0; m < AGGREGATE_METHOD_COUNT; m++)
        if (methods & AGGREGATE_BIT(m))
            text = arena_printf(a, "%.*s%s%s", STR_ARG(text), text.n ? "," : "", aggregate_name(m));
    return text;
}

/* The same words, and refusals, as of a temporal query. */
static int want_time(struct cursor *c, uint32_t methods, struct session *s)
{
    struct push_range r = c->times;
    char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
    struct temporal_limits limits = {.last_n_max = 1, .buckets_max = s->options->periods_max};
    struct temporal_words w = {.timeproperty = c->property,
                               .aggr_methods = methods_text(c->rows.base.plan, methods),
                               .aggr_period_duration = c->period,
                               .aggregated = true};
    struct why why;
    why_clear(&why);
    if (r.from_us >= r.to_us)
        c->rows.wanted.none = true;
    if (r.from_us > INT64_MIN && r.to_us < INT64_MAX && !c->rows.wanted.none) {
        w.timerel = STR("between");
        w.time_at = (struct str){from, time_format(r.from_us, from)};
        w.end_time_at = (struct str){to, time_format(r.to_us, to)};
    }
    enum status st = temporal_read(&w, &limits, &c->rows.time, &why);
    c->rows.time.by_place = str_absent(c->property);
    c->rows.time.must_have = !c->rows.time.by_place;
    c->rows.time.from_us = r.from_us;
    c->rows.time.to_us = r.to_us;
    return st == OK ? SQLITE_OK : session_fail(s, &c->rows.base.base.pVtab->zErrMsg, st, &why);
}

/* ---- reading ---- */

/* The next series that have periods, or none when all have been read. */
static int page_read(struct series_cursor *rows)
{
    struct cursor *c = (struct cursor *)rows;
    sqlite3_vtab *table = rows->base.base.pVtab;
    struct session *s = ((struct table *)table)->session;
    int code = SQLITE_OK;
    rows->count = rows->e = rows->s = rows->p = 0;
    while (code == SQLITE_OK && !rows->count && rows->next < rows->wanted.id_count) {
        uint32_t left = rows->wanted.id_count - rows->next, n = left < rows->batch ? left : rows->batch;
        arena_reset(rows->base.page);
        struct store_evolve v = series_evolve(&rows->wanted, s, rows->next, n, rows->base.page);
        v.time = &rows->time;
        v.buckets_max = s->options->periods_max;
        v.distinct_max = s->options->values_max;
        code = series_read(&v, table, s);
        rows->evolutions = v.evolutions;
        rows->count = v.evolution_count;
        rows->next += n;
        rows->batch = c->period.n ? 1 : rows->batch * 2 < BATCH_MAX ? rows->batch * 2 : BATCH_MAX;
    }
    return code;
}

/* ---- cursors ---- */

static int table_connect(sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **out, char **error)
{
    struct buf b;
    (void)db;
    (void)argc;
    (void)argv;
    (void)error;
    buf_init(&b, TEXT_MAX);
    buf_lit(&b, DECLARATION);
    for (int m = 0; m < AGGREGATE_METHOD_COUNT; m++)
        buf_printf(&b, "%s\"%s\"", m ? ", " : "", aggregate_name(m));
    buf_put(&b, ")", 2);
    int code = table_connect_declared(aux, b.p, sizeof(struct cursor), out);
    buf_free(&b);
    return code;
}

static int cursor_filter(sqlite3_vtab_cursor *base, int number, const char *text, int count, sqlite3_value **values)
{
    struct cursor *c = (struct cursor *)base;
    struct session *s = ((struct table *)base->pVtab)->session;
    (void)count;
    table_cursor_reset(base);
    c->rows.wanted = (struct series_wanted){.plan = c->rows.base.plan};
    c->times = (struct push_range){INT64_MIN, INT64_MAX};
    c->rows.batch = 1;
    want(c, str_of(text), values);
    int code = want_time(c, (uint32_t)number, s);
    if (code == SQLITE_OK)
        code = series_find(&c->rows.wanted, base->pVtab, s);
    if (code == SQLITE_OK && !c->rows.wanted.none)
        code = page_read(&c->rows);
    return code == SQLITE_OK ? series_settle(&c->rows, page_read) : code;
}

static int cursor_next(sqlite3_vtab_cursor *base)
{
    struct cursor *c = (struct cursor *)base;
    c->rows.p++;
    return series_settle(&c->rows, page_read);
}

static int cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *out, int i)
{
    const struct cursor *c = (const struct cursor *)base;
    const struct session *s = ((const struct table *)base->pVtab)->session;
    const struct evolution *e = &c->rows.evolutions[c->rows.e];
    const struct series *series = &e->series[c->rows.s];
    const struct aggregate_period *p = aggregates_period(series->aggregates, c->rows.p);
    if (i < SERIES_COLUMNS) {
        series_show(out, s, &c->rows.wanted, e, series, (enum series_column)i);
    } else if (i == TIME || i == UNTIL) {
        table_time(out, i == TIME ? p->from_us : p->to_us);
    } else if (i == PERIOD) {
        table_text(out, c->period);
    } else if (i == PROPERTY) {
        table_text(out, c->property);
    } else if (p->values[i - METHODS].there) {
        table_value(out, s, &(struct attr){.kind = ATTR_PROPERTY, .value = p->values[i - METHODS].value});
    }
    return SQLITE_OK;
}

static int cursor_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
    const struct cursor *c = (const struct cursor *)base;
    const struct evolution *e = &c->rows.evolutions[c->rows.e];
    const struct series *s = &e->series[c->rows.s];
    uint64_t h = hash_u64(hash_str(e->id) ^ s->term);
    h = hash_u64(h ^ hash_str(s->dataset));
    *out = (sqlite3_int64)hash_u64(h ^ (uint64_t)aggregates_period(s->aggregates, c->rows.p)->from_us);
    return SQLITE_OK;
}

const sqlite3_module TABLE_HISTORY_PERIODS = {
    .xConnect = table_connect,
    .xBestIndex = table_plan,
    .xDisconnect = table_disconnect,
    .xOpen = table_cursor_open,
    .xClose = table_cursor_close,
    .xFilter = cursor_filter,
    .xNext = cursor_next,
    .xEof = series_eof,
    .xColumn = cursor_column,
    .xRowid = cursor_rowid,
};
