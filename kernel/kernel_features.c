#include "kernel/kernel_features.h"

#include "kernel/netlink.h"
#include "kernel/rtnl_encode_probe.h"

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

/* Of an attribute with a wrong size. */
static bool lacks_attribute(int errnum)
{
	return errnum != ERANGE && errnum != EPERM && errnum != EOPNOTSUPP;
}

static bool lacks_message(int errnum)
{
	return errnum == EOPNOTSUPP;
}

static bool lacks_rename(int errnum)
{
	return errnum == EBUSY;
}

static const struct {
	bool (*encode)(union message *message);
	bool (*lacks)(int errnum);
} probes[N_FEATURES] = {
	[FEATURE_BCQUEUELEN] = {encode_bcqueuelen_probe, lacks_attribute},
	[FEATURE_BCLIM] = {encode_bclim_probe, lacks_attribute},
	[FEATURE_ADDR_PROTOCOL] = {encode_addr_protocol_probe, lacks_attribute},
	[FEATURE_ALTNAME] = {encode_altname_probe, lacks_message},
	[FEATURE_RENAME_UP] = {encode_rename_probe, lacks_rename},
};

static int probes_send(struct netlink *netlink, struct batch *batch, unsigned features,
		       unsigned *ret_missing, struct error *error)
{
	union message message;
	for (enum kernel_feature feature = 0; feature < N_FEATURES; feature++)
		if (features & FEATURE_BIT(feature) && probes[feature].encode(&message))
			batch_add(batch, &message.header, false);
	const int status = batch_send(netlink, batch, error);
	size_t number = 0;
	for (enum kernel_feature feature = 0; feature < N_FEATURES && status == 0; feature++)
		if (features & FEATURE_BIT(feature) &&
		    probes[feature].lacks(batch_reply(batch, number++)->errnum))
			*ret_missing |= FEATURE_BIT(feature);
	return status;
}

int features_missing(unsigned features, unsigned *ret_missing, struct error *error)
{
	*ret_missing = 0;
	if (!features)
		return 0;
	struct netlink *netlink = netlink_open(error);
	if (!netlink)
		return -error->errnum;
	struct batch *batch = batch_new();
	const int status = probes_send(netlink, batch, features, ret_missing, error);
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
