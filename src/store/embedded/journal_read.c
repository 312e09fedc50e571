/* The log's reading side: which segments there are, what stands in them, and where the
 * last crash tore them. Also copies segments for a backup. */
#include "store/embedded/journal_int.h"

#include "base/arena.h"
#include "base/hash.h"
#include "store/embedded/copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "00000000000000ff.log" → 255; 0 when name is no segment's. */
static uint64_t segment_of(const char *name)
{
    if (strlen(name) != 20 || strspn(name, "0123456789abcdef") != 16 || strcmp(name + 16, ".log"))
        return 0;
    return strtoull(name, NULL, 16);
}

enum status journal_list(struct journal *j, uint64_t from, struct why *why)
{
    DIR *d = opendir(j->dir);
    if (!d && errno == ENOENT && from <= 1) {
        j->first = 1;
        return OK;
    }
    if (!d)
        return why_set(why, E_IO, NULL, "%s: %s", j->dir, strerror(errno));
    uint64_t count = 0, first = UINT64_MAX, last = 0, oldest = UINT64_MAX;
    for (struct dirent *e; (e = readdir(d));) {
        uint64_t n = segment_of(e->d_name);
        if (n && n < oldest)
            oldest = n;
        if (n < from || !n)
            continue;
        count++;
        if (n < first)
            first = n;
        if (n > last)
            last = n;
    }
    closedir(d);
    if (!count && from > 1)
        return why_set(why, E_DAMAGED, NULL, "log segment %016llx is missing",
                       (unsigned long long)from);
    if (count && (last - first + 1 != count || first > (from ? from : 1)))
        return why_set(why, E_DAMAGED, NULL, "a log segment between %016llx and %016llx is missing",
                       (unsigned long long)(from ? from : 1), (unsigned long long)last);
    j->segment = last;
    j->from = count ? first : 1;
    j->first = oldest == UINT64_MAX ? 1 : oldest;
    return OK;
}

/* A segment, of which a window is in memory: some hundred KB, or a group when that is larger. */
struct image {
    const struct embedded_io *io;
    uint64_t number;
    uint64_t n; /* bytes of the file */
    int fd;     /* -1: none is open */
    int error;  /* of a read */
    char *p;    /* bytes at … at + held - 1 */
    uint64_t at;
    size_t held, room;
    struct journal_file header;
};

enum { WINDOW = 256 << 10 };

/* n bytes of the file from `at` on, borrowed until the next call. NULL: it has not so many, or
 * s->error. */
static const char *bytes_at(struct image *s, uint64_t at, size_t n)
{
    if (at > s->n || n > s->n - at)
        return NULL;
    if (at >= s->at && at + n <= s->at + s->held)
        return s->p + (at - s->at);
    size_t want = s->n - at < WINDOW ? s->n - at : WINDOW;
    if (want < n)
        want = n;
    if (want > s->room) {
        free(s->p);
        s->p = mem_alloc(want);
        s->room = want;
    }
    s->at = at;
    int e = s->io->read_at(s->io, s->fd, s->p, want, at, &s->held);
    if (e) {
        s->error = e;
        s->held = 0;
    }
    return s->held >= n ? s->p : NULL;
}

static void image_close(struct image *s)
{
    if (s->fd >= 0)
        s->io->close(s->io, s->fd);
    free(s->p);
    *s = (struct image){.fd = -1};
}

static enum status unreadable(const struct image *s, struct why *why)
{
    return why_set(why, E_IO, NULL, "reading log segment %016llx: %s",
                   (unsigned long long)s->number, strerror(s->error));
}

static enum status damaged(const struct image *s, uint64_t offset, const char *what,
                           struct why *why)
{
    return why_set(why, E_DAMAGED, NULL, "log segment %016llx, offset %llu: %s",
                   (unsigned long long)s->number, (unsigned long long)offset, what);
}

static enum status check_header(const struct journal *j, struct image *s, struct why *why)
{
    const struct journal_file *h = &s->header;
    const char *p = bytes_at(s, 0, sizeof *h);
    if (s->error)
        return unreadable(s, why);
    if (!p)
        return damaged(s, 0, "the file is shorter than its header", why);
    memcpy(&s->header, p, sizeof *h);
    if (memcmp(h->magic, JOURNAL_FILE_MAGIC, sizeof h->magic))
        return damaged(s, 0, "no log segment", why);
    if (h->version > JOURNAL_VERSION)
        return why_set(why, E_NOT_SUPPORTED, NULL,
                       "log segment %016llx has version %u; this program knows versions up to %d",
                       (unsigned long long)s->number, h->version, JOURNAL_VERSION);
    if (h->crc != crc32c(0, &h->segment, sizeof *h - offsetof(struct journal_file, segment)))
        return damaged(s, 0, "the header's checksum is wrong", why);
    if (h->segment != s->number)
        return damaged(s, 0, "the header names another segment", why);
    if (h->store_id != j->store_id)
        return damaged(s, 0, "the segment belongs to another store", why);
    return OK;
}

static enum status image_open(const struct journal *j, uint64_t number, struct image *s,
                              struct why *why)
{
    char path[PATH_MAX];
    journal_path(j, number, NULL, path);
    *s = (struct image){.io = j->io, .number = number, .fd = -1};
    int e = j->io->open(j->io, path, O_RDONLY, &s->fd);
    if (e) {
        s->fd = -1;
        return why_set(why, E_IO, NULL, "opening %s: %s", path, strerror(e));
    }
    s->error = j->io->size(j->io, s->fd, &s->n);
    return s->error ? unreadable(s, why) : check_header(j, s, why);
}

/* Is there a whole group of this segment at offset? */
static bool group_at(const struct journal *j, struct image *s, uint64_t offset,
                     struct journal_group *h)
{
    const char *p = bytes_at(s, offset, sizeof *h);
    if (!p)
        return false;
    memcpy(h, p, sizeof *h);
    if (h->magic != JOURNAL_GROUP_MAGIC || h->segment != s->number || h->offset != offset ||
        h->store_id != j->store_id || h->length < sizeof *h || h->length % 8 ||
        h->length > s->n - offset)
        return false;
    size_t skip = offsetof(struct journal_group, length);
    p = bytes_at(s, offset, h->length);
    return p && h->crc == crc32c(0, p + skip, h->length - skip);
}

/* The groups end at offset. Was anything behind it durable once? A whole group that was written
 * when more than offset was synced proves it. */
static enum status check_behind(const struct journal *j, struct image *s, uint64_t offset,
                                struct why *why)
{
    for (uint64_t at = offset + 8; at + sizeof(struct journal_group) <= s->n; at += 8) {
        uint32_t magic;
        struct journal_group h;
        const char *p = bytes_at(s, at, sizeof magic);
        if (!p)
            break;
        memcpy(&magic, p, sizeof magic);
        if (magic == JOURNAL_GROUP_MAGIC && group_at(j, s, at, &h) && h.synced > offset)
            return damaged(s, offset, "a bad group, with a good one behind it", why);
    }
    return OK;
}

static enum status read_group(struct image *s, const struct journal_group *g,
                              struct journal_replay *r, struct why *why)
{
    uint64_t at = g->offset + sizeof *g, end = g->offset + g->length;
    const char *group = bytes_at(s, g->offset, g->length);
    if (!group)
        return unreadable(s, why);
    for (uint32_t i = 0; i < g->count; i++) {
        struct record record;
        size_t used;
        struct why inner = {0};
        enum status st = record_read(group + (at - g->offset), end - at, &record, &used, &inner);
        r->offset = at;
        if (st == OK)
            st = r->record(r, &record, &inner);
        if (st != OK)
            return why_set(why, st, NULL, "log segment %016llx, offset %llu: %s",
                           (unsigned long long)s->number, (unsigned long long)at, inner.text);
        r->records++;
        at += used;
    }
    return at == end ? OK : damaged(s, at, "a group is longer than its records", why);
}

/* Reads s up to must_end (when it is not the last segment) or as far as it goes; *end: where it
 * ended. */
static enum status read_segment(const struct journal *j, struct image *s, uint64_t must_end,
                                struct journal_replay *r, uint64_t *end, struct why *why)
{
    uint64_t at = JOURNAL_HEADER;
    struct journal_group g;
    while ((!must_end || at < must_end) && group_at(j, s, at, &g)) {
        enum status st = read_group(s, &g, r, why);
        if (st != OK)
            return st;
        r->groups++;
        at += g.length;
    }
    *end = at;
    enum status st = OK;
    if (!s->error && must_end)
        st = at == must_end ? OK : damaged(s, at, "a bad group, with a segment behind it", why);
    else if (!s->error)
        st = check_behind(j, s, at, why);
    return s->error ? unreadable(s, why) : st;
}

enum status journal_read(struct journal *j, struct journal_replay *r, struct why *why)
{
    uint64_t last = j->segment;
    struct image s = {.fd = -1}, next = {.fd = -1};
    enum status st = OK;
    for (uint64_t n = j->from; n && n <= last && st == OK; n++) {
        uint64_t must_end = 0;
        if (n == j->from)
            st = image_open(j, n, &s, why);
        if (st == OK && n < last)
            st = image_open(j, n + 1, &next, why);
        if (st == OK && n < last)
            must_end = next.header.before_end;
        if (st == OK) {
            r->segment = n;
            r->segments++;
            uint64_t end = 0;
            st = read_segment(j, &s, must_end, r, &end, why);
            j->end = j->synced = end;
        }
        image_close(&s);
        s = next;
        next = (struct image){.fd = -1};
    }
    image_close(&s);
    return st;
}

/* ---- copying ---- */

static enum status copy_segment(const struct journal *j, uint64_t number, uint64_t n,
                                const char *dir, struct why *why)
{
    char path[PATH_MAX], copy[PATH_MAX];
    journal_path(j, number, NULL, path);
    snprintf(copy, sizeof copy, "%s/%s", dir, strrchr(path, '/') + 1);
    return copy_file(j->io, path, copy, n, why);
}

/* Where segment number ends, as the header of the next one says. */
static enum status end_of(const struct journal *j, uint64_t number, uint64_t *end, struct why *why)
{
    char path[PATH_MAX];
    struct journal_file h;
    size_t got = 0;
    int fd;
    journal_path(j, number + 1, NULL, path);
    int e = j->io->open(j->io, path, O_RDONLY, &fd);
    if (!e) {
        e = j->io->read_at(j->io, fd, &h, sizeof h, 0, &got);
        j->io->close(j->io, fd);
    }
    if (e || got < sizeof h)
        return why_set(why, E_IO, NULL, "reading %s: %s", path, strerror(e ? e : EIO));
    *end = h.before_end;
    return OK;
}

enum status journal_copy(struct journal *j, uint64_t from, const char *dir, struct why *why)
{
    pthread_mutex_lock(&j->lock);
    uint64_t last = j->segment, last_end = j->synced, first = j->first;
    pthread_mutex_unlock(&j->lock);
    int e = j->io->mkdir(j->io, dir);
    if (e)
        return why_set(why, E_IO, NULL, "making %s: %s", dir, strerror(e));
    for (uint64_t n = from > first ? from : first; n && n <= last; n++) {
        uint64_t end = last_end;
        enum status st = n < last ? end_of(j, n, &end, why) : OK;
        if (st == OK)
            st = copy_segment(j, n, end, dir, why);
        if (st != OK)
            return st;
    }
    e = j->io->sync_dir(j->io, dir);
    return e ? why_set(why, E_IO, NULL, "syncing %s: %s", dir, strerror(e)) : OK;
}
