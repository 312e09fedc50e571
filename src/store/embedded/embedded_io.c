/* The operating system's side of the table. */
#include "store/embedded/embedded_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int os_open(const struct embedded_io *io, const char *path, int flags, int *fd)
{
    (void)io;
    do
        *fd = open(path, flags | O_CLOEXEC, 0644);
    while (*fd < 0 && errno == EINTR);
    return *fd < 0 ? errno : 0;
}

static void os_close(const struct embedded_io *io, int fd)
{
    (void)io;
    close(fd);
}

static int os_read_at(const struct embedded_io *io, int fd, void *p, size_t n, uint64_t at,
                      size_t *got)
{
    (void)io;
    *got = 0;
    while (*got < n) {
        ssize_t r = pread(fd, (char *)p + *got, n - *got, (off_t)(at + *got));
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return errno;
        if (r == 0)
            break;
        *got += (size_t)r;
    }
    return 0;
}

static int os_write_at(const struct embedded_io *io, int fd, const void *p, size_t n, uint64_t at)
{
    (void)io;
    size_t done = 0;
    while (done < n) {
        ssize_t w = pwrite(fd, (const char *)p + done, n - done, (off_t)(at + done));
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return errno;
        if (w == 0)
            return ENOSPC;
        done += (size_t)w;
    }
    return 0;
}

static int os_sync_data(const struct embedded_io *io, int fd)
{
    (void)io;
    return fdatasync(fd) ? errno : 0;
}

static int os_sync_all(const struct embedded_io *io, int fd)
{
    (void)io;
    return fsync(fd) ? errno : 0;
}

static int os_truncate(const struct embedded_io *io, int fd, uint64_t n)
{
    (void)io;
    return ftruncate(fd, (off_t)n) ? errno : 0;
}

static int os_allocate(const struct embedded_io *io, int fd, uint64_t n)
{
    (void)io;
    if (fallocate(fd, 0, 0, (off_t)n) == 0)
        return 0;
    if (errno == EOPNOTSUPP || errno == ENOSYS) /* a file system without: the size alone */
        return ftruncate(fd, (off_t)n) ? errno : 0;
    return errno;
}

static int os_size(const struct embedded_io *io, int fd, uint64_t *n)
{
    (void)io;
    struct stat st;
    if (fstat(fd, &st))
        return errno;
    *n = (uint64_t)st.st_size;
    return 0;
}

static int os_rename(const struct embedded_io *io, const char *from, const char *to)
{
    (void)io;
    return rename(from, to) ? errno : 0;
}

static int os_unlink(const struct embedded_io *io, const char *path)
{
    (void)io;
    return unlink(path) ? errno : 0;
}

static int os_mkdir(const struct embedded_io *io, const char *path)
{
    (void)io;
    return mkdir(path, 0755) && errno != EEXIST ? errno : 0;
}

static int os_sync_dir(const struct embedded_io *io, const char *path)
{
    int fd;
    int e = os_open(io, path, O_RDONLY | O_DIRECTORY, &fd);
    if (e)
        return e;
    e = fsync(fd) ? errno : 0;
    close(fd);
    return e;
}

static int os_space(const struct embedded_io *io, const char *path, uint64_t *free_bytes)
{
    (void)io;
    struct statvfs v;
    if (statvfs(path, &v))
        return errno;
    *free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
    return 0;
}

const struct embedded_io embedded_io_os = {
    .open = os_open,
    .close = os_close,
    .read_at = os_read_at,
    .write_at = os_write_at,
    .sync_data = os_sync_data,
    .sync_all = os_sync_all,
    .truncate = os_truncate,
    .allocate = os_allocate,
    .size = os_size,
    .rename = os_rename,
    .unlink = os_unlink,
    .mkdir = os_mkdir,
    .sync_dir = os_sync_dir,
    .space = os_space,
};
