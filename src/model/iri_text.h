/* Texts of the query languages (q, type selection, projections) that need no @context:
 * each name stands as its IRI between two control characters, which nobody's text
 * contains. So a stored text is read back without a @context, and shown again by the
 * names of whoever asks.
 *
 *     speed>50;owner.name=="Ann"     as written
 *     \1https://…/speed\2>50;…       stored; \3…\2 is a value that expandValues expanded */
#ifndef MODEL_IRI_TEXT_H
#define MODEL_IRI_TEXT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

#include <stdint.h>

struct context;

#define IRI_TEXT_NAME '\1'
#define IRI_TEXT_END '\2'
#define IRI_TEXT_VALUE '\3'

/* Length of the IRI that s begins with, its marks included; 0: there is none. */
size_t iri_text_length(struct str s);
/* What stands between the marks. */
static inline struct str iri_text_inner(struct str marked)
{
    return (struct str){marked.p + 1, marked.n - 2};
}
/* One name, marked; in the arena. */
struct str iri_text_of(struct str iri, struct arena *a);
/* text by the names of c: as written, but for names that c knows otherwise. In the arena. */
struct str iri_text_show(struct str text, const struct context *c, struct arena *a);

/* Where a parser met names: parts of one text, in order, that become IRIs. */
struct iri_edits {
    struct iri_edit {
        size_t at, length; /* bytes of the text */
        struct str iri;
        bool value;
    } * items;
    uint32_t count, room;
};
void iri_edits_add(struct iri_edits *e, struct iri_edit edit, struct arena *a);
/* The stored form of text. In the arena. */
struct str iri_edits_apply(const struct iri_edits *e, struct str text, struct arena *a);

#endif
