/* The load of the workloads: N connections, one request in flight on each, for a
 * time or a number of requests, then one JSON line with what came of it.
 *
 *   load --connect HOST:PORT --connections N (--seconds S | --requests N) [--rate R]
 *        --method M --path TEMPLATE [--body TEMPLATE] [--type MEDIA] [--ids N] [--seed N]
 *
 * In templates {id} is a random whole number below --ids, {n} a running number, {r} a random number
 * below 1000, {f} a random decimal. With --rate the requests are due at fixed times and latency counts
 * from when a request was due, so that a stall is not hidden (coordinated omission). --body @FILE sends a file. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, IN_BYTES = 64 << 10, HISTOGRAM = 64 * 64, STATUS_CLASSES = 6 };

struct connection {
    int fd;
    char *in;          /* head of the answer, then thrown away */
    size_t in_n;
    size_t body_left;  /* of the answer */
    bool in_body, busy;
    int status;
    char *out;
    size_t out_n, out_cap, sent;
    int64_t start_ns;
};

static struct {
    struct sockaddr_in to;
    int connections;
    double seconds, rate;
    uint64_t requests;
    const char *method, *path, *body, *type, *tenant;
    uint64_t ids;
} options = {.connections = 64, .method = "GET", .path = "/", .type = "application/json", .ids = 1};

static int epoll_fd;
static uint64_t random_state = 88172645463325252u, issued, completed, errors;
static uint64_t classes[STATUS_CLASSES], bytes_in, histogram[HISTOGRAM];
static int64_t max_ns, begin_ns;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* ---- latency: 64 powers of two of ns, each in 64 parts ---- */

static void latency_add(int64_t ns)
{
    uint64_t v = ns < 64 ? 64 : (uint64_t)ns;
    unsigned power = 63 - (unsigned)__builtin_clzll(v);
    histogram[power * 64 + ((v >> (power - 6)) & 63)]++;
    if (ns > max_ns)
        max_ns = ns;
}

static double latency_ms(double part)
{
    uint64_t sum = 0, wanted = (uint64_t)(part * (double)completed);
    for (unsigned i = 0; i < HISTOGRAM; i++) {
        sum += histogram[i];
        if (sum > wanted)
            return (double)((UINT64_C(1) << (i / 64)) + ((uint64_t)(i % 64) << (i / 64 - 6))) / 1e6;
    }
    return (double)max_ns / 1e6;
}

/* ---- requests ---- */

static void out_put(struct connection *c, const char *p, size_t n)
{
    if (c->out_cap < c->out_n + n) {
        c->out_cap = (c->out_n + n) * 2;
        c->out = realloc(c->out, c->out_cap);
        if (!c->out)
            die("memory");
    }
    memcpy(c->out + c->out_n, p, n);
    c->out_n += n;
}

static size_t expand_one(const char *name, char *out, size_t room)
{
    switch (name[0]) {
    case 'i':
        return (size_t)snprintf(out, room, "%llu", (unsigned long long)(random_next() % options.ids));
    case 'n':
        return (size_t)snprintf(out, room, "%llu", (unsigned long long)issued);
    case 'r':
        return (size_t)snprintf(out, room, "%llu", (unsigned long long)(random_next() % 1000));
    default:
        return (size_t)snprintf(out, room, "%.4f", (double)(random_next() % 1000000) / 1e4);
    }
}

static bool is_place(const char *p)
{
    return p[0] == '{' && ((!strncmp(p, "{id}", 4)) || (p[1] && p[2] == '}' && strchr("nrf", p[1])));
}

static void out_template(struct connection *c, const char *t)
{
    char number[32];
    while (*t) {
        const char *next = t;
        while (*next && !is_place(next))
            next++;
        out_put(c, t, (size_t)(next - t));
        if (!*next)
            break;
        out_put(c, number, expand_one(next + 1, number, sizeof number));
        t = strchr(next, '}') + 1;
    }
}

static void request_make(struct connection *c)
{
    static struct connection body; /* a buffer only */
    char head[256];
    c->out_n = c->sent = 0;
    out_put(c, options.method, strlen(options.method));
    out_put(c, " ", 1);
    out_template(c, options.path);
    body.out_n = 0;
    if (options.body)
        out_template(&body, options.body);
    int n = snprintf(head, sizeof head, " HTTP/1.1\r\nHost: city\r\nAccept: application/json\r\n");
    out_put(c, head, (size_t)n);
    if (options.body) {
        n = snprintf(head, sizeof head, "Content-Type: %s\r\nContent-Length: %zu\r\n", options.type, body.out_n);
        out_put(c, head, (size_t)n);
    }
    out_put(c, "\r\n", 2);
    out_put(c, body.out, body.out_n);
}

static void watch(struct connection *c, uint32_t events, int how)
{
    struct epoll_event e = {.events = events, .data.ptr = c};
    if (epoll_ctl(epoll_fd, how, c->fd, &e) != 0)
        die("epoll_ctl");
}

static void send_more(struct connection *c)
{
    while (c->sent < c->out_n) {
        ssize_t n = send(c->fd, c->out + c->sent, c->out_n - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            watch(c, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
            return;
        }
        if (n <= 0)
            die("send");
        c->sent += (size_t)n;
    }
}

/* When the nth request is due; 0 without a rate. */
static int64_t due_ns(uint64_t n)
{
    return options.rate > 0 ? begin_ns + (int64_t)((double)n * 1e9 / options.rate) : 0;
}

static bool finished(void)
{
    if (options.requests && issued >= options.requests)
        return true;
    return options.seconds > 0 && (double)(now_ns() - begin_ns) / 1e9 >= options.seconds;
}

/* Starts the next request on an idle connection, when one is due. */
static bool start(struct connection *c)
{
    int64_t due = due_ns(issued), now = now_ns();
    if (finished() || due > now)
        return false;
    request_make(c);
    issued++;
    c->busy = true;
    c->in_n = 0;
    c->in_body = false;
    c->start_ns = due ? due : now;
    send_more(c);
    return true;
}

/* ---- answers ---- */

static size_t content_length(const char *head)
{
    const char *at = strcasestr(head, "\r\ncontent-length:");
    return at ? strtoull(at + 17, NULL, 10) : 0;
}

static void answer_done(struct connection *c)
{
    completed++;
    classes[c->status / 100 < STATUS_CLASSES ? c->status / 100 : 0]++;
    latency_add(now_ns() - c->start_ns);
    c->busy = false;
    start(c);
}

/* Takes n bytes that stand in c->in behind in_n. */
static void answer_take(struct connection *c, size_t n)
{
    bytes_in += n;
    if (c->in_body) {
        c->body_left -= n < c->body_left ? n : c->body_left;
    } else {
        c->in_n += n;
        c->in[c->in_n] = 0;
        char *end = strstr(c->in, "\r\n\r\n");
        if (!end)
            return;
        c->status = (int)strtol(c->in + 9, NULL, 10);
        size_t head = (size_t)(end + 4 - c->in), body = c->in_n - head;
        size_t length = content_length(c->in);
        c->body_left = length > body ? length - body : 0;
        c->in_body = true;
    }
    if (c->in_body && !c->body_left)
        answer_done(c);
}

static void receive(struct connection *c)
{
    size_t at = c->in_body ? 0 : c->in_n;
    ssize_t n = recv(c->fd, c->in + at, IN_BYTES - 1 - at, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        errors++;
        fprintf(stderr, "the server closed a connection\n");
        exit(1);
    }
    answer_take(c, (size_t)n);
}

static void connection_open(struct connection *c)
{
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    c->in = malloc(IN_BYTES);
    if (c->fd < 0 || !c->in || connect(c->fd, (struct sockaddr *)&options.to, sizeof options.to) != 0)
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    watch(c, EPOLLIN, EPOLL_CTL_ADD);
}

static bool any_busy(const struct connection *connections)
{
    for (int i = 0; i < options.connections; i++)
        if (connections[i].busy)
            return true;
    return false;
}

static void events_take(int timeout_ms)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(epoll_fd, events, EVENTS, timeout_ms);
    for (int i = 0; i < n; i++) {
        struct connection *c = events[i].data.ptr;
        if (events[i].events & EPOLLOUT) {
            watch(c, EPOLLIN, EPOLL_CTL_MOD);
            send_more(c);
        }
        if (events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP))
            receive(c);
    }
}

static void drive(struct connection *connections)
{
    begin_ns = now_ns();
    while (!finished() || any_busy(connections)) {
        if (options.rate > 0) /* whoever is idle takes what is due */
            for (int i = 0; i < options.connections && due_ns(issued) <= now_ns(); i++)
                if (!connections[i].busy)
                    start(&connections[i]);
        events_take(options.rate > 0 ? 1 : 1000);
    }
}

static void report(void)
{
    struct rusage u;
    double seconds = (double)(now_ns() - begin_ns) / 1e9;
    getrusage(RUSAGE_SELF, &u);
    double cpu = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                 (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
    printf("{\"requests\":%llu,\"seconds\":%.4f,\"per_second\":%.1f,\"bytes\":%llu,\"cpu_seconds\":%.3f,"
           "\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"p999_ms\":%.3f,\"max_ms\":%.3f,"
           "\"2xx\":%llu,\"4xx\":%llu,\"5xx\":%llu}\n",
           (unsigned long long)completed, seconds, (double)completed / seconds, (unsigned long long)bytes_in, cpu,
           latency_ms(0.5), latency_ms(0.99), latency_ms(0.999), (double)max_ns / 1e6,
           (unsigned long long)classes[2], (unsigned long long)classes[4], (unsigned long long)classes[5]);
}

static char *file_read(const char *path)
{
    struct stat info;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &info) != 0)
        die(path);
    char *text = malloc((size_t)info.st_size + 1);
    ssize_t n = text ? read(fd, text, (size_t)info.st_size) : -1;
    if (n < 0)
        die(path);
    text[n] = 0;
    close(fd);
    return text;
}

static void connect_to(const char *text)
{
    char host[64];
    const char *colon = strrchr(text, ':');
    if (!colon || (size_t)(colon - text) >= sizeof host)
        die("--connect HOST:PORT");
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = 0;
    options.to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)strtol(colon + 1, NULL, 10))};
    if (inet_pton(AF_INET, host, &options.to.sin_addr) != 1)
        die("--connect wants a numeric address");
}

static void option_take(const char *name, const char *value)
{
    if (!strcmp(name, "--connect"))
        connect_to(value);
    else if (!strcmp(name, "--connections"))
        options.connections = (int)strtol(value, NULL, 10);
    else if (!strcmp(name, "--seconds"))
        options.seconds = strtod(value, NULL);
    else if (!strcmp(name, "--requests"))
        options.requests = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--rate"))
        options.rate = strtod(value, NULL);
    else if (!strcmp(name, "--method"))
        options.method = value;
    else if (!strcmp(name, "--path"))
        options.path = value;
    else if (!strcmp(name, "--body"))
        options.body = value[0] == '@' ? file_read(value + 1) : value;
    else if (!strcmp(name, "--type"))
        options.type = value;
    else if (!strcmp(name, "--ids"))
        options.ids = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--seed"))
        random_state ^= strtoull(value, NULL, 10) * 0x9e3779b97f4a7c15u;
    else
        die(name);
}

int main(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2)
        option_take(argv[i], argv[i + 1]);
    epoll_fd = epoll_create1(0);
    struct connection *connections = calloc((size_t)options.connections, sizeof *connections);
    if (!connections)
        die("memory");
    for (int i = 0; i < options.connections; i++)
        connection_open(&connections[i]);
    begin_ns = now_ns();
    for (int i = 0; i < options.connections; i++)
        start(&connections[i]);
    drive(connections);
    report();
    return 0;
}
