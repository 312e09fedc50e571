/* A short walk over the folder at start-up; errors name the file. */
#include "broker/preload.h"

#include "base/arena.h"
#include "base/json.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 12, INDEX_DEPTH = 4 };

/* The whole file in the arena. */
static enum status file_read(struct arena *a, const char *path, size_t bytes_max, struct str *out,
                             struct why *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not stop the start */
    if (fd < 0)
        return why_set(why, E_IO, NULL, "%s: %s", path, strerror(errno));
    struct stat info;
    enum status st = OK;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        st = why_set(why, E_IO, NULL, "%s: not a regular file", path);
    } else if ((size_t)info.st_size > bytes_max) {
        st = why_limit(why, E_TOO_LARGE, NULL, "contexts.document_bytes", "%s: more than %zu bytes", path,
                       bytes_max);
    } else {
        size_t n = (size_t)info.st_size, got = 0;
        char *p = arena_alloc(a, n + 1);
        ssize_t r = 1;
        while (got < n && (r = read(fd, p + got, n - got)) > 0)
            got += (size_t)r;
        if (r < 0)
            st = why_set(why, E_IO, NULL, "%s: %s", path, strerror(errno));
        *out = (struct str){p, got};
    }
    close(fd);
    return st;
}

static enum status hand_over(struct preload *p, const char *path, const struct str *urls, size_t count,
                             struct str text, struct why *why)
{
    struct why inner;
    why_clear(&inner);
    enum status st = p->document(p->arg, urls, count, text, &inner);
    if (st != OK)
        return why_set(why, st, NULL, "%s: %s", path, inner.text);
    p->count++;
    return OK;
}

static enum status from_index(struct preload *p, const char *dir, struct str index, struct why *why)
{
    struct arena *a = arena_new(0);
    struct json_limits limits = {.depth_max = INDEX_DEPTH, .bytes_max = index.n + 1};
    struct json v;
    struct why inner;
    why_clear(&inner);
    enum status st = json_read(a, index, &limits, &v, &inner);
    if (st != OK)
        st = why_set(why, E_BAD_DATA, NULL, "%s/index.json: %s", dir, inner.text);
    else if (v.kind != JSON_OBJECT)
        st = why_set(why, E_BAD_DATA, NULL, "%s/index.json: an object of URL to file is expected", dir);
    for (uint32_t i = 0; st == OK && i < v.n; i++) {
        const struct json_member *m = &v.members[i];
        if (m->value.kind != JSON_STRING) {
            st = why_set(why, E_BAD_DATA, NULL, "%s/index.json: %.*s: a file name is expected", dir,
                         STR_ARG(m->key));
            break;
        }
        struct str path = arena_printf(a, "%s/%.*s", dir, STR_ARG(m->value.string)), text;
        st = file_read(a, path.p, p->bytes_max, &text, why);
        if (st == OK)
            st = hand_over(p, path.p, &m->key, 1, text, why);
    }
    arena_free(a);
    return st;
}

static bool is_context_name(const char *name)
{
    struct str s = str_of(name);
    return str_ends(s, STR(".jsonld")) || str_ends(s, STR(".json"));
}

static enum status from_file(struct preload *p, struct arena *a, const char *path, const char *below,
                             struct why *why)
{
    struct str text, urls[] = {arena_printf(a, "https://%s", below), arena_printf(a, "http://%s", below)};
    enum status st = file_read(a, path, p->bytes_max, &text, why);
    return st == OK ? hand_over(p, path, urls, 2, text, why) : st;
}

/* below: path relative to the top folder, "" at the top. */
static enum status walk(struct preload *p, const char *dir, const char *below, int depth, struct why *why)
{
    DIR *d = opendir(dir);
    if (!d)
        return why_set(why, E_IO, NULL, "%s: %s", dir, strerror(errno));
    struct arena *a = arena_new(0);
    enum status st = OK;
    while (st == OK) {
        errno = 0;
        struct dirent *e = readdir(d);
        if (!e && errno)
            st = why_set(why, E_IO, NULL, "%s: %s", dir, strerror(errno));
        if (!e)
            break;
        if (e->d_name[0] == '.')
            continue;
        struct str path = arena_printf(a, "%s/%s", dir, e->d_name);
        struct str name = arena_printf(a, "%s%s%s", below, below[0] ? "/" : "", e->d_name);
        struct stat info;
        if (stat(path.p, &info) != 0)
            st = why_set(why, E_IO, NULL, "%s: %s", path.p, strerror(errno));
        else if (S_ISDIR(info.st_mode) && depth == DEPTH_MAX)
            st = why_set(why, E_BAD_DATA, NULL, "%s: folders are nested more than %d deep", path.p, DEPTH_MAX);
        else if (S_ISDIR(info.st_mode))
            st = walk(p, path.p, name.p, depth + 1, why);
        else if (S_ISREG(info.st_mode) && below[0] && is_context_name(e->d_name))
            st = from_file(p, a, path.p, name.p, why);
    }
    arena_free(a);
    closedir(d);
    return st;
}

enum status preload_run(struct preload *p, const char *dir, struct why *why)
{
    p->count = 0;
    struct arena *a = arena_new(0);
    struct str index_path = arena_printf(a, "%s/index.json", dir), index;
    enum status st;
    if (access(index_path.p, F_OK) == 0) {
        st = file_read(a, index_path.p, p->bytes_max, &index, why);
        if (st == OK)
            st = from_index(p, dir, index, why);
    } else {
        st = walk(p, dir, "", 0, why);
    }
    arena_free(a);
    return st;
}
