/* Private to the model city: what noise is for, so that no two uses share a number.
 * Climate has the numbers below 100. */
#ifndef SENSE_CITY_NOISE_H
#define SENSE_CITY_NOISE_H

enum city_noise {
    CITY_STREETS = 100,
    CITY_BENDS,
    CITY_ALONG,
    CITY_ASIDE,
    CITY_PHASE,
    CITY_SIZE, /* how large or busy a device's place is */
    CITY_SIZE_2,
    CITY_USE, /* what its place is used for */
    CITY_FAULT,
    CITY_MEASURE, /* noise of the instrument */
    CITY_STAY,    /* comings and goings */
    CITY_CYCLE,
    CITY_LOCAL, /* a curve of its own */
};

#endif
