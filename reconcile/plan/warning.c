#include "reconcile/plan/warning.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SET_REMEDY(set)                                                                            \
	"if that set was renamed or is no longer needed, `mvapply delete --name " set              \
	"` removes all its objects"
#define BESIDE_REMEDY                                                                              \
	"set `gw_priority: 1` on that attachment to route through it in addition to the "          \
	"engine's networks"
#define LEASE_REASON "instead of being released, because --confirm may have to restore them"

/* {0} is the first object. */
static const char *const sentences[] = {
	[WARNING_PARENT_DOWN] =
		"parent {0} is down: it passes no traffic until `ip link set {0} up`",
	[WARNING_PARENT_NO_CARRIER] =
		"parent {0} has no carrier: it passes no traffic until its cable or peer is up",
	[WARNING_VLAN_NAME] =
		"parent {0} is VLAN {1} and is used as it is; for VLAN {3} of {2}, write `parent: "
		"{2}` and `vlan: {3}`",
	[WARNING_BRIDGE_VLAN] =
		"bridge {0} filters VLANs and does not pass VLAN {1} to itself with its "
		"tag: it passes no traffic until `bridge vlan add vid {1} dev {0} self`",
	[WARNING_BRIDGE_PVID] = "bridge {0} filters VLANs and has no PVID: it passes no untagged "
				"traffic until `bridge vlan add vid ID pvid untagged dev {0} self`",
	[WARNING_BRIDGE_PORTS] =
		"bridge {0} filters VLANs, and none of its ports is a member of VLAN "
		"{1}: it passes no traffic until `bridge vlan add vid {1} dev PORT`",
	[WARNING_ADDRESS_CLAIMED] = "{0} also has the address {1} of {2}: ignored",
	[WARNING_ADDRESSES_CLAIMED] =
		"{0} also has the address {1} of {2}: ignored, as are {3} more in that namespace",
	[WARNING_ADDRESS_OF_SET] =
		"{0} has the address {1} of {2}, too: give one of the two another address",
	[WARNING_SECOND_LINK] =
		"{0} has a second link on the LAN of {1}, of set \"{2}\": {3}; " SET_REMEDY("{2}"),
	[WARNING_TWO_LINKS] =
		"{0} has two links on the LAN of {1}, {2} of set \"{3}\" and {4} of set \"{5}\": "
		"remove one of the two attachments from the files",
	[WARNING_ROUTE_KEPT] =
		"{0} keeps the default route of {1}; the one of network {2} (via {3}) is not added",
	[WARNING_ROUTE_KEPT_VIA] =
		"{0} keeps the default route of {1}, via {4}; the one of network {2} (via {3}) is "
		"not added",
	[WARNING_ROUTE_ENGINE] =
		"{0} keeps the default route of {1}; the one of network {2} (via {3}) is not "
		"added: " BESIDE_REMEDY,
	[WARNING_ROUTE_ENGINE_VIA] =
		"{0} keeps the default route of {1}, via {4}; the one of network {2} (via {3}) is "
		"not added: " BESIDE_REMEDY,
	[WARNING_UNREACHABLE] =
		"the host cannot reach {0} on network {1}: its route to {2} leads through network "
		"{3}",
	[WARNING_IPV6_ENABLED] =
		"IPv6 is disabled in the namespace of {0}: it is enabled on its link {1} "
		"(net.ipv6.conf.{1}.disable_ipv6=0)",
	[WARNING_NOTHING_HERE] =
		"no network of the files is assigned to this host, \"{0}\": check `hosts`, or set "
		"this host's name with --host",
	[WARNING_LOOKUP] = "{1}",
	[WARNING_SET_UNDECLARED] =
		"set \"{0}\" is live on network {1}, but is not in these files; " SET_REMEDY("{0}"),
	[WARNING_NO_RANGE] =
		"network {0} has no `ip_range`: the DHCP server of its LAN may assign the "
		"addresses that mvapply chooses, too; add a range that the server does not use, "
		"such as `{2}`, or `probe: true`",
	[WARNING_SUBNET_TWICE] =
		"{0} has overlapping subnets on two parents, {2} of network {1} and {4} of network "
		"{3}: packets for both leave through one of the two links; change a subnet, remove "
		"one of the attachments, or set `policy_routing: true` on the container",
	[WARNING_GATEWAY_OWN] =
		"the gateway {1} of network {0} is an address of its parent {2}, which the "
		"network's containers cannot reach; set `gateway` to the router of the LAN",
	[WARNING_LEASE_ROUTE] =
		"the DHCP lease of {0} routes {1}, a part of the subnet {3} of network {2}, "
		"through its own link: check the DHCP server; with `internal: true` network {4} "
		"uses no routes of its leases",
	[WARNING_POLICY_ADVERTISED] =
		"`policy_routing` does not cover the IPv6 addresses that a router advertises to {0}: "
		"packets from them leave through the default route of another network; give the "
		"network an IPv6 subnet with a gateway",
	[WARNING_BCQUEUELEN] =
		"this kernel has no `bcqueuelen` (it is from Linux 5.11): the links of network {0} keep "
		"the kernel's own queue",
	[WARNING_BCLIM] = "this kernel has no `bclim` (it is from Linux 6.4): the links of network "
			  "{0} keep the kernel's own limit",
	[WARNING_LEASE_RUNS_OUT] = "{0} DHCP lease expires " LEASE_REASON,
	[WARNING_LEASES_RUN_OUT] = "{0} DHCP leases expire " LEASE_REASON,
};

enum code warning_code(enum warning_kind kind)
{
	static const enum code codes[N_WARNINGS] = {
		[WARNING_ADDRESS_OF_SET] = CODE_ADDRESS_OF_SET,
		[WARNING_NO_RANGE] = CODE_RANGE_ABSENT,
		[WARNING_SUBNET_TWICE] = CODE_SUBNET_TWICE,
		[WARNING_GATEWAY_OWN] = CODE_GATEWAY_OWN,
		[WARNING_LEASE_ROUTE] = CODE_LEASE_ROUTE,
		[WARNING_POLICY_ADVERTISED] = CODE_POLICY_ADVERTISED,
		[WARNING_BCQUEUELEN] = CODE_KERNEL_LACKS,
		[WARNING_BCLIM] = CODE_KERNEL_LACKS,
	};
	return codes[kind];
}

const char *undeclared_set_remedy(const char *set, struct arena *arena)
{
	return arena_printf(arena, SET_REMEDY("%s"), set);
}

const char *warning_text(const struct warning *warning, struct arena *arena)
{
	char text[512];
	size_t used = 0;
	for (const char *at = sentences[warning->kind]; *at && used < sizeof(text);) {
		const bool object = *at == '{';
		const char *piece = object ? warning->objects[at[1] - '0'] : at;
		const size_t length = object ? strlen(piece) : strcspn(at, "{");
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%.*s", (int)length,
					 piece);
		at += object ? strlen("{0}") : length;
	}
	return arena_strdup(arena, text);
}

const char **warnings_text(const struct warning *warnings, size_t count, struct arena *arena)
{
	const char **texts = arena_alloc(arena, (count + 1) * sizeof(*texts));
	for (size_t i = 0; i < count; i++)
		texts[i] = coded(arena, warning_text(&warnings[i], arena),
				 warning_code(warnings[i].kind));
	return texts;
}
