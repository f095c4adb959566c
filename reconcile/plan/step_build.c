#include "reconcile/plan/step_build.h"

struct step *step_add(struct steps *steps, enum action action, const struct owner_tag *tag)
{
	struct step *step = array_push(steps->arena, steps->items, steps->count);
	step->action = action;
	step->tag = tag;
	step->set = tag->set;
	return step;
}

const struct step *step_diff(const struct plan_input *input, struct steps *steps, struct step step)
{
	step.action = ACTION_CREATE;
	if (step.current)
		step.action = link_diff(input, &step) ? ACTION_CHANGE : ACTION_REPLACE;
	if (step.action == ACTION_CHANGE && step.n_changes == 0)
		return NULL;
	struct step *added = step_add(steps, step.action, step.tag);
	*added = step;
	return added;
}

const char *parent_user(const struct plan_input *input, const struct live_link *parent,
			link_is_deleted *is_deleted, const void *data)
{
	for (size_t i = 0; i < input->live->n_namespaces; i++) {
		const struct live_ns *ns = input->live->namespaces[i];
		for (size_t k = 0; k < ns->n_links; k++) {
			const struct live_link *link = &ns->links[k];
			if (live_link_on(link, parent->ifindex) && !is_deleted(data, link))
				return arena_printf(input->arena, "%s in %s", link->name, ns->name);
		}
	}
	return NULL;
}
