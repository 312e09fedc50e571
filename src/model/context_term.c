/* Term definitions (JSON-LD 1.1 API, section 4.2.2). A definition may need others
 * of the same context first: its prefix, its type, the name it stands for. They
 * are then defined on the way, in any order; a circle is refused. Error names in
 * comments are those of section 9.6 there. Start at context_define(). */
#include "model/context_build.h"

#include "base/hash.h"
#include "model/context_iri.h"

/* One context object at work. */
struct work {
    struct builder *b;
    struct scope *s;
    struct local *l; /* NULL: only names that are defined already */
    const struct place *p;
    uint32_t nesting; /* definitions waiting for one another */
};

/* The members of one definition, as given; NULL where absent. */
struct given {
    const struct json *id, *reverse, *type, *container, *context;
    const struct json *direction, *index, *language, *nest, *prefix, *guarded;
    bool simple; /* just a string */
};

/* Reserved for keywords to come: a definition by such a name does not count. */
static bool is_reserved(const struct json *v)
{
    return json_is(v, JSON_STRING) && context_iri_has_keyword_form(v->string) &&
           !context_iri_is_keyword(v->string);
}

static enum status define(struct work *w, struct local_entry *e);

static struct local_entry *local_find(const struct local *l, struct str key)
{
    for (uint32_t i = (uint32_t)hash_str(key) & l->mask; l->slots[i]; i = (i + 1) & l->mask)
        if (str_eq(l->entries[l->slots[i] - 1].key, key))
            return &l->entries[l->slots[i] - 1];
    return NULL;
}

/* Defines name first if this context does and has not yet. */
static enum status need(struct work *w, struct str name, const struct at *at)
{
    struct local_entry *e = w->l ? local_find(w->l, name) : NULL;
    if (!e || e->state == LOCAL_DONE)
        return OK;
    if (e->state == LOCAL_BUSY) /* cyclic IRI mapping */
        return context_refuse(w->b, w->p, at, "the definition of \"%.*s\" needs itself",
                              STR_ARG(name));
    if (w->p->depth + ++w->nesting > w->b->limits->depth_max)
        return context_exceed(w->b, w->p, at, "limits.context_depth",
                              "definitions may need one another %u deep", w->b->limits->depth_max);
    enum status st = define(w, e);
    w->nesting--;
    return st;
}

/* The part of IRI expansion for names with a colon; *out stays as it is when the
 * name turns out to be neither compact nor absolute. */
static enum status expand_compact(struct work *w, struct str value, size_t colon,
                                  const struct at *at, struct str *out)
{
    struct str prefix = str_head(value, colon), suffix = str_from(value, colon + 1);
    if (str_eq(prefix, STR("_")) || str_starts(suffix, STR("//"))) {
        *out = value;
        return OK;
    }
    enum status st = need(w, prefix, at);
    if (st != OK)
        return st;
    const struct definition *d = context_scope_find(w->b, w->s, prefix);
    if (d && d->prefix && !str_absent(d->iri)) {
        const struct str both[] = {d->iri, suffix};
        *out = context_iri_join(both, 2, w->b->arena);
    } else if (context_iri_has_scheme(value)) {
        *out = value;
    }
    return OK;
}

/* What is neither a keyword nor a term. */
static enum status expand_rest(struct work *w, struct str value, const struct at *at,
                               struct str *out)
{
    *out = STR_NONE;
    size_t colon = str_find_char(value, ':');
    if (colon != STR_NPOS && colon > 0) {
        enum status st = expand_compact(w, value, colon, at, out);
        if (st != OK || !str_absent(*out))
            return st;
    }
    const struct str both[] = {w->s->vocab, value};
    *out = str_absent(w->s->vocab) ? value : context_iri_join(both, 2, w->b->arena);
    return OK;
}

static enum status expand(struct work *w, struct str value, const struct at *at, struct str *out)
{
    *out = STR_NONE;
    if (context_iri_is_keyword(value)) {
        *out = value;
        return OK;
    }
    if (context_iri_has_keyword_form(value))
        return OK;
    enum status st = need(w, value, at);
    if (st != OK)
        return st;
    const struct definition *d = context_scope_find(w->b, w->s, value);
    if (d) {
        *out = d->iri;
        return OK;
    }
    return expand_rest(w, value, at, out);
}

enum status context_expand_early(struct builder *b, struct scope *s, struct local *l,
                                 const struct place *p, struct str value, const struct at *at,
                                 struct str *out)
{
    struct work w = {.b = b, .s = s, .l = l, .p = p};
    return expand(&w, value, at, out);
}

static bool is_blank(struct str iri)
{
    return str_starts(iri, STR("_:"));
}

static enum status set_type(struct work *w, const struct json *v, const struct at *up,
                            struct definition *d)
{
    static const char *const KEYWORDS[] = {"@id", "@vocab", "@json", "@none"};
    struct at at = {up, STR("@type"), 0};
    if (v->kind != JSON_STRING) /* invalid type mapping */
        return context_refuse(w->b, w->p, &at, "@type must be a string");
    struct str iri;
    enum status st = expand(w, v->string, &at, &iri);
    if (st != OK)
        return st;
    bool known = context_iri_has_scheme(iri);
    for (size_t i = 0; i < sizeof KEYWORDS / sizeof *KEYWORDS && !known; i++)
        known = str_eq(iri, str_of(KEYWORDS[i]));
    if (!known)
        return context_refuse(w->b, w->p, &at,
                              "@type must be an IRI, @id, @vocab, @json or @none, not \"%.*s\"",
                              STR_ARG(v->string));
    d->type = iri;
    return OK;
}

enum {
    IN_GRAPH = 1,
    IN_ID = 2,
    IN_INDEX = 4,
    IN_LANGUAGE = 8,
    IN_LIST = 16,
    IN_SET = 32,
    IN_TYPE = 64,
};

static unsigned container_bit(const struct json *v)
{
    static const char *const NAMES[] = {"@graph", "@id",  "@index", "@language",
                                        "@list",  "@set", "@type"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (json_is_string(v, str_of(NAMES[i])))
            return 1u << i;
    return 0;
}

/* One of them alone; @graph with @id or @index; any but @list also with @set. */
static bool container_valid(unsigned bits)
{
    if (bits == IN_LIST)
        return true;
    bits &= ~(unsigned)IN_SET;
    return (bits & IN_LIST) == 0 && ((bits & (bits - 1)) == 0 || bits == (IN_GRAPH | IN_ID) ||
                                     bits == (IN_GRAPH | IN_INDEX));
}

static enum status set_container(struct work *w, const struct json *v, const struct at *up,
                                 struct definition *d, unsigned allowed)
{
    struct at at = {up, STR("@container"), 0};
    uint32_t n = v->kind == JSON_ARRAY ? v->n : 1;
    const struct json *items = v->kind == JSON_ARRAY ? v->items : v;
    unsigned bits = 0;
    for (uint32_t i = 0; i < n; i++) {
        unsigned bit = container_bit(&items[i]);
        if (!bit || (bits & bit) || !(bit & allowed))
            bits |= IN_LIST | IN_TYPE; /* together they are not valid */
        bits |= bit;
        if (bit != IN_SET || n == 1)
            d->container = bit ? items[i].string : d->container;
    }
    if (n == 0 || !container_valid(bits)) /* invalid container mapping */
        return context_refuse(w->b, w->p, &at, "not a container that this term can have");
    if (!(bits & IN_TYPE))
        return OK;
    if (str_absent(d->type))
        d->type = STR("@id");
    if (!str_eq(d->type, STR("@id")) && !str_eq(d->type, STR("@vocab"))) /* invalid type mapping */
        return context_refuse(w->b, w->p, &at, "the container @type needs @type @id or @vocab");
    return OK;
}

/* {"@reverse": …}: the term stands for a property that points back here. */
static enum status set_reverse(struct work *w, const struct given *g, const struct at *up,
                               struct definition *d)
{
    struct at at = {up, STR("@reverse"), 0};
    if (g->id || g->nest) /* invalid reverse property */
        return context_refuse(w->b, w->p, &at, "@reverse cannot stand beside @id or @nest");
    if (g->reverse->kind != JSON_STRING) /* invalid IRI mapping */
        return context_refuse(w->b, w->p, &at, "@reverse must be a string");
    enum status st = expand(w, g->reverse->string, &at, &d->iri);
    if (st != OK)
        return st;
    if (!context_iri_has_scheme(d->iri))
        return context_refuse(w->b, w->p, &at, "@reverse must be an IRI, \"%.*s\" is none",
                              STR_ARG(g->reverse->string));
    d->reverse = true;
    if (g->container && g->container->kind != JSON_NULL)
        return set_container(w, g->container, up, d, IN_SET | IN_INDEX);
    return OK;
}

/* A term that is itself a compact or absolute IRI must stand for that. */
static enum status check_speaking(struct work *w, const struct at *at, const struct definition *d)
{
    struct str same;
    enum status st = expand_rest(w, d->term, at, &same);
    if (st == OK && !str_eq(same, d->iri)) /* invalid IRI mapping */
        st = context_refuse(w->b, w->p, at, "\"%.*s\" says %.*s but is defined as %.*s",
                            STR_ARG(d->term), STR_ARG(same), STR_ARG(d->iri));
    return st;
}

/* Colon inside, or a slash anywhere: the term looks like an IRI. */
static bool looks_like_iri(struct str term)
{
    size_t colon = str_find_char(str_from(term, 1), ':');
    return (colon != STR_NPOS && colon + 2 < term.n) || str_find_char(term, '/') != STR_NPOS;
}

static enum status set_id(struct work *w, const struct given *g, const struct at *up,
                          struct definition *d)
{
    struct at inner = {up, STR("@id"), 0};
    const struct at *at = g->simple ? up : &inner;
    if (g->id->kind != JSON_STRING) /* invalid IRI mapping */
        return context_refuse(w->b, w->p, at, "a term stands for an IRI or null, not %s",
                              json_kind_name((enum json_kind)g->id->kind));
    enum status st = expand(w, g->id->string, at, &d->iri);
    if (st != OK)
        return st;
    bool speaking = looks_like_iri(d->term), keyword = context_iri_is_keyword(d->iri);
    if (str_eq(d->iri, STR("@context"))) /* invalid keyword alias */
        return context_refuse(w->b, w->p, at, "@context can have no other name");
    if (!keyword && !is_blank(d->iri) && !context_iri_has_scheme(d->iri))
        return context_refuse(w->b, w->p, at, "\"%.*s\" stands for no IRI", STR_ARG(g->id->string));
    if (speaking && (st = check_speaking(w, up, d)) != OK)
        return st;
    d->prefix = g->simple && !speaking && str_find_char(d->term, ':') == STR_NPOS &&
                context_iri_ends_in_delimiter(d->iri);
    if (is_blank(d->iri))
        d->iri = STR_NONE; /* NGSI-LD names are IRIs: stands for nothing */
    return OK;
}

/* Without @id the term says itself what it stands for: a compact IRI (here any term will do
 * as its prefix), an IRI, or a name in @vocab. */
static enum status set_own(struct work *w, const struct at *at, struct definition *d)
{
    size_t colon = str_find_char(d->term, ':');
    struct str prefix = str_head(d->term, colon == STR_NPOS ? 0 : colon);
    enum status st = prefix.n ? need(w, prefix, at) : OK;
    if (st != OK)
        return st;
    const struct definition *first = prefix.n ? context_scope_find(w->b, w->s, prefix) : NULL;
    if (first && context_iri_has_scheme(first->iri)) {
        const struct str both[] = {first->iri, str_from(d->term, colon + 1)};
        d->iri = context_iri_join(both, 2, w->b->arena);
        return OK;
    }
    if ((st = expand_rest(w, d->term, at, &d->iri)) != OK)
        return st;
    if (is_blank(d->iri))
        d->iri = STR_NONE;
    else if (!context_iri_has_scheme(d->iri)) /* invalid IRI mapping */
        return context_refuse(w->b, w->p, at, "nothing says which IRI \"%.*s\" stands for",
                              STR_ARG(d->term));
    return OK;
}

static enum status set_iri(struct work *w, const struct given *g, const struct at *at,
                           struct definition *d)
{
    if (g->id && g->id->kind == JSON_NULL)
        return OK;
    return g->id && !json_is_string(g->id, d->term) ? set_id(w, g, at, d) : set_own(w, at, d);
}

static enum status set_prefix(struct work *w, const struct given *g, const struct at *up,
                              struct definition *d)
{
    struct at at = {up, STR("@prefix"), 0};
    if (!g->prefix)
        return OK;
    if (g->prefix->kind != JSON_BOOL) /* invalid @prefix value */
        return context_refuse(w->b, w->p, &at, "@prefix must be true or false");
    if (str_find_char(d->term, ':') != STR_NPOS || str_find_char(d->term, '/') != STR_NPOS)
        return context_refuse(w->b, w->p, &at, "a term with a colon or a slash is no prefix");
    if (g->prefix->boolean && context_iri_is_keyword(d->iri))
        return context_refuse(w->b, w->p, &at, "a prefix must stand for an IRI");
    d->prefix = g->prefix->boolean && !str_absent(d->iri);
    return OK;
}

/* Members that say nothing about names: they are only checked. */
static enum status check_others(struct work *w, const struct given *g, const struct at *up,
                                const struct definition *d)
{
    struct at index = {up, STR("@index"), 0}, language = {up, STR("@language"), 0},
              direction = {up, STR("@direction"), 0}, nest = {up, STR("@nest"), 0};
    if (g->index && (g->index->kind != JSON_STRING || !str_eq(d->container, STR("@index"))))
        return context_refuse(w->b, w->p, &index,
                              "@index must be a name and needs the container @index");
    if (g->language && g->language->kind != JSON_STRING && g->language->kind != JSON_NULL)
        return context_refuse(w->b, w->p, &language, "@language must be a string or null");
    if (g->direction && g->direction->kind != JSON_NULL &&
        !json_is_string(g->direction, STR("ltr")) && !json_is_string(g->direction, STR("rtl")))
        return context_refuse(w->b, w->p, &direction,
                              "@direction must be \"ltr\", \"rtl\" or null");
    if (g->nest && (g->nest->kind != JSON_STRING || (context_iri_is_keyword(g->nest->string) &&
                                                     !json_is_string(g->nest, STR("@nest")))))
        return context_refuse(w->b, w->p, &nest, "@nest must be @nest or the name of a term");
    return OK;
}

/* A scoped context is processed to see that it is valid; its terms go nowhere. */
static enum status check_scoped(struct work *w, const struct given *g, const struct at *up)
{
    if (!g->context)
        return OK;
    struct at at = {up, STR("@context"), 0};
    if (w->b->limits->scoped_refused && !w->p->builtin)
        return context_refuse(w->b, w->p, &at,
                              "an NGSI-LD context must not contain scoped contexts");
    struct place inner = *w->p;
    inner.at = &at;
    inner.depth += w->nesting + 1; /* one depth over all, so that the stack is bounded */
    inner.scoped = true;
    struct scope s;
    context_scope_init(&s, w->s, w->b);
    return context_process(w->b, &s, g->context, &inner);
}

/* Sorts the members of a definition by name. */
static enum status take(struct work *w, const struct json *v, const struct at *up, struct given *g)
{
    const struct {
        const char *name;
        const struct json **to;
    } members[] = {
        {"@id", &g->id},
        {"@reverse", &g->reverse},
        {"@type", &g->type},
        {"@container", &g->container},
        {"@context", &g->context},
        {"@direction", &g->direction},
        {"@index", &g->index},
        {"@language", &g->language},
        {"@nest", &g->nest},
        {"@prefix", &g->prefix},
        {"@protected", &g->guarded},
    };
    *g = (struct given){.simple = v->kind != JSON_OBJECT};
    if (v->kind == JSON_STRING || v->kind == JSON_NULL)
        g->id = v;
    else if (v->kind != JSON_OBJECT) /* invalid term definition */
        return context_refuse(w->b, w->p, up, "a term is defined by a string, an object or null");
    for (uint32_t i = 0; v->kind == JSON_OBJECT && i < v->n; i++) {
        const struct json_member *m = &v->members[i];
        size_t k = 0;
        while (k < sizeof members / sizeof *members && !str_eq(m->key, str_of(members[k].name)))
            k++;
        struct at at = {up, m->key, 0};
        if (k == sizeof members / sizeof *members) /* invalid term definition */
            return context_refuse(w->b, w->p, &at, "no member of a term definition");
        *members[k].to = &m->value;
    }
    return OK;
}

/* Puts d into the scope unless an earlier, protected definition says something else. */
static enum status keep(struct work *w, const struct at *at, struct definition *d)
{
    const struct definition *old = context_scope_user(w->s, d->term);
    if (old && old->guarded && !w->p->scoped) {
        if (!str_eq(old->iri, d->iri) || !str_eq(old->type, d->type) ||
            !str_eq(old->container, d->container) || old->prefix != d->prefix ||
            old->reverse != d->reverse) /* protected term redefinition */
            return context_refuse(w->b, w->p, at, "the term \"%.*s\" is protected",
                                  STR_ARG(d->term));
        d->guarded = true;
    }
    context_scope_put(w->s, d, w->b->arena);
    return OK;
}

/* The definition of "@type" may only say that types are a set. */
static enum status check_type_keyword(struct work *w, const struct json *v, const struct at *at)
{
    const struct json *container = json_get(v, STR("@container"));
    bool fine = v->kind == JSON_OBJECT && v->n > 0 &&
                (!container || json_is_string(container, STR("@set")));
    for (uint32_t i = 0; fine && i < v->n; i++)
        fine = str_eq(v->members[i].key, STR("@container")) ||
               str_eq(v->members[i].key, STR("@protected"));
    return fine ? OK /* keyword redefinition */
                : context_refuse(w->b, w->p, at, "@type may only be given the container @set");
}

static enum status fill(struct work *w, const struct json *v, const struct at *at,
                        struct definition *d)
{
    struct given g;
    enum status st = take(w, v, at, &g);
    if (st != OK)
        return st;
    struct at guarded = {at, STR("@protected"), 0};
    d->guarded = w->l->guarded;
    if (g.guarded && g.guarded->kind != JSON_BOOL) /* invalid @protected value */
        return context_refuse(w->b, w->p, &guarded, "@protected must be true or false");
    if (g.guarded)
        d->guarded = g.guarded->boolean;
    if (g.type && (st = set_type(w, g.type, at, d)) != OK)
        return st;
    d->dropped = is_reserved(g.id) || is_reserved(g.reverse);
    if (d->dropped)
        return OK;
    if (g.reverse) {
        if ((st = set_reverse(w, &g, at, d)) != OK)
            return st;
    } else {
        if ((st = set_iri(w, &g, at, d)) != OK || (st = set_prefix(w, &g, at, d)) != OK)
            return st;
        if (g.container && (st = set_container(w, g.container, at, d, ~0u)) != OK)
            return st;
    }
    if ((st = check_others(w, &g, at, d)) != OK)
        return st;
    return check_scoped(w, &g, at);
}

static enum status define(struct work *w, struct local_entry *e)
{
    struct at at = {w->p->at, e->key, 0};
    if (e->key.n == 0) /* invalid term definition */
        return context_refuse(w->b, w->p, &at, "a term must not be empty");
    if (++w->b->terms > w->b->limits->terms_max)
        return context_exceed(w->b, w->p, &at, "limits.context_terms",
                              "a context may define %u terms", w->b->limits->terms_max);
    e->state = LOCAL_BUSY;
    struct definition d = {.term = e->key};
    enum status st = fill(w, e->value, &at, &d);
    if (st == OK)
        st = keep(w, &at, &d);
    e->state = LOCAL_DONE;
    return st;
}

enum status context_define(struct builder *b, struct scope *s, struct local *l,
                           const struct place *p)
{
    struct work w = {.b = b, .s = s, .l = l, .p = p};
    for (uint32_t i = 0; i < l->count; i++) {
        struct local_entry *e = &l->entries[i];
        struct at at = {p->at, e->key, 0};
        enum status st = OK;
        if (str_eq(e->key, STR("@type")))
            st = check_type_keyword(&w, e->value, &at);
        else if (e->state == LOCAL_NEW && !context_iri_has_keyword_form(e->key))
            st = define(&w, e);
        if (st != OK)
            return st;
    }
    return OK;
}
