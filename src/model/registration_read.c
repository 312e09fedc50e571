/* From a CSourceRegistration as it came to its stored form (clauses 5.2.9 … 5.2.11,
 * 5.2.34, 4.3.6.6, 4.20), and what a fragment makes of one. Members that the tables do
 * not know are Context Source Properties: kept as they were written under "properties",
 * by their IRIs. */
#include "base/task.h" /* container_of */
#include "base/time.h"
#include "model/draft.h"
#include "model/geometry.h"
#include "model/registration.h"

/* The draft, and the limits of what only registrations have. */
struct registration_draft {
    struct draft draft;
    const struct registration_limits *limits;
};

static const struct registration_limits *limits_of(struct draft *d)
{
    return container_of(d, struct registration_draft, draft)->limits;
}

static enum status word(struct draft *d, const struct json *v, const struct at *at,
                        const char *const *words, size_t count, struct json *out)
{
    *out = *v;
    for (size_t i = 0; i < count; i++)
        if (json_is_string(v, str_of(words[i])))
            return OK;
    return why_set(d->why, E_BAD_DATA, at, "%s is not one of the values allowed",
                   v->kind == JSON_STRING ? arena_dup(d->arena, v->string).p
                                          : json_kind_name((enum json_kind)v->kind));
}
#define WORD(d, v, at, words, out) word(d, v, at, words, sizeof(words) / sizeof *(words), out)

/* ---- plain members ---- */

static enum status type(struct draft *d, const struct json *v, const struct at *at,
                        struct json *out)
{
    static const char *const WORDS[] = {"ContextSourceRegistration"};
    return WORD(d, v, at, WORDS, out);
}

static enum status mode(struct draft *d, const struct json *v, const struct at *at,
                        struct json *out)
{
    static const char *const WORDS[] = {"inclusive", "exclusive", "redirect", "auxiliary"};
    return WORD(d, v, at, WORDS, out);
}

static enum status text(struct draft *d, const struct json *v, const struct at *at,
                        struct json *out)
{
    enum status st = draft_string(d, v, at, out);
    return st == OK && !v->string.n
               ? why_set(d->why, E_BAD_DATA, at, "the string must not be empty")
               : st;
}

/* RFC 7230 pseudonym: a token. */
static enum status alias(struct draft *d, const struct json *v, const struct at *at,
                         struct json *out)
{
    enum status st = text(d, v, at, out);
    for (size_t i = 0; st == OK && i < v->string.n; i++)
        if ((unsigned char)v->string.p[i] <= ' ' || strchr("\"(),/;<=>?@[\\]{}", v->string.p[i]))
            return why_set(d->why, E_BAD_DATA, at, "expected a pseudonym (RFC 7230): a token");
    return st;
}

static enum status duration(struct draft *d, const struct json *v, const struct at *at,
                            struct json *out)
{
    struct duration parsed;
    enum status st = draft_string(d, v, at, out);
    if (st == OK && !duration_parse(v->string, &parsed))
        return why_set(d->why, E_BAD_DATA, at, "expected a duration such as \"PT1H\" (ISO 8601)");
    return st;
}

static enum status geometry(struct draft *d, const struct json *v, const struct at *at,
                            struct json *out)
{
    struct value ignored;
    *out = *v;
    return geometry_value(v, limits_of(d)->reader.coordinates_max, d->arena, at, &ignored, d->why);
}

static enum status one_scope(struct draft *d, const struct json *v, const struct at *at,
                             struct json *out)
{
    enum status st = draft_string(d, v, at, out);
    if (st == OK && !reader_is_scope(v->string))
        return why_set(d->why, E_BAD_DATA, at, "\"%.*s\" is not a scope (clause 4.18)",
                       STR_ARG(v->string));
    return st;
}

static enum status scope(struct draft *d, const struct json *v, const struct at *at,
                         struct json *out)
{
    return v->kind == JSON_ARRAY ? draft_array(d, one_scope, v, at, out) : one_scope(d, v, at, out);
}

static enum status interval(struct draft *d, const struct json *v, const struct at *at,
                            struct json *out)
{
    static const struct draft_member MEMBERS[] = {{"startAt", draft_datetime},
                                                  {"endAt", draft_datetime}};
    int64_t start, end;
    enum status st = draft_object(d, MEMBERS, 2, false, v, at, out);
    if (st != OK)
        return st;
    struct str from = draft_text_of(out, STR("startAt")), to = draft_text_of(out, STR("endAt"));
    if (str_absent(from))
        return why_set(d->why, E_BAD_DATA, at, "a TimeInterval needs startAt");
    if (!str_absent(to) && time_parse(from, &start) && time_parse(to, &end) && end < start)
        return why_set(d->why, E_BAD_DATA, at, "endAt lies before startAt");
    return OK;
}

static enum status management(struct draft *d, const struct json *v, const struct at *at,
                              struct json *out)
{
    static const struct draft_member MEMBERS[] = {{"cacheDuration", duration},
                                                  {"cooldown", draft_positive},
                                                  {"localOnly", draft_bool},
                                                  {"timeout", draft_positive}};
    return draft_object(d, MEMBERS, sizeof MEMBERS / sizeof *MEMBERS, false, v, at, out);
}

/* ---- operations, clause 4.20 ---- */

static enum status operation(struct draft *d, const struct json *v, const struct at *at,
                             struct json *out)
{
    static const char *const WORDS[] = {"createEntity",
                                        "updateEntity",
                                        "appendAttrs",
                                        "updateAttrs",
                                        "deleteAttrs",
                                        "deleteEntity",
                                        "createBatch",
                                        "upsertBatch",
                                        "updateBatch",
                                        "deleteBatch",
                                        "upsertTemporal",
                                        "appendAttrsTemporal",
                                        "deleteAttrsTemporal",
                                        "updateAttrInstanceTemporal",
                                        "deleteAttrInstanceTemporal",
                                        "deleteTemporal",
                                        "mergeEntity",
                                        "replaceEntity",
                                        "replaceAttrs",
                                        "mergeBatch",
                                        "purgeEntity",
                                        "retrieveEntity",
                                        "queryEntity",
                                        "queryBatch",
                                        "retrieveTemporal",
                                        "queryTemporal",
                                        "retrieveEntityTypes",
                                        "retrieveEntityTypeDetails",
                                        "retrieveEntityTypeInfo",
                                        "retrieveAttrTypes",
                                        "retrieveAttrTypeDetails",
                                        "retrieveAttrTypeInfo",
                                        "createSubscription",
                                        "updateSubscription",
                                        "retrieveSubscription",
                                        "querySubscription",
                                        "deleteSubscription",
                                        "retrieveEntityMap",
                                        "updateEntityMap",
                                        "deleteEntityMap",
                                        "createEntityMapQueryEntity",
                                        "createEntityMapQueryTemporal",
                                        "retrieveContextSourceIdentity",
                                        "federationOps",
                                        "associationOps",
                                        "updateOps",
                                        "retrieveOps",
                                        "redirectionOps"};
    return WORD(d, v, at, WORDS, out);
}

static enum status operations(struct draft *d, const struct json *v, const struct at *at,
                              struct json *out)
{
    return draft_array(d, operation, v, at, out);
}

/* ---- contextSourceInfo, clause 4.3.6.6 ---- */

static bool is_version(struct str s)
{
    unsigned long long n;
    size_t dot = str_find_char(s, '.');
    return dot != STR_NPOS && str_to_u64(str_head(s, dot), UINT32_MAX, &n) &&
           str_to_u64(str_from(s, dot + 1), UINT32_MAX, &n);
}

static enum status source_info(struct draft *d, const struct json *v, const struct at *at,
                               struct json *out)
{
    enum status st = draft_pairs(d, v, at, out);
    for (uint32_t i = 0; st == OK && i < out->n; i++) {
        struct at pair = {at, STR_NONE, i};
        struct at here = {&pair, STR("value"), 0};
        struct str key = draft_text_of(&out->items[i], STR("key"));
        const struct json *value = json_get(&out->items[i], STR("value"));
        struct json ignored;
        if (str_eq(key, STR("accept")) || str_eq(key, STR("contentType"))) {
            static const char *const WORDS[] = {"application/json", "application/ld+json"};
            st = WORD(d, value, &here, WORDS, &ignored);
        } else if (str_eq(key, STR("jsonldContext"))) {
            st = draft_url(d, value, &here, &ignored);
        } else if (str_eq(key, STR("ngsildConformance")) && !is_version(value->string)) {
            st = why_set(d->why, E_BAD_DATA, &here, "expected a version such as \"1.8\"");
        }
    }
    return st;
}

/* ---- information, clauses 5.2.10, 5.2.8 ---- */

static enum status entity_type(struct draft *d, const struct json *v, const struct at *at,
                               struct json *out)
{
    return v->kind == JSON_ARRAY ? draft_names(d, v, at, out) : draft_name(d, v, at, out);
}

static enum status entity_info(struct draft *d, const struct json *v, const struct at *at,
                               struct json *out)
{
    static const struct draft_member MEMBERS[] = {
        {"type", entity_type}, {"id", draft_uri}, {"idPattern", draft_pattern}};
    enum status st = draft_object(d, MEMBERS, sizeof MEMBERS / sizeof *MEMBERS, false, v, at, out);
    if (st == OK && !json_get(out, STR("type")))
        return why_set(d->why, E_BAD_DATA, at, "an EntityInfo needs a type");
    return st;
}

static enum status entity_infos(struct draft *d, const struct json *v, const struct at *at,
                                struct json *out)
{
    return draft_array(d, entity_info, v, at, out);
}

static enum status info(struct draft *d, const struct json *v, const struct at *at,
                        struct json *out)
{
    static const struct draft_member MEMBERS[] = {{"entities", entity_infos},
                                                  {"propertyNames", draft_names},
                                                  {"relationshipNames", draft_names}};
    enum status st = draft_object(d, MEMBERS, sizeof MEMBERS / sizeof *MEMBERS, false, v, at, out);
    if (st == OK && !out->n)
        return why_set(d->why, E_BAD_DATA, at,
                       "a RegistrationInfo needs entities, propertyNames or relationshipNames");
    return st;
}

static enum status information(struct draft *d, const struct json *v, const struct at *at,
                               struct json *out)
{
    return draft_array(d, info, v, at, out);
}

/* ---- the whole ---- */

static const struct draft_member MEMBERS[] = {
    {"id", draft_uri},
    {"type", type},
    {"endpoint", draft_url},
    {"information", information},
    {"contextSourceInfo", source_info},
    {"contextSourceAlias", alias},
    {"registrationName", text},
    {"description", text},
    {"datasetId", draft_datasets},
    {"expiresAt", draft_datetime},
    {"location", geometry},
    {"observationSpace", geometry},
    {"operationSpace", geometry},
    {"management", management},
    {"managementInterval", interval},
    {"observationInterval", interval},
    {"mode", mode},
    {"operations", operations},
    {"refreshRate", duration},
    {"scope", scope},
    {"tenant", draft_string},
    {"@context", NULL}, /* these are ignored: read-only, or not of the registration itself */
    {"status", NULL},
    {"timesSent", NULL},
    {"timesFailed", NULL},
    {"lastSuccess", NULL},
    {"lastFailure", NULL},
    {"createdAt", NULL},
    {"modifiedAt", NULL},
    {"deletedAt", NULL},
};
enum { MEMBER_COUNT = sizeof MEMBERS / sizeof *MEMBERS };

/* Context Source Properties must be Properties; Null only in a fragment. */
static enum status properties(struct draft *d, const struct json *v, bool fragment,
                              struct json *out)
{
    struct json entity = {.kind = JSON_OBJECT};
    struct entity checked;
    *out = (struct json){.kind = JSON_OBJECT};
    draft_set(d->arena, &entity, STR("id"), draft_text(STR("urn:ngsi-ld:Registration:checked")));
    draft_set(d->arena, &entity, STR("type"), draft_text(STR("ContextSourceRegistration")));
    for (uint32_t i = 0; i < v->n; i++) {
        const struct json_member *m = &v->members[i];
        struct at at = {NULL, m->key, 0};
        struct json name = draft_text(m->key), iri;
        if (draft_member_known(MEMBERS, MEMBER_COUNT, m->key))
            continue;
        enum status st = draft_name(d, &name, &at, &iri);
        if (st != OK)
            return st;
        bool null = draft_is_null(&m->value) || m->value.kind == JSON_NULL;
        if (null && !fragment)
            return why_set(d->why, E_BAD_DATA, &at, "null has no place here");
        if (!null)
            draft_set(d->arena, &entity, m->key, m->value);
        draft_set(d->arena, out, iri.string, null ? (struct json){.kind = JSON_NULL} : m->value);
    }
    struct reader r = {.context = d->context,
                       .limits = &limits_of(d)->reader,
                       .arena = d->arena,
                       .mode = READER_ENTITY,
                       .observed_at = TIME_NONE};
    return reader_entity(&r, &entity, STR_NONE, NULL, &checked, d->why);
}

static enum status read(const struct registration_reader *r, const struct json *v, bool fragment,
                        struct json *members, struct json *extra, struct why *why)
{
    struct registration_draft d = {
        .draft = {.context = r->context,
                  .arena = r->arena,
                  .why = why,
                  .filter = &r->limits->filter,
                  .projection = &r->limits->projection,
                  .items_max = r->limits->items_max,
                  .items_limit = "limits.registration_items"},
        .limits = r->limits,
    };
    enum status st = draft_object(&d.draft, MEMBERS, MEMBER_COUNT, fragment, v, NULL, members);
    return st == OK ? properties(&d.draft, v, fragment, extra) : st;
}

/* ---- rules ---- */

static enum status refuse(struct why *why, const char *member, const char *said)
{
    struct at at = {NULL, str_of(member), 0};
    return why_set(why, E_BAD_DATA, &at, "%s", said);
}

/* An exclusive registration is of attributes of single entities (4.3.6.3). */
static enum status check_exclusive(const struct json *s, struct why *why)
{
    const struct json *list = json_get(s, STR("information"));
    for (uint32_t i = 0; i < list->n; i++) {
        const struct json *one = &list->items[i], *entities = json_get(one, STR("entities"));
        struct at up = {NULL, STR("information"), 0};
        struct at at = {&up, STR_NONE, i};
        bool named = json_get(one, STR("propertyNames")) || json_get(one, STR("relationshipNames"));
        for (uint32_t k = 0; entities && k < entities->n; k++)
            named &= json_get(&entities->items[k], STR("id")) != NULL;
        if (!named || !entities)
            return why_set(
                why, E_BAD_DATA, &at,
                "an exclusive registration names the id of an entity and its attributes");
    }
    return OK;
}

/* Auxiliary sources only answer (5.9.2.4). */
static enum status check_auxiliary(const struct json *s, struct why *why)
{
    const struct json *list = json_get(s, STR("operations"));
    bool fine = list != NULL;
    for (uint32_t i = 0; fine && i < list->n; i++)
        fine = json_is_string(&list->items[i], STR("retrieveOps")) ||
               json_is_string(&list->items[i], STR("retrieveEntity")) ||
               json_is_string(&list->items[i], STR("queryEntity"));
    return fine ? OK
                : refuse(why, "operations",
                         "an auxiliary registration has the operations retrieveOps, "
                         "retrieveEntity or queryEntity");
}

static enum status check(const struct json *s, struct why *why)
{
    static const char *const REQUIRED[] = {"type", "endpoint", "information"};
    for (size_t i = 0; i < sizeof REQUIRED / sizeof *REQUIRED; i++)
        if (!json_get(s, str_of(REQUIRED[i])))
            return refuse(why, REQUIRED[i], "a registration needs this member");
    struct str how = draft_text_of(s, STR("mode"));
    if (str_eq(how, STR("exclusive")))
        return check_exclusive(s, why);
    return str_eq(how, STR("auxiliary")) ? check_auxiliary(s, why) : OK;
}

static enum status check_expiry(const struct json *given, int64_t now_us, struct why *why)
{
    int64_t us;
    struct str when = draft_text_of(given, STR("expiresAt"));
    if (!str_absent(when) && time_parse(when, &us) && us <= now_us)
        return refuse(why, "expiresAt", "expiresAt lies in the past");
    return OK;
}

/* ---- entry points ---- */

static void apply(struct arena *a, struct json *target, const struct json *given)
{
    for (uint32_t i = 0; i < given->n; i++) {
        if (given->members[i].value.kind == JSON_NULL)
            draft_remove(target, given->members[i].key);
        else
            draft_set(a, target, given->members[i].key, given->members[i].value);
    }
}

enum status registration_read(const struct registration_reader *r, const struct json *body,
                              struct str id, struct buf *stored, struct why *why)
{
    struct json members, extra, whole = {.kind = JSON_OBJECT};
    enum status st = read(r, body, false, &members, &extra, why);
    if (st == OK)
        st = check_expiry(&members, r->now_us, why);
    if (st == OK)
        st = check(&members, why);
    if (st != OK)
        return st;
    draft_set(r->arena, &whole, STR("version"),
              (struct json){.kind = JSON_INT, .integer = DRAFT_VERSION});
    draft_set(r->arena, &whole, STR("id"), draft_text(id));
    apply(r->arena, &whole, &members);
    draft_set(r->arena, &whole, STR("createdAt"), draft_time(r->now_us, r->arena));
    draft_set(r->arena, &whole, STR("modifiedAt"), draft_time(r->now_us, r->arena));
    draft_set(r->arena, &whole, STR("properties"), extra);
    json_write(stored, &whole);
    return OK;
}

enum status registration_change(const struct registration_reader *r, struct str stored,
                                const struct json *fragment, struct buf *changed, struct why *why)
{
    struct json whole, members, extra;
    enum status st = draft_parse(r->arena, stored, &whole, why);
    if (st == OK)
        st = read(r, fragment, true, &members, &extra, why);
    if (st == OK)
        st = check_expiry(&members, r->now_us, why);
    if (st != OK)
        return st;
    const struct json *id = json_get(&members, STR("id"));
    if (id && !json_same(id, json_get(&whole, STR("id"))))
        return refuse(why, "id", "the id of a registration cannot be changed");
    const struct json *had = json_get(&whole, STR("properties"));
    struct json kept = {.kind = JSON_OBJECT};
    if (had)
        apply(r->arena, &kept, had);
    apply(r->arena, &kept, &extra);
    apply(r->arena, &whole, &members);
    draft_set(r->arena, &whole, STR("properties"), kept);
    draft_set(r->arena, &whole, STR("modifiedAt"), draft_time(r->now_us, r->arena));
    st = check(&whole, why);
    if (st == OK)
        json_write(changed, &whole);
    return st;
}
