/* A cursor over minified JSON. Only strings and brackets are looked at: commas and
 * colons follow from them. */
#include "base/json_scan.h"

#include "base/utf8.h"

enum json_kind json_scan_kind(struct str value)
{
    switch (value.n ? value.p[0] : 0) {
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case '"':
        return JSON_STRING;
    case 't':
    case 'f':
        return JSON_BOOL;
    case 'n':
    case 0:
        return JSON_NULL;
    default:
        return JSON_REAL;
    }
}

/* Length of the string that s starts with, with both quotes; the rest when it has no end. */
static size_t string_length(struct str s)
{
    const char *p = s.p + 1, *end = s.p + s.n;
    while (p < end) {
        const char *quote = memchr(p, '"', (size_t)(end - p));
        if (!quote)
            return s.n;
        const char *escape = quote;
        while (escape > p && escape[-1] == '\\')
            escape--;
        p = quote + 1;
        if ((quote - escape) % 2 == 0)
            return (size_t)(p - s.p);
    }
    return s.n;
}

/* Length of the value that s starts with. */
static size_t value_length(struct str s)
{
    size_t depth = 0, i = 0;
    while (i < s.n) {
        char c = s.p[i];
        if (c == '"') {
            i += string_length(str_from(s, i));
            if (depth == 0)
                return i;
            continue;
        }
        if (depth == 0 && (c == ',' || c == ']' || c == '}'))
            return i;
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        i++;
        if (depth == 0 && (c == '}' || c == ']'))
            return i;
    }
    return i;
}

struct str json_scan_inside(struct str value)
{
    if (value.n < 2 || (value.p[0] != '[' && value.p[0] != '{'))
        return STR("");
    return (struct str){value.p + 1, value.n - 2};
}

bool json_scan_element(struct str *rest, struct str *element)
{
    if (rest->n == 0)
        return false;
    *element = str_head(*rest, value_length(*rest));
    *rest = str_from(*rest, element->n + 1);
    return true;
}

bool json_scan_member(struct str *rest, struct str *key, struct str *value)
{
    if (rest->n == 0 || rest->p[0] != '"')
        return false;
    *key = str_head(*rest, string_length(*rest));
    *rest = str_from(*rest, key->n + 1);
    *value = str_head(*rest, value_length(*rest));
    *rest = str_from(*rest, value->n + 1);
    return true;
}

struct str json_scan_get(struct str object, struct str key)
{
    struct str found = STR_NONE, k, v;
    if (json_scan_kind(object) != JSON_OBJECT)
        return found;
    struct str rest = json_scan_inside(object);
    while (json_scan_member(&rest, &k, &v))
        if (json_scan_string_is(k, key))
            found = v;
    return found;
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The number of "\uXXXX" at the start of s; a lone half is U+FFFD. *taken: its length. */
static uint32_t unicode_escape(struct str s, size_t *taken)
{
    uint32_t unit[2] = {0xFFFD, 0};
    *taken = s.n < 6 ? s.n : 6;
    for (size_t k = 0; k < 2; k++) {
        struct str e = str_from(s, k * 6);
        if (e.n < 6 || e.p[0] != '\\' || e.p[1] != 'u')
            break;
        unit[k] = 0;
        for (size_t i = 2; i < 6; i++)
            unit[k] = unit[k] << 4 | (uint32_t)(hex(e.p[i]) & 15);
    }
    if (unit[0] >= 0xD800 && unit[0] < 0xDC00 && unit[1] >= 0xDC00 && unit[1] < 0xE000) {
        *taken = 12;
        return 0x10000 + ((unit[0] - 0xD800) << 10) + (unit[1] - 0xDC00);
    }
    return unit[0] >= 0xD800 && unit[0] < 0xE000 ? 0xFFFD : unit[0];
}

/* Writes what the escape at the start of s stands for, at most 4 bytes; *n of them. Returns its
 * length. */
static size_t unescape(struct str s, char out[4], size_t *n)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    *n = 1;
    if (s.n < 2) {
        out[0] = '\\';
        return s.n;
    }
    const char *hit = memchr(from, s.p[1], sizeof from - 1);
    if (s.p[1] == 'u') {
        size_t taken;
        *n = utf8_encode(unicode_escape(s, &taken), out);
        return taken;
    }
    out[0] = hit ? to[hit - from] : s.p[1];
    return 2;
}

static struct str without_quotes(struct str value)
{
    return value.n < 2 ? STR("") : (struct str){value.p + 1, value.n - 2};
}

struct str json_scan_string(struct str value, struct arena *a)
{
    struct str raw = without_quotes(value);
    if (str_find_char(raw, '\\') == STR_NPOS)
        return raw;
    char *out = arena_alloc(a, raw.n + 4); /* nothing grows but a broken escape at the end */
    size_t n = 0;
    while (raw.n) {
        size_t plain = str_find_char(raw, '\\'), made = 0;
        plain = plain == STR_NPOS ? raw.n : plain;
        memcpy(out + n, raw.p, plain);
        n += plain;
        raw = str_from(raw, plain);
        if (raw.n) {
            raw = str_from(raw, unescape(raw, out + n, &made));
            n += made;
        }
    }
    return (struct str){out, n};
}

bool json_scan_string_is(struct str value, struct str text)
{
    struct str raw = without_quotes(value);
    if (str_find_char(raw, '\\') == STR_NPOS)
        return str_eq(raw, text);
    while (raw.n) {
        char bytes[4];
        size_t made = 1, taken = 1;
        if (raw.p[0] == '\\')
            taken = unescape(raw, bytes, &made);
        else
            bytes[0] = raw.p[0];
        if (!str_starts(text, (struct str){bytes, made}))
            return false;
        text = str_from(text, made);
        raw = str_from(raw, taken);
    }
    return text.n == 0;
}
