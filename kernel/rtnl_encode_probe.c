#include "kernel/rtnl_encode_probe.h"

#include "kernel/link_kind.h"
#include "kernel/rtnl_attributes.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#define NEW (NLM_F_CREATE | NLM_F_EXCL)

/* `value`: an attribute of IFLA_INFO_DATA with a wrong size; 0: none. */
static bool link_encode(union message *message, enum link_kind kind, uint16_t value)
{
	message_begin(message, RTM_NEWLINK, NEW, sizeof(struct ifinfomsg));
	if (!attr_put_u8(message, IFLA_ADDRESS, 0))
		return false;
	struct nlattr *info = attr_nest_begin(message, IFLA_LINKINFO);
	if (!info || !attr_put_text(message, IFLA_INFO_KIND, link_kind_name(kind)))
		return false;
	struct nlattr *data = value ? attr_nest_begin(message, IFLA_INFO_DATA) : NULL;
	if (value && (!data || !attr_put_u8(message, value, 0)))
		return false;
	return (!data || attr_nest_end(message, data)) && attr_nest_end(message, info);
}

bool encode_kind_probe(union message *message, enum link_kind kind)
{
	return link_encode(message, kind, 0);
}

bool encode_bcqueuelen_probe(union message *message)
{
	return link_encode(message, KIND_MACVLAN, IFLA_MACVLAN_BC_QUEUE_LEN);
}

bool encode_bclim_probe(union message *message)
{
	return link_encode(message, KIND_MACVLAN, MACVLAN_BC_CUTOFF);
}

bool encode_addr_protocol_probe(union message *message)
{
	struct ifaddrmsg *header = message_begin(message, RTM_NEWADDR, NEW, sizeof(*header));
	header->ifa_family = AF_INET;
	return attr_put(message, IFA_PROTO, "", 0);
}

static void loopback_begin(union message *message, uint16_t type, uint16_t flags)
{
	struct ifinfomsg *link = message_begin(message, type, flags, sizeof(*link));
	link->ifi_index = LOOPBACK_IFINDEX;
}

bool encode_altname_probe(union message *message)
{
	loopback_begin(message, RTM_NEWLINKPROP, NEW | NLM_F_APPEND);
	return true;
}

bool encode_rename_probe(union message *message)
{
	loopback_begin(message, RTM_SETLINK, 0);
	return attr_put_text(message, IFLA_IFNAME, LOOPBACK_NAME);
}
