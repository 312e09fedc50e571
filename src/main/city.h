/* The running city: the parts, wired together from the configuration. */
#ifndef MAIN_CITY_H
#define MAIN_CITY_H

#include "base/config.h"
#include "broker/broker.h"
#include "model/reader.h"
#include "net/loop.h"

struct city;

/* Opens the data directory, starts the loops' threads and listens. Nothing runs when it fails. */
MUST_USE enum status city_start(struct city **out, const struct config *config, struct why *why);
/* "127.0.0.1:1026", as bound. */
struct str city_address(const struct city *c);
struct broker *city_broker(struct city *c);
/* What entities may be like. */
const struct reader_limits *city_reader_limits(const struct city *c);
/* For parts that join the city's threads. */
struct loop_hooks city_hooks(struct city *c);
/* Waits for SIGTERM or SIGINT, re-reads on SIGHUP through reload, then returns. Signals must be blocked
 * in every thread (city_block_signals() first thing in main). */
void city_wait(struct city *c, void (*reload)(void *arg), void *arg);
void city_block_signals(void);
/* Stops accepting, lets open requests finish, closes the store. False, with nothing closed or freed, when a handler
 * did not give back its request within server.close_timeout: what it waits for may still come, so the process must end
 * at once (_exit). Nothing acknowledged is lost: it is in the log. */
MUST_USE bool city_stop(struct city *c);
/* Takes over the options that may change while running. */
void city_reload(struct city *c, const struct config *config);

#endif
