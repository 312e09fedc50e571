/* An attribute that is gone stands in the entity as NGSI-LD Null, so that the model represents
 * it like any other; of a deleted entity nothing is left but such attributes, if any. */
#include "broker/notice.h"

#include "base/hash.h"
#include "model/conform.h"
#include "model/doc.h"
#include "model/represent.h"

/* ---- what is gone ---- */

static struct attr null_of(const struct attr *a)
{
    return (struct attr){
        .term = a->term,
        .kind = a->kind,
        .dataset = a->dataset,
        .value = {.kind = VALUE_NULL},
        .observed_at = TIME_NONE,
        .expires_at = TIME_NONE,
        .created_at = a->created_at,
        .modified_at = a->modified_at,
    };
}

/* Instances of one attribute from `from` on. */
static uint32_t run_length(const struct entity *e, uint32_t from)
{
    uint32_t n = 1;
    while (from + n < e->attr_count && e->attrs[from + n].term == e->attrs[from].term)
        n++;
    return n;
}

/* All instances that an attribute had, which is gone: its name alone says so, unless each has a value
 * to show. */
static uint32_t put_gone(struct attr *out, const struct attr *gone, uint32_t count,
                         const struct subscription *s)
{
    if (count > 1 && !s->show_changes) {
        out[0] = null_of(gone);
        out[0].dataset = STR("");
        return 1;
    }
    for (uint32_t i = 0; i < count; i++)
        out[i] = null_of(&gone[i]);
    return count;
}

/* e with what only `before` has. */
static void add_gone(struct entity *e, const struct entity *before, const struct subscription *s,
                     struct arena *a)
{
    uint32_t i = 0, j = 0, n = 0;
    struct attr *all = arena_array(a, struct attr, e->attr_count + before->attr_count);
    while (i < e->attr_count || j < before->attr_count) {
        int order = i == e->attr_count        ? 1
                    : j == before->attr_count ? -1
                                              : attr_order(&e->attrs[i], &before->attrs[j]);
        uint32_t count, term = order > 0 ? before->attrs[j].term : TERM_NONE;
        if (order > 0 && !entity_attr(e, term, &count)) {
            count = run_length(before, j);
            n += put_gone(&all[n], &before->attrs[j], count, s);
            j += count;
            continue;
        }
        all[n++] = order <= 0 ? e->attrs[i] : null_of(&before->attrs[j]);
        i += order <= 0;
        j += order >= 0;
    }
    e->attrs = all;
    e->attr_count = n;
}

static bool is_watched(const struct subscription *s, uint32_t term)
{
    for (uint32_t i = 0; i < s->watched_count; i++)
        if (s->watched[i].term == term)
            return true;
    return s->watched_count == 0;
}

/* A deleted entity: its deletion alone; its attributes, when what they were is asked for, or when
 * it is their deletion that the subscription is about. */
static void keep_gone(struct entity *e, const struct subscription *s, struct arena *a)
{
    bool all = s->triggers & TRIGGER_ENTITY_DELETED;
    struct attr *left = arena_array(a, struct attr, e->attr_count);
    uint32_t n = 0;
    for (uint32_t i = 0, count; i < e->attr_count && (!all || s->show_changes); i += count) {
        count = run_length(e, i);
        if (all || is_watched(s, e->attrs[i].term))
            n += put_gone(&left[n], &e->attrs[i], count, s);
    }
    e->attrs = left;
    e->attr_count = n;
}

/* ---- entities ---- */

static bool prefers_json(const struct subscription *s)
{
    for (uint32_t i = 0; i < s->receiver_count; i++)
        if (str_eq_fold(s->receiver[i].key, STR("Prefer")) &&
            str_find(s->receiver[i].value, STR("body=json")) != STR_NPOS)
            return true;
    return false;
}

/* Is the @context in the body, else in a Link header? */
static bool has_context_inside(const struct subscription *s)
{
    return s->media == NOTIFY_LD_JSON || (s->media == NOTIFY_GEO_JSON && !prefers_json(s));
}

static struct str quoted(struct arena *a, struct str s)
{
    struct json text = {.kind = JSON_STRING, .string = s};
    return json_text(a, &text);
}

static struct represent represent_of(const struct notice *n)
{
    const struct subscription *s = n->subscription;
    return (struct represent){
        .format = s->format,
        .geojson = s->media == NOTIFY_GEO_JSON,
        .sys_attrs = s->sys_attrs,
        .context = n->context,
        .arena = n->arena,
        .pick = s->pick,
        .omit = s->omit,
        .lang = s->lang,
        .datasets = s->datasets,
        .dataset_count = s->dataset_count,
        .at_context = has_context_inside(s) ? quoted(n->arena, s->context_url) : STR_NONE,
        .in_list = true,
    };
}

void notice_conform(const struct notice *n, struct entity *e)
{
    unsigned minor;
    struct str version = n->subscription->conformance;
    if (!str_absent(version) && conform_version(version, &minor))
        (void)conform_entity(e, minor, n->context, n->arena);
}

static void decode(const struct notice *n, const struct doc *d, struct entity *out)
{
    if (n->keep) {
        size_t bytes = doc_bytes(d);
        d = memcpy(arena_alloc(n->arena, bytes), d, bytes);
    }
    doc_decode(d, n->arena, out);
}

static void make_entity(const struct notice *n, const struct due_item *item,
                        struct notice_entity *e)
{
    const struct subscription *s = n->subscription;
    *e = (struct notice_entity){.deleted = !item->after,
                                .changed = s->show_changes && item->before,
                                .deleted_at = item->before ? item->at_us : 0};
    decode(n, item->after ? item->after : item->before, &e->now);
    if (item->before)
        decode(n, item->before, &e->before);
    if (e->deleted)
        keep_gone(&e->now, s, n->arena);
    else if (item->before)
        add_gone(&e->now, &e->before, s, n->arena);
    notice_conform(n, &e->now);
    if (e->changed)
        notice_conform(n, &e->before);
}

void notice_begin(struct notice *n)
{
    n->represent = represent_of(n);
    n->entities = arena_array(n->arena, struct notice_entity, n->count);
    n->roots = arena_array(n->arena, struct link_node, n->count);
    n->entity_count = n->linked_count = 0;
    for (uint32_t i = 0; i < n->count; i++) {
        struct notice_entity *e = &n->entities[n->entity_count];
        make_entity(n, &n->items[i], e);
        if (!represent_leaves(&n->represent, &e->now))
            continue;
        n->roots[n->entity_count++] = (struct link_node){
            .entity = &e->now, .pick = n->represent.pick, .omit = n->represent.omit};
    }
}

static void write_entities(struct notice *n)
{
    struct represent r = n->represent;
    represent_list_open(n->body, &r);
    for (uint32_t i = 0; i < n->entity_count; i++) {
        const struct notice_entity *e = &n->entities[i];
        r.deleted = e->deleted;
        r.deleted_at = e->deleted_at;
        r.previous = e->changed ? &e->before : NULL;
        r.links = n->subscription->join == JOIN_INLINE ? &n->roots[i] : NULL;
        if (i)
            buf_char(n->body, ',');
        represent_entity(n->body, &r, &e->now);
    }
    r = n->represent;
    for (uint32_t i = 0; i < n->linked_count; i++) {
        r.pick = n->linked[i]->pick;
        r.omit = n->linked[i]->omit;
        buf_char(n->body, ',');
        represent_entity(n->body, &r, n->linked[i]->entity);
    }
    represent_list_close(n->body, &n->represent);
}

/* ---- the notification ---- */

static void write_id(struct notice *n)
{
    const struct subscription *s = n->subscription;
    buf_lit(n->body, "{\"id\":\"urn:ngsi-ld:Notification:");
    buf_hex(n->body, crc32c(0, s->id.p, s->id.n), 8);
    buf_hex(n->body, crc32c(crc32c(1, s->tenant.p, s->tenant.n), s->id.p, s->id.n), 8);
    buf_char(n->body, '-');
    buf_str(n->body, n->mark);
    buf_char(n->body, '"');
}

static void write_notification(struct notice *n)
{
    const struct subscription *s = n->subscription;
    write_id(n);
    bool sources = !str_absent(n->registrations);
    buf_lit(n->body, ",\"type\":\"");
    buf_str(n->body, sources ? STR("ContextSourceNotification") : STR("Notification"));
    buf_lit(n->body, "\",\"subscriptionId\":");
    json_write_str(n->body, s->id);
    if (sources)
        buf_printf(n->body, ",\"triggerReason\":\"%s\"", n->trigger_reason);
    buf_lit(n->body, ",\"notifiedAt\":\"");
    buf_time(n->body, n->now_us);
    buf_lit(n->body, "\",\"data\":");
    if (sources)
        buf_str(n->body, n->registrations);
    else
        write_entities(n);
    if (s->media == NOTIFY_LD_JSON) {
        buf_lit(n->body, ",\"@context\":");
        buf_str(n->body, n->represent.at_context);
    }
    buf_char(n->body, '}');
}

/* ---- headers ---- */

static struct str media_type(const struct subscription *s)
{
    return s->media == NOTIFY_LD_JSON    ? STR("application/ld+json")
           : s->media == NOTIFY_GEO_JSON ? STR("application/geo+json")
                                         : STR("application/json");
}

static struct str link_value(const struct notice *n)
{
    struct str parts[] = {STR("<"), n->subscription->context_url,
                          STR(">; rel=\"http://www.w3.org/ns/json-ld#context\"; type=\"application/ld+json\"")};
    return arena_join(n->arena, parts, sizeof parts / sizeof *parts);
}

/* What goes with the body, as name and value. */
static uint32_t make_metadata(struct notice *n, struct key_value **out)
{
    const struct subscription *s = n->subscription;
    struct key_value *m = arena_array(n->arena, struct key_value, s->receiver_count + 4);
    uint32_t count = 0;
    m[count++] = (struct key_value){STR("Content-Type"), media_type(s)};
    if (!has_context_inside(s))
        m[count++] = (struct key_value){STR("Link"), link_value(n)};
    struct str tenant = str_absent(n->snapshot) ? s->tenant : n->tenant;
    if (tenant.n)
        m[count++] = (struct key_value){STR("NGSILD-Tenant"), tenant};
    if (!str_absent(n->snapshot))
        m[count++] = (struct key_value){STR("NGSILD-Snapshot"), n->snapshot};
    for (uint32_t i = 0; i < s->receiver_count; i++)
        m[count++] = s->receiver[i];
    *out = m;
    return count;
}

static void write_http(struct notice *n, const struct key_value *m, uint32_t count)
{
    n->headers = arena_array(n->arena, struct str, count);
    n->header_count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct str parts[] = {m[i].key, STR(": "), m[i].value};
        n->headers[i] = arena_join(n->arena, parts, sizeof parts / sizeof *parts);
    }
    write_notification(n);
}

void notice_write_metadata(struct buf *b, const struct key_value *m, uint32_t count)
{
    buf_lit(b, "{\"metadata\":{");
    for (uint32_t i = 0; i < count; i++) {
        if (i)
            buf_char(b, ',');
        json_write_str(b, m[i].key);
        buf_char(b, ':');
        json_write_str(b, m[i].value);
    }
    buf_lit(b, "},\"body\":");
}

/* Clause 7.2: all in one JSON object. */
static void write_mqtt(struct notice *n, const struct key_value *m, uint32_t count)
{
    const struct subscription *s = n->subscription;
    n->mqtt_version = 5;
    for (uint32_t i = 0; i < s->notifier_count; i++) {
        struct str value = s->notifier[i].value;
        if (str_eq(s->notifier[i].key, STR("MQTT-Version")))
            n->mqtt_version = str_eq(value, STR("mqtt3.1.1")) ? 3 : 5;
        else if (str_eq(s->notifier[i].key, STR("MQTT-QoS")) && value.n == 1)
            n->mqtt_qos = (uint8_t)(value.p[0] - '0');
    }
    notice_write_metadata(n->body, m, count);
    write_notification(n);
    buf_char(n->body, '}');
}

bool notice_write(struct notice *n)
{
    struct key_value *metadata;
    uint32_t count = make_metadata(n, &metadata);
    if (endpoint_is_mqtt(n->subscription->uri))
        write_mqtt(n, metadata, count);
    else
        write_http(n, metadata, count);
    return !n->body->full;
}
