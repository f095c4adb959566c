#include "reconcile/plan/ipam.h"

#include "reconcile/plan/ipam_free.h"
#include "reconcile/plan/ipam_keep.h"
#include "reconcile/plan/ipam_state.h"

#include <string.h>

/* Holders that are not planned attachments. */
static const struct planned_attachment gateway, aux_address, other;

static const char *owner_label(const struct plan_input *input,
			       const struct planned_attachment *owner)
{
	if (owner == &gateway || owner == &aux_address)
		return owner == &gateway ? "a gateway" : "an aux address";
	if (owner == &other)
		return "another container";
	return planned_label(input, owner);
}

static void take_explicit(const struct ipam *ipam, const struct planned_attachment *planned,
			  size_t slot)
{
	const struct ip *ip = &planned->requests[slot].within.ip;
	if (!planned->requests[slot].fixed)
		return;
	const struct planned_attachment *owner = take(ipam, planned, slot, ip);
	char text[IP_TEXT_SIZE];
	if (owner)
		assigned_to(ipam, planned)->check_result = (struct check_result){
			.action = ACTION_BLOCKED,
			.code = CODE_ADDRESS_IN_USE,
			.reason = arena_printf(
				ipam->matched->input->arena, "address %s is already used by %s",
				ip_format(ip, text), owner_label(ipam->matched->input, owner)),
			.hint = "give one of the two attachments another address",
		};
}

static void take_lease(const struct ipam *ipam, const struct planned_attachment *planned,
		       size_t slot)
{
	if (!planned->requests[slot].lease || !planned->current)
		return;
	const struct live_addr *lease =
		live_lease(ipam->matched->input->live, planned->ns, planned->current);
	assigned_to(ipam, planned)->lease = lease;
	if (lease)
		take(ipam, planned, slot, &lease->prefix.ip);
}

/* Routers and aux addresses are reserved on the whole LAN, whichever of its networks names them. */
static void reserve(const struct ipam *ipam, const struct resolved_network *resolved)
{
	const size_t domain = resolved->parent->number;
	for (size_t i = 0; i < resolved->network->n_subnets; i++) {
		const struct subnet *subnet = &resolved->network->subnets[i];
		if (subnet->gateway.family)
			address_set_add(ipam->in_use, domain, &subnet->gateway, &gateway);
		for (size_t k = 0; k < subnet->n_aux; k++)
			address_set_add(ipam->in_use, domain, &subnet->aux[k].ip, &aux_address);
	}
}

static void reserve_others(const struct ipam *ipam, const struct resolved_network *resolved)
{
	const struct other_addresses *others = ipam->matched->input->options->others;
	for (size_t i = 0; others && i < others->count; i++)
		if (network_subnet_of(resolved->network, &others->items[i]))
			address_set_add(ipam->in_use, resolved->parent->number, &others->items[i],
					&other);
}

/* Addresses that Docker was given. A link that has such an address keeps it. */
static void reserve_dockers(const struct ipam *ipam)
{
	const struct live *live = ipam->matched->input->live;
	const struct parents *parents = ipam->matched->parents;
	for (size_t i = 0; i < live->n_reserved; i++) {
		const struct docker_reservation *reserved = &live->reserved[i];
		for (size_t k = 0; k < parents->n_networks; k++) {
			const struct resolved_network *resolved = &parents->networks[k];
			if (strcmp(resolved->set->name, reserved->set) == 0 &&
			    strcmp(resolved->network->name, reserved->network) == 0)
				address_set_add(ipam->in_use, resolved->parent->number,
						&reserved->ip, &other);
		}
	}
}

/* Visits each request of an attachment without an address. */
static void each_open(const struct ipam *ipam,
		      void (*visit)(const struct ipam *, const struct planned_attachment *,
				    size_t slot))
{
	const struct attachments *attachments = ipam->matched->attachments;
	for (size_t i = 0; i < attachments->count; i++)
		for (size_t slot = 0; slot < ipam->assigned[i].count; slot++)
			if (!ipam->assigned[i].ips[slot].ip.family)
				visit(ipam, &attachments->planned[i], slot);
}

static struct ip **cursors_make(const struct parents *parents, struct arena *arena)
{
	struct ip **cursors = arena_alloc(arena, (parents->n_networks + 1) * sizeof(*cursors));
	for (size_t i = 0; i < parents->n_networks; i++)
		cursors[i] = arena_alloc(arena, parents->networks[i].network->n_subnets *
							sizeof(struct ip));
	return cursors;
}

static struct assigned_address assigned_new(struct arena *arena,
					    const struct planned_attachment *planned)
{
	return (struct assigned_address){
		.ips = arena_alloc(arena, planned->n_requests * sizeof(struct assigned_ip)),
		.count = planned->n_requests,
		.check_result = planned->check_result};
}

static struct ipam ipam_make(const struct matched *matched, const struct unmanaged_index *unmanaged)
{
	const struct attachments *attachments = matched->attachments;
	struct arena *scratch = matched->input->scratch;
	struct arena *arena = arena_new();
	struct ipam ipam = {.arena = arena,
			    .matched = matched,
			    .unmanaged = unmanaged,
			    .assigned = arena_alloc(scratch, (attachments->count +
							      1) * sizeof(struct assigned_address)),
			    .in_use = address_set_new(arena, attachments->count),
			    .in_namespace = address_set_new(arena, attachments->count),
			    .keepers = address_set_new(arena, matched->managed->count)};
	for (enum tier tier = 0; tier < N_TIERS; tier++)
		ipam.cursors[tier] = cursors_make(matched->parents, arena);
	for (size_t i = 0; i < attachments->count; i++)
		ipam.assigned[i] = assigned_new(scratch, &attachments->planned[i]);
	for (size_t i = 0; i < matched->parents->n_networks; i++)
		reserve(&ipam, &matched->parents->networks[i]);
	for (size_t i = 0; i < matched->parents->n_networks; i++)
		reserve_others(&ipam, &matched->parents->networks[i]);
	return ipam;
}

static const struct assigned_address *kept_of(const void *data,
					      const struct planned_attachment *planned)
{
	return assigned_to(data, planned);
}

struct addresses addresses_choose(const struct matched *matched,
				  const struct unmanaged_index *unmanaged)
{
	struct ipam ipam = ipam_make(matched, unmanaged);
	each_open(&ipam, take_explicit);
	each_open(&ipam, keepers_find);
	each_open(&ipam, take_live);
	each_open(&ipam, take_lease);
	ipam.attachment_claims = attachment_claims(matched, kept_of, &ipam);
	each_open(&ipam, take_kept);
	take_all_former(&ipam);
	reserve_dockers(&ipam);
	each_open(&ipam, take_free);
	arena_free(ipam.arena);
	return (struct addresses){.assigned = ipam.assigned,
				  .attachment_claims = ipam.attachment_claims};
}
