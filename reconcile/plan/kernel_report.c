#include "reconcile/plan/kernel_report.h"

#include "kernel/kernel_features.h"

void kernel_report(const struct plan_input *input, const struct parents *parents)
{
	const unsigned lacks = input->live->lacks;
	for (size_t i = 0; i < parents->n_networks; i++) {
		const struct network *network = parents->networks[i].network;
		if (lacks & FEATURE_BIT(FEATURE_BCQUEUELEN) && network->has_bcqueuelen)
			warning_add(input, WARNING_BCQUEUELEN, network->name);
		if (lacks & FEATURE_BIT(FEATURE_BCLIM) && network->has_bclim)
			warning_add(input, WARNING_BCLIM, network->name);
	}
}
