/* Nanoseconds of what every update pays for the entity document: decoding, editing
 * and encoding a 5-attribute vehicle (some 700 bytes as normalized JSON), on one
 * core. Prints the median, least and most of five runs. */
#include "base/time.h"
#include "model/doc.h"
#include "model/edit.h"

#include <stdio.h>
#include <stdlib.h>

enum { RUNS = 5, ROUNDS = 400000, WARM_UP = 50000 };
#define T0 1700000000000000

struct bench {
    struct arena *arena;
    struct doc *doc, *next;
    struct entity tree;
    struct edit update, merge;
    int64_t number; /* changes with every round */
    size_t sink;
};

static struct attr attr_of(uint32_t term, enum attr_kind kind, struct value value)
{
    return (struct attr){
        .term = term,
        .kind = (uint8_t)kind,
        .dataset = STR(""),
        .value = value,
        .observed_at = TIME_NONE,
        .expires_at = TIME_NONE,
    };
}

static struct value text_of(struct str text)
{
    return (struct value){.kind = VALUE_STRING, .plain = true, .text = text};
}

static void make_vehicle(struct bench *b)
{
    static const char POINT[] = "{\"type\":\"Point\",\"coordinates\":[117.0009,36.6758]}";
    static const char ADDRESS[] =
        "{\"addressLocality\":\"Jinan\",\"streetAddress\":\"Quancheng Rd 1\"}";
    static uint32_t type = 9;
    static struct attr attrs[5];
    attrs[0] = attr_of(1, ATTR_PROPERTY, (struct value){.kind = VALUE_INT, .integer = 61});
    attrs[0].unit_code = STR("KMH");
    attrs[0].observed_at = T0 - 1000;
    attrs[1] = attr_of(2, ATTR_GEO_PROPERTY,
                       (struct value){.kind = VALUE_GEO,
                                      .point = true,
                                      .box = {117.0009, 36.6758, 117.0009, 36.6758},
                                      .text = STR(POINT)});
    attrs[2] = attr_of(3, ATTR_RELATIONSHIP, text_of(STR("urn:ngsi-ld:RoadSegment:jinan-12345")));
    attrs[3] = attr_of(4, ATTR_PROPERTY, (struct value){.kind = VALUE_JSON, .text = STR(ADDRESS)});
    attrs[4] = attr_of(5, ATTR_PROPERTY, (struct value){.kind = VALUE_REAL, .real = 88.25});
    attrs[4].observed_at = T0 - 2000;
    static struct entity whole;
    whole = (struct entity){.type_count = 1, .types = &type, .expires_at = TIME_NONE};
    whole.attr_count = 5;
    whole.attrs = attrs;
    struct edit create = {.kind = EDIT_CREATE, .id = STR("urn:ngsi-ld:Vehicle:jinan-bus-4711")};
    create.fragment = &whole;
    struct edit_result result;
    struct entity out;
    edit_apply(&create, NULL, T0, b->arena, &out, &result);
    b->doc = mem_alloc(doc_size(&out));
    b->next = mem_alloc(4096);
    doc_encode(&out, b->doc);
    doc_set_seq(b->doc, 1000);
}

static void make_edits(struct bench *b)
{
    static struct attr attrs[2];
    static struct entity fragments[2];
    for (int i = 0; i < 2; i++) {
        attrs[i] = attr_of(1, ATTR_PROPERTY, (struct value){.kind = VALUE_INT});
        attrs[i].observed_at = T0 + 1000;
        fragments[i] =
            (struct entity){.expires_at = TIME_NONE, .attr_count = 1, .attrs = &attrs[i]};
    }
    b->update = (struct edit){.kind = EDIT_UPDATE, .id = doc_id(b->doc), .fragment = &fragments[0]};
    b->merge = (struct edit){.kind = EDIT_MERGE, .id = doc_id(b->doc), .fragment = &fragments[1]};
}

static void run_decode(struct bench *b)
{
    doc_decode(b->doc, b->arena, &b->tree);
    b->sink += b->tree.attr_count;
    arena_reset(b->arena);
}

static void run_size(struct bench *b)
{
    b->sink += doc_size(&b->tree);
}

static void run_encode(struct bench *b)
{
    doc_encode(&b->tree, b->next);
    b->sink += doc_bytes(b->next);
}

static void run_check(struct bench *b)
{
    b->sink += doc_check(b->doc, doc_bytes(b->doc), 10, NULL);
}

static void run_find_value(struct bench *b)
{
    struct value v;
    doc_attr_value(b->doc, doc_find_attr(b->doc, 5), &v);
    b->sink += v.kind;
}

/* What a store does for one update: decode, edit, size, encode. */
static void change(struct bench *b, const struct edit *e)
{
    struct entity old, out;
    struct edit_result result;
    e->fragment->attrs[0].value.integer = b->number++;
    doc_decode(b->doc, b->arena, &old);
    edit_apply(e, &old, T0 + b->number, b->arena, &out, &result);
    if (doc_size(&out) > 4096)
        abort();
    doc_encode(&out, b->next);
    doc_set_seq(b->next, 1001);
    b->sink += result.changed;
    arena_reset(b->arena);
}

static void run_update(struct bench *b)
{
    change(b, &b->update);
}

static void run_merge(struct bench *b)
{
    change(b, &b->merge);
}

static int by_size(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

static void measure(struct bench *b, const char *name, void (*run)(struct bench *b))
{
    double ns[RUNS];
    for (int i = 0; i < WARM_UP; i++)
        run(b);
    for (int r = 0; r < RUNS; r++) {
        int64_t from = time_monotonic();
        for (int i = 0; i < ROUNDS; i++)
            run(b);
        ns[r] = (double)(time_monotonic() - from) * 1000 / ROUNDS;
    }
    qsort(ns, RUNS, sizeof *ns, by_size);
    printf("%-32s %7.0f ns  (%.0f … %.0f)\n", name, ns[RUNS / 2], ns[0], ns[RUNS - 1]);
}

int main(void)
{
    struct bench b = {.arena = arena_new(0)};
    make_vehicle(&b);
    struct doc *copy = mem_alloc(doc_bytes(b.doc));
    memcpy(copy, b.doc, doc_bytes(b.doc));
    free(b.doc);
    b.doc = copy;
    make_edits(&b);
    printf("document of 5 attributes: %zu bytes\n", doc_bytes(b.doc));
    measure(&b, "decode", run_decode);
    struct arena *kept = arena_new(0);
    doc_decode(b.doc, kept, &b.tree);
    measure(&b, "size", run_size);
    measure(&b, "encode", run_encode);
    measure(&b, "check", run_check);
    measure(&b, "find and read one value", run_find_value);
    measure(&b, "update one number, all of it", run_update);
    measure(&b, "merge one number, all of it", run_merge);
    fprintf(stderr, "(%zu)\n", b.sink);
    free(b.doc);
    free(b.next);
    arena_free(kept);
    arena_free(b.arena);
    return 0;
}
