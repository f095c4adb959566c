/* Finds the addresses that other network namespaces than the host's have. */
#ifndef CMD_ATTACH_OTHER_ADDRESSES_H
#define CMD_ATTACH_OTHER_ADDRESSES_H

#include "cmd/service_query.h"
#include "reconcile/plan/plan_options.h"
#include "reconcile/state/state.h"

struct address_search {
	struct prefix prefix; /* IPv4 */
	const char *set;      /* of the container */
	bool declared; /* also those that the files give to containers, as the service says */
};

/* Adds the IPv4 addresses in the prefix that the set's service knows of (cmd/service_query.h). The
 * other namespaces that an observation would find are entered. False: one of these has such an
 * address, on whichever link, up or down, or could not be read; or the prefix is no single address,
 * or the declared ones are searched, and there is no service that knows them. `live` has the host,
 * and the thread is in its namespace. The array is in the arena. */
bool other_addresses_find(const struct live *live, const struct address_search *what,
			  struct arena *arena, struct other_addresses *addresses);

/* Where there is no service: as service_query_addresses. */
typedef void other_addresses_source(const struct prefix *prefix, struct service_addresses *ret);
/* For this process and its children. The source is called with the lock held. */
void other_addresses_source_set(other_addresses_source *source);

#endif
