#include "kernel/link_events.h"

#include "kernel/rtnl_attributes.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdalign.h>
#include <string.h>
#include <sys/socket.h>

#define DATAGRAM_MAX (32 << 10)

int link_events_open(struct error *error)
{
	static const int groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR};
	/* A connected socket accepts unicast messages of the kernel only (netlink_getsockbyportid).
	 */
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	cleanup_close int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	int status = fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&kernel, sizeof(kernel));
	for (size_t i = 0; status == 0 && i < sizeof(groups) / sizeof(groups[0]); i++)
		status = setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i],
				    sizeof(groups[i]));
	return status == 0 ? fd_steal(&fd)
			   : error_set(error, errno, "cannot listen to the kernel's events: %s",
				       strerror(errno));
}

/* A move is announced in the old namespace as a deletion that names the new one (since 4.15,
 * dev_change_net_namespace). */
static enum link_fate message_fate(const struct nlmsghdr *message, int ifindex)
{
	const struct nlattr *attributes[IFLA_MAX + 1];
	const struct ifinfomsg *link =
		message_parse(message, RTM_DELLINK, sizeof(*link), attributes, COUNT(attributes));
	if (!link || link->ifi_family != AF_UNSPEC || link->ifi_index != ifindex)
		return LINK_STAYS;
	return attributes[IFLA_NEW_NETNSID] ? LINK_MOVED : LINK_DELETED;
}

enum link_fate link_events_read(int events, int ifindex)
{
	alignas(struct nlmsghdr) char datagram[DATAGRAM_MAX];
	enum link_fate fate = LINK_STAYS;
	for (;;) {
		/* A longer event is cut, and then is of no link: its attributes do not matter. */
		const ssize_t got = recv(events, datagram, sizeof(datagram), MSG_DONTWAIT);
		if (got < 0 && errno == ENOBUFS)
			return LINK_MOVED;
		if (got <= 0)
			return fate;
		const struct nlmsghdr *message = (const void *)datagram;
		for (int size = (int)got; mnl_nlmsg_ok(message, size);
		     message = mnl_nlmsg_next(message, &size)) {
			const enum link_fate found = message_fate(message, ifindex);
			fate = found == LINK_STAYS ? fate : found;
		}
	}
}
