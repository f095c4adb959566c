/* Reads known namespaces of a state again, in place: it takes the same time with any number of
 * others. */
#include "container_engine/docker_reservations.h"
#include "kernel/netns.h"
#include "reconcile/observe/namespace.h"
#include "reconcile/observe/netns_lookup.h"
#include "reconcile/observe/observe.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool texts_equal(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Containers of CNI are found by their links, which may be gone. */
static bool is_eligible(const struct live_ns *ns)
{
	if (ns->host || ns->dead || ns->nsid < 0 || !ns->lookups)
		return false;
	for (const struct container_lookup *lookup = ns->lookups; lookup; lookup = lookup->next)
		if (lookup->stale || lookup->container->source_kind == SOURCE_CNI)
			return false;
	return true;
}

/* Whether the lookup has the same result as before. */
static bool is_unchanged(const struct container_lookup *lookup, const struct lookup_result *now)
{
	const struct live_ns *ns = lookup->ns;
	return now->state == CONTAINER_READY && now->stat.st_ino == ns->inode &&
	       now->stat.st_dev == ns->device && (!now->engine_links || ns->engine_links) &&
	       texts_equal(lookup->id, now->id) && texts_equal(lookup->note, now->note);
}

/* Opens the namespace by all its containers. A name may lead to another namespace meanwhile. */
static bool ns_open(const struct live *live, struct lookups *lookups, struct live_ns *ns,
		    struct arena *scratch)
{
	const struct stat host = {.st_dev = live->namespaces[0]->device,
				  .st_ino = live->namespaces[0]->inode};
	bool unchanged = true;
	int opened = -1;
	if (ns->handle)
		return true;
	for (const struct container_lookup *lookup = ns->lookups; unchanged && lookup;
	     lookup = lookup->next) {
		const struct lookup_result now =
			source_locate(scratch, lookups, lookup->container, &host, NULL);
		unchanged = is_unchanged(lookup, &now);
		if (opened >= 0)
			close(opened);
		opened = now.state == CONTAINER_READY ? now.fd : -1;
	}
	if (unchanged)
		ns->handle = ns_handle_new(opened);
	else if (opened >= 0)
		close(opened);
	return unchanged;
}

static struct namespace_read_options read_options_of(const struct live_ns *ns,
						     struct arena *scratch)
{
	struct namespace_read_options read_options = {0};
	for (const struct container_lookup *lookup = ns->lookups; lookup; lookup = lookup->next)
		*array_push(scratch, read_options.containers, read_options.n_containers) =
			lookup->container;
	return read_options;
}

static bool ns_read(struct live *live, struct lookups *lookups, struct live_ns *ns,
		    struct arena *scratch)
{
	struct error ignored;
	const int host_fd = live->namespaces[0]->handle->fd;
	if (!is_eligible(ns) || !ns_open(live, lookups, ns, scratch))
		return false;
	const struct namespace_read_options read_options = read_options_of(ns, scratch);
	const int status = namespace_read(ns, host_fd, &read_options, &live->addr_proto, &ignored);
	netns_return(host_fd);
	ns->stale |= ns->crowded != NULL;
	return status == 0 && !ns->stale;
}

static bool reservations_equal(const struct docker_reservation *a,
			       const struct docker_reservation *b, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(a[i].set, b[i].set) != 0 || strcmp(a[i].network, b[i].network) != 0 ||
		    !ip_equal(&a[i].ip, &b[i].ip))
			return false;
	return true;
}

static bool reservations_unchanged(const struct live *live, struct arena *scratch)
{
	struct docker_reservation *reserved;
	return docker_reservations_read(scratch, &reserved) == live->n_reserved &&
	       reservations_equal(reserved, live->reserved, live->n_reserved);
}

bool observe_in_place(struct live *live, struct lookups *lookups, struct live_ns *const *namespaces,
		      size_t count)
{
	struct arena *scratch __attribute__((cleanup(arena_cleanup))) = arena_new();
	if (live->n_unreadable || live->resolv_conf || !reservations_unchanged(live, scratch))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!ns_read(live, lookups, namespaces[i], scratch))
			return false;
	return true;
}
