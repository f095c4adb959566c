#include "reconcile/plan/parents.h"

#include "kernel/link_kind.h"
#include "reconcile/plan/link_name.h"
#include "reconcile/plan/parent_type.h"
#include "schema/words.h"

#include <string.h>
#include <sys/socket.h>

/* The rtnetlink default of a dummy (ether_setup). */
#define DUMMY_MTU 1500

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
	*parent = (struct parent){.number = resolver->n_parents++, .check_result = CHECK_FINE};
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
		return CHECK_FINE;
	return check_blocked(
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

/* `found->vlan` is not 0. */
static void vlan_resolve(const struct resolver *resolver, struct parent *parent,
			 const struct parent_link *found)
{
	const struct plan_input *input = resolver->input;
	const struct parent *planned =
		parent->base ? NULL : parent_planned(resolver, found->base_name);
	if (!parent->base && !planned)
		return;

	const char *base_name = parent->base ? parent->base->name : planned->name;
	parent->mtu = parent->base ? parent->base->mtu : planned->mtu;
	parent->name = found->named ? found->named->name
				    : arena_printf(input->arena, "%s.%u", base_name, parent->vlan);
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

/* A link is one parent, by whatever names networks call it. */
static bool parent_same(const struct parent *parent, const struct parent_link *found)
{
	if (parent->make && parent->make->kind == KIND_DUMMY)
		return false;
	if (parent->link || found->link)
		return parent->link == found->link;
	if (parent->vlan != found->vlan ||
	    (parent->vlan && parent->vlan_protocol != found->vlan_protocol))
		return false;
	return found->base ? parent->base == found->base
			   : !parent->base && strcmp(parent->base_name, found->base_name) == 0;
}

static struct parent *parent_find(struct resolver *resolver, const struct parent_link *found)
{
	for (size_t i = 0; i < resolver->n_parents; i++)
		if (parent_same(&resolver->parents[i], found))
			return &resolver->parents[i];
	return NULL;
}

static struct parent *parent_resolve(struct resolver *resolver, const struct network *network)
{
	const struct live_ns *host = resolver->input->live->namespaces[0];
	const struct parent_link found = parent_link_find(host, network);
	struct parent *parent = parent_find(resolver, &found);
	if (parent && (parent->make || !found.vlan))
		return parent;
	if (!parent)
		parent = parent_new(resolver);
	parent->name = found.base ? found.base->name : network->parent;
	parent->base_name = found.base_name;
	parent->base = found.base;
	parent->link = found.link;
	parent->vlan = found.vlan;
	parent->vlan_protocol = found.vlan_protocol;
	parent->mtu = found.base ? found.base->mtu : 0;
	if (found.vlan)
		vlan_resolve(resolver, parent, &found);
	return parent;
}

static void network_resolve(struct resolver *resolver, struct resolved_network *resolved)
{
	const size_t before = resolver->n_parents;
	resolved->parent = resolved->network->parent ? parent_resolve(resolver, resolved->network)
						     : dummy_resolve(resolver, resolved);
	if (resolver->n_parents > before)
		resolver->parents[before].first = resolved->network;
}

static const struct requested_link *request_of(const struct requested_link *requested, size_t count,
					       const struct live_link *link)
{
	for (size_t i = 0; link && i < count; i++)
		if (requested[i].link == link)
			return &requested[i];
	return NULL;
}

/* The MTU of the parent's lower link after the run. */
static uint32_t base_mtu(const struct resolver *resolver, const struct parent *parent)
{
	if (parent->base_request)
		return parent->base_request->mtu;
	for (size_t i = 0; i < resolver->n_parents; i++) {
		const struct parent *below = &resolver->parents[i];
		if (below != parent && below->make &&
		    (parent->base ? below->link == parent->base
				  : strcmp(below->name, parent->base_name) == 0))
			return below->mtu;
	}
	return parent->base ? parent->base->mtu : parent->mtu;
}

/* A managed VLAN link has the MTU of its lower link. */
static void mtu_finish(const struct resolver *resolver, struct parent *parent)
{
	if (!parent->base_name)
		return;
	if (parent->vlan && parent->link && !parent->make)
		parent->mtu = parent->link_request ? parent->link_request->mtu : parent->mtu;
	else
		parent->mtu = base_mtu(resolver, parent);
	if (parent->make)
		parent->make->mtu = parent->mtu;
}

static void requests_assign(struct resolver *resolver, const struct requested_link *requested,
			    size_t count)
{
	for (size_t i = 0; i < resolver->n_parents; i++) {
		struct parent *parent = &resolver->parents[i];
		parent->base_request = request_of(requested, count, parent->base);
		parent->link_request = request_of(requested, count, parent->link);
	}
	/* A nested VLAN may come before the VLAN that it is on. */
	for (size_t pass = 0; count && pass < 2; pass++)
		for (size_t i = 0; i < resolver->n_parents; i++)
			mtu_finish(resolver, &resolver->parents[i]);
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
			networks[number] = (struct resolved_network){.number = number,
								     .set = set,
								     .network = &set->networks[i],
								     .check_result = CHECK_FINE};
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
	parents_check(input, networks, count, false);
	size_t n_requested;
	struct requested_link *requested =
		requested_links_find(input, networks, count, &n_requested);
	requests_assign(&resolver, requested, n_requested);
	parents_check(input, networks, count, true);
	return (struct parents){.all = resolver.parents,
				.count = resolver.n_parents,
				.networks = networks,
				.n_networks = count,
				.requested = requested,
				.n_requested = n_requested};
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
