#include "reconcile/observe/netns_unnamed.h"

#include "kernel/netns.h"
#include "kernel/nsid.h"
#include "lib/memory.h"
#include "reconcile/observe/namespace.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The namespaces to find, sorted by inode. */
struct search {
	struct live_ns **namespaces;
	size_t count;
	size_t left; /* not opened yet */
	const struct stat *own;
};

static int inode_compare(const void *a, const void *b)
{
	const ino_t left = (*(struct live_ns *const *)a)->inode;
	const ino_t right = (*(struct live_ns *const *)b)->inode;
	return (left > right) - (left < right);
}

static struct live_ns *search_find(const struct search *search, ino_t inode)
{
	const struct live_ns key = {.inode = inode}, *key_at = &key;
	struct live_ns **found = bsearch(&key_at, search->namespaces, search->count,
					 sizeof(struct live_ns *), inode_compare);
	return found && !(*found)->handle ? *found : NULL;
}

/* Takes over the descriptor; -EINVAL and similar errors: not a network namespace. */
static bool namespace_take(struct search *search, struct live_ns *ns, int fd,
			   const struct stat *stat)
{
	if (fd >= 0 && stat->st_ino == ns->inode) {
		ns->handle = ns_handle_new(fd);
		search->left--;
		return true;
	}
	if (fd >= 0)
		close(fd);
	return false;
}

/* As a path from the root. */
static char *place_path(const struct netns_place *place)
{
	char folder[64], base[4096] = "";
	char *path = NULL;
	snprintf(folder, sizeof(folder), "/proc/self/fd/%d", place->directory);
	if (place->path[0] != '/' && readlink(folder, base, sizeof(base) - 1) < 0)
		return NULL;
	if (asprintf(&path, "%s%s%s", base, *base ? "/" : "", place->path) < 0)
		abort();
	return path;
}

static bool place_visit(const struct netns_place *place, void *data)
{
	struct search *search = data;
	struct live_ns *ns = search_find(search, place->inode);
	struct error ignored;
	struct stat stat;
	if (!ns)
		return true;
	int fd = netns_open_at(place->directory, place->path, place->process ? 0 : O_NOFOLLOW,
			       search->own, &stat, &ignored);
	if (!namespace_take(search, ns, fd, &stat))
		return true;
	free(ns->place);
	ns->place = place_path(place);
	namespace_rename(ns, place->name);
	namespace_source(ns, place->netns);
	return true;
}

/* The paths at which they were found in an earlier observation. */
static void places_try(struct search *search)
{
	for (size_t i = 0; i < search->count; i++) {
		struct live_ns *ns = search->namespaces[i];
		struct error ignored;
		struct stat stat;
		if (ns->place)
			namespace_take(search, ns,
				       netns_open(ns->place, search->own, &stat, &ignored), &stat);
	}
}

void unnamed_open(struct live_ns **namespaces, size_t count, const struct stat *own,
		  struct netlink *netlink)
{
	struct search search = {.namespaces = namespaces, .own = own};
	for (size_t i = 0; i < count; i++)
		if (namespaces[i]->nsid < 0 || nsid_in_use(netlink, namespaces[i]->nsid))
			namespaces[search.count++] = namespaces[i];
	search.left = search.count;
	if (search.count)
		qsort(namespaces, search.count, sizeof(*namespaces), inode_compare);
	places_try(&search);
	if (search.left)
		(void)netns_scan(NULL, place_visit, &search);
	if (search.left)
		netns_scan_descriptors(place_visit, &search);
}
