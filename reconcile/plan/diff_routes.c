/* The difference between the routes and rules of a live link and those of its specification. */
#include "reconcile/plan/diff.h"

#include <linux/rtnetlink.h>

static const char *route_text(struct arena *arena, const struct link_route *route)
{
	char text[ROUTE_TEXT_SIZE];
	return arena_strdup(arena, link_route_format(route, text));
}

static void route_remove(struct changes *changes, const struct link_route *from)
{
	changes_add(changes, FIELD_ROUTE, route_text(changes->arena, from), NULL)->route = *from;
}

/* `from` is the route that it replaces, or NULL. */
static void route_put(struct changes *changes, const struct link_route *from,
		      const struct link_route *to)
{
	changes_add(changes, FIELD_ROUTE, from ? route_text(changes->arena, from) : NULL,
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

void diff_routes(const struct step *step, struct changes *changes)
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
	changes_add(changes, FIELD_RULE, from ? copy : NULL, from ? NULL : copy)->rule = *rule;
}

static void answer_change(const struct step *step, struct changes *changes, bool from,
			  const struct link_route *route)
{
	const struct live_link *link = live_link_by_index(step->ns, route->device);
	const char *text = route_text(changes->arena, route);
	if (!route->options.type)
		text = arena_printf(changes->arena, "%s dev %s", text, link ? link->name : "?");
	changes_add(changes, FIELD_ROUTE, from ? text : NULL, from ? NULL : text)->route = *route;
}

void diff_policy(const struct step *step, struct changes *changes)
{
	static const struct policy none;
	const struct policy *stale = step->stale_policy ? step->stale_policy : &none;
	const struct policy *desired = &step->desired->policy;
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
