/* Writing JSON: minified, shortest numbers, escapes only where RFC 8259 section 7
 * demands them. Recursion is as deep as the tree, which json_read bounds. */
#include "base/json.h"

#include <assert.h>
#include <math.h>

#define BYTES(b) (0x0101010101010101ULL * (b))

/* Non-zero where one of eight bytes is a control character, '"' or '\\'. Bit
 * tricks: x - 0x20.. borrows into the top bit of bytes below 0x20; ~x keeps bytes
 * from 0x80 out. A borrow may mark a byte above a hit, never below the first. */
static uint64_t special_mask(uint64_t x)
{
    uint64_t control = x - BYTES(0x20);
    uint64_t quote = (x ^ BYTES('"')) - BYTES(0x01);
    uint64_t backslash = (x ^ BYTES('\\')) - BYTES(0x01);
    return (control | quote | backslash) & ~x & BYTES(0x80);
}

static bool is_special(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

static uint64_t load64(const char *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

static uint64_t load32(const char *p)
{
    uint32_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

/* Offset of the first byte that needs an escape, else s.n. Whole words first; what is
 * left is looked at as one word that overlaps them. */
static size_t find_special(struct str s)
{
    size_t at = 0;
    while (s.n - at >= 8 && !special_mask(load64(s.p + at)))
        at += 8;
    if (s.n - at < 8) {
        if (s.n >= 8 && !special_mask(load64(s.p + s.n - 8)))
            return s.n;
        if (s.n >= 4 && s.n < 8 && !special_mask(load32(s.p) | load32(s.p + s.n - 4) << 32))
            return s.n;
    }
    while (at < s.n && !is_special((unsigned char)s.p[at]))
        at++;
    return at;
}

bool json_plain(struct str s)
{
    return find_special(s) == s.n;
}

static void write_escape(struct buf *b, unsigned char c)
{
    static const char HEX[] = "0123456789abcdef";
    static const char SHORT[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                 ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};
    if (SHORT[c]) {
        char two[2] = {'\\', SHORT[c]};
        buf_put(b, two, sizeof two);
    } else {
        char six[6] = {'\\', 'u', '0', '0', HEX[c >> 4], HEX[c & 15]};
        buf_put(b, six, sizeof six);
    }
}

void json_write_inner(struct buf *b, struct str s)
{
    for (;;) {
        size_t plain = find_special(s);
        buf_put(b, s.p, plain);
        if (plain == s.n)
            return;
        write_escape(b, (unsigned char)s.p[plain]);
        s = str_from(s, plain + 1);
    }
}

void json_write_str(struct buf *b, struct str s)
{
    if (json_plain(s) && buf_reserve(b, s.n + 2)) {
        char *to = b->p + b->n;
        to[0] = '"';
        if (s.n)
            memcpy(to + 1, s.p, s.n);
        to[s.n + 1] = '"';
        b->n += s.n + 2;
        return;
    }
    buf_char(b, '"');
    json_write_inner(b, s);
    buf_char(b, '"');
}

static void write_array(struct buf *b, const struct json *v)
{
    buf_char(b, '[');
    for (uint32_t i = 0; i < v->n && !b->full; i++) {
        if (i)
            buf_char(b, ',');
        json_write(b, &v->items[i]);
    }
    buf_char(b, ']');
}

static void write_object(struct buf *b, const struct json *v)
{
    buf_char(b, '{');
    for (uint32_t i = 0; i < v->n && !b->full; i++) {
        if (i)
            buf_char(b, ',');
        json_write_str(b, v->members[i].key);
        buf_char(b, ':');
        json_write(b, &v->members[i].value);
    }
    buf_char(b, '}');
}

void json_write(struct buf *b, const struct json *v)
{
    switch ((enum json_kind)v->kind) {
    case JSON_NULL:
        buf_lit(b, "null");
        break;
    case JSON_BOOL:
        if (v->boolean)
            buf_lit(b, "true");
        else
            buf_lit(b, "false");
        break;
    case JSON_INT:
        buf_i64(b, v->integer);
        break;
    case JSON_REAL:
        assert(isfinite(v->real));
        buf_double(b, v->real);
        break;
    case JSON_STRING:
        json_write_str(b, v->string);
        break;
    case JSON_ARRAY:
        write_array(b, v);
        break;
    case JSON_OBJECT:
        write_object(b, v);
        break;
    }
}

struct str json_text(struct arena *a, const struct json *v)
{
    struct buf b;
    buf_init(&b, SIZE_MAX);
    json_write(&b, v);
    struct str text = arena_dup(a, buf_view(&b));
    buf_free(&b);
    return text;
}
