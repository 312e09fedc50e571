/* Patterns, and what can be told from one without running it. */
#include "model/pattern.h"

#include "base/arena.h"
#include "base/utf8.h"
#include "model/pattern_re2.h"

#include <stdlib.h>

struct pattern {
    struct pattern_re2 *compiled;
    struct str text;
    struct str prefix;
    char bytes[]; /* text, then prefix */
};

static bool is_special(char c)
{
    return c != 0 && strchr(".[]()*+?{}|^$\\", c) != NULL;
}

/* Length of the class "[:digit:]" (or "[:^digit:]") that s begins with, else 0. */
static size_t class_length(struct str s)
{
    size_t i = str_starts(s, STR("[:^")) ? 3 : 2;
    while (i < s.n && s.p[i] >= 'a' && s.p[i] <= 'z')
        i++;
    return str_starts(s, STR("[:")) && str_starts(str_from(s, i), STR(":]")) ? i + 2 : 0;
}

size_t pattern_bracket_length(struct str s)
{
    size_t i = 1;
    i += i < s.n && s.p[i] == '^';
    i += i < s.n && s.p[i] == ']';
    while (i < s.n && s.p[i] != ']') {
        size_t n = class_length(str_from(s, i));
        i += n ? n : s.p[i] == '\\' ? 2 : 1;
    }
    return i < s.n ? i + 1 : s.n;
}

/* Length of the duplication symbol that s starts with: "*", "+", "?", "{2,3}"; else 0. */
static size_t repeat_length(struct str s)
{
    if (s.n && (s.p[0] == '*' || s.p[0] == '+' || s.p[0] == '?'))
        return 1;
    size_t i = 1;
    while (s.n && s.p[0] == '{' && i < s.n && (s.p[i] == ',' || (s.p[i] >= '0' && s.p[i] <= '9')))
        i++;
    return i > 1 && i < s.n && s.p[i] == '}' && s.p[1] != ',' ? i + 1 : 0;
}

struct survey {
    bool alternatives;     /* a '|' outside all parentheses and brackets */
    bool adjacent_repeats; /* "a**": undefined by IEEE 1003.2, so refused */
};

static struct survey survey(struct str s)
{
    struct survey out = {false, false};
    size_t depth = 0, i = 0;
    while (i < s.n) {
        char c = s.p[i];
        size_t n = repeat_length(str_from(s, i));
        if (n) {
            out.adjacent_repeats |= repeat_length(str_from(s, i + n)) > 0;
        } else if (c == '[') {
            n = pattern_bracket_length(str_from(s, i));
        } else {
            n = c == '\\' ? 2 : 1;
            depth += c == '(';
            depth -= c == ')' && depth > 0;
            out.alternatives |= c == '|' && depth == 0;
        }
        i += n;
    }
    return out;
}

/* Literals between '^' and the first character that is special; the last of them goes when it may
 * be left out. */
static size_t find_prefix(struct str s, char *out)
{
    if (s.n == 0 || s.p[0] != '^' || survey(s).alternatives)
        return 0;
    size_t n = 0, last = 0, i = 1;
    while (i < s.n) {
        size_t from = i;
        if (s.p[i] == '\\' && i + 1 < s.n && is_special(s.p[i + 1]))
            from = i + 1;
        else if (is_special(s.p[i]))
            break;
        size_t length = utf8_length(str_from(s, from));
        if (length == 0)
            break;
        last = n;
        memcpy(out + n, s.p + from, length);
        n += length;
        i = from + length;
    }
    return i < s.n && strchr("*?{", s.p[i]) ? last : n;
}

enum status pattern_new(const char *what, struct str text, size_t bytes_max, struct pattern **out,
                        struct why *why)
{
    if (text.n == 0)
        return why_set(why, E_BAD_DATA, NULL, "%s: expected a regular expression", what);
    if (text.n > bytes_max)
        return why_limit(why, E_TOO_COMPLEX, NULL, "limits.pattern_bytes",
                         "%s: a regular expression has at most %zu bytes", what, bytes_max);
    if (!utf8_valid(text) || memchr(text.p, 0, text.n))
        return why_set(why, E_BAD_DATA, NULL, "%s: the regular expression is no UTF-8 text", what);
    if (survey(text).adjacent_repeats)
        return why_set(why, E_BAD_DATA, NULL,
                       "%s: no regular expression by IEEE 1003.2: one "
                       "repetition follows another, as in \"**\"",
                       what);
    char error[160];
    struct pattern_re2 *compiled;
    switch (pattern_re2_new(text, &compiled, error, sizeof error)) {
    case PATTERN_BROKEN:
        return why_set(why, E_BAD_DATA, NULL, "%s: no regular expression by IEEE 1003.2: %s", what,
                       error);
    case PATTERN_LARGE:
        return why_set(why, E_TOO_COMPLEX, NULL, "%s: the regular expression is too large: %s",
                       what, error);
    case PATTERN_OK:
        break;
    }
    struct pattern *p = mem_alloc(sizeof *p + 2 * text.n);
    p->compiled = compiled;
    memcpy(p->bytes, text.p, text.n);
    p->text = (struct str){p->bytes, text.n};
    p->prefix = (struct str){p->bytes + text.n, find_prefix(text, p->bytes + text.n)};
    *out = p;
    return OK;
}

void pattern_free(struct pattern *p)
{
    if (!p)
        return;
    pattern_re2_free(p->compiled);
    free(p);
}

bool pattern_match(const struct pattern *p, struct str text)
{
    return pattern_re2_find(p->compiled, text);
}

struct str pattern_prefix(const struct pattern *p)
{
    return p->prefix;
}

struct str pattern_text(const struct pattern *p)
{
    return p->text;
}
