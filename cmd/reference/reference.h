/* The table of keys as a flat list with the path of each key, searchable by name. */
#ifndef CMD_REFERENCE_REFERENCE_H
#define CMD_REFERENCE_REFERENCE_H

#include "schema/keys.h"

struct reference {
	const char *path; /* "networks.NAME.vlan" */
	const struct object *object;
	const struct key *key;
};

struct references {
	struct reference *items;
	size_t count;
};

/* Every key, from the top level down, each before the keys of its object. */
struct references references_all(struct arena *arena);

/* The keys that match `word`: a key's path, with NAME and NET left out or replaced by names and
 * with or without indexes such as [0]; or else the end of a path, "vlan". */
struct references references_find(struct arena *arena, const struct references *all,
				  const char *word);

/* The type of the key's value, such as "a number from 1 to 4094". */
const char *reference_type(struct arena *arena, const struct key *key);

#endif
