#include "cmd/status/model.h"

#include "kernel/link_kind.h"
#include "reconcile/plan/parent_link.h"
#include "schema/words.h"

#include <linux/rtnetlink.h>
#include <string.h>

static bool set_selected(const struct desired *desired, const char *set)
{
	for (size_t i = 0; i < desired->n_sets; i++)
		if (strcmp(desired->sets[i].name, set) == 0)
			return true;
	return desired->n_sets == 0;
}

static const struct step *step_of(const struct plan *plan, const struct live_link *link)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].current == link)
			return &plan->steps[i];
	return NULL;
}

static const char *parent_name(const struct live *live, const struct live_link *link)
{
	const struct live_link *parent =
		live_parent_away(link) ? NULL
				       : live_link_by_index(live->namespaces[0], link->parent);
	return parent ? parent->name : NULL;
}

static void addrs_add(struct status_model *model, struct status_model_link *link)
{
	each_addr_of (addr, link->ns, link->link->ifindex)
		if (addr->scope < RT_SCOPE_LINK)
			*array_push(model->arena, link->addrs, link->n_addrs) = addr;
}

static void gateways_add(struct status_model_link *link)
{
	each_route_of (route, link->ns, link->link->ifindex)
		if (live_route_is_default(route))
			link->gateways[route->to.ip.family == AF_INET6] = route->via;
}

/* Names of namespaces that engines and CNI create, and paths, do not identify the container. */
static bool named_by_engine(const char *name)
{
	static const char *const prefixes[] = {"docker ", "podman ", "netns-", "cni-", "/"};
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

/* The plan deletes a link that is in another container's namespace (stray). Without files, only its
 * name shows this. */
static const char *place_of(const struct desired *desired, const struct live_ns *ns,
			    const struct live_link *link, const struct step *step)
{
	const char *container = link->tag.role == ROLE_GUEST ? NULL : link->tag.container;
	const bool own = desired->n_sets && !(step && step->action == ACTION_DELETE);
	if (step && step->stray)
		return ns->name;
	return !container || own || named_by_engine(ns->name) || strcmp(ns->name, container) == 0
		       ? NULL
		       : ns->name;
}

static void link_add(struct status_model *model, const struct desired *desired,
		     const struct live *live, const struct plan *plan, const struct live_ns *ns,
		     const struct live_link *live_link)
{
	struct status_model_link *link = array_push(model->arena, model->links, model->n_links);
	*link = (struct status_model_link){
		.ns = ns,
		.link = live_link,
		.parent = parent_name(live, live_link),
		.lease = live_lease(live, ns, live_link),
		.step = step_of(plan, live_link),
	};
	link->container = live_link->tag.container;
	if (live_link->tag.role == ROLE_GUEST) {
		const struct guest_label label = owner_tag_guest(model->arena, &live_link->tag);
		link->container = label.name;
		link->guest = label.source;
	}
	link->place = place_of(desired, ns, live_link, link->step);
	addrs_add(model, link);
	gateways_add(link);
}

static bool parent_selected(const struct desired *desired, const struct owner_tag *tag)
{
	if (tag->role == ROLE_DUMMY)
		return set_selected(desired, tag->set);
	bool selected = desired->n_sets == 0;
	for (size_t i = 0; i < tag->n_sets; i++)
		selected |= set_selected(desired, tag->sets[i]);
	return selected;
}

/* An attachment whose parent was moved away belongs to this host if the plan says so. */
static bool attachment_managed(const struct plan *plan, const struct live_link *link)
{
	return role_in_container(link->tag.role) &&
	       (link->parent_where == PARENT_HOST ||
		(live_parent_away(link) && step_of(plan, link)));
}

static void namespace_add_links(struct status_model *model, const struct desired *desired,
				const struct live *live, const struct plan *plan,
				const struct live_ns *ns)
{
	for (size_t i = 0; i < ns->n_links; i++) {
		const struct live_link *link = &ns->links[i];
		enum role role = link->tag.role;
		if (attachment_managed(plan, link) || (role == ROLE_HOST && ns->host)) {
			if (set_selected(desired, link->tag.set))
				link_add(model, desired, live, plan, ns, link);
		} else if ((role == ROLE_VLAN || role == ROLE_DUMMY) && ns->host &&
			   parent_selected(desired, &link->tag)) {
			*array_push(model->arena, model->parents, model->n_parents) =
				(struct status_model_parent){.link = link,
							     .base = parent_name(live, link)};
		}
	}
}

static struct status_model_network *network_find(const struct status_model *model, const char *set,
						 const char *name)
{
	for (size_t i = 0; i < model->n_networks; i++)
		if (strcmp(model->networks[i].set, set) == 0 &&
		    strcmp(model->networks[i].name, name) == 0)
			return &model->networks[i];
	return NULL;
}

/* The link that the network uses, by its own name, or the one that it would create. */
static const char *declared_parent(struct status_model *model, const struct live *live,
				   const struct network *network)
{
	if (!network->parent)
		return NULL;
	const struct parent_link parent = parent_link_find(live->namespaces[0], network);
	return parent_link_name(&parent, model->arena);
}

static void declared_add(struct status_model *model, const struct desired *desired,
			 const struct live *live)
{
	for (size_t s = 0; s < desired->n_sets; s++) {
		const struct set *set = &desired->sets[s];
		for (size_t i = 0; i < set->n_networks; i++) {
			const struct network *network = &set->networks[i];
			*array_push(model->arena, model->networks, model->n_networks) =
				(struct status_model_network){
					.set = set->name,
					.name = network->name,
					.driver = driver_name(network->driver),
					.mode = link_mode_name(network->mode),
					.parent = declared_parent(model, live, network),
					.subnets = network->subnets,
					.n_subnets = network->n_subnets,
					.dhcp = network->dhcp,
					.accept_ra = network->accept_ra,
				};
		}
	}
}

static void subnets_derive(struct status_model *model, struct status_model_network *network,
			   const struct status_model_link *link)
{
	struct subnet *subnets = NULL;
	for (size_t i = 0; i < link->n_addrs; i++) {
		const struct prefix *prefix = &link->addrs[i]->prefix;
		struct subnet *subnet = array_push(model->arena, subnets, network->n_subnets);
		subnet->prefix = prefix_subnet(prefix);
		subnet->gateway = link->gateways[prefix->ip.family == AF_INET6];
	}
	network->subnets = subnets;
}

/* Networks that no file declares, with the properties of their first attachment: preferably one in
 * a namespace with the container's name, as anybody else may have created the others. */
static void derived_add(struct status_model *model, bool named)
{
	for (size_t i = 0; i < model->n_links; i++) {
		const struct status_model_link *link = &model->links[i];
		const struct owner_tag *tag = &link->link->tag;
		if (tag->role != ROLE_ATTACH || network_find(model, tag->set, tag->network) ||
		    (named && strcmp(tag->container, link->ns->name) != 0))
			continue;
		struct status_model_network *network =
			array_push(model->arena, model->networks, model->n_networks);
		*network = (struct status_model_network){
			.set = tag->set,
			.name = tag->network,
			.driver = link_kind_name(link->link->kind),
			.mode = link->link->mode_known ? link_mode_name(link->link->mode) : "other",
			.parent = link->parent,
		};
		subnets_derive(model, network, link);
	}
}

struct status_model status_model_make(const struct desired *desired, const struct live *live,
				      const struct plan *plan)
{
	struct status_model model = {.arena = arena_new()};
	declared_add(&model, desired, live);
	for (size_t i = 0; i < live->n_namespaces; i++)
		namespace_add_links(&model, desired, live, plan, live->namespaces[i]);
	derived_add(&model, true);
	derived_add(&model, false);
	return model;
}

void status_model_free(struct status_model *model)
{
	arena_free(model->arena);
}
