#include "kernel/netlink_lock.h"

#include "lib/cleanup.h"
#include "lib/file_text.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* "MVAP": a combination of twelve groups that no other program joins by chance. */
#define LOCK_GROUPS 0x4d564150U

/* The netlink sockets of this network namespace (netlink_native_seq_show). Rejected: sock_diag,
 * which is a separate module. */
#define SOCKETS_FILE "/proc/thread-self/net/netlink"

static bool is_lock(const char *line, uint32_t *ret_port)
{
	unsigned protocol, port, groups;
	if (sscanf(line, "%*s %u %u %x", &protocol, &port, &groups) != 3)
		return false;
	*ret_port = port;
	return protocol == NETLINK_USERSOCK && groups == LOCK_GROUPS;
}

/* Whether another socket than the one with port `own` has the lock: 1 or 0, or a negative errno.
 * The holder's port is its process id if the kernel chose the port and it was free
 * (netlink_autobind). */
static int taken_by_other(uint32_t own, pid_t *ret_holder)
{
	uint32_t port;
	cleanup_free char *text = file_text(SOCKETS_FILE);
	if (!text)
		return -errno;
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));)
		if (is_lock(line, &port) && port != own) {
			*ret_holder = (pid_t)port;
			return 1;
		}
	return 0;
}

static int join(uint32_t *ret_own)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = LOCK_GROUPS};
	socklen_t size = sizeof(address);
	cleanup_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_USERSOCK);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		return -errno;
	*ret_own = address.nl_pid;
	return fd_steal(&fd);
}

/* Each process joins first and searches then. So of two processes, at least one sees the other. */
int netlink_lock_try(pid_t *ret_holder)
{
	uint32_t own = 0;
	int found = taken_by_other(0, ret_holder);
	if (found)
		return found < 0 ? found : -EAGAIN;
	cleanup_close int fd = join(&own);
	if (fd < 0)
		return fd;
	found = taken_by_other(own, ret_holder);
	if (!found)
		return fd_steal(&fd);
	return found < 0 ? found : -EAGAIN;
}
