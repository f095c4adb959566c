/* The live links with an owner tag.
 *
 * Takes: the live state, and which tags are trusted. Gives: a list in the order of namespaces and
 * links, with search by tag and by link. It contains links in the host's namespace, links whose
 * parent is there, and links in their container's namespace whose parent was moved away. */
#ifndef RECONCILE_PLAN_MANAGED_INDEX_H
#define RECONCILE_PLAN_MANAGED_INDEX_H

#include "reconcile/plan/ownership.h"

struct managed_link {
	struct live_ns *ns;
	const struct live_link *link;
	size_t number; /* in managed_index.links */
	uint64_t hash; /* of its tag */
	uint32_t next; /* of the same hash: number + 1; 0: none */
	enum placement placement;
};

struct managed_index {
	const struct managed_link *links;
	size_t count;
	/* Open addressing, by tag and by link: number + 1. */
	const uint32_t *by_tag, *by_link;
	size_t table_size;
	uint64_t seed;
};

struct managed_index managed_index_make(const struct plan_input *input,
					const struct ownership *ownership);

/* The first link with the tag in that namespace, or NULL. */
const struct managed_link *managed_find(const struct managed_index *index,
					const struct owner_tag *tag, const struct live_ns *ns);
/* The first link with the tag, in any namespace, or NULL; then the next one. */
const struct managed_link *managed_first(const struct managed_index *index,
					 const struct owner_tag *tag);
const struct managed_link *managed_next(const struct managed_index *index,
					const struct managed_link *managed);
const struct managed_link *managed_of_link(const struct managed_index *index,
					   const struct live_link *link);
/* Whether the link has an address in a subnet of the network. */
bool managed_in_subnet(const struct managed_link *managed, const struct network *network);
/* For qsort(3) of pointers: by tag. */
int managed_compare(const void *a, const void *b);

/* Whether the host knows the namespace of an attachment by the name of the container that the tag
 * names, or as the namespace of an engine or of a former container. */
bool was_home(const struct managed_link *managed);
/* Whether an attachment is in the namespace that its tag implies, as far as the host can tell: in
 * the namespace of a container that is or was declared, in one that the host knows by the
 * container's name, or in an engine's, which has no such name. */
bool is_evident(const struct managed_link *managed);
/* Whether the set declares the container of an attachment: the container in that namespace, or the
 * one that its tag names, if the host knows the namespace by that name, or as an engine's while the
 * engine does not report the container's namespace. */
bool is_declared(const struct ownership *ownership, const struct set *set,
		 const struct managed_link *managed);

#endif
