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

/* Every key there is, from the top level down, each before the keys of its object. */
struct references references_all(struct arena *arena);

/* Those that a person may mean by `word`: a key's path, with NAME and NET left out or replaced by
 * names and with indexes such as [0] or without; or else the end of a path, "vlan". */
struct references references_find(struct arena *arena, const struct references *all,
				  const char *word);

/* What stands behind the key, such as "a number from 1 to 4094". */
const char *reference_type(struct arena *arena, const struct key *key);

#endif
