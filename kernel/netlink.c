#include "kernel/netlink.h"

#include "kernel/netlink_internal.h"
#include "kernel/netlink_socket.h"
#include "lib/cleanup.h"
#include "lib/memory.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DUMP_TRIES   8
#define RECEIVE_ROOM ((size_t)32 << 10) /* the largest datagram of several messages */
/* The first room for the answer to a single request. */
#define ANSWER_ROOM ((size_t)4 << 10)
/* The limit for one datagram. A single link can exceed RECEIVE_ROOM (altnames, the priorities of a
 * VLAN), and its datagram has the same length (rtnl_calcit). Whoever controls a namespace decides
 * the length. */
#define RECEIVE_ROOM_MAX ((size_t)1 << 20)

/* MAX_ERRNO of the kernel's include/linux/err.h, the highest error number. */
#define ERRNO_MAX 4095

static struct netlink *protocol_open(int protocol, struct error *error)
{
	int fd = netlink_socket(protocol, error);
	if (fd < 0)
		return NULL;
	struct netlink *netlink = memory_new(1, sizeof(*netlink));
	netlink->fd = fd;
	netlink->room = RECEIVE_ROOM;
	return netlink;
}

struct netlink *netlink_open(struct error *error)
{
	return protocol_open(NETLINK_ROUTE, error);
}

struct netlink *netlink_open_diag(struct error *error)
{
	return protocol_open(NETLINK_SOCK_DIAG, error);
}

void netlink_limit(struct netlink *netlink, size_t bytes)
{
	netlink->most = bytes;
}

void netlink_close(struct netlink *netlink)
{
	if (!netlink)
		return;
	close(netlink->fd);
	free(netlink);
}

uint64_t netlink_cookie(const struct netlink *netlink)
{
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);
	(void)getsockopt(netlink->fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size);
	return cookie;
}

int netlink_errnum(int number)
{
	return number <= 0 && number >= -ERRNO_MAX ? -number : EPROTO;
}

bool reply_decode(const struct nlmsghdr *message, struct reply *ret)
{
	if (message->nlmsg_type != NLMSG_ERROR ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(struct nlmsgerr))
		return false;
	const struct nlmsgerr *number = mnl_nlmsg_get_payload(message);
	*ret = (struct reply){.errnum = netlink_errnum(number->error)};
	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS))
		return true;

	size_t offset = sizeof(*number);
	if (!(message->nlmsg_flags & NLM_F_CAPPED) && number->msg.nlmsg_len > sizeof(number->msg))
		offset += MNL_ALIGN((size_t)number->msg.nlmsg_len - sizeof(number->msg));
	size_t size = mnl_nlmsg_get_payload_len(message);
	if (offset > size)
		return true;
	const struct nlattr *attr = (const void *)((const char *)number + offset);
	for (int left = (int)(size - offset); mnl_attr_ok(attr, left);
	     left -= MNL_ALIGN(attr->nla_len), attr = mnl_attr_next(attr))
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
			snprintf(ret->text, sizeof(ret->text), "%.*s",
				 (int)mnl_attr_get_payload_len(attr),
				 (const char *)mnl_attr_get_payload(attr));
	return true;
}

static int reply_error(const struct reply *reply, struct error *error)
{
	return error_set(error, reply->errnum, "%s%s%s", strerror(reply->errnum),
			 reply->text[0] ? ": " : "", reply->text);
}

/* The messages of a dump that were received so far: most dumps fit on the stack. */
struct heap {
	char *bytes;
	size_t used, size;
	_Alignas(struct nlmsghdr) char small[ANSWER_ROOM + 2 * RECEIVE_ROOM];
};

static void heap_begin(struct heap *heap)
{
	heap->bytes = heap->small;
	heap->used = 0;
	heap->size = sizeof(heap->small);
}

static void heap_cleanup(struct heap *heap)
{
	if (heap->bytes != heap->small)
		free(heap->bytes);
}

/* Makes room for `room` more bytes; returns the first of them. */
static char *heap_room(struct heap *heap, size_t room)
{
	size_t size = heap->size;
	while (size - heap->used < room)
		size *= 2;
	if (size > heap->size) {
		char *bytes = memory_new(1, size);
		memcpy(bytes, heap->bytes, heap->used);
		heap_cleanup(heap);
		heap->bytes = bytes;
		heap->size = size;
	}
	return heap->bytes + heap->used;
}

/* Makes room for a datagram that was too long. False: it exceeds the limit. */
static bool room_grow(struct netlink *netlink, const struct datagram *datagrams, size_t count)
{
	size_t room = netlink->room + 1;
	for (size_t i = 0; i < count; i++)
		room = datagrams[i].size > room ? datagrams[i].size : room;
	if (room > RECEIVE_ROOM_MAX)
		return false;
	while (netlink->room < room)
		netlink->room *= 2;
	return true;
}

enum progress { MORE, COMPLETE, AGAIN, TOO_MUCH };

/* Reads one datagram of a dump. */
static int dump_progress(const char *bytes, size_t size, uint32_t seq, struct error *error)
{
	int left = (int)size;
	for (const struct nlmsghdr *message = (const void *)bytes; mnl_nlmsg_ok(message, left);
	     message = mnl_nlmsg_next(message, &left)) {
		struct reply reply;
		if (message->nlmsg_seq != seq)
			continue;
		if (message->nlmsg_type == NLMSG_DONE) {
			int status = 0;
			if (mnl_nlmsg_get_payload_len(message) >= sizeof(status))
				memcpy(&status, mnl_nlmsg_get_payload(message), sizeof(status));
			if (status == -EINTR || status == -EAGAIN)
				return AGAIN;
			if (status < 0)
				return error_set(error, netlink_errnum(status), "%s",
						 strerror(netlink_errnum(status)));
			return COMPLETE;
		}
		if (reply_decode(message, &reply))
			return reply.errnum == 0 ? COMPLETE : reply_error(&reply, error);
	}
	/* Read an interrupted dump to its end: its remaining messages must not be read as the reply
	 * to the next request. */
	return MORE;
}

/* The end of a dump is a datagram of its own, sent after all others were read (rtnl_dumpit): two
 * datagrams per call read most dumps completely. `first`: the room for an answer in front of them,
 * or 0. */
static int dump_receive(struct netlink *netlink, size_t first, struct heap *heap,
			struct error *error)
{
	const size_t size = netlink->room;
	char *room = heap_room(heap, first + 2 * size);
	struct datagram datagrams[] = {{.bytes = room, .room = first},
				       {.bytes = room + first, .room = size},
				       {.bytes = room + first + size, .room = size}};
	struct datagram *used = first ? datagrams : datagrams + 1;
	const unsigned n_used = first ? 3 : 2;
	int count = netlink_receive(netlink, used, n_used, error), status = MORE;
	if (count == -EMSGSIZE && room_grow(netlink, used, n_used))
		return -ENOBUFS;
	for (int i = 0; i < count && status == MORE; i++) {
		char *bytes = heap->bytes + heap->used;
		memmove(bytes, used[i].bytes, used[i].size);
		heap->used += MNL_ALIGN(used[i].size);
		status = dump_progress(bytes, used[i].size, netlink->seq, error);
	}
	return count < 0 ? count : status;
}

static bool too_much(const struct netlink *netlink, const struct heap *heap)
{
	return netlink->most && heap->used > netlink->most;
}

static bool more_waits(const struct netlink *netlink)
{
	return recv(netlink->fd, NULL, 0, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

/* The request for a dump, and a single one in front of it; NULL: none. */
struct dump_requests {
	struct nlmsghdr *first, *dump;
};

static void request_put(struct netlink *netlink, struct nlmsghdr *request, int flags,
			struct heap *heap)
{
	char *bytes = heap_room(heap, MNL_ALIGN(request->nlmsg_len));
	request->nlmsg_seq = ++netlink->seq;
	request->nlmsg_flags |= (uint16_t)flags;
	memcpy(bytes, request, request->nlmsg_len);
	heap->used += MNL_ALIGN(request->nlmsg_len);
}

/* The memory of the answers, which are not there yet, has the requests. */
static int dump_send(struct netlink *netlink, const struct dump_requests *requests,
		     struct heap *heap, struct error *error)
{
	heap->used = 0;
	netlink->first = netlink->seq + 1;
	if (requests->first)
		request_put(netlink, requests->first, NLM_F_REQUEST, heap);
	request_put(netlink, requests->dump, NLM_F_REQUEST | NLM_F_DUMP, heap);
	int status = netlink_send(netlink, heap->bytes, heap->used, error);
	heap->used = 0;
	return status;
}

static int dump_once(struct netlink *netlink, const struct dump_requests *requests,
		     struct heap *heap, struct error *error)
{
	bool lost = false;
	size_t first = requests->first ? ANSWER_ROOM : 0;
	int status = dump_send(netlink, requests, heap, error);
	if (status < 0)
		return status;
	/* Read on after a loss: the kernel runs only one dump per socket (netlink_dump_start). */
	for (status = MORE; status == MORE && (!lost || more_waits(netlink)); first = 0) {
		int more = dump_receive(netlink, first, heap, error);
		lost |= more == -ENOBUFS;
		if (more != -ENOBUFS)
			status = more;
		if (status == MORE && too_much(netlink, heap))
			return TOO_MUCH;
	}
	return lost && status >= 0 ? AGAIN : status;
}

/* Whether the message answers one of the last requests. */
static bool is_answer(const struct netlink *netlink, const struct nlmsghdr *message)
{
	return message->nlmsg_seq - netlink->first <= netlink->seq - netlink->first;
}

static bool heap_interrupted(const struct netlink *netlink, const struct heap *heap)
{
	int left = (int)heap->used;
	for (const struct nlmsghdr *message = (const void *)heap->bytes;
	     mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
		if (is_answer(netlink, message) && (message->nlmsg_flags & NLM_F_DUMP_INTR))
			return true;
	return false;
}

static int heap_each(const struct netlink *netlink, const struct heap *heap, netlink_each *each,
		     void *data, struct error *error)
{
	int left = (int)heap->used;
	for (const struct nlmsghdr *message = (const void *)heap->bytes;
	     mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		if (!is_answer(netlink, message) || message->nlmsg_type < NLMSG_MIN_TYPE)
			continue;
		int status = each(message, data, error);
		if (status < 0)
			return status;
	}
	return 0;
}

static int dump_cut(const struct netlink *netlink, const struct heap *heap, netlink_each *each,
		    void *data, struct error *error)
{
	int status = heap_each(netlink, heap, each, data, error);
	return status < 0 ? status : error_set(error, E2BIG, "the listing exceeds the limit");
}

int netlink_dump_after(struct netlink *netlink, struct nlmsghdr *first, struct nlmsghdr *request,
		       netlink_each *each, void *data, struct error *error)
{
	const struct dump_requests requests = {first, request};
	__attribute__((cleanup(heap_cleanup))) struct heap heap;
	heap_begin(&heap);
	for (int i = 0; i < DUMP_TRIES; i++) {
		int status = dump_once(netlink, &requests, &heap, error);
		if (status < 0)
			return status;
		if (status == TOO_MUCH)
			return dump_cut(netlink, &heap, each, data, error);
		if (status == COMPLETE && !heap_interrupted(netlink, &heap))
			return heap_each(netlink, &heap, each, data, error);
	}
	return error_set(error, EAGAIN, "the listing changed %d times while it was read",
			 DUMP_TRIES);
}

int netlink_dump(struct netlink *netlink, struct nlmsghdr *request, netlink_each *each, void *data,
		 struct error *error)
{
	return netlink_dump_after(netlink, NULL, request, each, data, error);
}

/* Receives the answer to the last request. -EMSGSIZE: repeat it, *room has grown. */
static int answer_receive(struct netlink *netlink, size_t *room, netlink_each *each, void *data,
			  struct error *error)
{
	/* Not on the stack, which keeps its pages: threads that wait have a stack each. */
	cleanup_free char *bytes = memory_or_die(malloc(*room));
	for (;;) {
		struct datagram answer = {.bytes = bytes, .room = *room};
		int status = netlink_receive(netlink, &answer, 1, error);
		if (status == -EMSGSIZE && answer.size > RECEIVE_ROOM_MAX)
			return error_set(error, EOVERFLOW, "the kernel's answer is too long");
		if (status == -EMSGSIZE)
			*room = answer.size;
		if (status < 0)
			return status;
		const struct nlmsghdr *message = (const void *)answer.bytes;
		struct reply reply;
		if (!answer.size || message->nlmsg_seq != netlink->seq)
			continue;
		if (!reply_decode(message, &reply))
			return each(message, data, error);
		return reply.errnum ? reply_error(&reply, error) : 0;
	}
}

int netlink_request(struct netlink *netlink, struct nlmsghdr *request, netlink_each *each,
		    void *data, struct error *error)
{
	size_t room = ANSWER_ROOM;
	int status = -EMSGSIZE;
	request->nlmsg_flags |= NLM_F_REQUEST;
	for (int i = 0; i < DUMP_TRIES && status == -EMSGSIZE; i++) {
		request->nlmsg_seq = ++netlink->seq;
		status = netlink_send(netlink, request, request->nlmsg_len, error);
		if (status == 0)
			status = answer_receive(netlink, &room, each, data, error);
	}
	return status;
}
