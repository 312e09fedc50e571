/* The description of the API that /openapi.json serves, made from the tables in api/. */
#ifndef FRONT_OPENAPI_H
#define FRONT_OPENAPI_H

#include <stddef.h>

extern const char OPENAPI_JSON[];
extern const size_t OPENAPI_JSON_BYTES;

#endif
