/* A model city: devices along the streets of a Jinan that does not exist, with daily
 * cycles and noise. Everything it says is marked as simulated.
 *
 * Pure: the same seed, device and simulated time give the same bytes, whatever was
 * asked before. Types and attributes are those of smart-data-models. */
#ifndef SENSE_CITY_H
#define SENSE_CITY_H

#include "base/buf.h"
#include "sense/climate.h"

#include <stdbool.h>
#include <stdint.h>

#define CITY_DEVICES 2000
#define CITY_DEVICES_MAX 1000000
#define CITY_PROVIDER "Wellspring model city (simulated)"

enum city_kind {
    CITY_TRAFFIC, /* TrafficFlowObserved */
    CITY_AIR,     /* AirQualityObserved */
    CITY_WEATHER, /* WeatherObserved */
    CITY_GARAGE,  /* OffStreetParking */
    CITY_SPOT,    /* ParkingSpot */
    CITY_LIGHT,   /* Streetlight */
    CITY_WASTE,   /* WasteContainer */
    CITY_METER,   /* SmartMeteringObservation: electricity, water */
    CITY_KIND_COUNT
};

struct city {
    uint64_t seed;
    uint32_t devices; /* CITY_DEVICES unless asked otherwise, at most CITY_DEVICES_MAX */
};

/* What a device is; number counts its kind from 0. */
struct city_device {
    uint32_t index;
    enum city_kind kind;
    uint32_t number;
    uint32_t street;
    double lon, lat;
    int64_t period_us; /* how often it reports, in simulated time */
    int64_t phase_us;  /* 0 … period: when within */
};

/* index < city->devices */
void city_device(const struct city *city, uint32_t index, struct city_device *out);
/* Number of devices of that kind. */
uint32_t city_count(const struct city *city, enum city_kind kind);
const char *city_type(enum city_kind kind);
/* "urn:ngsi-ld:Streetlight:model-city:0042". Returns the length. */
#define CITY_ID_MAX 96
size_t city_id(const struct city_device *d, char out[CITY_ID_MAX]);
/* Does it report within (from, to]? */
bool city_is_due(const struct city_device *d, int64_t from_us, int64_t to_us);
/* Appends the entity as it is at the climate's time. whole: with place, names and what else does
 * not change. */
void city_observe(const struct city *city, const struct city_device *d, const struct climate *c,
                  bool whole, struct buf *out);

/* "Jing 4 Road" … of a street. Returns the length. */
#define CITY_STREET_MAX 48
size_t city_street(uint32_t street, char out[CITY_STREET_MAX]);

#endif
