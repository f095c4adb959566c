#include "cmd/docker_plugin/link.h"

#include "cmd/attach/netns_link.h"
#include "kernel/link_request.h"
#include "kernel/netns.h"
#include "lib/cleanup.h"
#include "lib/hash.h"

#include <inttypes.h>
#include <string.h>

const char *endpoint_link_name(const char *endpoint, struct arena *arena)
{
	return arena_printf(arena, "mv%012" PRIx64, hash_text(HASH_START, endpoint) >> 16);
}

bool endpoint_link_named(const char *name)
{
	return strncmp(name, "mv", 2) == 0 && strlen(name) == 14 &&
	       strspn(name + 2, "0123456789abcdef") == 12;
}

const char *endpoint_key(const char *endpoint, struct arena *arena)
{
	return arena_printf(arena, "docker.%016" PRIx64, hash_text(HASH_START, endpoint));
}

int endpoint_link_find(const char *name, struct arena *arena, struct live_link *ret,
		       struct error *error)
{
	struct netlink *netlink = netlink_open(error);
	const int status = netlink ? link_find(netlink, name, arena, ret, error) : -error->errnum;
	netlink_close(netlink);
	return status;
}

int endpoint_link_delete(const struct live_link *link, struct error *error)
{
	struct stat ignored;
	cleanup_close int host = netns_open_own(&ignored, error);
	return host < 0 ? host : netns_link_delete_at(host, host, link, error);
}
