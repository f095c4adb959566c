/* The files with the name servers of leases (`resolv_conf`). */
#include "dhcp/resolv_conf.h"
#include "reconcile/apply/apply.h"
#include "reconcile/apply/internal.h"

#include <string.h>

void name_servers_write(struct apply_context *context, size_t number, const struct lease *lease)
{
	const struct owner_tag *tag = &context->plan->steps[number].desired->tag;
	struct error error;
	if (tag->resolv_conf &&
	    resolv_conf_write(tag->resolv_conf, owner_tag_identity(context->arena, tag), lease,
			      &error) < 0)
		outcome_fail(&context->outcomes[number], &error);
}

/* The file of the live link that the step's specification does not have. Anybody who controls the
 * namespace can set an owner tag, so the first line of the file has to name the same attachment. */
static const char *path_ended(const struct step *step)
{
	const char *path = step->current && !step->stray ? step->current->tag.resolv_conf : NULL;
	const char *kept = step->desired ? step->desired->tag.resolv_conf : NULL;
	return path && kept && strcmp(path, kept) == 0 ? NULL : path;
}

static void former_remove(const struct step *step)
{
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	const char *path = path_ended(step);
	if (path)
		resolv_conf_remove(path, owner_tag_identity(arena, &step->current->tag));
}

void name_servers_remove(const struct apply_context *context)
{
	for (size_t i = 0; !context->keep_name_servers && i < context->plan->n_steps; i++)
		if (step_selected(context, &context->plan->steps[i]))
			former_remove(&context->plan->steps[i]);
}

void apply_name_servers_remove(const struct plan *plan, const struct outcome *outcomes)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (outcomes[i].state == OUTCOME_DONE)
			former_remove(&plan->steps[i]);
}
