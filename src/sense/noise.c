/* Why: see noise.h. */
#include "sense/noise.h"

#include <math.h>

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t noise_hash(uint64_t seed, uint64_t what, uint64_t index)
{
    const uint64_t step = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = mix(seed + step);
    z = mix(z ^ (what * step + 1));
    return mix(z ^ (index * step + 2));
}

double noise_unit(uint64_t seed, uint64_t what, uint64_t index)
{
    return (double)(noise_hash(seed, what, index) >> 11) * 0x1p-53;
}

double noise_range(uint64_t seed, uint64_t what, uint64_t index, double low, double high)
{
    return low + (high - low) * noise_unit(seed, what, index);
}

double noise_normal(uint64_t seed, uint64_t what, uint64_t index)
{
    uint64_t h = noise_hash(seed, what, index);
    double u = ((double)(h >> 32) + 1) * 0x1p-32;  /* (0, 1] */
    double v = (double)(h & UINT32_MAX) * 0x1p-32; /* [0, 1) */
    return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

double noise_smooth(uint64_t seed, uint64_t what, int64_t time_us, int64_t period_us)
{
    int64_t step = time_us / period_us - (time_us % period_us < 0);
    double t = (double)(time_us - step * period_us) / (double)period_us;
    double a = 2 * noise_unit(seed, what, (uint64_t)step) - 1;
    double b = 2 * noise_unit(seed, what, (uint64_t)step + 1) - 1;
    return a + (b - a) * t * t * (3 - 2 * t);
}
