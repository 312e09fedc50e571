/* Telling a snapshot's endpoint of its status (clause 5.16.6): once, over HTTP or MQTT. */
#include "broker/snapshots_int.h"

#include "base/hash.h"
#include "base/log.h"
#include "broker/notice.h"

#include <inttypes.h>

enum { MQTT_VERSION = 5 }; /* what 7.2 takes if nothing is said */

struct status_notice {
    struct port_send send;
    struct arena *arena;
    struct str id; /* of the snapshot; its endpoint may have a password */
};

static void notice_done(struct port_send *p)
{
    struct status_notice *n = container_of(p, struct status_notice, send);
    bool http = !endpoint_is_mqtt(p->uri);
    bool taken = p->status == OK && (!http || (p->http_status >= 200 && p->http_status < 300));
    if (!taken)
        log_warn("snapshot notification not taken", log_s("id", n->id), log_i("status", p->http_status),
                 log_s("why", str_of(p->why.text)));
    arena_free(n->arena);
}

/* What goes with the body, as name and value. */
static uint32_t make_metadata(const struct snapshot_entry *e, struct arena *a, struct key_value **out)
{
    struct json info = {.kind = JSON_ARRAY};
    struct json_limits limits = {.depth_max = 8, .bytes_max = SIZE_MAX};
    uint32_t count = 0;
    if (!str_absent(e->s.receiver_info) && json_read(a, e->s.receiver_info, &limits, &info, NULL) != OK)
        info.n = 0;
    struct key_value *m = arena_array(a, struct key_value, info.n + 2);
    m[count++] = (struct key_value){STR("Content-Type"), STR("application/json")};
    if (e->tenant.n)
        m[count++] = (struct key_value){STR("NGSILD-Tenant"), arena_dup(a, e->tenant)};
    for (uint32_t i = 0; i < info.n; i++)
        m[count++] = (struct key_value){json_get(&info.items[i], STR("key"))->string,
                                        json_get(&info.items[i], STR("value"))->string};
    *out = m;
    return count;
}

/* The same over HTTP and, in one JSON object, over MQTT (clause 7.2). */
static void write_message(struct snapshots *s, struct status_notice *n, const struct snapshot_entry *e, bool deleted)
{
    struct buf b;
    struct key_value *m;
    uint64_t number = ++s->made;
    int64_t now = snapshots_now(s);
    uint32_t count = make_metadata(e, n->arena, &m);
    struct str *headers = arena_array(n->arena, struct str, count);
    struct str id = arena_printf(n->arena, "urn:ngsi-ld:SnapshotNotification:%016" PRIx64, hash_u64((uint64_t)now ^ number << 40));
    bool mqtt = endpoint_is_mqtt(e->s.endpoint);
    buf_init(&b, DOCUMENT_BYTES_MAX);
    if (mqtt)
        notice_write_metadata(&b, m, count);
    for (uint32_t i = 0; i < count && !mqtt; i++)
        headers[i] = arena_printf(n->arena, "%.*s: %.*s", STR_ARG(m[i].key), STR_ARG(m[i].value));
    snapshot_notification_write(&b, &e->s, id, now, deleted);
    if (mqtt)
        buf_char(&b, '}');
    n->send.headers = headers;
    n->send.header_count = mqtt ? 0 : count;
    n->send.mqtt_version = mqtt ? MQTT_VERSION : 0;
    n->send.body = arena_dup(n->arena, buf_view(&b));
    buf_free(&b);
}

void snapshot_tell(struct snapshots *s, const struct snapshot_entry *e, bool deleted)
{
    if (str_absent(e->s.endpoint) || !s->broker->ports->send || snapshots_stopping(s))
        return;
    struct arena *a = arena_new(0);
    struct status_notice *n = arena_zarray(a, struct status_notice, 1);
    n->arena = a;
    n->id = arena_dup(a, e->s.id);
    n->send = (struct port_send){
        .uri = arena_dup(a, e->s.endpoint),
        .timeout_ms = s->o.send_timeout_ms,
        .home = &s->work.runner,
        .done = notice_done,
    };
    write_message(s, n, e, deleted);
    s->broker->ports->send(s->broker->ports, &n->send);
}
