/* Why: daily cycles are what makes a simulated city useful for trying things on, and devices near
 * one another must agree on the weather. Start at climate_at(). */
#include "sense/climate.h"

#include "sense/noise.h"

#include <math.h>

#define HOUR_US (INT64_C(3600) * 1000000)
#define DAY_US (24 * HOUR_US)
#define RAD (M_PI / 180)

/* Channels of noise. */
enum { CLOUD_SLOW = 1, CLOUD_FAST, RAIN, AIR_MASS, WIND_SLOW, WIND_GUST, WIND_TURN, PRESSURE };

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static double clamp(double v, double low, double high)
{
    return v < low ? low : v > high ? high : v;
}

/* A hump of height 1 around `centre` o'clock, `width` hours to either side. */
static double hump(double hour, double centre, double width)
{
    double d = fabs(hour - centre);
    d = d > 12 ? 24 - d : d;
    return exp(-d * d / (width * width));
}

void climate_clock(int64_t time_us, struct climate_clock *out)
{
    int64_t local = time_us + CLIMATE_ZONE_US;
    int64_t day = floor_div(local, DAY_US);
    out->hour = (double)(local - day * DAY_US) / (double)HOUR_US;
    out->weekday = (int)((day % 7 + 10) % 7); /* 1970-01-01 was a Thursday */
    /* The tropical year is near enough: half a day off at most within a century. */
    double years = ((double)day + out->hour / 24) / 365.2425;
    out->year_day = (years - floor(years)) * 365.2425;
}

double climate_sun_deg(int64_t time_us, double lon, double lat)
{
    int64_t day = floor_div(time_us, DAY_US);
    double utc_hour = (double)(time_us - day * DAY_US) / (double)HOUR_US;
    double years = ((double)day + utc_hour / 24) / 365.2425;
    double g = 2 * M_PI * (years - floor(years));
    double equation_min = 229.18 * (0.000075 + 0.001868 * cos(g) - 0.032077 * sin(g) -
                                    0.014615 * cos(2 * g) - 0.040849 * sin(2 * g));
    double declination = 0.006918 - 0.399912 * cos(g) + 0.070257 * sin(g) - 0.006758 * cos(2 * g) +
                         0.000907 * sin(2 * g) - 0.002697 * cos(3 * g) + 0.00148 * sin(3 * g);
    double solar_min = utc_hour * 60 + equation_min + 4 * lon;
    double hour_angle = (solar_min / 4 - 180) * RAD;
    double s =
        sin(lat * RAD) * sin(declination) + cos(lat * RAD) * cos(declination) * cos(hour_angle);
    return asin(clamp(s, -1, 1)) / RAD;
}

static void climate_sky(uint64_t seed, struct climate *c)
{
    int64_t t = c->time_us;
    double summer = 0.5 - 0.5 * cos(2 * M_PI * (c->clock.year_day - 15) / 365.2425);
    double slow = noise_smooth(seed, CLOUD_SLOW, t, 30 * HOUR_US);
    double fast = noise_smooth(seed, CLOUD_FAST, t, 4 * HOUR_US);
    c->cloud = clamp(0.42 + 0.12 * summer + 0.45 * slow + 0.15 * fast, 0, 1);
    double shower = noise_smooth(seed, RAIN, t, 3 * HOUR_US);
    double wet = (c->cloud - 0.72) / 0.28;
    c->rain_mm_h = wet > 0 && shower > 0 ? wet * shower * (1.5 + 10 * summer) : 0;
    c->sun_deg = climate_sun_deg(t, CLIMATE_LONGITUDE, CLIMATE_LATITUDE);
    double height = c->sun_deg > 0 ? sin(c->sun_deg * RAD) : 0;
    c->radiation_w_m2 = 1040 * pow(height, 1.15) * (1 - 0.75 * pow(c->cloud, 3.4));
    c->illuminance_lx = 115 * c->radiation_w_m2;
    if (c->sun_deg > -6) /* civil twilight */
        c->illuminance_lx +=
            400 * (1 - 0.5 * c->cloud) * (c->sun_deg < 0 ? (c->sun_deg + 6) / 6 : 1);
}

static void climate_air(uint64_t seed, struct climate *c)
{
    int64_t t = c->time_us;
    double summer = 0.5 - 0.5 * cos(2 * M_PI * (c->clock.year_day - 15) / 365.2425);
    double mass = noise_smooth(seed, AIR_MASS, t, 4 * DAY_US);
    double swing = 5.0 * (1 - 0.6 * c->cloud);
    double phase = cos(2 * M_PI * (c->clock.hour - 15) / 24);
    c->temperature_c = -0.5 + 28 * summer + 4.5 * mass + swing * phase - 1.5 * (c->rain_mm_h > 0);
    double wind = 2.6 + 1.8 * noise_smooth(seed, WIND_SLOW, t, 20 * HOUR_US) + 0.9 * phase +
                  0.7 * noise_smooth(seed, WIND_GUST, t, HOUR_US / 4);
    c->wind_m_s = wind > 0.2 ? wind : 0.2;
    double from = 180 + 170 * noise_smooth(seed, WIND_TURN, t, 36 * HOUR_US) + 25 * phase;
    c->wind_from_deg = from - 360 * floor(from / 360);
    c->pressure_hpa = 1027 - 23 * summer - 6 * mass +
                      4 * noise_smooth(seed, PRESSURE, t, 3 * DAY_US) +
                      1.2 * cos(4 * M_PI * (c->clock.hour - 10) / 24);
    c->humidity = clamp(0.45 + 0.2 * summer + 0.25 * (c->cloud - 0.4) - 0.14 * phase +
                            (c->rain_mm_h > 0 ? 0.18 : 0),
                        0.12, 0.99);
    double gamma = log(c->humidity) + 17.62 * c->temperature_c / (243.12 + c->temperature_c);
    c->dew_point_c = 243.12 * gamma / (17.62 - gamma); /* Magnus; Sonntag 1990 */
    double calm = clamp((4.5 - c->wind_m_s) / 4, 0, 1);
    c->stagnation = clamp(calm * (0.65 - 0.25 * phase) + 0.25 * (1 - summer), 0, 1);
}

static void climate_people(struct climate *c)
{
    double h = c->clock.hour;
    if (c->clock.weekday < 5) {
        c->traffic =
            0.06 + 0.42 * hump(h, 13, 6) + 0.62 * hump(h, 7.9, 1.2) + 0.66 * hump(h, 18, 1.5);
        c->at_work = clamp(1.05 * hump(h, 13.2, 4.6), 0, 1);
    } else {
        c->traffic = 0.07 + 0.55 * hump(h, 15, 5.5) + 0.15 * hump(h, 20, 2);
        c->at_work = 0.5 * hump(h, 15, 4.5);
    }
    if (c->rain_mm_h > 0)
        c->traffic *= 1.08;
}

void climate_at(uint64_t seed, int64_t time_us, struct climate *out)
{
    *out = (struct climate){.time_us = time_us};
    climate_clock(time_us, &out->clock);
    climate_sky(seed, out);
    climate_air(seed, out);
    climate_people(out);
}
