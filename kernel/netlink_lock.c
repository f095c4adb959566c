#include "kernel/netlink_lock.h"

#include "lib/cleanup.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* "MVAP": twelve groups, which nobody joins by chance. */
#define LOCK_GROUPS 0x4d564150U

/* The sockets of this network namespace, by netlink_native_seq_show. Not by sock_diag, which is a
 * module of its own. */
#define SOCKETS_FILE "/proc/thread-self/net/netlink"

static bool is_lock(const char *line, uint32_t *ret_port)
{
	unsigned protocol, port, groups;
	if (sscanf(line, "%*s %u %u %x", &protocol, &port, &groups) != 3)
		return false;
	*ret_port = port;
	return protocol == NETLINK_USERSOCK && groups == LOCK_GROUPS;
}

/* Whether there is one with another port than `own`: 1 or 0, or a negative errno. Another one's is
 * the process id, where the kernel chose it and no other socket had it (netlink_autobind). */
static int held_by_other(uint32_t own, pid_t *ret_holder)
{
	char line[256];
	uint32_t port;
	int found = 0;
	cleanup_fclose FILE *file = fopen(SOCKETS_FILE, "re");
	if (!file)
		return -errno;
	while (!found && fgets(line, sizeof(line), file)) {
		found = is_lock(line, &port) && port != own;
		if (found)
			*ret_holder = (pid_t)port;
	}
	return ferror(file) ? -EIO : found;
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

/* Who joins searches for others after that. So of two, one sees the other, or both do. */
int netlink_lock_try(pid_t *ret_holder)
{
	uint32_t own = 0;
	int found = held_by_other(0, ret_holder);
	if (found)
		return found < 0 ? found : -EAGAIN;
	cleanup_close int fd = join(&own);
	if (fd < 0)
		return fd;
	found = held_by_other(own, ret_holder);
	if (!found)
		return fd_steal(&fd);
	return found < 0 ? found : -EAGAIN;
}
