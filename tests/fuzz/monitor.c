/* The kernel's events: each piece is a datagram, whose first byte decides whether it has the nsid
 * of a namespace, and whether another process sent it. After the last one, none is pending. */
#include "kernel/rtnl_monitor.h"

#include "kernel/rtnl_decode.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static struct pieces pieces;
static bool unmanaged; /* the last one */

ssize_t __wrap_recvmsg(int fd, struct msghdr *header, int flags);

static void nsid_put(struct msghdr *header, uint8_t kind)
{
	struct cmsghdr *control = header->msg_control;
	size_t length = kind & 2 ? CMSG_LEN(sizeof(int)) : CMSG_LEN(1);
	memset(header->msg_control, kind, header->msg_controllen);
	*control = (struct cmsghdr){.cmsg_len = length,
				    .cmsg_level = SOL_NETLINK,
				    .cmsg_type = NETLINK_LISTEN_ALL_NSID};
	header->msg_controllen = CMSG_SPACE(sizeof(int));
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *header, int flags)
{
	size_t size;
	const uint8_t *piece = pieces_next(&pieces, &size);
	(void)fd;
	(void)flags;
	if (!piece || size == 0) {
		errno = piece ? ENOBUFS : EAGAIN;
		return -1;
	}
	struct sockaddr_nl *from = header->msg_name;
	unmanaged = piece[0] & 4;
	from->nl_pid = unmanaged;
	header->msg_flags = size > header->msg_iov[0].iov_len ? MSG_TRUNC : 0;
	if (piece[0] & 1)
		nsid_put(header, piece[0]);
	else
		header->msg_controllen = 0;
	size = size - 1 > header->msg_iov[0].iov_len ? header->msg_iov[0].iov_len : size - 1;
	memcpy(header->msg_iov[0].iov_base, piece + 1, size);
	return (ssize_t)size;
}

static void take(void *data, int nsid, const struct nlmsghdr *message, bool deleted)
{
	struct arena *arena = data;
	struct live_link link;
	struct live_addr addr;
	struct live_route route;
	struct parent_ref parent;
	bool proto = false;
	int number;
	(void)nsid;
	(void)deleted;
	HOLDS(!unmanaged);
	(void)decode_link(arena, message, &link, &parent);
	(void)decode_addr(message, &addr, &proto);
	(void)decode_route(message, 0, &route);
	(void)decode_nsid(message, &number);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct monitor *monitor;
	struct error error;
	if (!monitor)
		monitor = monitor_new(&error);
	HOLDS(monitor);
	pieces = (struct pieces){.at = data, .left = size};
	struct arena *arena = arena_new();
	int status = monitor_drain(monitor, 65536, take, arena);
	HOLDS(status >= 0 || status == -ENOBUFS);
	arena_free(arena);
	return 0;
}
