/* The language filter (clause 4.15): language ranges with quality values (RFC 3282,
 * as in Accept-Language) against the tags of a languageMap, which stands in its
 * stored form: minified JSON whose keys were checked to be tags. */
#include "model/represent_int.h"

/* ---- the map ---- */

/* Length of the JSON string at the start of s, with its quotes. */
static size_t string_length(struct str s)
{
    for (size_t i = 1; i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == '"')
            return i + 1;
    }
    return s.n;
}

/* Length of a string or an array of strings. */
static size_t value_length(struct str s)
{
    if (s.n == 0 || s.p[0] == '"')
        return string_length(s);
    size_t i = 0;
    while (i < s.n && s.p[i] != ']')
        i += s.p[i] == '"' ? string_length(str_from(s, i)) : 1;
    return i < s.n ? i + 1 : s.n;
}

/* Takes one entry off *rest, which begins at '{' or ','. */
static bool next_entry(struct str *rest, struct str *tag, struct str *text)
{
    if (rest->n < 2 || rest->p[0] == '}' || rest->p[1] != '"')
        return false;
    struct str s = str_from(*rest, 1);
    size_t n = string_length(s);
    *tag = str_head(str_from(s, 1), n - 2);
    s = str_from(s, n + 1);
    n = value_length(s);
    *text = str_head(s, n);
    *rest = str_from(s, n);
    return true;
}

/* ---- ranges ---- */

/* "0.8" as 800; 1000 when it is no quality value. */
static unsigned quality(struct str s)
{
    unsigned q = 0, digits = 0;
    if (s.n == 0 || s.n > 5 || (s.p[0] != '0' && s.p[0] != '1') || (s.n > 1 && s.p[1] != '.'))
        return 1000;
    q = (unsigned)(s.p[0] - '0');
    for (size_t i = 2; i < s.n; i++, digits++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return 1000;
        q = q * 10 + (unsigned)(s.p[i] - '0');
    }
    for (; digits < 3; digits++)
        q *= 10;
    return q > 1000 ? 1000 : q;
}

/* Takes "fr-CH;q=0.9" off *rest. */
static bool next_range(struct str *rest, struct str *range, unsigned *q)
{
    struct str part;
    if (!str_split(rest, ',', &part))
        return false;
    size_t semicolon = str_find_char(part, ';');
    *range = str_trim(str_head(part, semicolon));
    *q = 1000;
    if (semicolon != STR_NPOS) {
        struct str parameter = str_trim(str_from(part, semicolon + 1));
        if (str_starts(parameter, STR("q=")))
            *q = quality(str_trim(str_from(parameter, 2)));
    }
    return true;
}

/* How well tag answers to range, 0 for not at all: the same; a longer tag ("en-US" for "en");
 * a shorter tag ("nl" for "nl-BE", RFC 4647 section 3.4), the longer the better; anything for "*".
 */
static unsigned fit(struct str tag, struct str range)
{
    enum { SAME = 1000, LONGER = 999 };
    if (str_eq_fold(tag, range))
        return SAME;
    if (tag.n > range.n && tag.p[range.n] == '-' && str_eq_fold(str_head(tag, range.n), range))
        return LONGER;
    if (range.n > tag.n && range.p[tag.n] == '-' && str_eq_fold(str_head(range, tag.n), tag))
        return tag.n < LONGER - 2 ? 1 + (unsigned)tag.n : LONGER - 1;
    return str_eq(range, STR("*")) ? 1 : 0;
}

bool represent_language(struct str map, struct str wanted, struct str *tag, struct str *text)
{
    struct str t, x, entries = map, range, ranges = wanted;
    unsigned best_q = 0, best_fit = 0, q;
    bool found = false;
    while (next_range(&ranges, &range, &q)) {
        for (entries = map; q > 0 && next_entry(&entries, &t, &x);) {
            unsigned f = fit(t, range);
            if (f == 0 || q < best_q || (q == best_q && (found && f <= best_fit)))
                continue;
            *tag = t;
            *text = x;
            best_q = q;
            best_fit = f;
            found = true;
        }
    }
    if (found)
        return true;
    for (entries = map; next_entry(&entries, &t, &x);) { /* any: the default, else the first */
        if (!found || str_eq(t, STR("@none"))) {
            *tag = t;
            *text = x;
        }
        found = true;
    }
    return found;
}
