/* Reading entity documents: header fields in place, single instances, whole
 * trees. The bytes are trusted: doc_encode() wrote them or doc_check() passed them.
 * Start at doc_layout.h. */
#include "model/doc_layout.h"

#include <assert.h>

static const uint8_t *bytes_of(const struct doc *d)
{
    return (const uint8_t *)d;
}

static struct str read_text(const uint8_t **p)
{
    uint32_t n = doc_load_length(p);
    struct str s = {(const char *)*p, n};
    *p += n;
    return s;
}

/* p stands behind the kinds and the mask. */
static const uint8_t *read_value(const uint8_t *p, uint32_t kind, bool flag, struct value *v)
{
    v->kind = (uint8_t)kind;
    v->plain = false;
    v->point = false;
    v->integer = 0;
    v->text = STR_NONE;
    switch ((enum value_kind)kind) {
    case VALUE_BOOL:
        v->boolean = flag;
        break;
    case VALUE_INT:
        v->integer = (int64_t)doc_load64(p);
        return p + 8;
    case VALUE_REAL:
        v->real = doc_load_double(p);
        return p + 8;
    case VALUE_STRING:
        v->plain = flag;
        v->text = read_text(&p);
        break;
    case VALUE_JSON:
        v->text = read_text(&p);
        break;
    case VALUE_GEO:
        v->point = flag;
        v->box.west = v->box.east = doc_load_double(p);
        v->box.south = v->box.north = doc_load_double(p + 8);
        p += 16;
        if (!flag) {
            v->box.east = doc_load_double(p);
            v->box.north = doc_load_double(p + 8);
            p += 16;
        }
        v->text = read_text(&p);
        break;
    case VALUE_NONE:
    case VALUE_NULL:
        assert(!"never stored");
        break;
    }
    return p;
}

const uint8_t *doc_read_value(const uint8_t *p, struct value *out)
{
    return read_value(p + DOC_BODY_HEAD, *p >> 4, doc_load16(p + 1) & DOC_FLAG, out);
}

const uint8_t *doc_read_body(const uint8_t *p, uint32_t term, const struct doc_owner *owner,
                             const struct doc_origin *o, struct attr *a)
{
    uint32_t mask = doc_load16(p + 1);
    a->term = term;
    a->kind = *p & 15;
    p = doc_read_value(p, &a->value);
    a->created_at = doc_read_time(&p, doc_created_code(mask), owner->created_at, owner, o);
    a->modified_at = doc_read_time(&p, doc_modified_code(mask), a->created_at, owner, o);
    a->seq = doc_read_seq(&p, doc_seq_code(mask), owner, o);
    a->dataset = mask & DOC_DATASET ? read_text(&p) : STR("");
    a->unit_code = mask & DOC_UNIT_CODE ? read_text(&p) : STR_NONE;
    a->value_type = mask & DOC_VALUE_TYPE ? read_text(&p) : STR_NONE;
    a->object_type = mask & DOC_OBJECT_TYPE ? read_text(&p) : STR_NONE;
    a->observed_at = a->expires_at = TIME_NONE;
    if (mask & DOC_OBSERVED_AT) {
        a->observed_at = (int64_t)doc_load64(p);
        p += 8;
    }
    if (mask & DOC_EXPIRES_AT) {
        a->expires_at = (int64_t)doc_load64(p);
        p += 8;
    }
    a->null_members = 0;
    a->guesses = 0;
    a->lang = STR_NONE;
    a->subs = NULL;
    a->sub_count = mask & DOC_SUBS ? doc_load_length(&p) : 0;
    return p;
}

/* Instance and, recursively, its sub-attributes; as deep as the writer allowed (DOC_DEPTH_MAX). */
static void read_attr(const uint8_t *base, struct doc_entry entry, const struct doc_owner *owner,
                      const struct doc_origin *o, struct arena *arena, struct attr *a)
{
    const uint8_t *table = doc_read_body(base + entry.offset, entry.term, owner, o, a);
    if (a->sub_count == 0)
        return;
    a->subs = arena_array(arena, struct attr, a->sub_count);
    struct doc_owner self = {a->created_at, a->modified_at, a->seq};
    for (uint32_t i = 0; i < a->sub_count; i++)
        read_attr(base, doc_load_entry(table + i * sizeof entry), &self, o, arena, &a->subs[i]);
}

static struct doc_entry entry_at(const struct doc *d, uint32_t i)
{
    assert(i < d->attr_count);
    return doc_load_entry(bytes_of(d) + doc_at_attrs(d) + i * sizeof(struct doc_entry));
}

static struct doc_owner owner_of(const struct doc *d)
{
    return (struct doc_owner){d->created_at, d->modified_at, d->seq};
}

static struct doc_origin origin_of(const struct doc *d)
{
    return (struct doc_origin){d->created_at, d->seq, d->created_seq};
}

int64_t doc_own_expires_at(const struct doc *d)
{
    return d->flags & DOC_OWN_EXPIRY ? (int64_t)doc_load64(bytes_of(d) + doc_at_own_expiry(d))
                                     : TIME_NONE;
}

void doc_decode(const struct doc *d, struct arena *a, struct entity *out)
{
    assert(d->magic == DOC_MAGIC && d->version == DOC_VERSION);
    *out = (struct entity){
        .id = doc_id(d),
        .type_count = d->type_count,
        .scope_count = d->scope_count,
        .created_at = d->created_at,
        .modified_at = d->modified_at,
        .expires_at = doc_own_expires_at(d),
        .seq = d->seq,
        .created_seq = d->created_seq,
        .attr_count = d->attr_count,
    };
    if (d->type_count) {
        out->types = arena_array(a, uint32_t, d->type_count);
        memcpy(out->types, bytes_of(d) + doc_at_types(), sizeof(uint32_t) * d->type_count);
    }
    if (d->scope_count) {
        out->scopes = arena_array(a, struct str, d->scope_count);
        for (uint32_t i = 0; i < d->scope_count; i++)
            out->scopes[i] = doc_scope(d, i);
    }
    if (d->attr_count == 0)
        return;
    out->attrs = arena_array(a, struct attr, d->attr_count);
    struct doc_owner owner = owner_of(d);
    struct doc_origin origin = origin_of(d);
    for (uint32_t i = 0; i < d->attr_count; i++)
        read_attr(bytes_of(d), entry_at(d, i), &owner, &origin, a, &out->attrs[i]);
}

size_t doc_bytes(const struct doc *d)
{
    return d->bytes;
}

struct str doc_id(const struct doc *d)
{
    return (struct str){(const char *)bytes_of(d) + doc_at_id(d), d->id_bytes};
}

uint64_t doc_seq(const struct doc *d)
{
    return d->seq;
}

uint64_t doc_created_seq(const struct doc *d)
{
    return d->created_seq;
}

int64_t doc_created_at(const struct doc *d)
{
    return d->created_at;
}

int64_t doc_modified_at(const struct doc *d)
{
    return d->modified_at;
}

int64_t doc_expires_at(const struct doc *d)
{
    return d->expires_at;
}

uint32_t doc_type_count(const struct doc *d)
{
    return d->type_count;
}

uint32_t doc_type(const struct doc *d, uint32_t i)
{
    assert(i < d->type_count);
    return doc_load32(bytes_of(d) + doc_at_types() + i * sizeof(uint32_t));
}

uint32_t doc_scope_count(const struct doc *d)
{
    return d->scope_count;
}

struct str doc_scope(const struct doc *d, uint32_t i)
{
    assert(i < d->scope_count);
    const uint8_t *ends = bytes_of(d) + doc_at_scope_ends(d);
    uint32_t from = i ? doc_load32(ends + (i - 1) * sizeof(uint32_t)) : 0;
    uint32_t to = doc_load32(ends + i * sizeof(uint32_t));
    return (struct str){(const char *)bytes_of(d) + doc_at_scopes(d) + from, to - from};
}

uint32_t doc_attr_count(const struct doc *d)
{
    return d->attr_count;
}

uint32_t doc_attr_term(const struct doc *d, uint32_t i)
{
    return entry_at(d, i).term;
}

enum attr_kind doc_attr_kind(const struct doc *d, uint32_t i)
{
    return bytes_of(d)[entry_at(d, i).offset] & 15;
}

void doc_attr(const struct doc *d, uint32_t i, struct arena *a, struct attr *out)
{
    struct doc_owner owner = owner_of(d);
    struct doc_origin origin = origin_of(d);
    read_attr(bytes_of(d), entry_at(d, i), &owner, &origin, a, out);
}

void doc_attr_alone(const struct doc *d, uint32_t i, struct attr *out)
{
    struct doc_owner owner = owner_of(d);
    struct doc_origin origin = origin_of(d);
    struct doc_entry e = entry_at(d, i);
    (void)doc_read_body(bytes_of(d) + e.offset, e.term, &owner, &origin, out);
}

uint32_t doc_find_attr(const struct doc *d, uint32_t term)
{
    const uint8_t *table = bytes_of(d) + doc_at_attrs(d);
    uint32_t low = 0, high = d->attr_count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (doc_load32(table + mid * sizeof(struct doc_entry)) < term)
            low = mid + 1;
        else
            high = mid;
    }
    return low < d->attr_count && entry_at(d, low).term == term ? low : UINT32_MAX;
}

void doc_attr_value(const struct doc *d, uint32_t i, struct value *out)
{
    doc_read_value(bytes_of(d) + entry_at(d, i).offset, out);
}

void doc_set_seq(struct doc *d, uint64_t seq)
{
    d->seq = seq;
    if (d->created_seq == 0)
        d->created_seq = seq;
}
