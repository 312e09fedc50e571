/* Reasons, and the JSON Pointer of where they apply. */
#include "base/status.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

static const char *const NAMES[] = {
    [OK] = "ok",
    [E_INVALID_REQUEST] = "invalid_request",
    [E_BAD_DATA] = "bad_data",
    [E_NOT_FOUND] = "not_found",
    [E_EXISTS] = "exists",
    [E_CONFLICT] = "conflict",
    [E_NO_TENANT] = "no_tenant",
    [E_NOT_SUPPORTED] = "not_supported",
    [E_CONTEXT] = "context",
    [E_TOO_COMPLEX] = "too_complex",
    [E_TOO_MANY_RESULTS] = "too_many_results",
    [E_FORBIDDEN] = "forbidden",
    [E_METHOD] = "method",
    [E_NOT_ACCEPTABLE] = "not_acceptable",
    [E_MEDIA_TYPE] = "media_type",
    [E_LENGTH_REQUIRED] = "length_required",
    [E_TOO_LARGE] = "too_large",
    [E_URI_TOO_LONG] = "uri_too_long",
    [E_TOO_MANY_REQUESTS] = "too_many_requests",
    [E_HEADERS_TOO_LARGE] = "headers_too_large",
    [E_LIMIT] = "limit",
    [E_BUSY] = "busy",
    [E_NO_SPACE] = "no_space",
    [E_UNKNOWN_OUTCOME] = "unknown_outcome",
    [E_TIMEOUT] = "timeout",
    [E_IO] = "io",
    [E_DAMAGED] = "damaged",
    [E_CANCELLED] = "cancelled",
    [E_INTERNAL] = "internal",
};

const char *status_name(enum status status)
{
    return (size_t)status < sizeof NAMES / sizeof *NAMES ? NAMES[status] : "unknown";
}

/* One reference token, escaped by RFC 6901 section 3; cut when out is full. */
static size_t pointer_step(const struct at *at, char *out, size_t room)
{
    size_t n = 0;
    char number[24];
    struct str key = at->key;
    if (!key.p) {
        int digits = snprintf(number, sizeof number, "%zu", at->index);
        key = (struct str){number, (size_t)digits};
    }
    if (n < room)
        out[n++] = '/';
    for (size_t i = 0; i < key.n && n + 2 < room; i++) {
        char c = key.p[i];
        if (c == '~' || c == '/') {
            out[n++] = '~';
            out[n++] = c == '~' ? '0' : '1';
        } else {
            out[n++] = c;
        }
    }
    return n;
}

static size_t pointer_write(const struct at *at, char *out, size_t room)
{
    if (!at)
        return 0;
    size_t n = pointer_write(at->up, out, room);
    return n + pointer_step(at, out + n, room - n);
}

/* Bytes from outside that are no UTF-8, and a character that was cut, become a question mark. */
static void clean(char *text)
{
    struct str rest = {text, strlen(text)};
    char *out = text;
    for (bool bad = false; rest.n;) {
        size_t n = utf8_length(rest);
        if (n)
            memmove(out, rest.p, n);
        else if (!bad)
            *out = '?';
        out += n ? n : !bad;
        bad = n == 0;
        rest = str_from(rest, n ? n : 1);
    }
    *out = 0;
}

static enum status set(struct why *why, enum status status, const struct at *at, const char *limit,
                       const char *fmt, va_list ap)
{
    if (!why || why->status != OK)
        return status;
    why->status = status;
    size_t n = pointer_write(at, why->pointer, sizeof why->pointer - 1);
    why->pointer[n] = 0;
    snprintf(why->limit, sizeof why->limit, "%s", limit);
    vsnprintf(why->text, sizeof why->text, fmt, ap);
    clean(why->pointer);
    clean(why->text);
    return status;
}

enum status why_set(struct why *why, enum status status, const struct at *at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set(why, status, at, "", fmt, ap);
    va_end(ap);
    return status;
}

enum status why_limit(struct why *why, enum status status, const struct at *at, const char *limit,
                      const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set(why, status, at, limit, fmt, ap);
    va_end(ap);
    return status;
}
