/* The embedded store and the naive one are asked the same, at random, restarts among it, and must
 * answer the same: statuses, versions byte by byte, pages, counts, documents, changes. Time passes,
 * and entities and parts of them expire. Between, the indexes are compared with ones made anew.
 *
 * WELLSPRING_TEST_STEPS sets the number of steps a round, WELLSPRING_TEST_SEED the first seed. */
#include "fixture.h"

#include "base/hash.h"
#include "base/time.h"
#include "generate.h"
#include "naive.h"
#include "store/embedded/embedded_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 1500, ROUNDS = 4, TENANTS = 3, TENANTS_MAX = 3 };

/* What the change stream said, as text. */
struct heard {
    struct store_listener listener;
    pthread_mutex_t lock;
    struct buf text;
};

struct duel {
    struct fixture real, naive;
    struct generator g;
    char dir[256];
    struct manual_clock clock;
    struct heard real_heard, naive_heard;
    unsigned steps, seed;
    uint64_t queries[8]; /* by leading index, to see that all are met */
};

static const char *const TENANT_NAMES[TENANTS] = {"", "north", "south"};

/* ---- both sides ---- */

static void hear(struct store_listener *l, const struct change *changes, uint32_t n)
{
    struct heard *h = container_of(l, struct heard, listener);
    pthread_mutex_lock(&h->lock);
    for (uint32_t i = 0; i < n; i++) {
        const struct change *c = &changes[i];
        buf_printf(&h->text, "%llu %u %.*s %u %.*s %llu %llu\n", (unsigned long long)c->seq,
                   c->kind, STR_ARG(c->tenant), c->document_kind,
                   STR_ARG(c->kind == CHANGE_TENANT ? STR("") : c->key),
                   (unsigned long long)(c->before ? doc_seq(c->before) : 0),
                   (unsigned long long)(c->after ? doc_seq(c->after) : 0));
    }
    pthread_mutex_unlock(&h->lock);
}

static void listen_to(struct heard *h, struct store *s)
{
    h->listener.changes = hear;
    store_listen(s, &h->listener);
}

static void open_real(struct duel *d)
{
    struct embedded_options o = fixture_options(d->dir, &d->clock.clock);
    o.tenants_max = TENANTS_MAX;
    o.visit_slice = 7;
    o.segment_bytes = 64 << 10;
    o.log_bytes_max = 512 << 10;
    struct why why = {0};
    if (embedded_open(&d->real.store, d->real.terms, &o, &why) != OK)
        fail_msg("%s", why.text);
    store_thread_enter(d->real.store);
    listen_to(&d->real_heard, d->real.store);
}

/* Both sides know the same terms by the same numbers. */
static void share_terms(struct duel *d)
{
    for (uint32_t id = terms_count(d->real.terms) + 1; id <= terms_count(d->naive.terms); id++)
        assert_int_equal(terms_intern(d->real.terms, terms_iri(d->naive.terms, id), NULL), id);
}

static void reopen_real(struct duel *d)
{
    store_thread_leave(d->real.store);
    store_close(d->real.store);
    terms_free(d->real.terms);
    d->real.terms = terms_new(10000);
    open_real(d);
    for (uint32_t id = 1; id <= terms_count(d->real.terms); id++)
        assert_true(str_eq(terms_iri(d->real.terms, id), terms_iri(d->naive.terms, id)));
}

static void use_tenant(struct duel *d, uint32_t i)
{
    d->real.caller.tenant = d->naive.caller.tenant = str_of(TENANT_NAMES[i]);
}

/* ---- comparisons ---- */

static void same_doc(const struct doc *real, const struct doc *naive)
{
    assert_int_equal(real == NULL, naive == NULL);
    if (!real)
        return;
    if (doc_bytes(real) != doc_bytes(naive) || memcmp(real, naive, doc_bytes(real)))
        fail_msg("%.*s (%llu) and %.*s (%llu) differ", STR_ARG(doc_id(real)),
                 (unsigned long long)doc_seq(real), STR_ARG(doc_id(naive)),
                 (unsigned long long)doc_seq(naive));
}

static void same_result(const struct edit_result *real, const struct edit_result *naive)
{
    assert_int_equal(real->status, naive->status);
    assert_int_equal(real->created, naive->created);
    assert_int_equal(real->deleted, naive->deleted);
    assert_int_equal(real->changed, naive->changed);
    assert_int_equal(real->seq, naive->seq);
}

static void verify_indexes(struct duel *d)
{
    struct embedded *e = embedded_of(d->real.store);
    char text[256];
    for (uint32_t i = 0; i < TENANTS; i++) {
        struct tenant *t = tenants_find(e->tenants, str_of(TENANT_NAMES[i]));
        if (!t)
            continue;
        pthread_rwlock_rdlock(&t->lock); /* the upkeep thread adds indexes of values */
        bool wrong = index_verify(t->index, tenant_state(t), text, sizeof text);
        pthread_rwlock_unlock(&t->lock);
        if (wrong)
            fail_msg("%s", text);
    }
}

/* ---- steps ---- */

static void step_apply(struct duel *d)
{
    enum { MAX = 6 };
    struct edit edits[MAX];
    struct edit_result real[MAX], naive[MAX];
    uint32_t n = 1 + generate_below(&d->g, generate_below(&d->g, 4) ? 1 : MAX);
    for (uint32_t i = 0; i < n; i++)
        edits[i] = generate_edit(&d->g);
    share_terms(d);
    d->real.now_us = d->naive.now_us = d->g.now_us;
    enum status a = fixture_apply(&d->real, edits, n, real),
                b = fixture_apply(&d->naive, edits, n, naive);
    assert_int_equal(a, b);
    for (uint32_t i = 0; i < n && a == OK; i++)
        same_result(&real[i], &naive[i]);
}

static void step_get(struct duel *d)
{
    struct str id = generate_id(&d->g);
    same_doc(fixture_get(&d->real, id.p), fixture_get(&d->naive, id.p));
}

static void step_query(struct duel *d)
{
    struct filter *f = generate_below(&d->g, 10) ? generate_filter(&d->g, 3) : NULL;
    struct filter *mine = generate_below(&d->g, 6) ? NULL : generate_filter(&d->g, 1);
    struct order *o = generate_below(&d->g, 5) ? NULL : generate_order(&d->g);
    struct store_query q = {
        .filter = f,
        .order = o,
        .limit = generate_below(&d->g, 4) ? 1 + generate_below(&d->g, 20)
                                          : generate_below(&d->g, 2) * 1000,
        .offset = generate_below(&d->g, 3) ? 0 : generate_below(&d->g, 20),
        .count = generate_below(&d->g, 2) == 0,
        .after_seq = o || generate_below(&d->g, 4)
                         ? 0
                         : generate_below(&d->g, (uint32_t)store_seq(d->naive.store) + 1),
    };
    if (!q.limit)
        q.count = true;
    struct store_query p = q;
    d->real.caller.filter = d->naive.caller.filter = mine;
    enum status a = fixture_query(&d->real, &q), b = fixture_query(&d->naive, &p);
    assert_int_equal(a, b);
    if (a == OK) {
        assert_int_equal(q.doc_count, p.doc_count);
        for (uint32_t i = 0; i < q.doc_count; i++)
            same_doc(q.docs[i], p.docs[i]);
        assert_int_equal(q.total, p.total);
        if (q.limit)
            assert_int_equal(q.more, p.more);
        static const char *const NAMES[] = {"type",  "id",    "geo", "attribute",
                                            "value", "scope", "scan"};
        for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
            d->queries[i] += !strcmp(q.explain.index, NAMES[i]);
    }
    d->real.caller.filter = d->naive.caller.filter = NULL;
    filter_free(f);
    filter_free(mine);
    order_free(o);
}

/* ---- history ---- */

static struct point some_point(struct duel *d, uint32_t term, struct str dataset)
{
    bool end = generate_below(&d->g, 12) == 0, observed = generate_below(&d->g, 5);
    return (struct point){
        .attr = {.term = term,
                 .kind = ATTR_PROPERTY,
                 .dataset = dataset,
                 .value = {.kind = end ? VALUE_NULL : VALUE_INT, .integer = generate_below(&d->g, 100)},
                 .observed_at = observed ? d->g.now_us - generate_below(&d->g, 100000) : TIME_NONE,
                 .expires_at = TIME_NONE,
                 .created_at = TIME_NONE,
                 .modified_at = TIME_NONE},
        .deleted_at = TIME_NONE};
}

static int in_order(const void *x, const void *y)
{
    return point_order(x, y);
}

static struct evolution *some_evolution(struct duel *d, struct str id, uint32_t term, struct str dataset, uint32_t most)
{
    struct arena *a = d->g.arena;
    struct evolution *e = arena_zalloc(a, sizeof *e);
    struct series *s = arena_zalloc(a, sizeof *s);
    *s = (struct series){.term = term, .dataset = dataset, .count = 1 + generate_below(&d->g, most)};
    s->points = arena_array(a, struct point, s->count);
    for (uint32_t i = 0; i < s->count; i++)
        s->points[i] = some_point(d, term, dataset);
    qsort(s->points, s->count, sizeof s->points[0], in_order);
    *e = (struct evolution){.id = id,
                            .created_at = TIME_NONE,
                            .modified_at = TIME_NONE,
                            .deleted_at = TIME_NONE,
                            .expires_at = TIME_NONE,
                            .count = 1,
                            .series = s};
    e->type_count = generate_below(&d->g, 2);
    e->types = arena_array(a, uint32_t, 1);
    e->types[0] = 1 + generate_below(&d->g, 3);
    return e;
}

/* What is remembered of id, on one side. */
static enum status remembered(struct fixture *f, struct store_evolve *v)
{
    static const struct temporal_query ALWAYS = {.from_us = INT64_MIN, .to_us = INT64_MAX};
    if (!v->time)
        v->time = &ALWAYS;
    v->points_max = UINT32_MAX;
    return fixture_evolve(f, v);
}

/* Some instance that there is: its series and its names. */
static bool pick_instance(struct duel *d, struct str id, struct record_edit *edit)
{
    struct store_evolve v = {.id = id};
    char text[INSTANCE_ID_MAX];
    if (remembered(&d->naive, &v) != OK || !v.evolutions[0].count)
        return false;
    const struct series *s = &v.evolutions[0].series[generate_below(&d->g, v.evolutions[0].count)];
    const struct point *p = &s->points[generate_below(&d->g, s->count)];
    if (s->term == TERM_SCOPE)
        return false;
    size_t n = instance_id_write(id, terms_iri(d->naive.terms, s->term), s->dataset, p->attr.seq, p->index, text);
    edit->term = s->term;
    edit->dataset = arena_dup(d->g.arena, s->dataset);
    edit->instance_seq = p->attr.seq;
    edit->instance_index = p->index;
    edit->instance_id = arena_dup(d->g.arena, (struct str){text, n});
    return true;
}

static void step_record(struct duel *d)
{
    static const struct str DATASETS[] = {{"", 0}, {"urn:d:1", 7}};
    struct str id = generate_id(&d->g);
    struct record_edit edit = {.id = id,
                               .term = 4 + generate_below(&d->g, 6),
                               .dataset = DATASETS[generate_below(&d->g, 2)],
                               .all_datasets = generate_below(&d->g, 3) == 0};
    uint32_t what = generate_below(&d->g, 20);
    edit.kind = what < 9    ? RECORD_EDIT_UPSERT
                : what < 12 ? RECORD_EDIT_ADD
                : what < 14 ? RECORD_EDIT_MODIFY_INSTANCE
                : what < 16 ? RECORD_EDIT_DELETE_INSTANCE
                : what < 18 ? RECORD_EDIT_DELETE_ATTR
                : what < 19 ? RECORD_EDIT_MARK_DELETED
                            : RECORD_EDIT_DELETE;
    bool instance = edit.kind == RECORD_EDIT_MODIFY_INSTANCE || edit.kind == RECORD_EDIT_DELETE_INSTANCE;
    edit.whole = edit.kind == RECORD_EDIT_MARK_DELETED && generate_below(&d->g, 2);
    if (instance && !pick_instance(d, id, &edit))
        return;
    if (what < 14)
        edit.fragment = some_evolution(d, id, edit.term, edit.dataset, instance ? 1 : generate_below(&d->g, 8) ? 4 : 3000);
    share_terms(d);
    struct record_result real = {0}, naive = {0};
    struct store_record r = {.edits = &edit,
                             .count = 1,
                             .results = &real,
                             .arena = d->real.arena,
                             .create_tenant = what < 9 && generate_below(&d->g, 3),
                             .now_us = d->g.now_us};
    struct store_record n = r;
    n.results = &naive;
    n.arena = d->naive.arena;
    r.caller = &d->real.caller;
    n.caller = &d->naive.caller;
    assert_int_equal(fixture_record(&d->real, &r), fixture_record(&d->naive, &n));
    if (r.call.status != OK)
        return;
    assert_int_equal(real.status, naive.status);
    assert_int_equal(real.created, naive.created);
    assert_int_equal(real.seq, naive.seq);
}

static void same_point(const struct point *a, const struct point *b)
{
    assert_int_equal(a->attr.seq, b->attr.seq);
    assert_int_equal(a->index, b->index);
    assert_int_equal(a->attr.observed_at, b->attr.observed_at);
    assert_int_equal(a->attr.created_at, b->attr.created_at);
    assert_int_equal(a->attr.modified_at, b->attr.modified_at);
    assert_int_equal(a->deleted_at, b->deleted_at);
    assert_true(attr_same(&a->attr, &b->attr));
}

static bool has_type(const struct evolution *e, uint32_t type)
{
    for (uint32_t i = 0; i < e->type_count; i++)
        if (e->types[i] == type)
            return true;
    return false;
}

/* One that lives has the types of its entity, too: the naive history forgets these when an evolution is deleted. */
static void same_types(struct duel *d, const struct evolution *a, const struct evolution *b)
{
    const struct doc *today = fixture_get(&d->naive, arena_printf(d->g.arena, "%.*s", STR_ARG(b->id)).p);
    for (uint32_t i = 0; i < b->type_count; i++)
        assert_true(has_type(a, b->types[i]));
    for (uint32_t i = 0; i < a->type_count; i++) {
        bool current = false;
        for (uint32_t k = 0; today && k < doc_type_count(today); k++)
            current = current || doc_type(today, k) == a->types[i];
        assert_true(current || has_type(b, a->types[i]));
        for (uint32_t k = 0; k < i; k++)
            assert_int_not_equal(a->types[k], a->types[i]);
    }
    for (uint32_t k = 0; today && k < doc_type_count(today); k++)
        assert_true(has_type(a, doc_type(today, k)));
}

static void same_evolution(struct duel *d, const struct evolution *a, const struct evolution *b)
{
    assert_true(str_eq(a->id, b->id));
    if (a->deleted_at != TIME_NONE) /* of those that live, the naive history knows less than their entities */
        assert_int_equal(a->created_at, b->created_at);
    assert_int_equal(a->deleted_at, b->deleted_at);
    same_types(d, a, b);
    assert_int_equal(a->count, b->count);
    for (uint32_t i = 0; i < a->count; i++) {
        assert_int_equal(a->series[i].term, b->series[i].term);
        assert_true(str_eq(a->series[i].dataset, b->series[i].dataset));
        assert_int_equal(a->series[i].count, b->series[i].count);
        for (uint32_t k = 0; k < a->series[i].count; k++)
            same_point(&a->series[i].points[k], &b->series[i].points[k]);
    }
}

static void step_evolve(struct duel *d)
{
    struct temporal_query q = {.property = (uint8_t)generate_below(&d->g, TIME_PROPERTY_COUNT),
                               .must_have = generate_below(&d->g, 2),
                               .from_us = INT64_MIN,
                               .to_us = INT64_MAX,
                               .last_n = generate_below(&d->g, 3) ? 0 : 1 + generate_below(&d->g, 5)};
    if (q.must_have && generate_below(&d->g, 2))
        q.from_us = d->g.now_us - generate_below(&d->g, 200000);
    if (q.must_have && generate_below(&d->g, 2))
        q.to_us = d->g.now_us - generate_below(&d->g, 100000);
    uint32_t terms[] = {4 + generate_below(&d->g, 3), 7 + generate_below(&d->g, 3)};
    struct filter *f = generate_below(&d->g, 2) ? NULL : generate_filter(&d->g, 2);
    struct store_evolve v = {.time = &q, .limit = 1 + generate_below(&d->g, 10), .offset = generate_below(&d->g, 3),
                             .count = generate_below(&d->g, 2), .order = generate_below(&d->g, 2) ? NULL : generate_id_order(&d->g)};
    if (generate_below(&d->g, 2))
        v.id = generate_id(&d->g);
    else
        v.values = f;
    if (generate_below(&d->g, 3) == 0) {
        v.terms = terms;
        v.term_count = 2;
        v.no_scope = generate_below(&d->g, 2);
    }
    if (generate_below(&d->g, 3) == 0) {
        v.unshown = terms;
        v.unshown_count = 1 + generate_below(&d->g, 2);
        v.all_unshown = generate_below(&d->g, 2);
    }
    struct store_evolve w = v;
    enum status x = remembered(&d->real, &v), y = remembered(&d->naive, &w);
    if (x != y)
        fail_msg("%s: %s (%s) and %s", v.id.n ? v.id.p : "query", status_name(x), v.call.why.text, status_name(y));
    if (v.call.status == OK) {
        assert_int_equal(v.evolution_count, w.evolution_count);
        assert_int_equal(v.total, w.total);
        assert_int_equal(v.more, w.more);
        for (uint32_t i = 0; i < v.evolution_count; i++)
            same_evolution(d, &v.evolutions[i], &w.evolutions[i]);
    }
    order_free((struct order *)(uintptr_t)v.order);
    filter_free(f);
}

static int name_order(const void *x, const void *y)
{
    const struct store_name *a = x, *b = y;
    return (a->term > b->term) - (a->term < b->term);
}

static void same_names(struct store_name *a, uint32_t n, struct store_name *b, uint32_t m)
{
    assert_int_equal(n, m);
    if (!n)
        return;
    qsort(a, n, sizeof *a, name_order);
    qsort(b, n, sizeof *b, name_order);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(a[i].term, b[i].term);
        assert_int_equal(a[i].count, b[i].count);
        assert_int_equal(a[i].kinds, b[i].kinds);
        same_names(a[i].with, a[i].with_count, b[i].with, b[i].with_count);
    }
}

static void step_census(struct duel *d)
{
    struct filter *mine = generate_below(&d->g, 6) ? NULL : generate_filter(&d->g, 1);
    struct store_census c = {
        .attributes = generate_below(&d->g, 2),
        .details = generate_below(&d->g, 2),
        .term = generate_below(&d->g, 2) ? 0 : 1 + generate_below(&d->g, 12),
        .now_us = d->g.now_us,
    };
    struct store_census same = c;
    d->real.caller.filter = d->naive.caller.filter = mine;
    enum status a = fixture_census(&d->real, &c), b = fixture_census(&d->naive, &same);
    d->real.caller.filter = d->naive.caller.filter = NULL;
    assert_int_equal(a, b);
    same_names(c.names, c.count, same.names, same.count);
    filter_free(mine);
}

static void step_document(struct duel *d)
{
    char key[32], bytes[64];
    snprintf(key, sizeof key, "urn:doc:%u", generate_below(&d->g, 15));
    snprintf(bytes, sizeof bytes, "{\"n\":%u}", generate_below(&d->g, 1000));
    struct store_put p = {
        .kind = (uint8_t)(1 + generate_below(&d->g, STORE_KIND_COUNT - 1)),
        .key = str_of(key),
        .bytes = generate_below(&d->g, 3) ? str_of(bytes) : STR_NONE,
        .only_absent = generate_below(&d->g, 4) == 0,
        .create_tenant = generate_below(&d->g, 2) == 0,
    };
    p.only_present = !p.only_absent && generate_below(&d->g, 4) == 0;
    struct store_put q = p;
    assert_int_equal(fixture_call_put(&d->real, &p), fixture_call_put(&d->naive, &q));
}

static void step_list(struct duel *d)
{
    char key[32];
    snprintf(key, sizeof key, "urn:doc:%u", generate_below(&d->g, 15));
    struct store_list l = {.kind = (uint8_t)(1 + generate_below(&d->g, STORE_KIND_COUNT - 1)),
                           .limit = 1 + generate_below(&d->g, 8)};
    if (generate_below(&d->g, 3) == 0)
        l.key = str_of(key);
    else if (generate_below(&d->g, 2))
        l.after = str_of(key);
    struct store_list m = l;
    enum status a = fixture_list(&d->real, &l), b = fixture_list(&d->naive, &m);
    assert_int_equal(a, b);
    if (a != OK)
        return;
    assert_int_equal(l.count, m.count);
    assert_int_equal(l.more, m.more);
    for (uint32_t i = 0; i < l.count; i++) {
        assert_true(str_eq(l.documents[i].key, m.documents[i].key));
        assert_true(str_eq(l.documents[i].bytes, m.documents[i].bytes));
        assert_int_equal(l.documents[i].seq, m.documents[i].seq);
    }
}

static void step_tenants(struct duel *d)
{
    const char *name = TENANT_NAMES[generate_below(&d->g, TENANTS)];
    if (generate_below(&d->g, 3) == 0)
        assert_int_equal(fixture_drop_tenant(&d->real, name), fixture_drop_tenant(&d->naive, name));
    struct str *a, *b;
    assert_int_equal(store_tenants(d->real.store, d->real.arena, &a),
                     store_tenants(d->naive.store, d->naive.arena, &b));
    assert_int_equal(store_tenant_exists(d->real.store, str_of(name)),
                     store_tenant_exists(d->naive.store, str_of(name)));
    assert_int_equal(store_seq(d->real.store), store_seq(d->naive.store));
}

static void renumber(struct duel *d)
{
    struct embedded *e = embedded_of(d->real.store);
    struct tenant *t =
        tenants_find(e->tenants, str_of(TENANT_NAMES[generate_below(&d->g, TENANTS)]));
    if (!t)
        return;
    pthread_mutex_lock(&e->publish_lock);
    pthread_rwlock_wrlock(&t->lock);
    tenant_renumber(t);
    pthread_rwlock_unlock(&t->lock);
    pthread_mutex_unlock(&e->publish_lock);
}

static void step(struct duel *d)
{
    use_tenant(d, generate_below(&d->g, TENANTS));
    uint32_t what = generate_below(&d->g, 100);
    d->clock.now = d->g.now_us += generate_below(&d->g, 2000);
    if (what < 40)
        step_apply(d);
    else if (what < 48)
        step_record(d);
    else if (what < 58)
        step_evolve(d);
    else if (what < 64)
        step_get(d);
    else if (what < 84)
        step_query(d);
    else if (what < 88)
        step_census(d);
    else if (what < 93)
        step_document(d);
    else if (what < 97)
        step_list(d);
    else if (what < 99 || generate_below(&d->g, 5))
        step_tenants(d);
    else
        renumber(d);
}

/* Everything that was asked or said so far is the same on both sides. */
static void same_history(struct duel *d)
{
    assert_int_equal(d->real_heard.text.n, d->naive_heard.text.n);
    if (d->real_heard.text.n)
        assert_memory_equal(d->real_heard.text.p, d->naive_heard.text.p, d->real_heard.text.n);
    buf_clear(&d->real_heard.text);
    buf_clear(&d->naive_heard.text);
}

/* Indexes of values are built for attributes that many entities have: here, for all. */
static void want_values(struct duel *d)
{
    struct embedded *e = embedded_of(d->real.store);
    for (uint32_t term = 1; term <= terms_count(d->real.terms) && term <= 16; term++)
        for (uint32_t i = 0; i < TENANTS; i++) {
            struct tenant *t = tenants_find(e->tenants, str_of(TENANT_NAMES[i]));
            if (t)
                upkeep_want_values(e, t, &term, 1);
        }
}

enum { EXTRA_ROUNDS = 20 };

static void play(unsigned seed, unsigned steps, uint64_t met[8])
{
    struct duel *d = calloc(1, sizeof *d);
    d->seed = seed;
    fixture_directory(d->dir, sizeof d->dir);
    manual_clock_init(&d->clock, 0, true);
    fixture_init(&d->real);
    fixture_init(&d->naive);
    struct heard *heard[] = {&d->real_heard, &d->naive_heard};
    for (int i = 0; i < 2; i++) {
        buf_init(&heard[i]->text, 1 << 28);
        pthread_mutex_init(&heard[i]->lock, NULL);
    }
    d->naive.store = naive_new(TENANTS_MAX, &d->clock.clock, d->naive.terms);
    generate_init(&d->g, seed, d->naive.terms, seed % 3 == 0 ? 12 : seed % 3 == 1 ? 150 : 1000);
    open_real(d);
    listen_to(&d->naive_heard, d->naive.store);
    for (unsigned i = 0; i < steps; i++) {
        step(d);
        arena_reset(d->g.arena);
        arena_reset(d->real.arena);
        arena_reset(d->naive.arena);
        if (i % 50 == 49)
            verify_indexes(d);
        if (i % 97 == 11)
            want_values(d);
        if (generate_below(&d->g, 150) == 0) {
            same_history(d);
            reopen_real(d);
        }
    }
    store_thread_leave(d->real.store);
    store_close(d->real.store);
    same_history(d);
    struct embedded_report report;
    struct why why = {0};
    if (embedded_check(d->dir, &report, NULL, NULL, &why) != OK)
        fail_msg("%s", why.text);
    store_close(d->naive.store);
    for (int i = 0; i < 8; i++)
        met[i] += d->queries[i];
    fixture_free(&d->real);
    fixture_free(&d->naive);
    arena_free(d->g.arena);
    for (int i = 0; i < 2; i++) {
        buf_free(&heard[i]->text);
        pthread_mutex_destroy(&heard[i]->lock);
    }
    fixture_remove(d->dir);
    free(d);
}

static unsigned number(const char *name, unsigned fallback)
{
    const char *v = getenv(name);
    return v ? (unsigned)strtoul(v, NULL, 10) : fallback;
}

static void test_answers_as_the_naive_store(void **state)
{
    (void)state;
    unsigned seed = number("WELLSPRING_TEST_SEED", 1),
             steps = number("WELLSPRING_TEST_STEPS", STEPS);
    unsigned rounds = number("WELLSPRING_TEST_ROUNDS", ROUNDS);
    uint64_t met[8] = {0};
    for (unsigned i = 0; i < rounds; i++) {
        print_message("seed %u\n", seed + i);
        play(seed + i, steps, met);
    }
    /* Indexes of values are built in the background: on a busy machine later rounds meet them. */
    for (unsigned i = 0; i < EXTRA_ROUNDS && !met[4]; i++)
        play(seed + rounds + i, steps, met);
    print_message("queries led by type %llu, id %llu, geo %llu, attribute %llu, value %llu, scope "
                  "%llu, scan %llu\n",
                  (unsigned long long)met[0], (unsigned long long)met[1],
                  (unsigned long long)met[2], (unsigned long long)met[3],
                  (unsigned long long)met[4], (unsigned long long)met[5],
                  (unsigned long long)met[6]);
    for (int i = 0; i < 7; i++) /* type, id, geo, attribute, value, scope, scan */
        assert_true(met[i] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_answers_as_the_naive_store)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
