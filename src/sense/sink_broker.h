/* Entities into the city of this very process, through its use cases. */
#ifndef SENSE_SINK_BROKER_H
#define SENSE_SINK_BROKER_H

#include "base/task.h"
#include "broker/broker.h"
#include "model/reader.h"
#include "sense/sink.h"

struct sink_broker_options {
    struct broker *broker; /* outlives the sink */
    struct runner *runner; /* the loop that sends and where done is called */
    struct str tenant;     /* "" is the default tenant; borrowed */
    bool update;           /* attributes not mentioned stay */
    struct reader_limits limits;
    uint32_t timeout_ms;
};

/* Caller owns; sink_free() when nothing is under way. Entities without own @context only. */
struct sink *sink_broker_new(const struct sink_broker_options *o);

#endif
