#include "kernel/netlink_socket.h"

#include "lib/cleanup.h"
#include "lib/clock.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel replies while it processes the request, so a reply that does not arrive was lost:
 * netlink_ack (af_netlink.c) silently drops an ack that does not fit into the socket's buffer. */
#define PATIENCE_S 5

/* Options that older kernels lack and that are not required. */
static void option_set(int fd, int option)
{
	const int one = 1;
	(void)setsockopt(fd, SOL_NETLINK, option, &one, sizeof(one));
}

void netlink_enable_ext_ack(struct netlink *netlink)
{
	if (!netlink->worded)
		option_set(netlink->fd, NETLINK_EXT_ACK);
	netlink->worded = true;
}

/* A socket that is connected to the kernel accepts unicast messages of the kernel only
 * (netlink_getsockbyportid); otherwise root in the socket's network namespace could fill its
 * buffer. netlink_receive skips messages that arrived between bind(2) and connect(2). */
static int kernel_connect(int fd)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	return connect(fd, (const struct sockaddr *)&kernel, sizeof(kernel));
}

int netlink_socket(int protocol, struct error *error)
{
	cleanup_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (fd < 0)
		return error_set(error, errno, "cannot open a netlink socket: %s", strerror(errno));
	if (kernel_connect(fd) < 0)
		return error_set(error, errno, "cannot connect a netlink socket: %s",
				 strerror(errno));
	/* Small, since there can be thousands of sockets. */
	option_set(fd, NETLINK_GET_STRICT_CHK);
	return fd_steal(&fd);
}

int netlink_send(struct netlink *netlink, const void *bytes, size_t size, struct error *error)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t sent;
	do
		sent = sendto(netlink->fd, bytes, size, 0, (const struct sockaddr *)&kernel,
			      sizeof(kernel));
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return error_set(error, errno, "cannot send to the kernel: %s", strerror(errno));
	return 0;
}

/* Whether a datagram consists of complete messages. mnl_nlmsg_ok takes a length of over 2 GiB for a
 * negative one that fits. */
static bool datagram_whole(const void *bytes, size_t size)
{
	int left = (int)size;
	const struct nlmsghdr *message = bytes;
	while (mnl_nlmsg_ok(message, left) && message->nlmsg_len <= size)
		message = mnl_nlmsg_next(message, &left);
	return left <= 0;
}

static int receive_error(int errnum, struct error *error)
{
	if (errnum == ETIMEDOUT)
		error_set(error, errnum, "the kernel did not answer within %d s", PATIENCE_S);
	else
		error_set(error, errnum, "cannot receive from the kernel: %s", strerror(errnum));
	error_hint(error, "the answer was lost: run mvapply again");
	return error_code(error, CODE_KERNEL_ANSWER);
}

/* Waits until there is something to receive, or until *end, which is set at the first wait (0: not
 * yet). */
static int answer_wait(const struct netlink *netlink, int64_t *end)
{
	struct pollfd poller = {.fd = netlink->fd, .events = POLLIN};
	const int64_t now = clock_milliseconds();
	if (!*end)
		*end = now + PATIENCE_S * 1000;
	int ready = *end > now ? poll(&poller, 1, (int)(*end - now)) : 0;
	if (ready < 0 && errno != EINTR)
		return -errno;
	return ready ? 0 : -ETIMEDOUT;
}

int netlink_malformed(struct error *error)
{
	error_set(error, EBADMSG, "the kernel's answer is malformed");
	error_hint(error, "run mvapply again");
	return error_code(error, CODE_KERNEL_ANSWER);
}

/* The buffers for one call of recvmmsg(2). */
struct reception {
	struct mmsghdr messages[DATAGRAMS_MAX];
	struct iovec pieces[DATAGRAMS_MAX];
	struct sockaddr_nl senders[DATAGRAMS_MAX];
};

static void reception_prepare(struct reception *reception, const struct datagram *datagrams,
			      unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		reception->pieces[i] = (struct iovec){.iov_base = datagrams[i].bytes,
						      .iov_len = datagrams[i].room};
		reception->senders[i] = (struct sockaddr_nl){0};
		reception->messages[i].msg_hdr =
			(struct msghdr){.msg_name = &reception->senders[i],
					.msg_namelen = sizeof(reception->senders[i]),
					.msg_iov = &reception->pieces[i],
					.msg_iovlen = 1};
	}
}

/* Moves the kernel's datagrams to the front, and drops all others. Returns their number. */
static int reception_sift(struct reception *reception, struct datagram *datagrams, int count)
{
	int kept = 0;
	for (int i = 0; i < count; i++) {
		if (reception->senders[i].nl_pid)
			continue;
		const struct datagram spare = datagrams[kept];
		reception->messages[kept] = reception->messages[i];
		datagrams[kept] = datagrams[i];
		datagrams[i] = spare;
		kept++;
	}
	return kept;
}

static int reception_check(const struct reception *reception, struct datagram *datagrams, int count,
			   struct error *error)
{
	for (int i = 0; i < count; i++) {
		const struct mmsghdr *message = &reception->messages[i];
		datagrams[i].size = message->msg_len;
		if (message->msg_hdr.msg_flags & MSG_TRUNC)
			return error_set(error, EMSGSIZE, "the kernel's answer is too long");
		if (!datagram_whole(datagrams[i].bytes, datagrams[i].size))
			return netlink_malformed(error);
	}
	return count;
}

int netlink_receive(struct netlink *netlink, struct datagram *datagrams, unsigned count,
		    struct error *error)
{
	struct reception reception;
	int64_t end = 0;
	for (;;) {
		reception_prepare(&reception, datagrams, count);
		int received = recvmmsg(netlink->fd, reception.messages, count,
					MSG_DONTWAIT | MSG_TRUNC, NULL);
		int errnum = received < 0 ? errno : 0;
		if (received > 0)
			received = reception_sift(&reception, datagrams, received);
		if (received > 0)
			return reception_check(&reception, datagrams, received, error);
		int status = errnum && errnum != EAGAIN ? -errnum : answer_wait(netlink, &end);
		if (status < 0 && status != -EINTR)
			return receive_error(-status, error);
	}
}
