#include "cmd/attach/guests.h"

#include "cmd/attach/netns_link.h"
#include "kernel/netns.h"
#include "reconcile/observe/observe.h"

#include <string.h>

/* Deletes those of one namespace. */
static int ns_delete(const struct live_ns *ns, int host, guest_leaves *leaves, const void *data,
		     struct error *error)
{
	int status = 0;
	for (size_t i = 0; ns->handle && i < ns->n_links && status == 0; i++)
		if (ns->links[i].tag.role == ROLE_GUEST && leaves(data, &ns->links[i].tag))
			status = netns_link_delete_at(ns->handle->fd, host, &ns->links[i], error);
	return status;
}

int guests_delete(guest_leaves *leaves, const void *data, struct error *error)
{
	int status = 0;
	struct live *live = observe_owner_tags(error);
	if (!live)
		return -error->errnum;
	const struct ns_handle *host = live->namespaces[0]->handle;
	for (size_t i = 0; host && i < live->n_namespaces && status == 0; i++)
		status = ns_delete(live->namespaces[i], host->fd, leaves, data, error);
	live_free(live);
	return status;
}

bool guest_key_is(const struct owner_tag *tag, const char *key)
{
	const char *slash = strrchr(tag->container, '/');
	return slash && strcmp(slash + 1, key) == 0;
}

bool guest_key_begins(const struct owner_tag *tag, const char *beginning)
{
	const char *slash = strrchr(tag->container, '/');
	return slash && strncmp(slash + 1, beginning, strlen(beginning)) == 0;
}
