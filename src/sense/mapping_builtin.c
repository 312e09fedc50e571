/* Why: the mappings for data that cities share are part of the program, so that an import needs no
 * file besides the data. */
#include "sense/mapping.h"
#include "sense/mapping_table.h"

struct str mapping_builtin(struct str name)
{
    for (const struct mapping_text *t = mapping_table; t->name; t++)
        if (str_eq(name, str_of(t->name)))
            return str_of(t->text);
    return STR_NONE;
}

struct str mapping_builtin_names(struct arena *a)
{
    struct str list = STR("");
    for (const struct mapping_text *t = mapping_table; t->name; t++)
        list = arena_printf(a, "%.*s%s%s", STR_ARG(list), list.n ? ", " : "", t->name);
    return list;
}
