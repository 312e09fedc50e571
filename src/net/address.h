/* Socket addresses as text: "127.0.0.1:1026", "[::1]:1026". */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include "base/status.h"
#include "base/str.h"

#include <sys/socket.h>

struct address {
    struct sockaddr_storage storage;
    socklen_t length;
};

/* "HOST:PORT", "[IPV6]:PORT", ":PORT" and "*:PORT" (any IPv4). A name is looked up, which blocks:
 * for start-up only. E_BAD_DATA when text is none of these, E_IO when the name is unknown. */
MUST_USE enum status address_parse(struct address *out, struct str text, struct why *why);

#define ADDRESS_TEXT_MAX 64
/* With port; IPv4-mapped IPv6 is written as IPv4. Returns the length, without the NUL. */
size_t address_format(const struct sockaddr *a, char out[ADDRESS_TEXT_MAX]);

/* The IP alone as text, without port and brackets; "" when a is no IP address. */
void address_host(const struct sockaddr *a, char out[ADDRESS_TEXT_MAX]);

/* The IP alone as 16 bytes, IPv4 mapped (::ffff:0:0/96). False when a is no IP address. */
MUST_USE bool address_ip(const struct sockaddr *a, unsigned char out[16]);

#endif
