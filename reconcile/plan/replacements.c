/* Finds the attachment that replaces one which is no longer in the files, for example of a renamed
 * network. If the replacement cannot be made, the old link stays. */
#include "reconcile/plan/attachments.h"

#include <string.h>

/* `used`, by planned_attachment.number: attachments that replace a stale link already. */
struct finder {
	const struct plan_input *input;
	const struct attachments *attachments;
	bool *used;
};

/* Whether it is an attachment of the same container or in the same namespace, and not live. */
static bool may_replace(const struct finder *finder, const struct planned_attachment *planned,
			const struct managed_link *managed)
{
	const struct owner_tag *tag = &managed->link->tag;
	if (planned->current || planned->kept || finder->used[planned->number] ||
	    strcmp(planned->set->name, tag->set) != 0)
		return false;
	if (tag->role == ROLE_HOST || !planned->container)
		return tag->role == ROLE_HOST && !planned->container;
	return (planned->ns && planned->ns == managed->ns) ||
	       strcmp(planned->container->name, tag->container) == 0;
}

static unsigned similarity(const struct planned_attachment *planned,
			   const struct managed_link *managed)
{
	const struct live_link *parent = planned->parent->link;
	return 1 + 2 * managed_in_subnet(managed, planned->network) +
	       (parent && live_link_on(managed->link, parent->ifindex));
}

/* The most similar candidate, by subnet and parent; of equally similar ones the first. */
static const struct planned_attachment *
replacement_find(struct finder *finder, const struct managed_link *managed,
		 const struct planned_attachment *const *planned_all, size_t count)
{
	const struct planned_attachment *replacement = NULL;
	unsigned best = 0;
	for (size_t i = 0; i < count; i++) {
		const unsigned like = may_replace(finder, planned_all[i], managed)
					      ? similarity(planned_all[i], managed)
					      : 0;
		if (like <= best)
			continue;
		best = like;
		replacement = planned_all[i];
	}
	if (replacement)
		finder->used[replacement->number] = true;
	return replacement;
}

/* The attachments of its container, or of the containers in its namespace, as the container may
 * have another name in the files. A link outside of the namespace of the container that its tag
 * names counts only if that namespace is a container's of the files, or known by the container's
 * name. */
static const struct netns_group *candidates_of(const struct ownership *ownership,
					       const struct netns_groups *groups,
					       const struct managed_link *managed)
{
	const struct container_lookup *lookup = declared_find(ownership, &managed->link->tag);
	const struct netns_group *own = lookup ? netns_group_of(groups, lookup) : NULL;
	if (managed->placement != PLACEMENT_STRAY)
		return own;
	const struct netns_group *here = netns_group_in(groups, managed->ns);
	if (!lookup || lookup->state != CONTAINER_READY)
		return here;
	return here || was_home(managed) ? own : NULL;
}

/* The host's own attachments. */
static const struct planned_attachment *const *hosts_list(const struct finder *finder,
							  size_t *ret_count)
{
	const struct attachments *attachments = finder->attachments;
	const size_t first = attachments->n_containers;
	*ret_count = attachments->count - first;
	const struct planned_attachment **hosts =
		arena_alloc(finder->input->scratch, (*ret_count + 1) * sizeof(*hosts));
	for (size_t i = 0; i < *ret_count; i++)
		hosts[i] = &attachments->planned[first + i];
	return hosts;
}

void replacements_find(const struct plan_input *input, const struct ownership *ownership,
		       const struct managed_index *managed, const struct attachments *attachments,
		       struct managed_use *uses)
{
	struct finder finder = {
		.input = input,
		.attachments = attachments,
		.used = arena_alloc(input->scratch, (attachments->count + 1) * sizeof(bool))};
	size_t n_hosts;
	const struct planned_attachment *const *hosts = hosts_list(&finder, &n_hosts);
	for (size_t i = 0; i < managed->count; i++) {
		const struct managed_link *link = &managed->links[i];
		struct managed_use *use = &uses[i];
		if (!managed_stale(input, link, use))
			continue;
		if (link->link->tag.role == ROLE_ATTACH)
			use->candidates = candidates_of(ownership, &attachments->groups, link);
		if (use->candidates)
			use->replacement =
				replacement_find(&finder, link, use->candidates->planned_all,
						 use->candidates->count);
		else if (link->link->tag.role == ROLE_HOST && link->placement != PLACEMENT_STRAY)
			use->replacement = replacement_find(&finder, link, hosts, n_hosts);
	}
}
