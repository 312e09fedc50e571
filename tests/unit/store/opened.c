/* See opened.h. */
#include "opened.h"

#include "store/embedded/base_db.h"
#include "store/embedded/embedded_int.h"

#include <stdio.h>
#include <unistd.h>

void opened_init(struct opened *o)
{
    fixture_directory(o->dir, sizeof o->dir);
    fault_io_init(&o->io);
    manual_clock_init(&o->wall, 1700000000000000, false);
    o->options = fixture_options(o->dir, &o->wall.clock);
    o->options.io = &o->io.io;
}

void opened_start(struct opened *o)
{
    struct why why = {0};
    struct fixture *f = &o->fixture;
    fixture_init(f);
    f->now_us = o->wall.now;
    if (embedded_open(&f->store, f->terms, &o->options, &why) != OK)
        fail_msg("%s", why.text);
    store_thread_enter(f->store);
}

void opened_shut(struct opened *o)
{
    store_thread_leave(o->fixture.store);
    store_close(o->fixture.store);
    fixture_free(&o->fixture);
}

void opened_again(struct opened *o)
{
    opened_shut(o);
    opened_start(o);
}

bool opened_fold(struct opened *o)
{
    struct why why = {0};
    struct embedded *e = embedded_of(o->fixture.store);
    pthread_mutex_lock(&e->fold.work);
    enum status st = fold_now(e, &why);
    pthread_mutex_unlock(&e->fold.work);
    return st == OK;
}

static void say_nothing(const char *text)
{
    (void)text;
}

struct base_db *opened_db(const struct opened *o)
{
    char path[300], *error;
    snprintf(path, sizeof path, "%s/base", o->dir);
    struct base_db *db = base_db_open(path, false, say_nothing, NULL, &error);
    assert_non_null(db);
    return db;
}

void opened_assert_sound(const struct opened *o)
{
    struct embedded_report report;
    struct why why = {0};
    if (embedded_check(o->dir, &report, NULL, NULL, &why) != OK)
        fail_msg("%s", why.text);
}

void opened_end(struct opened *o)
{
    fixture_remove(o->dir);
}

void opened_wait(struct opened *o)
{
    enum { A_LITTLE_US = 10000 };
    store_thread_offline(o->fixture.store);
    usleep(A_LITTLE_US);
    store_thread_online(o->fixture.store);
}

int opened_setup(void **state)
{
    opened_init(*state);
    opened_start(*state);
    return 0;
}

int opened_teardown(void **state)
{
    opened_shut(*state);
    opened_end(*state);
    return 0;
}
