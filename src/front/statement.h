/* POST /sql and GET /sql?query=…: one SELECT over the city (sql/sql.h, docs/sql.md), answered as JSON, CSV or JSON lines. The
 * tenant and the @context are those of an NGSI-LD request: NGSILD-Tenant, Link. A client that goes ends its statement. */
#ifndef FRONT_STATEMENT_H
#define FRONT_STATEMENT_H

#include "front/ngsild/ngsild.h"
#include "sql/sql.h"

struct statements {
    struct ngsild *api;
    struct sql *sql;
    bool enabled; /* else all is refused: "sql.enabled" */
};

/* May statements be asked here? E_FORBIDDEN names the option. */
MUST_USE enum status statement_allowed(const struct statements *s, struct why *why);
/* Is it the path of this front, and answered therefore? */
bool statement_handle(struct statements *s, struct http_request *r);

#endif
