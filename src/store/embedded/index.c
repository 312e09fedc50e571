/* Keeping the indexes: what an entity is in is worked out from its document, before and
 * after, and the difference applied. */
#include "store/embedded/index_int.h"

#include "base/arena.h"
#include "store/embedded/index_geo.h"

#include <stdio.h>
#include <stdlib.h>

struct index *index_new(void)
{
    struct index *ix = mem_zalloc(sizeof *ix);
    ix->live = bitmap_new();
    ix->scopes = name_map_new();
    index_expiry_init(&ix->ends);
    index_expiry_init(&ix->parts);
    ix->census = census_new();
    return ix;
}

static void scope_free(struct index_scope *s)
{
    bitmap_free(s->slots);
    free(s);
}

void index_free(struct index *ix)
{
    if (!ix)
        return;
    bitmap_free(ix->live);
    for (uint32_t i = 0; i < ix->types.size; i++)
        bitmap_free(ix->types.cells[i].value);
    for (uint32_t i = 0; i < ix->attrs.size; i++)
        bitmap_free(ix->attrs.cells[i].value);
    for (uint32_t i = 0; i < ix->cells.size; i++)
        ordered_free(ix->cells.cells[i].value);
    term_map_free(&ix->types);
    term_map_free(&ix->attrs);
    term_map_free(&ix->cells);
    for (struct name_cursor c = name_map_from(ix->scopes, STR_NONE, false); name_next(&c);)
        scope_free(c.value);
    name_map_free(ix->scopes);
    index_expiry_free(&ix->ends);
    index_expiry_free(&ix->parts);
    census_free(ix->census);
    while (ix->values) {
        struct index_value *next = ix->values->next;
        index_value_free(ix->values);
        ix->values = next;
    }
    free(ix);
}

const struct bitmap *index_type(const struct index *ix, uint32_t term)
{
    void **at = term_map_find(&ix->types, term);
    return at ? *at : NULL;
}

const struct bitmap *index_attr(const struct index *ix, uint32_t term)
{
    void **at = term_map_find(&ix->attrs, term);
    return at ? *at : NULL;
}

const struct ordered *index_cells(const struct index *ix, uint32_t term)
{
    void **at = term_map_find(&ix->cells, term);
    return at ? *at : NULL;
}

struct index_value *index_value_of(const struct index *ix, uint32_t term)
{
    struct index_value *v = ix->values;
    while (v && v->term != term)
        v = v->next;
    return v;
}

/* ---- bitmaps of types, attributes, scopes ---- */

static void mark(struct term_map *m, uint32_t term, uint32_t slot, bool there)
{
    void **at = term_map_at(m, term);
    if (!*at)
        *at = bitmap_new();
    if (there)
        bitmap_add(*at, slot);
    else
        bitmap_remove(*at, slot);
}

static void mark_types(struct index *ix, uint32_t slot, const struct doc *d, bool there)
{
    for (uint32_t i = 0, n = doc_type_count(d); i < n; i++)
        mark(&ix->types, doc_type(d, i), slot, there);
}

static void mark_attrs(struct index *ix, uint32_t slot, const struct doc *d, bool there)
{
    for (uint32_t i = 0, n = doc_attr_count(d); i < n; i++)
        if (i == 0 || doc_attr_term(d, i) != doc_attr_term(d, i - 1))
            mark(&ix->attrs, doc_attr_term(d, i), slot, there);
}

void index_mark_scopes(struct index *ix, uint32_t slot, const struct doc *d, bool there)
{
    for (uint32_t i = 0, n = doc_scope_count(d); i < n; i++) {
        struct str name = doc_scope(d, i);
        struct index_scope *s = name_map_get(ix->scopes, name);
        if (!s && there) {
            s = mem_alloc(sizeof *s + name.n);
            s->slots = bitmap_new();
            s->name = (struct str){(char *)(s + 1), name.n};
            memcpy(s + 1, name.p, name.n);
            name_map_put(ix->scopes, s->name, s);
        }
        if (there) {
            bitmap_add(s->slots, slot);
        } else if (s) { /* scopes may be many, and come and go */
            bitmap_remove(s->slots, slot);
            if (!bitmap_count(s->slots)) {
                name_map_remove(ix->scopes, s->name);
                scope_free(s);
            }
        }
    }
}

static bool same_types(const struct doc *a, const struct doc *b)
{
    uint32_t n = doc_type_count(a);
    bool same = n == doc_type_count(b);
    for (uint32_t i = 0; i < n && same; i++)
        same = doc_type(a, i) == doc_type(b, i);
    return same;
}

static bool same_attrs(const struct doc *a, const struct doc *b)
{
    uint32_t n = doc_attr_count(a);
    bool same = n == doc_attr_count(b);
    for (uint32_t i = 0; i < n && same; i++)
        same = doc_attr_term(a, i) == doc_attr_term(b, i);
    return same;
}

static bool same_kinds(const struct doc *a, const struct doc *b)
{
    bool same = true;
    for (uint32_t i = 0, n = doc_attr_count(a); i < n && same; i++)
        same = doc_attr_kind(a, i) == doc_attr_kind(b, i);
    return same;
}

static bool same_scopes(const struct doc *a, const struct doc *b)
{
    uint32_t n = doc_scope_count(a);
    bool same = n == doc_scope_count(b);
    for (uint32_t i = 0; i < n && same; i++)
        same = str_eq(doc_scope(a, i), doc_scope(b, i));
    return same;
}

/* ---- ordered sets: cells, values, expiry ---- */

struct place {
    struct ordered *set;
    uint64_t key;
};

enum { PLACES_ON_STACK = 32 };

struct places {
    struct place *p;
    uint32_t n, room;
    struct place here[PLACES_ON_STACK];
};

static void places_add(struct places *ps, struct ordered *set, uint64_t key)
{
    if (ps->n == ps->room) {
        ps->room *= 2;
        struct place *more = mem_alloc(ps->room * sizeof *more);
        memcpy(more, ps->p, ps->n * sizeof *more);
        if (ps->p != ps->here)
            free(ps->p);
        ps->p = more;
    }
    ps->p[ps->n++] = (struct place){set, key};
}

static void places_free(struct places *ps)
{
    if (ps->p != ps->here)
        free(ps->p);
}

static int place_order(const void *x, const void *y)
{
    const struct place *a = x, *b = y;
    if (a->set != b->set)
        return (uintptr_t)a->set < (uintptr_t)b->set ? -1 : 1;
    return (a->key > b->key) - (a->key < b->key);
}

static void places_sort(struct places *ps)
{
    if (ps->n > 1)
        qsort(ps->p, ps->n, sizeof ps->p[0], place_order);
}

struct ordered *index_cells_at(struct index *ix, uint32_t term)
{
    void **at = term_map_at(&ix->cells, term);
    if (!*at)
        *at = ordered_new();
    return *at;
}

/* The instances of v's attribute. */
static void value_places(struct index_value *v, uint32_t slot, const struct doc *d,
                         struct places *ps)
{
    bool other = false;
    uint32_t i = doc_find_attr(d, v->term), n = doc_attr_count(d);
    for (; i < n && doc_attr_term(d, i) == v->term; i++) {
        struct value value;
        uint64_t key;
        doc_attr_value(d, i, &value);
        struct ordered *set = index_value_place(v, doc_attr_kind(d, i), &value, &key);
        if (set)
            places_add(ps, set, key);
        else
            other = true;
    }
    if (other)
        bitmap_add(v->others, slot);
    else
        bitmap_remove(v->others, slot);
}

int64_t index_part_end(const struct doc *d)
{
    return doc_expires_at(d) == doc_own_expires_at(d) ? TIME_NONE : doc_expires_at(d);
}

/* What may have changed: the attributes of these terms, or (NULL) all. */
struct changed {
    const uint32_t *terms;
    uint32_t n;
};

static bool may_differ(const struct changed *c, uint32_t term)
{
    bool found = !c->terms;
    for (uint32_t i = 0; i < c->n && !found; i++)
        found = c->terms[i] == term;
    return found;
}

static void geo_place(struct index *ix, const struct doc *d, uint32_t i, struct places *ps)
{
    if (doc_attr_kind(d, i) != ATTR_GEO_PROPERTY)
        return;
    struct value value;
    doc_attr_value(d, i, &value);
    if (value.kind == VALUE_GEO)
        places_add(ps, index_cells_at(ix, doc_attr_term(d, i)), index_geo_key(value.box));
}

static void geo_places(struct index *ix, const struct doc *d, const struct changed *c,
                       struct places *ps)
{
    uint32_t n = doc_attr_count(d);
    for (uint32_t i = 0; i < n && !c->terms; i++)
        geo_place(ix, d, i, ps);
    for (uint32_t k = 0; k < c->n; k++)
        for (uint32_t i = doc_find_attr(d, c->terms[k]);
             i < n && doc_attr_term(d, i) == c->terms[k]; i++)
            geo_place(ix, d, i, ps);
}

/* Where d belongs for what may have changed, sorted. d NULL: nowhere. */
static void find_places(struct index *ix, uint32_t slot, const struct doc *d,
                        const struct changed *c, struct places *ps)
{
    ps->n = 0;
    ps->room = PLACES_ON_STACK;
    ps->p = ps->here;
    if (!d)
        return;
    geo_places(ix, d, c, ps);
    for (struct index_value *v = ix->values; v; v = v->next)
        if (slot < v->built && may_differ(c, v->term))
            value_places(v, slot, d, ps);
    if (doc_expires_at(d) != TIME_NONE) {
        if (doc_own_expires_at(d) != TIME_NONE)
            places_add(ps, ix->ends.ends, index_expiry_key(doc_own_expires_at(d)));
        if (index_part_end(d) != TIME_NONE)
            places_add(ps, ix->parts.ends, index_expiry_key(index_part_end(d)));
    }
    places_sort(ps);
}

/* Takes slot out of the places it leaves and puts it into those it enters. */
static void move(struct index *ix, uint32_t slot, const struct doc *before, const struct doc *after,
                 const struct changed *what)
{
    struct places from, to;
    find_places(ix, slot, before, what, &from);
    find_places(ix, slot, after, what, &to);
    if (!after)
        for (struct index_value *v = ix->values; v; v = v->next)
            bitmap_remove(v->others, slot);
    uint32_t i = 0, k = 0;
    while (i < from.n || k < to.n) {
        int c = i == from.n ? 1 : k == to.n ? -1 : place_order(&from.p[i], &to.p[k]);
        if (c < 0)
            ordered_remove(from.p[i].set, from.p[i].key, slot);
        else if (c > 0)
            ordered_add(to.p[k].set, to.p[k].key, slot);
        /* An entity may stand twice at one place: step over all of them. */
        struct place at = c <= 0 ? from.p[i] : to.p[k];
        while (i < from.n && place_order(&from.p[i], &at) == 0)
            i++;
        while (k < to.n && place_order(&to.p[k], &at) == 0)
            k++;
    }
    places_free(&from);
    places_free(&to);
    index_expiry_set(&ix->ends, slot, after ? doc_own_expires_at(after) : TIME_NONE);
    index_expiry_set(&ix->parts, slot, after ? index_part_end(after) : TIME_NONE);
}

/* ---- changes ---- */

void index_add(struct index *ix, uint32_t slot, const struct doc *d)
{
    bitmap_add(ix->live, slot);
    mark_types(ix, slot, d, true);
    mark_attrs(ix, slot, d, true);
    index_mark_scopes(ix, slot, d, true);
    census_add(ix->census, d);
    move(ix, slot, NULL, d, &(struct changed){0});
}

void index_remove(struct index *ix, uint32_t slot, const struct doc *d)
{
    bitmap_remove(ix->live, slot);
    mark_types(ix, slot, d, false);
    mark_attrs(ix, slot, d, false);
    index_mark_scopes(ix, slot, d, false);
    census_remove(ix->census, d);
    move(ix, slot, d, NULL, &(struct changed){0});
}

void index_replace(struct index *ix, uint32_t slot, const struct doc *before,
                   const struct doc *after, const uint32_t *changed, uint32_t n)
{
    bool types = same_types(before, after), attrs = same_attrs(before, after);
    if (!types || !attrs || !same_kinds(before, after)) {
        census_remove(ix->census, before);
        census_add(ix->census, after);
    }
    if (!types) {
        mark_types(ix, slot, before, false);
        mark_types(ix, slot, after, true);
    }
    if (!attrs) {
        mark_attrs(ix, slot, before, false);
        mark_attrs(ix, slot, after, true);
    }
    if (!same_scopes(before, after)) {
        index_mark_scopes(ix, slot, before, false);
        index_mark_scopes(ix, slot, after, true);
    }
    move(ix, slot, before, after, &(struct changed){changed, n});
}

bool index_value_build(struct index_value *v, const struct state *s, uint32_t n)
{
    if (v->built == INDEX_VALUE_BUILT)
        return false;
    uint32_t slots = state_slots(s), end = slots - v->built < n ? slots : v->built + n;
    for (uint32_t slot = v->built; slot < end; slot++) {
        const struct doc *d = state_at(s, slot);
        struct places ps = {.room = PLACES_ON_STACK};
        ps.p = ps.here;
        if (d)
            value_places(v, slot, d, &ps);
        for (uint32_t i = 0; i < ps.n; i++)
            ordered_add(ps.p[i].set, ps.p[i].key, slot);
        places_free(&ps);
    }
    v->built = end == slots ? INDEX_VALUE_BUILT : end;
    return v->built != INDEX_VALUE_BUILT;
}

static size_t bitmaps_bytes(const struct term_map *m)
{
    size_t n = m->size * sizeof m->cells[0];
    for (uint32_t i = 0; i < m->size; i++)
        if (m->cells[i].value)
            n += bitmap_bytes(m->cells[i].value);
    return n;
}

size_t index_bytes(const struct index *ix)
{
    size_t n = sizeof *ix + bitmap_bytes(ix->live) + bitmaps_bytes(&ix->types) +
               bitmaps_bytes(&ix->attrs) + name_map_bytes(ix->scopes) + index_expiry_bytes(&ix->ends) +
               index_expiry_bytes(&ix->parts) +
               census_bytes(ix->census) +
               ix->cells.size * sizeof ix->cells.cells[0];
    for (struct name_cursor c = name_map_from(ix->scopes, STR_NONE, false); name_next(&c);)
        n += sizeof(struct index_scope) + c.key.n +
             bitmap_bytes(((struct index_scope *)c.value)->slots);
    for (uint32_t i = 0; i < ix->cells.size; i++)
        if (ix->cells.cells[i].value)
            n += ordered_bytes(ix->cells.cells[i].value);
    for (const struct index_value *v = ix->values; v; v = v->next)
        n += index_value_bytes(v);
    return n;
}
