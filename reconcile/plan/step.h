/* The steps of a plan, in the order in which they are applied. Const for all but the functions that
 * make them. */
#ifndef RECONCILE_PLAN_STEP_H
#define RECONCILE_PLAN_STEP_H

#include "kernel/link.h"
#include "lib/error.h"
#include "reconcile/plan/warning.h"
#include "reconcile/state/state.h"

/* In the order in which changes of one link are made, except that all removals (an address or route
 * with `from` alone) come first, of all links. */
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
	/* None of these can be changed in place. */
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
	ACTION_REPLACE, /* delete `current`, create `desired`; `changes` says why */
	ACTION_DELETE,
	/* The following are reported and not applied. */
	ACTION_KEPT,    /* would be deleted, but is in use */
	ACTION_PENDING, /* the container is not running yet */
	ACTION_BLOCKED, /* this step alone is impossible: no such parent, or a conflict in its
			   namespace */
	ACTION_REFUSED, /* a conflict on the host itself: nothing at all is changed */
};

struct step {
	enum action action;
	struct owner_tag tag;              /* whose link; for a VLAN the name is in `name` */
	const char *set;                   /* on whose behalf */
	const char *name;                  /* the link's name, the new one if it changes */
	const struct container *container; /* of the desired state, if it still has it */
	const struct network *network;
	struct live_ns *ns;              /* where `current` is, or `desired` will be */
	const struct live_link *current; /* change, replace, delete, kept */
	const struct link_spec *desired; /* create, change, replace */
	const struct change *changes;    /* sorted by field */
	size_t n_changes;
	const struct link_spec *replacement; /* delete: what replaced_by makes; or NULL */
	size_t replaced_by;  /* delete: 1 + the number of the step that makes the container's
				other attachment, without which this one stays; 0: none does */
	bool engine_pending; /* pending: the container's engine has never answered yet */
	const char *stopped; /* pending: the engine's id of the container, which is not running;
				NULL: it has none */
	bool stray;          /* delete: the link is not in the namespace of the container that its
				tag names */
	struct {
		bool name, mac;
	} temporary;        /* first a temporary one, as others wait for its current one */
	enum code code;     /* the code of `reason`; CODE_NONE: none */
	const char *reason; /* kept, pending, blocked, refused; delete, where it is a stray */
	const char *hint;   /* what to do next, or NULL */
};

/* Another live set, probably a set of the files under its former name; set NULL: none. */
struct left_set {
	const char *set, *network;
};

struct plan {
	struct arena *arena;
	const struct step *steps; /* in the order in which they are done */
	size_t n_steps;
	const struct warning *warnings;
	size_t n_warnings;
	struct left_set left;
	struct guard {
		bool refused;
		bool strange; /* no live container of the set is declared: probably another file */
		const char *set;
		size_t live, deletes;
	} guard;
};

/* The prefix of temporary link names, followed by eight digits. */
#define TEMPORARY_PREFIX "mvtmp"

/* The temporary name and MAC of a step with `temporary`. Writes into the caller's buffer and
 * returns it. */
const char *step_temporary_name(const struct step *step, char name[IFNAMSIZ]);
/* A locally administered unicast address; another link has it with a chance of one in 2^40. */
struct mac step_temporary_mac(const struct step *step);

/* Whether applying the step does anything: it is no mere notice. */
bool step_acts(const struct step *step);
/* Whether applying the step deletes its live link. */
bool step_deletes(const struct step *step);
/* Whether it concerns a parent: a VLAN link or a dummy. */
bool step_is_parent(const struct step *step);
size_t plan_count(const struct plan *plan, enum action action);
/* Whether applying it would send anything. */
bool plan_empty(const struct plan *plan);

#endif
