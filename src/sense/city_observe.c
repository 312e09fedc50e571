/* Why: one function a kind of device: from the city's climate and the device's own curves to an
 * entity. Formulas are simple on purpose; their magnitudes and daily shapes are what matters.
 * Start at city_observe(). */
#include "sense/city.h"

#include "sense/city_noise.h"
#include "sense/noise.h"
#include "sense/observation.h"

#include <math.h>
#include <stdio.h>

#define SECOND_US INT64_C(1000000)
#define HOUR_US (3600 * SECOND_US)
#define DAY_US (24 * HOUR_US)

struct view {
    const struct city *city;
    const struct city_device *d;
    const struct climate *c;
    struct observation o;
    bool whole;
};

/* ---- noise of one device ---- */

static double fixed(const struct view *v, enum city_noise what, double low, double high)
{
    return noise_range(v->city->seed, what, v->d->index, low, high);
}

/* A seed for this device and that use, for noise over time. */
static uint64_t own_seed(const struct view *v, enum city_noise what)
{
    return noise_hash(v->city->seed, what, v->d->index);
}

/* The instrument's own noise, new at every report. */
static double jitter(const struct view *v, uint64_t salt)
{
    return noise_normal(own_seed(v, CITY_MEASURE), salt, (uint64_t)(v->c->time_us / SECOND_US));
}

static double curve(const struct view *v, int64_t period_us)
{
    return noise_smooth(own_seed(v, CITY_LOCAL), 0, v->c->time_us, period_us);
}

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* The name people see says what it is: simulated. */
static void put_name(struct view *v, const char *what)
{
    char street[CITY_STREET_MAX], name[160];
    size_t n = city_street(v->d->street, street);
    int used = snprintf(name, sizeof name, "%s %u, %.*s (simulated)", what,
                        (unsigned)v->d->number + 1, (int)n, street);
    observation_text(&v->o, "name", (struct str){name, (size_t)used});
    snprintf(
        name, sizeof name,
        "{\"addressCountry\":\"CN\",\"addressLocality\":\"Model city\",\"streetAddress\":\"%.*s\"}",
        (int)n, street);
    observation_json(&v->o, "address", name);
}

/* ---- kinds ---- */

/* Flow follows demand; speed falls as it comes near capacity (the BPR function of 1964). */
static void put_traffic(struct view *v)
{
    double capacity = fixed(v, CITY_SIZE, 500, 1900); /* vehicles an hour and lane */
    double limit = v->d->street % 3 == 0 ? 60 : 40;
    double demand =
        v->c->traffic * fixed(v, CITY_SIZE_2, 0.6, 1.05) * (1 + 0.18 * curve(v, HOUR_US / 2));
    demand = clamp(demand * (1 + 0.06 * jitter(v, 1)), 0.01, 1.3);
    double flow = capacity * (demand < 1 ? demand : 2 - demand);
    double delay = 1 + 0.15 * pow(demand, 4) + (demand > 0.9 ? 6 * (demand - 0.9) : 0);
    double speed =
        clamp(limit * (1 - 0.1 * (v->c->rain_mm_h > 0)) / delay * (1 + 0.03 * jitter(v, 2)), 4,
              limit * 1.15);
    int64_t per_minute = (int64_t)round(flow / 60);
    if (v->whole) {
        put_name(v, "Traffic counter");
        observation_json(&v->o, "laneId", v->d->number % 2 ? "1" : "2");
        observation_text(&v->o, "laneDirection",
                         v->d->number % 4 < 2 ? STR("forward") : STR("backward"));
    }
    observation_integer(&v->o, "intensity", per_minute * 60, NULL);
    observation_number(&v->o, "averageVehicleSpeed", speed, 1, "KMH");
    observation_number(&v->o, "occupancy", clamp(flow / speed * 0.0065, 0, 1), 3, "C62");
    if (per_minute > 0)
        observation_number(&v->o, "averageHeadwayTime", 60.0 / (double)per_minute, 1, "SEC");
    observation_truth(&v->o, "congested", speed < limit * 0.4);
}

/* China's index for PM2.5, 24-hour breakpoints applied to the hour (HJ 633-2012). */
static int air_index(double pm25)
{
    static const double pm[] = {0, 35, 75, 115, 150, 250, 350, 500};
    static const double index[] = {0, 50, 100, 150, 200, 300, 400, 500};
    for (int i = 1; i < 8; i++)
        if (pm25 <= pm[i])
            return (int)ceil(index[i - 1] +
                             (index[i] - index[i - 1]) * (pm25 - pm[i - 1]) / (pm[i] - pm[i - 1]));
    return 500;
}

static const char *air_level(int index)
{
    return index <= 50    ? "good"
           : index <= 100 ? "moderate"
           : index <= 150 ? "lightlyPolluted"
           : index <= 200 ? "moderatelyPolluted"
           : index <= 300 ? "heavilyPolluted"
                          : "severelyPolluted";
}

static void put_air(struct view *v)
{
    const struct climate *c = v->c;
    double near_road = fixed(v, CITY_SIZE, 0.7, 1.3);
    double winter = 0.5 + 0.5 * cos(2 * M_PI * (c->clock.year_day - 15) / 365.2425);
    double still = 0.35 + 1.3 * c->stagnation;
    double washed = 1 / (1 + 0.35 * c->rain_mm_h);
    double pm25 = (16 + 44 * winter + 14 * c->traffic * near_road) * still * washed *
                  (1 + 0.2 * curve(v, 3 * HOUR_US));
    pm25 = clamp(pm25 * (1 + 0.05 * jitter(v, 1)), 2, 600);
    double no2 =
        clamp((9 + 55 * c->traffic * near_road) * still * (1 + 0.06 * jitter(v, 2)), 1, 300);
    double o3 =
        clamp(25 + 0.13 * c->radiation_w_m2 * clamp((c->temperature_c + 10) / 40, 0.1, 1.2) -
                  0.3 * no2 + 4 * jitter(v, 3),
              2, 350);
    double so2 = clamp((4 + 13 * winter) * still * (1 + 0.08 * jitter(v, 4)), 1, 200);
    int index = air_index(pm25);
    if (v->whole)
        put_name(v, "Air quality station");
    observation_number(&v->o, "pm25", pm25, 1, "GQ");
    observation_number(&v->o, "pm10", pm25 * 1.45 + 9 + 0.8 * c->wind_m_s * c->wind_m_s, 1, "GQ");
    observation_number(&v->o, "no2", no2, 1, "GQ");
    observation_number(&v->o, "o3", o3, 1, "GQ");
    observation_number(&v->o, "so2", so2, 1, "GQ");
    observation_number(&v->o, "co", 0.25 + 0.011 * pm25 + 0.25 * c->traffic * near_road, 2, "GP");
    observation_integer(&v->o, "airQualityIndex", index, NULL);
    observation_state(&v->o, "airQualityLevel", air_level(index));
}

static void put_weather(struct view *v)
{
    const struct climate *c = v->c;
    double warmer = fixed(v, CITY_SIZE, -0.8, 0.8); /* built-up or by the lake */
    double humidity = clamp(c->humidity - 0.02 * warmer + 0.01 * jitter(v, 2), 0.05, 1);
    if (v->whole)
        put_name(v, "Weather station");
    observation_number(&v->o, "temperature", c->temperature_c + warmer + 0.1 * jitter(v, 1), 1,
                       "CEL");
    observation_number(&v->o, "relativeHumidity", humidity, 2, "C62");
    observation_number(&v->o, "dewPoint", c->dew_point_c, 1, "CEL");
    observation_number(&v->o, "atmosphericPressure",
                       c->pressure_hpa - fixed(v, CITY_SIZE_2, 2, 9) + 0.1 * jitter(v, 3), 1,
                       "A97");
    observation_number(
        &v->o, "windSpeed",
        clamp(c->wind_m_s * fixed(v, CITY_USE, 0.7, 1.2) + 0.3 * jitter(v, 4), 0, 60), 1, "MTS");
    double from = c->wind_from_deg + 8 * jitter(v, 5);
    from = round(from - 360 * floor(from / 360));
    observation_integer(&v->o, "windDirection", from >= 360 ? 0 : (int64_t)from, "DD");
    observation_number(&v->o, "precipitation", c->rain_mm_h, 1, "MMT");
    observation_number(&v->o, "solarRadiation", c->radiation_w_m2, 0, "D54");
    observation_number(&v->o, "illuminance", c->illuminance_lx, 0, "LUX");
}

/* Use 0: offices, 1: homes, 2: shops. */
static double parking_demand(const struct climate *c, int use)
{
    double evening = exp(-pow((c->clock.hour - 19.5) / 2.5, 2));
    double night = c->clock.hour < 7 || c->clock.hour > 21;
    switch (use) {
    case 0:
        return 0.08 + 0.85 * c->at_work;
    case 1:
        return 0.92 - 0.5 * c->at_work;
    default:
        return clamp(0.1 + 0.5 * c->at_work + (c->clock.weekday >= 5 ? 0.5 : 0.35) * evening -
                         0.05 * night,
                     0.03, 1);
    }
}

static void put_garage(struct view *v)
{
    static const char *const uses[] = {"[\"public\",\"feeCharged\",\"longTerm\"]",
                                       "[\"private\",\"onlyResidents\"]",
                                       "[\"public\",\"feeCharged\",\"shortTerm\"]"};
    int use = (int)(v->d->number % 3);
    int64_t total = 20 * (int64_t)round(fixed(v, CITY_SIZE, 4, 30));
    double share =
        parking_demand(v->c, use) * fixed(v, CITY_SIZE_2, 0.75, 1.05) + 0.06 * curve(v, HOUR_US);
    int64_t taken = (int64_t)round(clamp(share, 0, 1) * (double)total);
    if (v->whole) {
        put_name(v, "Car park");
        observation_json(&v->o, "category", uses[use]);
        observation_json(&v->o, "allowedVehicleType", "[\"car\"]");
        observation_fixed(&v->o, "totalSpotNumber", (double)total, 0, NULL);
    }
    observation_integer(&v->o, "availableSpotNumber", total - taken, NULL);
    observation_integer(&v->o, "occupiedSpotNumber", taken, NULL);
    observation_number(&v->o, "occupancy", (double)taken / (double)total, 3, "C62");
}

/* A spot is taken or free for a stay at a time; how long stays are is the spot's own. */
static void put_spot(struct view *v)
{
    int use = (int)(v->d->number % 3);
    int64_t stay_us = (int64_t)(fixed(v, CITY_SIZE, 15, 150) * 60) * SECOND_US;
    uint64_t stay = (uint64_t)((v->c->time_us + v->d->phase_us) / stay_us);
    double dice = noise_unit(own_seed(v, CITY_STAY), 0, stay);
    if (v->whole) {
        char site[CITY_ID_MAX];
        uint32_t garages = city_count(v->city, CITY_GARAGE);
        put_name(v, "Parking spot");
        observation_json(&v->o, "category", "[\"onStreet\"]");
        if (garages > 0) {
            struct city_device garage = {.kind = CITY_GARAGE, .number = v->d->number % garages};
            size_t n = city_id(&garage, site);
            observation_relationship(&v->o, "refParkingSite", (struct str){site, n});
        }
    }
    observation_state(&v->o, "status", dice < parking_demand(v->c, use) ? "occupied" : "free");
}

/* On when the sun is below what this light's own cell takes for dusk; dimmed after midnight. */
static void put_light(struct view *v)
{
    double dusk = fixed(v, CITY_SIZE, -2.0, 0.5) + (v->c->cloud > 0.8 ? 1.5 : 0);
    uint64_t week = (uint64_t)(v->c->time_us / (7 * DAY_US));
    bool broken = noise_unit(own_seed(v, CITY_FAULT), 0, week) < 0.012;
    bool on = v->c->sun_deg < dusk;
    double level = !on || broken ? 0 : v->c->clock.hour >= 0.5 && v->c->clock.hour < 5 ? 0.5 : 1;
    double rating = v->d->street % 3 == 0 ? 150 : 70;
    if (v->whole) {
        put_name(v, "Street light");
        observation_fixed(&v->o, "lanternHeight", v->d->street % 3 == 0 ? 10 : 6, 0, "MTR");
        observation_fixed(&v->o, "powerRating", rating, 0, "WTT");
        observation_text(&v->o, "controllingMethod", STR("individual"));
    }
    observation_state(&v->o, "powerState", on ? "on" : "off");
    observation_state(&v->o, "status", broken ? "defectiveLamp" : "ok");
    observation_number(&v->o, "illuminanceLevel", level, 2, "C62");
    observation_number(&v->o, "powerConsumption", level > 0 ? rating * (0.06 + 0.94 * level) : 0, 1,
                       "WTT");
    observation_number(&v->o, "voltage", 221 + 2.5 * curve(v, 2 * HOUR_US), 1, "VLT");
}

/* Fills from one collection to the next, faster while people are about. */
static void put_waste(struct view *v)
{
    static const char *const sorts[] = {"[\"other\"]", "[\"recyclable\"]", "[\"kitchen\"]",
                                        "[\"hazardous\"]"};
    int64_t round_us = DAY_US * (1 + (int64_t)(v->d->number % 3));
    int64_t collected_at =
        (int64_t)(fixed(v, CITY_SIZE_2, 5, 8) * 3600) * SECOND_US - CLIMATE_ZONE_US;
    int64_t t = v->c->time_us - collected_at;
    int64_t cycle = t / round_us - (t % round_us < 0);
    double part = (double)(t - cycle * round_us) / (double)round_us;
    double full = noise_range(own_seed(v, CITY_CYCLE), 0, (uint64_t)cycle, 0.45, 1.15);
    double shape = part + 0.05 * sin(2 * M_PI * part);
    if (v->whole) {
        put_name(v, "Waste container");
        observation_json(&v->o, "storedWasteKind", sorts[v->d->number % 4]);
        observation_fixed(&v->o, "binCapacity", 240, 0, "LTR");
    }
    observation_number(&v->o, "fillingLevel", clamp(full * shape, 0, 1), 2, "C62");
    observation_number(&v->o, "temperature",
                       v->c->temperature_c + 0.006 * v->c->radiation_w_m2 + 0.3 * jitter(v, 1), 1,
                       "CEL");
    observation_time(&v->o, "dateLastEmptying", cycle * round_us + collected_at);
}

/* Power is a constant and two waves a day; what was consumed since 2024 is its integral, so a meter
 * never runs backwards. */
static void put_meter(struct view *v)
{
    const int64_t since = INT64_C(1704067200) * SECOND_US;
    bool water = v->d->number % 2 == 1;
    double mean = water ? fixed(v, CITY_SIZE, 0.02, 0.4) : fixed(v, CITY_SIZE, 0.3, 9);
    double peak = fixed(v, CITY_SIZE_2, 17, 21), turn = 2 * M_PI / 24;
    double hours = (double)(v->c->time_us - since) / (double)HOUR_US + 8 - peak;
    double rate = mean * (1 + 0.55 * cos(turn * hours) + 0.3 * cos(2 * turn * hours));
    double total = mean * (hours + 30 + 0.55 * sin(turn * hours) / turn +
                           0.3 * sin(2 * turn * hours) / (2 * turn));
    if (v->whole) {
        put_name(v, water ? "Water meter" : "Electricity meter");
        observation_text(&v->o, "meterType", water ? STR("Water") : STR("Electricity"));
    }
    observation_number(&v->o, "totalConsumption", total > 0 ? total : 0, 2, water ? "MTQ" : "KWH");
    observation_number(&v->o, water ? "flowRate" : "activePower", rate, 3, water ? "MQH" : "KWT");
    if (!water)
        observation_number(&v->o, "powerFactor", 0.95 + 0.03 * curve(v, HOUR_US), 2, "C62");
}

void city_observe(const struct city *city, const struct city_device *d, const struct climate *c,
                  bool whole, struct buf *out)
{
    static void (*const put[CITY_KIND_COUNT])(struct view * v) = {
        [CITY_TRAFFIC] = put_traffic, [CITY_AIR] = put_air,     [CITY_WEATHER] = put_weather,
        [CITY_GARAGE] = put_garage,   [CITY_SPOT] = put_spot,   [CITY_LIGHT] = put_light,
        [CITY_WASTE] = put_waste,     [CITY_METER] = put_meter,
    };
    struct view v = {.city = city, .d = d, .c = c, .whole = whole};
    char id[CITY_ID_MAX];
    size_t n = city_id(d, id);
    observation_open(&v.o, out, (struct str){id, n}, city_type(d->kind), c->time_us);
    if (whole) {
        observation_point(&v.o, "location", d->lon, d->lat);
        observation_json(&v.o, "simulated", "true");
        observation_text(&v.o, "dataProvider", STR(CITY_PROVIDER));
    }
    observation_time(&v.o, "dateObserved", c->time_us);
    put[d->kind](&v);
    observation_close(&v.o);
}
