/* Do the indexes agree with the state? Everything is made anew and compared. */
#include "base/arena.h"
#include "store/embedded/index.h"

#include <stdio.h>
#include <stdlib.h>

struct verify {
    uint64_t errors;
    char *text;
    size_t n;
};

static void wrong(struct verify *v, const char *what, uint32_t term)
{
    if (v->errors++ == 0)
        snprintf(v->text, v->n, "the index of %s %u disagrees with the entities", what, term);
}

/* An absent bitmap is an empty one. */
static void compare_bitmaps(struct verify *v, const char *what, uint32_t term,
                            const struct bitmap *a, const struct bitmap *b)
{
    bool same = a && b ? bitmap_equal(a, b) : !(a && bitmap_count(a)) && !(b && bitmap_count(b));
    if (!same)
        wrong(v, what, term);
}

static void compare_ordered(struct verify *v, const char *what, uint32_t term,
                            const struct ordered *a, const struct ordered *b)
{
    bool same = (a ? ordered_count(a) : 0) == (b ? ordered_count(b) : 0);
    if (same && a && b) {
        struct ordered_cursor x = ordered_from(a, 0, UINT64_MAX),
                              y = ordered_from(b, 0, UINT64_MAX);
        while (same && ordered_next(&x))
            same = ordered_next(&y) && x.key == y.key && x.slot == y.slot;
    }
    if (!same)
        wrong(v, what, term);
}

typedef const struct bitmap *bitmap_lookup(const struct index *ix, uint32_t term);

/* Of the terms, those that are not in `compared` already. */
static void compare_maps(struct verify *v, const char *what, const struct index *a,
                         const struct index *b, const struct term_map *terms,
                         const struct term_map *compared, bitmap_lookup *lookup)
{
    for (uint32_t i = 0; i < terms->size; i++) {
        uint32_t term = terms->cells[i].term;
        if (term && !(compared && term_map_find(compared, term)))
            compare_bitmaps(v, what, term, lookup(a, term), lookup(b, term));
    }
}

static void compare_scopes(struct verify *v, const struct index *a, const struct index *b)
{
    for (struct name_cursor c = name_map_from(a->scopes, STR_NONE, false); name_next(&c);) {
        const struct index_scope *x = c.value, *y = name_map_get(b->scopes, c.key);
        compare_bitmaps(v, "scope", 0, x->slots, y ? y->slots : NULL);
    }
    if (name_map_count(a->scopes) != name_map_count(b->scopes))
        wrong(v, "scopes", 0);
}

static void compare_values(struct verify *v, const struct index *a, const struct index *b)
{
    for (const struct index_value *x = a->values; x; x = x->next) {
        const struct index_value *y = index_value_of(b, x->term);
        if (x->built != INDEX_VALUE_BUILT)
            continue; /* still being built */
        compare_ordered(v, "numbers of attribute", x->term, x->numbers, y->numbers);
        compare_ordered(v, "texts of attribute", x->term, x->texts, y->texts);
        compare_bitmaps(v, "other values of attribute", x->term, x->others, y->others);
    }
}

static struct index *make_anew(const struct index *ix, const struct state *s)
{
    struct index *fresh = index_new();
    for (const struct index_value *v = ix->values; v; v = v->next) {
        struct index_value *same = index_value_new(v->term);
        same->built = INDEX_VALUE_BUILT;
        same->next = fresh->values;
        fresh->values = same;
    }
    fresh->ends.passed = ix->ends.passed;
    fresh->parts.passed = ix->parts.passed;
    for (uint32_t slot = 0; slot < state_slots(s); slot++) {
        const struct doc *d = state_at(s, slot);
        if (d)
            index_add(fresh, slot, d);
    }
    return fresh;
}

static void compare_expiry(struct verify *v, const char *what, const struct index_expiry *a,
                           const struct index_expiry *b)
{
    compare_ordered(v, what, 0, a->ends, b->ends);
    compare_bitmaps(v, what, 0, a->over, b->over);
}

uint64_t index_verify(const struct index *ix, const struct state *s, char *text, size_t n)
{
    struct verify v = {.text = text, .n = n};
    struct index *fresh = make_anew(ix, s);
    compare_bitmaps(&v, "all entities", 0, ix->live, fresh->live);
    compare_maps(&v, "type", ix, fresh, &ix->types, NULL, index_type);
    compare_maps(&v, "type", ix, fresh, &fresh->types, &ix->types, index_type);
    compare_maps(&v, "attribute", ix, fresh, &ix->attrs, NULL, index_attr);
    compare_maps(&v, "attribute", ix, fresh, &fresh->attrs, &ix->attrs, index_attr);
    compare_scopes(&v, ix, fresh);
    for (uint32_t i = 0; i < fresh->cells.size; i++)
        if (fresh->cells.cells[i].term)
            compare_ordered(&v, "geometries of attribute", fresh->cells.cells[i].term,
                            fresh->cells.cells[i].value,
                            index_cells(ix, fresh->cells.cells[i].term));
    for (uint32_t i = 0; i < ix->cells.size; i++)
        if (ix->cells.cells[i].term && !index_cells(fresh, ix->cells.cells[i].term))
            compare_ordered(&v, "geometries of attribute", ix->cells.cells[i].term,
                            ix->cells.cells[i].value, index_cells(fresh, ix->cells.cells[i].term));
    compare_expiry(&v, "ends", &ix->ends, &fresh->ends);
    compare_expiry(&v, "ends of parts", &ix->parts, &fresh->parts);
    if (!census_equal(ix->census, fresh->census))
        wrong(&v, "census", 0);
    compare_values(&v, ix, fresh);
    index_free(fresh);
    return v.errors;
}
