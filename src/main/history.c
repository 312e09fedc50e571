/* wellspring history: the values that an attribute had, or what they amount to in periods, as a table or drawn. */
#include "base/time.h"
#include "main/command.h"
#include "main/plot.h"
#include "main/request.h"
#include "main/screen.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DEPTH_MAX = 64, PATH_BYTES_MAX = 32 << 10, PLOT_BYTES_MAX = 4 << 20, PLOT_LINES = 12, PERIODS_MAX = 1000000 };

struct history {
    struct request *request;
    struct arena *arena;
    const char *entity, *attribute, *from, *to, *every, *methods, *context;
    const char *accept; /* NULL: a table */
    bool plot;
};

static bool value_take(struct history *h, const char *name, const char *value)
{
    const struct {
        const char *name;
        const char **to;
    } OPTIONS_OF[] = {{"--from", &h->from}, {"--to", &h->to}, {"--every", &h->every}, {"--agg", &h->methods}, {"--context", &h->context}};
    for (size_t i = 0; i < sizeof OPTIONS_OF / sizeof *OPTIONS_OF; i++)
        if (strcmp(name, OPTIONS_OF[i].name) == 0) {
            *OPTIONS_OF[i].to = value;
            return true;
        }
    return false;
}

/* NULL when all is understood, else the argument that is not. */
static const char *history_arguments(struct history *h, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--plot") == 0)
            h->plot = true;
        else if (strcmp(argv[i], "--csv") == 0)
            h->accept = "text/csv";
        else if (strcmp(argv[i], "--jsonl") == 0)
            h->accept = "application/x-ndjson";
        else if (argv[i][0] != '-' && !h->entity)
            h->entity = argv[i];
        else if (argv[i][0] != '-' && !h->attribute)
            h->attribute = argv[i];
        else if (i + 1 >= argc || !value_take(h, argv[i], argv[i + 1]))
            return argv[i];
        else
            i++;
    }
    return h->entity && h->attribute ? NULL : "without an entity and an attribute that";
}

/* "1h", "15m", "1d", "1w", "1mo", "1y", or ISO 8601's "PT1H". Empty: none of these. */
static struct str period(struct arena *a, const char *every)
{
    static const struct {
        const char *unit, *before, *behind;
    } UNITS[] = {{"s", "PT", "S"}, {"m", "PT", "M"}, {"min", "PT", "M"}, {"h", "PT", "H"}, {"d", "P", "D"},
                 {"w", "P", "W"},  {"mo", "P", "M"}, {"y", "P", "Y"}};
    char *end;
    struct duration d;
    unsigned long n = strtoul(every, &end, 10);
    if (every[0] == 'P')
        return duration_parse(str_of(every), &d) ? str_of(every) : STR("");
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++)
        if (end != every && every[0] != '-' && n && n <= PERIODS_MAX && strcmp(end, UNITS[i].unit) == 0)
            return arena_printf(a, "%s%lu%s", UNITS[i].before, n, UNITS[i].behind);
    return STR("");
}

/* A time of the command line as the API has it: "2024-01-01" is its midnight. Absent with why. */
static struct str instant(struct arena *a, const char *text, struct why *why)
{
    char out[TIME_TEXT_MAX];
    int64_t us;
    if (!time_parse_date(str_of(text), &us) && !time_parse_lenient(str_of(text), 0, &us)) {
        why_set(why, E_INVALID_REQUEST, NULL, "%s is no time: 2024-01-31 or 2024-01-31T23:59:59Z", text);
        return STR_NONE;
    }
    return arena_dup(a, (struct str){out, time_format(us, out)});
}

/* ---- single values ---- */

static void quoted(struct buf *b, const char *text)
{
    buf_char(b, '\'');
    for (; *text; text++) {
        if (*text == '\'')
            buf_char(b, '\'');
        buf_char(b, *text);
    }
    buf_char(b, '\'');
}

static struct str statement(const struct history *h, struct str from, struct str to)
{
    struct buf b;
    buf_init(&b, PATH_BYTES_MAX);
    buf_lit(&b, "SELECT time, value FROM history WHERE entity = ");
    quoted(&b, h->entity);
    buf_lit(&b, " AND attribute = ");
    quoted(&b, h->attribute);
    if (!str_absent(from))
        buf_printf(&b, " AND time >= '%.*s'", STR_ARG(from));
    if (!str_absent(to))
        buf_printf(&b, " AND time < '%.*s'", STR_ARG(to));
    buf_lit(&b, " AND deletedAt IS NULL ORDER BY time");
    struct str s = arena_dup(h->arena, buf_view(&b));
    buf_free(&b);
    return s;
}

static enum status values_get(struct history *h, struct str from, struct str to, struct str *body, struct why *why)
{
    struct str headers[3] = {STR("Content-Type: application/sql"),
                             arena_printf(h->arena, "Accept: %s", h->accept ? h->accept : "application/json")};
    size_t n = 2;
    if (h->context)
        headers[n++] = request_link(h->arena, h->context);
    return request_post(h->request, STR("/sql"), headers, n, statement(h, from, to), h->arena, body, why);
}

/* ---- periods ---- */

static struct str path_of(const struct history *h, struct str from, struct str to, struct str every)
{
    struct buf b;
    buf_init(&b, PATH_BYTES_MAX);
    buf_lit(&b, "/ngsi-ld/v1/temporal/entities/");
    request_encode(&b, h->entity);
    buf_lit(&b, "?options=aggregatedValues&attrs=");
    request_encode(&b, h->attribute);
    buf_printf(&b, "&aggrMethods=");
    request_encode(&b, h->methods ? h->methods : "avg");
    buf_printf(&b, "&aggrPeriodDuration=%.*s", STR_ARG(every));
    if (!str_absent(from) && !str_absent(to))
        buf_printf(&b, "&timerel=between&timeAt=%.*s&endTimeAt=%.*s", STR_ARG(from), STR_ARG(to));
    else if (!str_absent(from))
        buf_printf(&b, "&timerel=after&timeAt=%.*s", STR_ARG(from));
    else if (!str_absent(to))
        buf_printf(&b, "&timerel=before&timeAt=%.*s", STR_ARG(to));
    struct str path = arena_dup(h->arena, buf_view(&b));
    buf_free(&b);
    return path;
}

/* The values of one method: [[value, from, to], …]; NULL: none. */
static const struct json *periods_of(const struct json *attribute, struct str method)
{
    const struct json *list = json_get(attribute, method);
    return json_is(list, JSON_ARRAY) ? list : NULL;
}

static struct json *row_of(struct json *rows, struct str time, struct arena *a, uint32_t methods)
{
    for (uint32_t i = rows->n; i-- > 0;) {
        if (json_is_string(&rows->items[i].members[0].value, time))
            return &rows->items[i];
        if (str_cmp(rows->items[i].members[0].value.string, time) < 0)
            break;
    }
    struct json *row = &rows->items[rows->n++];
    *row = (struct json){.kind = JSON_OBJECT, .n = 1, .members = arena_zarray(a, struct json_member, methods + 1)};
    row->members[0] = (struct json_member){STR("time"), {.kind = JSON_STRING, .string = time}};
    return row;
}

/* A row a period, a member a method. Periods of all methods are the same but for those in which one has no value. */
static void rows_make(struct history *h, const struct json *attribute, struct json *rows)
{
    struct str rest = str_of(h->methods ? h->methods : "avg"), method;
    uint32_t methods = 0, room = 0, at = 0;
    for (struct str r = rest; str_split(&r, ',', &method); methods++) {
        const struct json *list = periods_of(attribute, method);
        room += list ? list->n : 0;
    }
    *rows = (struct json){.kind = JSON_ARRAY, .items = arena_zarray(h->arena, struct json, room)};
    while (str_split(&rest, ',', &method)) {
        const struct json *list = periods_of(attribute, method);
        at++;
        for (uint32_t i = 0; list && i < list->n; i++) {
            const struct json *one = &list->items[i];
            if (one->kind != JSON_ARRAY || one->n < 2 || one->items[1].kind != JSON_STRING)
                continue;
            struct json *row = row_of(rows, one->items[1].string, h->arena, methods);
            for (; row->n <= at; row->n++)
                row->members[row->n].key = method;
            row->members[at] = (struct json_member){method, one->items[0]};
        }
    }
}

static enum status periods_get(struct history *h, struct str from, struct str to, struct json *rows, struct why *why)
{
    struct str every = h->every ? period(h->arena, h->every) : STR("PT0S"), body;
    struct json v;
    if (!every.n)
        return why_set(why, E_INVALID_REQUEST, NULL, "--every %s is no period: 15m, 1h, 1d, 1mo or PT1H", h->every);
    struct str link = h->context ? request_link(h->arena, h->context) : STR_NONE;
    enum status st = request_get_with(h->request, path_of(h, from, to, every), &link, h->context ? 1 : 0, h->arena, &body, why);
    struct json_limits limits = {.depth_max = DEPTH_MAX, .bytes_max = body.n + 1};
    if (st == OK)
        st = json_read(h->arena, body, &limits, &v, why);
    if (st != OK)
        return st;
    const struct json *attribute = json_get(&v, str_of(h->attribute));
    if (json_is(attribute, JSON_ARRAY) && attribute->n) /* one a dataset: the default one comes first */
        attribute = &attribute->items[0];
    rows_make(h, attribute, rows);
    return OK;
}

/* ---- what is shown ---- */

static void plot_print(struct history *h, const struct json *rows, uint32_t column)
{
    struct plot_point *points = arena_array(h->arena, struct plot_point, rows->n);
    size_t n = 0;
    struct buf b;
    for (uint32_t i = 0; i < rows->n; i++) {
        const struct json *row = &rows->items[i];
        double d;
        int64_t us;
        if (row->n > column && json_number(&row->members[column].value, &d) && isfinite(d) &&
            row->members[0].value.kind == JSON_STRING && time_parse(row->members[0].value.string, &us))
            points[n++] = (struct plot_point){us, d};
    }
    buf_init(&b, PLOT_BYTES_MAX);
    printf("%s %.*s\n", screen_harmless(h->arena, str_of(h->attribute)).p,
           STR_ARG(screen_harmless(h->arena, rows->items[0].members[column].key)));
    plot_draw(&b, points, n, screen_columns(), PLOT_LINES);
    fwrite(b.p, 1, b.n, stdout);
    if (!n)
        printf("(no numbers)\n");
    buf_free(&b);
}

static void csv_print(struct history *h, const struct json *rows)
{
    for (uint32_t i = 0; rows->n && i < rows->items[0].n; i++)
        printf("%s%.*s", i ? "," : "", STR_ARG(rows->items[0].members[i].key));
    printf("\r\n");
    for (uint32_t k = 0; k < rows->n; k++) {
        for (uint32_t i = 0; i < rows->items[k].n; i++) {
            const struct json *v = &rows->items[k].members[i].value;
            struct str text = v->kind == JSON_STRING ? v->string : v->kind == JSON_NULL ? STR("") : json_text(h->arena, v);
            printf("%s%.*s", i ? "," : "", STR_ARG(text));
        }
        printf("\r\n");
    }
}

static void rows_print(struct history *h, const struct json *rows)
{
    if (h->plot)
        for (uint32_t i = 1; rows->n && i < rows->items[0].n; i++)
            plot_print(h, rows, i);
    else if (h->accept && strcmp(h->accept, "text/csv") == 0)
        csv_print(h, rows);
    else if (h->accept)
        for (uint32_t i = 0; i < rows->n; i++)
            printf("%.*s\n", STR_ARG(json_text(h->arena, &rows->items[i])));
    else
        screen_table(h->arena, rows);
    if (h->plot && !rows->n)
        printf("(nothing)\n");
}

static enum status history_run(struct history *h, struct why *why)
{
    struct str from = h->from ? instant(h->arena, h->from, why) : STR_NONE;
    struct str to = h->to && why->status == OK ? instant(h->arena, h->to, why) : STR_NONE, body;
    struct json rows = {.kind = JSON_ARRAY};
    if (why->status != OK)
        return why->status;
    if (h->every || h->methods) {
        enum status st = periods_get(h, from, to, &rows, why);
        if (st == OK)
            rows_print(h, &rows);
        return st;
    }
    if (h->plot)
        h->accept = NULL;
    enum status st = values_get(h, from, to, &body, why);
    struct json_limits limits = {.depth_max = DEPTH_MAX, .bytes_max = body.n + 1};
    if (st == OK && h->accept) {
        fwrite(body.p, 1, body.n, stdout);
        return OK;
    }
    if (st == OK)
        st = json_read(h->arena, body, &limits, &rows, why);
    if (st == OK)
        rows_print(h, &rows);
    return st;
}

int command_history(struct config *config, int argc, char **argv)
{
    struct history h = {0};
    struct why why;
    why_clear(&why);
    h.request = request_new(config, &argc, argv, &why);
    if (!h.request)
        return command_fail(&why);
    h.arena = arena_new(0);
    const char *wrong = history_arguments(&h, argc, argv);
    enum status st = wrong ? why_set(&why, E_INVALID_REQUEST, NULL, "%s is not understood", wrong) : history_run(&h, &why);
    bool usage = wrong || st == E_INVALID_REQUEST;
    request_free(h.request);
    arena_free(h.arena);
    return st == OK ? 0 : usage ? command_usage(why.text) : command_fail(&why);
}
