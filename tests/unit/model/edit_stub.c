/* Until model/filter.c is there. */
#include "model/filter.h"

bool type_expr_match(const struct type_expr *t, const struct entity *e)
{
    return entity_has_type(e, t->any[0].types[0].term);
}
