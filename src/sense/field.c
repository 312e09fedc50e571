/* Why: rows of a table and features of a map go through the same mapping; this is what they have in
 * common. */
#include "sense/field.h"

uint32_t field_intern(struct field_names *f, struct arena *a, struct str name)
{
    for (uint32_t i = 0; i < f->count; i++)
        if (str_eq(f->names[i], name))
            return i;
    if (f->count == FIELD_COUNT_MAX)
        return FIELD_NONE;
    if (f->count == f->cap) {
        uint32_t cap = f->cap ? f->cap * 2 : 32;
        f->names = arena_grow(a, f->names, f->cap * sizeof *f->names, cap * sizeof *f->names);
        f->cap = cap;
    }
    f->names[f->count] = arena_dup(a, name);
    return f->count++;
}

enum field_fact field_fact_find(struct str name)
{
    static const char *const names[FACT_COUNT] = {
        [FACT_FILE] = "file", [FACT_LINE] = "line",     [FACT_RECORD] = "record",
        [FACT_PART] = "part", [FACT_DIGEST] = "digest", [FACT_FEATURE] = "id",
    };
    for (int i = 0; i < FACT_COUNT; i++)
        if (str_eq(name, str_of(names[i])))
            return (enum field_fact)i;
    return FACT_COUNT;
}
