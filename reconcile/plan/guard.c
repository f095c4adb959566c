#include "reconcile/plan/internal.h"

#include <string.h>

/* Whether only a process leads to the namespace, and no container of the files: any container that
 * may make namespaces can have made it. */
static bool is_unnamed(const struct planner *planner, const struct managed_link *managed)
{
	return managed->ns->by_process && !managed->ns->former && !is_home(planner, managed->ns);
}

/* How many attachments of the set are live, or are to be deleted. A link that no planned attachment
 * asks for counts once for each namespace, and a stray not at all: a container can make any number
 * of them, and must not be able to stop everybody's changes. */
static size_t guard_count(const struct planner *planner, const char *set, bool deleted)
{
	const struct live_ns *last = NULL;
	size_t count = 0;
	for (size_t i = 0; i < planner->n_managed; i++) {
		const struct managed_link *managed = &planner->managed[i];
		if (managed->link->mark.role != ROLE_ATTACH ||
		    strcmp(managed->link->mark.set, set) != 0 ||
		    managed->placement == PLACEMENT_STRAY || is_unnamed(planner, managed))
			continue;
		const bool believed = managed->wanted && managed->placement == PLACEMENT_OWN;
		const bool first = believed || managed->ns != last;
		last = believed ? last : managed->ns;
		count += first && (!deleted || (managed->leaves && !managed->wanted));
	}
	return count;
}

static bool set_names(const struct set *set, const struct owner_tag *mark)
{
	for (size_t i = 0; i < set->n_networks; i++)
		if (strcmp(set->networks[i].name, mark->network) == 0)
			return true;
	for (size_t i = 0; i < set->n_containers; i++)
		if (strcmp(set->containers[i].name, mark->container) == 0)
			return true;
	return false;
}

/* Whether the set names a network, a container or the namespace of any of its live attachments. */
static bool set_known(const struct planner *planner, const struct set *set)
{
	for (size_t i = 0; i < planner->n_managed; i++) {
		const struct managed_link *managed = &planner->managed[i];
		const struct owner_tag *mark = &managed->link->mark;
		if (mark->role != ROLE_ATTACH || strcmp(mark->set, set->name) != 0)
			continue;
		if (is_home(planner, managed->ns) ||
		    (managed->placement != PLACEMENT_STRAY && set_names(set, mark)))
			return true;
	}
	return false;
}

/* Whether any of its live attachments is most likely real: not one mark of a container must be
 * enough to take the files for another set's. */
static bool set_evident(const struct planner *planner, const struct set *set)
{
	for (size_t i = 0; i < planner->n_managed; i++) {
		const struct managed_link *managed = &planner->managed[i];
		if (managed->link->mark.role == ROLE_ATTACH &&
		    strcmp(managed->link->mark.set, set->name) == 0 && is_evident(managed))
			return true;
	}
	return false;
}

/* An empty set counts from its first attachment on, as does one that names nothing of what is live:
 * more often than not it is a mistake. */
static bool guard_refuses(const struct plan_options *options, bool all, size_t live, size_t deletes)
{
	if (options->unguarded || deletes == 0 || (live < options->max_delete.from && !all))
		return false;
	return options->max_delete.percent ? deletes * 100 > live * options->max_delete.limit
					   : deletes > options->max_delete.limit;
}

void guard(struct planner *planner)
{
	for (size_t i = 0; i < planner->desired->n_sets; i++) {
		const struct set *set = &planner->desired->sets[i];
		size_t live = guard_count(planner, set->name, false);
		size_t deletes = guard_count(planner, set->name, true);
		const bool empty = !set->n_networks && !set->n_containers;
		const bool evident = deletes && set_evident(planner, set);
		const bool strange =
			!empty && evident && deletes == live && !set_known(planner, set);
		if (!planner->plan->guard.refused &&
		    guard_refuses(planner->options, (empty && evident) || strange, live, deletes))
			planner->plan->guard = (struct guard){.refused = true,
							      .strange = strange,
							      .set = set->name,
							      .live = live,
							      .deletes = deletes};
	}
}
