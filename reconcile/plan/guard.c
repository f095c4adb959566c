/* Limits the deletions of a set. If a plan would delete all of a set, the files probably declare
 * another set: the input is empty, or declares nothing that is live of the set. The evidence for
 * that are containers, by their names and namespaces, since each is in one file; networks of the
 * same name can be in the files of several sets. The host's own links are evidence if the input has
 * no container, and networks if it has no host link either, for example after the last container
 * was removed. */
#include "reconcile/plan/plan_builder.h"

#include <string.h>

/* The live links of a set, and how many of them would be deleted. */
struct tally {
	size_t live, deletes;
	bool evident; /* a link that would be deleted is probably real: a single tag, which a
			 container can forge, must not turn the files into another set's */
};

/* Whether the namespace is found only through a process, and no container of the files is in it:
 * any container that can create namespaces can have created it. */
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

/* No container can create a link in the host's namespace, or a second link that the plan uses. */
static bool is_trusted(const struct managed_link *managed, const struct managed_use *use)
{
	return managed->link->tag.role == ROLE_HOST ||
	       (use->used && managed->placement == PLACEMENT_OWN);
}

/* Untrusted links count once for each namespace, and strays not at all: a container can create any
 * number of them, and must not be able to block all changes. */
static struct tally tally_of(const struct plan_builder *builder, const char *set)
{
	const struct matched *matched = builder->assigned->matched;
	struct tally tally = {0};
	const struct live_ns *last = NULL;
	bool deleted = false; /* the untrusted links in `last` */
	for (size_t i = 0; i < matched->managed->count; i++) {
		const struct managed_link *managed = &matched->managed->links[i];
		const struct managed_use *use = &matched->attachments->uses[i];
		if (!is_counted(matched->ownership, managed, set))
			continue;
		const bool trusted = is_trusted(managed, use), same_ns = managed->ns == last;
		const bool is_deleted = builder->deleted[i] && !use->used;
		tally.evident |= is_deleted && is_evident(managed);
		tally.live += trusted || !same_ns;
		tally.deletes += is_deleted && (trusted || !same_ns || !deleted);
		if (trusted)
			continue;
		last = managed->ns;
		deleted = is_deleted || (same_ns && deleted);
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

static bool has_host_access(const struct set *set)
{
	for (size_t i = 0; i < set->n_networks; i++)
		if (set->networks[i].host.enabled)
			return true;
	return false;
}

/* Whether the link is evidence that the input declares its set. */
static bool is_evidence(const struct matched *matched, const struct managed_link *managed,
			const struct set *set, bool with_host)
{
	const struct owner_tag *tag = &managed->link->tag;
	if (set->n_containers)
		return tag->role == ROLE_ATTACH && is_declared(matched->ownership, set, managed);
	if (with_host)
		return tag->role == ROLE_HOST && matched->attachments->uses[managed->number].used;
	return is_evident(managed) && network_named(set, tag->network);
}

/* Whether the set declares any of its live links. */
static bool set_known(const struct matched *matched, const struct set *set)
{
	const bool with_host = has_host_access(set);
	for (size_t i = 0; i < matched->managed->count; i++) {
		const struct managed_link *managed = &matched->managed->links[i];
		if (is_of(managed, set->name) && is_evidence(matched, managed, set, with_host))
			return true;
	}
	return false;
}

static const struct set *set_named(const struct desired *desired, const char *name)
{
	for (size_t i = 0; i < desired->n_sets; i++)
		if (strcmp(desired->sets[i].name, name) == 0)
			return &desired->sets[i];
	return NULL;
}

static bool container_named(const struct set *set, const char *name)
{
	for (size_t i = 0; i < set->n_containers; i++)
		if (strcmp(set->containers[i].name, name) == 0)
			return true;
	return false;
}

static bool host_named(const struct set *set, const char *network)
{
	for (size_t i = 0; i < set->n_networks; i++)
		if (set->networks[i].host.enabled && strcmp(set->networks[i].name, network) == 0)
			return true;
	return false;
}

/* Whether a set has links of containers that are most likely real. */
static bool containers_live(const struct matched *matched, const char *set)
{
	for (size_t i = 0; i < matched->managed->count; i++) {
		const struct managed_link *managed = &matched->managed->links[i];
		if (is_of(managed, set) && managed->link->tag.role == ROLE_ATTACH &&
		    is_evident(managed))
			return true;
	}
	return false;
}

/* As set_known, for files whose set is to be deleted. What they declare is known by its name, too,
 * as no engine is queried for its containers. `set`: the set of the plan, which has the
 * containers that were found. */
static bool set_declared_live(const struct matched *matched, const struct set *set,
			      const struct set *declared)
{
	const bool by_container = declared->n_containers && containers_live(matched, set->name);
	const bool by_host = !by_container && has_host_access(declared);
	for (size_t i = 0; i < matched->managed->count; i++) {
		const struct managed_link *managed = &matched->managed->links[i];
		const struct owner_tag *tag = &managed->link->tag;
		if (!is_of(managed, set->name))
			continue;
		if (by_container ? tag->role == ROLE_ATTACH &&
					   (container_named(declared, tag->container) ||
					    is_home_of(matched->ownership, managed->ns, set))
		    : by_host ? tag->role == ROLE_HOST && host_named(declared, tag->network)
			      : network_named(declared, tag->network))
			return true;
	}
	return false;
}

/* If all of a set probably belongs to another file, the limit applies from its first attachment on,
 * and only deleted links count: a container can create links that stay. */
static bool guard_refuses(const struct plan_options *options, bool all, const struct tally *tally)
{
	const size_t live = all ? tally->deletes : tally->live;
	if ((options->unguarded && !(all && options->declared)) || tally->deletes == 0 ||
	    (live < options->max_delete.from && !all))
		return false;
	return options->max_delete.percent ? tally->deletes * 100 > live * options->max_delete.limit
					   : tally->deletes > options->max_delete.limit;
}

/* A file with nothing but a name says which set is to be deleted. */
static bool has_own_name(const struct set *set)
{
	return strcmp(set->name, SET_DEFAULT) != 0;
}

static struct guard set_guard(const struct plan_builder *builder, const struct set *set)
{
	const struct matched *matched = builder->assigned->matched;
	const struct desired *declared = builder->input->options->declared;
	const struct set *full = declared ? set_named(declared, set->name) : set;
	const struct tally tally = tally_of(builder, set->name);
	const bool empty = !full->n_networks && !full->n_containers;
	const bool known =
		declared ? set_declared_live(matched, set, full) : set_known(matched, full);
	const bool other_file = !empty && tally.evident && !known;
	const bool all = other_file || (empty && tally.evident && !(declared && has_own_name(set)));
	return (struct guard){.refused = guard_refuses(builder->input->options, all, &tally),
			      .other_file = other_file,
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
