/* See receiver.h. */
#include "broker/receiver.h"

#include "base/arena.h"
#include "base/task.h"

#include <assert.h>
#include <stdlib.h>

struct receiver {
    struct named named;
    struct link waiting;     /* for a turn, first come first */
    const struct turn *next; /* the one that tries now */
    uint32_t max, under_way;
    uint32_t refs; /* turns, had and waited for, and those who pass */
    bool passing;
};

void receivers_free(struct receivers *all)
{
    for (struct named *n = named_first(&all->table), *next; n; n = next) {
        next = named_next(&all->table, n);
        named_remove(&all->table, n);
        free(container_of(n, struct receiver, named));
    }
    named_free(&all->table);
}

/* Scheme and authority. */
static struct str name_of(struct str uri)
{
    size_t n = str_find(uri, STR("://"));
    n = n == STR_NPOS ? 0 : n + 3;
    while (n < uri.n && uri.p[n] != '/' && uri.p[n] != '?' && uri.p[n] != '#')
        n++;
    return str_head(uri, n);
}

static struct receiver *get(struct receivers *all, struct str name)
{
    struct named *found = named_find(&all->table, name);
    if (found)
        return container_of(found, struct receiver, named);
    struct receiver *r = mem_zalloc(sizeof *r + name.n);
    char *text = (char *)(r + 1);
    memcpy(text, name.p, name.n);
    link_init(&r->waiting);
    r->max = str_eq_fold(str_head(name, 4), STR("mqtt")) ? all->mqtt_max : all->http_max;
    named_add(&all->table, &r->named, (struct str){text, name.n});
    return r;
}

static void put(struct receivers *all, struct receiver *r)
{
    if (--r->refs)
        return;
    named_remove(&all->table, &r->named);
    free(r);
}

bool turn_take(struct receivers *all, struct turn *t, struct str uri)
{
    assert(!t->has);
    struct receiver *r = get(all, name_of(uri));
    bool free_now = r->under_way < r->max && (link_alone(&r->waiting) || r->next == t);
    if (!free_now && t->receiver == r)
        return false;
    r->refs++;
    turn_leave(all, t);
    t->receiver = r;
    t->has = free_now;
    if (free_now) {
        r->under_way++;
    } else {
        link_init(&t->link);
        link_append(&r->waiting, &t->link);
    }
    return free_now;
}

void turn_leave(struct receivers *all, struct turn *t)
{
    if (t->has || !t->receiver)
        return;
    link_remove(&t->link);
    put(all, t->receiver);
    t->receiver = NULL;
}

struct receiver *turn_end(struct turn *t)
{
    struct receiver *r = t->receiver;
    assert(t->has);
    t->has = false;
    t->receiver = NULL;
    r->under_way--;
    return r;
}

void turn_pass(struct receivers *all, struct receiver *r, void (*go)(struct turn *t))
{
    while (!r->passing && r->under_way < r->max && !link_alone(&r->waiting)) {
        struct turn *t = container_of(r->waiting.next, struct turn, link);
        r->refs++;
        turn_leave(all, t);
        r->next = t;
        r->passing = true;
        go(t);
        r->passing = false;
        r->next = NULL;
        put(all, r);
    }
    put(all, r);
}
