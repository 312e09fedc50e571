/* See watch_compare.h. Of a conjunction one part is enough, as candidates are checked whole. Parts that
 * order the same attribute are one interval: each may be met by another instance of it, so that the
 * attribute is asked for from its least to its greatest number, and whoever matches overlaps that. */
#include "broker/watch_compare.h"

#include <math.h>

static bool names_attribute(const struct compare *c)
{
    return !c->link_count && c->path_count == 1 && !c->value_path_count && c->member == MEMBER_NONE &&
           c->operand_count > 0;
}

static bool is_equality(const struct compare *c)
{
    if (c->op != COMPARE_EQ || c->range || !names_attribute(c))
        return false;
    for (uint32_t i = 0; i < c->operand_count; i++)
        if (c->operands[i].kind != OPERAND_STRING && c->operands[i].kind != OPERAND_NUMBER)
            return false;
    return true;
}

const struct compare *watch_equality(const struct filter *q)
{
    if (!q)
        return NULL;
    if (q->kind == FILTER_COMPARE)
        return is_equality(q->compare) ? q->compare : NULL;
    const struct compare *found = NULL;
    for (uint32_t i = 0; q->kind == FILTER_AND && !found && i < q->count; i++)
        found = watch_equality(q->parts[i]);
    return found;
}

/* The numbers that meet c; false: it is about something else. */
static bool interval_of(const struct compare *c, struct watch_range *r)
{
    *r = (struct watch_range){-INFINITY, INFINITY};
    if (!names_attribute(c) || c->operands[0].kind != OPERAND_NUMBER)
        return false;
    double number = c->operands[0].number;
    switch ((enum compare_op)c->op) {
    case COMPARE_GT:
        r->low = nextafter(number, INFINITY);
        return true;
    case COMPARE_GE:
        r->low = number;
        return true;
    case COMPARE_LT:
        r->high = nextafter(number, -INFINITY);
        return true;
    case COMPARE_LE:
        r->high = number;
        return true;
    case COMPARE_EQ:
        if (!c->range || c->operands[1].kind != OPERAND_NUMBER)
            return false;
        *r = (struct watch_range){number, c->operands[1].number};
        return true;
    default:
        return false;
    }
}

static void narrow(const struct filter *q, const struct name **attr, struct watch_range *r)
{
    struct watch_range part;
    for (uint32_t i = 0; q->kind == FILTER_AND && i < q->count; i++)
        narrow(q->parts[i], attr, r);
    if (q->kind != FILTER_COMPARE || !interval_of(q->compare, &part))
        return;
    if (!*attr)
        *attr = &q->compare->path[0];
    if (!str_eq((*attr)->iri, q->compare->path[0].iri))
        return;
    r->low = part.low > r->low ? part.low : r->low;
    r->high = part.high < r->high ? part.high : r->high;
}

bool watch_interval(const struct filter *q, const struct name **attr, struct watch_range *r)
{
    *attr = NULL;
    *r = (struct watch_range){-INFINITY, INFINITY};
    if (q)
        narrow(q, attr, r);
    return *attr != NULL;
}
