/* Finds the link that has an address without being known to be its owner. */
#ifndef RECONCILE_PLAN_ADDRESS_CLAIMANT_H
#define RECONCILE_PLAN_ADDRESS_CLAIMANT_H

#include "reconcile/plan/unmanaged_index.h"

/* The link that claims the address on the attachment's parent, or NULL. `attachment_claims`: of
 * struct addresses. */
const struct unmanaged *address_claimant(const struct matched *matched,
					 const struct unmanaged_index *unmanaged,
					 const struct address_set *attachment_claims,
					 const struct planned_attachment *planned,
					 const struct ip *ip);

/* Whether an attachment can be made, as far as it is known. */
typedef bool attachment_made(const void *data, const struct planned_attachment *planned);
/* Whether the link loses the address in this run. */
bool claim_ends(const struct matched *matched, const struct unmanaged *claim,
		attachment_made *is_made, const void *data);
/* Whether the link keeps its addresses from the container's attachment, in a partial run, which can
 * move none. A guest gives way to each link, a declared attachment to those of mvapply alone, as
 * others may claim anything. */
bool link_prevents(const struct matched *matched, const struct planned_attachment *planned,
		   const struct live_link *link);

#endif
