/* The log's writing side. Reading is journal_read.c, files in stock are journal_stock.c. */
#include "store/embedded/journal_int.h"

#include "base/arena.h"
#include "base/hash.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP_KEEP = 4 << 20, SMALL_SEGMENT = 64 << 10, PAGE = 4096 };

static_assert(sizeof(struct journal_file) == JOURNAL_HEADER, "docs/formats/log.md");
static_assert(sizeof(struct journal_group) == JOURNAL_GROUP_HEADER, "docs/formats/log.md");
static_assert(offsetof(struct journal_group, synced) == 32, "docs/formats/log.md");

void journal_path(const struct journal *j, uint64_t n, const char *name, char out[PATH_MAX])
{
    if (name)
        snprintf(out, PATH_MAX, "%s/%s", j->dir, name);
    else
        snprintf(out, PATH_MAX, "%s/%016llx.log", j->dir, (unsigned long long)n);
}

enum status journal_open(struct journal **out, const struct journal_options *o, uint64_t from,
                         struct why *why)
{
    struct journal *j = mem_zalloc(sizeof *j);
    j->io = o->io;
    j->dir = mem_alloc(strlen(o->dir) + 1);
    memcpy(j->dir, o->dir, strlen(o->dir) + 1);
    j->store_id = o->store_id;
    j->segment_bytes = o->segment_bytes;
    j->fd = j->stock_fd = -1;
    j->group_bytes = JOURNAL_GROUP_HEADER;
    pthread_mutex_init(&j->lock, NULL);
    enum status st = journal_list(j, from, why);
    if (st != OK) {
        journal_close(j);
        return st;
    }
    *out = j;
    return OK;
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    if (j->fd >= 0) {
        if (!j->failed && j->io->truncate(j->io, j->fd, j->end) == 0)
            (void)j->io->sync_all(j->io, j->fd);
        j->io->close(j->io, j->fd);
    }
    journal_stock_drop(j);
    pthread_mutex_destroy(&j->lock);
    free(j->group);
    free(j->dir);
    free(j);
}

void journal_add(struct journal *j, const struct record *r)
{
    size_t n = record_bytes(r);
    if (j->group_cap - j->group_bytes < n + PAGE || !j->group) {
        while (j->group_cap < j->group_bytes + n + PAGE)
            j->group_cap = j->group_cap ? 2 * j->group_cap : 64 << 10;
        j->group = mem_realloc(j->group, j->group_cap);
    }
    record_write(r, j->group + j->group_bytes);
    j->group_bytes += n;
    j->group_count++;
}

size_t journal_gathered(const struct journal *j)
{
    return j->group_count ? j->group_bytes : 0;
}

static void forget_group(struct journal *j)
{
    j->group_bytes = JOURNAL_GROUP_HEADER;
    j->group_count = 0;
    if (j->group_cap > GROUP_KEEP) {
        free(j->group);
        j->group = NULL;
        j->group_cap = 0;
    }
}

bool journal_failed(const struct journal *j)
{
    return j->failed;
}

static enum status fail(struct journal *j, int error, const char *what, struct why *why)
{
    j->failed = true;
    return why_set(why, E_UNKNOWN_OUTCOME, NULL, "log segment %016llx: %s: %s",
                   (unsigned long long)j->segment, what, strerror(error));
}

static enum status world(int error, const char *what, const char *path, struct why *why)
{
    bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
    return why_set(why, full ? E_NO_SPACE : E_IO, NULL, "%s %s: %s", what, path, strerror(error));
}

enum status journal_sync(struct journal *j, struct why *why)
{
    assert(!j->failed);
    if (j->fd < 0 || j->synced == j->end)
        return OK;
    int e = j->io->sync_data(j->io, j->fd);
    if (e)
        return fail(j, e, "a sync failed", why);
    j->synced = j->end;
    j->syncs++;
    return OK;
}

/* Opens the file that is to become the next segment, with room for `need` bytes. */
static int open_next(struct journal *j, uint64_t need, const char *next, int *fd,
                     uint64_t *capacity)
{
    const struct embedded_io *io = j->io;
    bool taken = need <= j->segment_bytes && journal_stock_take(j, next);
    int e = io->open(io, next, taken ? O_RDWR : O_RDWR | O_CREAT | O_TRUNC, fd);
    if (e)
        return e;
    *capacity = need > j->segment_bytes ? need : j->segment_bytes;
    if (taken)
        return 0;
    e = io->allocate(io, *fd, *capacity);
    if (e == ENOSPC && need < SMALL_SEGMENT) { /* the last bytes of a disk will do for a deletion */
        *capacity = SMALL_SEGMENT;
        e = io->allocate(io, *fd, *capacity);
    }
    if (!e)
        return 0;
    io->close(io, *fd);
    (void)io->unlink(io, next);
    return e;
}

/* Starts the next segment. The one before is durable and whole. */
static enum status roll(struct journal *j, uint64_t need, struct why *why)
{
    const struct embedded_io *io = j->io;
    char path[PATH_MAX], name[PATH_MAX];
    int fd;
    uint64_t capacity;
    if (j->fd < 0)
        journal_stock_clear(j);
    journal_path(j, 0, "next", path);
    int e = open_next(j, need, path, &fd, &capacity);
    if (e)
        return world(e, "making", path, why);
    struct journal_file h = {
        .version = JOURNAL_VERSION,
        .segment = j->segment + 1,
        .store_id = j->store_id,
        .before_end = j->segment ? j->end : 0,
    };
    memcpy(h.magic, JOURNAL_FILE_MAGIC, sizeof h.magic);
    h.crc = crc32c(0, &h.segment, sizeof h - offsetof(struct journal_file, segment));
    if ((e = io->write_at(io, fd, &h, sizeof h, 0)) || (e = io->sync_all(io, fd))) {
        io->close(io, fd);
        (void)io->unlink(io, path);
        return world(e, "writing", path, why);
    }
    journal_path(j, h.segment, NULL, name);
    if ((e = io->rename(io, path, name)) || (e = io->sync_dir(io, j->dir))) {
        io->close(io, fd); /* whether there is a next segment after a crash is not known */
        return fail(j, e, "naming the next segment failed", why);
    }
    if (j->fd >= 0)
        io->close(io, j->fd);
    pthread_mutex_lock(&j->lock);
    if (j->segment == 0)
        j->first = 1;
    j->fd = fd;
    j->capacity = capacity;
    j->segment = h.segment;
    j->end = j->synced = JOURNAL_HEADER;
    pthread_mutex_unlock(&j->lock);
    return OK;
}

/* Zeros behind the group to the end of its last page: a page that is written as a whole need not be
 * read first. Returns the bytes to write. */
static size_t fill_page(struct journal *j)
{
    uint64_t end = j->end + j->group_bytes, page_end = (end + PAGE - 1) / PAGE * PAGE;
    if (page_end > j->capacity)
        return j->group_bytes;
    memset(j->group + j->group_bytes, 0, page_end - end);
    return page_end - j->end;
}

enum status journal_write(struct journal *j, struct why *why)
{
    assert(!j->failed && j->group_count);
    size_t n = j->group_bytes;
    enum status st = OK;
    if (j->fd < 0 || j->end + n > j->capacity) {
        st = journal_sync(j, why);
        if (st == OK)
            st = roll(j, JOURNAL_HEADER + n, why);
    }
    if (st == OK) {
        struct journal_group h = {
            .magic = JOURNAL_GROUP_MAGIC,
            .length = (uint32_t)n,
            .count = j->group_count,
            .segment = j->segment,
            .offset = j->end,
            .synced = j->synced,
            .store_id = j->store_id,
        };
        memcpy(j->group, &h, sizeof h);
        h.crc = crc32c(0, j->group + offsetof(struct journal_group, length),
                       n - offsetof(struct journal_group, length));
        memcpy(j->group, &h, sizeof h);
        int e = j->io->write_at(j->io, j->fd, j->group, fill_page(j), j->end);
        if (e) {
            int cut = j->io->truncate(j->io, j->fd, j->end);
            st = cut ? fail(j, cut, "cutting back failed", why)
                     : world(e, "writing to", "the log", why);
        } else {
            j->end += n;
            j->groups++;
        }
    }
    forget_group(j);
    return st;
}

uint64_t journal_segment(const struct journal *j)
{
    return j->segment;
}

/* ---- other threads ---- */

void journal_figures(struct journal *j, struct journal_figures *out)
{
    pthread_mutex_lock(&j->lock);
    uint64_t segments = j->segment >= j->first ? j->segment - j->first + 1 : 0;
    *out = (struct journal_figures){
        .bytes = segments ? (segments - 1) * j->segment_bytes + j->end : 0,
        .segments = segments,
        .groups = j->groups,
        .syncs = j->syncs,
    };
    pthread_mutex_unlock(&j->lock);
}
