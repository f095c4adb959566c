/* Finds a container that two sets attach to the same LAN: a set was renamed, or two sets name one
 * container. */
#include "reconcile/plan/conflict.h"

/* Only links in the attachment's own namespace count: nobody but the container can create them. */
static bool same_lan(const struct planned_attachment *planned, const struct live_link *link)
{
	return link->tag.role == planned_role(planned) && planned->parent->link &&
	       live_link_on(link, planned->parent->link->ifindex);
}

/* Two networks of one parent may have different subnets without a mistake. With DHCP there may be
 * no subnet: the parent identifies the LAN. */
static bool same_subnet(const struct planned_attachment *planned, const struct live_link *link,
			const struct live_addr **ret)
{
	*ret = NULL;
	each_addr_of (addr, planned->ns, link->ifindex)
		if (!*ret && network_subnet_of(planned->network, &addr->prefix.ip))
			*ret = addr;
	return *ret || !planned->network->n_subnets;
}

/* The link of a set that the files do not declare; NULL: there is none. */
static const struct live_link *other_link(const struct conflict_finder *finder,
					  const struct planned_attachment *planned,
					  const struct live_addr **ret_addr)
{
	for (size_t i = 0; i < planned->ns->n_links; i++) {
		const struct live_link *link = &planned->ns->links[i];
		if (link != planned->current && same_lan(planned, link) &&
		    !desired_set(finder->assigned->input, link->tag.set) &&
		    same_subnet(planned, link, ret_addr))
			return link;
	}
	return NULL;
}

static const char *link_text(const struct conflict_finder *finder,
			     const struct planned_attachment *planned, const struct live_link *link,
			     const struct live_addr *addr)
{
	char text[PREFIX_TEXT_SIZE];
	return arena_printf(finder->assigned->input->arena, "%s%s%s on %s", link->name,
			    addr ? " " : "", addr ? prefix_format(&addr->prefix, text) : "",
			    planned->parent->link->name);
}

static struct check_result other_set(const struct conflict_finder *finder,
				     const struct planned_attachment *planned)
{
	const struct live_addr *addr;
	const struct live_link *link = other_link(finder, planned, &addr);
	if (!link)
		return CHECK_FINE;
	const char *text = link_text(finder, planned, link, addr);
	if (!planned->current)
		return (struct check_result){
			.action = ACTION_BLOCKED,
			.code = CODE_TWICE,
			.reason = arena_printf(finder->assigned->input->arena,
					       "already attached by set \"%s\": %s", link->tag.set,
					       text),
			.hint = undeclared_set_remedy(link->tag.set,
						      finder->assigned->input->arena)};
	warning_add(finder->assigned->input, WARNING_SECOND_LINK, planned->ns->name,
		    planned->current->name, link->tag.set, text);
	return CHECK_FINE;
}

/* Whether the other planned attachment belongs to another set, and attaches the same namespace to
 * the same LAN. */
static bool competes(const struct conflict_finder *finder, const struct planned_attachment *planned,
		     const struct planned_attachment *other)
{
	const struct assigned_address *address =
		&finder->assigned->addresses->assigned[other->number];
	if (other->set == planned->set || other->ns != planned->ns ||
	    other->parent != planned->parent ||
	    finder->checked[other->number].check_result.action != ACTION_CREATE)
		return false;
	for (size_t i = 0; i < address->count; i++)
		if (address->ips[i].ip.family &&
		    network_subnet_of(planned->network, &address->ips[i].ip))
			return true;
	return !planned->network->n_subnets || !other->network->n_subnets;
}

static struct check_result other_planned(const struct conflict_finder *finder,
					 const struct planned_attachment *planned,
					 const struct planned_attachment *other)
{
	if (!planned->current)
		return (struct check_result){
			.action = ACTION_BLOCKED,
			.code = CODE_TWICE,
			.reason = arena_printf(
				finder->assigned->input->arena,
				"also attached to the same LAN by set \"%s\": %s on %s",
				other->set->name,
				finder->assigned->names->assigned[other->number].name,
				planned->parent->name),
			.hint = "remove one of the two attachments from the files"};
	if (planned > other)
		warning_add(finder->assigned->input, WARNING_TWO_LINKS, planned->ns->name,
			    planned->parent->name, other->current->name, other->set->name,
			    planned->current->name, planned->set->name);
	return CHECK_FINE;
}

/* A live attachment takes precedence, then the first of the input. */
static bool precedes(const struct planned_attachment *planned,
		     const struct planned_attachment *other)
{
	return planned->current ? other->current != NULL : other->current || other < planned;
}

/* The attachments of its namespace; for the host's own links, those of the host. */
static size_t neighbours(const struct attachments *attachments,
			 const struct planned_attachment *planned)
{
	return planned->netns_group ? planned->netns_group->count
				    : attachments->count - attachments->n_containers;
}

static const struct planned_attachment *
neighbour(const struct attachments *attachments, const struct planned_attachment *planned, size_t i)
{
	return planned->netns_group ? planned->netns_group->planned_all[i]
				    : &attachments->planned[attachments->n_containers + i];
}

static const struct planned_attachment *other_find(const struct conflict_finder *finder,
						   const struct planned_attachment *planned)
{
	const struct attachments *attachments = finder->assigned->attachments;
	for (size_t i = 0; i < neighbours(attachments, planned); i++) {
		const struct planned_attachment *other = neighbour(attachments, planned, i);
		if (other != planned && precedes(planned, other) &&
		    competes(finder, planned, other))
			return other;
	}
	return NULL;
}

struct check_result check_twice(const struct conflict_finder *finder,
				const struct planned_attachment *planned)
{
	const struct planned_attachment *other = other_find(finder, planned);
	return other ? other_planned(finder, planned, other) : other_set(finder, planned);
}
