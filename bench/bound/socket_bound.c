/* The socket bound (docs: performance): what a bare epoll server reaches that answers the same
 * bytes to the same requests with the least parsing that is correct.
 *
 *   socket_bound [--listen HOST:PORT] [--bytes N] [--get FILE] [--other FILE] [--deferred]
 *
 * It finds the end of a head, its Content-Length and "Connection: close", skips the body, and
 * serves kept and pipelined connections. GET is answered with a head like ours and N bytes
 * (default 600), everything else with 204; --get and --other name files with whole answers, head
 * included, to send instead. --deferred: a second thread takes all waiting requests as one group
 * and hands them back as one group, one wake-up each way, as a committer does; the thread does
 * nothing else. Prints the address it listens on. Not for the open network: no limits. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IN_FIRST = 8192, EVENTS = 256 };

struct bytes {
    char *p;
    size_t n, cap;
};

struct connection {
    int fd;
    struct bytes in, out;
    size_t skip; /* of a body still to come */
    size_t sent; /* of out */
    bool close_after, writing;
    bool waiting; /* deferred: handed to the other thread */
    bool gone;    /* closed while waiting */
    char method;
    struct connection *next;
};

static struct bytes get_answer, other_answer;
static int epoll_fd, listen_fd, done_fd;
static bool deferred;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t some = PTHREAD_COND_INITIALIZER;
static struct connection *asked, *done; /* deferred: to and from the other thread */

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void reserve(struct bytes *b, size_t more)
{
    if (b->cap - b->n >= more)
        return;
    while (b->cap - b->n < more)
        b->cap = b->cap ? 2 * b->cap : IN_FIRST;
    b->p = realloc(b->p, b->cap);
    if (!b->p)
        die("realloc");
}

static void append(struct bytes *b, const struct bytes *from)
{
    reserve(b, from->n);
    memcpy(b->p + b->n, from->p, from->n);
    b->n += from->n;
}

static void connection_close(struct connection *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    c->gone = true;
    if (c->waiting)
        return; /* freed when it comes back */
    free(c->in.p);
    free(c->out.p);
    free(c);
}

/* False when the connection is gone. */
static bool flush(struct connection *c)
{
    while (c->sent < c->out.n) {
        ssize_t n = send(c->fd, c->out.p + c->sent, c->out.n - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0) {
            connection_close(c);
            return false;
        }
        c->sent += (size_t)n;
    }
    bool left = c->sent < c->out.n;
    if (!left)
        c->out.n = c->sent = 0;
    if (left != c->writing) {
        struct epoll_event e = {.events = left ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = c};
        epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &e);
        c->writing = left;
    }
    if (!left && c->close_after && !c->waiting) {
        connection_close(c);
        return false;
    }
    return true;
}

/* Looks at the header lines of a head for the two that matter. */
static size_t head_read(struct connection *c, const char *p, const char *end)
{
    size_t length = 0;
    while ((p = memchr(p, '\n', (size_t)(end - p))) && ++p < end) {
        if ((*p | 0x20) != 'c')
            continue;
        if (strncasecmp(p, "content-length:", 15) == 0)
            length = strtoul(p + 15, NULL, 10);
        else if (strncasecmp(p, "connection: close", 17) == 0)
            c->close_after = true;
    }
    return length;
}

static void answer(struct connection *c)
{
    append(&c->out, c->method == 'G' ? &get_answer : &other_answer);
}

/* Takes whole requests off the front of in, one when answers are deferred. */
static void take_requests(struct connection *c, struct connection **asking)
{
    size_t at = 0;
    while (!c->waiting && at < c->in.n) {
        if (c->skip) {
            size_t n = c->skip < c->in.n - at ? c->skip : c->in.n - at;
            c->skip -= n;
            at += n;
            if (c->skip)
                break;
        } else {
            const char *p = c->in.p + at;
            const char *end = memmem(p, c->in.n - at, "\r\n\r\n", 4);
            if (!end)
                break;
            c->method = *p;
            at += (size_t)(end + 4 - p);
            c->skip = head_read(c, p, end + 2);
            if (c->skip)
                continue;
        }
        if (deferred) {
            c->waiting = true;
            c->next = *asking;
            *asking = c;
        } else {
            answer(c);
        }
    }
    memmove(c->in.p, c->in.p + at, c->in.n - at);
    c->in.n -= at;
}

static void ready(struct connection *c, uint32_t events, struct connection **asking)
{
    if (events & EPOLLOUT && !flush(c))
        return;
    if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        return;
    reserve(&c->in, IN_FIRST);
    ssize_t n = recv(c->fd, c->in.p + c->in.n, c->in.cap - c->in.n, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        connection_close(c);
        return;
    }
    c->in.n += (size_t)n;
    take_requests(c, asking);
    if (c->out.n)
        flush(c);
}

static void accept_all(void)
{
    int fd;
    while ((fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *c = calloc(1, sizeof *c);
        if (!c)
            die("calloc");
        c->fd = fd;
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e);
    }
}

/* ---- deferred answers ---- */

static void *complete_groups(void *arg)
{
    (void)arg;
    for (;;) {
        pthread_mutex_lock(&lock);
        while (!asked)
            pthread_cond_wait(&some, &lock);
        struct connection *group = asked, *last = group;
        asked = NULL;
        while (last->next)
            last = last->next;
        last->next = done;
        bool wake = !done;
        done = group;
        pthread_mutex_unlock(&lock);
        uint64_t one = 1;
        if (wake && write(done_fd, &one, sizeof one) != sizeof one)
            die("eventfd");
    }
    return NULL;
}

static void hand_over(struct connection *group)
{
    struct connection *last = group;
    while (last->next)
        last = last->next;
    pthread_mutex_lock(&lock);
    bool wake = !asked;
    last->next = asked;
    asked = group;
    pthread_mutex_unlock(&lock);
    if (wake)
        pthread_cond_signal(&some);
}

static void take_back(struct connection **asking)
{
    uint64_t count;
    if (read(done_fd, &count, sizeof count) < 0)
        return;
    pthread_mutex_lock(&lock);
    struct connection *group = done;
    done = NULL;
    pthread_mutex_unlock(&lock);
    while (group) {
        struct connection *c = group;
        group = c->next;
        c->waiting = false;
        if (c->gone) {
            connection_close(c);
            continue;
        }
        answer(c);
        take_requests(c, asking);
        flush(c);
    }
}

/* ---- start ---- */

static void answers_make(size_t n, const char *get_file, const char *other_file)
{
    static const char *const files[2] = {"get", "other"};
    static const char date[] = "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n";
    char head[200];
    int h = snprintf(head, sizeof head,
                     "HTTP/1.1 200 OK\r\n%sContent-Type: application/json\r\n"
                     "Content-Length: %zu\r\n\r\n",
                     date, n);
    reserve(&get_answer, (size_t)h + n);
    memcpy(get_answer.p, head, (size_t)h);
    memset(get_answer.p + h, 'x', n);
    get_answer.n = (size_t)h + n;
    h = snprintf(head, sizeof head, "HTTP/1.1 204 No Content\r\n%s\r\n", date);
    append(&other_answer, &(struct bytes){head, (size_t)h, 0});
    for (int i = 0; i < 2; i++) {
        const char *name = i ? other_file : get_file;
        struct bytes *b = i ? &other_answer : &get_answer;
        FILE *f = name ? fopen(name, "rb") : NULL;
        if (!name)
            continue;
        if (!f)
            die(files[i]);
        b->n = 0;
        for (size_t got = 1; got;) {
            reserve(b, IN_FIRST);
            b->n += got = fread(b->p + b->n, 1, b->cap - b->n, f);
        }
        fclose(f);
    }
}

static void listen_on(const char *address)
{
    char host[64];
    const char *colon = strrchr(address, ':');
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t length = sizeof a;
    int one = 1;
    snprintf(host, sizeof host, "%.*s", colon ? (int)(colon - address) : 0, address);
    a.sin_port = htons((uint16_t)strtoul(colon ? colon + 1 : "", NULL, 10));
    listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(listen_fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (inet_pton(AF_INET, host, &a.sin_addr) != 1 ||
        bind(listen_fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(listen_fd, 4096) != 0)
        die(address);
    getsockname(listen_fd, (struct sockaddr *)&a, &length);
    printf("%s:%u\n", host, ntohs(a.sin_port));
    fflush(stdout);
}

static void serve(void)
{
    struct epoll_event events[EVENTS];
    for (;;) {
        struct connection *asking = NULL;
        bool back = false;
        int n = epoll_wait(epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == &listen_fd)
                accept_all();
            else if (events[i].data.ptr == &done_fd)
                back = true;
            else
                ready(events[i].data.ptr, events[i].events, &asking);
        }
        if (back) /* last: it may free connections that have events too */
            take_back(&asking);
        if (asking)
            hand_over(asking);
    }
}

int main(int argc, char **argv)
{
    const char *address = "127.0.0.1:0", *get_file = NULL, *other_file = NULL;
    size_t n = 600;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--deferred") == 0) {
            deferred = true;
            continue;
        }
        if (strcmp(argv[i], "--listen") == 0)
            address = value;
        else if (strcmp(argv[i], "--bytes") == 0)
            n = strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--get") == 0)
            get_file = value;
        else if (strcmp(argv[i], "--other") == 0)
            other_file = value;
        else
            return fprintf(stderr, "unknown option %s\n", argv[i]), 2;
        i++;
    }
    answers_make(n, get_file, other_file);
    listen_on(address);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = &listen_fd};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &e);
    e.data.ptr = &done_fd;
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, done_fd, &e);
    pthread_t t;
    if (deferred && pthread_create(&t, NULL, complete_groups, NULL) != 0)
        die("pthread_create");
    serve();
    return 0;
}
