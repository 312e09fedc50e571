/* Randomness without state: every number is a function of a seed and of what it is
 * for, so a simulated city looks the same whoever asks, in whatever order. */
#ifndef SENSE_NOISE_H
#define SENSE_NOISE_H

#include <stdint.h>

/* Mixes three numbers into 64 bits (the finaliser of SplitMix64, Steele et al. 2014). */
uint64_t noise_hash(uint64_t seed, uint64_t what, uint64_t index);
/* Uniform in [0, 1). */
double noise_unit(uint64_t seed, uint64_t what, uint64_t index);
/* Uniform in [low, high). */
double noise_range(uint64_t seed, uint64_t what, uint64_t index, double low, double high);
/* Standard normal (Box–Muller). */
double noise_normal(uint64_t seed, uint64_t what, uint64_t index);
/* A smooth curve over time within [-1, 1], with a new direction about every period_us. */
double noise_smooth(uint64_t seed, uint64_t what, int64_t time_us, int64_t period_us);

#endif
