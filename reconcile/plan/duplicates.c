/* A container that two sets attach to the same LAN: a set was renamed, or two sets name one
 * container. */
#include "reconcile/plan/internal.h"

/* Only what is in the attachment's own namespace counts, which nobody but the container can forge.
 */
static bool same_lan(const struct planned_attachment *planned, const struct live_link *link)
{
	return link->mark.role == (planned->container ? ROLE_ATTACH : ROLE_HOST) &&
	       planned->parent->link && live_link_on(link, planned->parent->link->ifindex);
}

/* Two networks of one parent may have different subnets, which is no mistake. With DHCP there need
 * be no subnet: the parent says which LAN it is. */
static bool same_subnet(const struct planned_attachment *planned, const struct live_link *link,
			const struct live_addr **ret)
{
	*ret = NULL;
	each_addr_of (addr, planned->ns, link->ifindex)
		if (!*ret && network_subnet_of(planned->network, &addr->prefix.ip))
			*ret = addr;
	return *ret || !planned->network->n_subnets;
}

/* The link of a set that the files do not name; NULL: there is none. */
static const struct live_link *other_link(const struct planner *planner,
					  const struct planned_attachment *planned,
					  const struct live_addr **ret_addr)
{
	for (size_t i = 0; i < planned->ns->n_links; i++) {
		const struct live_link *link = &planned->ns->links[i];
		if (link != planned->current && same_lan(planned, link) &&
		    !desired_set(planner, link->mark.set) && same_subnet(planned, link, ret_addr))
			return link;
	}
	return NULL;
}

static const char *link_text(struct planner *planner, const struct planned_attachment *planned,
			     const struct live_link *link, const struct live_addr *addr)
{
	char text[PREFIX_TEXT_SIZE];
	return arena_printf(planner->arena, "%s%s%s on %s", link->name, addr ? " " : "",
			    addr ? prefix_format(&addr->prefix, text) : "",
			    planned->parent->link->name);
}

static const char *remedy(struct planner *planner, const char *set)
{
	return arena_printf(planner->arena,
			    "if that set was renamed or is not wanted any more, "
			    "`mvapply delete --name %s` removes all of it",
			    set);
}

static struct check_result other_set(struct planner *planner,
				     const struct planned_attachment *planned)
{
	const struct live_addr *addr;
	const struct live_link *link = other_link(planner, planned, &addr);
	if (!link)
		return (struct check_result){.action = ACTION_CREATE};
	const char *text = link_text(planner, planned, link, addr);
	if (!planned->current)
		return (struct check_result){
			.action = ACTION_BLOCKED,
			.code = CODE_TWICE,
			.reason = arena_printf(planner->arena,
					       "set \"%s\" has attached it already: %s",
					       link->mark.set, text),
			.hint = remedy(planner, link->mark.set)};
	warning_add(planner, "%s has a second link on the LAN of %s, of set \"%s\": %s; %s",
		    planned->ns->name, planned->current->name, link->mark.set, text,
		    remedy(planner, link->mark.set));
	return (struct check_result){.action = ACTION_CREATE};
}

/* Whether the other planned attachment is of another set, and attaches the same namespace to the
 * same LAN. */
static bool competes(const struct planned_attachment *planned,
		     const struct planned_attachment *other)
{
	if (other->set == planned->set || other->ns != planned->ns ||
	    other->parent != planned->parent || other->check_result.action != ACTION_CREATE)
		return false;
	for (size_t i = 0; i < 2; i++)
		if (other->ip[i].family && network_subnet_of(planned->network, &other->ip[i]))
			return true;
	return !planned->network->n_subnets || !other->network->n_subnets;
}

static struct check_result other_slot(struct planner *planner,
				      const struct planned_attachment *planned,
				      const struct planned_attachment *other)
{
	if (!planned->current)
		return (struct check_result){
			.action = ACTION_BLOCKED,
			.code = CODE_TWICE,
			.reason = arena_printf(
				planner->arena, "set \"%s\" attaches it to the same LAN: %s on %s",
				other->set->name, other->name, planned->parent->name),
			.hint = "remove one of the two from the files"};
	if (planned > other)
		warning_add(planner,
			    "%s has two links on the LAN of %s, %s of set \"%s\" and %s of set "
			    "\"%s\": remove one of the two from the files",
			    planned->ns->name, planned->parent->name, other->current->name,
			    other->set->name, planned->current->name, planned->set->name);
	return (struct check_result){.action = ACTION_CREATE};
}

/* What is live goes before what is not, and then the first of the input. */
static bool goes_before(const struct planned_attachment *planned,
			const struct planned_attachment *other)
{
	return planned->current ? other->current != NULL : other->current || other < planned;
}

static const struct planned_attachment *other_find(const struct planner *planner,
						   const struct planned_attachment *planned)
{
	const struct netns_group *netns_group = planned->netns_group;
	const size_t count =
		netns_group ? netns_group->count : planner->n_planned - planner->n_attachments;
	for (size_t i = 0; i < count; i++) {
		const struct planned_attachment *other =
			netns_group ? netns_group->planned_all[i]
				    : &planner->planned_all[planner->n_attachments + i];
		if (other != planned && goes_before(planned, other) && competes(planned, other))
			return other;
	}
	return NULL;
}

struct check_result check_twice(struct planner *planner, const struct planned_attachment *planned)
{
	const struct planned_attachment *other = other_find(planner, planned);
	return other ? other_slot(planner, planned, other) : other_set(planner, planned);
}
