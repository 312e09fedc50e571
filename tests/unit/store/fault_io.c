/* See fault_io.h. */
#include "fault_io.h"

#include "base/task.h"

#include <errno.h>
#include <stddef.h>

static struct fault_io *of(const struct embedded_io *io)
{
    return container_of(io, struct fault_io, io);
}

/* True when a fault of this kind is due. */
static bool due(_Atomic int *left)
{
    if (*left == 0)
        return false;
    if (*left > 0)
        (*left)--;
    return true;
}

static int write_at(const struct embedded_io *io, int fd, const void *p, size_t n, uint64_t at)
{
    struct fault_io *f = of(io);
    f->writes++;
    int64_t budget = f->budget;
    if (budget < (int64_t)n) { /* what fits is written, as a full disk does it */
        if (budget > 0)
            (void)embedded_io_os.write_at(io, fd, p, (size_t)budget, at);
        f->budget = 0;
        return ENOSPC;
    }
    if (budget != INT64_MAX)
        f->budget -= (int64_t)n;
    return embedded_io_os.write_at(io, fd, p, n, at);
}

static int allocate(const struct embedded_io *io, int fd, uint64_t n)
{
    struct fault_io *f = of(io);
    if (f->budget < (int64_t)n)
        return ENOSPC;
    return embedded_io_os.allocate(io, fd, n);
}

static int sync_data(const struct embedded_io *io, int fd)
{
    struct fault_io *f = of(io);
    f->syncs++;
    pthread_mutex_lock(&f->lock);
    while (f->held && !f->passes) {
        f->waiting = true;
        pthread_cond_broadcast(&f->moved);
        pthread_cond_wait(&f->moved, &f->lock);
    }
    f->waiting = false;
    f->passes -= f->held;
    pthread_mutex_unlock(&f->lock);
    return due(&f->sync_errors) ? EIO : embedded_io_os.sync_data(io, fd);
}

static int truncate_(const struct embedded_io *io, int fd, uint64_t n)
{
    return due(&of(io)->truncate_errors) ? EIO : embedded_io_os.truncate(io, fd, n);
}

static int rename_(const struct embedded_io *io, const char *from, const char *to)
{
    struct fault_io *f = of(io);
    if (f->on_rename)
        f->on_rename(to);
    return due(&f->rename_errors) ? EIO : embedded_io_os.rename(io, from, to);
}

static int space(const struct embedded_io *io, const char *path, uint64_t *free_bytes)
{
    (void)path;
    *free_bytes = of(io)->space;
    return 0;
}

void fault_io_init(struct fault_io *f)
{
    *f = (struct fault_io){.io = embedded_io_os, .budget = INT64_MAX, .space = UINT64_MAX};
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->moved, NULL);
    f->io.write_at = write_at;
    f->io.allocate = allocate;
    f->io.sync_data = sync_data;
    f->io.truncate = truncate_;
    f->io.rename = rename_;
    f->io.space = space;
}

void fault_io_hold(struct fault_io *f)
{
    pthread_mutex_lock(&f->lock);
    f->held = true;
    pthread_mutex_unlock(&f->lock);
}

void fault_io_release(struct fault_io *f)
{
    pthread_mutex_lock(&f->lock);
    f->held = false;
    pthread_cond_broadcast(&f->moved);
    pthread_mutex_unlock(&f->lock);
}

void fault_io_step(struct fault_io *f)
{
    pthread_mutex_lock(&f->lock);
    f->passes++;
    pthread_cond_broadcast(&f->moved);
    pthread_mutex_unlock(&f->lock);
}

void fault_io_wait(struct fault_io *f)
{
    pthread_mutex_lock(&f->lock);
    while (!f->waiting)
        pthread_cond_wait(&f->moved, &f->lock);
    pthread_mutex_unlock(&f->lock);
}
