/* Answers the query which namespaces lack an address (cmd/service_query.h). */
#include "cmd/service_query.h"
#include "cmd/watch/internal.h"
#include "kernel/link_kind.h"
#include "lib/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* The kernel would have reported a change of its addresses. The events of the host's own addresses
 * are filtered. */
static bool is_current(const struct live_ns *ns)
{
	return !ns->host && ns->nsid >= 0 && ns->details && !ns->stale && !ns->rate_limited &&
	       !ns->crowded && !ns->dead;
}

struct entries {
	struct service_entry *items;
	size_t count;
};

static void entry_add(struct entries *entries, const struct live_ns *ns, const struct ip *ip)
{
	struct service_entry *entry = &entries->items[entries->count++];
	*entry = (struct service_entry){.inode = ns->inode, .family = ip->family};
	memcpy(entry->address, ip->bytes, sizeof(entry->address));
}

/* Whether the link is on one of the host's, as an attachment is: other links with the address cause
 * no conflict. */
static bool is_on_host(const struct live_ns *ns, int ifindex)
{
	enum driver ignored;
	const struct live_link *link = live_link_by_index(ns, ifindex);
	return !link || (link_handler(link, &ignored) && link->parent_where == PARENT_HOST);
}

static void ns_add(struct entries *entries, const struct live_ns *ns, const struct prefix *prefix)
{
	const size_t before = entries->count;
	for (size_t i = 0; i < ns->n_addrs; i++)
		if (prefix_contains(prefix, &ns->addrs[i].prefix.ip) &&
		    is_on_host(ns, ns->addrs[i].ifindex))
			entry_add(entries, ns, &ns->addrs[i].prefix.ip);
	if (entries->count == before)
		entry_add(entries, ns, &(struct ip){0});
}

/* The caller frees the items. */
static struct entries entries_list(const struct live *live, const struct prefix *prefix)
{
	size_t room = 1;
	for (size_t i = 0; i < live->n_namespaces; i++)
		room += live->namespaces[i]->n_addrs + 1;
	struct entries entries = {.items = memory_new(room, sizeof(*entries.items))};
	for (size_t i = 0; i < live->n_namespaces; i++)
		if (is_current(live->namespaces[i]))
			ns_add(&entries, live->namespaces[i], prefix);
	return entries;
}

bool service_answer(struct service *service, int fd, const char *request)
{
	struct prefix prefix;
	struct entries entries = {0};
	if (!service_query_parse(request, &prefix))
		return false;
	service_read_events(service);
	if (service->live && !service->lost)
		entries = entries_list(service->live, &prefix);
	const size_t size = entries.count * sizeof(*entries.items);
	const ssize_t sent = send(fd, entries.items, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	free(entries.items);
	return size && sent == (ssize_t)size;
}
