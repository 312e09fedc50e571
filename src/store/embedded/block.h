/* Memory of stored versions and documents, counted: "store.state_bytes" looks at the sum. */
#ifndef STORE_EMBEDDED_BLOCK_H
#define STORE_EMBEDDED_BLOCK_H

#include "model/doc.h"

#include <stdatomic.h>

struct blocks {
    _Atomic size_t bytes;
};

/* n bytes, 8-byte aligned, that will hold a version of n bytes. */
struct doc *block_new(struct blocks *b, size_t n);
void block_free(struct blocks *b, const struct doc *d);

/* A document of a kind. Key and bytes stand behind it. Held by its table, by the change that brought it
 * until everybody has been told, and by a fold that is to write it. */
struct document {
    _Atomic uint32_t refs;
    uint64_t seq;
    struct str key, bytes;
};
/* One reference, the caller's. */
struct document *document_new(struct blocks *b, uint64_t seq, struct str key, struct str bytes);
struct document *document_ref(struct document *d);
void document_unref(struct blocks *b, struct document *d); /* NULL is fine */

#endif
