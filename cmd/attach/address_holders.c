#include "cmd/attach/address_holders.h"

#include "cmd/service_query.h"
#include "kernel/netns.h"
#include "kernel/rtnl_decode.h"
#include "kernel/rtnl_encode.h"
#include "lib/cleanup.h"
#include "lib/hashmap.h"
#include "lib/ip.h"
#include "reconcile/observe/observe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

struct search {
	struct arena *arena;
	struct stat host;
	const struct link_spec *spec;
	struct index *seen; /* inodes */
	bool everything;    /* a process that cannot be read counts */
	bool held;
	bool unknown; /* a namespace could not be read */
};

static bool has_address(const struct link_spec *spec, const struct ip *ip)
{
	for (size_t i = 0; i < spec->n_addrs; i++)
		if (ip_equal(&spec->addrs[i].ip, ip))
			return true;
	return false;
}

static int addr_compare(const struct nlmsghdr *message, void *data, struct error *error)
{
	struct search *search = data;
	struct live_addr addr;
	bool ignored = false;
	const enum decoded decoded = message->nlmsg_type == RTM_NEWADDR
					     ? decode_addr(message, &addr, &ignored)
					     : DECODE_SKIP;
	if (decoded == DECODE_BAD)
		return error_set(error, EBADMSG, "the kernel's listing of addresses is malformed");
	search->held |= decoded == DECODED && has_address(search->spec, &addr.prefix.ip);
	return 0;
}

/* Rejected: a listing by nsid, for which the kernel walks all nsids to find the namespace's. */
static int addresses_compare(struct search *search, int fd)
{
	union message request;
	struct error ignored;
	int status = netns_enter(fd, &ignored);
	struct netlink *netlink = status < 0 ? NULL : netlink_open(&ignored);
	if (!netlink)
		return -ignored.errnum;
	encode_ipv4_addr_dump(&request);
	status = netlink_dump(netlink, &request.header, addr_compare, search, &ignored);
	netlink_close(netlink);
	return status;
}

/* Destroyed meanwhile, or hidden by another mount. */
static bool is_gone(int status)
{
	return status == -ENOENT || status == -ESRCH || status == -EINVAL || status == -ENOTDIR ||
	       status == -ELOOP;
}

static bool place_visit(const struct netns_place *place, void *data)
{
	struct search *search = data;
	struct stat stat;
	struct error ignored;
	ino_t *inode = arena_alloc(search->arena, sizeof(*inode));
	*inode = place->inode;
	if (search->held || search->unknown || place->inode == search->host.st_ino ||
	    index_get(search->seen, inode, sizeof(*inode)))
		return true;
	cleanup_close int fd =
		netns_open_at(place->directory, place->path, place->process ? 0 : O_NOFOLLOW,
			      &search->host, &stat, &ignored);
	if (place->process && (fd == -EACCES || fd == -EPERM))
		return false;
	if (fd < 0 || addresses_compare(search, fd) < 0)
		search->unknown |=
			fd >= 0 || (!is_gone(fd) && (search->everything || !place->process));
	else
		(void)index_put(search->seen, inode, sizeof(*inode), inode);
	return true;
}

/* Only the absence of the address is taken from the service. */
static void service_search(struct search *search, const char *set)
{
	struct service_entry *entries;
	const struct ip *ip = &search->spec->addrs[0].ip;
	const struct prefix prefix = {.ip = *ip, .len = (uint8_t)ip_bits(ip)};
	const size_t count = service_query(set, &prefix, &entries);
	for (size_t i = 0; i < count; i++) {
		if (entries[i].family)
			continue;
		ino_t *inode = arena_alloc(search->arena, sizeof(*inode));
		*inode = (ino_t)entries[i].inode;
		(void)index_put(search->seen, inode, sizeof(*inode), inode);
	}
	free(entries);
}

bool address_held(const struct live *live, const struct link_spec *spec, const char *set)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	const struct live_ns *host = live->namespaces[0];
	struct search search = {.arena = arena,
				.host = {.st_dev = host->device, .st_ino = host->inode},
				.spec = spec,
				.everything = observe_everything(),
				.seen = index_new(0)};
	service_search(&search, set);
	const struct netns_missed missed = netns_scan(place_visit, &search);
	index_free(search.seen);
	netns_return(host->handle->fd);
	return search.held || search.unknown || missed.mounts || missed.no_descriptors ||
	       (search.everything && (missed.processes || missed.hidden));
}
