/* history: a row for each instance of each attribute, and of each scope, that entities had or have, those that are
 * gone included. Rows come by entity, attribute, dataset, time.
 *
 * First the ids are found, then their instances are read a few entities, or a part of one, at a time. */
#include "base/hash.h"
#include "sql/table.h"

#include <stdlib.h>
#include <string.h>

enum {
    BATCH_MAX = 64,        /* entities read together */
    POINTS_FIRST = 1 << 16,  /* instances read together */
    POINTS_MAX = 1 << 24,  /* of one microsecond */
    TEXT_MAX = 4096,
};

enum column { ENTITY, TYPE, ATTRIBUTE, DATASET, TIME, VALUE, NUMBER, OBSERVED, CREATED, MODIFIED, DELETED, UNIT, INSTANCE, COLUMNS };

static const char *const NAMES[COLUMNS] = {"entity",     "type",      "attribute",  "dataset",   "time",     "value",     "number",
                                           "observedAt", "createdAt", "modifiedAt", "deletedAt", "unitCode", "instanceId"};

#define DECLARATION                                                                                                    \
    "CREATE TABLE x(entity TEXT, type TEXT, attribute TEXT, dataset TEXT, time TEXT COLLATE TIME, value, number, "     \
    "observedAt TEXT COLLATE TIME, createdAt TEXT COLLATE TIME, modifiedAt TEXT COLLATE TIME, "                        \
    "deletedAt TEXT COLLATE TIME, unitCode TEXT, instanceId TEXT)"

static const struct str SCOPE = {"scope", sizeof "scope" - 1};

struct table {
    sqlite3_vtab base; /* first */
    struct session *session;
};

struct cursor {
    sqlite3_vtab_cursor base; /* first */
    struct arena *plan;       /* of the next eleven */
    struct str entity, above, type_name, attribute_name, dataset; /* absent: any */
    bool none;                /* nothing can be found */
    bool distinct;            /* one row an entity is enough */
    struct filter *types;     /* NULL: any */
    uint32_t term;            /* with an attribute_name */
    struct push_range times[COLUMNS];
    struct str *ids;
    struct temporal_query time;
    uint32_t id_count, next;  /* ids from next on have not been read whole */
    uint32_t batch;
    int64_t from_us;          /* of the part of the one at next that is read next */
    uint64_t points;          /* at most, together */
    struct arena *page;
    struct evolution *evolutions; /* in page */
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
    if (column == TYPE || column == ATTRIBUTE || column == DATASET)
        return *op == PUSH_EQ && push_compares(info, i, "BINARY");
    if (column == ENTITY)
        return (*op == PUSH_EQ || *op == PUSH_GT || *op == PUSH_GE) && push_compares(info, i, "BINARY");
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

static double share(int column, enum push_op op)
{
    return column == ENTITY ? (op == PUSH_EQ ? 0.0001 : 0.5) : column == ATTRIBUTE ? 0.1 : is_time(column) ? 0.3 : 0.5;
}

static bool one_an_entity(sqlite3_index_info *info, bool all_pushed)
{
    return all_pushed && sqlite3_vtab_distinct(info) >= 2 && info->nOrderBy == 1 && info->aOrderBy[0].iColumn == ENTITY &&
           !info->aOrderBy[0].desc && info->colUsed == UINT64_C(1) << ENTITY;
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
        info->aConstraintUsage[i].omit = column == TYPE || column == ATTRIBUTE; /* rows show the name that was given */
        rows *= share(column, op);
    }
    if (info->nOrderBy == 1 && info->aOrderBy[0].iColumn == ENTITY && !info->aOrderBy[0].desc)
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

static struct str given(struct cursor *c, sqlite3_value *v)
{
    if (sqlite3_value_type(v) == SQLITE_NULL)
        return STR_NONE;
    struct str s = {(const char *)sqlite3_value_text(v), (size_t)sqlite3_value_bytes(v)};
    return arena_dup(c->plan, s.p ? s : STR(""));
}

static void want_text(struct cursor *c, enum push_op op, struct str *to, struct str text)
{
    if (op != PUSH_EQ) { /* an entity's bound; SQLite looks again at what equals it */
        if (!str_absent(text) && (str_absent(c->above) || str_cmp(text, c->above) > 0))
            c->above = text;
        return;
    }
    if (str_absent(text) || (!str_absent(*to) && !str_eq(*to, text)))
        c->none = true;
    *to = text;
}

static void want(struct cursor *c, struct str text, sqlite3_value **values)
{
    struct push p;
    for (uint32_t i = 0; i < COLUMNS; i++)
        c->times[i] = (struct push_range){INT64_MIN, INT64_MAX};
    for (int n = 0; push_read(&text, &p); n++) {
        uint32_t column = column_find(p.column);
        if (column == ENTITY)
            want_text(c, p.op, &c->entity, given(c, values[n]));
        else if (column == TYPE)
            want_text(c, p.op, &c->type_name, given(c, values[n]));
        else if (column == ATTRIBUTE)
            want_text(c, p.op, &c->attribute_name, given(c, values[n]));
        else if (column == DATASET)
            want_text(c, p.op, &c->dataset, given(c, values[n]));
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
    c->none = c->none || c->time.from_us >= c->time.to_us;
}

/* Names become terms; one that nothing has finds nothing. */
static void want_names(struct cursor *c, const struct session *s)
{
    struct why why;
    why_clear(&why);
    if (!str_absent(c->attribute_name) && !str_eq(c->attribute_name, SCOPE)) {
        c->term = context_expand_term(s->call->context, c->attribute_name, false, c->plan, &why);
        c->none = c->none || !c->term;
    }
    if (str_absent(c->type_name))
        return;
    uint32_t type = context_expand_term(s->call->context, c->type_name, false, c->plan, &why);
    c->none = c->none || !type;
    struct name *name = arena_array(c->plan, struct name, 1);
    *name = (struct name){type ? terms_iri(s->options->terms, type) : STR(""), type};
    struct type_all *only = arena_array(c->plan, struct type_all, 1);
    struct type_expr *any = arena_array(c->plan, struct type_expr, 1);
    *only = (struct type_all){1, name};
    *any = (struct type_expr){1, only};
    c->types = filter_of_type(c->plan, any);
}

/* ---- reading ---- */

static int fail(struct cursor *c, enum status st, const struct why *why)
{
    struct table *t = (struct table *)c->base.pVtab;
    if (session_check(t->session) != OK)
        st = t->session->status;
    return session_fail(t->session, &c->base.pVtab->zErrMsg, st, why);
}

static int ids_read(struct cursor *c)
{
    struct session *s = ((struct table *)c->base.pVtab)->session;
    struct store_evolve v = {.caller = &s->call->caller, .id = STR_NONE, .filter = c->types, .time = &c->time,
                             .limit = UINT32_MAX, .ids_alone = true, .arena = c->plan};
    wait_prepare(s->wait, &v.call, s->deadline_us);
    enum status st = wait_for(s->wait, &v.call, store_evolve(s->options->store, &v));
    if (st != OK)
        return fail(c, st, &v.call.why);
    c->ids = arena_array(c->plan, struct str, v.evolution_count);
    for (uint32_t i = 0; i < v.evolution_count; i++)
        if (str_absent(c->above) || str_cmp(v.evolutions[i].id, c->above) >= 0)
            c->ids[c->id_count++] = v.evolutions[i].id;
    store_thread_quiescent(s->options->store);
    return SQLITE_OK;
}

static int batch_read(struct cursor *c, uint32_t n, bool *partial, int64_t *first_us, int64_t *last_us)
{
    static const uint32_t NO_TERMS[1];
    struct session *s = ((struct table *)c->base.pVtab)->session;
    struct temporal_query time = c->time;
    bool scope = str_eq(c->attribute_name, SCOPE), named = !str_absent(c->attribute_name);
    time.from_us = c->from_us;
    arena_reset(c->page);
    struct filter *ids = filter_of_ids(c->page, c->ids + c->next, n);
    bool one = n == 1 && !c->types; /* cheaper by its id */
    struct store_evolve v = {
        .caller = &s->call->caller, .id = one ? c->ids[c->next] : STR_NONE,
        .filter = one ? NULL : filter_and(c->page, ids, c->types), .time = &time,
        .terms = scope ? NO_TERMS : named ? &c->term : NULL, .term_count = named && !scope, .no_scope = named && !scope,
        .datasets = &c->dataset, .dataset_count = !str_absent(c->dataset),
        .points_max = c->points, .limit = n, .arena = c->page};
    wait_prepare(s->wait, &v.call, s->deadline_us);
    enum status st = wait_for(s->wait, &v.call, store_evolve(s->options->store, &v));
    store_thread_quiescent(s->options->store);
    if (st != OK && st != E_NOT_FOUND)
        return fail(c, st, &v.call.why);
    c->evolutions = v.evolutions;
    c->count = st == OK ? v.evolution_count : 0;
    *partial = v.partial;
    *first_us = v.first_us;
    *last_us = v.last_us;
    return session_check(s) == OK ? SQLITE_OK : fail(c, s->status, &s->why);
}

/* The next instances, or none when all have been read. */
static int page_read(struct cursor *c)
{
    c->count = c->e = c->s = c->p = 0;
    while (!c->count && c->next < c->id_count) {
        uint32_t left = c->id_count - c->next, n = left < c->batch ? left : c->batch;
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
    const struct session_table *of = aux;
    (void)db;
    (void)argc;
    (void)argv;
    (void)error;
    int code = session_declare(of->session, DECLARATION);
    if (code != SQLITE_OK)
        return code;
    struct table *t = mem_zalloc(sizeof *t);
    t->session = of->session;
    *out = &t->base;
    return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *v)
{
    free(v);
    return SQLITE_OK;
}

static int cursor_open(sqlite3_vtab *v, sqlite3_vtab_cursor **out)
{
    struct cursor *c = mem_zalloc(sizeof *c);
    (void)v;
    c->plan = arena_new(0);
    c->page = arena_new(0);
    *out = &c->base;
    return SQLITE_OK;
}

static int cursor_close(sqlite3_vtab_cursor *base)
{
    struct cursor *c = (struct cursor *)base;
    arena_free(c->plan);
    arena_free(c->page);
    free(c);
    return SQLITE_OK;
}

static int cursor_filter(sqlite3_vtab_cursor *base, int number, const char *text, int count, sqlite3_value **values)
{
    struct cursor *c = (struct cursor *)base;
    struct arena *plan = c->plan, *page = c->page;
    sqlite3_vtab_cursor kept = c->base;
    (void)count;
    arena_reset(plan);
    *c = (struct cursor){.base = kept, .plan = plan, .page = page, .distinct = number != 0, .batch = 1, .points = POINTS_FIRST};
    want(c, str_of(text), values);
    want_names(c, ((struct table *)base->pVtab)->session);
    want_time(c);
    c->from_us = c->time.from_us;
    if (c->none)
        return SQLITE_OK;
    if (!str_absent(c->entity)) {
        c->ids = &c->entity;
        c->id_count = 1;
    } else {
        int code = ids_read(c);
        if (code != SQLITE_OK)
            return code;
    }
    int code = page_read(c);
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

static void name_show(sqlite3_context *out, const struct session *s, struct str asked, uint32_t term)
{
    table_text(out, str_absent(asked) ? context_compact_term(s->call->context, term) : asked);
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
    switch ((enum column)i) {
    case ENTITY:
        table_text(out, e->id);
        break;
    case TYPE:
        if (e->type_count)
            name_show(out, s, c->type_name, e->types[0]);
        break;
    case ATTRIBUTE:
        if (series->term == TERM_SCOPE)
            table_text(out, SCOPE);
        else
            name_show(out, s, c->attribute_name, series->term);
        break;
    case DATASET:
        table_text(out, series->dataset.n ? series->dataset : STR_NONE);
        break;
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
    .xClose = cursor_close,
    .xFilter = cursor_filter,
    .xNext = cursor_next,
    .xEof = cursor_eof,
    .xColumn = cursor_column,
    .xRowid = cursor_rowid,
};
