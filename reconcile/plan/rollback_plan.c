#include "reconcile/plan/rollback_plan.h"

#include "kernel/link_kind.h"
#include "kernel/parent_mark.h"
#include "reconcile/plan/step_build.h"

#include <linux/rtnetlink.h>
#include <string.h>

struct reverter {
	struct plan_input input; /* only arenas and live state */
	struct steps *steps;
	const struct plan *done;
	const struct live *before, *now;
};

/* `before` keeps its namespaces open, so no other namespace has their inodes. NULL: not
 * observed. */
static struct live_ns *ns_now(const struct reverter *reverter, const struct live_ns *before)
{
	for (size_t i = 0; i < reverter->now->n_namespaces; i++)
		if (reverter->now->namespaces[i]->inode == before->inode)
			return reverter->now->namespaces[i];
	return NULL;
}

static const struct live_link *link_by_alias(const struct live_ns *ns, const char *alias)
{
	for (size_t i = 0; *alias && i < ns->n_links; i++)
		if (strcmp(ns->links[i].alias, alias) == 0)
			return &ns->links[i];
	return NULL;
}

struct live_ns *revert_namespace(const struct step *done, const struct live *before,
				 const struct live *now)
{
	for (size_t i = 0; done->current && i < before->n_containers; i++) {
		const struct container_lookup *was = &before->container_lookups[i];
		if (!was->stale || was->ns != done->ns ||
		    strcmp(was->container->name, done->tag->container) != 0)
			continue;
		const struct container_lookup *is = &now->container_lookups[i];
		if (is->state == CONTAINER_READY && !is->ns->stale &&
		    is->ns->inode != was->ns->inode)
			return is->ns;
	}
	return NULL;
}

/* The current link of the step, old or new, and its namespace; NULL: it is gone. */
static const struct live_link *link_now(const struct reverter *reverter, const struct step *step,
					struct live_ns **ret_ns)
{
	const struct link_spec *desired = step->desired;
	const char *alias = desired ? desired->alias : step->current->alias;
	*ret_ns = ns_now(reverter, step->ns);
	if (step->current && *ret_ns) {
		const struct live_link *link = live_link_by_index(*ret_ns, step->current->ifindex);
		if (link && (strcmp(link->alias, step->current->alias) == 0 ||
			     (desired && strcmp(link->alias, desired->alias) == 0)))
			return link;
	}
	/* The link may have been created again with another ifindex. */
	*ret_ns = ns_now(reverter, desired ? desired->ns : step->ns);
	return *ret_ns ? link_by_alias(*ret_ns, alias) : NULL;
}

static bool spec_has_addr(const struct link_spec *spec, const struct prefix *prefix)
{
	for (size_t i = 0; i < spec->n_addrs; i++)
		if (prefix_equal(&spec->addrs[i], prefix))
			return true;
	return false;
}

static void spec_addrs(struct reverter *reverter, const struct live_ns *ns,
		       const struct live_link *link, struct link_spec *spec)
{
	struct arena *arena = reverter->input.arena;
	struct addr_terms *terms = arena_alloc(arena, (ns->n_addrs + 1) * sizeof(*terms));
	each_addr_of (addr, ns, link->ifindex) {
		/* The kernel creates the link-local ones itself. An address with several peers
		 * exists several times. */
		if (addr->scope >= RT_SCOPE_LINK || spec_has_addr(spec, &addr->prefix))
			continue;
		terms[spec->n_addrs] = (struct addr_terms){.protocol = addr->proto,
							   .valid = addr->valid,
							   .preferred = addr->preferred,
							   .metric = addr->metric};
		*array_push(arena, spec->addrs, spec->n_addrs) = addr->prefix;
	}
	spec->addr_terms = terms;
}

/* Managed routes only. Unmanaged ones can have attributes that a specification lacks, and must not
 * prevent the link's creation: the snapshot restores them (reconcile/rollback/snapshot.h). Routes
 * to next hops first. */
static void spec_routes(struct reverter *reverter, const struct live_ns *ns,
			const struct live_link *link, struct link_spec *spec)
{
	for (int with_gateway = 0; with_gateway <= 1; with_gateway++) {
		each_route_of (route, ns, link->ifindex) {
			if (route->proto == OWNER_TAG_PROTOCOL &&
			    (route->via.family != 0) == with_gateway)
				*array_push(reverter->input.arena, spec->routes, spec->n_routes) =
					link_route_of(route);
		}
	}
}

/* The policy of the link's routes that the namespace did not have before; NULL: none. */
static const struct policy *new_policy(const struct reverter *reverter, const struct live_ns *ns,
				       const struct live_link *link)
{
	struct arena *arena = reverter->input.arena;
	const struct policy policy = policy_of_link(arena, ns, link);
	struct policy before = {0};
	for (size_t i = 0; i < reverter->before->n_namespaces; i++)
		if (reverter->before->namespaces[i]->inode == ns->inode)
			before = policy_of_namespace(arena, reverter->before->namespaces[i]);
	return policy_keep(arena, policy_without(arena, &policy, &before));
}

static void spec_sysctls(struct reverter *reverter, const struct live_link *link,
			 struct link_spec *spec)
{
	for (size_t i = 0; i < link->n_sysctls; i++)
		*array_push(reverter->input.arena, spec->sysctls, spec->n_sysctls) =
			(struct link_sysctl){.key = link->sysctls[i].key,
					     .value = link->sysctls[i].value};
}

/* The parent, if it still exists; otherwise the link with its name, or the name that it will get
 * again. */
static void spec_parent(const struct reverter *reverter, const struct live_link *link,
			struct link_spec *spec)
{
	const struct live_link *was = live_link_parent(reverter->before->namespaces[0], link);
	const struct live_ns *host = reverter->now->namespaces[0];
	const struct live_link *is = was ? live_link_by_index(host, was->ifindex) : NULL;
	if (was && !is)
		is = live_link_by_name(host, was->name);
	spec->parent_name = was ? was->name : NULL;
	spec->parent = is ? is->ifindex : 0;
	const struct live_link *vrf =
		link->tag.role == ROLE_HOST ? live_link_vrf(host, link) : NULL;
	spec->vrf = vrf ? vrf->ifindex : 0;
	spec->vrf_name = vrf ? vrf->name : NULL;
	spec->vrf_table = vrf ? live_vrf_table(vrf) : 0;
	/* A VLAN without an explicit MAC follows its parent's MAC. */
	if (link->kind == KIND_VLAN && was && mac_equal(&was->mac, &link->mac))
		spec->mac.set = false;
	/* The parent of a passthru link follows the link's MAC, and has it back when that is
	 * deleted (macvlan_port_destroy). */
	if (link->mode == MODE_PASSTHRU && is && mac_equal(&is->mac, &link->mac))
		spec->mac.set = false;
}

/* The former specification of the link. */
static struct link_spec *spec_of(struct reverter *reverter, const struct live_ns *ns,
				 const struct live_link *link)
{
	struct link_spec *spec = arena_alloc(reverter->input.arena, sizeof(*spec));
	*spec = (struct link_spec){.tag = link->tag,
				   .alias = link->alias,
				   .ns = ns_now(reverter, ns),
				   .ifindex = link->ifindex,
				   .name = link->name,
				   .kind = link->kind,
				   .mode = link->mode,
				   .mac = link->mac,
				   .mtu = link->mtu,
				   .has_bcqueuelen = link->has_bcqueuelen,
				   .bcqueuelen = link->bcqueuelen,
				   .has_bclim = link->bclim != BCLIM_DEFAULT,
				   .bclim = link->bclim,
				   .resets_bclim = true,
				   .ipvlan_flag = link->ipvlan_flag,
				   .promisc = link->flags & IFF_PROMISC,
				   .allmulticast = link->flags & IFF_ALLMULTI,
				   .has_txqueuelen = true,
				   .txqueuelen = link->txqueuelen,
				   .has_altnames = true,
				   .altnames = link->altnames,
				   .n_altnames = link->n_altnames,
				   .shares_parent = true,
				   .vlan = link->vlan,
				   .vlan_protocol = link->vlan_protocol,
				   .down = !(link->flags & IFF_UP)};
	if (link_kind_shares_mac(link->kind))
		spec->mac.set = false;
	spec_parent(reverter, link, spec);
	spec_addrs(reverter, ns, link, spec);
	spec_routes(reverter, ns, link, spec);
	spec->policy = policy_of_link(reverter->input.arena, ns, link);
	spec_sysctls(reverter, link, spec);
	return spec;
}

struct link_spec *link_spec_of_live(struct arena *arena, const struct live *live,
				    const struct live_ns *ns, const struct live_link *link)
{
	struct reverter reverter = {.input = {.arena = arena}, .before = live, .now = live};
	return spec_of(&reverter, ns, link);
}

/* Whether the rollback deletes the link, permanently or to create it again. */
static bool is_deleted(const void *data, const struct live_link *link)
{
	const struct reverter *reverter = data;
	struct live_ns *ns;
	for (size_t i = 0; i < reverter->done->n_steps; i++) {
		const struct step *step = &reverter->done->steps[i];
		if ((step->action == ACTION_CREATE || step->action == ACTION_REPLACE) &&
		    link_now(reverter, step, &ns) == link)
			return true;
	}
	return false;
}

static void created_delete(struct reverter *reverter, const struct step *done)
{
	struct live_ns *ns;
	const struct live_link *link = link_now(reverter, done, &ns);
	if (!link)
		return;
	const char *user =
		ns->host ? parent_user(&reverter->input, link, is_deleted, reverter) : NULL;
	struct step *step =
		step_add(reverter->steps, user ? ACTION_KEPT : ACTION_DELETE, &link->tag);
	step->name = link->name;
	step->ns = ns;
	step->current = link;
	step->stale_policy = new_policy(reverter, ns, link);
	step->reason = user ? arena_printf(reverter->input.arena, "used by %s", user) : NULL;
}

static void leftover_delete(struct reverter *reverter, const struct step *done)
{
	struct live_ns *ns;
	const struct live_link *link = link_now(reverter, done, &ns);
	if (!link)
		return;
	struct step *step = step_add(reverter->steps, ACTION_DELETE, &link->tag);
	step->name = link->name;
	step->ns = ns;
	step->current = link;
	step->stale_policy =
		policy_keep(reverter->input.arena, policy_of_link(reverter->input.arena, ns, link));
}

/* The container has another namespace now. The link in the former namespace has the same MAC as the
 * new one. */
static void moves(struct reverter *reverter, const struct step *done, struct live_ns *home)
{
	struct link_spec *spec = spec_of(reverter, done->ns, done->current);
	const struct step step = {.tag = &done->current->tag,
				  .set = done->set,
				  .name = done->current->name,
				  .ns = home,
				  .current = link_by_alias(home, done->current->alias),
				  .desired = spec};
	spec->ns = home;
	leftover_delete(reverter, done);
	step_diff(&reverter->input, reverter->steps, step);
}

static void touched_returns(struct reverter *reverter, const struct step *done)
{
	struct live_ns *home = revert_namespace(done, reverter->before, reverter->now);
	if (home) {
		moves(reverter, done, home);
		return;
	}
	struct step step = {.tag = &done->current->tag,
			    .set = done->set,
			    .name = done->current->name,
			    .desired = spec_of(reverter, done->ns, done->current)};
	step.current = link_now(reverter, done, &step.ns);
	if (step.current)
		step.stale_policy = new_policy(reverter, step.ns, step.current);
	else
		step.ns = step.desired->ns;
	step_diff(&reverter->input, reverter->steps, step);
}

/* The marks as before, and the other altnames as they are now. */
static void marks_return(struct arena *arena, const struct live_link *was,
			 const struct live_link *is, struct link_spec *spec)
{
	for (size_t i = 0; i < is->n_altnames; i++)
		if (parent_mark_parse(is->altnames[i]).kind == PARENT_MARK_NONE)
			*array_push(arena, spec->altnames, spec->n_altnames) = is->altnames[i];
	for (size_t i = 0; i < was->n_altnames; i++)
		if (parent_mark_parse(was->altnames[i]).kind != PARENT_MARK_NONE)
			*array_push(arena, spec->altnames, spec->n_altnames) = was->altnames[i];
}

/* Another program's link: what mvapply changes of it, and nothing else. */
static void requested_returns(struct reverter *reverter, const struct step *done)
{
	struct arena *arena = reverter->input.arena;
	const struct live_link *was = done->current;
	struct step step = {.tag = done->tag, .name = was->name, .released = !done->released};
	step.current = link_now(reverter, done, &step.ns);
	if (!step.current)
		return;
	struct link_spec *spec = arena_alloc(arena, sizeof(*spec));
	*spec = (struct link_spec){.tag = *done->tag,
				   .alias = step.current->alias,
				   .ns = step.ns,
				   .name = step.current->name,
				   .kind = step.current->kind,
				   .mtu = was->mtu,
				   .has_altnames = true,
				   .parent = step.current->parent,
				   .parent_away = live_parent_away(step.current),
				   .down = !(was->flags & IFF_UP)};
	marks_return(arena, was, step.current, spec);
	step.desired = spec;
	step_diff(&reverter->input, reverter->steps, step);
}

/* The container is not running, but its links may exist. */
static bool seen(const struct reverter *reverter, const struct live_ns *before)
{
	const struct live_ns *now = ns_now(reverter, before);
	return now && !now->stale;
}

static void not_reverted(struct reverter *reverter, const struct step *done, const char *reason)
{
	struct step *step = step_add(reverter->steps, ACTION_BLOCKED, done->tag);
	step->name = done->name;
	step->ns = done->ns;
	step->code = CODE_NOT_REVERTED;
	step->reason = reason;
}

static void step_returns(struct reverter *reverter, const struct step *done)
{
	/* The host has no such parent: the container keeps its current link. */
	if (done->tag->role == ROLE_PARENT)
		requested_returns(reverter, done);
	else if (done->current && live_parent_away(done->current))
		not_reverted(reverter, done,
			     "is not restored: its parent was in another namespace");
	else if (done->current)
		touched_returns(reverter, done);
	else if (done->desired)
		created_delete(reverter, done);
}

const struct plan *plan_revert(const struct plan *done, const struct live *before,
			       const struct live *now)
{
	struct arena *arena = arena_new();
	struct plan *plan = arena_alloc(arena, sizeof(*plan));
	plan->arena = arena;
	struct steps steps = {.arena = arena};
	struct reverter reverter = {.input = {.arena = arena, .scratch = arena_new(), .live = now},
				    .steps = &steps,
				    .done = done,
				    .before = before,
				    .now = now};
	for (size_t i = 0; i < done->n_steps; i++) {
		const struct step *step = &done->steps[i];
		if (!step_acts(step))
			continue;
		if (!seen(&reverter, step->ns) ||
		    (step->desired && !seen(&reverter, step->desired->ns)))
			not_reverted(&reverter, step,
				     "may differ from before: the namespace cannot be read");
		else
			step_returns(&reverter, step);
	}
	steps_order(&reverter.input, &steps);
	plan->steps = steps.items;
	plan->n_steps = steps.count;
	arena_free(reverter.input.scratch);
	return plan;
}
