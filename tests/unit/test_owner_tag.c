/* Owner tags: a written tag is parsed again unchanged, and no other text is accepted. */
#include "kernel/owner_tag.h"
#include "kernel/parent_mark.h"

#include <stdarg.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

static void round_trip(struct arena *arena, const struct owner_tag *tag, const char *alias)
{
	const char *formatted = owner_tag_format(arena, tag);
	assert_non_null(formatted);
	assert_string_equal(formatted, alias);
	const struct owner_tag parsed = owner_tag_parse(arena, formatted);
	assert_true(owner_tag_equal(&parsed, tag));
	assert_string_equal(parsed.resolv_conf ? parsed.resolv_conf : "",
			    tag->resolv_conf ? tag->resolv_conf : "");
}

static void test_round_trip(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	const char *sets[] = {"a", "lab"};
	const struct owner_tag attach = {
		.role = ROLE_ATTACH, .set = "lab", .network = "net", .container = "web"};
	const struct owner_tag named = {.role = ROLE_ATTACH,
					.set = "lab",
					.network = "net",
					.container = "web",
					.attachment = "second"};
	const struct owner_tag guest = {.role = ROLE_GUEST,
					.set = "lab",
					.network = "net",
					.container = "web/cni.0123456789abcdef"};
	const struct owner_tag host = {.role = ROLE_HOST, .set = "lab", .network = "net"};
	const struct owner_tag dummy = {.role = ROLE_DUMMY, .set = "lab", .network = "net"};
	const struct owner_tag vlan = {.role = ROLE_VLAN, .sets = sets, .n_sets = 2};
	round_trip(arena, &attach, "mvapply:attach:lab/net/web");
	round_trip(arena, &named, "mvapply:attach:lab/net/web/second");
	assert_false(owner_tag_equal(&attach, &named));
	assert_string_equal(owner_tag_attachment(&attach), "net");
	assert_string_equal(owner_tag_attachment(&named), "second");
	assert_string_equal(owner_tag_attachment(&guest), "net");
	assert_null(owner_tag_attachment(&host));
	round_trip(arena, &guest, "mvapply:guest:lab/net/web/cni.0123456789abcdef");
	round_trip(arena, &host, "mvapply:host:lab/net");
	round_trip(arena, &dummy, "mvapply:dummy:lab/net");
	round_trip(arena, &vlan, "mvapply:vlan:a,lab");
	assert_string_equal(owner_tag_guest(arena, &guest).name, "web");
	assert_string_equal(owner_tag_guest(arena, &guest).source, "cni");
	assert_false(owner_tag_equal(&host, &dummy));
	assert_true(role_in_container(ROLE_ATTACH) && role_in_container(ROLE_GUEST));
	assert_false(role_in_container(ROLE_HOST) || role_in_container(ROLE_NONE));
	assert_true(owner_tag_has_set(&vlan, "lab"));
	assert_true(owner_tag_has_set(&attach, "lab"));
	assert_false(owner_tag_has_set(&vlan, "la"));
	assert_false(owner_tag_has_set(&attach, "la"));
	arena_free(arena);
}

/* The path is a part of the text, but not of the identity; the names are the same with it. */
static void test_path(void **state)
{
	(void)state;
	static const char *const paths[] = {"/run/a", "/a", "/etc/netns/web/resolv.conf",
					    "/net/web/b"};
	static const char *const names[] = {NULL, "second", "a.b-c_d"};
	struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (size_t k = 0; k < sizeof(paths) / sizeof(paths[0]); k++) {
			struct owner_tag plain = {.role = ROLE_ATTACH,
						  .set = "lab",
						  .network = "net",
						  .container = "web",
						  .attachment = names[i]};
			struct owner_tag tag = plain;
			const char *text = owner_tag_format(arena, &plain);
			tag.resolv_conf = paths[k];
			round_trip(arena, &plain, text);
			round_trip(arena, &tag, arena_printf(arena, "%s=%s", text, paths[k]));
			assert_true(owner_tag_equal(&plain, &tag));
			assert_string_equal(owner_tag_identity(arena, &tag), text);
			assert_string_equal(owner_tag_attachment(&tag),
					    names[i] ? names[i] : "net");
		}
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
		"mvapply:attach:a/b/c/",
		"mvapply:attach:a/b/c/d/e",
		/* Such a name is not written. */
		"mvapply:attach:a/b/c/b",
		"mvapply:attach:a/b/c/-d",
		"mvapply:attach:a/b/c=",
		"mvapply:attach:a/b/c=d",
		"mvapply:attach:a/b/c=/",
		"mvapply:attach:a/b/c=/d/",
		"mvapply:attach:a/b/c=/d=/e",
		"mvapply:attach:a/b/c==/d",
		"mvapply:attach:a/b/c=/../d",
		"mvapply:attach:a/b/c=/d e",
		"mvapply:attach:a/b=/d",
		"mvapply:attach:a/b/=/d",
		"mvapply:attach:a/b/c/=/d",
		"mvapply:attach:a/b/c/d=",
		"mvapply:attach:a/b/c/d=e",
		"mvapply:attach:a/b/c/d=/e=/f",
		"mvapply:attach:a/b/c/b=/e",
		"mvapply:attach:a/b/c/d/e=/f",
		"mvapply:attach:a=/b/c",
		"mvapply:guest:a/b/c/d=/e",
		"mvapply:host:a/b=/e",
		"mvapply:vlan:a=/e",
		"mvapply:guest:a/b/c",
		"mvapply:guest:a/b/c/",
		"mvapply:guest:a/b/c/d/e",
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
	assert_int_equal(owner_tag_parse(arena, NULL).role, ROLE_NONE);
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		assert_int_equal(owner_tag_parse(arena, aliases[i]).role, ROLE_NONE);
	arena_free(arena);
}

static void test_vlan_is_sorted(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	const struct owner_tag tag = owner_tag_parse(arena, "mvapply:vlan:b,a,B");
	assert_int_equal(tag.n_sets, 3);
	assert_string_equal(tag.sets[0], "B");
	assert_string_equal(tag.sets[1], "a");
	assert_string_equal(tag.sets[2], "b");
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
	const struct owner_tag longest = {
		.role = ROLE_ATTACH, .set = name, .network = name, .container = name};
	struct owner_tag vlan = {.role = ROLE_VLAN, .sets = sets, .n_sets = 5};
	struct owner_tag named = longest;
	assert_non_null(owner_tag_format(arena, &longest));
	named.attachment = arena_strndup(arena, sets[0], OWN_NAMES_LENGTH_MAX - 3 * 63);
	assert_non_null(owner_tag_format(arena, &named));
	named.attachment = arena_strndup(arena, sets[0], OWN_NAMES_LENGTH_MAX - 3 * 63 + 1);
	assert_null(owner_tag_format(arena, &named));
	assert_null(owner_tag_format(arena, &vlan));
	vlan.n_sets = 3;
	assert_non_null(owner_tag_format(arena, &vlan));
	arena_free(arena);
}

static void test_parent_marks(void **state)
{
	static const char *const others[] = {
		"",
		"mvapply-was",
		"mvapply-was.2",
		"mvapply-was.2.left.1500",
		"mvapply-was.2.up.",
		"mvapply-was.2.up.15x",
		"mvapply-was.x.up.1500",
		"mvapply-for.2.9000",
		"mvapply-for.2.9000.",
		"mvapply-for.2.9000.a b",
		"mvapply-for..9000.a",
		"mvapply-for.2.99999999999.a",
		"mvapply-for.2.4294967296.a",
		"xmvapply-for.2.9000.a",
	};
	struct arena *arena = arena_new();
	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(parent_mark_parse(others[i]).kind, PARENT_MARK_NONE);
	struct parent_mark mark = {.kind = PARENT_MARK_WAS, .up = true, .mtu = 1500};
	const char *text = parent_mark_format(arena, 2, &mark);
	assert_string_equal(text, "mvapply-was.2.up.1500");
	mark = parent_mark_parse(text);
	assert_true(mark.kind == PARENT_MARK_WAS && mark.up && mark.mtu == 1500);
	mark = (struct parent_mark){.kind = PARENT_MARK_FOR, .mtu = 9000, .set = "a.b-c"};
	text = parent_mark_format(arena, 1234567890, &mark);
	assert_string_equal(text, "mvapply-for.1234567890.9000.a.b-c");
	mark = parent_mark_parse(text);
	assert_true(mark.kind == PARENT_MARK_FOR && mark.mtu == 9000);
	assert_string_equal(mark.set, "a.b-c");
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parent_marks),   cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_path),           cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_vlan_is_sorted), cmocka_unit_test(test_too_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
