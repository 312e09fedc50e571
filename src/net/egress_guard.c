/* Which addresses we connect to. Ranges are kept as 16-byte prefixes, IPv4 mapped into IPv6, so
 * that 169.254.1.1 and ::ffff:169.254.1.1 are one address. Addresses that carry an IPv4 address to
 * a translator (NAT64, RFC 6052; 6to4, RFC 3056) are judged by the one they carry as well. */
#include "net/http_client.h"

#include "net/address.h"

#include <arpa/inet.h>
#include <stdlib.h>

struct range {
    unsigned char ip[16];
    unsigned bits;
};

struct egress_guard {
    struct range *refuse, *allow;
    size_t refuse_count, allow_count;
};

static const char *const built_in[] = {
    "0.0.0.0/8",          /* unspecified: would reach ourselves */
    "169.254.0.0/16",     /* link-local, among them the clouds' metadata services */
    "224.0.0.0/4",        /* multicast */
    "255.255.255.255/32", /* broadcast */
    "::/128",
    "fe80::/10",
    "ff00::/8",
};
enum { BUILT_IN = sizeof built_in / sizeof *built_in };

static enum status range_parse(struct range *out, struct str text, struct why *why)
{
    char host[INET6_ADDRSTRLEN];
    size_t slash = str_find_char(text, '/');
    struct str address = str_head(text, slash);
    struct in6_addr six;
    struct in_addr four;
    unsigned max;
    if (address.n >= sizeof host)
        return why_set(why, E_BAD_DATA, NULL, "'%.*s' is no range", STR_ARG(text));
    memcpy(host, address.p, address.n);
    host[address.n] = 0;
    if (inet_pton(AF_INET, host, &four) == 1) {
        max = 32;
        memset(out->ip, 0, 10);
        memset(out->ip + 10, 0xff, 2);
        memcpy(out->ip + 12, &four, 4);
    } else if (inet_pton(AF_INET6, host, &six) == 1) {
        max = 128;
        memcpy(out->ip, &six, 16);
    } else {
        return why_set(why, E_BAD_DATA, NULL,
                       "'%.*s' is no range like \"10.0.0.0/8\" or \"fd00::/8\"", STR_ARG(text));
    }
    unsigned long long bits = max;
    if (slash != STR_NPOS && !str_to_u64(str_from(text, slash + 1), max, &bits))
        return why_set(why, E_BAD_DATA, NULL, "'%.*s': the prefix must be 0 to %u", STR_ARG(text),
                       max);
    out->bits = (unsigned)bits + 128 - max;
    return OK;
}

enum status egress_guard_new(struct egress_guard **out, const struct str *refuse,
                             size_t refuse_count, const struct str *allow, size_t allow_count,
                             struct why *why)
{
    struct egress_guard *g = mem_zalloc(sizeof *g);
    enum status st = OK;
    g->refuse = mem_zalloc((BUILT_IN + refuse_count) * sizeof *g->refuse);
    g->allow = mem_zalloc(allow_count * sizeof *g->allow);
    for (size_t i = 0; st == OK && i < BUILT_IN; i++)
        st = range_parse(&g->refuse[g->refuse_count++], str_of(built_in[i]), why);
    for (size_t i = 0; st == OK && i < refuse_count; i++)
        st = range_parse(&g->refuse[g->refuse_count++], refuse[i], why);
    for (size_t i = 0; st == OK && i < allow_count; i++)
        st = range_parse(&g->allow[g->allow_count++], allow[i], why);
    if (st != OK) {
        egress_guard_free(g);
        return st;
    }
    *out = g;
    return OK;
}

void egress_guard_free(struct egress_guard *g)
{
    if (!g)
        return;
    free(g->refuse);
    free(g->allow);
    free(g);
}

static bool in_range(const struct range *r, const unsigned char ip[16])
{
    unsigned bytes = r->bits / 8, rest = r->bits % 8;
    unsigned mask = (0xff00u >> rest) & 0xff;
    return memcmp(r->ip, ip, bytes) == 0 &&
           (rest == 0 || (r->ip[bytes] & mask) == (ip[bytes] & mask));
}

static bool in_any(const struct range *r, size_t n, const unsigned char ip[16])
{
    for (size_t i = 0; i < n; i++)
        if (in_range(&r[i], ip))
            return true;
    return false;
}

/* The IPv4 address that ip carries through a translator, mapped. */
static bool carried(const unsigned char ip[16], unsigned char out[16])
{
    static const unsigned char nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    const unsigned char *four;
    if (memcmp(ip, nat64, sizeof nat64) == 0)
        four = ip + 12;
    else if (ip[0] == 0x20 && ip[1] == 0x02)
        four = ip + 2;
    else
        return false;
    memset(out, 0, 10);
    memset(out + 10, 0xff, 2);
    memcpy(out + 12, four, 4);
    return true;
}

static bool ip_allowed(const struct egress_guard *g, const unsigned char ip[16])
{
    return in_any(g->allow, g->allow_count, ip) || !in_any(g->refuse, g->refuse_count, ip);
}

bool egress_guard_allows(const struct egress_guard *g, const struct sockaddr *address)
{
    unsigned char ip[16], inner[16];
    if (!address_ip(address, ip))
        return false;
    return ip_allowed(g, ip) && (!carried(ip, inner) || ip_allowed(g, inner));
}
