/* Entity documents from anywhere: what the check lets pass can be read in every way, and means one
 * tree, which is written as the same bytes. Each input is tried as it is, and once more with the
 * header's magic, version and length made right, so that mutations reach what lies behind. */
#include "fuzz.h"

#include "model/doc.h"
#include "model/doc_layout.h"

#include <math.h>

enum { TERM_MAX = 64 };

static void read_header(const struct doc *d, const struct entity *e)
{
    fuzz_require(str_eq(doc_id(d), e->id) && doc_seq(d) == e->seq);
    fuzz_require(doc_created_seq(d) == e->created_seq);
    fuzz_require(doc_created_at(d) == e->created_at && doc_modified_at(d) == e->modified_at);
    fuzz_require(e->expires_at == TIME_NONE || doc_expires_at(d) <= e->expires_at);
    fuzz_require(doc_type_count(d) == e->type_count && doc_scope_count(d) == e->scope_count);
    for (uint32_t i = 0; i < e->type_count; i++)
        fuzz_require(doc_type(d, i) == e->types[i] && e->types[i] <= TERM_MAX);
    for (uint32_t i = 0; i < e->scope_count; i++)
        fuzz_require(str_eq(doc_scope(d, i), e->scopes[i]));
}

static void read_instances(const struct doc *d, const struct entity *e, struct arena *a)
{
    struct attr one;
    struct value value;
    fuzz_require(doc_attr_count(d) == e->attr_count);
    for (uint32_t i = 0; i < e->attr_count; i++) {
        const struct attr *attr = &e->attrs[i];
        fuzz_require(doc_attr_term(d, i) == attr->term && doc_attr_kind(d, i) == attr->kind);
        uint32_t first = doc_find_attr(d, attr->term);
        fuzz_require(first <= i && e->attrs[first].term == attr->term);
        doc_attr(d, i, a, &one);
        doc_attr_value(d, i, &value);
        fuzz_require(attr_same(&one, attr) && one.created_at == attr->created_at);
        fuzz_require(value.kind == attr->value.kind && str_eq(value.text, attr->value.text));
        fuzz_require(value.kind != VALUE_REAL || isfinite(value.real));
    }
}

static void try_block(const struct doc *d, size_t n)
{
    struct why why;
    why_clear(&why);
    enum status st = doc_check(d, n, TERM_MAX, &why);
    fuzz_require((st == OK) == (why.text[0] == 0));
    if (st != OK)
        return;
    struct arena *a = arena_new(0);
    struct entity e;
    doc_decode(d, a, &e);
    read_header(d, &e);
    read_instances(d, &e, a);
    fuzz_require(doc_bytes(d) == n && doc_size(&e) == n);
    struct doc *again = mem_alloc(n);
    doc_encode(&e, again);
    fuzz_require(memcmp(again, d, n) == 0);
    free(again);
    arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t n = size & ~(size_t)7;
    struct doc *d = mem_alloc(size ? size : 1); /* aligned, and no byte longer */
    memcpy(d, data, size);
    try_block(d, size);
    if (n >= sizeof *d) {
        d->magic = DOC_MAGIC;
        d->version = DOC_VERSION;
        d->bytes = (uint32_t)n;
        try_block(d, n);
    }
    free(d);
    return 0;
}
