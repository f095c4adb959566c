#include "cmd/undeclared_set.h"

#include "cmd/service_socket.h"

bool undeclared_set_warning(const struct plan *plan, struct warning *ret)
{
	const struct undeclared_set *left = &plan->left;
	if (!left->set || keeper_exists(left->set))
		return false;
	*ret = (struct warning){.kind = WARNING_SET_UNDECLARED,
				.objects = {left->set, left->network}};
	return true;
}
