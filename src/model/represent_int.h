/* Shared by represent.c (entities, lists, GeoJSON), represent_attr.c (normalized and
 * concise attributes), represent_simplified.c and what they write values with. */
#ifndef MODEL_REPRESENT_INT_H
#define MODEL_REPRESENT_INT_H

#include "model/represent.h"

/* ,"name": — or without the comma when it is the object's first. */
static inline void represent_name(struct buf *b, struct str name, bool first)
{
    if (!first)
        buf_char(b, ',');
    if (json_plain(name) && buf_reserve(b, name.n + 3)) {
        char *p = b->p + b->n;
        *p = '"';
        memcpy(p + 1, name.p, name.n);
        memcpy(p + 1 + name.n, "\":", 2);
        b->n += name.n + 3;
        return;
    }
    json_write_str(b, name);
    buf_char(b, ':');
}

/* Text that is known to need no escape: URIs. */
static inline void represent_plain(struct buf *b, struct str s)
{
    if (buf_reserve(b, s.n + 2)) {
        char *p = b->p + b->n;
        *p = '"';
        memcpy(p + 1, s.p, s.n);
        p[s.n + 1] = '"';
        b->n += s.n + 2;
    }
}

/* represent.c: does this instance of an attribute of the entity show? */
bool represent_shows(const struct represent *r, const struct attr *a);
bool represent_shows_scope(const struct represent *r);
/* An entity as far as its attributes, and what follows these; more members may be put between. *first: none yet. */
void represent_open(struct buf *b, const struct represent *r, const struct entity *e, bool *first);
void represent_close(struct buf *b, const struct represent *r, bool first);

/* represent_linked.c: ,"entity": … of what r->links has for a. */
void represent_linked(struct buf *b, const struct represent *r, const struct attr *a);
/* The same as the value itself; false, and nothing written, when a single object has no entity there. */
bool represent_linked_simplified(struct buf *b, const struct represent *r, const struct attr *a);

/* represent_attr.c: one instance. alone: the attribute has no other, so that a concise
 * representation may be nothing but the value. before: what it was, to be shown; NULL: is not. */
void represent_instance(struct buf *b, const struct represent *r, struct str name,
                        const struct attr *a, const struct attr *before, bool alone);
/* The same without the last '}', for more members; false: it is whole, nothing but a value. */
bool represent_instance_open(struct buf *b, const struct represent *r, struct str name,
                             const struct attr *a, const struct attr *before, bool alone);
/* represent_simplified.c: the value of one instance, as a member's value. */
void represent_simplified(struct buf *b, const struct represent *r, const struct attr *a);

/* represent_value.c: what stands behind "value", "object" …; in a list of relationships, URIs are
 * wrapped as {"object": …} where wrap says so. */
void represent_value(struct buf *b, const struct represent *r, const struct attr *a, bool wrap);
/* One expanded name, or a JSON array of them, compacted. */
void represent_iri(struct buf *b, const struct represent *r, struct str iri);
void represent_iris(struct buf *b, const struct represent *r, struct str json);
/* Takes the next of a minified array of IRIs off *rest. */
bool represent_next_iri(struct str *rest, struct str *iri);

/* represent_language.c: the translation of a stored languageMap that the filter wants
 * (clause 4.15): its tag and JSON text. False when the map is empty. */
bool represent_language(struct str map, struct str wanted, struct str *tag, struct str *text);

#endif
