#include "cmd/output_ip.h"

#include "cmd/output_json.h"
#include "kernel/link_kind.h"
#include "lib/printable.h"

#include <string.h>

/* The smallest MTU of IPv6: below it the kernel drops the link's IPv6 altogether. */
#define IPV6_MTU_MIN 1280

struct writer {
	FILE *out;
	struct arena *arena;
	const struct plan *plan;
	const struct live *live;
	const struct origin *origins;
	bool with_set;
};

/* One step that changes a link in place. */
struct changing {
	const struct writer *writer;
	const struct step *step;
	struct ip_netns namespace;
	const char *name; /* the one that it has by now */
	bool flushed;     /* the kernel took addresses or routes along */
};

static struct ip_netns namespace_of(const struct writer *writer, const struct live_ns *ns)
{
	return ip_netns_of(writer->arena, writer->live, writer->origins, ns);
}

static const char *quoted(const struct writer *writer, const char *text)
{
	return shell_quote(writer->arena, text);
}

static void head(const struct writer *writer, const struct step *step)
{
	fprintf(writer->out, "\n# %s %s %s\n", text_sign(step->action), step_noun(step),
		step_id(writer->arena, step, writer->with_set));
}

/* `verb`: add, replace or del. An address that is added has no duplicate detection, and the mark,
 * if ip can give it. */
static void put_address(const struct writer *writer, const struct ip_netns *namespace,
			const char *verb, const struct prefix *addr, const char *name)
{
	char text[PREFIX_TEXT_SIZE];
	bool ipv6 = addr->ip.family == AF_INET6, added = strcmp(verb, "del") != 0;
	const char *extra = !added ? "" : ipv6 ? " nodad" : addr->len < 31 ? " brd +" : "";
	fprintf(writer->out, "%s address %s %s%s dev %s%s\n", namespace->ip, verb,
		prefix_format(addr, text), extra, name, added ? " $proto" : "");
}

static void put_route(const struct writer *writer, const struct ip_netns *namespace,
		      const char *verb, const struct link_route *route, const char *name)
{
	char to[PREFIX_TEXT_SIZE], via[IP_TEXT_SIZE], source[IP_TEXT_SIZE];
	bool ipv6 = route->to.ip.family == AF_INET6;
	fprintf(writer->out, "%s%s route %s %s", namespace->ip, ipv6 ? " -6" : "", verb,
		route->to.len ? prefix_format(&route->to, to) : "default");
	if (route->via.family)
		fprintf(writer->out, " via %s", ip_format(&route->via, via));
	fprintf(writer->out, " dev %s proto %d", name, MARK_PROTOCOL);
	if (route->source.family)
		fprintf(writer->out, " src %s", ip_format(&route->source, source));
	fputc('\n', writer->out);
}

/* Not by sysctl(8), which takes a name apart at dots, slashes and signs of equality. What was not
 * asked for need not be there. */
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
		sysctl->asked ? " > \"$2\"" : " 2>/dev/null > \"$2\" || :",
		quoted(writer, sysctl->value), quoted(writer, file));
}

/* ip can ask for no lease. */
static void put_dhcp(const struct writer *writer, const struct link_spec *desired)
{
	fprintf(writer->out, "# the IPv4 address of %s is asked for by DHCP (udhcpc)\n",
		printable(writer->arena, desired->name));
}

/* Its sysctls, addresses and routes. */
static void put_details(const struct writer *writer, const struct ip_netns *namespace,
			const struct link_spec *desired, const char *verb)
{
	const char *name = quoted(writer, desired->name);
	for (size_t i = 0; i < desired->n_addrs; i++)
		put_address(writer, namespace, verb, &desired->addrs[i], name);
	for (size_t i = 0; i < desired->n_routes; i++)
		put_route(writer, namespace, desired->routes[i].replaces ? "replace" : verb,
			  &desired->routes[i], name);
}

/* In the host's namespace, under `name`, with its mark. */
static void put_birth(const struct writer *writer, const struct link_spec *desired,
		      const char *name)
{
	char mac[MAC_TEXT_SIZE];
	fputs("ip link add", writer->out);
	if (desired->parent_name)
		fprintf(writer->out, " link %s", quoted(writer, desired->parent_name));
	fprintf(writer->out, " name %s", name);
	if (desired->mac.set && !link_kind_shares_mac(desired->kind))
		fprintf(writer->out, " address %s", mac_format(&desired->mac, mac));
	if (desired->mtu)
		fprintf(writer->out, " mtu %u", desired->mtu);
	fprintf(writer->out, " type %s\nip link set dev %s alias %s\n",
		link_type_text(writer->arena, desired), name, quoted(writer, desired->alias));
}

/* Under a name of its own until it is where it belongs: its last may be taken in the host's
 * namespace. */
static void put_create(const struct writer *writer, size_t number, const struct link_spec *desired)
{
	struct ip_netns namespace = namespace_of(writer, desired->ns);
	const char *name = quoted(writer, desired->name);
	const char *first =
		namespace.netns ? arena_printf(writer->arena, "mvtmp%zu", number) : name;
	put_birth(writer, desired, first);
	if (namespace.netns)
		fprintf(writer->out, "ip link set dev %s netns %s name %s\n", first,
			namespace.netns, name);
	for (size_t i = 0; i < desired->n_sysctls; i++)
		put_sysctl(writer, &namespace, &desired->sysctls[i], desired->name);
	fprintf(writer->out, "%s link set dev %s up\n", namespace.ip, name);
	put_details(writer, &namespace, desired, "add");
	if (desired->dhcp.wanted)
		put_dhcp(writer, desired);
}

static void put_delete(const struct writer *writer, const struct step *step)
{
	struct ip_netns namespace = namespace_of(writer, step->ns);
	fprintf(writer->out, "%s link delete dev %s\n", namespace.ip,
		quoted(writer, step->current->name));
}

static void set_link(const struct changing *changing, const char *what, const char *value)
{
	fprintf(changing->writer->out, "%s link set dev %s %s%s%s\n", changing->namespace.ip,
		quoted(changing->writer, changing->name), what, *value ? " " : "", value);
}

/* Kernels before 6.2 rename no link that is up. Down, its routes and IPv6 addresses go. */
static void rename_to(struct changing *changing, const char *name)
{
	const struct writer *writer = changing->writer;
	const char *ip = changing->namespace.ip, *from = quoted(writer, changing->name);
	const char *to = quoted(writer, name);
	fprintf(writer->out,
		"%s link set dev %s name %s 2>/dev/null || { # kernels before 6.2\n"
		"\t%s link set dev %s down && %s link set dev %s name %s && %s link set dev %s "
		"up\n}\n",
		ip, from, to, ip, from, ip, from, to, ip, to);
	changing->name = name;
	changing->flushed = true;
}

static void change_mtu(struct changing *changing, const struct change *change)
{
	const struct link_spec *desired = changing->step->desired;
	set_link(changing, "mtu", change->to);
	if (changing->step->current->mtu >= IPV6_MTU_MIN || desired->mtu < IPV6_MTU_MIN)
		return;
	changing->flushed = true;
	for (size_t i = 0; i < desired->n_sysctls; i++)
		put_sysctl(changing->writer, &changing->namespace, &desired->sysctls[i],
			   changing->name);
}

static void change_kind_data(struct changing *changing, const struct change *change)
{
	set_link(changing,
		 arena_printf(changing->writer->arena, "type %s %s",
			      link_kind_name(changing->step->desired->kind),
			      change->field == FIELD_MODE ? "mode" : "bcqueuelen"),
		 change->to);
}

static bool is_removal(const struct change *change)
{
	return (change->field == FIELD_ADDRESS || change->field == FIELD_ROUTE) && !change->to;
}

static void change_details(struct changing *changing, const struct change *change)
{
	const char *verb = change->from ? "replace" : "add";
	const char *name = quoted(changing->writer, changing->name);
	if (is_removal(change))
		changing->flushed |= change->field == FIELD_ADDRESS;
	else if (change->field == FIELD_ADDRESS)
		put_address(changing->writer, &changing->namespace, verb, &change->addr, name);
	else
		put_route(changing->writer, &changing->namespace, verb, &change->route, name);
}

static void change_one(struct changing *changing, const struct change *change)
{
	switch (change->field) {
	case FIELD_ALIAS:
		set_link(changing, "alias", quoted(changing->writer, change->to));
		break;
	case FIELD_NAME:
		rename_to(changing, changing->step->desired->name);
		break;
	case FIELD_MAC:
		set_link(changing, "address", change->to);
		break;
	case FIELD_MTU:
		change_mtu(changing, change);
		break;
	case FIELD_MODE:
	case FIELD_BCQUEUELEN:
		change_kind_data(changing, change);
		break;
	case FIELD_SYSCTL:
		put_sysctl(changing->writer, &changing->namespace, &change->sysctl, changing->name);
		break;
	case FIELD_UP:
		set_link(changing, "up", "");
		break;
	case FIELD_ADDRESS:
	case FIELD_ROUTE:
		change_details(changing, change);
		break;
	case FIELD_DHCP:
		put_dhcp(changing->writer, changing->step->desired);
		break;
	case FIELD_DRIVER:
	case FIELD_PARENT:
	case FIELD_VLAN:
	case FIELD_VLAN_PROTOCOL:
		break; /* never in place */
	}
}

static struct changing changing_begin(const struct writer *writer, const struct step *step)
{
	return (struct changing){.writer = writer,
				 .step = step,
				 .namespace = namespace_of(writer, step->ns),
				 .name = step->current->name};
}

static void put_change(const struct writer *writer, const struct step *step)
{
	struct changing changing = changing_begin(writer, step);
	char detour[IFNAMSIZ];
	if (step->detour.name)
		changing.name = arena_strdup(writer->arena, step_temporary_name(step, detour));
	for (size_t i = 0; i < step->n_changes; i++)
		change_one(&changing, &step->changes[i]);
	if (changing.flushed)
		put_details(writer, &changing.namespace, step->desired, "replace");
}

/* The name and MAC that others wait for. */
static void put_temporary(struct changing *changing)
{
	const struct step *step = changing->step;
	char name[IFNAMSIZ], mac[MAC_TEXT_SIZE];
	const struct mac temporary = step_temporary_mac(step);
	if (step->detour.name)
		rename_to(changing,
			  arena_strdup(changing->writer->arena, step_temporary_name(step, name)));
	if (step->detour.mac)
		set_link(changing, "address", mac_format(&temporary, mac));
}

/* What it gives up before anything else is done; routes before the addresses that take them along.
 */
static void put_removals(const struct writer *writer, const struct step *step)
{
	struct changing changing = changing_begin(writer, step);
	put_temporary(&changing);
	const char *name = quoted(writer, changing.name);
	for (size_t i = step->n_changes; i-- > 0;) {
		const struct change *change = &step->changes[i];
		if (is_removal(change) && change->field == FIELD_ROUTE)
			put_route(writer, &changing.namespace, "del", &change->route, name);
		else if (is_removal(change))
			put_address(writer, &changing.namespace, "del", &change->addr, name);
	}
}

static bool has_removals(const struct step *step)
{
	for (size_t i = 0; i < step->n_changes; i++)
		if (is_removal(&step->changes[i]))
			return true;
	return step->detour.name || step->detour.mac;
}

/* In the rounds of apply: what is given up, what leaves, the parents that leave, then the rest. */
enum round { ROUND_REMOVALS, ROUND_DELETES, ROUND_PARENTS, ROUND_ADDITIONS, N_ROUNDS };

static bool in_round(const struct step *step, enum round round)
{
	bool leaves = step->action == ACTION_DELETE || step->action == ACTION_REPLACE;
	switch (round) {
	case ROUND_REMOVALS:
		return step->action == ACTION_CHANGE && has_removals(step);
	case ROUND_DELETES:
		return leaves && !step_is_parent(step);
	case ROUND_PARENTS:
		return leaves && step_is_parent(step);
	case ROUND_ADDITIONS:
	case N_ROUNDS:
		break;
	}
	return step->action != ACTION_DELETE;
}

static void put_step(const struct writer *writer, size_t number, enum round round)
{
	const struct step *step = &writer->plan->steps[number];
	head(writer, step);
	if (round == ROUND_REMOVALS)
		put_removals(writer, step);
	else if (round == ROUND_DELETES || round == ROUND_PARENTS)
		put_delete(writer, step);
	else if (step->action == ACTION_CHANGE)
		put_change(writer, step);
	else
		put_create(writer, number, step->desired);
}

static void put_reported(const struct writer *writer)
{
	for (size_t i = 0; i < writer->plan->n_steps; i++) {
		const struct step *step = &writer->plan->steps[i];
		if (step->reason)
			fprintf(writer->out, "# %s %s: %s\n", action_name(step->action),
				step_id(writer->arena, step, writer->with_set),
				printable(writer->arena, step->reason));
	}
}

void ip_plan(const struct text *text, const struct plan *plan, const struct live *live,
	     const struct origin *origins)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	const struct writer writer = {.out = text->out,
				      .arena = arena,
				      .plan = plan,
				      .live = live,
				      .origins = origins,
				      .with_set = text->with_set};
	put_reported(&writer);
	if (plan->guard.refused || plan_count(plan, ACTION_REFUSED) || plan_empty(plan))
		return;
	fprintf(text->out,
		"# An address carries the mark, too, where ip can give it.\n"
		"proto=; ip address show proto %d >/dev/null 2>&1 && proto='proto %d'\n",
		MARK_PROTOCOL, MARK_PROTOCOL);
	for (enum round round = ROUND_REMOVALS; round < N_ROUNDS; round++)
		for (size_t i = 0; i < plan->n_steps; i++)
			if (step_acts(&plan->steps[i]) && in_round(&plan->steps[i], round))
				put_step(&writer, i, round);
}
