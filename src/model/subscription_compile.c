/* From the stored form to the compiled one. Every name is an IRI already, so nothing but
 * the table of terms is needed. What does not read is damaged: it was checked before. */
#include "base/time.h"
#include "model/iri_text.h"
#include "model/pattern.h"
#include "model/subscription_int.h"

#include <math.h>
#include <stdlib.h>

struct compiler {
    struct subscription *s;
    const struct terms *terms;
    const struct subscription_limits *limits;
    struct filter_reader filter;
    bool unknown; /* a name that is no term yet */
    struct why *why;
};

static const struct str LOCATION = {"https://uri.etsi.org/ngsi-ld/location", 37};

/* ---- small things ---- */

static int64_t to_us(const struct json *seconds)
{
    double s;
    if (!json_number(seconds, &s))
        return 0;
    return s < (double)(INT64_MAX / 2000000) ? (int64_t)ceil(s * 1e6) : INT64_MAX / 2;
}

static uint32_t to_ms(const struct json *ms, uint32_t most)
{
    double v;
    if (!json_number(ms, &v))
        return 0;
    return v < most ? (uint32_t)ceil(v) : most;
}

static struct str *strings(struct arena *a, const struct json *list, uint32_t *count)
{
    *count = list ? list->n : 0;
    struct str *out = arena_zarray(a, struct str, *count);
    for (uint32_t i = 0; i < *count; i++)
        out[i] = list->items[i].string;
    return out;
}

static struct key_value *pairs(struct arena *a, const struct json *list, uint32_t *count)
{
    *count = list ? list->n : 0;
    struct key_value *out = arena_zarray(a, struct key_value, *count);
    for (uint32_t i = 0; i < *count; i++)
        out[i] = (struct key_value){draft_text_of(&list->items[i], STR("key")),
                                    draft_text_of(&list->items[i], STR("value"))};
    return out;
}

/* ---- what is watched ---- */

static int by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static enum status selector(struct compiler *c, const struct json *v, struct entity_selector *e)
{
    struct str type = draft_text_of(v, STR("type"));
    struct str pattern = draft_text_of(v, STR("idPattern"));
    const struct json *id = json_get(v, STR("id"));
    enum status st = filter_read_types(&c->filter, type, &e->type, c->why);
    if (st == OK && id) {
        struct json one = {.kind = JSON_ARRAY, .n = 1, .items = (struct json *)(uintptr_t)id};
        e->ids = strings(c->s->arena, id->kind == JSON_ARRAY ? id : &one, &e->id_count);
        qsort(e->ids, e->id_count, sizeof *e->ids, by_bytes);
    } else if (st == OK && !str_absent(pattern)) {
        st = filter_read_pattern(&c->filter, pattern, &e->id_pattern, c->why);
        e->id_prefix = st == OK ? pattern_prefix(e->id_pattern) : STR("");
    }
    return st;
}

static enum status selectors(struct compiler *c, const struct json *list)
{
    enum status st = OK;
    if (!list)
        return OK;
    c->s->selectors = arena_zarray(c->s->arena, struct entity_selector, list->n);
    for (uint32_t i = 0; st == OK && i < list->n; i++)
        st = selector(c, &list->items[i], &c->s->selectors[c->s->selector_count++]);
    return st;
}

static void watched(struct compiler *c, const struct json *list)
{
    struct subscription *s = c->s;
    s->watched_count = list ? list->n : 0;
    s->watched = arena_zarray(s->arena, struct name, s->watched_count);
    for (uint32_t i = 0; i < s->watched_count; i++) {
        s->watched[i].iri = list->items[i].string;
        s->watched[i].term = terms_find(c->terms, s->watched[i].iri);
        c->unknown |= s->watched[i].term == TERM_NONE;
    }
}

static uint32_t triggers(const struct json *list)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; list && i < list->n; i++)
        bits |= subscription_trigger(list->items[i].string);
    return list ? bits : TRIGGER_ATTR_CREATED | TRIGGER_ATTR_UPDATED;
}

static enum status geo(struct compiler *c, const struct json *v)
{
    struct json coordinates;
    struct str property = draft_text_of(v, STR("geoproperty"));
    const struct json *given = json_get(v, STR("coordinates"));
    if (!v)
        return OK;
    if (!given)
        return why_set(c->why, E_DAMAGED, NULL, "a stored GeoQuery has no coordinates");
    property = iri_text_of(str_absent(property) ? LOCATION : property, c->s->arena);
    enum status st = draft_coordinates(given, c->s->arena, &coordinates, c->why);
    if (st == OK)
        st = filter_read_geo(&c->filter, draft_text_of(v, STR("georel")),
                             draft_text_of(v, STR("geometry")), &coordinates, property, &c->s->geo,
                             c->why);
    return st;
}

static enum status condition(struct compiler *c, const struct json *v)
{
    struct subscription *s = c->s;
    struct str q = draft_text_of(v, STR("q")), scope = draft_text_of(v, STR("scopeQ"));
    struct scope_expr *scopes;
    enum status st = str_absent(q) ? OK : filter_read_q(&c->filter, q, &s->q, c->why);
    if (st == OK)
        st = geo(c, json_get(v, STR("geoQ")));
    if (st == OK && !str_absent(scope)) {
        st = filter_read_scopes(&c->filter, scope, &scopes, c->why);
        if (st == OK)
            s->scope = filter_of_scope(s->arena, scopes);
    }
    s->condition = filter_and(s->arena, filter_and(s->arena, s->q, s->geo), s->scope);
    return st;
}

/* ---- what is told ---- */

/* Stored projections, one after another; of `attributes`, IRIs. */
static enum status projection(struct compiler *c, const struct json *list, bool attributes,
                              struct projection **out)
{
    struct buf b;
    if (!list)
        return OK;
    buf_init(&b, DRAFT_BYTES_MAX);
    if (attributes)
        buf_lit(&b, "id,type,scope,");
    for (uint32_t i = 0; i < list->n; i++) {
        struct str text = list->items[i].string;
        if (i)
            buf_char(&b, ',');
        buf_str(&b, attributes ? iri_text_of(text, c->s->arena) : text);
    }
    struct projection_limits limits = {UINT32_MAX, c->limits->projection.depth_max};
    enum status st = projection_read_stored(out, arena_dup(c->s->arena, buf_view(&b)), c->terms,
                                            &limits, c->s->arena, &c->unknown, c->why);
    buf_free(&b);
    return st;
}

static uint8_t format_of(struct str name)
{
    if (str_eq(name, STR("concise")))
        return REPRESENT_CONCISE;
    return str_eq(name, STR("simplified")) || str_eq(name, STR("keyValues")) ? REPRESENT_SIMPLIFIED
                                                                             : REPRESENT_NORMALIZED;
}

static uint8_t join_of(struct str name)
{
    return str_eq(name, STR("flat"))     ? JOIN_FLAT
           : str_eq(name, STR("inline")) ? JOIN_INLINE
                                         : JOIN_NONE;
}

static uint8_t media_of(struct str name)
{
    return str_eq(name, STR("application/ld+json"))    ? NOTIFY_LD_JSON
           : str_eq(name, STR("application/geo+json")) ? NOTIFY_GEO_JSON
                                                       : NOTIFY_JSON;
}

static enum status notification(struct compiler *c, const struct json *n)
{
    struct subscription *s = c->s;
    const struct json *attributes = json_get(n, STR("attributes"));
    const struct json *level = json_get(n, STR("joinLevel"));
    s->format = format_of(draft_text_of(n, STR("format")));
    s->sys_attrs = draft_is_true(n, STR("sysAttrs"));
    s->show_changes = draft_is_true(n, STR("showChanges"));
    s->join = join_of(draft_text_of(n, STR("join")));
    s->join_level = s->join == JOIN_NONE ? 0 : 1;
    if (s->join != JOIN_NONE && json_is(level, JSON_INT))
        s->join_level = level->integer < UINT32_MAX ? (uint32_t)level->integer : UINT32_MAX;
    enum status st = attributes ? projection(c, attributes, true, &s->pick)
                                : projection(c, json_get(n, STR("pick")), false, &s->pick);
    return st == OK ? projection(c, json_get(n, STR("omit")), false, &s->omit) : st;
}

static void endpoint(struct compiler *c, const struct json *e)
{
    struct subscription *s = c->s;
    s->uri = draft_text_of(e, STR("uri"));
    s->media = media_of(draft_text_of(e, STR("accept")));
    s->receiver = pairs(s->arena, json_get(e, STR("receiverInfo")), &s->receiver_count);
    s->notifier = pairs(s->arena, json_get(e, STR("notifierInfo")), &s->notifier_count);
    s->timeout_ms = to_ms(json_get(e, STR("timeout")), c->limits->timeout_max_ms);
    s->cooldown_ms = to_ms(json_get(e, STR("cooldown")), UINT32_MAX);
}

/* ---- the whole ---- */

static void plain_members(struct subscription *s, const struct json *v,
                          const struct subscription_limits *limits)
{
    const struct json *active = json_get(v, STR("isActive"));
    s->id = draft_text_of(v, STR("id"));
    s->active = !active || active->boolean;
    s->local_only = draft_is_true(v, STR("localOnly"));
    s->interval_us = to_us(json_get(v, STR("timeInterval")));
    if (s->interval_us && s->interval_us < limits->interval_min_us)
        s->interval_us = limits->interval_min_us;
    s->throttling_us = to_us(json_get(v, STR("throttling")));
    s->lang = draft_text_of(v, STR("lang"));
    s->datasets = strings(s->arena, json_get(v, STR("datasetId")), &s->dataset_count);
    s->conformance = draft_text_of(v, STR("ngsildConformance"));
    s->context_url = draft_text_of(v, STR("jsonldContext"));
    if (str_absent(s->context_url))
        s->context_url = draft_text_of(v, STR("defaultContext"));
    s->triggers = triggers(json_get(v, STR("notificationTrigger")));
    if (!time_parse(draft_text_of(v, STR("expiresAt")), &s->expires_at))
        s->expires_at = TIME_NONE;
}

static enum status compile(struct compiler *c, struct str stored)
{
    struct json v;
    enum status st = draft_parse(c->s->arena, stored, &v, c->why);
    if (st != OK)
        return st;
    plain_members(c->s, &v, c->limits);
    watched(c, json_get(&v, STR("watchedAttributes")));
    st = selectors(c, json_get(&v, STR("entities")));
    if (st == OK)
        st = condition(c, &v);
    if (st == OK)
        st = notification(c, json_get(&v, STR("notification")));
    endpoint(c, json_get(json_get(&v, STR("notification")), STR("endpoint")));
    if (st == OK && (str_absent(c->s->id) || str_absent(c->s->uri)))
        st = why_set(c->why, E_DAMAGED, NULL, "a stored subscription lacks its id or endpoint");
    return st;
}

enum status subscription_compile(struct subscription **out, struct str tenant, struct str stored,
                                 const struct terms *terms,
                                 const struct subscription_limits *limits, struct why *why)
{
    struct arena *a = arena_new_small();
    struct subscription *s = arena_zalloc(a, sizeof *s);
    struct compiler c = {.s = s, .terms = terms, .limits = limits, .why = why};
    c.filter = (struct filter_reader){
        .limits = &limits->filter, .arena = a, .stored = terms, .unknown = &c.unknown};
    s->arena = a;
    s->tenant = arena_dup(a, tenant);
    atomic_init(&s->refs, 1);
    enum status st = compile(&c, stored);
    if (st != OK) {
        subscription_unref(s);
        return E_DAMAGED;
    }
    s->settled = !c.unknown;
    s->stored = s->settled ? STR_NONE : arena_dup(a, stored);
    *out = s;
    return OK;
}

enum status subscription_resolve(struct subscription **s, const struct terms *terms,
                                 const struct subscription_limits *limits, struct why *why)
{
    struct subscription *again, *old = *s;
    if (old->settled)
        return OK;
    enum status st = subscription_compile(&again, old->tenant, old->stored, terms, limits, why);
    if (st != OK)
        return st;
    again->of_registrations = old->of_registrations;
    *s = again;
    subscription_unref(old);
    return OK;
}

struct subscription *subscription_ref(struct subscription *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void subscription_unref(struct subscription *s)
{
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (uint32_t i = 0; i < s->selector_count; i++)
        pattern_free(s->selectors[i].id_pattern);
    filter_free(s->condition);
    arena_free(s->arena);
}
