/* link-value = "<" URI-Reference ">" *( ";" parameter ), comma separated. */
#include "front/ngsild/link_header.h"

static const struct str CONTEXT_REL = {"http://www.w3.org/ns/json-ld#context",
                                       sizeof "http://www.w3.org/ns/json-ld#context" - 1};

struct cursor {
    struct str s;
    size_t at;
};

static void skip_space(struct cursor *c)
{
    while (c->at < c->s.n && (c->s.p[c->at] == ' ' || c->s.p[c->at] == '\t'))
        c->at++;
}

static bool take(struct cursor *c, char ch)
{
    skip_space(c);
    if (c->at >= c->s.n || c->s.p[c->at] != ch)
        return false;
    c->at++;
    return true;
}

/* Up to the byte end, which is consumed; false when it never comes. */
static bool take_until(struct cursor *c, char end, struct str *out)
{
    size_t n = str_find_char(str_from(c->s, c->at), end);
    if (n == STR_NPOS)
        return false;
    *out = (struct str){c->s.p + c->at, n};
    c->at += n + 1;
    return true;
}

static struct str take_token(struct cursor *c)
{
    skip_space(c);
    size_t start = c->at;
    while (c->at < c->s.n && !strchr("=;, \t\"", c->s.p[c->at]))
        c->at++;
    return (struct str){c->s.p + start, c->at - start};
}

static bool take_parameter(struct cursor *c, struct str *name, struct str *value)
{
    *name = take_token(c);
    *value = STR_NONE;
    if (!name->n)
        return false;
    if (!take(c, '='))
        return true;
    if (take(c, '"'))
        return take_until(c, '"', value);
    *value = take_token(c);
    return true;
}

/* rel may list several relation types. */
static bool names_context(struct str rel)
{
    struct str part;
    while (str_split(&rel, ' ', &part))
        if (str_eq(part, CONTEXT_REL))
            return true;
    return false;
}

enum status link_header_read(struct str value, struct str *target, struct why *why)
{
    struct cursor c = {value, 0};
    do {
        struct str uri, name, text;
        bool context = false;
        skip_space(&c);
        if (c.at == c.s.n)
            break;
        if (!take(&c, '<') || !take_until(&c, '>', &uri))
            return why_set(why, E_BAD_DATA, NULL, "the Link header is no list of <target>; parameters");
        while (take(&c, ';')) {
            if (!take_parameter(&c, &name, &text))
                return why_set(why, E_BAD_DATA, NULL, "the Link header has a malformed parameter");
            context |= str_eq_fold(name, STR("rel")) && names_context(text);
        }
        if (context && !str_absent(*target))
            return why_set(why, E_BAD_DATA, NULL, "the Link header names more than one @context");
        if (context)
            *target = str_trim(uri);
    } while (take(&c, ','));
    skip_space(&c);
    if (c.at < c.s.n)
        return why_set(why, E_BAD_DATA, NULL, "the Link header is malformed at byte %zu", c.at);
    return OK;
}

enum status link_header_context(const struct http_request *r, struct str *target, struct why *why)
{
    size_t count = http_request_header_count(r, "Link");
    enum status st = OK;
    *target = STR_NONE;
    for (size_t i = 0; st == OK && i < count; i++)
        st = link_header_read(http_request_header_at(r, "Link", i), target, why);
    return st;
}
