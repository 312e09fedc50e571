/* Keys of values. */
#include "store/embedded/index_value.h"

#include "base/arena.h"
#include "base/hash.h"

#include <stdlib.h>

struct index_value *index_value_new(uint32_t term)
{
    struct index_value *v = mem_zalloc(sizeof *v);
    v->term = term;
    v->numbers = ordered_new();
    v->texts = ordered_new();
    v->others = bitmap_new();
    return v;
}

void index_value_free(struct index_value *v)
{
    ordered_free(v->numbers);
    ordered_free(v->texts);
    bitmap_free(v->others);
    free(v);
}

size_t index_value_bytes(const struct index_value *v)
{
    return sizeof *v + ordered_bytes(v->numbers) + ordered_bytes(v->texts) +
           bitmap_bytes(v->others);
}

uint64_t index_value_number(double d)
{
    uint64_t bits;
    d += 0.0; /* -0 is 0 */
    memcpy(&bits, &d, sizeof bits);
    return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63; /* negative numbers run backwards */
}

uint64_t index_value_text(struct str s)
{
    return hash_str(s);
}

uint64_t index_value_bool(bool b)
{
    return b;
}

struct ordered *index_value_place(const struct index_value *v, enum attr_kind kind,
                                  const struct value *value, uint64_t *key)
{
    bool property = kind == ATTR_PROPERTY;
    if (property && value->kind == VALUE_INT) {
        *key = index_value_number((double)value->integer);
        return v->numbers;
    }
    if (property && value->kind == VALUE_REAL) {
        *key = index_value_number(value->real);
        return v->numbers;
    }
    if (property && value->kind == VALUE_BOOL) {
        *key = index_value_bool(value->boolean);
        return v->texts;
    }
    if ((property || kind == ATTR_RELATIONSHIP) && value->kind == VALUE_STRING) {
        *key = index_value_text(value->text);
        return v->texts;
    }
    return NULL;
}
