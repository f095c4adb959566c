#include "reconcile/plan/internal.h"

#include <string.h>

static struct planned_attachment *planned_new(struct planner *planner, const struct set *set,
					      const struct network *network)
{
	struct planned_attachment *planned =
		array_push(planner->scratch, planner->planned_all, planner->n_planned);
	struct net *net = net_of(planner, set, network);
	planned->set = set;
	planned->network = network;
	planned->net = net;
	planned->parent = net->parent;
	planned->check_result = net->check_result;
	if (planned->check_result.action != ACTION_CREATE)
		planned->check_result.reason =
			arena_printf(planner->arena, "waits for network %s", network->name);
	if (planned->check_result.action != ACTION_CREATE)
		planned->check_result.hint = NULL;
	return planned;
}

static struct owner_tag planned_mark(const struct planned_attachment *planned)
{
	return (struct owner_tag){.role = planned->container ? ROLE_ATTACH : ROLE_HOST,
				  .set = planned->set->name,
				  .network = planned->network->name,
				  .container =
					  planned->container ? planned->container->name : NULL};
}

static void planned_claim(struct planner *planner, struct planned_attachment *planned)
{
	const struct owner_tag mark = planned_mark(planned);
	if (!planned->ns) {
		planned->kept = managed_keep(planner, &mark);
		return;
	}
	struct managed_link *managed = managed_find(planner, &mark, planned->ns);
	if (!managed)
		return;
	managed->wanted = true;
	planned->managed = managed;
	planned->current = managed->link;
}

static const enum action target_actions[] = {
	[TARGET_READY] = ACTION_CREATE,
	[TARGET_PENDING] = ACTION_PENDING,
	[TARGET_REFUSED] = ACTION_REFUSED,
	[TARGET_FAILED] = ACTION_BLOCKED,
};

static void planned_target(struct planned_attachment *planned,
			   const struct container_lookup *target)
{
	planned->target = target;
	planned->ns = target->state == TARGET_READY ? target->ns : NULL;
	if (target->state != TARGET_READY)
		planned->check_result =
			(struct check_result){.action = target_actions[target->state],
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
				struct planned_attachment *planned =
					planned_new(planner, set, attachment->network);
				planned->container = container;
				planned->attachment = attachment;
				planned_target(planned, &planner->live->targets[target]);
			}
		}
	}
	planner->n_attachments = planner->n_planned;
}

static void hosts_add(struct planner *planner)
{
	for (size_t i = 0; i < planner->n_nets; i++) {
		const struct net *net = &planner->nets[i];
		if (!net->network->host.wanted)
			continue;
		struct planned_attachment *planned = planned_new(planner, net->set, net->network);
		planned->ns = planner->live->namespaces[0];
	}
}

static bool adoptable(const struct planned_attachment *planned, const struct live_link *link)
{
	static const enum link_kind kinds[] = {
		[DRIVER_MACVLAN] = KIND_MACVLAN, [DRIVER_IPVLAN] = KIND_IPVLAN};
	const char *name = planned->attachment ? planned->attachment->interface_name
					       : planned->network->host.interface_name;
	return link->mark.role == ROLE_NONE && link->kind == kinds[planned->network->driver] &&
	       planned->parent->link && live_link_on(link, planned->parent->link->ifindex) &&
	       (name ? strcmp(name, link->name) == 0 : planned->container != NULL);
}

/* Where the table has the link, or room for it. */
static const struct live_link **adopted_slot(const struct planner *planner,
					     const struct live_link *link)
{
	for (size_t i = (uintptr_t)link / sizeof(*link) * 0x9e3779b1u;; i++) {
		const struct live_link **at = &planner->adopted[i & (planner->adopted_size - 1)];
		if (!*at || *at == link)
			return at;
	}
}

bool link_adopted(const struct planner *planner, const struct live_link *link)
{
	return planner->adopted && *adopted_slot(planner, link);
}

/* Each attachment adopts one link at most. */
static void adopted_index(struct planner *planner)
{
	planner->adopted_size = 16;
	while (planner->adopted_size < planner->n_planned * 2)
		planner->adopted_size *= 2;
	planner->adopted =
		arena_alloc(planner->scratch, planner->adopted_size * sizeof(*planner->adopted));
}

/* Takes over an unmarked link of the same kind on the same parent: the one of the name that the
 * file gives, or where it gives none, any in the container. */
static void planned_adopt(const struct planner *planner, struct planned_attachment *planned)
{
	for (size_t i = 0; planned->ns && !planned->current && i < planned->ns->n_links; i++) {
		const struct live_link *link = &planned->ns->links[i];
		if (!adoptable(planned, link) || link_adopted(planner, link))
			continue;
		planned->current = *adopted_slot(planner, link) = link;
	}
}

void attachments_match(struct planner *planner)
{
	attachments_add(planner);
	hosts_add(planner);
	if (planner->options->adopt)
		adopted_index(planner);
	for (size_t i = 0; i < planner->n_planned; i++) {
		struct planned_attachment *planned = &planner->planned_all[i];
		planned_claim(planner, planned);
		if (planner->options->adopt)
			planned_adopt(planner, planned);
		if (!planned->current && planned->check_result.action == ACTION_CREATE)
			planned->check_result = parent_check_up(planner, planned->parent);
	}
}

bool planned_leases(const struct planned_attachment *planned, size_t family)
{
	return family == 0 && planned->attachment && planned->attachment->dhcp;
}
