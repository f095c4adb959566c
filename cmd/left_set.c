#include "cmd/left_set.h"

#include "cmd/service_socket.h"

bool left_set_warning(const struct plan *plan, struct warning *ret)
{
	const struct left_set *left = &plan->left;
	if (!left->set || keeper_exists(left->set))
		return false;
	*ret = (struct warning){.kind = WARNING_SET_LEFT, .objects = {left->set, left->network}};
	return true;
}
