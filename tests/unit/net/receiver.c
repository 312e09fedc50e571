/* Each connection has a thread, which reads whole requests and says what their path asks for. */
#include "receiver.h"

#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { CONNECTIONS_MAX = 4096, REQUEST_MAX = 8 << 20 };

struct guest {
    struct receiver *receiver;
    int fd;
    pthread_t thread;
};
static struct guest guests[CONNECTIONS_MAX];
static atomic_int guest_count;
static pthread_mutex_t guests_lock = PTHREAD_MUTEX_INITIALIZER; /* several receivers accept */
static pthread_t acceptor;
static atomic_bool stopping;

static bool say(int fd, const char *text, size_t n)
{
    while (n) {
        ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        text += sent;
        n -= (size_t)sent;
    }
    return true;
}

static bool say_text(int fd, const char *text)
{
    return say(fd, text, strlen(text));
}

static bool dribble(int fd, const char *text)
{
    for (; *text; text++, usleep(500))
        if (!say(fd, text, 1))
            return false;
    return true;
}

static bool huge(int fd)
{
    static const char block[50000];
    if (!say_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n"))
        return false;
    for (int i = 0; i < 1000; i++)
        if (!say(fd, block, sizeof block))
            return false;
    return true;
}

/* False: the connection is done with. */
static bool answer(int fd, const char *path)
{
    static const struct {
        const char *path, *text;
        bool stays;
    } plain[] = {
        {"/ok ", "HTTP/1.1 204 No Content\r\n\r\n", true},
        {"/ok?a=%20b ", "HTTP/1.1 204 No Content\r\n\r\n", true},
        {"/500 ", "HTTP/1.1 500 Oh\r\nContent-Length: 5\r\n\r\nsorry", true},
        {"/chunked ",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n",
         true},
        {"/interim ",
         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
         true},
        {"/old ", "HTTP/1.0 200 OK\r\n\r\nsome text", false},
        {"/close ", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", false},
        {"/leave ", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false},
        {"/drop ", "", false},
        {"/garbage ", "SSH-2.0-OpenSSH_9.2\r\n", true},
        {"/early ", "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", false},
        {"/unending ", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", true},
        {"/stall ", "", true},
    };
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (strncmp(path, plain[i].path, strlen(plain[i].path)) == 0)
            return say_text(fd, plain[i].text) && plain[i].stays;
    if (strncmp(path, "/dribble ", 9) == 0)
        return dribble(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    if (strncmp(path, "/huge ", 6) == 0)
        return huge(fd);
    return false;
}

/* Reads one request into room; how long it is, or 0. */
static size_t request_read(int fd, char *room)
{
    size_t n = 0, need = 0;
    while (!need || n < need) {
        ssize_t got = recv(fd, room + n, REQUEST_MAX - 1 - n, 0);
        if (got <= 0)
            return 0;
        n += (size_t)got;
        room[n] = 0;
        char *end = strstr(room, "\r\n\r\n"), *length = strstr(room, "\r\nContent-Length: ");
        if (!end)
            continue;
        if (strncmp(room, "POST /early ", 12) == 0)
            return n;
        if (!length || length > end)
            return 0;
        need = (size_t)(end + 4 - room) + (size_t)atol(length + 18);
    }
    return n == need ? n : 0;
}

static void *serve(void *arg)
{
    struct guest *g = arg;
    char *room = malloc(REQUEST_MAX);
    size_t n;
    while ((n = request_read(g->fd, room))) {
        atomic_fetch_add(&g->receiver->posts, 1);
        if (strncmp(room, "POST /", 6) != 0 || !strstr(room, "\r\nHost: "))
            atomic_fetch_add(&g->receiver->wrong, 1);
        if (!answer(g->fd, room + 5))
            break;
    }
    shutdown(g->fd, SHUT_RDWR);
    free(room);
    return NULL;
}

static void *accept_all(void *arg)
{
    struct receiver *r = arg;
    for (int fd; (fd = accept(r->fd, NULL, NULL)) >= 0 && !atomic_load(&stopping);) {
        pthread_mutex_lock(&guests_lock);
        struct guest *g = &guests[guest_count];
        *g = (struct guest){.receiver = r, .fd = fd};
        atomic_fetch_add(&r->connections, 1);
        pthread_create(&g->thread, NULL, serve, g);
        atomic_fetch_add(&guest_count, 1);
        pthread_mutex_unlock(&guests_lock);
    }
    return NULL;
}

void receiver_start(struct receiver *r)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof a;
    atomic_store(&r->connections, 0);
    atomic_store(&r->posts, 0);
    atomic_store(&r->wrong, 0);
    atomic_store(&guest_count, 0);
    atomic_store(&stopping, false);
    r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(r->fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(r->fd, 1024), 0);
    assert_int_equal(getsockname(r->fd, (struct sockaddr *)&a, &length), 0);
    r->port = ntohs(a.sin_port);
    pthread_create(&acceptor, NULL, accept_all, r);
}

void receiver_stop(struct receiver *r)
{
    atomic_store(&stopping, true);
    shutdown(r->fd, SHUT_RDWR);
    pthread_join(acceptor, NULL);
    for (int i = 0; i < guest_count; i++)
        shutdown(guests[i].fd, SHUT_RDWR);
    for (int i = 0; i < guest_count; i++) {
        pthread_join(guests[i].thread, NULL);
        close(guests[i].fd);
    }
    close(r->fd);
}

void receiver_name(char out[static 10], int i)
{
    memcpy(out, "localhost", 10);
    for (int bit = 0; bit < 9; bit++)
        if (i >> bit & 1)
            out[bit] = (char)(out[bit] - 32);
}
