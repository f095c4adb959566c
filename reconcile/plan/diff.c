/* Is it the same object (the mark says so), and can what differs be changed in place? */
#include "reconcile/plan/internal.h"
#include "schema/words.h"

#include <linux/rtnetlink.h>
#include <string.h>

static const struct {
	const char *name; /* the input's key, where there is one */
	bool in_place;
} fields[] = {
	[FIELD_ALIAS] = {"mark", true},            /* dev_set_alias */
	[FIELD_NAME] = {"interface_name", true},   /* dev_change_name */
	[FIELD_MAC] = {"mac_address", true},       /* macvlan_set_mac_address */
	[FIELD_MTU] = {"mtu", true},               /* macvlan_change_mtu */
	[FIELD_MODE] = {"mode", true},             /* macvlan_changelink, ipvlan_nl_changelink */
	[FIELD_BCQUEUELEN] = {"bcqueuelen", true}, /* macvlan_changelink */
	[FIELD_SYSCTL] = {"sysctl", true},         /* devinet_conf_proc and its kin */
	[FIELD_UP] = {"state", true},              /* dev_change_flags */
	[FIELD_ADDRESS] = {"address", true},       /* inet_rtm_newaddr, inet6_rtm_newaddr */
	[FIELD_ROUTE] = {"route", true},           /* fib_table_insert, fib6_add */
	[FIELD_DHCP] = {"dhcp", true},             /* inet_rtm_newaddr: the lifetimes */
	[FIELD_DRIVER] = {"driver", false},        /* do_setlink refuses another kind */
	[FIELD_PARENT] = {"parent", false},        /* IFLA_LINK is read on creation alone */
	[FIELD_VLAN] = {"vlan", false},            /* vlan_changelink has no id */
	[FIELD_VLAN_PROTOCOL] = {"vlan_protocol", false}, /* likewise */
};

const char *field_name(enum field field)
{
	return fields[field].name;
}

struct change *change_add(const struct planner *planner, struct step *step, enum field field,
			  const char *from, const char *to)
{
	struct change *change = array_push(planner->arena, step->changes, step->n_changes);
	change->field = field;
	change->from = from;
	change->to = to;
	return change;
}

static void change_text(const struct planner *planner, struct step *step, enum field field,
			const char *from, const char *to)
{
	if (strcmp(from, to) != 0)
		change_add(planner, step, field, from, to);
}

static void change_number(const struct planner *planner, struct step *step, enum field field,
			  uint32_t from, uint32_t to)
{
	if (from != to)
		change_add(planner, step, field, arena_printf(planner->arena, "%u", from),
			   arena_printf(planner->arena, "%u", to));
}

static void compare_mac(const struct planner *planner, struct step *step)
{
	char from[MAC_TEXT_SIZE], to[MAC_TEXT_SIZE];
	if (step->want->mac.set && !mac_equal(&step->want->mac, &step->have->mac))
		change_add(planner, step, FIELD_MAC,
			   arena_strdup(planner->arena, mac_format(&step->have->mac, from)),
			   arena_strdup(planner->arena, mac_format(&step->want->mac, to)));
}

static void compare_mode(const struct planner *planner, struct step *step)
{
	enum link_kind kind = step->want->kind;
	if (kind != KIND_MACVLAN && kind != KIND_IPVLAN)
		return;
	change_text(planner, step, FIELD_MODE,
		    step->have->mode_known ? link_mode_name(step->have->mode) : "other",
		    link_mode_name(step->want->mode));
	if (kind == KIND_MACVLAN && step->have->has_bcqueuelen)
		change_number(planner, step, FIELD_BCQUEUELEN, step->have->bcqueuelen,
			      step->want->bcqueuelen);
}

static void compare_link(const struct planner *planner, struct step *step)
{
	const struct live_link *have = step->have;
	const struct link_spec *want = step->want;
	change_text(planner, step, FIELD_ALIAS, have->alias, want->alias);
	change_text(planner, step, FIELD_NAME, have->name, want->name);
	compare_mac(planner, step);
	if (want->mtu)
		change_number(planner, step, FIELD_MTU, have->mtu, want->mtu);
	compare_mode(planner, step);
}

/* accept_ra is mvapply's own wish, and is not there where the kernel has no IPv6. */
static void compare_sysctls(const struct planner *planner, struct step *step)
{
	for (size_t i = 0; i < step->want->n_sysctls; i++) {
		const struct link_sysctl *want = &step->want->sysctls[i];
		const char *live = live_sysctl(step->have, want->key);
		if (live ? strcmp(live, want->value) == 0 : !want->asked)
			continue;
		struct change *change =
			change_add(planner, step, FIELD_SYSCTL, live ? live : "?", want->value);
		change->sysctl = *want;
	}
}

static void compare_up(const struct planner *planner, struct step *step)
{
	bool up = step->have->flags & IFF_UP;
	if (up == step->want->down)
		change_add(planner, step, FIELD_UP, up ? "up" : "down", up ? "down" : "up");
}

static bool link_local(const struct ip *ip)
{
	return ip->family == AF_INET6 && ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

/* Where the kernel has no IFA_PROTO, all addresses of a link that is marked for having some count
 * as mvapply's: those of a VLAN link, say, are the host's own. */
static bool addr_ours(const struct planner *planner, const struct step *step,
		      const struct live_addr *addr)
{
	enum role role = step->have->mark.role;
	return !link_local(&addr->prefix.ip) &&
	       (addr->proto == MARK_PROTOCOL ||
		(!planner->live->addr_proto && (role == ROLE_ATTACH || role == ROLE_HOST)));
}

static const struct live_addr *addr_find(const struct step *step, const struct prefix *prefix)
{
	each_addr_of (addr, step->ns, step->have->ifindex)
		if (prefix_equal(&addr->prefix, prefix))
			return addr;
	return NULL;
}

static bool addr_marked_so(const struct planner *planner, const struct step *step,
			   const struct live_addr *addr)
{
	if (step->want->addr_terms)
		return !planner->live->addr_proto ||
		       addr->proto == link_spec_addr_terms(step->want, &addr->prefix).protocol;
	return step->have->mark.role != ROLE_NONE || addr_ours(planner, step, addr);
}

/* A lease ends by itself, and all else stays. */
static bool addr_lasts_so(const struct step *step, const struct live_addr *addr)
{
	return !addr->valid == !link_spec_addr_terms(step->want, &addr->prefix).valid;
}

static void addr_change(const struct planner *planner, struct step *step, bool from, bool to,
			const struct prefix *prefix)
{
	char text[PREFIX_TEXT_SIZE];
	const char *copy = arena_strdup(planner->arena, prefix_format(prefix, text));
	change_add(planner, step, FIELD_ADDRESS, from ? copy : NULL, to ? copy : NULL)->addr =
		*prefix;
}

static void compare_addrs(const struct planner *planner, struct step *step)
{
	const struct link_spec *want = step->want;
	each_addr_of (addr, step->ns, step->have->ifindex) {
		bool wanted = false;
		for (size_t k = 0; k < want->n_addrs; k++)
			wanted |= prefix_equal(&want->addrs[k], &addr->prefix);
		if (!wanted && addr_ours(planner, step, addr))
			addr_change(planner, step, true, false, &addr->prefix);
	}
	for (size_t i = 0; i < want->n_addrs; i++) {
		const struct live_addr *addr = addr_find(step, &want->addrs[i]);
		if (!addr)
			addr_change(planner, step, false, true, &want->addrs[i]);
		else if (!addr_marked_so(planner, step, addr) || !addr_lasts_so(step, addr))
			addr_change(planner, step, true, true, &want->addrs[i]);
	}
}

static const char *route_text(const struct planner *planner, const struct link_route *route)
{
	char to[PREFIX_TEXT_SIZE], via[IP_TEXT_SIZE];
	const char *target = route->to.len ? prefix_format(&route->to, to) : "default";
	return route->via.family ? arena_printf(planner->arena, "%s via %s", target,
						ip_format(&route->via, via))
				 : arena_strdup(planner->arena, target);
}

static void route_remove(const struct planner *planner, struct step *step,
			 const struct link_route *from)
{
	change_add(planner, step, FIELD_ROUTE, route_text(planner, from), NULL)->route = *from;
}

/* `from` is what it takes the place of, or NULL. */
static void route_put(const struct planner *planner, struct step *step,
		      const struct link_route *from, const struct link_route *to)
{
	change_add(planner, step, FIELD_ROUTE, from ? route_text(planner, from) : NULL,
		   route_text(planner, to))
		->route = *to;
}

static const struct live_route *route_find(const struct step *step, const struct prefix *to)
{
	each_route_of (route, step->ns, step->have->ifindex)
		if (prefix_equal(&route->to, to) && route->proto != RTPROT_KERNEL)
			return route;
	return NULL;
}

static const struct live_route *route_in_way(const struct step *step, const struct prefix *to)
{
	for (size_t i = 0; i < step->ns->n_routes; i++) {
		const struct live_route *route = &step->ns->routes[i];
		if (prefix_equal(&route->to, to) && route->proto != MARK_PROTOCOL &&
		    route->proto != RTPROT_KERNEL &&
		    (!step->have || route->ifindex != step->have->ifindex))
			return route;
	}
	return NULL;
}

/* An adopted link's routes are put again, to get the mark. */
static bool route_same(const struct step *step, const struct link_route *want,
		       const struct live_route *live)
{
	if (want->protocol && live->proto != want->protocol)
		return false;
	if (!want->protocol && step->have->mark.role == ROLE_NONE && live->proto != MARK_PROTOCOL)
		return false;
	return ip_equal(&want->via, &live->via) &&
	       (!want->source.family || ip_equal(&want->source, &live->source));
}

static void compare_routes(const struct planner *planner, struct step *step)
{
	const struct link_spec *want = step->want;
	each_route_of (live, step->ns, step->have->ifindex) {
		bool wanted = false;
		for (size_t k = 0; k < want->n_routes; k++)
			wanted |= prefix_equal(&want->routes[k].to, &live->to);
		const struct link_route route = link_route_of(live);
		if (!wanted && live->proto == MARK_PROTOCOL)
			route_remove(planner, step, &route);
	}
	for (size_t i = 0; i < want->n_routes; i++) {
		const struct live_route *live = route_find(step, &want->routes[i].to);
		if (live && route_same(step, &want->routes[i], live))
			continue;
		/* Only --adopt takes the place of another link's route. */
		if (!live && want->routes[i].replaces)
			live = route_in_way(step, &want->routes[i].to);
		const struct link_route route = live ? link_route_of(live) : (struct link_route){0};
		route_put(planner, step, live ? &route : NULL, &want->routes[i]);
	}
}

/* Seconds of preference are gone when half of the lease is (lease_terms). */
static void compare_lease(const struct planner *planner, struct step *step)
{
	const struct link_dhcp *dhcp = &step->want->dhcp;
	char text[PREFIX_TEXT_SIZE];
	if (!dhcp->wanted)
		return;
	if (!dhcp->lease.ip.family)
		change_add(planner, step, FIELD_DHCP, NULL, "a lease");
	else if (link_spec_addr_terms(step->want, &dhcp->lease).preferred == 0)
		change_add(planner, step, FIELD_DHCP,
			   arena_strdup(planner->arena, prefix_format(&dhcp->lease, text)),
			   "renewed");
}

static const char *parent_text(const struct planner *planner, const struct live_link *link)
{
	const struct live_link *parent =
		live_parent_away(link)
			? NULL
			: live_link_by_index(planner->live->namespaces[0], link->parent);
	if (parent)
		return parent->name;
	return live_parent_away(link) ? "in another namespace" : "?";
}

static void compare_parent(const struct planner *planner, struct step *step)
{
	static const char *const kinds[] = {[KIND_OTHER] = "other",
					    [KIND_MACVLAN] = "macvlan",
					    [KIND_IPVLAN] = "ipvlan",
					    [KIND_VLAN] = "vlan",
					    [KIND_DUMMY] = "dummy"};
	const struct live_link *have = step->have;
	const struct link_spec *want = step->want;
	change_text(planner, step, FIELD_DRIVER, kinds[have->kind], kinds[want->kind]);
	if (have->parent != want->parent || live_parent_away(have) != want->parent_away)
		change_add(planner, step, FIELD_PARENT, parent_text(planner, have),
			   want->parent_name);
}

/* passthru is set up on creation alone (macvlan_changelink gives EINVAL). */
static bool in_place(const struct step *step, const struct change *change)
{
	if (change->field == FIELD_MODE && step->want->kind == KIND_MACVLAN)
		return step->have->mode_known && step->have->mode != MODE_PASSTHRU &&
		       step->want->mode != MODE_PASSTHRU;
	return fields[change->field].in_place;
}

bool compare(const struct planner *planner, struct step *step)
{
	compare_link(planner, step);
	compare_sysctls(planner, step);
	compare_up(planner, step);
	compare_addrs(planner, step);
	compare_routes(planner, step);
	compare_lease(planner, step);
	compare_parent(planner, step);
	for (size_t i = 0; i < step->n_changes; i++)
		if (!in_place(step, &step->changes[i]))
			return false;
	return true;
}
