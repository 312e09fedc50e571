/* Online backups: a checkpoint of the base, the durable part of the log behind it, and last the
 * file that makes the directory a store. A backup is a store: it can be opened where it lies. */
#include "store/embedded/copy.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/identity.h"

#include <limits.h>
#include <stdio.h>

/* Under the fold's work lock, so that neither base nor log lose anything meanwhile. */
static enum status copy_all(struct embedded *e, const char *dir, struct why *why)
{
    char path[PATH_MAX];
    enum status st = OK;
    if (e->fold.lost)
        return why_set(why, E_BUSY, NULL, "the base store could not be opened again after a fault");
    if (e->fold.base) {
        snprintf(path, sizeof path, "%s/base", dir);
        st = base_checkpoint(e->fold.base, path, why);
    }
    snprintf(path, sizeof path, "%s/log", dir);
    if (st == OK)
        st = journal_copy(e->journal, e->fold.segment, path, why);
    return st;
}

enum status backup_make(struct store *s, const char *dir, struct why *why)
{
    struct embedded *e = embedded_of(s);
    enum status st = copy_target(e->io, dir, why);
    if (st != OK)
        return st;
    pthread_mutex_lock(&e->fold.work);
    st = copy_all(e, dir, why);
    pthread_mutex_unlock(&e->fold.work);
    return st == OK ? identity_write(e->io, dir, e->store_id, why) : st;
}

enum status embedded_restore(const char *from, const char *dir, struct why *why)
{
    const struct embedded_io *io = &embedded_io_os;
    char in[PATH_MAX], out[PATH_MAX];
    uint64_t id;
    enum status st = identity_read(io, from, &id, why);
    if (st == OK)
        st = copy_target(io, dir, why);
    static const char *const PARTS[] = {"base", "log"};
    for (size_t i = 0; st == OK && i < sizeof PARTS / sizeof *PARTS; i++) {
        snprintf(in, sizeof in, "%s/%s", from, PARTS[i]);
        snprintf(out, sizeof out, "%s/%s", dir, PARTS[i]);
        st = copy_directory(io, in, out, why);
    }
    return st == OK ? identity_write(io, dir, id, why) : st;
}
