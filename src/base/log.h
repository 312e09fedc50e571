/* Structured messages on stderr, as logfmt or JSON lines. No payloads, no
 * secrets: pass identifiers, counts and reasons. Thread-safe; a line is written
 * with one write(2). */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG_, LOG_INFO_, LOG_WARN_, LOG_ERROR_ };
enum log_format { LOG_LOGFMT, LOG_JSON };

void log_setup(enum log_format format, enum log_level level_min, int fd);
bool log_enabled(enum log_level level);

/* A field: log_s("path", s), log_i("status", 200), log_f("ms", 1.5). */
struct log_field {
    const char *key;
    uint8_t kind;
    union {
        struct str s;
        int64_t i;
        double f;
    };
};
static inline struct log_field log_s(const char *key, struct str s)
{
    return (struct log_field){.key = key, .kind = 0, .s = s};
}
static inline struct log_field log_z(const char *key, const char *z)
{
    return log_s(key, str_of(z));
}
static inline struct log_field log_i(const char *key, int64_t i)
{
    return (struct log_field){.key = key, .kind = 1, .i = i};
}
static inline struct log_field log_f(const char *key, double f)
{
    return (struct log_field){.key = key, .kind = 2, .f = f};
}
/* event is a short constant phrase: "listening", "request", "sync failed". */
void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n);
#define LOG_EVENT(level, event, ...)                                                               \
    do {                                                                                           \
        if (log_enabled(level)) {                                                                  \
            const struct log_field log_fields_[] = {__VA_ARGS__};                                  \
            log_write((level), (event), log_fields_, sizeof log_fields_ / sizeof *log_fields_);    \
        }                                                                                          \
    } while (0)
#define log_info(event, ...) LOG_EVENT(LOG_INFO_, event, __VA_ARGS__)
#define log_warn(event, ...) LOG_EVENT(LOG_WARN_, event, __VA_ARGS__)
#define log_error(event, ...) LOG_EVENT(LOG_ERROR_, event, __VA_ARGS__)

#endif
