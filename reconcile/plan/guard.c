/* Whether more of a set would be deleted than is likely to be meant. All of it is most likely
 * another file's: where the input is empty, or declares nothing of what is live of its set.
 * Containers are the evidence for that, by their names and namespaces, as each is in one file;
 * networks of the same name are in the files of several sets. The host's own links are evidence
 * where the input has no container, and networks where it has no host's link either, as in a file
 * from which the last container was removed. */
#include "reconcile/plan/plan_builder.h"

#include <string.h>

/* What is live of a set, and what of that is to be deleted. */
struct tally {
	size_t live, deletes;
	bool evident; /* one that is deleted is most likely real: not one tag of a container must
			 be enough to take the files for another set's */
};

/* Whether only a process leads to the namespace, and no container of the files: any container that
 * may make namespaces can have made it. */
static bool is_unnamed(const struct ownership *ownership, const struct managed_link *managed)
{
	return managed->ns->by_process && !managed->ns->former && !is_home(ownership, managed->ns);
}

/* Whether it is an attachment of the set, or the host's own link. */
static bool is_of(const struct managed_link *managed, const char *set)
{
	const struct owner_tag *tag = &managed->link->tag;
	return (tag->role == ROLE_ATTACH || tag->role == ROLE_HOST) && strcmp(tag->set, set) == 0;
}

static bool is_counted(const struct ownership *ownership, const struct managed_link *managed,
		       const char *set)
{
	return is_of(managed, set) && managed->placement != PLACEMENT_STRAY &&
	       !is_unnamed(ownership, managed);
}

/* No container can make a link in the host's namespace, or a second one that is wanted. */
static bool is_believed(const struct managed_link *managed, const struct managed_use *use)
{
	return managed->link->tag.role == ROLE_HOST ||
	       (use->wanted && managed->placement == PLACEMENT_OWN);
}

/* Links that are not believed count once for each namespace, and strays not at all: a container can
 * make any number of them, and must not be able to stop everybody's changes. */
static struct tally tally_of(const struct plan_builder *builder, const char *set)
{
	const struct matched *matched = builder->assigned->matched;
	struct tally tally = {0};
	const struct live_ns *last = NULL;
	bool deleted = false; /* of the links in `last` that are not believed */
	for (size_t i = 0; i < matched->managed->count; i++) {
		const struct managed_link *managed = &matched->managed->links[i];
		const struct managed_use *use = &matched->attachments->uses[i];
		if (!is_counted(matched->ownership, managed, set))
			continue;
		const bool believed = is_believed(managed, use), same_ns = managed->ns == last;
		const bool leaves = builder->leaves[i] && !use->wanted;
		tally.evident |= leaves && is_evident(managed);
		tally.live += believed || !same_ns;
		tally.deletes += leaves && (believed || !same_ns || !deleted);
		if (believed)
			continue;
		last = managed->ns;
		deleted = leaves || (same_ns && deleted);
	}
	return tally;
}

static bool network_named(const struct set *set, const char *name)
{
	for (size_t i = 0; i < set->n_networks; i++)
		if (strcmp(set->networks[i].name, name) == 0)
			return true;
	return false;
}

static bool host_wanted(const struct set *set)
{
	for (size_t i = 0; i < set->n_networks; i++)
		if (set->networks[i].host.wanted)
			return true;
	return false;
}

/* Whether the link says that the input is of its set. */
static bool speaks_for(const struct matched *matched, const struct managed_link *managed,
		       const struct set *set, bool with_host)
{
	const struct owner_tag *tag = &managed->link->tag;
	if (set->n_containers)
		return tag->role == ROLE_ATTACH && is_declared(matched->ownership, set, managed);
	if (with_host)
		return tag->role == ROLE_HOST && matched->attachments->uses[managed->number].wanted;
	return is_evident(managed) && network_named(set, tag->network);
}

/* Whether the set declares anything of what is live of it. */
static bool set_known(const struct matched *matched, const struct set *set)
{
	const bool with_host = host_wanted(set);
	for (size_t i = 0; i < matched->managed->count; i++) {
		const struct managed_link *managed = &matched->managed->links[i];
		if (is_of(managed, set->name) && speaks_for(matched, managed, set, with_host))
			return true;
	}
	return false;
}

/* Where all of a set is most likely another file's, it counts from its first attachment on, and as
 * all: what a container can make to be kept is no share. */
static bool guard_refuses(const struct plan_options *options, bool all, const struct tally *tally)
{
	const size_t live = all ? tally->deletes : tally->live;
	if (options->unguarded || tally->deletes == 0 || (live < options->max_delete.from && !all))
		return false;
	return options->max_delete.percent ? tally->deletes * 100 > live * options->max_delete.limit
					   : tally->deletes > options->max_delete.limit;
}

static struct guard set_guard(const struct plan_builder *builder, const struct set *set)
{
	const struct tally tally = tally_of(builder, set->name);
	const bool empty = !set->n_networks && !set->n_containers;
	const bool strange = !empty && tally.evident && !set_known(builder->assigned->matched, set);
	const bool all = strange || (empty && tally.evident);
	return (struct guard){.refused = guard_refuses(builder->input->options, all, &tally),
			      .strange = strange,
			      .set = set->name,
			      .live = tally.live,
			      .deletes = tally.deletes};
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
