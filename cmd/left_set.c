#include "cmd/left_set.h"

#include "cmd/service_socket.h"

const char *left_set_remedy(struct arena *arena, const char *set)
{
	return arena_printf(arena,
			    "if that set was renamed or is not wanted any more, "
			    "`mvapply delete --name %s` removes all of it",
			    set);
}

const char *left_set_text(const struct plan *plan)
{
	const struct left_set *left = &plan->left;
	if (!left->set || keeper_exists(left->set))
		return NULL;
	return arena_printf(plan->arena,
			    "set \"%s\" is live on network %s, and these files do not name it; %s",
			    left->set, left->network, left_set_remedy(plan->arena, left->set));
}

void left_set_warn(struct plan *plan)
{
	const char *text = left_set_text(plan);
	if (text)
		*array_push(plan->arena, plan->warnings, plan->n_warnings) = text;
}
