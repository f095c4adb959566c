/* An applied plan: the leases are in a copy, and the plan itself is unchanged. */
#include "reconcile/apply/plan_done.h"

#include "lib/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

static struct prefix prefix(const char *text, uint8_t length)
{
	struct prefix value = {.len = length};
	assert_true(ip_parse(text, &value.ip));
	return value;
}

static void assert_prefix(const struct prefix *got, const char *expected)
{
	char text[PREFIX_TEXT_SIZE];
	assert_string_equal(prefix_format(got, text), expected);
}

struct scene {
	struct prefix addrs[2];
	struct link_route routes[2];
	struct link_spec spec;
	struct change changes[2];
	struct step steps[2];
	struct plan plan;
	struct lease lease;
	struct outcome outcomes[2];
};

static void scene_make(struct scene *scene, bool gateway)
{
	*scene = (struct scene){
		.addrs = {prefix("10.0.0.5", 24), prefix("2001:db8::5", 64)},
		.routes = {{.to = {.ip.family = AF_INET}, .via = prefix("10.0.0.1", 32).ip},
			   {.to = {.ip.family = AF_INET6}, .via = prefix("2001:db8::1", 128).ip}},
		.changes = {{.field = FIELD_MTU, .from = "1500", .to = "1400"},
			    {.field = FIELD_DHCP, .from = "10.0.0.5/24", .to = "a lease"}}};
	scene->spec = (struct link_spec){
		.addrs = scene->addrs,
		.n_addrs = 2,
		.dhcp = {.enabled = true, .own_table = SOURCE_TABLE_FIRST, .gateway = gateway},
		.routes = scene->routes,
		.n_routes = 2};
	scene->steps[0] = (struct step){.action = ACTION_CHANGE,
					.desired = &scene->spec,
					.changes = scene->changes,
					.n_changes = 2};
	scene->steps[1] = (struct step){.action = ACTION_DELETE};
	scene->plan = (struct plan){.arena = arena_new(), .steps = scene->steps, .n_steps = 2};
	scene->lease = (struct lease){
		.addr = prefix("10.0.0.9", 16),
		.routes = {{.to.ip.family = AF_INET, .via = prefix("10.0.0.2", 32).ip}},
		.n_routes = 1};
	scene->outcomes[0] = (struct outcome){.state = OUTCOME_DONE, .lease = &scene->lease};
}

static void assert_as_made(const struct scene *scene)
{
	assert_ptr_equal(scene->plan.steps, scene->steps);
	assert_ptr_equal(scene->steps[0].desired, &scene->spec);
	assert_int_equal(scene->spec.n_addrs, 2);
	assert_prefix(&scene->addrs[0], "10.0.0.5/24");
	assert_int_equal(scene->spec.dhcp.lease.ip.family, 0);
	assert_string_equal(scene->changes[1].to, "a lease");
}

static void test_lease(void **state)
{
	(void)state;
	for (int gateway = 0; gateway <= 1; gateway++) {
		struct scene scene;
		scene_make(&scene, gateway);
		const struct plan *done = plan_done(&scene.plan, scene.outcomes, scene.plan.arena);
		const struct link_spec *spec = done->steps[0].desired;
		assert_int_equal(spec->n_addrs, 2);
		assert_prefix(&spec->addrs[0], "2001:db8::5/64");
		assert_prefix(&spec->addrs[1], "10.0.0.9/16");
		assert_prefix(&spec->dhcp.lease, "10.0.0.9/16");
		/* That of IPv6, the subnet and the default route of the own table. */
		assert_int_equal(spec->n_routes, gateway ? 4 : 3);
		assert_int_equal(spec->routes[0].to.ip.family, AF_INET6);
		for (size_t i = 1; i < 3; i++)
			assert_int_equal(spec->routes[i].table, SOURCE_TABLE_FIRST);
		assert_prefix(&spec->routes[1].to, "10.0.0.0/16");
		if (gateway)
			assert_prefix(&(struct prefix){.ip = spec->routes[3].via, .len = 32},
				      "10.0.0.2/32");
		assert_string_equal(done->steps[0].changes[0].to, "1400");
		assert_string_equal(done->steps[0].changes[1].to, "10.0.0.9/16");
		assert_int_equal(done->steps[1].action, ACTION_DELETE);
		assert_as_made(&scene);
		plan_free(done);
	}
}

/* A renewal is reported as planned. */
static void test_renewed(void **state)
{
	struct scene scene;
	(void)state;
	scene_make(&scene, false);
	scene.lease.addr = prefix("10.0.0.5", 24);
	const struct plan *done = plan_done(&scene.plan, scene.outcomes, scene.plan.arena);
	assert_string_equal(done->steps[0].changes[1].to, "a lease");
	plan_free(done);
}

static void test_none(void **state)
{
	struct scene scene;
	(void)state;
	scene_make(&scene, false);
	scene.outcomes[0].lease = NULL;
	assert_ptr_equal(plan_done(&scene.plan, scene.outcomes, scene.plan.arena), &scene.plan);
	plan_free(&scene.plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lease),
		cmocka_unit_test(test_renewed),
		cmocka_unit_test(test_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
