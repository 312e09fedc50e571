/* The sync bound: how many records a second a file takes when each group of them is
 * appended with one write and one fdatasync, as the log does, and nothing else.
 *
 *   sync_bound FILE --bytes N --group N --seconds S */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    size_t bytes = 500, group = 64, segment = (size_t)64 << 20, at = 0;
    double seconds = 5;
    for (int i = 2; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--bytes"))
            bytes = strtoul(argv[i + 1], NULL, 10);
        else if (!strcmp(argv[i], "--group"))
            group = strtoul(argv[i + 1], NULL, 10);
        else if (!strcmp(argv[i], "--seconds"))
            seconds = strtod(argv[i + 1], NULL);
    }
    int fd = argc > 1 ? open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600) : -1;
    size_t n = bytes * group;
    char *block = malloc(n);
    if (fd < 0 || !block || n > segment || posix_fallocate(fd, 0, (off_t)segment) != 0) {
        perror("sync_bound FILE [--bytes N] [--group N] [--seconds S]");
        return 1;
    }
    for (size_t i = 0; i < n; i++)
        block[i] = (char)(i * 2654435761u >> 24);
    uint64_t groups = 0;
    double start = now_s(), end;
    do {
        if (at + n > segment)
            at = 0; /* a preallocated segment again */
        if (pwrite(fd, block, n, (off_t)at) != (ssize_t)n || fdatasync(fd) != 0) {
            perror(argv[1]);
            return 1;
        }
        at += n;
        groups++;
        end = now_s();
    } while (end - start < seconds);
    printf("{\"records_per_second\":%.0f,\"syncs_per_second\":%.0f}\n", (double)(groups * group) / (end - start),
           (double)groups / (end - start));
    unlink(argv[1]);
    return 0;
}
