/* Values in queries, by the rules Number, quotedStr, dateTime, date, time, OtherValue,
 * URI and RegExp of clause 4.9. What stands unquoted ends at a delimiter, so a URI with
 * ';', '|', ',', ')' or '..' behind a number must be quoted. */
#include "model/filter_operand.h"

#include "base/json.h"
#include "base/number.h"
#include "base/time.h"
#include "model/iri_text.h"
#include "model/pattern.h"

#include <math.h>

static enum status read_quoted(struct filter_text *t, struct str *out)
{
    struct str rest = filter_text_rest(t);
    size_t n = 1;
    while (n < rest.n && rest.p[n] != '"')
        n += rest.p[n] == '\\' ? 2 : 1;
    if (n >= rest.n)
        return filter_text_fault(t, "this string has no closing '\"'");
    struct json_limits limits = {1, n + 1};
    struct json v;
    if (json_read(t->reader->arena, str_head(rest, n + 1), &limits, &v, NULL) != OK ||
        v.kind != JSON_STRING)
        return filter_text_fault(t, "expected a JSON string (RFC 8259)");
    *out = v.string;
    t->at += n + 1;
    return OK;
}

static bool is_delimiter(char c)
{
    return strchr(";|,) \t", c) != NULL;
}

/* Kinds that '<' takes too. */
static bool read_comparable(struct str word, struct operand *out)
{
    if (number_parse(word, &out->number) && isfinite(out->number))
        out->kind = OPERAND_NUMBER;
    else if (time_parse(word, &out->us))
        out->kind = OPERAND_DATETIME;
    else if (time_parse_date(word, &out->us))
        out->kind = OPERAND_DATE;
    else if (time_parse_clock(word, &out->us))
        out->kind = OPERAND_TIME;
    else
        return false;
    return true;
}

/* A URI, or a word as "gender==Male" has it (example 12). */
static bool is_bare_word(struct str word)
{
    for (size_t i = 0; i < word.n; i++)
        if ((unsigned char)word.p[i] < 0x20 || strchr("\"<>\\^`{}(", word.p[i]))
            return false;
    return word.n > 0 && word.p[0] != '=' && word.p[0] != '.' &&
           str_find(word, STR("==")) == STR_NPOS;
}

static size_t until_delimiter(struct str s, size_t from)
{
    while (from < s.n && !is_delimiter(s.p[from]))
        from++;
    return from;
}

/* Up to a delimiter; the comma in "12:00:00,5Z" (clause 4.6.3) is none. */
static struct str next_word(struct str rest)
{
    size_t n = until_delimiter(rest, 0);
    if (n < rest.n && rest.p[n] == ',') {
        struct str longer = str_head(rest, until_delimiter(rest, n + 1));
        struct str time = str_head(longer, str_find(longer, STR("..")));
        int64_t us;
        if (time.n > n && (time_parse(time, &us) || time_parse_clock(time, &us)))
            n = time.n;
    }
    return str_head(rest, n);
}

static enum status read_word(struct filter_text *t, const char *after, bool comparable,
                             struct operand *out)
{
    struct str word = next_word(filter_text_rest(t));
    size_t dots = str_find(word, STR(".."));
    out->text = arena_dup(t->reader->arena, word);
    if (dots != STR_NPOS && read_comparable(str_head(word, dots), out)) {
        out->text = str_head(out->text, dots);
    } else if (!read_comparable(word, out)) {
        if (comparable)
            return filter_text_fault(
                t, "expected a number, a quoted string, a date or a time after '%s'", after);
        if (!is_bare_word(word))
            return filter_text_fault(t, "expected a value after '%s'", after);
        out->boolean = str_eq(word, STR("true"));
        out->kind = out->boolean || str_eq(word, STR("false")) ? OPERAND_BOOL : OPERAND_STRING;
    }
    t->at += out->text.n;
    return OK;
}

enum status filter_operand_read(struct filter_text *t, const char *after, bool comparable,
                                struct operand *out)
{
    *out = (struct operand){.kind = OPERAND_STRING, .us = TIME_NONE};
    filter_text_skip_spaces(t);
    size_t stored = iri_text_length(filter_text_rest(t));
    enum status st = OK;
    if (stored) {
        out->text = iri_text_inner(str_head(filter_text_rest(t), stored));
        out->text = arena_dup(t->reader->arena, out->text);
        t->at += stored;
    } else {
        st = filter_text_is(t, '"') ? read_quoted(t, &out->text)
                                    : read_word(t, after, comparable, out);
    }
    if (st == OK && out->kind == OPERAND_STRING && !time_parse(out->text, &out->us))
        out->us = TIME_NONE;
    filter_text_skip_spaces(t);
    return st;
}

enum status filter_operand_pattern(struct filter_text *t, struct str *out)
{
    filter_text_skip_spaces(t);
    struct str rest = filter_text_rest(t);
    size_t n = 0, depth = 0;
    enum status st = OK;
    if (filter_text_is(t, '"')) {
        st = read_quoted(t, out);
    } else {
        while (n < rest.n) {
            char c = rest.p[n];
            if (depth == 0 && (c == ';' || c == '|' || c == ')'))
                break;
            depth += c == '(';
            depth -= c == ')';
            n += c == '\\' ? 2 : c == '[' ? pattern_bracket_length(str_from(rest, n)) : 1;
        }
        *out = arena_dup(t->reader->arena, str_trim(str_head(rest, n)));
        t->at += str_head(rest, n).n;
    }
    filter_text_skip_spaces(t);
    return st == OK && out->n == 0 ? filter_text_fault(t, "expected a regular expression") : st;
}
