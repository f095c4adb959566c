/* The table of keys: the source of decoding, checks, suggestions, the JSON Schema and the reference
 * page. */
#ifndef SCHEMA_KEYS_H
#define SCHEMA_KEYS_H

#include "schema/model.h"
#include "schema/words.h"

struct node;

/* The type of a key's value, and its type in C. */
enum key_type {
	KEY_NAME,        /* const char *: the name of a set, network, container or aux address */
	KEY_PARENT,      /* const char *: a link of the host */
	KEY_INTERFACE,   /* const char *: the name of a new link */
	KEY_ALTNAME,     /* const char *: an alternative name of a new link */
	KEY_NETNS,       /* const char *: a namespace's name or absolute path */
	KEY_PID,         /* const char *: a process id, in decimal */
	KEY_ENGINE,      /* const char *: a container's name or id at its engine */
	KEY_POD,         /* const char *: a pod's "NAMESPACE/NAME", or a container's name */
	KEY_PATH,        /* const char *: an absolute path of a file */
	KEY_LXC,         /* const char *: an LXC container's name or absolute path */
	KEY_INCUS,       /* const char *: an Incus container's name or "PROJECT/NAME" */
	KEY_UNIT,        /* const char *: a service of systemd */
	KEY_MACHINE,     /* const char *: a machine of systemd-machined */
	KEY_SYSCTL,      /* const char *: a sysctl with IFNAME in it */
	KEY_VALUE,       /* const char *: one line of text */
	KEY_HOST,        /* const char *: a host's name, or a glob */
	KEY_HOST_NAME,   /* const char *: a host's name */
	KEY_BOOL,        /* bool */
	KEY_NUMBER,      /* uint16_t, uint32_t or int, by `size` and `min` */
	KEY_WORD,        /* an enum of one byte, by `words` */
	KEY_IP,          /* struct ip */
	KEY_IPV4,        /* struct ip */
	KEY_IPV6,        /* struct ip */
	KEY_PREFIX,      /* struct prefix, without host bits */
	KEY_DESTINATION, /* struct prefix: without host bits, or an address alone */
	KEY_MAC,         /* struct mac */
	KEY_RANGE,       /* struct ip_ranges: a prefix or FIRST-LAST, or a list of these; with
			  * `object` also a map: an array of it */
	KEY_EXCLUDE,     /* as KEY_RANGE, or an address alone */
	KEY_OBJECT,      /* `object` in place */
	KEY_LIST,        /* array of `object` */
	KEY_MAP,         /* array of `object`, each with its key as name */
	KEY_NAMES,       /* as KEY_MAP, or a list of names */
};

struct key {
	const char *name;
	enum key_type type;
	bool required;
	/* Stored as `const struct node *`, and decoded after everything that it refers to. */
	bool deferred;
	bool or_bool;        /* KEY_OBJECT: `true` is the object with its defaults */
	size_t offset, size; /* of the value in the object's struct */
	size_t count;        /* offset of an unsigned: KEY_LIST, KEY_MAP, KEY_RANGE */
	size_t map;          /* offset of the array: KEY_RANGE */
	size_t has;          /* offset of a bool: the key is present; 0: none */
	long long min, max;  /* KEY_NUMBER; KEY_LIST: number of entries, max 0: unlimited */
	const struct word *words;
	const struct object *object;
	const char *description;  /* one line */
	const char *default_text; /* the default; NULL: none */
	const char *example;
};

/* A map with a fixed set of keys. */
struct object {
	const char *where; /* "networks.NAME" */
	const struct key *keys;
	size_t n_keys;
	size_t size; /* of its struct */
	bool placed; /* the struct has a struct place, at offset `place` */
	size_t place;
	bool extensions; /* keys that start with "x-" are ignored */
	/* For entries of KEY_MAP and KEY_NAMES: the type of their keys, and the member for the
	 * name. */
	enum key_type name_type;
	size_t name_offset;
	const char *example;
	bool plain; /* the entry or item is not a map, but a value of keys[0] */
	const char *description;
};

/* Structs that decoding fills and that are not part of the model. */
struct document_decl {
	const char *name;
	const struct node *networks, *containers;
};

struct network_decl {
	struct network network;
	struct subnet subnet; /* the subnet's keys directly on the network */
};

struct container_decl {
	struct container container;
	const char *sources[N_SOURCE_KINDS];
	const struct node *networks;
};

struct attachment_decl {
	struct attachment attachment;
	const char *network; /* NULL: that of the attachment's name */
};

extern const struct object document_object, network_object, subnet_object, aux_object, host_object,
	container_object, attachment_object, route_object, sysctl_object, host_range_object,
	host_pattern_object, address_entry_object, routing_rule_object, altname_object;

const struct key *key_find(const struct object *object, const char *name);
/* The keys that the object has, as a hint. */
const char *key_list_hint(const struct object *object, struct arena *arena);
/* A hint for a key that the object does not have, in the arena. */
const char *key_unknown_hint(const struct object *object, const char *name, struct arena *arena);

#endif
