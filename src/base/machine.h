/* What this process may use of the machine: a container or a service unit has less than is built in. */
#ifndef BASE_MACHINE_H
#define BASE_MACHINE_H

#include <stddef.h>

/* Bytes of memory: what is built in, or the least limit of the process's control groups (version 2 or 1)
 * where that is less. */
size_t machine_memory(void);
/* The same with a file system that begins at root ("" is the real one). */
size_t machine_memory_under(const char *root, size_t built_in);

#endif
