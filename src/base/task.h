/* Work that another thread hands to a loop. A store completes its operations by
 * posting to the caller's runner, so that it never calls back on a thread of its
 * own and never inside the call. */
#ifndef BASE_TASK_H
#define BASE_TASK_H

struct task {
    struct task *next; /* owned by whoever holds the task */
    void (*run)(struct task *task);
};

/* A place where tasks run, one after another, in the order posted by each
 * poster. Implemented by net's loop and by tests. Thread-safe; wakes the loop. */
struct runner {
    void (*post)(struct runner *runner, struct task *task);
    /* A chain of tasks linked by next, ending in NULL: one wake-up for all. */
    void (*post_chain)(struct runner *runner, struct task *first);
};

static inline void runner_post(struct runner *r, struct task *t)
{
    r->post(r, t);
}

/* Pointer to the struct that contains `member`. */
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
