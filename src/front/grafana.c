/* Targets are answered one after another, each by a statement with the parameters :from, :to (times) and :interval (ms). */
#include "front/grafana.h"

#include "base/time.h"
#include "front/ngsild/answer.h"
#include "front/ngsild/negotiate.h"

#define LOOK_EVERY_US INT64_C(200000)

enum { METRIC_ENTITIES = 200, TARGETS_MAX = 64, STATEMENT_BYTES_MAX = 64 << 10 };

struct panel {
    struct exchange x; /* first: found by the exchange */
    struct statements *of;
    void (*run)(struct panel *p);
    struct sql_call call;
    struct loop_timer look;
    const struct json *targets; /* an array */
    uint32_t next;
    struct json parameters;
    struct json_member members[3];
    struct str series;  /* name of the target under way; absent: a table */
    struct buf out;
    struct store_query query;
};

static void answer(struct panel *p)
{
    answer_document(&p->x, &p->out, MEDIA_JSON);
}

static void refuse(struct panel *p, enum status status, const struct why *why)
{
    buf_free(&p->out);
    answer_refusal(&p->x, status, why);
}

/* ---- series and tables ---- */

static void target_start(struct panel *p);

static void target_done(struct sql_call *call)
{
    struct panel *p = container_of(call, struct panel, call);
    loop_timer_clear(p->x.http->loop, &p->look);
    if (call->status != OK) {
        refuse(p, call->status, &call->why);
        return;
    }
    if (!str_absent(p->series)) {
        buf_lit(&p->out, "{\"target\":");
        json_write_str(&p->out, p->series);
        buf_lit(&p->out, ",\"datapoints\":");
    }
    buf_str(&p->out, buf_view(&call->body));
    buf_free(&call->body);
    if (!str_absent(p->series))
        buf_char(&p->out, '}');
    target_start(p);
}

static void look(struct loop_timer *t)
{
    struct panel *p = container_of(t, struct panel, look);
    if (http_request_abandoned(p->x.http))
        sql_cancel(&p->call);
    else
        loop_timer_set(p->x.http->loop, t, time_monotonic() + LOOK_EVERY_US);
}

static void quoted(struct buf *b, struct str s)
{
    buf_char(b, '\'');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\'')
            buf_char(b, '\'');
        buf_char(b, s.p[i]);
    }
    buf_char(b, '\'');
}

/* "ENTITY ATTRIBUTE [METHOD]" as a statement; absent when it is none. In the arena. */
static struct str statement_of(struct panel *p, struct str target)
{
    static const char *const METHODS[] = {"avg", "min", "max", "sum", "count"};
    struct str entity, attribute, method = STR_NONE;
    const char *how = METHODS[0];
    struct buf b;
    if (!str_split(&target, ' ', &entity) || !str_split(&target, ' ', &attribute) || !entity.n || !attribute.n)
        return STR_NONE;
    if (str_split(&target, ' ', &method)) {
        size_t i = 0;
        while (i < sizeof METHODS / sizeof *METHODS && !str_eq(method, str_of(METHODS[i])))
            i++;
        if (i == sizeof METHODS / sizeof *METHODS || target.n)
            return STR_NONE;
        how = METHODS[i];
    }
    buf_init(&b, STATEMENT_BYTES_MAX);
    buf_printf(&b, "SELECT %s(number), at / :interval * :interval AS start FROM (SELECT number, unixepoch(time) * 1000 + "
                   "CAST(substr(strftime('%%f', time), 4) AS INTEGER) AS at FROM history WHERE entity = ", how);
    quoted(&b, entity);
    buf_lit(&b, " AND attribute = ");
    quoted(&b, attribute);
    buf_lit(&b, " AND time >= :from AND time <= :to AND number IS NOT NULL) GROUP BY start ORDER BY start");
    struct str s = arena_dup(p->x.arena, buf_view(&b));
    buf_free(&b);
    return s;
}

static bool is_select(struct str target)
{
    return str_eq_fold(str_head(target, 6), STR("SELECT")) || str_eq_fold(str_head(target, 4), STR("WITH"));
}

/* The next target, or the end of the answer. */
static void target_start(struct panel *p)
{
    struct exchange *x = &p->x;
    const struct json *target = NULL;
    while (p->next < p->targets->n && !target) { /* a target that is still being written has none */
        const struct json *t = json_get(&p->targets->items[p->next++], STR("target"));
        target = json_is(t, JSON_STRING) && str_trim(t->string).n ? t : NULL;
    }
    if (!target) {
        buf_char(&p->out, ']');
        answer(p);
        return;
    }
    if (p->out.n > 1)
        buf_char(&p->out, ',');
    struct str text = str_trim(target->string);
    bool table = is_select(text);
    p->series = table ? STR_NONE : text;
    p->call.text = table ? text : statement_of(p, text);
    if (str_absent(p->call.text)) {
        why_set(&x->why, E_BAD_DATA, &(struct at){.key = STR("targets")},
                "\"%.*s\" is no target: ENTITY ATTRIBUTE [avg|min|max|sum|count], or a SELECT", STR_ARG(text));
        refuse(p, x->why.status, &x->why);
        return;
    }
    p->call.format = table ? SQL_TABLE : SQL_ARRAYS;
    p->call.home = exchange_home(x);
    p->call.done = target_done;
    p->call.caller = x->caller;
    p->call.context = x->context;
    p->call.parameters = &p->parameters;
    p->look.fire = look;
    loop_timer_set(x->http->loop, &p->look, time_monotonic() + LOOK_EVERY_US);
    sql_start(p->of->sql, &p->call);
}

static void parameter_set(struct panel *p, struct str name, const struct json *value, struct json preset)
{
    p->members[p->parameters.n++] = (struct json_member){name, value ? *value : preset};
}

static void query(struct panel *p)
{
    struct exchange *x = &p->x;
    const struct json *range = json_get(&x->body, STR("range")), *interval = json_get(&x->body, STR("intervalMs"));
    struct json second = {.kind = JSON_INT, .integer = 1000};
    p->targets = json_get(&x->body, STR("targets"));
    if (!json_is(p->targets, JSON_ARRAY) || p->targets->n > TARGETS_MAX) {
        why_set(&x->why, E_BAD_DATA, &(struct at){.key = STR("targets")}, "a list of at most %d targets is expected", TARGETS_MAX);
        refuse(p, x->why.status, &x->why);
        return;
    }
    p->parameters = (struct json){.kind = JSON_OBJECT, .members = p->members};
    parameter_set(p, STR("from"), json_get(range, STR("from")), (struct json){.kind = JSON_STRING, .string = STR("0000")});
    parameter_set(p, STR("to"), json_get(range, STR("to")), (struct json){.kind = JSON_STRING, .string = STR("9999")});
    parameter_set(p, STR("interval"), json_is(interval, JSON_INT) && interval->integer > 0 ? interval : NULL, second);
    buf_char(&p->out, '[');
    target_start(p);
}

/* ---- metrics ---- */

static void metrics_write(struct panel *p, bool labels)
{
    const struct store_query *q = &p->query;
    bool first = true;
    buf_char(&p->out, '[');
    for (uint32_t i = 0; i < q->doc_count; i++)
        for (uint32_t k = 0; k < doc_attr_count(q->docs[i]); k++) {
            struct value v;
            doc_attr_value(q->docs[i], k, &v);
            uint32_t term = doc_attr_term(q->docs[i], k);
            if ((v.kind != VALUE_INT && v.kind != VALUE_REAL) || (k && doc_attr_term(q->docs[i], k - 1) == term))
                continue;
            struct str name = arena_printf(p->x.arena, "%.*s %.*s", STR_ARG(doc_id(q->docs[i])),
                                           STR_ARG(context_compact_term(p->x.context, term)));
            buf_str(&p->out, first ? STR("") : STR(","));
            buf_str(&p->out, labels ? STR("{\"label\":") : STR(""));
            json_write_str(&p->out, name);
            buf_str(&p->out, labels ? STR(",\"value\":") : STR(""));
            if (labels)
                json_write_str(&p->out, name);
            buf_str(&p->out, labels ? STR("}") : STR(""));
            first = false;
        }
    buf_char(&p->out, ']');
}

static void entities_found(struct store_call *call)
{
    struct store_query *q = container_of(call, struct store_query, call);
    struct panel *p = container_of(q, struct panel, query);
    if (call->status != OK) {
        refuse(p, call->status, &call->why);
        return;
    }
    metrics_write(p, str_eq(p->x.http->path, STR("/grafana/metrics")));
    answer(p);
}

/* What is being typed narrows the entities: a part of an id. */
static void metrics(struct panel *p)
{
    struct exchange *x = &p->x;
    const struct json *typed = json_get(&x->body, STR("target"));
    typed = typed ? typed : json_get(&x->body, STR("metric"));
    if (json_is(typed, JSON_STRING) && typed->string.n) {
        struct str id = str_head(typed->string, str_find_char(typed->string, ' '));
        struct filter_reader r = exchange_filter_reader(x);
        struct buf b;
        struct pattern *pattern;
        buf_init(&b, STATEMENT_BYTES_MAX);
        for (size_t i = 0; i < id.n; i++) { /* its characters, not a pattern */
            if (strchr("\\^$.|?*+()[]{}", id.p[i]))
                buf_char(&b, '\\');
            buf_char(&b, id.p[i]);
        }
        enum status st = filter_read_pattern(&r, arena_dup(x->arena, buf_view(&b)), &pattern, &x->why);
        buf_free(&b);
        if (st != OK) {
            refuse(p, st, &x->why);
            return;
        }
        x->filter = filter_of_pattern(x->arena, pattern);
    }
    p->query = (struct store_query){
        .call = {.home = exchange_home(x), .deadline_us = exchange_deadline(x), .done = entities_found},
        .caller = &x->caller, .filter = x->filter, .limit = METRIC_ENTITIES, .arena = x->arena};
    if (store_query(x->broker->store, &p->query))
        entities_found(&p->query.call);
}

/* ---- the rest ---- */

static void nothing(struct panel *p)
{
    buf_lit(&p->out, "[]");
    answer(p);
}

static void hello(struct panel *p)
{
    buf_lit(&p->out, "{\"status\":\"ok\"}");
    answer(p);
}

static const struct {
    struct str path;
    void (*run)(struct panel *p);
} PAGES[] = {
#define PAGE(path, run) {{"/grafana/" path, sizeof "/grafana/" path - 1}, run}
    PAGE("", hello),           PAGE("metrics", metrics),      PAGE("search", metrics),
    PAGE("query", query),      PAGE("annotations", nothing),  PAGE("metric-payload-options", nothing),
    PAGE("variable", metrics), PAGE("tag-keys", nothing),     PAGE("tag-values", nothing),
};

static void resolved(struct exchange *x)
{
    struct panel *p = container_of(x, struct panel, x);
    if (x->context)
        p->run(p);
    else
        refuse(p, x->why.status, &x->why);
}

static enum status read(struct panel *p)
{
    struct exchange *x = &p->x;
    struct http_request *http = x->http;
    const char *method = p->run == hello ? "GET" : "POST";
    if (!str_eq(http->method_name, str_of(method)))
        return why_limit(&x->why, E_METHOD, NULL, method, "%.*s is not allowed here: %s", STR_ARG(http->method_name), method);
    enum status st = statement_allowed(p->of, &x->why);
    if (st != OK)
        return st;
    st = exchange_read_headers(x);
    struct json_limits limits = {.depth_max = x->api->limits.json_depth, .bytes_max = x->api->limits.body_bytes};
    if (st == OK && http->body.n)
        st = json_read(x->arena, http->body, &limits, &x->body, &x->why);
    return st;
}

bool grafana_handle(struct statements *s, struct http_request *http)
{
    size_t i = 0;
    struct str path = str_eq(http->path, STR("/grafana")) ? STR("/grafana/") : http->path;
    while (i < sizeof PAGES / sizeof *PAGES && !str_eq(path, PAGES[i].path))
        i++;
    if (i == sizeof PAGES / sizeof *PAGES)
        return false;
    struct panel *p = arena_zarray(http->arena, struct panel, 1);
    p->of = s;
    p->run = PAGES[i].run;
    exchange_open(&p->x, s->api, http);
    buf_init(&p->out, s->api->limits.answer_bytes);
    if (read(p) != OK)
        refuse(p, p->x.why.status, &p->x.why);
    else
        exchange_resolve(&p->x, resolved);
    return true;
}
