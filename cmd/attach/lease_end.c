#include "cmd/attach/lease_end.h"

#include "dhcp/broker.h"
#include "dhcp/resolv_conf.h"
#include "kernel/netns.h"
#include "lib/arena.h"
#include "lib/cleanup.h"
#include "reconcile/plan/dhcp.h"

void lease_release(struct dhcp_broker *broker, const char *netns, const struct netns_link *found)
{
	struct error ignored;
	struct stat own, stat;
	const struct live_link *link = &found->link;
	if (!broker || link->tag.role != ROLE_ATTACH || !found->lease.family)
		return;
	cleanup_close int host = netns_open_own(&own, &ignored);
	cleanup_close int fd = host < 0 ? -1 : netns_open(netns, &own, &stat, &ignored);
	struct pending_request pending = {.netns = fd,
					  .request = dhcp_request_of(&link->tag, DHCP_RELEASE,
								     link->kind, link->name,
								     &found->lease)};
	if (fd >= 0)
		dhcp_broker_request(broker, &pending, 1);
}

void lease_file_remove(const struct netns_link *found)
{
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	const struct owner_tag *tag = &found->link.tag;
	if (tag->role == ROLE_ATTACH && tag->resolv_conf)
		resolv_conf_remove(tag->resolv_conf, owner_tag_identity(arena, tag));
}
