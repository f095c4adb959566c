/* Groups the attachments of one namespace, of any set and container: they share link names and the
 * default route. */
#include "reconcile/plan/attachments.h"

#include <stdlib.h>

/* A container without a namespace is a group of its own. */
static uintptr_t home_of(const struct planned_attachment *planned)
{
	return planned->ns ? (uintptr_t)planned->ns : (uintptr_t)planned->container;
}

/* By namespace, and in the order of the input within each. */
static int compare_homes(const void *a, const void *b)
{
	const struct planned_attachment *left = *(const struct planned_attachment *const *)a,
					*right = *(const struct planned_attachment *const *)b;
	uintptr_t here = home_of(left), there = home_of(right);
	if (here != there)
		return here < there ? -1 : 1;
	return (left > right) - (left < right);
}

static struct netns_group *groups_list(const struct plan_input *input,
				       const struct planned_attachment *const *sorted, size_t count,
				       size_t *ret_count)
{
	struct netns_group *groups = NULL;
	*ret_count = 0;
	for (size_t i = 0, end; i < count; i = end) {
		for (end = i + 1; end < count && home_of(sorted[end]) == home_of(sorted[i]); end++)
			;
		*array_push(input->scratch, groups, *ret_count) =
			(struct netns_group){.planned_all = &sorted[i], .count = end - i};
	}
	return groups;
}

struct netns_groups netns_groups_find(const struct plan_input *input,
				      struct planned_attachment *planned, size_t count)
{
	const struct planned_attachment **sorted =
		arena_alloc(input->scratch, (count + 1) * sizeof(*sorted));
	for (size_t i = 0; i < count; i++)
		sorted[i] = &planned[i];
	qsort(sorted, count, sizeof(*sorted), compare_homes);
	struct netns_groups groups;
	groups.all = groups_list(input, sorted, count, &groups.count);
	for (size_t i = 0; i < groups.count; i++)
		for (size_t k = 0; k < groups.all[i].count; k++)
			planned[groups.all[i].planned_all[k]->number].netns_group = &groups.all[i];
	return groups;
}

static int compare_home(const void *home, const void *netns_group)
{
	const uintptr_t here = *(const uintptr_t *)home,
			there = home_of(((const struct netns_group *)netns_group)->planned_all[0]);
	return (here > there) - (here < there);
}

static const struct netns_group *group_at(const struct netns_groups *groups, uintptr_t home)
{
	return groups->count ? bsearch(&home, groups->all, groups->count, sizeof(*groups->all),
				       compare_home)
			     : NULL;
}

const struct netns_group *netns_group_in(const struct netns_groups *groups,
					 const struct live_ns *ns)
{
	return group_at(groups, (uintptr_t)ns);
}

const struct netns_group *netns_group_of(const struct netns_groups *groups,
					 const struct container_lookup *lookup)
{
	return lookup->state == CONTAINER_READY ? netns_group_in(groups, lookup->ns)
						: group_at(groups, (uintptr_t)lookup->container);
}
