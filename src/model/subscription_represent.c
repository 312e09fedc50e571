/* A stored subscription as its reader sees it (clauses 5.8.3, 5.2.12, 5.2.14.2). */
#include "base/time.h"
#include "model/iri_text.h"
#include "model/subscription_int.h"

struct shower {
    const struct context *context;
    struct arena *arena;
};

/* ---- names ---- */

static struct json iri_shown(const struct shower *w, const struct json *v)
{
    return draft_text(context_compact(w->context, v->string, w->arena));
}

static struct json text_shown(const struct shower *w, const struct json *v)
{
    return draft_text(iri_text_show(v->string, w->context, w->arena));
}

static struct json copy(const struct shower *w, const struct json *v)
{
    struct json out = *v;
    if (v->kind == JSON_ARRAY && v->n) {
        out.items = arena_array(w->arena, struct json, v->n);
        memcpy(out.items, v->items, v->n * sizeof *v->items);
    } else if (v->kind == JSON_OBJECT && v->n) {
        out.members = arena_array(w->arena, struct json_member, v->n);
        memcpy(out.members, v->members, v->n * sizeof *v->members);
    }
    return out;
}

/* One member of o, when it is there, by the given function; of an array, each element. */
static void show(const struct shower *w, struct json *o, const char *name,
                 struct json (*shown)(const struct shower *, const struct json *))
{
    const struct json *v = json_get(o, str_of(name));
    struct json out;
    if (!v)
        return;
    if (v->kind == JSON_ARRAY) {
        out = copy(w, v);
        for (uint32_t i = 0; i < out.n; i++)
            out.items[i] = shown(w, &v->items[i]);
    } else {
        out = shown(w, v);
    }
    draft_set(w->arena, o, str_of(name), out);
}

static struct json selector_shown(const struct shower *w, const struct json *v)
{
    struct json out = copy(w, v);
    show(w, &out, "type", text_shown);
    return out;
}

static struct json geo_shown(const struct shower *w, const struct json *v)
{
    struct json out = copy(w, v);
    show(w, &out, "geoproperty", iri_shown);
    return out;
}

static struct json notification_shown(const struct shower *w, const struct json *v)
{
    struct json out = copy(w, v);
    show(w, &out, "attributes", iri_shown);
    show(w, &out, "pick", text_shown);
    show(w, &out, "omit", text_shown);
    return out;
}

/* ---- what the broker adds ---- */

static const char *status_of(const struct json *s, int64_t now_us)
{
    int64_t us;
    const struct json *active = json_get(s, STR("isActive"));
    if (time_parse(draft_text_of(s, STR("expiresAt")), &us) && us <= now_us)
        return "expired";
    return active && !active->boolean ? "paused" : "active";
}

static void add_time(const struct shower *w, struct json *o, const char *name, int64_t us)
{
    if (us != TIME_NONE)
        draft_set(w->arena, o, str_of(name), draft_time(us, w->arena));
}

static void add_number(const struct shower *w, struct json *o, const char *name, uint64_t n)
{
    if (n)
        draft_set(w->arena, o, str_of(name),
                  (struct json){.kind = JSON_INT, .integer = (int64_t)n});
}

/* Those of clause 5.2.14.2, and two of our own, which show when the receiver missed something. */
static void add_counters(const struct shower *w, struct json *notification,
                         const struct subscription_counters *c)
{
    if (!c)
        return;
    add_number(w, notification, "changesMerged", c->merged);
    add_number(w, notification, "changesDropped", c->dropped);
    if (!c->sent)
        return;
    draft_set(w->arena, notification, STR("status"),
              draft_text(c->last_failed ? STR("failed") : STR("ok")));
    add_number(w, notification, "timesSent", c->sent);
    add_number(w, notification, "timesFailed", c->failed);
    add_time(w, notification, "lastNotification", c->last_notification);
    add_time(w, notification, "lastSuccess", c->last_success);
    add_time(w, notification, "lastFailure", c->last_failure);
}

enum status subscription_represent(struct buf *b, struct str stored, const struct context *context,
                                   const struct subscription_counters *counters,
                                   struct str at_context, bool sys_attrs, int64_t now_us,
                                   struct arena *a, struct why *why)
{
    struct shower w = {context, a};
    struct json s;
    enum status st = draft_parse(a, stored, &s, why);
    const struct json *given = st == OK ? json_get(&s, STR("notification")) : NULL;
    if (st != OK)
        return st;
    if (!given)
        return why_set(why, E_DAMAGED, NULL, "a stored subscription has no notification");
    struct json notification = notification_shown(&w, given);
    add_counters(&w, &notification, counters);
    draft_set(a, &s, STR("notification"), notification);
    show(&w, &s, "entities", selector_shown);
    show(&w, &s, "watchedAttributes", iri_shown);
    show(&w, &s, "q", text_shown);
    show(&w, &s, "csf", text_shown);
    show(&w, &s, "expandValues", text_shown);
    show(&w, &s, "jsonKeys", text_shown);
    show(&w, &s, "geoQ", geo_shown);
    draft_set(a, &s, STR("status"), draft_text(str_of(status_of(&s, now_us))));
    draft_remove(&s, STR("version"));
    draft_remove(&s, STR("defaultContext"));
    if (!sys_attrs) {
        draft_remove(&s, STR("createdAt"));
        draft_remove(&s, STR("modifiedAt"));
    }
    draft_write(b, &s, at_context);
    return OK;
}
