/* The bytes of one input: a mapped file, a member of an archive, or a download.
 * Readers see a struct str and need not know which it is. */
#ifndef SENSE_BLOB_H
#define SENSE_BLOB_H

#include "base/status.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blob {
    struct str bytes; /* borrowed until blob_close() */
    void *owned;      /* malloc'd block that contains bytes, or NULL */
    bool mapped;
};

/* Maps a regular file. E_NOT_FOUND or E_IO with the system's reason. A file that another process
 * cuts while it is read ends the program (SIGBUS); an import can be resumed afterwards. */
MUST_USE enum status blob_open(struct blob *b, const char *path, struct why *why);
/* Takes over a block of mem_alloc(). */
void blob_take(struct blob *b, void *block, size_t bytes);
/* Replaces the bytes by their UTF-8 form. E_NOT_SUPPORTED: the encoding is unknown here;
 * E_BAD_DATA: the bytes are not of that encoding, with the offset; E_TOO_LARGE. */
MUST_USE enum status blob_decode(struct blob *b, const char *encoding, size_t bytes_max,
                                 struct why *why);
void blob_close(struct blob *b);
/* CRC-32C and length: tells whether an input is still the one an interrupted import began with. */
uint64_t blob_digest(const struct blob *b);

#endif
