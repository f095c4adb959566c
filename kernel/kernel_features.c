#include "kernel/kernel_features.h"

#include "kernel/netlink.h"
#include "kernel/rtnl_encode.h"

#include <errno.h>
#include <string.h>

int feature_missing_kinds(unsigned kinds, unsigned *ret_missing, struct error *error)
{
	struct netlink *netlink = netlink_open(error);
	if (!netlink)
		return -error->errnum;
	struct batch *batch = batch_new();
	int result = 0;
	unsigned missing = 0;
	for (enum link_kind kind = KIND_OTHER + 1; kind < N_LINK_KINDS; kind++) {
		union message message;
		if (kinds & 1U << kind && encode_kind_probe(&message, kind))
			batch_add(batch, &message.header, false);
	}
	result = batch_send(netlink, batch, error);
	size_t number = 0;
	for (enum link_kind kind = KIND_OTHER + 1; kind < N_LINK_KINDS && result == 0; kind++) {
		if (!(kinds & 1U << kind))
			continue;
		int errnum = batch_reply(batch, number++)->errnum;
		if (errnum == EPERM)
			result = error_set(error, EPERM, "%s", strerror(EPERM));
		else if (errnum == EOPNOTSUPP)
			missing |= 1U << kind;
	}
	batch_free(batch);
	netlink_close(netlink);
	if (result == 0)
		*ret_missing = missing;
	return result;
}

int feature_bclim(bool *ret, struct error *error)
{
	union message message;
	struct netlink *netlink = netlink_open(error);
	if (!netlink)
		return -error->errnum;
	struct batch *batch = batch_new();
	if (encode_bclim_probe(&message))
		batch_add(batch, &message.header, false);
	const int status = batch_send(netlink, batch, error);
	const int errnum = status == 0 ? batch_reply(batch, 0)->errnum : 0;
	*ret = errnum == ERANGE || errnum == EPERM || errnum == EOPNOTSUPP;
	batch_free(batch);
	netlink_close(netlink);
	return status;
}

static int rule_ignore(const struct nlmsghdr *message, void *data, struct error *error)
{
	(void)message;
	(void)data;
	(void)error;
	return 0;
}

int feature_policy_routing(bool *ret, struct error *error)
{
	union message request;
	struct netlink *netlink = netlink_open(error);
	if (!netlink)
		return -error->errnum;
	encode_rule_dump(&request);
	const int status = netlink_dump(netlink, &request.header, rule_ignore, NULL, error);
	netlink_close(netlink);
	if (status < 0 && status != -EOPNOTSUPP)
		return status;
	*ret = status == 0;
	return 0;
}
