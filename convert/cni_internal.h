/* Declarations shared by the files of the CNI import. Others include import.h. */
#ifndef CONVERT_CNI_INTERNAL_H
#define CONVERT_CNI_INTERNAL_H

#include "convert/yaml_tree.h"
#include "schema/model.h"

#include <jansson.h>

/* One subnet of the network in the address management. */
struct cni_pool {
	struct ip router; /* its gateway, explicit or inferred; family 0: none */
	bool inferred;    /* inferred: host-local takes the first address */
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
	struct attachment attachment; /* from ipam static, which is for one container */
	bool single;
};

/* A copy in which each key of a plugin has the spelling of the specification: Go's encoding/json
 * matches field names case-insensitively, and takes the last of several. The caller releases it
 * with json_decref. */
json_t *cni_canonical(const json_t *conf);

/* Reads `ipam` into the network's subnets; for the type static, into the attachment. */
void cni_ipam(struct cni *cni, const json_t *ipam);

/* Sets gateways of the subnets and routes, after all subnets are known. */
void cni_routes(struct cni *cni, const json_t *routes);

/* Whether the document is a NetworkAttachmentDefinition of Kubernetes, or a List: then appends its
 * configurations to the array `confs`, named after their metadata. A definition without one becomes
 * a comment on `at`. */
bool cni_definitions(const json_t *document, json_t *confs, struct tree *at);

#endif
