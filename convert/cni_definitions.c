/* NetworkAttachmentDefinition of Kubernetes, in which Multus reads CNI configurations:
 * https://github.com/k8snetworkplumbingwg/multi-net-spec */
#include "convert/cni_internal.h"

#include "convert/json_read.h"

#include <string.h>

#define RESOURCE "k8s.v1.cni.cncf.io/resourceName"

static bool has_kind(const json_t *document, const char *kind)
{
	const char *text = json_text_at(document, "kind");
	return text && strcmp(text, kind) == 0;
}

static json_t *named(const json_t *conf, const char *name)
{
	json_t *copy = cni_canonical(conf);
	if (name)
		json_object_set_new(copy, "name", json_string(name));
	return copy;
}

/* `spec.config` is JSON as text; without it Multus searches for a file with that name. */
static void definition_take(const json_t *definition, json_t *confs, struct tree *at)
{
	const json_t *metadata = json_object_get(definition, "metadata");
	const char *name = json_text_at(metadata, "name");
	const char *config = json_text_at(json_object_get(definition, "spec"), "config");
	const char *resource = json_text_at(json_object_get(metadata, "annotations"), RESOURCE);
	json_t *conf = config ? json_loads(config, JSON_REJECT_DUPLICATES, NULL) : NULL;
	if (resource)
		tree_comment(at,
			     "%s: " RESOURCE "=%s is not converted: a device plugin of "
			     "Kubernetes assigns these devices",
			     name ? name : "a NetworkAttachmentDefinition", resource);
	if (!config)
		tree_comment(
			at, "%s has no spec.config: import the file of that name in /etc/cni/net.d",
			name ? name : "a NetworkAttachmentDefinition");
	else if (!json_is_object(conf))
		tree_comment(at, "%s: spec.config is not a JSON object, and is not converted",
			     name ? name : "a NetworkAttachmentDefinition");
	else
		json_array_append_new(confs, named(conf, name));
	json_decref(conf);
}

bool cni_definitions(const json_t *document, json_t *confs, struct tree *at)
{
	const json_t *items = json_object_get(document, "items");
	if (has_kind(document, "NetworkAttachmentDefinition")) {
		definition_take(document, confs, at);
		return true;
	}
	if (!json_is_array(items))
		return false;
	for (size_t i = 0; i < json_array_size(items); i++)
		if (!cni_definitions(json_array_get(items, i), confs, at))
			json_unconverted("an item", json_array_get(items, i), at);
	return true;
}
