/* What the parts of the CNI import share. Others include import.h. */
#ifndef CONVERT_CNI_INTERNAL_H
#define CONVERT_CNI_INTERNAL_H

#include "convert/yaml_tree.h"
#include "schema/model.h"

#include <jansson.h>

/* What the address management says of one subnet of the network. */
struct cni_pool {
	struct ip router; /* its gateway, said or inferred; family 0: none */
	bool inferred;    /* nobody said it: host-local takes the first address */
};

struct cni {
	struct arena *arena;
	struct tree *document, *networks;
	struct tree *containers; /* NULL: none yet */
	const char *name;        /* of the current network */
	struct tree *map;        /* the current network's */
	struct network network;
	struct cni_pool *pools; /* one for each of network.subnets */
	size_t n_pools;
	struct attachment attachment; /* of ipam static, which is for one container */
	bool single;
};

/* A copy in which each key that a plugin reads has the spelling of the specification: Go's
 * encoding/json matches names of fields without regard to case, and takes the last of several. The
 * caller's to json_decref. */
json_t *cni_canonical(const json_t *conf);

/* Reads `ipam` into the network's subnets, or the attachment where the type is static. */
void cni_ipam(struct cni *cni, const json_t *ipam);

/* Gateways of the subnets and routes, once all subnets are known. */
void cni_routes(struct cni *cni, const json_t *routes);

/* Whether the document is a NetworkAttachmentDefinition of Kubernetes, or a List: then appends the
 * configurations in it to the array `confs`, with the names of their metadata. One that has none is
 * a comment on `at`. */
bool cni_definitions(const json_t *document, json_t *confs, struct tree *at);

#endif
