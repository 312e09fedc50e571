/* Copies of files and directories, synced, for backups. */
#ifndef STORE_EMBEDDED_COPY_H
#define STORE_EMBEDDED_COPY_H

#include "base/status.h"
#include "store/embedded/embedded_io.h"

/* The first n bytes of a file (UINT64_MAX: all) to an absent one. */
MUST_USE enum status copy_file(const struct embedded_io *io, const char *from, const char *to,
                               uint64_t n, struct why *why);
/* The files of a directory, none deeper, to another, which is made; an absent one has none. */
MUST_USE enum status copy_directory(const struct embedded_io *io, const char *from, const char *to,
                                    struct why *why);
/* Makes dir; one that is there must be empty. */
MUST_USE enum status copy_target(const struct embedded_io *io, const char *dir, struct why *why);

#endif
