/* See series.h. Rows show names as they were given. */
#include "sql/series.h"

#include "model/aggregate.h"

static const struct str SCOPE = {"scope", sizeof "scope" - 1};

/* ---- plans ---- */

bool series_pushed(sqlite3_index_info *info, int i, enum push_op op)
{
    bool above = info->aConstraint[i].iColumn == SERIES_ENTITY && (op == PUSH_GT || op == PUSH_GE);
    return (op == PUSH_EQ || above) && push_compares(info, i, "BINARY");
}

double series_share(enum series_column column, enum push_op op)
{
    return column == SERIES_ENTITY ? (op == PUSH_EQ ? 0.0001 : 0.5) : column == SERIES_ATTRIBUTE ? 0.1 : 0.5;
}

/* ---- what is asked for ---- */

static struct str given(struct series_wanted *w, sqlite3_value *v)
{
    if (sqlite3_value_type(v) == SQLITE_NULL)
        return STR_NONE;
    struct str s = {(const char *)sqlite3_value_text(v), (size_t)sqlite3_value_bytes(v)};
    return arena_dup(w->plan, s.p ? s : STR(""));
}

void series_want(struct series_wanted *w, enum series_column column, enum push_op op, sqlite3_value *v)
{
    struct str *const to[SERIES_COLUMNS] = {&w->entity, &w->type_name, &w->attribute_name, &w->dataset};
    struct str text = given(w, v);
    if (op != PUSH_EQ) { /* an entity's bound; SQLite looks again at what equals it */
        if (!str_absent(text) && (str_absent(w->above) || str_cmp(text, w->above) > 0))
            w->above = text;
        return;
    }
    if (str_absent(text) || (!str_absent(*to[column]) && !str_eq(*to[column], text)))
        w->none = true;
    *to[column] = text;
}

/* Names become terms; one that nothing has finds nothing. */
static void want_names(struct series_wanted *w, const struct session *s)
{
    struct why why;
    why_clear(&why);
    if (!str_absent(w->attribute_name) && !str_eq(w->attribute_name, SCOPE)) {
        w->term = context_expand_term(s->call->context, w->attribute_name, false, w->plan, &why);
        w->none = w->none || !w->term;
    }
    if (str_absent(w->type_name))
        return;
    uint32_t type = context_expand_term(s->call->context, w->type_name, false, w->plan, &why);
    w->none = w->none || !type;
    w->types = table_type_filter(w->plan, s, type);
}

static int fail(sqlite3_vtab *table, struct session *s, enum status st, const struct why *why)
{
    if (session_check(s) != OK)
        st = s->status;
    return session_fail(s, &table->zErrMsg, st, why);
}

int series_find(struct series_wanted *w, sqlite3_vtab *table, struct session *s)
{
    static const struct temporal_query ALWAYS = {.from_us = INT64_MIN, .to_us = INT64_MAX};
    want_names(w, s);
    if (w->none)
        return SQLITE_OK;
    if (!str_absent(w->entity)) {
        w->ids = &w->entity;
        w->id_count = 1;
        return SQLITE_OK;
    }
    struct store_evolve v = {.caller = &s->call->caller, .id = STR_NONE, .filter = w->types, .time = &ALWAYS,
                             .limit = UINT32_MAX, .ids_alone = true, .arena = w->plan};
    wait_prepare(s->wait, &v.call, s->deadline_us);
    enum status st = wait_for(s->wait, &v.call, store_evolve(s->options->store, &v));
    if (st != OK)
        return fail(table, s, st, &v.call.why);
    w->ids = arena_array(w->plan, struct str, v.evolution_count);
    for (uint32_t i = 0; i < v.evolution_count; i++)
        if (str_absent(w->above) || str_cmp(v.evolutions[i].id, w->above) >= 0)
            w->ids[w->id_count++] = v.evolutions[i].id;
    store_thread_quiescent(s->options->store);
    return SQLITE_OK;
}

/* ---- reading ---- */

struct store_evolve series_evolve(const struct series_wanted *w, struct session *s, uint32_t first, uint32_t n,
                                  struct arena *a)
{
    static const uint32_t NO_TERMS[1];
    bool scope = str_eq(w->attribute_name, SCOPE), named = !str_absent(w->attribute_name);
    bool one = n == 1 && !w->types; /* cheaper by its id */
    return (struct store_evolve){
        .caller = &s->call->caller,
        .id = one ? w->ids[first] : STR_NONE,
        .filter = one ? NULL : w->types,
        .among = one ? NULL : w->ids + first,
        .among_count = one ? 0 : n,
        .terms = scope ? NO_TERMS : named ? &w->term : NULL,
        .term_count = named && !scope,
        .no_scope = named && !scope,
        .datasets = &w->dataset,
        .dataset_count = !str_absent(w->dataset),
        .limit = n,
        .arena = a,
    };
}

int series_read(struct store_evolve *v, sqlite3_vtab *table, struct session *s)
{
    wait_prepare(s->wait, &v->call, s->deadline_us);
    enum status st = wait_for(s->wait, &v->call, store_evolve(s->options->store, v));
    store_thread_quiescent(s->options->store);
    if (st != OK && st != E_NOT_FOUND)
        return fail(table, s, st, &v->call.why);
    v->evolution_count = st == OK ? v->evolution_count : 0;
    return session_check(s) == OK ? SQLITE_OK : fail(table, s, s->status, &s->why);
}

/* ---- rows ---- */

static uint32_t rows_of(const struct series *s)
{
    return s->aggregates ? aggregates_count(s->aggregates) : s->count;
}

int series_settle(struct series_cursor *c, int (*read)(struct series_cursor *c))
{
    int code = SQLITE_OK;
    while (code == SQLITE_OK && c->e < c->count) {
        const struct evolution *e = &c->evolutions[c->e];
        if (c->s >= e->count) {
            c->e++;
            c->s = c->p = 0;
        } else if (c->p >= rows_of(&e->series[c->s])) {
            c->s++;
            c->p = 0;
        } else {
            return SQLITE_OK;
        }
        if (c->e == c->count)
            code = read(c);
    }
    return code;
}

int series_eof(sqlite3_vtab_cursor *base)
{
    const struct series_cursor *c = (const struct series_cursor *)base;
    return c->e >= c->count;
}

static void name_show(sqlite3_context *out, const struct session *s, struct str asked, uint32_t term)
{
    table_text(out, str_absent(asked) ? context_compact_term(s->call->context, term) : asked);
}

void series_show(sqlite3_context *out, const struct session *s, const struct series_wanted *w, const struct evolution *e,
                 const struct series *series, enum series_column column)
{
    switch (column) {
    case SERIES_ENTITY:
        table_text(out, e->id);
        break;
    case SERIES_TYPE:
        if (e->type_count)
            name_show(out, s, w->type_name, e->types[0]);
        break;
    case SERIES_ATTRIBUTE:
        if (series->term == TERM_SCOPE)
            table_text(out, SCOPE);
        else
            name_show(out, s, w->attribute_name, series->term);
        break;
    case SERIES_DATASET:
        table_text(out, series->dataset.n ? series->dataset : STR_NONE);
        break;
    case SERIES_COLUMNS:
        break;
    }
}
