/* The desired state that the files declare, as a value: checked, with defaults, references
 * resolved. Its arena is in struct desired. */
#ifndef SCHEMA_MODEL_H
#define SCHEMA_MODEL_H

#include "lib/arena.h"
#include "lib/ip_range.h"

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Limit of names: the owner tag of an attachment contains three, and must fit the 255 bytes of an
 * IFALIAS. */
#define NAME_LENGTH_MAX 63
/* Of the four names of an attachment that is not called as its network, together: set, network,
 * container and attachment. */
#define OWN_NAMES_LENGTH_MAX 237

/* The name of the set of files without `name`. */
#define SET_DEFAULT "default"

/* Tables of policy routing (reconcile/state/policy_routing.h), which no file may use: the number of
 * mvapply's protocol, which none of the reserved tables has, and the next one. */
#define POLICY_TABLE         77
#define POLICY_TABLE_ANSWERS 78
/* The first and the last of the tables of attachments with `policy_routing`. */
#define SOURCE_TABLE_FIRST 7700
#define SOURCE_TABLE_LAST  7955

/* A location in the input. Lines and columns count from 1, columns in characters. */
struct place {
	const char *file; /* the path of the command line, "<stdin>" for "-" */
	unsigned line, column;
};

enum driver { DRIVER_MACVLAN, DRIVER_IPVLAN, DRIVER_MACVTAP, N_DRIVERS } __attribute__((packed));
enum vlan_protocol { VLAN_8021Q, VLAN_8021AD } __attribute__((packed));
enum link_mode {
	MODE_BRIDGE, /* macvlan */
	MODE_PRIVATE,
	MODE_VEPA,
	MODE_PASSTHRU,
	MODE_L2, /* ipvlan */
	MODE_L3,
	MODE_L3S,
} __attribute__((packed));

/* The initial value of bc_cutoff in macvlan_port_create. */
#define BCLIM_DEFAULT 1

/* How ipvlan links of one parent reach each other (IFLA_IPVLAN_FLAGS). */
enum ipvlan_flag { IPVLAN_BRIDGE, IPVLAN_PRIVATE, IPVLAN_VEPA } __attribute__((packed));

/* Settings of a link that an attachment has, or its network for all attachments. */
struct link_settings {
	bool promisc, has_promisc;
	bool allmulticast, has_allmulticast;
	bool has_txqueuelen;
	uint32_t txqueuelen; /* packets */
};

/* The hosts of an assignment: names and globs. None: every host. */
struct hosts {
	const char **items;
	unsigned count;
};

struct aux_address {
	const char *name;
	struct ip ip;
};

/* The ranges of a subnet from which one host chooses addresses. */
struct host_range {
	struct place place;
	const char *host;
	struct ip_ranges ranges;
};

struct subnet {
	struct place place;
	struct prefix prefix; /* no host bits */
	struct ip gateway;    /* family 0: none */
	bool on_link;         /* the gateway is on the LAN, though its address is in no subnet */
	struct ip_ranges ip_range;      /* for every host; none: the whole prefix, or by host */
	struct host_range *host_ranges; /* by host */
	unsigned n_host_ranges;
	struct ip_ranges exclude; /* never chosen */
	/* The addresses from which this host chooses, as a result of ip_ranges_without. None: the
	 * network is on several hosts, and this one has no range of its own. */
	struct ip_ranges pool;
	struct aux_address *aux;
	unsigned n_aux;
};

/* The host's own link of a network (`host_access`). */
struct host_access {
	bool enabled;
	struct place place;
	struct ip ipv4, ipv6;       /* family 0: choose one for each family of the network */
	const char *interface_name; /* NULL: derived from the network's name */
};

/* eth0.10 is short for VLAN 10 of eth0. */
struct short_form {
	const char *parent; /* "eth0"; NULL: the name is no short form */
	uint16_t vlan;      /* 1..4094 */
};

struct network {
	struct place place;
	const char *name;
	enum driver driver;
	const char *parent; /* NULL: a dummy link of the network (internal only) */
	uint16_t vlan;      /* 1..4094, 0: none */
	/* What `parent` means where the host has no link of that name. */
	struct short_form short_form;
	enum vlan_protocol vlan_protocol;
	bool has_vlan_protocol;
	enum link_mode mode;
	struct subnet *subnets;
	unsigned n_subnets;
	uint32_t mtu; /* bytes; 0: the parent's */
	bool has_bcqueuelen;
	uint32_t bcqueuelen; /* packets */
	bool has_bclim;
	int bclim; /* links that receive a multicast address; negative: never queued */
	enum ipvlan_flag ipvlan_flag;
	struct link_settings settings; /* of each attachment that does not set them itself */
	bool manage_parent;            /* the parent is set up, and its MTU raised to `mtu` */
	bool internal;
	bool probe;     /* probe the LAN before a new address is used */
	bool dhcp;      /* IPv4 addresses are DHCP leases, unless the attachment overrides it */
	bool accept_ra; /* the kernel takes IPv6 addresses from router advertisements, the same */
	const char *docker; /* the name of Docker's network for it; NULL: none */
	struct host_access host;
	struct route *routes; /* of each container's first attachment, unless it has the same one */
	unsigned n_routes;
	struct routing_rule *rules; /* of each container's first attachment */
	unsigned n_rules;
	struct hosts hosts;
	bool several_hosts; /* addresses of its broadcast domain, each of which can be chosen once
			     */
};

/* All but ROUTE_UNICAST lead nowhere: they belong to the namespace, not to a link. */
enum route_type {
	ROUTE_UNICAST,
	ROUTE_BLACKHOLE,
	ROUTE_UNREACHABLE,
	ROUTE_PROHIBIT,
	ROUTE_THROW
} __attribute__((packed));

enum route_scope { SCOPE_DEFAULT, SCOPE_GLOBAL, SCOPE_LINK, SCOPE_HOST } __attribute__((packed));

/* What a route has besides its destination and its next hop. */
struct route_options {
	uint32_t metric;      /* 0: the kernel's default */
	uint32_t mtu, advmss; /* bytes; 0: those of the link */
	enum route_type type;
	enum route_scope scope; /* IPv4 alone has scopes */
	bool on_link;           /* the next hop is on the LAN, though its address is in no subnet */
	struct ip source;       /* of packets without one; family 0: the kernel's choice */
};

struct route {
	struct place place;
	struct prefix to; /* no host bits */
	struct ip via;    /* family 0: none, the destination is on the LAN */
	uint32_t table;   /* 0: main */
	struct route_options options;
};

/* A rule of policy routing: which packets are routed by a table. */
struct routing_rule {
	struct place place;
	struct prefix from, to; /* family 0: all */
	uint32_t table;
	uint32_t priority; /* the lowest is looked up first; 0: RULE_PRIORITY */
};

#define RULE_PRIORITY 32000

struct sysctl {
	struct place place;
	const char *key; /* with the placeholder IFNAME, such as net.ipv4.conf.IFNAME.rp_filter */
	const char *value;
};

/* An entry of `addresses`. */
struct address_entry {
	struct prefix within; /* an address is allocated in it: a subnet of the network */
	bool fixed;           /* it is the address itself, with its full length */
};

struct attachment {
	struct place place;
	const char *name; /* unique in the container; usually that of the network */
	const struct network *network;
	const char *interface_name; /* NULL: the lowest free ethN, or lanN beside an engine's */
	const char *resolv_conf;    /* the file for the name servers of its lease; NULL: none */
	struct address_entry *addresses; /* with has_addresses: all of its addresses */
	const char **altnames;           /* with has_altnames: all of its alternative names */
	struct route *routes;
	struct routing_rule *rules;
	struct sysctl *sysctls;
	unsigned n_addresses, n_altnames, n_routes, n_rules, n_sysctls;
	int gw_priority;
	struct link_settings settings;
	struct ip ipv4, ipv6; /* family 0: choose one if the network has a subnet of that family */
	struct mac mac;       /* unset: derived */
	bool first; /* of the container's on its network: it has the network's routes and rules */
	bool has_addresses, has_altnames;
	bool dhcp,
		has_dhcp; /* the IPv4 address is a DHCP lease; the attachment itself sets `dhcp` */
	bool accept_ra, has_accept_ra; /* as the network's; the attachment itself sets it */
};

enum source_kind {
	SOURCE_NETNS,
	SOURCE_PID,
	SOURCE_DOCKER,
	SOURCE_PODMAN,
	SOURCE_CNI, /* attached by the CNI plugin */
	SOURCE_LXC,
	SOURCE_INCUS,
	SOURCE_SYSTEMD,
	SOURCE_MACHINE,
	N_SOURCE_KINDS
} __attribute__((packed));

/* The entry of a container in its file: the characters from its name to the next name. */
struct extent {
	unsigned begin, end; /* end 0: it is the last of its map */
};

struct container {
	struct place place;
	struct extent extent;
	const char *name;
	const char *source; /* a namespace's name or path, a process id in decimal, an engine's
			       name, a pod's "NAMESPACE/NAME", a container of LXC by
			       name or folder, an instance of Incus by name or "PROJECT/NAME", a
			       unit of systemd, a machine of systemd-machined */
	struct hosts hosts;
	struct attachment *attachments;
	unsigned n_attachments;
	enum source_kind source_kind;
	bool policy_routing; /* each attachment answers by the gateway of its network */
	bool guest;          /* no file declares it; its name is "NAME/KEY" */
};

/* All objects with the same `name`, in the order of the input. */
struct set {
	const char *name;
	struct network *networks;
	size_t n_networks;
	struct container *containers;
	size_t n_containers;
};

struct desired {
	struct arena *arena;
	const char *host;    /* the host of this part; NULL: all hosts, which cannot be planned */
	bool on_other_hosts; /* there are networks, and all of them are assigned to other hosts */
	struct set *sets;    /* at least one: an empty input is the empty set "default" */
	size_t n_sets;
	bool excerpt; /* other containers of the files were left out (cmd/excerpt.h) */
};

/* The network's first subnet that contains the address, or NULL. */
struct subnet *network_subnet_of(const struct network *network, const struct ip *ip);
/* The gateway of an attachment with the address: that of its subnet, or else the first one of the
 * family. NULL: none, or the network is internal. */
const struct ip *network_gateway(const struct network *network, const struct ip *ip);
/* Whether the file sets ip_range, for every host or by host. */
bool subnet_has_range(const struct subnet *subnet);
/* The addresses of the ranges, or of the whole prefix if there are none, that the subnet does not
 * exclude, as a result of ip_ranges_without. */
struct ip_ranges subnet_pool(const struct subnet *subnet, const struct ip_ranges *ranges,
			     struct arena *arena);
/* Whether the network has a subnet of the family. */
bool network_has_family(const struct network *network, unsigned family);

/* The first address that the file gives to the attachment, of the family or (AF_UNSPEC) of any; its
 * family is 0 if there is none. */
const struct ip *attachment_address(const struct attachment *attachment, uint8_t family);
/* Whether its IPv6 addresses come from router advertisements, too. */
bool attachment_accepts_ra(const struct attachment *attachment);
/* Whether the file gives the address to the attachment. */
bool attachment_has_address(const struct attachment *attachment, const struct ip *ip);

/* The settings of the attachment, or else of its network. NULL, for the host's own link: the
 * kernel's defaults. */
struct link_settings attachment_settings(const struct attachment *attachment);
/* `bclim`, or the kernel's default. */
int network_bclim(const struct network *network);

/* The metric that the kernel gives to a route: `metric`, or its default if that is 0. */
uint32_t route_metric(const struct prefix *to, uint32_t metric);
/* The scope of a route without an explicit one. */
enum route_scope route_scope_default(const struct prefix *to, const struct ip *via);
/* Whether both are one route to the kernel, which compares table, destination and metric
 * (fib_table_insert, fib6_add_rt2node). */
bool routes_same(const struct route *one, const struct route *other);
/* Whether the attachment lists the same route itself, in place of its network's. */
bool attachment_has_route(const struct attachment *attachment, const struct route *route);
/* Whether the table is POLICY_TABLE or POLICY_TABLE_ANSWERS. */
bool table_is_policy(uint32_t table);
/* Whether the table is one of those of attachments with `policy_routing`. */
bool table_is_source(uint32_t table);

/* The attachment's name, unless it is that of its network: NULL. */
const char *attachment_own_name(const struct attachment *attachment);
/* The container's first attachment to the network, or NULL. */
struct attachment *container_attachment(const struct container *container,
					const struct network *network);

/* The part of `all` that is assigned to one host. In `arena`; it points into `all`, which must
 * outlive it. */
struct desired *desired_for_host(const struct desired *all, const char *host, struct arena *arena);

/* Whether a container or a network of any set has the property. */
bool desired_any_container(const struct desired *desired,
			   bool (*has)(const struct container *container));
bool desired_any_network(const struct desired *desired, bool (*has)(const struct network *network));

void desired_free(struct desired *desired);

#endif
