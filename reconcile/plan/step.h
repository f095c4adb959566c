/* The steps of a plan, in the order in which they are applied. Only the functions that build them
 * change them. */
#ifndef RECONCILE_PLAN_STEP_H
#define RECONCILE_PLAN_STEP_H

#include "kernel/link.h"
#include "lib/error.h"
#include "reconcile/plan/warning.h"
#include "reconcile/state/policy_routing.h"

/* In the order in which changes of one link are made, except that all removals (an address, route
 * or altname with `from` alone) come first, of all links. */
enum field {
	FIELD_ALIAS,
	FIELD_NAME,
	FIELD_MAC,
	FIELD_MTU,
	FIELD_MODE,
	FIELD_BCQUEUELEN,
	FIELD_BCLIM,
	FIELD_IPVLAN_FLAG,
	FIELD_TXQUEUELEN,
	FIELD_PROMISC,
	FIELD_ALLMULTICAST,
	FIELD_ALTNAME,
	FIELD_SYSCTL,
	FIELD_UP,
	FIELD_ADDRESS,
	FIELD_ROUTE,
	FIELD_RULE, /* of policy routing */
	FIELD_DHCP, /* the lease: requested or renewed */
	/* None of these can be changed in place. */
	FIELD_DRIVER,
	FIELD_PARENT,
	FIELD_VLAN,
	FIELD_VLAN_PROTOCOL,
} __attribute__((packed));

/* "10.0.0.0/8 via 172.16.86.254 table 100 metric 50", in the order of `ip route`. Writes into the
 * caller's buffer and returns it. */
#define ROUTE_TEXT_SIZE 256
const char *link_route_format(const struct link_route *route, char text[ROUTE_TEXT_SIZE]);
struct link_route link_route_of(const struct live_route *live);
/* Whether both are the same route to the kernel, which compares table, destination and metric
 * (fib_table_insert, fib6_add_rt2node). */
bool link_route_same(const struct link_route *one, const struct link_route *other);
bool link_route_is(const struct link_route *route, const struct live_route *live);
/* The metric of an address without terms of its own. */
uint32_t link_spec_addr_metric(const struct link_spec *spec, uint8_t family);
struct addr_terms link_spec_addr_terms(const struct link_spec *spec, const struct prefix *addr);

/* The key of the input for a field ("mtu", "mac_address"), for text and JSON. */
const char *field_name(enum field field);

/* The reason of a replacement that is not necessary. */
#define STEP_FASTER "replaced: many MAC addresses change, which is slower in place"

struct change {
	enum field field;
	const char *from, *to;   /* as text; NULL: absent before, or to be removed */
	struct prefix addr;      /* FIELD_ADDRESS */
	struct link_route route; /* FIELD_ROUTE: if both are set, the route that replaces `from` */
	struct link_sysctl sysctl; /* FIELD_SYSCTL */
	struct policy_rule rule;   /* FIELD_RULE */
};

enum action {
	ACTION_CREATE,
	ACTION_CHANGE,  /* change in place, by `changes` */
	ACTION_REPLACE, /* delete `current`, create `desired`; `changes` says why */
	ACTION_DELETE,
	/* The following are reported and not applied. */
	ACTION_KEPT,    /* would be deleted, but is in use */
	ACTION_PENDING, /* the container is not running yet */
	ACTION_BLOCKED, /* this step alone is impossible: no such parent, or a conflict in its
			   namespace */
	ACTION_REFUSED, /* a conflict on the host itself: no step is applied */
} __attribute__((packed));

struct step {
	enum action action;
	bool engine_pending; /* pending: the container's engine has never answered */
	bool faster;         /* replace: the changes could also be made in place, but slower */
	bool released;       /* change of a parent (ROLE_PARENT): no network needs it any more */
	bool stray;          /* delete: the link is not in the namespace of the container that its
				tag names */
	struct {
		bool name, mac;
	} temporary; /* first a temporary one, as other steps wait for the current one */
	unsigned n_changes;
	unsigned replaced_by; /* delete: 1 + the number of the step that creates the replacing
				 attachment, without which this one stays; 0: none does */
	enum code code;       /* the code of `reason`; CODE_NONE: none */
	const struct owner_tag *tag;         /* whose link; for a VLAN, `name` has the name */
	const char *set;                     /* the set that the step is for */
	const char *name;                    /* the link's name, the new one if it changes */
	const struct container *container;   /* of the desired state, if it is declared */
	const struct attachment *attachment; /* the same */
	const struct network *network;
	struct live_ns *ns;                /* of `current` and `desired` */
	const struct live_link *current;   /* change, replace, delete, kept */
	const struct link_spec *desired;   /* create, change, replace */
	const struct change *changes;      /* sorted by field */
	const struct policy *stale_policy; /* that led to routes of `current`, and that no
					      attachment of the namespace needs; NULL: none */
	const struct link_spec
		*replacement; /* delete: the step's attachment that replaces it; or NULL */
	const char *stopped;  /* pending: the engine's id of the container, which is not running;
				 NULL: unknown */
	const char *reason;   /* kept, pending, blocked, refused; delete, if it is a stray */
	const char *hint;     /* the fix, or NULL */
};

/* Another live set, probably the former name of a declared set; set NULL: none. */
struct undeclared_set {
	const char *set, *network;
};

struct plan {
	struct arena *arena;
	const struct step *steps; /* in the order of application */
	size_t n_steps;
	const struct warning *warnings;
	size_t n_warnings;
	struct undeclared_set left;
	struct guard {
		bool refused;
		bool other_file; /* no live container of the set is declared: probably another
				 file's set */
		const char *set;
		size_t live, deletes;
	} guard;
};

/* The prefix of temporary link names, followed by eight digits. */
#define TEMPORARY_PREFIX "mvtmp"

/* The temporary name and MAC of a step with `temporary`. Writes into the caller's buffer and
 * returns it. */
const char *step_temporary_name(const struct step *step, char name[IFNAMSIZ]);
/* A locally administered unicast address; another link has it with a probability of 1 in 2^40. */
struct mac step_temporary_mac(const struct step *step);

/* Whether applying the step has an effect: it is not only a report. */
bool step_acts(const struct step *step);
/* Whether applying the step deletes its live link. */
bool step_deletes(const struct step *step);
/* Whether the step is for a parent: a VLAN link, a dummy, or another program's link that networks
 * with `manage_parent` need. */
bool step_is_parent(const struct step *step);
bool step_creates_parent(const struct step *step);
/* The name of its link's parent if that does not exist yet; otherwise NULL. */
const char *step_new_parent(const struct step *step);
size_t plan_count(const struct plan *plan, enum action action);
/* Whether applying the step would send a message. */
bool plan_empty(const struct plan *plan);

#endif
