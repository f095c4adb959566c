#include "reconcile/observe/unaccounted_links.h"

#include "kernel/link_kind.h"
#include "lib/cleanup.h"
#include "lib/file_text.h"
#include "lib/memory.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* That of 224.0.0.1, as dev_mc_seq_show writes it. */
#define ALL_HOSTS "01005e000001"

/* How often each of the host's links has the address: by the kernel, and by the links known. */
struct memberships {
	const struct live_ns *host;
	unsigned *counted, *known;
};

/* Its place in the host's links, or n_links. */
static size_t place_of(const struct live_ns *host, int ifindex)
{
	const struct live_link *link = live_link_by_index(host, ifindex);
	return link ? (size_t)(link - host->links) : host->n_links;
}

static bool is_up(const struct live_link *link)
{
	return link->flags & IFF_UP;
}

/* What it syncs to its parent counts once for the parent, and once more for itself
 * (__hw_addr_sync_one). */
static bool syncs_to_parent(const struct live_link *link)
{
	return is_up(link) && link_type(link->kind)->has_parent &&
	       link->parent_where == PARENT_HOST;
}

static void known_count(struct memberships *memberships, const struct live *live)
{
	const struct live_ns *host = memberships->host;
	for (size_t i = 0; i < host->n_links; i++)
		memberships->known[i] += is_up(&host->links[i]) + syncs_to_parent(&host->links[i]);
	for (size_t i = 0; i < live->n_namespaces; i++)
		for (size_t k = 0; k < live->namespaces[i]->n_links; k++) {
			const struct live_link *link = &live->namespaces[i]->links[k];
			if (syncs_to_parent(link))
				memberships->known[place_of(host, link->parent)]++;
		}
}

static void counted_read(struct memberships *memberships, char *dev_mcast)
{
	for (char *line; (line = strsep(&dev_mcast, "\n"));) {
		int ifindex;
		unsigned count;
		char address[sizeof(ALL_HOSTS)];
		if (sscanf(line, "%d %*s %u %*u %12s", &ifindex, &count, address) == 3 &&
		    strcmp(address, ALL_HOSTS) == 0)
			memberships->counted[place_of(memberships->host, ifindex)] = count;
	}
}

/* A bond passes its groups on to its members: one more for the member and for the bond. No macvlan
 * or ipvlan can be on a member, whose receive handler is the bond's. */
static bool member_explain(struct memberships *memberships, size_t member)
{
	const struct live_ns *host = memberships->host;
	const int bond = host->links[member].master;
	if (bond && memberships->counted[member] > memberships->known[member])
		memberships->known[place_of(host, bond)]++;
	return bond;
}

bool links_unaccounted(const struct live *live, char *dev_mcast)
{
	const struct live_ns *host = live->namespaces[0];
	cleanup_free unsigned *numbers = memory_new(2 * (host->n_links + 1), sizeof(*numbers));
	struct memberships memberships = {
		.host = host, .counted = numbers, .known = numbers + host->n_links + 1};
	known_count(&memberships, live);
	counted_read(&memberships, dev_mcast);
	for (size_t i = 0; i < host->n_links; i++)
		if (member_explain(&memberships, i))
			memberships.counted[i] = 0;
	for (size_t i = 0; i < host->n_links; i++)
		if (memberships.counted[i] > memberships.known[i])
			return true;
	return false;
}

bool links_unaccounted_here(const struct live *live)
{
	cleanup_free char *text = file_text("/proc/thread-self/net/dev_mcast");
	return !text || links_unaccounted(live, text);
}
