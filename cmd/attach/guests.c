#include "cmd/attach/guests.h"

#include "cmd/attach/netns_link.h"
#include "cmd/service_query.h"
#include "kernel/netns.h"
#include "lib/cleanup.h"
#include "reconcile/observe/observe.h"

#include <stdlib.h>
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

/* Whether no owner tag in the line leaves; the inode is cut from it. */
static bool line_stays(char *line, guest_leaves *leaves, const void *data)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	bool stays = true;
	(void)strsep(&line, "\t");
	for (const char *alias; stays && (alias = strsep(&line, "\t"));) {
		const struct owner_tag tag = owner_tag_parse(arena, alias);
		stays = tag.role != ROLE_GUEST || !leaves(data, &tag);
	}
	return stays;
}

/* The inodes of the namespaces that need not be entered, of the service's lines. */
static void stays_add(struct index *known, char *lines, struct arena *arena, guest_leaves *leaves,
		      const void *data)
{
	for (char *line; (line = strsep(&lines, "\n"));) {
		uint64_t *inode = arena_alloc(arena, sizeof(*inode));
		*inode = strtoull(line, NULL, 10);
		if (line_stays(line, leaves, data))
			(void)index_put(known, inode, sizeof(*inode), inode);
	}
}

int guests_delete(guest_leaves *leaves, const void *data, const char *set, struct error *error)
{
	int status = 0;
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	__attribute__((cleanup(index_cleanup))) struct index *known = index_new(0);
	cleanup_free char *lines = set ? service_query_tags(set) : NULL;
	stays_add(known, lines, arena, leaves, data);
	struct live *live = observe_owner_tags(known, error);
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
