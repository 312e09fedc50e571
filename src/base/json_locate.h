/* Finds the first fault of a text that is no JSON, so that the refusal can say
 * where it is and what was expected. Slow and exact; runs only after the fast
 * reader has refused. */
#ifndef BASE_JSON_LOCATE_H
#define BASE_JSON_LOCATE_H

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

enum json_fault {
    JSON_FAULT_NONE, /* the text is JSON within the depth and double's range */
    JSON_FAULT_EMPTY,
    JSON_FAULT_SYNTAX,
    JSON_FAULT_UTF8,
    JSON_FAULT_NUMBER, /* beyond double's range */
    JSON_FAULT_DEPTH,
};

struct json_place {
    enum json_fault fault;
    size_t offset;    /* of the offending byte */
    size_t line;      /* from 1 */
    size_t column;    /* from 1, in characters */
    const char *text; /* constant: "expected ',' or '}'" */
};

struct json_place json_locate(struct str text, uint32_t depth_max);

#endif
