/* Who this context source is (CIM 009 clauses 5.2.40, 5.15.1, 6.33): its alias names it, and each of its tenants, in
 * Via headers (RFC 7230), so it is made of characters of a token. */
#include "base/time.h"
#include "front/ngsild/answer.h"

enum { IDENTITY_BYTES_MAX = 4096 };

/* The alias, and behind it the tenant; a tenant's ':' is no character of a token, '~' is none of a tenant. */
static struct str alias_of(struct exchange *x)
{
    struct str alias = x->api->alias, tenant = x->caller.tenant;
    if (!tenant.n)
        return alias;
    struct str both = arena_printf(x->arena, "%.*s.%.*s", STR_ARG(alias), STR_ARG(tenant));
    char *p = (char *)(uintptr_t)both.p + alias.n;
    for (size_t i = 0; i < tenant.n + 1; i++)
        if (p[i] == ':')
            p[i] = '~';
    return both;
}

/* ISO 8601, from microseconds. */
static void write_duration(struct buf *b, int64_t us)
{
    int64_t s = us / 1000000;
    buf_printf(b, "P%lldDT%lldH%lldM%lldS", (long long)(s / 86400), (long long)(s / 3600 % 24),
               (long long)(s / 60 % 60), (long long)(s % 60));
}

void info_source_identity(struct exchange *x)
{
    struct str alias = alias_of(x);
    struct clock *clock = x->broker->ports->clock;
    struct buf b;
    buf_init(&b, IDENTITY_BYTES_MAX);
    buf_printf(&b, "{\"id\":\"urn:ngsi-ld:ContextSourceIdentity:%.*s\",\"type\":\"ContextSourceIdentity\"", STR_ARG(alias));
    buf_printf(&b, ",\"contextSourceAlias\":\"%.*s\",\"contextSourceUptime\":\"", STR_ARG(alias));
    write_duration(&b, time_monotonic() - x->api->start_us);
    buf_lit(&b, "\",\"contextSourceTimeAt\":\"");
    buf_time(&b, clock->now_us(clock));
    buf_printf(&b, "\",\"contextSourceExtras\":{\"product\":\"Wellspring\",\"version\":\"%s\"}", x->api->version);
    if (x->accept == MEDIA_LD_JSON) {
        buf_lit(&b, ",\"@context\":");
        buf_str(&b, answer_context_json(x));
    }
    buf_char(&b, '}');
    answer_body(x, 200, &b, true, NULL, 0);
}
