/* Probes the LAN for an address before it is assigned (RFC 5227, RFC 4862). */
#ifndef RECONCILE_PROBE_PROBE_H
#define RECONCILE_PROBE_PROBE_H

#include "reconcile/apply/apply.h"

/* One address, on one of the host's links. Probes are sent through the parent of the new link: they
 * reach the whole LAN, and the replies reach the parent before the link is created, also for
 * ipvlan, whose links share the parent's MAC. */
struct probe {
	size_t step; /* the plan's step for its link */
	int ifindex; /* ifindex of the parent; 0: does not exist yet; -1: it is to be created again
		      */
	const char *link; /* name of the parent */
	struct ip ip;
	bool in_use;   /* another host has it, or probes for it */
	struct mac by; /* its holder */
	int errnum;    /* the error of the probe; 0: none */
};

struct probes {
	struct arena *arena;
	struct probe *items;
	size_t count;
	const struct mac *known; /* the host's own MACs, whose replies do not count */
	size_t n_known;
	int stop; /* a descriptor: when it is readable, probes_run ends without a result; -1: none
		   */
};

/* The addresses that the selected steps assign and that are to be probed. Pure. Points into the
 * plan; everything else is in the arena. */
struct probes probes_of(const struct selection *selection, const struct live *live,
			struct arena *arena);

/* Probes all of them concurrently: IPv4 as in RFC 5227 2.1.1 (4 to 7 seconds), IPv6 as in RFC 4862
 * 5.4 (1 to 2 seconds). The thread is in the host's namespace. Addresses without a parent count as
 * not probed (ENODEV), as do those on a parent without carrier (ENETDOWN). */
void probes_run(struct probes *probes);

/* The error of an address that is in use or could not be probed. */
void probe_fault(const struct probe *probe, struct error *error);

#endif
