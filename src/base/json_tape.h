/* Between json.c and the C++ shim over simdjson. */
#ifndef BASE_JSON_TAPE_H
#define BASE_JSON_TAPE_H

#include "base/json.h"

enum json_outcome {
    JSON_READ_OK,
    JSON_READ_BROKEN, /* not JSON; json_locate says where and why */
    JSON_READ_NUMBER, /* a number is malformed, or an integer beyond 64 bits */
    JSON_READ_DEEP,
    JSON_READ_MEMORY,
};

/* Parses text with simdjson and builds the tree in the arena. depth_max >= 1. */
enum json_outcome json_tape_read(struct arena *a, struct str text, uint32_t depth_max,
                                 struct json *out);

#endif
