#include "reconcile/state/policy_routing.h"

#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* Engines give a link one address of a family. Whoever controls the namespace can add any number.
 */
#define ANSWERS_MAX 16

static const uint8_t families[] = {AF_INET, AF_INET6};

static bool is_default_of(const struct live_route *route, uint8_t family)
{
	return !route->to.len && route->to.ip.family == family && !route->options.type;
}

const struct live_route *policy_other_default(const struct live_ns *ns, uint8_t family,
					      const struct live_link *adopted,
					      const struct live_route *after)
{
	for (size_t i = after ? (size_t)(after - ns->routes) + 1 : 0; i < ns->n_routes; i++) {
		const struct live_route *route = &ns->routes[i];
		if (!is_default_of(route, family) || route->table ||
		    route->proto == OWNER_TAG_PROTOCOL)
			continue;
		const struct live_link *link = live_link_by_index(ns, route->ifindex);
		if (!link || (link->tag.role == ROLE_NONE && link != adopted))
			return route;
	}
	return NULL;
}

bool policy_has_default(const struct live_ns *ns, uint8_t family)
{
	for (size_t i = 0; i < ns->n_routes; i++)
		if (live_policy_default(&ns->routes[i], family))
			return true;
	return false;
}

static bool wants_default(const struct container *container)
{
	for (size_t i = 0; i < container->n_attachments; i++)
		if (container->attachments[i].gw_priority > 0)
			return true;
	return false;
}

static bool has_rules(const struct container *container)
{
	bool has = container->policy_routing;
	for (size_t i = 0; i < container->n_attachments; i++)
		has |= container->attachments[i].n_rules ||
		       (container->attachments[i].network &&
			container->attachments[i].network->n_rules);
	return has;
}

bool policy_possible(const struct live_ns *ns, const struct container *const *containers,
		     size_t count)
{
	bool needed = false;
	if (ns->host)
		return false;
	for (size_t i = 0; i < ns->n_routes; i++)
		if (ns->routes[i].table && ns->routes[i].proto == OWNER_TAG_PROTOCOL)
			return true;
	for (size_t i = 0; i < count; i++)
		if (has_rules(containers[i]))
			return true;
	for (size_t i = 0; i < count; i++)
		needed |= wants_default(containers[i]);
	return needed && (policy_other_default(ns, AF_INET, NULL, NULL) ||
			  policy_other_default(ns, AF_INET6, NULL, NULL));
}

static void rule_add(struct arena *arena, struct policy *policy, struct policy_rule rule)
{
	if (!policy_has_rule(policy, &rule))
		*array_push(arena, policy->rules, policy->n_rules) = rule;
}

static void route_add(struct arena *arena, struct policy *policy, struct link_route route)
{
	if (!policy_has_route(policy, &route))
		*array_push(arena, policy->routes, policy->n_routes) = route;
}

/* The default route that the kernel takes. */
static const struct live_route *main_default(const struct live_ns *ns, uint8_t family,
					     const struct live_link *adopted)
{
	const struct live_route *route = NULL, *best = NULL;
	while ((route = policy_other_default(ns, family, adopted, route)))
		if (!best || route->options.metric < best->options.metric)
			best = route;
	return best;
}

static void subnet_add(struct arena *arena, const struct live_addr *addr, struct policy *policy)
{
	const struct prefix *prefix = &addr->prefix;
	if (prefix->len < ip_bits(&prefix->ip))
		route_add(arena, policy,
			  (struct link_route){.table = POLICY_TABLE_ANSWERS,
					      .device = addr->ifindex,
					      .to = prefix_subnet(prefix)});
}

static size_t answers_count(const struct policy *policy, uint8_t family)
{
	size_t count = 0;
	for (size_t i = 0; i < policy->n_rules; i++)
		count += policy->rules[i].priority == POLICY_PRIORITY_ANSWERS &&
			 policy->rules[i].from.ip.family == family;
	return count;
}

/* `subnets`: adds the link's routes to the table, too. */
static void answers_add(struct arena *arena, const struct live_ns *ns,
			const struct live_route *route, bool subnets, struct policy *policy)
{
	size_t left = ANSWERS_MAX - answers_count(policy, route->to.ip.family);
	each_addr_of (addr, ns, route->ifindex) {
		const struct ip *ip = &addr->prefix.ip;
		if (ip->family != route->to.ip.family || addr->scope >= RT_SCOPE_LINK || !left)
			continue;
		left--;
		rule_add(arena, policy,
			 (struct policy_rule){.priority = POLICY_PRIORITY_ANSWERS,
					      .from = {.ip = *ip, .len = (uint8_t)ip_bits(ip)},
					      .table = subnets ? POLICY_TABLE_ANSWERS : 0});
		if (subnets)
			subnet_add(arena, addr, policy);
	}
}

/* Next hops need the routes to the subnets. */
static void answers_of_main(struct arena *arena, const struct live_ns *ns,
			    const struct live_route *route, struct policy *policy)
{
	answers_add(arena, ns, route, true, policy);
	route_add(arena, policy,
		  (struct link_route){.table = POLICY_TABLE_ANSWERS,
				      .device = route->ifindex,
				      .to = route->to,
				      .via = route->via});
}

void policy_add(struct arena *arena, const struct live_ns *ns, uint8_t family,
		const struct live_link *adopted, struct policy *policy)
{
	const struct prefix all = {.ip.family = family};
	const struct live_route *first = main_default(ns, family, adopted), *route = NULL;
	if (first)
		answers_of_main(arena, ns, first, policy);
	while (first && (route = policy_other_default(ns, family, adopted, route)))
		if (route->ifindex != first->ifindex)
			answers_add(arena, ns, route, false, policy);
	/* The rule for the default route alone would precede all routes of main. */
	rule_add(arena, policy,
		 (struct policy_rule){
			 .priority = POLICY_PRIORITY_MAIN, .from = all, .no_default = true});
	rule_add(arena, policy,
		 (struct policy_rule){
			 .priority = POLICY_PRIORITY_DEFAULT, .from = all, .table = POLICY_TABLE});
}

bool policy_rule_equal(const struct policy_rule *a, const struct policy_rule *b)
{
	return a->priority == b->priority && a->table == b->table &&
	       a->no_default == b->no_default && prefix_equal(&a->from, &b->from) &&
	       a->to.len == b->to.len && (!a->to.len || ip_equal(&a->to.ip, &b->to.ip));
}

static bool route_equal(const struct link_route *a, const struct link_route *b)
{
	return a->table == b->table && a->device == b->device && prefix_equal(&a->to, &b->to) &&
	       ip_equal(&a->via, &b->via) && a->options.type == b->options.type &&
	       (!a->options.type ||
		route_metric(&a->to, a->options.metric) == route_metric(&b->to, b->options.metric));
}

bool policy_has_rule(const struct policy *policy, const struct policy_rule *rule)
{
	for (size_t i = 0; i < policy->n_rules; i++)
		if (policy_rule_equal(&policy->rules[i], rule))
			return true;
	return false;
}

bool policy_has_route(const struct policy *policy, const struct link_route *route)
{
	for (size_t i = 0; i < policy->n_routes; i++)
		if (route_equal(&policy->routes[i], route))
			return true;
	return false;
}

bool policy_empty(const struct policy *policy)
{
	return !policy || (!policy->n_rules && !policy->n_routes);
}

const struct policy *policy_keep(struct arena *arena, struct policy policy)
{
	if (policy_empty(&policy))
		return NULL;
	struct policy *kept = arena_alloc(arena, sizeof(*kept));
	*kept = policy;
	return kept;
}

struct policy policy_without(struct arena *arena, const struct policy *policy,
			     const struct policy *other)
{
	struct policy left = {0};
	for (size_t i = 0; i < policy->n_routes; i++)
		if (!policy_has_route(other, &policy->routes[i]))
			*array_push(arena, left.routes, left.n_routes) = policy->routes[i];
	for (size_t i = 0; i < policy->n_rules; i++)
		if (!policy_has_rule(other, &policy->rules[i]))
			*array_push(arena, left.rules, left.n_rules) = policy->rules[i];
	return left;
}

bool policy_rule_reserved(const struct policy_rule *rule)
{
	return rule->priority >= POLICY_PRIORITY_ANSWERS &&
	       rule->priority <= POLICY_PRIORITY_DEFAULT;
}

/* A file's rule leads to a table that it can name. */
bool live_rule_managed(const struct live_rule *rule)
{
	return rule->proto == OWNER_TAG_PROTOCOL && !rule->other &&
	       (policy_rule_reserved(&rule->rule)
			? !rule->rule.to.len
			: rule->rule.table && !table_is_policy(rule->rule.table));
}

bool live_rule_exists(const struct live_ns *ns, const struct policy_rule *rule)
{
	for (size_t i = 0; i < ns->n_rules; i++)
		if (live_rule_managed(&ns->rules[i]) && policy_rule_equal(&ns->rules[i].rule, rule))
			return true;
	return false;
}

static bool managed_answer(const struct live_route *route)
{
	return route->table == POLICY_TABLE_ANSWERS && route->proto == OWNER_TAG_PROTOCOL;
}

static bool managed_typed(const struct live_route *route)
{
	return route->options.type && route->proto == OWNER_TAG_PROTOCOL;
}

static struct link_route answer_of(const struct live_route *live)
{
	return (struct link_route){
		.table = live->table, .device = live->ifindex, .to = live->to, .via = live->via};
}

static struct link_route typed_of(const struct live_route *live)
{
	return (struct link_route){
		.table = live->table,
		.to = live->to,
		.options = {.type = live->options.type, .metric = live->options.metric}};
}

bool live_policy_route_exists(const struct live_ns *ns, const struct link_route *route)
{
	each_route_of (live, ns, route->device) {
		const struct link_route known =
			live->options.type ? typed_of(live) : answer_of(live);
		if ((managed_answer(live) || managed_typed(live)) && route_equal(&known, route))
			return true;
	}
	return false;
}

static void family_add(struct arena *arena, const struct live_ns *ns, uint8_t family,
		       struct policy *policy)
{
	for (size_t i = 0; i < ns->n_routes; i++)
		if (managed_answer(&ns->routes[i]) && ns->routes[i].to.ip.family == family)
			*array_push(arena, policy->routes, policy->n_routes) =
				answer_of(&ns->routes[i]);
	for (size_t i = 0; i < ns->n_rules; i++)
		if (live_rule_managed(&ns->rules[i]) && policy_rule_reserved(&ns->rules[i].rule) &&
		    ns->rules[i].rule.from.ip.family == family)
			*array_push(arena, policy->rules, policy->n_rules) = ns->rules[i].rule;
}

static const struct live_link *table_link(const struct live_ns *ns, uint32_t table)
{
	for (size_t i = 0; i < ns->n_routes; i++)
		if (ns->routes[i].proto == OWNER_TAG_PROTOCOL && ns->routes[i].table == table &&
		    !ns->routes[i].options.type)
			return live_link_by_index(ns, ns->routes[i].ifindex);
	for (size_t i = 0; i < ns->n_links; i++)
		if (role_in_container(ns->links[i].tag.role))
			return &ns->links[i];
	return NULL;
}

const struct live_link *policy_rule_link(const struct live_ns *ns, const struct policy_rule *rule)
{
	return table_link(ns, rule->table);
}

const struct live_link *policy_typed_link(const struct live_ns *ns, const struct live_route *route)
{
	const struct live_link *link = managed_typed(route) ? table_link(ns, route->table) : NULL;
	for (size_t i = 0; link && i < ns->n_links; i++)
		if (role_in_container(ns->links[i].tag.role) &&
		    strcmp(ns->links[i].tag.set, link->tag.set) != 0)
			return NULL;
	return link;
}

/* Routes that lead nowhere; `link` NULL: of all links. */
static void typed_add(struct arena *arena, const struct live_ns *ns, const struct live_link *link,
		      struct policy *policy)
{
	each_route_of (live, ns, 0)
		if (link ? policy_typed_link(ns, live) == link : managed_typed(live))
			*array_push(arena, policy->routes, policy->n_routes) = typed_of(live);
}

/* Rules of the file; `link` NULL: of all links. */
static void rules_add(struct arena *arena, const struct live_ns *ns, const struct live_link *link,
		      struct policy *policy)
{
	for (size_t i = 0; i < ns->n_rules; i++) {
		const struct policy_rule *rule = &ns->rules[i].rule;
		if (live_rule_managed(&ns->rules[i]) && !policy_rule_reserved(rule) &&
		    (!link || policy_rule_link(ns, rule) == link))
			*array_push(arena, policy->rules, policy->n_rules) = *rule;
	}
}

struct policy policy_of_namespace(struct arena *arena, const struct live_ns *ns)
{
	struct policy policy = {0};
	for (size_t i = 0; i < sizeof(families); i++)
		family_add(arena, ns, families[i], &policy);
	typed_add(arena, ns, NULL, &policy);
	rules_add(arena, ns, NULL, &policy);
	return policy;
}

struct policy policy_of_link(struct arena *arena, const struct live_ns *ns,
			     const struct live_link *link)
{
	struct policy policy = {0};
	for (size_t i = 0; !ns->host && i < sizeof(families); i++)
		if (live_policy_link(ns, families[i]) == link)
			family_add(arena, ns, families[i], &policy);
	if (!ns->host) {
		typed_add(arena, ns, link, &policy);
		rules_add(arena, ns, link, &policy);
	}
	return policy;
}

static const char *prefix_text(const struct prefix *prefix, char text[PREFIX_TEXT_SIZE])
{
	return prefix->len == ip_bits(&prefix->ip) ? ip_format(&prefix->ip, text)
						   : prefix_format(prefix, text);
}

const char *policy_rule_terms(const struct policy_rule *rule, char text[POLICY_RULE_TEXT_SIZE])
{
	char from[PREFIX_TEXT_SIZE], to[PREFIX_TEXT_SIZE], table[16] = "main";
	if (rule->table)
		snprintf(table, sizeof(table), "%u", rule->table);
	snprintf(text, POLICY_RULE_TEXT_SIZE, "from %s%s%s lookup %s%s",
		 rule->from.len ? prefix_text(&rule->from, from) : "all",
		 rule->to.len ? " to " : "", rule->to.len ? prefix_text(&rule->to, to) : "", table,
		 rule->no_default ? " suppress_prefixlength 0" : "");
	return text;
}

const char *policy_rule_format(const struct policy_rule *rule, char text[POLICY_RULE_TEXT_SIZE])
{
	char terms[POLICY_RULE_TEXT_SIZE];
	snprintf(text, POLICY_RULE_TEXT_SIZE, "%u %s%s", rule->priority,
		 policy_rule_terms(rule, terms), rule->from.ip.family == AF_INET6 ? " (IPv6)" : "");
	return text;
}
