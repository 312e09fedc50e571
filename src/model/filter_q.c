/* The parser of q (CIM 009 clause 4.9): recursive descent, one function a rule.
 *
 *   query  = all *("|" all)               ';' binds tighter than '|'
 *   all    = part *(";" part)
 *   part   = "!" part / "(" query ")" / term
 *   term   = attribute [operator value]
 *
 * The grammar of the clause has no nested parentheses and no '!'; its example 6 has the
 * former, and the latter is what users of other brokers expect. */
#include "model/filter_operand.h"
#include "model/filter_text.h"
#include "model/iri_text.h"
#include "model/pattern.h"

struct reader {
    struct filter_text t;
    uint32_t nodes; /* terms and values so far */
    uint32_t depth;
    struct str *expand_values, *json_keys; /* expanded; NULL before they are needed */
};

static enum status read_query(struct reader *r, struct filter **out);

static struct filter *node(struct reader *r, enum filter_kind kind)
{
    struct filter *f = arena_zalloc(r->t.reader->arena, sizeof *f);
    f->kind = (uint8_t)kind;
    return f;
}

static enum status count_node(struct reader *r)
{
    uint32_t most = r->t.reader->limits->nodes_max;
    if (r->nodes++ < most)
        return OK;
    return why_limit(r->t.why, E_TOO_COMPLEX, NULL, "limits.query_terms",
                     "%s: at most %u terms and values", r->t.what, most);
}

static enum status enter(struct reader *r)
{
    uint32_t most = r->t.reader->limits->depth_max;
    if (r->depth++ < most)
        return OK;
    return why_limit(r->t.why, E_TOO_COMPLEX, NULL, "limits.query_depth",
                     "%s: nested more than %u deep", r->t.what, most);
}

/* ---- the left-hand side ---- */

/* Where the type ends that "Device:humidity" starts with, 0 when raw is a name alone. A compact IRI
 * whose prefix the context knows, and what begins with "scheme://" or "urn:", is a name. */
static size_t type_hint(struct reader *r, struct str raw, bool more_types)
{
    size_t colon = raw.n;
    while (colon && raw.p[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return 0;
    bool one = str_find_char(raw, ':') == colon - 1;
    if (more_types ||
        (!one && !str_starts(raw, STR("urn:")) && str_find(raw, STR("://")) == STR_NPOS))
        return colon - 1;
    if (!one || str_starts(str_from(raw, colon - 1), STR("://")) || str_starts(raw, STR("urn:")))
        return 0;
    struct str iri = context_expand(r->t.reader->context, raw, r->t.reader->arena);
    return str_eq(iri, raw) || str_absent(iri) ? colon - 1 : 0;
}

/* The same of a stored text, where the marks around names leave no doubt. */
static size_t stored_hint(struct str rest, struct str raw)
{
    return raw.n < rest.n && rest.p[raw.n] == ':' ? raw.n : 0;
}

/* Behind '{': "Type,Type:" or nothing. */
static enum status read_hints(struct reader *r, struct link_step *link)
{
    struct filter_text *t = &r->t;
    struct arena *a = t->reader->arena;
    for (;;) {
        struct str rest = filter_text_rest(t);
        struct str raw = str_head(rest, filter_iri_length(rest));
        bool list = raw.n < rest.n && rest.p[raw.n] == ',';
        size_t n = list              ? raw.n
                   : t->reader->stored ? stored_hint(rest, raw)
                                     : type_hint(r, raw, link->type_count > 0);
        if (n == 0)
            return link->type_count ? filter_text_fault(t, "expected ':' behind the types") : OK;
        size_t bytes = link->type_count * sizeof(struct name);
        link->types = arena_grow(a, link->types, bytes, bytes + sizeof(struct name));
        enum status st = count_node(r);
        if (st == OK)
            st = filter_text_name(t, str_head(raw, n), &link->types[link->type_count]);
        if (st != OK)
            return st;
        link->type_count++;
        t->at += n + 1;
        if (!list)
            return OK;
    }
}

/* "owner{", to follow a relationship; path is what stands before the brace. */
static enum status read_link(struct reader *r, const struct filter_path *path, struct compare *c)
{
    if (path->count != 1 || path->member || path->value_count)
        return filter_text_fault(&r->t, "expected one name of a Relationship before '{'");
    size_t bytes = c->link_count * sizeof(struct link_step);
    c->links = arena_grow(r->t.reader->arena, c->links, bytes, bytes + sizeof(struct link_step));
    struct link_step *link = &c->links[c->link_count++];
    *link = (struct link_step){.relationship = path->names[0]};
    r->t.at++; /* '{' */
    enum status st = enter(r);
    return st == OK ? read_hints(r, link) : st;
}

/* Members of an entity that are no attributes have parameters of their own. */
static enum status refuse_parameters(const struct filter_text *t)
{
    struct str raw = str_head(filter_text_rest(t), filter_iri_length(filter_text_rest(t)));
    if (str_eq(raw, STR("id")) || str_eq(raw, STR("type")) || str_eq(raw, STR("scope")))
        return filter_text_fault(t, "\"%.*s\" is no attribute; the parameter %s asks for it",
                                 STR_ARG(raw),
                                 raw.n == 5 ? "scopeQ" : arena_dup(t->reader->arena, raw).p);
    return OK;
}

static enum status read_attribute(struct reader *r, struct compare *c)
{
    struct filter_text *t = &r->t;
    struct filter_path path;
    for (;;) {
        enum status st = refuse_parameters(t);
        if (st == OK)
            st = filter_text_path(t, &path);
        if (st != OK)
            return st;
        if (!filter_text_is(t, '{'))
            break;
        st = read_link(r, &path, c);
        if (st != OK)
            return st;
    }
    for (uint32_t i = 0; i < c->link_count; i++, r->depth--)
        if (!filter_text_take(t, '}'))
            return filter_text_fault(t, "expected '}'");
    c->path = path.names;
    c->path_count = path.count;
    c->member = path.member;
    c->value_path = path.value;
    c->value_path_count = path.value_count;
    return OK;
}

/* ---- the right-hand side ---- */

static const struct {
    struct str text;
    enum compare_op op;
} OPERATORS[] = {
    {{"!~=", 3}, COMPARE_NOT_MATCH}, {{"~=", 2}, COMPARE_MATCH}, {{"==", 2}, COMPARE_EQ},
    {{"!=", 2}, COMPARE_NE},         {{">=", 2}, COMPARE_GE},    {{"<=", 2}, COMPARE_LE},
    {{">", 1}, COMPARE_GT},          {{"<", 1}, COMPARE_LT},
};

static struct str *expand_all(const struct filter_reader *f, const struct str *names, uint32_t n)
{
    struct str *iris = arena_array(f->arena, struct str, n);
    for (uint32_t i = 0; i < n; i++)
        iris[i] = context_expand(f->context, names[i], f->arena);
    return iris;
}

static bool is_among(const struct str *iris, uint32_t n, struct str iri)
{
    for (uint32_t i = 0; i < n; i++)
        if (str_eq(iris[i], iri))
            return true;
    return false;
}

/* Is the target of c listed in expandValues, and not in jsonKeys? Both are expanded at first use.
 */
static bool wants_expansion(struct reader *r, const struct compare *c)
{
    const struct filter_reader *f = r->t.reader;
    if (f->expand_value_count == 0 || c->path_count == 0)
        return false;
    if (!r->expand_values) {
        r->expand_values = expand_all(f, f->expand_values, f->expand_value_count);
        r->json_keys = expand_all(f, f->json_keys, f->json_key_count);
    }
    struct str iri = c->path[c->path_count - 1].iri;
    return is_among(r->expand_values, f->expand_value_count, iri) &&
           !is_among(r->json_keys, f->json_key_count, iri);
}

static enum status read_operand(struct reader *r, struct compare *c, const char *after,
                                bool comparable)
{
    struct filter_text *t = &r->t;
    struct arena *a = t->reader->arena;
    size_t bytes = c->operand_count * sizeof(struct operand);
    c->operands = arena_grow(a, c->operands, bytes, bytes + sizeof(struct operand));
    struct operand *o = &c->operands[c->operand_count];
    filter_text_skip_spaces(t);
    size_t from = t->at;
    enum status st = count_node(r);
    if (st == OK)
        st = filter_operand_read(t, after, comparable, o);
    if (st != OK)
        return st;
    c->operand_count++;
    if (o->kind == OPERAND_STRING && wants_expansion(r, c)) {
        struct str iri = context_expand(t->reader->context, o->text, a);
        o->text = str_absent(iri) ? o->text : arena_dup(a, iri);
        if (t->reader->edits && !str_absent(iri))
            iri_edits_add(t->reader->edits,
                          (struct iri_edit){from, t->at - from, o->text, true}, a);
    }
    return OK;
}

/* Behind '==' and '!=': a value, a list, or a range. */
static enum status read_values(struct reader *r, struct compare *c, const char *after)
{
    struct filter_text *t = &r->t;
    enum status st = read_operand(r, c, after, false);
    if (st == OK && filter_text_take_word(t, STR(".."))) {
        c->range = true;
        st = read_operand(r, c, "..", true);
        if (st == OK && (c->operands[0].kind != c->operands[1].kind))
            st = filter_text_fault(t, "both ends of a range must be of one kind");
        return st;
    }
    while (st == OK && filter_text_take(t, ','))
        st = read_operand(r, c, ",", false);
    return st;
}

static enum status read_pattern(struct reader *r, struct compare *c)
{
    struct str text;
    enum status st = filter_operand_pattern(&r->t, &text);
    if (st == OK)
        st = pattern_new(r->t.what, text, r->t.reader->limits->pattern_bytes_max, &c->pattern,
                         r->t.why);
    return st;
}

static enum status read_comparison(struct reader *r, struct compare *c)
{
    struct filter_text *t = &r->t;
    filter_text_skip_spaces(t);
    for (size_t i = 0; i < sizeof OPERATORS / sizeof *OPERATORS; i++) {
        if (!filter_text_take_word(t, OPERATORS[i].text))
            continue;
        c->op = (uint8_t)OPERATORS[i].op;
        if (c->op == COMPARE_MATCH || c->op == COMPARE_NOT_MATCH)
            return read_pattern(r, c);
        if (c->op == COMPARE_EQ || c->op == COMPARE_NE)
            return read_values(r, c, OPERATORS[i].text.p);
        return read_operand(r, c, OPERATORS[i].text.p, true);
    }
    return OK; /* existence */
}

static enum status read_term(struct reader *r, struct filter **out)
{
    struct filter *f = node(r, FILTER_COMPARE);
    f->compare = arena_zalloc(r->t.reader->arena, sizeof *f->compare);
    *out = f; /* from here on, so that a pattern is released when something behind it is wrong */
    enum status st = count_node(r);
    if (st == OK)
        st = read_attribute(r, f->compare);
    if (st == OK)
        st = read_comparison(r, f->compare);
    return st;
}

/* ---- logic ---- */

static enum status read_part(struct reader *r, struct filter **out)
{
    struct filter_text *t = &r->t;
    filter_text_skip_spaces(t);
    enum status st;
    bool negated = filter_text_take(t, '!');
    if (!negated && !filter_text_is(t, '(')) {
        st = read_term(r, out);
        filter_text_skip_spaces(t);
        return st;
    }
    st = enter(r);
    if (st != OK)
        return st;
    if (negated) {
        *out = node(r, FILTER_NOT);
        (*out)->parts = arena_zarray(t->reader->arena, struct filter *, 1);
        (*out)->count = 1;
        st = read_part(r, &(*out)->parts[0]);
    } else {
        t->at++; /* '(' */
        st = read_query(r, out);
        if (st == OK && !filter_text_take(t, ')'))
            st = filter_text_fault(t, "expected ';', '|' or ')'");
    }
    filter_text_skip_spaces(t);
    r->depth--;
    return st;
}

/* part *(separator part), by the rule below it. One part stands for itself. */
static enum status read_parts(struct reader *r, char separator, enum filter_kind kind,
                              enum status (*below)(struct reader *, struct filter **),
                              struct filter **out)
{
    struct filter *f = node(r, kind);
    enum status st;
    *out = f;
    do {
        size_t bytes = f->count * sizeof(struct filter *);
        f->parts = arena_grow(r->t.reader->arena, f->parts, bytes, bytes + sizeof(struct filter *));
        f->parts[f->count] = NULL;
        st = below(r, &f->parts[f->count++]);
    } while (st == OK && filter_text_take(&r->t, separator));
    if (f->count == 1)
        *out = f->parts[0];
    return st;
}

static enum status read_all(struct reader *r, struct filter **out)
{
    return read_parts(r, ';', FILTER_AND, read_part, out);
}

static enum status read_query(struct reader *r, struct filter **out)
{
    return read_parts(r, '|', FILTER_OR, read_all, out);
}

enum status filter_read_q(const struct filter_reader *fr, struct str q, struct filter **out,
                          struct why *why)
{
    struct reader r = {.t = {"q", q, 0, fr, why}};
    struct filter *f = NULL;
    enum status st = filter_text_check(&r.t);
    if (st == OK)
        st = read_query(&r, &f);
    if (st == OK && !filter_text_end(&r.t))
        st = filter_text_fault(&r.t, "expected an operator, ';', '|' or the end");
    if (st != OK) {
        filter_free(f);
        return st;
    }
    *out = f;
    return OK;
}
