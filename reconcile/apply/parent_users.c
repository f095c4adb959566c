/* Reads again which links are on parents right before these are deleted. The kernel deletes a
 * parent's links with it, in any namespace, and probes, DHCP servers and changes of other links may
 * have taken seconds since the observation. */
#include "reconcile/apply/internal.h"

#include "reconcile/observe/observe.h"
#include "reconcile/observe/unaccounted_links.h"

#include <stdlib.h>
#include <string.h>

/* A link that the run deletes. */
struct deleted_link {
	ino_t inode; /* of its namespace */
	int ifindex;
	size_t step;
};

struct parent_users {
	struct apply_context *context;
	struct live *now; /* NULL: it could not be read */
	struct error error;
	struct deleted_link *deleted_links; /* sorted */
	size_t n_deleted_links;
	struct arena *arena;
};

static int deleted_link_compare(const void *a, const void *b)
{
	const struct deleted_link *left = a, *right = b;
	if (left->inode != right->inode)
		return left->inode < right->inode ? -1 : 1;
	return left->ifindex < right->ifindex ? -1 : left->ifindex > right->ifindex;
}

static void deleted_links_list(struct parent_users *users)
{
	const struct plan *plan = users->context->plan;
	for (size_t i = 0; i < plan->n_steps; i++)
		if (step_selected(users->context, &plan->steps[i]) && step_deletes(&plan->steps[i]))
			*array_push(users->arena, users->deleted_links, users->n_deleted_links) =
				(struct deleted_link){.inode = plan->steps[i].ns->inode,
						      .ifindex = plan->steps[i].current->ifindex,
						      .step = i};
	if (users->n_deleted_links)
		qsort(users->deleted_links, users->n_deleted_links, sizeof(*users->deleted_links),
		      deleted_link_compare);
}

/* Whether it is an unused parent that this run created. */
static bool is_unused(const struct apply_context *context, int ifindex)
{
	for (size_t i = 0; i < context->n_made; i++)
		if (context->made[i].ifindex == ifindex)
			return context->made[i].unused;
	return false;
}

/* Whether the run deletes the link: it is the observed one, and its step was not deferred
 * meanwhile. */
static bool run_deletes(const struct parent_users *users, const struct live_ns *ns,
			const struct live_link *link)
{
	const struct deleted_link key = {.inode = ns->inode, .ifindex = link->ifindex};
	const struct deleted_link *found =
		users->n_deleted_links
			? bsearch(&key, users->deleted_links, users->n_deleted_links,
				  sizeof(*users->deleted_links), deleted_link_compare)
			: NULL;
	if (!found)
		return ns->host && is_unused(users->context, link->ifindex);
	const struct step *step = &users->context->plan->steps[found->step];
	return step_selected(users->context, step) &&
	       strcmp(step->current->alias, link->alias) == 0 &&
	       strcmp(step->current->kind_name, link->kind_name) == 0;
}

static const char *user_of(const struct parent_users *users, int parent)
{
	for (size_t i = 0; i < users->now->n_namespaces; i++) {
		const struct live_ns *ns = users->now->namespaces[i];
		for (size_t k = 0; k < ns->n_links; k++)
			if (live_link_on(&ns->links[k], parent) &&
			    !run_deletes(users, ns, &ns->links[k]))
				return arena_printf(users->arena, "%s in %s", ns->links[k].name,
						    ns->name);
	}
	return NULL;
}

static bool parent_delete_is_due(const struct apply_context *context, const struct step *step)
{
	return step_selected(context, step) && step->action == ACTION_DELETE &&
	       context->outcomes[step_number(context, step)].state == OUTCOME_NOT_DONE;
}

static void parent_keep(struct parent_users *users, const struct step *step, const char *user)
{
	struct apply_context *context = users->context;
	const size_t number = step_number(context, step);
	if (users->now) {
		outcome_defer(&context->outcomes[number], "kept: used by %s", user);
	} else {
		error_prepend(&users->error, "%s is kept: the links attached to it cannot be read",
			      step->name);
		outcome_fail(&context->outcomes[number], &users->error);
	}
	context->selection.selected[number] = false;
	steps_count(context, 1);
}

static bool parents_keep(struct parent_users *users, enum stage stage)
{
	bool any = false;
	each_stage_item (item, &users->context->stages, stage) {
		if (!parent_delete_is_due(users->context, item->step))
			continue;
		const char *user = users->now ? user_of(users, item->step->current->ifindex) : NULL;
		if (users->now && !user)
			continue;
		parent_keep(users, item->step, user);
		any = true;
	}
	return any;
}

/* In reverse order, as a VLAN precedes its nested VLANs. */
static void made_keep(const struct parent_users *users)
{
	for (size_t i = users->context->n_made; i-- > 0;) {
		struct made *made = &users->context->made[i];
		made->unused = made->unused && users->now && !user_of(users, made->ifindex);
	}
}

static bool any_delete_is_due(const struct apply_context *context, enum stage stage)
{
	each_stage_item (item, &context->stages, stage)
		if (parent_delete_is_due(context, item->step))
			return true;
	for (size_t i = 0; stage == STAGE_PARENT_DELETE_LATE && i < context->n_made; i++)
		if (context->made[i].unused)
			return true;
	return false;
}

/* Whether the observation is as good as a second one. A link that is up and was attached to a
 * parent meanwhile is a member of one more group. */
static bool none_was_added(const struct apply_context *context, enum stage stage)
{
	return context->fresh && stage == STAGE_PARENT_DELETE &&
	       !links_unaccounted_here(context->live);
}

void parents_in_use_keep(struct apply_context *context, enum stage stage)
{
	if (!any_delete_is_due(context, stage) || none_was_added(context, stage))
		return;
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	struct parent_users users = {.context = context, .arena = arena};
	users.now = observe_owner_tags(NULL, &users.error);
	deleted_links_list(&users);
	/* A VLAN that stays keeps its parent VLAN. */
	while (parents_keep(&users, stage))
		;
	if (stage == STAGE_PARENT_DELETE_LATE)
		made_keep(&users);
	live_free(users.now);
}
