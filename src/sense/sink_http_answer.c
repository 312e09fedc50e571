/* Why: an answer to a batch speaks of ids, in any order (CIM 009 clause 6.15.3.1); the import wants
 * to know about lines. Start at sink_http_read(). */
#include "sense/sink_http.h"

#include "base/hash.h"
#include "base/json.h"
#include "sense/utf8.h"

#define DETAIL_BYTES_MAX 400

/* Ids of the batch → entities; open addressing, no id twice. */
struct id_table {
    uint32_t mask;
    struct sink_entity **slots;
};

static uint32_t id_slot(const struct id_table *t, struct str id)
{
    uint32_t i = (uint32_t)hash_str(id) & t->mask;
    while (t->slots[i] && !str_eq(t->slots[i]->id, id))
        i = (i + 1) & t->mask;
    return i;
}

static void id_table_fill(struct id_table *t, const struct sink_batch *b)
{
    uint32_t size = 16;
    while (size < b->count * 2)
        size *= 2;
    t->mask = size - 1;
    t->slots = arena_zarray(b->arena, struct sink_entity *, size);
    for (uint32_t i = 0; i < b->count; i++)
        t->slots[id_slot(t, b->entities[i]->id)] = b->entities[i];
}

static struct sink_entity *id_find(const struct id_table *t, const struct json *id)
{
    return json_is(id, JSON_STRING) ? t->slots[id_slot(t, id->string)] : NULL;
}

static struct str text_of(const struct json *problem, const char *member)
{
    const struct json *v = json_get(problem, str_of(member));
    return json_is(v, JSON_STRING) ? utf8_head(v->string, DETAIL_BYTES_MAX) : STR("");
}

/* "detail (at /member)" of a problem (RFC 7807). A pointer into the batch loses the element's
 * number, which means nothing to whoever reads the report. */
static struct str problem_text(const struct json *problem, struct arena *a)
{
    struct str detail = text_of(problem, "detail");
    struct str pointer = text_of(problem, "pointer");
    if (detail.n == 0)
        detail = text_of(problem, "title");
    if (detail.n == 0)
        detail = STR("refused without a reason");
    size_t digits = 1;
    while (digits < pointer.n && pointer.p[digits] >= '0' && pointer.p[digits] <= '9')
        digits++;
    if (digits > 1 && (digits == pointer.n || pointer.p[digits] == '/'))
        pointer = str_from(pointer, digits);
    if (pointer.n == 0)
        return arena_dup(a, detail);
    return arena_printf(a, "%.*s (at %.*s)", STR_ARG(detail), STR_ARG(pointer));
}

static bool is_temporary(long http_status)
{
    return http_status == 429 || http_status == 503;
}

static long problem_status(const struct json *problem)
{
    const struct json *status = json_get(problem, STR("status"));
    return json_is(status, JSON_INT) ? (long)status->integer : 0;
}

static void all_are(struct sink_batch *b, enum status status, enum sink_fate fate)
{
    for (uint32_t i = 0; i < b->count; i++) {
        b->entities[i]->status = status;
        b->entities[i]->fate = (uint8_t)fate;
        b->entities[i]->reason = STR_NONE;
    }
}

/* 201: the array has the ids of those that were created; the others were updated. */
static void read_created(struct sink_batch *b, const struct json *answer)
{
    struct id_table t;
    id_table_fill(&t, b);
    all_are(b, OK, SINK_UPDATED);
    for (uint32_t i = 0; answer->kind == JSON_ARRAY && i < answer->n; i++) {
        struct sink_entity *e = id_find(&t, &answer->items[i]);
        if (e)
            e->fate = SINK_CREATED;
    }
}

/* 207: BatchOperationResult, which does not tell created from updated. Entities that it does not
 * mention are taken for refused. */
static void read_result(struct sink_batch *b, const struct json *answer)
{
    const struct json *success = json_get(answer, STR("success"));
    const struct json *errors = json_get(answer, STR("errors"));
    struct id_table t;
    id_table_fill(&t, b);
    all_are(b, E_BAD_DATA, SINK_STORED);
    for (uint32_t i = 0; json_is(success, JSON_ARRAY) && i < success->n; i++) {
        struct sink_entity *e = id_find(&t, &success->items[i]);
        if (e)
            e->status = OK;
    }
    for (uint32_t i = 0; json_is(errors, JSON_ARRAY) && i < errors->n; i++) {
        const struct json *problem = json_get(&errors->items[i], STR("error"));
        struct sink_entity *e = id_find(&t, json_get(&errors->items[i], STR("entityId")));
        if (!e)
            continue;
        e->status = is_temporary(problem_status(problem)) ? E_BUSY : E_BAD_DATA;
        e->reason = problem_text(problem, b->arena);
    }
    for (uint32_t i = 0; i < b->count; i++)
        if (b->entities[i]->status != OK && str_absent(b->entities[i]->reason))
            b->entities[i]->reason = STR("the city's answer does not mention it");
}

/* Anything else speaks of the batch as a whole. */
static void read_refusal(struct sink_batch *b, int http_status, const struct json *answer)
{
    struct str text = problem_text(answer, b->arena);
    bool context = str_ends(text_of(answer, "type"), STR("LdContextNotAvailable"));
    enum status st = E_IO;
    if (is_temporary(http_status))
        st = E_BUSY;
    else if (context || http_status == 400 || http_status == 413 || http_status == 422)
        st = E_BAD_DATA;
    else if (http_status < 500)
        st = E_NOT_SUPPORTED;
    why_clear(&b->why);
    if (st == E_BAD_DATA)
        b->status = why_set(&b->why, st, NULL, "%.*s", STR_ARG(text));
    else
        b->status =
            why_set(&b->why, st, NULL, "the city answered %d: %.*s", http_status, STR_ARG(text));
}

void sink_http_read(struct sink_batch *b, int http_status, struct str answer)
{
    const struct json_limits limits = {.depth_max = 64, .bytes_max = answer.n + 1};
    struct json tree = {.kind = JSON_NULL};
    if (answer.n > 0 && json_read(b->arena, answer, &limits, &tree, NULL) != OK)
        tree.kind = JSON_NULL;
    b->status = OK;
    if (http_status == 204 || http_status == 200)
        all_are(b, OK, SINK_UPDATED);
    else if (http_status == 201)
        read_created(b, &tree);
    else if (http_status == 207)
        read_result(b, &tree);
    else
        read_refusal(b, http_status, &tree);
}
