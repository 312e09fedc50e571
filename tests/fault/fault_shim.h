/* A machine that can lose power: of everything below one directory it keeps what was synced, and
 * forgets the rest.
 *
 * The program that links this has its own fsync, fdatasync, write, pwrite and fallocate, which the
 * libraries it loads (RocksDB) call as well. At each sync the file's content, or the directory's
 * entries, are copied into a shadow; fault_shim_rebuild() makes a directory of what the shadow has:
 * names as of their directory's last sync, contents as of the file's last sync. That is stricter
 * than file systems are: a file's own sync does not save its name, nothing is written back by
 * itself, and data reaches the disk at syncs alone. What it cannot show is a disk that lies about a
 * sync, or one that tears sectors it was told to keep. */
#ifndef TESTS_FAULT_SHIM_H
#define TESTS_FAULT_SHIM_H

#include <stdint.h>

/* From now on everything below root (absolute) is watched. The process ends, with status 99, at the
 * sync numbered crash_at (from 1; 0: never), before it takes effect. */
void fault_shim_start(const char *root, const char *shadow, unsigned crash_at);
unsigned fault_shim_syncs(void);
/* Bytes that may still be written below root; INT64_MAX: any. Then ENOSPC. */
void fault_shim_budget(int64_t bytes);
/* What a crash left, as directory out (absent). 0, or -1 with errno. */
int fault_shim_rebuild(const char *shadow, const char *out);

#endif
