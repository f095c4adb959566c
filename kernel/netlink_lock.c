#include "kernel/netlink_lock.h"

#include "kernel/netlink.h"
#include "lib/cleanup.h"
#include "lib/file_text.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/netlink_diag.h>
#include <linux/sock_diag.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* "MVAP": a combination of twelve groups that no other program joins by chance. */
#define LOCK_GROUPS 0x4d564150U

/* The netlink sockets of this network namespace (netlink_native_seq_show). */
#define SOCKETS_FILE "/proc/thread-self/net/netlink"

/* A search for the lock among the sockets of this network namespace. */
struct search {
	uint32_t own;    /* the port of the searcher's socket, or 0 */
	uint32_t holder; /* the port of another socket that has the lock, or 0 */
};

static void socket_compare(struct search *search, uint32_t port, uint32_t groups)
{
	if (groups == LOCK_GROUPS && port != search->own)
		search->holder = port;
}

/* The first 32 of the socket's groups, an array of longs in the kernel. */
static uint32_t groups_decode(const struct nlattr *attr)
{
	const uint16_t size = attr ? mnl_attr_get_payload_len(attr) : 0;
	uint64_t wide = 0;
	uint32_t narrow = 0;
	if (size >= sizeof(wide))
		memcpy(&wide, mnl_attr_get_payload(attr), sizeof(wide));
	else if (size >= sizeof(narrow))
		memcpy(&narrow, mnl_attr_get_payload(attr), sizeof(narrow));
	return size >= sizeof(wide) ? (uint32_t)wide : narrow;
}

static int groups_find(const struct nlattr *attr, void *data)
{
	const struct nlattr **found = data;
	if (mnl_attr_get_type(attr) == NETLINK_DIAG_GROUPS)
		*found = attr;
	return MNL_CB_OK;
}

static int socket_take(const struct nlmsghdr *message, void *data, struct error *error)
{
	const struct netlink_diag_msg *socket = mnl_nlmsg_get_payload(message);
	const struct nlattr *groups = NULL;
	if (mnl_nlmsg_get_payload_len(message) < sizeof(*socket))
		return error_set(error, EBADMSG, "malformed netlink socket");
	mnl_attr_parse(message, sizeof(*socket), groups_find, (void *)&groups);
	socket_compare(data, socket->ndiag_portid, groups_decode(groups));
	return 0;
}

/* Lists the sockets of NETLINK_USERSOCK. The module netlink_diag, which does that, is optional. */
static int sockets_dump(struct search *search)
{
	struct error ignored;
	struct {
		struct nlmsghdr header;
		struct netlink_diag_req request;
	} message = {.header = {.nlmsg_len = sizeof(message), .nlmsg_type = SOCK_DIAG_BY_FAMILY},
		     .request = {.sdiag_family = AF_NETLINK,
				 .sdiag_protocol = NETLINK_USERSOCK,
				 .ndiag_show = NDIAG_SHOW_GROUPS}};
	struct netlink *netlink = netlink_open_diag(&ignored);
	const int status =
		netlink ? netlink_dump(netlink, &message.header, socket_take, search, &ignored)
			: -ignored.errnum;
	netlink_close(netlink);
	return status;
}

/* The same without the module. It takes 0.3 microseconds for each netlink socket of the machine: of
 * every protocol, in every network namespace, which has eight of the kernel's own. */
static int sockets_read(struct search *search)
{
	cleanup_free char *text = file_text(SOCKETS_FILE);
	if (!text)
		return -errno;
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
		unsigned protocol, port, groups;
		if (sscanf(line, "%*s %u %u %x", &protocol, &port, &groups) == 3 &&
		    protocol == NETLINK_USERSOCK)
			socket_compare(search, port, groups);
	}
	return 0;
}

/* Whether another socket than the one with port `own` has the lock: 1 or 0, or a negative errno.
 * The holder's port is its process id if the kernel chose the port and it was free
 * (netlink_autobind). */
static int taken_by_other(uint32_t own, pid_t *ret_holder)
{
	struct search search = {.own = own};
	int status = sockets_dump(&search);
	if (status < 0) {
		search.holder = 0;
		status = sockets_read(&search);
	}
	if (status == 0 && search.holder)
		*ret_holder = (pid_t)search.holder;
	return status < 0 ? status : search.holder != 0;
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
