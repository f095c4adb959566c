#include "reconcile/plan/parents.h"

#include "kernel/link_kind.h"
#include "reconcile/plan/link_name.h"

#include <string.h>

/* As in linux/if.h, which conflicts with some C libraries' net/if.h. IFF_RUNNING is set a moment
 * later. */
#ifndef IFF_LOWER_UP
#define IFF_LOWER_UP 0x10000
#endif

/* The rtnetlink default of a dummy (ether_setup). */
#define DUMMY_MTU 1500

static struct check_result blocked(enum code code, const char *reason, const char *hint)
{
	return (struct check_result){
		.action = ACTION_BLOCKED, .code = code, .reason = reason, .hint = hint};
}

static const struct check_result fine = {.action = ACTION_CREATE};

static struct check_result check_found(const struct plan_input *input,
				       const struct resolved_network *resolved)
{
	const char *name = resolved->network->parent;
	if (resolved->parent->base || resolved->parent->make)
		return fine;
	return blocked(
		CODE_PARENT_ABSENT, arena_printf(input->arena, "the host has no link \"%s\"", name),
		"`ip link` lists the host's links: use one of them as the parent, or create this "
		"one");
}

/* The kernel puts a macvlan of a macvlan on the lowest device (macvlan_common_newlink, likewise
 * ipvlan_link_new), so its parent would differ from the file. */
static struct check_result check_kind(const struct plan_input *input,
				      const struct resolved_network *resolved)
{
	const struct live_link *link = resolved->parent->link;
	if (!link || !link_type(link->kind)->has_driver)
		return fine;
	return blocked(CODE_PARENT_STACKED,
		       arena_printf(input->arena, "parent %s is itself a %s link", link->name,
				    link->kind_name),
		       "use the parent of that link");
}

/* A port of a bridge, bond or team passes its frames to its master (netdev_rx_handler_register
 * gives EBUSY); a VRF has no receive handler. */
static struct check_result check_free(const struct plan_input *input,
				      const struct resolved_network *resolved)
{
	const struct live_link *link = resolved->parent->link;
	if (!link || !link->master)
		return fine;
	const struct live_link *master =
		live_link_by_index(input->live->namespaces[0], link->master);
	if (!master || strcmp(master->kind_name, "vrf") == 0)
		return fine;
	return blocked(CODE_PARENT_PORT,
		       arena_printf(input->arena, "parent %s is a port of %s %s", link->name,
				    master->kind_name, master->name),
		       arena_printf(input->arena,
				    "use %s as the parent, or `ip link set %s "
				    "nomaster`",
				    master->name, link->name));
}

struct check_result parent_check_up(const struct plan_input *input, const struct parent *parent)
{
	const struct live_link *base = parent->base, *link = parent->link, *down = NULL;
	if (base && !(base->flags & IFF_UP))
		down = base;
	else if (link && !parent->make && !(link->flags & IFF_UP))
		down = link;
	if (!down)
		return fine;
	return blocked(CODE_PARENT_DOWN,
		       arena_printf(input->arena, "parent %s is down", down->name),
		       arena_printf(input->arena, "`ip link set %s up`", down->name));
}

/* vlan_dev_open gives ENETDOWN; an existing VLAN link can wait. */
static struct check_result check_up(const struct plan_input *input,
				    const struct resolved_network *resolved)
{
	return resolved->parent->link ? fine : parent_check_up(input, resolved->parent);
}

static struct check_result check_mtu(const struct plan_input *input,
				     const struct resolved_network *resolved)
{
	const struct parent *parent = resolved->parent;
	uint32_t mtu = resolved->network->mtu;
	if (!resolved->network->parent || !parent->mtu || mtu <= parent->mtu)
		return fine;
	return blocked(CODE_PARENT_MTU,
		       arena_printf(input->arena, "mtu %u is larger than the mtu %u of parent %s",
				    mtu, parent->mtu, parent->name),
		       arena_printf(input->arena, "`ip link set %s mtu %u`, or set a lower mtu",
				    parent->base ? parent->base->name : parent->name, mtu));
}

static struct check_result check_parent(const struct plan_input *input,
					const struct resolved_network *resolved)
{
	(void)input;
	return resolved->parent->check_result;
}

/* The conditions for a new link on a parent; the first unmet one is reported. */
static struct check_result (*const checks[])(const struct plan_input *,
					     const struct resolved_network *) = {
	check_found, check_parent, check_kind, check_free, check_up, check_mtu,
};

static struct check_result network_check(const struct plan_input *input,
					 const struct resolved_network *resolved)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct check_result check_result = checks[i](input, resolved);
		if (check_result.action != ACTION_CREATE)
			return check_result;
	}
	return fine;
}

/* The result under construction: its arrays have room for one parent for each network. */
struct resolver {
	const struct plan_input *input;
	const struct managed_index *managed;
	struct parent *parents;
	size_t n_parents;
};

static struct parent *parent_new(struct resolver *resolver)
{
	struct parent *parent = &resolver->parents[resolver->n_parents];
	*parent = (struct parent){.number = resolver->n_parents++, .check_result = fine};
	return parent;
}

static struct link_spec *spec_new(const struct plan_input *input, const struct owner_tag *tag)
{
	struct link_spec *spec = arena_alloc(input->arena, sizeof(*spec));
	spec->tag = *tag;
	spec->alias = owner_tag_format(input->arena, tag);
	spec->ns = input->live->namespaces[0];
	return spec;
}

static struct parent *dummy_resolve(struct resolver *resolver,
				    const struct resolved_network *resolved)
{
	const struct plan_input *input = resolver->input;
	const struct owner_tag tag = {
		.role = ROLE_DUMMY, .set = resolved->set->name, .network = resolved->network->name};
	struct parent *parent = parent_new(resolver);
	const struct managed_link *managed =
		managed_find(resolver->managed, &tag, input->live->namespaces[0]);
	parent->link = managed ? managed->link : NULL;
	parent->make = spec_new(input, &tag);
	parent->make->kind = KIND_DUMMY;
	parent->mtu = resolved->network->mtu ? resolved->network->mtu : DUMMY_MTU;
	parent->make->mtu = parent->mtu;
	parent->name =
		derived_name(input->arena, "mvd", resolved->set->name, resolved->network->name);
	parent->make->name = parent->name;
	return parent;
}

/* A VLAN link that is created for an earlier network, as the parent of a nested VLAN. */
static const struct parent *parent_planned(const struct resolver *resolver, const char *name)
{
	for (size_t i = 0; i < resolver->n_parents; i++)
		if (resolver->parents[i].make && strcmp(resolver->parents[i].name, name) == 0)
			return &resolver->parents[i];
	return NULL;
}

static void vlan_spec(const struct plan_input *input, struct parent *parent, const char *base_name)
{
	parent->make = spec_new(input, &(struct owner_tag){.role = ROLE_VLAN});
	parent->make->kind = KIND_VLAN;
	parent->make->name = parent->name;
	parent->make->vlan = parent->vlan;
	parent->make->vlan_protocol = parent->vlan_protocol;
	parent->make->parent_name = base_name;
	parent->make->parent = parent->base ? parent->base->ifindex : 0;
	parent->make->mtu = parent->mtu;
}

static struct check_result vlan_name_check(const struct plan_input *input,
					   const struct parent *parent)
{
	if (strlen(parent->name) < IFNAMSIZ)
		return fine;
	return blocked(
		CODE_VLAN_NAME,
		arena_printf(input->arena, "the VLAN link's name %s is longer than %d bytes",
			     parent->name, IFNAMSIZ - 1),
		arena_printf(
			input->arena,
			"create the link with a shorter name, and mvapply uses it: `ip link add "
			"link %s name vlan%u type vlan id %u`",
			parent->base ? parent->base->name : "PARENT", parent->vlan, parent->vlan));
}

/* Whether a live VLAN link was created under a temporary name and can get its final name now: the
 * managed link with that name is deleted, or gone. */
static bool vlan_gets_name(const struct plan_input *input, const struct parent *parent)
{
	const struct live_link *holder =
		live_link_by_name(input->live->namespaces[0], parent->name);
	return parent->link->tag.role == ROLE_VLAN &&
	       strncmp(parent->link->name, TEMPORARY_PREFIX, strlen(TEMPORARY_PREFIX)) == 0 &&
	       strlen(parent->name) < IFNAMSIZ && (!holder || holder->tag.role == ROLE_VLAN);
}

static void vlan_resolve(const struct resolver *resolver, struct parent *parent,
			 const struct network *network)
{
	const struct plan_input *input = resolver->input;
	const struct live_ns *host = input->live->namespaces[0];
	const struct parent *planned =
		parent->base ? NULL : parent_planned(resolver, network->parent);
	if (!parent->base && !planned)
		return;

	const char *base_name = parent->base ? parent->base->name : planned->name;
	parent->mtu = parent->base ? parent->base->mtu : planned->mtu;
	if (parent->base)
		parent->link = vlan_live(host, parent->base, parent->vlan, parent->vlan_protocol);
	parent->name = arena_printf(input->arena, "%s.%u", base_name, parent->vlan);
	if (!parent->link)
		parent->check_result = vlan_name_check(input, parent);
	else if (!vlan_gets_name(input, parent))
		parent->name = parent->link->name;
	if (!parent->link || parent->link->tag.role == ROLE_VLAN ||
	    (input->options->adopt && parent->link->tag.role == ROLE_NONE))
		vlan_spec(input, parent, base_name);
	else
		parent->mtu = parent->link->mtu;
}

static bool parent_same(const struct parent *parent, const struct live_link *base,
			const struct network *network)
{
	if (parent->vlan != network->vlan || (parent->make && parent->make->kind == KIND_DUMMY))
		return false;
	if (parent->vlan && parent->vlan_protocol != network->vlan_protocol)
		return false;
	return base ? parent->base == base
		    : !parent->base && strcmp(parent->base_name, network->parent) == 0;
}

static struct parent *parent_resolve(struct resolver *resolver, const struct network *network)
{
	const struct live_link *base =
		live_link_by_name(resolver->input->live->namespaces[0], network->parent);
	for (size_t i = 0; i < resolver->n_parents; i++)
		if (parent_same(&resolver->parents[i], base, network))
			return &resolver->parents[i];

	struct parent *parent = parent_new(resolver);
	parent->name = base ? base->name : network->parent;
	parent->base_name = network->parent;
	parent->base = base;
	parent->vlan = network->vlan;
	parent->vlan_protocol = network->vlan_protocol;
	parent->mtu = base ? base->mtu : 0;
	if (network->vlan)
		vlan_resolve(resolver, parent, network);
	else
		parent->link = base;
	return parent;
}

/* A parent that is down is no reason to change live links; they only carry no traffic. */
static void carrier_warn(const struct plan_input *input, const struct parent *parent)
{
	const struct live_link *base = parent->base;
	if (base && !(base->flags & IFF_UP))
		warning_add(input, WARNING_PARENT_DOWN, base->name);
	else if (base && !(base->flags & IFF_LOWER_UP))
		warning_add(input, WARNING_PARENT_NO_CARRIER, base->name);
}

static void network_resolve(struct resolver *resolver, struct resolved_network *resolved)
{
	const size_t before = resolver->n_parents;
	resolved->parent = resolved->network->parent ? parent_resolve(resolver, resolved->network)
						     : dummy_resolve(resolver, resolved);
	if (resolver->n_parents > before)
		carrier_warn(resolver->input, resolved->parent);
}

static size_t networks_count(const struct desired *desired)
{
	size_t count = 0;
	for (size_t s = 0; s < desired->n_sets; s++)
		count += desired->sets[s].n_networks;
	return count;
}

/* All networks, without parents yet. */
static struct resolved_network *networks_list(const struct plan_input *input, size_t count)
{
	struct resolved_network *networks =
		arena_alloc(input->scratch, (count + 1) * sizeof(*networks));
	size_t number = 0;
	for (size_t s = 0; s < input->desired->n_sets; s++) {
		const struct set *set = &input->desired->sets[s];
		for (size_t i = 0; i < set->n_networks; i++, number++)
			networks[number] = (struct resolved_network){
				.number = number, .set = set, .network = &set->networks[i]};
	}
	return networks;
}

struct parents parents_resolve(const struct plan_input *input, const struct managed_index *managed)
{
	const size_t count = networks_count(input->desired);
	struct resolved_network *networks = networks_list(input, count);
	struct resolver resolver = {
		.input = input,
		.managed = managed,
		.parents = arena_alloc(input->scratch, (count + 1) * sizeof(struct parent))};
	for (size_t i = 0; i < count; i++)
		network_resolve(&resolver, &networks[i]);
	vlans_tag(input, resolver.parents, resolver.n_parents, networks, count);
	for (size_t i = 0; i < count; i++)
		networks[i].check_result = network_check(input, &networks[i]);
	return (struct parents){.all = resolver.parents,
				.count = resolver.n_parents,
				.networks = networks,
				.n_networks = count};
}

const struct resolved_network *resolved_network_of(const struct plan_input *input,
						   const struct parents *parents,
						   const struct set *set,
						   const struct network *network)
{
	size_t offset = 0;
	for (const struct set *before = input->desired->sets; before != set; before++)
		offset += before->n_networks;
	return &parents->networks[offset + (size_t)(network - set->networks)];
}

const struct parent *parent_of_link(const struct parents *parents, const struct live_link *link)
{
	for (size_t i = 0; link->parent_where == PARENT_HOST && i < parents->count; i++)
		if (parents->all[i].link && parents->all[i].link->ifindex == link->parent)
			return &parents->all[i];
	return NULL;
}

bool parent_used(const struct parents *parents, const struct live_link *link)
{
	for (size_t i = 0; i < parents->count; i++)
		if (parents->all[i].link == link)
			return true;
	return false;
}
