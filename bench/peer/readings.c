/* See readings.h. */
#include "readings.h"

#include <math.h>
#include <stdlib.h>

enum { DAY = 24 * 60 };

static double uniform(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*seed >> 11) / (double)(UINT64_C(1) << 53);
}

/* Poisson, by products of uniforms. */
static int16_t vehicles(uint64_t *seed, double mean)
{
    int16_t n = 0;
    for (double left = exp(-mean), product = uniform(seed); product > left; product *= uniform(seed))
        n++;
    return n;
}

/* A day's curve; for a temperature weather that drifts, and a sensor's noise. */
int16_t *readings_make(uint32_t first, uint32_t sensors, uint32_t count)
{
    int16_t *out = malloc((size_t)sensors * count * sizeof *out);
    if (!out)
        abort();
    for (uint32_t s = 0; s < sensors; s++) {
        uint64_t seed = (uint64_t)(first + s) * UINT64_C(0x9e3779b97f4a7c15) + 1;
        double drift = uniform(&seed) * 10 - 5;
        for (uint32_t i = 0; i < count; i++) {
            double day = sin(i * 2 * M_PI / DAY);
            drift += (uniform(&seed) - 0.5) * 0.06;
            out[(size_t)i * sensors + s] =
                readings_counts(first + s)
                    ? vehicles(&seed, 14 + 12 * day)
                    : (int16_t)lround((18 + 7 * day + drift + (uniform(&seed) - 0.5) * 0.15) * 10);
        }
    }
    return out;
}
