/* Where a connection breaks: a table of what was observed, and which questions a file leads to. */
#include "tests/unit/world.h"

#include "reconcile/traffic/traffic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What is as it should be, up to the answer. */
#define FIT                                                                                        \
	.sent = true, .link_up = true, .has_address = true, .parent_known = true,                  \
	.parent_up = true, .parent_carrier = true

static const struct {
	const char *expected;
	struct traffic_facts facts;
} compared[] = {
	{"none", {FIT, .answered = true}},
	/* Nothing of the host counts against an answer. */
	{"none", {FIT, .answered = true, .parent_answered = true, .cable_alive = true}},
	{"none", {FIT, .answered = true, .holder = GATEWAY_HOST}},
	{"duplicate-gateway", {FIT, .answered = true, .several_answers = true}},
	{"container-route", {FIT, .answered = true, .route_missing = true}},
	{"parent-down", {.link_up = true, .has_address = true, .parent_known = true}},
	{"parent-carrier",
	 {.link_up = true, .has_address = true, .parent_known = true, .parent_up = true}},
	{"container-link",
	 {.has_address = true, .parent_known = true, .parent_up = true, .parent_carrier = true}},
	{"container-address",
	 {.link_up = true, .parent_known = true, .parent_up = true, .parent_carrier = true}},
	/* A parent that was moved away is not known, and not down. */
	{"nobody", {.sent = true, .link_up = true, .has_address = true}},
	{"unasked",
	 {.link_up = true,
	  .has_address = true,
	  .parent_known = true,
	  .parent_up = true,
	  .parent_carrier = true,
	  .parent_answered = true}},
	{"host-gateway", {FIT, .holder = GATEWAY_HOST}},
	{"mode", {FIT, .holder = GATEWAY_SIBLING, .isolated = true}},
	{"nobody", {FIT, .holder = GATEWAY_SIBLING}},
	{"some", {FIT, .others_answered = true}},
	{"some", {FIT, .others_answered = true, .parent_answered = true}},
	{"mac-filter", {FIT, .parent_answered = true}},
	{"mac-filter", {FIT, .parent_answered = true, .vlan = true, .cable_alive = true}},
	{"ip-filter", {FIT, .parent_answered = true, .shares_mac = true}},
	{"vlan-untagged", {FIT, .vlan = true, .untagged_answered = true}},
	{"vlan", {FIT, .vlan = true, .cable_alive = true}},
	{"vlan", {FIT, .cable_alive = true}},
	{"gateway", {FIT, .parent_alive = true}},
	{"gateway", {FIT, .vlan = true, .parent_alive = true, .cable_alive = true}},
	{"nobody", {FIT}},
	{"nobody", {FIT, .vlan = true}},
};

static void test_compare(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(compared) / sizeof(compared[0]); i++) {
		const char *found = traffic_break_name(traffic_compare(&compared[i].facts));
		if (strcmp(found, compared[i].expected) != 0)
			fail_msg("row %zu: %s, expected %s", i, found, compared[i].expected);
	}
}

#define LAN(keys) "networks: {lan: {parent: eth0, subnet: 172.16.86.0/24" keys "}}\n"
#define DUAL                                                                                       \
	"networks: {lan: {parent: eth0, subnets: [{subnet: 172.16.86.0/24, gateway: "              \
	"172.16.86.1}, {subnet: 'fd00:86::/64', gateway: 'fd00:86::1'}]}}\n"
#define GATEWAY ", gateway: 172.16.86.1"
#define WEB     "containers: {web: {networks: {lan: {ipv4_address: 172.16.86.8}}}}\n"
#define PAIR                                                                                       \
	"containers: {web: {networks: {lan: {ipv4_address: 172.16.86.8}}}, db: {networks: "        \
	"[lan]}}\n"

/* Which questions there are once a file is applied. */
static const struct {
	const char *yaml, *asked;
} rows[] = {
	{LAN(GATEWAY) WEB, "web 172.16.86.8 172.16.86.1;eth0 0.0.0.0 172.16.86.1;"},
	{LAN(GATEWAY) PAIR,
	 "web 172.16.86.8 172.16.86.1;db 172.16.86.2 172.16.86.1;eth0 0.0.0.0 172.16.86.1;"},
	{LAN(GATEWAY ", vlan: 10") WEB, "web 172.16.86.8 172.16.86.1;eth0.10 0.0.0.0 172.16.86.1;"
					"eth0 0.0.0.0 172.16.86.1 untagged;"},
	/* The parent has no IPv6 address that could ask. */
	{DUAL WEB, "web 172.16.86.8 172.16.86.1;web fd00:86::2 fd00:86::1;"
		   "eth0 0.0.0.0 172.16.86.1;"},
	{LAN(GATEWAY ", mode: passthru") WEB, "web 172.16.86.8 172.16.86.1;"},
	{LAN(GATEWAY ", driver: ipvlan") WEB,
	 "web 172.16.86.8 172.16.86.1;eth0 0.0.0.0 172.16.86.1;"},
	{LAN(GATEWAY ", driver: ipvlan, mode: l3") WEB,
	 "web/lan: the mode routes through the host and sends no ARP requests;"},
	{LAN("") WEB, "web/lan: the network has no gateway;"},
	{LAN(", internal: true") WEB, "web/lan: the network is internal;"},
	{LAN(GATEWAY) "containers: {job: {networks: [lan]}}\n", "job/lan: pending;"},
	{"", ""},
};

static void traffic_text(const struct traffic *traffic, char text[512])
{
	text[0] = '\0';
	for (size_t i = 0; i < traffic->n_questions; i++) {
		const struct traffic_question *question = &traffic->questions[i];
		char source[IP_TEXT_SIZE], gateway[IP_TEXT_SIZE];
		const bool attachment = question->role == TRAFFIC_ATTACHMENT;
		ip_format(&question->source, source);
		ip_format(&traffic->segments[question->segment].gateway, gateway);
		snprintf(text + strlen(text), 512 - strlen(text), "%s %s %s%s;",
			 attachment ? question->container->name : question->link->name, source,
			 gateway, question->role == TRAFFIC_UNTAGGED ? " untagged" : "");
	}
	for (size_t i = 0; i < traffic->n_skips; i++)
		snprintf(text + strlen(text), 512 - strlen(text), "%s/%s: %s;",
			 traffic->skips[i].container->name, traffic->skips[i].attachment->name,
			 skip_reason_text(traffic->skips[i].reason));
}

static void test_questions(void **state)
{
	(void)state;
	const struct plan_options options = {.unguarded = true};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[512];
		struct arena *arena = arena_new();
		struct live *live = world_new();
		struct desired *desired = desired_from(rows[i].yaml);
		world_containers(live, desired);
		const struct plan *plan = plan_make(desired, live, &options);
		world_apply(live, plan);
		plan_free(plan);
		plan = plan_make(desired, live, &options);
		const struct traffic traffic = traffic_questions(desired, live, plan, arena);
		traffic_text(&traffic, text);
		assert_string_equal(text, rows[i].asked);
		plan_free(plan);
		desired_free(desired);
		world_free(live);
		arena_free(arena);
	}
}

/* Answers of one gateway are what another one's are compared with. */
static void test_judge(void **state)
{
	(void)state;
	struct live *live = world_new();
	struct arena *arena = arena_new();
	struct desired *desired = desired_from(
		"networks: {a: {parent: eth0, subnet: 10.1.0.0/24, gateway: 10.1.0.1}, b: {parent: "
		"eth0, subnet: 10.2.0.0/24, gateway: 10.2.0.1}}\n"
		"containers: {web: {networks: [a]}, db: {networks: [b]}, ci: {networks: [a]}}\n");
	const struct plan_options options = {.unguarded = true};
	world_containers(live, desired);
	const struct plan *plan = plan_make(desired, live, &options);
	world_apply(live, plan);
	plan_free(plan);
	plan = plan_make(desired, live, &options);
	struct traffic traffic = traffic_questions(desired, live, plan, arena);
	assert_int_equal(traffic.n_questions, 5); /* web, db, ci, eth0, eth0 */
	for (size_t i = 0; i < traffic.n_questions; i++)
		traffic.questions[i].sent = true;
	traffic.questions[0].n_answers = 1;
	traffic_judge(&traffic);
	assert_int_equal(traffic.questions[0].break_at, BREAK_NONE);
	assert_int_equal(traffic.questions[1].break_at, BREAK_GATEWAY);
	assert_int_equal(traffic.questions[2].break_at, BREAK_SOME);
	assert_int_equal(traffic.segments[0].attachments, 2);
	assert_int_equal(traffic.segments[0].answered, 1);
	plan_free(plan);
	desired_free(desired);
	world_free(live);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_questions),
		cmocka_unit_test(test_judge),
	};
	return cmocka_run_group_tests_name("traffic", tests, NULL, NULL);
}
