/* history: a row for each instance of each attribute, and of each scope, that entities had or have, those that are
 * gone included. Rows come by entity, attribute, dataset, time.
 *
 * First the ids are found, then their instances are read a few entities, or a part of one, at a time. */
#include "base/hash.h"
#include "sql/series.h"

#include <stdlib.h>
#include <string.h>

enum {
    BATCH_MAX = 64,        /* entities read together */
    POINTS_FIRST = 1 << 16,  /* instances read together */
    POINTS_MAX = 1 << 24,  /* of one microsecond */
    TEXT_MAX = 4096,
};

/* Behind enum series_column. */
enum column { TIME = SERIES_COLUMNS, VALUE, NUMBER, OBSERVED, CREATED, MODIFIED, DELETED, UNIT, INSTANCE, COLUMNS };

static const char *const NAMES[COLUMNS] = {"entity",     "type",      "attribute",  "dataset",   "time",     "value",     "number",
                                           "observedAt", "createdAt", "modifiedAt", "deletedAt", "unitCode", "instanceId"};

#define DECLARATION                                                                                                    \
    "CREATE TABLE x(entity TEXT, type TEXT, attribute TEXT, dataset TEXT, time TEXT COLLATE TIME, value, number, "     \
    "observedAt TEXT COLLATE TIME, createdAt TEXT COLLATE TIME, modifiedAt TEXT COLLATE TIME, "                        \
    "deletedAt TEXT COLLATE TIME, unitCode TEXT, instanceId TEXT)"

struct cursor {
    struct series_cursor rows; /* first */
    bool distinct;             /* one row an entity is enough */
    struct push_range times[COLUMNS];
    int64_t from_us;           /* of the part of the one at next that is read next */
    uint64_t points;           /* at most, together */
};

/* ---- plans ---- */

static bool is_time(int column)
{
    return column == TIME || (column >= OBSERVED && column <= DELETED);
}

/* taken: the property of instances that is asked about already. */
static bool pushed(sqlite3_index_info *info, int i, int *taken, enum push_op *op)
{
    int column = info->aConstraint[i].iColumn;
    *op = push_op_of(info, i);
    if (!info->aConstraint[i].usable || *op >= PUSH_HAS || column < 0)
        return false;
    if (column < SERIES_COLUMNS)
        return series_pushed(info, i, *op);
    if (!is_time(column) || !push_compares(info, i, "TIME") || (*taken >= 0 && *taken != column))
        return false;
    *taken = column;
    return true;
}

/* TIME first: it is what rows are read by. */
static int property_of(const sqlite3_index_info *info)
{
    for (int i = 0; i < info->nConstraint; i++)
        if (info->aConstraint[i].usable && info->aConstraint[i].iColumn == TIME)
            return TIME;
    return -1;
}

static bool one_an_entity(sqlite3_index_info *info, bool all_pushed)
{
    return all_pushed && sqlite3_vtab_distinct(info) >= 2 && info->nOrderBy == 1 && info->aOrderBy[0].iColumn == SERIES_ENTITY &&
           !info->aOrderBy[0].desc && info->colUsed == UINT64_C(1) << SERIES_ENTITY;
}

static int table_plan(sqlite3_vtab *v, sqlite3_index_info *info)
{
    struct buf text;
    double rows = 1e7;
    int arguments = 0, taken = property_of(info);
    bool all = true;
    (void)v;
    buf_init(&text, TEXT_MAX);
    for (int i = 0; i < info->nConstraint; i++) {
        enum push_op op;
        int column = info->aConstraint[i].iColumn;
        if (!pushed(info, i, &taken, &op)) {
            all = false;
            continue;
        }
        push_write(&text, str_of(NAMES[column]), op);
        info->aConstraintUsage[i].argvIndex = ++arguments;
        info->aConstraintUsage[i].omit = column == SERIES_TYPE || column == SERIES_ATTRIBUTE; /* rows show the name that was given */
        rows *= column < SERIES_COLUMNS ? series_share((enum series_column)column, op) : 0.3;
    }
    if (info->nOrderBy == 1 && info->aOrderBy[0].iColumn == SERIES_ENTITY && !info->aOrderBy[0].desc)
        info->orderByConsumed = 1;
    info->idxNum = one_an_entity(info, all);
    if (info->idxNum)
        buf_str(&text, text.n ? STR(", one row an entity") : STR("one row an entity"));
    info->estimatedRows = (sqlite3_int64)rows + 1;
    info->estimatedCost = rows * 4 + 1000;
    return push_take(&text, info);
}

/* ---- what is asked for ---- */

static uint32_t column_find(struct str name)
{
    uint32_t i = 0;
    while (i < COLUMNS && !str_eq(str_of(NAMES[i]), name))
        i++;
    return i;
}

static void want(struct cursor *c, struct str text, sqlite3_value **values)
{
    struct push p;
    for (uint32_t i = 0; i < COLUMNS; i++)
        c->times[i] = (struct push_range){INT64_MIN, INT64_MAX};
    for (int n = 0; push_read(&text, &p); n++) {
        uint32_t column = column_find(p.column);
        if (column < SERIES_COLUMNS)
            series_want(&c->rows.wanted, (enum series_column)column, p.op, values[n]);
        else if (column < COLUMNS)
            push_time(&c->times[column], p.op, values[n]);
    }
}

/* Of the columns with a range, the one that the store is asked about. */
static void want_time(struct cursor *c)
{
    static const struct {
        uint8_t column, property;
    } BY[] = {{OBSERVED, TIME_OBSERVED_AT}, {CREATED, TIME_CREATED_AT}, {MODIFIED, TIME_MODIFIED_AT}, {DELETED, TIME_DELETED_AT}};
    const struct push_range *r = &c->times[TIME];
    c->rows.time = (struct temporal_query){.by_place = true, .from_us = r->from_us, .to_us = r->to_us};
    for (size_t i = 0; i < sizeof BY / sizeof *BY && r->from_us == INT64_MIN && r->to_us == INT64_MAX; i++) {
        r = &c->times[BY[i].column];
        if (r->from_us != INT64_MIN || r->to_us != INT64_MAX)
            c->rows.time = (struct temporal_query){
                .property = BY[i].property, .must_have = true, .from_us = r->from_us, .to_us = r->to_us};
    }
    c->rows.time.last_n = c->distinct;
    c->rows.wanted.none |= c->rows.time.from_us >= c->rows.time.to_us;
}

/* ---- reading ---- */

static int batch_read(struct cursor *c, uint32_t n, bool *partial, int64_t *first_us, int64_t *last_us)
{
    sqlite3_vtab *table = c->rows.base.base.pVtab;
    struct session *s = ((struct table *)table)->session;
    struct temporal_query time = c->rows.time;
    time.from_us = c->from_us;
    arena_reset(c->rows.base.page);
    struct store_evolve v = series_evolve(&c->rows.wanted, s, c->rows.next, n, c->rows.base.page);
    v.time = &time;
    v.points_max = c->points;
    int code = series_read(&v, table, s);
    c->rows.evolutions = v.evolutions;
    c->rows.count = v.evolution_count;
    *partial = v.partial;
    *first_us = v.first_us;
    *last_us = v.last_us;
    return code;
}

/* The next instances, or none when all have been read. */
static int page_read(struct series_cursor *rows)
{
    struct cursor *c = (struct cursor *)rows;
    rows->count = rows->e = rows->s = rows->p = 0;
    while (!rows->count && rows->next < rows->wanted.id_count) {
        uint32_t left = rows->wanted.id_count - rows->next, n = left < rows->batch ? left : rows->batch;
        bool partial;
        int64_t first_us, last_us;
        int code = batch_read(c, n, &partial, &first_us, &last_us);
        if (code != SQLITE_OK)
            return code;
        if (partial && (n > 1 || (first_us == last_us && c->points < POINTS_MAX))) {
            if (n == 1)
                c->points *= 2; /* so many of one time must be read together */
            rows->batch = 1;
            rows->count = 0;
        } else if (partial) {
            c->from_us = last_us + 1;
        } else {
            rows->batch = rows->batch * 2 < BATCH_MAX ? rows->batch * 2 : BATCH_MAX;
            c->from_us = rows->time.from_us;
            c->points = POINTS_FIRST;
            rows->next += n;
        }
    }
    return SQLITE_OK;
}

/* ---- cursors ---- */

static int table_connect(sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **out, char **error)
{
    (void)db;
    (void)argc;
    (void)argv;
    (void)error;
    return table_connect_declared(aux, DECLARATION, sizeof(struct cursor), out);
}

static int cursor_filter(sqlite3_vtab_cursor *base, int number, const char *text, int count, sqlite3_value **values)
{
    struct cursor *c = (struct cursor *)base;
    (void)count;
    table_cursor_reset(base);
    c->rows.wanted = (struct series_wanted){.plan = c->rows.base.plan};
    c->distinct = number != 0;
    c->rows.batch = 1;
    c->points = POINTS_FIRST;
    want(c, str_of(text), values);
    want_time(c);
    c->from_us = c->rows.time.from_us;
    int code = series_find(&c->rows.wanted, base->pVtab, ((struct table *)base->pVtab)->session);
    if (code != SQLITE_OK || c->rows.wanted.none)
        return code;
    code = page_read(&c->rows);
    return code == SQLITE_OK ? series_settle(&c->rows, page_read) : code;
}

static int cursor_next(sqlite3_vtab_cursor *base)
{
    struct cursor *c = (struct cursor *)base;
    if (c->distinct) {
        c->rows.s = c->rows.evolutions[c->rows.e].count;
        c->rows.p = 0;
    } else {
        c->rows.p++;
    }
    return series_settle(&c->rows, page_read);
}

static void instance_show(sqlite3_context *out, const struct session *s, const struct evolution *e, const struct point *p)
{
    char id[INSTANCE_ID_MAX];
    if (p->attr.term == TERM_SCOPE)
        return; /* has none (clause 4.5.6) */
    struct str iri = terms_iri(s->options->terms, p->attr.term);
    size_t n = instance_id_write(e->id, iri, p->attr.dataset, p->attr.seq, p->index, id);
    table_text(out, (struct str){id, n});
}

static int cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *out, int i)
{
    static const uint8_t PROPERTY[COLUMNS] = {
        [OBSERVED] = TIME_OBSERVED_AT, [CREATED] = TIME_CREATED_AT, [MODIFIED] = TIME_MODIFIED_AT, [DELETED] = TIME_DELETED_AT};
    const struct cursor *c = (const struct cursor *)base;
    const struct session *s = ((const struct table *)base->pVtab)->session;
    const struct evolution *e = &c->rows.evolutions[c->rows.e];
    const struct series *series = &e->series[c->rows.s];
    const struct point *p = &series->points[c->rows.p];
    uint8_t kind = p->attr.value.kind;
    if (i < SERIES_COLUMNS) {
        series_show(out, s, &c->rows.wanted, e, series, (enum series_column)i);
        return SQLITE_OK;
    }
    switch ((enum column)i) {
    case TIME:
        table_time(out, point_place(p));
        break;
    case NUMBER:
        if (kind != VALUE_INT && kind != VALUE_REAL && kind != VALUE_BOOL)
            break;
        /* fallthrough */
    case VALUE:
        table_value(out, s, &p->attr);
        break;
    case OBSERVED:
    case CREATED:
    case MODIFIED:
    case DELETED:
        table_time(out, point_time(p, (enum time_property)PROPERTY[i]));
        break;
    case UNIT:
        table_text(out, p->attr.unit_code);
        break;
    case INSTANCE:
        instance_show(out, s, e, p);
        break;
    case COLUMNS:
        break;
    }
    return SQLITE_OK;
}

/* The same for an instance however it is found: SQLite tells by it what two conditions of an OR both find. */
static int cursor_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
    const struct cursor *c = (const struct cursor *)base;
    const struct evolution *e = &c->rows.evolutions[c->rows.e];
    const struct series *s = &e->series[c->rows.s];
    const struct point *p = &s->points[c->rows.p];
    uint64_t h = hash_u64(hash_str(e->id) ^ s->term);
    h = hash_u64(h ^ hash_str(s->dataset));
    h = hash_u64(h ^ p->attr.seq);
    *out = (sqlite3_int64)hash_u64(h ^ p->index);
    return SQLITE_OK;
}

const sqlite3_module TABLE_HISTORY = {
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
