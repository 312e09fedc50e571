/* IRIs are taken apart as RFC 3986 appendix B does, and put together again. */
#include "model/context_iri.h"

#include <stdint.h>

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_scheme_char(char c)
{
    return is_alpha(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
}

/* Length of "scheme:" in front of s, 0 when there is none. */
static size_t scheme_length(struct str s)
{
    if (s.n == 0 || !is_alpha(s.p[0]))
        return 0;
    for (size_t i = 1; i < s.n; i++) {
        if (s.p[i] == ':')
            return i + 1;
        if (!is_scheme_char(s.p[i]))
            return 0;
    }
    return 0;
}

bool context_iri_has_scheme(struct str s)
{
    return scheme_length(s) > 0;
}

bool context_iri_is_absolute(struct str s)
{
    if (scheme_length(s) == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c == 0x7f || strchr("<>\"{}|\\^`", c))
            return false;
    }
    return true;
}

bool context_iri_ends_in_delimiter(struct str s)
{
    return s.n && s.p[s.n - 1] && strchr(":/?#[]@", s.p[s.n - 1]);
}

bool context_iri_is_keyword(struct str s)
{
    static const char *const KEYWORDS[] = {
        "@base",     "@container", "@context",   "@default",   "@direction",  "@embed",
        "@explicit", "@graph",     "@id",        "@import",    "@included",   "@index",
        "@json",     "@language",  "@list",      "@nest",      "@none",       "@omitDefault",
        "@prefix",   "@preserve",  "@propagate", "@protected", "@requireAll", "@reverse",
        "@set",      "@type",      "@value",     "@version",   "@vocab",
    };
    if (s.n < 2 || s.p[0] != '@')
        return false;
    for (size_t i = 0; i < sizeof KEYWORDS / sizeof *KEYWORDS; i++)
        if (str_eq(s, str_of(KEYWORDS[i])))
            return true;
    return false;
}

bool context_iri_has_keyword_form(struct str s)
{
    if (s.n < 2 || s.p[0] != '@')
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (!is_alpha(s.p[i]))
            return false;
    return true;
}

struct str context_iri_join(const struct str *parts, size_t count, struct arena *a)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += parts[i].n;
    char *p = arena_alloc(a, n + 1);
    struct str out = {p, n};
    for (size_t i = 0; i < count; p += parts[i++].n)
        if (parts[i].n)
            memcpy(p, parts[i].p, parts[i].n);
    return out;
}

struct parts {
    struct str scheme;    /* with its colon */
    struct str authority; /* with its slashes; absent when there is none */
    struct str path;
    struct str query; /* with its question mark, without the fragment */
    struct str fragment;
};

static struct str cut(struct str *rest, size_t n)
{
    struct str head = str_head(*rest, n);
    *rest = str_from(*rest, n);
    return head;
}

static struct str cut_until(struct str *rest, const char *stops)
{
    size_t n = 0;
    while (n < rest->n && !(rest->p[n] && strchr(stops, rest->p[n])))
        n++;
    return cut(rest, n);
}

static struct parts parts_of(struct str s)
{
    struct parts p = {.scheme = cut(&s, scheme_length(s))};
    if (str_starts(s, STR("//"))) {
        struct str slashes = cut(&s, 2);
        struct str name = cut_until(&s, "/?#");
        p.authority = (struct str){slashes.p, slashes.n + name.n};
    }
    p.path = cut_until(&s, "?#");
    p.query = cut_until(&s, "#");
    p.fragment = s;
    return p;
}

/* RFC 3986 section 5.2.4, in place: path is in the arena and ours. */
static struct str remove_dots(char *path, size_t n)
{
    size_t to = 0;
    for (size_t i = 0; i < n;) {
        size_t next = i + 1; /* behind this segment, which starts with its slash */
        while (next < n && path[next] != '/')
            next++;
        struct str segment = {path + i, next - i};
        bool last = next == n;
        if (str_eq(segment, STR("/..")) || str_eq(segment, STR("/."))) {
            if (segment.n == 3)
                while (to > 0 && path[--to] != '/')
                    ;
            if (last)
                path[to++] = '/';
        } else {
            memmove(path + to, segment.p, segment.n);
            to += segment.n;
        }
        i = next;
    }
    return (struct str){path, to};
}

/* RFC 3986 section 5.2.3: ref in place of what follows base's last slash. */
static struct str merge(const struct parts *base, struct str ref, struct arena *a)
{
    size_t keep = base->path.n;
    while (keep > 0 && base->path.p[keep - 1] != '/')
        keep--;
    bool root = keep == 0 && !str_absent(base->authority);
    char *path = arena_alloc(a, keep + ref.n + root + 1);
    size_t n = 0;
    if (root)
        path[n++] = '/';
    if (keep)
        memcpy(path + n, base->path.p, keep);
    if (ref.n)
        memcpy(path + n + keep, ref.p, ref.n);
    n += keep + ref.n;
    return n && path[0] == '/' ? remove_dots(path, n) : (struct str){path, n};
}

struct str context_iri_resolve(struct str base, struct str ref, struct arena *a)
{
    if (scheme_length(ref))
        return ref;
    if (!context_iri_is_absolute(base))
        return STR_NONE;
    struct parts b = parts_of(base), r = parts_of(ref);
    struct parts out = {.scheme = b.scheme, .fragment = r.fragment};
    out.authority = str_absent(r.authority) ? b.authority : r.authority;
    if (!str_absent(r.authority) || (r.path.n && r.path.p[0] == '/')) {
        struct str copy = arena_dup(a, r.path);
        out.path = remove_dots((char *)(uintptr_t)copy.p, copy.n);
        out.query = r.query;
    } else if (r.path.n == 0) {
        out.path = b.path;
        out.query = r.query.n ? r.query : b.query;
    } else {
        out.path = merge(&b, r.path, a);
        out.query = r.query;
    }
    const struct str all[] = {out.scheme, out.authority, out.path, out.query, out.fragment};
    return context_iri_join(all, sizeof all / sizeof *all, a);
}
