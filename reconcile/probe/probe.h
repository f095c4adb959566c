/* Probes the LAN for an address before it is assigned (RFC 5227, RFC 4862). */
#ifndef RECONCILE_PROBE_PROBE_H
#define RECONCILE_PROBE_PROBE_H

#include "reconcile/apply/apply.h"

/* One address, on one link of the host's. Probes leave through the parent of the link that is to
 * have it: what the parent sends reaches the whole LAN, and what is answered reaches the parent,
 * before any link is made, and for ipvlan, too, whose links share its MAC. */
struct probe {
	size_t step;      /* of the plan, for whose link it is */
	int ifindex;      /* the parent; 0: not there yet; -1: it is to be created again */
	const char *link; /* its name */
	struct ip ip;
	bool in_use;   /* somebody has it, or probes for it likewise */
	struct mac by; /* its holder */
	int errnum;    /* it could not be probed; 0: it could */
};

struct probes {
	struct arena *arena;
	struct probe *items;
	size_t count;
	const struct mac *known; /* the host's own, whose answers do not count */
	size_t n_known;
	int stop; /* a descriptor: once it is readable, probes_run ends without an answer; -1: none
		   */
};

/* The addresses that the selected steps bring onto a LAN and that are to be probed. Pure. Points
 * into the plan; all else is in the arena. */
struct probes probes_of(const struct selection *selection, const struct live *live,
			struct arena *arena);

/* Probes all of them concurrently: IPv4 as in RFC 5227 2.1.1 (4 to 7 seconds), IPv6 as in RFC 4862
 * 5.4 (1 to 2 seconds). The thread is in the host's namespace. Addresses without a parent count as
 * not probed (ENODEV), as do those on a parent without carrier (ENETDOWN). */
void probes_run(struct probes *probes);

/* The error of an address that is in use or could not be probed. */
void probe_fault(const struct probe *probe, struct error *error);

#endif
