#include "tests/unit/native_order.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

static uint16_t half(uint8_t *at)
{
	const uint16_t value = (uint16_t)(at[0] | at[1] << 8);
	memcpy(at, &value, sizeof(value));
	return value;
}

static void word(uint8_t *at)
{
	const uint32_t value =
		at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
	memcpy(at, &value, sizeof(value));
}

static void words(uint8_t *at, size_t size)
{
	for (size_t i = 0; i + 4 <= size; i += 4)
		word(at + i);
}

/* Where attributes are: in a message, or in another attribute. */
enum level {
	BYTES, /* no attributes: text, addresses */
	HALF,
	WORDS,
	HOPS,
	LINK,
	LINK_INFO,
	VLAN,
	MACVLAN,
	IPVLAN,
	LINK_NAMES,
	FAMILIES,
	INET6,
	ADDRESS,
	ROUTE,
};

static const struct row {
	enum level level;
	uint16_t type;
	enum level payload;
} rows[] = {
	{LINK, IFLA_MTU, WORDS},
	{LINK, IFLA_LINK, WORDS},
	{LINK, IFLA_MASTER, WORDS},
	{LINK, IFLA_TXQLEN, WORDS},
	{LINK, IFLA_LINKINFO, LINK_INFO},
	{LINK, IFLA_GROUP, WORDS},
	{LINK, IFLA_PROMISCUITY, WORDS},
	{LINK, IFLA_LINK_NETNSID, WORDS},
	{LINK, IFLA_MIN_MTU, WORDS},
	{LINK, IFLA_MAX_MTU, WORDS},
	{LINK, IFLA_PROP_LIST, LINK_NAMES},
	{LINK, IFLA_AF_SPEC, FAMILIES},
	{FAMILIES, AF_INET6, INET6},
	{INET6, IFLA_INET6_CONF, WORDS},
	{VLAN, IFLA_VLAN_ID, HALF},
	{VLAN, IFLA_VLAN_FLAGS, WORDS},
	{MACVLAN, IFLA_MACVLAN_MODE, WORDS},
	{MACVLAN, IFLA_MACVLAN_FLAGS, HALF},
	{MACVLAN, IFLA_MACVLAN_MACADDR_COUNT, WORDS},
	{MACVLAN, IFLA_MACVLAN_BC_QUEUE_LEN, WORDS},
	{MACVLAN, IFLA_MACVLAN_BC_QUEUE_LEN_USED, WORDS},
	{IPVLAN, IFLA_IPVLAN_MODE, HALF},
	{IPVLAN, IFLA_IPVLAN_FLAGS, HALF},
	{ADDRESS, IFA_FLAGS, WORDS},
	{ADDRESS, IFA_CACHEINFO, WORDS},
	{ROUTE, RTA_OIF, WORDS},
	{ROUTE, RTA_PRIORITY, WORDS},
	{ROUTE, RTA_TABLE, WORDS},
	{ROUTE, RTA_CACHEINFO, WORDS},
	{ROUTE, RTA_MULTIPATH, HOPS},
};

static enum level payload_of(enum level level, uint16_t type)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].level == level && rows[i].type == (type & NLA_TYPE_MASK))
			return rows[i].payload;
	return BYTES;
}

/* Of IFLA_INFO_DATA, which follows IFLA_INFO_KIND. */
static enum level level_of_kind(const uint8_t *kind)
{
	if (!memcmp(kind, "vlan", 5))
		return VLAN;
	return memcmp(kind, "ipvlan", 7) ? MACVLAN : IPVLAN;
}

static void attributes(enum level level, uint8_t *at, const uint8_t *end);

static void hops(uint8_t *at, const uint8_t *end)
{
	while (at + sizeof(struct rtnexthop) <= end) {
		const size_t size = half(at);
		word(at + offsetof(struct rtnexthop, rtnh_ifindex));
		attributes(ROUTE, at + sizeof(struct rtnexthop), at + size);
		at += RTNH_ALIGN(size);
	}
}

static void payload(enum level level, uint8_t *at, size_t size)
{
	if (level == HALF)
		half(at);
	else if (level == WORDS)
		words(at, size);
	else if (level == HOPS)
		hops(at, at + size);
	else if (level != BYTES)
		attributes(level, at, at + size);
}

static void attributes(enum level level, uint8_t *at, const uint8_t *end)
{
	enum level data = BYTES;
	while (at + NLA_HDRLEN <= end) {
		const size_t size = half(at);
		const uint16_t type = half(at + 2);
		if (level == LINK_INFO && type == IFLA_INFO_KIND)
			data = level_of_kind(at + NLA_HDRLEN);
		payload(level == LINK_INFO && type == IFLA_INFO_DATA ? data
								     : payload_of(level, type),
			at + NLA_HDRLEN, size - NLA_HDRLEN);
		at += NLA_ALIGN(size);
	}
}

void native_order(uint8_t *message, size_t size)
{
	uint8_t *const body = message + NLMSG_HDRLEN, *const end = message + size;
	word(message);
	const uint16_t type = half(message + offsetof(struct nlmsghdr, nlmsg_type));
	half(message + offsetof(struct nlmsghdr, nlmsg_flags));
	words(message + offsetof(struct nlmsghdr, nlmsg_seq), 8);
	switch (type) {
	case RTM_NEWLINK:
		half(body + offsetof(struct ifinfomsg, ifi_type));
		words(body + offsetof(struct ifinfomsg, ifi_index), 12);
		attributes(LINK, body + sizeof(struct ifinfomsg), end);
		break;
	case RTM_NEWADDR:
		word(body + 4); /* ifa_index */
		attributes(ADDRESS, body + 8, end);
		break;
	default:
		word(body + offsetof(struct rtmsg, rtm_flags));
		attributes(ROUTE, body + sizeof(struct rtmsg), end);
	}
}
