#include "schema/words.h"

const struct word driver_words[] = {
	{"macvlan", DRIVER_MACVLAN, "each attachment has its own MAC address"},
	{"ipvlan", DRIVER_IPVLAN, "all attachments share the parent's MAC address"},
	{"macvtap", DRIVER_MACVTAP, "a macvlan with a character device, for a virtual machine"},
	{0},
};

const struct word vlan_protocol_words[] = {
	{"802.1q", VLAN_8021Q, "the standard VLAN tag"},
	{"802.1ad", VLAN_8021AD, "the outer tag of a provider network (QinQ)"},
	{0},
};

const struct word link_mode_words[] = {
	{"bridge", MODE_BRIDGE, "macvlan, macvtap: attachments of one parent reach each other"},
	{"private", MODE_PRIVATE,
	 "macvlan, macvtap: attachments of one parent are isolated, even through the switch"},
	{"vepa", MODE_VEPA,
	 "macvlan, macvtap: like bridge, but the traffic passes a switch in hairpin mode"},
	{"passthru", MODE_PASSTHRU, "macvlan, macvtap: one attachment uses the parent exclusively"},
	{"l2", MODE_L2, "ipvlan: on the parent's LAN, with ARP"},
	{"l3", MODE_L3, "ipvlan: routed by the host, without broadcast or multicast"},
	{"l3s", MODE_L3S, "ipvlan: like l3, and the host's netfilter filters the traffic"},
	{0},
};

const struct word ipvlan_flag_words[] = {
	{"bridge", IPVLAN_BRIDGE, "attachments of one parent reach each other"},
	{"private", IPVLAN_PRIVATE, "attachments of one parent are isolated"},
	{"vepa", IPVLAN_VEPA, "like bridge, but the traffic passes a switch in hairpin mode"},
	{0},
};

const struct word route_scope_words[] = {
	{"global", SCOPE_GLOBAL, "the destination is reached through a router"},
	{"link", SCOPE_LINK, "the destination is on the LAN"},
	{"host", SCOPE_HOST, "the destination is the container itself"},
	{0},
};

const struct word route_type_words[] = {
	{"unicast", ROUTE_UNICAST, "through the link"},
	{"blackhole", ROUTE_BLACKHOLE, "packets are dropped silently"},
	{"unreachable", ROUTE_UNREACHABLE, "packets are refused: no route to host"},
	{"prohibit", ROUTE_PROHIBIT, "packets are refused: administratively prohibited"},
	{"throw", ROUTE_THROW, "the look-up in this table ends, and the next rule applies"},
	{0},
};

const char *words_list(struct arena *arena, const struct word *words, unsigned values)
{
	const char *list = NULL, *last = NULL;
	for (; words->name; words++) {
		if (!(values & 1U << words->value))
			continue;
		if (last)
			list = list ? arena_printf(arena, "%s, %s", list, last) : last;
		last = words->name;
	}
	return list ? arena_printf(arena, "%s or %s", list, last) : last;
}

static const char *word_name(const struct word *words, unsigned value)
{
	while (words->name && words->value != value)
		words++;
	return words->name;
}

const char *driver_name(enum driver driver)
{
	return word_name(driver_words, driver);
}

const char *vlan_protocol_name(enum vlan_protocol protocol)
{
	return word_name(vlan_protocol_words, protocol);
}

const char *link_mode_name(enum link_mode mode)
{
	return word_name(link_mode_words, mode);
}

const char *ipvlan_flag_name(enum ipvlan_flag flag)
{
	return word_name(ipvlan_flag_words, flag);
}

const char *route_scope_name(enum route_scope scope)
{
	return word_name(route_scope_words, scope);
}

const char *route_type_name(enum route_type type)
{
	return word_name(route_type_words, type);
}

const char *source_kind_name(enum source_kind kind)
{
	switch (kind) {
	case SOURCE_NETNS:
		return "netns";
	case SOURCE_PID:
		return "pid";
	case SOURCE_DOCKER:
		return "docker";
	case SOURCE_PODMAN:
		return "podman";
	case SOURCE_CNI:
		return "cni";
	case SOURCE_LXC:
		return "lxc";
	case SOURCE_INCUS:
		return "incus";
	case SOURCE_SYSTEMD:
		return "systemd";
	case SOURCE_MACHINE:
		return "machine";
	case N_SOURCE_KINDS:
		break;
	}
	return NULL;
}
