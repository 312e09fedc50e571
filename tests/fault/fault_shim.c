/* See fault_shim.h. A file is known by its inode and birth time, so that a number given again to
 * another file is no trouble. The shadow has one file for each: its content, or, for a directory, a
 * line "identity kind name" an entry; "root" names the watched directory's identity. */
#include "fault_shim.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[PATH_MAX], shadow[PATH_MAX];
static size_t root_n; /* 0: nothing is watched */
static unsigned crash_at;
static _Atomic unsigned syncs;
static _Atomic int64_t budget = INT64_MAX;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *real(const char *name)
{
    void *f = dlsym(RTLD_NEXT, name);
    if (!f)
        abort();
    return f;
}

static ssize_t real_write(int fd, const void *p, size_t n)
{
    static ssize_t (*f)(int, const void *, size_t);
    if (!f)
        *(void **)&f = real("write");
    return f(fd, p, n);
}

static ssize_t real_pwrite(int fd, const void *p, size_t n, off_t at)
{
    static ssize_t (*f)(int, const void *, size_t, off_t);
    if (!f)
        *(void **)&f = real("pwrite64");
    return f(fd, p, n, at);
}

static int real_fallocate(int fd, int mode, off_t at, off_t n)
{
    static int (*f)(int, int, off_t, off_t);
    if (!f)
        *(void **)&f = real("fallocate64");
    return f(fd, mode, at, n);
}

/* Is fd below root? */
static int watched(int fd)
{
    char link[64], path[PATH_MAX];
    if (!root_n)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < (ssize_t)root_n)
        return 0;
    path[n] = 0;
    return !strncmp(path, root, root_n) && (path[root_n] == 0 || path[root_n] == '/');
}

/* ---- capturing ---- */

struct identity {
    char text[64];
    int directory;
};

static struct identity identity_of(int dirfd, const char *name)
{
    struct statx st;
    struct identity id = {"", 0};
    int flags = name[0] ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH;
    if (statx(dirfd, name, flags, STATX_INO | STATX_BTIME | STATX_TYPE, &st))
        return id;
    snprintf(id.text, sizeof id.text, "%llu-%lld-%u", (unsigned long long)st.stx_ino,
             (long long)st.stx_btime.tv_sec, st.stx_btime.tv_nsec);
    id.directory = S_ISDIR(st.stx_mode);
    return id;
}

static void must(int ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    abort();
}

static void capture_file(int fd, const char *to)
{
    static char piece[1 << 16];
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int in = open(link, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    must(in >= 0 && out >= 0, "capturing a file");
    for (ssize_t n; (n = read(in, piece, sizeof piece)) > 0;)
        must(real_write(out, piece, (size_t)n) == n, "capturing a file");
    close(in);
    close(out);
}

static void capture_directory(int fd, const char *to)
{
    DIR *d = fdopendir(openat(fd, ".", O_RDONLY | O_DIRECTORY));
    FILE *out = fopen(to, "w");
    must(d && out, "capturing a directory");
    for (struct dirent *e; (e = readdir(d));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        struct identity id = identity_of(fd, e->d_name);
        if (id.text[0]) /* else it went meanwhile */
            fprintf(out, "%s %c %s\n", id.text, id.directory ? 'd' : 'f', e->d_name);
    }
    closedir(d);
    fclose(out);
}

static int capture(int fd)
{
    pthread_mutex_lock(&lock);
    unsigned n = atomic_fetch_add(&syncs, 1) + 1;
    if (crash_at && n >= crash_at)
        _exit(99); /* the lock is never given back: no other sync takes effect */
    struct identity id = identity_of(fd, "");
    char path[PATH_MAX + 80], draft[PATH_MAX + 8];
    snprintf(draft, sizeof draft, "%s/draft", shadow);
    snprintf(path, sizeof path, "%s/%s", shadow, id.text);
    if (id.directory)
        capture_directory(fd, draft);
    else
        capture_file(fd, draft);
    must(rename(draft, path) == 0, "capturing");
    pthread_mutex_unlock(&lock);
    return 0;
}

void fault_shim_start(const char *watch, const char *keep, unsigned at)
{
    snprintf(shadow, sizeof shadow, "%s", keep);
    must(realpath(watch, root) != NULL && mkdir(shadow, 0755) == 0, "starting the shim");
    char path[PATH_MAX + 8];
    snprintf(path, sizeof path, "%s/root", shadow);
    FILE *f = fopen(path, "w");
    must(f != NULL, "starting the shim");
    fprintf(f, "%s\n", identity_of(AT_FDCWD, root).text);
    fclose(f);
    crash_at = at;
    root_n = strlen(root);
}

unsigned fault_shim_syncs(void)
{
    return syncs;
}

void fault_shim_budget(int64_t bytes)
{
    budget = bytes;
}

/* ---- the calls ---- */

int fsync(int fd)
{
    static int (*f)(int);
    if (!f)
        *(void **)&f = real("fsync");
    return watched(fd) ? capture(fd) : f(fd);
}

int fdatasync(int fd)
{
    static int (*f)(int);
    if (!f)
        *(void **)&f = real("fdatasync");
    return watched(fd) ? capture(fd) : f(fd);
}

/* Bytes of n that the budget still pays for. */
static size_t spend(int fd, size_t n)
{
    if (budget == INT64_MAX || !watched(fd))
        return n;
    int64_t left = atomic_fetch_sub(&budget, (int64_t)n);
    if (left >= (int64_t)n)
        return n;
    budget = 0;
    return left > 0 ? (size_t)left : 0;
}

ssize_t write(int fd, const void *p, size_t n)
{
    size_t most = spend(fd, n);
    if (most == 0 && n) {
        errno = ENOSPC;
        return -1;
    }
    return real_write(fd, p, most);
}

static ssize_t some_pwrite(int fd, const void *p, size_t n, off_t at)
{
    size_t most = spend(fd, n);
    if (most == 0 && n) {
        errno = ENOSPC;
        return -1;
    }
    return real_pwrite(fd, p, most, at);
}

static int some_fallocate(int fd, int mode, off_t at, off_t n)
{
    if (budget != INT64_MAX && watched(fd) && budget < n) {
        errno = ENOSPC;
        return -1;
    }
    return real_fallocate(fd, mode, at, n);
}

/* Both names of each: which one a library calls depends on how it was built. */
#undef pwrite
#undef fallocate
ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    return some_pwrite(fd, p, n, at);
}
int fallocate(int fd, int mode, off_t at, off_t n)
{
    return some_fallocate(fd, mode, at, n);
}

/* ---- rebuilding ---- */

static int rebuild(const char *keep, const char *id, int directory, const char *out);

static int rebuild_directory(const char *keep, const char *id, const char *out)
{
    char path[PATH_MAX], entry[PATH_MAX], child[64], kind, name[NAME_MAX + 1];
    if (mkdir(out, 0755))
        return -1;
    snprintf(path, sizeof path, "%s/%s", keep, id);
    FILE *f = fopen(path, "r");
    int bad = 0;
    while (!bad && f && fscanf(f, "%63s %c %255s", child, &kind, name) == 3) {
        snprintf(entry, sizeof entry, "%s/%s", out, name);
        bad = rebuild(keep, child, kind == 'd', entry);
    }
    if (f)
        fclose(f);
    return bad;
}

static int rebuild(const char *keep, const char *id, int directory, const char *out)
{
    static char piece[1 << 16];
    char path[PATH_MAX];
    if (directory)
        return rebuild_directory(keep, id, out);
    snprintf(path, sizeof path, "%s/%s", keep, id);
    int to = open(out, O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (to < 0)
        return -1;
    int from = open(path, O_RDONLY); /* never synced: an empty file has that name */
    for (ssize_t n; from >= 0 && (n = read(from, piece, sizeof piece)) > 0;)
        must(real_write(to, piece, (size_t)n) == n, "rebuilding");
    if (from >= 0)
        close(from);
    close(to);
    return 0;
}

int fault_shim_rebuild(const char *keep, const char *out)
{
    char path[PATH_MAX], id[64];
    snprintf(path, sizeof path, "%s/root", keep);
    FILE *f = fopen(path, "r");
    if (!f)
        return -1;
    int ok = fscanf(f, "%63s", id) == 1;
    fclose(f);
    return ok ? rebuild(keep, id, 1, out) : -1;
}
