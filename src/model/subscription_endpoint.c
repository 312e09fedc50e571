/* Endpoint (clauses 5.2.15, 7.2): where notifications go, and how. */
#include "model/subscription_int.h"

static const char *const SCHEMES[] = {"http", "https", "mqtt", "mqtts"};

bool endpoint_is_mqtt(struct str uri)
{
    return uri.n > 4 && str_eq_fold(str_head(uri, 4), STR("mqtt"));
}

enum status endpoint_check(struct str uri, const struct at *at, struct why *why)
{
    struct str scheme = str_head(uri, str_find_char(uri, ':'));
    bool known = false;
    for (size_t i = 0; i < sizeof SCHEMES / sizeof *SCHEMES; i++)
        known |= str_eq_fold(scheme, str_of(SCHEMES[i]));
    if (!known)
        return why_set(why, E_BAD_DATA, at,
                       "notifications go to http, https, mqtt and mqtts endpoints, not to %.*s",
                       STR_ARG(str_head(scheme, 32)));
    struct str rest = str_from(uri, scheme.n);
    struct str host = str_from(rest, 3);
    size_t slash = str_find_char(host, '/');
    if (!str_starts(rest, STR("://")) || host.n == 0 || slash == 0)
        return why_set(why, E_BAD_DATA, at, "the endpoint's URI names no host");
    if (endpoint_is_mqtt(uri) && (slash == STR_NPOS || slash + 1 == host.n))
        return why_set(why, E_BAD_DATA, at,
                       "an MQTT endpoint's URI ends in a topic: mqtt://host/topic");
    return OK;
}

static enum status uri(struct draft *d, const struct json *v, const struct at *at, struct json *out)
{
    enum status st = draft_uri(d, v, at, out);
    return st == OK ? endpoint_check(v->string, at, d->why) : st;
}

static enum status accept(struct draft *d, const struct json *v, const struct at *at,
                          struct json *out)
{
    *out = *v;
    if (json_is_string(v, STR("application/json")) ||
        json_is_string(v, STR("application/ld+json")) ||
        json_is_string(v, STR("application/geo+json")))
        return OK;
    return why_set(d->why, E_BAD_DATA, at,
                   "expected application/json, application/ld+json or application/geo+json");
}

/* ---- what goes along ---- */

/* Its usual spelling; NULL: it may be given. */
static const char *ours(struct str name)
{
    static const char *const OURS[] = {"Content-Length", "Transfer-Encoding", "Connection", "Host",       "Expect",
                                       "Upgrade",        "TE",                "Trailer",    "Keep-Alive", "Proxy-Connection"};
    for (size_t k = 0; k < sizeof OURS / sizeof *OURS; k++)
        if (str_eq_fold(name, str_of(OURS[k])))
            return OURS[k];
    return NULL;
}

enum status endpoint_check_receiver(const struct json *pairs, const struct at *list, struct why *why)
{
    for (uint32_t i = 0; pairs && i < pairs->n; i++) {
        struct at at = {list, STR_NONE, i};
        const char *header = ours(draft_text_of(&pairs->items[i], STR("key")));
        if (header)
            return why_set(why, E_BAD_DATA, &at, "the header %s is set by the broker", header);
    }
    return OK;
}

/* Table 7.2-1 */
static enum status check_notifier(struct draft *d, const struct json *pairs, const struct at *up)
{
    struct at list = {up, STR("notifierInfo"), 0};
    for (uint32_t i = 0; pairs && i < pairs->n; i++) {
        struct at at = {&list, STR_NONE, i};
        struct str key = draft_text_of(&pairs->items[i], STR("key"));
        struct str value = draft_text_of(&pairs->items[i], STR("value"));
        if (str_eq(key, STR("MQTT-QoS")) && (value.n != 1 || value.p[0] < '0' || value.p[0] > '2'))
            return why_set(d->why, E_BAD_DATA, &at, "MQTT-QoS must be 0, 1 or 2");
        if (str_eq(key, STR("MQTT-Version")) && !str_eq(value, STR("mqtt3.1.1")) &&
            !str_eq(value, STR("mqtt5.0")))
            return why_set(d->why, E_BAD_DATA, &at, "MQTT-Version must be mqtt3.1.1 or mqtt5.0");
    }
    return OK;
}

enum status subscription_endpoint(struct draft *d, const struct json *v, const struct at *at,
                                  struct json *out)
{
    static const struct draft_member MEMBERS[] = {
        {"uri", uri},
        {"accept", accept},
        {"cooldown", draft_positive},
        {"notifierInfo", draft_pairs},
        {"receiverInfo", draft_pairs},
        {"timeout", draft_positive},
    };
    enum status st = draft_object(d, MEMBERS, sizeof MEMBERS / sizeof *MEMBERS, false, v, at, out);
    if (st != OK)
        return st;
    struct str target = draft_text_of(out, STR("uri"));
    if (str_absent(target))
        return why_set(d->why, E_BAD_DATA, at, "an endpoint needs a uri");
    if (endpoint_is_mqtt(target))
        return check_notifier(d, json_get(out, STR("notifierInfo")), at);
    struct at list = {at, STR("receiverInfo"), 0};
    return endpoint_check_receiver(json_get(out, list.key), &list, d->why);
}
