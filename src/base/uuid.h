/* Random identifiers (RFC 9562, version 4), for what is created without a name. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include "base/arena.h"
#include "base/str.h"

#define UUID_LENGTH 36

/* "2f1c9c2e-…", without a NUL. */
void uuid_make(char out[UUID_LENGTH]);
/* prefix and a new uuid, in the arena. */
struct str uuid_name(struct arena *a, struct str prefix);

#endif
