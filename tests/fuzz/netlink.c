/* The kernel's replies to a dump, a single request, and a batch of requests. The first byte selects
 * the request, and which of the following pieces are of another process; each piece is a datagram.
 * After the last one the socket fails. */
#include "kernel/netlink.h"
#include "kernel/rtnl_decode.h"
#include "kernel/rtnl_encode.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static struct pieces pieces;
static unsigned unmanaged; /* a bit for each of the first pieces, the lowest for the next one */

int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
		    struct timespec *timeout);
ssize_t __wrap_sendto(int fd, const void *bytes, size_t size, int flags,
		      const struct sockaddr *address, socklen_t length);

static void piece_put(struct mmsghdr *message, const uint8_t *piece, size_t size)
{
	struct msghdr *header = &message->msg_hdr;
	header->msg_flags = size > header->msg_iov[0].iov_len ? MSG_TRUNC : 0;
	if (size > header->msg_iov[0].iov_len)
		size = header->msg_iov[0].iov_len;
	struct sockaddr_nl *from = header->msg_name;
	from->nl_pid = unmanaged & 1;
	unmanaged >>= 1;
	memcpy(header->msg_iov[0].iov_base, piece, size);
	message->msg_len = (unsigned)size;
}

int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
		    struct timespec *timeout)
{
	unsigned in_use = 0;
	(void)fd;
	(void)flags;
	(void)timeout;
	for (size_t size; in_use < count; in_use++) {
		const uint8_t *piece = pieces_next(&pieces, &size);
		if (!piece)
			break;
		piece_put(&messages[in_use], piece, size);
	}
	errno = ECONNRESET;
	return in_use ? (int)in_use : -1;
}

ssize_t __wrap_sendto(int fd, const void *bytes, size_t size, int flags,
		      const struct sockaddr *address, socklen_t length)
{
	(void)fd;
	(void)bytes;
	(void)flags;
	(void)address;
	(void)length;
	return (ssize_t)size;
}

/* Of any type: the reply may differ from the request. */
static int decode(const struct nlmsghdr *message, void *data, struct error *error)
{
	struct arena *arena = data;
	struct live_link link;
	struct live_addr addr;
	struct live_route route;
	struct parent_ref parent;
	bool proto = false;
	int nsid;
	(void)error;
	if (decode_link(arena, message, &link, &parent) == DECODED)
		HOLDS(link.name && link.alias && link.kind_name);
	if (decode_addr(message, &addr, &proto) == DECODED)
		HOLDS(addr.prefix.len <= ip_bits(&addr.prefix.ip));
	for (size_t hop = 0; decode_route(message, hop, &route) == DECODED; hop++)
		HOLDS(route.to.len <= ip_bits(&route.to.ip));
	(void)decode_nsid(message, &nsid);
	return 0;
}

static void send_batch(struct netlink *netlink, struct error *error)
{
	union message message;
	struct batch *batch = batch_new();
	for (int i = 0; i < 3 && encode_link_delete(&message, i + 1); i++)
		batch_add(batch, &message.header, i == 1);
	batch_send(netlink, batch, error);
	for (size_t i = 0; i < batch_count(batch); i++) {
		const struct reply *reply = batch_reply(batch, i);
		HOLDS(reply->errnum >= 0 && memchr(reply->text, '\0', sizeof(reply->text)));
	}
	batch_free(batch);
}

static void listen_to(struct netlink *netlink, int question, struct arena *arena)
{
	bool (*const dumps[])(union message *) = {encode_link_dump, encode_addr_dump,
						  encode_route_dump};
	union message message, first;
	struct error error = {.errnum = -1};
	int status = 0;
	if (question == 0 && encode_nsid_get(&first, 0) && dumps[question](&message))
		status = netlink_dump_after(netlink, &first.header, &message.header, decode, arena,
					    &error);
	else if (question < 3 && dumps[question](&message))
		status = netlink_dump(netlink, &message.header, decode, arena, &error);
	else if (question == 3 && encode_link_get(&message, 1))
		status = netlink_request(netlink, &message.header, decode, arena, &error);
	else
		send_batch(netlink, &error);
	HOLDS(status == 0 || (error.errnum > 0 && *error.text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error error;
	if (size == 0)
		return 0;
	struct netlink *netlink = netlink_open(&error);
	HOLDS(netlink);
	pieces = (struct pieces){.at = data + 1, .left = size - 1};
	unmanaged = data[0] / 5;
	struct arena *arena = arena_new();
	listen_to(netlink, data[0] % 5, arena);
	arena_free(arena);
	netlink_close(netlink);
	return 0;
}
