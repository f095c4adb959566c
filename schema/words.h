/* The spelling of the input's enum values: "macvlan", "802.1q", "bridge", "netns". */
#ifndef SCHEMA_WORDS_H
#define SCHEMA_WORDS_H

#include "schema/model.h"

/* The name of one value. Lists end with a NULL name. */
struct word {
	const char *name;
	unsigned value;
	const char *description;
};

extern const struct word driver_words[], vlan_protocol_words[], link_mode_words[],
	ipvlan_flag_words[], route_scope_words[], route_type_words[];

#define WORDS_ALL (~0U)

/* "bridge, private or vepa": the values in the mask of 1 << value. */
const char *words_list(struct arena *arena, const struct word *words, unsigned values);

/* The name of a value. */
const char *driver_name(enum driver driver);
const char *vlan_protocol_name(enum vlan_protocol protocol);
const char *link_mode_name(enum link_mode mode);
const char *ipvlan_flag_name(enum ipvlan_flag flag);
const char *route_scope_name(enum route_scope scope);
const char *route_type_name(enum route_type type);
const char *source_kind_name(enum source_kind kind);

#endif
