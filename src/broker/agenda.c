/* See agenda.h. */
#include "broker/agenda.h"

#include "base/arena.h"

#include <stdlib.h>

static void place(struct agenda *g, uint32_t at, struct agenda_item *i)
{
    g->items[at - 1] = i;
    i->at = at;
}

static void rise(struct agenda *g, uint32_t at, struct agenda_item *i)
{
    for (; at > 1 && g->items[at / 2 - 1]->due_us > i->due_us; at /= 2)
        place(g, at, g->items[at / 2 - 1]);
    place(g, at, i);
}

static void sink(struct agenda *g, uint32_t at, struct agenda_item *i)
{
    for (uint32_t child; (child = 2 * at) <= g->count; at = child) {
        if (child < g->count && g->items[child]->due_us < g->items[child - 1]->due_us)
            child++;
        if (g->items[child - 1]->due_us >= i->due_us)
            break;
        place(g, at, g->items[child - 1]);
    }
    place(g, at, i);
}

void agenda_set(struct agenda *g, struct agenda_item *i, int64_t due_us)
{
    agenda_clear(g, i);
    if (g->count == g->room) {
        g->room = g->room ? 2 * g->room : 64;
        g->items = mem_realloc(g->items, g->room * sizeof(struct agenda_item *));
    }
    i->due_us = due_us;
    rise(g, ++g->count, i);
}

void agenda_clear(struct agenda *g, struct agenda_item *i)
{
    uint32_t at = i->at;
    if (!at)
        return;
    i->at = 0;
    struct agenda_item *last = g->items[--g->count];
    if (last == i)
        return;
    if (at > 1 && g->items[at / 2 - 1]->due_us > last->due_us)
        rise(g, at, last);
    else
        sink(g, at, last);
}

struct agenda_item *agenda_next(struct agenda *g, int64_t now_us)
{
    if (g->count == 0 || g->items[0]->due_us > now_us)
        return NULL;
    struct agenda_item *first = g->items[0];
    agenda_clear(g, first);
    return first;
}

int64_t agenda_first_us(const struct agenda *g)
{
    return g->count ? g->items[0]->due_us : INT64_MAX;
}

void agenda_free(struct agenda *g)
{
    free(g->items);
}
