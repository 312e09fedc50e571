/* Local contexts: what stands in "@context", from the array down to the members
 * of an object (JSON-LD 1.1 API, section 4.1.2). Error names in comments are
 * those of section 9.6 there. Start at context_build(). */
#include "model/context_build.h"

#include "base/hash.h"
#include "model/context_core.h"
#include "model/context_iri.h"

static void local_add(struct local *l, struct str key, const struct json *value)
{
    uint32_t i = (uint32_t)hash_str(key) & l->mask;
    while (l->slots[i] && !str_eq(l->entries[l->slots[i] - 1].key, key))
        i = (i + 1) & l->mask;
    if (!l->slots[i]) {
        l->entries[l->count].key = key;
        l->slots[i] = ++l->count;
    }
    l->entries[l->slots[i] - 1].value = value;
}

/* The members of object over those of imported, which may be NULL. */
static void local_init(struct local *l, const struct json *imported, const struct json *object,
                       struct arena *a)
{
    uint32_t n = object->n + (imported ? imported->n : 0), slots = 4;
    while (slots < n * 2)
        slots *= 2;
    *l = (struct local){
        .entries = arena_zarray(a, struct local_entry, n + 1),
        .slots = arena_zarray(a, uint32_t, slots),
        .mask = slots - 1,
    };
    for (uint32_t i = 0; imported && i < imported->n; i++)
        local_add(l, imported->members[i].key, &imported->members[i].value);
    for (uint32_t i = 0; i < object->n; i++)
        local_add(l, object->members[i].key, &object->members[i].value);
}

/* The "@context" of the document at reference: *out is NULL when that is the core, which is
 * part of every context already. *remote and *place describe the document. */
static enum status load(struct builder *b, struct str reference, const struct place *p,
                        const struct at *at, const struct json **out, struct remote *remote,
                        struct place *place)
{
    static const struct at ROOT = {.key = {"@context", 8}};
    *out = NULL;
    struct str url = context_iri_resolve(p->base, reference, b->arena);
    if (str_absent(url) || !context_iri_is_absolute(url)) /* loading document failed */
        return context_refuse(b, p, at, "\"%.*s\" is no absolute IRI and there is no base for it",
                              STR_ARG(reference));
    if (context_is_core_iri(url))
        return OK;
    for (const struct remote *r = p->remote; r; r = r->up)
        if (str_eq(r->url, url)) /* recursive context inclusion */
            return context_refuse(b, p, at, "the context %.*s includes itself", STR_ARG(url));
    const struct json *document = context_core_document(url);
    bool builtin = document != NULL;
    if (!builtin) {
        if (++b->remotes > b->limits->remotes_max) /* context overflow */
            return context_exceed(b, p, at, "limits.context_remotes",
                                  "a context may include %u remote documents",
                                  b->limits->remotes_max);
        document = b->loader ? b->loader->load(b->loader, url) : NULL;
    }
    if (!document) {
        *b->missing = arena_dup(b->arena, url);
        return why_set(b->why, E_CONTEXT, p->remote ? p->remote->link : at,
                       "the context %.*s is not available", STR_ARG(url));
    }
    *out = json_get(document, STR("@context"));
    if (!*out) /* invalid remote context */
        return context_refuse(b, p, at, "the document %.*s has no member \"@context\"",
                              STR_ARG(url));
    *remote = (struct remote){p->remote, url, p->remote ? p->remote->link : at};
    *place = (struct place){.at = &ROOT,
                            .base = url,
                            .remote = remote,
                            .depth = p->depth + 1,
                            .builtin = builtin,
                            .scoped = p->scoped};
    return OK;
}

static enum status process_remote(struct builder *b, struct scope *s, struct str reference,
                                  const struct place *p)
{
    const struct json *spec;
    struct remote remote;
    struct place place;
    enum status st = load(b, reference, p, p->at, &spec, &remote, &place);
    return st != OK || !spec ? st : context_process(b, s, spec, &place);
}

/* @import: *out is the object of the document, NULL when there is nothing to import. */
static enum status import(struct builder *b, const struct json *object, const struct place *p,
                          const struct json **out)
{
    *out = NULL;
    const struct json *v = json_get(object, STR("@import"));
    if (!v)
        return OK;
    struct at at = {p->at, STR("@import"), 0};
    if (v->kind != JSON_STRING) /* invalid @import value */
        return context_refuse(b, p, &at, "@import must be the IRI of a context");
    struct remote remote;
    struct place place;
    enum status st = load(b, v->string, p, &at, out, &remote, &place);
    if (st != OK || !*out)
        return st;
    if ((*out)->kind != JSON_OBJECT || json_get(*out, STR("@import")))
        return context_refuse(b, p, &at, "the imported context must be one object without @import");
    return OK;
}

/* @base, @direction, @language, @propagate, @version, @protected: they say nothing about the
 * names of NGSI-LD, so they are only checked. */
static enum status check_keyword(const struct builder *b, const struct place *p,
                                 const struct local_entry *e)
{
    struct at at = {p->at, e->key, 0};
    const struct json *v = e->value;
    bool text = v->kind == JSON_NULL || v->kind == JSON_STRING;
    double number;
    if (str_eq(e->key, STR("@base")) || str_eq(e->key, STR("@language"))) {
        if (!text) /* invalid base IRI, invalid default language */
            return context_refuse(b, p, &at, "%.*s must be a string or null", STR_ARG(e->key));
    } else if (str_eq(e->key, STR("@direction"))) {
        if (v->kind != JSON_NULL && !json_is_string(v, STR("ltr")) &&
            !json_is_string(v, STR("rtl"))) /* invalid base direction */
            return context_refuse(b, p, &at, "@direction must be \"ltr\", \"rtl\" or null");
    } else if (str_eq(e->key, STR("@version"))) {
        if (!json_number(v, &number) || number != 1.1) /* invalid @version value */
            return context_refuse(b, p, &at, "@version must be the number 1.1");
    } else if (str_eq(e->key, STR("@propagate"))) {
        if (v->kind != JSON_BOOL) /* invalid @propagate value */
            return context_refuse(b, p, &at, "@propagate must be true or false");
        if (!v->boolean && !p->scoped)
            return context_refuse(
                b, p, &at, "a context that does not reach into attributes is of no use here");
    } else if (str_eq(e->key, STR("@protected"))) {
        if (v->kind != JSON_BOOL) /* invalid @protected value */
            return context_refuse(b, p, &at, "@protected must be true or false");
    } else if (!str_eq(e->key, STR("@vocab")) && !str_eq(e->key, STR("@import")) &&
               !str_eq(e->key, STR("@type")) && context_iri_is_keyword(e->key)) {
        return context_refuse(b, p, &at, "the keyword %.*s cannot be defined", STR_ARG(e->key));
    }
    return OK;
}

static enum status set_vocab(struct builder *b, struct scope *s, const struct json *v,
                             const struct place *p)
{
    struct at at = {p->at, STR("@vocab"), 0};
    if (v->kind == JSON_NULL) {
        s->vocab = STR_NONE;
        return OK;
    }
    if (v->kind != JSON_STRING) /* invalid vocab mapping */
        return context_refuse(b, p, &at, "@vocab must be an IRI or null");
    struct str iri;
    enum status st = context_expand_early(b, s, NULL, p, v->string, &at, &iri);
    if (st != OK)
        return st;
    if (!str_absent(iri) && !context_iri_is_absolute(iri))
        iri = context_iri_resolve(p->base, iri, b->arena);
    if (str_absent(iri) || !context_iri_is_absolute(iri))
        return context_refuse(b, p, &at, "@vocab must be an IRI, \"%.*s\" is none",
                              STR_ARG(v->string));
    s->vocab = iri;
    return OK;
}

static enum status process_object(struct builder *b, struct scope *s, const struct json *object,
                                  const struct place *p)
{
    const struct json *imported;
    struct local l;
    enum status st = import(b, object, p, &imported);
    if (st != OK)
        return st;
    local_init(&l, imported, object, b->arena);
    const struct json *vocab = NULL;
    for (uint32_t i = 0; i < l.count; i++) {
        const struct local_entry *e = &l.entries[i];
        if (e->key.n == 0 || e->key.p[0] != '@')
            continue;
        if ((st = check_keyword(b, p, e)) != OK)
            return st;
        if (str_eq(e->key, STR("@vocab")))
            vocab = e->value;
        if (str_eq(e->key, STR("@protected")))
            l.guarded = e->value->boolean;
    }
    if (vocab && (st = set_vocab(b, s, vocab, p)) != OK)
        return st;
    return context_define(b, s, &l, p);
}

static enum status process_array(struct builder *b, struct scope *s, const struct json *array,
                                 const struct place *p)
{
    for (uint32_t i = 0; i < array->n; i++) {
        struct at at = {p->at, STR_NONE, i};
        struct place inner = *p;
        inner.at = &at;
        inner.depth++;
        enum status st = context_process(b, s, &array->items[i], &inner);
        if (st != OK)
            return st;
    }
    return OK;
}

enum status context_process(struct builder *b, struct scope *s, const struct json *spec,
                            const struct place *p)
{
    if (p->depth > b->limits->depth_max)
        return context_exceed(b, p, p->at, "limits.context_depth", "contexts may be nested %u deep",
                              b->limits->depth_max);
    switch ((enum json_kind)spec->kind) {
    case JSON_NULL:
        if (!p->scoped && context_scope_guarded(s)) /* invalid context nullification */
            return context_refuse(b, p, p->at, "null cannot take back protected terms");
        context_scope_clear(s, b);
        return OK;
    case JSON_STRING:
        return process_remote(b, s, spec->string, p);
    case JSON_ARRAY:
        return process_array(b, s, spec, p);
    case JSON_OBJECT:
        return process_object(b, s, spec, p);
    case JSON_BOOL:
    case JSON_INT:
    case JSON_REAL:
        break;
    } /* invalid local context */
    return context_refuse(b, p, p->at,
                          "a context is an IRI, an object, null or an array of them, not %s",
                          json_kind_name((enum json_kind)spec->kind));
}

enum status context_build(struct context **out, const struct json *spec, struct str base,
                          struct context_loader *loader, const struct context_limits *limits,
                          struct arena *a, struct str *missing, struct why *why)
{
    struct context *core = context_core();
    *missing = STR_NONE;
    *out = NULL;
    if (!spec) {
        *out = core;
        return OK;
    }
    struct builder b = {.arena = a,
                        .core = core,
                        .loader = loader,
                        .limits = limits,
                        .missing = missing,
                        .why = why};
    struct at root = {.key = STR("@context")};
    struct place p = {.at = &root, .base = base};
    struct scope s;
    context_scope_init(&s, NULL, &b);
    enum status st = context_process(&b, &s, spec, &p);
    if (st != OK)
        return st;
    struct context *made = context_freeze(&s, core, core->terms);
    *out = made ? made : core;
    return OK;
}
