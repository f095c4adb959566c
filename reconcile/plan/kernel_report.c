#include "reconcile/plan/kernel_report.h"

#include "kernel/link_kind.h"

static bool lacks_bcqueuelen(const struct live_ns *ns)
{
	for (size_t i = 0; i < ns->n_links; i++) {
		const struct link_type *type = link_type(ns->links[i].kind);
		if (type->has_driver && driver_info(type->driver)->has_bcqueuelen &&
		    !ns->links[i].has_bcqueuelen)
			return true;
	}
	return false;
}

void kernel_report(const struct plan_input *input, const struct parents *parents)
{
	bool lacks = false;
	for (size_t i = 0; i < input->live->n_namespaces && !lacks; i++)
		lacks = lacks_bcqueuelen(input->live->namespaces[i]);
	for (size_t i = 0; i < parents->n_networks && lacks; i++)
		if (parents->networks[i].network->has_bcqueuelen)
			warning_add(input, WARNING_BCQUEUELEN, parents->networks[i].network->name);
}
