/* Texts are edited as a list of places and replacements, then written once; the marks around names are single bytes. */
#include "model/iri_text.h"

#include "base/json.h"
#include "model/context.h"

enum { TEXT_BYTES_MAX = 16 << 20 /* texts come from bodies, which are bounded */ };

size_t iri_text_length(struct str s)
{
    if (s.n < 3 || (s.p[0] != IRI_TEXT_NAME && s.p[0] != IRI_TEXT_VALUE))
        return 0;
    size_t end = str_find_char(s, IRI_TEXT_END);
    return end == STR_NPOS || end < 2 ? 0 : end + 1;
}

struct str iri_text_of(struct str iri, struct arena *a)
{
    char *p = arena_alloc(a, iri.n + 2);
    p[0] = IRI_TEXT_NAME;
    memcpy(p + 1, iri.p, iri.n);
    p[iri.n + 1] = IRI_TEXT_END;
    return (struct str){p, iri.n + 2};
}

/* Buffers of this file become part of the arena. */
static struct str settle(struct buf *b, struct arena *a)
{
    struct str text = arena_dup(a, buf_view(b));
    buf_free(b);
    return text;
}

struct str iri_text_show(struct str text, const struct context *c, struct arena *a)
{
    struct buf b;
    buf_init(&b, TEXT_BYTES_MAX);
    for (size_t i = 0; i < text.n;) {
        size_t n = iri_text_length(str_from(text, i));
        if (n == 0) {
            buf_char(&b, text.p[i++]);
            continue;
        }
        struct str name = context_compact(c, iri_text_inner(str_head(str_from(text, i), n)), a);
        if (text.p[i] == IRI_TEXT_VALUE)
            json_write_str(&b, name);
        else
            buf_str(&b, name);
        i += n;
    }
    return settle(&b, a);
}

void iri_edits_add(struct iri_edits *e, struct iri_edit edit, struct arena *a)
{
    if (e->count == e->room) {
        uint32_t room = e->room ? e->room * 2 : 8;
        e->items = arena_grow(a, e->items, e->room * sizeof *e->items, room * sizeof *e->items);
        e->room = room;
    }
    e->items[e->count++] = edit;
}

struct str iri_edits_apply(const struct iri_edits *e, struct str text, struct arena *a)
{
    struct buf b;
    size_t from = 0;
    buf_init(&b, TEXT_BYTES_MAX);
    for (uint32_t i = 0; i < e->count; i++) {
        const struct iri_edit *edit = &e->items[i];
        buf_put(&b, text.p + from, edit->at - from);
        buf_char(&b, edit->value ? IRI_TEXT_VALUE : IRI_TEXT_NAME);
        buf_str(&b, edit->iri);
        buf_char(&b, IRI_TEXT_END);
        from = edit->at + edit->length;
    }
    buf_str(&b, str_from(text, from));
    return settle(&b, a);
}
