/* The list of functions is of those that only look at their arguments; whatever else a build of SQLite has is refused. */
#include "sql/guard.h"

#include "base/time.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    STEPS = 1000,             /* of the engine between looks at the clock */
    LENGTH_MAX = 64 << 20,    /* of one text */
    DEPTH_MAX = 100,          /* of an expression */
    COMPOUND_MAX = 50,
    ARGUMENTS_MAX = 100,
    PATTERN_MAX = 1000,
    VARIABLES_MAX = 1000,
    COLUMNS_MAX = 2000,
    INSTRUCTIONS_MAX = 250000,
};

/* Sorted. */
static const char *const FUNCTIONS[] = {
    "->",           "->>",           "abs",          "acos",         "acosh",        "asin",
    "asinh",        "atan",          "atan2",        "atanh",        "avg",          "ceil",
    "ceiling",      "char",          "coalesce",     "cos",          "cosh",         "count",
    "cume_dist",    "current_date",  "current_time", "current_timestamp", "date",    "datetime",
    "degrees",      "dense_rank",    "exp",          "first_value",  "floor",        "format",
    "glob",         "group_concat",  "hex",          "ifnull",       "iif",          "instr",
    "json",         "json_array",    "json_array_length", "json_extract", "json_group_array", "json_group_object",
    "json_insert",  "json_object",   "json_patch",   "json_quote",   "json_remove",  "json_replace",
    "json_set",     "json_type",     "json_valid",   "julianday",    "lag",          "last_value",
    "lead",         "length",        "like",         "likelihood",   "likely",       "ln",
    "log",          "log10",         "log2",         "lower",        "ltrim",        "max",
    "min",          "mod",           "nth_value",    "ntile",        "nullif",       "percent_rank",
    "pi",           "pow",           "power",        "printf",       "quote",        "radians",
    "random",       "rank",          "replace",      "round",        "row_number",   "rtrim",
    "sign",         "sin",           "sinh",         "sqrt",         "strftime",     "substr",
    "substring",    "sum",           "tan",          "tanh",         "time",         "total",
    "trim",         "trunc",         "typeof",       "unicode",      "unixepoch",    "unlikely",
    "upper",
};

void guard_memory(size_t bytes)
{
    sqlite3_soft_heap_limit64((sqlite3_int64)(bytes - bytes / 4));
    sqlite3_hard_heap_limit64((sqlite3_int64)bytes);
}

static int by_name(const void *key, const void *element)
{
    return strcasecmp(key, *(const char *const *)element);
}

static bool function_allowed(const char *name)
{
    return bsearch(name, FUNCTIONS, sizeof FUNCTIONS / sizeof *FUNCTIONS, sizeof *FUNCTIONS, by_name) != NULL;
}

static bool table_allowed(const struct session *s, const char *name)
{
    return strcasecmp(name, "json_each") == 0 || strcasecmp(name, "json_tree") == 0 || session_find(s, name) != NULL;
}

static int authorize(void *arg, int action, const char *first, const char *second, const char *database,
                     const char *trigger)
{
    struct session *s = arg;
    struct why why;
    (void)database;
    (void)trigger;
    if (s->declaring || action == SQLITE_SELECT || action == SQLITE_RECURSIVE)
        return SQLITE_OK;
    if (action == SQLITE_READ && (!second[0] || table_allowed(s, first)))
        return SQLITE_OK; /* without a column: rows are counted, those of a WITH too */
    if (action == SQLITE_FUNCTION && function_allowed(second))
        return SQLITE_OK;
    why_clear(&why);
    if (action == SQLITE_FUNCTION)
        why_set(&why, E_FORBIDDEN, NULL, "the function %s is not allowed", second);
    else if (action == SQLITE_READ)
        why_set(&why, E_FORBIDDEN, NULL, "the table %s is not allowed", first);
    else
        why_set(&why, E_FORBIDDEN, NULL, "%s", SESSION_READ_ONLY);
    session_fail(s, NULL, why.status, &why);
    return SQLITE_DENY;
}

static int progress(void *arg)
{
    return session_check(arg) != OK;
}

void guard_set(struct session *s)
{
    static const int LIMITS[][2] = {
        {SQLITE_LIMIT_LENGTH, LENGTH_MAX},        {SQLITE_LIMIT_COLUMN, COLUMNS_MAX},
        {SQLITE_LIMIT_EXPR_DEPTH, DEPTH_MAX},     {SQLITE_LIMIT_COMPOUND_SELECT, COMPOUND_MAX},
        {SQLITE_LIMIT_VDBE_OP, INSTRUCTIONS_MAX}, {SQLITE_LIMIT_FUNCTION_ARG, ARGUMENTS_MAX},
        {SQLITE_LIMIT_ATTACHED, 0},               {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, PATTERN_MAX},
        {SQLITE_LIMIT_VARIABLE_NUMBER, VARIABLES_MAX}, {SQLITE_LIMIT_TRIGGER_DEPTH, 0},
        {SQLITE_LIMIT_WORKER_THREADS, 0},
    };
    for (size_t i = 0; i < sizeof LIMITS / sizeof *LIMITS; i++)
        sqlite3_limit(s->db, LIMITS[i][0], LIMITS[i][1]);
    sqlite3_limit(s->db, SQLITE_LIMIT_SQL_LENGTH, (int)s->options->text_max);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_set_authorizer(s->db, authorize, s);
    sqlite3_progress_handler(s->db, STEPS, progress, s);
}
