/* A set as it was observed in the kernel: the model's values, and notes to write with them. Only
 * the parts of the export include this header; others include export.h. */
#ifndef CONVERT_OBSERVED_SET_H
#define CONVERT_OBSERVED_SET_H

#include "lib/hashmap.h"
#include "lib/prefix_tree.h"
#include "reconcile/observe/netns_owner.h"
#include "reconcile/state/state.h"
#include "schema/model.h"

struct notes {
	const char **items;
	size_t count;
};

struct observed_network {
	struct network model;
	struct prefix_tree subnets;     /* of the model's subnets: their numbers */
	const struct live_link *parent; /* NULL: not found */
	uint32_t mtu;                   /* that its set raised the parent's to, or 0 */
	bool described;                 /* everything except subnets and routers is known */
	bool finished;                  /* the addresses of its attachments are known, too */
	struct notes notes;
};

struct observed_attachment {
	struct attachment model;
	size_t network; /* in observed_set.networks; model.network is not set */
	const struct live_ns *ns;
	const struct live_link *link;
	struct notes notes;
};

struct observed_container {
	struct container model; /* without its attachments */
	struct observed_attachment *attachments;
	size_t n_attachments;
	struct notes notes;
};

struct observed_set {
	struct arena *arena;
	const struct live *live;
	const struct index *origins; /* struct origin, by pointer to the namespace */
	const char *name;
	struct index *places; /* contents of the set: observed_place */
	bool adopting;        /* it has links without an owner tag */
	struct observed_network *networks;
	size_t n_networks;
	struct observed_container *containers;
	size_t n_containers;
	struct notes dissents; /* properties of networks that containers' links claim, and that are
				  not trusted */
};

__attribute__((format(printf, 3, 4))) void note_add(struct arena *arena, struct notes *notes,
						    const char *format, ...);

/* The position of an object of the set, by a text; 0: none yet. Whoever controls a namespace
 * decides how many networks, containers and addresses there are, so a search must not be linear. */
__attribute__((format(printf, 2, 3))) size_t *observed_place(const struct observed_set *set,
							     const char *format, ...);
struct observed_network *observed_network_find(const struct observed_set *set, const char *name);
struct observed_container *observed_container_find(const struct observed_set *set,
						   const char *name);
/* The container whose first attachment is in the namespace, or NULL. */
struct observed_container *observed_container_in(const struct observed_set *set,
						 const struct live_ns *ns);
/* Whether the container has an attachment of that name. */
bool observed_attached(const struct observed_set *set, const char *container, const char *name);
/* The network's subnet that contains the address, or NULL. */
struct subnet *observed_subnet_of(const struct observed_network *network, const struct ip *ip);

/* The names of a container's attachment. */
struct observed_names {
	const char *network, *container, *attachment;
};

/* Adds a container's link, the host's own link of a network, or a parent without links on it (a
 * VLAN, or a network's dummy), under the given names. */
void observed_attachment(struct observed_set *set, const struct observed_names *names,
			 const struct live_ns *ns, const struct live_link *link);
void observed_host(struct observed_set *set, const char *network, const struct live_link *link);
void observed_parent(struct observed_set *set, const char *network, const struct live_link *link);
/* Determines the properties of the networks that were added since the last call, and the addresses
 * of their attachments. */
void observed_resolve(struct observed_set *set);
/* The sysctls of the link, if they were read, that differ from those of a new link with the same
 * declaration in its namespace. */
void observed_sysctls(struct observed_set *set, struct observed_attachment *attachment);
/* Adds the sysctl for the default route of router advertisements, where it differs from that of a
 * plan: `planned` says whether the plan would take that route. */
void observed_ra_default(struct observed_set *set, struct observed_attachment *attachment,
			 bool planned);
/* Whether a network is attached to this link of the host. */
bool observed_on(const struct observed_set *set, const struct live_link *parent);

/* For the files that build an observed set. */

/* Sets the host's link as the parent of the network; NULL: the link is gone. */
void observed_network_on(struct observed_set *set, struct observed_network *network,
			 const struct live_link *parent);
/* Sets the network's properties from the host's own link, or from a parent without links on it. */
void observed_host_take(struct observed_set *set, struct observed_network *network,
			const struct live_link *link);
void observed_parent_take(struct observed_set *set, struct observed_network *network,
			  const struct live_link *link);
/* The subnet of the network that contains the address, created if necessary; NULL: it would overlap
 * another one, or no LAN uses it. */
struct subnet *observed_subnet_make(struct observed_set *set, struct observed_network *network,
				    const struct prefix *address);
/* Whether the address can be declared: link-local ones are created by the kernel; those with a
 * limited lifetime by DHCP or router advertisements. */
bool observed_addr_counts(const struct live_link *link, const struct live_addr *addr);
bool observed_addr_tagged(const struct observed_set *set, const struct live_link *link,
			  const struct live_addr *addr);
/* Whether an attachment or the host has the address on the parent; whether the host has it. */
bool observed_address_in_use(const struct observed_set *set, const struct live_link *parent,
			     const struct ip *ip);
void observed_address_holder(const struct observed_set *set, const struct live_link *parent,
			     const struct ip *ip);
/* Not 0: a network on the same parent has the router. */
size_t *observed_router(const struct observed_set *set, const struct observed_network *network,
			const struct ip *ip);
/* The routes of the link; call it after the routers of all networks are known. */
void observed_routes(struct observed_set *set, struct observed_attachment *attachment);

/* Call it after everything was added: sorts the set and derives the properties that depend on
 * several links. */
void observed_finish(struct observed_set *set);

#endif
