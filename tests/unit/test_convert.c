/* Written declarations: every text is read back unchanged, and applying an export changes
 * nothing. */
#include "tests/unit/random.h"
#include "tests/unit/world.h"

#include "convert/export.h"
#include "convert/import.h"
#include "convert/import_edit.h"
#include "convert/json_read.h"
#include "schema/load.h"
#include "schema/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WORLDS    3000
#define MUTATIONS 3000

/* The caller frees it. */
static char *yaml_of(const struct tree *tree)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	tree_yaml(out, tree);
	fclose(out);
	return text;
}

static void assert_yaml(const struct tree *tree, const char *expected)
{
	char *text = yaml_of(tree);
	assert_string_equal(text, expected);
	free(text);
}

static void test_layout(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	struct tree *top = tree_new(arena);
	struct tree *networks = tree_map(top, "networks");
	struct tree *lan = tree_map(networks, "lan");
	tree_comment(lan, "note\nof %s", "lan");
	tree_text(lan, "parent", "eth0");
	tree_number(lan, "vlan", 10);
	tree_bool(lan, "internal", true);
	struct tree *subnets = tree_list(lan, "subnets");
	tree_text(tree_map(subnets, NULL), "subnet", "10.0.0.0/24");
	struct tree *second = tree_map(subnets, NULL);
	tree_comment(second, "second");
	tree_text(second, "subnet", "fd00::/64");
	struct tree *names = tree_list(top, "names");
	tree_text(names, NULL, "a");
	tree_text(names, NULL, "b c");
	tree_map(top, "empty");
	tree_comment(tree_map(top, "hollow"), "nothing here");
	assert_yaml(top, "networks:\n"
			 "  lan:\n"
			 "    # note of lan\n"
			 "    parent: eth0\n"
			 "    vlan: 10\n"
			 "    internal: true\n"
			 "    subnets:\n"
			 "      - subnet: 10.0.0.0/24\n"
			 "      -\n"
			 "        # second\n"
			 "        subnet: fd00::/64\n"
			 "names: [a, \"b c\"]\n"
			 "empty: {}\n"
			 "hollow:\n"
			 "  # nothing here\n"
			 "  {}\n");
	assert_int_equal(tree_comments(top), 3);
	arena_free(arena);
}

static void test_long_comment(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	struct tree *top = tree_new(arena);
	for (int i = 0; i < 3; i++)
		tree_comment(tree_map(top, "k"), "%s",
			     "twelve words of some length that have to be "
			     "broken where the hundredth column of the "
			     "page is reached, twice over if need be");
	char *text = yaml_of(top);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= 100);
	free(text);
	arena_free(arena);
}

/* Texts that a YAML reader could take for another type. */
static void test_scalars(void **state)
{
	(void)state;
	static const char *const quoted[] = {
		"",           "yes",   "NO",  "null", "~",  "1",     "010",  "1e3",  "0x1f",
		"0o17",       "1_000", "1.5", "+1",   "-",  "12:34", "a: b", "#a",   "a #b",
		"[a]",        "{",     "*a",  "&a",   "!a", "a\"b",  "a\\b", "a\tb", ".inf",
		"2026-11-24", "a:",    " a",  "%a",   "@a", "n",     "|",    ">",    "'a'"};
	static const char *const plain[] = {
		"eth0",       "172.16.86.2",    "172.16.86.0/24", "02:42:ac:10:56:02",
		"fd00:86::1", "/run/netns/web", "web-1",          "a+b"};
	for (size_t i = 0; i < sizeof(quoted) / sizeof(quoted[0]); i++) {
		struct arena *arena = arena_new();
		struct tree *top = tree_new(arena);
		tree_text(top, "k", quoted[i]);
		char *text = yaml_of(top);
		if (text[3] != '"')
			fail_msg("not quoted: %s", text);
		free(text);
		arena_free(arena);
	}
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		struct arena *arena = arena_new();
		struct tree *top = tree_new(arena);
		tree_text(top, "k", plain[i]);
		char *text = yaml_of(top);
		if (text[3] == '"')
			fail_msg("quoted: %s", text);
		free(text);
		arena_free(arena);
	}
}

static const struct origin *origins_by_name(const struct live *live)
{
	struct origin *origins = arena_alloc(live->arena, live->n_namespaces * sizeof(*origins));
	for (size_t i = 0; i < live->n_namespaces; i++)
		origins[i].netns = live->namespaces[i]->name;
	return origins;
}

static char *export_text(const struct live *live)
{
	struct arena *arena = arena_new();
	const struct set_names all = {0};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct exports exports = export_live(live, origins_by_name(live), &all, NULL, arena);
	for (size_t i = 0; i < exports.count; i++) {
		fputs("---\n", out);
		tree_yaml(out, exports.items[i].tree);
	}
	fclose(out);
	arena_free(arena);
	return text;
}

/* False: only a part of it can be live, which no declaration describes. */
static bool world_do(struct live *live, const struct desired *desired)
{
	const struct plan_options options = {.unguarded = true};
	world_containers(live, desired);
	const struct plan *plan = plan_make(desired, live, &options);
	bool whole = !plan_count(plan, ACTION_BLOCKED) && !plan_count(plan, ACTION_REFUSED);
	world_apply(live, plan);
	plan_free(plan);
	return whole;
}

static void assert_unchanged(struct live *live, const char *why)
{
	const struct plan_options options = {0};
	char *text = export_text(live);
	struct desired *desired = desired_from(text);
	world_containers(live, desired);
	const struct plan *plan = plan_make(desired, live, &options);
	if (plan->n_steps)
		fail_msg("%s\nwas exported as\n%s\nwhich differs: %s", why, text, plan_text(plan));
	plan_free(plan);
	desired_free(desired);
	free(text);
}

static void test_export(void **state)
{
	(void)state;
	static const char yaml[] =
		"name: lab\n"
		"networks:\n"
		"  lan: {parent: eth0, mtu: 1400, host: true, subnets: [{subnet: 10.1.0.0/24, "
		"gateway: "
		"10.1.0.1}, {subnet: \"fd00:1::/64\", gateway: \"fd00:1::1\"}]}\n"
		"  dmz: {parent: eth0.10, mode: private, bcqueuelen: 7, subnet: 10.2.0.0/24, "
		"gateway: "
		"10.2.0.1}\n"
		"  unused: {parent: eth1, vlan: 20, vlan_protocol: 802.1ad, subnet: 10.3.0.0/24}\n"
		"  island: {internal: true, mtu: 1300, subnet: 10.4.0.0/24}\n"
		"containers:\n"
		"  web: {networks: {lan: {interface_name: lan0, routes: [{to: 10.9.0.0/16, via: "
		"10.1.0.9}]}, dmz: {gw_priority: 5, mac_address: 02:00:00:00:00:01}}}\n"
		"  other: {netns: db, networks: [island]}\n";
	struct live *live = world_new();
	struct desired *desired = desired_from(yaml);
	assert_true(world_do(live, desired));
	char *text = export_text(live);
	for (const char *const *word =
		     (const char *const[]){"name: lab", "mtu: 1400", "vlan: 10", "mode: private",
					   "bcqueuelen: 7", "vlan_protocol: 802.1ad", "netns: db",
					   "gateway: fd00:1::1", "via: 10.1.0.9",
					   "mac_address: \"02:00:00:00:00:01\"",
					   "interface_name: lan0", "internal: true", NULL};
	     *word; word++)
		if (!strstr(text, *word))
			fail_msg("no %s in\n%s", *word, text);
	free(text);
	assert_unchanged(live, yaml);
	desired_free(desired);
	world_free(live);
}

/* The parent of a passthru link has the link's MAC: a card's own is not written. */
static void test_passthru(void **state)
{
	(void)state;
	static const uint8_t cards[][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 9}};
	static const char yaml[] = "networks: {n: {parent: eth0, mode: passthru, subnet: "
				   "10.1.0.0/24}}\ncontainers: {web: {networks: {n: {mac_address: "
				   "'02:00:00:00:00:01'}}}}\n";
	for (size_t i = 0; i < sizeof(cards) / sizeof(cards[0]); i++) {
		struct live *live = world_new();
		struct desired *desired = desired_from(yaml);
		assert_true(world_do(live, desired));
		/* That of a bond's card, too. */
		struct live_link *card = &live->namespaces[0]->links[i];
		card->permanent_mac.set = true;
		memcpy(card->permanent_mac.bytes, cards[i], sizeof(cards[i]));
		char *text = export_text(live);
		assert_int_equal(strstr(text, "mac_address") != NULL, i == 1);
		free(text);
		assert_unchanged(live, yaml);
		desired_free(desired);
		world_free(live);
	}
}

static void test_random_exports(void **state)
{
	(void)state;
	size_t exported = 0;
	for (unsigned seed = 1; seed <= WORLDS; seed++) {
		random_seed(seed);
		struct live *live = world_new();
		const char *yaml = random_yaml();
		struct desired *desired = desired_try(yaml);
		if (desired && world_do(live, desired)) {
			assert_unchanged(live, yaml);
			exported++;
		}
		desired_free(desired);
		world_free(live);
	}
	print_message("exported %zu hosts\n", exported);
	assert_true(exported > WORLDS / 20);
}

/* The value, with one in eight replaced by another type, at any depth. */
static json_t *mutated(const json_t *json)
{
	static const char *const odd[] = {"null",
					  "true",
					  "-5",
					  "\"\"",
					  "\"x y: #\"",
					  "[]",
					  "{}",
					  "[[1]]",
					  "1e300",
					  "\"\\n\"",
					  "\"10.0.0.0/33\"",
					  "{\"a\": {\"subnet\": []}}"};
	if (random_below(8) == 0)
		return json_loads(odd[random_below(sizeof(odd) / sizeof(odd[0]))], JSON_DECODE_ANY,
				  NULL);
	if (json_is_array(json)) {
		json_t *array = json_array();
		for (size_t i = 0; i < json_array_size(json); i++)
			json_array_append_new(array, mutated(json_array_get(json, i)));
		return array;
	}
	if (!json_is_object(json))
		return json_deep_copy(json);
	json_t *object = json_object();
	json_each (json, member)
		json_object_set_new(object, json_object_iter_key(member),
				    mutated(json_object_iter_value(member)));
	return object;
}

static void assert_yaml_whole(const struct tree *tree)
{
	struct arena *arena = arena_new();
	struct diags diags;
	diags_init(&diags);
	char *text = yaml_of(tree);
	const struct input input = {.file = "result", .bytes = text, .size = strlen(text)};
	(void)yaml_parse(&input, arena, &diags);
	if (diags.count)
		fail_msg("%s\n%s", diags.items[0].text, text);
	free(text);
	diags_free(&diags);
	arena_free(arena);
}

static struct tree *import_compose_text(const json_t *json, struct arena *arena)
{
	char *text = json_dumps(json, JSON_ENCODE_ANY);
	const struct input input = {.file = "compose.yaml", .bytes = text, .size = strlen(text)};
	const struct compose_source source = {
		.inputs = &input, .n_inputs = 1, .directory = ".", .project = "shop"};
	struct error error;
	struct tree *tree = import_compose(&source, arena, &error);
	free(text);
	return tree ? tree : tree_new(arena);
}

static const char cni_text[] =
	"{'name': 'a', 'plugins': [{'type': 'macvlan', 'master': 'eth0', 'mode': 'vepa', 'mtu': 5, "
	"'ipam': {'type': 'host-local', 'ranges': [[{'subnet': '10.1.0.0/24', 'rangeStart': "
	"'10.1.0.9', 'rangeEnd': '10.1.0.99', 'gateway': '10.1.0.1'}]], 'routes': [{'dst': "
	"'0.0.0.0/0'}, {'dst': '10.2.0.0/16', 'gw': '10.1.0.2'}]}}, {'type': 'vlan', 'vlanId': 3, "
	"'ipam': {'type': 'static', 'addresses': [{'address': '10.3.0.1/24', 'gateway': "
	"'10.3.0.9'}]}}, {'type': 'tuning'}]}";
static const char compose_text[] =
	"{'services': {'web': {'networks': {'lan': {'ipv4_address': '10.1.0.2', 'gw_priority': 1, "
	"'driver_opts': {'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.a=1,b'}}, "
	"'x': null}, 'deploy': {'replicas': 2}}, 'db': {'networks': ['lan'], 'mac_address': "
	"'02:42:00:00:00:01'}, 'h': {'network_mode': 'host'}}, 'networks': {'lan': {'driver': "
	"'macvlan', 'driver_opts': {'parent': 'eth0', 'macvlan_mode': 'bridge'}, 'ipam': "
	"{'config': "
	"[{'subnet': '10.1.0.0/24', 'aux_addresses': {'a': '10.1.0.5'}}]}}, 'x': null}}";
static const char docker_text[] =
	"{'networks': [{'Name': 'lan', 'Driver': 'macvlan', 'Options': {'parent': 'eth0'}, 'IPAM': "
	"{'Config': [{'Subnet': '10.1.0.0/24', 'AuxiliaryAddresses': {'a': '10.1.0.5'}}]}}, "
	"{'Name': "
	"'bridge', 'Driver': 'bridge'}], 'containers': [{'Name': '/web', 'NetworkSettings': "
	"{'Networks': {'lan': {'IPAddress': '10.1.0.2', 'MacAddress': '02:42:0a:01:00:02', "
	"'IPAMConfig': {'IPv4Address': '10.1.0.2'}, 'GwPriority': 1}, 'bridge': {}}}}]}";

static const char podman_text[] =
	"{'networks': [{'name': 'lan', 'driver': 'macvlan', 'network_interface': 'eth0', 'subnets': "
	"[{'subnet': '10.1.0.0/24', 'gateway': '10.1.0.1', 'lease_range': {'start_ip': '10.1.0.9', "
	"'end_ip': '10.1.0.99'}}], 'options': {'mode': 'vepa', 'mtu': '1400', 'metric': '5'}, "
	"'ipam_options': {'driver': 'host-local'}}], 'containers': [{'Name': 'web', "
	"'NetworkSettings': {'Networks': {'lan': {'IPAddress': '10.1.0.2', 'MacAddress': "
	"'02:42:0a:01:00:02', 'interface_name': 'eth1'}, 'podman': {}}}}]}";
static const char quadlet_text[] =
	"[Network]\nDriver=macvlan\nOptions=parent=eth0,mode=vepa\nSubnet=10.1.0.0/24\n"
	"IPRange=10.1.0.9-10.1.0.99\nGateway=10.1.0.1\nDNS=1.1.1.1 \\\n 2.2.2.2\n# x\n"
	"[Container]\nNetwork=a.network:ip=10.1.0.7,mac=02:00:00:00:00:01\nIP=10.1.0.8\n";

/* Single quotes for double ones, so that the texts above can be read. */
static json_t *json_from(const char *text)
{
	struct arena *arena = arena_new();
	char *copy = arena_strdup(arena, text);
	for (char *at = copy; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	json_t *json = json_loads(copy, 0, NULL);
	assert_non_null(json);
	arena_free(arena);
	return json;
}

/* The result is valid YAML for any units. */
static void test_mutated_quadlets(void **state)
{
	(void)state;
	random_seed(2);
	for (unsigned i = 0; i < MUTATIONS; i++) {
		struct arena *arena = arena_new();
		char *text = arena_strdup(arena, quadlet_text);
		for (unsigned k = 0; k < 4; k++)
			text[random_below(sizeof(quadlet_text) - 1)] =
				"=\n\\[],:-\0x"[random_below(10)];
		const struct input inputs[] = {{"a.network", text, sizeof(quadlet_text) - 1},
					       {"/x/b.container", text, sizeof(quadlet_text) - 1}};
		struct tree *tree = import_quadlet(inputs, 2, arena);
		import_mark_edits(tree);
		assert_yaml_whole(tree);
		arena_free(arena);
	}
}

/* The result is valid YAML for any input, without duplicate keys. */
static void test_mutated_imports(void **state)
{
	(void)state;
	json_t *cni = json_from(cni_text), *compose = json_from(compose_text);
	json_t *docker = json_from(docker_text), *podman = json_from(podman_text);
	random_seed(1);
	for (unsigned i = 0; i < MUTATIONS; i++) {
		struct arena *arena = arena_new();
		json_t *conf = mutated(cni), *file = mutated(compose), *engine = mutated(docker);
		json_t *libpod = mutated(podman);
		json_t *confs = json_pack("[O, O]", conf, conf);
		struct tree *tree = import_cni(confs, arena);
		json_decref(confs);
		import_mark_edits(tree);
		assert_yaml_whole(tree);
		assert_yaml_whole(import_compose_text(file, arena));
		assert_yaml_whole(import_docker(json_object_get(engine, "networks"),
						json_object_get(engine, "containers"), arena));
		assert_yaml_whole(import_podman(json_object_get(libpod, "networks"),
						json_object_get(libpod, "containers"), arena));
		json_decref(libpod);
		json_decref(conf);
		json_decref(file);
		json_decref(engine);
		arena_free(arena);
	}
	json_decref(cni);
	json_decref(compose);
	json_decref(docker);
	json_decref(podman);
}

#define ENDPOINT(gateway, priority) "{'Gateway': '" gateway "', 'GwPriority': " priority "}"

/* In addition to a bridge that is left to Docker, a gw_priority above 0 has the default route: a
 * network has one only if it has that of Docker. */
static void test_docker_default_route(void **state)
{
	(void)state;
	static const char networks[] = "[{'Name': 'lan', 'Driver': 'macvlan'}, {'Name': 'wan', "
				       "'Driver': 'ipvlan'}, {'Name': 'br', 'Driver': 'bridge'}]";
	static const struct {
		const char *endpoints;
		int lan, wan; /* gw_priority; 0: the key is absent */
	} rows[] = {
		{"'lan': " ENDPOINT("10.1.0.1", "0") ", 'wan': " ENDPOINT("10.2.0.1", "0"), 0, 0},
		{"'lan': " ENDPOINT("10.1.0.1", "0") ", 'br': " ENDPOINT("10.9.0.1", "0"), 0, 0},
		{"'lan': " ENDPOINT("10.1.0.1", "2") ", 'wan': " ENDPOINT(
			 "10.2.0.1", "5") ", 'br': " ENDPOINT("10.9.0.1", "9"),
		 -3, 0},
		{"'lan': " ENDPOINT("10.1.0.1", "2") ", 'br': " ENDPOINT("10.9.0.1", "1"), 2, 0},
		{"'lan': " ENDPOINT("10.1.0.1", "-1") ", 'br': " ENDPOINT("10.9.0.1", "-5"), 1, 0},
		{"'wan': " ENDPOINT("10.2.0.1", "0") ", 'br': " ENDPOINT("", "0"), 0, 1},
		/* Of containers that do not run, only the priorities are known. */
		{"'wan': " ENDPOINT("", "7") ", 'br': " ENDPOINT("", "0"), 0, 7},
		{"'wan': " ENDPOINT("", "7") ", 'br': " ENDPOINT("", "9"), 0, 0},
		{"'wan': " ENDPOINT("", "0") ", 'br': " ENDPOINT("", "0"), 0, 0},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new();
		json_t *engine = json_from(arena_printf(
			arena,
			"{'networks': %s, 'containers': [{'Name': '/web', 'NetworkSettings': "
			"{'Networks': {%s}}}]}",
			networks, rows[i].endpoints));
		json_t *result =
			tree_json(import_docker(json_object_get(engine, "networks"),
						json_object_get(engine, "containers"), arena));
		json_int_t lan = 0, wan = 0;
		assert_int_equal(json_unpack(result, "{s:{s:{s:{s?:{s?:I}, s?:{s?:I}}}}}",
					     "containers", "web", "networks", "lan", "gw_priority",
					     &lan, "wan", "gw_priority", &wan),
				 0);
		assert_int_equal(lan, rows[i].lan);
		assert_int_equal(wan, rows[i].wan);
		json_decref(result);
		json_decref(engine);
		arena_free(arena);
	}
}

/* Spellings of Docker's API that differ by its version, and what is not converted. */
static void test_docker_spellings(void **state)
{
	(void)state;
	static const char text[] =
		"{'networks': [{'Name': 'lan', 'Driver': 'macvlan', 'Options': {'parent': 'eth0'}, "
		"'IPAM': {'Config': [{'Subnet': '10.1.0.0/24', 'Gateway': '10.1.0.1/24'}]}}, "
		"{'Name': 'none', 'Driver': 'macvlan', 'Options': {'parent': 'dm-0123456789ab'}, "
		"'IPAM': {'Config': [{'Subnet': '10.2.0.0/24', 'IPRange': '10.2.0.x/25'}]}}], "
		"'containers': [{'Name': '/web', 'Config': {'MacAddress': '02:00:00:00:00:77'}, "
		"'HostConfig': {'NetworkMode': 'lan', 'Sysctls': {'net.ipv4.conf.eth0.a': '1', "
		"'net.ipv4.ip_forward': '1'}}, 'NetworkSettings': {'Networks': {'lan': "
		"{'MacAddress': '', 'Links': ['db:x'], 'IPAMConfig': {'LinkLocalIPs': "
		"['169.254.1.1']}}}}}]}";
	static const char *const expected[] = {
		"gateway: 10.1.0.1\n",
		"the network has no parent",
		"edit this: 10.2.0.x/25 is not a prefix",
		"mac_address: \"02:00:00:00:00:77\"",
		"Links: [\"db:x\"] is not converted",
		"LinkLocalIPs: [\"169.254.1.1\"] is not converted",
		"the sysctl net.ipv4.conf.eth0.a of the container",
	};
	struct arena *arena = arena_new();
	json_t *engine = json_from(text);
	char *yaml = yaml_of(import_docker(json_object_get(engine, "networks"),
					   json_object_get(engine, "containers"), arena));
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (!strstr(yaml, expected[i]))
			fail_msg("no \"%s\" in\n%s", expected[i], yaml);
	assert_null(strstr(yaml, "ip_forward"));
	assert_null(strstr(yaml, "parent: dm-"));
	free(yaml);
	json_decref(engine);
	arena_free(arena);
}

/* What libpod's API says and does not say of a container's addresses, and options of a VLAN. */
static void test_podman_addresses(void **state)
{
	(void)state;
	static const char text[] =
		"{'networks': [{'name': 'lan', 'driver': 'macvlan', 'network_interface': 'eth0', "
		"'subnets': [{'subnet': '10.1.0.0/24', 'lease_range': {'start_ip': 'x'}}]}, "
		"{'name': 'auto', 'driver': 'macvlan', 'network_interface': 'eth1', "
		"'ipam_options': {'driver': 'dhcp'}, 'options': {'vlan': '7'}}], 'containers': "
		"[{'Name': 'off', 'NetworkSettings': {'Networks': {'lan': {'IPAddress': '', "
		"'GlobalIPv6Address': ''}}}}, {'Name': 'on', 'NetworkSettings': {'Networks': "
		"{'auto': {'IPAddress': '10.2.0.9', 'GlobalIPv6Address': ''}}}}]}";
	static const char *const expected[] = {
		"edit this: x is not an address",
		"the container does not run",
		"the DHCP lease: \"10.2.0.9\" is not converted",
		"edit this: the engine ignores the option vlan=7",
	};
	struct arena *arena = arena_new();
	json_t *engine = json_from(text);
	char *yaml = yaml_of(import_podman(json_object_get(engine, "networks"),
					   json_object_get(engine, "containers"), arena));
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (!strstr(yaml, expected[i]))
			fail_msg("no \"%s\" in\n%s", expected[i], yaml);
	assert_null(strstr(yaml, "ipv4_address"));
	free(yaml);
	json_decref(engine);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_long_comment),
		cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_export),
		cmocka_unit_test(test_passthru),
		cmocka_unit_test(test_random_exports),
		cmocka_unit_test(test_mutated_imports),
		cmocka_unit_test(test_mutated_quadlets),
		cmocka_unit_test(test_docker_default_route),
		cmocka_unit_test(test_docker_spellings),
		cmocka_unit_test(test_podman_addresses),
	};
	return cmocka_run_group_tests_name("carry", tests, NULL, NULL);
}
