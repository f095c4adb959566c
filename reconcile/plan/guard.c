#include "reconcile/plan/plan_builder.h"

#include <string.h>

/* Whether only a process leads to the namespace, and no container of the files: any container that
 * may make namespaces can have made it. */
static bool is_unnamed(const struct ownership *ownership, const struct managed_link *managed)
{
	return managed->ns->by_process && !managed->ns->former && !is_home(ownership, managed->ns);
}

/* How many attachments of the set are live, or are to be deleted. A link that no planned attachment
 * asks for counts once for each namespace, and a stray not at all: a container can make any number
 * of them, and must not be able to stop everybody's changes. */
static size_t guard_count(const struct plan_builder *builder, const char *set, bool deleted)
{
	const struct matched *matched = builder->assigned->matched;
	const struct live_ns *last = NULL;
	size_t count = 0;
	for (size_t i = 0; i < matched->managed->count; i++) {
		const struct managed_link *managed = &matched->managed->links[i];
		if (managed->link->mark.role != ROLE_ATTACH ||
		    strcmp(managed->link->mark.set, set) != 0 ||
		    managed->placement == PLACEMENT_STRAY ||
		    is_unnamed(matched->ownership, managed))
			continue;
		const bool wanted = matched->attachments->uses[i].wanted;
		const bool believed = wanted && managed->placement == PLACEMENT_OWN;
		const bool first = believed || managed->ns != last;
		last = believed ? last : managed->ns;
		count += first && (!deleted || (builder->leaves[i] && !wanted));
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
static bool set_known(const struct matched *matched, const struct set *set)
{
	for (size_t i = 0; i < matched->managed->count; i++) {
		const struct managed_link *managed = &matched->managed->links[i];
		const struct owner_tag *mark = &managed->link->mark;
		if (mark->role != ROLE_ATTACH || strcmp(mark->set, set->name) != 0)
			continue;
		if (is_home(matched->ownership, managed->ns) ||
		    (managed->placement != PLACEMENT_STRAY && set_names(set, mark)))
			return true;
	}
	return false;
}

/* Whether any of its live attachments is most likely real: not one mark of a container must be
 * enough to take the files for another set's. */
static bool set_evident(const struct matched *matched, const struct set *set)
{
	for (size_t i = 0; i < matched->managed->count; i++) {
		const struct managed_link *managed = &matched->managed->links[i];
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

static struct guard set_guard(const struct plan_builder *builder, const struct set *set)
{
	const struct matched *matched = builder->assigned->matched;
	const size_t live = guard_count(builder, set->name, false);
	const size_t deletes = guard_count(builder, set->name, true);
	const bool empty = !set->n_networks && !set->n_containers;
	const bool evident = deletes && set_evident(matched, set);
	const bool strange = !empty && evident && deletes == live && !set_known(matched, set);
	return (struct guard){.refused =
				      guard_refuses(builder->input->options,
						    (empty && evident) || strange, live, deletes),
			      .strange = strange,
			      .set = set->name,
			      .live = live,
			      .deletes = deletes};
}

struct guard guard_check(const struct plan_builder *builder)
{
	const struct desired *desired = builder->input->desired;
	for (size_t i = 0; i < desired->n_sets; i++) {
		const struct guard guard = set_guard(builder, &desired->sets[i]);
		if (guard.refused)
			return guard;
	}
	return (struct guard){.refused = false};
}
