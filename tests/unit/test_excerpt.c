/* The excerpt of files for one container (cmd/excerpt.h): it declares the container and all
 * networks as the whole files do. */
#include "cmd/excerpt.h"
#include "lib/wrap.h"
#include "schema/files.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct trust anybody = {.everybody = true};

static struct desired *load_all(const struct input *inputs, size_t count)
{
	struct diags diags;
	diags_init(&diags);
	struct desired *desired = load(inputs, count, NULL, &diags);
	for (size_t i = 0; i < diags.count; i++)
		print_error("%s", diag_format(diags.arena, &diags.items[i], WRAP_NEVER));
	assert_non_null(desired);
	diags_free(&diags);
	return desired;
}

static const struct container *container_named(const struct set *set, const char *name)
{
	for (size_t i = 0; i < set->n_containers; i++)
		if (strcmp(set->containers[i].name, name) == 0)
			return &set->containers[i];
	return NULL;
}

static void assert_attachment(const struct attachment *found, const struct attachment *expected)
{
	assert_string_equal(found->name, expected->name);
	assert_string_equal(found->network->name, expected->network->name);
	assert_true(ip_equal(&found->ipv4, &expected->ipv4));
	assert_true(ip_equal(&found->ipv6, &expected->ipv6));
	assert_true(found->mac.set == expected->mac.set);
	assert_memory_equal(found->mac.bytes, expected->mac.bytes, sizeof(found->mac.bytes));
	assert_int_equal(found->n_routes, expected->n_routes);
}

static void assert_container(const struct container *found, const struct container *expected)
{
	assert_non_null(found);
	assert_string_equal(found->source, expected->source);
	assert_int_equal(found->source_kind, expected->source_kind);
	assert_int_equal(found->n_attachments, expected->n_attachments);
	for (size_t i = 0; i < found->n_attachments; i++)
		assert_attachment(&found->attachments[i], &expected->attachments[i]);
}

/* Returns the number of containers that are left. */
static size_t assert_sets(const struct desired *found, const struct desired *expected, size_t set,
			  const struct container *container)
{
	size_t left = 0;
	assert_int_equal(found->n_sets, expected->n_sets);
	for (size_t s = 0; s < found->n_sets; s++) {
		assert_string_equal(found->sets[s].name, expected->sets[s].name);
		assert_int_equal(found->sets[s].n_networks, expected->sets[s].n_networks);
		for (size_t i = 0; i < found->sets[s].n_networks; i++)
			assert_string_equal(found->sets[s].networks[i].name,
					    expected->sets[s].networks[i].name);
		left += found->sets[s].n_containers;
	}
	assert_container(container_named(&found->sets[set], container->name), container);
	return left;
}

/* All containers of the file, one after the other. Returns how many containers the excerpts have
 * together. */
static size_t assert_excerpts(const struct input *inputs, size_t count)
{
	struct arena *arena = arena_new();
	struct desired *whole = load_all(inputs, count);
	struct input *cut = arena_alloc(arena, count * sizeof(*cut));
	size_t left = 0;
	for (size_t s = 0; s < whole->n_sets; s++)
		for (size_t i = 0; i < whole->sets[s].n_containers; i++) {
			const struct container *container = &whole->sets[s].containers[i];
			const struct service_container starting = {
				.kind = container->source_kind,
				.names = {.other = container->source}};
			size_t n_cuts;
			const struct service_cut *cuts =
				excerpt_cuts(whole, &starting, arena, &n_cuts);
			for (size_t k = 0; k < count; k++)
				cut[k] = excerpt_cut(&inputs[k], cuts, n_cuts, arena);
			struct desired *found = load_all(cut, count);
			left += assert_sets(found, whole, s, container);
			desired_free(found);
		}
	desired_free(whole);
	arena_free(arena);
	return left;
}

static void good(void **state)
{
	struct arena *arena = arena_new();
	struct input *inputs = NULL;
	struct diags diags;
	size_t count = 0;
	diags_init(&diags);
	assert_int_equal(files_read(*state, &anybody, arena, &inputs, &count, &diags), 0);
	(void)assert_excerpts(inputs, count);
	diags_free(&diags);
	arena_free(arena);
}

#define NETWORKS "networks: {lan: {parent: eth0, subnet: 10.0.0.0/24}}\n"
#define A        "networks: {lan: {ipv4_address: 10.0.0.2}}"
#define B        "networks: {lan: {ipv4_address: 10.0.0.3}}"
#define C        "networks: {lan: {ipv4_address: 10.0.0.4}}"

/* Three containers in each way to write a map. An excerpt has one of the first two and the last. */
static const char *const ways[] = {
	NETWORKS "containers:\n  a:\n    " A "\n  b:\n    " B "\n  c:\n    " C "\n",
	NETWORKS "containers:\r\n  a:\r\n    " A "\r\n  b:\r\n    " B "\r\n  c:\r\n    " C "\r\n",
	NETWORKS "containers: {a: {" A "}, b: {" B "}, c: {" C "}}\n",
	NETWORKS "containers: {\"a\": {" A "},\n\n 'b':\n {" B "} , c: {" C "} , }\n",
	NETWORKS "containers:\n  # an {a: of b\n  a: {" A "} # \"\n  b: # c:\n    " B "\n\n  c: {" C
		 "}",
	NETWORKS "containers:\n  ? a\n  : " A "\n  ? b\n  : {" B "}\n  ? c\n  : " C "\n",
	"# \xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xb3\n" NETWORKS "containers: # \xe2\x82\xac\n  a: {" A
	"} # \xf0\x9f\x90\xb3\n  b: {" B "} # \xc3\xa4\n  c: {" C "}\n",
	"\xef\xbb\xbf" NETWORKS "containers:\n  a: {" A "}\n  b: {" B "}\n  c: {" C "}\n",
	"containers:\n  a: {" A "}\n  b: {" B "}\n  c: {" C "}\n" NETWORKS,
};

static void written(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		const struct input input = {"f", ways[i], strlen(ways[i])};
		assert_int_equal(assert_excerpts(&input, 1), 2 + 2 + 1);
	}
}

/* Two sets, in documents of two files, and a container that both have. */
static void several(void **state)
{
	static const char first[] =
		NETWORKS "containers:\n  a: {" A "}\n  b: {" B "}\n---\n"
			 "name: other\n"
			 "networks: {lan: {parent: eth1, subnet: 10.0.0.0/24}}\n"
			 "containers:\n  a: {" A "}\n  b: {" B "}\n",
			  second[] = "containers:\n  c: {" C "}\n  d: {networks: {lan: }}\n---\n"
				     "name: other\ncontainers: {c: {" C "}}\n";
	const struct input inputs[] = {{"f", first, strlen(first)}, {"g", second, strlen(second)}};
	(void)state;
	/* The last of each of the four maps, and a: both, b: both, c: both, d: that of one set. */
	assert_int_equal(assert_excerpts(inputs, 2), (4 + 2) * 2 + 4 * 2 + (4 + 1) * 2 + 4);
}

/* The last container stays. */
static void assert_all_cut(const struct desired *desired, const struct input *input,
			   const struct service_container *starting)
{
	size_t count;
	const struct service_cut *cuts = excerpt_cuts(desired, starting, desired->arena, &count);
	assert_int_equal(count, 1);
	const struct input cut = excerpt_cut(input, cuts, count, desired->arena);
	struct desired *found = load_all(&cut, 1);
	assert_int_equal(found->sets[0].n_containers, 1);
	assert_string_equal(found->sets[0].containers[0].name, "c");
	desired_free(found);
}

static void undeclared(void **state)
{
	const struct input input = {"f", ways[0], strlen(ways[0])};
	struct desired *desired = load_all(&input, 1);
	(void)state;
	const struct service_container other = {.kind = SOURCE_NETNS, .names = {.other = "d"}},
				       engine = {.kind = SOURCE_DOCKER, .names = {.name = "a"}};
	assert_all_cut(desired, &input, &other);
	assert_all_cut(desired, &input, &engine);
	desired_free(desired);
}

static void requests(void **state)
{
	(void)state;
	struct service_container found;
	char bare[] = "cuts 1 0\n\n\n", full[] = "cuts 1 1\nid\nname\nproject/web",
	     other[] = "cuts 2 0\n\n\na", kind[] = "cuts 1 99\n\n\na", none[] = "tags 1";
	assert_true(service_query_cuts_parse(bare, &found));
	assert_null(found.names.id);
	assert_null(found.names.name);
	assert_null(found.names.other);
	assert_true(service_query_cuts_parse(full, &found));
	assert_int_equal(found.kind, 1);
	assert_string_equal(found.names.id, "id");
	assert_string_equal(found.names.name, "name");
	assert_string_equal(found.names.other, "project/web");
	assert_false(service_query_cuts_parse(other, &found));
	assert_false(service_query_cuts_parse(kind, &found));
	assert_false(service_query_cuts_parse(none, &found));
}

int main(void)
{
	glob_t goods;
	if (glob("tests/input/good/*.yaml", 0, NULL, &goods) != 0) {
		print_error("no files in tests/input\n");
		return 1;
	}
	struct CMUnitTest *tests = calloc(goods.gl_pathc + 4, sizeof(*tests));
	size_t count = 0;
	for (; count < goods.gl_pathc; count++)
		tests[count] = (struct CMUnitTest){
			.name = goods.gl_pathv[count],
			.test_func = good,
			.initial_state = goods.gl_pathv[count],
		};
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(written);
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(several);
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(undeclared);
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(requests);
	int failed = _cmocka_run_group_tests("excerpt", tests, count, NULL, NULL);
	free(tests);
	globfree(&goods);
	return failed;
}
