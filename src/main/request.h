/* One HTTP request of the command line to a running city, waited for. */
#ifndef MAIN_REQUEST_H
#define MAIN_REQUEST_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"

struct request;

/* Which city, and as which tenant: --to URL (default: the configured listening address) and --tenant NAME are taken
 * out of argv; a --to that is no URL is the command's own. Caller owns; NULL with why for what cannot be understood. */
struct request *request_new(const struct config *config, int *argc, char **argv, struct why *why);
void request_free(struct request *r);
/* GET path (with query) and the body in the arena. E_IO when the city does not answer; an answer other than 200 is a
 * refusal with its detail. */
MUST_USE enum status request_get(struct request *r, struct str path, struct arena *a, struct str *body, struct why *why);
/* The same with headers: "Accept: text/csv" … */
MUST_USE enum status request_get_with(struct request *r, struct str path, const struct str *headers, size_t count,
                                      struct arena *a, struct str *body, struct why *why);
/* The same with POST. */
MUST_USE enum status request_post(struct request *r, struct str path, const struct str *headers, size_t count, struct str content,
                                  struct arena *a, struct str *body, struct why *why);
/* GET path, whose answer has no end: each of its lines, without what ends it, is handed to line, which ends the request by false.
 * OK when the answer ended, or was ended; *began: it had begun. Other answers and errors as above. */
MUST_USE enum status request_follow(struct request *r, struct str path, const struct str *headers, size_t count, struct arena *a,
                                    bool (*line)(void *arg, struct str line), void *arg, bool *began, struct why *why);
/* Appends text, percent-encoded for a path's segment or a parameter. */
void request_encode(struct buf *b, const char *text);
/* The header that names the @context at url. */
struct str request_link(struct arena *a, const char *url);
struct str request_base(const struct request *r);
struct str request_tenant(const struct request *r); /* empty: the default one */
/* "http://HOST:PORT" under which this machine reaches what listens on the configured address: a wildcard is
 * reached through the loopback. */
struct str request_address(const struct config *config, struct arena *a);

#endif
