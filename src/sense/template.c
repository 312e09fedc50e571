/* Why: ids must be stable, so that a second import of the same file updates instead of doubling;
 * they are composed from the columns that identify a row. Start at template_fill(). */
#include "sense/template.h"

#define TEMPLATE_PARTS_MAX 64
#define TEMPLATE_WIDTH_MAX 20

static enum status template_hole(struct template_part *part, struct str hole,
                                 struct field_names *names, struct arena *a, const struct at *at,
                                 struct why *why)
{
    size_t colon = str_find_char(hole, ':');
    struct str name = colon == STR_NPOS ? hole : str_head(hole, colon);
    *part = (struct template_part){.kind = TEMPLATE_FIELD, .text = arena_dup(a, name)};
    if (colon != STR_NPOS) {
        unsigned long long width = 0;
        struct str digits = str_from(hole, colon + 1);
        if (digits.n < 2 || digits.p[0] != '0' || !str_to_u64(digits, TEMPLATE_WIDTH_MAX, &width))
            return why_set(why, E_BAD_DATA, at, "{%.*s}: a width is written as 02 … 0%d",
                           STR_ARG(hole), TEMPLATE_WIDTH_MAX);
        part->width = (uint8_t)width;
    }
    if (name.n == 0)
        return why_set(why, E_BAD_DATA, at, "empty braces");
    if (name.p[0] != '@') {
        part->index = field_intern(names, a, name);
        if (part->index == FIELD_NONE)
            return why_set(why, E_BAD_DATA, at, "more than %d columns are used", FIELD_COUNT_MAX);
        return OK;
    }
    enum field_fact fact = field_fact_find(str_from(name, 1));
    if (fact == FACT_COUNT)
        return why_set(why, E_BAD_DATA, at,
                       "{%.*s} is not known: use @file, @line, @record, @part, @digest or @id",
                       STR_ARG(name));
    part->kind = TEMPLATE_FACT;
    part->index = (uint32_t)fact;
    return OK;
}

/* Unescapes {{ and }} up to the next hole; *i moves to it. */
static enum status template_literal(struct str text, size_t *i, struct template_part *part,
                                    struct arena *a, const struct at *at, struct why *why)
{
    char *out = arena_alloc(a, text.n - *i + 1);
    size_t n = 0;
    for (; *i < text.n; ++*i) {
        char c = text.p[*i];
        bool twice = *i + 1 < text.n && text.p[*i + 1] == c;
        if (c == '}' && !twice)
            return why_set(why, E_BAD_DATA, at, "} without { at position %zu", *i + 1);
        if (c == '{' && !twice)
            break;
        if (c == '{' || c == '}')
            ++*i;
        out[n++] = c;
    }
    *part = (struct template_part){.kind = TEMPLATE_LITERAL, .text = {out, n}};
    return OK;
}

enum status template_read(struct template *out, struct str text, struct field_names *names,
                          struct arena *a, const struct at *at, struct why *why)
{
    struct template_part *parts = arena_array(a, struct template_part, TEMPLATE_PARTS_MAX);
    uint32_t n = 0;
    for (size_t i = 0; i < text.n;) {
        if (n + 2 > TEMPLATE_PARTS_MAX)
            return why_set(why, E_BAD_DATA, at, "more than %d parts", TEMPLATE_PARTS_MAX);
        enum status st = template_literal(text, &i, &parts[n], a, at, why);
        if (st != OK)
            return st;
        n += parts[n].text.n > 0;
        if (i >= text.n)
            break;
        struct str hole = str_from(text, i + 1);
        size_t end = str_find_char(hole, '}');
        if (end == STR_NPOS)
            return why_set(why, E_BAD_DATA, at, "{ without } at position %zu", i + 1);
        st = template_hole(&parts[n++], str_head(hole, end), names, a, at, why);
        if (st != OK)
            return st;
        i += end + 2;
    }
    *out = (struct template){n, parts};
    return OK;
}

bool template_is_constant(const struct template *t)
{
    return t->count == 0 || (t->count == 1 && t->parts[0].kind == TEMPLATE_LITERAL);
}

bool template_put_value(struct buf *out, const struct json *v)
{
    switch ((enum json_kind)v->kind) {
    case JSON_STRING:
        buf_str(out, v->string);
        return true;
    case JSON_INT:
    case JSON_REAL:
    case JSON_BOOL:
        json_write(out, v);
        return true;
    case JSON_NULL:
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    return false;
}

/* Zeros before the digits that begin at `from`, a sign kept in front. */
static void template_pad(struct buf *out, size_t from, uint8_t width)
{
    size_t n = out->n - from;
    if (n >= width || !buf_reserve(out, width - n))
        return;
    size_t zeros = width - n;
    size_t sign = n > 0 && out->p[from] == '-' ? 1 : 0;
    memmove(out->p + from + sign + zeros, out->p + from + sign, n - sign);
    memset(out->p + from + sign, '0', zeros);
    out->n += zeros;
}

/* Percent-encodes what stands from `from` to the end, but unreserved characters. */
static void template_encode(struct buf *out, size_t from)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t extra = 0;
    for (size_t i = from; i < out->n; i++) {
        unsigned char c = (unsigned char)out->p[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     c == '-' || c == '.' || c == '_' || c == '~';
        extra += plain ? 0 : 2;
    }
    if (extra == 0 || !buf_reserve(out, extra))
        return;
    size_t to = out->n + extra;
    for (size_t i = out->n; i-- > from;) {
        unsigned char c = (unsigned char)out->p[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            out->p[--to] = (char)c;
        } else {
            out->p[--to] = hex[c & 15];
            out->p[--to] = hex[c >> 4];
            out->p[--to] = '%';
        }
    }
    out->n += extra;
}

bool template_fill(const struct template *t, const struct record *r, bool as_id, struct buf *out,
                   struct str *missing)
{
    for (uint32_t i = 0; i < t->count; i++) {
        const struct template_part *part = &t->parts[i];
        size_t from = out->n;
        if (part->kind == TEMPLATE_LITERAL) {
            buf_str(out, part->text);
            continue;
        }
        if (part->kind == TEMPLATE_FACT)
            buf_str(out, r->facts[part->index]);
        else if (!template_put_value(out, &r->fields[part->index]))
            out->n = from;
        if (out->n == from) {
            *missing = part->text;
            return false;
        }
        template_pad(out, from, part->width);
        /* A value that begins an id is a URI of its own. */
        if (as_id && i > 0)
            template_encode(out, from);
    }
    return true;
}
