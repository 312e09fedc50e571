/* See loop.h. */
#include "loop.h"

#include "base/log.h"
#include "base/time.h"
#include "fault_shim.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    struct runner runner;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct task *first, **last;
    struct store *store;
    uint64_t seed;
} loop = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER, .seed = 88172645463325252u};

static void post_chain(struct runner *runner, struct task *first)
{
    (void)runner;
    pthread_mutex_lock(&loop.lock);
    *loop.last = first;
    while (*loop.last)
        loop.last = &(*loop.last)->next;
    pthread_cond_signal(&loop.wake);
    pthread_mutex_unlock(&loop.lock);
}

static void post(struct runner *runner, struct task *task)
{
    task->next = NULL;
    post_chain(runner, task);
}

void loop_begin(int argc, char **argv)
{
    if (argc < 3)
        exit(2);
    log_setup(LOG_LOGFMT, LOG_WARN_, STDERR_FILENO);
    if (!strcmp(argv[1], "rebuild") && argc == 4)
        exit(fault_shim_rebuild(argv[2], argv[3]) ? (perror("rebuild"), 2) : 0);
    loop.seed += loop_figure(argc, argv, "--seed", "0") * 7919u;
    const char *shadow = loop_option(argc, argv, "--shadow", NULL);
    if (shadow)
        fault_shim_start(argv[2], shadow, loop_figure(argc, argv, "--crash-at", "0"));
}

uint32_t loop_below(uint32_t n)
{
    loop.seed ^= loop.seed << 13;
    loop.seed ^= loop.seed >> 7;
    loop.seed ^= loop.seed << 17;
    return (uint32_t)(loop.seed >> 20) % n;
}

struct embedded_options loop_store(const char *dir, bool interval)
{
    return (struct embedded_options){
        .dir = dir,
        .durability = interval ? EMBEDDED_INTERVAL : EMBEDDED_SYNC,
        .interval_ms = 10,
        .segment_bytes = 64 << 10,
        .log_bytes_max = 256 << 10,
        .group_bytes_max = 32 << 10,
        .tenants_max = 10,
        .value_indexes_max = 4,
        .visit_slice = 1000,
        .clock = &clock_system,
    };
}

struct runner *loop_runner(void)
{
    return &loop.runner;
}

struct store *loop_open(const struct embedded_options *o, struct terms *terms)
{
    struct why why = {0};
    if (embedded_open(&loop.store, terms, o, &why) != OK)
        loop_die("open", why.text);
    loop.runner = (struct runner){post, post_chain};
    loop.last = &loop.first;
    store_thread_enter(loop.store);
    return loop.store;
}

void loop_close(struct terms *terms, struct arena *a)
{
    store_thread_leave(loop.store);
    store_close(loop.store);
    terms_free(terms);
    arena_free(a);
}

static void tell(void *arg, const char *text)
{
    (void)arg;
    fprintf(stderr, "%s\n", text);
}

bool loop_check(const char *dir)
{
    struct embedded_report report;
    struct why why = {0};
    if (embedded_check(dir, &report, tell, NULL, &why) == OK)
        return true;
    fprintf(stderr, "%s\n", why.text);
    return false;
}

void loop_run(void)
{
    store_thread_offline(loop.store);
    pthread_mutex_lock(&loop.lock);
    while (!loop.first)
        pthread_cond_wait(&loop.wake, &loop.lock);
    struct task *t = loop.first;
    loop.first = NULL;
    loop.last = &loop.first;
    pthread_mutex_unlock(&loop.lock);
    store_thread_online(loop.store);
    for (struct task *next; t; t = next) {
        next = t->next;
        t->run(t);
    }
}

void loop_say(const char *line)
{
    size_t n = strlen(line);
    if (write(STDOUT_FILENO, line, n) != (ssize_t)n)
        exit(3);
}

void loop_die(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(2);
}

struct reading {
    struct store_evolve evolve;
    bool done;
};

static void read_done(struct store_call *call)
{
    container_of(call, struct reading, evolve.call)->done = true;
}

struct store_evolve loop_evolve(const struct caller *caller, struct str id, uint32_t methods, struct arena *arena)
{
    struct temporal_query all = {.from_us = INT64_MIN, .to_us = INT64_MAX, .methods = methods};
    struct reading r = {.evolve = {.call = {.home = &loop.runner, .done = read_done},
                                   .caller = caller,
                                   .id = id,
                                   .time = &all,
                                   .points_max = 10000000,
                                   .buckets_max = 10,
                                   .arena = arena}};
    r.done = store_evolve(loop.store, &r.evolve);
    while (!r.done)
        loop_run();
    if (r.evolve.call.status != OK && r.evolve.call.status != E_NOT_FOUND && r.evolve.call.status != E_NO_TENANT)
        loop_die("read", r.evolve.call.why.text);
    r.evolve.time = NULL; /* it was ours */
    return r.evolve;
}

struct attr loop_number(uint32_t term, int64_t v)
{
    return (struct attr){.term = term,
                         .kind = ATTR_PROPERTY,
                         .dataset = STR(""),
                         .value = {.kind = VALUE_INT, .integer = v},
                         .observed_at = TIME_NONE,
                         .expires_at = TIME_NONE,
                         .created_at = TIME_NONE,
                         .modified_at = TIME_NONE};
}

const char *loop_option(int argc, char **argv, const char *name, const char *fallback)
{
    for (int i = 3; i + 1 < argc; i++)
        if (!strcmp(argv[i], name))
            return argv[i + 1];
    return fallback;
}

unsigned loop_figure(int argc, char **argv, const char *name, const char *fallback)
{
    return (unsigned)strtoul(loop_option(argc, argv, name, fallback), NULL, 10);
}

bool loop_flag(int argc, char **argv, const char *name)
{
    for (int i = 3; i < argc; i++)
        if (!strcmp(argv[i], name))
            return true;
    return false;
}
