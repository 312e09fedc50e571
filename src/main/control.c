/* Requests are few and slow (a backup): one thread, one connection at a time. */
#include "main/control.h"

#include "base/arena.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096, READ_TIMEOUT_MS = 5000 };

struct control {
    struct store *store;
    int fd;
    int stop[2]; /* a pipe; closing the writing end ends the thread */
    pthread_t thread;
    struct sockaddr_un address;
};

static enum status address_make(const char *dir, struct sockaddr_un *a, struct why *why)
{
    *a = (struct sockaddr_un){.sun_family = AF_UNIX};
    int n = snprintf(a->sun_path, sizeof a->sun_path, "%s/control.sock", dir);
    if (n < 0 || (size_t)n >= sizeof a->sun_path)
        return why_set(why, E_IO, NULL, "the path %s/control.sock is too long for a socket (%zu bytes at most)", dir,
                       sizeof a->sun_path - 1);
    return OK;
}

/* One line without its end; false when none came in time. */
static bool line_read(int fd, char *line, size_t room, int timeout_ms)
{
    size_t n = 0;
    while (n + 1 < room) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, timeout_ms) <= 0)
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
    if (!line_read(fd, line, sizeof line, READ_TIMEOUT_MS))
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
    while (poll(p, 2, -1) >= 0 || errno == EINTR) {
        if (p[1].revents)
            break;
        int fd = p[0].revents ? accept4(c->fd, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (fd < 0)
            continue;
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
    free(c);
}

enum status control_start(struct control **out, struct store *store, const char *dir, struct why *why)
{
    struct control *c = mem_zalloc(sizeof *c);
    c->store = store;
    c->fd = c->stop[0] = -1;
    enum status st = address_make(dir, &c->address, why);
    if (st == OK) {
        unlink(c->address.sun_path); /* the data directory is locked: nobody else serves it */
        c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        mode_t mask = umask(0177);
        if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&c->address, sizeof c->address) != 0 || listen(c->fd, 4) != 0)
            st = why_set(why, E_IO, NULL, "%s: %s", c->address.sun_path, strerror(errno));
        umask(mask);
    }
    if (st == OK && pipe(c->stop) != 0)
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
    unlink(c->address.sun_path);
    release(c);
}

enum status control_order(const char *dir, const char *line, struct why *why)
{
    struct sockaddr_un address;
    char answer[LINE_MAX_BYTES];
    enum status st = address_make(dir, &address, why);
    if (st != OK)
        return st;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return why_set(why, E_IO, NULL, "no socket: %s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        st = why_set(why, E_NOT_FOUND, NULL, "no city is running on %s (%s)", dir, strerror(errno));
    } else {
        line_write(fd, line);
        if (!line_read(fd, answer, sizeof answer, -1))
            st = why_set(why, E_IO, NULL, "the city closed the connection");
        else if (strcmp(answer, "ok") != 0)
            st = why_set(why, E_IO, NULL, "%s", answer);
    }
    close(fd);
    return st;
}
