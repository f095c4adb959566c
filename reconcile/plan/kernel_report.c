#include "reconcile/plan/kernel_report.h"

#include "kernel/link_kind.h"

static bool lacks_bcqueuelen(const struct live_ns *ns)
{
	for (size_t i = 0; i < ns->n_links; i++) {
		const struct link_type *type = link_type(ns->links[i].kind);
		if (type->has_driver && driver_info(type->driver)->broadcast_queue &&
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
	for (size_t i = 0; i < parents->n_networks; i++) {
		const struct network *network = parents->networks[i].network;
		if (lacks && network->has_bcqueuelen)
			warning_add(input, WARNING_BCQUEUELEN, network->name);
		if (input->live->lacks_bclim && network->has_bclim)
			warning_add(input, WARNING_BCLIM, network->name);
	}
}
