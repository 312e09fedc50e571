/* Answers: every way an exchange can end. Each function hands the answer over and
 * ends the exchange. */
#ifndef FRONT_NGSILD_ANSWER_H
#define FRONT_NGSILD_ANSWER_H

#include "front/ngsild/exchange.h"

/* RFC 7807 body of x->why (clause 5.5.3). */
void answer_why(struct exchange *x);
/* The same of a status and reason found elsewhere. */
void answer_refusal(struct exchange *x, enum status status, const struct why *why);
/* No body: 204 … */
void answer_empty(struct exchange *x, int http_status);
/* 201 with Location of what was created: the id below the path of the operation. */
void answer_created(struct exchange *x, struct str id);
/* 200 with a document that is no NGSI-LD element, as it is. */
void answer_document(struct exchange *x, struct buf *body, enum media media);
/* A body that the answer takes over; with_context: Link header or media type of x->accept, else plain JSON. */
void answer_body(struct exchange *x, int http_status, struct buf *body, bool with_context,
                 const struct http_header *extra, size_t extra_count);

/* Writes one ProblemDetails object. instance: absent or the element concerned. */
void problem_write(struct buf *b, enum status status, const struct why *why, struct str instance);
int problem_http_status(enum status status);
/* JSON text of the "@context" member that answers carry; in the arena or static. */
struct str answer_context_json(struct exchange *x);

#endif
