#include "kernel/netlink.h"

#include "kernel/netlink_internal.h"
#include "kernel/netlink_socket.h"
#include "lib/cleanup.h"
#include "lib/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATAGRAM_SIZE ((size_t)24 << 10)
/* Acks wait in the socket's buffer, about 1 KiB each, until the datagram is processed. */
#define DATAGRAM_MESSAGES 64
/* The ack of a failed request contains the request and the extended-ack text. */
#define REPLY_SIZE ((size_t)4096)

struct entry {
	size_t offset, size; /* size 0: not sent, the reply is set already */
	bool together;
	struct reply reply;
};

struct batch {
	char *bytes;
	size_t used, size;
	struct entry *entries;
	size_t count, room;
};

struct batch *batch_new(void)
{
	return memory_new(1, sizeof(struct batch));
}

void batch_free(struct batch *batch)
{
	if (!batch)
		return;
	free(batch->bytes);
	free(batch->entries);
	free(batch);
}

void batch_cleanup(struct batch **batch)
{
	batch_free(*batch);
}

static size_t entry_add(struct batch *batch, struct entry entry)
{
	if (batch->count == batch->room) {
		batch->room = batch->room * 2 + 1;
		batch->entries = memory_or_die(
			realloc(batch->entries, batch->room * sizeof(*batch->entries)));
	}
	batch->entries[batch->count] = entry;
	return batch->count++;
}

size_t batch_add(struct batch *batch, const struct nlmsghdr *request, bool together)
{
	size_t size = MNL_ALIGN(request->nlmsg_len), offset = batch->used;
	if (batch->size - batch->used < size) {
		batch->size = batch->size * 2 + size;
		batch->bytes = memory_or_die(realloc(batch->bytes, batch->size));
	}
	memset(batch->bytes + offset, 0, size);
	memcpy(batch->bytes + offset, request, request->nlmsg_len);
	batch->used += size;
	return entry_add(batch, (struct entry){.offset = offset,
					       .size = size,
					       .together = together,
					       .reply = {.errnum = EIO}});
}

size_t batch_add_refused(struct batch *batch, int errnum, const char *text)
{
	struct entry entry = {.offset = batch->used, .reply = {.errnum = errnum}};
	snprintf(entry.reply.text, sizeof(entry.reply.text), "%s", text);
	return entry_add(batch, entry);
}

size_t batch_count(const struct batch *batch)
{
	return batch->count;
}

const struct reply *batch_reply(const struct batch *batch, size_t number)
{
	return &batch->entries[number].reply;
}

/* One past the last entry of the datagram that begins with entry `from`; that entry is sent. */
static size_t datagram_end(const struct batch *batch, size_t from)
{
	size_t end = from, size = 0;
	for (size_t i = from; i < batch->count; i++) {
		const struct entry *next = i + 1 < batch->count ? &batch->entries[i + 1] : NULL;
		size += batch->entries[i].size;
		if (end > from && (size > DATAGRAM_SIZE || i - from >= DATAGRAM_MESSAGES))
			break;
		if (!next || !next->together)
			end = i + 1;
		if (next && !next->size)
			return i + 1;
	}
	return end;
}

/* Stores the replies of one datagram; returns their number. */
static int replies_take(struct batch *batch, const char *bytes, size_t size, uint32_t first,
			size_t from, size_t end, struct error *error)
{
	int in_use = 0, left = (int)size;
	for (const struct nlmsghdr *message = (const void *)bytes; mnl_nlmsg_ok(message, left);
	     message = mnl_nlmsg_next(message, &left)) {
		size_t number = message->nlmsg_seq - first;
		if (number >= end - from)
			continue;
		if (!reply_decode(message, &batch->entries[from + number].reply))
			return netlink_malformed(error);
		in_use++;
	}
	return in_use;
}

/* Receives pending replies to the entries [from, end); returns their number. */
static int replies_receive(struct netlink *netlink, struct batch *batch, uint32_t first,
			   size_t from, size_t end, struct error *error)
{
	/* Not on the stack, which keeps its pages: threads that wait have a stack each. */
	cleanup_free char *bytes = memory_or_die(malloc(DATAGRAMS_MAX * REPLY_SIZE));
	struct datagram replies[DATAGRAMS_MAX];
	for (size_t i = 0; i < DATAGRAMS_MAX; i++)
		replies[i] = (struct datagram){.bytes = bytes + i * REPLY_SIZE, .room = REPLY_SIZE};
	int count = netlink_receive(netlink, replies, DATAGRAMS_MAX, error), in_use = 0;
	for (int i = 0; i < count; i++) {
		int more = replies_take(batch, replies[i].bytes, replies[i].size, first, from, end,
					error);
		if (more < 0)
			return more;
		in_use += more;
	}
	return count < 0 ? count : in_use;
}

static int datagram_send(struct netlink *netlink, struct batch *batch, size_t from, size_t end,
			 struct error *error)
{
	const uint32_t first = netlink->seq + 1;
	for (size_t i = from; i < end; i++) {
		struct nlmsghdr *message = (void *)(batch->bytes + batch->entries[i].offset);
		message->nlmsg_len = (uint32_t)batch->entries[i].size;
		message->nlmsg_seq = ++netlink->seq;
		message->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	}
	const struct entry *last = &batch->entries[end - 1];
	const char *bytes = batch->bytes + batch->entries[from].offset;
	int status = netlink_send(netlink, bytes,
				  last->offset + last->size - batch->entries[from].offset, error);
	if (status < 0)
		return status;
	for (size_t answered = 0; answered < end - from;) {
		int in_use = replies_receive(netlink, batch, first, from, end, error);
		if (in_use < 0)
			return in_use;
		answered += (size_t)in_use;
	}
	return 0;
}

int batch_send(struct netlink *netlink, struct batch *batch, struct error *error)
{
	netlink_enable_ext_ack(netlink);
	for (size_t from = 0, end; from < batch->count; from = end) {
		end = from + 1;
		if (!batch->entries[from].size)
			continue;
		end = datagram_end(batch, from);
		int status = datagram_send(netlink, batch, from, end, error);
		if (status < 0)
			return status;
	}
	return 0;
}
