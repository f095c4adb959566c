#include "cmd/output_ip.h"

#include "cmd/output_json.h"
#include "kernel/link_kind.h"
#include "lib/printable.h"
#include "reconcile/plan/stages.h"

#include <string.h>

struct writer {
	FILE *out;
	struct arena *arena;
	const struct plan *plan;
	const struct live *live;
	const struct origin *origins;
	bool with_set;
	struct stages stages;
	const char **names; /* by step: the current name of its link; NULL: it has none yet */
};

/* The link of one step. */
struct target {
	const struct writer *writer;
	const struct link_spec *spec;
	const struct live_ns *ns;
	struct ip_netns namespace; /* its current or future namespace */
	struct ip_netns home;      /* its final namespace */
	const char *name;          /* its current name, not quoted */
};

static struct ip_netns namespace_of(const struct writer *writer, const struct live_ns *ns)
{
	return ip_netns_of(writer->arena, writer->live, writer->origins, ns);
}

/* A link's name or alias. */
static const char *name_quoted(const struct writer *writer, const char *name)
{
	return shell_quote_name(writer->arena, name);
}

static void head(const struct writer *writer, const struct step *step)
{
	fprintf(writer->out, "\n# %s %s %s\n", text_sign(step->action), step_noun(step),
		step_id(writer->arena, step, writer->with_set));
}

/* `verb`: add, replace or del. An added address has no duplicate detection, and mvapply's protocol,
 * if ip supports it. */
static void put_address(const struct writer *writer, const struct ip_netns *namespace,
			const char *verb, const struct prefix *addr, const char *metric,
			const char *name)
{
	char text[PREFIX_TEXT_SIZE];
	bool ipv6 = addr->ip.family == AF_INET6, added = strcmp(verb, "del") != 0;
	const char *extra = !added ? "" : ipv6 ? " nodad" : addr->len < 31 ? " brd +" : "";
	fprintf(writer->out, "%s address %s %s%s dev %s%s%s\n", namespace->ip, verb,
		prefix_format(addr, text), extra, name, metric, added ? " $proto" : "");
}

static void put_route(const struct writer *writer, const struct ip_netns *namespace,
		      const char *verb, const struct link_route *route, const char *name)
{
	char text[ROUTE_TEXT_SIZE];
	const char *family = route->to.ip.family == AF_INET6 ? " -6" : "";
	const bool dev = !route->options.type;
	fprintf(writer->out, "%s%s route %s %s%s%s proto %d\n", namespace->ip, family, verb,
		link_route_format(route, text), dev ? " dev " : "", dev ? name : "",
		OWNER_TAG_PROTOCOL);
}

/* `verb`: add or del. */
static void put_rule(const struct target *target, const char *verb, const struct policy_rule *rule)
{
	char text[POLICY_RULE_TEXT_SIZE];
	fprintf(target->writer->out, "%s%s rule %s pref %u %s protocol %d\n", target->namespace.ip,
		rule->from.ip.family == AF_INET6 ? " -6" : "", verb, rule->priority,
		policy_rule_terms(rule, text), OWNER_TAG_PROTOCOL);
}

/* Rejected: sysctl(8), which splits a name at dots, slashes and equals signs. A sysctl that the
 * file does not set may be missing. */
static void put_sysctl(const struct writer *writer, const struct ip_netns *namespace,
		       const struct link_sysctl *sysctl, const char *name)
{
	char *key = arena_strdup(writer->arena, sysctl->key);
	for (char *at = key; *at; at++)
		*at = *at == '.' ? '/' : *at;
	const char *rest = strstr(key, "IFNAME");
	const char *file = arena_printf(writer->arena, "/proc/sys/%.*s%s%s", (int)(rest - key), key,
					name, rest + strlen("IFNAME"));
	fprintf(writer->out, "%ssh -c 'printf \"%%s\\n\" \"$1\"%s' sh %s %s\n", namespace->enter,
		sysctl->required ? " > \"$2\"" : " 2>/dev/null > \"$2\" || :",
		shell_quote(writer->arena, sysctl->value), name_quoted(writer, file));
}

/* ip cannot request a lease. */
static void put_dhcp(const struct writer *writer, const struct link_spec *desired)
{
	fprintf(writer->out, "# DHCP (udhcpc) assigns the IPv4 address of %s\n",
		printable(writer->arena, desired->name));
}

static size_t number_of(const struct writer *writer, const struct step *step)
{
	return (size_t)(step - writer->plan->steps);
}

/* The current name of the parent. */
static const char *parent_name(const struct writer *writer, const struct link_spec *spec)
{
	const struct step *parent = stages_parent(&writer->stages, spec);
	const char *name = parent ? writer->names[number_of(writer, parent)] : NULL;
	return name ? name : spec->parent_name;
}

/* In the host's namespace. */
static void put_new(const struct target *target)
{
	const struct writer *writer = target->writer;
	const struct link_spec *spec = target->spec;
	char mac[MAC_TEXT_SIZE];
	fputs("ip link add", writer->out);
	if (spec->parent_name)
		fprintf(writer->out, " link %s", name_quoted(writer, parent_name(writer, spec)));
	fprintf(writer->out, " name %s", name_quoted(writer, target->name));
	if (spec->mac.set && !link_kind_shares_mac(spec->kind))
		fprintf(writer->out, " address %s", mac_format(&spec->mac, mac));
	if (spec->mtu)
		fprintf(writer->out, " mtu %u", spec->mtu);
	if (spec->has_txqueuelen)
		fprintf(writer->out, " txqueuelen %u", spec->txqueuelen);
	if (spec->vrf)
		fprintf(writer->out, " master %s", name_quoted(writer, spec->vrf_name));
	fprintf(writer->out, " type %s\n", link_type_text(writer->arena, spec));
}

static void put_move(struct target *target)
{
	const struct writer *writer = target->writer;
	if (!target->home.netns)
		return;
	fprintf(writer->out, "%s link set dev %s netns %s name %s\n", target->namespace.ip,
		name_quoted(writer, target->name), target->home.netns,
		name_quoted(writer, target->spec->name));
	target->namespace = target->home;
	target->name = target->spec->name;
}

static void put_delete(struct target *target)
{
	fprintf(target->writer->out, "%s link delete dev %s\n", target->namespace.ip,
		name_quoted(target->writer, target->name));
	target->name = NULL;
}

/* The arguments that follow the link's kind. */
static const char *kind_setting(const struct target *target, enum operation_type type)
{
	struct arena *arena = target->writer->arena;
	const struct link_spec *spec = target->spec;
	switch (type) {
	case OP_LINK_MODE:
		return arena_printf(arena, "mode %s", link_mode_name(spec->mode));
	case OP_LINK_IPVLAN_FLAG:
		return arena_printf(arena, "mode %s %s", link_mode_name(spec->mode),
				    ipvlan_flag_name(spec->ipvlan_flag));
	case OP_LINK_BCQUEUELEN:
		return arena_printf(arena, "bcqueuelen %u", spec->bcqueuelen);
	case OP_LINK_BCLIM:
		return arena_printf(arena, "bclim %d", spec->bclim);
	default:
		return "";
	}
}

/* The arguments of `ip link set` that follow the link. */
static const char *setting(const struct target *target, const struct operation *operation)
{
	struct arena *arena = target->writer->arena;
	const struct link_spec *spec = target->spec;
	char text[MAC_TEXT_SIZE];
	switch (operation->type) {
	case OP_LINK_ALIAS:
		return arena_printf(arena, "alias %s", name_quoted(target->writer, spec->alias));
	case OP_LINK_MAC:
		return arena_printf(arena, "address %s", mac_format(&operation->mac, text));
	case OP_LINK_MTU:
		return arena_printf(arena, "mtu %u", spec->mtu);
	case OP_LINK_TXQUEUELEN:
		return arena_printf(arena, "txqueuelen %u", spec->txqueuelen);
	case OP_LINK_PROMISC:
		return spec->promisc ? "promisc on" : "promisc off";
	case OP_LINK_ALLMULTICAST:
		return spec->allmulticast ? "allmulticast on" : "allmulticast off";
	case OP_LINK_UP:
		return "up";
	case OP_LINK_DOWN:
		return "down";
	default: /* in the data of its kind */
		return arena_printf(arena, "type %s %s", link_kind_name(spec->kind),
				    kind_setting(target, operation->type));
	}
}

static void put_setting(const struct target *target, const struct operation *operation)
{
	fprintf(target->writer->out, "%s link set dev %s %s\n", target->namespace.ip,
		name_quoted(target->writer, target->name), setting(target, operation));
}

static void put_altname(const struct target *target, const char *verb, const char *name)
{
	fprintf(target->writer->out, "%s link property %s dev %s altname %s\n",
		target->namespace.ip, verb, name_quoted(target->writer, target->name),
		name_quoted(target->writer, name));
}

/* Kernels before 6.2 cannot rename a link that is up. Setting it down flushes its routes and IPv6
 * addresses. */
static void put_rename(struct target *target, const char *name)
{
	const struct writer *writer = target->writer;
	const char *ip = target->namespace.ip, *from = name_quoted(writer, target->name);
	const char *to = name_quoted(writer, name);
	fprintf(writer->out,
		"%s link set dev %s name %s 2>/dev/null || { # kernels before 6.2\n"
		"\t%s link set dev %s down && %s link set dev %s name %s && %s link set dev %s "
		"up\n}\n",
		ip, from, to, ip, from, ip, from, to, ip, to);
	target->name = name;
}

static void put_addr_operation(const struct target *target, const struct operation *operation,
			       const char *verb)
{
	const uint32_t metric = operation->type == OP_ADDR_ADD
					? link_spec_addr_terms(target->spec, operation->addr).metric
					: 0;
	put_address(target->writer, &target->namespace, verb, operation->addr,
		    metric ? arena_printf(target->writer->arena, " metric %u", metric) : "",
		    name_quoted(target->writer, target->name));
}

static void put_route_operation(const struct target *target, const struct operation *operation,
				const char *verb)
{
	const int device = operation->route->device;
	const struct live_link *other = device ? live_link_by_index(target->ns, device) : NULL;
	put_route(target->writer, &target->namespace, verb, operation->route,
		  name_quoted(target->writer, other ? other->name : target->name));
}

/* All of them: the commands do not check what the kernel flushed. */
static void put_restore(const struct target *target)
{
	const struct operations operations =
		restore_operations(target->writer->arena, target->spec);
	for (size_t i = 0; i < operations.count; i++)
		if (operations.all[i].type == OP_ADDR_ADD)
			put_addr_operation(target, &operations.all[i], "replace");
		else
			put_route_operation(target, &operations.all[i], "replace");
}

/* Of an altname, address, route or rule. */
static const char *verb_of(const struct operation *operation)
{
	static const bool deletes[N_OPERATION_TYPES] = {[OP_ALTNAME_DELETE] = true,
							[OP_ADDR_DELETE] = true,
							[OP_ROUTE_DELETE] = true,
							[OP_RULE_DELETE] = true};
	return deletes[operation->type] ? "del" : operation->replace ? "replace" : "add";
}

static void put_operation(struct target *target, const struct operation *operation)
{
	switch (operation->type) {
	case OP_LINK_NEW:
		put_new(target);
		break;
	case OP_LINK_MOVE:
		put_move(target);
		break;
	case OP_LINK_DELETE:
		put_delete(target);
		break;
	case OP_LINK_RENAME:
		put_rename(target, operation->name);
		break;
	case OP_LINK_ALIAS:
	case OP_LINK_MAC:
	case OP_LINK_MTU:
	case OP_LINK_MODE:
	case OP_LINK_BCQUEUELEN:
	case OP_LINK_BCLIM:
	case OP_LINK_IPVLAN_FLAG:
	case OP_LINK_TXQUEUELEN:
	case OP_LINK_PROMISC:
	case OP_LINK_ALLMULTICAST:
	case OP_LINK_UP:
	case OP_LINK_DOWN:
		put_setting(target, operation);
		break;
	case OP_SYSCTL_SET:
		put_sysctl(target->writer, &target->namespace, operation->sysctl, target->name);
		break;
	case OP_ALTNAME_DELETE:
	case OP_ALTNAME_ADD:
		put_altname(target, verb_of(operation), operation->name);
		break;
	case OP_ADDR_DELETE:
	case OP_ADDR_ADD:
		put_addr_operation(target, operation, verb_of(operation));
		break;
	case OP_ROUTE_DELETE:
	case OP_ROUTE_ADD:
		put_route_operation(target, operation, verb_of(operation));
		break;
	case OP_RULE_DELETE:
	case OP_RULE_ADD:
		put_rule(target, verb_of(operation), operation->rule);
		break;
	case OP_RESTORE:
		put_restore(target);
		break;
	case OP_LEASE:
		put_dhcp(target->writer, target->spec);
		break;
	case N_OPERATION_TYPES:
		break;
	}
}

/* The link has a temporary name until it is in its namespace, or until its own name is free: that
 * name may be taken in the host's namespace. */
static struct target new_target(const struct writer *writer, const struct stage_item *item)
{
	const struct link_spec *spec = item->step->desired;
	struct target target = {.writer = writer,
				.spec = spec,
				.ns = spec->ns,
				.namespace = {.ip = "ip", .enter = ""},
				.home = namespace_of(writer, spec->ns),
				.name = spec->name};
	if (target.home.netns || item->temporary)
		target.name =
			arena_printf(writer->arena, "mvtmp%zu", number_of(writer, item->step));
	return target;
}

static struct target target_of(const struct writer *writer, const struct stage_item *item)
{
	const struct step *step = item->step;
	const char *name = writer->names[number_of(writer, step)];
	if (!name)
		return new_target(writer, item);
	const struct ip_netns namespace = namespace_of(writer, step->ns);
	return (struct target){.writer = writer,
			       .spec = step->desired,
			       .ns = step->ns,
			       .namespace = namespace,
			       .home = namespace,
			       .name = name};
}

static void put_item(const struct writer *writer, const struct stage_item *item)
{
	struct target target = target_of(writer, item);
	const struct operations operations = stage_operations(writer->arena, item);
	if (operations.count)
		head(writer, item->step);
	for (size_t i = 0; i < operations.count; i++)
		put_operation(&target, &operations.all[i]);
	writer->names[number_of(writer, item->step)] = target.name;
}

static void put_reason(const struct writer *writer, const struct step *step, const char *reason)
{
	fprintf(writer->out, "# %s %s: %s\n", action_name(step->action),
		step_id(writer->arena, step, writer->with_set), printable(writer->arena, reason));
}

static void put_reported(const struct writer *writer)
{
	for (size_t i = 0; i < writer->plan->n_steps; i++)
		if (writer->plan->steps[i].reason)
			put_reason(writer, &writer->plan->steps[i], writer->plan->steps[i].reason);
}

static void put_stages(struct writer *writer)
{
	const struct plan *plan = writer->plan;
	const struct selection all = selection_all(plan, writer->arena);
	const struct selection done = selection_defer(&all, writer->live, writer->arena);
	writer->stages = stages_of(writer->arena, &done, writer->live);
	writer->names = arena_alloc(writer->arena, (plan->n_steps + 1) * sizeof(*writer->names));
	for (size_t i = 0; i < plan->n_steps; i++) {
		writer->names[i] = plan->steps[i].current ? plan->steps[i].current->name : NULL;
		if (done.why[i])
			put_reason(writer, &plan->steps[i],
				   arena_printf(writer->arena, "not done: %s", done.why[i]));
	}
	for (size_t i = 0; i < writer->stages.count; i++)
		put_item(writer, &writer->stages.items[i]);
}

void ip_plan(const struct text *text, const struct plan *plan, const struct live *live,
	     const struct origin *origins)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct writer writer = {.out = text->out,
				.arena = arena,
				.plan = plan,
				.live = live,
				.origins = origins,
				.with_set = text->with_set};
	put_reported(&writer);
	if (plan->guard.refused || plan_count(plan, ACTION_REFUSED) || plan_empty(plan))
		return;
	fprintf(text->out,
		"# Addresses get protocol 77, too, if this version of ip supports it.\n"
		"proto=; ip address show proto %d >/dev/null 2>&1 && proto='proto %d'\n",
		OWNER_TAG_PROTOCOL, OWNER_TAG_PROTOCOL);
	put_stages(&writer);
}
