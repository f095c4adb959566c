/* Stale links: links of the desired sets that the desired state does not contain. Parents are in
 * parent_steps.c. */
#include "reconcile/plan/plan_builder.h"

#include <stdlib.h>

/* The namespace of a link, if it differs from that of its tag's container; NULL: it does not.
 * *ret_stray: the files declare that container, or the owner of the link is unknown. */
static const char *deletion_reason(const struct matched *matched,
				   const struct managed_link *managed, bool *ret_stray)
{
	const struct owner_tag *tag = &managed->link->tag;
	const char *link = managed->link->name, *ns = managed->ns->name;
	const struct container_lookup *lookup =
		tag->container ? declared_find(matched->ownership, tag) : NULL;
	const struct managed_link *first = managed_find(matched->managed, tag, managed->ns);
	const bool second = first != managed && matched->attachments->uses[first->number].used;
	*ret_stray = second;
	if (second)
		return arena_printf(matched->input->arena,
				    "%s in %s, a second link with the owner tag of %s", link, ns,
				    first->link->name);
	if (managed->placement != PLACEMENT_STRAY)
		return NULL;
	*ret_stray = lookup || managed->ns->user_made;
	if (lookup && lookup->state == CONTAINER_READY)
		return arena_printf(matched->input->arena,
				    "%s in %s, which is not the namespace of %s", link, ns,
				    tag->container);
	if (managed->ns->user_made)
		return arena_printf(matched->input->arena,
				    "%s in %s, a namespace that another user created", link, ns);
	return arena_printf(matched->input->arena, "%s in %s, the namespace of another container",
			    link, ns);
}

static const char *kept_reason(const struct plan_input *input,
			       const struct planned_attachment *replacement, enum action action)
{
	static const char *const why[] = {[ACTION_PENDING] = "is pending",
					  [ACTION_BLOCKED] = "is blocked",
					  [ACTION_REFUSED] = "is refused"};
	return replacement->container
		       ? arena_printf(input->arena, "its replacement %s/%s %s",
				      replacement->container->name, replacement->attachment->name,
				      why[action])
		       : arena_printf(input->arena,
				      "its replacement, the host's link on network %s, %s",
				      replacement->network->name, why[action]);
}

static void stale_link_plan(const struct plan_builder *builder, const struct managed_link *managed)
{
	const struct matched *matched = builder->assigned->matched;
	const struct planned_attachment *replacement =
		matched->attachments->uses[managed->number].replacement;
	const enum action action =
		replacement ? builder->conflicts->checked[replacement->number].check_result.action
			    : ACTION_CREATE;
	const bool kept = action != ACTION_CREATE;
	struct step *step =
		step_add(builder->steps, kept ? ACTION_KEPT : ACTION_DELETE, &managed->link->tag);
	step->name = managed->link->name;
	step->ns = managed->ns;
	step->current = managed->link;
	step->stale_policy = stale_policy_of(builder, managed->ns, managed->link);
	step->reason = kept ? kept_reason(builder->input, replacement, action)
			    : deletion_reason(matched, managed, &step->stray);
	step->replacement =
		replacement && !kept ? builder->specs->specs[replacement->number] : NULL;
	builder->deleted[managed->number] = !kept;
}

void stale_links_plan(const struct plan_builder *builder)
{
	const struct managed_index *index = builder->assigned->matched->managed;
	const struct managed_use *uses = builder->assigned->attachments->uses;
	const struct managed_link **stale_links = NULL;
	size_t count = 0;
	for (size_t i = 0; i < index->count; i++)
		if (managed_stale(builder->input, &index->links[i], &uses[i]))
			*array_push(builder->input->scratch, stale_links, count) = &index->links[i];
	if (count)
		qsort(stale_links, count, sizeof(*stale_links), managed_compare);
	for (size_t i = 0; i < count; i++)
		stale_link_plan(builder, stale_links[i]);
}
