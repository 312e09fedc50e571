/* Why: whoever tries the city on should see one that lives, without any file. Which devices there
 * are and where they stand is here; what they say is in city_observe.c.
 *
 * The streets are a grid, named like Jinan's old commercial district: Jing roads run east and west,
 * Wei roads north and south. */
#include "sense/city.h"

#include "sense/city_noise.h"
#include "sense/noise.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#define MINUTE_US (INT64_C(60) * 1000000)
#define JING_ROADS 14u
#define WEI_ROADS 18u
#define WEST 116.915
#define EAST 117.105
#define SOUTH 36.615
#define NORTH 36.705

static const struct {
    const char *type;
    uint32_t count; /* of CITY_DEVICES */
    int64_t period_us;
} kinds[CITY_KIND_COUNT] = {
    [CITY_TRAFFIC] = {"TrafficFlowObserved", 400, MINUTE_US},
    [CITY_AIR] = {"AirQualityObserved", 80, 5 * MINUTE_US},
    [CITY_WEATHER] = {"WeatherObserved", 20, 5 * MINUTE_US},
    [CITY_GARAGE] = {"OffStreetParking", 60, 2 * MINUTE_US},
    [CITY_SPOT] = {"ParkingSpot", 440, 5 * MINUTE_US},
    [CITY_LIGHT] = {"Streetlight", 500, 10 * MINUTE_US},
    [CITY_WASTE] = {"WasteContainer", 300, 30 * MINUTE_US},
    [CITY_METER] = {"SmartMeteringObservation", 200, 15 * MINUTE_US},
};

/* First index of the kind: shares of CITY_DEVICES, rounded so that all add up. */
static uint32_t kind_begin(const struct city *city, uint32_t kind)
{
    uint64_t before = 0;
    for (uint32_t k = 0; k < kind; k++)
        before += kinds[k].count;
    return (uint32_t)(before * city->devices / CITY_DEVICES);
}

uint32_t city_count(const struct city *city, enum city_kind kind)
{
    return kind_begin(city, kind + 1) - kind_begin(city, kind);
}

const char *city_type(enum city_kind kind)
{
    return kinds[kind].type;
}

/* Where a street stands, in degrees; its line bends a little. */
static void street_point(const struct city *city, uint32_t street, double along, double *lon,
                         double *lat)
{
    double shift = noise_range(city->seed, CITY_STREETS, street, -0.0012, 0.0012);
    double bend = 0.0008 * sin(2 * M_PI * (along + noise_unit(city->seed, CITY_BENDS, street)));
    if (street < JING_ROADS) {
        *lon = WEST + (EAST - WEST) * along;
        *lat = NORTH - (NORTH - SOUTH) * (street + 0.5) / JING_ROADS + shift + bend;
    } else {
        *lon = WEST + (EAST - WEST) * (street - JING_ROADS + 0.5) / WEI_ROADS + shift + bend;
        *lat = SOUTH + (NORTH - SOUTH) * along;
    }
}

size_t city_street(uint32_t street, char out[CITY_STREET_MAX])
{
    bool jing = street < JING_ROADS;
    return (size_t)snprintf(out, CITY_STREET_MAX, "%s %u Road", jing ? "Jing" : "Wei",
                            (unsigned)(jing ? street : street - JING_ROADS) + 1);
}

void city_device(const struct city *city, uint32_t index, struct city_device *out)
{
    assert(index < city->devices && city->devices <= CITY_DEVICES_MAX);
    uint32_t kind = 0;
    while (index >= kind_begin(city, kind + 1))
        kind++;
    uint32_t number = index - kind_begin(city, kind);
    uint32_t streets = JING_ROADS + WEI_ROADS;
    *out = (struct city_device){.index = index,
                                .kind = (enum city_kind)kind,
                                .number = number,
                                .street = number % streets,
                                .period_us = kinds[kind].period_us};
    /* Devices of a kind follow one another along their street, not quite evenly. */
    uint32_t on_street = (city_count(city, out->kind) + streets - 1) / streets;
    double along = (number / streets + noise_range(city->seed, CITY_ALONG, index, 0.15, 0.85)) /
                   (on_street > 0 ? on_street : 1);
    street_point(city, out->street, along, &out->lon, &out->lat);
    /* A few metres off the middle of the road. */
    out->lon += noise_range(city->seed, CITY_ASIDE, 2 * (uint64_t)index, -0.0002, 0.0002);
    out->lat += noise_range(city->seed, CITY_ASIDE, 2 * (uint64_t)index + 1, -0.0002, 0.0002);
    out->phase_us = (int64_t)(noise_unit(city->seed, CITY_PHASE, index) * (double)out->period_us);
}

size_t city_id(const struct city_device *d, char out[CITY_ID_MAX])
{
    return (size_t)snprintf(out, CITY_ID_MAX, "urn:ngsi-ld:%s:model-city:%04u", kinds[d->kind].type,
                            (unsigned)d->number + 1);
}

static int64_t report_number(const struct city_device *d, int64_t time_us)
{
    int64_t t = time_us + d->phase_us;
    return t / d->period_us - (t % d->period_us < 0);
}

bool city_is_due(const struct city_device *d, int64_t from_us, int64_t to_us)
{
    return report_number(d, to_us) > report_number(d, from_us);
}
