/* From a Subscription as it came to its stored form: the members of clause 5.2.12. */
#include "base/time.h"
#include "model/iri_text.h"
#include "model/reader.h"
#include "model/subscription_int.h"

/* ---- EntitySelector, clause 5.2.33 ---- */

static enum status selector_id(struct draft *d, const struct json *v, const struct at *at,
                               struct json *out)
{
    return v->kind == JSON_ARRAY ? draft_array(d, draft_uri, v, at, out) : draft_uri(d, v, at, out);
}

static enum status selector(struct draft *d, const struct json *v, const struct at *at,
                            struct json *out)
{
    static const struct draft_member MEMBERS[] = {
        {"type", draft_types}, {"id", selector_id}, {"idPattern", draft_pattern}};
    enum status st = draft_object(d, MEMBERS, sizeof MEMBERS / sizeof *MEMBERS, false, v, at, out);
    if (st == OK && !json_get(out, STR("type")))
        return why_set(d->why, E_BAD_DATA, at,
                       "an EntitySelector needs a type (\"*\": every type)");
    return st;
}

static enum status selectors(struct draft *d, const struct json *v, const struct at *at,
                             struct json *out)
{
    return draft_array(d, selector, v, at, out);
}

/* ---- other members ---- */

uint32_t subscription_trigger(struct str name)
{
    static const struct {
        struct str name;
        uint32_t bits;
    } TRIGGERS[] = {
        {{"entityCreated", 13}, TRIGGER_ENTITY_CREATED},
        {{"entityUpdated", 13}, TRIGGER_ATTR_CREATED | TRIGGER_ATTR_UPDATED | TRIGGER_ATTR_DELETED},
        {{"entityDeleted", 13}, TRIGGER_ENTITY_DELETED},
        {{"attributeCreated", 16}, TRIGGER_ATTR_CREATED},
        {{"attributeUpdated", 16}, TRIGGER_ATTR_UPDATED},
        {{"attributeDeleted", 16}, TRIGGER_ATTR_DELETED},
    };
    for (size_t i = 0; i < sizeof TRIGGERS / sizeof *TRIGGERS; i++)
        if (str_eq(name, TRIGGERS[i].name))
            return TRIGGERS[i].bits;
    return 0;
}

static enum status trigger(struct draft *d, const struct json *v, const struct at *at,
                           struct json *out)
{
    enum status st = draft_string(d, v, at, out);
    if (st == OK && !subscription_trigger(v->string))
        return why_set(d->why, E_BAD_DATA, at,
                       "expected entityCreated, entityUpdated, entityDeleted, attributeCreated, "
                       "attributeUpdated or attributeDeleted");
    return st;
}

static enum status triggers(struct draft *d, const struct json *v, const struct at *at,
                            struct json *out)
{
    return draft_array(d, trigger, v, at, out);
}

static enum status type(struct draft *d, const struct json *v, const struct at *at,
                        struct json *out)
{
    *out = *v;
    if (!json_is_string(v, STR("Subscription")))
        return why_set(d->why, E_BAD_DATA, at, "expected \"Subscription\"");
    return OK;
}

/* "1.8" */
static enum status conformance(struct draft *d, const struct json *v, const struct at *at,
                               struct json *out)
{
    enum status st = draft_string(d, v, at, out);
    if (st != OK)
        return st;
    size_t dot = str_find_char(v->string, '.');
    unsigned long long number;
    if (dot == STR_NPOS || !str_to_u64(str_head(v->string, dot), UINT32_MAX, &number) ||
        !str_to_u64(str_from(v->string, dot + 1), UINT32_MAX, &number))
        return why_set(d->why, E_BAD_DATA, at, "expected a version such as \"1.8\"");
    return OK;
}

/* Checked when the whole is there: what is expanded in it depends on expandValues. */
static enum status q_text(struct draft *d, const struct json *v, const struct at *at,
                          struct json *out)
{
    return draft_string(d, v, at, out);
}

static const struct draft_member MEMBERS[] = {
    {"id", draft_uri},
    {"type", type},
    {"subscriptionName", draft_string},
    {"description", draft_string},
    {"entities", selectors},
    {"watchedAttributes", draft_names},
    {"notificationTrigger", triggers},
    {"timeInterval", draft_positive},
    {"throttling", draft_positive},
    {"q", q_text},
    {"expandValues", draft_name_list},
    {"jsonKeys", draft_name_list},
    {"geoQ", draft_geo_query},
    {"scopeQ", draft_scopes},
    {"csf", draft_q},
    {"temporalQ", draft_temporal_query},
    {"datasetId", draft_datasets},
    {"lang", draft_languages},
    {"expiresAt", draft_datetime},
    {"isActive", draft_bool},
    {"localOnly", draft_bool},
    {"splitEntities", draft_bool},
    {"jsonldContext", draft_url},
    {"ngsildConformance", conformance},
    {"notification", subscription_notification},
};

/* A list of names as v has it, or as the target of a fragment has it, by the names of the request.
 */
static struct str list_of(struct draft *d, const struct json *v, const struct json *target,
                          struct str key)
{
    struct str text = draft_text_of(target, key);
    if (json_get(v, key))
        return draft_text_of(v, key);
    return str_absent(text) ? text : iri_text_show(text, d->context, d->arena);
}

/* q by the names listed in expandValues and jsonKeys. */
static enum status read_q(struct draft *d, const struct json *v, const struct json *target,
                          struct json *out)
{
    struct at at = {NULL, STR("q"), 0};
    const struct json *q = json_get(out, at.key);
    struct json stored;
    if (!q && json_get(target, at.key) &&
        (json_get(out, STR("expandValues")) || json_get(out, STR("jsonKeys"))))
        return why_set(d->why, E_BAD_DATA, NULL,
                       "expandValues and jsonKeys change how q is read: give q too");
    if (!json_is(q, JSON_STRING))
        return OK;
    enum status st = draft_query(d, q->string, list_of(d, v, target, STR("expandValues")),
                                 list_of(d, v, target, STR("jsonKeys")), &at, &stored);
    if (st == OK)
        draft_set(d->arena, out, at.key, stored);
    return st;
}

enum status subscription_members(const struct subscription_reader *r, const struct json *v,
                                 const struct json *target, struct json *out, struct why *why)
{
    struct draft d = {
        .context = r->context,
        .arena = r->arena,
        .why = why,
        .filter = &r->limits->filter,
        .projection = &r->limits->projection,
        .items_max = r->limits->names_max,
        .items_limit = "limits.subscription_names",
    };
    enum status st =
        draft_object(&d, MEMBERS, sizeof MEMBERS / sizeof *MEMBERS, target != NULL, v, NULL, out);
    return st == OK ? read_q(&d, v, target, out) : st;
}

/* What a subscription that says nothing is triggered by (table 5.2.12-1), so that it can be seen.
 */
static struct json default_triggers(struct arena *a)
{
    struct json list = {.kind = JSON_ARRAY, .n = 2, .items = arena_array(a, struct json, 2)};
    list.items[0] = draft_text(STR("attributeCreated"));
    list.items[1] = draft_text(STR("attributeUpdated"));
    return list;
}

enum status subscription_read(const struct subscription_reader *r, const struct json *body,
                              struct str id, struct buf *stored, struct why *why)
{
    struct json members, whole = {.kind = JSON_OBJECT};
    enum status st = subscription_members(r, body, NULL, &members, why);
    if (st != OK)
        return st;
    draft_set(r->arena, &whole, STR("version"),
              (struct json){.kind = JSON_INT, .integer = DRAFT_VERSION});
    if (!json_get(&members, STR("id")))
        draft_set(r->arena, &whole, STR("id"), draft_text(id));
    for (uint32_t i = 0; i < members.n; i++)
        draft_set(r->arena, &whole, members.members[i].key, members.members[i].value);
    if (!json_get(&whole, STR("jsonldContext")))
        draft_set(r->arena, &whole,
                  r->of_registrations ? STR("defaultContext") : STR("jsonldContext"),
                  draft_text(r->context_url));
    if (!json_get(&whole, STR("notificationTrigger")) && !r->of_registrations)
        draft_set(r->arena, &whole, STR("notificationTrigger"), default_triggers(r->arena));
    draft_set(r->arena, &whole, STR("createdAt"), draft_time(r->now_us, r->arena));
    draft_set(r->arena, &whole, STR("modifiedAt"), draft_time(r->now_us, r->arena));
    st = subscription_check_expiry(r, &whole, why);
    if (st == OK)
        st = subscription_check(r, &whole, why);
    if (st == OK)
        json_write(stored, &whole);
    return st;
}
