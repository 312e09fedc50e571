/* The filter of a statement: what its conditions on the columns of one type's table are to the store. It may find more
 * than the statement means, never less: SQLite compares again. So a lone lower bound of numbers asks only for the
 * attribute, for in SQL every text is above every number. */
#include "sql/table_entity_int.h"

/* What the constraints say of one column. */
struct wanted {
    bool has, low, high;
    double from, to;
    struct str text; /* absent: none */
    struct push_range times;
};

static struct filter *node(struct arena *a, enum filter_kind kind)
{
    struct filter *f = arena_zarray(a, struct filter, 1);
    f->kind = (uint8_t)kind;
    return f;
}

static struct filter *compare(struct arena *a, const struct name *path, enum compare_member member, enum compare_op op,
                              struct operand x)
{
    struct filter *f = node(a, FILTER_COMPARE);
    f->compare = arena_zarray(a, struct compare, 1);
    *f->compare = (struct compare){.path_count = path ? 1 : 0, .path = (struct name *)path, .member = (uint8_t)member,
                                   .op = (uint8_t)op, .operand_count = 1};
    f->compare->operands = arena_zarray(a, struct operand, 2);
    f->compare->operands[0] = x;
    return f;
}

/* A boolean is 1 or 0 here, and no number to the store. */
static struct filter *or_boolean(struct arena *a, struct filter *f, const struct name *path, const struct wanted *w)
{
    struct filter *any = node(a, FILTER_OR);
    any->parts = arena_array(a, struct filter *, 3);
    any->parts[any->count++] = f;
    for (int b = 0; b <= 1; b++)
        if ((!w->low || w->from <= b) && w->to >= b)
            any->parts[any->count++] =
                compare(a, path, MEMBER_NONE, COMPARE_EQ, (struct operand){.kind = OPERAND_BOOL, .boolean = b});
    return any->count > 1 ? any : f;
}

/* A text may be a name of a vocabulary, which the store knows as an IRI. */
static struct filter *of_text(struct entity_asked *asked, const struct entities *t, const struct name *path, struct str text)
{
    struct arena *a = asked->plan;
    struct filter *any = node(a, FILTER_OR);
    struct operand is = {.kind = OPERAND_STRING, .text = text, .us = TIME_NONE}, iri = is;
    iri.text = context_expand(t->base.session->call->context, text, a);
    any->parts = arena_array(a, struct filter *, 2);
    any->parts[any->count++] = compare(a, path, MEMBER_NONE, COMPARE_EQ, is);
    if (!str_absent(iri.text) && !str_eq(iri.text, text))
        any->parts[any->count++] = compare(a, path, MEMBER_NONE, COMPARE_EQ, iri);
    return any->count > 1 ? any : any->parts[0];
}

/* A text that may be one of JSON asks for no value: the store compares structures otherwise. */
static bool is_plain(struct str text)
{
    return !str_absent(text) && (!text.n || (text.p[0] != '{' && text.p[0] != '['));
}

static struct filter *of_value(struct entity_asked *asked, const struct entities *t, const struct name *path,
                               const struct wanted *w)
{
    struct arena *a = asked->plan;
    if (is_plain(w->text))
        return of_text(asked, t, path, w->text);
    if (!w->high) /* also of a lone lower bound */
        return filter_of_attrs(a, (struct name *)path, 1);
    struct operand to = {.kind = OPERAND_NUMBER, .number = w->to};
    struct filter *f = compare(a, path, MEMBER_NONE, w->low ? COMPARE_EQ : COMPARE_LE, to);
    if (w->low) {
        f->compare->range = true;
        f->compare->operand_count = 2;
        f->compare->operands[1] = to;
        f->compare->operands[0].number = w->from;
    }
    return or_boolean(a, f, path, w);
}

/* path: of the attribute whose time it is; NULL: the entity's. */
static struct filter *of_times(struct arena *a, const struct column *column, const struct name *path, const struct push_range *r)
{
    struct filter *f = NULL;
    enum compare_member member = path                             ? MEMBER_OBSERVED_AT
                                 : column->kind == COLUMN_CREATED ? MEMBER_CREATED_AT
                                                                  : MEMBER_MODIFIED_AT;
    if (r->from_us != INT64_MIN)
        f = compare(a, path, member, COMPARE_GE, (struct operand){.kind = OPERAND_DATETIME, .us = r->from_us});
    if (r->to_us != INT64_MAX)
        f = filter_and(
            a, f, compare(a, path, member, COMPARE_LT, (struct operand){.kind = OPERAND_DATETIME, .us = r->to_us}));
    return f;
}

static struct filter *of_column(struct entity_asked *asked, const struct entities *t, uint32_t i, const struct wanted *w)
{
    const struct column *column = &t->columns[i];
    if (column->kind == COLUMN_CREATED || column->kind == COLUMN_MODIFIED)
        return of_times(asked->plan, column, NULL, &w->times);
    if (!w->has)
        return NULL;
    struct name *path = arena_array(asked->plan, struct name, 1);
    *path = (struct name){terms_iri(t->base.session->options->terms, column->term), column->term};
    if (column->kind == COLUMN_VALUE)
        return of_value(asked, t, path, w);
    struct filter *f = of_times(asked->plan, column, path, &w->times);
    return f ? f : filter_of_attrs(asked->plan, path, 1);
}

static void want_value(struct wanted *w, enum push_op op, sqlite3_value *v, struct arena *a)
{
    int type = sqlite3_value_type(v);
    w->has = true;
    if (type == SQLITE_TEXT && op == PUSH_EQ)
        w->text = arena_dup(a, (struct str){(const char *)sqlite3_value_text(v), (size_t)sqlite3_value_bytes(v)});
    if (type != SQLITE_INTEGER && type != SQLITE_FLOAT)
        return;
    double d = sqlite3_value_double(v);
    if ((op == PUSH_EQ || op == PUSH_GE || op == PUSH_GT) && (!w->low || d > w->from)) {
        w->low = true;
        w->from = d;
    }
    if ((op == PUSH_EQ || op == PUSH_LE || op == PUSH_LT) && (!w->high || d < w->to)) {
        w->high = true;
        w->to = d;
    }
}

static void want_rows(struct entity_asked *asked, enum push_op op, sqlite3_value *v)
{
    if (sqlite3_value_type(v) != SQLITE_INTEGER)
        return;
    sqlite3_int64 n = sqlite3_value_int64(v);
    uint64_t row = n < 0 ? 0 : (uint64_t)n;
    uint64_t after = op == PUSH_GT ? row : row ? row - 1 : 0, last = op == PUSH_LT ? (row ? row - 1 : 0) : row;
    if ((op == PUSH_EQ || op == PUSH_GE || op == PUSH_GT) && after > asked->after)
        asked->after = after;
    if ((op == PUSH_EQ || op == PUSH_LE || op == PUSH_LT) && last < asked->last)
        asked->last = last;
}

static uint32_t column_find(const struct entities *t, struct str name)
{
    uint32_t i = 0;
    while (i < t->count && !str_eq(t->columns[i].name, name))
        i++;
    return i;
}

void table_entity_filter(struct entity_asked *asked, const struct entities *t, struct str text, sqlite3_value **values)
{
    struct wanted *all = arena_zarray(asked->plan, struct wanted, t->count);
    struct push p;
    for (uint32_t i = 0; i < t->count; i++)
        all[i].times = (struct push_range){INT64_MIN, INT64_MAX};
    asked->filter = table_type_filter(asked->plan, t->base.session, t->type);
    for (int n = 0; push_read(&text, &p);) {
        sqlite3_value *v = p.op == PUSH_HAS ? NULL : values[n++];
        uint32_t i = column_find(t, p.column);
        if (i == t->count) {
            want_rows(asked, p.op, v);
        } else if (t->columns[i].kind == COLUMN_ID) {
            struct str id = {(const char *)sqlite3_value_text(v), (size_t)sqlite3_value_bytes(v)};
            id = arena_dup(asked->plan, str_absent(id) ? STR("") : id);
            asked->filter = filter_and(asked->plan, asked->filter, filter_of_ids(asked->plan, &id, 1));
        } else if (!v) {
            all[i].has = true;
        } else if (t->columns[i].kind == COLUMN_VALUE) {
            want_value(&all[i], p.op, v, asked->plan);
        } else {
            all[i].has = true;
            push_time(&all[i].times, p.op, v);
        }
    }
    for (uint32_t i = 0; i < t->count; i++)
        asked->filter = filter_and(asked->plan, asked->filter, of_column(asked, t, i, &all[i]));
}
