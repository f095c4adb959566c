#include "kernel/rtnl_monitor.h"

#include "lib/cleanup.h"
#include "lib/memory.h"
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for the events of about a thousand links; and of their addresses. */
#define RECEIVE_BUFFER         (16 << 20)
#define RECEIVE_BUFFER_ADDRESS (1 << 20)
#define DATAGRAM_MAX           (32 << 10)

#define GROUPS_MAX 8

/* What a socket listens to. */
struct subscription {
	int groups[GROUPS_MAX]; /* 0: no more */
	int buffer;             /* bytes; 0: the kernel's default */
	bool own;               /* events of the socket's own namespace alone */
};

static const struct subscription everything = {
	.groups = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
		   RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, RTNLGRP_NSID},
	.buffer = RECEIVE_BUFFER};
static const struct subscription addresses = {.groups = {RTNLGRP_IPV4_IFADDR, RTNLGRP_NSID},
					      .buffer = RECEIVE_BUFFER_ADDRESS};
static const struct subscription own_links = {
	.groups = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR}, .own = true};

struct monitor {
	int fd;
	char datagram[DATAGRAM_MAX];
};

static int option_set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

/* Without CAP_NET_ADMIN in the initial user namespace, the limit for ordinary users applies. */
static void buffer_set(int fd, int buffer)
{
	if (option_set(fd, SOL_SOCKET, SO_RCVBUFFORCE, buffer) < 0)
		(void)option_set(fd, SOL_SOCKET, SO_RCVBUF, buffer);
}

static int socket_open(const struct subscription *subscription, struct error *error)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	const int *groups = subscription->groups;
	cleanup_close int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (fd < 0)
		return error_set(error, errno, "cannot open a netlink socket: %s", strerror(errno));
	if (subscription->buffer)
		buffer_set(fd, subscription->buffer);
	/* A connected socket accepts unicast messages of the kernel only
	 * (netlink_getsockbyportid). */
	int status = connect(fd, (const struct sockaddr *)&kernel, sizeof(kernel));
	if (status == 0 && !subscription->own)
		status = option_set(fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, 1);
	for (size_t i = 0; status == 0 && i < GROUPS_MAX && groups[i]; i++)
		status = option_set(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, groups[i]);
	if (status == 0)
		return fd_steal(&fd);
	int errnum = errno;
	status = error_set(error, errnum, "cannot listen to the kernel's events: %s",
			   strerror(errnum));
	/* NETLINK_LISTEN_ALL_NSID requires CAP_NET_BROADCAST, which is needed for nothing else. */
	if (errnum == EPERM)
		error_hint(error,
			   "run mvapply as root, or with CAP_NET_BROADCAST in addition to the "
			   "capabilities that apply needs");
	return status;
}

static struct monitor *monitor_open(const struct subscription *subscription, struct error *error)
{
	const int fd = socket_open(subscription, error);
	if (fd < 0)
		return NULL;
	struct monitor *monitor = memory_new(1, sizeof(*monitor));
	monitor->fd = fd;
	return monitor;
}

struct monitor *monitor_new(struct error *error)
{
	return monitor_open(&everything, error);
}

struct monitor *monitor_new_addresses(struct error *error)
{
	return monitor_open(&addresses, error);
}

struct monitor *monitor_new_own_links(struct error *error)
{
	return monitor_open(&own_links, error);
}

void monitor_free(struct monitor *monitor)
{
	if (!monitor)
		return;
	close(monitor->fd);
	free(monitor);
}

int monitor_fd(const struct monitor *monitor)
{
	return monitor->fd;
}

/* The control message is present only for namespaces other than the socket's own. */
static int nsid_of(struct msghdr *header)
{
	for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control;
	     control = CMSG_NXTHDR(header, control)) {
		int nsid;
		if (control->cmsg_level != SOL_NETLINK ||
		    control->cmsg_type != NETLINK_LISTEN_ALL_NSID ||
		    control->cmsg_len < CMSG_LEN(sizeof(nsid)))
			continue;
		memcpy(&nsid, CMSG_DATA(control), sizeof(nsid));
		return nsid;
	}
	return MONITOR_HOST;
}

/* rtnetlink numbers its messages in groups of four: new, del, get, set. */
static bool deletion_decode(struct nlmsghdr *message)
{
	bool deleted = message->nlmsg_type % 4 == RTM_DELLINK % 4;
	message->nlmsg_type -= deleted;
	return deleted;
}

/* Truncates a link message that is longer than the buffer to its fixed header, which has the
 * ifindex. Returns its size; 0: another message, which is dropped. */
static size_t datagram_cut(struct monitor *monitor)
{
	struct nlmsghdr *message = (void *)monitor->datagram;
	if (message->nlmsg_len <= sizeof(monitor->datagram) ||
	    (message->nlmsg_type != RTM_NEWLINK && message->nlmsg_type != RTM_DELLINK))
		return 0;
	message->nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg));
	return message->nlmsg_len;
}

/* Returns false if the datagram ends within a message. mnl_nlmsg_ok takes a length of over 2 GiB
 * for a negative one that fits. */
static bool datagram_take(struct monitor *monitor, size_t size, int nsid, monitor_each *each,
			  void *data)
{
	int left = (int)size;
	for (struct nlmsghdr *message = (void *)monitor->datagram;
	     mnl_nlmsg_ok(message, left) && message->nlmsg_len <= size;
	     message = mnl_nlmsg_next(message, &left)) {
		bool deleted = deletion_decode(message);
		each(data, nsid, message, deleted);
	}
	return left <= 0;
}

/* Receives one datagram. Returns 1, 0 if none is pending, or -ENOBUFS. Processes that may send to a
 * group reach its listeners, too (netlink_broadcast): their datagrams are skipped, whatever their
 * length. */
static int datagram_receive(struct monitor *monitor, monitor_each *each, void *data)
{
	char control[CMSG_SPACE(sizeof(int)) * 2];
	struct sockaddr_nl from = {0};
	struct iovec iov = {.iov_base = monitor->datagram, .iov_len = sizeof(monitor->datagram)};
	struct msghdr header = {.msg_name = &from,
				.msg_namelen = sizeof(from),
				.msg_iov = &iov,
				.msg_iovlen = 1,
				.msg_control = control,
				.msg_controllen = sizeof(control)};
	ssize_t received;
	while ((received = recvmsg(monitor->fd, &header, 0)) < 0 && errno == EINTR)
		;
	if (received < 0)
		return errno == ENOBUFS ? -ENOBUFS : 0;
	if (from.nl_pid)
		return 1;
	const size_t size = header.msg_flags & MSG_TRUNC ? datagram_cut(monitor) : (size_t)received;
	const bool whole = size && datagram_take(monitor, size, nsid_of(&header), each, data);
	return whole ? 1 : -ENOBUFS;
}

int monitor_drain(struct monitor *monitor, int most, monitor_each *each, void *data)
{
	int received = 0, lost = 0;
	for (int status = 1; status && received < most; received += status != 0) {
		status = datagram_receive(monitor, each, data);
		lost = status < 0 ? status : lost;
	}
	return lost < 0 ? lost : received;
}
