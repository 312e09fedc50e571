/* Verifying entity documents from outside, before doc.c trusts them: nothing is
 * followed that has not been found inside the block, and every choice of the
 * writer is made again and compared. Start at doc_layout.h. */
#include "model/doc_layout.h"

#include <math.h>

#define MASK_FAULT "a mask does not fit what follows"

struct checker {
    const uint8_t *base, *end;
    struct doc_origin origin;
    uint32_t term_max;
    int64_t expires_at; /* earliest found */
    const char *fault;  /* what is wrong; NULL while nothing is */
    size_t fault_at;
};

static const uint8_t *fail(struct checker *c, const uint8_t *p, const char *fault)
{
    c->fault = fault;
    c->fault_at = (size_t)(p - c->base);
    return NULL;
}

/* The functions below take a place inside the block and return the one behind what they passed, or
 * NULL. */
static const uint8_t *skip(struct checker *c, const uint8_t *p, size_t n)
{
    return (size_t)(c->end - p) >= n ? p + n : fail(c, p, "a field passes the end");
}

static const uint8_t *skip_length(struct checker *c, const uint8_t *p, uint32_t *n)
{
    const uint8_t *next = skip(c, p, 1);
    if (next && *p == DOC_LENGTH_LONG)
        next = skip(c, p, 5);
    if (!next)
        return NULL;
    const uint8_t *q = p;
    *n = doc_load_length(&q);
    return doc_length_bytes(*n) == (size_t)(q - p)
               ? q
               : fail(c, p, "a length is not in its shortest form");
}

static const uint8_t *skip_text(struct checker *c, const uint8_t *p)
{
    uint32_t n;
    p = skip_length(c, p, &n);
    return p ? skip(c, p, n) : NULL;
}

static bool finite_at(const uint8_t *p, size_t count)
{
    bool finite = true;
    for (size_t i = 0; i < count; i++)
        finite = finite && isfinite(doc_load_double(p + i * sizeof(double)));
    return finite;
}

static const uint8_t *skip_value(struct checker *c, const uint8_t *p, uint32_t kind, bool flag)
{
    const uint8_t *next;
    size_t corners = flag ? 2 : 4;
    switch ((enum value_kind)kind) {
    case VALUE_BOOL:
        return p;
    case VALUE_INT:
        return skip(c, p, 8);
    case VALUE_REAL:
        next = skip(c, p, 8);
        return !next || finite_at(p, 1) ? next : fail(c, p, "a number is not finite");
    case VALUE_STRING:
    case VALUE_JSON:
        return skip_text(c, p);
    case VALUE_GEO:
        next = skip(c, p, corners * sizeof(double));
        if (next && !finite_at(p, corners))
            return fail(c, p, "a coordinate is not finite");
        return next ? skip_text(c, next) : NULL;
    case VALUE_NONE:
    case VALUE_NULL:
        break;
    }
    return fail(c, p, "unknown kind of value");
}

/* What is needed of an instance that is being checked. */
struct checked {
    int64_t created_at, modified_at;
    uint64_t seq;
    struct str dataset;
    uint32_t sub_count;
};

static void note_expiry(struct checker *c, int64_t t)
{
    if (t != TIME_NONE && (c->expires_at == TIME_NONE || t < c->expires_at))
        c->expires_at = t;
}

/* The optional time at p. */
static const uint8_t *skip_time(struct checker *c, const uint8_t *p, int64_t *t)
{
    const uint8_t *next = skip(c, p, 8);
    if (next && (*t = (int64_t)doc_load64(p)) == TIME_NONE)
        return fail(c, p, MASK_FAULT);
    return next;
}

/* What the mask says of optional fields. */
static const uint8_t *check_options(struct checker *c, const uint8_t *p, uint32_t mask,
                                    struct checked *out)
{
    int64_t t;
    out->dataset = STR("");
    out->sub_count = 0;
    if (mask & DOC_DATASET) {
        const uint8_t *at = p;
        p = skip_text(c, p);
        if (!p)
            return NULL;
        uint32_t n = doc_load_length(&at);
        if (!n)
            return fail(c, at, MASK_FAULT);
        out->dataset = (struct str){(const char *)at, n};
    }
    for (uint32_t bit = DOC_UNIT_CODE; p && bit <= DOC_OBJECT_TYPE; bit <<= 1)
        if (mask & bit)
            p = skip_text(c, p);
    if (p && mask & DOC_OBSERVED_AT)
        p = skip_time(c, p, &t);
    if (p && mask & DOC_EXPIRES_AT) {
        p = skip_time(c, p, &t);
        if (p)
            note_expiry(c, t);
    }
    if (p && mask & DOC_SUBS) {
        p = skip_length(c, p, &out->sub_count);
        if (p && !out->sub_count)
            return fail(c, p, MASK_FAULT);
    }
    return p;
}

/* A body but for its sub-attributes: it lies inside the block, and its mask is the one that the
 * writer would have written. Returns where the sub-attributes' table begins, or the end of the
 * body. */
static const uint8_t *check_body(struct checker *c, const uint8_t *p, const struct doc_owner *owner,
                                 struct checked *out)
{
    const uint8_t *head = p;
    p = skip(c, p, DOC_BODY_HEAD);
    if (!p)
        return NULL;
    uint32_t kind = *head & 15u, value = *head >> 4, mask = doc_load16(head + 1);
    if (kind == ATTR_UNKNOWN || kind >= ATTR_KIND_COUNT)
        return fail(c, head, "unknown kind of attribute");
    if (doc_seq_code(mask) > DOC_SEQ_FULL)
        return fail(c, head, "unknown code of a sequence");
    bool flagged = value == VALUE_BOOL || value == VALUE_STRING || value == VALUE_GEO;
    if (mask >> DOC_MASK_BITS || (mask & DOC_FLAG && !flagged))
        return fail(c, head, MASK_FAULT);
    p = skip_value(c, p, value, mask & DOC_FLAG);
    const uint8_t *codes = p;
    if (p)
        p = skip(c, p,
                 doc_time_bytes(doc_created_code(mask)) + doc_time_bytes(doc_modified_code(mask)) +
                     doc_seq_bytes(doc_seq_code(mask)));
    if (!p)
        return NULL;
    out->created_at =
        doc_read_time(&codes, doc_created_code(mask), owner->created_at, owner, &c->origin);
    out->modified_at =
        doc_read_time(&codes, doc_modified_code(mask), out->created_at, owner, &c->origin);
    out->seq = doc_read_seq(&codes, doc_seq_code(mask), owner, &c->origin);
    if (!out->seq || doc_codes(out->created_at, out->modified_at, out->seq, owner, &c->origin) !=
                         (mask & DOC_CODES))
        return fail(c, head, MASK_FAULT);
    if (out->seq > c->origin.seq)
        return fail(c, head, "an attribute is newer than its document");
    return check_options(c, p, mask, out);
}

static const uint8_t *check_attrs(struct checker *c, const uint8_t *table, const uint8_t *bodies,
                                  uint32_t count, const struct doc_owner *owner, uint32_t depth);

static const uint8_t *check_attr(struct checker *c, const uint8_t *p, const struct doc_owner *owner,
                                 uint32_t depth, struct str *dataset)
{
    struct checked a;
    const uint8_t *table = check_body(c, p, owner, &a);
    if (!table)
        return NULL;
    *dataset = a.dataset;
    if (a.sub_count == 0)
        return table;
    const uint8_t *bodies = skip(c, table, sizeof(struct doc_entry) * (size_t)a.sub_count);
    struct doc_owner self = {a.created_at, a.modified_at, a.seq};
    return bodies ? check_attrs(c, table, bodies, a.sub_count, &self, depth + 1) : NULL;
}

/* The table's `count` entries lie inside the block; their bodies follow one another from `bodies`
 * on. */
static const uint8_t *check_attrs(struct checker *c, const uint8_t *table, const uint8_t *bodies,
                                  uint32_t count, const struct doc_owner *owner, uint32_t depth)
{
    if (depth > DOC_DEPTH_MAX)
        return fail(c, table, "sub-attributes are nested too deeply");
    uint32_t last_term = TERM_NONE;
    struct str last_dataset = STR(""), dataset;
    const uint8_t *p = bodies;
    for (uint32_t i = 0; i < count && p; i++) {
        const uint8_t *at = table + i * sizeof(struct doc_entry);
        struct doc_entry entry = doc_load_entry(at);
        if (entry.term == TERM_NONE || entry.term > c->term_max)
            return fail(c, at, "unknown attribute name");
        if (entry.offset != (size_t)(p - c->base))
            return fail(c, at, "an attribute is not where it should be");
        p = check_attr(c, p, owner, depth, &dataset);
        if (p && (entry.term < last_term ||
                  (entry.term == last_term && str_cmp(last_dataset, dataset) >= 0)))
            return fail(c, at, "attributes are not in order");
        last_term = entry.term;
        last_dataset = dataset;
    }
    return p;
}

static const uint8_t *check_types(struct checker *c, const struct doc *d)
{
    const uint8_t *types = c->base + doc_at_types();
    for (uint32_t i = 0; i < d->type_count; i++) {
        uint32_t type = doc_load32(types + i * sizeof type);
        if (type == TERM_NONE || type > c->term_max)
            return fail(c, types + i * sizeof type, "unknown type name");
    }
    return c->base + doc_at_attrs(d);
}

/* Ends never run backwards; returns the end of the last scope's text, where attributes begin. */
static const uint8_t *check_scopes(struct checker *c, const struct doc *d)
{
    const uint8_t *ends = c->base + doc_at_scope_ends(d);
    uint32_t last = 0;
    for (uint32_t i = 0; i < d->scope_count; i++) {
        uint32_t end = doc_load32(ends + i * sizeof end);
        if (end < last)
            return fail(c, ends + i * sizeof end, "scopes are not in order");
        last = end;
    }
    return skip(c, c->base + doc_at_scopes(d), last);
}

static bool check_padding(struct checker *c, const uint8_t *p)
{
    if (c->end - p >= 8)
        return fail(c, p, "bytes behind the last attribute");
    for (; p < c->end; p++)
        if (*p)
            return fail(c, p, "padding is not zero");
    return true;
}

static bool check_header(struct checker *c, const struct doc *d, size_t n)
{
    if (d->magic != DOC_MAGIC || d->version != DOC_VERSION)
        return fail(c, c->base, "no entity document of a known version");
    if (d->bytes != n || n % 8)
        return fail(c, c->base + offsetof(struct doc, bytes), "the length is not the block's");
    if (d->flags & ~DOC_OWN_EXPIRY)
        return fail(c, c->base + offsetof(struct doc, flags), "unknown flags");
    if (d->created_seq == 0)
        return fail(c, c->base + offsetof(struct doc, created_seq), "the sequence is not set");
    if (d->created_seq > d->seq)
        return fail(c, c->base + offsetof(struct doc, seq),
                    "the sequence is before the creating one");
    if (d->id_bytes == 0)
        return fail(c, c->base + offsetof(struct doc, id_bytes), "no id");
    if (doc_at_scopes(d) > n) /* cannot overflow: counts of 32 bits in 64-bit arithmetic */
        return fail(c, c->base + offsetof(struct doc, attr_count), "counts pass the end");
    return true;
}

static bool check_block(struct checker *c, const struct doc *d, size_t n)
{
    if (!check_header(c, d, n) || !check_types(c, d))
        return false;
    int64_t own = TIME_NONE;
    if (d->flags & DOC_OWN_EXPIRY) {
        own = (int64_t)doc_load64(c->base + doc_at_own_expiry(d));
        if (own == TIME_NONE)
            return fail(c, c->base + doc_at_own_expiry(d), "an expiry without a time");
    }
    c->expires_at = own;
    const uint8_t *p = check_scopes(c, d);
    struct doc_owner owner = {d->created_at, d->modified_at, d->seq};
    if (p)
        p = check_attrs(c, c->base + doc_at_attrs(d), p, d->attr_count, &owner, 0);
    if (!p || !check_padding(c, p))
        return false;
    if (c->expires_at != d->expires_at)
        return fail(c, c->base + offsetof(struct doc, expires_at), "the earliest expiry is wrong");
    return true;
}

enum status doc_check(const void *bytes, size_t n, uint32_t term_max, struct why *why)
{
    if (n < sizeof(struct doc))
        return why_set(why, E_DAMAGED, NULL, "an entity document of %zu bytes has no header", n);
    struct doc d;
    memcpy(&d, bytes, sizeof d);
    struct checker c = {
        .base = bytes,
        .end = (const uint8_t *)bytes + n,
        .origin = {d.created_at, d.seq, d.created_seq},
        .term_max = term_max,
    };
    if (check_block(&c, &d, n))
        return OK;
    return why_set(why, E_DAMAGED, NULL, "entity document of %zu bytes, at %zu: %s", n, c.fault_at,
                   c.fault);
}
