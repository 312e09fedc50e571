/* The file that makes a directory a store: who it is, and the lock that only one process holds.
 *
 *   store   0 magic "\x89WSTORE\n"   8 u32 version   12 u32 CRC-32C of what follows
 *           16 u64 store id         24 u64 0 */
#ifndef STORE_EMBEDDED_IDENTITY_H
#define STORE_EMBEDDED_IDENTITY_H

#include "base/status.h"
#include "store/embedded/embedded_io.h"

#include <stdbool.h>

/* Makes dir and its identity when they are absent and `create`, and takes the lock: *fd, closed to
 * give it back. E_CONFLICT: another process has it. E_NOT_FOUND: no store, and not `create`. */
MUST_USE enum status identity_take(const struct embedded_io *io, const char *dir, bool create,
                                   uint64_t *id, int *fd, struct why *why);
/* Writes the identity into dir, which then is a store: the last step of making one. */
MUST_USE enum status identity_write(const struct embedded_io *io, const char *dir, uint64_t id,
                                    struct why *why);
/* Reads it without the lock. */
MUST_USE enum status identity_read(const struct embedded_io *io, const char *dir, uint64_t *id,
                                   struct why *why);

#endif
