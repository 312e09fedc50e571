/* The bytes of an entity document, known to its writer (doc_encode.c), reader
 * (doc.c) and checker (doc_check.c) only; drawn in docs/formats/entity.md.
 *
 *   header | types | attribute table | scope ends | own expiry | id | scopes | attributes | padding
 *
 * The encoding is canonical: one tree has one block. So a checked block decodes
 * and encodes to the same bytes, and a mask that the writer would not have
 * written is damage. Behind the tables fields are packed and read with memcpy. */
#ifndef MODEL_DOC_LAYOUT_H
#define MODEL_DOC_LAYOUT_H

#include "model/doc.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "blocks are little-endian and read in place");

#define DOC_MAGIC 0x5357 /* "WS" */
#define DOC_VERSION 1

struct doc {
    uint16_t magic;
    uint8_t version;
    uint8_t flags; /* DOC_OWN_EXPIRY */
    uint32_t bytes;
    uint64_t seq;
    uint64_t created_seq;
    int64_t created_at;
    int64_t modified_at;
    int64_t expires_at; /* earliest of the entity and everything in it */
    uint32_t attr_count;
    uint32_t type_count;
    uint32_t scope_count;
    uint32_t id_bytes;
    /* uint32_t types[type_count]; struct doc_entry attrs[attr_count]; uint32_t
     * scope_ends[scope_count]; … */
};

_Static_assert(sizeof(struct doc) == 64, "header");
_Static_assert(offsetof(struct doc, flags) == 3, "header");
_Static_assert(offsetof(struct doc, bytes) == 4, "header");
_Static_assert(offsetof(struct doc, seq) == 8, "header");
_Static_assert(offsetof(struct doc, created_seq) == 16, "header");
_Static_assert(offsetof(struct doc, created_at) == 24, "header");
_Static_assert(offsetof(struct doc, modified_at) == 32, "header");
_Static_assert(offsetof(struct doc, expires_at) == 40, "header");
_Static_assert(offsetof(struct doc, attr_count) == 48, "header");
_Static_assert(offsetof(struct doc, type_count) == 52, "header");
_Static_assert(offsetof(struct doc, scope_count) == 56, "header");
_Static_assert(offsetof(struct doc, id_bytes) == 60, "header");

enum { DOC_OWN_EXPIRY = 1 }; /* the entity itself expires: its time stands behind the scope ends */

/* One instance in a table of attributes or sub-attributes. */
struct doc_entry {
    uint32_t term;
    uint32_t offset; /* of its body, from the start of the block */
};
_Static_assert(sizeof(struct doc_entry) == 8, "table entry");

/* Kinds are written as they are numbered. */
_Static_assert(ATTR_PROPERTY == 1 && ATTR_RELATIONSHIP == 2 && ATTR_GEO_PROPERTY == 3 &&
                   ATTR_LANGUAGE_PROPERTY == 4 && ATTR_VOCAB_PROPERTY == 5 &&
                   ATTR_JSON_PROPERTY == 6 && ATTR_LIST_PROPERTY == 7 &&
                   ATTR_LIST_RELATIONSHIP == 8 && ATTR_KIND_COUNT == 9,
               "attribute kinds");
_Static_assert(VALUE_BOOL == 2 && VALUE_INT == 3 && VALUE_REAL == 4 && VALUE_STRING == 5 &&
                   VALUE_JSON == 6 && VALUE_GEO == 7,
               "value kinds");

/* A body: kinds (attribute kind, value kind << 4), mask, value, then what the mask says, in the
 * order of its bits; the sub-attributes, with a table of their own, last. */
enum {
    DOC_BODY_HEAD = 3,
    DOC_CREATED_SHIFT = 0,  /* two bits, DOC_TIME_… */
    DOC_MODIFIED_SHIFT = 2, /* two bits */
    DOC_SEQ_SHIFT = 4,      /* three bits, DOC_SEQ_… */
    DOC_FLAG = 1 << 7,      /* a Boolean's value; a string is plain; a geometry is a point */
    DOC_DATASET = 1 << 8,
    DOC_UNIT_CODE = 1 << 9,
    DOC_VALUE_TYPE = 1 << 10,
    DOC_OBJECT_TYPE = 1 << 11,
    DOC_OBSERVED_AT = 1 << 12,
    DOC_EXPIRES_AT = 1 << 13,
    DOC_SUBS = 1 << 14,
    DOC_MASK_BITS = 15,
    DOC_CODES = DOC_FLAG - 1, /* of times and sequence */
};
enum {
    DOC_TIME_SAME = 0,  /* created: as the owner's; modified: as the instance's own creation */
    DOC_TIME_OWNER = 1, /* as the owner's modification */
    DOC_TIME_DELTA = 2, /* 48 bits of µs after the entity's creation */
    DOC_TIME_FULL = 3,
};
enum {
    DOC_SEQ_OWNER = 0,
    DOC_SEQ_VERSION = 1, /* the block's own */
    DOC_SEQ_CREATED = 2, /* the one that created the entity */
    DOC_SEQ_DELTA = 3,   /* 32 bits after that one */
    DOC_SEQ_FULL = 4,
};

/* Times and sequence of what an attribute stands in: the entity, or an attribute. */
struct doc_owner {
    int64_t created_at, modified_at;
    uint64_t seq;
};
/* The entity's part that all instances refer to. */
struct doc_origin {
    int64_t created_at;
    uint64_t seq, created_seq;
};

static inline uint64_t doc_attr_seq(const struct attr *a, const struct doc_origin *o)
{
    return a->seq ? a->seq : o->seq;
}

/* The one code of each time and of the sequence that may be in the mask. */
static inline uint32_t doc_codes(int64_t created_at, int64_t modified_at, uint64_t seq,
                                 const struct doc_owner *owner, const struct doc_origin *o)
{
    uint64_t since = (uint64_t)created_at - (uint64_t)o->created_at;
    uint32_t mask = created_at == owner->created_at    ? DOC_TIME_SAME
                    : created_at == owner->modified_at ? DOC_TIME_OWNER
                    : since >> 48 == 0                 ? DOC_TIME_DELTA
                                                       : DOC_TIME_FULL;
    since = (uint64_t)modified_at - (uint64_t)o->created_at;
    mask |= (modified_at == created_at           ? DOC_TIME_SAME
             : modified_at == owner->modified_at ? DOC_TIME_OWNER
             : since >> 48 == 0                  ? DOC_TIME_DELTA
                                                 : DOC_TIME_FULL)
            << DOC_MODIFIED_SHIFT;
    return mask | (seq == owner->seq                   ? DOC_SEQ_OWNER
                   : seq == o->seq                     ? DOC_SEQ_VERSION
                   : seq == o->created_seq             ? DOC_SEQ_CREATED
                   : (seq - o->created_seq) >> 32 == 0 ? DOC_SEQ_DELTA
                                                       : DOC_SEQ_FULL)
                      << DOC_SEQ_SHIFT;
}

/* The one mask that may stand before the instance. */
static inline uint32_t doc_mask(const struct attr *a, const struct doc_owner *owner,
                                const struct doc_origin *o)
{
    uint32_t mask = doc_codes(a->created_at, a->modified_at, doc_attr_seq(a, o), owner, o);
    const struct value *v = &a->value;
    if ((v->kind == VALUE_BOOL && v->boolean) || (v->kind == VALUE_STRING && v->plain) ||
        (v->kind == VALUE_GEO && v->point))
        mask |= DOC_FLAG;
    mask |= a->dataset.n ? DOC_DATASET : 0;
    mask |= str_absent(a->unit_code) ? 0 : DOC_UNIT_CODE;
    mask |= str_absent(a->value_type) ? 0 : DOC_VALUE_TYPE;
    mask |= str_absent(a->object_type) ? 0 : DOC_OBJECT_TYPE;
    mask |= a->observed_at == TIME_NONE ? 0 : DOC_OBSERVED_AT;
    mask |= a->expires_at == TIME_NONE ? 0 : DOC_EXPIRES_AT;
    mask |= a->sub_count ? DOC_SUBS : 0;
    return mask;
}

static inline uint32_t doc_created_code(uint32_t mask)
{
    return mask >> DOC_CREATED_SHIFT & 3;
}
static inline uint32_t doc_modified_code(uint32_t mask)
{
    return mask >> DOC_MODIFIED_SHIFT & 3;
}
static inline uint32_t doc_seq_code(uint32_t mask)
{
    return mask >> DOC_SEQ_SHIFT & 7;
}
/* Bytes that a code takes. */
static inline size_t doc_time_bytes(uint32_t code)
{
    return code == DOC_TIME_FULL ? 8 : code == DOC_TIME_DELTA ? 6 : 0;
}
static inline size_t doc_seq_bytes(uint32_t code)
{
    return code == DOC_SEQ_FULL ? 8 : code == DOC_SEQ_DELTA ? 4 : 0;
}

/* Lengths and counts: one byte up to 254, else 255 and four. */
#define DOC_LENGTH_LONG 255
static inline size_t doc_length_bytes(size_t n)
{
    return n < DOC_LENGTH_LONG ? 1 : 5;
}

static inline uint16_t doc_load16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}
static inline uint32_t doc_load32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}
static inline uint64_t doc_load48(const uint8_t *p)
{
    return doc_load32(p) | (uint64_t)doc_load16(p + 4) << 32;
}
static inline uint64_t doc_load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}
static inline double doc_load_double(const uint8_t *p)
{
    double v;
    memcpy(&v, p, sizeof v);
    return v;
}
static inline struct doc_entry doc_load_entry(const uint8_t *p)
{
    struct doc_entry e;
    memcpy(&e, p, sizeof e);
    return e;
}
static inline uint32_t doc_load_length(const uint8_t **p)
{
    uint32_t n = *(*p)++;
    if (n == DOC_LENGTH_LONG) {
        n = doc_load32(*p);
        *p += 4;
    }
    return n;
}

/* A time and a sequence at *p, by their codes; *p goes on behind them. same: what code 0 means. */
static inline int64_t doc_read_time(const uint8_t **p, uint32_t code, int64_t same,
                                    const struct doc_owner *owner, const struct doc_origin *o)
{
    const uint8_t *at = *p;
    *p += doc_time_bytes(code);
    switch (code) {
    case DOC_TIME_SAME:
        return same;
    case DOC_TIME_OWNER:
        return owner->modified_at;
    case DOC_TIME_DELTA:
        return (int64_t)((uint64_t)o->created_at + doc_load48(at));
    default:
        return (int64_t)doc_load64(at);
    }
}
static inline uint64_t doc_read_seq(const uint8_t **p, uint32_t code, const struct doc_owner *owner,
                                    const struct doc_origin *o)
{
    const uint8_t *at = *p;
    *p += doc_seq_bytes(code);
    switch (code) {
    case DOC_SEQ_OWNER:
        return owner->seq;
    case DOC_SEQ_VERSION:
        return o->seq;
    case DOC_SEQ_CREATED:
        return o->created_seq;
    case DOC_SEQ_DELTA:
        return o->created_seq + doc_load32(at);
    default:
        return doc_load64(at);
    }
}

/* Where the parts behind the header begin. */
static inline size_t doc_at_types(void)
{
    return sizeof(struct doc);
}
static inline size_t doc_at_attrs(const struct doc *d)
{
    return doc_at_types() + sizeof(uint32_t) * (size_t)d->type_count;
}
static inline size_t doc_at_scope_ends(const struct doc *d)
{
    return doc_at_attrs(d) + sizeof(struct doc_entry) * (size_t)d->attr_count;
}
static inline size_t doc_at_own_expiry(const struct doc *d)
{
    return doc_at_scope_ends(d) + sizeof(uint32_t) * (size_t)d->scope_count;
}
static inline size_t doc_at_id(const struct doc *d)
{
    return doc_at_own_expiry(d) + (d->flags & DOC_OWN_EXPIRY ? sizeof(int64_t) : 0);
}
static inline size_t doc_at_scopes(const struct doc *d)
{
    return doc_at_id(d) + d->id_bytes;
}

/* Reads the body at p of the instance `term` (doc.c): everything but its sub-attributes, of which
 * only the count is set; returns where their table begins, or the end of the body. */
const uint8_t *doc_read_body(const uint8_t *p, uint32_t term, const struct doc_owner *owner,
                             const struct doc_origin *o, struct attr *out);
/* Reads the value alone. */
const uint8_t *doc_read_value(const uint8_t *p, struct value *out);

#endif
