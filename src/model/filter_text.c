/* Names, paths and errors of the query languages (CIM 009 clauses 4.9, 4.23.3). */
#include "model/filter_text.h"

#include "base/utf8.h"
#include "model/iri_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

/* What every core @context puts before the names of its members. */
static const struct str CORE = {"https://uri.etsi.org/ngsi-ld/", 29};

enum status filter_text_check(const struct filter_text *t)
{
    bool text = utf8_valid(t->all);
    for (size_t i = 0; i < t->all.n && text; i++)
        text = (unsigned char)t->all.p[i] >= 0x20 || t->all.p[i] == '\t' || t->reader->stored;
    return text ? OK
                : why_set(t->why, E_BAD_DATA, NULL,
                          "%s: expected UTF-8 text without control characters", t->what);
}

bool filter_text_take_word(struct filter_text *t, struct str word)
{
    bool is = str_starts(filter_text_rest(t), word);
    t->at += is ? word.n : 0;
    return is;
}

void filter_text_skip_spaces(struct filter_text *t)
{
    while (filter_text_is(t, ' ') || filter_text_is(t, '\t'))
        t->at++;
}

enum status filter_text_fault(const struct filter_text *t, const char *fmt, ...)
{
    char text[sizeof t->why->text];
    size_t column = 1;
    for (size_t i = 0; i < t->at && i < t->all.n; i++)
        column += ((unsigned char)t->all.p[i] & 0xC0) != 0x80;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return why_set(t->why, E_BAD_DATA, NULL, "%s: column %zu: %s", t->what, column, text);
}

/* ---- names ---- */

/* The character at the start of s; its length, or 0 when it is none of the masked categories. */
static size_t char_of(struct str s, uint32_t categories, bool underscore)
{
    if (s.n == 0)
        return 0;
    unsigned char c = (unsigned char)s.p[0];
    if (c < 0x80) {
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z', digit = c >= '0' && c <= '9';
        return letter || (digit && (categories & U_GC_N_MASK)) || (c == '_' && underscore);
    }
    size_t n = utf8_length(s);
    if (n == 0)
        return 0;
    int32_t i = 0;
    UChar32 code;
    U8_NEXT_UNSAFE(s.p, i, code);
    return U_GET_GC_MASK(code) & categories ? n : 0;
}

size_t filter_name_length(struct str s)
{
    size_t n = char_of(s, U_GC_L_MASK, false);
    if (n == 0)
        return 0;
    for (size_t more = n; more;) {
        more = char_of(str_from(s, n), U_GC_L_MASK | U_GC_N_MASK, true);
        n += more;
    }
    return n;
}

/* Does the character at s, in an IRI, end it? "=", "!" and "~" do where an operator begins. */
static bool ends_iri(struct str s)
{
    unsigned char c = (unsigned char)s.p[0];
    if (c <= 0x20 || strchr("\"<>{}[]()|,;\\^`", c))
        return true;
    return str_starts(s, STR("==")) || str_starts(s, STR("!=")) || str_starts(s, STR("~=")) ||
           str_starts(s, STR("!~="));
}

size_t filter_iri_length(struct str s)
{
    size_t n = iri_text_length(s);
    if (n)
        return n;
    n = filter_name_length(s);
    if (n == 0 || n == s.n || s.p[n] != ':')
        return n;
    size_t last = n; /* '/', '#' or ':' */
    for (n++; n < s.n && !ends_iri(str_from(s, n)); n++)
        if (s.p[n] == '/' || s.p[n] == '#' || s.p[n] == ':')
            last = n;
    size_t dot = str_find_char(str_from(str_head(s, n), last), '.');
    return dot == STR_NPOS ? n : last + dot;
}

/* A name of a stored text. */
static enum status stored_name(const struct filter_text *t, struct str raw, struct name *out)
{
    if (iri_text_length(raw) != raw.n || raw.n == 0)
        return filter_text_fault(t, "expected a stored name");
    out->iri = arena_dup(t->reader->arena, iri_text_inner(raw));
    out->term = terms_find(t->reader->stored, out->iri);
    *t->reader->unknown |= out->term == TERM_NONE;
    return OK;
}

enum status filter_text_name(const struct filter_text *t, struct str raw, struct name *out)
{
    const struct filter_reader *r = t->reader;
    if (r->stored)
        return stored_name(t, raw, out);
    out->iri = context_expand(r->context, raw, r->arena);
    out->term = TERM_NONE;
    if (str_absent(out->iri))
        return filter_text_fault(t, "\"%.*s\" is no name of an attribute or type", STR_ARG(raw));
    out->iri = arena_dup(r->arena, out->iri); /* the filter may outlive the context */
    out->term = context_expand_term(r->context, raw, false, r->arena, NULL);
    if (r->edits)
        iri_edits_add(r->edits,
                      (struct iri_edit){(size_t)(raw.p - t->all.p), raw.n, out->iri, false},
                      r->arena);
    return OK;
}

static const struct {
    const char *name;
    enum compare_member member;
} MEMBERS[] = {
    {"createdAt", MEMBER_CREATED_AT},   {"modifiedAt", MEMBER_MODIFIED_AT},
    {"expiresAt", MEMBER_EXPIRES_AT},   {"deletedAt", MEMBER_DELETED_AT},
    {"observedAt", MEMBER_OBSERVED_AT}, {"instanceId", MEMBER_INSTANCE_ID},
    {"unitCode", MEMBER_UNIT_CODE},     {"datasetId", MEMBER_DATASET_ID},
    {"valueType", MEMBER_VALUE_TYPE},   {"objectType", MEMBER_OBJECT_TYPE},
};

enum compare_member filter_member_of(struct str iri)
{
    if (!str_starts(iri, CORE))
        return MEMBER_NONE;
    struct str name = str_from(iri, CORE.n);
    for (size_t i = 0; i < sizeof MEMBERS / sizeof *MEMBERS; i++)
        if (str_eq(name, str_of(MEMBERS[i].name)))
            return MEMBERS[i].member;
    return MEMBER_NONE;
}

/* ---- paths ---- */

static enum status too_deep(const struct filter_text *t)
{
    return why_limit(t->why, E_TOO_COMPLEX, NULL, "limits.query_depth",
                     "%s: a path has at most %u steps", t->what, t->reader->limits->depth_max);
}

/* "[a.b]": member names up to the bracket, whatever characters they have but '.' and brackets. */
static enum status read_value_path(struct filter_text *t, struct filter_path *out)
{
    struct arena *a = t->reader->arena;
    t->at++; /* '[' */
    do {
        struct str rest = filter_text_rest(t);
        size_t n = 0, bytes = out->value_count * sizeof(struct str);
        while (n < rest.n && rest.p[n] != '.' && rest.p[n] != ']' && rest.p[n] != '[')
            n++;
        if (n == 0)
            return filter_text_fault(t, "expected the name of a member within the value");
        if (out->value_count >= t->reader->limits->depth_max)
            return too_deep(t);
        out->value = arena_grow(a, out->value, bytes, bytes + sizeof(struct str));
        out->value[out->value_count++] = arena_dup(a, str_head(rest, n));
        t->at += n;
    } while (filter_text_take(t, '.'));
    return filter_text_take(t, ']') ? OK : filter_text_fault(t, "expected ']'");
}

/* The next step; a member unless it is the first, where only the entity's own have a meaning. */
static enum status read_step(struct filter_text *t, struct str raw, struct filter_path *out)
{
    struct arena *a = t->reader->arena;
    size_t bytes = out->count * sizeof(struct name);
    struct name name = {STR("@type"), TERM_NONE};
    bool type = out->count > 0 && str_eq(raw, STR("type"));
    enum status st = type ? OK : filter_text_name(t, raw, &name);
    if (st != OK)
        return st;
    out->member = (uint8_t)(type ? MEMBER_TYPE : filter_member_of(name.iri));
    out->names = arena_grow(a, out->names, bytes, bytes + sizeof name);
    out->names[out->count++] = name;
    return OK;
}

enum status filter_text_path(struct filter_text *t, struct filter_path *out)
{
    *out = (struct filter_path){0};
    do {
        struct str raw = str_head(filter_text_rest(t), filter_iri_length(filter_text_rest(t)));
        if (raw.n == 0)
            return filter_text_fault(t, out->count ? "expected a name after '.'"
                                                   : "expected the name of an attribute");
        if (out->count >= t->reader->limits->depth_max)
            return too_deep(t);
        enum status st = read_step(t, raw, out);
        if (st != OK)
            return st;
        t->at += raw.n;
    } while (filter_text_take(t, '.'));
    out->count -= out->member != MEMBER_NONE;
    return filter_text_is(t, '[') ? read_value_path(t, out) : OK;
}
