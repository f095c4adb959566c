#include "reconcile/plan/internal.h"

#include <string.h>

static struct slot *slot_new(struct planner *planner, const struct set *set,
			     const struct network *network)
{
	struct slot *slot = array_push(planner->scratch, planner->slots, planner->n_slots);
	struct net *net = net_of(planner, set, network);
	slot->set = set;
	slot->network = network;
	slot->net = net;
	slot->parent = net->parent;
	slot->verdict = net->verdict;
	if (slot->verdict.action != ACTION_CREATE)
		slot->verdict.reason =
			arena_printf(planner->arena, "waits for network %s", network->name);
	if (slot->verdict.action != ACTION_CREATE)
		slot->verdict.hint = NULL;
	return slot;
}

static struct mark slot_mark(const struct slot *slot)
{
	return (struct mark){.role = slot->container ? ROLE_ATTACH : ROLE_HOST,
			     .set = slot->set->name,
			     .network = slot->network->name,
			     .container = slot->container ? slot->container->name : NULL};
}

static void slot_claim(struct planner *planner, struct slot *slot)
{
	const struct mark mark = slot_mark(slot);
	if (!slot->ns) {
		slot->kept = owned_keep(planner, &mark);
		return;
	}
	struct owned *owned = owned_find(planner, &mark, slot->ns);
	if (!owned)
		return;
	owned->wanted = true;
	slot->owned = owned;
	slot->have = owned->link;
}

static const enum action target_actions[] = {
	[TARGET_READY] = ACTION_CREATE,
	[TARGET_PENDING] = ACTION_PENDING,
	[TARGET_REFUSED] = ACTION_REFUSED,
	[TARGET_FAILED] = ACTION_BLOCKED,
};

static void slot_target(struct slot *slot, const struct target *target)
{
	slot->target = target;
	slot->ns = target->state == TARGET_READY ? target->ns : NULL;
	if (target->state != TARGET_READY)
		slot->verdict = (struct verdict){.action = target_actions[target->state],
						 .code = target->code,
						 .reason = target->reason,
						 .hint = target->hint};
}

static void attachments_add(struct planner *planner)
{
	size_t target = 0;
	for (size_t s = 0; s < planner->desired->n_sets; s++) {
		const struct set *set = &planner->desired->sets[s];
		for (size_t c = 0; c < set->n_containers; c++, target++) {
			const struct container *container = &set->containers[c];
			for (size_t a = 0; a < container->n_attachments; a++) {
				const struct attachment *attachment = &container->attachments[a];
				struct slot *slot = slot_new(planner, set, attachment->network);
				slot->container = container;
				slot->attachment = attachment;
				slot_target(slot, &planner->live->targets[target]);
			}
		}
	}
	planner->n_attachments = planner->n_slots;
}

static void hosts_add(struct planner *planner)
{
	for (size_t i = 0; i < planner->n_nets; i++) {
		const struct net *net = &planner->nets[i];
		if (!net->network->host.wanted)
			continue;
		struct slot *slot = slot_new(planner, net->set, net->network);
		slot->ns = planner->live->spaces[0];
	}
}

static bool adoptable(const struct slot *slot, const struct live_link *link)
{
	static const enum link_kind kinds[] = {
		[DRIVER_MACVLAN] = KIND_MACVLAN, [DRIVER_IPVLAN] = KIND_IPVLAN};
	const char *name = slot->attachment ? slot->attachment->interface_name
					    : slot->network->host.interface_name;
	return link->mark.role == ROLE_NONE && link->kind == kinds[slot->network->driver] &&
	       slot->parent->link && live_link_on(link, slot->parent->link->ifindex) &&
	       (name ? strcmp(name, link->name) == 0 : slot->container != NULL);
}

static bool adopted_before(const struct planner *planner, const struct live_link *link)
{
	for (size_t i = 0; i < planner->n_slots; i++)
		if (planner->slots[i].have == link)
			return true;
	return false;
}

/* Takes over an unmarked link of the same kind on the same parent: the one of the name that the
 * file gives, or where it gives none, any in the container. */
static void slot_adopt(const struct planner *planner, struct slot *slot)
{
	for (size_t i = 0; slot->ns && !slot->have && i < slot->ns->n_links; i++) {
		const struct live_link *link = &slot->ns->links[i];
		if (!adoptable(slot, link) || adopted_before(planner, link))
			continue;
		slot->have = link;
	}
}

void slots_make(struct planner *planner)
{
	attachments_add(planner);
	hosts_add(planner);
	for (size_t i = 0; i < planner->n_slots; i++) {
		struct slot *slot = &planner->slots[i];
		slot_claim(planner, slot);
		if (planner->options->adopt)
			slot_adopt(planner, slot);
		if (!slot->have && slot->verdict.action == ACTION_CREATE)
			slot->verdict = parent_check_up(planner, slot->parent);
	}
}

bool slot_leases(const struct slot *slot, size_t family)
{
	return family == 0 && slot->attachment && slot->attachment->dhcp;
}
