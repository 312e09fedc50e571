/* What Grafana's JSON data source (simpod-json-datasource) asks for, below /grafana: docs/grafana.md.
 *
 *   GET  /grafana/                    is it there?
 *   POST /grafana/metrics, /search    "ENTITY ATTRIBUTE" of entities at hand
 *   POST /grafana/query               series of targets "ENTITY ATTRIBUTE [avg|min|max|sum|count]", or the table of a SELECT
 *   POST /grafana/metric-payload-options, /variable, /annotations, /tag-keys, /tag-values
 *
 * All of it is SQL underneath, so it is allowed where SQL is. */
#ifndef FRONT_GRAFANA_H
#define FRONT_GRAFANA_H

#include "front/statement.h"

/* Is it the path of this front, and answered therefore? */
bool grafana_handle(struct statements *s, struct http_request *r);

#endif
