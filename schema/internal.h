/* The checks of relations between keys, networks and containers, and the model that they build. */
#ifndef SCHEMA_INTERNAL_H
#define SCHEMA_INTERNAL_H

#include "lib/hashmap.h"
#include "schema/decode.h"

/* The broadcast domain of networks: a parent, a VLAN of it, or the dummy link of one network.
 * Networks share it if they name the same parent and VLAN and have a host in common, directly or
 * through a third network. */
struct link {
	uint32_t id;
	const char *title; /* "eth0", "eth0 vlan 10" */
	const struct network *first;
};

/* Networks with the same parent and VLAN in the file, on any hosts. */
struct link_group {
	struct link_group *next;
	const char *title;
	struct network_info *first, **end;
};

/* Values that must be unique on each host, by name. */
struct host_uniques {
	struct index *everywhere; /* name -> the value without hosts */
	struct index *somewhere;  /* name -> struct host_assignment of those with hosts */
	struct index *named;      /* name and host -> the value for this host */
};

/* The constraints on users of a network on certain hosts. */
struct host_assignment {
	const char *other_host; /* a host without the network; NULL: none */
	const char *without[2]; /* a host without its own range for IPv4, IPv6; NULL: none */
};

/* A network while its set is read. */
struct network_info {
	struct network *network;
	struct node *name, *body;
	struct source *source;
	struct network_decl *decl;     /* until its subnets are checked */
	struct network_info *peer;     /* next of its struct link_group */
	struct network_info *lan;      /* towards the one that stands for its LAN */
	struct link *link;             /* towards the representative of its LAN */
	const struct subnet **subnets; /* NULL: unknown because of an error */
	size_t n_subnets;
	bool has_ipv4, has_ipv6;
	bool unsure;           /* a subnet is wrong: nobody knows what is in the network */
	bool broken;           /* a subnet is invalid: its addresses are unknown */
	const char *user_host; /* driver, mode or parent are invalid: do not compare */
	bool user_hosts;       /* the first host that a container of it names */
};

struct set_info {
	struct set_info *next;
	struct set set;
	struct network_info *infos; /* of set.networks, in the same order */
	size_t networks_room, containers_room;
	struct index *networks;      /* name -> struct network_info */
	struct index *containers;    /* name -> struct container */
	struct host_uniques sources; /* kind and text -> struct container */
};

/* One range of an explicit ip_range. */
struct range {
	struct ip_range range;
	const struct network_info *info;
	const struct subnet *subnet;
	const struct node *node; /* its value */
	size_t order;            /* position in the input */
	const char *host;        /* NULL: for every host of the network */
};

struct build {
	struct context context;
	struct set_info *sets, **sets_end;
	struct index *set_names; /* name -> struct set_info */
	struct index *links;     /* title -> struct link_group */
	struct link_group *groups, **groups_end;
	struct index *claims;                  /* link and address -> struct claim */
	struct host_uniques host_names;        /* interface name -> struct network_info */
	struct host_uniques resolv_conf_users; /* of a path -> struct attachment */
	struct host_uniques passthru_users;    /* of a passthru network -> struct attachment */
	uint32_t n_links;
	struct range *ranges;
	size_t n_ranges;
	struct index *assignments; /* network and hosts -> struct host_assignment */
	struct index *host_index;  /* the same as hosts */
	const char **hosts;        /* all hosts with an explicit name */
	size_t n_hosts;
	bool multi_host;        /* the input has `hosts`, or a range for a host */
	bool multi_host_unsure; /* one of these is invalid */
	size_t effort;          /* the number of host comparisons so far */
};

/* Stores the decoded value of a `hosts` key of the map `body`. */
void hosts_take(struct build *build, const struct scope *scope, const struct node *body,
		struct hosts *hosts);
void host_note(struct build *build, const char *host);
/* Whether a list of hosts may be compared with `count` more names; otherwise reports it. */
bool hosts_affordable(struct build *build, const struct hosts *hosts, size_t count);
/* Adds the value and returns NULL, or returns the value of that name that may share a host with
 * it. */
void *host_uniques_enter(struct build *build, struct host_uniques *uniques, const char *name,
			 const struct hosts *hosts, void *value);
struct host_uniques host_uniques_new(size_t expected);
void host_uniques_free(struct host_uniques *uniques);

/* Records the broadcast domain of the network. */
void link_join(struct build *build, struct network_info *info, const struct network *network);
/* Determines which networks share a link, after all of them were recorded. */
void links_finish(struct build *build);

/* Reads one entry of `networks` into its set; `name` is its key. */
void network_read(struct build *build, struct set_info *set, struct node *name);
/* Determines and checks a network's subnets. */
void network_check_subnets(struct build *build, const struct scope *scope,
			   struct network_info *info, struct network_decl *decl);
/* The checks that depend on the link. */
void network_check(struct build *build, struct network_info *info);
/* The checks of several networks, after all are read. */
void networks_check(struct build *build);

/* Reads one entry of `containers`, after all networks are read. */
void container_read(struct build *build, struct set_info *set, struct node *name);
/* Checks an attachment's values after its network is resolved. `at` is its key or item; body may be
 * NULL. *routes has the container's routes so far, NULL if there are none. */
void attachment_check(struct build *build, const struct scope *scope, struct network_info *info,
		      const struct container *container, struct attachment *attachment,
		      const struct node *at, const struct node *body, struct index **routes);

/* routes.c: checks the list `routes` of the map `body`, and enters its routes into `seen`. */
void routes_check(struct build *build, const struct scope *scope, const struct network_info *info,
		  const struct node *body, struct route *routes, size_t count, struct index *seen);
/* Enters the network's routes that the attachment gets, too. */
void network_routes_enter(struct build *build, const struct scope *scope,
			  const struct network_info *info, const struct attachment *attachment,
			  const struct node *at, struct index *seen);

/* Checks the list `rules` of the map `body`. `attachment`: NULL for those of a network. */
void rules_check(struct build *build, const struct scope *scope, const struct network_info *info,
		 const struct attachment *attachment, const struct node *body,
		 const struct routing_rule *rules, size_t count);

/* accept_ra.c: checks the combinations with `accept_ra`. */
void accept_ra_check_network(struct build *build, const struct scope *scope,
			     const struct network_info *info, const struct network *network);
void accept_ra_check_attachment(struct build *build, const struct scope *scope,
				const struct network_info *info,
				const struct attachment *attachment, const struct node *body);
/* dhcp.c: checks the combinations with `dhcp`, and determines whether an attachment has it. */
void dhcp_check_network(struct build *build, const struct scope *scope,
			const struct network_info *info, const struct network *network);
void dhcp_check_attachment(struct build *build, const struct scope *scope,
			   const struct network_info *info, const struct container *container,
			   struct attachment *attachment, const struct node *at,
			   const struct node *body);

/* Records that a container is attached to the network. */
void multi_host_use(struct network_info *info, const struct container *container);
/* The checks of several hosts, after all is read: of networks, then of each container. */
void multi_host_check_networks(struct build *build);
void multi_host_check_container(struct build *build, struct set_info *set, struct node *name);
/* The range, of any network on the link, that contains the address, or NULL. */
const struct range *range_find(const struct build *build, const struct link *link,
			       const struct ip *ip);

/* The subnet that contains the address, or NULL. */
const struct subnet *network_subnet(const struct network_info *info, const struct ip *ip);

/* Assigns the address at `key` to a link of the network: it must fit, and must not be in use. An
 * unset address is ignored. */
void address_claim(struct build *build, const struct scope *scope, struct network_info *info,
		   const struct node *body, const char *key, const struct ip *ip);
/* The same for the address whose value is `node`. */
void address_claim_at(struct build *build, const struct scope *scope, struct network_info *info,
		      const struct node *node, const struct ip *ip);
#define RESERVED_GATEWAY "the gateway"
#define RESERVED_AUX     "an aux address"
/* Reserves an address; `what` is one of these two. */
void address_reserve(struct build *build, const struct scope *scope, struct network_info *info,
		     const struct node *node, const struct ip *ip, const char *what);
void mac_claim(struct build *build, const struct scope *scope, struct network_info *info,
	       const struct node *body, const struct mac *mac);

#endif
