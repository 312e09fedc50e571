/* A request's query is read with the means of the NGSI-LD front, in an exchange of its own. It is read
 * twice for a stream: the loop's instance finds the entities at the beginning, the hub's is matched. */
#include "front/live_int.h"

#include "front/ngsild/params.h"

/* As api/pages.tsv tells others. */
static const struct endpoint LIVE_ENDPOINT = {
    .operation = "live",
    .method = "GET",
    .params = PARAM_BIT(PARAM_ATTRS) | PARAM_BIT(PARAM_COORDINATES) | PARAM_BIT(PARAM_DATASET_ID) |
              PARAM_BIT(PARAM_EXPAND_VALUES) | PARAM_BIT(PARAM_FORMAT) | PARAM_BIT(PARAM_GEOMETRY) |
              PARAM_BIT(PARAM_GEOMETRY_PROPERTY) |
              PARAM_BIT(PARAM_GEOPROPERTY) | PARAM_BIT(PARAM_GEOREL) | PARAM_BIT(PARAM_ID) |
              PARAM_BIT(PARAM_ID_PATTERN) | PARAM_BIT(PARAM_JSON_KEYS) | PARAM_BIT(PARAM_LANG) |
              PARAM_BIT(PARAM_LOCAL) | PARAM_BIT(PARAM_OMIT) | PARAM_BIT(PARAM_OPTIONS) | PARAM_BIT(PARAM_PICK) |
              PARAM_BIT(PARAM_Q) | PARAM_BIT(PARAM_SCOPE_Q) | PARAM_BIT(PARAM_TYPE),
    .keywords = KEYWORD_BIT(KEYWORD_NORMALIZED) | KEYWORD_BIT(KEYWORD_CONCISE) | KEYWORD_BIT(KEYWORD_SIMPLIFIED) |
                KEYWORD_BIT(KEYWORD_KEY_VALUES) | KEYWORD_BIT(KEYWORD_SYS_ATTRS),
    .body = BODY_NONE,
};

/* ---- parameters ---- */

static enum status own_param(struct exchange *x, struct str value, const char *name, struct str *out)
{
    if (!str_absent(*out))
        return why_set(&x->why, E_INVALID_REQUEST, NULL, "parameter \"%s\" is given twice", name);
    if (!params_decode(x->arena, value, true, out))
        return why_set(&x->why, E_INVALID_REQUEST, NULL, "broken percent-encoding in parameter \"%s\"", name);
    return OK;
}

/* What a browser's EventSource cannot say in headers. */
struct own_params {
    struct str tenant, context, accept;
};

/* Takes them out of the query. */
static enum status own_params(struct exchange *x, struct str *others, struct own_params *own)
{
    struct str rest = x->http->query, part;
    struct buf b;
    buf_init(&b, x->http->query.n + 1);
    enum status st = OK;
    while (st == OK && rest.n && str_split(&rest, '&', &part)) {
        if (str_starts(part, STR("tenant="))) {
            st = own_param(x, str_from(part, 7), "tenant", &own->tenant);
        } else if (str_starts(part, STR("context="))) {
            st = own_param(x, str_from(part, 8), "context", &own->context);
        } else if (str_starts(part, STR("accept="))) {
            st = own_param(x, str_from(part, 7), "accept", &own->accept);
        } else {
            if (b.n)
                buf_char(&b, '&');
            buf_str(&b, part);
        }
    }
    *others = arena_dup(x->arena, buf_view(&b));
    buf_free(&b);
    return st;
}

/* What the data of events are: JSON, unless GeoJSON is asked for, by the parameter or among what Accept names. */
static enum status accept_read(struct exchange *x, struct str accept)
{
    static const struct str GEO = {"application/geo+json", 20};
    struct str header = http_request_header(x->http, "Accept");
    if (accept.n && !str_eq(accept, GEO) && !str_eq(accept, STR("application/json")))
        return why_set(&x->why, E_INVALID_REQUEST, NULL, "accept must be application/json or application/geo+json");
    bool geo = accept.n ? str_eq(accept, GEO) : !str_absent(header) && str_find(header, GEO) != STR_NPOS;
    x->accept = geo ? MEDIA_GEO_JSON : MEDIA_JSON;
    return OK;
}

enum status live_query_read(struct exchange *x)
{
    struct own_params own = {STR_NONE, STR_NONE, STR_NONE};
    struct http_request *http = x->http, plain = *http;
    x->endpoint = &LIVE_ENDPOINT;
    enum status st = own_params(x, &plain.query, &own);
    if (st == OK)
        st = accept_read(x, own.accept);
    if (st != OK)
        return st;
    x->http = &plain; /* for its query alone */
    st = params_read(x);
    x->http = http;
    if (st == OK && own.tenant.n)
        st = exchange_set_tenant(x, own.tenant);
    if (st == OK && own.context.n) {
        x->spec = (struct json){.kind = JSON_STRING, .string = own.context};
        x->has_spec = true;
    }
    return st;
}

/* ---- the query ---- */

static const uint32_t VIEW_PARAMS[] = {PARAM_DATASET_ID, PARAM_FORMAT, PARAM_GEOMETRY_PROPERTY, PARAM_LANG, PARAM_OMIT, PARAM_OPTIONS, PARAM_PICK};

static bool of_view(uint32_t param)
{
    for (size_t i = 0; i < sizeof VIEW_PARAMS / sizeof *VIEW_PARAMS; i++)
        if (VIEW_PARAMS[i] == param)
            return true;
    return false;
}

/* attrs is of both: what it selects is also what it shows. */
static struct str key_of(const struct live_query *q, bool view)
{
    const struct exchange *x = &q->x;
    struct buf b;
    buf_init(&b, SIZE_MAX / 2);
    buf_printf(&b, "%p", (void *)x->context); /* held by the query: names mean the same */
    if (view)
        buf_printf(&b, " %d", x->accept);
    for (uint32_t p = 0; p < PARAMS; p++)
        if (exchange_has(x, p) && (of_view(p) == view || p == PARAM_ATTRS))
            buf_printf(&b, " %u:%zu:%.*s", p, x->params[p].n, STR_ARG(x->params[p]));
    struct str key = arena_dup(q->arena, buf_view(&b));
    buf_free(&b);
    return key;
}

static enum status represent_read(struct live_query *q)
{
    struct join join;
    arena_reset(q->view_arena);
    q->x.arena = q->view_arena;
    enum status st = query_input_represent(&q->x, &q->in, &q->represent, &join);
    q->x.arena = q->arena;
    return st;
}

static const struct terms *terms_of(const struct live_query *q)
{
    return q->x.broker->terms;
}

void live_query_refresh(struct live_query *q)
{
    uint32_t count = terms_count(terms_of(q));
    if (count == q->terms_seen)
        return;
    q->terms_seen = count;
    if (q->x.filter)
        filter_resolve(q->x.filter, terms_of(q));
    if (q->represent.pick || q->represent.omit) {
        enum status st = represent_read(q); /* it was read before */
        (void)st;
    }
}

/* Everything that x has of its request's memory, copied. */
static void exchange_keep(struct live_query *q, const struct exchange *x)
{
    struct exchange *own = &q->x;
    *own = (struct exchange){.api = x->api, .broker = x->broker, .endpoint = x->endpoint, .arena = q->arena};
    own->keywords = x->keywords;
    own->accept = x->accept;
    for (uint32_t p = 0; p < PARAMS; p++)
        own->params[p] = exchange_has(x, p) ? arena_dup(q->arena, x->params[p]) : STR_NONE;
    q->tenant = own->caller.tenant = arena_dup(q->arena, x->caller.tenant);
    own->context = context_ref(x->context);
}

enum status live_query_new(struct live_query **out, struct exchange *x)
{
    struct arena *a = arena_new(0);
    struct live_query *q = arena_zarray(a, struct live_query, 1);
    q->arena = a;
    q->view_arena = arena_new(0);
    exchange_keep(q, x);
    enum status st = query_input_params(&q->x, &q->in);
    q->in.local = true; /* of all that is here, however wide */
    if (st == OK)
        st = query_input_filter(&q->x, &q->in);
    if (st == OK)
        st = represent_read(q);
    if (st != OK) {
        x->why = q->x.why;
        live_query_free(q);
        return st;
    }
    q->terms_seen = terms_count(terms_of(q));
    q->filter_key = key_of(q, false);
    q->view_key = key_of(q, true);
    *out = q;
    return OK;
}

void live_query_free(struct live_query *q)
{
    if (!q)
        return;
    exchange_end(&q->x);
    arena_free(q->view_arena);
    arena_free(q->arena);
}
