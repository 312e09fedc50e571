/* What subscriptions and registrations share: documents that have an id in the path. */
#ifndef FRONT_NGSILD_RESOURCE_H
#define FRONT_NGSILD_RESOURCE_H

#include "broker/document.h"
#include "front/ngsild/exchange.h"

/* The id of the path is a URI, or E_BAD_DATA. what: "subscription". */
MUST_USE enum status resource_id(struct exchange *x, const char *what);
/* A call about the document in the path. */
struct document_call resource_call(struct exchange *x);
/* 201 with its Location for POST, 204 for what else went well. */
void resource_answer(struct exchange *x, const struct document_call *c);
/* DELETE of one of that kind. */
void resource_remove(struct exchange *x, uint8_t kind, const char *what);

#endif
