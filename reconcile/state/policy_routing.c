#include "reconcile/state/policy_routing.h"

#include <linux/rtnetlink.h>
#include <stdio.h>
#include <sys/socket.h>

/* Engines give a link one address of a family. Whoever controls the namespace can add any number.
 */
#define ANSWERS_MAX 16

static bool is_default_of(const struct live_route *route, uint8_t family)
{
	return !route->to.len && route->to.ip.family == family;
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

const struct live_route *policy_default(const struct live_ns *ns, uint8_t family)
{
	for (size_t i = 0; i < ns->n_routes; i++)
		if (is_default_of(&ns->routes[i], family) && ns->routes[i].table == POLICY_TABLE &&
		    ns->routes[i].proto == OWNER_TAG_PROTOCOL)
			return &ns->routes[i];
	return NULL;
}

static bool wants_default(const struct container *container)
{
	for (size_t i = 0; i < container->n_attachments; i++)
		if (container->attachments[i].gw_priority > 0)
			return true;
	return false;
}

bool policy_possible(const struct live_ns *ns, const struct container *const *containers,
		     size_t count)
{
	bool wanted = false;
	if (ns->host)
		return false;
	if (policy_default(ns, AF_INET) || policy_default(ns, AF_INET6))
		return true;
	for (size_t i = 0; i < count; i++)
		wanted |= wants_default(containers[i]);
	return wanted && (policy_other_default(ns, AF_INET, NULL, NULL) ||
			  policy_other_default(ns, AF_INET6, NULL, NULL));
}

static void rule_add(struct arena *arena, struct policy_rules *rules, struct policy_rule rule)
{
	if (!policy_rules_have(rules, &rule))
		*array_push(arena, rules->all, rules->count) = rule;
}

static void answers_add(struct arena *arena, const struct live_ns *ns,
			const struct live_route *route, struct policy_rules *rules)
{
	size_t left = ANSWERS_MAX;
	each_addr_of (addr, ns, route->ifindex) {
		const struct ip *ip = &addr->prefix.ip;
		if (ip->family != route->to.ip.family || addr->scope >= RT_SCOPE_LINK || !left)
			continue;
		left--;
		rule_add(arena, rules,
			 (struct policy_rule){.priority = POLICY_PRIORITY_ANSWERS,
					      .from = {.ip = *ip, .len = (uint8_t)ip_bits(ip)}});
	}
}

void policy_rules_add(struct arena *arena, const struct live_ns *ns, uint8_t family,
		      const struct live_link *adopted, struct policy_rules *rules)
{
	const struct prefix all = {.ip.family = family};
	const struct live_route *route = NULL;
	while ((route = policy_other_default(ns, family, adopted, route)))
		answers_add(arena, ns, route, rules);
	/* The rule for the default route alone would precede all routes of main. */
	rule_add(arena, rules,
		 (struct policy_rule){
			 .priority = POLICY_PRIORITY_MAIN, .from = all, .no_default = true});
	rule_add(arena, rules,
		 (struct policy_rule){
			 .priority = POLICY_PRIORITY_DEFAULT, .from = all, .table = POLICY_TABLE});
}

bool policy_rule_equal(const struct policy_rule *a, const struct policy_rule *b)
{
	return a->priority == b->priority && a->table == b->table &&
	       a->no_default == b->no_default && prefix_equal(&a->from, &b->from);
}

bool policy_rules_have(const struct policy_rules *rules, const struct policy_rule *rule)
{
	for (size_t i = 0; i < rules->count; i++)
		if (policy_rule_equal(&rules->all[i], rule))
			return true;
	return false;
}

bool live_rule_managed(const struct live_rule *rule)
{
	return rule->proto == OWNER_TAG_PROTOCOL && !rule->other &&
	       rule->rule.priority >= POLICY_PRIORITY_ANSWERS &&
	       rule->rule.priority <= POLICY_PRIORITY_DEFAULT;
}

bool live_rule_exists(const struct live_ns *ns, const struct policy_rule *rule)
{
	for (size_t i = 0; i < ns->n_rules; i++)
		if (live_rule_managed(&ns->rules[i]) && policy_rule_equal(&ns->rules[i].rule, rule))
			return true;
	return false;
}

static const struct live_link *first_attachment(const struct live_ns *ns)
{
	for (size_t i = 0; i < ns->n_links; i++)
		if (ns->links[i].tag.role == ROLE_ATTACH)
			return &ns->links[i];
	return NULL;
}

static bool has_rules(const struct live_ns *ns, const struct live_link *link, uint8_t family)
{
	const struct live_route *route = policy_default(ns, family);
	return route ? route->ifindex == link->ifindex : first_attachment(ns) == link;
}

static void rules_of_family(struct arena *arena, const struct live_ns *ns, uint8_t family,
			    struct policy_rules *rules)
{
	for (size_t i = 0; i < ns->n_rules; i++)
		if (live_rule_managed(&ns->rules[i]) && ns->rules[i].rule.from.ip.family == family)
			*array_push(arena, rules->all, rules->count) = ns->rules[i].rule;
}

struct policy_rules policy_rules_of(struct arena *arena, const struct live_ns *ns,
				    const struct live_link *link)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct policy_rules rules = {0};
	for (size_t i = 0; ns->n_rules && i < sizeof(families); i++)
		if (has_rules(ns, link, families[i]))
			rules_of_family(arena, ns, families[i], &rules);
	return rules;
}

const char *policy_rule_format(const struct policy_rule *rule, char text[POLICY_RULE_TEXT_SIZE])
{
	char from[IP_TEXT_SIZE], table[16] = "main";
	if (rule->table)
		snprintf(table, sizeof(table), "%u", rule->table);
	snprintf(text, POLICY_RULE_TEXT_SIZE, "%u from %s lookup %s%s%s", rule->priority,
		 rule->from.len ? ip_format(&rule->from.ip, from) : "all", table,
		 rule->no_default ? " suppress_prefixlength 0" : "",
		 rule->from.ip.family == AF_INET6 ? " (IPv6)" : "");
	return text;
}
