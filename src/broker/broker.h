/* The broker: the use cases of NGSI-LD over a store, without any protocol. */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include "broker/contexts.h"
#include "broker/ports.h"
#include "store/store.h"

struct broker {
    struct store *store;
    struct terms *terms;
    struct contexts *contexts;
    struct broker_ports *ports;
    _Atomic bool closing; /* the city is stopping: operations in steps end with E_CANCELLED at the next one */
};

#endif
