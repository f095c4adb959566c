/* Selects the addresses of a plan to probe, and fails the steps whose address is in use. */
#include "reconcile/probe/probe.h"

#include "reconcile/apply/internal.h"

#include <errno.h>
#include <string.h>

/* Whether the replaced link already has the address, on the same LAN. */
static bool had(const struct step *step, const struct prefix *addr)
{
	if (!step->current || !live_link_on(step->current, step->desired->parent))
		return false;
	each_addr_of (live, step->ns, step->current->ifindex)
		if (ip_equal(&live->prefix.ip, &addr->ip))
			return true;
	return false;
}

/* A parent that will be created again cannot be used for probing: -1. */
static int parent_of(const struct plan *plan, const struct link_spec *desired)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].action == ACTION_REPLACE &&
		    plan->steps[i].current->ifindex == desired->parent &&
		    plan->steps[i].desired->ns->host)
			return -1;
	return desired->parent;
}

static void step_probes(const struct plan *plan, size_t number, struct probes *probes)
{
	const struct step *step = &plan->steps[number];
	for (size_t i = 0; i < step->desired->n_addrs; i++)
		if (!had(step, &step->desired->addrs[i]))
			*array_push(probes->arena, probes->items, probes->count) =
				(struct probe){.step = number,
					       .ifindex = parent_of(plan, step->desired),
					       .link = step->desired->parent_name,
					       .ip = step->desired->addrs[i].ip};
}

static void known_add(struct probes *probes, const struct live_ns *ns, struct mac **known)
{
	for (size_t i = 0; i < ns->n_links; i++)
		if (ns->links[i].tag.role != ROLE_NONE && ns->links[i].mac.set)
			*array_push(probes->arena, *known, probes->n_known) = ns->links[i].mac;
}

struct probes probes_of(const struct selection *selection, const struct live *live,
			struct arena *arena)
{
	const struct plan *plan = selection->plan;
	struct probes probes = {.arena = arena, .stop = -1};
	struct mac *known = NULL;
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		if (selection_has(selection, step) && step->action != ACTION_DELETE &&
		    step->desired->probe)
			step_probes(plan, i, &probes);
	}
	for (size_t i = 0; i < live->n_namespaces && probes.count; i++)
		known_add(&probes, live->namespaces[i], &known);
	probes.known = known;
	return probes;
}

void probe_fault(const struct probe *probe, struct error *error)
{
	char ip[IP_TEXT_SIZE], mac[MAC_TEXT_SIZE];
	ip_format(&probe->ip, ip);
	if (probe->in_use) {
		error_set(error, EADDRINUSE, "address %s is already in use by %s on %s", ip,
			  mac_format(&probe->by, mac), probe->link);
		error_code(error, CODE_ADDRESS_ANSWERED);
		error_hint(
			error,
			"set another %s, exclude this one with aux_addresses if mvapply chose it, or "
			"remove it from %s",
			probe->ip.family == AF_INET ? "ipv4_address" : "ipv6_address", mac);
		return;
	}
	error_set(error, probe->errnum, "cannot probe %s for address %s: %s", probe->link, ip,
		  probe->errnum == ENETDOWN ? "no carrier" : strerror(probe->errnum));
	if (probe->errnum == ENETDOWN)
		error_hint(error, "bring its cable or peer up, or disable probe");
	if (probe->errnum == ENODEV)
		error_hint(error, "run mvapply again when %s exists", probe->link);
}

static void parents_find(struct apply_context *context, struct probes *probes)
{
	struct error error;
	struct netlink *netlink = ns_socket(context, context->host, &error);
	for (size_t i = 0; i < probes->count; i++) {
		struct probe *probe = &probes->items[i];
		if (probe->ifindex == 0)
			probe->ifindex = made_parent(context, probe->link);
		if (probe->ifindex == 0 && netlink)
			(void)link_index_find(netlink, probe->link, &probe->ifindex, &error);
	}
}

static void faults_note(struct apply_context *context, const struct probes *probes)
{
	for (size_t i = 0; i < probes->count; i++) {
		const struct probe *probe = &probes->items[i];
		struct error error;
		if (!probe->in_use && !probe->errnum)
			continue;
		probe_fault(probe, &error);
		outcome_fail(&context->outcomes[probe->step], &error);
	}
}

void probes_send(struct apply_context *context)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct probes probes = probes_of(&context->selection, context->live, arena);
	if (probes.count == 0)
		return;
	parents_find(context, &probes);
	probes_run(&probes);
	faults_note(context, &probes);
}
