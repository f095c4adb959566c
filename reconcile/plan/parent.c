#include "reconcile/plan/internal.h"

#include <string.h>

/* As in linux/if.h, which does not go with every libc's net/if.h. IFF_RUNNING comes a moment later.
 */
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

static struct check_result check_found(struct planner *planner, const struct net *net)
{
	const char *name = net->network->parent;
	if (net->parent->base || net->parent->make)
		return fine;
	return blocked(CODE_PARENT_ABSENT,
		       arena_printf(planner->arena, "the host has no link \"%s\"", name),
		       "`ip link` shows the host's links: name one of them as the parent, or bring "
		       "this one back");
}

/* The kernel puts a macvlan of a macvlan on the lowest device (macvlan_common_newlink, likewise
 * ipvlan_link_new), so that it would never be where the file says. */
static struct check_result check_kind(struct planner *planner, const struct net *net)
{
	const struct live_link *link = net->parent->link;
	if (!link || (link->kind != KIND_MACVLAN && link->kind != KIND_IPVLAN))
		return fine;
	return blocked(CODE_PARENT_STACKED,
		       arena_printf(planner->arena, "parent %s is a %s itself", link->name,
				    link->kind_name),
		       "name the link below it as the parent");
}

/* A port of a bridge, bond or team hands its frames to its master (netdev_rx_handler_register
 * gives EBUSY); a VRF does not work that way. */
static struct check_result check_free(struct planner *planner, const struct net *net)
{
	const struct live_link *link = net->parent->link;
	if (!link || !link->master)
		return fine;
	const struct live_link *master =
		live_link_by_index(planner->live->namespaces[0], link->master);
	if (!master || strcmp(master->kind_name, "vrf") == 0)
		return fine;
	return blocked(CODE_PARENT_PORT,
		       arena_printf(planner->arena, "parent %s is a port of %s %s", link->name,
				    master->kind_name, master->name),
		       arena_printf(planner->arena,
				    "use %s as the parent, or `ip link set %s "
				    "nomaster`",
				    master->name, link->name));
}

struct check_result parent_check_up(struct planner *planner, const struct parent *parent)
{
	const struct live_link *base = parent->base, *link = parent->link, *down = NULL;
	if (base && !(base->flags & IFF_UP))
		down = base;
	else if (link && !parent->make && !(link->flags & IFF_UP))
		down = link;
	if (!down)
		return fine;
	return blocked(CODE_PARENT_DOWN,
		       arena_printf(planner->arena, "parent %s is down", down->name),
		       arena_printf(planner->arena, "`ip link set %s up`", down->name));
}

/* vlan_dev_open gives ENETDOWN; a VLAN link that is there already can wait. */
static struct check_result check_up(struct planner *planner, const struct net *net)
{
	return net->parent->link ? fine : parent_check_up(planner, net->parent);
}

static struct check_result check_mtu(struct planner *planner, const struct net *net)
{
	const struct parent *parent = net->parent;
	uint32_t mtu = net->network->mtu;
	if (!net->network->parent || !parent->mtu || mtu <= parent->mtu)
		return fine;
	return blocked(CODE_PARENT_MTU,
		       arena_printf(planner->arena, "mtu %u is over the %u of parent %s", mtu,
				    parent->mtu, parent->name),
		       arena_printf(planner->arena, "`ip link set %s mtu %u`, or a lower mtu",
				    parent->base ? parent->base->name : parent->name, mtu));
}

static struct check_result check_parent(struct planner *planner, const struct net *net)
{
	(void)planner;
	return net->parent->check_result;
}

/* What has to hold before something new can be made on a parent; the first that fails is reported.
 */
static struct check_result (*const checks[])(struct planner *, const struct net *) = {
	check_found, check_parent, check_kind, check_free, check_up, check_mtu,
};

static struct check_result net_check(struct planner *planner, const struct net *net)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct check_result check_result = checks[i](planner, net);
		if (check_result.action != ACTION_CREATE)
			return check_result;
	}
	return fine;
}

static struct parent *parent_new(struct planner *planner)
{
	struct parent *parent = arena_alloc(planner->scratch, sizeof(*parent));
	*array_push(planner->scratch, planner->parents, planner->n_parents) = parent;
	return parent;
}

static struct link_spec *spec_new(struct planner *planner, const struct owner_tag *mark)
{
	struct link_spec *spec = arena_alloc(planner->arena, sizeof(*spec));
	spec->mark = *mark;
	spec->alias = owner_tag_format(planner->arena, mark);
	spec->ns = planner->live->namespaces[0];
	return spec;
}

static struct parent *dummy_resolve(struct planner *planner, const struct net *net)
{
	const struct owner_tag mark = {
		.role = ROLE_DUMMY, .set = net->set->name, .network = net->network->name};
	struct parent *parent = parent_new(planner);
	struct managed_link *managed = managed_find(planner, &mark, planner->live->namespaces[0]);
	if (managed) {
		managed->wanted = true;
		parent->link = managed->link;
	}
	parent->make = spec_new(planner, &mark);
	parent->make->kind = KIND_DUMMY;
	parent->mtu = net->network->mtu ? net->network->mtu : DUMMY_MTU;
	parent->make->mtu = parent->mtu;
	parent->name = derived_name(planner->arena, "mvd", net->set->name, net->network->name);
	parent->make->name = parent->name;
	parent->check_result = fine;
	return parent;
}

/* A VLAN link that an earlier network makes, for a VLAN inside a VLAN. */
static struct parent *parent_planned(const struct planner *planner, const char *name)
{
	for (size_t i = 0; i < planner->n_parents; i++)
		if (planner->parents[i]->make && strcmp(planner->parents[i]->name, name) == 0)
			return planner->parents[i];
	return NULL;
}

static void vlan_spec(struct planner *planner, struct parent *parent, const char *base_name)
{
	parent->make = spec_new(planner, &(struct owner_tag){.role = ROLE_VLAN});
	parent->make->kind = KIND_VLAN;
	parent->make->name = parent->name;
	parent->make->vlan = parent->vlan;
	parent->make->vlan_protocol = parent->vlan_protocol;
	parent->make->parent_name = base_name;
	parent->make->parent = parent->base ? parent->base->ifindex : 0;
	parent->make->mtu = parent->mtu;
}

static struct check_result vlan_name_check(struct planner *planner, const struct parent *parent)
{
	if (strlen(parent->name) < IFNAMSIZ)
		return fine;
	return blocked(CODE_VLAN_NAME,
		       arena_printf(planner->arena,
				    "the VLAN link's name %s is longer than %d bytes", parent->name,
				    IFNAMSIZ - 1),
		       arena_printf(planner->arena,
				    "make the link under a shorter name, it will be used: "
				    "`ip link add link %s name vlan%u type vlan id %u`",
				    parent->base ? parent->base->name : "PARENT", parent->vlan,
				    parent->vlan));
}

/* Whether a live VLAN link was made under a temporary name, and can have its own now: the link that
 * had it is ours, and leaves, or is gone. */
static bool vlan_gets_name(const struct planner *planner, const struct parent *parent)
{
	const struct live_link *holder =
		live_link_by_name(planner->live->namespaces[0], parent->name);
	return parent->link->mark.role == ROLE_VLAN &&
	       strncmp(parent->link->name, TEMPORARY_PREFIX, strlen(TEMPORARY_PREFIX)) == 0 &&
	       strlen(parent->name) < IFNAMSIZ && (!holder || holder->mark.role == ROLE_VLAN);
}

static void vlan_resolve(struct planner *planner, struct parent *parent,
			 const struct network *network)
{
	const struct live_ns *host = planner->live->namespaces[0];
	const struct parent *planned =
		parent->base ? NULL : parent_planned(planner, network->parent);
	if (!parent->base && !planned)
		return;

	const char *base_name = parent->base ? parent->base->name : planned->name;
	parent->mtu = parent->base ? parent->base->mtu : planned->mtu;
	if (parent->base)
		parent->link = vlan_live(host, parent->base, parent->vlan, parent->vlan_protocol);
	parent->name = arena_printf(planner->arena, "%s.%u", base_name, parent->vlan);
	if (!parent->link)
		parent->check_result = vlan_name_check(planner, parent);
	else if (!vlan_gets_name(planner, parent))
		parent->name = parent->link->name;
	if (!parent->link || parent->link->mark.role == ROLE_VLAN ||
	    (planner->options->adopt && parent->link->mark.role == ROLE_NONE))
		vlan_spec(planner, parent, base_name);
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

static struct parent *parent_resolve(struct planner *planner, const struct network *network)
{
	const struct live_link *base =
		live_link_by_name(planner->live->namespaces[0], network->parent);
	for (size_t i = 0; i < planner->n_parents; i++)
		if (parent_same(planner->parents[i], base, network))
			return planner->parents[i];

	struct parent *parent = parent_new(planner);
	*parent = (struct parent){.name = base ? base->name : network->parent,
				  .base_name = network->parent,
				  .base = base,
				  .vlan = network->vlan,
				  .vlan_protocol = network->vlan_protocol,
				  .mtu = base ? base->mtu : 0,
				  .check_result = fine};
	if (network->vlan)
		vlan_resolve(planner, parent, network);
	else
		parent->link = base;
	return parent;
}

/* What is live stays as it is meanwhile; only nothing passes. */
static void silence_warn(struct planner *planner, const struct parent *parent)
{
	const struct live_link *base = parent->base;
	if (base && !(base->flags & IFF_UP))
		warning_add(planner, "parent %s is down: nothing passes until `ip link set %s up`",
			    base->name, base->name);
	else if (base && !(base->flags & IFF_LOWER_UP))
		warning_add(
			planner,
			"parent %s has no carrier: nothing passes until its cable or peer is up",
			base->name);
}

void nets_resolve(struct planner *planner)
{
	for (size_t s = 0; s < planner->desired->n_sets; s++) {
		const struct set *set = &planner->desired->sets[s];
		for (size_t i = 0; i < set->n_networks; i++) {
			const struct network *network = &set->networks[i];
			struct net *net =
				array_push(planner->scratch, planner->nets, planner->n_nets);
			net->set = set;
			net->network = network;
			size_t before = planner->n_parents;
			net->parent = network->parent ? parent_resolve(planner, network)
						      : dummy_resolve(planner, net);
			if (planner->n_parents > before)
				silence_warn(planner, net->parent);
			const size_t size = network->n_subnets * sizeof(*net->cursors);
			net->cursors = arena_alloc(planner->scratch, size);
			net->claimed_cursors = arena_alloc(planner->scratch, size);
		}
	}
	vlans_mark(planner);
	for (size_t i = 0; i < planner->n_nets; i++)
		planner->nets[i].check_result = net_check(planner, &planner->nets[i]);
}

struct net *net_of(const struct planner *planner, const struct set *set,
		   const struct network *network)
{
	size_t offset = 0;
	for (const struct set *before = planner->desired->sets; before != set; before++)
		offset += before->n_networks;
	return &planner->nets[offset + (size_t)(network - set->networks)];
}

/* A network that cannot be made is reported once, with its own name. */
void nets_report(struct planner *planner)
{
	for (size_t i = 0; i < planner->n_nets; i++) {
		const struct net *net = &planner->nets[i];
		if (net->check_result.action == ACTION_CREATE)
			continue;
		const struct owner_tag mark = {.set = net->set->name,
					       .network = net->network->name};
		struct step *step = step_add(planner, net->check_result.action, &mark);
		step->network = net->network;
		step->code = net->check_result.code;
		step->reason = net->check_result.reason;
		step->hint = net->check_result.hint;
	}
}

static bool parent_used(const struct planner *planner, const struct parent *parent)
{
	for (size_t i = 0; i < planner->n_nets; i++)
		if (planner->nets[i].parent == parent &&
		    planner->nets[i].check_result.action == ACTION_CREATE)
			return true;
	return parent->link != NULL;
}

void parents_plan(struct planner *planner)
{
	parents_prune(planner);
	for (size_t i = 0; i < planner->n_parents; i++) {
		const struct parent *parent = planner->parents[i];
		if (!parent->make || parent->check_result.action != ACTION_CREATE ||
		    !parent_used(planner, parent))
			continue;
		struct step step = {.mark = parent->make->mark,
				    .set = parent->make->mark.set,
				    .name = parent->name,
				    .ns = parent->make->ns,
				    .current = parent->link,
				    .desired = parent->make};
		step_diff(planner, step);
	}
}
