/* Times of a table are texts, because SQLite's own functions take these; their collation makes "2024-01-01",
 * "2024-01-01T00:00:00Z" and "2024-01-01T00:00:00.000Z" one time. */
#include "sql/table.h"

#include <stdlib.h>

static const char *const OPS[PUSH_OPS] = {[PUSH_EQ] = "=",  [PUSH_LE] = "<=", [PUSH_LT] = "<",
                                          [PUSH_GE] = ">=", [PUSH_GT] = ">",  [PUSH_HAS] = " is not null"};

/* A time that ends early is the first moment of what it names: "2024", "2024-05", "2024-05-01", "2024-05-01T10:30". */
static bool read_time(struct str s, int64_t *us)
{
    static const char REST[] = "0000-01-01T00:00:00";
    enum { YEAR = 4, MONTH = 7, DAY = 10, MINUTE = 16 };
    char whole[sizeof REST];
    if (s.n != YEAR && s.n != MONTH && s.n != DAY && s.n != MINUTE)
        return time_parse_lenient(s, 0, us);
    memcpy(whole, REST, sizeof REST);
    memcpy(whole, s.p, s.n);
    return time_parse_lenient((struct str){whole, sizeof REST - 1}, 0, us);
}

static int compare_times(void *arg, int an, const void *a, int bn, const void *b)
{
    struct str x = {a, (size_t)an}, y = {b, (size_t)bn};
    int64_t xt, yt;
    (void)arg;
    bool xs = read_time(x, &xt), ys = read_time(y, &yt);
    if (xs && ys)
        return (xt > yt) - (xt < yt);
    return xs != ys ? (xs ? -1 : 1) : str_cmp(x, y);
}

void table_set(sqlite3 *db)
{
    sqlite3_create_collation_v2(db, "TIME", SQLITE_UTF8, NULL, compare_times, NULL);
}

/* ---- tables and cursors ---- */

int table_connect_declared(void *aux, const char *declaration, size_t cursor_bytes, sqlite3_vtab **out)
{
    const struct session_table *of = aux;
    int code = session_declare(of->session, declaration);
    if (code != SQLITE_OK)
        return code;
    struct table *t = mem_zalloc(sizeof *t);
    *t = (struct table){.session = of->session, .cursor_bytes = cursor_bytes};
    *out = &t->base;
    return SQLITE_OK;
}

int table_disconnect(sqlite3_vtab *v)
{
    free(v);
    return SQLITE_OK;
}

int table_cursor_open(sqlite3_vtab *v, sqlite3_vtab_cursor **out)
{
    struct table_cursor *c = mem_zalloc(((const struct table *)v)->cursor_bytes);
    c->plan = arena_new(0);
    c->page = arena_new(0);
    *out = &c->base;
    return SQLITE_OK;
}

int table_cursor_close(sqlite3_vtab_cursor *base)
{
    struct table_cursor *c = (struct table_cursor *)base;
    arena_free(c->plan);
    arena_free(c->page);
    free(c);
    return SQLITE_OK;
}

void table_cursor_reset(sqlite3_vtab_cursor *base)
{
    struct table_cursor *c = (struct table_cursor *)base, kept = *c;
    arena_reset(c->plan);
    arena_reset(c->page);
    memset(base, 0, ((const struct table *)kept.base.pVtab)->cursor_bytes);
    *c = kept;
}

struct filter *table_type_filter(struct arena *a, const struct session *s, uint32_t type)
{
    struct name *name = arena_array(a, struct name, 1);
    *name = (struct name){type ? terms_iri(s->options->terms, type) : STR(""), type};
    struct type_all *only = arena_array(a, struct type_all, 1);
    struct type_expr *any = arena_array(a, struct type_expr, 1);
    *only = (struct type_all){1, name};
    *any = (struct type_expr){1, only};
    return filter_of_type(a, any);
}

/* ---- results ---- */

void table_text(sqlite3_context *out, struct str s)
{
    if (str_absent(s))
        sqlite3_result_null(out);
    else
        sqlite3_result_text64(out, s.p, s.n, SQLITE_TRANSIENT, SQLITE_UTF8);
}

void table_time(sqlite3_context *out, int64_t us)
{
    char text[TIME_TEXT_MAX];
    if (us == TIME_NONE)
        sqlite3_result_null(out);
    else
        sqlite3_result_text(out, text, (int)time_format(us, text), SQLITE_TRANSIENT);
}

void table_value(sqlite3_context *out, const struct session *s, const struct attr *a)
{
    const struct value *v = &a->value;
    switch ((enum value_kind)v->kind) {
    case VALUE_BOOL:
        sqlite3_result_int(out, v->boolean);
        break;
    case VALUE_INT:
        sqlite3_result_int64(out, v->integer);
        break;
    case VALUE_REAL:
        sqlite3_result_double(out, v->real);
        break;
    case VALUE_STRING: {
        struct arena *scratch = a->kind == ATTR_VOCAB_PROPERTY ? arena_new(0) : NULL;
        table_text(out, scratch ? context_compact(s->call->context, v->text, scratch) : v->text);
        arena_free(scratch);
        break;
    }
    case VALUE_JSON:
    case VALUE_GEO:
        table_text(out, v->text);
        break;
    case VALUE_NONE:
    case VALUE_NULL:
        sqlite3_result_null(out);
        break;
    }
}

/* ---- what is handed to the store ---- */

enum push_op push_op_of(const sqlite3_index_info *info, int i)
{
    switch (info->aConstraint[i].op) {
    case SQLITE_INDEX_CONSTRAINT_EQ:
        return PUSH_EQ;
    case SQLITE_INDEX_CONSTRAINT_LE:
        return PUSH_LE;
    case SQLITE_INDEX_CONSTRAINT_LT:
        return PUSH_LT;
    case SQLITE_INDEX_CONSTRAINT_GE:
        return PUSH_GE;
    case SQLITE_INDEX_CONSTRAINT_GT:
        return PUSH_GT;
    case SQLITE_INDEX_CONSTRAINT_NE: /* these hold for no null */
    case SQLITE_INDEX_CONSTRAINT_LIKE:
    case SQLITE_INDEX_CONSTRAINT_GLOB:
    case SQLITE_INDEX_CONSTRAINT_ISNOTNULL:
        return PUSH_HAS;
    default:
        return PUSH_OPS;
    }
}

bool push_compares(sqlite3_index_info *info, int i, const char *collation)
{
    const char *used = sqlite3_vtab_collation(info, i);
    return used && sqlite3_stricmp(used, collation) == 0;
}

void push_write(struct buf *text, struct str column, enum push_op op)
{
    if (text->n)
        buf_lit(text, ", ");
    buf_str(text, column);
    buf_str(text, str_of(OPS[op]));
}

bool push_read(struct str *text, struct push *out)
{
    if (!text->n)
        return false;
    size_t end = str_find(*text, STR(", "));
    struct str part = str_head(*text, end == STR_NPOS ? text->n : end);
    *text = end == STR_NPOS ? STR("") : str_from(*text, end + 2);
    static const uint8_t ORDER[] = {PUSH_HAS, PUSH_LE, PUSH_GE, PUSH_EQ, PUSH_LT, PUSH_GT}; /* longer ones first */
    for (size_t i = 0; i < sizeof ORDER; i++) {
        struct str op = str_of(OPS[ORDER[i]]);
        if (!str_ends(part, op))
            continue;
        *out = (struct push){str_head(part, part.n - op.n), ORDER[i]};
        return true;
    }
    return false;
}

int push_take(struct buf *text, sqlite3_index_info *info)
{
    info->idxStr = sqlite3_mprintf("%.*s", (int)text->n, text->n ? text->p : "");
    info->needToFreeIdxStr = 1;
    bool full = text->full;
    buf_free(text);
    return info->idxStr && !full ? SQLITE_OK : SQLITE_NOMEM;
}

void push_time(struct push_range *r, enum push_op op, sqlite3_value *v)
{
    int64_t us;
    if (sqlite3_value_type(v) != SQLITE_TEXT ||
        !read_time((struct str){(const char *)sqlite3_value_text(v), (size_t)sqlite3_value_bytes(v)}, &us))
        return;
    int64_t from = op == PUSH_GT ? us + 1 : us, to = op == PUSH_LT ? us : us + 1;
    if ((op == PUSH_EQ || op == PUSH_GE || op == PUSH_GT) && from > r->from_us)
        r->from_us = from;
    if ((op == PUSH_EQ || op == PUSH_LE || op == PUSH_LT) && to < r->to_us)
        r->to_us = to;
}
