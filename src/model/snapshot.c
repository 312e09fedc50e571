/* One table says which member is what; reading, loading and refusing go through it. */
#include "model/snapshot.h"

#include "base/time.h"
#include "model/reader.h"
#include "model/subscription.h"

#include <stddef.h>

enum { STORED_DEPTH_MAX = 1000 };

static const char *const STATUSES[SNAPSHOT_STATUS_COUNT] = {"preparing", "success", "partial", "failure", "empty"};

const char *snapshot_status_name(enum snapshot_status s)
{
    return STATUSES[s];
}

/* ---- members as they are given ---- */

struct reading {
    enum snapshot_mode mode;
    struct arena *arena;
    struct snapshot *out;
    struct why *why;
};

typedef enum status member_reader(struct reading *r, const struct json *v, const struct at *at);

static bool is_null(const struct json *v)
{
    return json_is_string(v, STR("urn:ngsi-ld:null"));
}

static enum status expected(struct reading *r, const struct at *at, const char *what)
{
    return why_set(r->why, E_BAD_DATA, at, "%s is expected", what);
}

static enum status read_id(struct reading *r, const struct json *v, const struct at *at)
{
    if (v->kind != JSON_STRING || !reader_is_uri(v->string))
        return expected(r, at, "a URI");
    if (r->mode == SNAPSHOT_FRAGMENT && !str_eq(v->string, r->out->id))
        return why_set(r->why, E_BAD_DATA, at, "the id cannot be changed");
    r->out->id = arena_dup(r->arena, v->string);
    return OK;
}

static enum status read_type(struct reading *r, const struct json *v, const struct at *at)
{
    return json_is_string(v, STR("Snapshot")) ? OK : expected(r, at, "\"Snapshot\"");
}

static enum status read_queries_of(struct reading *r, const struct json *v, const struct at *at, bool temporal,
                                   struct str *out)
{
    if (r->mode != SNAPSHOT_CREATE)
        return why_set(r->why, E_BAD_DATA, at, "queries are given when a snapshot is created, and stay");
    if (v->kind != JSON_ARRAY || !v->n)
        return expected(r, at, "an array of Query objects that is not empty");
    for (uint32_t i = 0; i < v->n; i++) {
        struct at place = {.up = at, .index = i}, deeper = {.up = &place, .key = STR("temporalQ")};
        const struct json *q = json_get(&v->items[i], deeper.key);
        if (!json_is_string(json_get(&v->items[i], STR("type")), STR("Query")))
            return expected(r, &place, "a Query object");
        if (temporal && !json_is(q, JSON_OBJECT))
            return expected(r, &place, "a Query with a temporalQ");
        if (!temporal && q)
            return why_set(r->why, E_BAD_DATA, &deeper, "a temporalQ belongs to snapshotTemporalQueries");
    }
    *out = json_text(r->arena, v);
    return OK;
}

static enum status read_queries(struct reading *r, const struct json *v, const struct at *at)
{
    return read_queries_of(r, v, at, false, &r->out->queries);
}

static enum status read_temporal(struct reading *r, const struct json *v, const struct at *at)
{
    return read_queries_of(r, v, at, true, &r->out->temporal_queries);
}

static enum status read_lifetime(struct reading *r, const struct json *v, const struct at *at)
{
    struct duration d;
    if (v->kind != JSON_STRING || !duration_parse(v->string, &d))
        return expected(r, at, "a duration such as PT1H");
    r->out->lifetime = arena_dup(r->arena, v->string);
    return OK;
}

static enum status read_priority(struct reading *r, const struct json *v, const struct at *at)
{
    if (v->kind != JSON_INT || v->integer < 1 || v->integer > 10)
        return expected(r, at, "a whole number from 1 to 10");
    r->out->priority = (uint32_t)v->integer;
    return OK;
}

static enum status read_endpoint(struct reading *r, const struct json *v, const struct at *at)
{
    if (v->kind != JSON_STRING || !reader_is_uri(v->string))
        return expected(r, at, "an http, https, mqtt or mqtts URI");
    enum status st = endpoint_check(v->string, at, r->why);
    if (st != OK)
        return st;
    r->out->endpoint = arena_dup(r->arena, v->string);
    return OK;
}

static bool is_header_text(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 127)
            return false;
    return true;
}

static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] > 126 || strchr("()<>@,;:\\\"/[]?={}", s.p[i]))
            return false;
    return s.n > 0;
}

static enum status read_receiver(struct reading *r, const struct json *v, const struct at *at)
{
    if (v->kind != JSON_ARRAY || !v->n)
        return expected(r, at, "an array of {key, value} that is not empty");
    for (uint32_t i = 0; i < v->n; i++) {
        const struct json *key = json_get(&v->items[i], STR("key")), *value = json_get(&v->items[i], STR("value"));
        struct at place = {.up = at, .index = i};
        if (!json_is(key, JSON_STRING) || !json_is(value, JSON_STRING) || v->items[i].n != 2 || !is_token(key->string) ||
            !is_header_text(value->string))
            return expected(r, &place, "{\"key\": name of a header, \"value\": its text}");
    }
    r->out->receiver_info = json_text(r->arena, v);
    return OK;
}

/* ---- the table ---- */

enum { REMOVABLE = 1, OUTPUT = 2, TEXT = 4, TIME = 8 };
static const struct member {
    const char *name;
    uint8_t flags;
    member_reader *read;
    size_t offset; /* of TEXT (JSON text) and TIME */
} MEMBERS[] = {
    {"@context", OUTPUT, NULL, 0},
    {"id", 0, read_id, 0},
    {"type", 0, read_type, 0},
    {"snapshotQueries", TEXT, read_queries, offsetof(struct snapshot, queries)},
    {"snapshotTemporalQueries", TEXT, read_temporal, offsetof(struct snapshot, temporal_queries)},
    {"snapshotLifetime", REMOVABLE, read_lifetime, offsetof(struct snapshot, lifetime)},
    {"snapshotPriority", 0, read_priority, 0},
    {"endpoint", REMOVABLE, read_endpoint, offsetof(struct snapshot, endpoint)},
    {"receiverInfo", REMOVABLE | TEXT, read_receiver, offsetof(struct snapshot, receiver_info)},
    {"snapshotStatus", OUTPUT, NULL, 0},
    {"snapshotQueriesDetails", OUTPUT | TEXT, NULL, offsetof(struct snapshot, details)},
    {"snapshotTemporalQueriesDetails", OUTPUT | TEXT, NULL, offsetof(struct snapshot, temporal_details)},
    {"createdAt", OUTPUT | TIME, NULL, offsetof(struct snapshot, created_at)},
    {"modifiedAt", OUTPUT | TIME, NULL, offsetof(struct snapshot, modified_at)},
    {"expiresAt", OUTPUT | TIME, NULL, offsetof(struct snapshot, expires_at)},
    {"lastUsedAt", OUTPUT | TIME, NULL, offsetof(struct snapshot, last_used_at)},
};
enum { MEMBER_COUNT = sizeof MEMBERS / sizeof *MEMBERS };

static const struct member *member_of(struct str name)
{
    for (size_t i = 0; i < MEMBER_COUNT; i++)
        if (str_eq(name, str_of(MEMBERS[i].name)))
            return &MEMBERS[i];
    return NULL;
}

static struct str *text_of(struct snapshot *s, const struct member *m)
{
    return (struct str *)(void *)((char *)s + m->offset);
}

static int64_t *time_of(struct snapshot *s, const struct member *m)
{
    return (int64_t *)(void *)((char *)s + m->offset);
}

/* As it is in the end: an endpoint may come after its receiverInfo. */
static enum status check_receiver(const struct snapshot *s, struct arena *a, struct why *why)
{
    struct json pairs;
    struct json_limits limits = {.depth_max = STORED_DEPTH_MAX, .bytes_max = SIZE_MAX};
    struct at at = {.key = STR("receiverInfo")};
    if (str_absent(s->receiver_info) || (!str_absent(s->endpoint) && endpoint_is_mqtt(s->endpoint)) ||
        json_read(a, s->receiver_info, &limits, &pairs, NULL) != OK)
        return OK;
    return endpoint_check_receiver(&pairs, &at, why);
}

enum status snapshot_read(const struct json *body, enum snapshot_mode mode, struct arena *a, struct snapshot *out,
                          struct why *why)
{
    struct reading r = {mode, a, out, why};
    if (mode != SNAPSHOT_FRAGMENT)
        *out = (struct snapshot){.priority = SNAPSHOT_PRIORITY};
    if (body->kind != JSON_OBJECT)
        return expected(&r, NULL, "a Snapshot object");
    for (uint32_t i = 0; i < body->n; i++) {
        const struct json *v = &body->members[i].value;
        struct at at = {.key = body->members[i].key};
        const struct member *m = member_of(at.key);
        enum status st = OK;
        if (!m)
            return why_set(why, E_BAD_DATA, &at, "a Snapshot has no such member");
        if (mode == SNAPSHOT_FRAGMENT && m->flags & REMOVABLE && is_null(v))
            *text_of(out, m) = STR_NONE;
        else if (!(m->flags & OUTPUT))
            st = m->read(&r, v, &at);
        if (st != OK)
            return st;
    }
    struct at type = {.key = STR("type")};
    if (mode != SNAPSHOT_FRAGMENT && !json_get(body, type.key))
        return expected(&r, &type, "\"Snapshot\"");
    if (mode == SNAPSHOT_CREATE && str_absent(out->queries) && str_absent(out->temporal_queries))
        return why_set(why, E_BAD_DATA, NULL, "snapshotQueries or snapshotTemporalQueries is needed");
    return check_receiver(out, a, why);
}

static struct str dup(struct str s, struct arena *a)
{
    return str_absent(s) ? s : arena_dup(a, s);
}

struct snapshot snapshot_dup(const struct snapshot *s, struct arena *a)
{
    struct snapshot out = *s;
    out.id = dup(s->id, a);
    out.queries = dup(s->queries, a);
    out.temporal_queries = dup(s->temporal_queries, a);
    out.lifetime = dup(s->lifetime, a);
    out.endpoint = dup(s->endpoint, a);
    out.receiver_info = dup(s->receiver_info, a);
    out.details = dup(s->details, a);
    out.temporal_details = dup(s->temporal_details, a);
    return out;
}

/* ---- writing ---- */

static void write_string(struct buf *b, const char *name, struct str s)
{
    if (str_absent(s))
        return;
    buf_printf(b, ",\"%s\":", name);
    json_write_str(b, s);
}

static void write_time(struct buf *b, const char *name, int64_t us)
{
    buf_printf(b, ",\"%s\":\"", name);
    buf_time(b, us);
    buf_char(b, '"');
}

void snapshot_write(struct buf *b, const struct snapshot *s)
{
    struct snapshot copy = *s;
    buf_lit(b, "{\"id\":");
    json_write_str(b, s->id);
    buf_lit(b, ",\"type\":\"Snapshot\"");
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        const struct member *m = &MEMBERS[i];
        if (m->flags & TIME)
            write_time(b, m->name, *time_of(&copy, m));
        if (!(m->flags & TEXT) || str_absent(*text_of(&copy, m)))
            continue;
        buf_printf(b, ",\"%s\":", m->name);
        buf_str(b, *text_of(&copy, m));
    }
    write_string(b, "snapshotLifetime", s->lifetime);
    write_string(b, "endpoint", s->endpoint);
    buf_printf(b, ",\"snapshotPriority\":%u,\"snapshotStatus\":\"%s\"", s->priority, STATUSES[s->status]);
}

void snapshot_notification_write(struct buf *b, const struct snapshot *s, struct str id, int64_t at, bool deleted)
{
    buf_lit(b, "{\"id\":");
    json_write_str(b, id);
    buf_lit(b, ",\"type\":\"SnapshotNotification\"");
    write_string(b, "snapshotId", s->id);
    write_time(b, "notifiedAt", at);
    write_time(b, "expiresAt", deleted && s->expires_at >= at ? at - 1 : s->expires_at);
    buf_printf(b, ",\"snapshotPriority\":%u,\"snapshotStatus\":\"%s\"", s->priority, STATUSES[s->status]);
    if (!str_absent(s->details)) {
        buf_lit(b, ",\"snapshotQueriesDetails\":");
        buf_str(b, s->details);
    }
    if (!str_absent(s->temporal_details)) {
        buf_lit(b, ",\"temporalSnapshotQueriesDetails\":");
        buf_str(b, s->temporal_details);
    }
    buf_char(b, '}');
}

/* ---- results of queries ---- */

struct str snapshot_problem(struct arena *a, enum status status, const char *detail)
{
    static const struct {
        enum status status;
        const char *type, *title;
    } TYPES[] = {{E_BAD_DATA, "BadRequestData", "Bad request data"},
                 {E_LIMIT, "BadRequestData", "Limit exceeded"},
                 {E_TOO_COMPLEX, "TooComplexQuery", "Query too complex"},
                 {E_TOO_MANY_RESULTS, "TooManyResults", "Too many results"},
                 {E_NOT_SUPPORTED, "OperationNotSupported", "Operation not supported"},
                 {E_NO_TENANT, "NonexistentTenant", "Tenant does not exist"}};
    const char *type = "InternalError", *title = "Internal error";
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
        if (TYPES[i].status == status) {
            type = TYPES[i].type;
            title = TYPES[i].title;
        }
    struct buf b;
    buf_init(&b, SIZE_MAX);
    buf_printf(&b, "{\"type\":\"https://uri.etsi.org/ngsi-ld/errors/%s\",\"title\":\"%s\",\"detail\":", type, title);
    json_write_str(&b, str_of(detail));
    buf_char(&b, '}');
    struct str text = arena_dup(a, buf_view(&b));
    buf_free(&b);
    return text;
}

struct str snapshot_failures(struct arena *a, struct str queries, struct str problem)
{
    struct json list;
    struct json_limits limits = {.depth_max = STORED_DEPTH_MAX, .bytes_max = SIZE_MAX};
    if (str_absent(queries) || json_read(a, queries, &limits, &list, NULL) != OK)
        return STR_NONE;
    struct str out = STR("[");
    for (uint32_t i = 0; i < list.n; i++)
        out = arena_printf(a, "%.*s%s{\"resultStatus\":\"failure\",\"problemDetails\":%.*s}", STR_ARG(out), i ? "," : "",
                           STR_ARG(problem));
    return arena_printf(a, "%.*s]", STR_ARG(out));
}

/* ---- the stored form ---- */

void snapshot_store(struct buf *b, const struct snapshot *s, struct str held_in)
{
    snapshot_write(b, s);
    write_string(b, "heldIn", held_in);
    buf_char(b, '}');
}

static enum status damaged(struct why *why, const char *member)
{
    return why_set(why, E_DAMAGED, NULL, "a stored snapshot has no valid %s", member);
}

enum status snapshot_load(struct str stored, struct arena *a, struct snapshot *out, struct str *held_in, struct why *why)
{
    struct json body;
    struct json_limits limits = {.depth_max = STORED_DEPTH_MAX, .bytes_max = SIZE_MAX};
    if (json_read(a, stored, &limits, &body, NULL) != OK || body.kind != JSON_OBJECT)
        return damaged(why, "JSON");
    *out = (struct snapshot){.status = SNAPSHOT_STATUS_COUNT};
    const struct json *id = json_get(&body, STR("id")), *held = json_get(&body, STR("heldIn"));
    const struct json *priority = json_get(&body, STR("snapshotPriority")), *status = json_get(&body, STR("snapshotStatus"));
    const struct json *lifetime = json_get(&body, STR("snapshotLifetime")), *endpoint = json_get(&body, STR("endpoint"));
    if (!json_is(id, JSON_STRING) || !json_is(held, JSON_STRING) || !json_is(priority, JSON_INT))
        return damaged(why, "id, heldIn or snapshotPriority");
    out->id = id->string;
    *held_in = held->string;
    out->priority = (uint32_t)priority->integer;
    for (uint8_t i = 0; i < SNAPSHOT_STATUS_COUNT; i++)
        if (json_is_string(status, str_of(STATUSES[i])))
            out->status = i;
    if (out->status == SNAPSHOT_STATUS_COUNT)
        return damaged(why, "snapshotStatus");
    if (json_is(lifetime, JSON_STRING))
        out->lifetime = lifetime->string;
    if (json_is(endpoint, JSON_STRING))
        out->endpoint = endpoint->string;
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        const struct member *m = &MEMBERS[i];
        const struct json *v = json_get(&body, str_of(m->name));
        if (m->flags & TEXT && v)
            *text_of(out, m) = json_text(a, v);
        if (m->flags & TIME && (!json_is(v, JSON_STRING) || !time_parse(v->string, time_of(out, m))))
            return damaged(why, m->name);
    }
    return OK;
}
