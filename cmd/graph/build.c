#include "cmd/graph/graph.h"

#include "cmd/output_text.h"
#include "lib/hashmap.h"
#include "lib/memory.h"
#include "reconcile/plan/parent_link.h"
#include "schema/words.h"

#include <stdlib.h>
#include <string.h>

struct graph_builder {
	struct graph *graph;
	const struct live_ns *host;
	struct index *nodes; /* key -> number + 1 */
	struct index *links; /* alias -> struct live_link */
	struct index *homes; /* alias -> struct live_ns */
	const struct plan *plan;
	struct index *steps; /* alias, or "=" and the link's name -> 1 + the number of a step */
	bool with_set;
};

static enum graph_state state_of(const struct step *step)
{
	if (!step)
		return GRAPH_SAME;
	switch (step->action) {
	case ACTION_CREATE:
		return GRAPH_CREATE;
	case ACTION_CHANGE:
	case ACTION_REPLACE:
		return GRAPH_CHANGE;
	case ACTION_DELETE:
		return GRAPH_DELETE;
	case ACTION_PENDING:
		return GRAPH_PENDING;
	case ACTION_BLOCKED:
	case ACTION_REFUSED:
		return GRAPH_TROUBLE;
	case ACTION_KEPT:
		break;
	}
	return GRAPH_SAME;
}

/* The node of the key; creates it if necessary (*ret_new). */
static size_t node_of(struct graph_builder *builder, const char *key, bool *ret_new)
{
	struct graph *graph = builder->graph;
	size_t number = (size_t)(uintptr_t)index_get_text(builder->nodes, key);
	*ret_new = !number;
	if (number)
		return number - 1;
	array_push(graph->arena, graph->nodes, graph->n_nodes)->detail = "";
	index_put_text(builder->nodes, key, (void *)(uintptr_t)graph->n_nodes);
	return graph->n_nodes - 1;
}

static const char *node_key(const struct graph_builder *builder, enum graph_kind kind,
			    const char *key)
{
	return arena_printf(builder->graph->arena, "%d %s", (int)kind, key);
}

static bool node_known(const struct graph_builder *builder, enum graph_kind kind, const char *key)
{
	return index_get_text(builder->nodes, node_key(builder, kind, key)) != NULL;
}

static size_t node_put(struct graph_builder *builder, enum graph_kind kind, const char *key,
		       const char *title, const char *detail, enum graph_state state)
{
	bool fresh;
	size_t number = node_of(builder, node_key(builder, kind, key), &fresh);
	if (fresh)
		builder->graph->nodes[number] = (struct graph_node){
			.kind = kind, .state = state, .title = title, .detail = detail};
	return number;
}

static void edge_put(struct graph_builder *builder, size_t from, size_t to, const char *label,
		     enum graph_state state)
{
	struct graph *graph = builder->graph;
	*array_push(graph->arena, graph->edges, graph->n_edges) =
		(struct graph_edge){.from = from, .to = to, .state = state, .label = label};
}

static const struct step *step_at(const struct graph_builder *builder, const char *key)
{
	const size_t number = (size_t)(uintptr_t)index_get_text(builder->steps, key);
	return number ? &builder->plan->steps[number - 1] : NULL;
}

static const struct step *step_named(const struct graph_builder *builder, const char *name)
{
	return step_at(builder, arena_printf(builder->graph->arena, "=%s", name));
}

static const char *with_set(const struct graph_builder *builder, const char *set, const char *name)
{
	return builder->with_set ? arena_printf(builder->graph->arena, "%s:%s", set, name) : name;
}

/* "macvlan bridge 172.16.86.0/24 fd00:86::/64" */
static const char *network_detail(const struct graph_builder *builder,
				  const struct network *network)
{
	struct arena *arena = builder->graph->arena;
	char prefix[PREFIX_TEXT_SIZE];
	const char *text = arena_printf(arena, "%s %s", driver_name(network->driver),
					link_mode_name(network->mode));
	for (size_t i = 0; i < network->n_subnets; i++)
		text = arena_printf(arena, "%s %s", text,
				    prefix_format(&network->subnets[i].prefix, prefix));
	return text;
}

/* Whether it is a link of the host, or one that the plan creates. */
static bool link_known(const struct graph_builder *builder, const char *name)
{
	return live_link_by_name(builder->host, name) || step_named(builder, name);
}

/* The parent in the file. */
static size_t base_put(struct graph_builder *builder, const char *name)
{
	const bool in_vlan = node_known(builder, GRAPH_VLAN, name);
	const bool there = in_vlan || link_known(builder, name);
	return node_put(builder, in_vlan ? GRAPH_VLAN : GRAPH_PARENT, name, name,
			there ? "" : "missing", there ? GRAPH_SAME : GRAPH_MISSING);
}

/* The parent of the network: a link, a VLAN of it, or a dummy. */
static size_t parent_put(struct graph_builder *builder, const struct set *set,
			 const struct network *network)
{
	struct arena *arena = builder->graph->arena;
	if (!network->parent) {
		const struct owner_tag tag = {
			.role = ROLE_DUMMY, .set = set->name, .network = network->name};
		const char *key = owner_tag_identity(arena, &tag);
		return node_put(builder, GRAPH_PARENT, key, "a dummy", "",
				state_of(step_at(builder, key)));
	}
	const struct parent_link parent = parent_link_find(builder->host, network);
	size_t base = base_put(builder, parent.base_name);
	if (!parent.vlan)
		return base;
	const char *vlan = parent_link_name(&parent, arena);
	bool known = node_known(builder, GRAPH_VLAN, vlan);
	const bool there = link_known(builder, vlan);
	enum graph_state state = there ? state_of(step_named(builder, vlan)) : GRAPH_MISSING;
	size_t node = node_put(
		builder, GRAPH_VLAN, vlan, vlan,
		arena_printf(arena, "VLAN %u%s", parent.vlan, there ? "" : ", missing"), state);
	if (!known)
		edge_put(builder, base, node, "", state);
	return node;
}

static const char *network_key(const struct graph_builder *builder, const char *set,
			       const char *network)
{
	return arena_printf(builder->graph->arena, "%s/%s", set, network);
}

static size_t network_put(struct graph_builder *builder, const struct set *set,
			  const struct network *network)
{
	const char *key = network_key(builder, set->name, network->name);
	const struct step *reported =
		step_at(builder, arena_printf(builder->graph->arena, "?%s", key));
	size_t parent = parent_put(builder, set, network);
	size_t node =
		node_put(builder, GRAPH_NETWORK, key, with_set(builder, set->name, network->name),
			 network_detail(builder, network), state_of(reported));
	edge_put(builder, parent, node, "",
		 builder->graph->nodes[parent].state == GRAPH_MISSING ? GRAPH_MISSING : GRAPH_SAME);
	return node;
}

static const char *link_text(const struct graph_builder *builder, const struct live_ns *ns,
			     const struct live_link *link)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = memory_or_die(open_memstream(&text, &size));
	text_live_link(out, ns, link, false);
	fclose(out);
	const char *copy = arena_strdup(builder->graph->arena, memory_or_die(text));
	free(text);
	return copy;
}

static const char *link_label(const struct graph_builder *builder, const char *alias)
{
	const struct live_link *link = index_get_text(builder->links, alias);
	return link ? link_text(builder, index_get_text(builder->homes, alias), link) : "";
}

/* A link with the owner tag of an absent container may belong to another container. */
static const char *pending_label(const struct graph_builder *builder, const struct step *step)
{
	if (!step->current)
		return "";
	const char *text = link_text(builder, step->ns, step->current);
	return step->tag->container && strcmp(step->ns->name, step->tag->container) != 0
		       ? arena_printf(builder->graph->arena, "%s in %s", text, step->ns->name)
		       : text;
}

/* The desired state if it will be applied, otherwise the current one. */
static const char *attachment_label(const struct graph_builder *builder, const char *alias,
				    const struct step *step)
{
	struct arena *arena = builder->graph->arena;
	char prefix[PREFIX_TEXT_SIZE];
	if (step && step->action == ACTION_PENDING)
		return pending_label(builder, step);
	if (!step || !step->desired)
		return link_label(builder, alias);
	const char *text = arena_printf(arena, "%s%s", step->desired->name,
					step->desired->dhcp.enabled ? " dhcp" : "");
	for (size_t i = 0; i < step->desired->n_addrs; i++)
		text = arena_printf(arena, "%s %s", text,
				    prefix_format(&step->desired->addrs[i], prefix));
	return text;
}

static const char *container_detail(const struct graph_builder *builder,
				    const struct container *container)
{
	if (container->source_kind == SOURCE_NETNS &&
	    strcmp(container->source, container->name) == 0)
		return "";
	return arena_printf(builder->graph->arena, "%s %s",
			    source_kind_name(container->source_kind), container->source);
}

static void attachment_put(struct graph_builder *builder, size_t network, size_t container,
			   const struct owner_tag *tag)
{
	const char *alias = owner_tag_identity(builder->graph->arena, tag);
	const struct step *step = step_at(builder, alias);
	edge_put(builder, network, container, attachment_label(builder, alias, step),
		 state_of(step));
}

static void container_put(struct graph_builder *builder, const struct set *set,
			  const struct container *container)
{
	size_t node =
		node_put(builder, GRAPH_CONTAINER, network_key(builder, set->name, container->name),
			 with_set(builder, set->name, container->name),
			 container_detail(builder, container), GRAPH_SAME);
	for (size_t i = 0; i < container->n_attachments; i++) {
		const struct network *network = container->attachments[i].network;
		const struct owner_tag tag =
			owner_tag_of(set, container, &container->attachments[i]);
		size_t from = node_put(builder, GRAPH_NETWORK,
				       network_key(builder, set->name, network->name), "", "",
				       GRAPH_SAME);
		attachment_put(builder, from, node, &tag);
	}
}

static void host_put(struct graph_builder *builder, const struct set *set,
		     const struct network *network)
{
	const struct owner_tag tag = {
		.role = ROLE_HOST, .set = set->name, .network = network->name};
	size_t from = node_put(builder, GRAPH_NETWORK,
			       network_key(builder, set->name, network->name), "", "", GRAPH_SAME);
	attachment_put(builder, from,
		       node_put(builder, GRAPH_CONTAINER, "", "the host", "", GRAPH_SAME), &tag);
}

/* A container that no file declares, on a network that a file declares. */
static void guest_put(struct graph_builder *builder, const struct set *set,
		      const struct live_ns *ns, const struct live_link *link)
{
	struct arena *arena = builder->graph->arena;
	const struct guest_label label = owner_tag_guest(arena, &link->tag);
	const char *network = network_key(builder, set->name, link->tag.network);
	if (!node_known(builder, GRAPH_NETWORK, network))
		return;
	const size_t node = node_put(
		builder, GRAPH_CONTAINER, network_key(builder, set->name, link->tag.container),
		with_set(builder, set->name, label.name),
		arena_printf(arena, "attached by %s", label.source), GRAPH_SAME);
	edge_put(builder, node_put(builder, GRAPH_NETWORK, network, "", "", GRAPH_SAME), node,
		 link_text(builder, ns, link), GRAPH_SAME);
}

static void guests_put(struct graph_builder *builder, const struct set *set,
		       const struct live *live)
{
	for (size_t i = 1; i < live->n_namespaces; i++)
		for (size_t k = 0; k < live->namespaces[i]->n_links; k++) {
			const struct live_link *link = &live->namespaces[i]->links[k];
			if (link->tag.role == ROLE_GUEST && link->parent_where == PARENT_HOST &&
			    strcmp(link->tag.set, set->name) == 0)
				guest_put(builder, set, live->namespaces[i], link);
		}
}

static void set_put(struct graph_builder *builder, const struct set *set)
{
	for (size_t i = 0; i < set->n_networks; i++)
		network_put(builder, set, &set->networks[i]);
	for (size_t i = 0; i < set->n_networks; i++)
		if (set->networks[i].host.enabled)
			host_put(builder, set, &set->networks[i]);
	for (size_t i = 0; i < set->n_containers; i++)
		container_put(builder, set, &set->containers[i]);
}

/* The node of a live link of the host with links attached to it. */
static size_t live_parent_put(struct graph_builder *builder, const struct live_link *link)
{
	const struct step *step = link->tag.role == ROLE_DUMMY ? step_at(builder, link->alias)
							       : step_named(builder, link->name);
	enum graph_state state = state_of(step);
	const char *name = arena_strdup(builder->graph->arena, link->name);
	const struct live_link *base =
		link->kind == KIND_VLAN ? live_link_by_index(builder->host, link->parent) : NULL;
	enum graph_kind kind = base ? GRAPH_VLAN : GRAPH_PARENT;
	if (node_known(builder, kind, name) || !base)
		return node_put(builder, kind, name, name, "", state);
	size_t below = live_parent_put(builder, base);
	size_t node = node_put(builder, kind, name, name,
			       arena_printf(builder->graph->arena, "VLAN %u", link->vlan), state);
	edge_put(builder, below, node, "", state);
	return node;
}

/* A network that no file declares any more; one of its attachments may be kept for some time. */
static size_t leaving_network_put(struct graph_builder *builder, const struct step *step)
{
	const struct owner_tag *tag = step->tag;
	const char *key = network_key(builder, tag->set, tag->network);
	bool known = node_known(builder, GRAPH_NETWORK, key);
	size_t node = node_put(
		builder, GRAPH_NETWORK, key,
		with_set(builder, tag->set, arena_strdup(builder->graph->arena, tag->network)), "",
		state_of(step));
	const struct live_link *parent = live_link_by_index(builder->host, step->current->parent);
	if (!known && parent)
		edge_put(builder, live_parent_put(builder, parent), node, "", state_of(step));
	return node;
}

/* The container of the link, or for a stray the namespace of the link. */
static size_t leaving_end_put(struct graph_builder *builder, const struct step *step)
{
	struct arena *arena = builder->graph->arena;
	const struct owner_tag *tag = step->tag;
	if (!tag->container)
		return node_put(builder, GRAPH_CONTAINER, "", "the host", "", GRAPH_DELETE);
	const char *name = arena_strdup(arena, step->stray ? step->ns->name : tag->container);
	const char *key = step->stray ? arena_printf(arena, "stray %s", name)
				      : network_key(builder, tag->set, name);
	return node_put(builder, GRAPH_CONTAINER, key,
			step->stray ? name : with_set(builder, tag->set, name), "", GRAPH_DELETE);
}

/* Links that are deleted, or kept because their replacement is missing, are not declared. */
static void leaving_put(struct graph_builder *builder, const struct step *step)
{
	const struct owner_tag *tag = step->tag;
	if (tag->role == ROLE_VLAN || tag->role == ROLE_DUMMY) {
		(void)live_parent_put(builder, step->current);
		return;
	}
	size_t from = leaving_network_put(builder, step);
	edge_put(builder, from, leaving_end_put(builder, step),
		 link_text(builder, step->ns, step->current), state_of(step));
}

/* The state of a container is that of its attachments, if they agree. */
static void containers_finish(struct graph *graph)
{
	bool *seen = arena_alloc(graph->arena, graph->n_nodes);
	for (size_t i = 0; graph->nodes && i < graph->n_edges; i++) {
		struct graph_node *node = &graph->nodes[graph->edges[i].to];
		if (node->kind != GRAPH_CONTAINER)
			continue;
		if (!seen[graph->edges[i].to])
			node->state = graph->edges[i].state;
		else if (node->state != graph->edges[i].state)
			node->state = GRAPH_SAME;
		seen[graph->edges[i].to] = true;
	}
}

static void link_index(struct graph_builder *builder, struct live_ns *ns, struct live_link *link)
{
	const char *key = owner_tag_identity(builder->graph->arena, &link->tag);
	if (link->parent_where == PARENT_HOST && !index_put_text(builder->links, key, link))
		index_put_text(builder->homes, key, ns);
}

/* Links that are in the namespace that their owner tags name. */
static void links_index(struct graph_builder *builder, const struct live *live)
{
	struct live_ns *host = live->namespaces[0];
	for (size_t i = 0; i < host->n_links; i++)
		if (host->links[i].tag.role == ROLE_HOST)
			link_index(builder, host, &host->links[i]);
	for (size_t i = 0; i < live->n_containers; i++) {
		struct live_ns *ns = live->container_lookups[i].ns;
		for (size_t k = 0; ns && k < ns->n_links; k++)
			if (ns->links[k].tag.role == ROLE_ATTACH &&
			    strcmp(ns->links[k].tag.container,
				   live->container_lookups[i].container->name) == 0)
				link_index(builder, ns, &ns->links[k]);
	}
}

static bool undeclared(const struct step *step)
{
	return step->action == ACTION_DELETE ||
	       (step->action == ACTION_KEPT && !step_is_parent(step));
}

static const char *step_key(struct arena *arena, const struct step *step)
{
	switch (step->tag->role) {
	case ROLE_ATTACH:
	case ROLE_GUEST:
	case ROLE_HOST:
	case ROLE_DUMMY:
		return owner_tag_identity(arena, step->tag);
	case ROLE_VLAN:
		return arena_printf(arena, "=%s", step->name);
	case ROLE_PARENT:
		return arena_printf(arena, "?parent %s", step->name);
	case ROLE_NONE:
		break;
	}
	return arena_printf(arena, "?%s/%s", step->tag->set, step->tag->network);
}

/* A link that is deleted may have the owner tag of a declared attachment. */
static void steps_index(struct graph_builder *builder)
{
	const struct plan *plan = builder->plan;
	for (size_t i = 0; i < plan->n_steps; i++)
		if (!undeclared(&plan->steps[i]) || step_is_parent(&plan->steps[i]))
			index_put_text(builder->steps,
				       step_key(builder->graph->arena, &plan->steps[i]),
				       (void *)(uintptr_t)(i + 1));
}

struct graph graph_make(const struct desired *desired, const struct live *live,
			const struct plan *plan, struct arena *arena)
{
	struct graph graph = {.arena = arena};
	struct graph_builder builder = {.graph = &graph,
					.host = live->namespaces[0],
					.nodes = index_new(0),
					.links = index_new(0),
					.homes = index_new(0),
					.plan = plan,
					.steps = index_new(plan->n_steps),
					.with_set = desired->n_sets > 1};
	links_index(&builder, live);
	steps_index(&builder);
	for (size_t i = 0; i < desired->n_sets; i++)
		set_put(&builder, &desired->sets[i]);
	for (size_t i = 0; i < desired->n_sets; i++)
		guests_put(&builder, &desired->sets[i], live);
	for (size_t i = 0; i < plan->n_steps; i++)
		if (undeclared(&plan->steps[i]))
			leaving_put(&builder, &plan->steps[i]);
	containers_finish(&graph);
	index_free(builder.nodes);
	index_free(builder.links);
	index_free(builder.homes);
	index_free(builder.steps);
	return graph;
}
