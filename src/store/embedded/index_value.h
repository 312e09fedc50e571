/* The values of one attribute in order: numbers by size, texts and Booleans by equality.
 * Built in the background, slot by slot, while the committer keeps what is built already.
 *
 * Values that are neither (JSON, lists, languages, geometries) put their entity among
 * `others`, which every search includes. */
#ifndef STORE_EMBEDDED_INDEX_VALUE_H
#define STORE_EMBEDDED_INDEX_VALUE_H

#include "model/doc.h"
#include "store/embedded/bitmap.h"
#include "store/embedded/ordered.h"

#include <stdatomic.h>

#define INDEX_VALUE_BUILT UINT32_MAX

struct index_value {
    struct index_value *next;
    uint32_t term;
    uint32_t built; /* slots below are in; INDEX_VALUE_BUILT: all, and searches may use it */
    _Atomic int64_t used_us; /* last time a query wanted it */
    struct ordered *numbers; /* by index_value_number() */
    struct ordered *texts;   /* by index_value_text() */
    struct bitmap *others;
};

/* Caller owns. */
struct index_value *index_value_new(uint32_t term);
void index_value_free(struct index_value *v);
size_t index_value_bytes(const struct index_value *v);

/* Order of keys is order of numbers; equal numbers have one key. */
uint64_t index_value_number(double d);
uint64_t index_value_text(struct str s);
uint64_t index_value_bool(bool b);

/* Where a value belongs: numbers or texts with *key, or NULL: others. */
struct ordered *index_value_place(const struct index_value *v, enum attr_kind kind,
                                  const struct value *value, uint64_t *key);

#endif
