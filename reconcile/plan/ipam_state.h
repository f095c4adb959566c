/* The addresses of all attachments while they are chosen. */
#ifndef RECONCILE_PLAN_IPAM_STATE_H
#define RECONCILE_PLAN_IPAM_STATE_H

#include "reconcile/plan/assigned_address.h"
#include "reconcile/plan/unmanaged_index.h"

/* How free an address is: nobody has it; a link has it that this run takes it from; a container's
 * link claims it. In this order, because that link may have to stay, and a claim may be true. But a
 * container must not be able to exhaust a range. */
enum tier { TIER_FREE, TIER_RELEASED, TIER_CLAIMED, N_TIERS };

struct ipam {
	struct arena *arena; /* until the addresses are chosen */
	const struct matched *matched;
	const struct unmanaged_index *unmanaged;
	struct assigned_address *assigned; /* by planned_attachment.number */
	struct address_set *in_use;        /* of the desired state: struct planned_attachment */
	struct address_set *in_namespace;  /* the same, by namespace instead of parent */
	struct address_set *keepers;       /* of live attachments: struct keeper */
	const struct address_set *attachment_claims; /* set after live addresses were assigned */
	/* For each network and subnet: the lowest address that may be as free as the tier; family
	 * 0: not searched yet. */
	struct ip **cursors[N_TIERS];
};

/* `slot` is the number of a request of the planned attachment: AF_INET or AF_INET6. */
uint8_t request_family(const struct planned_attachment *planned, size_t slot);
struct assigned_address *assigned_to(const struct ipam *ipam,
				     const struct planned_attachment *planned);
/* The domain of the namespace in `in_namespace`: its group's number; the host's comes last. */
size_t namespace_domain(const struct ipam *ipam, const struct planned_attachment *planned);
/* Assigns the address. Returns the earlier holder, or NULL. */
const struct planned_attachment *take(const struct ipam *ipam,
				      const struct planned_attachment *planned, size_t slot,
				      const struct ip *ip);
/* Whether no attachment and no unmanaged link has the address, and the file keeps it for nobody. */
bool free_for(const struct ipam *ipam, const struct planned_attachment *planned,
	      const struct subnet *subnet, const struct ip *ip);

#endif
