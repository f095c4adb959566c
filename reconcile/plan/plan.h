/* The plan: the operations that lead from what is live to what is desired. Pure: two values in, one
 * value out, no I/O. */
#ifndef RECONCILE_PLAN_PLAN_H
#define RECONCILE_PLAN_PLAN_H

#include "lib/error.h"
#include "reconcile/plan/refused_macs.h"
#include "reconcile/state/state.h"
#include "schema/model.h"

/* An address with the length of its subnet. */
struct link_route {
	struct prefix to;      /* len 0: the default route of ip.family */
	struct ip via, source; /* family 0: none */
	bool replaces;         /* takes the place of one by another link (--adopt) */
	uint8_t protocol;      /* 0: mvapply's own */
	uint32_t metric;       /* 0: as the kernel chooses */
};

/* How an address of a link is put. */
struct addr_terms {
	uint8_t protocol;          /* IFA_PROTO */
	uint32_t valid, preferred; /* seconds; valid 0: for good */
};

struct dhcp_answer;

/* What a link has to do with DHCP. */
struct link_dhcp {
	bool wanted;         /* it gets its IPv4 address so */
	bool gateway;        /* the router of its lease gets the default route */
	struct prefix lease; /* that it has; family 0: none */
	struct ip router;    /* of that lease; family 0: none */
	/* Of one that is asked for already, by whoever does the plan; NULL: apply asks. */
	const struct dhcp_answer *answer;
	bool later; /* nor does apply ask: the step is done without */
};

struct link_sysctl {
	const char *key; /* with the placeholder IFNAME */
	const char *value;
	bool asked; /* by the file; else it need not be there */
};

/* What one link shall be. */
struct link_spec {
	struct owner_tag mark;
	const char *alias;
	struct live_ns *ns; /* where it lives */
	int ifindex;        /* that it has once it is made, if that is free; 0: any */
	const char *name;
	enum link_kind kind;
	enum link_mode mode; /* macvlan, ipvlan */
	struct mac mac;      /* set false: as the kernel chooses */
	uint32_t mtu;        /* bytes; 0: as the kernel chooses */
	bool has_bcqueuelen;
	uint32_t bcqueuelen; /* macvlan; sent on create only if has_bcqueuelen */
	uint16_t vlan;       /* VLAN link */
	enum vlan_protocol vlan_protocol;
	const char *parent_name; /* in the host's namespace; NULL for a dummy */
	int parent;              /* ifindex; 0: an earlier step makes it, find it by name */
	bool parent_away;        /* it is, and stays, in another namespace than the host's */
	bool shares_parent;      /* other links may be on its parent already */
	bool down;               /* it stays down */
	bool probe;              /* new addresses are probed before they are used */
	struct prefix *addrs;
	size_t n_addrs;
	const struct addr_terms *addr_terms; /* of each; NULL: mvapply's own, for good */
	struct link_dhcp dhcp;
	struct link_route *routes; /* in the order in which they can be added */
	size_t n_routes;
	struct link_sysctl *sysctls;
	size_t n_sysctls;
};

/* In the order in which changes of one link are made, but that everything that a change takes away
 * (an address or route with `from` alone) is taken away first, of all links. */
enum field {
	FIELD_ALIAS,
	FIELD_NAME,
	FIELD_MAC,
	FIELD_MTU,
	FIELD_MODE,
	FIELD_BCQUEUELEN,
	FIELD_SYSCTL,
	FIELD_UP,
	FIELD_ADDRESS,
	FIELD_ROUTE,
	FIELD_DHCP, /* the lease: got, or renewed */
	/* Of these no link can be changed in place. */
	FIELD_DRIVER,
	FIELD_PARENT,
	FIELD_VLAN,
	FIELD_VLAN_PROTOCOL,
};

struct link_route link_route_of(const struct live_route *live);
struct addr_terms link_spec_addr_terms(const struct link_spec *spec, const struct prefix *addr);

/* The key of the input that a field comes from ("mtu", "mac_address"), for people and JSON. */
const char *field_name(enum field field);

struct change {
	enum field field;
	const char *from, *to;     /* as text; NULL: was not there, shall not be there */
	struct prefix addr;        /* FIELD_ADDRESS */
	struct link_route route;   /* FIELD_ROUTE: when both, the one to be put in place */
	struct link_sysctl sysctl; /* FIELD_SYSCTL */
};

enum action {
	ACTION_CREATE,
	ACTION_CHANGE,  /* in place, by `changes` */
	ACTION_REPLACE, /* delete `have`, create `want`; `changes` says why */
	ACTION_DELETE,
	/* The rest is told and not done. */
	ACTION_KEPT,    /* would be deleted, but others need it */
	ACTION_PENDING, /* the container is not there yet */
	ACTION_BLOCKED, /* it alone cannot be done: no such parent, or a conflict in its namespace
			 */
	ACTION_REFUSED, /* a conflict on the host itself: nothing at all is touched */
};

struct step {
	enum action action;
	struct owner_tag mark;             /* whose link; for a VLAN the name is in `name` */
	const char *set;                   /* on whose behalf */
	const char *name;                  /* the link's name, the new one if it changes */
	const struct container *container; /* of the desired state, if it still has it */
	const struct network *network;
	struct live_ns *ns;           /* where `have` is, or `want` will be */
	const struct live_link *have; /* change, replace, delete, kept */
	struct link_spec *want;       /* create, change, replace */
	struct change *changes;       /* sorted by field */
	size_t n_changes;
	const struct link_spec *replacement; /* delete: what replaced_by makes; or NULL */
	size_t replaced_by; /* delete: 1 + the number of the step that makes the container's
			       other attachment, without which this one stays; 0: none does */
	bool held;          /* not to be done now: it failed a short while ago */
	bool asked;         /* pending: the container's engine has never answered yet */
	bool stray;         /* delete: the link is not in the namespace of the container that its
			       mark names */
	struct {
		bool name, mac;
	} detour;           /* by way of a temporary one, since others wait for the one it has */
	enum code code;     /* which error it is that the reason tells; CODE_NONE: none */
	const char *reason; /* kept, pending, blocked, refused; delete, where it is a stray */
	const char *hint;   /* what to do next, or NULL */
};

struct plan {
	struct arena *arena;
	struct step *steps; /* in the order in which they are done */
	size_t n_steps;
	const char **warnings; /* a sentence each: a parent without carrier */
	size_t n_warnings;
	bool keeps_leases; /* none is given back, since what is done may be undone */
	struct guard {
		bool refused;
		bool strange; /* nothing that is live of the set is named: another file, it seems */
		const char *set;
		size_t live, deletes;
	} guard;
};

struct plan_options {
	bool adopt;     /* take over unmarked objects that are in the way */
	bool unguarded; /* `delete`: as many as it takes */
	bool probe;     /* new addresses of all networks */
	/* A MAC that is chosen is none of these; NULL: none was refused. */
	const struct refused_macs *refused;
	struct {
		unsigned limit;
		bool percent;  /* of the set's live attachments */
		unsigned from; /* sets with fewer live attachments are not guarded */
	} max_delete;
};

/* What holds where the user says nothing: --max-delete=50%, from ten attachments on. */
extern const struct plan_options plan_options_default;

/* Never fails: what cannot be done is a step that says so. Points into desired and live, which have
 * to outlive it. The caller frees it with plan_free. */
struct plan *plan_make(const struct desired *desired, const struct live *live,
		       const struct plan_options *options);
void plan_free(struct plan *plan);

/* What a link is called for the time being begins so, and goes on with eight digits. */
#define TEMPORARY_PREFIX "mvtmp"

/* What a step with `detour` calls its link, and gives it for a MAC, for the time being. Writes into
 * the caller's buffer and returns it. */
const char *step_temporary_name(const struct step *step, char name[IFNAMSIZ]);
/* A locally administered unicast address that no link has, but for a chance of one in 2^40. */
struct mac step_temporary_mac(const struct step *step);

/* Whether doing the plan does anything for the step: it is no mere notice, and not held. */
bool step_acts(const struct step *step);
/* Whether it is about what attachments hang on: a VLAN link or a dummy. */
bool step_is_parent(const struct step *step);
size_t plan_count(const struct plan *plan, enum action action);
/* Whether applying it would send anything. */
bool plan_empty(const struct plan *plan);

#endif
