/* The calls to the file system that the log and the data directory make, behind one
 * small table, so that tests can put faults there (a full disk, a failed sync, a torn
 * write). RocksDB makes its own calls; tests/fault catches those of the whole program.
 *
 * Each function returns 0 or an errno value. Short reads and writes are continued
 * inside; write_at may have written a part when it fails. */
#ifndef STORE_EMBEDDED_EMBEDDED_IO_H
#define STORE_EMBEDDED_EMBEDDED_IO_H

#include <stddef.h>
#include <stdint.h>

struct embedded_io {
    /* flags and 0644 as for open(2), O_CLOEXEC added. */
    int (*open)(const struct embedded_io *io, const char *path, int flags, int *fd);
    void (*close)(const struct embedded_io *io, int fd);
    /* *got < n only at the end of the file. */
    int (*read_at)(const struct embedded_io *io, int fd, void *p, size_t n, uint64_t at,
                   size_t *got);
    int (*write_at)(const struct embedded_io *io, int fd, const void *p, size_t n, uint64_t at);
    int (*sync_data)(const struct embedded_io *io, int fd); /* fdatasync */
    int (*sync_all)(const struct embedded_io *io, int fd);  /* fsync */
    int (*truncate)(const struct embedded_io *io, int fd, uint64_t n);
    int (*allocate)(const struct embedded_io *io, int fd,
                    uint64_t n); /* n bytes from the start, size grows */
    int (*size)(const struct embedded_io *io, int fd, uint64_t *n);
    int (*rename)(const struct embedded_io *io, const char *from, const char *to);
    int (*unlink)(const struct embedded_io *io, const char *path);
    int (*mkdir)(const struct embedded_io *io, const char *path); /* an existing one is fine */
    int (*sync_dir)(const struct embedded_io *io, const char *path);
    int (*space)(const struct embedded_io *io, const char *path, uint64_t *free_bytes);
};

extern const struct embedded_io embedded_io_os;

#endif
