/* Through memory, a piece at a time. */
#include "store/embedded/copy.h"

#include "base/arena.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 20 };

static enum status world(int error, const char *what, const char *path, struct why *why)
{
    return why_set(why, error == ENOSPC ? E_NO_SPACE : E_IO, NULL, "%s %s: %s", what, path,
                   strerror(error));
}

static int copy_bytes(const struct embedded_io *io, int from, int to, uint64_t n)
{
    char *p = mem_alloc(PIECE);
    int e = 0;
    for (uint64_t at = 0; at < n && !e;) {
        size_t want = n - at < PIECE ? (size_t)(n - at) : PIECE, got = 0;
        e = io->read_at(io, from, p, want, at, &got);
        if (!e && got < want)
            e = EIO;
        if (!e)
            e = io->write_at(io, to, p, got, at);
        at += got;
    }
    free(p);
    return e ? e : io->sync_all(io, to);
}

enum status copy_file(const struct embedded_io *io, const char *from, const char *to, uint64_t n,
                      struct why *why)
{
    int in, out;
    int e = io->open(io, from, O_RDONLY, &in);
    if (e)
        return world(e, "opening", from, why);
    e = io->open(io, to, O_WRONLY | O_CREAT | O_EXCL, &out);
    if (!e) {
        if (n == UINT64_MAX)
            e = io->size(io, in, &n);
        if (!e)
            e = copy_bytes(io, in, out, n);
        io->close(io, out);
    }
    io->close(io, in);
    return e ? world(e, "copying to", to, why) : OK;
}

static bool is_dots(const char *name)
{
    return !strcmp(name, ".") || !strcmp(name, "..");
}

enum status copy_directory(const struct embedded_io *io, const char *from, const char *to,
                           struct why *why)
{
    int e = io->mkdir(io, to);
    if (e)
        return world(e, "making", to, why);
    DIR *d = opendir(from);
    if (!d && errno == ENOENT)
        return OK;
    if (!d)
        return world(errno, "reading", from, why);
    enum status st = OK;
    for (struct dirent *entry; st == OK && (entry = readdir(d));) {
        char in[PATH_MAX], out[PATH_MAX];
        if (is_dots(entry->d_name))
            continue;
        snprintf(in, sizeof in, "%s/%s", from, entry->d_name);
        snprintf(out, sizeof out, "%s/%s", to, entry->d_name);
        st = copy_file(io, in, out, UINT64_MAX, why);
    }
    closedir(d);
    if (st != OK)
        return st;
    e = io->sync_dir(io, to);
    return e ? world(e, "syncing", to, why) : OK;
}

enum status copy_target(const struct embedded_io *io, const char *dir, struct why *why)
{
    int e = io->mkdir(io, dir);
    if (e)
        return world(e, "making", dir, why);
    DIR *d = opendir(dir);
    if (!d)
        return world(errno, "reading", dir, why);
    bool empty = true;
    for (struct dirent *entry; empty && (entry = readdir(d));)
        empty = is_dots(entry->d_name);
    closedir(d);
    return empty ? OK : why_set(why, E_EXISTS, NULL, "%s is not empty", dir);
}
