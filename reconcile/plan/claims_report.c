/* Warns about addresses of attachments that unmanaged links claim. A claim changes no plan. */
#include "reconcile/plan/address_claimant.h"
#include "reconcile/plan/conflict.h"

#include <stdlib.h>

/* An address of a planned attachment that another link claims. */
struct claimed {
	const struct unmanaged *claim;
	const struct planned_attachment *planned;
	const struct ip *ip;
};

static int claimed_compare(const void *a, const void *b)
{
	const struct claimed *left = a, *right = b;
	if (left->claim->ns != right->claim->ns)
		return left->claim->ns->inode < right->claim->ns->inode ? -1 : 1;
	if (left->planned != right->planned)
		return left->planned < right->planned ? -1 : 1;
	return (left->ip > right->ip) - (left->ip < right->ip);
}

/* Whether an attachment of another set has the address, as far as its owner tag says. */
static bool is_of_set(const struct unmanaged *claim)
{
	return !claim->planned && !claim->leaving && claim->link->tag.role == ROLE_ATTACH;
}

static enum warning_kind claimed_kind(const struct unmanaged *claim, size_t more)
{
	if (more)
		return WARNING_ADDRESSES_CLAIMED;
	return is_of_set(claim) ? WARNING_ADDRESS_OF_SET : WARNING_ADDRESS_CLAIMED;
}

static void claimed_warn(const struct plan_input *input, const struct claimed *claimed, size_t more)
{
	char text[IP_TEXT_SIZE];
	warning_add(input, claimed_kind(claimed->claim, more),
		    unmanaged_label(input, claimed->claim), ip_format(claimed->ip, text),
		    planned_label(input, claimed->planned),
		    arena_printf(input->scratch, "%zu", more));
}

static bool is_made(const void *data, const struct planned_attachment *planned)
{
	return attachment_is_made(data, planned);
}

/* The holder of an address that the attachment has or gets, if the holder keeps it. */
static const struct unmanaged *claim_on(const struct assigned *assigned,
					const struct conflicts *conflicts,
					const struct planned_attachment *planned,
					const struct ip *ip)
{
	const struct unmanaged *claim =
		attachment_is_made(conflicts, planned) && ip->family
			? address_claimant(assigned->matched, assigned->unmanaged,
					   assigned->addresses->attachment_claims, planned, ip)
			: NULL;
	return claim && claim_ends(assigned->matched, claim, is_made, conflicts) ? NULL : claim;
}

static struct claimed *claimed_list(const struct assigned *assigned,
				    const struct conflicts *conflicts, size_t *ret_count)
{
	const struct attachments *attachments = assigned->attachments;
	struct claimed *claimed = NULL;
	*ret_count = 0;
	for (size_t i = 0; i < attachments->count; i++) {
		const struct planned_attachment *planned = &attachments->planned[i];
		for (size_t k = 0; k < planned->n_requests; k++) {
			const struct ip *ip = &assigned->addresses->assigned[i].ips[k].ip;
			const struct unmanaged *claim = claim_on(assigned, conflicts, planned, ip);
			if (claim)
				*array_push(assigned->input->scratch, claimed, *ret_count) =
					(struct claimed){claim, planned, ip};
		}
	}
	return claimed;
}

/* One warning for each namespace: a container can have any number of links and addresses. */
void claims_report(const struct assigned *assigned, const struct conflicts *conflicts)
{
	size_t count;
	struct claimed *claimed = claimed_list(assigned, conflicts, &count);
	if (count)
		qsort(claimed, count, sizeof(*claimed), claimed_compare);
	for (size_t i = 0, end; i < count; i = end) {
		for (end = i + 1; end < count && claimed[end].claim->ns == claimed[i].claim->ns;
		     end++)
			;
		claimed_warn(assigned->input, &claimed[i], end - i - 1);
	}
}
