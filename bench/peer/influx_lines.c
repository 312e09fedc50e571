/* Readings for a server that speaks InfluxDB's line protocol, in requests of 10,000 points over one connection.
 *
 * usage: influx_lines --connect HOST:PORT --database NAME [--first N] [--series N] [--points N]; prints the seconds it took.
 * Sensors are numbered from --first. */
#include "../program.h"
#include "readings.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 10000, LINE_MAX_BYTES = 80 };

static uint32_t first, series = 1000, points = 2000000;
static const char *address, *database;
static int fd;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void open_connection(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    char host[64];
    unsigned port;
    if (sscanf(address, "%63[0-9.]:%u", host, &port) != 2 || inet_pton(AF_INET, host, &to.sin_addr) != 1)
        die(address);
    to.sin_port = htons((uint16_t)port);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        die("connect");
}

static void send_all(const char *p, size_t n)
{
    while (n) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent <= 0)
            die("send");
        p += sent;
        n -= (size_t)sent;
    }
}

/* Answers to writes have no body: 204. */
static void post(const char *body, size_t n)
{
    char head[256], answer[4096];
    size_t got = 0;
    int bytes = snprintf(head, sizeof head, "POST /write?db=%s&precision=s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n",
                         database, n);
    send_all(head, (size_t)bytes);
    send_all(body, n);
    do {
        ssize_t more = recv(fd, answer + got, sizeof answer - 1 - got, 0);
        if (more <= 0)
            die("recv");
        got += (size_t)more;
        answer[got] = '\0';
    } while (!strstr(answer, "\r\n\r\n"));
    if (strncmp(answer, "HTTP/1.1 204", 12) != 0) {
        fprintf(stderr, "%s\n", answer);
        exit(1);
    }
}

static int line(char *out, uint32_t sensor, uint32_t minute, int16_t reading)
{
    long long at = READINGS_START_S + (long long)minute * READINGS_STEP_S;
    return readings_counts(sensor)
               ? snprintf(out, LINE_MAX_BYTES, "vehicles,sensor=%06u value=%di %lld\n", sensor, reading, at)
               : snprintf(out, LINE_MAX_BYTES, "temperature,sensor=%06u value=%.1f %lld\n", sensor, reading / 10.0, at);
}

int main(int argc, char **argv)
{
    first = argument_number(argc, argv, "--first", first);
    series = argument_number(argc, argv, "--series", series);
    points = argument_number(argc, argv, "--points", points);
    address = argument(argc, argv, "--connect", NULL);
    database = argument(argc, argv, "--database", NULL);
    if (!address || !database)
        return 2;
    uint32_t count = points / series;
    int16_t *readings = readings_make(first, series, count);
    char *body = malloc((size_t)BATCH * LINE_MAX_BYTES);
    size_t n = 0;
    open_connection();
    double start = now();
    for (uint32_t i = 0; i < series * count; i++) {
        n += (size_t)line(body + n, first + i % series, i / series, readings[i]);
        if ((i + 1) % BATCH == 0 || i + 1 == series * count) {
            post(body, n);
            n = 0;
        }
    }
    printf("%.6f\n", now() - start);
    close(fd);
    free(body);
    free(readings);
    return 0;
}
