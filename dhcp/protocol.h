/* Requests to the DHCP broker (broker_server.h) and its answers, one datagram each. */
#ifndef DHCP_PROTOCOL_H
#define DHCP_PROTOCOL_H

#include "dhcp/lease.h"

#include <limits.h>
#include <net/if.h>

enum dhcp_operation {
	DHCP_LEASE,   /* request or renew a lease */
	DHCP_RELEASE, /* release it */
};

/* Sent with two descriptors: the network namespace, and a pipe for the answer. */
struct dhcp_request {
	enum dhcp_operation operation;
	char link[IFNAMSIZ];
	char host_name[64]; /* for the server to register; "": none */
	struct client_id client_id;
	struct ip addr; /* the address to request or release; family 0: any */
	bool broadcast; /* request broadcast replies: an ipvlan receives no frames for an address
			   that it lacks */
};

enum dhcp_result {
	DHCP_DONE,
	DHCP_SILENT, /* no server answered */
	DHCP_ABSENT, /* no client is installed */
	DHCP_UNFIT,  /* the lease is invalid: `text` has the reason */
	DHCP_FAILED, /* the client failed: `text` has the reason */
};

struct dhcp_answer {
	enum dhcp_result result;
	struct lease lease; /* of a successful DHCP_LEASE */
	char text[128];     /* printable */
};

/* It is written to a pipe at once. */
_Static_assert(sizeof(struct dhcp_answer) <= PIPE_BUF, "an answer is larger than a pipe's write");

#endif
