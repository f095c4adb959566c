/* The steps of the host's links that networks with `manage_parent` need, or needed before. */
#include "reconcile/plan/plan_builder.h"

#include <linux/if_addr.h>

/* Whether a link on the parent, as it is after the run, needs the parent's state that would be
 * undone. */
static bool link_needs(const struct plan_builder *builder, const struct live_link *link,
		       const struct requested_link *parent)
{
	const struct parents *parents = builder->assigned->matched->parents;
	const struct managed_link *ours =
		managed_of_link(builder->assigned->matched->managed, link);
	bool up = link->flags & IFF_UP;
	uint32_t mtu = link->mtu;
	if (!live_link_on(link, parent->link->ifindex) || live_link_is_pair(link) ||
	    (ours && builder->deleted[ours->number]))
		return false;
	for (size_t i = 0; i < parents->n_requested; i++) {
		if (parents->requested[i].link != link)
			continue;
		up = parents->requested[i].up;
		mtu = parents->requested[i].mtu;
	}
	return (up && !parent->up) || mtu > parent->mtu;
}

static const char *link_user(const struct plan_builder *builder,
			     const struct requested_link *parent)
{
	const struct live *live = builder->input->live;
	for (size_t i = 0; i < live->n_namespaces; i++)
		for (size_t k = 0; k < live->namespaces[i]->n_links; k++)
			if (link_needs(builder, &live->namespaces[i]->links[k], parent))
				return arena_printf(builder->input->arena, "%s in %s",
						    live->namespaces[i]->links[k].name,
						    live->namespaces[i]->name);
	return NULL;
}

/* Addresses of router advertisements come by themselves when a link is up. */
static const char *address_user(const struct plan_builder *builder, const struct live_link *parent)
{
	char text[PREFIX_TEXT_SIZE];
	each_addr_of (addr, builder->input->live->namespaces[0], parent->ifindex)
		if (!ip_is_link_local(&addr->prefix.ip) &&
		    (addr->prefix.ip.family == AF_INET || addr->flags & IFA_F_PERMANENT))
			return arena_printf(builder->input->arena, "the host, with the address %s",
					    prefix_format(&addr->prefix, text));
	return NULL;
}

/* Who needs what would be undone, or NULL. */
static const char *user_of(const struct plan_builder *builder,
			   const struct requested_link *requested)
{
	const struct live_link *link = requested->link;
	const bool down = link->flags & IFF_UP && !requested->up;
	if (!down && requested->mtu == link->mtu)
		return NULL;
	const char *user = link_user(builder, requested);
	if (!user && down && link->master)
		user = "its master";
	return user || !down ? user : address_user(builder, link);
}

static struct step step_of(const struct plan_builder *builder,
			   const struct requested_link *requested)
{
	const struct live_link *link = requested->link;
	struct link_spec *desired = arena_alloc(builder->input->arena, sizeof(*desired));
	*desired = (struct link_spec){.tag = {.role = ROLE_PARENT},
				      .alias = link->alias,
				      .ns = builder->input->live->namespaces[0],
				      .name = link->name,
				      .kind = link->kind,
				      .mtu = requested->mtu,
				      .has_altnames = true,
				      .altnames = requested->altnames,
				      .n_altnames = requested->n_altnames,
				      .vlan = link->vlan,
				      .vlan_protocol = link->vlan_protocol,
				      .parent = link->parent,
				      .parent_away = live_parent_away(link),
				      .down = !requested->up};
	return (struct step){.tag = &desired->tag,
			     .name = link->name,
			     .ns = desired->ns,
			     .current = link,
			     .desired = desired,
			     .released = !requested->needed};
}

void requested_links_plan(const struct plan_builder *builder)
{
	const struct parents *parents = builder->assigned->matched->parents;
	for (size_t i = parents->n_requested; i-- > 0;) {
		const struct requested_link *requested = &parents->requested[i];
		struct step step = step_of(builder, requested);
		const char *user = requested->needed ? NULL : user_of(builder, requested);
		if (!user) {
			step_diff(builder->input, builder->steps, step);
			continue;
		}
		step.desired = NULL;
		step.reason = arena_printf(builder->input->arena, "used by %s", user);
		step.action = ACTION_KEPT;
		*step_add(builder->steps, ACTION_KEPT, step.tag) = step;
	}
}
