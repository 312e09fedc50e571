/* The model city's sky and its people's day: what all its devices have in common at
 * one moment. Pure functions of seed and time; magnitudes are those of Jinan (36.65 N,
 * a warm continental climate), but nothing is a forecast or a record. */
#ifndef SENSE_CLIMATE_H
#define SENSE_CLIMATE_H

#include <stdint.h>

#define CLIMATE_LONGITUDE 117.0
#define CLIMATE_LATITUDE 36.66
#define CLIMATE_ZONE_US (INT64_C(8) * 3600 * 1000000) /* local time is UTC+8 */

/* Times of the local day. */
struct climate_clock {
    double hour;     /* 0 … 24 */
    int weekday;     /* 0 is Monday */
    double year_day; /* 0 … 366 */
};
void climate_clock(int64_t time_us, struct climate_clock *out);

/* Elevation of the sun's centre above the horizon in degrees, without refraction (NOAA's general
 * solar position equations; good to about 0.3°). */
double climate_sun_deg(int64_t time_us, double lon, double lat);

struct climate {
    int64_t time_us;
    struct climate_clock clock;
    double sun_deg;
    double cloud; /* 0 … 1 */
    double rain_mm_h;
    double temperature_c;
    double humidity; /* 0 … 1 */
    double dew_point_c;
    double pressure_hpa;
    double wind_m_s;
    double wind_from_deg; /* 0 is north */
    double radiation_w_m2;
    double illuminance_lx;
    double stagnation; /* 0 … 1: how little the air is mixed */
    double traffic;    /* 0 … 1.2: demand of the street network */
    double at_work;    /* 0 … 1: share of people at work or in shops */
};
void climate_at(uint64_t seed, int64_t time_us, struct climate *out);

#endif
