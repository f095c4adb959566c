/* The descriptors of namespaces that a state keeps: the namespaces' cookies, opening them again,
 * and closing them. */
#include "kernel/netns.h"
#include "reconcile/observe/namespace.h"
#include "reconcile/observe/netns_lookup.h"
#include "reconcile/observe/netns_unnamed.h"
#include "reconcile/observe/observe.h"

#include <sys/stat.h>
#include <unistd.h>

static uint64_t cookie_of(const struct live_ns *ns)
{
	struct error ignored;
	if (ns->handle->netlink)
		return netlink_cookie(ns->handle->netlink);
	if (netns_enter(ns->handle->fd, &ignored) < 0)
		return 0;
	struct netlink *netlink = netlink_open(&ignored);
	const uint64_t cookie = netlink ? netlink_cookie(netlink) : 0;
	netlink_close(netlink);
	return cookie;
}

void observe_cookies(struct live *live)
{
	const int host_fd = live->namespaces[0]->handle->fd;
	for (size_t i = 0; i < live->n_namespaces; i++)
		if (live->namespaces[i]->handle)
			live->namespaces[i]->cookie = cookie_of(live->namespaces[i]);
	netns_return(host_fd);
}

static bool ns_reopen(struct live *live, struct lookups *lookups, struct live_ns *ns)
{
	const struct stat host = {.st_dev = live->namespaces[0]->device,
				  .st_ino = live->namespaces[0]->inode};
	bool unnamed = !ns->dead;
	for (size_t i = 0; !ns->handle && i < live->n_containers; i++) {
		struct container_lookup *lookup = &live->container_lookups[i];
		if (lookup->ns != ns || lookup->container->source_kind == SOURCE_CNI)
			continue;
		unnamed = false;
		struct lookup_result lookup_result =
			source_locate(live->arena, lookups, lookup->container, &host, NULL);
		if (lookup_result.state != CONTAINER_READY)
			lookup->stale = true;
		else if (lookup_result.stat.st_ino == ns->inode)
			ns->handle = ns_handle_new(lookup_result.fd);
		else
			close(lookup_result.fd);
		lookup->stale |= !ns->handle;
	}
	if (!ns->handle && unnamed)
		unnamed_open(&ns, 1, &host, live->namespaces[0]->handle->netlink);
	return ns->handle != NULL;
}

bool observe_reopen(struct live *live, struct lookups *lookups, const struct selection *selection)
{
	const struct plan *plan = selection->plan;
	bool opened = true;
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		if (!selection_has(selection, step))
			continue;
		if (step->ns)
			opened &= ns_reopen(live, lookups, step->ns);
		if (step->desired && step->desired->ns)
			opened &= ns_reopen(live, lookups, step->desired->ns);
	}
	return opened;
}

void namespace_release(struct live_ns *ns)
{
	ns_handle_free(ns->handle);
	ns->handle = NULL;
}

void live_free(struct live *live)
{
	if (!live)
		return;
	for (size_t i = 0; i < live->n_namespaces; i++)
		namespace_free(live->namespaces[i]);
	arena_free(live->arena);
}
