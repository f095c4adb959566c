/* Marks: what is written is read back, and nothing else is taken for one. */
#include "kernel/owner_tag.h"

#include <stdarg.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

static void round_trip(struct arena *arena, const struct mark *mark, const char *alias)
{
	const char *formatted = mark_format(arena, mark);
	assert_non_null(formatted);
	assert_string_equal(formatted, alias);
	const struct mark parsed = mark_parse(arena, formatted);
	assert_true(mark_equal(&parsed, mark));
}

static void test_round_trip(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	const char *sets[] = {"a", "lab"};
	const struct mark attach = {
		.role = ROLE_ATTACH, .set = "lab", .network = "net", .container = "web"};
	const struct mark host = {.role = ROLE_HOST, .set = "lab", .network = "net"};
	const struct mark dummy = {.role = ROLE_DUMMY, .set = "lab", .network = "net"};
	const struct mark vlan = {.role = ROLE_VLAN, .sets = sets, .n_sets = 2};
	round_trip(arena, &attach, "mvapply:attach:lab/net/web");
	round_trip(arena, &host, "mvapply:host:lab/net");
	round_trip(arena, &dummy, "mvapply:dummy:lab/net");
	round_trip(arena, &vlan, "mvapply:vlan:a,lab");
	assert_false(mark_equal(&host, &dummy));
	assert_true(mark_has_set(&vlan, "lab"));
	assert_true(mark_has_set(&attach, "lab"));
	assert_false(mark_has_set(&vlan, "la"));
	assert_false(mark_has_set(&attach, "la"));
	arena_free(arena);
}

static void test_malformed(void **state)
{
	(void)state;
	static const char *const aliases[] = {
		"",
		"uplink",
		"mvapply",
		"mvapply:",
		"mvapply/attach:a/b/c",
		"mvapply:attach",
		"mvapply:attach:",
		"mvapply:attach:a/b",
		"mvapply:attach:a/b/",
		"mvapply:attach:a//c",
		"mvapply:attach:/b/c",
		"mvapply:attach:a/b/c/d",
		"mvapply:attach:a,b/c/d",
		"mvapply:Attach:a/b/c",
		"mvapply:att:a/b/c",
		"mvapply::a/b/c",
		"Mvapply:attach:a/b/c",
		" mvapply:attach:a/b/c",
		"mvapply:host:a",
		"mvapply:host:a/b/c",
		"mvapply:dummy:a/",
		"mvapply:vlan:",
		"mvapply:vlan:a,",
		"mvapply:vlan:,a",
		"mvapply:vlan:a,,b",
		"mvapply:vlan:a,a",
		"mvapply:vlan:a/b",
		"mvapply:attach:a/b/x: y",
		"mvapply:attach:a/b/..",
		"mvapply:attach:a/*b/c",
		"mvapply:attach:-a/b/c",
		"mvapply:attach:a/b/c#d",
		"mvapply:attach:a/b/\303\274",
		"mvapply:host:a/b c",
		"mvapply:dummy:a/\"b\"",
		"mvapply:vlan:a,~",
		"mvapply:attach:a/b/\033[31mc",
		"mvapply:attach:a/\302\2331mb/c",
		"mvapply:vlan:a\177",
		/* 64 bytes */
		"mvapply:host:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/b",
	};
	struct arena *arena = arena_new();
	assert_int_equal(mark_parse(arena, NULL).role, ROLE_NONE);
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		assert_int_equal(mark_parse(arena, aliases[i]).role, ROLE_NONE);
	arena_free(arena);
}

static void test_vlan_is_sorted(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	const struct mark mark = mark_parse(arena, "mvapply:vlan:b,a,B");
	assert_int_equal(mark.n_sets, 3);
	assert_string_equal(mark.sets[0], "B");
	assert_string_equal(mark.sets[1], "a");
	assert_string_equal(mark.sets[2], "b");
	arena_free(arena);
}

static void test_too_long(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	const char *sets[5];
	const char *name = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn";
	assert_int_equal(strlen(name), 63);
	for (size_t i = 0; i < 5; i++)
		sets[i] = arena_printf(arena, "%zu%s", i, name + 1);
	const struct mark longest = {
		.role = ROLE_ATTACH, .set = name, .network = name, .container = name};
	struct mark vlan = {.role = ROLE_VLAN, .sets = sets, .n_sets = 5};
	assert_non_null(mark_format(arena, &longest));
	assert_null(mark_format(arena, &vlan));
	vlan.n_sets = 3;
	assert_non_null(mark_format(arena, &vlan));
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_vlan_is_sorted),
		cmocka_unit_test(test_too_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
