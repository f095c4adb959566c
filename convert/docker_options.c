#include "convert/docker_options.h"

#include "convert/json_read.h"
#include "convert/yaml_tree_internal.h"
#include "schema/driver.h"

#include <string.h>

/* The drivers that Docker has, too, with its option for the mode, which has the words of the input.
 */
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

bool network_mode_at(const json_t *options, const char *key, struct network *network)
{
	const json_t *mode = json_object_get(options, key);
	const char *word = json_string_value(mode);
	network->mode = driver_info(network->driver)->default_mode;
	if (!mode || json_is_null(mode) || (word && !*word))
		return true;
	return word && driver_mode_find(network->driver, word, &network->mode);
}

void network_mtu_at(const json_t *options, const char *key, struct tree *at,
		    struct network *network)
{
	long long mtu;
	if (json_number_at(options, key, at, UINT16_MAX, &mtu) && mtu > 0)
		network->mtu = (uint32_t)mtu;
}

static void options_take(const json_t *options, struct tree *at, struct network *network)
{
	static const char mtu_key[] = "com.docker.network.driver.mtu";
	const char *mode = mode_key(network->driver);
	const char *const known[] = {"parent", mode, "ipvlan_flag", mtu_key, NULL};
	const char *flag = json_string_value(json_object_get(options, "ipvlan_flag"));
	network->parent = json_word_at(options, "parent", at->arena);
	if (!network_mode_at(options, mode, network))
		json_left(mode, json_object_get(options, mode), at);
	if (flag && strcmp(flag, "bridge") != 0)
		json_left("ipvlan_flag", json_object_get(options, "ipvlan_flag"), at);
	network_mtu_at(options, mtu_key, at, network);
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

/* Docker takes the first address where no gateway is said (libnetwork's default IPAM driver). */
static void gateway_missing(struct tree *at, const struct subnet *subnet)
{
	char text[IP_TEXT_SIZE];
	struct ip first = prefix_first(&subnet->prefix);
	first = ip_next(first);
	tree_comment(at,
		     "no gateway is set, so Docker uses %s; if that is the LAN's router, write "
		     "`gateway: %s`",
		     ip_format(&first, text), text);
}

static void pool_take(const json_t *pool, const struct docker_keys *keys, struct tree *at,
		      struct network *network)
{
	const char *const known[] = {keys->subnet, keys->gateway, keys->range, keys->aux, NULL};
	struct subnet subnet = {0};
	if (!json_prefix_at(pool, keys->subnet, at, &subnet.prefix)) {
		json_left("a pool of addresses", pool, at);
		return;
	}
	json_leftovers(pool, known, at);
	subnet.ip_range = subnet.prefix;
	json_prefix_at(pool, keys->range, at, &subnet.ip_range);
	aux_take(json_object_get(pool, keys->aux), at, &subnet);
	if (!json_ip_at(pool, keys->gateway, at, &subnet.gateway) && !network->internal)
		gateway_missing(at, &subnet);
	*array_push(at->arena, network->subnets, network->n_subnets) = subnet;
}

void docker_network(const json_t *network, const json_t *pools, const struct docker_keys *keys,
		    struct tree *at, struct network *ret)
{
	options_take(json_object_get(network, keys->options), at, ret);
	if (!ret->parent && !ret->internal)
		tree_comment(
			at,
			"the network has no parent, and Docker makes a dummy link for it: write "
			"`parent: ` and a link of the host, or `internal: true` for a network "
			"without one");
	for (size_t i = 0; i < json_array_size(pools); i++)
		pool_take(json_array_get(pools, i), keys, at, ret);
	if (!ret->n_subnets)
		tree_comment(
			at,
			"no subnet is set, so Docker uses its own address pool: write `subnet: ` "
			"with the subnet of the LAN");
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
