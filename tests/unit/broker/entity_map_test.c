/* Entity maps: ids and positions, removal over word borders, bounds, expiry. */
#include "broker/entity_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { IDS = 200 };

static int64_t now;

static int64_t clock_now(struct clock *c)
{
    (void)c;
    return now;
}

static struct clock test_clock = {clock_now};

static struct entity_maps *maps_new(void)
{
    struct entity_map_options o = {.maps_max = 2, .entities_max = IDS, .bytes_max = 64 << 10, .lifetime_us = 1000, .clock = &test_clock};
    now = 5000;
    return entity_maps_new(&o);
}

static struct entity_map *map_of(struct entity_maps *maps, const char *tenant, uint32_t count, struct why *why)
{
    struct entity_map *m = entity_map_new(maps, str_of(tenant), 7);
    char id[32];
    why_clear(why);
    for (uint32_t i = 0; i < count && why->status == OK; i++) {
        snprintf(id, sizeof id, "urn:x:%u", i);
        (void)!entity_map_add(m, str_of(id), why);
    }
    if (why->status == OK && entity_map_publish(m, NULL, why) == OK)
        return m;
    entity_map_release(m);
    return NULL;
}

static void positions(void **state)
{
    struct entity_maps *maps = maps_new();
    struct why why;
    struct entity_map *m = map_of(maps, "t", IDS, &why);
    struct str ids[IDS];
    uint32_t at[IDS], next, seen = 0;
    (void)state;
    assert_non_null(m);
    for (uint32_t i = 0; i < IDS; i++)
        if (i % 3 == 0 || (i >= 60 && i < 140))
            entity_map_remove(m, i);
    for (uint32_t i = 0; i < IDS; i++) {
        if (i % 3 == 0 || (i >= 60 && i < 140))
            continue;
        char id[32];
        snprintf(id, sizeof id, "urn:x:%u", i);
        assert_int_equal(entity_map_seek(m, seen), i);
        assert_int_equal(entity_map_read(m, entity_map_seek(m, seen), 1, ids, at, &next), 1);
        assert_true(str_eq(ids[0], str_of(id)) && at[0] == i && next == i + 1);
        seen++;
    }
    assert_int_equal(entity_map_seek(m, seen), entity_map_end(m));
    assert_int_equal(entity_map_seek(m, UINT64_MAX), entity_map_end(m));
    assert_int_equal(entity_map_read(m, 0, IDS, ids, at, &next), seen);
    assert_int_equal(next, IDS);
    assert_int_equal(entity_map_read(m, next, IDS, ids, at, &next), 0);
    entity_map_release(m);
    entity_maps_free(maps);
}

static void finding(void **state)
{
    struct entity_maps *maps = maps_new();
    struct why why;
    struct entity_map *m = map_of(maps, "t", 1, &why), *same;
    (void)state;
    struct str id = entity_map_id(m);
    assert_int_equal(entity_map_print(m), 7);
    assert_int_equal(entity_map_expires_at(m), 6000);
    assert_null(entity_map_find(maps, STR("other"), id));
    assert_null(entity_map_find(maps, STR("t"), STR("urn:x:none")));
    same = entity_map_find(maps, STR("t"), id);
    assert_ptr_equal(same, m);
    entity_map_release(same);
    entity_map_set_expiry(m, INT64_MAX);
    assert_int_equal(entity_map_expires_at(m), 6000);
    now = 6000;
    assert_null(entity_map_find(maps, STR("t"), id)); /* and who holds it still may read it */
    assert_int_equal(entity_map_end(m), 1);
    entity_map_release(m);
    m = map_of(maps, "t", 1, &why);
    entity_map_delete(m);
    entity_map_delete(m);
    assert_null(entity_map_find(maps, STR("t"), entity_map_id(m)));
    entity_map_release(m);
    m = map_of(maps, "t", 1, &why);
    entity_maps_forget(maps, STR("t"));
    assert_null(entity_map_find(maps, STR("t"), entity_map_id(m)));
    entity_map_release(m);
    entity_maps_free(maps);
}

static void bounds(void **state)
{
    struct entity_maps *maps = maps_new();
    struct why why;
    (void)state;
    assert_null(map_of(maps, "", IDS + 1, &why));
    assert_int_equal(why.status, E_TOO_MANY_RESULTS);
    assert_string_equal(why.limit, "limits.entity_map_entities");
    struct entity_map *a = map_of(maps, "", 1, &why), *b = map_of(maps, "", 1, &why);
    assert_null(map_of(maps, "", 1, &why));
    assert_int_equal(why.status, E_TOO_MANY_REQUESTS);
    assert_string_equal(why.limit, "limits.entity_maps");
    now = 6000; /* both have expired */
    struct entity_map *c = map_of(maps, "", 1, &why);
    assert_non_null(c);
    entity_map_release(a);
    entity_map_release(b);
    entity_map_release(c);
    static char big[70 << 10];
    struct entity_map *d = entity_map_new(maps, STR(""), 0);
    memset(big, 'x', sizeof big);
    why_clear(&why);
    assert_int_equal(entity_map_add(d, (struct str){big, sizeof big}, &why), E_TOO_MANY_REQUESTS);
    assert_string_equal(why.limit, "limits.entity_map_bytes");
    entity_map_release(d);
    for (int i = 0; i < 100; i++) { /* what a map took is given back */
        d = entity_map_new(maps, STR(""), 0);
        assert_int_equal(entity_map_add(d, (struct str){big, 20 << 10}, &why), OK);
        entity_map_release(d);
    }
    entity_maps_free(maps);
}

static void wishes(void **state)
{
    struct entity_maps *maps = maps_new();
    struct why why;
    struct duration shorter = {.us = 10}, longer = {.months = 1};
    struct entity_map *a = entity_map_new(maps, STR(""), 0), *b = entity_map_new(maps, STR(""), 0);
    (void)state;
    why_clear(&why);
    assert_int_equal(entity_map_publish(a, &shorter, &why), OK);
    assert_int_equal(entity_map_publish(b, &longer, &why), OK);
    assert_int_equal(entity_map_expires_at(a), 5010);
    assert_int_equal(entity_map_expires_at(b), 6000);
    assert_false(str_eq(entity_map_id(a), entity_map_id(b)));
    entity_map_release(a);
    entity_map_release(b);
    entity_maps_free(maps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions),
        cmocka_unit_test(finding),
        cmocka_unit_test(bounds),
        cmocka_unit_test(wishes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
