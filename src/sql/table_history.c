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
    struct table_cursor base; /* first */
    struct series_wanted wanted;
    bool distinct;            /* one row an entity is enough */
    struct push_range times[COLUMNS];
    struct temporal_query time;
    uint32_t next;            /* ids from next on have not been read whole */
    uint32_t batch;
    int64_t from_us;          /* of the part of the one at next that is read next */
    uint64_t points;          /* at most, together */
    struct evolution *evolutions; /* in the page */
    uint32_t count;
    uint32_t e, s, p;         /* the row */
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
            series_want(&c->wanted, (enum series_column)column, p.op, values[n]);
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
    c->time = (struct temporal_query){.by_place = true, .from_us = r->from_us, .to_us = r->to_us};
    for (size_t i = 0; i < sizeof BY / sizeof *BY && r->from_us == INT64_MIN && r->to_us == INT64_MAX; i++) {
        r = &c->times[BY[i].column];
        if (r->from_us != INT64_MIN || r->to_us != INT64_MAX)
            c->time = (struct temporal_query){
                .property = BY[i].property, .must_have = true, .from_us = r->from_us, .to_us = r->to_us};
    }
    c->time.last_n = c->distinct;
    c->wanted.none |= c->time.from_us >= c->time.to_us;
}

/* ---- reading ---- */

static int batch_read(struct cursor *c, uint32_t n, bool *partial, int64_t *first_us, int64_t *last_us)
{
    sqlite3_vtab *table = c->base.base.pVtab;
    struct session *s = ((struct table *)table)->session;
    struct temporal_query time = c->time;
    time.from_us = c->from_us;
    arena_reset(c->base.page);
    struct store_evolve v = series_evolve(&c->wanted, s, c->next, n, c->base.page);
    v.time = &time;
    v.points_max = c->points;
    int code = series_read(&v, table, s);
    c->evolutions = v.evolutions;
    c->count = v.evolution_count;
    *partial = v.partial;
    *first_us = v.first_us;
    *last_us = v.last_us;
    return code;
}

/* The next instances, or none when all have been read. */
static int page_read(struct cursor *c)
{
    c->count = c->e = c->s = c->p = 0;
    while (!c->count && c->next < c->wanted.id_count) {
        uint32_t left = c->wanted.id_count - c->next, n = left < c->batch ? left : c->batch;
        bool partial;
        int64_t first_us, last_us;
        int code = batch_read(c, n, &partial, &first_us, &last_us);
        if (code != SQLITE_OK)
            return code;
        if (partial && (n > 1 || (first_us == last_us && c->points < POINTS_MAX))) {
            if (n == 1)
                c->points *= 2; /* so many of one time must be read together */
            c->batch = 1;
            c->count = 0;
        } else if (partial) {
            c->from_us = last_us + 1;
        } else {
            c->batch = c->batch * 2 < BATCH_MAX ? c->batch * 2 : BATCH_MAX;
            c->from_us = c->time.from_us;
            c->points = POINTS_FIRST;
            c->next += n;
        }
    }
    return SQLITE_OK;
}

/* Moves on to a row, if it stands at none. */
static int settle(struct cursor *c)
{
    while (c->e < c->count) {
        const struct evolution *e = &c->evolutions[c->e];
        if (c->s >= e->count) {
            c->e++;
            c->s = c->p = 0;
        } else if (c->p >= e->series[c->s].count) {
            c->s++;
            c->p = 0;
        } else {
            return SQLITE_OK;
        }
        if (c->e == c->count) {
            int code = page_read(c);
            if (code != SQLITE_OK)
                return code;
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
    return table_connect_declared(aux, DECLARATION, out);
}

static int cursor_open(sqlite3_vtab *v, sqlite3_vtab_cursor **out)
{
    (void)v;
    return table_cursor_open(sizeof(struct cursor), out);
}

static int cursor_filter(sqlite3_vtab_cursor *base, int number, const char *text, int count, sqlite3_value **values)
{
    struct cursor *c = (struct cursor *)base;
    (void)count;
    table_cursor_reset(base, sizeof *c);
    c->wanted = (struct series_wanted){.plan = c->base.plan};
    c->distinct = number != 0;
    c->batch = 1;
    c->points = POINTS_FIRST;
    want(c, str_of(text), values);
    want_time(c);
    c->from_us = c->time.from_us;
    int code = series_find(&c->wanted, base->pVtab, ((struct table *)base->pVtab)->session);
    if (code != SQLITE_OK || c->wanted.none)
        return code;
    code = page_read(c);
    return code == SQLITE_OK ? settle(c) : code;
}

static int cursor_next(sqlite3_vtab_cursor *base)
{
    struct cursor *c = (struct cursor *)base;
    if (c->distinct) {
        c->s = c->evolutions[c->e].count;
        c->p = 0;
    } else {
        c->p++;
    }
    return settle(c);
}

static int cursor_eof(sqlite3_vtab_cursor *base)
{
    const struct cursor *c = (const struct cursor *)base;
    return c->e >= c->count;
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
    const struct evolution *e = &c->evolutions[c->e];
    const struct series *series = &e->series[c->s];
    const struct point *p = &series->points[c->p];
    uint8_t kind = p->attr.value.kind;
    if (i < SERIES_COLUMNS) {
        series_show(out, s, &c->wanted, e, series, (enum series_column)i);
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
    const struct evolution *e = &c->evolutions[c->e];
    const struct series *s = &e->series[c->s];
    const struct point *p = &s->points[c->p];
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
    .xOpen = cursor_open,
    .xClose = table_cursor_close,
    .xFilter = cursor_filter,
    .xNext = cursor_next,
    .xEof = cursor_eof,
    .xColumn = cursor_column,
    .xRowid = cursor_rowid,
};
