/* Reads link-value lists left to right, one character class at a time, by the
 * grammar of RFC 8288 section 3; white space is allowed wherever appendix B.2
 * takes it. */
#include "model/context_links.h"

#define RELATION "http://www.w3.org/ns/json-ld#context"

struct cursor {
    struct str text;
    size_t at;
};

static bool more(const struct cursor *c)
{
    return c->at < c->text.n;
}

static char peek(const struct cursor *c)
{
    return more(c) ? c->text.p[c->at] : 0;
}

static void skip_space(struct cursor *c)
{
    while (peek(c) == ' ' || peek(c) == '\t')
        c->at++;
}

static bool take(struct cursor *c, char wanted)
{
    if (!more(c) || c->text.p[c->at] != wanted)
        return false;
    c->at++;
    return true;
}

/* Up to the next of stops, or the end. */
static struct str take_until(struct cursor *c, const char *stops)
{
    size_t start = c->at;
    while (more(c) && !(peek(c) && strchr(stops, peek(c))))
        c->at++;
    return (struct str){c->text.p + start, c->at - start};
}

/* Behind the opening quote; false when there is no closing one. */
static bool take_quoted(struct cursor *c, struct arena *a, struct str *out)
{
    size_t start = c->at, n = 0;
    while (more(c) && peek(c) != '"')
        c->at += peek(c) == '\\' && c->at + 1 < c->text.n ? 2 : 1;
    char *to = arena_alloc(a, c->at - start + 1);
    for (size_t i = start; i < c->at; i++) {
        if (c->text.p[i] == '\\' && i + 1 < c->at)
            i++;
        to[n++] = c->text.p[i];
    }
    *out = (struct str){to, n};
    return take(c, '"');
}

/* A rel parameter holds one or more relations. */
static bool names_context(struct str relations)
{
    struct str one;
    while (str_split(&relations, ' ', &one))
        if (str_eq_fold(str_trim(one), STR(RELATION)))
            return true;
    return false;
}

static enum status refuse(struct why *why, const struct cursor *c, const char *expected)
{
    return why_set(why, E_INVALID_REQUEST, NULL, "Link header, column %zu: %s expected", c->at + 1,
                   expected);
}

/* Parameters up to the comma or the end. Only the first rel counts (section 3.3). */
static enum status read_parameters(struct cursor *c, struct arena *a, bool *context,
                                   struct why *why)
{
    bool seen = false;
    *context = false;
    for (skip_space(c); take(c, ';'); skip_space(c)) {
        skip_space(c);
        struct str name = take_until(c, "=;, \t\"<>"), value = STR_NONE;
        skip_space(c);
        if (take(c, '=')) {
            skip_space(c);
            if (!take(c, '"'))
                value = take_until(c, ";, \t");
            else if (!take_quoted(c, a, &value))
                return refuse(why, c, "'\"'");
        }
        if (str_eq_fold(name, STR("rel")) && !seen) {
            seen = true;
            *context = names_context(value);
        }
    }
    return OK;
}

enum status context_links_find(struct str value, struct arena *a, struct str *target,
                               struct why *why)
{
    struct cursor c = {value, 0};
    *target = STR_NONE;
    for (;;) {
        bool context;
        for (skip_space(&c); take(&c, ','); skip_space(&c))
            ;
        if (!more(&c))
            return OK;
        if (!take(&c, '<'))
            return refuse(why, &c, "'<'");
        struct str link = take_until(&c, ">");
        if (!take(&c, '>'))
            return refuse(why, &c, "'>'");
        enum status st = read_parameters(&c, a, &context, why);
        if (st != OK)
            return st;
        if (more(&c) && peek(&c) != ',')
            return refuse(why, &c, "',' or ';'");
        if (context && !str_absent(*target))
            return why_set(why, E_BAD_DATA, NULL, "the Link header names two @contexts");
        if (context)
            *target = str_trim(link);
    }
}
