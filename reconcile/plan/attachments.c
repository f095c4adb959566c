#include "reconcile/plan/attachments.h"

#include "kernel/link_kind.h"

#include <string.h>
#include <sys/socket.h>

/* The result under construction. */
struct matcher {
	const struct plan_input *input;
	const struct managed_index *managed;
	const struct parents *parents;
	struct planned_attachment *planned;
	size_t count;
	struct managed_use *uses;
	const struct live_link **adopted;
	size_t adopted_size;
};

static struct check_result waits_for_network(const struct plan_input *input,
					     const struct resolved_network *resolved)
{
	struct check_result check_result = resolved->check_result;
	if (check_result.action == ACTION_CREATE)
		return check_result;
	check_result.reason =
		arena_printf(input->arena, "waits for network %s", resolved->network->name);
	check_result.hint = NULL;
	return check_result;
}

static struct planned_attachment *planned_new(struct matcher *matcher,
					      const struct resolved_network *resolved)
{
	const unsigned number = (unsigned)matcher->count;
	struct planned_attachment *planned =
		array_push(matcher->input->scratch, matcher->planned, matcher->count);
	*planned = (struct planned_attachment){.number = number,
					       .set = resolved->set,
					       .network = resolved->network,
					       .resolved = resolved,
					       .parent = resolved->parent,
					       .check_result =
						       waits_for_network(matcher->input, resolved)};
	return planned;
}

static const enum action container_actions[] = {
	[CONTAINER_READY] = ACTION_CREATE,
	[CONTAINER_PENDING] = ACTION_PENDING,
	[CONTAINER_REFUSED] = ACTION_REFUSED,
	[CONTAINER_FAILED] = ACTION_BLOCKED,
};

static void planned_lookup(struct planned_attachment *planned,
			   const struct container_lookup *lookup)
{
	planned->lookup = lookup;
	planned->ns = lookup->state == CONTAINER_READY ? lookup->ns : NULL;
	if (lookup->state != CONTAINER_READY)
		planned->check_result =
			(struct check_result){.action = container_actions[lookup->state],
					      .code = lookup->code,
					      .reason = lookup->reason,
					      .hint = lookup->hint};
}

/* The requests of one attachment while they are collected. */
struct requests {
	struct arena *arena;
	struct address_request *items;
	unsigned count;
};

static void request_add(struct requests *requests, struct address_request request)
{
	*array_push(requests->arena, requests->items, requests->count) = request;
}

static void lease_request(struct requests *requests)
{
	request_add(requests, (struct address_request){.within.ip.family = AF_INET, .lease = true});
}

/* One address of each family that the network has: the one of the file, or an allocated one. */
static struct requests default_requests(struct arena *arena,
					const struct planned_attachment *planned,
					const struct ip *ipv4, const struct ip *ipv6)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	const struct ip *const explicit[] = {ipv4, ipv6};
	struct requests requests = {.arena = arena};
	for (size_t i = 0; i < 2; i++) {
		const struct ip *ip = explicit[i];
		if (families[i] == AF_INET && planned_leases(planned))
			lease_request(&requests);
		else if (ip->family)
			request_add(&requests,
				    (struct address_request){
					    .within = {.ip = *ip, .len = (uint8_t)ip_bits(ip)},
					    .fixed = true});
		else if (network_has_family(planned->network, families[i]))
			request_add(&requests,
				    (struct address_request){.within.ip.family = families[i]});
	}
	return requests;
}

/* The list `addresses` of the file. A prefix stands for an address that is allocated in it. */
static struct requests listed_requests(struct arena *arena,
				       const struct planned_attachment *planned)
{
	const struct attachment *attachment = planned->attachment;
	struct requests requests = {.arena = arena};
	if (planned_leases(planned))
		lease_request(&requests);
	for (size_t i = 0; i < attachment->n_addresses; i++)
		request_add(&requests,
			    (struct address_request){.within = attachment->addresses[i].within,
						     .fixed = attachment->addresses[i].fixed});
	return requests;
}

static void requests_make(struct matcher *matcher, struct planned_attachment *planned)
{
	struct arena *arena = matcher->input->scratch;
	const struct attachment *attachment = planned->attachment;
	const struct host_access *host = &planned->network->host;
	const struct requests requests =
		!attachment ? default_requests(arena, planned, &host->ipv4, &host->ipv6)
		: attachment->has_addresses
			? listed_requests(arena, planned)
			: default_requests(arena, planned, &attachment->ipv4, &attachment->ipv6);
	planned->requests = requests.items;
	planned->n_requests = requests.count;
}

static void container_add(struct matcher *matcher, const struct set *set,
			  const struct container *container, const struct container_lookup *lookup)
{
	for (size_t i = 0; i < container->n_attachments; i++) {
		const struct attachment *attachment = &container->attachments[i];
		struct planned_attachment *planned =
			planned_new(matcher, resolved_network_of(matcher->input, matcher->parents,
								 set, attachment->network));
		planned->container = container;
		planned->attachment = attachment;
		requests_make(matcher, planned);
		planned_lookup(planned, lookup);
	}
}

static void containers_add(struct matcher *matcher)
{
	const struct desired *desired = matcher->input->desired;
	size_t lookup = 0;
	for (size_t s = 0; s < desired->n_sets; s++) {
		const struct set *set = &desired->sets[s];
		for (size_t c = 0; c < set->n_containers; c++, lookup++)
			container_add(matcher, set, &set->containers[c],
				      &matcher->input->live->container_lookups[lookup]);
	}
}

static void hosts_add(struct matcher *matcher)
{
	for (size_t i = 0; i < matcher->parents->n_networks; i++) {
		const struct resolved_network *resolved = &matcher->parents->networks[i];
		if (!resolved->network->host.enabled)
			continue;
		struct planned_attachment *planned = planned_new(matcher, resolved);
		planned->ns = matcher->input->live->namespaces[0];
		requests_make(matcher, planned);
	}
}

enum role planned_role(const struct planned_attachment *planned)
{
	return planned_tag(planned).role;
}

struct owner_tag planned_tag(const struct planned_attachment *planned)
{
	if (!planned->container)
		return (struct owner_tag){.role = ROLE_HOST,
					  .set = planned->set->name,
					  .network = planned->network->name};
	return owner_tag_of(planned->set, planned->container, planned->attachment);
}

/* Records that all links with the tag are in use, in any namespace; returns the first, or NULL. */
static const struct managed_link *managed_keep(struct matcher *matcher, const struct owner_tag *tag)
{
	const struct managed_link *first = managed_first(matcher->managed, tag);
	for (const struct managed_link *managed = first; managed;
	     managed = managed_next(matcher->managed, managed))
		matcher->uses[managed->number] = (struct managed_use){.used = true, .kept = true};
	return first;
}

static void planned_claim(struct matcher *matcher, struct planned_attachment *planned)
{
	const struct owner_tag tag = planned_tag(planned);
	if (!planned->ns) {
		planned->kept = managed_keep(matcher, &tag);
		return;
	}
	const struct managed_link *managed = managed_find(matcher->managed, &tag, planned->ns);
	if (!managed)
		return;
	matcher->uses[managed->number].used = true;
	planned->managed = managed;
	planned->current = managed->link;
}

static bool adoptable(const struct planned_attachment *planned, const struct live_link *link)
{
	const char *name = planned->attachment ? planned->attachment->interface_name
					       : planned->network->host.interface_name;
	return link->tag.role == ROLE_NONE &&
	       link->kind == link_kind_of_driver(planned->network->driver) &&
	       planned->parent->link && live_link_on(link, planned->parent->link->ifindex) &&
	       (name ? strcmp(name, link->name) == 0 : planned->container != NULL);
}

/* The table's slot of the link: its entry, or an empty one. */
static size_t adopted_place(const struct live_link *const *table, size_t size,
			    const struct live_link *link)
{
	for (size_t i = (uintptr_t)link / sizeof(*link) * 0x9e3779b1u;; i++)
		if (!table[i & (size - 1)] || table[i & (size - 1)] == link)
			return i & (size - 1);
}

bool link_adopted(const struct attachments *attachments, const struct live_link *link)
{
	return attachments->adopted &&
	       attachments->adopted[adopted_place(attachments->adopted, attachments->adopted_size,
						  link)];
}

/* Each attachment adopts at most one link. */
static void adopted_table_make(struct matcher *matcher)
{
	matcher->adopted_size = 16;
	while (matcher->adopted_size < matcher->count * 2)
		matcher->adopted_size *= 2;
	matcher->adopted = arena_alloc(matcher->input->scratch,
				       matcher->adopted_size * sizeof(*matcher->adopted));
}

/* Adopts an untagged link of the same kind on the same parent: the one with the file's interface
 * name, or, without such a name, any in the container. */
static void planned_adopt(struct matcher *matcher, struct planned_attachment *planned)
{
	for (size_t i = 0; planned->ns && !planned->current && i < planned->ns->n_links; i++) {
		const struct live_link *link = &planned->ns->links[i];
		const struct live_link **place = &matcher->adopted[adopted_place(
			matcher->adopted, matcher->adopted_size, link)];
		if (adoptable(planned, link) && !*place)
			planned->current = *place = link;
	}
}

static void planned_match(struct matcher *matcher, struct planned_attachment *planned)
{
	planned_claim(matcher, planned);
	if (matcher->adopted)
		planned_adopt(matcher, planned);
	if (!planned->current && planned->check_result.action == ACTION_CREATE)
		planned->check_result = parent_check_up(matcher->input, planned->parent);
}

struct attachments attachments_match(const struct plan_input *input,
				     const struct ownership *ownership,
				     const struct managed_index *managed,
				     const struct parents *parents)
{
	struct matcher matcher = {
		.input = input,
		.managed = managed,
		.parents = parents,
		.uses = arena_alloc(input->scratch,
				    (managed->count + 1) * sizeof(struct managed_use))};
	containers_add(&matcher);
	const size_t n_containers = matcher.count;
	hosts_add(&matcher);
	if (input->options->adopt)
		adopted_table_make(&matcher);
	for (size_t i = 0; i < matcher.count; i++)
		planned_match(&matcher, &matcher.planned[i]);
	const struct attachments attachments = {
		.planned = matcher.planned,
		.count = matcher.count,
		.n_containers = n_containers,
		.groups = netns_groups_find(input, matcher.planned, n_containers),
		.uses = matcher.uses,
		.adopted = matcher.adopted,
		.adopted_size = matcher.adopted_size};
	replacements_find(input, ownership, managed, &attachments, matcher.uses);
	return attachments;
}

bool managed_stale(const struct plan_input *input, const struct managed_link *managed,
		   const struct managed_use *use)
{
	const enum role role = managed->link->tag.role;
	return !use->used && (role == ROLE_ATTACH || role == ROLE_HOST) &&
	       desired_set(input, managed->link->tag.set);
}

bool planned_accepts_ra(const struct planned_attachment *planned)
{
	return planned->attachment && attachment_accepts_ra(planned->attachment);
}

bool planned_leases(const struct planned_attachment *planned)
{
	return planned->attachment && planned->attachment->dhcp;
}

const char *planned_label(const struct plan_input *input, const struct planned_attachment *planned)
{
	return planned->container ? arena_printf(input->arena, "%s/%s", planned->container->name,
						 planned->attachment->name)
				  : arena_printf(input->arena, "the host's own link on %s",
						 planned->network->name);
}
