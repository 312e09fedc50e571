/* Sums of many numbers. Sums are compensated (the error of each addition is kept, and added at the end), squared distances
 * are taken from the mean of a block and blocks are merged, so that neither great offsets nor many values cost digits.
 * Four lanes, since each addition waits for the one before in its lane. */
#include "model/aggregate_int.h"

#include <math.h>

#define LANES 4

struct exact {
    double sum, rest;
};

/* Knuth's sum of two: what is lost of a + b is known exactly. */
static inline void exact_add(struct exact *e, double x)
{
    double t = e->sum + x, back = t - e->sum;
    e->rest += (e->sum - (t - back)) + (x - back);
    e->sum = t;
}

static struct exact fold(const struct exact lanes[LANES])
{
    struct exact e = lanes[0];
    for (int k = 1; k < LANES; k++) {
        exact_add(&e, lanes[k].sum);
        e.rest += lanes[k].rest;
    }
    return e;
}

static struct exact sum_of(const double *x, uint32_t n)
{
    struct exact lanes[LANES] = {{0, 0}};
    uint32_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++)
            exact_add(&lanes[k], x[i + (uint32_t)k]);
    for (; i < n; i++)
        exact_add(&lanes[0], x[i]);
    return fold(lanes);
}

static struct exact squares_of(const double *x, uint32_t n)
{
    struct exact lanes[LANES] = {{0, 0}};
    uint32_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++)
            exact_add(&lanes[k], x[i + (uint32_t)k] * x[i + (uint32_t)k]);
    for (; i < n; i++)
        exact_add(&lanes[0], x[i] * x[i]);
    return fold(lanes);
}

/* Squared distances from the mean, less what the mean's own rounding adds. */
static double distances(const double *x, uint32_t n, double mean)
{
    double squares[LANES] = {0}, off[LANES] = {0};
    uint32_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++) {
            double d = x[i + (uint32_t)k] - mean;
            squares[k] += d * d;
            off[k] += d;
        }
    for (; i < n; i++) {
        double d = x[i] - mean;
        squares[0] += d * d;
        off[0] += d;
    }
    double o = off[0] + off[1] + (off[2] + off[3]);
    return squares[0] + squares[1] + (squares[2] + squares[3]) - o * o / n;
}

static void bounds(const double *x, uint32_t n, struct sums *out)
{
    double low[LANES] = {x[0], x[0], x[0], x[0]}, high[LANES] = {x[0], x[0], x[0], x[0]};
    uint32_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (uint32_t k = 0; k < LANES; k++) {
            low[k] = x[i + k] < low[k] ? x[i + k] : low[k];
            high[k] = x[i + k] > high[k] ? x[i + k] : high[k];
        }
    for (; i < n; i++) {
        low[0] = x[i] < low[0] ? x[i] : low[0];
        high[0] = x[i] > high[0] ? x[i] : high[0];
    }
    out->min = fmin(fmin(low[0], low[1]), fmin(low[2], low[3]));
    out->max = fmax(fmax(high[0], high[1]), fmax(high[2], high[3]));
}

double sums_mean(const struct sums *s)
{
    double mean = (s->sum + s->sum_rest) / (double)s->n;
    return mean < s->min ? s->min : mean > s->max ? s->max : mean; /* rounding leads nowhere else */
}

void sums_add(struct sums *s, const double *numbers, uint32_t n, uint32_t methods)
{
    struct sums block = {.n = n};
    struct exact sum = sum_of(numbers, n);
    block.sum = sum.sum;
    block.sum_rest = sum.rest;
    bounds(numbers, n, &block);
    if (methods & AGGREGATE_BIT(AGGREGATE_SUMSQ)) {
        struct exact squares = squares_of(numbers, n);
        block.squares = squares.sum;
        block.squares_rest = squares.rest;
    }
    if ((methods & AGGREGATE_BIT(AGGREGATE_STDDEV)) && n > 1)
        block.m2 = fmax(distances(numbers, n, sums_mean(&block)), 0);
    sums_merge(s, &block);
}

static void merge_exact(double *sum, double *rest, double more, double more_rest)
{
    struct exact e = {*sum, *rest};
    exact_add(&e, more);
    *sum = e.sum;
    *rest = e.rest + more_rest;
}

void sums_merge(struct sums *s, const struct sums *more)
{
    if (s->n == 0) {
        *s = *more;
        return;
    }
    /* Chan, Golub and LeVeque: the distance of the two means counts for both. */
    double n = (double)s->n, m = (double)more->n, apart = sums_mean(more) - sums_mean(s);
    s->m2 += more->m2 + apart * apart * (n / (n + m)) * m;
    merge_exact(&s->sum, &s->sum_rest, more->sum, more->sum_rest);
    merge_exact(&s->squares, &s->squares_rest, more->squares, more->squares_rest);
    s->min = fmin(s->min, more->min);
    s->max = fmax(s->max, more->max);
    s->n += more->n;
}

bool sums_of_summary(const struct number_summary *from, struct sums *out)
{
    *out = (struct sums){
        .n = from->count, .sum = from->sum, .squares = from->sumsq, .min = from->min, .max = from->max};
    if (from->count < 2 || from->min == from->max)
        return true;
    /* Each of the two sums is right to its last bit or so: 16 digits less those of the quotient below are left. */
    out->m2 = from->sumsq - from->sum * (from->sum / (double)from->count);
    return out->m2 > from->sumsq * 1e-5;
}
