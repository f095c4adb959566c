#include "kernel/nsid.h"

#include "kernel/netns.h"
#include "kernel/rtnl_decode.h"
#include "kernel/rtnl_encode.h"

#include <errno.h>
#include <linux/net_namespace.h>
#include <string.h>

static int nsid_take(const struct nlmsghdr *message, void *data, struct error *error)
{
	if (decode_nsid(message, data) != DECODED)
		return error_set(error, EBADMSG, "malformed answer about the id of a namespace");
	return 0;
}

int nsid_get(struct netlink *netlink, int fd, int *ret, struct error *error)
{
	union message request;
	*ret = NETNSA_NSID_NOT_ASSIGNED;
	encode_nsid_get(&request, fd);
	return netlink_request(netlink, &request.header, nsid_take, ret, error);
}

int nsid_ensure(struct netlink *netlink, int fd, int *ret, struct error *error)
{
	union message request;
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	encode_nsid_assign(&request, fd);
	batch_add(batch, &request.header, false);
	int status = batch_send(netlink, batch, error);
	/* EEXIST: an nsid is assigned already. */
	if (status == 0)
		status = nsid_get(netlink, fd, ret, error);
	if (status == 0 && *ret < 0)
		return error_set(error, batch_reply(batch, 0)->errnum,
				 "cannot assign an id to the namespace: %s",
				 strerror(batch_reply(batch, 0)->errnum));
	return status;
}

bool nsid_in_use(struct netlink *netlink, int nsid)
{
	union message request;
	struct error error;
	int ignored;
	if (!netlink || !encode_nsid_check(&request, nsid))
		return true;
	return netlink_request(netlink, &request.header, nsid_take, &ignored, &error) != -ENOENT;
}
