/* Which status is which error type and HTTP code (CIM 009 clauses 5.5.2, 6.3.2). */
#include "base/json.h"
#include "front/ngsild/answer.h"

#define ERRORS "https://uri.etsi.org/ngsi-ld/errors/"

struct problem {
    int http;
    const char *type;
    const char *title;
};

static const struct problem PROBLEMS[] = {
    [E_INVALID_REQUEST] = {400, ERRORS "InvalidRequest", "Invalid request"},
    [E_BAD_DATA] = {400, ERRORS "BadRequestData", "Bad request data"},
    [E_NOT_FOUND] = {404, ERRORS "ResourceNotFound", "Resource not found"},
    [E_EXISTS] = {409, ERRORS "AlreadyExists", "Already exists"},
    [E_CONFLICT] = {409, ERRORS "Conflict", "Conflict"},
    [E_NO_TENANT] = {404, ERRORS "NonexistentTenant", "Tenant does not exist"},
    [E_NOT_SUPPORTED] = {422, ERRORS "OperationNotSupported", "Operation not supported"},
    [E_CONTEXT] = {504, ERRORS "LdContextNotAvailable", "JSON-LD @context not available"},
    [E_TOO_COMPLEX] = {403, ERRORS "TooComplexQuery", "Query too complex"},
    [E_TOO_MANY_RESULTS] = {403, ERRORS "TooManyResults", "Too many results"},
    [E_FORBIDDEN] = {403, "about:blank", "Forbidden"},
    [E_METHOD] = {405, ERRORS "OperationNotSupported", "Method not allowed"},
    [E_NOT_ACCEPTABLE] = {406, ERRORS "InvalidRequest", "Not acceptable"},
    [E_MEDIA_TYPE] = {415, ERRORS "InvalidRequest", "Unsupported media type"},
    [E_LENGTH_REQUIRED] = {411, ERRORS "InvalidRequest", "Length required"},
    [E_TOO_LARGE] = {413, ERRORS "InvalidRequest", "Request entity too large"},
    [E_URI_TOO_LONG] = {414, ERRORS "InvalidRequest", "URI too long"},
    [E_TOO_MANY_REQUESTS] = {429, "about:blank", "Too many requests"},
    [E_HEADERS_TOO_LARGE] = {431, ERRORS "InvalidRequest", "Request header fields too large"},
    [E_LIMIT] = {400, ERRORS "BadRequestData", "Limit exceeded"},
    [E_BUSY] = {503, ERRORS "InternalError", "Busy"},
    [E_NO_SPACE] = {507, ERRORS "InternalError", "Insufficient storage"},
    [E_UNKNOWN_OUTCOME] = {500, ERRORS "InternalError", "Outcome unknown"},
    [E_TIMEOUT] = {504, ERRORS "InternalError", "Timed out"},
    [E_IO] = {500, ERRORS "InternalError", "Input or output failed"},
    [E_DAMAGED] = {500, ERRORS "InternalError", "Stored data is damaged"},
    [E_CANCELLED] = {503, ERRORS "InternalError", "Cancelled"},
    [E_INTERNAL] = {500, ERRORS "InternalError", "Internal error"},
};

static const struct problem *problem_of(enum status status)
{
    if ((size_t)status < sizeof PROBLEMS / sizeof *PROBLEMS && PROBLEMS[status].http)
        return &PROBLEMS[status];
    return &PROBLEMS[E_INTERNAL];
}

int problem_http_status(enum status status)
{
    return problem_of(status)->http;
}

static void member(struct buf *b, const char *name, struct str value)
{
    if (!value.n)
        return;
    buf_char(b, ',');
    json_write_str(b, str_of(name));
    buf_char(b, ':');
    json_write_str(b, value);
}

void problem_write(struct buf *b, enum status status, const struct why *why, struct str instance)
{
    const struct problem *p = problem_of(status);
    struct str detail = why && why->text[0] ? str_of(why->text) : str_of(p->title);
    buf_lit(b, "{\"type\":");
    json_write_str(b, str_of(p->type));
    member(b, "title", str_of(p->title));
    member(b, "detail", detail);
    buf_printf(b, ",\"status\":%d", p->http);
    member(b, "instance", instance);
    if (why) {
        member(b, "pointer", str_of(why->pointer));
        member(b, "limit", str_of(why->limit));
    }
    buf_char(b, '}');
}
