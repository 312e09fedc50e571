/* Writing entity documents: the exact size in one pass, the bytes in another,
 * without allocating. Start at doc_layout.h. */
#include "model/doc_layout.h"

#include <assert.h>

#define ALIGN 8u

static size_t text_bytes(struct str s)
{
    return doc_length_bytes(s.n) + s.n;
}

static size_t value_bytes(const struct value *v)
{
    switch ((enum value_kind)v->kind) {
    case VALUE_BOOL:
        return 0;
    case VALUE_INT:
    case VALUE_REAL:
        return 8;
    case VALUE_STRING:
    case VALUE_JSON:
        return text_bytes(v->text);
    case VALUE_GEO:
        return (v->point ? 16 : 32) + text_bytes(v->text);
    case VALUE_NONE:
    case VALUE_NULL:
        break;
    }
    assert(!"never stored");
    return 0;
}

/* Bytes of the body; table entries are the owner's. */
static size_t attr_bytes(const struct attr *a, const struct doc_owner *owner,
                         const struct doc_origin *o)
{
    uint32_t mask = doc_mask(a, owner, o);
    size_t n = DOC_BODY_HEAD + value_bytes(&a->value) + doc_time_bytes(doc_created_code(mask)) +
               doc_time_bytes(doc_modified_code(mask)) + doc_seq_bytes(doc_seq_code(mask));
    n += mask & DOC_DATASET ? text_bytes(a->dataset) : 0;
    n += mask & DOC_UNIT_CODE ? text_bytes(a->unit_code) : 0;
    n += mask & DOC_VALUE_TYPE ? text_bytes(a->value_type) : 0;
    n += mask & DOC_OBJECT_TYPE ? text_bytes(a->object_type) : 0;
    n += mask & DOC_OBSERVED_AT ? 8 : 0;
    n += mask & DOC_EXPIRES_AT ? 8 : 0;
    if (mask & DOC_SUBS) {
        n += doc_length_bytes(a->sub_count) + sizeof(struct doc_entry) * a->sub_count;
        struct doc_owner self = {a->created_at, a->modified_at, doc_attr_seq(a, o)};
        for (uint32_t i = 0; i < a->sub_count; i++)
            n += attr_bytes(&a->subs[i], &self, o);
    }
    return n;
}

size_t doc_size(const struct entity *e)
{
    size_t n = sizeof(struct doc) + sizeof(uint32_t) * e->type_count +
               sizeof(struct doc_entry) * e->attr_count + sizeof(uint32_t) * e->scope_count +
               (e->expires_at == TIME_NONE ? 0 : sizeof(int64_t)) + e->id.n;
    for (uint32_t i = 0; i < e->scope_count; i++)
        n += e->scopes[i].n;
    struct doc_owner owner = {e->created_at, e->modified_at, e->seq};
    struct doc_origin origin = {e->created_at, e->seq, e->created_seq};
    for (uint32_t i = 0; i < e->attr_count; i++)
        n += attr_bytes(&e->attrs[i], &owner, &origin);
    return (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

struct writer {
    uint8_t *base, *p;
    const struct doc_origin *origin;
    int64_t expires_at; /* earliest so far */
};

static void put(struct writer *w, const void *p, size_t n)
{
    if (n)
        memcpy(w->p, p, n);
    w->p += n;
}

static void put_length(struct writer *w, size_t n)
{
    assert(n <= UINT32_MAX);
    if (n < DOC_LENGTH_LONG) {
        *w->p++ = (uint8_t)n;
        return;
    }
    *w->p++ = DOC_LENGTH_LONG;
    uint32_t v = (uint32_t)n;
    put(w, &v, sizeof v);
}

static void put_text(struct writer *w, struct str s)
{
    put_length(w, s.n);
    put(w, s.p, s.n);
}

static void put_value(struct writer *w, const struct value *v)
{
    switch ((enum value_kind)v->kind) {
    case VALUE_INT:
        put(w, &v->integer, 8);
        break;
    case VALUE_REAL:
        put(w, &v->real, 8);
        break;
    case VALUE_GEO:
        put(w, &v->box.west, 8);
        put(w, &v->box.south, 8);
        if (!v->point) {
            put(w, &v->box.east, 8);
            put(w, &v->box.north, 8);
        }
        put_text(w, v->text);
        break;
    case VALUE_STRING:
    case VALUE_JSON:
        put_text(w, v->text);
        break;
    case VALUE_BOOL:
    case VALUE_NONE:
    case VALUE_NULL:
        break;
    }
}

static void put_time(struct writer *w, uint32_t code, int64_t t)
{
    uint64_t v =
        code == DOC_TIME_DELTA ? (uint64_t)t - (uint64_t)w->origin->created_at : (uint64_t)t;
    put(w, &v, doc_time_bytes(code));
}

static void put_seq(struct writer *w, uint32_t code, uint64_t seq)
{
    assert(code < DOC_SEQ_CREATED ||
           w->origin->created_seq); /* else doc_set_seq() would shift it */
    uint64_t v = code == DOC_SEQ_DELTA ? seq - w->origin->created_seq : seq;
    put(w, &v, doc_seq_bytes(code));
}

static void note_expiry(struct writer *w, int64_t t)
{
    if (t != TIME_NONE && (w->expires_at == TIME_NONE || t < w->expires_at))
        w->expires_at = t;
}

static void put_attrs(struct writer *w, uint8_t *table, const struct attr *attrs, uint32_t count,
                      const struct doc_owner *owner, uint32_t depth);

static void put_attr(struct writer *w, const struct attr *a, const struct doc_owner *owner,
                     uint32_t depth)
{
    assert(a->kind > ATTR_UNKNOWN && a->kind < ATTR_KIND_COUNT && a->value.kind >= VALUE_BOOL);
    uint32_t mask = doc_mask(a, owner, w->origin);
    *w->p++ = (uint8_t)(a->kind | a->value.kind << 4);
    uint16_t mask16 = (uint16_t)mask;
    put(w, &mask16, sizeof mask16);
    put_value(w, &a->value);
    put_time(w, doc_created_code(mask), a->created_at);
    put_time(w, doc_modified_code(mask), a->modified_at);
    uint64_t seq = doc_attr_seq(a, w->origin);
    put_seq(w, doc_seq_code(mask), seq);
    if (mask & DOC_DATASET)
        put_text(w, a->dataset);
    if (mask & DOC_UNIT_CODE)
        put_text(w, a->unit_code);
    if (mask & DOC_VALUE_TYPE)
        put_text(w, a->value_type);
    if (mask & DOC_OBJECT_TYPE)
        put_text(w, a->object_type);
    if (mask & DOC_OBSERVED_AT)
        put(w, &a->observed_at, 8);
    if (mask & DOC_EXPIRES_AT)
        put(w, &a->expires_at, 8);
    note_expiry(w, a->expires_at);
    if (mask & DOC_SUBS) {
        put_length(w, a->sub_count);
        uint8_t *table = w->p;
        w->p += sizeof(struct doc_entry) * a->sub_count;
        struct doc_owner self = {a->created_at, a->modified_at, seq};
        put_attrs(w, table, a->subs, a->sub_count, &self, depth + 1);
    }
}

static void put_attrs(struct writer *w, uint8_t *table, const struct attr *attrs, uint32_t count,
                      const struct doc_owner *owner, uint32_t depth)
{
    assert(depth <= DOC_DEPTH_MAX);
    for (uint32_t i = 0; i < count; i++) {
        assert(i == 0 || attr_order(&attrs[i - 1], &attrs[i]) < 0);
        struct doc_entry entry = {attrs[i].term, (uint32_t)(w->p - w->base)};
        memcpy(table + i * sizeof entry, &entry, sizeof entry);
        put_attr(w, &attrs[i], owner, depth);
    }
}

static void put_scopes(struct writer *w, const struct entity *e, uint8_t *ends)
{
    uint32_t end = 0;
    for (uint32_t i = 0; i < e->scope_count; i++) {
        put(w, e->scopes[i].p, e->scopes[i].n);
        end += (uint32_t)e->scopes[i].n;
        memcpy(ends + i * sizeof end, &end, sizeof end);
    }
}

void doc_encode(const struct entity *e, void *out)
{
    assert(((uintptr_t)out & (ALIGN - 1)) == 0);
    struct doc *d = out;
    *d = (struct doc){
        .magic = DOC_MAGIC,
        .version = DOC_VERSION,
        .flags = e->expires_at == TIME_NONE ? 0 : DOC_OWN_EXPIRY,
        .seq = e->seq,
        .created_seq = e->created_seq,
        .created_at = e->created_at,
        .modified_at = e->modified_at,
        .attr_count = e->attr_count,
        .type_count = e->type_count,
        .scope_count = e->scope_count,
        .id_bytes = (uint32_t)e->id.n,
    };
    struct doc_owner owner = {e->created_at, e->modified_at, e->seq};
    struct doc_origin origin = {e->created_at, e->seq, e->created_seq};
    struct writer w = {out, (uint8_t *)out + doc_at_types(), &origin, e->expires_at};
    if (e->type_count)
        put(&w, e->types, sizeof(uint32_t) * e->type_count);
    uint8_t *table = w.p, *ends = (uint8_t *)out + doc_at_scope_ends(d);
    w.p = (uint8_t *)out + doc_at_own_expiry(d);
    if (d->flags & DOC_OWN_EXPIRY)
        put(&w, &e->expires_at, 8);
    put(&w, e->id.p, e->id.n);
    put_scopes(&w, e, ends);
    put_attrs(&w, table, e->attrs, e->attr_count, &owner, 0);
    while ((w.p - w.base) % ALIGN)
        *w.p++ = 0;
    d->expires_at = w.expires_at;
    d->bytes = (uint32_t)(w.p - w.base);
    assert((size_t)(w.p - w.base) == doc_size(e));
}
