/* read → is it proxied? then: the others → entities → write. */
#include "broker/registrations.h"

#include "base/uuid.h"

static const struct str ID_PREFIX = {"urn:ngsi-ld:ContextSourceRegistration:", 38};

static int64_t now(const struct broker *b)
{
    return b->ports->clock->now_us(b->ports->clock);
}

/* ---- making what is stored ---- */

static enum status settle(struct registering *r, enum status st, struct buf *b, struct str *out)
{
    struct document_call *c = &r->document;
    if (st == OK && b->full)
        st = why_limit(&c->why, E_TOO_LARGE, NULL, "limits.registration_bytes",
                       "a registration has at most %zu bytes", b->max);
    if (st == OK)
        *out = arena_dup(c->arena, buf_view(b));
    buf_free(b);
    return st;
}

static enum status change(struct document_call *c, struct str stored, struct str *next)
{
    struct registering *r = container_of(c, struct registering, document);
    struct buf b;
    buf_init(&b, c->broker->registrations.bytes_max);
    enum status st = registration_change(&r->reader, stored, r->body, &b, &c->why);
    return settle(r, st, &b, next);
}

/* ---- steps; each true when all is done ---- */

static bool refused(struct registering *r, enum status st)
{
    r->document.status = st;
    registration_free(r->compiled);
    r->compiled = NULL;
    return true;
}

static bool write_it(struct registering *r)
{
    struct document_call *c = &r->document;
    registration_free(r->compiled);
    r->compiled = NULL;
    return c->change ? document_change(c->broker, c) : document_create(c->broker, c);
}

static void written(struct document_call *c)
{
    struct registering *r = container_of(c, struct registering, document);
    r->done(r);
}

static bool entities_looked(struct registering *r)
{
    struct document_call *c = &r->document;
    enum status st = r->query.call.status;
    if (st != OK && st != E_NO_TENANT) {
        c->why = r->query.call.why;
        return refused(r, st);
    }
    if (st == OK && r->query.doc_count)
        return refused(r, why_set(&c->why, E_CONFLICT, NULL,
                                  "%.*s is here already, which the registration says is elsewhere",
                                  STR_ARG(doc_id(r->query.docs[0]))));
    return write_it(r);
}

static void entities_done(struct store_call *call)
{
    struct registering *r =
        container_of(container_of(call, struct store_query, call), struct registering, query);
    if (entities_looked(r))
        r->done(r);
}

static bool look_entities(struct registering *r)
{
    struct document_call *c = &r->document;
    r->query = (struct store_query){
        .call = {.home = c->home, .deadline_us = c->deadline_us, .done = entities_done},
        .caller = c->caller,
        .filter = registration_entities(r->compiled, c->broker->terms, c->arena),
        .limit = 1,
        .arena = c->arena,
    };
    return store_query(c->broker->store, &r->query) && entities_looked(r);
}

/* The first other registration that stands against this one, or none. */
static enum status others_check(struct registering *r)
{
    struct document_call *c = &r->document;
    struct arena *scratch = arena_new(0);
    enum status st = OK;
    for (uint32_t i = 0; st == OK && i < r->list.count; i++) {
        struct registration *other;
        const struct store_document *d = &r->list.documents[i];
        arena_reset(scratch);
        if (str_eq(d->key, r->compiled->id) ||
            registration_compile(&other, d->bytes, r->reader.limits, scratch, NULL) != OK)
            continue;
        bool over = other->expires_at != TIME_NONE && other->expires_at <= r->reader.now_us;
        if (!over && registration_conflicts(r->compiled, other))
            st = why_set(&c->why, E_CONFLICT, NULL,
                         "the registration %.*s is of the same attributes", STR_ARG(d->key));
        registration_free(other);
    }
    arena_free(scratch);
    return st;
}

static bool others_looked(struct registering *r)
{
    enum status st = r->list.call.status;
    if (st == E_NO_TENANT)
        st = OK;
    else if (st != OK)
        r->document.why = r->list.call.why;
    else
        st = others_check(r);
    return st == OK ? look_entities(r) : refused(r, st);
}

static void others_done(struct store_call *call)
{
    struct registering *r =
        container_of(container_of(call, struct store_list, call), struct registering, list);
    if (others_looked(r))
        r->done(r);
}

static bool list_documents(struct registering *r, struct str key, void (*done)(struct store_call *))
{
    struct document_call *c = &r->document;
    r->list = (struct store_list){
        .call = {.home = c->home, .deadline_us = c->deadline_us, .done = done},
        .caller = c->caller,
        .kind = STORE_REGISTRATION,
        .key = key,
        .limit = UINT32_MAX,
        .arena = c->arena,
    };
    return store_list(c->broker->store, &r->list);
}

/* Of what is to be stored: only proxied registrations can conflict. */
static bool examine(struct registering *r, struct str stored)
{
    struct document_call *c = &r->document;
    enum status st =
        registration_compile(&r->compiled, stored, r->reader.limits, c->arena, &c->why);
    if (st != OK)
        return refused(r, st);
    if (r->compiled->mode != MODE_EXCLUSIVE && r->compiled->mode != MODE_REDIRECT)
        return write_it(r);
    return list_documents(r, STR_NONE, others_done) && others_looked(r);
}

static bool target_looked(struct registering *r)
{
    struct document_call *c = &r->document;
    struct str next = STR_NONE;
    enum status st = r->list.call.status;
    if (st == E_NOT_FOUND)
        return refused(
            r, why_set(&c->why, st, NULL, "the registration %.*s does not exist", STR_ARG(c->key)));
    if (st != OK)
        c->why = r->list.call.why;
    else
        st = change(c, r->list.documents[0].bytes, &next);
    return st == OK ? examine(r, next) : refused(r, st);
}

static void target_done(struct store_call *call)
{
    struct registering *r =
        container_of(container_of(call, struct store_list, call), struct registering, list);
    if (target_looked(r))
        r->done(r);
}

static void prepare(struct broker *b, struct registering *r)
{
    struct document_call *c = &r->document;
    c->broker = b;
    c->kind = STORE_REGISTRATION;
    c->what = "registration";
    c->most = b->registrations.most;
    c->limit = "limits.registrations";
    c->done = written;
    r->reader = (struct registration_reader){.context = r->context,
                                             .limits = &b->registrations.limits,
                                             .arena = c->arena,
                                             .now_us = now(b)};
}

bool registrations_create(struct broker *b, struct registering *r)
{
    struct document_call *c = &r->document;
    const struct json *id = json_get(r->body, STR("id"));
    struct buf buf;
    prepare(b, r);
    c->key = json_is(id, JSON_STRING) ? id->string : uuid_name(c->arena, ID_PREFIX);
    buf_init(&buf, b->registrations.bytes_max);
    enum status st = registration_read(&r->reader, r->body, c->key, &buf, &c->why);
    st = settle(r, st, &buf, &c->bytes);
    return st == OK ? examine(r, c->bytes) : refused(r, st);
}

bool registrations_change(struct broker *b, struct registering *r)
{
    prepare(b, r);
    r->document.change = change;
    return list_documents(r, r->document.key, target_done) && target_looked(r);
}

/* ---- discovery ---- */

/* NULL: damaged. Its own arena has a copy of what it was compiled from. */
static struct registration_cached *compile(const struct broker *b, const struct store_document *d)
{
    struct arena *a = arena_new(0);
    struct registration_cached *c = arena_zarray(a, struct registration_cached, 1);
    c->arena = a;
    c->seq = d->seq;
    if (registration_compile(&c->registration, arena_dup(a, d->bytes), &b->registrations.limits, a,
                             NULL) == OK)
        return c;
    arena_free(a);
    return NULL;
}

/* Does one match? Its flags are then in the arena. */
static bool match(struct registrations_find *f, const struct store_document *d,
                  const struct registration *r, struct arena *scratch,
                  struct found_registration *out)
{
    const struct broker *b = f->broker;
    arena_reset(scratch);
    bool *infos = arena_zarray(f->arena, bool, r->info_count);
    *out = (struct found_registration){d->key, d->bytes, infos};
    filter_resolve(f->geo, b->terms); /* compiling may have brought names */
    filter_resolve(f->csf, b->terms);
    bool fits = r->expires_at == TIME_NONE || r->expires_at > now(b);
    if (!str_absent(f->id))
        out->infos = NULL;
    else
        fits = fits && registration_matches(r, &f->query, infos, scratch);
    return fits;
}

static void collect(struct registrations_find *f)
{
    struct registration_cache *cache = f->broker->registrations.compiled;
    struct registration_cached *fresh = NULL;
    struct arena *scratch = arena_new(0);
    uint32_t room = f->list.count < f->limit ? f->list.count : f->limit;
    f->found = arena_zarray(f->arena, struct found_registration, room);
    registration_cache_begin(cache);
    for (uint32_t i = 0; i < f->list.count; i++) {
        const struct store_document *d = &f->list.documents[i];
        struct found_registration one;
        const struct registration *r = registration_cache_find(cache, d->seq, d->key);
        if (!r) {
            struct registration_cached *c = compile(f->broker, d);
            if (!c)
                continue;
            c->next = fresh;
            fresh = c;
            r = c->registration;
        }
        if (!match(f, d, r, scratch, &one))
            continue;
        if (f->total >= f->offset && f->count < room)
            f->found[f->count++] = one;
        f->total++;
    }
    registration_cache_end(cache);
    for (struct registration_cached *c; (c = fresh);) {
        fresh = c->next;
        registration_cache_add(cache, c);
    }
    arena_free(scratch);
}

static bool listed(struct registrations_find *f)
{
    f->status = f->list.call.status;
    f->why = f->list.call.why;
    if (f->status == OK)
        collect(f);
    if (!str_absent(f->id) && (f->status == E_NOT_FOUND || (f->status == OK && !f->count))) {
        why_clear(&f->why);
        f->status = why_set(&f->why, E_NOT_FOUND, NULL, "the registration %.*s does not exist",
                            STR_ARG(f->id));
    }
    return true;
}

static void list_done(struct store_call *call)
{
    struct registrations_find *f =
        container_of(container_of(call, struct store_list, call), struct registrations_find, list);
    if (listed(f))
        f->done(f);
}

bool registrations_find(struct broker *b, struct registrations_find *f)
{
    f->broker = b;
    f->count = 0;
    f->total = 0;
    f->list = (struct store_list){
        .call = {.home = f->home, .deadline_us = f->deadline_us, .done = list_done},
        .caller = f->caller,
        .kind = STORE_REGISTRATION,
        .key = f->id,
        .limit = UINT32_MAX,
        .arena = f->arena,
    };
    return store_list(b->store, &f->list) && listed(f);
}
