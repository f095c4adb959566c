/* VLAN links are shared by sets: the mark names those that use one, and the last takes it along. */
#include "reconcile/plan/internal.h"
#include "schema/words.h"

#include <stdlib.h>
#include <string.h>

const struct live_link *vlan_live(const struct live_ns *host, const struct live_link *base,
				  uint16_t vlan, enum vlan_protocol protocol)
{
	for (size_t i = 0; i < host->n_links; i++) {
		const struct live_link *link = &host->links[i];
		if (link->kind == KIND_VLAN && live_link_on(link, base->ifindex) &&
		    link->vlan == vlan && link->vlan_protocol == protocol)
			return link;
	}
	return NULL;
}

static int name_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void set_add(struct planner *planner, struct owner_tag *mark, const char *set)
{
	if (!owner_tag_has_set(mark, set))
		*array_push(planner->arena, mark->sets, mark->n_sets) = set;
}

/* The users that are no part of this run, of a link that is live already. */
static void other_sets_add(struct planner *planner, struct owner_tag *mark,
			   const struct live_link *link)
{
	for (size_t i = 0; link && i < link->mark.n_sets; i++)
		if (!desired_set(planner, link->mark.sets[i]))
			set_add(planner, mark, link->mark.sets[i]);
}

static void sets_sort(struct owner_tag *mark)
{
	if (mark->n_sets)
		qsort(mark->sets, mark->n_sets, sizeof(*mark->sets), name_compare);
}

static void alias_make(struct planner *planner, struct parent *parent)
{
	parent->make->alias = owner_tag_format(planner->arena, &parent->make->mark);
	if (parent->make->alias)
		return;
	parent->check_result = (struct check_result){
		.action = ACTION_BLOCKED,
		.code = CODE_MARK_FULL,
		.reason = arena_printf(
			planner->arena,
			"the mark of %s cannot hold the names of all %zu sets that use it",
			parent->name, parent->make->mark.n_sets),
		.hint = "put the networks on this VLAN into fewer sets, or give the sets shorter "
			"names",
	};
}

/* A VLAN link of another kind, id or parent under the name that ours is to have. */
static void name_check(struct planner *planner, struct parent *parent)
{
	const struct live_link *link =
		live_link_by_name(planner->live->namespaces[0], parent->name);
	if (!link || parent->link || (link->mark.role == ROLE_VLAN && link->kind == KIND_VLAN))
		return;
	parent->check_result = (struct check_result){
		.action = ACTION_REFUSED,
		.code = CODE_VLAN_FOREIGN,
		.reason =
			link->kind == KIND_VLAN
				? arena_printf(planner->arena,
					       "%s is there, but with VLAN id %u (%s)", link->name,
					       link->vlan, vlan_protocol_name(link->vlan_protocol))
				: arena_printf(planner->arena,
					       "%s is there, but is no VLAN %u of %s", link->name,
					       parent->vlan, parent->base_name),
		.hint = arena_printf(planner->arena,
				     "remove or rename it: `ip link set %s name OTHER`",
				     link->name),
	};
}

void vlans_mark(struct planner *planner)
{
	for (size_t i = 0; i < planner->n_parents; i++) {
		struct parent *parent = planner->parents[i];
		if (!parent->make || parent->make->mark.role != ROLE_VLAN)
			continue;
		struct owner_tag *mark = &parent->make->mark;
		other_sets_add(planner, mark, parent->link);
		for (size_t k = 0; k < planner->n_nets; k++)
			if (planner->nets[k].parent == parent)
				set_add(planner, mark, planner->nets[k].set->name);
		sets_sort(mark);
		alias_make(planner, parent);
		name_check(planner, parent);
	}
}

static bool leaves(const void *planner, const struct live_link *link)
{
	const struct managed_link *managed = managed_of_link(planner, link);
	return managed && managed->leaves;
}

const char *parent_user(const struct planner *planner, const struct live_link *parent,
			link_leaves *goes, const void *data)
{
	for (size_t i = 0; i < planner->live->n_namespaces; i++) {
		const struct live_ns *ns = planner->live->namespaces[i];
		for (size_t k = 0; k < ns->n_links; k++) {
			const struct live_link *link = &ns->links[k];
			if (live_link_on(link, parent->ifindex) && !goes(data, link))
				return arena_printf(planner->arena, "%s in %s", link->name,
						    ns->name);
		}
	}
	return NULL;
}

static bool used_by_run(const struct planner *planner, const struct live_link *link)
{
	for (size_t i = 0; i < planner->n_parents; i++)
		if (planner->parents[i]->link == link)
			return true;
	return false;
}

static struct step *parent_step(struct planner *planner, enum action action,
				const struct managed_link *parent)
{
	struct step *step = step_add(planner, action, &parent->link->mark);
	step->name = parent->link->name;
	step->current = parent->link;
	step->ns = parent->ns;
	return step;
}

static void keep(struct planner *planner, const struct managed_link *parent, const char *user)
{
	parent_step(planner, ACTION_KEPT, parent)->reason =
		arena_printf(planner->arena, "used by %s", user);
}

static void remove_parent(struct planner *planner, struct managed_link *parent)
{
	parent_step(planner, ACTION_DELETE, parent);
	parent->leaves = true;
}

/* Sets stay that use it: only this run's take themselves off the mark. */
static void leave_to(struct planner *planner, const struct managed_link *vlan,
		     struct owner_tag *rest)
{
	struct link_spec *desired = arena_alloc(planner->arena, sizeof(*desired));
	*desired = (struct link_spec){.mark = *rest,
				      .alias = owner_tag_format(planner->arena, rest),
				      .ns = vlan->ns,
				      .name = vlan->link->name,
				      .kind = KIND_VLAN,
				      .vlan = vlan->link->vlan,
				      .vlan_protocol = vlan->link->vlan_protocol,
				      .parent_away = live_parent_away(vlan->link),
				      .parent = vlan->link->parent};
	step_diff(planner, (struct step){.mark = *rest,
					 .name = vlan->link->name,
					 .ns = vlan->ns,
					 .current = vlan->link,
					 .desired = desired});
}

static bool vlan_prune(struct planner *planner, struct managed_link *vlan, bool last_round)
{
	struct owner_tag rest = {.role = ROLE_VLAN};
	other_sets_add(planner, &rest, vlan->link);
	sets_sort(&rest);
	if (vlan->leaves || rest.n_sets == vlan->link->mark.n_sets ||
	    used_by_run(planner, vlan->link))
		return false;

	const char *user = rest.n_sets ? NULL : parent_user(planner, vlan->link, leaves, planner);
	if (user && last_round)
		keep(planner, vlan, user);
	else if (!user && rest.n_sets && last_round)
		leave_to(planner, vlan, &rest);
	else if (!user && !rest.n_sets)
		remove_parent(planner, vlan);
	return vlan->leaves;
}

/* A dummy is one set's alone. */
static bool dummy_prune(struct planner *planner, struct managed_link *dummy, bool last_round)
{
	if (dummy->leaves || dummy->wanted || !desired_set(planner, dummy->link->mark.set))
		return false;
	const char *user = parent_user(planner, dummy->link, leaves, planner);
	if (user && last_round)
		keep(planner, dummy, user);
	else if (!user)
		remove_parent(planner, dummy);
	return dummy->leaves;
}

static bool prune_all(struct planner *planner, bool last_round)
{
	bool progress = false;
	for (size_t i = 0; i < planner->n_managed; i++) {
		struct managed_link *managed = &planner->managed[i];
		if (managed->link->mark.role == ROLE_VLAN)
			progress |= vlan_prune(planner, managed, last_round);
		else if (managed->link->mark.role == ROLE_DUMMY)
			progress |= dummy_prune(planner, managed, last_round);
	}
	return progress;
}

/* In rounds, since a VLAN inside a VLAN has to leave before the one that it is on. */
void parents_prune(struct planner *planner)
{
	while (prune_all(planner, false))
		;
	prune_all(planner, true);
}
