/* Sums of many numbers. Sums are compensated (the error of each addition is kept, and added at the end), squared distances
 * are taken from the mean of a block and blocks are merged, so that neither great offsets nor many values cost digits.
 * Several lanes side by side, since each addition waits for the one before in its lane. */
#include "model/aggregate_int.h"

#include <math.h>
#include <string.h>

/* A vector of the compiler, the processor's own where it has them; each loop keeps two of them going. */
enum { LANES = 2, STEP = 2 * LANES };
typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));
typedef int64_t masks __attribute__((vector_size(LANES * sizeof(int64_t))));

struct exact {
    double sum, rest;
};
struct exact_lanes {
    lanes sum, rest;
};

static inline lanes load(const double *x)
{
    lanes v;
    memcpy(&v, x, sizeof v);
    return v;
}

/* Knuth's sum of two: what is lost of a + b is known exactly. */
static inline void exact_add(struct exact *e, double x)
{
    double t = e->sum + x, back = t - e->sum;
    e->rest += (e->sum - (t - back)) + (x - back);
    e->sum = t;
}

static inline void exact_add_lanes(struct exact_lanes *e, lanes x)
{
    lanes t = e->sum + x, back = t - e->sum;
    e->rest += (e->sum - (t - back)) + (x - back);
    e->sum = t;
}

static struct exact fold(const struct exact_lanes *a, const struct exact_lanes *b)
{
    struct exact e = {0, 0};
    for (int k = 0; k < LANES; k++) {
        exact_add(&e, a->sum[k]);
        exact_add(&e, b->sum[k]);
        e.rest += a->rest[k] + b->rest[k];
    }
    return e;
}

static struct exact sum_of(const double *x, uint32_t n)
{
    struct exact_lanes a = {{0}, {0}}, b = a;
    uint32_t i = 0;
    for (; i + STEP <= n; i += STEP) {
        exact_add_lanes(&a, load(x + i));
        exact_add_lanes(&b, load(x + i + LANES));
    }
    struct exact e = fold(&a, &b);
    for (; i < n; i++)
        exact_add(&e, x[i]);
    return e;
}

static struct exact squares_of(const double *x, uint32_t n)
{
    struct exact_lanes a = {{0}, {0}}, b = a;
    uint32_t i = 0;
    for (; i + STEP <= n; i += STEP) {
        exact_add_lanes(&a, load(x + i) * load(x + i));
        exact_add_lanes(&b, load(x + i + LANES) * load(x + i + LANES));
    }
    struct exact e = fold(&a, &b);
    for (; i < n; i++)
        exact_add(&e, x[i] * x[i]);
    return e;
}

/* Squared distances from the mean, less what the mean's own rounding adds. */
static double distances(const double *x, uint32_t n, double mean)
{
    lanes squares_a = {0}, squares_b = {0}, off_a = {0}, off_b = {0};
    double squares = 0, off = 0;
    uint32_t i = 0;
    for (; i + STEP <= n; i += STEP) {
        lanes a = load(x + i) - mean, b = load(x + i + LANES) - mean;
        squares_a += a * a;
        squares_b += b * b;
        off_a += a;
        off_b += b;
    }
    for (; i < n; i++) {
        squares += (x[i] - mean) * (x[i] - mean);
        off += x[i] - mean;
    }
    for (int k = 0; k < LANES; k++) {
        squares += squares_a[k] + squares_b[k];
        off += off_a[k] + off_b[k];
    }
    return squares - off * off / n;
}

static inline lanes choose(masks mask, lanes yes, lanes no)
{
    return (lanes)(((masks)yes & mask) | ((masks)no & ~mask));
}

static void bounds(const double *x, uint32_t n, struct sums *out)
{
    lanes low_a = {x[0], x[0]}, low_b = low_a, high_a = low_a, high_b = low_a;
    uint32_t i = 0;
    for (; i + STEP <= n; i += STEP) {
        lanes a = load(x + i), b = load(x + i + LANES);
        low_a = choose(a < low_a, a, low_a);
        low_b = choose(b < low_b, b, low_b);
        high_a = choose(a > high_a, a, high_a);
        high_b = choose(b > high_b, b, high_b);
    }
    out->min = fmin(fmin(low_a[0], low_a[1]), fmin(low_b[0], low_b[1]));
    out->max = fmax(fmax(high_a[0], high_a[1]), fmax(high_b[0], high_b[1]));
    for (; i < n; i++) {
        out->min = x[i] < out->min ? x[i] : out->min;
        out->max = x[i] > out->max ? x[i] : out->max;
    }
}

double sums_mean(const struct sums *s)
{
    double mean = (s->sum + s->sum_rest) / (double)s->n;
    return mean < s->min ? s->min : mean > s->max ? s->max : mean; /* rounding leads nowhere else */
}

void sums_add(struct sums *s, const double *numbers, uint32_t n, uint32_t methods)
{
    struct sums block = {.n = n};
    if (!(methods & ~(AGGREGATE_BIT(AGGREGATE_TOTAL_COUNT) | AGGREGATE_BIT(AGGREGATE_DISTINCT_COUNT))))
        return;
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
