/* One link of a container's namespace, by its name: as a runtime's later calls need it, without
 * reading the rest of the host. */
#ifndef CMD_ATTACH_NETNS_LINK_H
#define CMD_ATTACH_NETNS_LINK_H

#include "kernel/link.h"
#include "lib/error.h"

struct netns_link {
	struct live_link link;
	struct prefix *addrs; /* CHECK compares them with prevResult */
	size_t n_addrs;
	struct ip lease;           /* the leased address; family 0: none */
	struct live_route *routes; /* through the link, of all tables, by next hop */
	size_t n_routes;
};

/* Reads the link `name` in the namespace at `path`, and its routes if `routes`. Strings go to the
 * arena. The thread is in its former namespace again afterwards. Returns 1; 0 if there is no such
 * namespace or link; or a negative errno. */
int netns_link_read(const char *path, const char *name, bool routes, struct arena *arena,
		    struct netns_link *ret, struct error *error);
/* Gives the namespace an nsid in the thread's own one: a running service gets events of it then. */
int netns_number(const char *path, struct error *error);
/* Deletes it, and the policy routing that leads to it. Returns 0, also if it does not exist; or a
 * negative errno. */
int netns_link_delete(const char *path, const struct live_link *link, struct error *error);
/* The same in an open namespace. `host`: the descriptor of the thread's own. */
int netns_link_delete_at(int fd, int host, const struct live_link *link, struct error *error);

#endif
