/* Objects and arrays of drafts, and the trees they become. */
#include "model/draft.h"

#include "base/time.h"

static const struct str CORE = {"https://uri.etsi.org/ngsi-ld/", 29};
static const struct str NGSI_LD_NULL = {"urn:ngsi-ld:null", 16};

bool draft_is_null(const struct json *v)
{
    return json_is_string(v, NGSI_LD_NULL);
}

struct json draft_text(struct str s)
{
    return (struct json){.kind = JSON_STRING, .string = s};
}

struct json draft_time(int64_t us, struct arena *a)
{
    char text[TIME_TEXT_MAX];
    size_t n = time_format(us, text);
    return draft_text(arena_dup(a, (struct str){text, n}));
}

enum status draft_relay(struct draft *d, const struct at *at, enum status st, const struct why *w)
{
    if (w->limit[0])
        return why_limit(d->why, st, at, w->limit, "%s", w->text);
    return why_set(d->why, st, at, "%s", w->text);
}

enum status draft_kind(struct draft *d, const struct json *v, enum json_kind kind,
                       const struct at *at)
{
    if (v->kind == kind)
        return OK;
    return why_set(d->why, E_BAD_DATA, at, "expected %s, not %s", json_kind_name(kind),
                   json_kind_name((enum json_kind)v->kind));
}

/* ---- trees ---- */

void draft_set(struct arena *a, struct json *object, struct str key, struct json value)
{
    for (uint32_t i = 0; i < object->n; i++) {
        if (str_eq(object->members[i].key, key)) {
            object->members[i].value = value;
            return;
        }
    }
    object->members = arena_grow(a, object->members, object->n * sizeof *object->members,
                                 (object->n + 1) * sizeof *object->members);
    object->members[object->n++] = (struct json_member){key, value};
}

void draft_remove(struct json *object, struct str key)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < object->n; i++)
        if (!str_eq(object->members[i].key, key))
            object->members[kept++] = object->members[i];
    object->n = kept;
}

/* ---- reading ---- */

/* By the name of the core @context, or its IRI. */
static const struct draft_member *find(const struct draft_member *members, size_t count,
                                       struct str name)
{
    if (str_starts(name, CORE))
        name = str_from(name, CORE.n);
    for (size_t i = 0; i < count; i++)
        if (str_eq(name, str_of(members[i].name)))
            return &members[i];
    return NULL;
}

bool draft_member_known(const struct draft_member *members, size_t count, struct str name)
{
    return find(members, count, name) != NULL;
}

static enum status read_member(struct draft *d, const struct draft_member *m, bool fragment,
                               const struct json *v, const struct at *at, struct json *out)
{
    if ((draft_is_null(v) || v->kind == JSON_NULL) && fragment) {
        *out = (struct json){.kind = JSON_NULL};
        return OK;
    }
    if (draft_is_null(v) || v->kind == JSON_NULL)
        return why_set(d->why, E_BAD_DATA, at, "%s has no place here",
                       v->kind == JSON_NULL ? "null" : "the NGSI-LD Null");
    return m->read(d, v, at, out);
}

enum status draft_object(struct draft *d, const struct draft_member *members, size_t count,
                         bool fragment, const struct json *v, const struct at *at, struct json *out)
{
    enum status st = draft_kind(d, v, JSON_OBJECT, at);
    struct json object = {.kind = JSON_OBJECT};
    for (uint32_t i = 0; st == OK && i < v->n; i++) {
        const struct draft_member *m = find(members, count, v->members[i].key);
        struct at here = {at, v->members[i].key, 0};
        struct str name = m ? str_of(m->name) : STR_NONE;
        struct json value;
        if (!m || !m->read)
            continue;
        if (json_get(&object, name))
            return why_set(d->why, E_BAD_DATA, &here, "the member is there twice");
        st = read_member(d, m, fragment, &v->members[i].value, &here, &value);
        if (st == OK)
            draft_set(d->arena, &object, name, value);
    }
    *out = object;
    return st;
}

enum status draft_array(struct draft *d,
                        enum status (*read)(struct draft *, const struct json *, const struct at *,
                                            struct json *),
                        const struct json *v, const struct at *at, struct json *out)
{
    enum status st = draft_kind(d, v, JSON_ARRAY, at);
    if (st == OK && v->n == 0)
        return why_set(d->why, E_BAD_DATA, at, "the array must not be empty");
    if (st == OK && v->n > d->items_max)
        return why_limit(d->why, E_LIMIT, at, d->items_limit, "at most %u elements", d->items_max);
    if (st != OK)
        return st;
    *out = (struct json){.kind = JSON_ARRAY, .n = v->n};
    out->items = arena_zarray(d->arena, struct json, v->n);
    for (uint32_t i = 0; st == OK && i < v->n; i++) {
        struct at here = {at, STR_NONE, i};
        st = read(d, &v->items[i], &here, &out->items[i]);
    }
    return st;
}

/* ---- what is stored ---- */

enum status draft_parse(struct arena *a, struct str stored, struct json *out, struct why *why)
{
    struct json_limits limits = {DRAFT_DEPTH_MAX, DRAFT_BYTES_MAX};
    if (json_read(a, stored, &limits, out, NULL) != OK || out->kind != JSON_OBJECT)
        return why_set(why, E_DAMAGED, NULL, "a stored document is no JSON object");
    const struct json *version = json_get(out, STR("version"));
    if (!json_is(version, JSON_INT) || version->integer != DRAFT_VERSION)
        return why_set(why, E_DAMAGED, NULL, "a stored document has an unknown version");
    return OK;
}

void draft_write(struct buf *b, const struct json *object, struct str at_context)
{
    json_write(b, object);
    if (str_absent(at_context) || b->full || !b->n)
        return;
    b->n--; /* the brace */
    buf_lit(b, ",\"@context\":");
    buf_str(b, at_context);
    buf_char(b, '}');
}
