/* Replaces renumbered attachments that could be changed in place, if they are many. The kernel
 * waits for an RCU grace period under its lock for each new MAC address of a macvlan that is up
 * (macvlan_hash_change_addr), 13 ms, also for one that is set down first. Deletions wait outside of
 * that lock, all together. */
#include "reconcile/plan/step_build.h"

#include <linux/rtnetlink.h>
#include <net/if.h>

/* Fewer are changed in less than half a second. */
#define REPLACE_FROM 32

static bool changes_mac(const struct step *step)
{
	for (size_t i = 0; i < step->n_changes; i++)
		if (step->changes[i].field == FIELD_MAC)
			return true;
	return false;
}

static bool stays(const struct link_spec *desired, const struct live_addr *addr)
{
	for (size_t i = 0; i < desired->n_addrs; i++)
		if (ip_equal(&desired->addrs[i].ip, &addr->prefix.ip))
			return true;
	return false;
}

/* Whether all addresses are managed and are removed: no connection and no other program uses
 * them. */
static bool loses_addresses(const struct step *step)
{
	each_addr_of (addr, step->ns, step->current->ifindex)
		if (!ip_is_link_local(&addr->prefix.ip) &&
		    (addr->proto != OWNER_TAG_PROTOCOL || stays(step->desired, addr)))
			return false;
	return true;
}

static bool has_other_routes(const struct step *step)
{
	each_route_of (route, step->ns, step->current->ifindex)
		if (route->proto != OWNER_TAG_PROTOCOL && route->proto != RTPROT_KERNEL &&
		    route->proto != RTPROT_RA)
			return true;
	return false;
}

/* Whether a new link has everything that the live one has. A macvtap's ifindex names its device. */
static bool is_renumbered(const struct step *step)
{
	const struct live_link *current = step->current;
	return step->action == ACTION_CHANGE && step->tag->role == ROLE_ATTACH &&
	       step->desired->kind == KIND_MACVLAN && current->flags & IFF_UP &&
	       (current->n_altnames == 0 || step->desired->has_altnames) && !current->master &&
	       !step->desired->dhcp.enabled && policy_empty(&step->desired->policy) &&
	       policy_empty(step->stale_policy) && step->ns->details && !step->ns->crowded &&
	       changes_mac(step) && loses_addresses(step) && !has_other_routes(step);
}

void renumbered_replace(struct steps *steps)
{
	size_t count = 0;
	for (size_t i = 0; i < steps->count; i++)
		count += is_renumbered(&steps->items[i]);
	for (size_t i = 0; count >= REPLACE_FROM && i < steps->count; i++) {
		struct step *step = &steps->items[i];
		if (!is_renumbered(step))
			continue;
		step->action = ACTION_REPLACE;
		step->faster = true;
	}
}
