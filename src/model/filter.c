/* Building filters from parts, and what can be asked of one without an entity. */
#include "model/filter.h"

#include "model/filter_text.h"
#include "model/pattern.h"

#include <stdlib.h>

static struct filter *node(struct arena *a, enum filter_kind kind)
{
    struct filter *f = arena_zalloc(a, sizeof *f);
    f->kind = (uint8_t)kind;
    return f;
}

struct filter *filter_and(struct arena *a, struct filter *x, struct filter *y)
{
    if (!x || !y)
        return x ? x : y;
    uint32_t nx = x->kind == FILTER_AND ? x->count : 1, ny = y->kind == FILTER_AND ? y->count : 1;
    struct filter *f = node(a, FILTER_AND);
    f->count = nx + ny;
    f->parts = arena_array(a, struct filter *, f->count);
    memcpy(f->parts, x->kind == FILTER_AND ? x->parts : &x, nx * sizeof *f->parts);
    memcpy(f->parts + nx, y->kind == FILTER_AND ? y->parts : &y, ny * sizeof *f->parts);
    return f;
}

static int order_strs(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

struct filter *filter_of_ids(struct arena *a, const struct str *ids, uint32_t count)
{
    struct filter *f = node(a, FILTER_IDS);
    f->ids = arena_array(a, struct str, count);
    if (count)
        memcpy(f->ids, ids, count * sizeof *ids);
    qsort(f->ids, count, sizeof *f->ids, order_strs);
    for (uint32_t i = 0; i < count; i++)
        if (i == 0 || !str_eq(f->ids[i], f->ids[f->count - 1]))
            f->ids[f->count++] = f->ids[i];
    return f;
}

struct filter *filter_of_pattern(struct arena *a, struct pattern *p)
{
    struct filter *f = node(a, FILTER_ID_PATTERN);
    f->id_pattern = p;
    return f;
}

struct filter *filter_of_type(struct arena *a, struct type_expr *t)
{
    if (!t)
        return NULL;
    struct filter *f = node(a, FILTER_TYPE);
    f->type = t;
    return f;
}

struct filter *filter_of_scope(struct arena *a, struct scope_expr *s)
{
    struct filter *f = node(a, FILTER_SCOPE);
    f->scope = s;
    return f;
}

struct filter *filter_of_attrs(struct arena *a, struct name *names, uint32_t count)
{
    struct filter *f = node(a, FILTER_ATTRS);
    f->attrs = names;
    f->count = count;
    return f;
}

enum status filter_read_pattern(const struct filter_reader *r, struct str text,
                                struct pattern **out, struct why *why)
{
    return pattern_new("idPattern", text, r->limits->pattern_bytes_max, out, why);
}

static bool is_logic(const struct filter *f)
{
    return f->kind == FILTER_AND || f->kind == FILTER_OR || f->kind == FILTER_NOT;
}

bool filter_has_attribute(const struct filter *f)
{
    if (!f)
        return false;
    if (f->kind == FILTER_COMPARE)
        return f->compare->path_count > 0 || f->compare->link_count > 0;
    for (uint32_t i = 0; i < f->count; i++) {
        if (is_logic(f) && filter_has_attribute(f->parts[i]))
            return true;
        if (f->kind == FILTER_ATTRS && filter_member_of(f->attrs[i].iri) == MEMBER_NONE)
            return true;
    }
    return false;
}

uint32_t filter_link_depth(const struct filter *f)
{
    if (!f)
        return 0;
    uint32_t most = f->kind == FILTER_COMPARE ? f->compare->link_count : 0;
    for (uint32_t i = 0; is_logic(f) && i < f->count; i++) {
        uint32_t depth = filter_link_depth(f->parts[i]);
        most = depth > most ? depth : most;
    }
    return most;
}

/* ---- names that were unknown ---- */

static void resolve_names(struct name *names, uint32_t count, const struct terms *terms)
{
    for (uint32_t i = 0; i < count; i++)
        if (names[i].term == TERM_NONE)
            names[i].term = terms_find(terms, names[i].iri);
}

static void resolve_compare(struct compare *c, const struct terms *terms)
{
    resolve_names(c->path, c->path_count, terms);
    for (uint32_t i = 0; i < c->link_count; i++) {
        resolve_names(&c->links[i].relationship, 1, terms);
        resolve_names(c->links[i].types, c->links[i].type_count, terms);
    }
}

void filter_resolve(struct filter *f, const struct terms *terms)
{
    if (!f)
        return;
    for (uint32_t i = 0; is_logic(f) && i < f->count; i++)
        filter_resolve(f->parts[i], terms);
    for (uint32_t i = 0; f->kind == FILTER_TYPE && i < f->type->count; i++)
        resolve_names(f->type->any[i].types, f->type->any[i].count, terms);
    if (f->kind == FILTER_ATTRS)
        resolve_names(f->attrs, f->count, terms);
    if (f->kind == FILTER_COMPARE)
        resolve_compare(f->compare, terms);
    if (f->kind == FILTER_GEO)
        resolve_names(&f->geo->property, 1, terms);
}

void filter_free(struct filter *f)
{
    if (!f)
        return;
    for (uint32_t i = 0; is_logic(f) && i < f->count; i++)
        filter_free(f->parts[i]);
    if (f->kind == FILTER_ID_PATTERN)
        pattern_free(f->id_pattern);
    if (f->kind == FILTER_COMPARE)
        pattern_free(f->compare->pattern);
    if (f->kind == FILTER_GEO)
        geometry_free(f->geo->reference);
}
