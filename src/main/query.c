/* wellspring sql: one SELECT, answered by a running city, as a table for people or as CSV and JSON lines for programs. */
#include "main/command.h"
#include "main/request.h"
#include "main/screen.h"

#include <stdio.h>
#include <stdlib.h>

enum { DEPTH_MAX = 64 };

struct query {
    const char *sql, *context, *accept;
};

/* NULL when all is understood, else the argument that is not. */
static const char *query_arguments(struct query *q, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--csv") == 0)
            q->accept = "text/csv";
        else if (strcmp(argv[i], "--jsonl") == 0)
            q->accept = "application/x-ndjson";
        else if (strcmp(argv[i], "--context") == 0 && i + 1 < argc)
            q->context = argv[++i];
        else if (argv[i][0] != '-' && !q->sql)
            q->sql = argv[i];
        else
            return argv[i];
    }
    return q->sql ? NULL : "a statement is expected: wellspring sql \"SELECT …\";";
}

static enum status query_run(struct request *r, const struct query *q, struct arena *a, struct why *why)
{
    struct str headers[3] = {arena_printf(a, "Accept: %s", q->accept ? q->accept : "application/json"),
                             STR("Content-Type: application/sql")};
    size_t count = 2;
    struct str body;
    struct json rows;
    if (q->context)
        headers[count++] = request_link(a, q->context);
    enum status st = request_post(r, STR("/sql"), headers, count, str_of(q->sql), a, &body, why);
    if (st != OK)
        return st;
    if (q->accept) {
        fwrite(body.p, 1, body.n, stdout);
        return OK;
    }
    struct json_limits limits = {.depth_max = DEPTH_MAX, .bytes_max = body.n + 1};
    st = json_read(a, body, &limits, &rows, why);
    if (st == OK)
        screen_table(a, &rows);
    return st;
}

int command_sql(struct config *config, int argc, char **argv)
{
    struct query q = {0};
    struct why why;
    why_clear(&why);
    struct request *r = request_new(config, &argc, argv, &why);
    if (!r)
        return command_fail(&why);
    struct arena *a = arena_new(0);
    const char *wrong = query_arguments(&q, argc, argv);
    enum status st = wrong ? why_set(&why, E_INVALID_REQUEST, NULL, "%s is not understood", wrong) : query_run(r, &q, a, &why);
    request_free(r);
    arena_free(a);
    return st == OK ? 0 : wrong ? command_usage(why.text) : command_fail(&why);
}
