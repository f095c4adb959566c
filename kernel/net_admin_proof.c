#include "kernel/net_admin_proof.h"

#include "kernel/netns.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* "MVPR": a combination of groups that differs from the lock's. */
#define PROOF_GROUPS 0x4d565052U

int net_admin_proof_open(void)
{
	const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = PROOF_GROUPS};
	cleanup_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_USERSOCK);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return fd_steal(&fd);
}

static bool option_is(int fd, int option, int expected)
{
	int value;
	socklen_t size = sizeof(value);
	return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 && value == expected;
}

static bool has_groups(int fd)
{
	struct sockaddr_nl address = {0};
	socklen_t size = sizeof(address);
	return getsockname(fd, (struct sockaddr *)&address, &size) == 0 &&
	       size == sizeof(address) && address.nl_groups == PROOF_GROUPS;
}

static bool is_of_own_network(int fd)
{
	struct stat its, own;
	struct error ignored;
	cleanup_close const int netns = ioctl(fd, SIOCGSKNS);
	cleanup_close const int here = netns_open_own(&own, &ignored);
	return netns >= 0 && here >= 0 && fstat(netns, &its) == 0 && netns_same(&its, &own);
}

bool net_admin_proof_valid(int fd)
{
	return option_is(fd, SO_DOMAIN, AF_NETLINK) &&
	       option_is(fd, SO_PROTOCOL, NETLINK_USERSOCK) && has_groups(fd) &&
	       is_of_own_network(fd);
}
