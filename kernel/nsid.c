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

int nsid_assign(struct netlink *netlink, int fd, struct error *error)
{
	union message request;
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	encode_nsid_assign(&request, fd);
	batch_add(batch, &request.header, false);
	const int status = batch_send(netlink, batch, error);
	if (status < 0)
		return status;
	const int errnum = batch_reply(batch, 0)->errnum;
	/* EEXIST: an nsid is assigned already. */
	return !errnum || errnum == EEXIST
		       ? 0
		       : error_set(error, errnum, "cannot assign an id to the namespace: %s",
				   strerror(errnum));
}

int nsid_ensure(struct netlink *netlink, int fd, int *ret, struct error *error)
{
	struct error refused;
	const int assigned = nsid_assign(netlink, fd, &refused);
	const int status = nsid_get(netlink, fd, ret, error);
	if (status == 0 && *ret < 0 && assigned < 0) {
		*error = refused;
		return assigned;
	}
	return status < 0 || *ret >= 0 ? status
				       : error_set(error, ENOENT, "the namespace has no id");
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
