/* The meaning of the input: every key's value in the model, defaults, documents and files. */
#include "lib/wrap.h"
#include "schema/load.h"
#include "schema/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define FILES_MAX 4

/* Loads texts as the files "0.yaml", "1.yaml", ... up to a NULL, or fails the test. */
static struct desired *load_texts(const char *const texts[])
{
	static const char *const names[FILES_MAX] = {"0.yaml", "1.yaml", "2.yaml", "3.yaml"};
	struct input inputs[FILES_MAX];
	struct diags diags;
	size_t count = 0;

	for (; texts[count]; count++)
		inputs[count] = (struct input){names[count], texts[count], strlen(texts[count])};
	diags_init(&diags);
	struct desired *desired = load(inputs, count, NULL, &diags);
	for (size_t i = 0; i < diags.count; i++)
		print_error("%s", diag_format(diags.arena, &diags.items[i], WRAP_NEVER));
	assert_non_null(desired);
	assert_int_equal(diags.count, 0);
	diags_free(&diags);
	return desired;
}

#define LOAD(...) load_texts((const char *const[]){__VA_ARGS__, NULL})

/* The findings of invalid texts, without their excerpts and hints. */
static void assert_findings(const char *const texts[], const char *expected)
{
	static const char *const names[FILES_MAX] = {"0.yaml", "1.yaml", "2.yaml", "3.yaml"};
	struct input inputs[FILES_MAX];
	struct diags diags;
	size_t count = 0;
	const char *text = "";

	for (; texts[count]; count++)
		inputs[count] = (struct input){names[count], texts[count], strlen(texts[count])};
	diags_init(&diags);
	assert_null(load(inputs, count, NULL, &diags));
	for (size_t i = 0; i < diags.count; i++)
		text = arena_printf(diags.arena, "%s%s:%u:%u %s\n", text, diags.items[i].place.file,
				    diags.items[i].place.line, diags.items[i].place.column,
				    diags.items[i].text);
	assert_string_equal(text, expected);
	diags_free(&diags);
}

#define ASSERT_FINDINGS(expected, ...)                                                             \
	assert_findings((const char *const[]){__VA_ARGS__, NULL}, expected)

static void assert_ip(const struct ip *ip, const char *expected)
{
	char text[IP_TEXT_SIZE];
	assert_string_equal(ip_format(ip, text), expected);
}

static void assert_prefix(const struct prefix *prefix, const char *expected)
{
	char text[PREFIX_TEXT_SIZE];
	assert_string_equal(prefix_format(prefix, text), expected);
}

/* One range. */
static void assert_ranges(const struct ip_ranges *ranges, const char *expected)
{
	char text[IP_RANGE_TEXT_SIZE];
	assert_int_equal(ranges->count, 1);
	assert_string_equal(ip_range_format(ranges->items, text), expected);
}

static void assert_place(const struct place *place, const char *expected)
{
	char text[64];
	snprintf(text, sizeof(text), "%s:%u:%u", place->file, place->line, place->column);
	assert_string_equal(text, expected);
}

#define LAN "{parent: eth0, subnet: 172.16.86.0/24}"

static void nothing_is_the_empty_set(void **state)
{
	static const char *const texts[] = {"",
					    "# only a comment\n",
					    "---\n",
					    "---\n---\n# x\n",
					    "{}",
					    "name:  default\n",
					    "networks:\ncontainers: ~\n",
					    "networks: {}\ncontainers: {}",
					    "x-what: [1, {a: b}]\nx-: 3\n"};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct desired *desired = LOAD(texts[i]);
		assert_int_equal(desired->n_sets, 1);
		assert_string_equal(desired->sets[0].name, "default");
		assert_int_equal(desired->sets[0].n_networks, 0);
		assert_int_equal(desired->sets[0].n_containers, 0);
		desired_free(desired);
	}
}

static void no_input_is_the_empty_set(void **state)
{
	struct diags diags;
	(void)state;
	diags_init(&diags);
	struct desired *desired = load(NULL, 0, NULL, &diags);
	assert_non_null(desired);
	assert_int_equal(desired->n_sets, 1);
	assert_string_equal(desired->sets[0].name, "default");
	desired_free(desired);
	diags_free(&diags);
}

static void network_defaults(void **state)
{
	struct desired *desired = LOAD("networks:\n  lan: " LAN "\n");
	const struct network *network = &desired->sets[0].networks[0];
	(void)state;
	assert_int_equal(desired->sets[0].n_networks, 1);
	assert_string_equal(network->name, "lan");
	assert_place(&network->place, "0.yaml:2:3");
	assert_int_equal(network->driver, DRIVER_MACVLAN);
	assert_string_equal(network->parent, "eth0");
	assert_int_equal(network->vlan, 0);
	assert_int_equal(network->vlan_protocol, VLAN_8021Q);
	assert_int_equal(network->mode, MODE_BRIDGE);
	assert_int_equal(network->n_subnets, 1);
	assert_place(&network->subnets[0].place, "0.yaml:2:31");
	assert_prefix(&network->subnets[0].prefix, "172.16.86.0/24");
	assert_int_equal(network->subnets[0].ip_range.count, 0);
	assert_ranges(&network->subnets[0].pool, "172.16.86.0/24");
	assert_int_equal(network->subnets[0].gateway.family, 0);
	assert_int_equal(network->subnets[0].n_aux, 0);
	assert_int_equal(network->mtu, 0);
	assert_false(network->has_bcqueuelen);
	assert_false(network->internal);
	assert_false(network->host.enabled);
	desired_free(desired);
}

static void network_keys(void **state)
{
	struct desired *desired =
		LOAD("networks:\n"
		     "  lan:\n"
		     "    driver: macvlan\n"
		     "    parent: eth0\n"
		     "    vlan: 4094\n"
		     "    vlan_protocol: 802.1ad\n"
		     "    mode: vepa\n"
		     "    subnet: 172.16.86.0/24\n"
		     "    gateway: 172.16.86.1\n"
		     "    ip_range: 172.16.86.64/26\n"
		     "    aux_addresses: {printer: 172.16.86.5, tv: 172.16.86.6}\n"
		     "    mtu: 1400\n"
		     "    bcqueuelen: 0\n"
		     "    internal: true\n");
	const struct network *network = &desired->sets[0].networks[0];
	const struct subnet *subnet = &network->subnets[0];
	(void)state;
	assert_int_equal(network->vlan, 4094);
	assert_int_equal(network->vlan_protocol, VLAN_8021AD);
	assert_int_equal(network->mode, MODE_VEPA);
	assert_int_equal(network->mtu, 1400);
	assert_true(network->has_bcqueuelen);
	assert_int_equal(network->bcqueuelen, 0);
	assert_true(network->internal);
	assert_prefix(&subnet->prefix, "172.16.86.0/24");
	assert_ranges(&subnet->pool, "172.16.86.64/26");
	assert_ip(&subnet->gateway, "172.16.86.1");
	assert_int_equal(subnet->n_aux, 2);
	assert_string_equal(subnet->aux[0].name, "printer");
	assert_ip(&subnet->aux[0].ip, "172.16.86.5");
	assert_string_equal(subnet->aux[1].name, "tv");
	assert_ip(&subnet->aux[1].ip, "172.16.86.6");
	desired_free(desired);
}

static void network_modes(void **state)
{
	static const struct {
		const char *keys;
		enum driver driver;
		enum link_mode mode;
	} cases[] = {
		{"mode: bridge", DRIVER_MACVLAN, MODE_BRIDGE},
		{"mode: private", DRIVER_MACVLAN, MODE_PRIVATE},
		{"mode: vepa", DRIVER_MACVLAN, MODE_VEPA},
		{"mode: passthru", DRIVER_MACVLAN, MODE_PASSTHRU},
		{"driver: macvtap", DRIVER_MACVTAP, MODE_BRIDGE},
		{"driver: macvtap, mode: passthru", DRIVER_MACVTAP, MODE_PASSTHRU},
		{"driver: macvtap, bcqueuelen: 5", DRIVER_MACVTAP, MODE_BRIDGE},
		{"driver: ipvlan", DRIVER_IPVLAN, MODE_L2},
		{"mode: l2, driver: ipvlan", DRIVER_IPVLAN, MODE_L2},
		{"mode: l3, driver: ipvlan", DRIVER_IPVLAN, MODE_L3},
		{"mode: l3s, driver: ipvlan", DRIVER_IPVLAN, MODE_L3S},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[128];
		snprintf(text, sizeof(text),
			 "networks: {lan: {parent: eth0, subnet: 10.0.0.0/8, %s}}", cases[i].keys);
		struct desired *desired = LOAD(text);
		assert_int_equal(desired->sets[0].networks[0].driver, cases[i].driver);
		assert_int_equal(desired->sets[0].networks[0].mode, cases[i].mode);
		desired_free(desired);
	}
}

static void parent_short_form(void **state)
{
	static const struct {
		const char *keys, *parent, *short_parent;
		unsigned vlan, short_vlan;
	} cases[] = {
		{"parent: eth0.10", "eth0.10", "eth0", 0, 10},
		{"parent: eth0.4094", "eth0.4094", "eth0", 0, 4094},
		{"parent: eth0.100.20", "eth0.100.20", "eth0.100", 0, 20},
		{"parent: br.10", "br.10", "br", 0, 10},
		{"parent: eth0.10, vlan_protocol: 802.1ad", "eth0.10", "eth0", 0, 10},
		{"parent: eth0.10, vlan: 20", "eth0.10", NULL, 20, 0},
		{"parent: br.lan", "br.lan", NULL, 0, 0},
		{"parent: eth0.1x", "eth0.1x", NULL, 0, 0},
		{"parent: eth0.", "eth0.", NULL, 0, 0},
		{"parent: .10", ".10", NULL, 0, 0},
		{"parent: '5'", "5", NULL, 0, 0},
		{"parent: eth0:1", "eth0:1", NULL, 0, 0},
		/* Names of links that are no VLAN ids. */
		{"parent: eth0.0", "eth0.0", NULL, 0, 0},
		{"parent: eth0.010", "eth0.010", NULL, 0, 0},
		{"parent: eth0.4095", "eth0.4095", NULL, 0, 0},
		{"parent: eth0.99999999999999999999", "eth0.99999999999999999999", NULL, 0, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[128];
		snprintf(text, sizeof(text), "networks: {lan: {subnet: 10.0.0.0/8, %s}}",
			 cases[i].keys);
		struct desired *desired = LOAD(text);
		const struct network *network = &desired->sets[0].networks[0];
		assert_string_equal(network->parent, cases[i].parent);
		assert_int_equal(network->vlan, cases[i].vlan);
		assert_int_equal(network->short_form.vlan, cases[i].short_vlan);
		if (cases[i].short_parent)
			assert_string_equal(network->short_form.parent, cases[i].short_parent);
		else
			assert_null(network->short_form.parent);
		desired_free(desired);
	}
}

static void network_without_parent(void **state)
{
	struct desired *desired =
		LOAD("networks: {lan: {internal: true, subnet: 172.16.86.0/24}}\n");
	(void)state;
	assert_null(desired->sets[0].networks[0].parent);
	assert_true(desired->sets[0].networks[0].internal);
	desired_free(desired);
}

static void network_subnets(void **state)
{
	struct desired *desired = LOAD("networks:\n"
				       "  lan:\n"
				       "    parent: eth0\n"
				       "    subnets:\n"
				       "    - subnet: fd00:86::/64\n"
				       "      gateway: fd00:86::1\n"
				       "      ip_range: fd00:86::1:0/112\n"
				       "      aux_addresses: {a: fd00:86::5}\n"
				       "    - {subnet: 172.16.86.0/24, gateway: 172.16.86.1}\n"
				       "    - {subnet: 10.0.0.0/8}\n");
	const struct network *network = &desired->sets[0].networks[0];
	(void)state;
	assert_int_equal(network->n_subnets, 3);
	assert_prefix(&network->subnets[0].prefix, "fd00:86::/64");
	assert_ranges(&network->subnets[0].pool, "fd00:86::1:0/112");
	assert_ip(&network->subnets[0].gateway, "fd00:86::1");
	assert_int_equal(network->subnets[0].n_aux, 1);
	assert_ip(&network->subnets[0].aux[0].ip, "fd00:86::5");
	assert_prefix(&network->subnets[1].prefix, "172.16.86.0/24");
	assert_ip(&network->subnets[1].gateway, "172.16.86.1");
	assert_ranges(&network->subnets[1].pool, "172.16.86.0/24");
	assert_prefix(&network->subnets[2].prefix, "10.0.0.0/8");
	assert_int_equal(network->subnets[2].gateway.family, 0);
	assert_place(&network->subnets[2].place, "0.yaml:10:16");
	desired_free(desired);
}

static void host_access(void **state)
{
	struct desired *desired =
		LOAD("networks:\n"
		     "  a:\n"
		     "    parent: eth0\n"
		     "    subnets: [{subnet: 172.16.86.0/24}, {subnet: 'fd00::/64'}]\n"
		     "    host:\n"
		     "      ipv4_address: 172.16.86.9\n"
		     "      ipv6_address: fd00::9\n"
		     "      interface_name: lan0\n"
		     "  b: {parent: eth1, subnet: 10.0.0.0/8, host: {}}\n"
		     "  c: {parent: eth2, subnet: 10.0.0.0/8, host: true}\n"
		     "  d: {parent: eth3, subnet: 10.0.0.0/8, host: false}\n");
	const struct network *networks = desired->sets[0].networks;
	(void)state;
	assert_true(networks[0].host.enabled);
	assert_place(&networks[0].host.place, "0.yaml:5:5");
	assert_ip(&networks[0].host.ipv4, "172.16.86.9");
	assert_ip(&networks[0].host.ipv6, "fd00::9");
	assert_string_equal(networks[0].host.interface_name, "lan0");
	for (size_t i = 1; i < 3; i++) {
		assert_true(networks[i].host.enabled);
		assert_int_equal(networks[i].host.place.line, 8 + i);
		assert_int_equal(networks[i].host.ipv4.family, 0);
		assert_int_equal(networks[i].host.ipv6.family, 0);
		assert_null(networks[i].host.interface_name);
	}
	assert_false(networks[3].host.enabled);
	desired_free(desired);
}

static void container_sources(void **state)
{
	static const struct {
		const char *keys;
		enum source_kind kind;
		const char *source;
	} cases[] = {
		{"", SOURCE_NETNS, "web"},
		{"netns: box, ", SOURCE_NETNS, "box"},
		{"netns: /run/netns/box, ", SOURCE_NETNS, "/run/netns/box"},
		{"pid: 4711, ", SOURCE_PID, "4711"},
		{"docker: my-db, ", SOURCE_DOCKER, "my-db"},
		{"docker: 007, ", SOURCE_DOCKER, "007"},
		{"podman: no, ", SOURCE_PODMAN, "no"},
		{"lxc: web_1.a-b, ", SOURCE_LXC, "web_1.a-b"},
		{"lxc: /srv/lxc/my-db, ", SOURCE_LXC, "/srv/lxc/my-db"},
		{"systemd: my-db@1.service, ", SOURCE_SYSTEMD, "my-db@1.service"},
		{"machine: my-db.x-1, ", SOURCE_MACHINE, "my-db.x-1"},
		{"machine: 7, ", SOURCE_MACHINE, "7"},
		{"incus: my-db, ", SOURCE_INCUS, "my-db"},
		{"incus: shop/my-db, ", SOURCE_INCUS, "shop/my-db"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[128];
		snprintf(text, sizeof(text), "containers: {web: {%snetworks: []}}", cases[i].keys);
		struct desired *desired = LOAD(text);
		const struct container *container = &desired->sets[0].containers[0];
		assert_string_equal(container->name, "web");
		assert_int_equal(container->source_kind, cases[i].kind);
		assert_string_equal(container->source, cases[i].source);
		assert_int_equal(container->n_attachments, 0);
		desired_free(desired);
	}
}

static void attachment_defaults(void **state)
{
	static const char *const forms[] = {"[lan]", "{lan: }", "{lan: ~}", "{lan: null}",
					    "{lan: {}}"};
	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		char text[160];
		snprintf(text, sizeof(text),
			 "networks: {lan: " LAN "}\ncontainers:\n  web:\n    networks: %s\n",
			 forms[i]);
		struct desired *desired = LOAD(text);
		const struct container *container = &desired->sets[0].containers[0];
		const struct attachment *attachment = &container->attachments[0];
		assert_place(&container->place, "0.yaml:3:3");
		assert_int_equal(container->n_attachments, 1);
		assert_place(&attachment->place, "0.yaml:4:16");
		assert_ptr_equal(attachment->network, &desired->sets[0].networks[0]);
		assert_int_equal(attachment->ipv4.family, 0);
		assert_int_equal(attachment->ipv6.family, 0);
		assert_false(attachment->mac.set);
		assert_null(attachment->interface_name);
		assert_int_equal(attachment->gw_priority, 0);
		assert_int_equal(attachment->n_routes, 0);
		assert_int_equal(attachment->n_sysctls, 0);
		desired_free(desired);
	}
}

static void attachment_keys(void **state)
{
	struct desired *desired =
		LOAD("networks:\n"
		     "  lan: {parent: eth0, subnets: [{subnet: 172.16.86.0/24}, {subnet: "
		     "'fd00::/64'}]}\n"
		     "containers:\n"
		     "  web:\n"
		     "    networks:\n"
		     "      lan:\n"
		     "        ipv4_address: 172.16.86.20\n"
		     "        ipv6_address: fd00::20\n"
		     "        mac_address: 02:42:ac:10:57:14\n"
		     "        interface_name: 123456789012345\n"
		     "        gw_priority: -5\n"
		     "        routes:\n"
		     "        - {to: 10.0.0.0/8, via: 172.16.86.254}\n"
		     "        - {to: 10.0.0.1, via: 172.16.86.253}\n"
		     "        - to: fd01::1\n"
		     "          via: fd00::1\n"
		     "        sysctls:\n"
		     "          net.ipv4.conf.IFNAME.rp_filter: 2\n"
		     "          net.ipv6.neigh.IFNAME.gc_stale_time: ' 60'\n");
	const struct attachment *attachment = &desired->sets[0].containers[0].attachments[0];
	char mac[MAC_TEXT_SIZE];
	(void)state;
	assert_ip(&attachment->ipv4, "172.16.86.20");
	assert_ip(&attachment->ipv6, "fd00::20");
	assert_true(attachment->mac.set);
	assert_string_equal(mac_format(&attachment->mac, mac), "02:42:ac:10:57:14");
	assert_string_equal(attachment->interface_name, "123456789012345");
	assert_int_equal(attachment->gw_priority, -5);
	assert_int_equal(attachment->n_routes, 3);
	assert_place(&attachment->routes[0].place, "0.yaml:13:11");
	assert_prefix(&attachment->routes[0].to, "10.0.0.0/8");
	assert_ip(&attachment->routes[0].via, "172.16.86.254");
	assert_prefix(&attachment->routes[1].to, "10.0.0.1/32");
	assert_prefix(&attachment->routes[2].to, "fd01::1/128");
	assert_ip(&attachment->routes[2].via, "fd00::1");
	assert_int_equal(attachment->n_sysctls, 2);
	assert_place(&attachment->sysctls[0].place, "0.yaml:18:11");
	assert_string_equal(attachment->sysctls[0].key, "net.ipv4.conf.IFNAME.rp_filter");
	assert_string_equal(attachment->sysctls[0].value, "2");
	assert_string_equal(attachment->sysctls[1].key, "net.ipv6.neigh.IFNAME.gc_stale_time");
	assert_string_equal(attachment->sysctls[1].value, " 60");
	desired_free(desired);
}

static void order_is_the_files(void **state)
{
	struct desired *desired = LOAD("networks:\n"
				       "  z: {parent: eth0, subnet: 10.1.0.0/16}\n"
				       "  a: {parent: eth0, subnet: 10.2.0.0/16}\n"
				       "containers:\n"
				       "  y: {networks: [z, a]}\n"
				       "  b: {networks: {a: , z: }}\n");
	const struct set *set = &desired->sets[0];
	(void)state;
	assert_string_equal(set->networks[0].name, "z");
	assert_string_equal(set->networks[1].name, "a");
	assert_string_equal(set->containers[0].name, "y");
	assert_string_equal(set->containers[0].attachments[0].network->name, "z");
	assert_string_equal(set->containers[0].attachments[1].network->name, "a");
	assert_string_equal(set->containers[1].name, "b");
	assert_string_equal(set->containers[1].attachments[0].network->name, "a");
	desired_free(desired);
}

static void text_is_taken_literally(void **state)
{
	static const char *const names[] = {"no",   "on",    "null", "010",  "1e3",
					    "0x1F", "12_34", "true", "1.50", "2024-01-01"};
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char text[160];
		snprintf(text, sizeof(text),
			 "name: %s\nnetworks: {%s: " LAN "}\ncontainers: {%s: {networks: [%s]}}",
			 strcmp(names[i], "null") ? names[i] : "x", names[i], names[i], names[i]);
		struct desired *desired = LOAD(text);
		assert_string_equal(desired->sets[0].networks[0].name, names[i]);
		assert_string_equal(desired->sets[0].containers[0].name, names[i]);
		assert_string_equal(desired->sets[0].containers[0].attachments[0].network->name,
				    names[i]);
		desired_free(desired);
	}
}

static void sets_across_documents_and_files(void **state)
{
	struct desired *desired = LOAD("name: lab\n"
				       "containers: {web: {networks: [lan]}}\n"
				       "---\n"
				       "name: prod\n"
				       "networks: {lan: " LAN "}\n",
				       "containers: {db: {networks: [dmz]}}\n"
				       "---\n"
				       "name: lab\n"
				       "networks: {lan: " LAN "}\n",
				       "networks: {dmz: " LAN "}\n");
	(void)state;
	assert_int_equal(desired->n_sets, 3);
	const struct set *lab = &desired->sets[0], *prod = &desired->sets[1];
	const struct set *unnamed = &desired->sets[2];
	assert_string_equal(lab->name, "lab");
	assert_string_equal(prod->name, "prod");
	assert_string_equal(unnamed->name, "default");
	assert_ptr_equal(lab->containers[0].attachments[0].network, &lab->networks[0]);
	assert_place(&lab->networks[0].place, "1.yaml:4:12");
	assert_int_equal(prod->n_networks, 1);
	assert_int_equal(prod->n_containers, 0);
	assert_ptr_equal(unnamed->containers[0].attachments[0].network, &unnamed->networks[0]);
	assert_place(&unnamed->networks[0].place, "2.yaml:1:12");
	desired_free(desired);
}

static void model_outlives_its_input(void **state)
{
	char text[] = "name: lab\nnetworks: {lan: " LAN "}\ncontainers: {web: {networks: [lan]}}\n";
	char file[] = "gone.yaml";
	struct input input = {file, text, strlen(text)};
	struct diags diags;
	(void)state;
	diags_init(&diags);
	struct desired *desired = load(&input, 1, NULL, &diags);
	memset(text, 'x', sizeof(text));
	memset(file, 'x', sizeof(file));
	diags_free(&diags);
	assert_string_equal(desired->sets[0].name, "lab");
	assert_string_equal(desired->sets[0].networks[0].parent, "eth0");
	assert_place(&desired->sets[0].containers[0].place, "gone.yaml:3:14");
	desired_free(desired);
}

static void findings_across_files(void **state)
{
	(void)state;
	ASSERT_FINDINGS("1.yaml:1:12 networks declares lan twice in set default, first at "
			"0.yaml:1:12\n"
			"1.yaml:2:14 containers declares web twice in set default, first at "
			"0.yaml:2:14\n",
			"networks: {lan: " LAN "}\ncontainers: {web: {networks: []}}\n",
			"networks: {lan: " LAN "}\ncontainers: {web: {networks: []}}\n");
	ASSERT_FINDINGS(
		"1.yaml:1:50 containers.db.networks.dmz.ipv4_address 172.16.86.5 is already "
		"used on eth0, at 0.yaml:1:51\n",
		"containers: {web: {networks: {lan: {ipv4_address: 172.16.86.5}}}}\n"
		"---\nnetworks: {lan: " LAN ", dmz: " LAN "}\n",
		"containers: {db: {networks: {dmz: {ipv4_address: 172.16.86.5}}}}\n");
	ASSERT_FINDINGS("0.yaml:1:1 nam is an unknown key\n"
			"1.yaml:3:7 an unquoted value cannot start with '@'\n"
			"2.yaml:1:7 name is not a single value, but a list\n",
			"nam: x\n", "name: x\n---\nname: @b\n", "name: [a]\n");
}

/* Declarations of an unreadable file are not reported as missing. */
static void no_findings_that_follow_from_a_broken_file(void **state)
{
	(void)state;
	ASSERT_FINDINGS("1.yaml:2:1 a tab is not allowed as indentation\n",
			"containers: {web: {networks: [lan]}}\n", "networks:\n\tlan:\n");
}

static void findings_of_sets_that_share_a_parent(void **state)
{
	(void)state;
	ASSERT_FINDINGS(
		"0.yaml:6:51 containers.web.networks.lan.ipv4_address 172.16.86.5 is already "
		"used on eth0, at 0.yaml:3:51\n",
		"name: a\nnetworks: {lan: " LAN "}\n"
		"containers: {web: {networks: {lan: {ipv4_address: 172.16.86.5}}}}\n---\n"
		"{name: b, networks: {lan: " LAN "},\n"
		"containers: {web: {networks: {lan: {ipv4_address: 172.16.86.5}}}}}\n");
}

static void names_of_values(void **state)
{
	(void)state;
	assert_string_equal(driver_name(DRIVER_MACVLAN), "macvlan");
	assert_string_equal(driver_name(DRIVER_IPVLAN), "ipvlan");
	assert_string_equal(vlan_protocol_name(VLAN_8021Q), "802.1q");
	assert_string_equal(vlan_protocol_name(VLAN_8021AD), "802.1ad");
	assert_string_equal(link_mode_name(MODE_BRIDGE), "bridge");
	assert_string_equal(link_mode_name(MODE_PRIVATE), "private");
	assert_string_equal(link_mode_name(MODE_VEPA), "vepa");
	assert_string_equal(link_mode_name(MODE_PASSTHRU), "passthru");
	assert_string_equal(link_mode_name(MODE_L2), "l2");
	assert_string_equal(link_mode_name(MODE_L3), "l3");
	assert_string_equal(link_mode_name(MODE_L3S), "l3s");
	assert_string_equal(source_kind_name(SOURCE_NETNS), "netns");
	assert_string_equal(source_kind_name(SOURCE_PID), "pid");
	assert_string_equal(source_kind_name(SOURCE_DOCKER), "docker");
	assert_string_equal(source_kind_name(SOURCE_PODMAN), "podman");
}

static void diag_as_a_person_reads_it(void **state)
{
	struct arena *arena = arena_new();
	const struct diag whole = {
		.place = {.file = "a.yaml"}, .code = CODE_FILE, .text = "cannot be opened: why"};
	const struct diag full = {
		.place = {"network.yaml", 7, 11},
		.code = CODE_ADDRESS_OUTSIDE,
		.text = "networks.lan.gateway 172.16.87.1 is not in subnet 172.16.86.0/24",
		.source = "gateway: 172.16.87.1",
		.caret = 9,
		.hint = "look again",
	};
	(void)state;
	assert_string_equal(diag_format(arena, &whole, WRAP_NEVER),
			    "a.yaml: error: cannot be opened: why [MV0101]\n");
	assert_string_equal(diag_format(arena, &full, WRAP_NEVER),
			    "network.yaml:7:11: error: networks.lan.gateway 172.16.87.1 is not in "
			    "subnet 172.16.86.0/24 [MV0401]\n"
			    "    gateway: 172.16.87.1\n"
			    "             ^\n"
			    "    hint: look again\n");
	arena_free(arena);
}

#define X10 "xxxxxxxxxx"
#define X50 X10 X10 X10 X10 X10

static void wrapped_lines(void **state)
{
	struct arena *arena = arena_new();
	(void)state;
	assert_string_equal(wrap(arena, 100, "say: ", 2, "short"), "say: short");
	assert_string_equal(wrap(arena, 40, "", 2, X50 " " X50), X50 "\n  " X50);
	assert_string_equal(wrap(arena, 5, "", 2, "a b c d e"), "a b c\n  d e");
	assert_string_equal(wrap(arena, WRAP_NEVER, "say: ", 2, X50 " " X50 " " X50),
			    "say: " X50 " " X50 " " X50);
	assert_string_equal(wrap(arena, 100, "", 2, X50 " " X50), X50 "\n  " X50);
	/* exactly 100 characters, the last of two bytes, are one line; one more are two */
	assert_string_equal(wrap(arena, 100, "", 2, X50 " " X10 X10 X10 X10 "xxxxxxxx\u00e4"),
			    X50 " " X10 X10 X10 X10 "xxxxxxxx\u00e4");
	assert_string_equal(wrap(arena, 100, "x", 2, X50 " " X10 X10 X10 X10 "xxxxxxxx\u00e4"),
			    "x" X50 "\n  " X10 X10 X10 X10 "xxxxxxxx\u00e4");
	assert_string_equal(wrap(arena, 100, "", 2, X50 " `" X10 X10 X10 " " X10 X10 "` " X10),
			    X50 "\n  `" X10 X10 X10 " " X10 X10 "` " X10);
	assert_string_equal(wrap(arena, 100, "say: ", 2, X50 X50 " end"),
			    "say: \n  " X50 X50 "\n  end");
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrapped_lines),
		cmocka_unit_test(nothing_is_the_empty_set),
		cmocka_unit_test(no_input_is_the_empty_set),
		cmocka_unit_test(network_defaults),
		cmocka_unit_test(network_keys),
		cmocka_unit_test(network_modes),
		cmocka_unit_test(parent_short_form),
		cmocka_unit_test(network_without_parent),
		cmocka_unit_test(network_subnets),
		cmocka_unit_test(host_access),
		cmocka_unit_test(container_sources),
		cmocka_unit_test(attachment_defaults),
		cmocka_unit_test(attachment_keys),
		cmocka_unit_test(order_is_the_files),
		cmocka_unit_test(text_is_taken_literally),
		cmocka_unit_test(sets_across_documents_and_files),
		cmocka_unit_test(model_outlives_its_input),
		cmocka_unit_test(findings_across_files),
		cmocka_unit_test(no_findings_that_follow_from_a_broken_file),
		cmocka_unit_test(findings_of_sets_that_share_a_parent),
		cmocka_unit_test(names_of_values),
		cmocka_unit_test(diag_as_a_person_reads_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
