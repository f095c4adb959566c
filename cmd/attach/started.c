#include "cmd/attach/started.h"

#include "schema/name_rules.h"

#include <errno.h>
#include <string.h>

/* Of a guest's name in its owner tag: 63 bytes as names of the file have, less those of the key. */
#define GUEST_NAME_MAX 33

bool network_named(const char *set, const char *network, const char *name)
{
	const size_t length = strlen(set);
	return strcmp(network, name) == 0 ||
	       (strncmp(name, set, length) == 0 && name[length] == '/' &&
		strcmp(name + length + 1, network) == 0);
}

int network_of_name(const struct desired *desired, const char *name, struct network_of_set *ret,
		    struct error *error)
{
	size_t found = 0;
	for (size_t s = 0; s < desired->n_sets; s++)
		for (size_t i = 0; i < desired->sets[s].n_networks; i++)
			if (network_named(desired->sets[s].name, desired->sets[s].networks[i].name,
					  name)) {
				*ret = (struct network_of_set){&desired->sets[s],
							       &desired->sets[s].networks[i]};
				found++;
			}
	if (found == 1)
		return 0;
	error_set(error, ENOENT,
		  found ? "the files declare network %s in several sets"
			: "the files do not declare network %s",
		  name);
	error_hint(error, "%s",
		   found ? "write SET/NETWORK"
			 : "add the network, or correct `network` in the "
			   "configuration of the runtime");
	return error_code(error, CODE_CNI_NETWORK);
}

static const struct container *declared_container(const struct set *set,
						  const struct started *started)
{
	for (size_t i = 0; started->source && i < set->n_containers; i++)
		if (set->containers[i].source_kind == started->kind &&
		    strcmp(set->containers[i].source, started->source) == 0)
			return &set->containers[i];
	return NULL;
}

bool declared_otherwise(const struct desired *desired, const struct owner_tag *tag,
			enum source_kind kind, const char *source)
{
	for (size_t s = 0; s < desired->n_sets; s++)
		for (size_t i = 0; i < desired->sets[s].n_containers; i++) {
			const struct container *container = &desired->sets[s].containers[i];
			if (strcmp(desired->sets[s].name, tag->set) == 0 &&
			    strcmp(container->name, tag->container) == 0)
				return container->source_kind != kind ||
				       strcmp(container->source, source) != 0;
		}
	return false;
}

static int unusable(const struct network *network, const struct ip *ip, const char *why,
		    struct error *error)
{
	char text[IP_TEXT_SIZE];
	error_set(error, EADDRNOTAVAIL, "network %s: the requested address %s %s", network->name,
		  ip_format(ip, text), why);
	return error_code(error, CODE_CNI_ADDRESS);
}

static bool is_aux(const struct subnet *subnet, const struct ip *ip)
{
	for (size_t i = 0; i < subnet->n_aux; i++)
		if (ip_equal(&subnet->aux[i].ip, ip))
			return true;
	return false;
}

static bool is_declared_address(const struct set *set, const struct network *network,
				const struct ip *ip)
{
	if (ip_equal(&network->host.ipv4, ip) || ip_equal(&network->host.ipv6, ip))
		return true;
	for (size_t c = 0; c < set->n_containers; c++)
		for (size_t i = 0; i < set->containers[c].n_attachments; i++) {
			const struct attachment *other = &set->containers[c].attachments[i];
			if (other->network == network && attachment_has_address(other, ip))
				return true;
		}
	return false;
}

/* The rules of `ipv4_address` and `ipv6_address` in a file. */
static int address_check(const struct network_of_set *where, const struct ip *ip,
			 struct error *error)
{
	const struct network *network = where->network;
	const struct subnet *subnet = ip->family ? network_subnet_of(network, ip) : NULL;
	if (!ip->family)
		return 0;
	if (!subnet)
		return unusable(network, ip, "is in none of the network's subnets", error);
	if (!prefix_usable(&subnet->prefix, ip))
		return unusable(network, ip, "is not a host address of the subnet", error);
	if (ip_equal(&subnet->gateway, ip))
		return unusable(network, ip, "is the gateway's address", error);
	if (is_aux(subnet, ip) || is_declared_address(where->set, network, ip))
		return unusable(network, ip, "belongs to another container of the files", error);
	return 0;
}

/* A declared address comes before a requested one, which must not differ. */
static int address_merge(const struct network_of_set *where, struct ip *place,
			 const struct ip *requested, struct error *error)
{
	if (!requested->family || ip_equal(place, requested))
		return 0;
	if (place->family)
		return unusable(where->network, requested, "differs from the one in the file",
				error);
	*place = *requested;
	return address_check(where, requested, error);
}

/* A list of the file has all addresses. */
static int requested_merge(const struct network_of_set *where, const struct attachment *attachment,
			   struct ip *place, const struct ip *requested, struct error *error)
{
	if (!attachment->has_addresses)
		return address_merge(where, place, requested, error);
	if (!requested->family || attachment_has_address(attachment, requested))
		return 0;
	return unusable(where->network, requested, "is not among those in the file", error);
}

static int attachment_merge(const struct network_of_set *where, const struct started *started,
			    struct attachment *attachment, struct error *error)
{
	int status = requested_merge(where, attachment, &attachment->ipv4, &started->ipv4, error);
	if (status == 0)
		status = requested_merge(where, attachment, &attachment->ipv6, &started->ipv6,
					 error);
	if (started->mac.set && !attachment->mac.set)
		attachment->mac = started->mac;
	attachment->interface_name = started->interface;
	return status;
}

/* In a tag, "/" separates names, and a file's rules hold for each. */
static const char *guest_name(const struct started *started, struct arena *arena)
{
	const char *ignored;
	char *name = arena_strndup(arena, started->name, strnlen(started->name, GUEST_NAME_MAX));
	for (char *c = name; *c; c++) {
		const char one[] = {'a', *c, '\0'};
		if (text_problem(KEY_NAME, one, &ignored))
			*c = '-';
	}
	if (text_problem(KEY_NAME, name, &ignored))
		name = arena_printf(arena, "x%s", name);
	return arena_printf(arena, "%s/%s", name, started->key);
}

static struct container guest_new(const struct network_of_set *where, const struct started *started,
				  struct arena *arena)
{
	struct attachment *attachment = arena_alloc(arena, sizeof(*attachment));
	*attachment = (struct attachment){
		.name = where->network->name, .network = where->network, .first = true};
	return (struct container){.name = guest_name(started, arena),
				  .source_kind = SOURCE_NETNS,
				  .source = started->netns,
				  .guest = true,
				  .attachments = attachment,
				  .n_attachments = 1};
}

/* The same container, where the runtime has it. */
static struct container declared_new(const struct container *declared,
				     const struct started *started, struct arena *arena)
{
	struct container container = *declared;
	const size_t size = declared->n_attachments * sizeof(struct attachment);
	container.source_kind = SOURCE_NETNS;
	container.source = started->netns;
	container.attachments = memcpy(arena_alloc(arena, size), declared->attachments, size);
	return container;
}

/* A copy of the desired state, with the container in place of the declared one, or at the end. */
static const struct desired *desired_with(const struct desired *desired, const struct set *set,
					  const struct container *declared,
					  const struct container *container, struct arena *arena,
					  const struct container **ret_container)
{
	struct desired *copy = arena_alloc(arena, sizeof(*copy));
	struct set *sets = arena_alloc(arena, desired->n_sets * sizeof(*sets));
	const size_t count = set->n_containers;
	struct container *containers = arena_alloc(arena, (count + 1) * sizeof(*containers));
	const size_t at = declared ? (size_t)(declared - set->containers) : count;
	*copy = *desired;
	memcpy(sets, desired->sets, desired->n_sets * sizeof(*sets));
	if (count)
		memcpy(containers, set->containers, count * sizeof(*containers));
	containers[at] = *container;
	sets[set - desired->sets].containers = containers;
	sets[set - desired->sets].n_containers = declared ? count : count + 1;
	copy->sets = sets;
	*ret_container = &containers[at];
	return copy;
}

/* The attachment that the runtime makes: of several to the network, the one whose link has the
 * interface's name in the files, or else the only one without a name there. Docker's interface has
 * a name of the driver, and is the first. NULL: there is none, or more than one could be it. */
static struct attachment *attachment_started(const struct container *container,
					     const struct network *network,
					     const struct started *started)
{
	struct attachment *only = NULL, *unnamed = NULL;
	size_t count = 0, n_unnamed = 0;
	if (started->kind == SOURCE_DOCKER)
		return container_attachment(container, network);
	for (size_t i = 0; i < container->n_attachments; i++) {
		struct attachment *attachment = &container->attachments[i];
		if (attachment->network != network)
			continue;
		only = attachment;
		count++;
		if (!attachment->interface_name) {
			unnamed = attachment;
			n_unnamed++;
		} else if (strcmp(attachment->interface_name, started->interface) == 0) {
			return attachment;
		}
	}
	return count == 1 ? only : n_unnamed == 1 ? unnamed : NULL;
}

/* Why attachment_started found none. */
static void attachment_missing(const struct container *container, const struct network *network,
			       const char *interface, struct error *error)
{
	if (container_attachment(container, network)) {
		error_set(error, EINVAL,
			  "container %s is on network %s several times, and no attachment has "
			  "`interface_name: %s`",
			  container->name, network->name, interface);
		error_hint(error, "give each of them its `interface_name`");
	} else {
		error_set(error, EINVAL, "container %s is declared without network %s",
			  container->name, network->name);
		error_hint(error, "add the network to its `networks`");
	}
	error_code(error, CODE_CNI_NETWORK);
}

const struct desired *started_add(const struct desired *desired, const struct network_of_set *where,
				  const struct started *started, struct arena *arena,
				  struct containers *ret_containers, struct error *error)
{
	const struct container *declared = declared_container(where->set, started);
	const struct container container = declared ? declared_new(declared, started, arena)
						    : guest_new(where, started, arena);
	struct attachment *attachment = attachment_started(&container, where->network, started);
	if (!attachment) {
		attachment_missing(&container, where->network, started->interface, error);
		return NULL;
	}
	/* Docker's link passes through the host's namespace, where alternative names are unique:
	 * `watch`, or the next apply, adds them in the container. */
	if (started->kind == SOURCE_DOCKER)
		attachment->has_altnames = false, attachment->n_altnames = 0;
	if (attachment_merge(where, started, attachment, error) < 0)
		return NULL;
	const struct container **items = arena_alloc(arena, sizeof(*items));
	const struct desired *with =
		desired_with(desired, where->set, declared, &container, arena, items);
	*ret_containers = (struct containers){.items = items, .count = 1, .attachment = attachment};
	return with;
}
