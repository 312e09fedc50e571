/* wellspring get, watch, top: a person looks at a running city from a terminal. */
#include "base/time.h"
#include "main/command.h"
#include "main/look.h"
#include "main/screen.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DEPTH_MAX = 64, LIMIT_DEFAULT = 20, EVERY_MAX_S = 3600 };

static bool colours(void)
{
    return isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
}

/* ---- arguments ---- */

static bool look_argument(struct look *l, const char *name, const char *value)
{
    unsigned long long n;
    if (strcmp(name, "--type") == 0)
        l->type = value;
    else if (strcmp(name, "--q") == 0)
        l->q = value;
    else if (strcmp(name, "--attrs") == 0)
        l->attrs = value;
    else if (strcmp(name, "--every") == 0)
        return (l->every_s = strtod(value, NULL)) >= 0.1 && l->every_s <= EVERY_MAX_S;
    else if (strcmp(name, "--limit") == 0 && str_to_u64(str_of(value), 1000000, &n))
        l->limit = n;
    else
        return false;
    return true;
}

/* NULL when all is understood, else the argument that is not. */
static const char *look_arguments(struct look *l, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            l->json = true;
        else if (argv[i][0] != '-' && !l->id)
            l->id = argv[i];
        else if (i + 1 >= argc || !look_argument(l, argv[i], argv[i + 1]))
            return argv[i];
        else
            i++;
    }
    return NULL;
}

void look_parameter(struct buf *b, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(b, "&%s=", name);
    request_encode(b, value);
}

static void look_path(const struct look *l, struct buf *b)
{
    buf_lit(b, "/ngsi-ld/v1/entities");
    if (l->id) {
        buf_char(b, '/');
        request_encode(b, l->id);
        buf_lit(b, "?");
    } else {
        buf_printf(b, "?limit=%" PRIu64 "%s", l->limit, l->type || l->q || l->attrs ? "" : "&local=true");
        look_parameter(b, "type", l->type);
        look_parameter(b, "q", l->q);
    }
    look_parameter(b, "attrs", l->attrs);
    buf_str(b, l->json ? STR("") : STR("&options=keyValues"));
}

/* ---- printing ---- */

void look_print(struct arena *a, const struct json *v)
{
    struct str text = screen_harmless(a, v->kind == JSON_STRING ? v->string : json_text(a, v));
    printf("%.*s", STR_ARG(text));
}

bool look_printed(void)
{
    return fflush(stdout) == 0 && !ferror(stdout);
}

static void entity_print(struct arena *a, const struct json *e)
{
    const struct json *id = json_get(e, STR("id")), *type = json_get(e, STR("type"));
    printf("%s", colours() ? "\033[1m" : "");
    if (id)
        look_print(a, id);
    printf("%s  ", colours() ? "\033[0m" : "");
    if (type)
        look_print(a, type);
    printf("\n");
    for (uint32_t i = 0; i < e->n; i++) {
        const struct json_member *m = &e->members[i];
        if (str_eq(m->key, STR("id")) || str_eq(m->key, STR("type")))
            continue;
        printf("  %-24.*s ", STR_ARG(screen_harmless(a, m->key)));
        look_print(a, &m->value);
        printf("\n");
    }
}

enum status look_parse(struct look *l, struct str body, struct json *out, struct why *why)
{
    struct json_limits limits = {.depth_max = DEPTH_MAX, .bytes_max = body.n + 1};
    return json_read(l->arena, body, &limits, out, why);
}

static enum status fetch(struct look *l, struct str *body, struct why *why)
{
    struct buf path;
    buf_init(&path, LOOK_URL_BYTES_MAX);
    look_path(l, &path);
    enum status st = request_get(l->request, buf_view(&path), l->arena, body, why);
    buf_free(&path);
    return st;
}

static enum status get(struct look *l, struct why *why)
{
    struct str body;
    struct json v;
    enum status st = fetch(l, &body, why);
    if (st == OK && l->json) {
        printf("%.*s\n", STR_ARG(body));
        return OK;
    }
    if (st == OK)
        st = look_parse(l, body, &v, why);
    if (st != OK)
        return st;
    if (v.kind == JSON_OBJECT)
        entity_print(l->arena, &v);
    for (uint32_t i = 0; v.kind == JSON_ARRAY && i < v.n; i++)
        if (v.items[i].kind == JSON_OBJECT)
            entity_print(l->arena, &v.items[i]);
    return OK;
}

/* ---- top ---- */

static double metric(struct str text, const char *name)
{
    struct str line;
    size_t n = strlen(name);
    while (str_split(&text, '\n', &line))
        if (line.n > n + 1 && str_starts(line, (struct str){name, n}) && line.p[n] == ' ')
            return strtod(line.p + n + 1, NULL);
    return 0;
}

static void top_print(struct str was, struct str is, double seconds)
{
    static const struct {
        const char *name, *label;
        bool rate;
        double unit;
    } ROWS[] = {
        {"wellspring_entities", "entities", false, 1},
        {"wellspring_http_requests_total", "requests/s", true, 1},
        {"wellspring_commits_total", "changes/s", true, 1},
        {"wellspring_syncs_total", "syncs/s", true, 1},
        {"wellspring_queries_total", "queries/s", true, 1},
        {"wellspring_http_connections", "connections", false, 1},
        {"wellspring_resident_memory_bytes", "resident MB", false, 1e6},
        {"wellspring_state_bytes", "state MB", false, 1e6},
        {"wellspring_log_bytes", "log MB", false, 1e6},
        {"wellspring_read_only", "read only", false, 1},
    };
    if (isatty(STDOUT_FILENO))
        printf("\033[H\033[2J");
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        double v = metric(is, ROWS[i].name) - (ROWS[i].rate ? metric(was, ROWS[i].name) : 0);
        printf("%-14s %14.1f\n", ROWS[i].label, v / (ROWS[i].rate ? seconds : ROWS[i].unit));
    }
    printf("\n");
}

static enum status top(struct look *l, struct why *why)
{
    struct arena *older = arena_new(0);
    struct str was = STR(""), is;
    enum status st;
    int64_t last_us = 0;
    while ((st = request_get(l->request, STR("/metrics"), l->arena, &is, why)) == OK) {
        int64_t now_us = time_monotonic();
        if (last_us)
            top_print(was, is, (double)(now_us - last_us) / 1e6);
        if (!look_printed())
            break;
        last_us = now_us;
        was = is;
        struct arena *swap = older;
        older = l->arena;
        l->arena = swap;
        arena_reset(l->arena);
        usleep((useconds_t)(l->every_s * 1e6));
    }
    arena_free(older);
    return st;
}

static int look_run(struct config *config, int argc, char **argv, enum status (*run)(struct look *, struct why *))
{
    struct look l = {.every_s = 1, .limit = LIMIT_DEFAULT};
    struct why why;
    why_clear(&why);
    l.request = request_new(config, &argc, argv, &why);
    if (!l.request)
        return command_fail(&why);
    l.arena = arena_new(0);
    const char *wrong = look_arguments(&l, argc, argv);
    enum status st = wrong ? why_set(&why, E_INVALID_REQUEST, NULL, "%s is not understood", wrong) : run(&l, &why);
    request_free(l.request);
    arena_free(l.arena);
    return st == OK ? 0 : wrong ? command_usage(why.text) : command_fail(&why);
}

int command_get(struct config *config, int argc, char **argv)
{
    return look_run(config, argc, argv, get);
}

int command_watch(struct config *config, int argc, char **argv)
{
    return look_run(config, argc, argv, watch_run);
}

int command_top(struct config *config, int argc, char **argv)
{
    return look_run(config, argc, argv, top);
}
