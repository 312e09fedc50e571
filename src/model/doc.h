/* The entity document: one contiguous, position-independent, immutable block per
 * version of an entity. The same bytes stand in memory, in the log and in the base
 * store; the layout is drawn in docs/formats/entity.md. Blocks read from disk are
 * verified with doc_check() before anything else touches them. */
#ifndef MODEL_DOC_H
#define MODEL_DOC_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "model/entity.h"

#include <stddef.h>
#include <stdint.h>

struct doc; /* opaque; 8-byte aligned */

/* Deepest nesting of sub-attributes in a block: 0 is an entity whose attributes have none.
 * "limits.attribute_depth" must not be above it. */
#define DOC_DEPTH_MAX 64

/* Bytes the block of e will take, exactly. */
size_t doc_size(const struct entity *e);
/* Writes the block to out (doc_size bytes, 8-byte aligned). */
void doc_encode(const struct entity *e, void *out);
/* Sets the version's sequence, and the creating one where it is still 0, before anybody else sees
 * the block. */
void doc_set_seq(struct doc *d, uint64_t seq);
/* Tree in the arena; strings borrow from d. d is valid (written by doc_encode or checked). attr.seq
 * is resolved. */
void doc_decode(const struct doc *d, struct arena *a, struct entity *out);
/* E_DAMAGED when bytes are no valid block of exactly that length: every offset, count, kind,
 * order, term id (1 … term_max) and depth is verified. The sequence must be set. A block that
 * passes decodes and encodes to the same bytes. */
MUST_USE enum status doc_check(const void *bytes, size_t n, uint32_t term_max, struct why *why);

/* Header fields without decoding. Borrowed from d. */
size_t doc_bytes(const struct doc *d);
struct str doc_id(const struct doc *d);
uint64_t doc_seq(const struct doc *d);
uint64_t doc_created_seq(const struct doc *d);
int64_t doc_created_at(const struct doc *d);
int64_t doc_modified_at(const struct doc *d);
int64_t doc_expires_at(
    const struct doc *d); /* earliest of the entity's and its attributes'; TIME_NONE when none */
int64_t doc_own_expires_at(const struct doc *d); /* the entity's own; TIME_NONE when none */
uint32_t doc_type_count(const struct doc *d);
uint32_t doc_type(const struct doc *d, uint32_t i);
uint32_t doc_scope_count(const struct doc *d);
struct str doc_scope(const struct doc *d, uint32_t i);
uint32_t doc_attr_count(const struct doc *d);
uint32_t doc_attr_term(const struct doc *d, uint32_t i); /* instances in order; a term may repeat */
enum attr_kind doc_attr_kind(const struct doc *d, uint32_t i);
/* Decodes instance i alone (with its sub-attributes). */
void doc_attr(const struct doc *d, uint32_t i, struct arena *a, struct attr *out);
/* The same without its sub-attributes, of which only the count is set. */
void doc_attr_alone(const struct doc *d, uint32_t i, struct attr *out);
/* Index of the first instance of term, or UINT32_MAX. Binary search. */
uint32_t doc_find_attr(const struct doc *d, uint32_t term);
/* Value of instance i, without decoding anything else. */
void doc_attr_value(const struct doc *d, uint32_t i, struct value *out);

#endif
