/* Decides which owner tags are trusted: those in the host's own namespace, and those in the
 * namespace of the container that they name. Whoever controls a namespace can create links on the
 * host's parents (a macvlan of a macvlan is put on its lower device, macvlan_common_newlink) and
 * set any alias. */
#include "reconcile/plan/ownership.h"

#include <stdlib.h>
#include <string.h>

static int home_compare_ns(const void *a, const void *b)
{
	const uintptr_t left = (uintptr_t)((const struct home *)a)->ns;
	const uintptr_t right = (uintptr_t)((const struct home *)b)->ns;
	return (left > right) - (left < right);
}

static int home_compare(const void *a, const void *b)
{
	const uintptr_t left = (uintptr_t)((const struct home *)a)->set;
	const uintptr_t right = (uintptr_t)((const struct home *)b)->set;
	const int order = home_compare_ns(a, b);
	return order ? order : (left > right) - (left < right);
}

static int names_compare(const char *set, const char *container, const struct declared *with)
{
	int order = strcmp(set, with->set);
	return order ? order : strcmp(container, with->lookup->container->name);
}

static int declared_compare(const void *a, const void *b)
{
	const struct declared *left = a;
	return names_compare(left->set, left->lookup->container->name, b);
}

struct ownership ownership_make(const struct plan_input *input)
{
	const struct desired *desired = input->desired;
	const size_t room = input->live->n_containers + 1;
	struct declared *declared = arena_alloc(input->scratch, room * sizeof(*declared));
	struct home *homes = arena_alloc(input->scratch, room * sizeof(*homes));
	size_t n_declared = 0, n_homes = 0;
	for (size_t s = 0; s < desired->n_sets; s++) {
		const struct set *set = &desired->sets[s];
		for (size_t i = 0; i < set->n_containers; i++) {
			const struct container_lookup *lookup =
				&input->live->container_lookups[n_declared];
			declared[n_declared++] =
				(struct declared){.set = set->name, .lookup = lookup};
			if (lookup->state == CONTAINER_READY)
				homes[n_homes++] = (struct home){.ns = lookup->ns, .set = set};
		}
	}
	qsort(declared, n_declared, sizeof(*declared), declared_compare);
	qsort(homes, n_homes, sizeof(*homes), home_compare);
	return (struct ownership){
		.declared = declared, .n_declared = n_declared, .homes = homes, .n_homes = n_homes};
}

const struct container_lookup *declared_find(const struct ownership *ownership,
					     const struct owner_tag *tag)
{
	size_t low = 0, high = ownership->n_declared;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct declared *declared = &ownership->declared[middle];
		const int order = names_compare(tag->set, tag->container, declared);
		if (order == 0)
			return declared->lookup;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

bool is_home(const struct ownership *ownership, const struct live_ns *ns)
{
	const struct home key = {.ns = ns};
	return ownership->n_homes && bsearch(&key, ownership->homes, ownership->n_homes,
					     sizeof(*ownership->homes), home_compare_ns);
}

bool is_home_of(const struct ownership *ownership, const struct live_ns *ns, const struct set *set)
{
	const struct home key = {.ns = ns, .set = set};
	return ownership->n_homes && bsearch(&key, ownership->homes, ownership->n_homes,
					     sizeof(*ownership->homes), home_compare);
}

enum placement placement_of(const struct ownership *ownership, const struct live_ns *ns,
			    const struct owner_tag *tag)
{
	if (!role_in_container(tag->role))
		return ns->host ? PLACEMENT_OWN : PLACEMENT_STRAY;
	const struct container_lookup *lookup = declared_find(ownership, tag);
	if (lookup && lookup->state == CONTAINER_READY)
		return lookup->ns == ns ? PLACEMENT_OWN : PLACEMENT_STRAY;
	return is_home(ownership, ns) || ns->user_made ? PLACEMENT_STRAY : PLACEMENT_UNKNOWN;
}
