#include "kernel/packet_socket.h"

#include "lib/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>

static int link_bind(int fd, int ifindex, uint16_t protocol, const struct sock_fprog *filter,
		     struct mac *ret_mac)
{
	struct sockaddr_ll link = {
		.sll_family = AF_PACKET, .sll_protocol = htons(protocol), .sll_ifindex = ifindex};
	socklen_t size = sizeof(link);
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, filter, sizeof(*filter)) < 0 ||
	    bind(fd, (const struct sockaddr *)&link, sizeof(link)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&link, &size) < 0)
		return -errno;
	if (link.sll_halen != sizeof(ret_mac->bytes))
		return -EAFNOSUPPORT;
	memcpy(ret_mac->bytes, link.sll_addr, sizeof(ret_mac->bytes));
	ret_mac->set = true;
	return 0;
}

int packet_socket_open(int ifindex, uint16_t protocol, const struct sock_fprog *filter,
		       struct mac *ret_mac)
{
	/* Protocol 0: nothing is received before it is bound. */
	cleanup_close int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int status = fd < 0 ? -errno : link_bind(fd, ifindex, protocol, filter, ret_mac);
	return status < 0 ? status : fd_steal(&fd);
}
