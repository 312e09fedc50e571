/* See program.h. */
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

const char *argument(int argc, char **argv, const char *name, const char *fallback)
{
    for (int i = 1; i + 1 < argc; i += 2)
        if (!strcmp(argv[i], name))
            return argv[i + 1];
    return fallback;
}

uint32_t argument_number(int argc, char **argv, const char *name, uint32_t fallback)
{
    const char *text = argument(argc, argv, name, NULL);
    return text ? (uint32_t)strtoul(text, NULL, 10) : fallback;
}

bool argument_yes(int argc, char **argv, const char *name)
{
    return !strcmp(argument(argc, argv, name, "no"), "yes");
}

double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double cpu(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

void figure(const char *name, double value, const char *unit)
{
    printf("%-52s %14.2f %s\n", name, value, unit);
    fflush(stdout);
}

int compare_doubles(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}
