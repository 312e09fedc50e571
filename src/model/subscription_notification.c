/* NotificationParams (clause 5.2.14.1). */
#include "model/iri_text.h"
#include "model/reader.h"
#include "model/subscription_int.h"

static enum status format(struct draft *d, const struct json *v, const struct at *at,
                          struct json *out)
{
    static const char *const FORMATS[] = {"normalized", "concise", "simplified", "keyValues"};
    *out = *v;
    for (size_t i = 0; i < sizeof FORMATS / sizeof *FORMATS; i++)
        if (json_is_string(v, str_of(FORMATS[i])))
            return OK;
    return why_set(d->why, E_BAD_DATA, at, "expected normalized, concise, simplified or keyValues");
}

static enum status join(struct draft *d, const struct json *v, const struct at *at,
                        struct json *out)
{
    *out = *v;
    if (json_is_string(v, STR("flat")) || json_is_string(v, STR("inline")) ||
        json_is_string(v, STR("@none")))
        return OK;
    return why_set(d->why, E_BAD_DATA, at, "expected flat, inline or @none");
}

/* attributes is older than pick and cannot name what is no attribute. */
static enum status attribute(struct draft *d, const struct json *v, const struct at *at,
                             struct json *out)
{
    if (json_is_string(v, STR("id")) || json_is_string(v, STR("type")) ||
        json_is_string(v, STR("scope")))
        return why_set(d->why, E_BAD_DATA, at, "\"%.*s\" is no attribute: use pick",
                       STR_ARG(v->string));
    return draft_name(d, v, at, out);
}

static enum status attributes(struct draft *d, const struct json *v, const struct at *at,
                              struct json *out)
{
    return draft_array(d, attribute, v, at, out);
}

static enum status projected(struct draft *d, const struct json *v, const struct at *at,
                             struct json *out)
{
    struct why w = {0};
    enum status st = draft_string(d, v, at, out);
    if (st != OK)
        return st;
    st = projection_store(&out->string, v->string, d->context, d->projection, d->arena, &w);
    return st == OK ? OK : draft_relay(d, at, st, &w);
}

static enum status projection(struct draft *d, const struct json *v, const struct at *at,
                              struct json *out)
{
    return draft_array(d, projected, v, at, out);
}

/* ---- rules between members ---- */

/* Does a stored projection name `name` by itself, not only members of what it links to? */
static bool names(const struct json *list, struct str name)
{
    for (uint32_t i = 0; i < list->n; i++) {
        struct str text = list->items[i].string;
        for (size_t at = 0, depth = 0; at < text.n;) {
            size_t from = at;
            at += iri_text_length(str_from(text, at));
            while (at < text.n && !strchr(",|{}", text.p[at]))
                at++;
            struct str here = {text.p + from, at - from};
            if (depth == 0 && str_eq(here, name) && (at == text.n || text.p[at] != '{'))
                return true;
            for (; at < text.n && strchr(",|{}", text.p[at]); at++)
                depth += text.p[at] == '{' ? 1 : text.p[at] == '}' ? (size_t)-1 : 0;
        }
    }
    return false;
}

/* Do two stored projections name the same member? Each entry of x may be a list itself. */
static bool overlap(const struct json *x, const struct json *y)
{
    for (uint32_t i = 0; i < x->n; i++) {
        struct str part, rest = x->items[i].string;
        if (str_find_char(rest, '{') != STR_NPOS)
            continue;
        for (size_t k = 0; k < rest.n; k += part.n + 1) {
            size_t n = iri_text_length(str_from(rest, k));
            while (k + n < rest.n && rest.p[k + n] != ',' && rest.p[k + n] != '|')
                n++;
            part = (struct str){rest.p + k, n};
            if (names(y, part))
                return true;
        }
    }
    return false;
}

static bool follows(const struct json *list)
{
    for (uint32_t i = 0; list && i < list->n; i++)
        if (str_find_char(list->items[i].string, '{') != STR_NPOS)
            return true;
    return false;
}

static enum status check(struct draft *d, const struct json *n, const struct at *at)
{
    const struct json *attrs = json_get(n, STR("attributes"));
    const struct json *pick = json_get(n, STR("pick")), *omit = json_get(n, STR("omit"));
    struct str format = draft_text_of(n, STR("format"));
    struct str how = draft_text_of(n, STR("join"));
    bool joined = how.n && !str_eq(how, STR("@none"));
    if (!json_get(n, STR("endpoint")))
        return why_set(d->why, E_BAD_DATA, at, "a notification needs an endpoint");
    if (attrs && (pick || omit))
        return why_set(d->why, E_BAD_DATA, at, "attributes excludes pick and omit");
    if (pick && omit && (overlap(pick, omit) || overlap(omit, pick)))
        return why_set(d->why, E_BAD_DATA, at, "pick and omit name the same member");
    if (!joined && (follows(pick) || follows(omit)))
        return why_set(d->why, E_BAD_DATA, at,
                       "pick and omit follow relationships only together with join");
    if (draft_is_true(n, STR("showChanges")) &&
        (str_eq(format, STR("keyValues")) || str_eq(format, STR("simplified"))))
        return why_set(d->why, E_BAD_DATA, at, "showChanges excludes the simplified format");
    return OK;
}

enum status subscription_notification(struct draft *d, const struct json *v, const struct at *at,
                                      struct json *out)
{
    static const struct draft_member MEMBERS[] = {
        {"endpoint", subscription_endpoint},
        {"attributes", attributes},
        {"format", format},
        {"join", join},
        {"joinLevel", draft_count},
        {"omit", projection},
        {"pick", projection},
        {"showChanges", draft_bool},
        {"sysAttrs", draft_bool},
    };
    enum status st = draft_object(d, MEMBERS, sizeof MEMBERS / sizeof *MEMBERS, false, v, at, out);
    return st == OK ? check(d, out, at) : st;
}
