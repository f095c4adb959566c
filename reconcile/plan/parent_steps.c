/* VLAN links and dummy links of the sets: creates the missing ones, and deletes those that no
 * network uses any more. */
#include "reconcile/plan/plan_builder.h"

static bool deleted(const void *data, const struct live_link *link)
{
	const struct plan_builder *builder = data;
	const struct managed_link *managed =
		managed_of_link(builder->assigned->matched->managed, link);
	return managed && builder->deleted[managed->number];
}

static struct step *parent_step(const struct plan_builder *builder, enum action action,
				const struct managed_link *parent)
{
	struct step *step = step_add(builder->steps, action, &parent->link->tag);
	step->name = parent->link->name;
	step->current = parent->link;
	step->ns = parent->ns;
	return step;
}

static void keep(const struct plan_builder *builder, const struct managed_link *parent,
		 const char *user)
{
	parent_step(builder, ACTION_KEPT, parent)->reason =
		arena_printf(builder->input->arena, "used by %s", user);
}

static void remove_parent(const struct plan_builder *builder, const struct managed_link *parent)
{
	parent_step(builder, ACTION_DELETE, parent);
	builder->deleted[parent->number] = true;
}

/* Other sets still use it: only this run's sets are removed from the owner tag. */
static void release_to(const struct plan_builder *builder, const struct managed_link *vlan,
		       struct owner_tag *rest)
{
	struct link_spec *desired = arena_alloc(builder->input->arena, sizeof(*desired));
	*desired = (struct link_spec){.tag = *rest,
				      .alias = owner_tag_format(builder->input->arena, rest),
				      .ns = vlan->ns,
				      .name = vlan->link->name,
				      .kind = KIND_VLAN,
				      .vlan = vlan->link->vlan,
				      .vlan_protocol = vlan->link->vlan_protocol,
				      .parent_away = live_parent_away(vlan->link),
				      .parent = vlan->link->parent};
	step_diff(builder->input, builder->steps,
		  (struct step){.tag = &desired->tag,
				.name = vlan->link->name,
				.ns = vlan->ns,
				.current = vlan->link,
				.desired = desired});
}

static bool vlan_prune(const struct plan_builder *builder, const struct managed_link *vlan,
		       bool last_pass)
{
	struct owner_tag rest = {.role = ROLE_VLAN};
	vlan_other_sets_add(builder->input, &rest, vlan->link);
	vlan_sets_sort(&rest);
	if (builder->deleted[vlan->number] || rest.n_sets == vlan->link->tag.n_sets ||
	    parent_used(builder->assigned->matched->parents, vlan->link))
		return false;

	const char *user =
		rest.n_sets ? NULL : parent_user(builder->input, vlan->link, deleted, builder);
	if (user && last_pass)
		keep(builder, vlan, user);
	else if (!user && rest.n_sets && last_pass)
		release_to(builder, vlan, &rest);
	else if (!user && !rest.n_sets)
		remove_parent(builder, vlan);
	return builder->deleted[vlan->number];
}

/* A dummy belongs to one set. */
static bool dummy_prune(const struct plan_builder *builder, const struct managed_link *dummy,
			bool last_pass)
{
	if (builder->deleted[dummy->number] ||
	    parent_used(builder->assigned->matched->parents, dummy->link) ||
	    !desired_set(builder->input, dummy->link->tag.set))
		return false;
	const char *user = parent_user(builder->input, dummy->link, deleted, builder);
	if (user && last_pass)
		keep(builder, dummy, user);
	else if (!user)
		remove_parent(builder, dummy);
	return builder->deleted[dummy->number];
}

static bool prune_all(const struct plan_builder *builder, bool last_pass)
{
	const struct managed_index *index = builder->assigned->matched->managed;
	bool progress = false;
	for (size_t i = 0; i < index->count; i++) {
		const struct managed_link *managed = &index->links[i];
		if (managed->link->tag.role == ROLE_VLAN)
			progress |= vlan_prune(builder, managed, last_pass);
		else if (managed->link->tag.role == ROLE_DUMMY)
			progress |= dummy_prune(builder, managed, last_pass);
	}
	return progress;
}

void networks_report(const struct plan_builder *builder)
{
	const struct parents *parents = builder->assigned->matched->parents;
	for (size_t i = 0; i < parents->n_networks; i++) {
		const struct resolved_network *resolved = &parents->networks[i];
		if (resolved->check_result.action == ACTION_CREATE)
			continue;
		struct owner_tag *tag = arena_alloc(builder->input->arena, sizeof(*tag));
		*tag = (struct owner_tag){.set = resolved->set->name,
					  .network = resolved->network->name};
		struct step *step = step_add(builder->steps, resolved->check_result.action, tag);
		step->network = resolved->network;
		step->code = resolved->check_result.code;
		step->reason = resolved->check_result.reason;
		step->hint = resolved->check_result.hint;
	}
}

static bool is_needed(const struct parents *parents, const struct parent *parent)
{
	for (size_t i = 0; i < parents->n_networks; i++)
		if (parents->networks[i].parent == parent &&
		    parents->networks[i].check_result.action == ACTION_CREATE)
			return true;
	return parent->link != NULL;
}

/* Repeat: nested VLANs must be deleted before their parent. */
void parents_plan(const struct plan_builder *builder)
{
	const struct parents *parents = builder->assigned->matched->parents;
	while (prune_all(builder, false))
		;
	prune_all(builder, true);
	for (size_t i = 0; i < parents->count; i++) {
		const struct parent *parent = &parents->all[i];
		if (!parent->make || parent->check_result.action != ACTION_CREATE ||
		    !is_needed(parents, parent))
			continue;
		step_diff(builder->input, builder->steps,
			  (struct step){.tag = &parent->make->tag,
					.set = parent->make->tag.set,
					.name = parent->name,
					.ns = parent->make->ns,
					.current = parent->link,
					.desired = parent->make});
	}
}
