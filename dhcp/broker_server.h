/* The DHCP broker process. It is forked before mvapply drops its privileges, runs DHCP clients, and
 * does nothing else. It exits when its socket is closed. */
#ifndef DHCP_BROKER_SERVER_H
#define DHCP_BROKER_SERVER_H

#include "dhcp/protocol.h"

#include <stddef.h>

/* Whether a message of `size` bytes is a complete request, whose link, host name and address are
 * safe as arguments of a DHCP client. Its namespace is checked separately. */
bool broker_request_valid(const struct dhcp_request *request, size_t size);

/* Drops all privileges that the broker does not need, sends an int (0, or the errno with which it
 * ends), and serves the requests (protocol.h) of the socket; `program` is an open descriptor of the
 * mvapply executable. Does not return. The requester may be compromised: a request is accepted only
 * for links in a network namespace other than the host's. */
__attribute__((noreturn)) void broker_serve(int socket, int program);

#endif
