#include "reconcile/apply/plan_done.h"

#include "lib/arena.h"
#include "reconcile/state/lease_routes.h"

#include <string.h>
#include <sys/socket.h>

static void addrs_replace(struct link_spec *spec, const struct link_spec *desired,
			  const struct lease *lease, struct arena *arena)
{
	spec->addrs = arena_alloc(arena, (desired->n_addrs + 1) * sizeof(*spec->addrs));
	spec->n_addrs = 0;
	for (size_t i = 0; i < desired->n_addrs; i++)
		if (desired->addrs[i].ip.family != AF_INET)
			spec->addrs[spec->n_addrs++] = desired->addrs[i];
	spec->addrs[spec->n_addrs++] = lease->addr;
	spec->addr_terms = NULL;
}

static void routes_replace(struct link_spec *spec, const struct link_spec *desired,
			   const struct lease *lease, struct arena *arena)
{
	struct link_route routes[LEASE_LINK_ROUTES_MAX];
	const size_t count = lease_link_routes(&desired->dhcp, lease, routes);
	spec->routes = arena_alloc(arena, (desired->n_routes + count) * sizeof(*spec->routes));
	spec->n_routes = 0;
	for (size_t i = 0; i < desired->n_routes; i++)
		if (desired->routes[i].to.ip.family != AF_INET)
			spec->routes[spec->n_routes++] = desired->routes[i];
	for (size_t i = 0; i < count; i++)
		spec->routes[spec->n_routes++] = routes[i];
}

struct link_spec link_spec_leased(const struct link_spec *desired, const struct lease *lease,
				  struct arena *arena)
{
	struct link_spec spec = *desired;
	addrs_replace(&spec, desired, lease, arena);
	routes_replace(&spec, desired, lease, arena);
	spec.dhcp.lease = lease->addr;
	spec.dhcp.incomplete = false;
	return spec;
}

static struct change *changes_leased(const struct step *step, const struct lease *lease,
				     struct arena *arena)
{
	char text[PREFIX_TEXT_SIZE];
	struct change *changes = arena_alloc(arena, (step->n_changes + 1) * sizeof(*changes));
	prefix_format(&lease->addr, text);
	for (size_t i = 0; i < step->n_changes; i++) {
		changes[i] = step->changes[i];
		if (changes[i].field == FIELD_DHCP &&
		    !(changes[i].from && strcmp(changes[i].from, text) == 0))
			changes[i].to = arena_strdup(arena, text);
	}
	return changes;
}

static struct step step_leased(const struct step *step, const struct lease *lease,
			       struct arena *arena)
{
	struct step leased = *step;
	struct link_spec *desired = arena_alloc(arena, sizeof(*desired));
	*desired = link_spec_leased(step->desired, lease, arena);
	leased.desired = desired;
	leased.changes = changes_leased(step, lease, arena);
	return leased;
}

static struct step step_advertised(const struct step *step, const struct outcome *outcome,
				   struct arena *arena)
{
	struct step advertised = *step;
	struct link_spec *desired = arena_alloc(arena, sizeof(*desired));
	const size_t count = step->desired->n_addrs + outcome->n_advertised;
	*desired = *step->desired;
	desired->addrs = arena_alloc(arena, count * sizeof(*desired->addrs));
	for (size_t i = 0; i < count; i++)
		desired->addrs[i] = i < step->desired->n_addrs
					    ? step->desired->addrs[i]
					    : outcome->advertised[i - step->desired->n_addrs];
	desired->n_addrs = count;
	advertised.desired = desired;
	return advertised;
}

static bool any_changed(const struct outcome *outcomes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (outcomes[i].lease || outcomes[i].n_advertised)
			return true;
	return false;
}

const struct plan *plan_done(const struct plan *plan, const struct outcome *outcomes,
			     struct arena *arena)
{
	if (!any_changed(outcomes, plan->n_steps))
		return plan;
	struct plan *done = arena_alloc(arena, sizeof(*done));
	struct step *steps = arena_alloc(arena, (plan->n_steps + 1) * sizeof(*steps));
	for (size_t i = 0; i < plan->n_steps; i++) {
		steps[i] = plan->steps[i];
		if (outcomes[i].lease)
			steps[i] = step_leased(&steps[i], outcomes[i].lease, arena);
		if (outcomes[i].n_advertised)
			steps[i] = step_advertised(&steps[i], &outcomes[i], arena);
	}
	*done = *plan;
	done->steps = steps;
	return done;
}
