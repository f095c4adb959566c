/* The difference between a live link and its specification. Two questions: is it the same object
 * (its owner tag decides), and can the difference be changed in place? */
#include "kernel/link_kind.h"
#include "reconcile/plan/step_build.h"

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

/* Grows as needed. */
struct changes {
	struct arena *arena;
	struct change *items;
	size_t count;
};

static struct change *change_add(struct changes *changes, enum field field, const char *from,
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
		change_add(changes, field, from, to);
}

static void change_number(struct changes *changes, enum field field, uint32_t from, uint32_t to)
{
	if (from != to)
		change_add(changes, field, arena_printf(changes->arena, "%u", from),
			   arena_printf(changes->arena, "%u", to));
}

static void diff_mac(const struct step *step, struct changes *changes)
{
	char from[MAC_TEXT_SIZE], to[MAC_TEXT_SIZE];
	if (step->desired->mac.set && !mac_equal(&step->desired->mac, &step->current->mac))
		change_add(changes, FIELD_MAC,
			   arena_strdup(changes->arena, mac_format(&step->current->mac, from)),
			   arena_strdup(changes->arena, mac_format(&step->desired->mac, to)));
}

static void change_bool(struct changes *changes, enum field field, bool from, bool to)
{
	if (from != to)
		change_add(changes, field, from ? "true" : "false", to ? "true" : "false");
}

/* A kernel without bclim has none but the default one. */
static void diff_driver(const struct step *step, const struct driver_info *driver,
			struct changes *changes)
{
	const struct live_link *current = step->current;
	const struct link_spec *desired = step->desired;
	if (driver->broadcast_queue && current->has_bcqueuelen)
		change_number(changes, FIELD_BCQUEUELEN, current->bcqueuelen, desired->bcqueuelen);
	/* Another set, or another program, may have set that of the parent. */
	if (driver->broadcast_queue && desired->has_bclim && current->bclim != desired->bclim)
		change_add(changes, FIELD_BCLIM, arena_printf(changes->arena, "%d", current->bclim),
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
			change_add(changes, FIELD_ALTNAME, current->altnames[i], NULL);
	for (size_t i = 0; i < desired->n_altnames; i++)
		if (!has_altname(current->altnames, current->n_altnames, desired->altnames[i]))
			change_add(changes, FIELD_ALTNAME, NULL, desired->altnames[i]);
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
			change_add(changes, FIELD_SYSCTL, live ? live : "?", desired->value);
		change->sysctl = *desired;
	}
}

static void diff_up(const struct step *step, struct changes *changes)
{
	bool up = step->current->flags & IFF_UP;
	if (up == step->desired->down)
		change_add(changes, FIELD_UP, up ? "up" : "down", up ? "down" : "up");
}

/* If the kernel has no IFA_PROTO, all addresses of a link of an attachment count as managed; those
 * of a VLAN link, for example, are the host's own, and those of an attachment without an address in
 * the file are the container's. An adopted link becomes such a link. */
static bool addr_managed(const struct plan_input *input, const struct step *step,
			 const struct live_addr *addr)
{
	const enum role live = step->current->tag.role,
			role = live == ROLE_NONE ? step->desired->tag.role : live;
	return !ip_is_link_local(&addr->prefix.ip) && !live_addr_autoconf(addr) &&
	       (addr->proto == OWNER_TAG_PROTOCOL ||
		(!input->live->addr_proto && (role == ROLE_ATTACH || role == ROLE_HOST) &&
		 (step->desired->n_addrs || step->desired->dhcp.enabled)));
}

static const struct live_addr *addr_find(const struct step *step, const struct prefix *prefix)
{
	each_addr_of (addr, step->ns, step->current->ifindex)
		if (prefix_equal(&addr->prefix, prefix))
			return addr;
	return NULL;
}

static bool addr_tagged_so(const struct plan_input *input, const struct step *step,
			   const struct live_addr *addr)
{
	if (step->desired->addr_terms)
		return !input->live->addr_proto ||
		       addr->proto == link_spec_addr_terms(step->desired, &addr->prefix).protocol;
	return step->current->tag.role != ROLE_NONE || addr_managed(input, step, addr);
}

/* A lease expires by itself; everything else is permanent. */
static bool addr_lasts_so(const struct step *step, const struct live_addr *addr)
{
	return !addr->valid == !link_spec_addr_terms(step->desired, &addr->prefix).valid;
}

static bool addr_ranks_so(const struct step *step, const struct live_addr *addr)
{
	return addr->metric == link_spec_addr_terms(step->desired, &addr->prefix).metric;
}

static bool is_desired(const struct step *step, const struct prefix *addr)
{
	for (size_t i = 0; i < step->desired->n_addrs; i++)
		if (prefix_equal(&step->desired->addrs[i], addr))
			return true;
	return false;
}

/* "172.16.86.20/24", or "172.16.86.20/24 metric 1" */
static const char *addr_text(struct arena *arena, const struct prefix *prefix, uint32_t metric)
{
	char text[PREFIX_TEXT_SIZE];
	prefix_format(prefix, text);
	return metric ? arena_printf(arena, "%s metric %u", text, metric)
		      : arena_strdup(arena, text);
}

/* `live` NULL: it is added. */
static void addr_change(struct changes *changes, const struct live_addr *live,
			const struct link_spec *desired, const struct prefix *prefix)
{
	struct arena *arena = changes->arena;
	const char *from = live ? addr_text(arena, prefix, live->metric) : NULL;
	const char *to =
		desired ? addr_text(arena, prefix, link_spec_addr_terms(desired, prefix).metric)
			: NULL;
	change_add(changes, FIELD_ADDRESS, from, to)->addr = *prefix;
}

static void diff_addrs(const struct plan_input *input, const struct step *step,
		       struct changes *changes)
{
	const struct link_spec *desired = step->desired;
	each_addr_of (addr, step->ns, step->current->ifindex) {
		if (!is_desired(step, &addr->prefix) && addr_managed(input, step, addr))
			addr_change(changes, addr, NULL, &addr->prefix);
	}
	for (size_t i = 0; i < desired->n_addrs; i++) {
		const struct live_addr *addr = addr_find(step, &desired->addrs[i]);
		if (!addr)
			addr_change(changes, NULL, desired, &desired->addrs[i]);
		else if (!addr_tagged_so(input, step, addr) || !addr_lasts_so(step, addr) ||
			 !addr_ranks_so(step, addr))
			addr_change(changes, addr, desired, &desired->addrs[i]);
	}
}

static bool same_subnet(const struct prefix *one, const struct prefix *other)
{
	return one->len == other->len && prefix_contains(one, &other->ip);
}

/* The first of the desired IPv4 addresses in its subnet: the kernel makes the first one that is
 * added the primary one, with which packets leave (__inet_insert_ifa). */
static bool is_primary(const struct link_spec *desired, size_t number)
{
	for (size_t i = 0; i < number; i++)
		if (same_subnet(&desired->addrs[i], &desired->addrs[number]))
			return false;
	return desired->addrs[number].ip.family == AF_INET;
}

/* Those before it in its subnet are removed, and added again behind it (OP_RESTORE). `live` is NULL
 * if the link does not have it yet. */
static void primary_put(const struct plan_input *input, const struct step *step,
			struct changes *changes, const struct prefix *primary,
			const struct live_addr *live)
{
	char text[PREFIX_TEXT_SIZE], before[IP_TEXT_SIZE];
	each_addr_of (addr, step->ns, step->current->ifindex) {
		if (addr == live)
			return;
		if (same_subnet(&addr->prefix, primary) && addr_managed(input, step, addr) &&
		    is_desired(step, &addr->prefix))
			change_add(changes, FIELD_ADDRESS,
				   arena_printf(changes->arena, "%s before %s",
						prefix_format(&addr->prefix, text),
						ip_format(&primary->ip, before)),
				   NULL)
				->addr = addr->prefix;
	}
}

static void diff_primaries(const struct plan_input *input, const struct step *step,
			   struct changes *changes)
{
	for (size_t i = 0; i < step->desired->n_addrs; i++) {
		const struct live_addr *addr = addr_find(step, &step->desired->addrs[i]);
		if ((!addr || addr->flags & IFA_F_SECONDARY) && is_primary(step->desired, i))
			primary_put(input, step, changes, &step->desired->addrs[i], addr);
	}
}

static const char *route_text(struct arena *arena, const struct link_route *route)
{
	char text[ROUTE_TEXT_SIZE];
	return arena_strdup(arena, link_route_format(route, text));
}

static void route_remove(struct changes *changes, const struct link_route *from)
{
	change_add(changes, FIELD_ROUTE, route_text(changes->arena, from), NULL)->route = *from;
}

/* `from` is the route that it replaces, or NULL. */
static void route_put(struct changes *changes, const struct link_route *from,
		      const struct link_route *to)
{
	change_add(changes, FIELD_ROUTE, from ? route_text(changes->arena, from) : NULL,
		   route_text(changes->arena, to))
		->route = *to;
}

static const struct live_route *route_find(const struct step *step,
					   const struct link_route *desired)
{
	each_route_of (route, step->ns, step->current->ifindex)
		if (link_route_is(desired, route) && route->proto != RTPROT_KERNEL)
			return route;
	return NULL;
}

static const struct live_route *route_in_way(const struct step *step,
					     const struct link_route *desired)
{
	for (size_t i = 0; i < step->ns->n_routes; i++) {
		const struct live_route *route = &step->ns->routes[i];
		if (link_route_is(desired, route) && route->proto != OWNER_TAG_PROTOCOL &&
		    route->proto != RTPROT_KERNEL &&
		    (!step->current || route->ifindex != step->current->ifindex))
			return route;
	}
	return NULL;
}

/* Without the metric, which link_route_is compares. */
static bool options_same(const struct route_options *desired, const struct route_options *live)
{
	return (!desired->source.family || ip_equal(&desired->source, &live->source)) &&
	       (!desired->scope || desired->scope == live->scope) &&
	       desired->on_link == live->on_link && desired->mtu == live->mtu &&
	       desired->advmss == live->advmss;
}

/* The routes of an adopted link are added again with mvapply's protocol. */
static bool route_same(const struct step *step, const struct link_route *desired,
		       const struct live_route *live)
{
	if (desired->protocol && live->proto != desired->protocol)
		return false;
	if (!desired->protocol && step->current->tag.role == ROLE_NONE &&
	    live->proto != OWNER_TAG_PROTOCOL)
		return false;
	return ip_equal(&desired->via, &live->via) &&
	       options_same(&desired->options, &live->options);
}

static void diff_routes(const struct step *step, struct changes *changes)
{
	const struct link_spec *desired = step->desired;
	each_route_of (live, step->ns, step->current->ifindex) {
		bool declared = false;
		for (size_t k = 0; k < desired->n_routes; k++)
			declared |= link_route_is(&desired->routes[k], live);
		const struct link_route route = link_route_of(live);
		if (!declared && live->proto == OWNER_TAG_PROTOCOL)
			route_remove(changes, &route);
	}
	for (size_t i = 0; i < desired->n_routes; i++) {
		const struct live_route *live = route_find(step, &desired->routes[i]);
		if (live && route_same(step, &desired->routes[i], live))
			continue;
		/* Only --adopt replaces a route of another link. */
		if (!live && desired->routes[i].replaces)
			live = route_in_way(step, &desired->routes[i]);
		const struct link_route route = live ? link_route_of(live) : (struct link_route){0};
		route_put(changes, live ? &route : NULL, &desired->routes[i]);
	}
}

static void rule_change(struct changes *changes, bool from, const struct policy_rule *rule)
{
	char text[POLICY_RULE_TEXT_SIZE];
	const char *copy = arena_strdup(changes->arena, policy_rule_format(rule, text));
	change_add(changes, FIELD_RULE, from ? copy : NULL, from ? NULL : copy)->rule = *rule;
}

static void answer_change(const struct step *step, struct changes *changes, bool from,
			  const struct link_route *route)
{
	const struct live_link *link = live_link_by_index(step->ns, route->device);
	const char *text = route_text(changes->arena, route);
	if (!route->options.type)
		text = arena_printf(changes->arena, "%s dev %s", text, link ? link->name : "?");
	change_add(changes, FIELD_ROUTE, from ? text : NULL, from ? NULL : text)->route = *route;
}

static void diff_policy(const struct step *step, struct changes *changes)
{
	const struct policy *stale = &step->stale_policy, *desired = &step->desired->policy;
	for (size_t i = 0; i < stale->n_routes; i++)
		answer_change(step, changes, true, &stale->routes[i]);
	for (size_t i = 0; i < desired->n_routes; i++)
		if (!live_policy_route_exists(step->ns, &desired->routes[i]))
			answer_change(step, changes, false, &desired->routes[i]);
	for (size_t i = 0; i < stale->n_rules; i++)
		rule_change(changes, true, &stale->rules[i]);
	for (size_t i = 0; i < desired->n_rules; i++)
		if (!live_rule_exists(step->ns, &desired->rules[i]))
			rule_change(changes, false, &desired->rules[i]);
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
		change_add(changes, FIELD_DHCP, NULL, "a lease");
	else if (link_spec_addr_terms(step->desired, &dhcp->lease).preferred == 0 ||
		 dhcp->incomplete || dhcp->unwritten)
		change_add(changes, FIELD_DHCP,
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
		change_add(changes, FIELD_PARENT,
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
	if (step->tag.role == ROLE_PARENT)
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
