/* The Attribute Projection Language of pick and omit (clause 4.21):
 *     list = term *(("," / "|") term);  term = name ["{" list "}"]
 * Names are sorted by term; a name that is there twice counts once, with the members
 * that either of the two asks for. */
#include "model/iri_text.h"
#include "model/reader.h"
#include "model/represent.h"

#include <stdlib.h>

struct parser {
    struct str text;
    size_t at;
    const struct context *context;
    const struct projection_limits *limits;
    struct arena *arena;
    struct why *why;
    uint32_t names;
    const struct terms *stored; /* text is a stored one: names are looked up here */
    struct iri_edits *edits;    /* where names were met; NULL: not wanted */
    bool unknown;               /* a name was left out */
};

/* One name while its list is being read. */
struct picked {
    uint32_t term;
    struct projection *linked;
};

struct picked_list {
    struct picked *items;
    uint32_t n, room;
};

static enum status expected(const struct parser *p, const char *what)
{
    if (p->at >= p->text.n)
        return why_set(p->why, E_BAD_DATA, NULL, "column %zu: expected %s, found the end",
                       p->at + 1, what);
    return why_set(p->why, E_BAD_DATA, NULL, "column %zu: expected %s, found '%c'", p->at + 1, what,
                   p->text.p[p->at]);
}

static bool is_delimiter(char c)
{
    return c == ',' || c == '|' || c == '{' || c == '}';
}

/* Members of an entity that are no attributes. */
static bool is_member(struct str name)
{
    return str_eq(name, STR("id")) || str_eq(name, STR("type")) || str_eq(name, STR("scope"));
}

static struct str take_name(struct parser *p)
{
    size_t from = p->at;
    size_t stored = p->stored ? iri_text_length(str_from(p->text, from)) : 0;
    p->at += stored;
    while (!stored && p->at < p->text.n && !is_delimiter(p->text.p[p->at]))
        p->at++;
    return (struct str){p->text.p + from, p->at - from};
}

static void add(struct picked_list *list, struct picked item, struct arena *arena)
{
    if (list->n == list->room) {
        uint32_t room = list->room ? list->room * 2 : 4;
        list->items = arena_grow(arena, list->items, list->room * sizeof *list->items,
                                 room * sizeof *list->items);
        list->room = room;
    }
    list->items[list->n++] = item;
}

static int by_term(const void *a, const void *b)
{
    const struct picked *x = a, *y = b;
    return (x->term > y->term) - (x->term < y->term);
}

static struct projection *merge(struct projection *a, struct projection *b, struct arena *arena);

/* Sorts and makes unique; a name without members wins over the same with members. */
static void settle(struct projection *out, struct picked *picked, uint32_t n, struct arena *arena)
{
    if (n > 1)
        qsort(picked, n, sizeof *picked, by_term);
    uint32_t kept = 0;
    bool linked = false;
    for (uint32_t i = 0; i < n; i++) {
        if (kept && picked[kept - 1].term == picked[i].term)
            picked[kept - 1].linked = merge(picked[kept - 1].linked, picked[i].linked, arena);
        else
            picked[kept++] = picked[i];
    }
    out->count = kept;
    out->terms = arena_array(arena, uint32_t, kept);
    for (uint32_t i = 0; i < kept; i++) {
        out->terms[i] = picked[i].term;
        linked |= picked[i].linked != NULL;
    }
    out->linked = NULL;
    if (!linked)
        return;
    out->linked = arena_array(arena, struct projection *, kept);
    for (uint32_t i = 0; i < kept; i++)
        out->linked[i] = picked[i].linked;
}

static void unpack(const struct projection *p, struct picked *out)
{
    for (uint32_t i = 0; i < p->count; i++)
        out[i] = (struct picked){p->terms[i], p->linked ? p->linked[i] : NULL};
}

static struct projection *merge(struct projection *a, struct projection *b, struct arena *arena)
{
    if (!a || !b)
        return NULL;
    struct picked *all = arena_array(arena, struct picked, a->count + b->count);
    struct projection *out = arena_zalloc(arena, sizeof *out);
    out->id = a->id || b->id;
    out->type = a->type || b->type;
    out->scope = a->scope || b->scope;
    unpack(a, all);
    unpack(b, all + a->count);
    settle(out, all, a->count + b->count, arena);
    return out;
}

static enum status read_list(struct parser *p, uint32_t depth, struct projection **out);

static uint32_t term_of(const struct parser *p, struct str name)
{
    if (p->stored)
        return iri_text_length(name) ? terms_find(p->stored, iri_text_inner(name)) : TERM_NONE;
    return context_expand_term(p->context, name, false, p->arena, NULL);
}

/* Before what stands in braces behind it, so that edits come in order. */
static void note_name(struct parser *p, struct str name, size_t at)
{
    if (!p->edits || is_member(name))
        return;
    struct str iri = context_expand(p->context, name, p->arena);
    if (!str_absent(iri))
        iri_edits_add(p->edits, (struct iri_edit){at, name.n, iri, false}, p->arena);
}

/* id, type and scope, or an attribute's name, added to picked when the city knows it. */
static enum status read_term(struct parser *p, uint32_t depth, struct projection *out,
                             struct picked_list *picked)
{
    size_t column = p->at;
    struct str name = take_name(p);
    if (name.n == 0)
        return expected(p, "a name");
    if (!p->stored && !reader_is_name(name))
        return why_set(p->why, E_BAD_DATA, NULL,
                       "column %zu: \"%.*s\" is no name of an attribute (clause 4.6.2)", column + 1,
                       STR_ARG(str_head(name, 64)));
    if (++p->names > p->limits->names_max)
        return why_limit(p->why, E_LIMIT, NULL, "limits.projection_names",
                         "a projection has at most %u names", p->limits->names_max);
    note_name(p, name, column);
    struct projection *linked = NULL;
    bool braces = p->at < p->text.n && p->text.p[p->at] == '{';
    if (braces) {
        p->at++;
        enum status st = read_list(p, depth + 1, &linked);
        if (st != OK)
            return st;
        if (p->at >= p->text.n || p->text.p[p->at] != '}')
            return expected(p, "',', '|' or '}'");
        p->at++;
    }
    bool *member = str_eq(name, STR("id"))      ? &out->id
                   : str_eq(name, STR("type"))  ? &out->type
                   : str_eq(name, STR("scope")) ? &out->scope
                                                : NULL;
    if (member && braces)
        return why_set(p->why, E_BAD_DATA, NULL, "column %zu: \"%.*s\" is no Relationship",
                       column + 1, STR_ARG(name));
    if (member) {
        *member = true;
        return OK;
    }
    uint32_t term = term_of(p, name);
    if (term != TERM_NONE)
        add(picked, (struct picked){term, linked}, p->arena);
    p->unknown |= term == TERM_NONE;
    return OK;
}

static enum status read_list(struct parser *p, uint32_t depth, struct projection **out)
{
    if (depth > p->limits->depth_max)
        return why_limit(p->why, E_LIMIT, NULL, "limits.projection_depth",
                         "a projection nests at most %u deep", p->limits->depth_max);
    struct projection *list = arena_zalloc(p->arena, sizeof *list);
    struct picked_list picked = {0};
    for (;;) {
        enum status st = read_term(p, depth, list, &picked);
        if (st != OK)
            return st;
        if (p->at >= p->text.n || (p->text.p[p->at] != ',' && p->text.p[p->at] != '|'))
            break;
        p->at++;
    }
    settle(list, picked.items, picked.n, p->arena);
    *out = list;
    return OK;
}

static enum status read_all(struct parser *p, struct projection **out)
{
    enum status st = read_list(p, 0, out);
    if (st == OK && p->at < p->text.n)
        return expected(p, "',' or '|'");
    return st;
}

enum status projection_read(struct projection **out, struct str text, const struct context *context,
                            const struct projection_limits *limits, struct arena *a,
                            struct why *why)
{
    struct parser p = {.text = text, .context = context, .limits = limits, .arena = a, .why = why};
    return read_all(&p, out);
}

enum status projection_store(struct str *stored, struct str text, const struct context *context,
                             const struct projection_limits *limits, struct arena *a,
                             struct why *why)
{
    struct iri_edits edits = {0};
    struct projection *unused;
    struct parser p = {.text = text,
                       .context = context,
                       .limits = limits,
                       .arena = a,
                       .why = why,
                       .edits = &edits};
    enum status st = read_all(&p, &unused);
    if (st == OK)
        *stored = iri_edits_apply(&edits, text, a);
    return st;
}

enum status projection_read_stored(struct projection **out, struct str stored,
                                   const struct terms *terms,
                                   const struct projection_limits *limits, struct arena *a,
                                   bool *unknown, struct why *why)
{
    struct parser p = {.text = stored, .limits = limits, .arena = a, .why = why, .stored = terms};
    enum status st = read_all(&p, out);
    *unknown |= p.unknown;
    return st;
}

/* Index of term, or UINT32_MAX. */
static uint32_t find(const struct projection *p, uint32_t term)
{
    uint32_t low = 0, high = p->count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (p->terms[mid] == term)
            return mid;
        if (p->terms[mid] < term)
            low = mid + 1;
        else
            high = mid;
    }
    return UINT32_MAX;
}

bool projection_has(const struct projection *p, uint32_t term)
{
    return find(p, term) != UINT32_MAX;
}

const struct projection *projection_linked(const struct projection *p, uint32_t term)
{
    uint32_t i = find(p, term);
    return i == UINT32_MAX || !p->linked ? NULL : p->linked[i];
}

bool projection_omits(const struct projection *p, uint32_t term)
{
    uint32_t i = find(p, term);
    return i != UINT32_MAX && !(p->linked && p->linked[i]);
}
