/* wellspring demo: a city with live input of its own, on a thread of its own – this
 * machine as the first real device, and a model city that says of itself that it is
 * simulated. */
#ifndef SENSE_DEMO_H
#define SENSE_DEMO_H

#include "broker/broker.h"
#include "model/reader.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stdint.h>

struct demo;

struct demo_options {
    struct broker *broker;   /* outlives the demo */
    struct loop_hooks hooks; /* for the demo's loop: it borrows from the store */
    struct reader_limits limits;
    struct str tenant; /* "" is the default tenant; borrowed */
    const char *disk;  /* a path on the file system to watch; NULL: "/" */
    bool machine;      /* observe this machine */
    uint32_t devices;  /* of the model city; 0: none; CITY_DEVICES as usual */
    uint64_t seed;
    double speed;     /* simulated seconds a second: 1 as usual, 60 plays a day in 24 minutes */
    int64_t start_us; /* simulated time at the beginning; TIME_NONE: now */
};

/* The usual demo; set broker, hooks and limits. */
void demo_options_preset(struct demo_options *o);
/* Caller owns; demo_stop(). */
MUST_USE enum status demo_start(struct demo **out, const struct demo_options *o, struct why *why);
/* Waits for what is under way, ends the thread and frees. Before the broker's store closes. False, with nothing freed,
 * when that took longer than so long. */
MUST_USE bool demo_stop(struct demo *d, int64_t patience_us);

#endif
