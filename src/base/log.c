/* One line an event, built on the stack and written at once: lines of several
 * threads never mix, and nothing is allocated. A field that does not fit is left
 * out and the line says cut=true. */
#include "base/log.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/time.h"
#include "base/utf8.h"

#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <unistd.h>

/* PIPE_BUF: what Linux writes to a pipe in one piece. TAIL: for "cut" and the end. */
enum { LINE_BYTES = 4096, TAIL_BYTES = 32 };

static atomic_int format = LOG_LOGFMT;
static atomic_int level_least = LOG_INFO_;
static atomic_int target = STDERR_FILENO;

static const char *const LEVELS[] = {"debug", "info", "warn", "error"};

void log_setup(enum log_format format_, enum log_level level_min, int fd)
{
    atomic_store(&format, format_);
    atomic_store(&level_least, level_min);
    atomic_store(&target, fd);
}

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&level_least, memory_order_relaxed);
}

/* Length of the run at the start of s that may stand inside quotes as it is:
 * well-formed, no control character (C1 and DEL too: they can drive a terminal). */
static size_t harmless(struct str s)
{
    size_t at = 0;
    while (at < s.n) {
        struct str rest = str_from(s, at);
        unsigned char c = (unsigned char)rest.p[0];
        size_t n = utf8_length(rest);
        bool c1 = c == 0xC2 && n == 2 && (unsigned char)rest.p[1] < 0xA0;
        if (n == 0 || c < 0x20 || c == 0x7F || c1)
            break;
        at += n;
    }
    return at;
}

/* Quoted as in JSON, in both formats; broken UTF-8 becomes U+FFFD. */
static void put_quoted(struct buf *b, struct str s)
{
    buf_char(b, '"');
    while (s.n) {
        size_t n = harmless(s);
        if (n) {
            json_write_inner(b, str_head(s, n));
            s = str_from(s, n);
            continue;
        }
        unsigned char c = (unsigned char)s.p[0];
        n = utf8_length(s);
        if (n == 0)
            buf_lit(b, "\\ufffd");
        else if (c < 0x20)
            json_write_inner(b, str_head(s, 1));
        else
            buf_printf(b, "\\u00%02x", n == 2 ? (unsigned char)s.p[1] : c);
        s = str_from(s, n ? n : 1);
    }
    buf_char(b, '"');
}

/* logfmt leaves the quotes out where nothing can be mistaken. */
static bool is_bare(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c >= 0x7F || c == '"' || c == '=' || c == '\\')
            return false;
    }
    return s.n > 0;
}

static void put_string(struct buf *b, bool json, struct str s)
{
    if (!json && is_bare(s))
        buf_str(b, s);
    else
        put_quoted(b, s);
}

/* Keys are constants of the program: plain words. */
static void put_key(struct buf *b, bool json, const char *key)
{
    if (b->n > 1)
        buf_char(b, json ? ',' : ' ');
    if (json)
        buf_char(b, '"');
    buf_str(b, str_of(key));
    if (json)
        buf_lit(b, "\":");
    else
        buf_char(b, '=');
}

static void put_field(struct buf *b, bool json, const struct log_field *f)
{
    put_key(b, json, f->key);
    if (f->kind == 1)
        buf_i64(b, f->i);
    else if (f->kind == 2 && isfinite(f->f))
        buf_double(b, f->f);
    else if (f->kind == 2)
        buf_lit(b, "null");
    else
        put_string(b, json, f->s);
}

static void write_line(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) /* nobody is left to tell */
            return;
        p += done;
        n -= (size_t)done;
    }
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n)
{
    if (!log_enabled(level))
        return;
    char line[LINE_BYTES], time[TIME_TEXT_MAX];
    struct buf b = {.p = line, .cap = LINE_BYTES - TAIL_BYTES, .max = LINE_BYTES - TAIL_BYTES};
    bool json = atomic_load(&format) == LOG_JSON, cut = false;
    const struct log_field head[] = {
        log_s("ts", (struct str){time, time_format(time_now(), time)}),
        log_z("level", LEVELS[level]),
        log_z("event", event),
    };
    if (json)
        buf_char(&b, '{');
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        put_field(&b, json, &head[i]);
    for (size_t i = 0; i < n; i++) {
        size_t before = b.n;
        put_field(&b, json, &fields[i]);
        if (b.full) {
            b.n = before;
            b.full = false;
            cut = true;
        }
    }
    b.cap = b.max = LINE_BYTES;
    if (cut) {
        put_key(&b, json, "cut");
        buf_lit(&b, "true");
    }
    if (json)
        buf_char(&b, '}');
    buf_char(&b, '\n');
    write_line(atomic_load(&target), b.p, b.n);
}
