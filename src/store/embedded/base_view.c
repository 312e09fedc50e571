/* Views of the base for who reads history while folds write: single values, walks by ascending
 * keys, ranges. */
#include "store/embedded/base_view.h"

#include "base/arena.h"
#include "store/embedded/base_int.h"

#include <stdlib.h>

struct base_view {
    struct base_db_view *view;
};

struct base_view *base_view_open(struct base *b)
{
    struct base_view *v = mem_alloc(sizeof *v);
    v->view = base_db_view_open(b->db);
    return v;
}

void base_view_close(struct base_view *v)
{
    base_db_view_close(v->view);
    free(v);
}

enum status base_view_get(struct base_view *v, struct str key, struct str *bytes, char **owned, struct why *why)
{
    char *error;
    size_t n = 0;
    *owned = base_db_view_get(v->view, key, &n, &error);
    if (error)
        return base_failed(error, "reading history", why);
    if (!*owned)
        return E_NOT_FOUND;
    *bytes = (struct str){*owned, n};
    enum status st = base_open_value(key.p[0], bytes, why);
    if (st != OK)
        free(*owned);
    return st;
}

enum status base_view_position(struct base_view *v, struct base_position *p, struct why *why)
{
    struct str bytes;
    char *owned;
    enum status st = base_view_get(v, STR("p"), &bytes, &owned, why);
    if (st != OK)
        return st;
    st = base_take_position(bytes, p, why);
    free(owned);
    return st;
}

struct base_walk {
    struct base_db_walk *walk;
};

struct base_walk *base_walk_open(struct base_view *v)
{
    struct base_walk *w = mem_alloc(sizeof *w);
    w->walk = base_db_walk_open(v->view);
    return w;
}

void base_walk_close(struct base_walk *w)
{
    base_db_walk_close(w->walk);
    free(w);
}

enum status base_walk_get(struct base_walk *w, struct str key, struct str *bytes, struct why *why)
{
    char *error;
    bool there = base_db_walk_get(w->walk, key, bytes, &error);
    if (error)
        return base_failed(error, "reading history", why);
    return there ? base_open_value(key.p[0], bytes, why) : E_NOT_FOUND;
}

struct range {
    bool (*pair)(void *arg, struct str key, struct str bytes);
    void *arg;
};

static bool range_pair(void *arg, struct str key, struct str v)
{
    struct range *r = arg;
    struct why why = {0};
    if (base_open_value(key.p[0], &v, &why) != OK) /* this one alone; who hears of it sees that it is nothing */
        v = STR("");
    return r->pair(r->arg, key, v);
}

enum status base_view_range(struct base_view *v, struct str from, struct str to, bool backwards,
                            bool (*pair)(void *arg, struct str key, struct str bytes), void *arg, struct why *why)
{
    struct range r = {pair, arg};
    char *error = base_db_view_range(v->view, from, to, backwards, range_pair, &r);
    return error ? base_failed(error, "reading history", why) : OK;
}
