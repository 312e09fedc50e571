/* See recorder.h. */
#include "recorder.h"

struct record_result recorder_edit(struct fixture *f, const struct record_edit *edit)
{
    struct record_result result = {0};
    struct store_record r = {.caller = &f->caller,
                             .edits = edit,
                             .count = 1,
                             .results = &result,
                             .arena = f->arena,
                             .create_tenant = true,
                             .now_us = f->now_us += 1000};
    enum status st = fixture_record(f, &r);
    if (st != OK) {
        result.status = st;
        result.why = arena_alloc(f->arena, sizeof *result.why);
        *result.why = r.call.why;
    }
    return result;
}

/* n instances of "value", observed at times that are their values. */
struct evolution *recorder_evolution(struct fixture *f, const char *id, int64_t from, uint32_t n)
{
    struct evolution *e = arena_zalloc(f->arena, sizeof *e);
    *e = (struct evolution){.id = str_of(id), .type_count = 1, .types = arena_alloc(f->arena, sizeof *e->types), .count = 1};
    e->created_at = e->modified_at = e->deleted_at = e->expires_at = TIME_NONE;
    e->types[0] = fixture_term(f, "T");
    e->series = arena_zalloc(f->arena, sizeof *e->series);
    *e->series = (struct series){.term = fixture_term(f, "value"), .dataset = STR(""), .count = n};
    e->series->points = arena_array(f->arena, struct point, n);
    for (uint32_t i = 0; i < n; i++)
        e->series->points[i] = (struct point){.attr = {.term = e->series->term,
                                                       .kind = ATTR_PROPERTY,
                                                       .dataset = STR(""),
                                                       .value = {.kind = VALUE_INT, .integer = from + i},
                                                       .observed_at = from + i,
                                                       .expires_at = TIME_NONE,
                                                       .created_at = TIME_NONE,
                                                       .modified_at = TIME_NONE},
                                              .deleted_at = TIME_NONE};
    return e;
}

struct record_result recorder_put(struct fixture *f, const char *id, int64_t from, uint32_t n)
{
    struct record_edit edit = {.kind = RECORD_EDIT_UPSERT, .id = str_of(id), .fragment = recorder_evolution(f, id, from, n)};
    struct record_result r = recorder_edit(f, &edit);
    if (r.status != OK)
        fail_msg("%s", r.why->text);
    return r;
}

const struct series *recorder_series(struct fixture *f, const char *id)
{
    static const struct temporal_query ALWAYS = {.from_us = INT64_MIN, .to_us = INT64_MAX};
    struct store_evolve v = {.id = str_of(id), .time = &ALWAYS, .points_max = 100000};
    enum status st = fixture_evolve(f, &v);
    return st == OK && v.evolutions[0].count ? &v.evolutions[0].series[0] : NULL;
}

/* Values from `from` on, n of them, one by one. */
void recorder_assert_range(struct fixture *f, const char *id, int64_t from, uint32_t n)
{
    const struct series *s = recorder_series(f, id);
    assert_non_null(s);
    assert_int_equal(s->count, n);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(s->points[i].attr.value.integer, from + i);
        assert_true(s->points[i].attr.observed_at == from + i);
    }
}

struct record_edit recorder_of_instance(struct fixture *f, uint8_t kind, const char *id, const struct point *p)
{
    struct record_edit edit = {.kind = kind,
                               .id = str_of(id),
                               .term = p->attr.term,
                               .instance_seq = p->attr.seq,
                               .instance_index = p->index};
    char text[INSTANCE_ID_MAX];
    size_t n = instance_id_write(edit.id, terms_iri(f->terms, edit.term), STR(""), edit.instance_seq, edit.instance_index, text);
    edit.instance_id = arena_dup(f->arena, (struct str){text, n});
    return edit;
}
