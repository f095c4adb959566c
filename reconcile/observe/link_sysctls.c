#include "reconcile/observe/link_sysctls.h"

#include "kernel/netns.h"
#include "kernel/sysctl.h"
#include "lib/cleanup.h"
#include "reconcile/observe/namespace.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define KEY_SIZE 128

/* The folders with per-link sysctls. */
static const char *const folders[] = {"net.ipv4.conf.IFNAME", "net.ipv6.conf.IFNAME",
				      "net.ipv4.neigh.IFNAME", "net.ipv6.neigh.IFNAME"};

/* An unreadable sysctl has no value; read-only ones are not needed. */
static void setting_keep(struct live_ns *ns, struct live_link *link, const char *name,
			 const char *key)
{
	char path[PATH_MAX], value[SYSCTL_VALUE_SIZE];
	if (live_sysctl(link, key) || sysctl_path(key, name, path, sizeof(path)) < 0 ||
	    access(path, W_OK) < 0 || sysctl_read(key, name, value) < 0)
		return;
	*array_push(ns->arena, link->sysctls, link->n_sysctls) = (struct live_sysctl){
		.key = arena_strdup(ns->arena, key), .value = arena_strdup(ns->arena, value)};
}

static void folder_keep(struct live_ns *ns, struct live_link *link, const char *name,
			const char *folder)
{
	char path[PATH_MAX], key[KEY_SIZE];
	if (sysctl_path(folder, name, path, sizeof(path)) < 0)
		return;
	cleanup_closedir DIR *directory = opendir(path);
	if (!directory)
		return;
	for (const struct dirent *entry; (entry = readdir(directory));) {
		if (entry->d_name[0] == '.')
			continue;
		int length = snprintf(key, sizeof(key), "%s.%s", folder, entry->d_name);
		if (length > 0 && (size_t)length < sizeof(key))
			setting_keep(ns, link, name, key);
	}
}

static void link_sysctls_of(struct live_ns *ns, struct live_link *link, const char *name)
{
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		folder_keep(ns, link, name, folders[i]);
}

void link_sysctls_read(struct live_ns *ns, struct live_link *link)
{
	link_sysctls_of(ns, link, link->name);
}

/* Outside of the initial network namespace there is no neigh/default (neigh_sysctl_register in
 * net/core/neighbour.c): use the values of the loopback link. */
static void default_sysctls_read(struct live_ns *ns)
{
	ns->default_sysctls = arena_alloc(ns->arena, sizeof(*ns->default_sysctls));
	link_sysctls_of(ns, ns->default_sysctls, "default");
	link_sysctls_of(ns, ns->default_sysctls, "lo");
}

static bool on_host(const struct live_link *link)
{
	return link->parent_where == PARENT_HOST;
}

void link_sysctls_observe(struct live *live)
{
	struct error ignored;
	for (size_t i = 1; i < live->n_namespaces; i++) {
		struct live_ns *ns = live->namespaces[i];
		if (!ns->handle || netns_enter(ns->handle->fd, &ignored) < 0)
			continue;
		for (size_t k = 0; k < ns->n_links; k++)
			if (on_host(&ns->links[k]))
				link_sysctls_read(ns, &ns->links[k]);
		default_sysctls_read(ns);
	}
	netns_return(live->namespaces[0]->handle->fd);
}
