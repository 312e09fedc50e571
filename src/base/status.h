/* How an operation ended, and why it was refused.
 *
 * Three kinds of error are never mixed: our own bugs (assert), the caller's
 * faults (a status with a struct why that says what was wrong and where), and
 * the world's (a status passed up). Only front ends turn a status into HTTP. */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#include "base/str.h"

#include <stdarg.h>
#include <stdint.h>

enum status {
    OK = 0,
    /* the caller's faults; names follow CIM 009 clause 5.5.2 */
    E_INVALID_REQUEST,    /* not JSON, unknown parameter …: 400 InvalidRequest */
    E_BAD_DATA,           /* well formed but breaks a rule: 400 BadRequestData */
    E_NOT_FOUND,          /* 404 ResourceNotFound */
    E_EXISTS,             /* 409 AlreadyExists */
    E_CONFLICT,           /* 409 Conflict */
    E_NO_TENANT,          /* 404 NonexistentTenant */
    E_NOT_SUPPORTED,      /* 422 OperationNotSupported */
    E_CONTEXT,            /* 504 LdContextNotAvailable */
    E_TOO_COMPLEX,        /* 403 TooComplexQuery */
    E_TOO_MANY_RESULTS,   /* 403 TooManyResults */
    E_FORBIDDEN,          /* 403 */
    E_METHOD,             /* 405 */
    E_NOT_ACCEPTABLE,     /* 406 */
    E_MEDIA_TYPE,         /* 415 */
    E_LENGTH_REQUIRED,    /* 411 */
    E_TOO_LARGE,          /* 413, why.limit says which limit */
    E_URI_TOO_LONG,       /* 414 */
    E_TOO_MANY_REQUESTS,  /* 429 */
    E_HEADERS_TOO_LARGE,  /* 431 */
    E_LIMIT,              /* 400 BadRequestData, why.limit says which limit */
    /* the world's */
    E_BUSY,               /* 503: try again later */
    E_NO_SPACE,           /* 507: disk or memory for state is full; reads go on */
    E_UNKNOWN_OUTCOME,    /* 500: a sync failed; the change may or may not be durable */
    E_TIMEOUT,            /* 504 */
    E_IO,                 /* 500 */
    E_DAMAGED,            /* 500: a checksum or an invariant of stored data does not hold */
    E_CANCELLED,
    E_INTERNAL,           /* 500 */
};

/* Where in a JSON document: a chain on the callers' stacks, rendered as a JSON
 * Pointer (RFC 6901) only when something is wrong. A step is a member when
 * key.p != NULL, else the element `index`. The root is NULL. */
struct at {
    const struct at *up;
    struct str key;
    size_t index;
};

/* Why something was refused. One per request; the first reason set wins. */
struct why {
    enum status status;
    char pointer[256]; /* JSON Pointer of the offending member, "" when none */
    char limit[48];    /* name of the limit of the configuration, "" when none */
    char text[512];    /* one sentence, no trailing period needed */
};

static inline void why_clear(struct why *w)
{
    w->status = OK;
    w->pointer[0] = w->limit[0] = w->text[0] = 0;
}

/* Sets the reason and returns status, so that callers write
 * `return why_set(why, E_BAD_DATA, &at, "…")`. why and at may be NULL. */
enum status why_set(struct why *why, enum status status, const struct at *at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The same for a broken limit of the configuration, e.g. "limits.body_bytes". */
enum status why_limit(struct why *why, enum status status, const struct at *at, const char *limit,
                      const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* "not_found" …, for logs. */
const char *status_name(enum status status);

#define MUST_USE __attribute__((warn_unused_result))

#endif
