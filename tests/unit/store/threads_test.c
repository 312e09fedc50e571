/* Writers, readers and queries on several threads over the same entities, folds and renumbering
 * among them. Each entity's two attributes are always set together and only grow; nobody may see
 * otherwise. */
#include "fixture.h"

#include "base/time.h"
#include "store/embedded/embedded_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENTITIES = 64, WRITERS = 2, READERS = 2, ROUNDS = 400 };

static char dir[256];
static struct store *store;
static struct terms *terms;
static uint32_t type, left, right;
static _Atomic bool stop;
static _Atomic uint64_t counter;

/* Assertions of cmocka belong to its own thread. */
static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static struct attr number(uint32_t term, int64_t v)
{
    return (struct attr){.term = term,
                         .kind = ATTR_PROPERTY,
                         .dataset = STR(""),
                         .value = {.kind = VALUE_INT, .integer = v},
                         .observed_at = TIME_NONE,
                         .expires_at = TIME_NONE,
                         .created_at = TIME_NONE,
                         .modified_at = TIME_NONE};
}

static struct edit upsert(struct arena *a, uint32_t i, int64_t v)
{
    struct entity *e = arena_zalloc(a, sizeof *e);
    e->id = arena_printf(a, "urn:e:%u", i);
    e->type_count = 1;
    e->types = arena_array(a, uint32_t, 1);
    e->types[0] = type;
    e->created_at = e->modified_at = e->expires_at = TIME_NONE;
    e->attr_count = 2;
    e->attrs = arena_array(a, struct attr, 2);
    e->attrs[0] = number(left, v);
    e->attrs[1] = number(right, v);
    return (struct edit){.kind = EDIT_UPSERT_REPLACE, .id = e->id, .fragment = e};
}

static int64_t value_of(const struct doc *d)
{
    struct value a, b;
    doc_attr_value(d, doc_find_attr(d, left), &a);
    doc_attr_value(d, doc_find_attr(d, right), &b);
    must(a.integer == b.integer, "half a change was seen");
    return a.integer;
}

struct flag {
    struct store_apply apply;
    bool done;
};

static void set(struct store_call *call)
{
    container_of(call, struct flag, apply.call)->done = true;
}

static void *write_entities(void *arg)
{
    uint64_t seed = (uintptr_t)arg * 2654435761u + 1;
    struct waiter waiter;
    waiter_init(&waiter);
    struct arena *a = arena_new(0);
    struct caller caller = {.tenant = STR("")};
    store_thread_enter(store);
    for (int round = 0; round < ROUNDS; round++) {
        enum { BATCH = 5 };
        struct edit edits[BATCH];
        struct edit_result results[BATCH];
        uint32_t who[BATCH];
        int64_t values[BATCH];
        arena_reset(a);
        for (int k = 0; k < BATCH; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            who[k] = (uint32_t)(seed >> 40) % ENTITIES;
            values[k] = (int64_t)++counter;
            edits[k] = upsert(a, who[k], values[k]);
            if (round % 7 == 3 && k == 0)
                edits[k] = (struct edit){.kind = EDIT_DELETE, .id = edits[k].id};
        }
        struct flag f = {.apply = {.call = {.home = &waiter.runner, .done = set},
                                   .caller = &caller,
                                   .edits = edits,
                                   .count = BATCH,
                                   .results = results,
                                   .arena = a,
                                   .create_tenant = true,
                                   .now_us = time_now()}};
        f.done = store_apply(store, &f.apply);
        waiter_until(&waiter, store, &f.done);
        must(f.apply.call.status == OK, f.apply.call.why.text);
        for (int k = 0; k < BATCH; k++)
            must(results[k].status == OK ||
                     (edits[k].kind == EDIT_DELETE && results[k].status == E_NOT_FOUND),
                 "an edit failed");
        struct store_get g = {
            .call = {.home = &waiter.runner}, .caller = &caller, .id = edits[BATCH - 1].id};
        store_get(store, &g);
        must(!g.doc || doc_seq(g.doc) >= results[BATCH - 1].seq,
             "an acknowledged change was not seen");
    }
    store_thread_leave(store);
    arena_free(a);
    return NULL;
}

static void query_once(struct waiter *waiter, struct caller *caller, struct arena *a)
{
    struct compare compare = {.path_count = 1,
                              .path = &(struct name){STR("left"), left},
                              .op = COMPARE_GT,
                              .operand_count = 1,
                              .operands = &(struct operand){.kind = OPERAND_NUMBER, .number = 0}};
    struct filter filter = {.kind = FILTER_COMPARE, .compare = &compare};
    struct store_query q = {.call = {.home = &waiter->runner},
                            .caller = caller,
                            .filter = &filter,
                            .limit = 1000,
                            .count = true,
                            .arena = a};
    must(store_query(store, &q), "a short query did not finish at once");
    uint64_t last = 0;
    must(q.total == q.doc_count && q.total <= ENTITIES, "an entity was found twice");
    for (uint32_t i = 0; i < q.doc_count; i++) {
        (void)value_of(q.docs[i]);
        must(doc_created_seq(q.docs[i]) > last, "a page is not in order");
        last = doc_created_seq(q.docs[i]);
    }
}

static void *read_entities(void *arg)
{
    struct waiter waiter;
    waiter_init(&waiter);
    struct arena *a = arena_new(0);
    struct caller caller = {.tenant = STR("")};
    uint64_t last[ENTITIES] = {0};
    (void)arg;
    store_thread_enter(store);
    for (unsigned round = 0; !stop; round++) {
        char id[32];
        uint32_t i = round % ENTITIES;
        snprintf(id, sizeof id, "urn:e:%u", i);
        struct store_get g = {
            .call = {.home = &waiter.runner}, .caller = &caller, .id = str_of(id)};
        store_get(store, &g);
        if (g.doc) {
            (void)value_of(g.doc);
            must(doc_seq(g.doc) >= last[i], "a version went back");
            last[i] = doc_seq(g.doc);
            must(doc_seq(g.doc) <= store_seq(store) + 1000, "a version from nowhere");
        }
        if (round % 50 == 0) {
            arena_reset(a);
            query_once(&waiter, &caller, a);
        }
        store_thread_offline(store);
        store_thread_online(store);
    }
    store_thread_leave(store);
    arena_free(a);
    return NULL;
}

/* Folds and renumbers while the others work. */
static void *disturb(void *arg)
{
    struct embedded *e = embedded_of(store);
    (void)arg;
    store_thread_enter(store);
    while (!stop) {
        struct why why = {0};
        pthread_mutex_lock(&e->fold.work);
        must(fold_now(e, &why) == OK, why.text);
        pthread_mutex_unlock(&e->fold.work);
        struct tenant *t = tenants_find(e->tenants, STR(""));
        pthread_mutex_lock(&e->publish_lock);
        pthread_rwlock_wrlock(&t->lock);
        tenant_renumber(t);
        pthread_rwlock_unlock(&t->lock);
        pthread_mutex_unlock(&e->publish_lock);
        upkeep_want_values(e, t, (uint32_t[]){left, right}, 2);
        struct store_stats s;
        store_stats(store, &s);
        must(s.committed_seq >= s.folded_seq, "folded ahead of what is committed");
        store_thread_offline(store);
        store_thread_online(store);
    }
    store_thread_leave(store);
    return NULL;
}

static void open_store(void)
{
    struct embedded_options o = fixture_options(dir, &clock_system);
    struct why why = {0};
    terms = terms_new(1000);
    if (embedded_open(&store, terms, &o, &why) != OK)
        fail_msg("%s", why.text);
    type = terms_intern(terms, STR("T"), NULL);
    left = terms_intern(terms, STR("left"), NULL);
    right = terms_intern(terms, STR("right"), NULL);
}

static void test_threads_see_whole_changes_in_order(void **state)
{
    (void)state;
    pthread_t writers[WRITERS], readers[READERS], disturber;
    fixture_directory(dir, sizeof dir);
    open_store();
    stop = false;
    for (int i = 0; i < WRITERS; i++)
        pthread_create(&writers[i], NULL, write_entities, (void *)(uintptr_t)(i + 1));
    for (int i = 0; i < READERS; i++)
        pthread_create(&readers[i], NULL, read_entities, NULL);
    pthread_create(&disturber, NULL, disturb, NULL);
    for (int i = 0; i < WRITERS; i++)
        pthread_join(writers[i], NULL);
    stop = true;
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    pthread_join(disturber, NULL);
    store_close(store);
    terms_free(terms);
    struct embedded_report report;
    struct why why = {0};
    if (embedded_check(dir, &report, NULL, NULL, &why) != OK)
        fail_msg("%s", why.text);
    fixture_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads_see_whole_changes_in_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
