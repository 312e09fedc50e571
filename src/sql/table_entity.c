/* One table for each type: its entities, a column for each attribute that some of them have, whose value is that of the
 * default instance, else of the first. */
#include "sql/table_entity_int.h"

#include "base/time.h"

#include <stdlib.h>
#include <string.h>

enum {
    PAGE_FIRST = 32,
    PAGE_MAX = 1024,
    PAGE_BYTES = 4 << 20, /* of copies; one entity may have more */
    ATTRS_MAX = 990,      /* with two columns each */
    TEXT_MAX = 256 << 10,
};

struct cursor {
    struct table_cursor base;  /* first */
    struct entity_asked asked; /* of the next page; its filter in the plan */
    uint32_t limit;            /* of the next page */
    const struct doc **docs;   /* copies in page */
    uint32_t count, at;
    bool more;
};

/* ---- columns ---- */

static bool column_taken(const struct entities *t, struct str name)
{
    for (uint32_t i = 0; i < t->count; i++)
        if (str_eq_fold(t->columns[i].name, name))
            return true;
    return false;
}

/* Under its name, else under its IRI; one whose IRI is taken, too, is left out. */
static void column_add(struct entities *t, struct str name, struct str iri, enum column_kind kind, uint32_t term)
{
    struct arena *a = t->base.session->arena;
    const char *behind = kind == COLUMN_OBSERVED ? "_observedAt" : "";
    struct str full = arena_printf(a, "%.*s%s", STR_ARG(name), behind);
    if (column_taken(t, full))
        full = arena_printf(a, "%.*s%s", STR_ARG(iri), behind);
    if (!column_taken(t, full))
        t->columns[t->count++] = (struct column){full, kind, term};
}

static int by_name(const void *a, const void *b)
{
    const struct column *x = a, *y = b;
    return str_cmp(x->name, y->name);
}

static enum status columns_find(struct entities *t, struct why *why)
{
    struct session *s = t->base.session;
    struct store_census c = {
        .caller = &s->call->caller, .details = true, .term = t->type, .now_us = time_now(), .arena = s->arena};
    wait_prepare(s->wait, &c.call, s->deadline_us);
    enum status st = wait_for(s->wait, &c.call, store_census(s->options->store, &c));
    if (st != OK && st != E_NOT_FOUND) {
        *why = c.call.why;
        return st;
    }
    uint32_t n = st == OK && c.count ? c.names[0].with_count : 0;
    n = n < ATTRS_MAX ? n : ATTRS_MAX;
    t->entities = st == OK && c.count ? c.names[0].count : 0;
    t->columns = arena_array(s->arena, struct column, 2 * (size_t)n + 4);
    column_add(t, STR("id"), STR("id"), COLUMN_ID, TERM_NONE);
    column_add(t, STR("scope"), STR("scope"), COLUMN_SCOPE, TERM_NONE);
    column_add(t, STR("createdAt"), STR("createdAt"), COLUMN_CREATED, TERM_NONE);
    column_add(t, STR("modifiedAt"), STR("modifiedAt"), COLUMN_MODIFIED, TERM_NONE);
    struct column *attrs = arena_array(s->arena, struct column, n);
    for (uint32_t i = 0; i < n; i++)
        attrs[i] = (struct column){context_compact_term(s->call->context, c.names[0].with[i].term), COLUMN_VALUE,
                                   c.names[0].with[i].term};
    if (n)
        qsort(attrs, n, sizeof *attrs, by_name);
    for (uint8_t kind = COLUMN_VALUE; kind <= COLUMN_OBSERVED; kind++)
        for (uint32_t i = 0; i < n; i++)
            column_add(t, attrs[i].name, terms_iri(s->options->terms, attrs[i].term), kind, attrs[i].term);
    return OK;
}

static void quoted(struct buf *b, struct str s)
{
    buf_char(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            buf_char(b, '"');
        buf_char(b, s.p[i]);
    }
    buf_char(b, '"');
}

static int declare(const struct entities *t)
{
    struct buf b;
    buf_init(&b, TEXT_MAX + t->count * 8192);
    buf_lit(&b, "CREATE TABLE x(");
    for (uint32_t i = 0; i < t->count; i++) {
        const struct column *c = &t->columns[i];
        bool time = c->kind == COLUMN_CREATED || c->kind == COLUMN_MODIFIED || c->kind == COLUMN_OBSERVED;
        if (i)
            buf_lit(&b, ", ");
        quoted(&b, c->name);
        buf_str(&b, time ? STR(" TEXT COLLATE TIME") : c->kind == COLUMN_VALUE ? STR("") : STR(" TEXT"));
    }
    buf_put(&b, ")", 2);
    int code = b.full ? SQLITE_TOOBIG : session_declare(t->base.session, b.p);
    buf_free(&b);
    return code;
}

static int table_connect(sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **out, char **error)
{
    const struct session_table *of = aux;
    struct why why;
    (void)db;
    (void)argc;
    (void)argv;
    why_clear(&why);
    struct entities *t = mem_zalloc(sizeof *t);
    t->base = (struct table){.session = of->session, .cursor_bytes = sizeof(struct cursor)};
    t->type = of->type;
    enum status st = columns_find(t, &why);
    int code = st == OK ? declare(t) : session_fail(t->base.session, error, st, &why);
    if (code == SQLITE_OK)
        *out = &t->base.base;
    else
        free(t);
    return code;
}

/* ---- plans ---- */

/* What of constraint i the store is told; PUSH_OPS: nothing. */
static enum push_op pushed(const struct entities *t, sqlite3_index_info *info, int i)
{
    int column = info->aConstraint[i].iColumn;
    enum push_op op = push_op_of(info, i);
    if (!info->aConstraint[i].usable || op == PUSH_OPS)
        return PUSH_OPS;
    if (column < 0)
        return op == PUSH_HAS ? PUSH_OPS : op;
    switch ((enum column_kind)t->columns[column].kind) {
    case COLUMN_ID:
        return op == PUSH_EQ && push_compares(info, i, "BINARY") ? PUSH_EQ : PUSH_OPS;
    case COLUMN_CREATED:
    case COLUMN_MODIFIED:
        return op != PUSH_HAS && push_compares(info, i, "TIME") ? op : PUSH_OPS;
    case COLUMN_VALUE:
        return op == PUSH_EQ && !push_compares(info, i, "BINARY") ? PUSH_HAS : op;
    case COLUMN_OBSERVED:
        return push_compares(info, i, "TIME") ? op : PUSH_HAS;
    case COLUMN_SCOPE:
        break;
    }
    return PUSH_OPS;
}

/* How many of a hundred rows stay. */
static double share(const struct entities *t, int column, enum push_op op)
{
    if (column >= 0 && t->columns[column].kind == COLUMN_ID)
        return 0;
    return op == PUSH_HAS ? 0.9 : op == PUSH_EQ ? 0.05 : 0.4;
}

static int table_plan(sqlite3_vtab *v, sqlite3_index_info *info)
{
    struct entities *t = (struct entities *)v;
    struct buf text;
    double rows = (double)t->entities + 1;
    int arguments = 0;
    buf_init(&text, TEXT_MAX);
    for (int i = 0; i < info->nConstraint; i++) {
        enum push_op op = pushed(t, info, i);
        if (op == PUSH_OPS)
            continue;
        int column = info->aConstraint[i].iColumn;
        push_write(&text, column < 0 ? STR("rowid") : t->columns[column].name, op);
        if (op != PUSH_HAS)
            info->aConstraintUsage[i].argvIndex = ++arguments;
        if (column < 0 && op == PUSH_EQ)
            rows = 1;
        else
            rows *= share(t, column, op);
    }
    if (info->nOrderBy == 1 && info->aOrderBy[0].iColumn < 0 && !info->aOrderBy[0].desc)
        info->orderByConsumed = 1;
    info->estimatedRows = (sqlite3_int64)rows + 1;
    info->estimatedCost = rows + 10;
    return push_take(&text, info);
}

/* ---- cursors ---- */

/* Copies what was found, so that other tables may be asked before it is read. */
static void page_keep(struct cursor *c, const struct store_query *q)
{
    size_t bytes = 0;
    const struct doc **docs = arena_array(c->base.page, const struct doc *, q->doc_count);
    c->count = 0;
    for (uint32_t i = 0; i < q->doc_count && (bytes < PAGE_BYTES || !i); i++) {
        size_t n = doc_bytes(q->docs[i]);
        docs[c->count++] = memcpy(arena_alloc(c->base.page, n), q->docs[i], n);
        bytes += n;
    }
    c->docs = docs;
    c->more = q->more || c->count < q->doc_count;
    if (c->count)
        c->asked.after = doc_created_seq(docs[c->count - 1]);
}

static int page_read(struct cursor *c)
{
    struct entities *t = (struct entities *)c->base.base.pVtab;
    struct session *s = t->base.session;
    struct arena *found = arena_new(0);
    struct store_query q = {.caller = &s->call->caller, .filter = c->asked.filter, .after_seq = c->asked.after, .limit = c->limit,
                            .arena = found};
    arena_reset(c->base.page);
    wait_prepare(s->wait, &q.call, s->deadline_us);
    enum status st = wait_for(s->wait, &q.call, store_query(s->options->store, &q));
    c->at = 0;
    c->count = 0;
    if (st == OK)
        page_keep(c, &q);
    store_thread_quiescent(s->options->store);
    arena_free(found);
    c->limit = 4 * c->limit < PAGE_MAX ? 4 * c->limit : PAGE_MAX;
    if (session_check(s) != OK)
        st = s->status;
    return st == OK ? SQLITE_OK : session_fail(s, &c->base.base.pVtab->zErrMsg, st, &q.call.why);
}

static int cursor_filter(sqlite3_vtab_cursor *base, int number, const char *text, int count, sqlite3_value **values)
{
    struct cursor *c = (struct cursor *)base;
    struct entities *t = (struct entities *)base->pVtab;
    (void)number;
    (void)count;
    table_cursor_reset(base);
    c->asked = (struct entity_asked){.plan = c->base.plan, .last = UINT64_MAX};
    c->limit = PAGE_FIRST;
    table_entity_filter(&c->asked, t, str_of(text), values);
    return page_read(c);
}

static int cursor_next(sqlite3_vtab_cursor *base)
{
    struct cursor *c = (struct cursor *)base;
    c->at++;
    return c->at == c->count && c->more ? page_read(c) : SQLITE_OK;
}

static int cursor_eof(sqlite3_vtab_cursor *base)
{
    const struct cursor *c = (const struct cursor *)base;
    return c->at >= c->count || doc_created_seq(c->docs[c->at]) > c->asked.last;
}

static void scope_show(sqlite3_context *out, const struct doc *d)
{
    uint32_t n = doc_scope_count(d);
    struct buf b;
    if (n < 2) {
        table_text(out, n ? doc_scope(d, 0) : STR_NONE);
        return;
    }
    buf_init(&b, SIZE_MAX / 2);
    for (uint32_t i = 0; i < n; i++) {
        buf_char(&b, i ? ',' : '[');
        json_write_str(&b, doc_scope(d, i));
    }
    buf_char(&b, ']');
    table_text(out, buf_view(&b));
    buf_free(&b);
}

static int cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *out, int i)
{
    const struct cursor *c = (const struct cursor *)base;
    const struct entities *t = (const struct entities *)base->pVtab;
    const struct doc *d = c->docs[c->at];
    const struct column *column = &t->columns[i];
    struct attr a;
    uint32_t at;
    switch ((enum column_kind)column->kind) {
    case COLUMN_ID:
        table_text(out, doc_id(d));
        break;
    case COLUMN_SCOPE:
        scope_show(out, d);
        break;
    case COLUMN_CREATED:
        table_time(out, doc_created_at(d));
        break;
    case COLUMN_MODIFIED:
        table_time(out, doc_modified_at(d));
        break;
    case COLUMN_VALUE:
    case COLUMN_OBSERVED:
        at = doc_find_attr(d, column->term);
        if (at == UINT32_MAX) {
            sqlite3_result_null(out);
            break;
        }
        doc_attr_alone(d, at, &a);
        if (column->kind == COLUMN_VALUE)
            table_value(out, t->base.session, &a);
        else
            table_time(out, a.observed_at);
        break;
    }
    return SQLITE_OK;
}

static int cursor_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
    const struct cursor *c = (const struct cursor *)base;
    *out = (sqlite3_int64)doc_created_seq(c->docs[c->at]);
    return SQLITE_OK;
}

const sqlite3_module TABLE_ENTITY = {
    .xConnect = table_connect,
    .xBestIndex = table_plan,
    .xDisconnect = table_disconnect,
    .xOpen = table_cursor_open,
    .xClose = table_cursor_close,
    .xFilter = cursor_filter,
    .xNext = cursor_next,
    .xEof = cursor_eof,
    .xColumn = cursor_column,
    .xRowid = cursor_rowid,
};
