/* Text to socket address and back. One 16-byte form for IPv4 and IPv6, so that comparing,
 * counting and guarding have one case. */
#include "net/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

static enum status split(struct str text, struct str *host, struct str *port, struct why *why)
{
    size_t colon = STR_NPOS;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == ':')
            colon = i;
    if (colon == STR_NPOS)
        return why_set(why, E_BAD_DATA, NULL, "'%.*s' is no HOST:PORT", STR_ARG(text));
    *host = str_head(text, colon);
    *port = str_from(text, colon + 1);
    if (host->n >= 2 && host->p[0] == '[' && host->p[host->n - 1] == ']')
        *host = (struct str){host->p + 1, host->n - 2};
    else if (str_find_char(*host, ':') != STR_NPOS)
        return why_set(why, E_BAD_DATA, NULL, "'%.*s': write IPv6 as [ADDRESS]:PORT",
                       STR_ARG(text));
    return OK;
}

enum status address_parse(struct address *out, struct str text, struct why *why)
{
    struct str host = STR_NONE, port = STR_NONE;
    enum status st = split(text, &host, &port, why);
    if (st != OK)
        return st;
    unsigned long long number;
    char host_z[256], port_z[8];
    if (host.n >= sizeof host_z || !str_to_u64(port, 65535, &number))
        return why_set(why, E_BAD_DATA, NULL, "'%.*s': the port is no number from 0 to 65535",
                       STR_ARG(text));
    snprintf(port_z, sizeof port_z, "%llu", number);
    if (host.n == 0 || str_eq(host, STR("*")))
        host = STR("0.0.0.0");
    memcpy(host_z, host.p, host.n);
    host_z[host.n] = 0;
    struct addrinfo *found = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    int failed = getaddrinfo(host_z, port_z, &hints, &found);
    if (failed)
        return why_set(why, E_IO, NULL, "%s: %s", host_z, gai_strerror(failed));
    memcpy(&out->storage, found->ai_addr, found->ai_addrlen);
    out->length = found->ai_addrlen;
    freeaddrinfo(found);
    return OK;
}

bool address_ip(const struct sockaddr *a, unsigned char out[16])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (a->sa_family == AF_INET) {
        memcpy(out, mapped, sizeof mapped);
        memcpy(out + 12, &((const struct sockaddr_in *)(const void *)a)->sin_addr, 4);
        return true;
    }
    if (a->sa_family == AF_INET6) {
        memcpy(out, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, 16);
        return true;
    }
    return false;
}

size_t address_format(const struct sockaddr *a, char out[ADDRESS_TEXT_MAX])
{
    unsigned char ip[16];
    if (!address_ip(a, ip))
        return (size_t)snprintf(out, ADDRESS_TEXT_MAX, "unknown");
    char text[INET6_ADDRSTRLEN];
    unsigned port = ntohs(((const struct sockaddr_in *)(const void *)a)->sin_port);
    if (IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)ip)) {
        inet_ntop(AF_INET, ip + 12, text, sizeof text);
        return (size_t)snprintf(out, ADDRESS_TEXT_MAX, "%s:%u", text, port);
    }
    inet_ntop(AF_INET6, ip, text, sizeof text);
    return (size_t)snprintf(out, ADDRESS_TEXT_MAX, "[%s]:%u", text, port);
}

void address_host(const struct sockaddr *a, char out[ADDRESS_TEXT_MAX])
{
    out[0] = 0;
    if (a->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a)->sin_addr, out, ADDRESS_TEXT_MAX);
    else if (a->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, out, ADDRESS_TEXT_MAX);
}
