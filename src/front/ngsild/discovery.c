/* Discovery of entity types and attributes (CIM 009 clauses 6.25 … 6.28): the shapes of
 * EntityTypeList, EntityType, EntityTypeInfo, AttributeList and Attribute (5.2.24 … 5.2.28). */
#include "broker/discover.h"
#include "front/ngsild/answer.h"
#include "front/ngsild/params.h"

struct discovery {
    struct exchange *x;
    struct discover call;
    void (*write)(const struct discovery *d, struct buf *b);
    struct str at_context; /* for bodies that carry one; absent: none */
};

/* ---- parts of the answers ---- */

static struct str name_of(const struct discovery *d, const struct discover_name *n)
{
    return context_compact_term(d->x->context, n->term);
}

/* Begins an object with its id, type and one name. */
static void begin(struct buf *b, struct str id, const char *type, const char *member, struct str name)
{
    buf_lit(b, "{\"id\":");
    json_write_str(b, id);
    buf_printf(b, ",\"type\":\"%s\",\"%s\":", type, member);
    json_write_str(b, name);
}

static void end(const struct discovery *d, struct buf *b)
{
    if (!str_absent(d->at_context)) {
        buf_lit(b, ",\"@context\":");
        buf_str(b, d->at_context);
    }
    buf_char(b, '}');
}

static void write_names(const struct discovery *d, struct buf *b, const char *member, const struct discover_name *names,
                        uint32_t n)
{
    buf_printf(b, ",\"%s\":[", member);
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            buf_char(b, ',');
        json_write_str(b, name_of(d, &names[i]));
    }
    buf_char(b, ']');
}

static void write_kinds(struct buf *b, uint32_t kinds)
{
    bool first = true;
    buf_lit(b, ",\"attributeTypes\":[");
    for (uint32_t k = 0; k < ATTR_KIND_COUNT; k++) {
        if (!(kinds & STORE_KIND_BIT(k)))
            continue;
        buf_printf(b, "%s\"%s\"", first ? "" : ",", attr_kind_name((enum attr_kind)k));
        first = false;
    }
    buf_char(b, ']');
}

/* ---- answers ---- */

/* The list of one tenant has one id. */
static void write_list(const struct discovery *d, struct buf *b, const char *type, const char *member)
{
    struct str tenant = d->x->caller.tenant;
    buf_printf(b, "{\"id\":\"urn:ngsi-ld:%s%s%.*s\",\"type\":\"%s\"", type, tenant.n ? ":" : "", STR_ARG(tenant), type);
    write_names(d, b, member, d->call.names, d->call.count);
    end(d, b);
}

static void write_type_list(const struct discovery *d, struct buf *b)
{
    write_list(d, b, "EntityTypeList", "typeList");
}

static void write_attr_list(const struct discovery *d, struct buf *b)
{
    write_list(d, b, "AttributeList", "attributeList");
}

static void write_details(const struct discovery *d, struct buf *b, const char *type, const char *name, const char *with)
{
    buf_char(b, '[');
    for (uint32_t i = 0; i < d->call.count; i++) {
        const struct discover_name *n = &d->call.names[i];
        if (i)
            buf_char(b, ',');
        begin(b, n->iri, type, name, name_of(d, n));
        write_names(d, b, with, n->with, n->with_count);
        end(d, b);
    }
    buf_char(b, ']');
}

static void write_type_details(const struct discovery *d, struct buf *b)
{
    write_details(d, b, "EntityType", "typeName", "attributeNames");
}

static void write_attr_details(const struct discovery *d, struct buf *b)
{
    write_details(d, b, "Attribute", "attributeName", "typeNames");
}

static void write_type(const struct discovery *d, struct buf *b)
{
    const struct discover_name *n = d->call.names;
    begin(b, n->iri, "EntityTypeInfo", "typeName", name_of(d, n));
    buf_lit(b, ",\"entityCount\":");
    buf_u64(b, n->count);
    buf_lit(b, ",\"attributeDetails\":[");
    for (uint32_t i = 0; i < n->with_count; i++) {
        if (i)
            buf_char(b, ',');
        begin(b, n->with[i].iri, "Attribute", "attributeName", name_of(d, &n->with[i]));
        write_kinds(b, n->with[i].kinds);
        buf_char(b, '}');
    }
    buf_char(b, ']');
    end(d, b);
}

static void write_attr(const struct discovery *d, struct buf *b)
{
    const struct discover_name *n = d->call.names;
    begin(b, n->iri, "Attribute", "attributeName", name_of(d, n));
    buf_lit(b, ",\"attributeCount\":");
    buf_u64(b, n->count);
    write_kinds(b, n->kinds);
    write_names(d, b, "typeNames", n->with, n->with_count);
    end(d, b);
}

/* ---- the way of a request ---- */

static void found(struct discovery *d)
{
    struct exchange *x = d->x;
    if (d->call.status != OK) {
        answer_refusal(x, d->call.status, &d->call.local.call.why);
        return;
    }
    if (x->accept == MEDIA_LD_JSON)
        d->at_context = answer_context_json(x);
    struct buf b;
    buf_init(&b, x->api->limits.answer_bytes);
    d->write(d, &b);
    answer_body(x, 200, &b, true, NULL, 0);
}

static void discover_done(struct discover *call)
{
    found(container_of(call, struct discovery, call));
}

static void discover(struct exchange *x, bool attributes, bool details, uint32_t term,
                     void (*write)(const struct discovery *d, struct buf *b))
{
    struct discovery *d = arena_zarray(x->arena, struct discovery, 1);
    d->x = x;
    d->write = write;
    d->call.done = discover_done;
    d->call.local = (struct store_census){
        .call = {.home = exchange_home(x), .deadline_us = exchange_deadline(x)},
        .caller = &x->caller,
        .attributes = attributes,
        .details = details,
        .term = term,
        .arena = x->arena,
    };
    if (discover_start(x->broker, &d->call))
        found(d);
}

/* The name in the path; short, or a whole IRI. */
static void discover_one(struct exchange *x, bool attributes, void (*write)(const struct discovery *d, struct buf *b))
{
    const char *what = attributes ? "attribute" : "type";
    struct str name = x->variables[0];
    uint32_t term = TERM_NONE;
    if (!reader_is_name(name))
        why_set(&x->why, E_BAD_DATA, NULL, "\"%.*s\" is not a valid %s name", STR_ARG(name), what);
    else
        term = context_expand_term(x->context, name, false, x->arena, &x->why);
    if (x->why.status == OK && term == TERM_NONE)
        why_set(&x->why, E_NOT_FOUND, NULL, "no entity has the %s \"%.*s\"", what, STR_ARG(name));
    if (x->why.status != OK)
        answer_why(x);
    else
        discover(x, attributes, true, term, write);
}

void discovery_types(struct exchange *x)
{
    bool details;
    if (params_bool(x, PARAM_DETAILS, &details) != OK)
        answer_why(x);
    else
        discover(x, false, details, TERM_NONE, details ? write_type_details : write_type_list);
}

void discovery_type(struct exchange *x)
{
    discover_one(x, false, write_type);
}

void discovery_attributes(struct exchange *x)
{
    bool details;
    if (params_bool(x, PARAM_DETAILS, &details) != OK)
        answer_why(x);
    else
        discover(x, true, details, TERM_NONE, details ? write_attr_details : write_attr_list);
}

void discovery_attribute(struct exchange *x)
{
    discover_one(x, true, write_attr);
}
