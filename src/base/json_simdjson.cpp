/* The only file that knows simdjson. It parses into simdjson's tape (one 64-bit
 * word a value, type in the high byte, described in simdjson's doc/tape.md) and
 * walks the tape once, building the tree of base/json.h in the arena.
 *
 * Invariants: no exception leaves (every call used is noexcept and reports by
 * code); the walk keeps its own stack, so depth costs no C stack; a container's
 * elements are contiguous because the tape tells their number at its start. */
extern "C" {
#include "base/arena.h"
#include "base/json_tape.h"
}

#include <cassert>
#include <cstring>
#include <memory>
#include <simdjson.h>

namespace
{

/* A parser's buffers are some 15 times its largest document (a fifth of that is ever
 * touched), so only those for documents up to this size are kept between calls. The
 * allocator has the pages of larger ones for some seconds. */
const size_t KEEP_BYTES_MAX = 256 << 10;
const size_t CAPACITY_MIN = 64 << 10;
const size_t FRAMES_INLINE = 64;
const uint64_t PAYLOAD = (uint64_t(1) << 56) - 1;
const uint32_t COUNT_SATURATED = 0xFFFFFF;
/* Strings up to this size are copied with one fixed-size move. Both buffers have
 * that much room behind their last string. */
const size_t SHORT_COPY = 32;
static_assert(simdjson::SIMDJSON_PADDING >= SHORT_COPY, "string buffer must be padded");

/* A container that is being filled. */
struct frame {
    json *value;
    uint32_t filled;
};

struct walk {
    arena *memory;
    const uint64_t *tape;
    const uint8_t *strings;
    char *text; /* where the next string goes */
};

char tape_type(uint64_t word)
{
    return static_cast<char>(word >> 56);
}

struct str take_string(walk *w, uint64_t word)
{
    const uint8_t *from = w->strings + (word & PAYLOAD);
    uint32_t n;
    memcpy(&n, from, sizeof n);
    char *to = w->text;
    if (n <= SHORT_COPY)
        memcpy(to, from + sizeof n, SHORT_COPY);
    else
        memcpy(to, from + sizeof n, n);
    w->text += n;
    struct str s = {to, n};
    return s;
}

/* Number of values in the container that opens at tape[at]. The tape counts up
 * to 24 bits; beyond, and only then, its words are stepped through. */
uint32_t container_count(const walk *w, size_t at)
{
    uint64_t word = w->tape[at];
    uint32_t count = static_cast<uint32_t>(word >> 32) & COUNT_SATURATED;
    if (count < COUNT_SATURATED)
        return count;
    size_t end = static_cast<uint32_t>(word) - 1;
    uint32_t values = 0;
    for (size_t i = at + 1; i < end; values++) {
        char type = tape_type(w->tape[i]);
        if (type == '[' || type == '{')
            i = static_cast<uint32_t>(w->tape[i]);
        else
            i += type == 'l' || type == 'u' || type == 'd' ? 2 : 1;
    }
    return tape_type(word) == '{' ? values / 2 : values;
}

void set_number(json *v, char type, uint64_t raw)
{
    v->kind = JSON_REAL;
    if (type == 'l') {
        v->kind = JSON_INT;
        memcpy(&v->integer, &raw, sizeof raw);
    } else if (type == 'u') { /* beyond int64, within uint64 */
        v->real = static_cast<double>(raw);
    } else {
        memcpy(&v->real, &raw, sizeof raw);
    }
}

void open_container(const walk *w, json *v, size_t at)
{
    v->n = container_count(w, at);
    if (tape_type(w->tape[at]) == '[') {
        v->kind = JSON_ARRAY;
        v->items = v->n ? arena_array(w->memory, json, v->n) : nullptr;
    } else {
        v->kind = JSON_OBJECT;
        v->members = v->n ? arena_array(w->memory, json_member, v->n) : nullptr;
    }
}

/* Reads the value at tape[*at] into v and steps over it; of a container only the
 * opening. True when v is a container. */
bool take_value(walk *w, size_t *at, json *v)
{
    uint64_t word = w->tape[*at];
    char type = tape_type(word);
    v->n = 0;
    switch (type) {
    case '"':
        v->kind = JSON_STRING;
        v->string = take_string(w, word);
        break;
    case 'l':
    case 'u':
    case 'd':
        set_number(v, type, w->tape[*at + 1]);
        *at += 1;
        break;
    case 't':
    case 'f':
        v->kind = JSON_BOOL;
        v->boolean = type == 't';
        break;
    case '[':
    case '{':
        open_container(w, v, *at);
        *at += 1;
        return true;
    default:
        assert(type == 'n');
        v->kind = JSON_NULL;
        break;
    }
    *at += 1;
    return false;
}

/* Next place to fill in the container, taking the key when it is an object. */
json *next_slot(walk *w, size_t *at, frame *f)
{
    if (f->value->kind == JSON_ARRAY)
        return &f->value->items[f->filled++];
    json_member *m = &f->value->members[f->filled++];
    m->key = take_string(w, w->tape[*at]);
    *at += 1;
    return &m->value;
}

bool build(walk *w, frame *frames, uint32_t depth_max, json *out)
{
    size_t at = 1; /* behind the root word */
    uint32_t depth = 0;
    json *v = out;
    for (;;) {
        if (take_value(w, &at, v)) {
            if (depth == depth_max)
                return false;
            frames[depth].value = v;
            frames[depth++].filled = 0;
        }
        while (depth && frames[depth - 1].filled == frames[depth - 1].value->n) {
            at++; /* the closing word */
            depth--;
        }
        if (depth == 0)
            return true;
        v = next_slot(w, &at, &frames[depth - 1]);
    }
}

json_outcome outcome_of(simdjson::error_code code)
{
    switch (code) {
    case simdjson::SUCCESS:
        return JSON_READ_OK;
    case simdjson::NUMBER_ERROR:
        return JSON_READ_NUMBER;
    case simdjson::DEPTH_ERROR:
        return JSON_READ_DEEP;
    case simdjson::MEMALLOC:
    case simdjson::CAPACITY:
        return JSON_READ_MEMORY;
    default:
        return JSON_READ_BROKEN;
    }
}

json_outcome read_with(simdjson::dom::parser *parser, arena *a, struct str text, uint32_t depth_max,
                       json *out)
{
    const char *bytes = text.n ? text.p : ""; /* an empty text may have no address, which memcpy may not be given */
    simdjson::error_code code = parser->parse(bytes, text.n, true).error();
    if (code != simdjson::SUCCESS)
        return outcome_of(code);
    frame inline_frames[FRAMES_INLINE];
    frame *frames = depth_max <= FRAMES_INLINE ? inline_frames : arena_array(a, frame, depth_max);
    walk w;
    w.memory = a;
    w.tape = parser->doc.tape.get();
    w.strings = parser->doc.string_buf.get();
    /* Unescaping never lengthens, and each string leaves at least its quotes behind. */
    w.text = static_cast<char *>(arena_alloc(a, text.n + SHORT_COPY));
    return build(&w, frames, depth_max, out) ? JSON_READ_OK : JSON_READ_DEEP;
}

/* simdjson counts the root as a level of its own. */
bool parser_fit(simdjson::dom::parser *parser, size_t bytes, uint32_t depth_max)
{
    size_t depth = size_t(depth_max) + 2;
    if (parser->capacity() >= bytes && parser->max_depth() >= depth)
        return true;
    if (bytes < CAPACITY_MIN)
        bytes = CAPACITY_MIN;
    return parser->allocate(bytes, depth) == simdjson::SUCCESS;
}

json_outcome read_any(simdjson::dom::parser *parser, arena *a, struct str text, uint32_t depth_max,
                      json *out)
{
    if (!parser_fit(parser, text.n, depth_max))
        return JSON_READ_MEMORY;
    return read_with(parser, a, text, depth_max, out);
}

} // namespace

json_outcome json_tape_read(arena *a, struct str text, uint32_t depth_max, json *out)
{
    if (text.n > KEEP_BYTES_MAX) {
        simdjson::dom::parser once;
        return read_any(&once, a, text, depth_max, out);
    }
    static thread_local simdjson::dom::parser kept;
    return read_any(&kept, a, text, depth_max, out);
}
