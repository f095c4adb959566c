#include "reconcile/plan/parents.h"

#include "kernel/link_kind.h"
#include "reconcile/plan/link_name.h"
#include "reconcile/plan/parent_type.h"
#include "schema/words.h"

#include <string.h>
#include <sys/socket.h>

/* The rtnetlink default of a dummy (ether_setup). */
#define DUMMY_MTU 1500

static struct check_result blocked(enum code code, const char *reason, const char *hint)
{
	return (struct check_result){
		.action = ACTION_BLOCKED, .code = code, .reason = reason, .hint = hint};
}

static const struct check_result fine = {.action = ACTION_CREATE};

/* eth0.5000 and eth0.010, which are no short forms of VLANs. */
static bool seems_vlan(const struct network *network)
{
	const char *dot = strrchr(network->parent, '.');
	return dot && dot[1] && !dot[1 + strspn(dot + 1, "0123456789")] && !network->vlan &&
	       !network->short_form.parent;
}

static struct check_result check_found(const struct plan_input *input,
				       const struct resolved_network *resolved)
{
	const struct network *network = resolved->network;
	const struct short_form *short_form = &network->short_form;
	const char *none =
		arena_printf(input->arena, "the host has no link \"%s\"", network->parent);
	if (resolved->parent->base || resolved->parent->make)
		return fine;
	if (short_form->parent)
		none = arena_printf(input->arena, "%s, and no \"%s\" for its VLAN %u", none,
				    short_form->parent, short_form->vlan);
	return blocked(CODE_PARENT_ABSENT, none,
		       seems_vlan(network)
			       ? "NAME.VID is short for a VLAN with an id from 1 to 4094, without "
				 "leading zeros; `ip link` lists the host's links"
			       : "`ip link` lists the host's links: use one of them as the parent, "
				 "or create this one");
}

static struct check_result check_type(const struct plan_input *input,
				      const struct resolved_network *resolved)
{
	const struct parent *parent = resolved->parent;
	const struct live_link *link = parent->link ? parent->link : parent->base;
	const char *type = link ? parent_type_unfit(link, input->arena) : NULL;
	if (!type)
		return fine;
	return blocked(CODE_PARENT_TYPE,
		       arena_printf(input->arena,
				    "parent %s is not an Ethernet link: its type is %s", link->name,
				    type),
		       "macvlan, ipvlan and VLAN links are on Ethernet links only: use one as the "
		       "parent");
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

static bool link_comes_up(const struct live_link *link, const struct requested_link *request)
{
	return request ? request->up : link->flags & IFF_UP;
}

struct check_result parent_check_up(const struct plan_input *input, const struct parent *parent)
{
	const struct live_link *base = parent->base, *link = parent->link, *down = NULL;
	if (base && !link_comes_up(base, parent->base_request))
		down = base;
	else if (link && !parent->make && !link_comes_up(link, parent->link_request))
		down = link;
	if (!down)
		return fine;
	return blocked(
		CODE_PARENT_DOWN, arena_printf(input->arena, "parent %s is down", down->name),
		arena_printf(input->arena,
			     "`ip link set %s up`, or let mvapply do it with `manage_parent: "
			     "true` on the network",
			     down->name));
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
	const uint32_t mtu = resolved->network->mtu;
	const char *base = parent->base ? parent->base->name : parent->name;
	const uint32_t max = parent->base ? parent->base->max_mtu : 0;
	if (!resolved->network->parent || !parent->mtu)
		return fine;
	if (mtu > parent->mtu && max && mtu > max)
		return blocked(
			CODE_PARENT_MTU,
			arena_printf(input->arena,
				     "mtu %u is larger than %u, the largest that %s supports", mtu,
				     max, base),
			"set a lower mtu");
	if (mtu > parent->mtu)
		return blocked(
			CODE_PARENT_MTU,
			arena_printf(input->arena, "mtu %u is larger than the mtu %u of parent %s",
				     mtu, parent->mtu, parent->name),
			arena_printf(input->arena,
				     "`ip link set %s mtu %u`, or let mvapply do it with "
				     "`manage_parent: true` on the network; or set a lower mtu",
				     base, mtu));
	if (parent->mtu < IPV6_MTU_MIN && network_has_family(resolved->network, AF_INET6))
		return blocked(CODE_PARENT_MTU,
			       arena_printf(input->arena,
					    "the mtu %u of parent %s is too small for IPv6, which "
					    "requires %u",
					    parent->mtu, parent->name, IPV6_MTU_MIN),
			       arena_printf(input->arena,
					    "`ip link set %s mtu %u`, or remove the network's IPv6 "
					    "subnet",
					    base, IPV6_MTU_MIN));
	return fine;
}

/* `vlan_protocol` beside the name of a link that is there. */
static struct check_result check_protocol(const struct plan_input *input,
					  const struct resolved_network *resolved)
{
	const struct network *network = resolved->network;
	const struct live_link *link = resolved->parent->link;
	if (!link || !network->has_vlan_protocol || network->vlan ||
	    (link->kind == KIND_VLAN && link->vlan_protocol == network->vlan_protocol))
		return fine;
	return blocked(CODE_VLAN_UNMANAGED,
		       arena_printf(input->arena, "%s exists, but is not a VLAN of %s", link->name,
				    vlan_protocol_name(network->vlan_protocol)),
		       arena_printf(input->arena,
				    "remove `vlan_protocol` to use %s as it is, or write `parent: "
				    "%s` and `vlan: %u`",
				    link->name, network->short_form.parent,
				    network->short_form.vlan));
}

/* What the networks of a parent have to agree on. */
static const char *sharing_text(struct arena *arena, const struct network *network)
{
	const char *text = arena_printf(arena, "%s mode %s", driver_name(network->driver),
					link_mode_name(network->mode));
	if (network->ipvlan_flag != IPVLAN_BRIDGE)
		text = arena_printf(arena, "%s %s", text, ipvlan_flag_name(network->ipvlan_flag));
	return network->has_bclim ? arena_printf(arena, "%s bclim %d", text, network->bclim) : text;
}

/* The schema compares networks that name their parent alike. */
static struct check_result check_sharing(const struct plan_input *input,
					 const struct resolved_network *resolved)
{
	const struct network *network = resolved->network, *first = resolved->parent->first;
	const struct driver_info *driver = driver_info(network->driver);
	if (first == network || (driver->handler == driver_info(first->driver)->handler &&
				 network->mode != MODE_PASSTHRU && first->mode != MODE_PASSTHRU &&
				 (!driver->one_mode || network->mode == first->mode) &&
				 network->ipvlan_flag == first->ipvlan_flag &&
				 network_bclim(network) == network_bclim(first)))
		return fine;
	return blocked(CODE_PARENT_SHARED,
		       arena_printf(input->arena, "cannot be %s on %s, where network %s is %s",
				    sharing_text(input->arena, network), resolved->parent->name,
				    first->name, sharing_text(input->arena, first)),
		       "use the same driver, a mode that can share it, and the same `bclim` and "
		       "`ipvlan_flag`; or another parent");
}

static struct check_result check_parent(const struct plan_input *input,
					const struct resolved_network *resolved)
{
	(void)input;
	return resolved->parent->check_result;
}

static struct check_result check_request(const struct plan_input *input,
					 const struct resolved_network *resolved)
{
	const struct parent *parent = resolved->parent;
	(void)input;
	if (!resolved->network->manage_parent)
		return fine;
	if (parent->base_request && parent->base_request->check_result.action != ACTION_CREATE)
		return parent->base_request->check_result;
	return parent->link_request ? parent->link_request->check_result : fine;
}

#define MAX_CHECKS 7

/* The conditions for a new link on a parent; the first unmet one is reported. Those of the parent's
 * state come last: `manage_parent` changes it, but only for a network that meets the others. */
static struct check_result (*const checks[][MAX_CHECKS])(const struct plan_input *,
							 const struct resolved_network *) = {
	{check_found, check_type, check_protocol, check_parent, check_kind, check_free,
	 check_sharing},
	{check_request, check_up, check_mtu},
};

static void networks_check(const struct plan_input *input, struct resolved_network *networks,
			   size_t count, bool state)
{
	for (size_t i = 0; i < count; i++) {
		struct check_result *check_result = &networks[i].check_result;
		for (size_t k = 0;
		     k < MAX_CHECKS && checks[state][k] && check_result->action == ACTION_CREATE;
		     k++)
			*check_result = checks[state][k](input, &networks[i]);
	}
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
								     .check_result = fine};
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
	networks_check(input, networks, count, false);
	size_t n_requested;
	struct requested_link *requested =
		requested_links_find(input, networks, count, &n_requested);
	requests_assign(&resolver, requested, n_requested);
	networks_check(input, networks, count, true);
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
