#include "schema/driver.h"
#include "schema/internal.h"

#include <stdlib.h>
#include <string.h>

#define VLAN_ID_MAX 4094

/* The dot before the VLAN id, or NULL. */
static const char *parent_dot(const char *parent)
{
	const char *dot = strrchr(parent, '.');
	return dot && dot != parent && dot[1] && !dot[1 + strspn(dot + 1, "0123456789")] ? dot
											 : NULL;
}

/* Without a `vlan`. Whether the host has a link of that very name is seen by the planner. */
static void short_form_read(struct build *build, struct network *network)
{
	const char *dot = parent_dot(network->parent), *digits = dot ? dot + 1 : "0";
	unsigned long vlan = strlen(digits) < 9 ? strtoul(digits, NULL, 10) : 0;
	if (*digits == '0' || vlan < 1 || vlan > VLAN_ID_MAX)
		return;
	network->short_form.parent = arena_strndup(build->context.arena, network->parent,
						   (size_t)(dot - network->parent));
	network->short_form.vlan = (uint16_t)vlan;
}

static void check_no_parent(struct build *build, const struct scope *scope,
			    struct network_info *info, const struct network *network)
{
	struct context *context = &build->context;
	const struct node *body = info->body, *internal = node_get(body, "internal");

	if (!network->internal && !body->incomplete && !(internal && internal->bad)) {
		report(context, CODE_PARENT, scope, info->name,
		       "add `parent: eth0`, or `internal: true` for a network without a parent",
		       "has no parent");
		info->broken = true;
	} else {
		for (const char *const *key = (const char *const[]){"vlan", "manage_parent", NULL};
		     *key; key++)
			if (node_get(body, *key))
				report_key(context, CODE_PARENT, scope, body, *key,
					   hint_text(context, "add `parent: eth0`, or remove `%s`",
						     *key),
					   "requires a parent");
	}
}

static void check_parent(struct build *build, const struct scope *scope, struct network_info *info,
			 struct network *network)
{
	struct context *context = &build->context;
	const struct node *body = info->body;
	const struct node *parent = node_get(body, "parent"), *vlan = node_get(body, "vlan");

	const struct node *protocol = node_get(body, "vlan_protocol");
	if ((parent && parent->bad) || (vlan && vlan->bad) || (protocol && protocol->bad))
		info->broken = true;
	if (!parent)
		check_no_parent(build, scope, info, network);
	if (network->parent && !vlan)
		short_form_read(build, network);
	network->has_vlan_protocol = protocol;
	const char *base =
		network->short_form.parent ? network->short_form.parent : network->parent;
	if (base && strcmp(base, "lo") == 0) {
		report_key(context, CODE_PARENT, scope, body, "parent",
			   "name a link to the LAN, such as eth0",
			   "lo cannot be a parent: it is not connected to a LAN");
		info->broken = true;
	}
	if (!info->broken && !network->vlan && !network->short_form.parent && protocol)
		report_key(context, CODE_PARENT, scope, body, "vlan_protocol",
			   "add `vlan: 10`, or remove `vlan_protocol`", "requires a vlan");
}

/* The first driver that supports the mode. */
static const char *driver_of_mode(enum link_mode mode)
{
	const struct word *driver = driver_words;
	while (!driver_has_mode(driver->value, mode))
		driver++;
	return driver->name;
}

static void report_mode(struct build *build, const struct scope *scope,
			const struct network_info *info, const struct network *network)
{
	struct context *context = &build->context;
	const char *other = driver_of_mode(network->mode);
	const char *modes =
		words_list(context->scratch, link_mode_words, driver_info(network->driver)->modes);
	report_key(context, CODE_DRIVER, scope, info->body, "mode",
		   network->driver == DRIVER_DEFAULT
			   ? hint_text(context, "add `driver: %s`, or use %s", other, modes)
			   : hint_text(context, "use %s, or `driver: %s`", modes, other),
		   "%s is a mode of %s, but the driver is %s", link_mode_name(network->mode), other,
		   driver_name(network->driver));
}

static void check_mode(struct build *build, const struct scope *scope, struct network_info *info,
		       struct network *network)
{
	const struct node *driver = node_get(info->body, "driver");
	const struct node *mode = node_get(info->body, "mode");

	if ((driver && driver->bad) || (mode && mode->bad)) {
		info->broken = true;
	} else if (!mode) {
		network->mode = driver_info(network->driver)->default_mode;
	} else if (!driver_has_mode(network->driver, network->mode)) {
		report_mode(build, scope, info, network);
		info->broken = true;
	}
}

/* A mask of 1 << enum driver. */
static unsigned drivers_with_queue(void)
{
	unsigned drivers = 0;
	for (const struct word *driver = driver_words; driver->name; driver++)
		if (driver_info(driver->value)->broadcast_queue)
			drivers |= 1U << driver->value;
	return drivers;
}

static void check_driver_keys(struct build *build, const struct scope *scope,
			      const struct network_info *info, const struct network *network)
{
	struct context *context = &build->context;
	const struct driver_info *driver = driver_info(network->driver);
	const char *queued = words_list(context->scratch, driver_words, drivers_with_queue());
	const struct {
		const char *key, *drivers;
		bool fits;
	} keys[] = {
		{"bcqueuelen", queued, driver->broadcast_queue},
		{"bclim", queued, driver->broadcast_queue},
		{"ipvlan_flag", "ipvlan", driver->has_flag},
	};
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (node_get(info->body, keys[i].key) && !keys[i].fits)
			report_key(context, CODE_DRIVER, scope, info->body, keys[i].key,
				   hint_text(context, "remove `%s`", keys[i].key),
				   "applies to %s only", keys[i].drivers);
}

static void check_values(struct build *build, const struct scope *scope, struct network_info *info,
			 const struct network *network)
{
	struct context *context = &build->context;
	enum link_mode mode = network->mode;

	check_driver_keys(build, scope, info, network);
	if (network->mtu && network->mtu < IPV6_MTU_MIN && info->has_ipv6)
		report_key(context, CODE_MTU, scope, info->body, "mtu", "write 1280 or more",
			   "%u is too small for IPv6, which requires 1280", network->mtu);
	if (network->host.enabled && !info->broken && link_mode_isolates(mode))
		report_key(context, CODE_HOST_ACCESS, scope, info->body, "host",
			   "use mode bridge, or remove `host`",
			   "does not work in mode %s: the host would not reach the containers",
			   link_mode_name(mode));
}

/* Adds the network to its set, under its name. */
static void enter(struct build *build, struct set_info *set, struct network_info *info)
{
	struct context *context = &build->context;
	struct scope root = {0}, networks = {.up = &root, .name = "networks"};
	/* Added even if its name is invalid, so that references to it cause no further errors. */
	struct network_info *other = index_put_text(set->networks, info->name->text, info);
	if (decode_name(context, &networks, KEY_NAME, info->name) && other)
		report(context, CODE_DECLARED_TWICE, &networks, info->name,
		       "rename or remove one of the two",
		       "declares %s twice in set %s, first at %s",
		       printable_text(context, info->name->text), set->set.name,
		       place_text(context, &other->network->place));
}

/* A name is text: also `true`, which stands for the network's own. */
static const char *docker_name(const struct network *network)
{
	if (!network->docker || strcmp(network->docker, "false") == 0)
		return NULL;
	return strcmp(network->docker, "true") == 0 ? network->name : network->docker;
}

void network_read(struct build *build, struct set_info *set, struct node *name)
{
	struct context *context = &build->context;
	struct scope root = {0}, networks = {.up = &root, .name = "networks"};
	struct scope scope = {.up = &networks, .name = name->text};
	struct network_decl *decl = arena_alloc(context->scratch, sizeof(*decl));
	struct network *network = &set->set.networks[set->set.n_networks];
	struct network_info *info = &set->infos[set->set.n_networks++];

	*info = (struct network_info){.network = network,
				      .name = name,
				      .body = name->next,
				      .source = context->source,
				      .decl = decl};
	network->place = place_of(context, name);
	network->name = arena_strdup(context->arena, name->text);
	enter(build, set, info);

	decode_object(context, &scope, &network_object, name, info->body, decl);
	decl->network.name = network->name;
	decl->network.docker = docker_name(&decl->network);
	if (info->body->bad) {
		info->broken = info->unsure = true;
		return;
	}
	hosts_take(build, &scope, info->body, &decl->network.hosts);
	check_parent(build, &scope, info, &decl->network);
	check_mode(build, &scope, info, &decl->network);
	*network = decl->network;
	if (!info->broken)
		link_join(build, info, network);
}

static void check_routes(struct build *build, const struct scope *scope, struct network_info *info,
			 struct network *network)
{
	struct index *seen __attribute__((cleanup(index_cleanup))) = index_new(network->n_routes);
	routes_check(build, scope, info, info->body, network->routes, network->n_routes, seen);
	rules_check(build, scope, info, NULL, info->body, network->rules, network->n_rules);
}

void network_check(struct build *build, struct network_info *info)
{
	struct scope root = {0}, networks = {.up = &root, .name = "networks"};
	struct scope scope = {.up = &networks, .name = info->name->text};
	if (info->body->bad)
		return;
	network_check_subnets(build, &scope, info, info->decl);
	check_routes(build, &scope, info, &info->decl->network);
	check_values(build, &scope, info, &info->decl->network);
	dhcp_check_network(build, &scope, info, &info->decl->network);
	accept_ra_check_network(build, &scope, info, &info->decl->network);
	*info->network = info->decl->network;
}
