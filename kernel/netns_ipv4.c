#include "kernel/netns_ipv4.h"

#include "kernel/netns.h"
#include "kernel/rtnl_decode.h"
#include "kernel/rtnl_encode.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

struct listing {
	netns_ipv4_each *each;
	void *data;
};

static int addr_take(const struct nlmsghdr *message, void *data, struct error *error)
{
	const struct listing *listing = data;
	struct live_addr addr;
	bool ignored = false;
	const enum decoded decoded = message->nlmsg_type == RTM_NEWADDR
					     ? decode_addr(message, &addr, &ignored)
					     : DECODE_SKIP;
	if (decoded == DECODE_BAD)
		return error_set(error, EBADMSG, "the kernel's listing of addresses is malformed");
	if (decoded == DECODED && addr.prefix.ip.family == AF_INET)
		listing->each(listing->data, &addr.prefix.ip);
	return 0;
}

/* Rejected: a listing by nsid, for which the kernel walks all nsids to find the namespace's. */
int netns_ipv4_read(int fd, netns_ipv4_each *each, void *data)
{
	union message request;
	struct error ignored;
	struct listing listing = {.each = each, .data = data};
	struct netlink *netlink = netns_enter(fd, &ignored) == 0 ? netlink_open(&ignored) : NULL;
	if (!netlink)
		return -ignored.errnum;
	encode_ipv4_addr_dump(&request);
	const int status = netlink_dump(netlink, &request.header, addr_take, &listing, &ignored);
	netlink_close(netlink);
	return status;
}
