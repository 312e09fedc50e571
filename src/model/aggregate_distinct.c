/* Which values each bucket had: an open hash table over all buckets. Objects are the same whatever the order of their
 * members (clause 4.5.19.1 counts values, not texts): a text that is new is compared again with its members sorted. */
#include "model/aggregate_int.h"

#include "base/hash.h"
#include "base/json_scan.h"

#include <stdlib.h>

enum tag { TAG_FREE, TAG_NUMBER, TAG_BOOLEAN, TAG_TEXT, TAG_JSON, TAG_SORTED };

struct seen {
    uint64_t hash;
    uint32_t bucket;
    uint32_t tag;   /* enum tag; values of different tags differ */
    struct str key; /* of a number and a Boolean: absent, and n its bits */
};

struct distinct {
    uint32_t count, room; /* room is a power of two */
    struct seen *slots;
};

static bool same(const struct seen *a, const struct seen *b)
{
    if (a->hash != b->hash || a->bucket != b->bucket || a->tag != b->tag)
        return false;
    return a->tag <= TAG_BOOLEAN ? a->key.n == b->key.n : str_eq(a->key, b->key);
}

static struct seen *find(const struct distinct *d, const struct seen *s)
{
    uint32_t i = (uint32_t)s->hash & (d->room - 1);
    while (d->slots[i].tag != TAG_FREE && !same(&d->slots[i], s))
        i = (i + 1) & (d->room - 1);
    return &d->slots[i];
}

static void grow(struct distinct *d, struct arena *a)
{
    struct distinct larger = {.count = d->count, .room = d->room ? d->room * 2 : 64};
    larger.slots = arena_zarray(a, struct seen, larger.room);
    for (uint32_t i = 0; i < d->room; i++)
        if (d->slots[i].tag != TAG_FREE)
            *find(&larger, &d->slots[i]) = d->slots[i];
    *d = larger;
}

/* Was it not there? borrowed: the key is copied when it stays. */
static bool add(struct distinct **set, struct seen s, bool borrowed, struct arena *a)
{
    if (!*set)
        *set = arena_zalloc(a, sizeof **set);
    struct distinct *d = *set;
    if (d->count * 2 >= d->room)
        grow(d, a);
    uint64_t key = s.tag <= TAG_BOOLEAN ? hash_u64(s.key.n) : hash_str(s.key);
    s.hash = hash_u64(key ^ ((uint64_t)s.bucket << 8 | s.tag));
    struct seen *slot = find(d, &s);
    if (slot->tag != TAG_FREE)
        return false;
    *slot = s;
    if (borrowed)
        slot->key = arena_dup(a, s.key);
    d->count++;
    return true;
}

uint32_t distinct_count(const struct distinct *set)
{
    return set ? set->count : 0;
}

uint64_t distinct_add_number(struct distinct **set, uint32_t bucket, double number, struct arena *a)
{
    struct seen s = {.bucket = bucket, .tag = TAG_NUMBER};
    uint64_t bits;
    number += 0.0; /* of -0 and 0 makes one */
    memcpy(&bits, &number, sizeof bits);
    s.key.n = (size_t)bits;
    return add(set, s, false, a);
}

static int by_key(const void *a, const void *b)
{
    const struct json_member *x = a, *y = b;
    return str_cmp(x->key, y->key);
}

static void sort_members(struct json *v)
{
    if (v->kind == JSON_ARRAY)
        for (uint32_t i = 0; i < v->n; i++)
            sort_members(&v->items[i]);
    if (v->kind == JSON_OBJECT) {
        qsort(v->members, v->n, sizeof *v->members, by_key);
        for (uint32_t i = 0; i < v->n; i++)
            sort_members(&v->members[i].value);
    }
}

static bool add_json(struct distinct **set, uint32_t bucket, struct str text, struct arena *a)
{
    const struct json_limits limits = {.depth_max = 1024, .bytes_max = SIZE_MAX};
    struct json v;
    if (!add(set, (struct seen){.bucket = bucket, .tag = TAG_JSON, .key = text}, true, a))
        return false;
    if (json_read(a, text, &limits, &v, NULL) != OK)
        return true;
    sort_members(&v);
    struct seen s = {.bucket = bucket, .tag = TAG_SORTED, .key = json_text(a, &v)};
    return add(set, s, false, a);
}

/* The targets of a Relationship count one by one. */
static uint64_t add_targets(struct distinct **set, uint32_t bucket, const struct item *item, struct arena *a)
{
    uint64_t added = 0;
    struct str rest = json_scan_inside(item->text), target;
    if (item->single)
        return add(set, (struct seen){.bucket = bucket, .tag = TAG_TEXT, .key = item->text}, true, a);
    while (json_scan_element(&rest, &target)) {
        struct seen s = {.bucket = bucket, .tag = TAG_TEXT, .key = json_scan_string(target, a)};
        added += add(set, s, true, a);
    }
    return added;
}

uint64_t distinct_add(struct distinct **set, uint32_t bucket, const struct item *item, struct arena *a)
{
    switch ((enum class)item->class) {
    case CLASS_NUMBER:
        return distinct_add_number(set, bucket, item->number, a);
    case CLASS_BOOLEAN:
        return add(set, (struct seen){.bucket = bucket, .tag = TAG_BOOLEAN, .key.n = item->number != 0}, false, a);
    case CLASS_RELATIONSHIP:
        return add_targets(set, bucket, item, a);
    case CLASS_ARRAY:
    case CLASS_OTHER:
        return add_json(set, bucket, item->text, a);
    default:
        return add(set, (struct seen){.bucket = bucket, .tag = TAG_TEXT, .key = item->text}, true, a);
    }
}
