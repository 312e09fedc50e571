/* The lock is on the identity file itself. */
#include "store/embedded/identity.h"

#include "base/hash.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#define MAGIC "\x89WSTORE\n"
enum { VERSION = 1 };

struct identity {
    char magic[8];
    uint32_t version;
    uint32_t crc;
    uint64_t id;
    uint64_t zero;
};
static_assert(sizeof(struct identity) == 32, "docs/formats/log.md");

static uint32_t crc_of(const struct identity *f)
{
    return crc32c(0, &f->id, sizeof *f - offsetof(struct identity, id));
}

static enum status world(int error, const char *what, const char *path, struct why *why)
{
    return why_set(why, error == ENOSPC ? E_NO_SPACE : E_IO, NULL, "%s %s: %s", what, path,
                   strerror(error));
}

enum status identity_write(const struct embedded_io *io, const char *dir, uint64_t id,
                           struct why *why)
{
    char path[PATH_MAX], draft[PATH_MAX];
    snprintf(path, sizeof path, "%s/store", dir);
    snprintf(draft, sizeof draft, "%s/store.new", dir);
    struct identity f = {.version = VERSION, .id = id};
    memcpy(f.magic, MAGIC, sizeof f.magic);
    f.crc = crc_of(&f);
    int fd, e = io->open(io, draft, O_WRONLY | O_CREAT | O_TRUNC, &fd);
    if (e)
        return world(e, "making", draft, why);
    e = io->write_at(io, fd, &f, sizeof f, 0);
    if (!e)
        e = io->sync_all(io, fd);
    io->close(io, fd);
    if (!e)
        e = io->rename(io, draft, path);
    if (!e)
        e = io->sync_dir(io, dir);
    return e ? world(e, "writing", path, why) : OK;
}

static enum status read_from(const struct embedded_io *io, int fd, const char *path, uint64_t *id,
                             struct why *why)
{
    struct identity f;
    size_t got = 0;
    int e = io->read_at(io, fd, &f, sizeof f, 0, &got);
    if (e)
        return world(e, "reading", path, why);
    if (got < sizeof f || memcmp(f.magic, MAGIC, sizeof f.magic))
        return why_set(why, E_DAMAGED, NULL, "%s does not say that this is a store", path);
    if (f.version > VERSION)
        return why_set(why, E_NOT_SUPPORTED, NULL,
                       "%s has version %u; this program knows versions up to %d", path, f.version,
                       VERSION);
    if (f.crc != crc_of(&f))
        return why_set(why, E_DAMAGED, NULL, "%s: the checksum is wrong", path);
    *id = f.id;
    return OK;
}

enum status identity_read(const struct embedded_io *io, const char *dir, uint64_t *id,
                          struct why *why)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/store", dir);
    int fd, e = io->open(io, path, O_RDONLY, &fd);
    if (e == ENOENT)
        return why_set(why, E_NOT_FOUND, NULL, "%s is no store", dir);
    if (e)
        return world(e, "opening", path, why);
    enum status st = read_from(io, fd, path, id, why);
    io->close(io, fd);
    return st;
}

/* A store is made in an empty directory only: a log without identity is somebody's damage. */
static enum status make(const struct embedded_io *io, const char *dir, struct why *why)
{
    char log[PATH_MAX], base[PATH_MAX];
    snprintf(log, sizeof log, "%s/log", dir);
    snprintf(base, sizeof base, "%s/base", dir);
    if (access(log, F_OK) == 0 || access(base, F_OK) == 0)
        return why_set(why, E_DAMAGED, NULL,
                       "%s has a log or a base, but not the file that says whose: store", dir);
    uint64_t id;
    if (getrandom(&id, sizeof id, 0) != sizeof id)
        return world(errno, "drawing a number for", dir, why);
    int e = io->mkdir(io, log); /* made durable by the same sync */
    if (e)
        return world(e, "making", log, why);
    return identity_write(io, dir, id, why);
}

enum status identity_take(const struct embedded_io *io, const char *dir, bool create, uint64_t *id,
                          int *fd, struct why *why)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/store", dir);
    int e = create ? io->mkdir(io, dir) : 0;
    if (e)
        return world(e, "making", dir, why);
    e = io->open(io, path, O_RDWR, fd);
    if (e == ENOENT && create) {
        enum status st = make(io, dir, why);
        if (st != OK)
            return st;
        e = io->open(io, path, O_RDWR, fd);
    }
    if (e == ENOENT)
        return why_set(why, E_NOT_FOUND, NULL, "%s is no store", dir);
    if (e)
        return world(e, "opening", path, why);
    if (flock(*fd, LOCK_EX | LOCK_NB)) {
        e = errno;
        io->close(io, *fd);
        return e == EWOULDBLOCK ? why_set(why, E_CONFLICT, NULL, "another process has %s open", dir)
                                : world(e, "locking", path, why);
    }
    enum status st = read_from(io, *fd, path, id, why);
    if (st != OK)
        io->close(io, *fd);
    return st;
}
