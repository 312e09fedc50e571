/* Segments in stock: files whose blocks have been written before, so that a group's sync changes
 * data alone and none of the file's metadata. They come from the log's old end, or, while the log
 * only grows, are written with zeros piece by piece.
 *
 * Files "stock.0" … "stock.N-1" are ready; the writer takes the last one under its own name for it.
 * "stock" is being written by the one thread that prepares. */
#include "store/embedded/journal_int.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 20, PIECES_AT_ONCE = 8, ALIGNED = 4096 };

static void stock_path(const struct journal *j, uint32_t n, char out[PATH_MAX])
{
    char name[sizeof JOURNAL_STOCK + 16];
    snprintf(name, sizeof name, JOURNAL_STOCK ".%u", n);
    journal_path(j, 0, name, out);
}

void journal_stock_clear(struct journal *j)
{
    char path[PATH_MAX];
    pthread_mutex_lock(&j->lock);
    for (uint32_t n = 0; n < JOURNAL_STOCK_MAX; n++) {
        stock_path(j, n, path);
        (void)j->io->unlink(j->io, path);
    }
    pthread_mutex_unlock(&j->lock);
}

bool journal_stock_take(struct journal *j, const char *next)
{
    char stock[PATH_MAX];
    pthread_mutex_lock(&j->lock);
    bool taken = false;
    if (j->stocked) {
        stock_path(j, j->stocked - 1, stock);
        taken = j->io->rename(j->io, stock, next) == 0;
        j->stocked -= taken;
    }
    pthread_mutex_unlock(&j->lock);
    return taken;
}

static uint64_t size_of(const struct journal *j, const char *path)
{
    int fd;
    uint64_t size = 0;
    if (j->io->open(j->io, path, O_RDONLY, &fd))
        return 0;
    if (j->io->size(j->io, fd, &size))
        size = 0;
    j->io->close(j->io, fd);
    return size;
}

void journal_trim(struct journal *j, uint64_t before)
{
    const struct embedded_io *io = j->io;
    char path[PATH_MAX], stock[PATH_MAX];
    pthread_mutex_lock(&j->lock);
    if (before > j->segment)
        before = j->segment;
    uint32_t reused = 0;
    for (; j->first < before; j->first++) {
        journal_path(j, j->first, NULL, path);
        stock_path(j, j->stocked + reused, stock);
        if (j->stocked + reused < JOURNAL_STOCK_MAX && size_of(j, path) == j->segment_bytes &&
            io->rename(io, path, stock) == 0)
            reused++;
        else
            (void)io->unlink(io, path); /* what stays is ignored, and tried again at the next start */
    }
    /* The old names must be gone for good before their files get a new header. */
    if (io->sync_dir(io, j->dir) == 0)
        j->stocked += reused;
    pthread_mutex_unlock(&j->lock);
}

bool journal_wants_stock(struct journal *j)
{
    pthread_mutex_lock(&j->lock);
    bool wants = !j->stocked && j->end > j->segment_bytes / 2;
    pthread_mutex_unlock(&j->lock);
    return wants;
}

void journal_stock_drop(struct journal *j)
{
    char path[PATH_MAX];
    if (j->stock_fd < 0)
        return;
    j->io->close(j->io, j->stock_fd);
    j->stock_fd = -1;
    journal_path(j, 0, JOURNAL_STOCK, path);
    (void)j->io->unlink(j->io, path);
}

/* Past the page cache where that is possible: it is a tenth of the work. */
static bool open_stock(struct journal *j)
{
    const struct embedded_io *io = j->io;
    int flags = O_RDWR | O_CREAT | O_TRUNC, direct = j->segment_bytes % ALIGNED ? 0 : O_DIRECT;
    char path[PATH_MAX];
    journal_path(j, 0, JOURNAL_STOCK, path);
    j->stock_end = 0;
    if (io->open(io, path, flags | direct, &j->stock_fd) &&
        (!direct || io->open(io, path, flags, &j->stock_fd))) {
        j->stock_fd = -1;
        return false;
    }
    if (io->allocate(io, j->stock_fd, j->segment_bytes) == 0)
        return true;
    journal_stock_drop(j);
    return false;
}

/* The next zeros of the file being prepared. */
static int write_some(struct journal *j)
{
    const struct embedded_io *io = j->io;
    char *zeros = aligned_alloc(ALIGNED, PIECE);
    if (!zeros)
        return ENOMEM;
    memset(zeros, 0, PIECE);
    int e = 0;
    for (int i = 0; i < PIECES_AT_ONCE && j->stock_end < j->segment_bytes && !e; i++) {
        uint64_t left = j->segment_bytes - j->stock_end;
        size_t n = left < PIECE ? left : PIECE;
        e = io->write_at(io, j->stock_fd, zeros, n, j->stock_end);
        j->stock_end += n;
    }
    free(zeros);
    return e ? e : io->sync_all(io, j->stock_fd);
}

void journal_prepare(struct journal *j)
{
    const struct embedded_io *io = j->io;
    char path[PATH_MAX], stock[PATH_MAX];
    if (j->stock_fd < 0 && !open_stock(j))
        return;
    if (write_some(j)) {
        journal_stock_drop(j);
        return;
    }
    if (j->stock_end < j->segment_bytes)
        return;
    journal_path(j, 0, JOURNAL_STOCK, path);
    pthread_mutex_lock(&j->lock);
    stock_path(j, j->stocked, stock);
    if (j->stocked < JOURNAL_STOCK_MAX && io->rename(io, path, stock) == 0)
        j->stocked++;
    pthread_mutex_unlock(&j->lock);
    journal_stock_drop(j);
}
