#include "tests/unit/world.h"

#include "kernel/link_kind.h"
#include "lib/wrap.h"
#include "reconcile/plan/stages.h"
#include "schema/load.h"
#include "tests/unit/kernel_model.h"

#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* After the headers that it requires. */
#include <setjmp.h>

#include <cmocka.h>

struct live_link *world_link(struct live_ns *ns, const char *name, enum link_kind kind)
{
	int ifindex = 1;
	for (size_t i = 0; i < ns->n_links; i++)
		if (ns->links[i].ifindex > ifindex)
			ifindex = ns->links[i].ifindex;
	struct live_link *link = array_push(ns->arena, ns->links, ns->n_links);
	*link = (struct live_link){
		.ifindex = ifindex + 1,
		.type = ARPHRD_ETHER,
		.name = arena_strdup(ns->arena, name),
		.kind = kind,
		.kind_name = link_kind_name(kind),
		.alias = "",
		.mac = {.bytes = {0x52, 0x54, 0, 0, (uint8_t)ns->inode, (uint8_t)ifindex},
			.set = true},
		.mtu = 1500,
		.bclim = BCLIM_DEFAULT,
		.txqueuelen = link_type(kind)->txqueuelen,
		.flags = IFF_UP | IFF_LOWER_UP};
	return link;
}

struct live_ns *world_ns(struct live *live, const char *name)
{
	for (size_t i = 0; i < live->n_namespaces; i++)
		if (strcmp(live->namespaces[i]->name, name) == 0)
			return live->namespaces[i];
	struct arena *arena = arena_new();
	struct live_ns *ns = arena_alloc(arena, sizeof(*ns));
	*ns = (struct live_ns){.arena = arena,
			       .inode = live->n_namespaces + 1,
			       .name = arena_strdup(arena, name),
			       .host = live->n_namespaces == 0,
			       .details = true};
	*array_push(live->arena, live->namespaces, live->n_namespaces) = ns;
	return ns;
}

struct live *world_new(void)
{
	struct arena *arena = arena_new();
	struct live *live = arena_alloc(arena, sizeof(*live));
	*live = (struct live){.arena = arena, .addr_proto = true};
	struct live_ns *host = world_ns(live, "the host");
	world_link(host, "eth0", KIND_OTHER);
	world_link(host, "eth1", KIND_OTHER);
	world_ns(live, "web");
	world_ns(live, "db");
	world_ns(live, "ci");
	return live;
}

void world_free(struct live *live)
{
	for (size_t i = 0; i < live->n_namespaces; i++)
		arena_free(live->namespaces[i]->arena);
	arena_free(live->arena);
}

static struct prefix prefix_of(const char *text)
{
	struct prefix prefix;
	assert_true(prefix_parse(text, &prefix));
	return prefix;
}

void world_addr(struct live_ns *ns, int ifindex, const char *prefix, uint8_t proto)
{
	*array_push(ns->arena, ns->addrs, ns->n_addrs) =
		(struct live_addr){.ifindex = ifindex, .prefix = prefix_of(prefix), .proto = proto};
}

void world_lease(struct live_ns *ns, int ifindex, const char *prefix, uint32_t valid,
		 uint32_t preferred)
{
	world_addr(ns, ifindex, prefix, OWNER_TAG_PROTOCOL);
	ns->addrs[ns->n_addrs - 1].valid = valid;
	ns->addrs[ns->n_addrs - 1].preferred = preferred;
}

void world_route(struct live_ns *ns, int ifindex, const char *to, const char *via, uint8_t proto)
{
	struct live_route *route = array_push(ns->arena, ns->routes, ns->n_routes);
	*route = (struct live_route){.ifindex = ifindex, .to = prefix_of(to), .proto = proto};
	route->options.scope = via || route->to.ip.family == AF_INET6 ? SCOPE_GLOBAL : SCOPE_LINK;
	route->options.metric = route->to.ip.family == AF_INET6 ? 1024 : 0;
	if (via)
		assert_true(ip_parse(via, &route->via));
}

static struct live_link *link_at(struct live_ns *ns, int ifindex)
{
	for (size_t i = 0; i < ns->n_links; i++)
		if (ns->links[i].ifindex == ifindex)
			return &ns->links[i];
	return NULL;
}

void world_containers(struct live *live, const struct desired *desired)
{
	live->n_containers = 0;
	for (size_t s = 0; s < desired->n_sets; s++) {
		for (size_t c = 0; c < desired->sets[s].n_containers; c++) {
			const struct container *container = &desired->sets[s].containers[c];
			struct container_lookup target = {.container = container,
							  .state = CONTAINER_PENDING,
							  .reason = "no network namespace yet"};
			for (size_t i = 1; i < live->n_namespaces; i++)
				if (strcmp(live->namespaces[i]->name, container->source) == 0)
					target = (struct container_lookup){
						.container = container, .ns = live->namespaces[i]};
			*array_push(live->arena, live->container_lookups, live->n_containers) =
				target;
		}
	}
	live_containers_link(live);
}

static void sysctl_set(struct live_ns *ns, struct live_link *link, const struct link_sysctl *sysctl)
{
	for (size_t i = 0; i < link->n_sysctls; i++) {
		if (strcmp(link->sysctls[i].key, sysctl->key) == 0) {
			link->sysctls[i].value = arena_strdup(ns->arena, sysctl->value);
			return;
		}
	}
	*array_push(ns->arena, link->sysctls, link->n_sysctls) =
		(struct live_sysctl){.key = arena_strdup(ns->arena, sysctl->key),
				     .value = arena_strdup(ns->arena, sysctl->value)};
}

/* A refusal of the kernel is a fault of the plan. */
static void done(int status, const char *what)
{
	if (status < 0)
		fail_msg("cannot %s: %s", what, strerror(-status));
}

static void route_put(struct live_ns *ns, int ifindex, const struct link_route *route, bool replace)
{
	done(kernel_route_add(ns, ifindex, route, OWNER_TAG_PROTOCOL, replace), "add a route");
}

static struct live_link like(const struct link_spec *desired, const char *name, int parent)
{
	return (struct live_link){.name = name,
				  .type = ARPHRD_ETHER,
				  .kind = desired->kind,
				  .mac = desired->mac,
				  .mtu = desired->mtu,
				  .mode = desired->mode,
				  .bcqueuelen = desired->bcqueuelen,
				  .bclim = desired->has_bclim ? desired->bclim : BCLIM_DEFAULT,
				  .ipvlan_flag = desired->ipvlan_flag,
				  .txqueuelen = desired->txqueuelen,
				  .vlan = desired->vlan,
				  .vlan_protocol = desired->vlan_protocol,
				  .parent = parent,
				  .master = desired->vrf,
				  .parent_where = parent ? PARENT_HOST : PARENT_NONE};
}

static void addr_put(struct live *live, struct live_ns *ns, int ifindex,
		     const struct link_spec *desired, const struct prefix *addr, bool replace)
{
	const struct addr_terms terms = link_spec_addr_terms(desired, addr);
	done(kernel_addr_add(live, ns, ifindex, addr, terms.protocol, replace), "add an address");
	for (size_t i = 0; i < ns->n_addrs; i++)
		if (ns->addrs[i].ifindex == ifindex && prefix_equal(&ns->addrs[i].prefix, addr)) {
			ns->addrs[i].valid = terms.valid;
			ns->addrs[i].preferred = terms.preferred;
			ns->addrs[i].metric = terms.metric;
		}
}

/* The link of one step in the live state, which changes under the plan's pointers. */
struct target {
	struct live *live;
	const struct link_spec *spec; /* NULL: it is deleted */
	struct live_ns *ns;
	int ifindex;      /* 0: there is none (any more) */
	int parent;       /* of the new link; 0: it has none */
	const char *name; /* of the new link */
};

static const struct link_spec *spec_of(const struct target *target)
{
	if (!target->spec)
		fail_msg("a link that is only deleted has no properties to set");
	return target->spec;
}

static void create(struct target *target)
{
	const struct link_spec *spec = spec_of(target);
	const struct live_link link = like(spec, target->name, target->parent);
	assert_true(!spec->parent_name || target->parent);
	target->ns = spec->ns;
	done(kernel_link_add(target->live, target->ns, &link, &target->ifindex), "create a link");
}

static void operation_do(struct target *target, const struct operation *operation);

static void restore(struct target *target)
{
	const struct operations operations =
		restore_operations(target->live->arena, spec_of(target));
	for (size_t i = 0; i < operations.count; i++) {
		struct operation operation = operations.all[i];
		operation.replace = true;
		operation_do(target, &operation);
	}
}

static void operation_do(struct target *target, const struct operation *operation)
{
	struct live *live = target->live;
	struct live_ns *ns = target->ns;
	const int ifindex = target->ifindex;
	switch (operation->type) {
	case OP_LINK_NEW:
		create(target);
		break;
	case OP_LINK_ALIAS:
		done(kernel_link_alias(ns, ifindex, spec_of(target)->alias), "mark a link");
		break;
	case OP_LINK_DELETE:
		(void)kernel_link_delete(live, ns, ifindex);
		target->ifindex = 0;
		break;
	case OP_LINK_RENAME:
		done(kernel_link_rename(ns, ifindex, operation->name, true), "rename a link");
		break;
	case OP_LINK_MAC:
		done(kernel_link_mac(live, ns, ifindex, &operation->mac), "set a MAC");
		break;
	case OP_LINK_MTU:
		done(kernel_link_mtu(live, ns, ifindex, spec_of(target)->mtu), "set an MTU");
		break;
	case OP_LINK_MODE:
		done(kernel_link_mode(ns, ifindex, spec_of(target)->mode), "set a mode");
		break;
	case OP_LINK_BCQUEUELEN:
		done(kernel_link_bcqueuelen(ns, ifindex, spec_of(target)->bcqueuelen),
		     "set bcqueuelen");
		break;
	case OP_LINK_BCLIM:
		done(kernel_link_bclim(target->live, ns, ifindex, spec_of(target)->bclim),
		     "set bclim");
		break;
	case OP_LINK_IPVLAN_FLAG:
		done(kernel_link_ipvlan_flag(target->live, ns, ifindex,
					     spec_of(target)->ipvlan_flag),
		     "set ipvlan_flag");
		break;
	case OP_LINK_TXQUEUELEN:
		done(kernel_link_txqueuelen(ns, ifindex, spec_of(target)->txqueuelen),
		     "set txqueuelen");
		break;
	case OP_LINK_PROMISC:
		done(kernel_link_flag(ns, ifindex, IFF_PROMISC, spec_of(target)->promisc),
		     "set promisc");
		break;
	case OP_LINK_ALLMULTICAST:
		done(kernel_link_flag(ns, ifindex, IFF_ALLMULTI, spec_of(target)->allmulticast),
		     "set allmulticast");
		break;
	case OP_ALTNAME_DELETE:
		done(kernel_altname_delete(ns, ifindex, operation->name), "remove an altname");
		break;
	case OP_ALTNAME_ADD:
		done(kernel_altname_add(ns, ifindex, operation->name), "add an altname");
		break;
	case OP_LINK_UP:
		done(kernel_link_up(live, ns, ifindex), "bring a link up");
		break;
	case OP_LINK_DOWN:
		done(kernel_link_down(ns, ifindex), "bring a link down");
		break;
	case OP_SYSCTL_SET:
		sysctl_set(ns, link_at(ns, ifindex), operation->sysctl);
		break;
	case OP_ADDR_DELETE:
		(void)kernel_addr_delete(ns, ifindex, operation->addr);
		break;
	case OP_ADDR_ADD:
		addr_put(live, ns, ifindex, spec_of(target), operation->addr, operation->replace);
		break;
	case OP_ROUTE_DELETE:
		(void)kernel_route_delete(ns, ifindex, operation->route);
		break;
	case OP_ROUTE_ADD:
		route_put(ns, ifindex, operation->route, operation->replace);
		break;
	case OP_RULE_DELETE:
		(void)kernel_rule_delete(ns, operation->rule);
		break;
	case OP_RULE_ADD:
		(void)kernel_rule_add(ns, operation->rule);
		break;
	case OP_RESTORE:
		if (operation->certain)
			restore(target);
		break;
	case OP_LINK_MOVE: /* it is created there */
	case OP_LEASE:     /* no server is in the model: see world_lease */
	case N_OPERATION_TYPES:
		break;
	}
}

/* The step that creates or changes the parent finds the link under any current name. */
static int parent_now(const struct stages *stages, const struct plan *plan,
		      const struct target *lookups, const struct link_spec *spec)
{
	const struct step *step = stages_parent(stages, spec);
	if (step)
		return lookups[step - plan->steps].ifindex;
	if (spec->parent || !spec->parent_name)
		return spec->parent;
	const struct live_link *link =
		live_link_by_name(lookups->live->namespaces[0], spec->parent_name);
	return link ? link->ifindex : 0;
}

static void item_do(struct target *target, const struct stage_item *item, size_t number)
{
	struct arena *arena = target->live->arena;
	const struct operations operations = stage_operations(arena, item);
	if (target->spec)
		target->name = item->temporary
				       ? arena_printf(arena, TEMPORARY_PREFIX "%08zx", number)
				       : target->spec->name;
	for (size_t i = 0; i < operations.count; i++)
		operation_do(target, &operations.all[i]);
}

void world_apply(struct live *live, const struct plan *plan)
{
	struct target *lookups = arena_alloc(live->arena, (plan->n_steps + 1) * sizeof(*lookups));
	const struct selection all = selection_all(plan, live->arena);
	const struct stages stages = stages_of(live->arena, &all, live);
	for (size_t i = 0; i < plan->n_steps; i++)
		lookups[i] = (struct target){
			.live = live,
			.spec = plan->steps[i].desired,
			.ns = plan->steps[i].ns,
			.ifindex = plan->steps[i].current ? plan->steps[i].current->ifindex : 0};
	for (size_t i = 0; i < stages.count; i++) {
		const size_t number = (size_t)(stages.items[i].step - plan->steps);
		struct target *target = &lookups[number];
		if (target->spec)
			target->parent = parent_now(&stages, plan, lookups, target->spec);
		item_do(target, &stages.items[i], number);
	}
}

static struct desired *desired_load(const char *yaml, struct diags *diags)
{
	const struct input input = {.file = "test.yaml", .bytes = yaml, .size = strlen(yaml)};
	diags_init(diags);
	return load(&input, 1, NULL, diags);
}

struct desired *desired_from(const char *yaml)
{
	struct diags diags;
	struct desired *desired = desired_load(yaml, &diags);
	for (size_t i = 0; i < diags.count; i++)
		print_error("%s", diag_format(diags.arena, &diags.items[i], WRAP_NEVER));
	assert_non_null(desired);
	diags_free(&diags);
	return desired;
}

struct desired *desired_try(const char *yaml)
{
	struct diags diags;
	struct desired *desired = desired_load(yaml, &diags);
	diags_free(&diags);
	return desired;
}

static const char *id_of(const struct plan *plan, const struct step *step)
{
	if (step->tag->role == ROLE_ATTACH)
		return arena_printf(plan->arena, "%s/%s", step->tag->container, step->tag->network);
	return step->tag->role == ROLE_HOST || step->tag->role == ROLE_NONE ? step->tag->network
									    : step->name;
}

static const char *changes_text(const struct plan *plan, const struct step *step)
{
	const char *text = "";
	for (size_t i = 0; i < step->n_changes; i++) {
		const struct change *change = &step->changes[i];
		const char *key = change->field == FIELD_SYSCTL ? change->sysctl.key
								: field_name(change->field);
		text = arena_printf(plan->arena, "%s%s %s %s -> %s", text, i ? "," : "", key,
				    change->from ? change->from : "none",
				    change->to ? change->to : "none");
	}
	return text;
}

const char *plan_text(const struct plan *plan)
{
	static const char *const actions[] = {"create", "change",  "replace", "delete",
					      "kept",   "pending", "blocked", "refused"};
	const char *text = "";
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		assert_true(step->code ||
			    (step->action != ACTION_BLOCKED && step->action != ACTION_REFUSED));
		text = arena_printf(plan->arena, "%s%s%s %s%s", text, i ? "; " : "",
				    actions[step->action], id_of(plan, step),
				    step->reason ? arena_printf(plan->arena, ": %s", step->reason)
						 : changes_text(plan, step));
	}
	return text;
}

const struct plan_options open_options = {.unguarded = true};
const struct plan_options adopt_options = {.unguarded = true, .adopt = true};

const struct plan *world_plan(struct live *live, const struct desired *desired)
{
	world_containers(live, desired);
	return plan_make(desired, live, &open_options);
}

void world_expect(struct live *live, const char *yaml, const struct plan_options *options,
		  const char *expected)
{
	struct desired *desired = desired_from(yaml);
	world_containers(live, desired);
	const struct plan *plan = plan_make(desired, live, options);
	assert_string_equal(plan_text(plan), expected);
	plan_free(plan);
	desired_free(desired);
}

void world_reach(struct live *live, const char *yaml)
{
	struct desired *desired = desired_from(yaml);
	const struct plan *plan = world_plan(live, desired);
	world_apply(live, plan);
	plan_free(plan);
	desired_free(desired);
	world_expect(live, yaml, &open_options, "");
}
