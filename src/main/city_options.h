/* What the configuration says, as the options of the city's parts. Members that are other parts are left to set: arg and
 * handlers, listeners, ports, store, terms. */
#ifndef MAIN_CITY_OPTIONS_H
#define MAIN_CITY_OPTIONS_H

#include "base/config.h"
#include "broker/entity_map.h"
#include "broker/notify.h"
#include "broker/snapshots.h"
#include "front/front.h"
#include "net/http_server.h"
#include "store/embedded/embedded.h"

struct ngsild_limits city_options_limits(const struct config *c);
struct broker_subscriptions city_options_subscriptions(const struct config *c);
struct broker_registrations city_options_registrations(const struct config *c);
struct notify_options city_options_notify(const struct config *c);
/* How long history is kept. Caller owns the rules. E_BAD_DATA. */
MUST_USE enum status city_options_retention(const struct config *c, struct store_retention *out, struct why *why);
struct embedded_options city_options_store(const struct config *c);
struct entity_map_options city_options_maps(const struct config *c);
struct snapshots_options city_options_snapshots(const struct config *c);
struct contexts_options city_options_contexts(const struct config *c);
/* Of one of so many servers. */
struct http_server_options city_options_server(const struct config *c, size_t threads);
struct live_options city_options_live(const struct config *c);
struct sql_options city_options_sql(const struct config *c);
/* Are statements taken where the city listens? */
bool city_options_sql_enabled(const struct config *c);
/* That serve. */
size_t city_options_threads(const struct config *c);

#endif
