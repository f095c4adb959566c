/* Requests to the DHCP broker (broker_server.h) and its answers, one datagram each. */
#ifndef DHCP_PROTOCOL_H
#define DHCP_PROTOCOL_H

#include "dhcp/lease.h"

#include <net/if.h>

enum dhcp_operation {
	DHCP_LEASE,   /* get a lease, or renew it */
	DHCP_RELEASE, /* give it back */
};

/* Two descriptors go with it: the network namespace, and a pipe for the answer. */
struct dhcp_request {
	enum dhcp_operation operation;
	char link[IFNAMSIZ];
	char host_name[64]; /* that the server may keep; "": none */
	struct client_id client_id;
	struct ip addr; /* the one that is wanted, or given back; family 0: whichever */
	bool broadcast; /* the link gets nothing that is not for its own address: ipvlan */
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
	struct lease lease; /* DHCP_LEASE that is done */
	char text[128];     /* printable */
};

#endif
