#include "reconcile/plan/selection.h"

#include <stdlib.h>
#include <string.h>

struct deferrer {
	const struct plan *plan;
	const struct live *live;
	struct selection selection; /* the remaining selection */
	struct arena *arena;
	const struct step **by_link; /* steps with a live link, sorted by it */
	size_t n_by_link;
	const struct step **by_index; /* steps that delete a parent, sorted by its ifindex */
	size_t n_by_index;
	const struct step **by_name; /* steps that create a parent, sorted by its name */
	size_t n_by_name;
};

static int compare_links(const void *a, const void *b)
{
	uintptr_t left = (uintptr_t)(*(const struct step *const *)a)->current;
	uintptr_t right = (uintptr_t)(*(const struct step *const *)b)->current;
	return (left > right) - (left < right);
}

static int find_link(const void *key, const void *step)
{
	uintptr_t left = (uintptr_t)key,
		  right = (uintptr_t)(*(const struct step *const *)step)->current;
	return (left > right) - (left < right);
}

static int compare_indexes(const void *a, const void *b)
{
	int left = (*(const struct step *const *)a)->current->ifindex;
	int right = (*(const struct step *const *)b)->current->ifindex;
	return (left > right) - (left < right);
}

static int find_index(const void *key, const void *step)
{
	int left = *(const int *)key, right = (*(const struct step *const *)step)->current->ifindex;
	return (left > right) - (left < right);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp((*(const struct step *const *)a)->desired->name,
		      (*(const struct step *const *)b)->desired->name);
}

static int find_name(const void *key, const void *step)
{
	return strcmp(key, (*(const struct step *const *)step)->desired->name);
}

typedef int compare(const void *a, const void *b);

static void sort(const struct step **steps, size_t count, compare *order)
{
	if (count)
		qsort(steps, count, sizeof(*steps), order);
}

static const struct step *find(const void *key, const struct step **steps, size_t count,
			       compare *order)
{
	const struct step *const *found =
		count ? bsearch(key, steps, count, sizeof(*steps), order) : NULL;
	return found ? *found : NULL;
}

static void steps_index(struct deferrer *deferrer)
{
	struct arena *arena = deferrer->arena;
	for (size_t i = 0; i < deferrer->plan->n_steps; i++) {
		const struct step *step = &deferrer->plan->steps[i];
		if (step->current)
			*array_push(arena, deferrer->by_link, deferrer->n_by_link) = step;
		if (step_deletes(step) && step_is_parent(step))
			*array_push(arena, deferrer->by_index, deferrer->n_by_index) = step;
		if (step_creates_parent(step))
			*array_push(arena, deferrer->by_name, deferrer->n_by_name) = step;
	}
	sort(deferrer->by_link, deferrer->n_by_link, compare_links);
	sort(deferrer->by_index, deferrer->n_by_index, compare_indexes);
	sort(deferrer->by_name, deferrer->n_by_name, compare_names);
}

static bool has(const struct deferrer *deferrer, const struct step *step)
{
	return selection_has(&deferrer->selection, step);
}

/* Steps that are left out already keep their reason. */
static void defer_step(struct deferrer *deferrer, const struct step *step, const char *why)
{
	deferrer->selection.selected[step - deferrer->plan->steps] = false;
	deferrer->selection.why[step - deferrer->plan->steps] = why;
}

/* In the order of the plan, in which a VLAN precedes its nested VLANs. */
static void new_parents_defer(struct deferrer *deferrer)
{
	for (size_t i = 0; i < deferrer->plan->n_steps; i++) {
		const struct step *step = &deferrer->plan->steps[i];
		const char *name = step_new_parent(step);
		if (!has(deferrer, step) || !name)
			continue;
		const struct step *parent =
			find(name, deferrer->by_name, deferrer->n_by_name, find_name);
		if (parent && !has(deferrer, parent))
			defer_step(deferrer, step,
				   arena_printf(deferrer->arena, "its parent %s does not exist",
						name));
	}
}

static const char *step_label(struct arena *arena, const struct step *step)
{
	return step->tag->role == ROLE_ATTACH
		       ? arena_printf(arena, "%s/%s", step->tag->container,
				      owner_tag_attachment(step->tag))
		       : arena_printf(arena, "the host's link on network %s", step->tag->network);
}

static void replaced_defer(struct deferrer *deferrer)
{
	for (size_t i = 0; i < deferrer->plan->n_steps; i++) {
		const struct step *step = &deferrer->plan->steps[i];
		if (!has(deferrer, step) || step->action != ACTION_DELETE || !step->replaced_by)
			continue;
		const struct step *by = &deferrer->plan->steps[step->replaced_by - 1];
		if (!has(deferrer, by))
			defer_step(deferrer, step,
				   arena_printf(deferrer->arena,
						"its replacement %s does not exist",
						step_label(deferrer->arena, by)));
	}
}

/* Whether the selected part of the plan deletes the link. */
static bool is_deleted(const struct deferrer *deferrer, const struct live_link *link)
{
	const struct step *step = find(link, deferrer->by_link, deferrer->n_by_link, find_link);
	return step && step_deletes(step) && has(deferrer, step);
}

/* The kernel deletes all links on a parent with it, in any namespace. */
static bool parent_defer(struct deferrer *deferrer, const struct live_ns *ns,
			 const struct live_link *link)
{
	if (link->parent_where != PARENT_HOST)
		return false;
	const struct step *parent =
		find(&link->parent, deferrer->by_index, deferrer->n_by_index, find_index);
	if (!parent || !has(deferrer, parent) || is_deleted(deferrer, link))
		return false;
	defer_step(deferrer, parent,
		   arena_printf(deferrer->arena, "used by %s in %s", link->name, ns->name));
	return true;
}

static bool parents_defer(struct deferrer *deferrer)
{
	bool any = false;
	for (size_t i = 0; i < deferrer->live->n_namespaces; i++) {
		const struct live_ns *ns = deferrer->live->namespaces[i];
		for (size_t k = 0; k < ns->n_links; k++)
			any |= parent_defer(deferrer, ns, &ns->links[k]);
	}
	return any;
}

/* A parent waits for a name that a remaining parent has. */
static void names_defer(struct deferrer *deferrer)
{
	for (size_t i = 0; i < deferrer->plan->n_steps; i++) {
		const struct step *step = &deferrer->plan->steps[i];
		if (!has(deferrer, step) || step->action != ACTION_CHANGE ||
		    !step_is_parent(step) || strcmp(step->current->name, step->desired->name) == 0)
			continue;
		const struct live_link *holder =
			live_link_by_name(deferrer->live->namespaces[0], step->desired->name);
		if (holder && holder != step->current && !is_deleted(deferrer, holder))
			defer_step(deferrer, step,
				   arena_printf(deferrer->arena, "the other %s still exists",
						holder->name));
	}
}

struct selection selection_defer(const struct selection *selection, const struct live *live,
				 struct arena *arena)
{
	struct deferrer deferrer = {.plan = selection->plan,
				    .live = live,
				    .selection = selection_copy(selection, arena),
				    .arena = arena};
	steps_index(&deferrer);
	new_parents_defer(&deferrer);
	replaced_defer(&deferrer);
	/* A VLAN that stays keeps its lower VLAN. */
	while (deferrer.n_by_index && parents_defer(&deferrer))
		;
	names_defer(&deferrer);
	return deferrer.selection;
}
