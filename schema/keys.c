#include "schema/keys.h"
#include "schema/keys_table.h"

#include <limits.h>
#include <stddef.h>

static const struct key aux_keys[] = {
	{.name = "ADDRESS",
	 .type = KEY_IP,
	 AT(struct aux_address, ip),
	 .description = "an address in the subnet that another device uses",
	 .example = "172.16.86.5"},
};

const struct object aux_object = {
	.where = "aux_addresses",
	KEYS(aux_keys),
	.size = sizeof(struct aux_address),
	.name_type = KEY_NAME,
	.name_offset = offsetof(struct aux_address, name),
	.plain = true,
	.description = "addresses that are never allocated, by name",
};

static const struct key host_range_keys[] = {
	{.name = "RANGE",
	 .type = KEY_RANGE,
	 AT(struct host_range, ranges),
	 .description = "the part of the subnet from which this host allocates addresses",
	 .example = "172.16.86.64/26"},
};

const struct object host_range_object = {
	.where = "ip_range",
	KEYS(host_range_keys),
	.size = sizeof(struct host_range),
	.placed = true,
	.name_type = KEY_HOST_NAME,
	.name_offset = offsetof(struct host_range, host),
	.plain = true,
	.description = "the range of each host, by host name",
};

static const struct key host_pattern_keys[] = {
	{.name = "HOST",
	 .type = KEY_HOST,
	 .size = sizeof(const char *),
	 .description = "a host name, or a glob that matches host names",
	 .example = "rack1-*"},
};

const struct object host_pattern_object = {
	.where = "hosts[]",
	KEYS(host_pattern_keys),
	.size = sizeof(const char *),
	.plain = true,
	.description = "a host name as `hostname` prints it, or a glob that matches host names",
};

#define HOSTS_KEY(struct_type, before, what)                                                       \
	{                                                                                          \
		.name = "hosts", .type = KEY_LIST, AT(struct_type, before hosts.items),            \
		.count = offsetof(struct_type, before hosts.count), .min = 1, .max = 64,           \
		.object = &host_pattern_object,                                                    \
		.description = "the hosts of the " what ": host names, or globs that match them",  \
		.default_text = "every host that the files are applied on",                        \
		.example = "[web1, \"rack1-*\"]"                                                   \
	}

/* A subnet's keys are in an entry of `subnets`, or directly in the network. */
#define SUBNET_KEYS(struct_type, before, is_required)                                              \
	{.name = "subnet",                                                                         \
	 .type = KEY_PREFIX,                                                                       \
	 .required = is_required,                                                                  \
	 AT(struct_type, before prefix),                                                           \
	 .description = "the subnet of the LAN",                                                   \
	 .example = "172.16.86.0/24"},                                                             \
		{.name = "gateway",                                                                \
		 .type = KEY_IP,                                                                   \
		 AT(struct_type, before gateway),                                                  \
		 .description = "the LAN's router",                                                \
		 .default_text = "no default route",                                               \
		 .example = "172.16.86.1"},                                                        \
		{.name = "on_link",                                                                \
		 .type = KEY_BOOL,                                                                 \
		 AT(struct_type, before on_link),                                                  \
		 .description = "the gateway is on the LAN, though its address is outside of the " \
				"subnet",                                                          \
		 .default_text = "true for a subnet of one address, and for a link-local gateway", \
		 .example = "true"},                                                               \
		{.name = "ip_range",                                                               \
		 .type = KEY_RANGE,                                                                \
		 AT(struct_type, before ip_range),                                                 \
		 .map = offsetof(struct_type, before host_ranges),                                 \
		 .count = offsetof(struct_type, before n_host_ranges),                             \
		 .object = &host_range_object,                                                     \
		 .description = "the part of the subnet from which addresses are allocated: a "    \
				"prefix, FIRST-LAST, or a list of these; for several hosts, a "    \
				"map of hosts to such ranges",                                     \
		 .default_text = "the whole subnet; without a gateway, not its first and last "    \
				 "address, one of which is likely to be a router's",               \
		 .example = "172.16.86.64/26"},                                                    \
		{.name = "exclude",                                                                \
		 .type = KEY_EXCLUDE,                                                              \
		 AT(struct_type, before exclude),                                                  \
		 .description = "addresses that are never allocated, but can be set: an address, " \
				"FIRST-LAST, a prefix, or a list of these",                        \
		 .example = "172.16.86.100-172.16.86.199"},                                        \
	{                                                                                          \
		.name = "aux_addresses", .type = KEY_MAP, AT(struct_type, before aux),             \
		.count = offsetof(struct_type, before n_aux), .object = &aux_object,               \
		.description =                                                                     \
			"addresses that other devices use and that are never allocated: a map "    \
			"of names to addresses",                                                   \
		.example = "{printer: 172.16.86.5}"                                                \
	}

static const struct key subnet_keys[] = {SUBNET_KEYS(struct subnet, , true)};

const struct object subnet_object = {
	.where = "networks.NAME.subnets[]",
	KEYS(subnet_keys),
	.size = sizeof(struct subnet),
	.placed = true,
	.description = "one subnet of a network",
	.example = "{subnet: 172.16.86.0/24, gateway: 172.16.86.1}",
};

static const struct key host_keys[] = {
	{.name = "ipv4_address",
	 .type = KEY_IPV4,
	 AT(struct host_access, ipv4),
	 .description = "the host's IPv4 address in the network",
	 .default_text = "allocated, if the network has an IPv4 subnet",
	 .example = "172.16.86.9"},
	{.name = "ipv6_address",
	 .type = KEY_IPV6,
	 AT(struct host_access, ipv6),
	 .description = "the host's IPv6 address in the network",
	 .default_text = "allocated, if the network has an IPv6 subnet",
	 .example = "fd00:86::9"},
	{.name = "interface_name",
	 .type = KEY_INTERFACE,
	 AT(struct host_access, interface_name),
	 .description = "the name of the host's link",
	 .default_text = "derived from the network's name",
	 .example = "lan0"},
};

const struct object host_object = {
	.where = "networks.NAME.host",
	KEYS(host_keys),
	.size = sizeof(struct host_access),
	.placed = true,
	.place = offsetof(struct host_access, place),
	.description = "the host's own link on a network",
	.example = "{ipv4_address: 172.16.86.9}",
};

static const struct key network_keys[] = {
	{.name = "driver",
	 .type = KEY_WORD,
	 AT(struct network_decl, network.driver),
	 .words = driver_words,
	 .description = "the kind of link that is created for an attachment",
	 .default_text = "macvlan"},
	{.name = "parent",
	 .type = KEY_PARENT,
	 AT(struct network_decl, network.parent),
	 .description =
		 "the host's link to the LAN, by name or altname; eth0.10 is short for eth0 with "
		 "vlan 10 if the host has no link of that name",
	 .default_text = "with internal: true, a dummy link that is created for the network",
	 .example = "eth0"},
	{.name = "vlan",
	 .type = KEY_NUMBER,
	 AT(struct network_decl, network.vlan),
	 .min = 1,
	 .max = 4094,
	 .description = "the VLAN id of the network on its parent",
	 .default_text = "no VLAN",
	 .example = "10"},
	{.name = "vlan_protocol",
	 .type = KEY_WORD,
	 AT(struct network_decl, network.vlan_protocol),
	 .words = vlan_protocol_words,
	 .description = "the tag protocol of the VLAN",
	 .default_text = "802.1q"},
	{.name = "mode",
	 .type = KEY_WORD,
	 AT(struct network_decl, network.mode),
	 .words = link_mode_words,
	 .description = "which attachments of a parent can reach each other",
	 .default_text = "bridge for macvlan and macvtap, l2 for ipvlan"},
	SUBNET_KEYS(struct network_decl, subnet., false),
	{.name = "subnets",
	 .type = KEY_LIST,
	 AT(struct network_decl, network.subnets),
	 .count = offsetof(struct network_decl, network.n_subnets),
	 .object = &subnet_object,
	 .description = "several subnets, such as one for IPv4 and one for IPv6; an empty list: "
			"layer 2 only, without addresses",
	 .example = "[{subnet: 172.16.86.0/24}, {subnet: \"fd00:86::/64\"}]"},
	{.name = "mtu",
	 .type = KEY_NUMBER,
	 AT(struct network_decl, network.mtu),
	 .min = 68,
	 .max = 65535,
	 .description = "the largest packet, in bytes",
	 .default_text = "the parent's MTU",
	 .example = "1400"},
	{.name = "bcqueuelen",
	 .type = KEY_NUMBER,
	 AT(struct network_decl, network.bcqueuelen),
	 .has = offsetof(struct network_decl, network.has_bcqueuelen),
	 .max = UINT32_MAX,
	 .description = "the length of the broadcast queue, in packets; not for ipvlan",
	 .default_text = "the kernel's default",
	 .example = "2000"},
	{.name = "bclim",
	 .type = KEY_NUMBER,
	 AT(struct network_decl, network.bclim),
	 .has = offsetof(struct network_decl, network.has_bclim),
	 .min = INT_MIN,
	 .max = INT_MAX,
	 .description =
		 "multicast that more links of the parent receive than this is queued as broadcast "
		 "is; negative: none is; not for ipvlan",
	 .default_text = "the kernel's default, 1",
	 .example = "-1"},
	{.name = "ipvlan_flag",
	 .type = KEY_WORD,
	 AT(struct network_decl, network.ipvlan_flag),
	 .words = ipvlan_flag_words,
	 .description = "how ipvlan attachments of a parent reach each other",
	 .default_text = "bridge"},
	SETTING_KEYS(struct network_decl, network., "each attachment"),
	{.name = "manage_parent",
	 .type = KEY_BOOL,
	 AT(struct network_decl, network.manage_parent),
	 .description = "the parent is set up, and its MTU raised to the network's; undone when no "
			"network needs it any more",
	 .default_text = "false: a parent is not changed"},
	{.name = "internal",
	 .type = KEY_BOOL,
	 AT(struct network_decl, network.internal),
	 .description = "containers get no default route through the network",
	 .default_text = "false"},
	{.name = "probe",
	 .type = KEY_BOOL,
	 AT(struct network_decl, network.probe),
	 .description = "check that a new address is not in use on the LAN before it is assigned",
	 .default_text = "false"},
	{.name = "dhcp",
	 .type = KEY_BOOL,
	 AT(struct network_decl, network.dhcp),
	 .description =
		 "the LAN's DHCP server assigns IPv4 addresses and routes; no subnet is needed",
	 .default_text = "false"},
	{.name = "accept_ra",
	 .type = KEY_BOOL,
	 AT(struct network_decl, network.accept_ra),
	 .description =
		 "the kernel takes IPv6 addresses and the default route from the LAN's router "
		 "advertisements (SLAAC); no subnet is needed",
	 .default_text = "false"},
	{.name = "docker",
	 .type = KEY_NAME,
	 AT(struct network_decl, network.docker),
	 .description =
		 "`mvapply docker-plugin` creates a network of Docker for it, with this name; "
		 "true: with the network's own name",
	 .default_text = "false",
	 .example = "my-macvlan-net"},
	{.name = "host",
	 .type = KEY_OBJECT,
	 AT(struct network_decl, network.host),
	 .has = offsetof(struct network_decl, network.host.enabled),
	 .or_bool = true,
	 .object = &host_object,
	 .description = "the host's own link on the network; true uses the defaults",
	 .default_text = "the host cannot reach the network's containers",
	 .example = "{ipv4_address: 172.16.86.9}"},
	{.name = "routes",
	 .type = KEY_LIST,
	 AT(struct network_decl, network.routes),
	 .count = offsetof(struct network_decl, network.n_routes),
	 .object = &route_object,
	 .description = "routes of each attachment, unless it lists one to the same destination",
	 .example = "[{to: 10.0.0.0/8, via: 172.16.86.254}]"},
	{.name = "rules",
	 .type = KEY_LIST,
	 AT(struct network_decl, network.rules),
	 .count = offsetof(struct network_decl, network.n_rules),
	 .object = &routing_rule_object,
	 .description = "policy routing rules of each attachment",
	 .example = "[{from: 172.16.86.20, table: 100}]"},
	HOSTS_KEY(struct network_decl, network., "network"),
};

const struct object network_object = {
	.where = "networks.NAME",
	KEYS(network_keys),
	.size = sizeof(struct network_decl),
	.placed = true,
	.name_type = KEY_NAME,
	.name_offset = offsetof(struct network_decl, network.name),
	.description = "a network that containers are attached to",
	.example = "{parent: eth0, subnet: 172.16.86.0/24}",
};

static const struct key container_keys[] = {
	{.name = "netns",
	 .type = KEY_NETNS,
	 AT(struct container_decl, sources[SOURCE_NETNS]),
	 .description = "the network namespace of the container, by name or absolute path",
	 .default_text = "the namespace with the container's name",
	 .example = "/run/netns/web"},
	{.name = "pid",
	 .type = KEY_PID,
	 AT(struct container_decl, sources[SOURCE_PID]),
	 .min = 1,
	 .max = INT_MAX,
	 .description = "the id of a process in the network namespace of the container",
	 .example = "4711"},
	{.name = "docker",
	 .type = KEY_ENGINE,
	 AT(struct container_decl, sources[SOURCE_DOCKER]),
	 .description = "the Docker container, by name, id or Compose's project/service",
	 .example = "my-db"},
	{.name = "podman",
	 .type = KEY_ENGINE,
	 AT(struct container_decl, sources[SOURCE_PODMAN]),
	 .description = "the Podman container, by name, id or Compose's project/service",
	 .example = "my-db"},
	{.name = "cni",
	 .type = KEY_POD,
	 AT(struct container_decl, sources[SOURCE_CNI]),
	 .description = "the pod whose container runtime calls the CNI plugin, by NAMESPACE/NAME",
	 .example = "default/my-db"},
	{.name = "lxc",
	 .type = KEY_LXC,
	 AT(struct container_decl, sources[SOURCE_LXC]),
	 .description = "the container of LXC, by its name in /var/lib/lxc or its absolute path",
	 .example = "my-db"},
	{.name = "incus",
	 .type = KEY_INCUS,
	 AT(struct container_decl, sources[SOURCE_INCUS]),
	 .description = "the container of Incus, by name or PROJECT/NAME",
	 .example = "my-db"},
	{.name = "systemd",
	 .type = KEY_UNIT,
	 AT(struct container_decl, sources[SOURCE_SYSTEMD]),
	 .description = "the service of systemd with PrivateNetwork=yes, by the name of its unit",
	 .example = "my-db.service"},
	{.name = "machine",
	 .type = KEY_MACHINE,
	 AT(struct container_decl, sources[SOURCE_MACHINE]),
	 .description = "the container of systemd-nspawn, by the machine's name in `machinectl`",
	 .example = "my-db"},
	{.name = "policy_routing",
	 .type = KEY_BOOL,
	 AT(struct container_decl, container.policy_routing),
	 .description = "the container answers on each network by that network's own gateway",
	 .default_text = "false: all leaves by the one default route"},
	HOSTS_KEY(struct container_decl, container., "container"),
	{.name = "networks",
	 .type = KEY_NAMES,
	 .required = true,
	 .deferred = true,
	 AT(struct container_decl, networks),
	 .object = &attachment_object,
	 .description =
		 "the networks that the container is attached to: a list of names, or a map of "
		 "names to options",
	 .example = "[my-macvlan-net]"},
};

const struct object container_object = {
	.where = "containers.NAME",
	KEYS(container_keys),
	.size = sizeof(struct container_decl),
	.placed = true,
	.name_type = KEY_NAME,
	.name_offset = offsetof(struct container_decl, container.name),
	.description = "a container, or any network namespace",
	.example = "{networks: [my-macvlan-net]}",
};

static const struct key document_keys[] = {
	{.name = "name",
	 .type = KEY_NAME,
	 AT(struct document_decl, name),
	 .description = "the name of this set; objects of the set that leave the files are removed",
	 .default_text = "default",
	 .example = "lab"},
	{.name = "networks",
	 .type = KEY_MAP,
	 .deferred = true,
	 AT(struct document_decl, networks),
	 .object = &network_object,
	 .description = "the networks, by name",
	 .example = "{my-macvlan-net: {parent: eth0, subnet: 172.16.86.0/24}}"},
	{.name = "containers",
	 .type = KEY_MAP,
	 .deferred = true,
	 AT(struct document_decl, containers),
	 .object = &container_object,
	 .description = "the containers, by name",
	 .example = "{web: {networks: [my-macvlan-net]}}"},
};

const struct object document_object = {
	.where = "the top level",
	KEYS(document_keys),
	.size = sizeof(struct document_decl),
	.extensions = true,
	.description = "the networks of a host, and the containers attached to them",
};
