/* A connection lives for one statement: what it may name depends on who asks and by which @context, and making one is
 * cheap. Each type is a module of SQLite's, which is connected, its columns looked up, only when a statement names it. */
#include "sql/session.h"

#include "base/time.h"
#include "sql/guard.h"
#include "sql/rows.h"
#include "sql/table.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NAMES_TOLD = 300 }; /* bytes of names in a refusal */

int session_fail(struct session *s, char **message, enum status status, const struct why *why)
{
    if (s->status == OK) {
        s->status = status;
        s->why = *why;
    }
    if (message) {
        sqlite3_free(*message);
        *message = sqlite3_mprintf("%s", why->text);
    }
    return SQLITE_ERROR;
}

enum status session_check(struct session *s)
{
    struct why why;
    why_clear(&why);
    enum status st = OK;
    if (atomic_load_explicit(&s->call->cancelled, memory_order_relaxed))
        st = why_set(&why, E_CANCELLED, NULL, "cancelled");
    else if (time_monotonic() > s->deadline_us)
        st = why_limit(&why, E_TOO_COMPLEX, NULL, "limits.sql_seconds", "the statement took longer than %g seconds",
                       (double)s->options->time_us / 1e6);
    if (st != OK)
        session_fail(s, NULL, st, &why);
    return st;
}

/* ---- tables ---- */

static int by_name(const void *a, const void *b)
{
    const struct session_table *x = a, *y = b;
    int c = strcasecmp(x->name.p, y->name.p);
    return c ? c : (x->type > y->type) - (x->type < y->type);
}

static int find_name(const void *key, const void *element)
{
    return strcasecmp(key, ((const struct session_table *)element)->name.p);
}

const struct session_table *session_find(const struct session *s, const char *name)
{
    return bsearch(name, s->tables, s->table_count, sizeof *s->tables, find_name);
}

static void table_add(struct session *s, struct str name, uint32_t type, const sqlite3_module *module)
{
    s->tables[s->table_count++] = (struct session_table){arena_dup(s->arena, name), type, module, s};
}

/* One that is named by its IRI is not also meant by what others are called. */
static bool is_iri(const struct session *s, const struct session_table *t)
{
    return t->type && str_eq(t->name, terms_iri(s->options->terms, t->type));
}

/* A name that two would have is nobody's; tables of history and IRIs keep theirs. */
static void tables_settle(struct session *s)
{
    uint32_t n = 0;
    qsort(s->tables, s->table_count, sizeof *s->tables, by_name);
    for (uint32_t i = 0, next; i < s->table_count; i = next) {
        uint32_t kept = i, sure = 0;
        for (next = i; next < s->table_count && strcasecmp(s->tables[i].name.p, s->tables[next].name.p) == 0; next++)
            if (!s->tables[next].type || is_iri(s, &s->tables[next])) {
                kept = sure ? kept : next;
                sure++;
            }
        if (sure || next == i + 1)
            s->tables[n++] = s->tables[kept];
    }
    s->table_count = n;
}

static enum status tables_find(struct session *s)
{
    struct store_census c = {.caller = &s->call->caller, .now_us = time_now(), .arena = s->arena};
    wait_prepare(s->wait, &c.call, s->deadline_us);
    enum status st = wait_for(s->wait, &c.call, store_census(s->options->store, &c));
    if (st != OK) {
        session_fail(s, NULL, st, &c.call.why);
        return st;
    }
    s->tables = arena_array(s->arena, struct session_table, 2 * (size_t)c.count + 2);
    table_add(s, STR("history"), TERM_NONE, &TABLE_HISTORY);
    table_add(s, STR("history_periods"), TERM_NONE, &TABLE_HISTORY_PERIODS);
    for (uint32_t i = 0; i < c.count; i++) {
        struct str iri = terms_iri(s->options->terms, c.names[i].term);
        struct str name = context_compact_term(s->call->context, c.names[i].term);
        table_add(s, iri, c.names[i].term, &TABLE_ENTITY);
        if (!str_eq(iri, name))
            table_add(s, name, c.names[i].term, &TABLE_ENTITY);
    }
    tables_settle(s);
    store_thread_quiescent(s->options->store);
    for (uint32_t i = 0; i < s->table_count; i++)
        sqlite3_create_module(s->db, s->tables[i].name.p, s->tables[i].module, &s->tables[i]);
    return OK;
}

int session_declare(struct session *s, const char *create)
{
    int most = sqlite3_limit(s->db, SQLITE_LIMIT_SQL_LENGTH, INT_MAX); /* SQLite makes statements of its own from it */
    s->declaring = true;
    int code = sqlite3_declare_vtab(s->db, create);
    s->declaring = false;
    sqlite3_limit(s->db, SQLITE_LIMIT_SQL_LENGTH, most);
    return code;
}

/* ---- the statement ---- */

static int bind(sqlite3_stmt *st, int i, const struct json *v, struct arena *a)
{
    struct str text;
    switch ((enum json_kind)v->kind) {
    case JSON_NULL:
        return sqlite3_bind_null(st, i);
    case JSON_BOOL:
        return sqlite3_bind_int(st, i, v->boolean);
    case JSON_INT:
        return sqlite3_bind_int64(st, i, v->integer);
    case JSON_REAL:
        return sqlite3_bind_double(st, i, v->real);
    case JSON_STRING:
        return sqlite3_bind_text64(st, i, v->string.n ? v->string.p : "", v->string.n, SQLITE_STATIC, SQLITE_UTF8);
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    text = json_text(a, v);
    return sqlite3_bind_text64(st, i, text.p, text.n, SQLITE_STATIC, SQLITE_UTF8);
}

/* Each ? gets its element, each :name its member; E_BAD_DATA names the one that has none. */
static enum status parameters_bind(struct session *s, sqlite3_stmt *st, struct why *why)
{
    const struct json *p = s->call->parameters;
    int n = sqlite3_bind_parameter_count(st);
    for (int i = 1; i <= n; i++) {
        const char *name = sqlite3_bind_parameter_name(st, i);
        const struct json *v = NULL;
        if (json_is(p, JSON_ARRAY) && (uint32_t)i <= p->n)
            v = &p->items[i - 1];
        else if (json_is(p, JSON_OBJECT) && name)
            v = json_get(p, str_of(name + 1));
        if (!v)
            return why_set(why, E_BAD_DATA, NULL, "no parameter is given for %s", name ? name : "?");
        if (bind(st, i, v, s->arena) != SQLITE_OK)
            return why_set(why, E_BAD_DATA, NULL, "parameter %d is too large", i);
    }
    return OK;
}

static void names_tell(const struct session *s, struct buf *b)
{
    uint32_t told = 0;
    for (uint32_t i = 0; i < s->table_count; i++)
        if (!is_iri(s, &s->tables[i]) && b->n + s->tables[i].name.n < NAMES_TOLD) {
            buf_printf(b, "%s%s", told++ ? ", " : "", s->tables[i].name.p);
        }
}

/* What SQLite has against the statement, unless we had something before. */
static void refuse(struct session *s, int code)
{
    struct why why;
    why_clear(&why);
    const char *text = sqlite3_errmsg(s->db);
    if (code == SQLITE_NOMEM) {
        why_limit(&why, E_TOO_COMPLEX, NULL, "limits.sql_memory", "the statement needs more than %zu bytes of memory",
                  s->options->memory_max);
    } else if (strstr(text, "may not be modified")) {
        why_set(&why, E_FORBIDDEN, NULL, "%s", SESSION_READ_ONLY);
    } else if (code == SQLITE_TOOBIG) {
        why_set(&why, E_TOO_COMPLEX, NULL, "%s", text);
    } else if (strncmp(text, "no such table", strlen("no such table")) == 0) {
        struct buf names;
        buf_init(&names, 2 * NAMES_TOLD);
        names_tell(s, &names);
        why_set(&why, E_BAD_DATA, NULL, "%s; there are: %.*s", text, (int)names.n, names.p);
        buf_free(&names);
    } else {
        why_set(&why, E_BAD_DATA, NULL, "%s", text);
    }
    session_fail(s, NULL, why.status, &why);
}

static enum status bounds_check(const struct session *s, const struct rows *r, struct why *why)
{
    if (r->count >= s->options->rows_max)
        return why_limit(why, E_TOO_MANY_RESULTS, NULL, "limits.sql_rows",
                         "the answer would have more than %llu rows: ask for fewer, or page by rowid",
                         (unsigned long long)s->options->rows_max);
    if (s->call->body.full)
        return why_limit(why, E_TOO_MANY_RESULTS, NULL, "limits.answer_bytes",
                         "the answer would have more than %zu bytes", s->options->bytes_max);
    return OK;
}

static void step_all(struct session *s, sqlite3_stmt *statement)
{
    struct rows rows;
    struct why why;
    int code = SQLITE_DONE;
    why_clear(&why);
    enum status st = parameters_bind(s, statement, &why);
    rows_begin(&rows, statement, s->call->format, s->arena, &s->call->body);
    while (st == OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        st = bounds_check(s, &rows, &why);
        if (st == OK)
            rows_add(&rows);
    }
    rows_end(&rows);
    if (st == OK && code != SQLITE_DONE)
        refuse(s, code);
    if (st == OK && code == SQLITE_DONE && s->call->body.full)
        st = bounds_check(s, &rows, &why);
    if (st != OK)
        session_fail(s, NULL, st, &why);
    s->call->rows = rows.count;
}

/* Nothing but blanks and semicolons. */
static bool is_end(const char *tail, const char *end)
{
    while (tail < end && (strchr(" \t\r\n;", *tail) || !*tail))
        tail++;
    return tail == end;
}

static void statement_run(struct session *s)
{
    struct str text = s->call->text;
    sqlite3_stmt *statement = NULL;
    const char *tail = NULL;
    struct why why;
    why_clear(&why);
    if (text.n > s->options->text_max) {
        why_limit(&why, E_TOO_LARGE, NULL, "limits.sql_bytes", "a statement may have %zu bytes", s->options->text_max);
        session_fail(s, NULL, why.status, &why);
        return;
    }
    struct str z = arena_dup(s->arena, text);
    int code = sqlite3_prepare_v2(s->db, z.p, (int)z.n + 1, &statement, &tail);
    if (code != SQLITE_OK)
        refuse(s, code);
    else if (statement && !sqlite3_stmt_readonly(statement))
        session_fail(s, NULL, why_set(&why, E_FORBIDDEN, NULL, "%s", SESSION_READ_ONLY), &why);
    else if (sqlite3_stmt_isexplain(statement) == 1) /* tells addresses of memory */
        session_fail(s, NULL, why_set(&why, E_FORBIDDEN, NULL, "of EXPLAIN, only EXPLAIN QUERY PLAN is allowed"), &why);
    else if (!statement || !sqlite3_column_count(statement))
        session_fail(s, NULL, why_set(&why, E_BAD_DATA, NULL, "a SELECT is expected"), &why);
    else if (!is_end(tail, z.p + z.n))
        session_fail(s, NULL, why_set(&why, E_BAD_DATA, NULL, "one statement is expected, not several"), &why);
    else
        step_all(s, statement);
    sqlite3_finalize(statement);
}

static enum status open(struct session *s)
{
    struct why why;
    why_clear(&why);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX;
    int code = sqlite3_open_v2(":memory:", &s->db, flags, NULL);
    if (code == SQLITE_OK) /* nothing of a statement goes to a disk */
        code = sqlite3_exec(s->db, "PRAGMA temp_store = MEMORY", NULL, NULL, NULL);
    if (code == SQLITE_OK) /* declares them while nothing is guarded */
        code = sqlite3_exec(s->db, "SELECT 1 FROM json_each('[]'), json_tree('[]')", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        return OK;
    why_limit(&why, E_BUSY, NULL, "limits.sql_memory", "no room for a statement: %s", sqlite3_errstr(code));
    session_fail(s, NULL, why.status, &why);
    return why.status;
}

void session_run(const struct sql_options *o, struct sql_call *call, struct wait *w)
{
    struct session s = {
        .options = o, .call = call, .wait = w, .arena = arena_new(0), .deadline_us = time_monotonic() + o->time_us};
    w->cancelled = &call->cancelled;
    buf_init(&call->body, o->bytes_max);
    if (session_check(&s) == OK && open(&s) == OK) {
        table_set(s.db);
        if (tables_find(&s) == OK) {
            guard_set(&s);
            statement_run(&s);
        }
    }
    sqlite3_close(s.db);
    w->cancelled = NULL;
    call->status = s.status;
    call->why = s.why;
    if (s.status != OK)
        buf_free(&call->body);
    arena_free(s.arena);
}
