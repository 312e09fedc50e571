/* The load of W6 and W7: a stream of updates, and the receivers of what they are due to bring, in one
 * program, so that one clock tells how long each notification took.
 *
 *   notify --ports N [--silent K]
 *
 * It listens on N ports of 127.0.0.1 and prints them as one JSON line; the first K take connections and
 * requests and never answer. Then each line of its input is one run:
 *
 *   HOST:PORT CONNECTIONS SECONDS RATE IDS PATH-TEMPLATE BODY-TEMPLATE
 *
 * In templates {id} is a random whole number below IDS, {g} the tenth of it, {n} the time in µs: the value
 * of the attribute speed. A notification's latency counts from there; an entity's values must never go back.
 * One connection has one entity range of its own, so that its updates are in order. RATE 0 is as fast as
 * the city answers. After the updates it waits until nothing came for a second, and prints one JSON line. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 512, HISTOGRAM = 64 * 64, BODY_MAX = 64 << 10, OUT_MAX = 4096 };
#define SECOND INT64_C(1000000000)

enum kind { LISTENER, GUEST, UPDATER };

struct end {
    enum kind kind;
    int fd;
    bool silent;
    char *in;
    size_t in_n;
    /* of an updater */
    uint64_t first, count; /* its entities */
    int64_t due;
    bool busy;
};

static int epoll_fd;
static uint64_t updates, refused, posts, changes, backwards, silent_posts, histogram[HISTOGRAM];
static int64_t *last; /* value last seen, by entity */
static uint64_t ids;
static int64_t last_came, run_until;
static const char *path_template, *body_template;
static uint64_t random_state = 88172645463325252u;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* ---- latency: powers of two of ns, each in 64 parts ---- */

static void latency_add(int64_t ns)
{
    uint64_t v = ns < 64 ? 64 : (uint64_t)ns;
    int power = 63 - __builtin_clzll(v);
    histogram[(size_t)power * 64 + ((v >> (power - 6)) & 63)]++;
}

static double latency_ms(double share)
{
    uint64_t wanted = (uint64_t)((double)changes * share), seen = 0;
    for (size_t i = 0; i < HISTOGRAM; i++) {
        seen += histogram[i];
        if (histogram[i] && seen >= wanted)
            return (double)((UINT64_C(64) + i % 64) << (i / 64)) / 64 / 1e6;
    }
    return 0;
}

/* ---- ends ---- */

static void watch(struct end *e)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = e};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, e->fd, &event) != 0)
        die("epoll_ctl");
}

static struct end *end_new(enum kind kind, int fd, bool silent)
{
    struct end *e = calloc(1, sizeof *e);
    e->kind = kind;
    e->fd = fd;
    e->silent = silent;
    e->in = kind == LISTENER ? NULL : malloc(BODY_MAX + 1);
    watch(e);
    return e;
}

static void end_close(struct end *e)
{
    close(e->fd);
    free(e->in);
    free(e);
}

static int listen_any(bool silent)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 256) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) != 0)
        die("listen");
    end_new(LISTENER, fd, silent);
    return ntohs(a.sin_port);
}

/* Bytes of a whole HTTP message with Content-Length (or none) at the beginning of in; 0: not all there. */
static size_t message_bytes(const char *in, size_t n, const char **body)
{
    const char *end = memmem(in, n, "\r\n\r\n", 4);
    if (!end)
        return 0;
    size_t head = (size_t)(end + 4 - in), length = 0;
    for (const char *line = in; line < end; line++) {
        line = memchr(line, '\n', (size_t)(end - line));
        if (!line)
            break;
        if (strncasecmp(line + 1, "Content-Length:", 15) == 0)
            length = strtoul(line + 16, NULL, 10);
    }
    *body = in + head;
    return n >= head + length ? head + length : 0;
}

/* ---- notifications ---- */

/* One changed entity, told in [at, end): its id, behind it the value. */
static void changed(const char *at, const char *end)
{
    static const char speed_mark[] = "\"speed\":", value_mark[] = "\"value\":";
    uint64_t entity = strtoull(at, NULL, 10);
    const char *value = memmem(at, (size_t)(end - at), speed_mark, sizeof speed_mark - 1);
    if (value)
        value = memmem(value, (size_t)(end - value), value_mark, sizeof value_mark - 1);
    int64_t sent = value ? strtoll(value + sizeof value_mark - 1, NULL, 10) * 1000 : 0;
    changes++;
    if (entity >= ids || sent < last[entity]) {
        backwards++;
        return;
    }
    last[entity] = sent;
    latency_add(last_came - sent);
}

static void notified(const char *body, size_t n)
{
    static const char id_mark[] = "\"urn:ngsi-ld:Vehicle:";
    const char *end = body + n, *at = memmem(body, n, id_mark, sizeof id_mark - 1);
    posts++;
    last_came = now_ns();
    while (at) {
        at += sizeof id_mark - 1;
        const char *next = memmem(at, (size_t)(end - at), id_mark, sizeof id_mark - 1);
        changed(at, next ? next : end);
        at = next;
    }
}

static void guest_ready(struct end *e)
{
    ssize_t got = recv(e->fd, e->in + e->in_n, BODY_MAX - e->in_n, MSG_DONTWAIT);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            end_close(e);
        return;
    }
    e->in_n += (size_t)got;
    const char *body;
    size_t n, at = 0;
    while ((n = message_bytes(e->in + at, e->in_n - at, &body))) {
        static const char ok[] = "HTTP/1.1 204 No Content\r\n\r\n";
        if (e->silent) {
            silent_posts++;
        } else {
            notified(body, (size_t)(e->in + at + n - body));
            if (send(e->fd, ok, sizeof ok - 1, MSG_NOSIGNAL) != sizeof ok - 1)
                break;
        }
        at += n;
    }
    memmove(e->in, e->in + at, e->in_n - at);
    e->in_n -= at;
}

/* ---- updates ---- */

static size_t fill(char *out, size_t room, const char *template, uint64_t id, int64_t now)
{
    size_t n = 0;
    for (const char *t = template; *t && n + 32 < room; t++) {
        if (strncmp(t, "{id}", 4) == 0)
            n += (size_t)snprintf(out + n, room - n, "%llu", (unsigned long long)id), t += 3;
        else if (strncmp(t, "{g}", 3) == 0)
            n += (size_t)snprintf(out + n, room - n, "%llu", (unsigned long long)id / 10), t += 2;
        else if (strncmp(t, "{n}", 3) == 0)
            n += (size_t)snprintf(out + n, room - n, "%lld", (long long)now / 1000), t += 2;
        else
            out[n++] = *t;
    }
    out[n] = 0;
    return n;
}

static void update(struct end *e)
{
    char path[OUT_MAX / 4], body[OUT_MAX / 4], out[OUT_MAX];
    uint64_t id = e->first + random_next() % e->count;
    int64_t now = now_ns();
    fill(path, sizeof path, path_template, id, now);
    size_t body_n = fill(body, sizeof body, body_template, id, now);
    int n = snprintf(out, sizeof out,
                     "PATCH %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                     path, body_n, body);
    if (send(e->fd, out, (size_t)n, MSG_NOSIGNAL) != n)
        die("send");
    e->busy = true;
}

static void updater_ready(struct end *e, int64_t step)
{
    ssize_t got = recv(e->fd, e->in + e->in_n, BODY_MAX - e->in_n, MSG_DONTWAIT);
    if (got == 0)
        die("the city closed a connection");
    if (got < 0)
        return;
    e->in_n += (size_t)got;
    const char *body;
    if (!message_bytes(e->in, e->in_n, &body))
        return;
    updates++;
    refused += strncmp(e->in, "HTTP/1.1 2", 10) != 0;
    e->in_n = 0;
    e->busy = false;
    e->due += step;
    if (!step && now_ns() < run_until)
        update(e);
}

static struct end *updater_new(struct sockaddr_in to, uint64_t first, uint64_t count)
{
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct end *e = end_new(UPDATER, fd, false);
    e->first = first;
    e->count = count;
    return e;
}

/* ---- a run ---- */

static void ready(struct end *e, int64_t step)
{
    if (e->kind == GUEST) {
        guest_ready(e);
    } else if (e->kind == UPDATER) {
        updater_ready(e, step);
    } else {
        for (int fd; (fd = accept4(e->fd, NULL, NULL, SOCK_NONBLOCK)) >= 0;)
            end_new(GUEST, fd, e->silent);
    }
}

static void turn(int64_t step, int wait_ms)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(epoll_fd, events, EVENTS, wait_ms);
    for (int i = 0; i < n; i++)
        ready(events[i].data.ptr, step);
}

static bool updates_go(struct end **e, int connections, int64_t now)
{
    bool busy = false;
    for (int i = 0; i < connections; i++) {
        if (!e[i]->busy && now < run_until && e[i]->due <= now)
            update(e[i]);
        busy |= e[i]->busy;
    }
    return busy || now < run_until;
}

static void run(char *line)
{
    char *word[7], *save = NULL;
    for (int i = 0; i < 7; i++)
        if (!(word[i] = strtok_r(i ? NULL : line, " \n", &save)))
            die("a run has seven words");
    struct sockaddr_in to = {.sin_family = AF_INET};
    char *colon = strchr(word[0], ':');
    *colon = 0;
    inet_pton(AF_INET, word[0], &to.sin_addr);
    to.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    int connections = (int)strtol(word[1], NULL, 10);
    double seconds = atof(word[2]), rate = atof(word[3]);
    ids = strtoull(word[4], NULL, 10);
    path_template = word[5];
    body_template = word[6];
    last = calloc(ids, sizeof *last);
    memset(histogram, 0, sizeof histogram);
    updates = refused = posts = changes = backwards = silent_posts = 0;
    int64_t step = rate > 0 ? (int64_t)((double)connections / rate * 1e9) : 0, begin = now_ns();
    run_until = begin + (int64_t)(seconds * 1e9);
    struct end *e[1024];
    for (int i = 0; i < connections; i++) {
        e[i] = updater_new(to, ids / (uint64_t)connections * (uint64_t)i, ids / (uint64_t)connections);
        e[i]->due = begin + step / connections * i;
    }
    while (updates_go(e, connections, now_ns()))
        turn(step, step ? 1 : 100);
    double took = (double)(now_ns() - begin) / 1e9;
    last_came = last_came > begin ? last_came : now_ns();
    while (now_ns() - last_came < SECOND)
        turn(step, 100);
    for (int i = 0; i < connections; i++)
        end_close(e[i]);
    double all = (double)(last_came - begin) / 1e9;
    printf("{\"updates\":%llu,\"refused\":%llu,\"seconds\":%.3f,\"posts\":%llu,\"changes\":%llu,\"until_last\":%.3f,"
           "\"out_of_order\":%llu,\"silent\":%llu,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"p999_ms\":%.3f}\n",
           (unsigned long long)updates, (unsigned long long)refused, took, (unsigned long long)posts,
           (unsigned long long)changes, all,
           (unsigned long long)backwards, (unsigned long long)silent_posts, latency_ms(0.5), latency_ms(0.99),
           latency_ms(0.999));
    fflush(stdout);
    free(last);
}

int main(int argc, char **argv)
{
    int ports = 1, silent = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--ports") == 0)
            ports = (int)strtol(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--silent") == 0)
            silent = (int)strtol(argv[i + 1], NULL, 10);
    }
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    epoll_fd = epoll_create1(0);
    printf("[");
    for (int i = 0; i < ports; i++)
        printf("%s%d", i ? "," : "", listen_any(i < silent));
    printf("]\n");
    fflush(stdout);
    static char line[OUT_MAX];
    for (;;) {
        fd_set in; /* receivers live between runs too */
        struct timeval none = {0, 0};
        FD_ZERO(&in);
        FD_SET(0, &in);
        if (select(1, &in, NULL, NULL, &none) <= 0) {
            turn(0, 20);
        } else if (fgets(line, sizeof line, stdin)) {
            run(line);
        } else {
            return 0;
        }
    }
}
