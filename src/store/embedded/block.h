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

/* A document of a kind. Key and bytes stand behind it. */
struct document {
    uint64_t seq;
    struct str key, bytes;
};
struct document *document_new(struct blocks *b, uint64_t seq, struct str key, struct str bytes);
void document_free(struct blocks *b, struct document *d); /* NULL is fine */

#endif
