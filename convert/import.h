/* What others declared, as declarations. What cannot be carried over is a comment at its place.
 * Pure: who calls has read the files and asked the engine. */
#ifndef CONVERT_IMPORT_H
#define CONVERT_IMPORT_H

#include "convert/yaml_tree.h"

#include <jansson.h>

struct node;

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

/* The value of a key that a person has to write; a comment above it says why. */
#define IMPORT_EDIT "EDIT-THIS"

/* Writes a comment "edit this: ..." above each line of the document that `validate` refuses.
 * Returns how many there are. */
size_t import_mark_edits(struct tree *document);

#endif
