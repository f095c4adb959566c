/* The checks of relations between keys, networks and containers, and the model that they build. */
#ifndef SCHEMA_INTERNAL_H
#define SCHEMA_INTERNAL_H

#include "lib/hashmap.h"
#include "schema/decode.h"

/* What networks are attached to: a parent, or a VLAN of it, or a dummy link of a network's own.
 * Networks of one LAN have the same: those that name it alike and are on a common host, or on
 * common hosts with a third. */
struct link {
	uint32_t id;
	const char *title; /* "eth0", "eth0 vlan 10" */
	const struct network *first;
};

/* Networks that name what they are attached to alike, on whatever host. */
struct link_group {
	struct link_group *next;
	const char *title;
	struct network_info *first, **end;
};

/* What is there once on each host, by some name. */
struct host_uniques {
	struct index *everywhere; /* name -> the one that has no hosts */
	struct index *somewhere;  /* name -> struct host_assignment of those that have */
	struct index *named;      /* name and host -> the one that has this host */
};

/* The rules for users of a network on certain hosts. */
struct host_assignment {
	const char *other_host; /* a host that the network is not on; NULL: none */
	const char *without[2]; /* one without a range of its own for IPv4, IPv6; NULL: none */
};

/* A network while its set is read. */
struct network_info {
	struct network *network;
	struct node *name, *body;
	struct source *source;
	struct network_decl *decl;     /* until its subnets are checked */
	struct network_info *peer;     /* next of its struct link_group */
	struct network_info *lan;      /* towards the one that stands for its LAN */
	struct link *link;             /* NULL: unknown, as something is wrong */
	const struct subnet **subnets; /* those that are right, by address; they do not overlap */
	size_t n_subnets;
	bool has_ipv4, has_ipv6;
	bool unsure;           /* a subnet is wrong: nobody knows what is in the network */
	bool broken;           /* driver, mode or parent are wrong: do not compare */
	const char *user_host; /* the first that one of its containers names */
	bool user_hosts;       /* they name others, too */
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

/* An ip_range that is written down. */
struct range {
	struct prefix prefix;
	const struct network_info *info;
	const struct node *node; /* its value */
	size_t order;            /* in the input */
	const char *host;        /* NULL: it is for whichever has the network */
};

struct build {
	struct context context;
	struct set_info *sets, **sets_end;
	struct index *set_names; /* name -> struct set_info */
	struct index *links;     /* title -> struct link_group */
	struct link_group *groups, **groups_end;
	struct index *claims;               /* link and address -> struct claim */
	struct host_uniques host_names;     /* interface name -> struct network_info */
	struct host_uniques passthru_users; /* of a passthru network -> struct attachment */
	uint32_t n_links;
	struct range *ranges;
	size_t n_ranges;
	struct index *assignments; /* network and hosts -> struct host_assignment */
	struct index *host_index;  /* the same as hosts */
	const char **hosts;        /* all that have a name here */
	size_t n_hosts;
	bool multi_host;        /* there are `hosts`, or a range for a host */
	bool multi_host_unsure; /* one of these is wrong */
	size_t effort;          /* spent on comparing hosts */
};

/* Takes what a `hosts` key was decoded to, in the map `body`. */
void hosts_take(struct build *build, const struct scope *scope, const struct node *body,
		struct hosts *hosts);
void host_note(struct build *build, const char *host);
/* Whether a list of hosts may be compared with `count` names more; if not, that is reported. */
bool hosts_affordable(struct build *build, const struct hosts *hosts, size_t count);
/* Enters it, and returns NULL, or returns the value of one of that name that may be on a host with
 * it. */
void *host_uniques_enter(struct build *build, struct host_uniques *uniques, const char *name,
			 const struct hosts *hosts, void *value);
struct host_uniques host_uniques_new(size_t expected);
void host_uniques_free(struct host_uniques *uniques);

/* Notes what the network is attached to. */
void link_join(struct build *build, struct network_info *info, const struct network *network);
/* Decides which networks share a link, when all have joined. */
void links_finish(struct build *build);

/* Reads one entry of `networks` into its set; `name` is its key. */
void network_read(struct build *build, struct set_info *set, struct node *name);
/* Decides about a network's subnets and checks each. */
void network_check_subnets(struct build *build, const struct scope *scope,
			   struct network_info *info, struct network_decl *decl);
/* What depends on the links. */
void network_check(struct build *build, struct network_info *info);
/* What concerns several networks, when all are read. */
void networks_check(struct build *build);

/* Reads one entry of `containers`, when all networks are read. */
void container_read(struct build *build, struct set_info *set, struct node *name);
/* Checks an attachment's values, when its network is known. `at` is its key or item; body may be
 * NULL. *routes has the container's routes so far, NULL if there are none. */
void attachment_check(struct build *build, const struct scope *scope, struct network_info *info,
		      const struct container *container, struct attachment *attachment,
		      const struct node *at, const struct node *body, struct index **routes);

/* dhcp.c: what `dhcp` goes with; settles whether an attachment has it. */
void dhcp_check_network(struct build *build, const struct scope *scope,
			const struct network_info *info, const struct network *network);
void dhcp_check_attachment(struct build *build, const struct scope *scope,
			   const struct network_info *info, const struct container *container,
			   struct attachment *attachment, const struct node *at,
			   const struct node *body);

/* Notes that a container attaches to the network. */
void multi_host_use(struct network_info *info, const struct container *container);
/* What concerns several hosts, when all is read: of networks, then of each container. */
void multi_host_check_networks(struct build *build);
void multi_host_check_container(struct build *build, struct set_info *set, struct node *name);
/* The range of any network on the link that has the address, or NULL. */
const struct range *range_find(const struct build *build, const struct link *link,
			       const struct ip *ip);

/* The subnet that has the address, or NULL. */
const struct subnet *network_subnet(const struct network_info *info, const struct ip *ip);

/* Claims the address at `key` for one link of the network: it must fit, and nobody else may have
 * it. An unset address is fine. */
void address_claim(struct build *build, const struct scope *scope, struct network_info *info,
		   const struct node *body, const char *key, const struct ip *ip);
/* Keeps an address from being claimed; `what` is "the gateway". */
void address_reserve(struct build *build, const struct scope *scope, struct network_info *info,
		     const struct node *node, const struct ip *ip, const char *what);
void mac_claim(struct build *build, const struct scope *scope, struct network_info *info,
	       const struct node *body, const struct mac *mac);

#endif
