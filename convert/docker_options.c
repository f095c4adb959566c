#include "convert/docker_options.h"

#include "convert/import_edit.h"
#include "convert/json_read.h"
#include "convert/yaml_tree_internal.h"
#include "schema/driver.h"

#include <string.h>

/* The drivers that Docker supports, too, with its option for the mode, which has the same
 * values. */
static const struct {
	enum driver driver;
	const char *mode_key;
} docker_drivers[] = {{DRIVER_MACVLAN, "macvlan_mode"}, {DRIVER_IPVLAN, "ipvlan_mode"}};

#define N_DOCKER_DRIVERS (sizeof(docker_drivers) / sizeof(docker_drivers[0]))

bool docker_driver(const char *name, enum driver *ret)
{
	for (size_t i = 0; name && i < N_DOCKER_DRIVERS; i++) {
		if (strcmp(driver_name(docker_drivers[i].driver), name) != 0)
			continue;
		*ret = docker_drivers[i].driver;
		return true;
	}
	return false;
}

static const char *mode_key(enum driver driver)
{
	for (size_t i = 0; i < N_DOCKER_DRIVERS; i++)
		if (docker_drivers[i].driver == driver)
			return docker_drivers[i].mode_key;
	return NULL;
}

void network_mode_at(const json_t *options, const char *key, struct tree *at,
		     struct network *network)
{
	const json_t *mode = json_object_get(options, key);
	const char *word = json_word(mode, at->arena);
	network->mode = driver_info(network->driver)->default_mode;
	if (!mode || json_is_null(mode) || (word && !*word))
		return;
	if (!word || !driver_mode_find(network->driver, word, &network->mode))
		import_edit(at, "mode", "%s has no mode %s", driver_name(network->driver),
			    word ? word : "of that kind");
}

void network_vlan_left(const json_t *options, struct tree *at)
{
	static const char *const keys[] = {"vlan", "vlan_id", "vlanid", "vlanId"};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *id = json_word_at(options, keys[i], at->arena);
		if (id && *id)
			import_edit(at, "vlan",
				    "the engine ignores the option %s=%s; write `vlan: %s` if the "
				    "containers are on that VLAN, or remove this line",
				    keys[i], id, id);
	}
}

void network_mtu_at(const json_t *options, const char *key, struct tree *at,
		    struct network *network)
{
	long long mtu;
	if (json_number_at(options, key, at, UINT16_MAX, &mtu) && mtu > 0)
		network->mtu = (uint32_t)mtu;
}

/* Docker's dummy link for a network without a parent: "dm-" (macvlan) or "di-" (ipvlan), and the
 * beginning of the network's id. */
static bool is_dummy_name(const char *name)
{
	return (strncmp(name, "dm-", 3) == 0 || strncmp(name, "di-", 3) == 0) &&
	       strlen(name) == 15 && strspn(name + 3, "0123456789abcdef") == 12;
}

static bool flag_find(const char *name, enum ipvlan_flag *ret)
{
	for (const struct word *word = ipvlan_flag_words; word->name; word++) {
		if (strcmp(word->name, name) != 0)
			continue;
		*ret = word->value;
		return true;
	}
	return false;
}

static void options_take(const json_t *options, struct tree *at, struct network *network)
{
	static const char mtu_key[] = "com.docker.network.driver.mtu";
	const char *mode = mode_key(network->driver);
	const char *const known[] = {"parent", mode, "ipvlan_flag", mtu_key, NULL};
	const char *flag = json_string_value(json_object_get(options, "ipvlan_flag"));
	network->parent = json_word_at(options, "parent", at->arena);
	if (network->parent && is_dummy_name(network->parent))
		network->parent = NULL;
	network_mode_at(options, mode, at, network);
	if (flag && !(network->driver == DRIVER_IPVLAN && flag_find(flag, &network->ipvlan_flag)) &&
	    strcmp(flag, "bridge") != 0)
		json_unconverted("ipvlan_flag", json_object_get(options, "ipvlan_flag"), at);
	network_mtu_at(options, mtu_key, at, network);
	network_vlan_left(options, at);
	json_leftovers(options, known, at);
}

static void aux_take(const json_t *map, struct tree *at, struct subnet *subnet)
{
	json_each (map, member) {
		const char *name = json_object_iter_key(member);
		struct aux_address aux = {.name = arena_strdup(at->arena, name)};
		if (json_ip_at(map, name, at, &aux.ip))
			*array_push(at->arena, subnet->aux, subnet->n_aux) = aux;
	}
}

/* Names under which the host's own macvlan has its address reserved: containers cannot reach the
 * host itself, and recipes give the host such a link beside Docker. */
static bool is_host_name(const char *name)
{
	return strcmp(name, "host") == 0 || strcasestr(name, "shim");
}

static void host_take(struct tree *at, const struct aux_address *aux, struct network *network)
{
	struct ip *ip = aux->ip.family == AF_INET6 ? &network->host.ipv6 : &network->host.ipv4;
	char text[IP_TEXT_SIZE];
	network->host.enabled = true;
	*ip = aux->ip;
	tree_comment(at,
		     "aux_addresses.%s reserves %s for the host: `host` gives the host a link with "
		     "it. Remove the macvlan link that the host has for it, and the script that "
		     "creates that one. If %s is on the parent itself, write it under "
		     "`aux_addresses`",
		     aux->name, ip_format(&aux->ip, text), text);
}

/* Takes the address that is reserved for the host's own link from the aux addresses. */
static void host_find(struct tree *at, struct subnet *subnet, struct network *network)
{
	const bool takes = network->parent && !link_mode_isolates(network->mode);
	size_t kept = 0;
	for (size_t i = 0; i < subnet->n_aux; i++) {
		const struct aux_address *aux = &subnet->aux[i];
		const struct ip *taken =
			aux->ip.family == AF_INET6 ? &network->host.ipv6 : &network->host.ipv4;
		if (takes && is_host_name(aux->name) && !taken->family)
			host_take(at, aux, network);
		else
			subnet->aux[kept++] = *aux;
	}
	subnet->n_aux = kept;
}

static bool is_routed(const struct network *network)
{
	return network->mode == MODE_L3 || network->mode == MODE_L3S;
}

/* The address that libnetwork assigns first: of its range, without the subnet's own address. */
static struct ip first_address(const struct subnet *subnet)
{
	const struct ip network = prefix_first(&subnet->prefix);
	const struct ip first = subnet->ip_range.count ? subnet->ip_range.items->first : network;
	return ip_equal(&first, &network) ? ip_next(first) : first;
}

/* In these modes Docker's default route leads to the link itself, whatever the gateway. A next hop
 * does the same: the link sends no ARP for it. */
static void gateway_routed(struct tree *at, struct subnet *subnet)
{
	char text[IP_TEXT_SIZE];
	if (!subnet->gateway.family)
		subnet->gateway = first_address(subnet);
	tree_comment(
		at,
		"in this mode Docker routes to the link itself; here the route has the next hop "
		"%s, which need not exist",
		ip_format(&subnet->gateway, text));
}

/* libnetwork's IPAM gave a network without a gateway the first address as one, until the drivers
 * skipped that (GetSkipGwAlloc, Docker 29). */
static void gateway_missing(struct tree *at, const struct subnet *subnet)
{
	char text[IP_TEXT_SIZE];
	const struct ip first = first_address(subnet);
	tree_comment(at,
		     "no gateway is set: Docker before 29 uses %s, Docker 29 has no default route; "
		     "if that is the LAN's router, write `gateway: %s`",
		     ip_format(&first, text), text);
}

/* Older engines write it with the subnet's length: "172.18.0.1/16". */
static bool gateway_at(const json_t *pool, const char *key, struct tree *at, struct ip *ret)
{
	const char *text = json_text_at(pool, key);
	struct prefix prefix;
	if (!text || !strchr(text, '/') || !prefix_parse(text, &prefix))
		return json_ip_at(pool, key, at, ret);
	*ret = prefix.ip;
	return true;
}

static void gateway_take(const json_t *pool, const char *key, struct tree *at,
			 const struct network *network, struct subnet *subnet)
{
	const bool given = gateway_at(pool, key, at, &subnet->gateway);
	if (network->internal)
		return;
	if (is_routed(network))
		gateway_routed(at, subnet);
	else if (!given)
		gateway_missing(at, subnet);
}

static bool is_off(const json_t *network, const char *key, bool otherwise)
{
	const json_t *json = json_object_get(network, key);
	return json && !json_is_null(json) ? !json_is_yes(network, key) : otherwise;
}

/* Docker takes no addresses from the pools of a family that is switched off. */
static bool family_off(const json_t *body, const struct docker_keys *keys, struct tree *at,
		       const struct subnet *subnet)
{
	const bool v6 = subnet->prefix.ip.family == AF_INET6;
	const char *key = v6 ? keys->ipv6 : keys->ipv4;
	char text[PREFIX_TEXT_SIZE];
	if (!is_off(body, key, v6 && !keys->ipv6_unless_false))
		return false;
	tree_comment(at, "%s is not true, so Docker does not use the subnet %s: it is left out",
		     key, prefix_format(&subnet->prefix, text));
	return true;
}

static void pool_take(const json_t *body, const json_t *pool, const struct docker_keys *keys,
		      struct tree *at, struct network *network)
{
	const char *const known[] = {keys->subnet, keys->gateway, keys->range, keys->aux, NULL};
	struct subnet subnet = {0};
	struct prefix range;
	if (!json_prefix_at(pool, keys->subnet, at, &subnet.prefix)) {
		json_unconverted("a pool of addresses", pool, at);
		return;
	}
	if (family_off(body, keys, at, &subnet))
		return;
	json_leftovers(pool, known, at);
	if (import_prefix_at(pool, keys->range, at, "ip_range", &range) &&
	    !prefix_equal(&range, &subnet.prefix))
		subnet.ip_range = ip_ranges_of(&range, at->arena);
	aux_take(json_object_get(pool, keys->aux), at, &subnet);
	host_find(at, &subnet, network);
	gateway_take(pool, keys->gateway, at, network, &subnet);
	*array_push(at->arena, network->subnets, network->n_subnets) = subnet;
}

/* Docker takes one of its own, of no LAN. */
static void ipv6_missing(const json_t *body, const struct docker_keys *keys, struct tree *at,
			 const struct network *network)
{
	for (size_t i = 0; i < network->n_subnets; i++)
		if (network->subnets[i].prefix.ip.family == AF_INET6)
			return;
	if (json_is_yes(body, keys->ipv6))
		tree_comment(at,
			     "%s is set without an IPv6 subnet, so Docker uses its own address "
			     "pool: write the IPv6 subnet of the LAN under `subnets`",
			     keys->ipv6);
}

static void pools_missing(struct tree *at, const json_t *pools)
{
	if (json_array_size(pools))
		return;
	tree_comment(at, "no subnet is set, so Docker uses its own address pool: write `subnet: ` "
			 "with the subnet of the LAN");
}

void docker_network(const json_t *network, const json_t *pools, const struct docker_keys *keys,
		    struct tree *at, struct network *ret)
{
	const json_t *options = json_object_get(network, keys->options);
	if (options && !json_is_object(options) && !json_is_null(options))
		json_unconverted(keys->options, options, at);
	options_take(options, at, ret);
	if (!ret->parent && !ret->internal)
		tree_comment(
			at,
			"the network has no parent, and Docker makes a dummy link for it: write "
			"`parent: ` and a link of the host, or `internal: true` for a network "
			"without one");
	for (size_t i = 0; i < json_array_size(pools); i++)
		pool_take(network, json_array_get(pools, i), keys, at, ret);
	pools_missing(at, pools);
	ipv6_missing(network, keys, at, ret);
}

/* "net.ipv4.conf.IFNAME.rp_filter=2,..." */
static void sysctls_take(const char *text, struct tree *at, struct attachment *attachment)
{
	while (*text) {
		size_t length = strcspn(text, ","), key = strcspn(text, "=");
		if (key >= length)
			tree_comment(at, "sysctl %.*s is not converted", (int)length, text);
		else
			*array_push(at->arena, attachment->sysctls, attachment->n_sysctls) =
				(struct sysctl){.key = arena_strndup(at->arena, text, key),
						.value = arena_strndup(at->arena, text + key + 1,
								       length - key - 1)};
		text += length;
		text += *text == ',';
	}
}

/* "net.ipv4.conf.eth0.rp_filter": of one link. */
static bool is_of_link(const char *key)
{
	static const char *const groups[] = {"net.ipv4.conf.", "net.ipv6.conf.", "net.ipv4.neigh.",
					     "net.ipv6.neigh."};
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		const size_t length = strlen(groups[i]);
		const char *link = key + length;
		if (strncmp(key, groups[i], length) == 0)
			return strncmp(link, "all.", 4) != 0 && strncmp(link, "default.", 8) != 0 &&
			       strncmp(link, "lo.", 3) != 0;
	}
	return false;
}

static void sysctl_note(const char *key, struct tree *at)
{
	if (is_of_link(key))
		tree_comment(at,
			     "the sysctl %s of the container is not converted: the engine sets it "
			     "before mvapply creates the link, and fails; remove it there, and "
			     "write it under `sysctls` of the network, with IFNAME in place of the "
			     "link's name",
			     key);
}

void docker_sysctls(const json_t *sysctls, struct tree *at)
{
	json_each (sysctls, member)
		sysctl_note(json_object_iter_key(member), at);
	for (size_t i = 0; i < json_array_size(sysctls); i++)
		if (json_is_string(json_array_get(sysctls, i)))
			sysctl_note(json_string_value(json_array_get(sysctls, i)), at);
}

void docker_endpoint(const json_t *options, struct tree *at, struct attachment *attachment)
{
	static const char sysctls[] = "com.docker.network.endpoint.sysctls";
	static const char ifname[] = "com.docker.network.endpoint.ifname";
	const char *const known[] = {sysctls, ifname, NULL};
	const char *text = json_string_value(json_object_get(options, sysctls));
	if (text)
		sysctls_take(text, at, attachment);
	if (!attachment->interface_name)
		attachment->interface_name = json_word_at(options, ifname, at->arena);
	json_leftovers(options, known, at);
}
