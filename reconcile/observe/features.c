#include "reconcile/observe/features.h"

#include "kernel/kernel_features.h"
#include "kernel/link_kind.h"

static unsigned requested(const struct desired *desired)
{
	unsigned features = 0;
	for (size_t i = 0; i < desired->n_sets; i++)
		for (size_t k = 0; k < desired->sets[i].n_networks; k++) {
			const struct network *network = &desired->sets[i].networks[k];
			features |= network->has_bcqueuelen ? FEATURE_BIT(FEATURE_BCQUEUELEN) : 0;
			features |= network->has_bclim ? FEATURE_BIT(FEATURE_BCLIM) : 0;
		}
	return features;
}

/* Any macvlan shows whether its queue has a length (macvlan_fill_info): no request is needed, which
 * would leave a line in the kernel's log. */
static void queue_find(struct live *live, const struct live_ns *ns)
{
	const unsigned queue = FEATURE_BIT(FEATURE_BCQUEUELEN);
	for (size_t i = 0; i < ns->n_links && !(live->features_known & queue); i++) {
		const struct link_type *type = link_type(ns->links[i].kind);
		if (!type->has_driver || !driver_info(type->driver)->broadcast_queue)
			continue;
		live->features_known |= queue;
		live->lacks |= ns->links[i].has_bcqueuelen ? 0 : queue;
	}
}

int features_read(struct live *live, const struct live *before, const struct desired *desired,
		  struct error *error)
{
	const unsigned features = requested(desired);
	live->features_known = before ? before->features_known : 0;
	live->lacks = before ? before->lacks : 0;
	for (size_t i = 0; features && i < live->n_namespaces; i++)
		queue_find(live, live->namespaces[i]);
	unsigned missing = 0;
	const int status = features_missing(features & ~live->features_known, &missing, error);
	live->features_known |= status == 0 ? features : 0;
	live->lacks |= missing;
	return status;
}
