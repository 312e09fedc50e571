/* Requests are few and slow (a backup): one thread, one connection at a time.
 *
 * The address goes through a descriptor of the directory, /proc/self/fd/N/control.sock,
 * because a socket's path has room for 107 bytes and a directory's may be longer. The
 * mode is set on the socket before it gets its name: umask() would be that of all threads. */
#include "main/control.h"

#include "base/arena.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096, READ_TIMEOUT_MS = 5000, RETRY_MS = 100 };

#define SOCKET_NAME "control.sock"

struct control {
    struct store *store;
    int directory;
    int fd;
    int stop[2]; /* a pipe; closing the writing end ends the thread */
    pthread_t thread;
};

/* The directory's descriptor, which the address needs while it is used; -1 with the reason. */
static int address_make(const char *dir, struct sockaddr_un *a, struct why *why)
{
    int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        why_set(why, errno == ENOENT ? E_NOT_FOUND : E_IO, NULL, "%s: %s", dir, strerror(errno));
    *a = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(a->sun_path, sizeof a->sun_path, "/proc/self/fd/%d/" SOCKET_NAME, fd);
    return fd;
}

/* One line without its end; false when none came by due_us (monotonic, 0: no end), or when the
 * other end of the pipe `stop` was closed (-1: none). */
static bool line_read(int fd, int stop, char *line, size_t room, int64_t due_us)
{
    size_t n = 0;
    while (n + 1 < room) {
        struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = stop, .events = POLLIN}};
        int64_t left_us = due_us ? due_us - time_monotonic() : 0;
        if (due_us && left_us <= 0)
            return false;
        int ready = poll(p, 2, due_us ? (int)(left_us / 1000) + 1 : -1);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0 || p[1].revents)
            return false;
        ssize_t r = read(fd, line + n, room - 1 - n);
        if (r <= 0)
            return false;
        n += (size_t)r;
        line[n] = 0;
        char *end = memchr(line, '\n', n);
        if (end) {
            *end = 0;
            return true;
        }
    }
    return false;
}

static void line_write(int fd, const char *text)
{
    char line[LINE_MAX_BYTES];
    int n = snprintf(line, sizeof line, "%s\n", text);
    size_t length = (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
    if (send(fd, line, length, MSG_NOSIGNAL) < 0)
        return; /* whoever asked has gone */
}

static void serve(struct control *c, int fd)
{
    char line[LINE_MAX_BYTES];
    struct why why;
    why_clear(&why);
    if (!line_read(fd, c->stop[0], line, sizeof line, time_monotonic() + READ_TIMEOUT_MS * 1000))
        return;
    if (strncmp(line, "backup ", 7) != 0 || line[7] != '/')
        line_write(fd, "error: \"backup /ABSOLUTE/PATH\" is the only order");
    else if (store_backup(c->store, line + 7, &why) == OK)
        line_write(fd, "ok");
    else
        line_write(fd, why.text);
}

static void *thread_main(void *arg)
{
    struct control *c = arg;
    struct pollfd p[2] = {{.fd = c->fd, .events = POLLIN}, {.fd = c->stop[0], .events = POLLIN}};
    pthread_setname_np(pthread_self(), "control");
    while (poll(p, 2, -1) >= 0 || errno == EINTR) {
        if (p[1].revents)
            break;
        int fd = p[0].revents ? accept4(c->fd, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (fd < 0) { /* no descriptor left, perhaps: do not spin */
            poll(&p[1], 1, RETRY_MS);
            continue;
        }
        serve(c, fd);
        close(fd);
    }
    return NULL;
}

static void release(struct control *c)
{
    if (c->fd >= 0)
        close(c->fd);
    if (c->stop[0] >= 0)
        close(c->stop[0]);
    if (c->directory >= 0)
        close(c->directory);
    free(c);
}

static enum status listen_on(struct control *c, const char *dir, struct why *why)
{
    struct sockaddr_un address;
    c->directory = address_make(dir, &address, why);
    if (c->directory < 0)
        return E_IO;
    unlinkat(c->directory, SOCKET_NAME, 0); /* the data directory is locked: nobody else serves it */
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || fchmod(c->fd, 0600) != 0 || bind(c->fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(c->fd, 4) != 0)
        return why_set(why, E_IO, NULL, "%s/" SOCKET_NAME ": %s", dir, strerror(errno));
    return OK;
}

enum status control_start(struct control **out, struct store *store, const char *dir, struct why *why)
{
    struct control *c = mem_zalloc(sizeof *c);
    c->store = store;
    c->directory = c->fd = c->stop[0] = -1;
    enum status st = listen_on(c, dir, why);
    if (st == OK && pipe2(c->stop, O_CLOEXEC) != 0)
        st = why_set(why, E_IO, NULL, "no pipe: %s", strerror(errno));
    if (st == OK && pthread_create(&c->thread, NULL, thread_main, c) != 0) {
        close(c->stop[1]);
        st = why_set(why, E_IO, NULL, "no thread for orders");
    }
    if (st != OK) {
        release(c);
        return st;
    }
    *out = c;
    return OK;
}

void control_stop(struct control *c)
{
    close(c->stop[1]);
    pthread_join(c->thread, NULL);
    unlinkat(c->directory, SOCKET_NAME, 0);
    release(c);
}

enum status control_order(const char *dir, const char *line, struct why *why)
{
    struct sockaddr_un address;
    char answer[LINE_MAX_BYTES];
    enum status st = OK;
    if (strlen(line) + 2 > LINE_MAX_BYTES || strchr(line, '\n'))
        return why_set(why, E_BAD_DATA, NULL, "an order is one line of less than %d bytes", LINE_MAX_BYTES);
    int directory = address_make(dir, &address, why);
    if (directory < 0)
        return why->status;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        st = why_set(why, E_IO, NULL, "no socket: %s", strerror(errno));
    } else if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        st = why_set(why, E_NOT_FOUND, NULL, "no city is running on %s (%s)", dir, strerror(errno));
    } else {
        line_write(fd, line);
        if (!line_read(fd, -1, answer, sizeof answer, 0))
            st = why_set(why, E_IO, NULL, "the city closed the connection");
        else if (strcmp(answer, "ok") != 0)
            st = why_set(why, E_IO, NULL, "%s", answer);
    }
    if (fd >= 0)
        close(fd);
    close(directory);
    return st;
}
