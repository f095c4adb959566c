#include "convert/observed_set.h"

#include "schema/name_rules.h"
#include "schema/source_text.h"

#include <linux/if_addr.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void note_add(struct arena *arena, struct notes *notes, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	*array_push(arena, notes->items, notes->count) = arena_vprintf(arena, format, args);
	va_end(args);
}

size_t *observed_place(const struct observed_set *set, const char *format, ...)
{
	char key[512];
	va_list args;
	va_start(args, format);
	vsnprintf(key, sizeof(key), format, args);
	va_end(args);
	size_t *place = index_get_text(set->places, key);
	if (place)
		return place;
	place = arena_alloc(set->arena, sizeof(*place));
	index_put_text(set->places, arena_strdup(set->arena, key), place);
	return place;
}

struct observed_network *observed_network_find(const struct observed_set *set, const char *name)
{
	const size_t number = *observed_place(set, "network %s", name);
	return number ? &set->networks[number - 1] : NULL;
}

struct observed_container *observed_container_find(const struct observed_set *set, const char *name)
{
	const size_t number = *observed_place(set, "container %s", name);
	return number ? &set->containers[number - 1] : NULL;
}

struct observed_container *observed_container_in(const struct observed_set *set,
						 const struct live_ns *ns)
{
	const size_t number = *observed_place(set, "namespace %p", (const void *)ns);
	return number ? &set->containers[number - 1] : NULL;
}

static size_t *attachment_place(const struct observed_set *set, const char *container,
				const char *name)
{
	return observed_place(set, "attachment %s/%s", container, name);
}

bool observed_attached(const struct observed_set *set, const char *container, const char *name)
{
	return *attachment_place(set, container, name);
}

static size_t *parent_place(const struct observed_set *set, const struct live_link *parent)
{
	return observed_place(set, "parent %p", (const void *)parent);
}

/* The network with that name; creates it if necessary. */
static struct observed_network *network_of(struct observed_set *set, const char *name)
{
	struct observed_network *network = observed_network_find(set, name);
	if (network)
		return network;
	network = array_push(set->arena, set->networks, set->n_networks);
	network->model.name = arena_strdup(set->arena, name);
	*observed_place(set, "network %s", name) = set->n_networks;
	return network;
}

void observed_network_on(struct observed_set *set, struct observed_network *network,
			 const struct live_link *parent)
{
	network->parent = parent;
	*parent_place(set, parent) = 1;
}

static struct observed_container *container_of(struct observed_set *set, const char *name,
					       const struct live_ns *ns)
{
	struct observed_container *found = observed_container_find(set, name);
	if (found)
		return found;
	found = array_push(set->arena, set->containers, set->n_containers);
	struct container *model = &found->model;
	model->name = arena_strdup(set->arena, name);
	*observed_place(set, "container %s", name) = set->n_containers;
	size_t *first = observed_place(set, "namespace %p", (const void *)ns);
	*first = *first ? *first : set->n_containers;
	struct origin origin = *(const struct origin *)index_get(set->origins, &ns, sizeof(ns));
	if (origin.netns && !text_printable(origin.netns, strlen(origin.netns)))
		origin.netns = NULL; /* not allowed in a file */
	if (!origin_source(&origin, name, &model->source_kind, &model->source)) {
		model->source = model->name;
		note_add(set->arena, &found->notes,
			 "its network namespace has neither a printable name nor a process: write "
			 "its source");
	}
	return found;
}

void observed_attachment(struct observed_set *set, const struct observed_names *names,
			 const struct live_ns *ns, const struct live_link *link)
{
	struct observed_container *container = container_of(set, names->container, ns);
	struct observed_network *network = network_of(set, names->network);
	size_t *attached = attachment_place(set, names->container, names->attachment);
	if (*attached) {
		note_add(set->arena, &container->notes, "%s in %s is a second link of %s",
			 link->name, ns->name, names->attachment);
		return;
	}
	if (container->n_attachments && container->attachments[0].ns != ns)
		note_add(set->arena, &container->notes,
			 "its link on %s is in another namespace, %s", names->attachment, ns->name);
	struct observed_attachment *attachment =
		array_push(set->arena, container->attachments, container->n_attachments);
	*attached = container->n_attachments;
	attachment->model.name = names->attachment;
	attachment->network = (size_t)(network - set->networks);
	attachment->ns = ns;
	attachment->link = link;
	observed_sysctls(set, attachment);
}

void observed_host(struct observed_set *set, const char *name, const struct live_link *link)
{
	observed_host_take(set, network_of(set, name), link);
}

void observed_parent(struct observed_set *set, const char *name, const struct live_link *link)
{
	struct observed_network *network = network_of(set, name);
	if (!network->finished)
		observed_parent_take(set, network, link);
	if (link->tag.role == ROLE_DUMMY && link->mtu != ETH_DATA_LEN)
		network->model.mtu = link->mtu;
}

bool observed_on(const struct observed_set *set, const struct live_link *parent)
{
	return *parent_place(set, parent);
}
