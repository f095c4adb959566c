/* Imports the configurations of Docker, Compose and CNI. What cannot be converted becomes a comment
 * at its place. Pure: the caller reads the files and queries the engine. */
#ifndef CONVERT_IMPORT_H
#define CONVERT_IMPORT_H

#include "convert/yaml_tree.h"

#include <jansson.h>

struct node;
struct input;

/* A Compose file (compose-spec), read by schema/yaml.h. `project`: what Compose calls it where the
 * file does not say. */
struct tree *import_compose(const struct node *root, const char *project, struct arena *arena);

/* What the engine's API tells: all of GET /networks, and GET /containers/ID/json of each container.
 */
struct tree *import_docker(const json_t *networks, const json_t *containers, struct arena *arena);

/* A list of network configurations of CNI, a conf or a conflist each (CNI specification, "Section
 * 1"), or a NetworkAttachmentDefinition of Kubernetes or a List of them, whose configurations bear
 * the name of their metadata. */
struct tree *import_cni(const json_t *documents, struct arena *arena);

/* Networks and containers of Podman, as libpod's API has them: all of GET /libpod/networks/json,
 * and GET /libpod/containers/ID/json of each container. */
struct tree *import_podman(const json_t *networks, const json_t *containers, struct arena *arena);

/* Podman's Quadlet files: those that end in .network and .container. */
struct tree *import_quadlet(const struct input *inputs, size_t count, struct arena *arena);

#endif
