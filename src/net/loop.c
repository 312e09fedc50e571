/* One event loop: a round is wait → descriptors → posted tasks → timers.
 *
 * Invariants:
 * - Everything but `inbox`, `sleeping` and `stopping` belongs to the loop's thread.
 * - The inbox is a stack that posters push onto without a lock and the loop takes whole;
 *   reversed, it gives each poster's tasks in its own order.
 * - A poster writes to the eventfd only when it finds the loop asleep. The loop says that it
 *   sleeps before it looks at the inbox for the last time, a poster pushes before it looks at
 *   `sleeping`; both in sequentially consistent order, so that one of them sees the other.
 * - A removed descriptor is also taken out of the events still to be handed out this round. */
#include "net/loop.h"

#include "base/arena.h"
#include "base/time.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { EVENTS_MAX = 256, HEAP_FIRST = 64 };

struct loop {
    struct runner runner;
    const struct loop_hooks *hooks;
    int epoll_fd;
    int wake_fd;
    _Atomic(struct task *) inbox; /* newest first */
    atomic_bool sleeping;
    atomic_bool stopping;
    struct epoll_event events[EVENTS_MAX];
    int event_next, event_count; /* still to be handed out: [next, count) */
    struct loop_timer **heap;    /* [1..timers], the earliest first */
    size_t timers, heap_cap;
};

static void wake(struct loop *l)
{
    if (!atomic_load(&l->sleeping) || !atomic_exchange(&l->sleeping, false))
        return;
    uint64_t one = 1;
    ssize_t n;
    do
        n = write(l->wake_fd, &one, sizeof one);
    while (n < 0 && errno == EINTR);
}

/* first … last are linked newest first. */
static void push(struct loop *l, struct task *newest, struct task *oldest)
{
    struct task *top = atomic_load_explicit(&l->inbox, memory_order_relaxed);
    do
        oldest->next = top;
    while (!atomic_compare_exchange_weak(&l->inbox, &top, newest));
    wake(l);
}

static struct task *reverse(struct task *t)
{
    struct task *reversed = NULL;
    while (t) {
        struct task *next = t->next;
        t->next = reversed;
        reversed = t;
        t = next;
    }
    return reversed;
}

static void post(struct runner *r, struct task *t)
{
    push(container_of(r, struct loop, runner), t, t);
}

static void post_chain(struct runner *r, struct task *first)
{
    if (first)
        push(container_of(r, struct loop, runner), reverse(first), first);
}

enum status loop_new(struct loop **out, const struct loop_hooks *hooks)
{
    static const struct loop_hooks none;
    struct loop *l = mem_zalloc(sizeof *l);
    l->runner = (struct runner){post, post_chain};
    l->hooks = hooks ? hooks : &none;
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
    if (l->epoll_fd < 0 || l->wake_fd < 0 ||
        epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->wake_fd, &e) != 0) {
        loop_free(l);
        return E_IO;
    }
    *out = l;
    return OK;
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    if (l->epoll_fd >= 0)
        close(l->epoll_fd);
    if (l->wake_fd >= 0)
        close(l->wake_fd);
    free(l->heap);
    free(l);
}

struct runner *loop_runner(struct loop *l)
{
    return &l->runner;
}

void loop_stop(struct loop *l)
{
    atomic_store(&l->stopping, true);
    wake(l);
}

bool loop_thread_join(pthread_t thread, int64_t due_us)
{
    while (pthread_tryjoin_np(thread, NULL) != 0) { /* the thread sanitizer knows this one, not pthread_clockjoin_np */
        if (time_monotonic() >= due_us)
            return false;
        usleep(1000);
    }
    return true;
}

/* ---- descriptors ---- */

enum status loop_fd_add(struct loop *l, struct loop_fd *f, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = f};
    return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, f->fd, &e) == 0 ? OK : E_IO;
}

void loop_fd_change(struct loop *l, struct loop_fd *f, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = f};
    int failed = epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, f->fd, &e);
    assert(!failed);
    (void)failed;
}

void loop_fd_remove(struct loop *l, struct loop_fd *f)
{
    /* fails when the descriptor was closed before: it has left the set then */
    epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, f->fd, NULL);
    for (int i = l->event_next; i < l->event_count; i++)
        if (l->events[i].data.ptr == f)
            l->events[i].data.ptr = NULL;
}

static void dispatch_events(struct loop *l)
{
    while (l->event_next < l->event_count) {
        struct epoll_event e = l->events[l->event_next++];
        struct loop_fd *f = e.data.ptr;
        if (f)
            f->ready(f, e.events);
    }
}

/* ---- timers: a binary heap, indices from 1 ---- */

static void heap_put(struct loop *l, size_t i, struct loop_timer *t)
{
    l->heap[i] = t;
    t->heap_index = i;
}

static void heap_up(struct loop *l, size_t i, struct loop_timer *t)
{
    for (; i > 1 && t->due_us < l->heap[i / 2]->due_us; i /= 2)
        heap_put(l, i, l->heap[i / 2]);
    heap_put(l, i, t);
}

static void heap_down(struct loop *l, size_t i, struct loop_timer *t)
{
    for (size_t child = 2 * i; child <= l->timers; child = 2 * i) {
        if (child < l->timers && l->heap[child + 1]->due_us < l->heap[child]->due_us)
            child++;
        if (t->due_us <= l->heap[child]->due_us)
            break;
        heap_put(l, i, l->heap[child]);
        i = child;
    }
    heap_put(l, i, t);
}

/* t goes to the free place i or above or below it. */
static void heap_settle(struct loop *l, size_t i, struct loop_timer *t)
{
    if (i > 1 && t->due_us < l->heap[i / 2]->due_us)
        heap_up(l, i, t);
    else
        heap_down(l, i, t);
}

void loop_timer_set(struct loop *l, struct loop_timer *t, int64_t due_us)
{
    t->due_us = due_us;
    if (t->heap_index) {
        heap_settle(l, t->heap_index, t);
        return;
    }
    if (l->timers + 2 > l->heap_cap) {
        l->heap_cap = l->heap_cap ? 2 * l->heap_cap : HEAP_FIRST;
        l->heap = mem_realloc(l->heap, l->heap_cap * sizeof *l->heap);
    }
    heap_up(l, ++l->timers, t);
}

void loop_timer_clear(struct loop *l, struct loop_timer *t)
{
    size_t i = t->heap_index;
    if (!i)
        return;
    assert(l->heap[i] == t);
    t->heap_index = 0;
    struct loop_timer *last = l->heap[l->timers--];
    if (last != t)
        heap_settle(l, i, last);
}

/* At most as many as were set when the round began: a timer that sets itself again for now
 * must not keep the descriptors waiting. */
static void fire_timers(struct loop *l)
{
    if (!l->timers)
        return;
    int64_t now = time_monotonic();
    for (size_t n = l->timers; n && l->timers && l->heap[1]->due_us <= now; n--) {
        struct loop_timer *t = l->heap[1];
        loop_timer_clear(l, t);
        t->fire(t);
    }
}

static int wait_ms(const struct loop *l)
{
    if (!l->timers)
        return -1;
    int64_t us = l->heap[1]->due_us - time_monotonic();
    if (us <= 0)
        return 0;
    int64_t ms = (us + 999) / 1000;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* ---- the round ---- */

static void run_tasks(struct loop *l)
{
    if (!atomic_load_explicit(&l->inbox, memory_order_relaxed))
        return;
    struct task *t = reverse(atomic_exchange(&l->inbox, NULL));
    while (t) {
        struct task *next = t->next; /* t may be gone after it ran */
        t->run(t);
        t = next;
    }
}

static void drain_wake(struct loop *l)
{
    uint64_t count;
    ssize_t n = read(l->wake_fd, &count, sizeof count);
    (void)n; /* empty is fine */
}

static void call_hook(const struct loop *l, void (*hook)(void *arg))
{
    if (hook)
        hook(l->hooks->arg);
}

static int take_events(struct loop *l, int ms)
{
    int n = epoll_wait(l->epoll_fd, l->events, EVENTS_MAX, ms);
    assert(n >= 0 || errno == EINTR);
    return n < 0 ? 0 : n;
}

static int block(struct loop *l, int ms)
{
    call_hook(l, l->hooks->before_wait);
    atomic_store(&l->sleeping, true);
    if (atomic_load(&l->inbox) || atomic_load(&l->stopping))
        ms = 0;
    int n = take_events(l, ms);
    atomic_store_explicit(&l->sleeping, false, memory_order_relaxed);
    call_hook(l, l->hooks->after_wait);
    return n;
}

static void go_on(struct loop *l)
{
    if (l->hooks->between) {
        l->hooks->between(l->hooks->arg);
        return;
    }
    call_hook(l, l->hooks->before_wait);
    call_hook(l, l->hooks->after_wait);
}

/* Whether there is more to do is looked at first, because who blocks makes others start work that had
 * better wait while more comes. */
static void wait_events(struct loop *l)
{
    int ms = wait_ms(l), n = take_events(l, 0);
    if (n || ms == 0 || atomic_load_explicit(&l->inbox, memory_order_relaxed))
        go_on(l);
    else
        n = block(l, ms);
    l->event_next = 0;
    l->event_count = n;
    for (int i = 0; i < n; i++)
        if (!l->events[i].data.ptr)
            drain_wake(l);
}

void loop_run(struct loop *l)
{
    const struct loop_hooks *h = l->hooks;
    if (h->thread_start)
        h->thread_start(h->arg);
    while (!atomic_load(&l->stopping)) {
        wait_events(l);
        dispatch_events(l);
        run_tasks(l);
        fire_timers(l);
    }
    atomic_store(&l->stopping, false);
    if (h->thread_stop)
        h->thread_stop(h->arg);
}
