/* Decodes nodes into structs, by the table of keys. */
#ifndef SCHEMA_DECODE_H
#define SCHEMA_DECODE_H

#include "schema/diag_report.h"
#include "schema/keys.h"

/* The hint for a default route among `routes`. */
#define DEFAULT_ROUTE_HINT                                                                         \
	"the default route comes from the network's `gateway`; `gw_priority` selects one of "      \
	"several"

/* Decodes the map `body` into the zeroed struct at `target`. `at` is the object's key, or its item
 * in a list. An invalid value is reported, marked as bad, and its member stays zero. */
void decode_object(struct context *context, const struct scope *scope, const struct object *object,
		   const struct node *at, struct node *body, void *target);

/* Checks the name of a map entry; an invalid one is reported and marked as bad. */
bool decode_name(struct context *context, const struct scope *scope, enum key_type type,
		 struct node *name);

/* A value to decode, and its type. */
struct decode_state {
	struct context *context;
	const struct scope *scope; /* the key's own */
	const struct key *key;
	struct node *node;
	const struct node *at; /* the key or item that contains the value */
	void *target;
};

/* For the parts of the decoder: reports the value and marks it as bad; hint may be NULL. */
void decode_wrong(const struct decode_state *state, enum code code, const char *hint,
		  const char *problem);

/* Decodes a single value; the node is a scalar that is not null. */
void decode_scalar(const struct decode_state *state);

#endif
