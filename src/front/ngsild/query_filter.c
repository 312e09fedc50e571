/* From a query's words to a filter tree, an order and a representation. */
#include "front/ngsild/query_input.h"

#include "base/time.h"
#include "front/ngsild/params.h"

#include <stdlib.h>

/* The reader with what this query says about values. */
static struct filter_reader reader_of(const struct exchange *x, const struct query_input *in)
{
    struct filter_reader r = exchange_filter_reader(x);
    r.expand_values = in->expand_values;
    r.expand_value_count = in->expand_value_count;
    r.json_keys = in->json_keys;
    r.json_key_count = in->json_key_count;
    return r;
}

/* Adds part to x->filter, which owns it from then on. */
static void require(struct exchange *x, struct filter *part)
{
    x->filter = filter_and(x->arena, x->filter, part);
}

static int str_order(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static enum status ids_filter(struct exchange *x, struct str *ids, uint32_t count, struct filter **out)
{
    for (uint32_t i = 0; i < count; i++)
        if (!reader_is_uri(ids[i]))
            return why_set(&x->why, E_BAD_DATA, NULL, "the id \"%.*s\" is not a URI", STR_ARG(ids[i]));
    qsort(ids, count, sizeof *ids, str_order);
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++)
        if (!n || !str_eq(ids[n - 1], ids[i]))
            ids[n++] = ids[i];
    *out = filter_of_ids(x->arena, ids, n);
    return OK;
}

/* Conjunction of what one selector says; *out may stay NULL. On failure what was built is in *out. */
static enum status selector_filter(struct exchange *x, const struct filter_reader *r,
                                   const struct query_selector *s, struct filter **out)
{
    struct filter *ids = NULL;
    enum status st = s->id_count ? ids_filter(x, s->ids, s->id_count, &ids) : OK;
    if (st == OK && ids)
        *out = filter_and(x->arena, *out, ids);
    if (st == OK && !str_absent(s->type)) {
        struct type_expr *type;
        st = filter_read_types(r, s->type, &type, &x->why);
        if (st == OK)
            *out = filter_and(x->arena, *out, filter_of_type(x->arena, type));
    }
    if (st == OK && !str_absent(s->id_pattern)) {
        struct pattern *pattern;
        st = filter_read_pattern(r, s->id_pattern, &pattern, &x->why);
        if (st == OK)
            *out = filter_and(x->arena, *out, filter_of_pattern(x->arena, pattern));
    }
    return st;
}

/* Any of the selectors: one that says nothing makes the whole disjunction say nothing, and *out NULL. */
static enum status selectors_filter(struct exchange *x, const struct filter_reader *r, const struct query_input *in,
                                    struct filter **out)
{
    *out = NULL;
    struct filter **parts = arena_zarray(x->arena, struct filter *, in->selector_count);
    uint32_t n = 0;
    bool everything = false;
    enum status st = OK;
    for (uint32_t i = 0; st == OK && i < in->selector_count; i++) {
        st = selector_filter(x, r, &in->selectors[i], &parts[n]);
        everything |= st == OK && !parts[n];
        n += parts[n] != NULL;
    }
    struct filter *any = n == 1 ? parts[0] : NULL;
    if (n > 1) {
        any = arena_zarray(x->arena, struct filter, 1);
        *any = (struct filter){.kind = FILTER_OR, .count = n, .parts = parts};
    }
    if (st != OK || everything) {
        filter_free(any);
        return st;
    }
    *out = any;
    return OK;
}

enum status query_input_candidates(struct exchange *x, const struct query_input *in, struct filter **out)
{
    struct filter_reader r = reader_of(x, in);
    *out = x->filter;
    if (in->local || in->all_types || !(in->split_given ? in->split : x->api->split_entities))
        return OK;
    enum status st = selectors_filter(x, &r, in, out);
    if (st == OK && *out)
        x->extra_filters[x->extra_filter_count++] = *out;
    return st;
}

static enum status geo_filter_add(struct exchange *x, const struct filter_reader *r, const struct query_input *in)
{
    int given = !str_absent(in->georel) + !str_absent(in->geometry) + (in->coordinates != NULL);
    struct filter *f;
    if (!given)
        return OK;
    if (given < 3)
        return why_set(&x->why, E_BAD_DATA, NULL, "a geo-query needs georel, geometry and coordinates");
    enum status st =
        filter_read_geo(r, in->georel, in->geometry, in->coordinates, in->geoproperty, &f, &x->why);
    if (st == OK)
        require(x, f);
    return st;
}

static bool is_system_member(struct str name)
{
    static const char *const NAMES[] = {"id", "type", "scope", "createdAt", "modifiedAt", "deletedAt", "expiresAt"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (str_eq(name, str_of(NAMES[i])))
            return true;
    return false;
}

static enum status attrs_check(struct exchange *x, const struct query_input *in)
{
    for (uint32_t i = 0; i < in->attr_count; i++)
        if (!is_system_member(in->attrs[i]) && !reader_is_name(in->attrs[i]))
            return why_set(&x->why, E_BAD_DATA, NULL, "attrs: \"%.*s\" is not a valid attribute name",
                           STR_ARG(in->attrs[i]));
    return OK;
}

static enum status attrs_filter(struct exchange *x, const struct query_input *in)
{
    if (!in->attr_count)
        return OK;
    if (attrs_check(x, in) != OK)
        return x->why.status;
    struct name *names = arena_array(x->arena, struct name, in->attr_count);
    for (uint32_t i = 0; i < in->attr_count; i++) {
        names[i].term = context_expand_term(x->context, in->attrs[i], false, x->arena, &x->why);
        names[i].iri = context_expand(x->context, in->attrs[i], x->arena);
    }
    require(x, filter_of_attrs(x->arena, names, in->attr_count));
    return OK;
}

/* Clause 5.7.2.4: types, attributes, a query, a geo-query or local scope, else the query is too wide. */
static enum status wide_enough(struct exchange *x, const struct query_input *in, bool q_has_attribute)
{
    bool types = in->all_types, attrs = false;
    for (uint32_t i = 0; i < in->attr_count; i++)
        attrs |= !is_system_member(in->attrs[i]);
    for (uint32_t i = 0; i < in->selector_count; i++)
        types |= !str_absent(in->selectors[i].type);
    if (types || attrs || q_has_attribute || !str_absent(in->georel) || in->local)
        return OK;
    return why_set(&x->why, E_BAD_DATA, NULL,
                   "too wide a query: give at least one of type, attrs, q, georel, or local=true");
}

static enum status order_add(struct exchange *x, const struct filter_reader *r, const struct query_input *in)
{
    if (str_absent(in->order_by))
        return OK;
    if (exchange_has(x, PARAM_LOCAL) && !in->local)
        return why_set(&x->why, E_BAD_DATA, NULL, "orderBy needs local scope (clause 5.7.2.4)");
    return order_read(r, in->order_by, in->collation, in->order_from, in->order_geometry, &x->order, &x->why);
}

/* No sources are registered: it selects among none, but must be a query. */
static enum status csf_check(struct exchange *x, const struct filter_reader *r, const struct query_input *in)
{
    struct filter *csf;
    if (str_absent(in->csf))
        return OK;
    enum status st = filter_read_q(r, in->csf, &csf, &x->why);
    if (st == OK)
        x->extra_filters[x->extra_filter_count++] = csf;
    return st;
}

/* levels: relationships that it may follow. */
static enum status q_add(struct exchange *x, const struct filter_reader *r, const struct query_input *in, uint32_t levels,
                         bool *has_attribute)
{
    struct filter *q;
    *has_attribute = false;
    if (str_absent(in->q))
        return OK;
    enum status st = filter_read_q(r, in->q, &q, &x->why);
    if (st != OK)
        return st;
    *has_attribute = filter_has_attribute(q);
    require(x, q);
    if (filter_link_depth(q) > levels)
        st = why_set(&x->why, E_BAD_DATA, NULL,
                     "too deep a query: q follows %u relationships, which needs join and a joinLevel of %u",
                     filter_link_depth(q), filter_link_depth(q));
    return st;
}

static enum status scopes_read(struct exchange *x, const struct filter_reader *r, const struct query_input *in,
                               struct scope_expr **out)
{
    *out = NULL;
    return str_absent(in->scope_q) ? OK : filter_read_scopes(r, in->scope_q, out, &x->why);
}

/* What comes first in every query: links, local scope, the filter of sources, q. */
static enum status begin(struct exchange *x, const struct filter_reader *r, const struct query_input *in,
                         struct join *join, bool *q_has_attribute)
{
    *q_has_attribute = false;
    enum status st = query_links_read(x, in, join);
    if (st == OK && in->all_types && exchange_has(x, PARAM_LOCAL) && !in->local)
        st = why_set(&x->why, E_BAD_DATA, NULL, "type=* implies local scope: local must not be false");
    if (st == OK)
        st = csf_check(x, r, in);
    return st == OK ? q_add(x, r, in, join->kind ? join->level : 0, q_has_attribute) : st;
}

enum status query_input_filter(struct exchange *x, const struct query_input *in)
{
    struct filter_reader r = reader_of(x, in);
    bool q_has_attribute;
    struct join join;
    struct filter *any = NULL;
    struct scope_expr *scope = NULL;
    enum status st = begin(x, &r, in, &join, &q_has_attribute);
    if (st == OK)
        st = selectors_filter(x, &r, in, &any);
    if (any)
        require(x, any);
    if (st == OK)
        st = geo_filter_add(x, &r, in);
    if (st == OK)
        st = scopes_read(x, &r, in, &scope);
    if (scope)
        require(x, filter_of_scope(x->arena, scope));
    if (st == OK)
        st = attrs_filter(x, in);
    if (st == OK)
        st = order_add(x, &r, in);
    return st == OK ? wide_enough(x, in, q_has_attribute) : st;
}

/* Evolutions are ordered by their ids alone (clause 5.7.4.4). */
static enum status id_order_read(struct exchange *x, const struct filter_reader *r, const struct query_input *in)
{
    enum status st = order_add(x, r, in);
    if (st != OK || !x->order)
        return st;
    if (x->order->count != 1 || x->order->keys[0].system != ORDER_ID)
        return why_set(&x->why, E_BAD_DATA, NULL, "temporal evolutions are ordered by id alone");
    return OK;
}

enum status query_input_parts(struct exchange *x, const struct query_input *in, struct query_parts *out)
{
    struct filter_reader r = reader_of(x, in);
    bool q_has_attribute;
    struct join join;
    *out = (struct query_parts){0};
    enum status st = begin(x, &r, in, &join, &q_has_attribute);
    if (st == OK && join.kind)
        st = why_set(&x->why, E_BAD_DATA, NULL, "temporal evolutions are not joined to what they link to");
    if (st == OK)
        st = geo_filter_add(x, &r, in);
    out->values = x->filter;
    if (st == OK)
        st = selectors_filter(x, &r, in, &out->entities);
    if (out->entities)
        x->extra_filters[x->extra_filter_count++] = out->entities;
    if (st == OK)
        st = scopes_read(x, &r, in, &out->scopes);
    if (st == OK)
        st = attrs_check(x, in);
    if (st == OK)
        st = id_order_read(x, &r, in);
    return st == OK ? wide_enough(x, in, q_has_attribute) : st;
}

/* ---- representation ---- */

static enum status format_read(struct exchange *x, struct represent *r)
{
    struct str f = x->params[PARAM_FORMAT];
    bool concise = exchange_option(x, KEYWORD_CONCISE);
    bool simplified = exchange_option(x, KEYWORD_SIMPLIFIED) || exchange_option(x, KEYWORD_KEY_VALUES);
    if (!str_absent(f)) { /* takes precedence over options */
        concise = str_eq(f, STR("concise"));
        simplified = str_eq(f, STR("simplified")) || str_eq(f, STR("keyValues"));
        if (!concise && !simplified && !str_eq(f, STR("normalized")))
            return why_set(&x->why, E_INVALID_REQUEST, NULL,
                           "format must be normalized, concise, simplified or keyValues");
    }
    r->format = simplified ? REPRESENT_SIMPLIFIED : concise ? REPRESENT_CONCISE : REPRESENT_NORMALIZED;
    return OK;
}

/* attrs is a pick of attributes; id and type stay. */
static enum status attrs_as_pick(struct exchange *x, const struct query_input *in, struct represent *r)
{
    struct projection *p = arena_zarray(x->arena, struct projection, 1);
    p->id = p->type = true;
    p->terms = arena_array(x->arena, uint32_t, in->attr_count);
    for (uint32_t i = 0; i < in->attr_count; i++) {
        uint32_t term = context_expand_term(x->context, in->attrs[i], false, x->arena, &x->why);
        uint32_t at = p->count;
        if (term == TERM_NONE)
            continue;
        for (; at > 0 && p->terms[at - 1] > term; at--)
            p->terms[at] = p->terms[at - 1];
        p->terms[at] = term;
        p->count++;
    }
    r->pick = p;
    return OK;
}

/* Relationships followed one after another, also of names that no entity has ever had, which the projection itself
 * leaves out. */
static uint32_t depth_of(struct str projection)
{
    uint32_t depth = 0, most = 0;
    for (size_t i = 0; i < projection.n; i++) {
        depth += projection.p[i] == '{';
        depth -= projection.p[i] == '}';
        most = depth > most ? depth : most;
    }
    return most;
}

static enum status disjoint_check(struct exchange *x, const struct projection *pick, const struct projection *omit)
{
    bool both = (pick->id && omit->id) || (pick->type && omit->type) || (pick->scope && omit->scope);
    for (uint32_t i = 0; i < pick->count && !both; i++)
        both = projection_omits(omit, pick->terms[i]);
    return both ? why_set(&x->why, E_BAD_DATA, NULL, "pick and omit name the same member") : OK;
}

static enum status projections(struct exchange *x, const struct query_input *in, const struct join *join,
                               struct represent *r)
{
    uint32_t level = join->kind ? join->level : 0;
    struct projection *pick = NULL, *omit = NULL;
    enum status st = OK;
    if (in->attr_count && (!str_absent(in->pick) || !str_absent(in->omit)))
        return why_set(&x->why, E_BAD_DATA, NULL, "attrs excludes pick and omit");
    if (in->attr_count)
        st = attrs_check(x, in);
    if (st == OK && in->attr_count)
        st = attrs_as_pick(x, in, r);
    if (st == OK && !str_absent(in->pick)) {
        st = projection_read(&pick, in->pick, x->context, &x->api->limits.projection, x->arena, &x->why);
        r->pick = pick;
    }
    if (st == OK && !str_absent(in->omit)) {
        st = projection_read(&omit, in->omit, x->context, &x->api->limits.projection, x->arena, &x->why);
        r->omit = omit;
    }
    if (st == OK && pick && omit)
        st = disjoint_check(x, pick, omit);
    if (st == OK && (depth_of(in->pick) > level || depth_of(in->omit) > level))
        st = why_set(&x->why, E_BAD_DATA, NULL,
                     "pick and omit follow relationships only together with join, and as far as joinLevel (clause 5.7.2.4)");
    return st;
}

static enum status datasets_check(struct exchange *x, const struct query_input *in)
{
    for (uint32_t i = 0; i < in->dataset_count; i++)
        if (!str_eq(in->datasets[i], STR("@none")) && !reader_is_uri(in->datasets[i]))
            return why_set(&x->why, E_BAD_DATA, NULL, "datasetId: \"%.*s\" is neither a URI nor @none",
                           STR_ARG(in->datasets[i]));
    return OK;
}

static enum status lang_check(struct exchange *x, struct str lang)
{
    if (!str_absent(lang) && !reader_is_language_ranges(lang))
        return why_set(&x->why, E_BAD_DATA, NULL, "lang: \"%.*s\" is no list of language ranges (RFC 3282)",
                       STR_ARG(lang));
    return OK;
}

enum status query_input_show(struct exchange *x, const struct query_input *in, struct represent *r, struct join *join)
{
    *r = (struct represent){
        .geojson = x->accept == MEDIA_GEO_JSON,
        .sys_attrs = exchange_option(x, KEYWORD_SYS_ATTRS),
        .context = x->context,
        .arena = x->arena,
        .lang = in->lang,
        .datasets = in->datasets,
        .dataset_count = in->dataset_count,
    };
    enum status st = lang_check(x, in->lang);
    if (st == OK)
        st = query_links_read(x, in, join);
    if (st == OK)
        st = datasets_check(x, in);
    if (st == OK)
        st = projections(x, in, join, r);
    if (st != OK)
        return st;
    if (!str_absent(in->geometry_property) && !r->geojson)
        return why_set(&x->why, E_BAD_DATA, NULL, "geometryProperty is for Accept: application/geo+json only");
    struct str geometry = str_absent(in->geometry_property) ? STR("location") : in->geometry_property;
    r->geometry_given = !str_absent(in->geometry_property);
    if (r->geojson)
        r->geometry_property = context_expand_term(x->context, geometry, false, x->arena, &x->why);
    return x->why.status;
}

enum status query_input_represent(struct exchange *x, const struct query_input *in, struct represent *r,
                                  struct join *join)
{
    enum status st = query_input_show(x, in, r, join);
    return st == OK ? format_read(x, r) : st;
}
