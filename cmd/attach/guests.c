#include "cmd/attach/guests.h"

#include "cmd/attach/netns_link.h"
#include "kernel/netns.h"
#include "reconcile/observe/observe.h"

#include <string.h>

int guests_delete(guest_leaves *leaves, const void *data, struct error *error)
{
	int status = 0;
	struct live *live = observe_owner_tags(error);
	for (size_t i = 0; live && i < live->n_namespaces; i++) {
		const struct live_ns *ns = live->namespaces[i];
		for (size_t k = 0; k < ns->n_links && status == 0; k++)
			if (ns->links[k].tag.role == ROLE_GUEST && ns->handle &&
			    leaves(data, &ns->links[k].tag))
				status = netns_link_delete_at(ns->handle->fd,
							      live->namespaces[0]->handle->fd,
							      &ns->links[k], error);
	}
	if (!live)
		return -error->errnum;
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
