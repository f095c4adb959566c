#include "convert/import_engine.h"

#include "convert/docker_options.h"
#include "convert/json_read.h"

#include <string.h>

/* Whether the network is converted; otherwise it stays with the engine, with a comment. */
static bool network_take(const struct engine_words *words, struct tree *to, const json_t *body)
{
	const char *name = json_text_at(body, words->network_name);
	const char *driver = json_text_at(body, words->network_driver);
	enum driver ignored;
	if (!name || !*name)
		return false;
	if (!docker_driver(driver, &ignored)) {
		if (!json_key_among(words->predefined, name))
			tree_comment(to, "%s: its driver %s is left to %s", name,
				     driver ? driver : "?", words->name);
		return false;
	}
	if (tree_has(to, name)) {
		tree_comment(to, "a second network %s is left to %s: rename one of the two", name,
			     words->name);
		return false;
	}
	words->network(tree_map(to, name), body);
	return true;
}

static void container_take(const struct engine_words *words, struct tree *to,
			   const json_t *container, const json_t *converted)
{
	const json_t *endpoints =
		json_object_get(json_object_get(container, "NetworkSettings"), "Networks");
	const char *name = json_text_at(container, "Name");
	struct tree *networks = NULL;
	if (name && *name == '/') /* Docker's names have this prefix */
		name++;
	if (!name || !*name)
		return;
	json_each (endpoints, member) {
		const char *key = json_object_iter_key(member);
		if (!json_object_get(converted, key))
			continue;
		if (!networks) {
			struct tree *map = tree_map(to, name);
			tree_text(map, words->source, name);
			docker_sysctls(json_object_get(json_object_get(container, "HostConfig"),
						       "Sysctls"),
				       map);
			networks = tree_map(map, "networks");
		}
		words->endpoint(tree_map(networks, key), json_object_iter_value(member));
	}
	json_each (endpoints, member)
		if (networks && !json_object_get(converted, json_object_iter_key(member)))
			tree_comment(networks, "%s is left to %s", json_object_iter_key(member),
				     words->name);
}

struct tree *import_engine(const struct engine_words *words, const json_t *networks,
			   const json_t *containers, struct arena *arena)
{
	struct tree *document = tree_new(arena);
	struct tree *to = tree_map(document, "networks");
	json_t *converted = json_object();
	for (size_t i = 0; i < json_array_size(networks); i++) {
		const json_t *network = json_array_get(networks, i);
		if (network_take(words, to, network))
			json_object_set_new(converted, json_text_at(network, words->network_name),
					    json_true());
	}
	to = tree_map(document, "containers");
	tree_comment(to, "%s", words->advice);
	for (size_t i = 0; i < json_array_size(containers); i++)
		container_take(words, to, json_array_get(containers, i), converted);
	json_decref(converted);
	return document;
}
