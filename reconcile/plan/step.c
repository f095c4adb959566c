#include "reconcile/plan/step.h"

#include "lib/hash.h"
#include "schema/words.h"

#include <linux/ipv6_route.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct link_route link_route_of(const struct live_route *live)
{
	return (struct link_route){.table = live->table,
				   .to = live->to,
				   .via = live->via,
				   .options = live->options,
				   .protocol = live->proto};
}

bool link_route_same(const struct link_route *one, const struct link_route *other)
{
	return one->table == other->table && prefix_equal(&one->to, &other->to) &&
	       route_metric(&one->to, one->options.metric) ==
		       route_metric(&other->to, other->options.metric);
}

bool link_route_is(const struct link_route *route, const struct live_route *live)
{
	const struct link_route other = link_route_of(live);
	return link_route_same(route, &other);
}

static void word_add(char text[ROUTE_TEXT_SIZE], const char *word, const char *value)
{
	const size_t length = strlen(text);
	snprintf(text + length, ROUTE_TEXT_SIZE - length, "%s%s%s%s", *text ? " " : "", word,
		 *value ? " " : "", value);
}

static void number_add(char text[ROUTE_TEXT_SIZE], const char *word, uint32_t number)
{
	char value[16];
	snprintf(value, sizeof(value), "%u", number);
	if (number)
		word_add(text, word, value);
}

const char *link_route_format(const struct link_route *route, char text[ROUTE_TEXT_SIZE])
{
	const struct route_options *options = &route->options;
	const uint32_t metric = route_metric(&route->to, options->metric);
	char value[PREFIX_TEXT_SIZE];
	*text = '\0';
	if (options->type)
		word_add(text, route_type_name(options->type), "");
	word_add(text, route->to.len ? prefix_format(&route->to, value) : "default", "");
	if (route->via.family)
		word_add(text, "via", ip_format(&route->via, value));
	if (options->on_link)
		word_add(text, "onlink", "");
	number_add(text, "table", route->table);
	if (options->source.family)
		word_add(text, "src", ip_format(&options->source, value));
	if (options->scope && options->scope != route_scope_default(&route->to, &route->via))
		word_add(text, "scope", route_scope_name(options->scope));
	if (metric != route_metric(&route->to, 0))
		number_add(text, "metric", metric);
	number_add(text, "mtu", options->mtu);
	number_add(text, "advmss", options->advmss);
	return text;
}

/* Of several routes to one subnet, the kernel takes that with the lowest metric; of equal ones that
 * which is the older (fib_find_alias), which is not the same after each run. */
uint32_t link_spec_addr_metric(const struct link_spec *spec, uint8_t family)
{
	if (family == AF_INET || (!spec->subnet_rank && !spec->ipv6_metric))
		return spec->subnet_rank;
	return IP6_RT_PRIO_ADDRCONF + spec->subnet_rank;
}

struct addr_terms link_spec_addr_terms(const struct link_spec *spec, const struct prefix *addr)
{
	for (size_t i = 0; spec->addr_terms && i < spec->n_addrs; i++)
		if (prefix_equal(&spec->addrs[i], addr))
			return spec->addr_terms[i];
	return (struct addr_terms){.protocol = OWNER_TAG_PROTOCOL,
				   .metric = link_spec_addr_metric(spec, addr->ip.family)};
}

const char *step_temporary_name(const struct step *step, char name[IFNAMSIZ])
{
	snprintf(name, IFNAMSIZ, TEMPORARY_PREFIX "%08x", (unsigned)step->current->ifindex);
	return name;
}

struct mac step_temporary_mac(const struct step *step)
{
	uint64_t hash = hash_text(HASH_START, step->desired->alias);
	struct mac mac = {.bytes = {0x0a}, .set = true};
	memcpy(mac.bytes + 1, &hash, sizeof(mac.bytes) - 1);
	return mac;
}

bool step_is_parent(const struct step *step)
{
	return step->tag->role == ROLE_VLAN || step->tag->role == ROLE_DUMMY ||
	       step->tag->role == ROLE_PARENT;
}

bool step_creates_parent(const struct step *step)
{
	return step->action == ACTION_CREATE && step_is_parent(step);
}

const char *step_new_parent(const struct step *step)
{
	return step->desired && !step->desired->parent ? step->desired->parent_name : NULL;
}

bool step_acts(const struct step *step)
{
	switch (step->action) {
	case ACTION_CREATE:
	case ACTION_CHANGE:
	case ACTION_REPLACE:
	case ACTION_DELETE:
		return true;
	case ACTION_KEPT:
	case ACTION_PENDING:
	case ACTION_BLOCKED:
	case ACTION_REFUSED:
		break;
	}
	return false;
}

bool step_deletes(const struct step *step)
{
	return step->action == ACTION_DELETE || step->action == ACTION_REPLACE;
}

size_t plan_count(const struct plan *plan, enum action action)
{
	size_t count = 0;
	for (size_t i = 0; i < plan->n_steps; i++)
		count += plan->steps[i].action == action;
	return count;
}

bool plan_empty(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (step_acts(&plan->steps[i]))
			return false;
	return true;
}
