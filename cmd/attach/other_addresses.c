#include "cmd/attach/other_addresses.h"

#include "cmd/service_query.h"
#include "kernel/netns.h"
#include "kernel/rtnl_decode.h"
#include "kernel/rtnl_encode.h"
#include "lib/cleanup.h"
#include "lib/hashmap.h"
#include "reconcile/observe/observe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <string.h>

struct search {
	struct arena *arena;
	const struct prefix *prefix;
	struct stat host;
	struct index *seen; /* inodes, 64 bits each */
	bool everything;    /* a process that cannot be read counts */
	bool failed;        /* a namespace has an address in the prefix, or could not be read */
};

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
	search->failed |= decoded == DECODED && prefix_contains(search->prefix, &addr.prefix.ip);
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
	const uint64_t inode = place->inode;
	if (search->failed || place->inode == search->host.st_ino ||
	    index_get(search->seen, &inode, sizeof(inode)))
		return true;
	cleanup_close int fd =
		netns_open_at(place->directory, place->path, place->process ? 0 : O_NOFOLLOW,
			      &search->host, &stat, &ignored);
	if (place->process && (fd == -EACCES || fd == -EPERM))
		return false;
	if (fd < 0 || addresses_compare(search, fd) < 0) {
		search->failed |=
			fd >= 0 || (!is_gone(fd) && (search->everything || !place->process));
		return true;
	}
	uint64_t *key = arena_alloc(search->arena, sizeof(*key));
	*key = inode;
	(void)index_put(search->seen, key, sizeof(*key), key);
	return true;
}

/* The entries are the keys of `seen`. */
static void entries_take(struct search *search, struct service_entry *entries, size_t count,
			 struct other_addresses *addresses)
{
	for (size_t i = 0; i < count; i++) {
		struct ip ip = {.family = entries[i].family};
		(void)index_put(search->seen, &entries[i].inode, sizeof(entries[i].inode),
				&entries[i].inode);
		memcpy(ip.bytes, entries[i].address, sizeof(ip.bytes));
		if (ip.family)
			*array_push(search->arena, addresses->items, addresses->count) = ip;
	}
}

bool other_addresses_find(const struct live *live, const struct prefix *prefix, const char *set,
			  struct arena *arena, struct other_addresses *addresses)
{
	cleanup_free struct service_entry *entries = NULL;
	const struct live_ns *host = live->namespaces[0];
	const size_t count = service_query_addresses(set, prefix, &entries);
	struct search search = {.arena = arena,
				.prefix = prefix,
				.host = {.st_dev = host->device, .st_ino = host->inode},
				.seen = index_new(count),
				.everything = observe_everything()};
	entries_take(&search, entries, count, addresses);
	/* Without a service, most containers have one. */
	search.failed = !count && prefix->len < ip_bits(&prefix->ip);
	struct netns_missed missed = {0};
	if (!search.failed)
		missed = netns_scan(NULL, place_visit, &search);
	index_free(search.seen);
	netns_return(host->handle->fd);
	return !search.failed && !missed.mounts && !missed.no_descriptors &&
	       !(search.everything && (missed.processes || missed.hidden));
}
