/* Why: see import_state.h. A state that cannot be read is an error, never an empty state. */
#include "sense/import_state.h"

#include "base/buf.h"
#include "base/json.h"
#include "sense/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_BYTES_MAX 4096
#define STATE_VERSION 1

static bool state_u64(const struct json *o, const char *key, uint64_t *out)
{
    const struct json *v = json_get(o, str_of(key));
    if (!json_is(v, JSON_INT) || v->integer < 0)
        return false;
    *out = (uint64_t)v->integer;
    return true;
}

static bool state_u32(const struct json *o, const char *key, uint32_t *out)
{
    uint64_t v;
    if (!state_u64(o, key, &v) || v > UINT32_MAX)
        return false;
    *out = (uint32_t)v;
    return true;
}

/* 16 hexadecimal digits. */
static bool state_hex(const struct json *o, const char *key, uint64_t *out)
{
    const struct json *v = json_get(o, str_of(key));
    char text[17] = {0};
    char *end;
    if (!json_is(v, JSON_STRING) || v->string.n != 16)
        return false;
    memcpy(text, v->string.p, 16);
    *out = strtoull(text, &end, 16);
    return *end == 0;
}

static bool state_parse(struct import_state *s, const struct json *o)
{
    uint64_t version;
    return json_is_string(json_get(o, STR("wellspring")), STR("import")) &&
           state_u64(o, "version", &version) && version == STATE_VERSION &&
           state_hex(o, "run", &s->run) && state_hex(o, "digest", &s->digest) &&
           state_u32(o, "input", &s->input) && state_u32(o, "part", &s->mark.part) &&
           state_u32(o, "sub", &s->mark.sub) && state_u64(o, "offset", &s->mark.offset) &&
           state_u64(o, "line", &s->mark.line) && state_u64(o, "record", &s->mark.record) &&
           state_u64(o, "stored", &s->stored) && state_u64(o, "created", &s->created) &&
           state_u64(o, "updated", &s->updated) && state_u64(o, "rejected", &s->rejected) &&
           state_u64(o, "report", &s->report);
}

enum status import_state_load(struct import_state *s, const char *path, struct why *why)
{
    static const struct json_limits limits = {.depth_max = 4, .bytes_max = STATE_BYTES_MAX};
    struct blob blob;
    struct json tree;
    enum status st = blob_open(&blob, path, why);
    if (st != OK)
        return st;
    struct arena *a = arena_new(0);
    *s = (struct import_state){0};
    if (json_read(a, blob.bytes, &limits, &tree, NULL) != OK || !state_parse(s, &tree))
        st = why_set(why, E_DAMAGED, NULL, "%s is no state of an import", path);
    arena_free(a);
    blob_close(&blob);
    return st;
}

static void state_write(const struct import_state *s, struct buf *b)
{
    buf_printf(b, "{\"wellspring\":\"import\",\"version\":%d,\"run\":\"%016" PRIx64 "\",",
               STATE_VERSION, s->run);
    buf_printf(b, "\"input\":%" PRIu32 ",\"digest\":\"%016" PRIx64 "\",", s->input, s->digest);
    buf_printf(b, "\"part\":%" PRIu32 ",\"sub\":%" PRIu32 ",\"offset\":%" PRIu64 ",", s->mark.part,
               s->mark.sub, s->mark.offset);
    buf_printf(b, "\"line\":%" PRIu64 ",\"record\":%" PRIu64 ",", s->mark.line, s->mark.record);
    buf_printf(b, "\"stored\":%" PRIu64 ",", s->stored);
    buf_printf(b, "\"created\":%" PRIu64 ",\"updated\":%" PRIu64 ",", s->created, s->updated);
    buf_printf(b, "\"rejected\":%" PRIu64 ",\"report\":%" PRIu64 "}\n", s->rejected, s->report);
}

static bool state_put(const char *path, struct str text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool good = write(fd, text.p, text.n) == (ssize_t)text.n && fsync(fd) == 0;
    return close(fd) == 0 && good;
}

enum status import_state_save(const struct import_state *s, const char *path, struct why *why)
{
    struct arena *a = arena_new(0);
    const char *next = arena_printf(a, "%s.next", path).p;
    struct buf b;
    buf_init(&b, STATE_BYTES_MAX);
    state_write(s, &b);
    enum status st = OK;
    if (!state_put(next, buf_view(&b)) || rename(next, path) != 0)
        st = why_set(why, E_IO, NULL, "cannot write %s: %s", path, strerror(errno));
    buf_free(&b);
    arena_free(a);
    return st;
}

const char *import_state_place(uint64_t run, struct arena *a)
{
    const char *base = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    if (!base || base[0] != '/') {
        if (!home || home[0] != '/')
            return NULL;
        (void)mkdir(arena_printf(a, "%s/.local", home).p, 0700);
        base = arena_printf(a, "%s/.local/state", home).p;
    }
    (void)mkdir(base, 0700);
    const char *dir = arena_printf(a, "%s/wellspring", base).p;
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return NULL;
    return arena_printf(a, "%s/import-%016" PRIx64 ".json", dir, run).p;
}
