/* From the stored form to what is matched. Context Source Properties, the members that
 * can be asked for with csf (4.9), become the attributes of an entity of their own, so
 * that filters evaluate them as they evaluate any. */
#include "base/time.h"
#include "model/draft.h"
#include "model/pattern.h"
#include "model/registration.h"

#define CORE "https://uri.etsi.org/ngsi-ld/"

struct compiler {
    struct registration *r;
    const struct registration_limits *limits;
    struct arena *arena;
    struct why *why;
};

static struct str *strings(struct arena *a, const struct json *list, uint32_t *count)
{
    *count = !list ? 0 : list->kind == JSON_ARRAY ? list->n : 1;
    struct str *out = arena_zarray(a, struct str, *count);
    for (uint32_t i = 0; i < *count; i++)
        out[i] = list->kind == JSON_ARRAY ? list->items[i].string : list->string;
    return out;
}

/* ---- information ---- */

static enum status entity_info(struct compiler *c, const struct json *v, struct entity_info *e)
{
    struct str pattern = draft_text_of(v, STR("idPattern"));
    e->types = strings(c->arena, json_get(v, STR("type")), &e->type_count);
    e->id = draft_text_of(v, STR("id"));
    if (str_absent(pattern) || !str_absent(e->id))
        return OK;
    return pattern_new("idPattern", pattern, c->limits->filter.pattern_bytes_max, &e->id_pattern,
                       c->why);
}

static enum status info(struct compiler *c, const struct json *v, struct registration_info *i)
{
    const struct json *entities = json_get(v, STR("entities"));
    uint32_t properties, relationships;
    struct str *p = strings(c->arena, json_get(v, STR("propertyNames")), &properties);
    struct str *r = strings(c->arena, json_get(v, STR("relationshipNames")), &relationships);
    enum status st = OK;
    i->names = arena_zarray(c->arena, struct str, properties + relationships);
    i->name_count = properties + relationships;
    if (properties)
        memcpy(i->names, p, properties * sizeof *p);
    if (relationships)
        memcpy(i->names + properties, r, relationships * sizeof *r);
    i->entities = arena_zarray(c->arena, struct entity_info, entities ? entities->n : 0);
    for (uint32_t k = 0; st == OK && entities && k < entities->n; k++)
        st = entity_info(c, &entities->items[k], &i->entities[i->entity_count++]);
    return st;
}

static enum status information(struct compiler *c, const struct json *list)
{
    enum status st = OK;
    if (!json_is(list, JSON_ARRAY))
        return why_set(c->why, E_DAMAGED, NULL, "a stored registration has no information");
    c->r->infos = arena_zarray(c->arena, struct registration_info, list->n);
    for (uint32_t i = 0; st == OK && i < list->n; i++)
        st = info(c, &list->items[i], &c->r->infos[c->r->info_count++]);
    return st;
}

/* ---- properties ---- */

static void add_value(struct compiler *c, struct json *entity, const char *iri,
                      const struct json *v)
{
    if (v && v->kind != JSON_OBJECT && v->kind != JSON_ARRAY)
        draft_set(c->arena, entity, str_of(iri), *v);
}

static void add_place(struct compiler *c, struct json *entity, const char *iri,
                      const struct json *v)
{
    struct json attr = {.kind = JSON_OBJECT};
    if (!v)
        return;
    draft_set(c->arena, &attr, STR("type"), draft_text(STR("GeoProperty")));
    draft_set(c->arena, &attr, STR("value"), *v);
    draft_set(c->arena, entity, str_of(iri), attr);
}

static enum status properties(struct compiler *c, const struct json *v)
{
    static const char *const VALUES[] = {
        "endpoint", "contextSourceAlias", "registrationName", "description", "mode", "refreshRate",
        "tenant"};
    static const char *const PLACES[] = {"location", "observationSpace", "operationSpace"};
    struct json entity = {.kind = JSON_OBJECT};
    const struct json *own = json_get(v, STR("properties")), *scope = json_get(v, STR("scope"));
    draft_set(c->arena, &entity, STR("id"), draft_text(c->r->id));
    draft_set(c->arena, &entity, STR("type"), draft_text(STR(CORE "ContextSourceRegistration")));
    if (scope)
        draft_set(c->arena, &entity, STR("scope"), *scope);
    for (size_t i = 0; i < sizeof VALUES / sizeof *VALUES; i++)
        add_value(c, &entity, arena_printf(c->arena, CORE "%s", VALUES[i]).p,
                  json_get(v, str_of(VALUES[i])));
    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++)
        add_place(c, &entity, arena_printf(c->arena, CORE "%s", PLACES[i]).p,
                  json_get(v, str_of(PLACES[i])));
    for (uint32_t i = 0; own && i < own->n; i++)
        draft_set(c->arena, &entity, own->members[i].key, own->members[i].value);
    struct reader r = {.context = context_core(),
                       .limits = &c->limits->reader,
                       .arena = c->arena,
                       .mode = READER_ENTITY,
                       .observed_at = TIME_NONE};
    return reader_entity(&r, &entity, STR_NONE, NULL, &c->r->properties, c->why);
}

/* ---- the whole ---- */

static struct time_span span(const struct json *v)
{
    struct time_span s = {.given = v != NULL, .end = TIME_NONE};
    if (v && !time_parse(draft_text_of(v, STR("startAt")), &s.start))
        s.given = false;
    if (v && !time_parse(draft_text_of(v, STR("endAt")), &s.end))
        s.end = TIME_NONE;
    return s;
}

static uint8_t mode_of(struct str name)
{
    return str_eq(name, STR("exclusive"))   ? MODE_EXCLUSIVE
           : str_eq(name, STR("redirect"))  ? MODE_REDIRECT
           : str_eq(name, STR("auxiliary")) ? MODE_AUXILIARY
                                            : MODE_INCLUSIVE;
}

static int64_t expiry_of(const struct json *v)
{
    int64_t us;
    return time_parse(draft_text_of(v, STR("expiresAt")), &us) ? us : TIME_NONE;
}

int64_t registration_expiry(struct str stored, struct arena *a)
{
    struct json v;
    return draft_parse(a, stored, &v, NULL) == OK ? expiry_of(&v) : TIME_NONE;
}

enum status registration_compile(struct registration **out, struct str stored,
                                 const struct registration_limits *limits, struct arena *a,
                                 struct why *why)
{
    struct registration *r = arena_zalloc(a, sizeof *r);
    struct compiler c = {r, limits, a, why};
    struct json v;
    enum status st = draft_parse(a, stored, &v, why);
    if (st != OK)
        return st;
    r->id = draft_text_of(&v, STR("id"));
    r->mode = mode_of(draft_text_of(&v, STR("mode")));
    r->datasets = strings(a, json_get(&v, STR("datasetId")), &r->dataset_count);
    r->observed = span(json_get(&v, STR("observationInterval")));
    r->managed = span(json_get(&v, STR("managementInterval")));
    r->expires_at = expiry_of(&v);
    st = information(&c, json_get(&v, STR("information")));
    if (st == OK)
        st = properties(&c, &v);
    if (st == OK) {
        *out = r;
        return OK;
    }
    registration_free(r);
    return why && why->status == E_LIMIT ? E_LIMIT : E_DAMAGED;
}

void registration_free(struct registration *r)
{
    for (uint32_t i = 0; r && i < r->info_count; i++)
        for (uint32_t k = 0; k < r->infos[i].entity_count; k++)
            pattern_free(r->infos[i].entities[k].id_pattern);
}
