/* The HTTP seam with a trivial handler, to be measured beside bench/bound/socket_bound.
 *
 *   seam [--listen HOST:PORT] [--bytes N] [--deferred]
 *
 * Answers GET with N bytes (200) and everything else with 204. --deferred: the requests of a round
 * of the loop go to another thread as one group and come back as one, as from a committer. */
#include "base/arena.h"
#include "net/http_server.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct deferred {
    struct task task;
    struct http_request *request;
};

struct seam {
    struct http_server *server;
    char *body;
    size_t bytes;
    bool deferred;
    struct loop *loop;
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct task *asked; /* of this round, newest first */
    struct loop_timer asking;
    struct task *queue; /* for the other thread, newest first */
};

static struct seam the_seam = {.lock = PTHREAD_MUTEX_INITIALIZER, .some = PTHREAD_COND_INITIALIZER};

static void answer(struct http_request *r)
{
    struct http_response a = {.status = 204};
    if (r->method == HTTP_GET) {
        a.status = 200;
        a.body = (struct str){the_seam.body, the_seam.bytes};
        http_response_header(&a, "Content-Type", STR("application/json"));
    }
    http_respond(r, &a);
}

static void answer_task(struct task *t)
{
    answer(container_of(t, struct deferred, task)->request);
}

static void handle(void *arg, struct http_request *r)
{
    (void)arg;
    if (!the_seam.deferred) {
        answer(r);
        return;
    }
    struct deferred *d = arena_alloc(r->arena, sizeof *d);
    *d = (struct deferred){.task.run = answer_task, .request = r};
    if (!the_seam.asked)
        loop_timer_set(the_seam.loop, &the_seam.asking, 0);
    d->task.next = the_seam.asked;
    the_seam.asked = &d->task;
}

static void hand_over(struct loop_timer *t)
{
    (void)t;
    struct task *last = the_seam.asked;
    while (last->next)
        last = last->next;
    pthread_mutex_lock(&the_seam.lock);
    bool was_empty = !the_seam.queue;
    last->next = the_seam.queue;
    the_seam.queue = the_seam.asked;
    pthread_mutex_unlock(&the_seam.lock);
    the_seam.asked = NULL;
    if (was_empty)
        pthread_cond_signal(&the_seam.some);
}

static void refuse(void *arg, struct http_request *r, const struct why *why)
{
    (void)arg;
    struct http_response a = {.status = 400, .body = str_of(why->text)};
    http_respond(r, &a);
}

static void *complete_groups(void *arg)
{
    (void)arg;
    for (;;) {
        pthread_mutex_lock(&the_seam.lock);
        while (!the_seam.queue)
            pthread_cond_wait(&the_seam.some, &the_seam.lock);
        struct task *first = the_seam.queue;
        the_seam.queue = NULL;
        pthread_mutex_unlock(&the_seam.lock);
        loop_runner(the_seam.loop)->post_chain(loop_runner(the_seam.loop), first);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct str listen = STR("127.0.0.1:0");
    the_seam.bytes = 600;
    for (int i = 1; i < argc; i++) {
        struct str flag = str_of(argv[i]);
        if (str_eq(flag, STR("--deferred")))
            the_seam.deferred = true;
        else if (str_eq(flag, STR("--listen")) && i + 1 < argc)
            listen = str_of(argv[++i]);
        else if (str_eq(flag, STR("--bytes")) && i + 1 < argc)
            the_seam.bytes = (size_t)atol(argv[++i]);
        else
            return fprintf(stderr, "unknown option %s\n", argv[i]), 2;
    }
    the_seam.body = mem_alloc(the_seam.bytes);
    memset(the_seam.body, 'x', the_seam.bytes);
    struct http_server_options o = {.address = listen,
                                    .connections_max = 20000,
                                    .idle_timeout_s = 60,
                                    .request_timeout_s = 30,
                                    .uri_bytes_max = 8 << 10,
                                    .header_bytes_max = 11 << 10,
                                    .body_bytes_max = 64 << 20,
                                    .stream_pending_bytes_max = 1 << 20,
                                    .handle = handle,
                                    .refuse = refuse};
    struct why why;
    why_clear(&why);
    if (loop_new(&the_seam.loop, NULL) != OK ||
        http_server_start(&the_seam.server, the_seam.loop, &o, &why) != OK)
        return fprintf(stderr, "%s\n", why.text), 1;
    printf("%.*s\n", STR_ARG(http_server_address(the_seam.server)));
    fflush(stdout);
    the_seam.asking.fire = hand_over;
    pthread_t t;
    if (the_seam.deferred && pthread_create(&t, NULL, complete_groups, NULL) != 0)
        return 1;
    loop_run(the_seam.loop);
    return 0;
}
