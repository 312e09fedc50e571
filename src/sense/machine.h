/* The machine that the city runs on, as the city's first real device: what the Linux
 * kernel says in /proc and /sys about load, memory, disk, network and temperatures. */
#ifndef SENSE_MACHINE_H
#define SENSE_MACHINE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct machine;

/* root: where proc/ and sys/ are, "" for the real ones. disk: a path on the file system to watch.
 * Both are copied. Caller owns; machine_free(). */
struct machine *machine_new(const char *root, const char *disk);
void machine_free(struct machine *m);
/* "urn:ngsi-ld:Device:HOST". Borrowed. */
struct str machine_id(const struct machine *m);
/* Appends the Device as it is now. whole: with its name and what does not change. What the kernel
 * does not tell is left out; rates are there from the second observation on. Reads files, so not
 * for a loop that serves requests. */
void machine_observe(struct machine *m, int64_t now_us, bool whole, struct buf *out);

#endif
