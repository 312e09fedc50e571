/* See sweeper.h. */
#include "sweeper.h"

#include "store/embedded/embedded_int.h"

enum { NEVER_US = 2000000000 };

void sweeper_retain(struct fixture *f, const char *line)
{
    struct why why = {0};
    struct str lines[1] = {str_of(line)};
    struct store_retention r = {.rules = retention_new(lines, 1, &why), .sweep_interval_us = NEVER_US};
    if (!r.rules)
        fail_msg("%s", why.text);
    store_retain(f->store, &r);
}

void sweeper_fold(struct fixture *f)
{
    struct why why = {0};
    struct embedded *e = embedded_of(f->store);
    pthread_mutex_lock(&e->fold.work);
    if (fold_now(e, &why) != OK)
        fail_msg("%s", why.text);
    pthread_mutex_unlock(&e->fold.work);
}

enum status sweeper_try(struct fixture *f)
{
    struct why why = {0};
    struct embedded *e = embedded_of(f->store);
    pthread_mutex_lock(&e->fold.work);
    enum status st = sweep_now(e, &why);
    pthread_mutex_unlock(&e->fold.work);
    return st;
}

void sweeper_run(struct fixture *f)
{
    sweeper_fold(f);
    assert_int_equal(sweeper_try(f), OK);
}

struct sweep *sweeper_figures(struct fixture *f)
{
    return &embedded_of(f->store)->history.sweep;
}

struct store_swept sweeper_swept(struct fixture *f)
{
    struct store_stats stats;
    store_stats(f->store, &stats);
    return stats.history.swept;
}
