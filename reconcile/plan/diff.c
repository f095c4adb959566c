/* The difference between a live link and its specification. Two questions: is it the same object
 * (its owner tag decides), and can the difference be changed in place? */
#include "reconcile/plan/diff.h"

#include "kernel/link_kind.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>

static const struct {
	const char *name; /* the input's key, if there is one */
	bool in_place;
} fields[] = {
	[FIELD_ALIAS] = {"mark", true},              /* dev_set_alias */
	[FIELD_NAME] = {"interface_name", true},     /* dev_change_name */
	[FIELD_MAC] = {"mac_address", true},         /* macvlan_set_mac_address */
	[FIELD_MTU] = {"mtu", true},                 /* macvlan_change_mtu */
	[FIELD_MODE] = {"mode", true},               /* macvlan_changelink, ipvlan_nl_changelink */
	[FIELD_BCQUEUELEN] = {"bcqueuelen", true},   /* macvlan_changelink */
	[FIELD_BCLIM] = {"bclim", true},             /* macvlan_changelink */
	[FIELD_IPVLAN_FLAG] = {"ipvlan_flag", true}, /* ipvlan_nl_changelink */
	[FIELD_TXQUEUELEN] = {"txqueuelen", true},   /* dev_change_tx_queue_len */
	[FIELD_PROMISC] = {"promisc", true},         /* dev_change_flags */
	[FIELD_ALLMULTICAST] = {"allmulticast", true},
	[FIELD_ALTNAME] = {"altname", true}, /* rtnl_linkprop */
	[FIELD_SYSCTL] = {"sysctl", true},   /* devinet_conf_proc and similar functions */
	[FIELD_UP] = {"state", true},        /* dev_change_flags */
	[FIELD_ADDRESS] = {"address", true}, /* inet_rtm_newaddr, inet6_rtm_newaddr */
	[FIELD_ROUTE] = {"route", true},     /* fib_table_insert, fib6_add */
	[FIELD_RULE] = {"rule", true},       /* fib_nl_newrule */
	[FIELD_DHCP] = {"dhcp", true},       /* inet_rtm_newaddr: the lifetimes */
	[FIELD_DRIVER] = {"driver", false},  /* do_setlink refuses another kind */
	[FIELD_PARENT] = {"parent", false},  /* IFLA_LINK is read on creation alone */
	[FIELD_VLAN] = {"vlan", false},      /* vlan_changelink has no id */
	[FIELD_VLAN_PROTOCOL] = {"vlan_protocol", false}, /* likewise */
};

const char *field_name(enum field field)
{
	return fields[field].name;
}

struct change *changes_add(struct changes *changes, enum field field, const char *from,
			   const char *to)
{
	struct change *change = array_push(changes->arena, changes->items, changes->count);
	change->field = field;
	change->from = from;
	change->to = to;
	return change;
}

static void change_text(struct changes *changes, enum field field, const char *from, const char *to)
{
	if (strcmp(from, to) != 0)
		changes_add(changes, field, from, to);
}

static void change_number(struct changes *changes, enum field field, uint32_t from, uint32_t to)
{
	if (from != to)
		changes_add(changes, field, arena_printf(changes->arena, "%u", from),
			    arena_printf(changes->arena, "%u", to));
}

static void diff_mac(const struct step *step, struct changes *changes)
{
	char from[MAC_TEXT_SIZE], to[MAC_TEXT_SIZE];
	if (step->desired->mac.set && !mac_equal(&step->desired->mac, &step->current->mac))
		changes_add(changes, FIELD_MAC,
			    arena_strdup(changes->arena, mac_format(&step->current->mac, from)),
			    arena_strdup(changes->arena, mac_format(&step->desired->mac, to)));
}

static void change_bool(struct changes *changes, enum field field, bool from, bool to)
{
	if (from != to)
		changes_add(changes, field, from ? "true" : "false", to ? "true" : "false");
}

/* A kernel without bclim has none but the default one. */
static void diff_driver(const struct step *step, const struct driver_info *driver,
			struct changes *changes)
{
	const struct live_link *current = step->current;
	const struct link_spec *desired = step->desired;
	if (driver->broadcast_queue && current->has_bcqueuelen)
		change_number(changes, FIELD_BCQUEUELEN, current->bcqueuelen, desired->bcqueuelen);
	if (driver->broadcast_queue && (desired->has_bclim || desired->resets_bclim) &&
	    current->bclim != desired->bclim)
		changes_add(changes, FIELD_BCLIM,
			    arena_printf(changes->arena, "%d", current->bclim),
			    arena_printf(changes->arena, "%d", desired->bclim));
	if (driver->has_flag)
		change_text(changes, FIELD_IPVLAN_FLAG, ipvlan_flag_name(current->ipvlan_flag),
			    ipvlan_flag_name(desired->ipvlan_flag));
}

static void diff_settings(const struct step *step, struct changes *changes)
{
	const struct live_link *current = step->current;
	const struct link_spec *desired = step->desired;
	change_number(changes, FIELD_TXQUEUELEN, current->txqueuelen, desired->txqueuelen);
	change_bool(changes, FIELD_PROMISC, current->flags & IFF_PROMISC, desired->promisc);
	change_bool(changes, FIELD_ALLMULTICAST, current->flags & IFF_ALLMULTI,
		    desired->allmulticast);
}

static bool has_altname(const char *const *altnames, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(altnames[i], name) == 0)
			return true;
	return false;
}

static void diff_altnames(const struct step *step, struct changes *changes)
{
	const struct live_link *current = step->current;
	const struct link_spec *desired = step->desired;
	if (!desired->has_altnames)
		return;
	for (size_t i = 0; i < current->n_altnames; i++)
		if (!has_altname(desired->altnames, desired->n_altnames, current->altnames[i]))
			changes_add(changes, FIELD_ALTNAME, current->altnames[i], NULL);
	for (size_t i = 0; i < desired->n_altnames; i++)
		if (!has_altname(current->altnames, current->n_altnames, desired->altnames[i]))
			changes_add(changes, FIELD_ALTNAME, NULL, desired->altnames[i]);
}

static void diff_mode(const struct step *step, struct changes *changes)
{
	const struct link_type *type = link_type(step->desired->kind);
	if (!type->has_driver)
		return;
	change_text(changes, FIELD_MODE,
		    step->current->mode_known ? link_mode_name(step->current->mode) : "other",
		    link_mode_name(step->desired->mode));
	diff_driver(step, driver_info(type->driver), changes);
	diff_settings(step, changes);
}

static void diff_link(const struct step *step, struct changes *changes)
{
	const struct live_link *current = step->current;
	const struct link_spec *desired = step->desired;
	change_text(changes, FIELD_ALIAS, current->alias, desired->alias);
	change_text(changes, FIELD_NAME, current->name, desired->name);
	diff_mac(step, changes);
	if (desired->mtu)
		change_number(changes, FIELD_MTU, current->mtu, desired->mtu);
	diff_mode(step, changes);
	diff_altnames(step, changes);
}

/* mvapply itself sets accept_ra, which is missing if the kernel has no IPv6. */
static void diff_sysctls(const struct step *step, struct changes *changes)
{
	for (size_t i = 0; i < step->desired->n_sysctls; i++) {
		const struct link_sysctl *desired = &step->desired->sysctls[i];
		const char *live = live_sysctl(step->current, desired->key);
		if (live ? strcmp(live, desired->value) == 0 : !desired->required)
			continue;
		struct change *change =
			changes_add(changes, FIELD_SYSCTL, live ? live : "?", desired->value);
		change->sysctl = *desired;
	}
}

static void diff_up(const struct step *step, struct changes *changes)
{
	bool up = step->current->flags & IFF_UP;
	if (up == step->desired->down)
		changes_add(changes, FIELD_UP, up ? "up" : "down", up ? "down" : "up");
}

/* The preferred lifetime ends after half of the lease (lease_terms). A lease whose routes are
 * unknown, since all of them were removed, is renewed as well, and one whose name servers are. */
static void diff_lease(const struct step *step, struct changes *changes)
{
	const struct link_dhcp *dhcp = &step->desired->dhcp;
	char text[PREFIX_TEXT_SIZE];
	if (!dhcp->enabled)
		return;
	if (!dhcp->lease.ip.family)
		changes_add(changes, FIELD_DHCP, NULL, "a lease");
	else if (link_spec_addr_terms(step->desired, &dhcp->lease).preferred == 0 ||
		 dhcp->incomplete || dhcp->unwritten)
		changes_add(changes, FIELD_DHCP,
			    arena_strdup(changes->arena, prefix_format(&dhcp->lease, text)),
			    "renewed");
}

static const char *parent_text(const struct plan_input *input, const struct live_link *link)
{
	const struct live_link *parent =
		live_parent_away(link)
			? NULL
			: live_link_by_index(input->live->namespaces[0], link->parent);
	if (parent)
		return parent->name;
	return live_parent_away(link) ? "in another namespace" : "?";
}

static const char *text_in_vrf(const struct plan_input *input, const char *parent, const char *vrf)
{
	return vrf ? arena_printf(input->arena, "%s in VRF %s", parent, vrf) : parent;
}

static const char *kind_text(enum link_kind kind)
{
	return kind == KIND_OTHER ? "other" : link_kind_name(kind);
}

static void diff_parent(const struct plan_input *input, const struct step *step,
			struct changes *changes)
{
	const struct live_link *current = step->current;
	const struct link_spec *desired = step->desired;
	change_text(changes, FIELD_DRIVER, kind_text(current->kind), kind_text(desired->kind));
	const struct live_link *vrf =
		current->tag.role == ROLE_HOST ? live_link_vrf(step->ns, current) : NULL;
	if (current->parent != desired->parent ||
	    live_parent_away(current) != desired->parent_away ||
	    (vrf ? vrf->ifindex : 0) != desired->vrf)
		changes_add(changes, FIELD_PARENT,
			    text_in_vrf(input, parent_text(input, current), vrf ? vrf->name : NULL),
			    text_in_vrf(input, desired->parent_name, desired->vrf_name));
}

/* Of another program's link, what mvapply changes of it and nothing else. */
static void diff_requested(const struct step *step, struct changes *changes)
{
	change_number(changes, FIELD_MTU, step->current->mtu, step->desired->mtu);
	diff_altnames(step, changes);
	diff_up(step, changes);
}

static void diff_managed(const struct plan_input *input, const struct step *step,
			 struct changes *changes)
{
	diff_link(step, changes);
	diff_sysctls(step, changes);
	diff_up(step, changes);
	diff_addrs(input, step, changes);
	diff_primaries(input, step, changes);
	diff_routes(step, changes);
	diff_policy(step, changes);
	diff_lease(step, changes);
	diff_parent(input, step, changes);
}

/* With another link, the kernel solicits an advertisement, and the addresses and the default route
 * of earlier ones are gone (addrconf_ifdown). Where none arrived and none is awaited, nothing is.
 */
static bool readvertises(const struct step *step, const struct change *change)
{
	const struct link_sysctl *sysctl = &change->sysctl;
	const bool starts = strcmp(sysctl->value, ACCEPT_RA_ALWAYS) == 0,
		   ends = strcmp(change->from, ACCEPT_RA_ALWAYS) == 0;
	if (!step->desired->accept_ra && !live_link_advertised(step->ns, step->current))
		return false;
	if (strcmp(sysctl->key, ACCEPT_RA_DEFRTR_KEY) == 0)
		return true;
	return strcmp(sysctl->key, ACCEPT_RA_KEY) == 0 &&
	       ((starts && strcmp(change->from, "0") == 0) ||
		(ends && strcmp(sysctl->value, "0") == 0));
}

/* passthru is set up on creation alone (macvlan_changelink gives EINVAL). */
static bool in_place(const struct step *step, const struct change *change)
{
	if (change->field == FIELD_SYSCTL && readvertises(step, change))
		return false;
	const enum driver driver = link_type(step->desired->kind)->driver;
	if (change->field == FIELD_MODE && driver_has_mode(driver, MODE_PASSTHRU))
		return step->current->mode_known && step->current->mode != MODE_PASSTHRU &&
		       step->desired->mode != MODE_PASSTHRU;
	return fields[change->field].in_place;
}

bool link_diff(const struct plan_input *input, struct step *step)
{
	struct changes changes = {.arena = input->arena};
	if (step->tag->role == ROLE_PARENT)
		diff_requested(step, &changes);
	else
		diff_managed(input, step, &changes);
	step->changes = changes.items;
	step->n_changes = changes.count;
	for (size_t i = 0; i < step->n_changes; i++)
		if (!in_place(step, &step->changes[i]))
			return false;
	return true;
}
