#include "reconcile/plan/address_claimant.h"

const struct unmanaged *address_claimant(const struct matched *matched,
					 const struct unmanaged_index *unmanaged,
					 const struct address_set *attachment_claims,
					 const struct planned_attachment *planned,
					 const struct ip *ip)
{
	const size_t domain = planned->parent->number;
	const struct unmanaged *claim = address_set_holder(unmanaged->claims, domain, ip);
	if (!claim)
		claim = address_set_holder(attachment_claims, domain, ip);
	if (!claim || claim->planned == planned)
		return NULL;
	const struct netns_group *candidates =
		claim->leaving ? matched->attachments->uses[claim->leaving->number].candidates
			       : NULL;
	return claim->leaving && candidates == planned->netns_group ? NULL : claim;
}

bool claim_ends(const struct matched *matched, const struct unmanaged *claim,
		attachment_made *is_made, const void *data)
{
	if (claim->leaving) {
		const struct planned_attachment *replacement =
			matched->attachments->uses[claim->leaving->number].replacement;
		return !replacement || is_made(data, replacement);
	}
	return claim->planned && !claim->managed && is_made(data, claim->planned);
}

bool link_prevents(const struct matched *matched, const struct planned_attachment *planned,
		   const struct live_link *link)
{
	const struct managed_link *managed = managed_of_link(matched->managed, link);
	const struct owner_tag tag = planned_tag(planned);
	if (!matched->input->options->partial || !planned->container || link == planned->current ||
	    owner_tag_equal(&link->tag, &tag) ||
	    (managed && matched->attachments->uses[managed->number].candidates))
		return false;
	return planned->container->guest || (managed && managed->placement == PLACEMENT_OWN);
}
