/* The model of the kernel (tests/unit/kernel_model.h) as a program: tests/kernel/test_model.py does
 * the same to it and to a real kernel. A line of the input is an operation:
 *
 *     reset                                     no links, no namespaces but the host's
 *     add NS NAME KIND PARENT MODE MAC MTU BCQUEUELEN VLAN     "-" for a value that is not set
 *     delete NS NAME        rename NS NAME NEW     alias NS NAME TEXT    mac NS NAME MAC
 *     mtu NS NAME BYTES     up NS NAME             down NS NAME
 *     mode NS NAME MODE KIND                       bcqueuelen NS NAME LENGTH KIND
 *     address NS NAME PREFIX                       unaddress NS NAME PREFIX
 *     route NS NAME TO VIA                         unroute NS NAME TO
 *     rule NS - PRIORITY FROM TABLE SUPPRESS       unrule, the same: TABLE 0 is main, SUPPRESS
 *                                                  "default" or "-"
 *     show NS
 *
 * KIND is the link's own, which a message to a real kernel needs.
 * The answer is a line with its errno; `show` has a line for each link, address, route and rule
 * before it. Arguments are the features of the kernel: it renames links that are up
 * ("live-rename"), macvlans have a length of their broadcast queue ("queue-length"). */
#include "tests/unit/kernel_model.h"
#include "tests/unit/world.h"

#include "kernel/link_kind.h"
#include "schema/words.h"

#include <errno.h>
#include <linux/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WORDS_MAX 10

struct operation {
	struct live *live;
	struct live_ns *ns;
	int ifindex;        /* 0: there is no such link */
	const char **words; /* after NS and NAME */
};

static bool live_rename, queue_length;

static uint32_t number(const char *word)
{
	return strcmp(word, "-") == 0 ? 0 : (uint32_t)strtoul(word, NULL, 10);
}

static struct mac mac_of(const char *word)
{
	struct mac mac = {.set = false};
	if (strcmp(word, "-") != 0)
		assert_true(mac_parse(word, &mac));
	return mac;
}

static struct prefix prefix_of(const char *word)
{
	struct prefix prefix;
	assert_true(prefix_parse(word, &prefix));
	return prefix;
}

static enum link_mode mode_of(const char *word)
{
	enum link_mode mode = MODE_BRIDGE;
	while (mode < MODE_L3S && strcmp(link_mode_name(mode), word) != 0)
		mode++;
	return mode;
}

static enum link_kind kind_of(const char *word)
{
	static const enum link_kind kinds[] = {KIND_MACVLAN, KIND_MACVTAP, KIND_IPVLAN, KIND_VLAN,
					       KIND_DUMMY};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(link_kind_name(kinds[i]), word) == 0)
			return kinds[i];
	return KIND_OTHER;
}

static int do_delete(const struct operation *op)
{
	return kernel_link_delete(op->live, op->ns, op->ifindex);
}

static int do_rename(const struct operation *op)
{
	return kernel_link_rename(op->ns, op->ifindex, op->words[0], live_rename);
}

static int do_alias(const struct operation *op)
{
	return kernel_link_alias(op->ns, op->ifindex, op->words[0]);
}

static int do_mac(const struct operation *op)
{
	const struct mac mac = mac_of(op->words[0]);
	return kernel_link_mac(op->live, op->ns, op->ifindex, &mac);
}

static int do_mtu(const struct operation *op)
{
	return kernel_link_mtu(op->live, op->ns, op->ifindex, number(op->words[0]));
}

/* rtnl_newlink() refuses to change a link of one kind by the name of another. */
static bool of_kind(const struct operation *op, const char *kind)
{
	const struct live_link *link = live_link_by_index(op->ns, op->ifindex);
	return !link || link->kind == kind_of(kind);
}

static int do_mode(const struct operation *op)
{
	if (!of_kind(op, op->words[1]))
		return -EOPNOTSUPP;
	return kernel_link_mode(op->ns, op->ifindex, mode_of(op->words[0]));
}

static int do_bcqueuelen(const struct operation *op)
{
	if (!of_kind(op, op->words[1]))
		return -EOPNOTSUPP;
	return kernel_link_bcqueuelen(op->ns, op->ifindex, number(op->words[0]));
}

static int do_up(const struct operation *op)
{
	return kernel_link_up(op->live, op->ns, op->ifindex);
}

static int do_down(const struct operation *op)
{
	return kernel_link_down(op->ns, op->ifindex);
}

static int do_address(const struct operation *op)
{
	const struct prefix prefix = prefix_of(op->words[0]);
	return kernel_addr_add(op->live, op->ns, op->ifindex, &prefix, OWNER_TAG_PROTOCOL, false);
}

static int do_unaddress(const struct operation *op)
{
	const struct prefix prefix = prefix_of(op->words[0]);
	return kernel_addr_delete(op->ns, op->ifindex, &prefix);
}

static int do_route(const struct operation *op)
{
	struct link_route route = {.to = prefix_of(op->words[0])};
	if (strcmp(op->words[1], "-") != 0)
		assert_true(ip_parse(op->words[1], &route.via));
	return kernel_route_add(op->ns, op->ifindex, &route, OWNER_TAG_PROTOCOL, false);
}

static int do_unroute(const struct operation *op)
{
	const struct link_route route = {.to = prefix_of(op->words[0])};
	return kernel_route_delete(op->ns, op->ifindex, &route);
}

static struct policy_rule rule_of(const struct operation *op)
{
	return (struct policy_rule){.priority = number(op->words[0]),
				    .from = prefix_of(op->words[1]),
				    .table = number(op->words[2]),
				    .no_default = strcmp(op->words[3], "default") == 0};
}

static int do_rule(const struct operation *op)
{
	const struct policy_rule rule = rule_of(op);
	return kernel_rule_add(op->ns, &rule);
}

static int do_unrule(const struct operation *op)
{
	const struct policy_rule rule = rule_of(op);
	return kernel_rule_delete(op->ns, &rule);
}

static const struct {
	const char *name;
	int (*action)(const struct operation *);
} actions[] = {
	{"rule", do_rule},       {"unrule", do_unrule},
	{"delete", do_delete},   {"rename", do_rename},
	{"alias", do_alias},     {"mac", do_mac},
	{"mtu", do_mtu},         {"mode", do_mode},
	{"up", do_up},           {"bcqueuelen", do_bcqueuelen},
	{"down", do_down},       {"address", do_address},
	{"route", do_route},     {"unaddress", do_unaddress},
	{"unroute", do_unroute},
};

static int do_add(struct live *live, struct live_ns *ns, const char **words)
{
	const struct live_link *parent = live_link_by_name(live->namespaces[0], words[3]);
	const struct live_link like = {
		.name = words[1],
		.kind = kind_of(words[2]),
		/* No link has the last number. */
		.parent = parent                  ? parent->ifindex
			  : strcmp(words[3], "-") ? INT32_MAX
						  : 0,
		.parent_where = strcmp(words[3], "-") ? PARENT_HOST : PARENT_NONE,
		.mode = mode_of(words[4]),
		.mac = mac_of(words[5]),
		.mtu = number(words[6]),
		.bcqueuelen = number(words[7]),
		.vlan = (uint16_t)number(words[8]),
	};
	int ifindex;
	return kernel_link_add(live, ns, &like, &ifindex);
}

static void show_link(const struct live_link *link)
{
	char mac[MAC_TEXT_SIZE];
	printf("link %s %s %s %u %s", link->name, link->kind_name, mac_format(&link->mac, mac),
	       link->mtu, link->flags & IFF_UP ? "up" : "down");
	if (link->has_bcqueuelen)
		printf(" %s", link_mode_name(link->mode));
	if (link->has_bcqueuelen && queue_length)
		printf(" %u", link->bcqueuelen);
	if (link->kind == KIND_VLAN)
		printf(" %u", link->vlan);
	printf(" %s\n", link->alias);
}

static void show(const struct live_ns *ns)
{
	char text[PREFIX_TEXT_SIZE], via[IP_TEXT_SIZE];
	for (size_t i = 0; i < ns->n_links; i++)
		show_link(&ns->links[i]);
	for (size_t i = 0; i < ns->n_addrs; i++)
		printf("address %s %s\n", live_link_by_index(ns, ns->addrs[i].ifindex)->name,
		       prefix_format(&ns->addrs[i].prefix, text));
	for (size_t i = 0; i < ns->n_routes; i++) {
		const struct live_route *route = &ns->routes[i];
		printf("route %s %s %s\n", live_link_by_index(ns, route->ifindex)->name,
		       prefix_format(&route->to, text),
		       route->via.family ? ip_format(&route->via, via) : "-");
	}
	for (size_t i = 0; i < ns->n_rules; i++) {
		const struct policy_rule *rule = &ns->rules[i].rule;
		printf("rule - %u %s %u %s\n", rule->priority, prefix_format(&rule->from, text),
		       rule->table, rule->no_default ? "default" : "-");
	}
}

static int perform(struct live *live, const char **words)
{
	struct live_ns *ns =
		strcmp(words[1], "host") == 0 ? live->namespaces[0] : world_ns(live, words[1]);
	if (strcmp(words[0], "show") == 0) {
		show(ns);
		return 0;
	}
	if (strcmp(words[0], "add") == 0)
		return do_add(live, ns, words + 1);
	const struct live_link *link = live_link_by_name(ns, words[2]);
	const struct operation op = {live, ns, link ? link->ifindex : 0, words + 3};
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(actions[i].name, words[0]) == 0)
			return actions[i].action(&op);
	return -ENOSYS;
}

/* A host without links. */
static struct live *reset(struct live *live)
{
	if (live)
		world_free(live);
	live = world_new();
	while (live->namespaces[0]->n_links)
		live->namespaces[0]->n_links--;
	return live;
}

int main(int argc, char **argv)
{
	char line[512];
	struct live *live = reset(NULL);
	for (int i = 1; i < argc; i++) {
		live_rename |= strcmp(argv[i], "live-rename") == 0;
		queue_length |= strcmp(argv[i], "queue-length") == 0;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		const char *words[WORDS_MAX + 1] = {0};
		size_t count = 0;
		for (char *word = strtok(line, " \n"); word && count < WORDS_MAX;
		     word = strtok(NULL, " \n"))
			words[count++] = word;
		for (; count < WORDS_MAX; count++)
			words[count] = "-";
		int status = strcmp(words[0], "reset") == 0 ? (live = reset(live), 0)
							    : perform(live, words);
		printf("%d\n", -status);
	}
	world_free(live);
	return 0;
}
