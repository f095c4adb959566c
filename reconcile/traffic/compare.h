/* Finds where a connection breaks, from the links that got answers and those that did not. Pure. */
#ifndef RECONCILE_TRAFFIC_COMPARE_H
#define RECONCILE_TRAFFIC_COMPARE_H

#include <stdbool.h>

/* The holder of the gateway's address, as far as the host knows. */
enum gateway_holder {
	GATEWAY_REMOTE,  /* not on this host */
	GATEWAY_HOST,    /* another link of the host, which the attachments do not reach */
	GATEWAY_SIBLING, /* a link of the host on the same parent as the attachments */
};

/* Where the way from an attachment to its gateway breaks, from the nearest to the farthest. */
enum traffic_break {
	BREAK_NONE,
	BREAK_UNASKED,      /* the question could not be sent */
	BREAK_PARENT_DOWN,  /* the parent is down */
	BREAK_CARRIER,      /* the parent has no carrier */
	BREAK_LINK_DOWN,    /* the container's link is down */
	BREAK_ADDRESS,      /* the container's link has no usable address of the network */
	BREAK_ROUTE,        /* the gateway answers, but no default route leads to it */
	BREAK_DUPLICATE,    /* several machines answer for the gateway */
	BREAK_HOST_GATEWAY, /* the gateway is the host itself, which the mode separates */
	BREAK_ISOLATED,     /* the gateway is on the same parent, and the mode separates both */
	BREAK_SOME,         /* others on the same parent are answered */
	BREAK_MAC_FILTER,   /* the parent is answered, and no MAC address but its own */
	BREAK_IP_FILTER,    /* the parent is answered, and no IP address but its own */
	BREAK_TAGGED,       /* the gateway answers without the VLAN's tag only */
	BREAK_VLAN,         /* other LANs of the same cable are answered, and this VLAN is not */
	BREAK_GATEWAY,   /* no question is answered, but other gateways on the parent are there */
	BREAK_NO_ANSWER, /* no link on the parent is answered */
	N_TRAFFIC_BREAKS
};

/* The state of one attachment and of those that it is compared with. */
struct traffic_facts {
	/* The attachment. */
	bool sent, answered, several_answers;
	bool link_up, has_address, route_missing;
	bool shares_mac, isolated;
	enum gateway_holder holder;
	/* Its parent. */
	bool parent_known, parent_up, parent_carrier, parent_answered;
	/* Of the others. */
	bool others_answered;   /* attachments for the same gateway on the same parent */
	bool vlan;              /* the parent is a VLAN */
	bool untagged_answered; /* this gateway, on the link below the VLAN */
	bool parent_alive;      /* another gateway, on the same parent */
	bool cable_alive;       /* another gateway, on the link below the parent or a VLAN of it */
};

enum traffic_break traffic_compare(const struct traffic_facts *facts);
/* Its name in JSON: "mac-filter". */
const char *traffic_break_name(enum traffic_break at);

#endif
