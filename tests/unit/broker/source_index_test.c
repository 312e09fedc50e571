/* What the index finds: all that match, and not those about something else. */
#include "broker/source_watch_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t random_state = 42;

static uint32_t below(uint32_t n)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % n;
}

static struct str named(struct arena *a, const char *what, uint32_t n)
{
    return arena_printf(a, "urn:%s:%u", what, n);
}

static struct watcher *watcher_new(struct source_tenant *t, struct arena *a, const char *id)
{
    struct watcher *x = arena_zarray(a, struct watcher, 1);
    x->tenant = t;
    x->id = arena_dup(a, str_of(id));
    named_add(&t->watchers, &x->named, x->id);
    return x;
}

static struct type_expr *type_of(struct arena *a, uint32_t any, uint32_t all, uint32_t first)
{
    struct type_expr *e = arena_zarray(a, struct type_expr, 1);
    e->count = any;
    e->any = arena_zarray(a, struct type_all, any);
    for (uint32_t i = 0; i < any; i++) {
        e->any[i].count = all;
        e->any[i].types = arena_zarray(a, struct name, all);
        for (uint32_t k = 0; k < all; k++)
            e->any[i].types[k].iri = named(a, "type", first + i + 2 * k);
    }
    return e;
}

static void end(struct source_tenant *t)
{
    for (struct named *n = named_first(&t->watchers), *next; n; n = next) {
        next = named_next(&t->watchers, n);
        source_index_remove(container_of(n, struct watcher, named));
        named_remove(&t->watchers, n);
    }
    named_free(&t->watchers);
    watch_table_free(t->index);
}

static struct registration *registration_new(struct arena *a, uint32_t infos)
{
    struct registration *r = arena_zarray(a, struct registration, 1);
    r->infos = arena_zarray(a, struct registration_info, infos);
    r->info_count = infos;
    return r;
}

/* Ten thousand, half of them by type, half by id: a registration concerns one of each. */
static void those_about_something_else_cost_nothing(void **state)
{
    (void)state;
    enum { WATCHERS = 10000 };
    struct arena *a = arena_new(0);
    struct source_tenant t = {0};
    for (uint32_t i = 0; i < WATCHERS; i++) {
        char id[32];
        snprintf(id, sizeof id, "urn:watcher:%u", i);
        struct watcher *x = watcher_new(&t, a, id);
        struct entity_selector *s = arena_zarray(a, struct entity_selector, 1);
        struct str *entity = arena_zarray(a, struct str, 1);
        *entity = named(a, "entity", i);
        s->type = type_of(a, 1, 1, i % 2 ? 0 : i);
        s->ids = entity;
        s->id_count = i % 2;
        x->query.selectors = s;
        x->query.selector_count = 1;
        source_index_add(x);
    }
    struct entity_info e = {.types = (struct str[]){named(a, "type", 4000)}, .type_count = 1, .id = named(a, "entity", 4001)};
    struct registration *r = registration_new(a, 1);
    r->infos[0] = (struct registration_info){.entities = &e, .entity_count = 1};
    assert_int_equal(source_index_find(&t, NULL, r, a).count, 2);
    e.types[0] = named(a, "type", 0); /* half of all ask for this type, but by their ids */
    assert_int_equal(source_index_find(&t, r, r, a).count, 2);
    e.id = STR_NONE;
    assert_int_equal(source_index_find(&t, r, NULL, a).count, WATCHERS / 2 + 1);
    end(&t);
    assert_int_equal(source_index_find(&(struct source_tenant){0}, r, NULL, a).count, 0);
    arena_free(a);
}

static void random_watcher(struct source_tenant *t, struct arena *a, uint32_t number)
{
    char id[32];
    snprintf(id, sizeof id, "urn:watcher:%u", number);
    struct watcher *x = watcher_new(t, a, id);
    struct registration_query *q = &x->query;
    struct entity_selector *s = arena_zarray(a, struct entity_selector, 2);
    q->selectors = s;
    q->selector_count = below(3);
    for (uint32_t i = 0; i < q->selector_count; i++) {
        if (below(4))
            s[i].type = type_of(a, 1 + below(2), 1 + below(2), below(6));
        s[i].id_count = below(3);
        s[i].ids = arena_zarray(a, struct str, 2);
        for (uint32_t k = 0; k < s[i].id_count; k++)
            s[i].ids[k] = named(a, "entity", below(5));
    }
    for (uint32_t n = below(3); n; n--)
        registration_query_name(q, named(a, "name", below(5)), a);
    source_index_add(x);
}

static struct registration *random_registration(struct arena *a)
{
    struct registration *r = registration_new(a, 1 + below(2));
    for (uint32_t i = 0; i < r->info_count; i++) {
        struct registration_info *info = &r->infos[i];
        info->entity_count = below(3);
        info->entities = arena_zarray(a, struct entity_info, 2);
        for (uint32_t k = 0; k < info->entity_count; k++) {
            struct entity_info *e = &info->entities[k];
            e->type_count = 1 + below(3);
            e->types = arena_zarray(a, struct str, 3);
            for (uint32_t m = 0; m < e->type_count; m++)
                e->types[m] = named(a, "type", below(8));
            e->id = below(2) ? named(a, "entity", below(5)) : STR_NONE;
        }
        info->name_count = below(3);
        info->names = arena_zarray(a, struct str, 2);
        for (uint32_t k = 0; k < info->name_count; k++)
            info->names[k] = named(a, "name", below(5));
    }
    return r;
}

static bool is_found(struct source_found f, const struct watcher *x)
{
    uint32_t times = 0;
    for (uint32_t i = 0; i < f.count; i++)
        times += f.watchers[i] == x;
    assert_in_range(times, 0, 1);
    return times;
}

static void all_that_match_are_found(void **state)
{
    (void)state;
    enum { WATCHERS = 120, REGISTRATIONS = 600 };
    struct arena *a = arena_new(0);
    struct source_tenant t = {0};
    uint32_t matching = 0, found = 0;
    for (uint32_t i = 0; i < WATCHERS; i++)
        random_watcher(&t, a, i);
    for (uint32_t i = 0; i < REGISTRATIONS; i++) {
        struct registration *r = random_registration(a);
        struct source_found f = source_index_find(&t, i % 2 ? r : NULL, i % 2 ? NULL : r, a);
        bool infos[2];
        found += f.count;
        for (struct named *n = named_first(&t.watchers); n; n = named_next(&t.watchers, n)) {
            struct watcher *x = container_of(n, struct watcher, named);
            bool matches = registration_matches(r, &x->query, infos, a);
            assert_true(is_found(f, x) || !matches);
            matching += matches;
        }
        if (i % 5 == 4) { /* and some come and go */
            struct watcher *x = container_of(named_first(&t.watchers), struct watcher, named);
            source_index_remove(x);
            named_remove(&t.watchers, &x->named);
            random_watcher(&t, a, WATCHERS + i);
        }
    }
    assert_true(matching > REGISTRATIONS && found < WATCHERS * REGISTRATIONS);
    end(&t);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_about_something_else_cost_nothing),
        cmocka_unit_test(all_that_match_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
