/* Every kind of value in every format. */
#include "sql/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void written_as(const char *sql, enum sql_format format, const char *wanted)
{
    sqlite3 *db;
    sqlite3_stmt *st;
    struct rows rows;
    struct buf b;
    struct arena *a = arena_new(0);
    buf_init(&b, 10000);
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    rows_begin(&rows, st, format, a, &b);
    while (sqlite3_step(st) == SQLITE_ROW)
        rows_add(&rows);
    rows_end(&rows);
    if (!str_eq(buf_view(&b), str_of(wanted)))
        fail_msg("%.*s", (int)b.n, b.p);
    sqlite3_finalize(st);
    sqlite3_close(db);
    buf_free(&b);
    arena_free(a);
}

#define KINDS "SELECT 1 AS i, 2.5 AS r, NULL AS n, 'a\"b,' AS t, '' AS e, x'00ff' AS b, 9e999 AS x"

static void kinds_of_values(void **state)
{
    (void)state;
    written_as(KINDS, SQL_JSON, "[{\"i\":1,\"r\":2.5,\"n\":null,\"t\":\"a\\\"b,\",\"e\":\"\",\"b\":\"00ff\",\"x\":null}]");
    written_as(KINDS, SQL_CSV, "i,r,n,t,e,b,x\r\n1,2.5,,\"a\"\"b,\",\"\",00ff,Inf\r\n");
    written_as(KINDS, SQL_LINES, "{\"i\":1,\"r\":2.5,\"n\":null,\"t\":\"a\\\"b,\",\"e\":\"\",\"b\":\"00ff\",\"x\":null}\n");
    written_as(KINDS, SQL_ARRAYS, "[[1,2.5,null,\"a\\\"b,\",\"\",\"00ff\",null]]");
}

static void rows_are_apart(void **state)
{
    static const char TWO[] = "SELECT 1 AS a UNION ALL SELECT 2";
    (void)state;
    written_as(TWO, SQL_JSON, "[{\"a\":1},{\"a\":2}]");
    written_as(TWO, SQL_CSV, "a\r\n1\r\n2\r\n");
    written_as(TWO, SQL_LINES, "{\"a\":1}\n{\"a\":2}\n");
    written_as(TWO, SQL_TABLE, "{\"type\":\"table\",\"columns\":[{\"text\":\"a\"}],\"rows\":[[1],[2]]}");
}

static void no_rows(void **state)
{
    (void)state;
    written_as("SELECT 1 AS a LIMIT 0", SQL_JSON, "[]");
    written_as("SELECT 1 AS a LIMIT 0", SQL_CSV, "a\r\n");
    written_as("SELECT 1 AS a LIMIT 0", SQL_LINES, "");
    written_as("SELECT 1 AS a LIMIT 0", SQL_ARRAYS, "[]");
}

static void names_are_told_apart(void **state)
{
    (void)state;
    written_as("SELECT 1 AS a, 2 AS a, 3 AS \"a:1\", 4 AS a", SQL_LINES, "{\"a\":1,\"a:1\":2,\"a:1:1\":3,\"a:2\":4}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_of_values),
        cmocka_unit_test(rows_are_apart),
        cmocka_unit_test(no_rows),
        cmocka_unit_test(names_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
