/* When it is folded: the log's bound, who wants it, and the thread that does it. What one fold
 * does is fold_now.c. */
#include "store/embedded/fold.h"

#include "base/log.h"
#include "base/time.h"
#include "store/embedded/embedded_int.h"

#include <stdio.h>
#include <string.h>

enum { RETRY_S = 5 };

void fold_path(const struct embedded *e, char *path, size_t n)
{
    snprintf(path, n, "%s/base", e->dir);
}

/* ---- the log's bound ---- */

/* What is folded goes by whole segments: none but the one being written is as short as it gets. */
static bool log_is_full(struct embedded *e, uint64_t *bytes)
{
    struct journal_figures log;
    journal_figures(e->journal, &log);
    *bytes = log.bytes;
    return log.bytes >= e->o.log_bytes_max && e->fold.segment < journal_segment(e->journal);
}

bool fold_lags(struct embedded *e)
{
    uint64_t bytes;
    if (e->fold.failing || !log_is_full(e, &bytes))
        return false;
    fold_want(e);
    return true;
}

enum status fold_refuses(struct embedded *e, struct why *why)
{
    struct fold *f = &e->fold;
    uint64_t bytes;
    if (!f->failing || !log_is_full(e, &bytes))
        return OK;
    enum status st = OK;
    pthread_mutex_lock(&f->lock);
    f->refusing = f->failing;
    if (f->refusing)
        st = why_limit(why, E_NO_SPACE, NULL, "store.log_bytes",
                       "the log is full (%llu bytes) and cannot be folded into the base store: %s",
                       (unsigned long long)bytes, f->failing_why);
    pthread_mutex_unlock(&f->lock);
    return st;
}

/* An attempt has ended. */
static void note_outcome(struct fold *f, enum status st, const struct why *why)
{
    pthread_mutex_lock(&f->lock);
    f->failing = st != OK;
    f->refusing = f->refusing && f->failing;
    snprintf(f->failing_why, sizeof f->failing_why, "%.119s", why->text);
    pthread_mutex_unlock(&f->lock);
}

void fold_reason(struct embedded *e, char *text, size_t n)
{
    pthread_mutex_lock(&e->fold.lock);
    snprintf(text, n, "the log is full and cannot be folded: %s", e->fold.failing_why);
    pthread_mutex_unlock(&e->fold.lock);
}

/* ---- the thread ---- */

void fold_want(struct embedded *e)
{
    struct fold *f = &e->fold;
    pthread_mutex_lock(&f->lock);
    f->wanted = true;
    pthread_cond_signal(&f->wake);
    pthread_mutex_unlock(&f->lock);
}

bool fold_is_wanted(struct embedded *e)
{
    struct fold *f = &e->fold;
    pthread_mutex_lock(&f->lock);
    bool wanted = f->wanted || f->stopping;
    pthread_mutex_unlock(&f->lock);
    return wanted;
}

void fold_look_again(struct embedded *e)
{
    struct fold *f = &e->fold;
    pthread_mutex_lock(&f->lock);
    f->looks_again = true;
    pthread_cond_signal(&f->wake);
    pthread_mutex_unlock(&f->lock);
}

enum work { WORK_STOP, WORK_FOLD, WORK_SWEEP, WORK_NONE };

/* Until a time of the monotonic clock, in that of condition variables. */
static struct timespec wake_at(int64_t monotonic_us)
{
    int64_t now_us = time_monotonic(), away_us = monotonic_us > now_us ? monotonic_us - now_us : 0;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += away_us / 1000000;
    t.tv_nsec += away_us % 1000000 * 1000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

/* What is to be done next, once there is something. After a failure: a fold, again. */
static enum work wait(struct embedded *e, bool failed)
{
    struct fold *f = &e->fold;
    int64_t due_us = failed ? time_monotonic() + RETRY_S * INT64_C(1000000) : sweep_due_us(e);
    struct timespec t = due_us == INT64_MAX ? (struct timespec){0} : wake_at(due_us);
    bool late = false;
    pthread_mutex_lock(&f->lock);
    while (!f->stopping && !late && !f->looks_again && (failed || !f->wanted)) {
        if (due_us == INT64_MAX)
            pthread_cond_wait(&f->wake, &f->lock);
        else
            late = time_monotonic() >= due_us || pthread_cond_timedwait(&f->wake, &f->lock, &t) != 0;
    }
    bool folds = failed ? late : f->wanted;
    enum work w = f->stopping ? WORK_STOP : folds ? WORK_FOLD : late ? WORK_SWEEP : WORK_NONE;
    f->wanted = f->wanted && w == WORK_NONE;
    f->looks_again = false;
    pthread_mutex_unlock(&f->lock);
    return w;
}

static bool fold_once(struct embedded *e)
{
    struct why why = {0};
    int64_t start_us = time_monotonic();
    enum status st = fold_now(e, &why);
    note_outcome(&e->fold, st, &why);
    if (st != OK)
        log_error("fold failed", log_z("why", why.text));
    else
        log_info("folded", log_i("seq", (int64_t)e->fold.seq),
                 log_f("ms", (double)(time_monotonic() - start_us) / 1000));
    return st == OK;
}

static void sweep_once(struct embedded *e)
{
    struct why why = {0};
    if (sweep_slice(e, &why) != OK)
        log_error("sweep of the history failed", log_z("why", why.text));
}

static void *run(void *arg)
{
    struct embedded *e = arg;
    pthread_setname_np(pthread_self(), "fold");
    bool failed = false;
    reclaim_enter(e->reclaim);
    for (enum work w = WORK_NONE; w != WORK_STOP;) {
        reclaim_offline(e->reclaim);
        w = wait(e, failed);
        reclaim_online(e->reclaim);
        if (w == WORK_NONE || (w == WORK_STOP && e->fold.seq == e->committed_seq))
            continue;
        pthread_mutex_lock(&e->fold.work);
        if (w != WORK_SWEEP || sweep_needs_fold(e))
            failed = !fold_once(e);
        if (w == WORK_SWEEP && !failed)
            sweep_once(e);
        pthread_mutex_unlock(&e->fold.work);
    }
    bound_settle(e);
    reclaim_leave(e->reclaim);
    return NULL;
}

void fold_init(struct embedded *e)
{
    pthread_mutex_init(&e->fold.lock, NULL);
    pthread_mutex_init(&e->fold.work, NULL);
    pthread_cond_init(&e->fold.wake, NULL);
}

enum status fold_start(struct embedded *e, struct why *why)
{
    int error = pthread_create(&e->fold.thread, NULL, run, e);
    if (error)
        return why_set(why, E_INTERNAL, NULL, "starting the fold: %s", strerror(error));
    e->fold.running = true;
    return OK;
}

void fold_stop(struct embedded *e)
{
    struct fold *f = &e->fold;
    if (!f->running)
        return;
    pthread_mutex_lock(&f->lock);
    f->stopping = true;
    pthread_cond_signal(&f->wake);
    pthread_mutex_unlock(&f->lock);
    pthread_join(f->thread, NULL);
    f->running = false;
}

void fold_free(struct embedded *e)
{
    base_close(e->fold.base);
    pthread_mutex_destroy(&e->fold.lock);
    pthread_mutex_destroy(&e->fold.work);
    pthread_cond_destroy(&e->fold.wake);
}
