/* Interface names and MAC addresses. */
#include "reconcile/plan/naming.h"

#include "reconcile/plan/derived_mac.h"
#include "reconcile/plan/link_name.h"
#include "schema/driver.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_PREFIX      "eth"
#define ENGINE_LINKS_PREFIX "lan"

/* The names during selection. */
struct namer {
	const struct matched *matched;
	struct assigned_name *assigned; /* by planned_attachment.number */
};

static struct assigned_name *assigned_to(const struct namer *namer,
					 const struct planned_attachment *planned)
{
	return &namer->assigned[planned->number];
}

static const char *explicit_name(const struct plan_input *input,
				 const struct planned_attachment *planned)
{
	if (planned->attachment)
		return planned->attachment->interface_name;
	if (planned->network->host.interface_name)
		return planned->network->host.interface_name;
	return derived_name(input->arena, "mv", planned->set->name, planned->network->name);
}

static bool has_altname(const struct planned_attachment *planned, const char *name)
{
	const struct attachment *attachment = planned->attachment;
	for (size_t i = 0; attachment && i < attachment->n_altnames; i++)
		if (strcmp(attachment->altnames[i], name) == 0)
			return true;
	return false;
}

/* The attachment that uses a name, or has it as an altname; NULL: none. */
static const struct planned_attachment *
name_chosen(const struct namer *namer, const struct netns_group *netns_group, const char *name)
{
	for (size_t i = 0; i < netns_group->count; i++) {
		const char *chosen = assigned_to(namer, netns_group->planned_all[i])->name;
		if ((chosen && strcmp(chosen, name) == 0) ||
		    has_altname(netns_group->planned_all[i], name))
			return netns_group->planned_all[i];
	}
	return NULL;
}

/* "eth" or "lan", followed by a number. */
static bool is_numbered(const char *name, const char *prefix)
{
	const char *number = name + strlen(prefix);
	size_t digits =
		strncmp(name, prefix, strlen(prefix)) == 0 ? strspn(number, "0123456789") : 0;
	return digits && number[digits] == '\0';
}

/* Whether a container engine, or a CNI plugin that it calls, created the link: it has the next
 * ethN, or is connected to the host. */
static bool made_by_engine(const struct matched *matched, const struct live_link *link)
{
	return link->tag.role == ROLE_NONE && !link_adopted(matched->attachments, link) &&
	       (strcmp(link->kind_name, "veth") == 0 || strcmp(link->kind_name, "macvlan") == 0 ||
		strcmp(link->kind_name, "ipvlan") == 0) &&
	       (link->parent_where == PARENT_HOST || is_numbered(link->name, DEFAULT_PREFIX));
}

/* Whether the container is found through an engine or a process: its engine may then add links
 * later. */
static bool has_engine(const struct netns_group *netns_group)
{
	for (size_t i = 0; i < netns_group->count; i++)
		if (netns_group->planned_all[i]->container->source_kind != SOURCE_NETNS)
			return true;
	return false;
}

static bool is_default(const struct netns_group *netns_group, const char *name)
{
	return is_numbered(name, DEFAULT_PREFIX) ||
	       (has_engine(netns_group) && is_numbered(name, ENGINE_LINKS_PREFIX));
}

static bool has_engine_links(const struct matched *matched, const struct netns_group *netns_group)
{
	const struct live_ns *ns = netns_group->planned_all[0]->ns;
	if (ns && ns->engine_links)
		return true;
	for (size_t i = 0; ns && has_engine(netns_group) && i < ns->n_links; i++)
		if (made_by_engine(matched, &ns->links[i]))
			return true;
	return false;
}

static bool occupied(const struct matched *matched, const struct live_ns *ns, const char *name)
{
	const struct live_link *link = ns ? live_link_by_name(ns, name) : NULL;
	return link && link_unmanaged(matched, link);
}

/* An earlier chosen name is kept, so that no interface is renamed when others are added or
 * removed. */
static void name_keep(const struct namer *namer, const struct netns_group *netns_group,
		      const struct planned_attachment *planned)
{
	const struct live_link *current = planned->current;
	if (!assigned_to(namer, planned)->name && current &&
	    (current->tag.role == ROLE_NONE || is_default(netns_group, current->name)) &&
	    !name_chosen(namer, netns_group, current->name))
		assigned_to(namer, planned)->name = current->name;
}

/* Docker and Podman use ethN and fail if one exists, so a link beside theirs has another name. */
static void name_lowest(const struct namer *namer, const struct netns_group *netns_group,
			const struct planned_attachment *planned, const char *prefix)
{
	struct assigned_name *assigned = assigned_to(namer, planned);
	char name[IFNAMSIZ];
	for (unsigned n = 0; !assigned->name; n++) {
		snprintf(name, sizeof(name), "%s%u", prefix, n);
		if (!name_chosen(namer, netns_group, name) &&
		    !occupied(namer->matched, planned->ns, name))
			assigned->name = arena_strdup(namer->matched->input->arena, name);
	}
}

static struct check_result name_in_use(const struct plan_input *input,
				       const struct planned_attachment *planned,
				       const struct planned_attachment *other, const char *name)
{
	return (struct check_result){
		.action = ACTION_BLOCKED,
		.code = CODE_INTERFACE_IN_USE,
		.reason = arena_printf(input->arena, "%s/%s also gets the name %s in %s",
				       other->container->name, other->attachment->name, name,
				       planned->ns->name),
		.hint = "set another interface_name or altname for one of the two attachments",
	};
}

/* An earlier attachment of the group that uses the name of the altname, or NULL. */
static const struct planned_attachment *altname_chosen(const struct namer *namer,
						       const struct netns_group *netns_group,
						       const struct planned_attachment *planned,
						       const char *name)
{
	for (size_t i = 0; netns_group->planned_all[i] != planned; i++) {
		const struct planned_attachment *other = netns_group->planned_all[i];
		const char *chosen = assigned_to(namer, other)->name;
		if ((chosen && strcmp(chosen, name) == 0) || has_altname(other, name))
			return other;
	}
	return NULL;
}

/* Reports the second request for a name in a namespace: the schema checks only names within one
 * container. */
static void name_explicit(const struct namer *namer, const struct netns_group *netns_group,
			  const struct planned_attachment *planned)
{
	const struct plan_input *input = namer->matched->input;
	struct assigned_name *assigned = assigned_to(namer, planned);
	const char *name = explicit_name(input, planned);
	const struct planned_attachment *other =
		name ? name_chosen(namer, netns_group, name) : NULL;
	assigned->name = name;
	for (size_t i = 0; !other && planned->attachment && i < planned->attachment->n_altnames;
	     i++) {
		name = planned->attachment->altnames[i];
		other = altname_chosen(namer, netns_group, planned, name);
	}
	if (other && assigned->check_result.action == ACTION_CREATE)
		assigned->check_result = name_in_use(input, planned, other, name);
}

static void group_name(const struct namer *namer, const struct netns_group *netns_group)
{
	for (size_t i = 0; i < netns_group->count; i++)
		name_explicit(namer, netns_group, netns_group->planned_all[i]);
	for (size_t i = 0; i < netns_group->count; i++)
		name_keep(namer, netns_group, netns_group->planned_all[i]);
	const char *prefix = has_engine_links(namer->matched, netns_group) ? ENGINE_LINKS_PREFIX
									   : DEFAULT_PREFIX;
	for (size_t i = 0; i < netns_group->count; i++)
		name_lowest(namer, netns_group, netns_group->planned_all[i], prefix);
}

static void names_assign(const struct namer *namer)
{
	const struct attachments *attachments = namer->matched->attachments;
	for (size_t i = 0; i < attachments->groups.count; i++)
		group_name(namer, &attachments->groups.all[i]);
	for (size_t i = attachments->n_containers; i < attachments->count; i++)
		namer->assigned[i].name =
			explicit_name(namer->matched->input, &attachments->planned[i]);
}

/* The address from which the attachment's MAC is derived, or NULL: it is derived from the names. */
static const struct ip *mac_source(const struct planned_attachment *planned, const struct ip *ip)
{
	return ip->family && !planned_leases(planned) ? ip : NULL;
}

bool mac_chosen(const struct planned_attachment *planned)
{
	return !(planned->attachment && planned->attachment->mac.set) &&
	       !driver_shares_mac(planned->network->driver, planned->network->mode);
}

/* Whether a managed link in another namespace has the MAC. That link is deleted or gets another MAC
 * before the new link is created; but its creator can create it again. */
static bool mac_contested(const struct unmanaged_index *unmanaged,
			  const struct planned_attachment *planned, const struct mac *mac)
{
	const struct managed_link *managed = mac_passing(unmanaged, planned, mac);
	return managed && managed->ns != planned->ns;
}

/* A live MAC is kept, even if it was not the first choice at its creation. */
static bool mac_stays(const struct plan_input *input, const struct unmanaged_index *unmanaged,
		      const struct address_set *kept_macs, const struct planned_attachment *planned,
		      const struct ip *source)
{
	const struct live_link *current = planned->current;
	return current && mac_is_derived(input, planned, source) &&
	       (mac_is_live(planned, &current->mac) ||
		(!mac_holder(unmanaged, kept_macs, planned, &current->mac) &&
		 !refused_macs_have(input->options->refused, &current->mac)));
}

/* After the kernel refused a MAC, one that no other link has. */
struct mac mac_free(const struct plan_input *input, const struct unmanaged_index *unmanaged,
		    const struct address_set *kept_macs, const struct planned_attachment *planned,
		    const struct ip *ip)
{
	const struct refused_macs *refused = input->options->refused;
	const struct ip *source = mac_source(planned, ip);
	if (mac_stays(input, unmanaged, kept_macs, planned, source))
		return planned->current->mac;
	const struct mac first = mac_derived(input, planned, source, 0);
	const bool strict = refused_macs_have(refused, &first);
	for (uint16_t number = 0; number < UINT16_MAX; number++) {
		const struct mac mac = mac_derived(input, planned, source, number);
		if (!mac_holder(unmanaged, kept_macs, planned, &mac) &&
		    !refused_macs_have(refused, &mac) &&
		    !(strict && mac_contested(unmanaged, planned, &mac)))
			return mac;
	}
	return first;
}

static struct mac mac_choose(const struct plan_input *input,
			     const struct unmanaged_index *unmanaged,
			     const struct planned_attachment *planned, const struct ip *ip)
{
	if (planned->attachment && planned->attachment->mac.set)
		return planned->attachment->mac;
	return mac_chosen(planned) ? mac_free(input, unmanaged, NULL, planned, ip)
				   : (struct mac){.set = false};
}

struct names names_choose(const struct matched *matched, const struct unmanaged_index *unmanaged,
			  const struct addresses *addresses)
{
	const struct attachments *attachments = matched->attachments;
	const struct namer namer = {
		.matched = matched,
		.assigned = arena_alloc(matched->input->scratch,
					(attachments->count + 1) * sizeof(struct assigned_name))};
	for (size_t i = 0; i < attachments->count; i++)
		namer.assigned[i].check_result = addresses->assigned[i].check_result;
	names_assign(&namer);
	for (size_t i = 0; i < attachments->count; i++)
		namer.assigned[i].mac =
			mac_choose(matched->input, unmanaged, &attachments->planned[i],
				   assigned_primary(&addresses->assigned[i], AF_INET));
	return (struct names){.assigned = namer.assigned};
}
