/* What the commands that look at a running city share: get, watch, top. */
#ifndef MAIN_LOOK_H
#define MAIN_LOOK_H

#include "base/json.h"
#include "main/request.h"

struct look {
    struct request *request;
    struct arena *arena;  /* of one round */
    bool json;
    double every_s;
    const char *type, *q, *id, *attrs;
    uint64_t limit;
};

enum { LOOK_URL_BYTES_MAX = 16 << 10 };

/* Appends &name=value, unless value is NULL. */
void look_parameter(struct buf *b, const char *name, const char *value);
/* Prints a value, harmless to a terminal. */
void look_print(struct arena *a, const struct json *v);
/* False: the reader of what is printed has gone, or there is no room for it. */
bool look_printed(void);
enum status look_parse(struct look *l, struct str body, struct json *out, struct why *why);

/* watch.c: prints entities and then what changes, until nobody reads it. */
enum status watch_run(struct look *l, struct why *why);

#endif
