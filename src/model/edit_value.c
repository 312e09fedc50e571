/* Values in edits: merging JSON by RFC 7396, with the NGSI-LD Null of clause 4.5.0
 * as its null, and what the kind of an existing attribute makes of a value that
 * came without one (clause 5.6.17). */
#include "model/edit_int.h"

#include "base/json.h"
#include "model/reader.h"

#include <assert.h>
#include <stdlib.h>

static const struct str NGSILD_NULL = {"urn:ngsi-ld:null", sizeof "urn:ngsi-ld:null" - 1};

/* Values came through a reader with limits of its own; few are nested deeper than the first of
 * these. */
static const uint32_t DEPTHS[] = {64, 1u << 16};

/* NULL, and the edit refused, when text is not what a store should hold. */
static struct json *parse(struct edit_run *r, struct str text)
{
    struct json *v = arena_alloc(r->arena, sizeof *v);
    enum status st = E_LIMIT;
    for (size_t i = 0; st == E_LIMIT && i < sizeof DEPTHS / sizeof *DEPTHS; i++) {
        struct json_limits limits = {.depth_max = DEPTHS[i], .bytes_max = SIZE_MAX};
        st = json_read(r->arena, text, &limits, v, NULL);
    }
    if (st == OK)
        return v;
    edit_refuse(r, st == E_BUSY ? E_BUSY : E_DAMAGED,
                "a value of entity %.*s cannot be read as JSON", STR_ARG(r->edit->id));
    return NULL;
}

/* ---- RFC 7396 ---- */

/* Keys of a patch in order, so that merging is not quadratic. */
struct slot {
    const struct json_member *member;
    uint32_t at; /* its place: of equal keys the last one counts */
    bool used;
};

static int slot_order(const void *a, const void *b)
{
    const struct slot *x = a, *y = b;
    int c = str_cmp(x->member->key, y->member->key);
    return c ? c : (x->at > y->at) - (x->at < y->at);
}

/* Sorted, without the members that a later one of the same key replaces; *n: how many are left. */
static struct slot *slots_of(struct edit_run *r, const struct json *patch, uint32_t *n)
{
    struct slot *slots = arena_array(r->arena, struct slot, patch->n);
    for (uint32_t i = 0; i < patch->n; i++)
        slots[i] = (struct slot){&patch->members[i], i, false};
    qsort(slots, patch->n, sizeof *slots, slot_order);
    *n = 0;
    for (uint32_t i = 0; i < patch->n; i++)
        if (i + 1 == patch->n || !str_eq(slots[i].member->key, slots[i + 1].member->key))
            slots[(*n)++] = slots[i];
    return slots;
}

static struct slot *slot_find(struct slot *slots, uint32_t n, struct str key)
{
    uint32_t low = 0, high = n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int c = str_cmp(slots[mid].member->key, key);
        if (c == 0)
            return &slots[mid];
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

static bool removes(const struct json *v)
{
    return json_is_string(v, NGSILD_NULL);
}

/* MergePatch(target, patch) of RFC 7396 section 2; target may be NULL. As deep as the patch. New
 * members follow in the order of their keys: a merge of equal meaning has equal bytes. */
static struct json merge_patch(struct edit_run *r, const struct json *target,
                               const struct json *patch)
{
    if (patch->kind != JSON_OBJECT)
        return *patch;
    uint32_t slot_count, had = json_is(target, JSON_OBJECT) ? target->n : 0;
    struct slot *slots = slots_of(r, patch, &slot_count);
    struct json out = {.kind = JSON_OBJECT};
    out.members = arena_array(r->arena, struct json_member, had + slot_count);
    for (uint32_t i = 0; i < had; i++) {
        const struct json_member *m = &target->members[i];
        struct slot *slot = slot_find(slots, slot_count, m->key);
        if (!slot) {
            out.members[out.n++] = *m;
            continue;
        }
        slot->used = true;
        if (!removes(&slot->member->value))
            out.members[out.n++] =
                (struct json_member){m->key, merge_patch(r, &m->value, &slot->member->value)};
    }
    for (uint32_t i = 0; i < slot_count; i++) {
        const struct json_member *m = slots[i].member;
        if (!slots[i].used && !removes(&m->value))
            out.members[out.n++] = (struct json_member){m->key, merge_patch(r, NULL, &m->value)};
    }
    return out;
}

static bool is_object(const struct value *v)
{
    return v && v->kind == VALUE_JSON && v->text.n && v->text.p[0] == '{';
}

bool edit_value_merge(struct edit_run *r, const struct value *old, const struct value *patch,
                      struct value *out)
{
    bool into = is_object(old);
    struct value merged = *patch;
    if (is_object(patch) && (into || str_find(patch->text, NGSILD_NULL) != STR_NPOS)) {
        const struct json *target = into ? parse(r, old->text) : NULL;
        const struct json *changes = parse(r, patch->text);
        if (!changes || (into && !target))
            return false;
        struct json tree = merge_patch(r, target, changes);
        merged.text = json_text(r->arena, &tree);
    }
    *out = merged;
    return true;
}

/* ---- adopting a kind ---- */

static bool is_array(const struct value *v)
{
    return v->kind == VALUE_JSON && v->text.n && v->text.p[0] == '[';
}

/* An array whose members are all URIs. */
static bool is_uris(struct edit_run *r, const struct value *v)
{
    const struct json *array = is_array(v) ? parse(r, v->text) : NULL;
    if (!array)
        return false;
    for (uint32_t i = 0; i < array->n; i++)
        if (array->items[i].kind != JSON_STRING || !reader_is_uri(array->items[i].string))
            return false;
    return array->n > 0;
}

/* {lang: value} for a string or an array of strings. */
static bool language_of(struct edit_run *r, const struct attr *f, struct value *out)
{
    struct json text = {.kind = JSON_STRING, .string = f->value.text};
    if (is_array(&f->value)) {
        const struct json *array = parse(r, f->value.text);
        for (uint32_t i = 0; array && i < array->n; i++)
            if (array->items[i].kind != JSON_STRING)
                return false;
        if (!array)
            return false;
        text = *array;
    } else if (f->value.kind != VALUE_STRING) {
        return false;
    }
    struct json_member member = {f->lang, text};
    struct json map = {.kind = JSON_OBJECT, .n = 1, .members = &member};
    *out = (struct value){.kind = VALUE_JSON, .text = json_text(r->arena, &map)};
    return true;
}

/* NULL when the value, as it stands in *out, is one of that kind; else what that kind takes. */
static const char *misfit(struct edit_run *r, const struct attr *f, enum attr_kind kind,
                          struct value *out)
{
    switch (kind) {
    case ATTR_RELATIONSHIP:
        if (out->kind == VALUE_STRING ? reader_is_uri(out->text) : is_uris(r, out))
            return NULL;
        return "a URI or an array of URIs";
    case ATTR_GEO_PROPERTY:
        return out->kind == VALUE_GEO ? NULL : "a GeoJSON geometry";
    case ATTR_LANGUAGE_PROPERTY:
        if (str_absent(f->lang))
            return "a languageMap, or a string where a language is given with it";
        return language_of(r, f, out) ? NULL : "a string or an array of strings";
    case ATTR_VOCAB_PROPERTY:
        return "vocab";
    case ATTR_LIST_PROPERTY:
        return is_array(out) ? NULL : "an array";
    case ATTR_LIST_RELATIONSHIP:
        return is_uris(r, out) ? NULL : "an array of URIs";
    case ATTR_JSON_PROPERTY:
        if (out->kind == VALUE_GEO)
            *out = (struct value){.kind = VALUE_JSON, .text = f->value.text};
        return is_object(out) || is_array(out) ? NULL : "a JSON object or array";
    case ATTR_PROPERTY:
        if (out->kind == VALUE_GEO)
            *out = (struct value){.kind = VALUE_JSON, .text = f->value.text};
        return NULL;
    case ATTR_UNKNOWN:
    case ATTR_KIND_COUNT:
        break;
    }
    assert(!"stored attributes have a kind");
    return NULL;
}

bool edit_value_adopt(struct edit_run *r, const struct attr *fragment, enum attr_kind kind,
                      struct value *out)
{
    *out = fragment->value;
    if (fragment->kind == kind)
        return true;
    const char *wanted = misfit(r, fragment, kind, out);
    if (r->result->status != OK)
        return false;
    return !wanted || edit_refuse(r, E_BAD_DATA, "%s is a %s: its value is %s",
                                  edit_name(r, fragment->term, fragment->dataset),
                                  attr_kind_name(kind), wanted);
}
