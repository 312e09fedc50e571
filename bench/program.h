/* What benchmarks are told, their clocks, and the lines that they print. */
#ifndef BENCH_PROGRAM_H
#define BENCH_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

/* What follows the argument `name` ("--points"), else fallback. */
const char *argument(int argc, char **argv, const char *name, const char *fallback);
uint32_t argument_number(int argc, char **argv, const char *name, uint32_t fallback);
bool argument_yes(int argc, char **argv, const char *name); /* "yes" follows it */

double now(void); /* s, monotonic */
double cpu(void); /* s of the process, all threads */
/* One line. */
void figure(const char *name, double value, const char *unit);
/* qsort() of doubles. */
int compare_doubles(const void *x, const void *y);

#endif
