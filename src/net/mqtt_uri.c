/* mqtt[s]://[user][:password]@host[:port]/topic[/subtopic]* (CIM 009 clause 7.2). The credentials end at
 * the last '@' before the topic, so that a password may have one. */
#include "net/mqtt_client.h"

#include "base/arena.h"

#include <mosquitto.h>

enum { PORT = 1883, PORT_TLS = 8883, NAME_BYTES_MAX = 65535 };

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Absent when it is no sound text. */
static struct str decode(struct arena *a, struct str s)
{
    char *out = arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '%') {
            if (i + 2 >= s.n || hex(s.p[i + 1]) < 0 || hex(s.p[i + 2]) < 0)
                return STR_NONE;
            c = (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2]));
            i += 2;
        }
        if (c == 0)
            return STR_NONE;
        out[n++] = c;
    }
    out[n] = 0;
    if (n > NAME_BYTES_MAX || mosquitto_validate_utf8(out, (int)n) != MOSQ_ERR_SUCCESS)
        return STR_NONE;
    return (struct str){out, n};
}

static enum status credentials_parse(struct str text, struct arena *a, struct mqtt_uri *out, struct why *why)
{
    size_t colon = str_find_char(text, ':');
    if (colon != 0 && text.n)
        out->user = decode(a, str_head(text, colon));
    if (colon != STR_NPOS)
        out->password = decode(a, str_from(text, colon + 1));
    if ((colon != 0 && text.n && str_absent(out->user)) || (colon != STR_NPOS && str_absent(out->password)))
        return why_set(why, E_BAD_DATA, NULL, "the credentials of the MQTT endpoint are no UTF-8 or wrongly encoded");
    return OK;
}

static bool server_parse(struct str text, struct mqtt_uri *out)
{
    struct str port;
    unsigned long long number = out->tls ? PORT_TLS : PORT;
    if (text.n && text.p[0] == '[') {
        size_t end = str_find_char(text, ']');
        if (end == STR_NPOS)
            return false;
        out->host = str_head(str_from(text, 1), end - 1);
        port = str_from(text, end + 1);
    } else {
        size_t colon = str_find_char(text, ':');
        out->host = str_head(text, colon);
        port = str_from(text, colon);
    }
    for (size_t i = 0; i < out->host.n; i++)
        if ((unsigned char)out->host.p[i] <= 0x20 || (unsigned char)out->host.p[i] >= 0x7f || out->host.p[i] == '%')
            return false;
    if (port.n && (port.p[0] != ':' || !str_to_u64(str_from(port, 1), 65535, &number) || number == 0))
        return false;
    out->port = (uint16_t)number;
    return out->host.n > 0 && out->host.n <= 255;
}

enum status mqtt_uri_parse(struct str uri, struct arena *a, struct mqtt_uri *out, struct why *why)
{
    *out = (struct mqtt_uri){0};
    size_t scheme = str_find(uri, STR("://"));
    struct str rest = str_from(uri, scheme == STR_NPOS ? uri.n : scheme + 3);
    out->tls = str_eq_fold(str_head(uri, scheme), STR("mqtts"));
    if (!out->tls && !str_eq_fold(str_head(uri, scheme), STR("mqtt")))
        return why_set(why, E_BAD_DATA, NULL, "an MQTT endpoint begins with mqtt:// or mqtts://");
    struct str authority = str_head(rest, str_find_char(rest, '/'));
    struct str topic = str_from(rest, authority.n + 1);
    size_t at = authority.n;
    while (at && authority.p[at - 1] != '@')
        at--;
    enum status st = at ? credentials_parse(str_head(authority, at - 1), a, out, why) : OK;
    if (st != OK)
        return st;
    if (!server_parse(str_from(authority, at), out))
        return why_set(why, E_BAD_DATA, NULL, "the MQTT endpoint has no host, or a port that is none");
    out->topic = decode(a, topic);
    if (out->topic.n == 0 || mosquitto_pub_topic_check2(out->topic.p, out->topic.n) != MOSQ_ERR_SUCCESS)
        return why_set(why, E_BAD_DATA, NULL, "the MQTT endpoint has no topic that can be published to");
    return OK;
}
