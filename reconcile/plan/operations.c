#include "reconcile/plan/operations.h"

#include <string.h>

/* The smallest MTU of IPv6: below it the kernel disables the link's IPv6, and deletes its
 * addresses, routes and sysctls (addrconf_notify). */

/* The list under construction. */
struct lister {
	struct arena *arena;
	const struct step *step;
	const struct link_spec *spec;
	struct operations list;
	bool flushes, may_flush; /* whether the kernel flushes: in any case, or only before 6.2 */
	bool returned;           /* the IPv4 addresses that it flushed are added again */
};

static void add(struct lister *lister, struct operation operation)
{
	*array_push(lister->arena, lister->list.all, lister->list.count) = operation;
}

static void add_plain(struct lister *lister, enum operation_type type)
{
	add(lister, (struct operation){.type = type});
}

/* Whether the kernel resets it when the link is set up or its MTU changes (addrconf_notify in
 * net/ipv6/addrconf.c). */
static bool sysctl_is_volatile(const struct link_sysctl *sysctl)
{
	return strcmp(sysctl->key, "net.ipv6.conf.IFNAME.mtu") == 0;
}

static void add_sysctls(struct lister *lister, bool are_volatile)
{
	for (size_t i = 0; i < lister->spec->n_sysctls; i++)
		if (sysctl_is_volatile(&lister->spec->sysctls[i]) == are_volatile)
			add(lister, (struct operation){.type = OP_SYSCTL_SET,
						       .sysctl = &lister->spec->sysctls[i]});
}

/* Those that the creating message does not have, or that the kernel ignores there: a new passthru
 * link has its parent's MAC address (macvlan_common_newlink). */
static void add_settings(struct lister *lister)
{
	if (lister->spec->mac.set && lister->spec->mode == MODE_PASSTHRU)
		add(lister, (struct operation){.type = OP_LINK_MAC, .mac = lister->spec->mac});
	if (lister->spec->promisc)
		add_plain(lister, OP_LINK_PROMISC);
	if (lister->spec->allmulticast)
		add_plain(lister, OP_LINK_ALLMULTICAST);
	for (size_t i = 0; i < lister->spec->n_altnames; i++)
		add(lister,
		    (struct operation){.type = OP_ALTNAME_ADD, .name = lister->spec->altnames[i]});
}

/* Sysctls are set before the link is up, so that they apply from the beginning, except those that
 * the kernel would reset. */
struct operations create_operations(struct arena *arena, const struct link_spec *spec)
{
	struct lister lister = {.arena = arena, .spec = spec};
	add_plain(&lister, OP_LINK_NEW);
	add_plain(&lister, OP_LINK_ALIAS);
	if (!spec->ns->host)
		add_plain(&lister, OP_LINK_MOVE);
	add_sysctls(&lister, false);
	add_settings(&lister);
	if (!spec->down)
		add_plain(&lister, OP_LINK_UP);
	for (size_t i = 0; i < spec->n_addrs; i++)
		add(&lister, (struct operation){.type = OP_ADDR_ADD, .addr = &spec->addrs[i]});
	for (size_t i = 0; i < spec->n_routes; i++)
		add(&lister, (struct operation){.type = OP_ROUTE_ADD,
						.replace = spec->routes[i].replaces,
						.route = &spec->routes[i]});
	/* The rules come after the routes that they lead to. Routes by other links may be left of
	 * an attachment that was removed. */
	for (size_t i = 0; i < spec->policy.n_routes; i++)
		add(&lister, (struct operation){.type = OP_ROUTE_ADD,
						.replace = !spec->policy.routes[i].options.type ||
							   spec->policy.routes[i].replaces,
						.route = &spec->policy.routes[i]});
	for (size_t i = 0; i < spec->policy.n_rules; i++)
		add(&lister,
		    (struct operation){.type = OP_RULE_ADD, .rule = &spec->policy.rules[i]});
	add_sysctls(&lister, true);
	return lister.list;
}

struct operations policy_operations(struct arena *arena, const struct policy *policy)
{
	struct lister lister = {.arena = arena};
	if (!policy)
		return lister.list;
	for (size_t i = policy->n_rules; i-- > 0;)
		add(&lister, (struct operation){.type = OP_RULE_DELETE, .rule = &policy->rules[i]});
	for (size_t i = policy->n_routes; i-- > 0;)
		add(&lister,
		    (struct operation){.type = OP_ROUTE_DELETE, .route = &policy->routes[i]});
	return lister.list;
}

/* A route is added if it does not exist; another link's route may have replaced it. */
struct operations restore_operations(struct arena *arena, const struct link_spec *spec)
{
	struct lister lister = {.arena = arena, .spec = spec};
	for (size_t i = 0; i < spec->n_addrs; i++)
		add(&lister, (struct operation){.type = OP_ADDR_ADD,
						.replace = true,
						.addr = &spec->addrs[i]});
	for (size_t i = 0; i < spec->n_routes; i++)
		add(&lister, (struct operation){.type = OP_ROUTE_ADD,
						.replace = spec->routes[i].replaces,
						.route = &spec->routes[i]});
	return lister.list;
}

static bool is_removal(const struct change *change)
{
	return !change->to && (change->field == FIELD_ADDRESS || change->field == FIELD_ROUTE ||
			       change->field == FIELD_RULE || change->field == FIELD_ALTNAME);
}

/* Whether the link gets the address again with another prefix length: then no other step waits for
 * it. */
static bool comes_back(const struct step *step, const struct change *removal)
{
	for (size_t i = 0; removal->field == FIELD_ADDRESS && i < step->desired->n_addrs; i++)
		if (ip_equal(&step->desired->addrs[i].ip, &removal->addr.ip) &&
		    step->desired->addrs[i].len != removal->addr.len)
			return true;
	return false;
}

static struct operation removal_of(const struct change *change)
{
	if (change->field == FIELD_RULE)
		return (struct operation){.type = OP_RULE_DELETE, .rule = &change->rule};
	if (change->field == FIELD_ALTNAME)
		return (struct operation){.type = OP_ALTNAME_DELETE, .name = change->from};
	return change->field == FIELD_ADDRESS
		       ? (struct operation){.type = OP_ADDR_DELETE, .addr = &change->addr}
		       : (struct operation){.type = OP_ROUTE_DELETE, .route = &change->route};
}

/* Rules are removed before the routes that they lead to, and routes before their addresses, with
 * which the kernel would flush them. */
struct operations give_up_operations(struct arena *arena, const struct step *step)
{
	struct lister lister = {.arena = arena, .step = step, .spec = step->desired};
	char name[IFNAMSIZ];
	if (step->temporary.name)
		add(&lister, (struct operation){
				     .type = OP_LINK_RENAME,
				     .name = arena_strdup(arena, step_temporary_name(step, name))});
	if (step->temporary.mac)
		add(&lister,
		    (struct operation){.type = OP_LINK_MAC, .mac = step_temporary_mac(step)});
	for (size_t i = step->n_changes; i-- > 0;)
		if (is_removal(&step->changes[i]) && !comes_back(step, &step->changes[i]))
			add(&lister, removal_of(&step->changes[i]));
	return lister.list;
}

static void change_plain(struct lister *lister, const struct change *change)
{
	static const enum operation_type types[] = {[FIELD_ALIAS] = OP_LINK_ALIAS,
						    [FIELD_MODE] = OP_LINK_MODE,
						    [FIELD_BCQUEUELEN] = OP_LINK_BCQUEUELEN,
						    [FIELD_BCLIM] = OP_LINK_BCLIM,
						    [FIELD_IPVLAN_FLAG] = OP_LINK_IPVLAN_FLAG,
						    [FIELD_TXQUEUELEN] = OP_LINK_TXQUEUELEN,
						    [FIELD_PROMISC] = OP_LINK_PROMISC,
						    [FIELD_ALLMULTICAST] = OP_LINK_ALLMULTICAST};
	add_plain(lister, types[change->field]);
}

static void change_name(struct lister *lister, const struct change *change)
{
	(void)change;
	add(lister,
	    (struct operation){.type = OP_LINK_RENAME, .name = lister->step->desired->name});
	lister->may_flush = true;
}

static void change_mac(struct lister *lister, const struct change *change)
{
	(void)change;
	add(lister, (struct operation){.type = OP_LINK_MAC, .mac = lister->step->desired->mac});
}

static void change_mtu(struct lister *lister, const struct change *change)
{
	(void)change;
	add_plain(lister, OP_LINK_MTU);
	if (lister->step->current->mtu >= IPV6_MTU_MIN || lister->spec->mtu < IPV6_MTU_MIN)
		return;
	lister->flushes = true;
	add_sysctls(lister, false);
}

static void change_altname(struct lister *lister, const struct change *change)
{
	if (change->to)
		add(lister, (struct operation){.type = OP_ALTNAME_ADD, .name = change->to});
}

static void change_sysctl(struct lister *lister, const struct change *change)
{
	add(lister, (struct operation){.type = OP_SYSCTL_SET, .sysctl = &change->sysctl});
}

static void change_up(struct lister *lister, const struct change *change)
{
	(void)change;
	add_plain(lister, lister->spec->down ? OP_LINK_DOWN : OP_LINK_UP);
}

/* The kernel has no message that changes a prefix length (inet_rtm_newaddr and inet6_rtm_newaddr
 * identify an address by both), and ipvlan and IPv6 refuse both at once. */
static void change_address(struct lister *lister, const struct change *change)
{
	bool together = false;
	if (!change->to) {
		/* The removed address may have been the primary one of its subnet: the kernel
		 * removes the secondary ones, too. */
		lister->flushes |= change->addr.ip.family == AF_INET;
		return;
	}
	for (size_t i = 0; i < lister->step->n_changes; i++) {
		const struct change *other = &lister->step->changes[i];
		if (!is_removal(other) || other->field != FIELD_ADDRESS ||
		    !ip_equal(&other->addr.ip, &change->addr.ip))
			continue;
		add(lister, (struct operation){.type = OP_ADDR_DELETE,
					       .together = together,
					       .addr = &other->addr});
		together = true;
	}
	add(lister, (struct operation){.type = OP_ADDR_ADD,
				       .replace = change->from,
				       .together = together,
				       .addr = &change->addr});
}

static bool is_added(const struct step *step, const struct prefix *addr)
{
	for (size_t i = 0; i < step->n_changes; i++)
		if (step->changes[i].field == FIELD_ADDRESS && step->changes[i].to &&
		    prefix_equal(&step->changes[i].addr, addr))
			return true;
	return false;
}

/* The kernel removes the secondary addresses of a subnet with the primary one; a route needs them
 * for its next hop and its source before everything is restored. Those that the step adds are there
 * already. */
static void addresses_return(struct lister *lister)
{
	const struct link_spec *spec = lister->spec;
	for (size_t i = 0; lister->flushes && !lister->returned && i < spec->n_addrs; i++)
		if (spec->addrs[i].ip.family == AF_INET && !is_added(lister->step, &spec->addrs[i]))
			add(lister, (struct operation){.type = OP_ADDR_ADD,
						       .replace = true,
						       .addr = &spec->addrs[i]});
	lister->returned |= lister->flushes;
}

static void change_route(struct lister *lister, const struct change *change)
{
	if (change->to)
		addresses_return(lister);
	if (change->to)
		add(lister, (struct operation){.type = OP_ROUTE_ADD,
					       .replace = change->from || change->route.device ||
							  change->route.replaces,
					       .route = &change->route});
}

static void change_rule(struct lister *lister, const struct change *change)
{
	if (change->to)
		add(lister, (struct operation){.type = OP_RULE_ADD, .rule = &change->rule});
}

static void (*const changers[])(struct lister *, const struct change *) = {
	[FIELD_ALIAS] = change_plain,
	[FIELD_NAME] = change_name,
	[FIELD_MAC] = change_mac,
	[FIELD_MTU] = change_mtu,
	[FIELD_MODE] = change_plain,
	[FIELD_BCQUEUELEN] = change_plain,
	[FIELD_BCLIM] = change_plain,
	[FIELD_IPVLAN_FLAG] = change_plain,
	[FIELD_TXQUEUELEN] = change_plain,
	[FIELD_PROMISC] = change_plain,
	[FIELD_ALLMULTICAST] = change_plain,
	[FIELD_ALTNAME] = change_altname,
	[FIELD_SYSCTL] = change_sysctl,
	[FIELD_UP] = change_up,
	[FIELD_ADDRESS] = change_address,
	[FIELD_ROUTE] = change_route,
	[FIELD_RULE] = change_rule,
};

struct operations change_operations(struct arena *arena, const struct step *step)
{
	struct lister lister = {.arena = arena, .step = step, .spec = step->desired};
	for (size_t i = 0; i < step->n_changes; i++)
		if (step->changes[i].field < sizeof(changers) / sizeof(changers[0]))
			changers[step->changes[i].field](&lister, &step->changes[i]);
	if (lister.flushes || lister.may_flush)
		add(&lister, (struct operation){.type = OP_RESTORE, .certain = lister.flushes});
	add_sysctls(&lister, true);
	return lister.list;
}

/* The marks are there before what they say is changed, and until it is undone. */
struct operations requested_operations(struct arena *arena, const struct step *step)
{
	struct lister lister = {.arena = arena, .step = step, .spec = step->desired};
	for (size_t pass = 0; pass < 3; pass++)
		for (size_t i = 0; i < step->n_changes; i++) {
			const struct change *change = &step->changes[i];
			const bool mark = change->field == FIELD_ALTNAME;
			if (pass == 0 && mark)
				change_altname(&lister, change);
			else if (pass == 1 &&
				 (change->field == FIELD_MTU || change->field == FIELD_UP))
				changers[change->field](&lister, change);
			else if (pass == 2 && mark && !change->to)
				add(&lister, removal_of(change));
		}
	return lister.list;
}

bool step_may_flush(const struct step *step)
{
	bool may = false;
	for (size_t i = 0; i < step->n_changes; i++)
		may |= is_removal(&step->changes[i]) && step->changes[i].field == FIELD_ADDRESS;
	return may;
}
