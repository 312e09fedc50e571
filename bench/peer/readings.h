/* What the sensors of a city say, the same in every run and for every store that is compared: by turns one that has a
 * temperature to a tenth of a degree and one that counts vehicles, a reading a minute. */
#ifndef BENCH_PEER_READINGS_H
#define BENCH_PEER_READINGS_H

#include <stdbool.h>
#include <stdint.h>

enum { READINGS_STEP_S = 60, READINGS_START_S = 1700000000 / 60 * 60 };

/* Readings 0 … count - 1 of sensors first … first + sensors - 1, those of one minute side by side. Caller frees. */
int16_t *readings_make(uint32_t first, uint32_t sensors, uint32_t count);
/* A sensor that counts; else its readings are tenths of a degree. */
static inline bool readings_counts(uint32_t sensor)
{
    return sensor % 2;
}

#endif
