/* A line-minded reader: a cursor over the text, one function a construct, each of
 * which stops at the first byte it does not own. */
#include "base/config_toml.h"

#include "base/utf8.h"

enum { ENTRIES_MAX = 1000, STRINGS_MAX = 10000 };

struct reader {
    struct arena *arena;
    const char *name;
    struct str text;
    size_t at, line;
    struct why *why;
    struct str section;
    struct str *sections; /* seen so far */
    size_t sections_n;
    struct toml *out;
};

static int peek(const struct reader *r)
{
    return r->at < r->text.n ? (unsigned char)r->text.p[r->at] : -1;
}

static struct str rest(const struct reader *r)
{
    return str_from(r->text, r->at);
}

/* Room for one more behind n elements; doubles at powers of two. */
static void *make_room(struct reader *r, void *old, size_t n, size_t element)
{
    if (n & (n - 1))
        return old;
    return arena_grow(r->arena, old, n * element, (n ? 2 * n : 1) * element);
}

static bool take(struct reader *r, char c)
{
    if (peek(r) != (unsigned char)c)
        return false;
    r->at++;
    return true;
}

static bool refuse_at(struct reader *r, size_t line, const char *reason)
{
    why_set(r->why, E_BAD_DATA, NULL, "%s:%zu: %s", r->name, line, reason);
    return false;
}

static bool refuse(struct reader *r, const char *reason)
{
    return refuse_at(r, r->line, reason);
}

static void skip_blanks(struct reader *r)
{
    while (peek(r) == ' ' || peek(r) == '\t')
        r->at++;
}

/* A comment, if one starts here, up to the line's end. */
static bool skip_comment(struct reader *r)
{
    skip_blanks(r);
    if (peek(r) != '#')
        return true;
    for (int c; (c = peek(r)) >= 0 && c != '\n'; r->at++)
        if ((c < ' ' && c != '\t' && c != '\r') || c == 0x7F)
            return refuse(r, "control character in a comment");
    return true;
}

static bool at_line_end(const struct reader *r)
{
    return peek(r) < 0 || peek(r) == '\n' || str_starts(rest(r), STR("\r\n"));
}

static void next_line(struct reader *r)
{
    take(r, '\r');
    if (take(r, '\n'))
        r->line++;
}

static bool end_line(struct reader *r)
{
    if (!skip_comment(r))
        return false;
    if (!at_line_end(r))
        return refuse(r, "unexpected text behind the value");
    next_line(r);
    return true;
}

static bool is_key_char(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

static bool read_bare(struct reader *r, struct str *out)
{
    size_t from = r->at;
    if (peek(r) == '"' || peek(r) == '\'')
        return refuse(r, "quoted keys are not supported: names are bare");
    while (is_key_char(peek(r)))
        r->at++;
    if (r->at == from)
        return refuse(r, "expected a key or a [table]");
    *out = (struct str){r->text.p + from, r->at - from};
    skip_blanks(r);
    if (peek(r) == '.')
        return refuse(r, "dotted names are not supported: use a [table]");
    return true;
}

static bool read_table(struct reader *r)
{
    r->at++;
    if (peek(r) == '[')
        return refuse(r, "arrays of tables are not supported");
    skip_blanks(r);
    if (!read_bare(r, &r->section))
        return false;
    if (!take(r, ']'))
        return refuse(r, "expected ']'");
    for (size_t i = 0; i < r->sections_n; i++)
        if (str_eq(r->sections[i], r->section))
            return refuse(r, "this table was given before");
    if (r->sections_n == ENTRIES_MAX)
        return refuse(r, "too many tables");
    r->sections = make_room(r, r->sections, r->sections_n, sizeof *r->sections);
    r->sections[r->sections_n++] = r->section;
    return true;
}

static int hex_digit(int c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The digits behind \u or \U, written to *to as UTF-8. */
static bool read_code_point(struct reader *r, int digits, char **to)
{
    uint32_t c = 0;
    for (int i = 0; i < digits; i++) {
        int digit = hex_digit(peek(r));
        if (digit < 0)
            return refuse(r, "expected hexadecimal digits in an escape");
        c = c << 4 | (uint32_t)digit;
        r->at++;
    }
    if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return refuse(r, "an escape names no character");
    *to += utf8_encode(c, *to);
    return true;
}

static bool read_escape(struct reader *r, char **to)
{
    static const char FROM[] = "btnfr\"\\", INTO[] = "\b\t\n\f\r\"\\";
    int c = peek(r);
    r->at++;
    if (c == 'u' || c == 'U')
        return read_code_point(r, c == 'u' ? 4 : 8, to);
    const char *hit = c > 0 ? strchr(FROM, c) : NULL;
    if (!hit)
        return refuse(r, "unknown escape in a string");
    *(*to)++ = INTO[hit - FROM];
    return true;
}

static bool read_string(struct reader *r, struct str *out)
{
    char quote = r->text.p[r->at++];
    const char triple[] = {quote, quote};
    if (str_starts(rest(r), (struct str){triple, 2}))
        return refuse(r, "multi-line strings are not supported");
    size_t end = str_find_char(rest(r), '\n'); /* no string is longer than its line */
    size_t room = end == STR_NPOS ? rest(r).n : end;
    char *to = arena_alloc(r->arena, room + 1), *from = to;
    for (;;) {
        int c = peek(r);
        size_t n = utf8_length(rest(r));
        if (c < 0 || c == '\n')
            return refuse(r, "the string is not closed on its line");
        if ((c < ' ' && c != '\t') || c == 0x7F)
            return refuse(r, "control character in a string");
        if (n == 0)
            return refuse(r, "invalid UTF-8");
        if (take(r, quote))
            break;
        if (c == '\\' && quote == '"') {
            r->at++;
            if (!read_escape(r, &to))
                return false;
            continue;
        }
        memcpy(to, r->text.p + r->at, n);
        to += n;
        r->at += n;
    }
    *to = 0;
    *out = (struct str){from, (size_t)(to - from)};
    return true;
}

/* Blanks, comments and line ends between the elements of an array. */
static bool skip_between(struct reader *r)
{
    for (;;) {
        if (!skip_comment(r))
            return false;
        if (!at_line_end(r) || peek(r) < 0)
            return true;
        next_line(r);
    }
}

static bool read_array(struct reader *r, struct toml_value *out)
{
    struct str *strings = NULL;
    size_t n = 0, start = r->line;
    r->at++;
    for (;;) {
        if (!skip_between(r))
            return false;
        if (take(r, ']'))
            break;
        if (peek(r) < 0)
            return refuse_at(r, start, "the array that starts here is not closed");
        if (peek(r) != '"' && peek(r) != '\'')
            return refuse(r, "arrays hold strings only");
        if (n == STRINGS_MAX)
            return refuse(r, "the array is too long");
        struct str s;
        if (!read_string(r, &s))
            return false;
        strings = make_room(r, strings, n, sizeof s);
        strings[n++] = s;
        if (!skip_between(r))
            return false;
        if (!take(r, ',') && peek(r) != ']')
            return refuse(r, "expected ',' or ']'");
    }
    *out = (struct toml_value){.kind = TOML_STRINGS, .strings = strings, .strings_n = n};
    return true;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

/* [+-]digits, '_' allowed between two digits, no leading zero. */
static bool read_integer(struct reader *r, struct toml_value *out)
{
    bool negative = peek(r) == '-';
    if (negative || peek(r) == '+')
        r->at++;
    size_t from = r->at;
    int64_t v = 0;
    for (; is_digit(peek(r)) || peek(r) == '_'; r->at++) {
        if (peek(r) == '_') {
            if (r->at == from || r->text.p[r->at - 1] == '_' || r->at + 1 >= r->text.n ||
                !is_digit(r->text.p[r->at + 1]))
                return refuse(r, "'_' stands between two digits only");
            continue;
        }
        int digit = peek(r) - '0';
        if (__builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, negative ? -digit : digit, &v))
            return refuse(r, "the integer is too large");
    }
    if (r->at == from)
        return refuse(r, "expected digits");
    if (r->text.p[from] == '0' && r->at > from + 1)
        return refuse(r, "integers have no leading zeros");
    int c = peek(r);
    if (c == '.' || c == 'e' || c == 'E' || c == 'x' || c == 'o' || c == 'b')
        return refuse(r, "only decimal integers are supported; put quotes around anything else");
    if (c == '-' || c == ':')
        return refuse(r, "dates and times are not supported; put quotes around them");
    if (is_key_char(c))
        return refuse(r, "put quotes around a number with a unit");
    *out = (struct toml_value){.kind = TOML_INT, .integer = v};
    return true;
}

static bool read_boolean(struct reader *r, struct toml_value *out)
{
    bool yes = str_starts(rest(r), STR("true"));
    if (!yes && !str_starts(rest(r), STR("false")))
        return refuse(r, "expected a string in quotes, an integer, true, false or an array");
    r->at += yes ? 4 : 5;
    if (is_key_char(peek(r)))
        return refuse(r, "expected true or false; put quotes around a string");
    *out = (struct toml_value){.kind = TOML_BOOL, .boolean = yes};
    return true;
}

static bool read_value(struct reader *r, struct toml_value *out)
{
    int c = peek(r);
    if (c == '"' || c == '\'') {
        out->kind = TOML_STRING;
        return read_string(r, &out->string);
    }
    if (c == '[')
        return read_array(r, out);
    if (c == '{')
        return refuse(r, "inline tables are not supported: use a [table]");
    if (is_digit(c) || c == '-' || c == '+')
        return read_integer(r, out);
    return read_boolean(r, out);
}

static bool read_entry(struct reader *r)
{
    struct toml_entry e = {.section = r->section, .line = r->line};
    if (!read_bare(r, &e.key))
        return false;
    if (!take(r, '='))
        return refuse(r, "expected '=' behind the key");
    skip_blanks(r);
    if (!read_value(r, &e.value))
        return false;
    for (size_t i = 0; i < r->out->n; i++)
        if (str_eq(r->out->entries[i].section, e.section) && str_eq(r->out->entries[i].key, e.key))
            return refuse_at(r, e.line, "this key was given before");
    if (r->out->n == ENTRIES_MAX)
        return refuse(r, "too many keys");
    r->out->entries = make_room(r, r->out->entries, r->out->n, sizeof e);
    r->out->entries[r->out->n++] = e;
    return true;
}

static bool read_line(struct reader *r)
{
    skip_blanks(r);
    if (peek(r) == '[')
        return read_table(r) && end_line(r);
    if (peek(r) != '#' && !at_line_end(r) && !read_entry(r))
        return false;
    return end_line(r);
}

enum status toml_read(struct arena *a, const char *name, struct str text, struct toml *out,
                      struct why *why)
{
    struct reader r = {.arena = a, .name = name, .text = text, .line = 1, .why = why, .out = out};
    *out = (struct toml){NULL, 0};
    r.section = STR("");
    while (r.at < text.n)
        if (!read_line(&r))
            return E_BAD_DATA;
    return OK;
}
