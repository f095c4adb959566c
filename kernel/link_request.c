#include "kernel/link_request.h"

#include "kernel/rtnl_decode.h"
#include "kernel/rtnl_encode.h"

#include <errno.h>
#include <string.h>

struct reading {
	struct arena *arena;
	struct live_link *link;
};

static int link_take(const struct nlmsghdr *message, void *data, struct error *error)
{
	struct reading *reading = data;
	struct parent_ref parent;
	if (decode_link(reading->arena, message, reading->link, &parent) != DECODED)
		return error_set(error, EBADMSG, "the kernel's answer is malformed");
	return 0;
}

int link_find(struct netlink *netlink, const char *name, struct arena *arena, struct live_link *ret,
	      struct error *error)
{
	union message request;
	struct reading reading = {arena, ret};
	encode_link_find(&request, name);
	return netlink_request(netlink, &request.header, link_take, &reading, error);
}

int link_request(struct netlink *netlink, const struct nlmsghdr *request, const char *what,
		 struct error *error)
{
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	const size_t number = batch_add(batch, request, false);
	const int status = batch_send(netlink, batch, error);
	if (status < 0)
		return status;
	const struct reply *reply = batch_reply(batch, number);
	if (!reply->errnum)
		return 0;
	return error_set(error, reply->errnum, "%s: %s", what,
			 *reply->text ? reply->text : strerror(reply->errnum));
}
