/* What W8 and W9 cost as rows of SQLite: readings in transactions of 10,000, durable (WAL, synchronous=FULL), with an index
 * on sensor and time; the aggregate of one long series into 100 periods.
 *
 * usage: sqlite_rows --file FILE [--series N] [--points N] [--long N] [--clustered yes]; prints one figure a line.
 * --clustered: the index is the table (WITHOUT ROWID). */
#include "../program.h"
#include "readings.h"

#include <math.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { BATCH = 10000, RUNS = 51, PERIODS = 100 };

static sqlite3 *db;
static uint32_t series = 1000, points = 2000000, long_points = 100000;
static const char *file;
static bool clustered;

static void must(int status)
{
    if (status != SQLITE_OK && status != SQLITE_DONE && status != SQLITE_ROW) {
        fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(db));
        exit(1);
    }
}

static void run(const char *sql)
{
    must(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

static sqlite3_stmt *prepare(const char *sql)
{
    sqlite3_stmt *s;
    must(sqlite3_prepare_v2(db, sql, -1, &s, NULL));
    return s;
}

static void open_file(void)
{
    must(sqlite3_open(file, &db));
    run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    if (clustered)
        run("CREATE TABLE reading (sensor INTEGER, observedAt INTEGER, value, PRIMARY KEY (sensor, observedAt)) WITHOUT ROWID");
    else
        run("CREATE TABLE reading (sensor INTEGER, observedAt INTEGER, value);"
            "CREATE INDEX reading_time ON reading (sensor, observedAt)");
}

static void insert(sqlite3_stmt *s, uint32_t sensor, uint32_t minute, int16_t reading)
{
    sqlite3_bind_int64(s, 1, sensor);
    sqlite3_bind_int64(s, 2, READINGS_START_S + (int64_t)minute * READINGS_STEP_S);
    if (readings_counts(sensor))
        sqlite3_bind_int64(s, 3, reading);
    else
        sqlite3_bind_double(s, 3, reading / 10.0);
    must(sqlite3_step(s));
    sqlite3_reset(s);
}

static void stream(uint32_t first, uint32_t sensors, uint32_t count)
{
    int16_t *readings = readings_make(first, sensors, count);
    sqlite3_stmt *s = prepare("INSERT INTO reading VALUES (?, ?, ?)");
    double wall = now(), spent = cpu();
    for (uint32_t n = 0; n < sensors * count; n++) {
        if (n % BATCH == 0)
            run(n ? "COMMIT; BEGIN" : "BEGIN");
        insert(s, first + n % sensors, n / sensors, readings[n]);
    }
    run("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
    if (sensors > 1) {
        figure("points a CPU second", sensors * count / (cpu() - spent), "points/s");
        figure("points a second", sensors * count / (now() - wall), "points/s");
    }
    sqlite3_finalize(s);
    free(readings);
}

static void aggregate(uint32_t sensor)
{
    double times[RUNS], check = 0;
    sqlite3_stmt *s = prepare("SELECT (observedAt - ?2) / ?3 AS period, avg(value), min(value), max(value), sum(value), "
                              "sum(value * value), count(*) FROM reading WHERE sensor = ?1 AND observedAt >= ?2 GROUP BY period");
    for (int i = 0; i < RUNS; i++) {
        int periods = 0;
        double start = now();
        sqlite3_bind_int64(s, 1, sensor);
        sqlite3_bind_int64(s, 2, READINGS_START_S);
        sqlite3_bind_int64(s, 3, (int64_t)long_points / PERIODS * READINGS_STEP_S);
        for (; sqlite3_step(s) == SQLITE_ROW; periods++) {
            double mean = sqlite3_column_double(s, 1), n = sqlite3_column_double(s, 6);
            check += sqrt(sqlite3_column_double(s, 5) / n - mean * mean);
        }
        sqlite3_reset(s);
        times[i] = (now() - start) * 1e3;
        if (periods != PERIODS || !(check > 0)) {
            fprintf(stderr, "sqlite: %d periods\n", periods);
            exit(1);
        }
    }
    sqlite3_finalize(s);
    qsort(times, RUNS, sizeof *times, compare_doubles);
    figure("aggregate of one series into 100 periods, median", times[RUNS / 2], "ms");
}

int main(int argc, char **argv)
{
    series = argument_number(argc, argv, "--series", series);
    points = argument_number(argc, argv, "--points", points);
    long_points = argument_number(argc, argv, "--long", long_points);
    clustered = argument_yes(argc, argv, "--clustered");
    file = argument(argc, argv, "--file", NULL);
    if (!file)
        return 2;
    open_file();
    stream(0, series, points / series);
    struct stat st;
    if (stat(file, &st) == 0)
        figure("bytes a point on the disk", (double)st.st_size / (points / series * series), "bytes");
    uint32_t sensor = series + series % 2; /* one that has temperatures */
    stream(sensor, 1, long_points);
    aggregate(sensor);
    sqlite3_close(db);
    return 0;
}
