/* The addresses and routes of a link, recorded as raw messages and restored. Each piece is the part
 * after the header of one message of a listing; an empty one ends the listing. There are four:
 * recorded addresses and routes, current addresses and routes. */
#include "reconcile/rollback/snapshot.h"

#include "kernel/netlink.h"
#include "kernel/rtnl_encode.h"
#include "tests/fuzz/fuzz.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#define IFINDEX 7

static struct pieces pieces;
static struct nlmsghdr requested; /* the first request of the last datagram */
static size_t n_requested;

int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
		    struct timespec *timeout);
ssize_t __wrap_sendto(int fd, const void *bytes, size_t size, int flags,
		      const struct sockaddr *address, socklen_t length);

static void request_check(const struct nlmsghdr *request)
{
	const struct ifaddrmsg *addr = mnl_nlmsg_get_payload(request);
	HOLDS(request->nlmsg_len <= sizeof(union message));
	if (request->nlmsg_type == RTM_NEWADDR || request->nlmsg_type == RTM_DELADDR)
		HOLDS(addr->ifa_index == IFINDEX);
	else if (request->nlmsg_type != RTM_NEWROUTE)
		HOLDS(request->nlmsg_type == RTM_GETLINK || request->nlmsg_type == RTM_GETADDR ||
		      request->nlmsg_type == RTM_GETROUTE);
}

ssize_t __wrap_sendto(int fd, const void *bytes, size_t size, int flags,
		      const struct sockaddr *address, socklen_t length)
{
	int left = (int)size;
	(void)fd;
	(void)flags;
	(void)address;
	(void)length;
	requested = *(const struct nlmsghdr *)bytes;
	n_requested = 0;
	for (const struct nlmsghdr *request = bytes; mnl_nlmsg_ok(request, left);
	     request = mnl_nlmsg_next(request, &left), n_requested++)
		request_check(request);
	return (ssize_t)size;
}

/* Returns the start of the next message. */
static size_t message_put(char *bytes, uint16_t type, uint32_t seq, const void *payload,
			  size_t size)
{
	const struct nlmsghdr header = {.nlmsg_len = (uint32_t)(MNL_NLMSG_HDRLEN + size),
					.nlmsg_type = type,
					.nlmsg_seq = seq};
	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + MNL_NLMSG_HDRLEN, payload, size);
	return MNL_ALIGN(header.nlmsg_len);
}

static size_t listing_put(char *bytes, size_t room)
{
	const int32_t done = 0;
	size_t used = 0, size;
	const uint8_t *piece;
	while ((piece = pieces_next(&pieces, &size)) && size > 0)
		if (used + 2 * MNL_NLMSG_HDRLEN + MNL_ALIGN(size) + sizeof(done) <= room)
			used += message_put(bytes + used, (uint16_t)(requested.nlmsg_type - 2),
					    requested.nlmsg_seq, piece, size);
	return used +
	       message_put(bytes + used, NLMSG_DONE, requested.nlmsg_seq, &done, sizeof(done));
}

static size_t link_put(char *bytes)
{
	struct {
		struct ifinfomsg link;
		struct nlattr name;
		char text[8];
	} answer = {.link.ifi_index = IFINDEX,
		    .name = {.nla_len = MNL_ATTR_HDRLEN + 5, .nla_type = IFLA_IFNAME},
		    .text = "eth0"};
	return message_put(bytes, RTM_NEWLINK, requested.nlmsg_seq, &answer, sizeof(answer));
}

static size_t acks_put(char *bytes, size_t room)
{
	const struct nlmsgerr ack = {.error = 0};
	size_t used = 0;
	for (size_t i = 0; i < n_requested && used + MNL_NLMSG_HDRLEN + sizeof(ack) <= room; i++)
		used += message_put(bytes + used, NLMSG_ERROR, requested.nlmsg_seq + (uint32_t)i,
				    &ack, sizeof(ack));
	return used;
}

int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
		    struct timespec *timeout)
{
	const struct iovec *room = messages[0].msg_hdr.msg_iov;
	size_t used;
	(void)fd;
	(void)count;
	(void)flags;
	(void)timeout;
	if (requested.nlmsg_flags & NLM_F_DUMP)
		used = listing_put(room->iov_base, room->iov_len);
	else if (requested.nlmsg_type == RTM_GETLINK)
		used = link_put(room->iov_base);
	else
		used = acks_put(room->iov_base, room->iov_len);
	messages[0].msg_len = (unsigned)used;
	messages[0].msg_hdr.msg_flags = 0;
	return 1;
}

static void reported(const char *sentence, void *data)
{
	HOLDS(*sentence && !data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct live_ns ns = {.name = "web", .arena = arena_new()};
	struct live_link link = {.name = "eth0", .alias = "", .ifindex = IFINDEX};
	struct error error;
	pieces = (struct pieces){.at = data, .left = size};
	HOLDS(snapshot_take(&ns, &link, &error) == 0 && link.snapshot);
	snapshot_restore(&ns, &link, reported, NULL);
	arena_free(ns.arena);
	return 0;
}
