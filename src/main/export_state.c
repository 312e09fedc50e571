/* Written beside, synchronised, renamed over. */
#include "main/export_state.h"

#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { STATE_BYTES_MAX = 64 << 10, DEPTH_MAX = 4 };

static bool text_get(const struct json *v, const char *name, struct str *out)
{
    const struct json *m = json_get(v, str_of(name));
    *out = json_is(m, JSON_STRING) ? m->string : STR_NONE;
    return !m || m->kind == JSON_STRING;
}

static bool number_get(const struct json *v, const char *name, uint64_t *out)
{
    const struct json *m = json_get(v, str_of(name));
    *out = json_is(m, JSON_INT) && m->integer >= 0 ? (uint64_t)m->integer : 0;
    return json_is(m, JSON_INT) && m->integer >= 0;
}

enum status export_state_load(struct export_state *s, const char *path, struct arena *a, struct why *why)
{
    char text[STATE_BYTES_MAX];
    struct json v;
    FILE *f = fopen(path, "re");
    if (!f)
        return why_set(why, errno == ENOENT ? E_NOT_FOUND : E_IO, NULL, "%s: %s", path, strerror(errno));
    size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    struct json_limits limits = {.depth_max = DEPTH_MAX, .bytes_max = sizeof text};
    if (json_read(a, (struct str){text, n}, &limits, &v, NULL) != OK ||
        !json_is_string(json_get(&v, STR("wellspring")), STR("export")) || !text_get(&v, "run", &s->run) ||
        str_absent(s->run) || !number_get(&v, "bytes", &s->bytes) || !number_get(&v, "rows", &s->rows) ||
        !number_get(&v, "entities", &s->entities) || !text_get(&v, "type", &s->type) || !text_get(&v, "last", &s->last) ||
        !text_get(&v, "entity", &s->entity) || !text_get(&v, "time", &s->time))
        return why_set(why, E_DAMAGED, NULL, "%s is no state of an export", path);
    return OK;
}

static void text_put(struct buf *b, const char *name, struct str s)
{
    if (str_absent(s))
        return;
    buf_printf(b, ",\"%s\":", name);
    json_write_str(b, s);
}

static bool write_whole(int fd, struct str s)
{
    while (s.n) {
        ssize_t n = write(fd, s.p, s.n);
        if (n < 0)
            return false;
        s = str_from(s, (size_t)n);
    }
    return fdatasync(fd) == 0;
}

enum status export_state_save(const struct export_state *s, const char *path, struct why *why)
{
    struct arena *a = arena_new(0);
    struct buf b;
    buf_init(&b, STATE_BYTES_MAX);
    buf_printf(&b, "{\"wellspring\":\"export\",\"version\":1,\"bytes\":%" PRIu64 ",\"rows\":%" PRIu64 ",\"entities\":%" PRIu64,
               s->bytes, s->rows, s->entities);
    text_put(&b, "type", s->type);
    text_put(&b, "run", s->run);
    text_put(&b, "last", s->last);
    text_put(&b, "entity", s->entity);
    text_put(&b, "time", s->time);
    buf_lit(&b, "}\n");
    struct str beside = arena_printf(a, "%s.new", path);
    int fd = open(beside.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool written = fd >= 0 && write_whole(fd, buf_view(&b));
    written = (fd < 0 || close(fd) == 0) && written;
    enum status st = written && rename(beside.p, path) == 0 ? OK : why_set(why, E_IO, NULL, "%s: %s", path, strerror(errno));
    buf_free(&b);
    arena_free(a);
    return st;
}
