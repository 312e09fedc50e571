/* A scalar walk over RFC 8259's grammar with a bit a level (object or array), so
 * that depth costs neither stack nor trust. Every step either advances or names
 * the fault; the first one wins. */
#include "base/json_locate.h"

#include "base/arena.h"
#include "base/number.h"
#include "base/utf8.h"

#include <stdlib.h>

struct locate {
    struct str text;
    size_t at;
    uint8_t *objects; /* bit per open level: 1 when it is an object */
    uint32_t depth, depth_max;
    enum json_fault fault;
    const char *expected;
};

static bool fail(struct locate *l, enum json_fault fault, const char *expected)
{
    l->fault = fault;
    l->expected = expected;
    return false;
}

static bool at_end(const struct locate *l)
{
    return l->at == l->text.n;
}

static int peek(const struct locate *l)
{
    return at_end(l) ? -1 : (unsigned char)l->text.p[l->at];
}

static void skip_space(struct locate *l)
{
    int c;
    while ((c = peek(l)) == ' ' || c == '\t' || c == '\n' || c == '\r')
        l->at++;
}

/* The four digits behind "\u"; -1 when they are not there. */
static int hex4(struct str s)
{
    int v = 0;
    if (s.n < 4)
        return -1;
    for (size_t i = 0; i < 4; i++) {
        char c = s.p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        v = v * 16 + digit;
    }
    return v;
}

static bool walk_unicode(struct locate *l)
{
    int unit = hex4(str_from(l->text, l->at + 2));
    if (unit < 0)
        return fail(l, JSON_FAULT_SYNTAX, "expected four hexadecimal digits behind \\u");
    if (unit < 0xD800 || unit > 0xDFFF) {
        l->at += 6;
        return true;
    }
    struct str pair = str_from(l->text, l->at + 6);
    int low = unit < 0xDC00 && str_starts(pair, STR("\\u")) ? hex4(str_from(pair, 2)) : -1;
    if (low < 0xDC00 || low > 0xDFFF)
        return fail(l, JSON_FAULT_SYNTAX, "half of a surrogate pair");
    l->at += 12;
    return true;
}

static bool walk_escape(struct locate *l)
{
    char c = l->at + 1 < l->text.n ? l->text.p[l->at + 1] : 0;
    if (c == 'u')
        return walk_unicode(l);
    if (c == 0 || !strchr("\"\\/bfnrt", c))
        return fail(l, JSON_FAULT_SYNTAX, "unknown escape in a string");
    l->at += 2;
    return true;
}

static bool walk_string(struct locate *l)
{
    size_t start = l->at++;
    for (;;) {
        int c = peek(l);
        if (c == '"') {
            l->at++;
            return true;
        }
        if (c < 0) {
            l->at = start;
            return fail(l, JSON_FAULT_SYNTAX, "the string that starts here is not closed");
        }
        if (c < 0x20)
            return fail(l, JSON_FAULT_SYNTAX, "unescaped control character in a string");
        if (c == '\\') {
            if (!walk_escape(l))
                return false;
            continue;
        }
        size_t n = utf8_length(str_from(l->text, l->at));
        if (n == 0)
            return fail(l, JSON_FAULT_UTF8, "invalid UTF-8");
        l->at += n;
    }
}

static bool walk_number(struct locate *l)
{
    struct str rest = str_from(l->text, l->at);
    size_t n = number_length(rest);
    double d;
    if (n && !number_parse(str_head(rest, n), &d))
        return fail(l, JSON_FAULT_NUMBER, "a number beyond the range of a double");
    if (n && (n == rest.n || !strchr("0123456789.eE+-", rest.p[n]) || rest.p[n] == 0)) {
        l->at += n;
        return true;
    }
    return fail(l, JSON_FAULT_SYNTAX, "malformed number");
}

static bool walk_word(struct locate *l, struct str word)
{
    if (!str_starts(str_from(l->text, l->at), word))
        return fail(l, JSON_FAULT_SYNTAX, "expected a value");
    l->at += word.n;
    return true;
}

static bool open_level(struct locate *l, bool object)
{
    if (l->depth == l->depth_max)
        return fail(l, JSON_FAULT_DEPTH, "nested too deeply");
    uint8_t bit = (uint8_t)(1u << (l->depth % 8));
    uint8_t *byte = &l->objects[l->depth / 8];
    *byte = (uint8_t)(object ? *byte | bit : *byte & ~bit);
    l->depth++;
    l->at++;
    return true;
}

static bool in_object(const struct locate *l)
{
    uint32_t level = l->depth - 1;
    return l->objects[level / 8] >> (level % 8) & 1;
}

static bool walk_key(struct locate *l, const char *expected)
{
    if (peek(l) != '"')
        return fail(l, JSON_FAULT_SYNTAX, expected);
    if (!walk_string(l))
        return false;
    skip_space(l);
    if (peek(l) != ':')
        return fail(l, JSON_FAULT_SYNTAX, "expected ':'");
    l->at++;
    return true;
}

/* A value, or the opening of one; *complete tells which. */
static bool walk_value(struct locate *l, const char *expected, bool *complete)
{
    int c = peek(l);
    *complete = true;
    if (c == '{' || c == '[') {
        if (!open_level(l, c == '{'))
            return false;
        skip_space(l);
        *complete = peek(l) == (c == '{' ? '}' : ']');
        if (*complete) {
            l->at++;
            l->depth--;
        } else if (c == '{') {
            return walk_key(l, "expected a member name in quotes or '}'");
        }
        return true;
    }
    if (c == '"')
        return walk_string(l);
    if (c == '-' || (c >= '0' && c <= '9'))
        return walk_number(l);
    if (c == 't' || c == 'f' || c == 'n')
        return walk_word(l, c == 't' ? STR("true") : c == 'f' ? STR("false") : STR("null"));
    if (c >= 0x80 && utf8_length(str_from(l->text, l->at)) == 0)
        return fail(l, JSON_FAULT_UTF8, "invalid UTF-8");
    return fail(l, JSON_FAULT_SYNTAX, expected);
}

/* Behind a complete value: closes levels, and stops before the next value. */
static bool walk_between(struct locate *l)
{
    for (; l->depth; l->depth--) {
        skip_space(l);
        bool object = in_object(l);
        int c = peek(l);
        if (c == ',') {
            l->at++;
            skip_space(l);
            return !object || walk_key(l, "expected a member name in quotes");
        }
        if (c != (object ? '}' : ']'))
            return fail(l, JSON_FAULT_SYNTAX,
                        object ? "expected ',' or '}'" : "expected ',' or ']'");
        l->at++;
    }
    return true;
}

static bool walk_document(struct locate *l)
{
    const char *expected = "expected a value";
    bool complete;
    skip_space(l);
    if (at_end(l))
        return fail(l, JSON_FAULT_EMPTY, "the body is empty");
    if (str_starts(l->text, STR("\xEF\xBB\xBF")))
        return fail(l, JSON_FAULT_SYNTAX, "unexpected byte order mark");
    do {
        skip_space(l);
        if (!walk_value(l, expected, &complete))
            return false;
        expected =
            l->depth && !complete && !in_object(l) ? "expected a value or ']'" : "expected a value";
        if (complete && !walk_between(l))
            return false;
    } while (l->depth);
    skip_space(l);
    return at_end(l) || fail(l, JSON_FAULT_SYNTAX, "unexpected text behind the JSON value");
}

struct json_place json_locate(struct str text, uint32_t depth_max)
{
    struct locate l = {.text = text, .depth_max = depth_max};
    l.objects = mem_zalloc(depth_max / 8 + 1);
    walk_document(&l);
    free(l.objects);
    struct json_place place = {l.fault, l.at, 1, 1, l.expected};
    for (size_t i = 0; i < l.at; i++) {
        if (text.p[i] == '\n') {
            place.line++;
            place.column = 1;
        } else if (((unsigned char)text.p[i] & 0xC0) != 0x80) {
            place.column++;
        }
    }
    return place;
}
