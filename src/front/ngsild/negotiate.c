/* Accept is parsed by hand: a small grammar, no allocation. */
#include "front/ngsild/negotiate.h"

#include "model/context_links.h"

static const char *const MEDIA_NAMES[] = {
    [MEDIA_JSON] = "application/json",
    [MEDIA_LD_JSON] = "application/ld+json",
    [MEDIA_GEO_JSON] = "application/geo+json",
};

enum { MEDIA_COUNT = 3 };

const char *media_name(enum media m)
{
    return MEDIA_NAMES[m];
}

int negotiate_quality(struct str parameters)
{
    struct str part;
    while (str_split(&parameters, ';', &part)) {
        part = str_trim(part);
        if (part.n < 2 || (part.p[0] | 0x20) != 'q' || part.p[1] != '=')
            continue;
        struct str v = str_from(part, 2);
        if (!v.n || v.n > 5 || (v.p[0] != '0' && v.p[0] != '1') || (v.n > 1 && v.p[1] != '.'))
            return 1000;
        int q = (v.p[0] - '0') * 1000, unit = 100;
        for (size_t i = 2; i < v.n; i++, unit /= 10) {
            if (v.p[i] < '0' || v.p[i] > '9')
                return 1000;
            q += (v.p[i] - '0') * unit;
        }
        return q > 1000 ? 1000 : q;
    }
    return 1000;
}

/* How precisely range names m: 0 not at all, 1 anything, 2 application/anything, 3 exactly. */
static int precision(struct str range, enum media m)
{
    if (str_eq_fold(range, str_of(MEDIA_NAMES[m])))
        return 3;
    if (str_eq_fold(range, STR("application/*")))
        return 2;
    return str_eq(range, STR("*/*")) ? 1 : 0;
}

enum status negotiate_accept(struct exchange *x, bool geo)
{
    int best[MEDIA_COUNT] = {0}, weight[MEDIA_COUNT] = {0};
    struct str rest = http_request_header(x->http, "Accept"), item;
    x->accept = MEDIA_JSON;
    if (str_absent(rest) || str_eq(rest, STR("*/*")) || str_eq(rest, STR("application/json")))
        return OK;
    while (str_split(&rest, ',', &item)) {
        struct str range = item, parameters = STR_NONE;
        size_t semicolon = str_find_char(item, ';');
        if (semicolon != STR_NPOS) {
            range = str_head(item, semicolon);
            parameters = str_from(item, semicolon + 1);
        }
        int q = negotiate_quality(parameters);
        for (int m = 0; m < MEDIA_COUNT; m++) {
            int p = precision(str_trim(range), (enum media)m);
            if (p > best[m]) {
                best[m] = p;
                weight[m] = q;
            }
        }
    }
    int chosen = -1;
    for (int m = 0; m < (geo ? MEDIA_COUNT : MEDIA_COUNT - 1); m++)
        if (weight[m] > (chosen < 0 ? 0 : weight[chosen]))
            chosen = m;
    if (chosen < 0)
        return why_set(&x->why, E_NOT_ACCEPTABLE, NULL, "available: application/json, application/ld+json%s",
                       geo ? ", application/geo+json" : "");
    x->accept = (enum media)chosen;
    return OK;
}

enum status negotiate_no_geo(struct exchange *x)
{
    struct str accept = http_request_header(x->http, "Accept");
    size_t semicolon = str_absent(accept) ? STR_NPOS : str_find_char(accept, ';');
    if (semicolon != STR_NPOS)
        accept = str_head(accept, semicolon);
    if (str_absent(accept) || !str_eq_fold(str_trim(accept), STR("application/geo+json")))
        return OK;
    return why_set(&x->why, E_NOT_ACCEPTABLE, NULL, "available: application/json, application/ld+json");
}

enum status negotiate_content(struct exchange *x)
{
    struct str type = http_request_header(x->http, "Content-Type");
    size_t semicolon = str_find_char(type, ';');
    type = str_trim(semicolon == STR_NPOS ? type : str_head(type, semicolon));
    x->content = MEDIA_JSON;
    if (str_eq_fold(type, STR("application/json")))
        return OK;
    if (x->http->method == HTTP_PATCH && str_eq_fold(type, STR("application/merge-patch+json")))
        return OK;
    x->content = MEDIA_LD_JSON;
    if (str_eq_fold(type, STR("application/ld+json")))
        return OK;
    return why_set(&x->why, E_MEDIA_TYPE, NULL, "application/json or application/ld+json is expected");
}

/* @context of the Link headers, which are one list however many there are (RFC 9110 section 5.3), into x->spec. */
static enum status context_from_link(struct exchange *x, bool *found)
{
    size_t count = http_request_header_count(x->http, "Link");
    struct str list = http_request_header_at(x->http, "Link", 0), target;
    for (size_t i = 1; i < count; i++)
        list = arena_printf(x->arena, "%.*s, %.*s", STR_ARG(list), STR_ARG(http_request_header_at(x->http, "Link", i)));
    enum status st = context_links_find(list, x->arena, &target, &x->why);
    *found = st == OK && !str_absent(target);
    if (*found) {
        x->spec = (struct json){.kind = JSON_STRING, .string = target};
        x->has_spec = true;
    }
    return st;
}

static enum status context_of_body(struct exchange *x, bool linked)
{
    const struct json *given = json_get(&x->body, STR("@context"));
    struct at at = {.key = STR("@context")};
    if (x->content == MEDIA_JSON) {
        if (given)
            return why_set(&x->why, E_BAD_DATA, &at,
                           "an application/json body must not contain @context: use the Link header or application/ld+json");
        return OK;
    }
    if (linked)
        return why_set(&x->why, E_BAD_DATA, NULL,
                       "an application/ld+json request must not have a Link header with an @context");
    if (!given)
        return why_set(&x->why, E_BAD_DATA, &at, "an application/ld+json body must contain @context");
    x->spec = *given;
    x->has_spec = true;
    return OK;
}

enum status negotiate_context(struct exchange *x)
{
    if (x->endpoint->body == BODY_CONTEXT)
        return OK; /* the body is an @context, it has none (clause 5.13.2) */
    bool linked;
    enum status st = context_from_link(x, &linked);
    if (st != OK || x->endpoint->body == BODY_NONE)
        return st;
    if (x->body.kind == JSON_OBJECT)
        return context_of_body(x, linked);
    if (x->content == MEDIA_LD_JSON && linked)
        return context_of_body(x, linked);
    return OK; /* arrays: each element brings its own, see batch.c */
}
