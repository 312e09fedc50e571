/* Texts of plans, ranges of times, and the order of times. */
#include "sql/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void texts_of_plans_read_back(void **state)
{
    static const struct push PUSHES[] = {
        {{"id", 2}, PUSH_EQ},           {{"speed", 5}, PUSH_LE}, {{"speed", 5}, PUSH_LT}, {{"http://x/a?b=c", 14}, PUSH_GE},
        {{"http://x/a=", 11}, PUSH_GT}, {{"n", 1}, PUSH_HAS},
    };
    struct buf b;
    struct push p;
    (void)state;
    buf_init(&b, 1000);
    for (size_t i = 0; i < sizeof PUSHES / sizeof *PUSHES; i++)
        push_write(&b, PUSHES[i].column, (enum push_op)PUSHES[i].op);
    struct str text = buf_view(&b);
    assert_true(str_eq(text, STR("id=, speed<=, speed<, http://x/a?b=c>=, http://x/a=>, n is not null")));
    for (size_t i = 0; i < sizeof PUSHES / sizeof *PUSHES; i++) {
        assert_true(push_read(&text, &p));
        assert_true(str_eq(p.column, PUSHES[i].column));
        assert_int_equal(p.op, PUSHES[i].op);
    }
    assert_false(push_read(&text, &p));
    buf_free(&b);
}

static void what_is_no_constraint_ends_a_plan(void **state)
{
    struct str text = STR("one row an entity");
    struct push p;
    (void)state;
    assert_false(push_read(&text, &p));
}

/* ---- times ---- */

static sqlite3 *database(void)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    table_set(db);
    return db;
}

static void times_compare_as_times(void **state)
{
    static const struct {
        const char *a, *op, *b;
    } HOLD[] = {
        {"2024-01-01", "=", "2024-01-01T00:00:00Z"},
        {"2024", "=", "2024-01-01T00:00:00.000000Z"},
        {"2024-05", "=", "2024-05-01"},
        {"2024-05-01T10:30", "=", "2024-05-01 10:30:00"},
        {"2024-01-01T01:00:00+01:00", "=", "2024-01-01"},
        {"2024-01-01T00:00:00.5Z", ">", "2024-01-01T00:00:00Z"}, /* bytes would have it before */
        {"2023-12-31T23:59:59.999Z", "<", "2024"},
        {"9999", "<", "soon"}, /* what is none stands behind */
        {"later", "<", "soon"},
        {"2024-13", ">", "9999"},
    };
    sqlite3 *db = database();
    (void)state;
    for (size_t i = 0; i < sizeof HOLD / sizeof *HOLD; i++) {
        sqlite3_stmt *st;
        char *sql = sqlite3_mprintf("SELECT %Q %s %Q COLLATE TIME", HOLD[i].a, HOLD[i].op, HOLD[i].b);
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(st), SQLITE_ROW);
        if (!sqlite3_column_int(st, 0))
            fail_msg("%s does not hold", sql);
        sqlite3_finalize(st);
        sqlite3_free(sql);
    }
    sqlite3_close(db);
}

#define SECOND INT64_C(1000000)
#define NEW_YEAR (INT64_C(1704067200) * SECOND)

struct asked {
    enum push_op op;
    struct push_range range;
};

static void narrow(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    struct asked *a = sqlite3_user_data(context);
    (void)argc;
    push_time(&a->range, a->op, argv[0]);
}

static struct push_range narrowed(enum push_op op, const char *literal, struct push_range from)
{
    struct asked a = {op, from};
    sqlite3 *db = database();
    char *sql = sqlite3_mprintf("SELECT narrow(%s)", literal);
    sqlite3_create_function_v2(db, "narrow", 1, SQLITE_UTF8, &a, narrow, NULL, NULL, NULL);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_free(sql);
    sqlite3_close(db);
    return a.range;
}

static void ranges_of_times_are_half_open(void **state)
{
    static const struct push_range ALL = {INT64_MIN, INT64_MAX};
    static const struct {
        enum push_op op;
        const char *literal;
        struct push_range wanted;
    } CASES[] = {
        {PUSH_GE, "'2024-01-01'", {NEW_YEAR, INT64_MAX}},
        {PUSH_GT, "'2024-01-01'", {NEW_YEAR + 1, INT64_MAX}},
        {PUSH_LT, "'2024-01-01'", {INT64_MIN, NEW_YEAR}},
        {PUSH_LE, "'2024-01-01'", {INT64_MIN, NEW_YEAR + 1}},
        {PUSH_EQ, "'2024-01-01'", {NEW_YEAR, NEW_YEAR + 1}},
        {PUSH_GE, "'soon'", {INT64_MIN, INT64_MAX}}, /* SQLite decides */
        {PUSH_GE, "2024", {INT64_MIN, INT64_MAX}},
        {PUSH_GE, "NULL", {INT64_MIN, INT64_MAX}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct push_range r = narrowed(CASES[i].op, CASES[i].literal, ALL);
        assert_true(r.from_us == CASES[i].wanted.from_us && r.to_us == CASES[i].wanted.to_us);
    }
    struct push_range small = {NEW_YEAR + SECOND, NEW_YEAR + 2 * SECOND};
    assert_true(narrowed(PUSH_GE, "'2024'", small).from_us == small.from_us); /* is never widened */
    assert_true(narrowed(PUSH_LT, "'2025'", small).to_us == small.to_us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_of_plans_read_back),
        cmocka_unit_test(what_is_no_constraint_ends_a_plan),
        cmocka_unit_test(times_compare_as_times),
        cmocka_unit_test(ranges_of_times_are_half_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
