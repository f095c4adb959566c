/* Marks the parts of an import that the user has to complete, at their place in the result. */
#include "convert/import_edit.h"

#include "convert/json_read.h"
#include "convert/yaml_tree_internal.h"
#include "lib/memory.h"
#include "schema/load.h"
#include "schema/yaml.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* The placeholder value of a key to complete. */
#define EDIT "EDIT-THIS"

/* The child of a map that begins at the line or contains it; NULL: there is none. `node`: the map
 * as parsed again, which has the same keys in the same order, without comments. Sets *ret_map to
 * the map of the child. */
static struct tree *child_on(struct tree *map, const struct node *node, unsigned line,
			     struct tree **ret_map);

static struct tree *item_on(struct tree *list, const struct node *node, unsigned line,
			    struct tree **ret_map)
{
	const struct node *item = node->first;
	for (struct tree *child = list->first; child && item; child = child->next) {
		if (child->kind == TREE_COMMENT)
			continue;
		struct tree *found = child_on(child, item, line, ret_map);
		if (found)
			return found;
		item = item->next;
	}
	return NULL;
}

static struct tree *child_on(struct tree *map, const struct node *node, unsigned line,
			     struct tree **ret_map)
{
	if (map->kind == TREE_LIST && node->kind == NODE_SEQUENCE)
		return item_on(map, node, line, ret_map);
	if (map->kind != TREE_MAP || node->kind != NODE_MAPPING)
		return NULL;
	const struct node *key = node->first;
	for (struct tree *child = map->first; child && key; child = child->next) {
		if (child->kind == TREE_COMMENT)
			continue;
		struct tree *found = child_on(child, key->next, line, ret_map);
		if (found)
			return found;
		if (key->line == line) {
			*ret_map = map;
			return child;
		}
		key = key->next->next;
	}
	return NULL;
}

static const char *diag_text(struct arena *arena, const struct diag *diag)
{
	return diag->hint ? arena_printf(arena, "edit this: %s (%s)", diag->text, diag->hint)
			  : arena_printf(arena, "edit this: %s", diag->text);
}

static void edit_mark(struct tree *document, const struct node *root, const struct diag *diag)
{
	struct tree *map = document;
	struct tree *child =
		root ? child_on(document, root, diag->place.line, &map) : document->first;
	if (child && child->kind == TREE_TEXT && strcmp(child->text, EDIT) == 0)
		return;
	tree_comment_before(map, child ? child : document->first, "%s",
			    diag_text(document->arena, diag));
}

void import_edit(struct tree *map, const char *key, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	tree_comment(map, "edit this: %s", text);
	if (!tree_has(map, key))
		tree_text(map, key, EDIT);
}

/* The text at the key, unless it is empty. */
static const char *text_given(const json_t *object, const char *key)
{
	const char *text = json_text_at(object, key);
	return text && *text ? text : NULL;
}

static bool address_at(const json_t *object, const char *key, struct tree *map, const char *as,
		       uint8_t family, struct ip *ret)
{
	const char *text = text_given(object, key);
	struct ip ip;
	if (!text)
		return json_ip_at(object, key, map, ret);
	if (ip_parse(text, &ip) && ip.family == family) {
		*ret = ip;
		return true;
	}
	import_edit(map, as, "%s is not an address of %s", text,
		    family == AF_INET ? "IPv4" : "IPv6");
	return false;
}

bool import_prefix_at(const json_t *object, const char *key, struct tree *map, const char *as,
		      struct prefix *ret)
{
	const char *text = text_given(object, key);
	struct prefix prefix;
	if (text && !prefix_parse(text, &prefix)) {
		import_edit(map, as, "%s is not a prefix", text);
		return false;
	}
	return json_prefix_at(object, key, map, ret);
}

bool import_ipv4_at(const json_t *object, const char *key, struct tree *map, struct ip *ret)
{
	return address_at(object, key, map, "ipv4_address", AF_INET, ret);
}

bool import_ipv6_at(const json_t *object, const char *key, struct tree *map, struct ip *ret)
{
	return address_at(object, key, map, "ipv6_address", AF_INET6, ret);
}

bool import_mac_at(const json_t *object, const char *key, struct tree *map, struct mac *ret)
{
	const char *text = text_given(object, key);
	if (!text)
		return json_mac_at(object, key, map, ret);
	if (mac_parse(text, ret))
		return true;
	import_edit(map, "mac_address", "%s is not a MAC address", text);
	return false;
}

/* The document as YAML; the caller frees it, as `bytes`. */
static struct input rendered(const struct tree *document)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = memory_or_die(open_memstream(&text, &size));
	tree_yaml(out, document);
	fclose(out);
	return (struct input){.file = "<result>", .bytes = memory_or_die(text), .size = size};
}

static void input_free(struct input *input)
{
	free((void *)(uintptr_t)input->bytes);
}

void import_validate(const struct tree *document, struct diags *diags)
{
	__attribute__((cleanup(input_free))) struct input input = rendered(document);
	desired_free(load(&input, 1, NULL, diags));
}

void import_mark_edits(struct tree *document)
{
	__attribute__((cleanup(input_free))) struct input input = rendered(document);
	struct diags diags, syntax;
	diags_init(&diags);
	diags_init(&syntax);
	desired_free(load(&input, 1, NULL, &diags));
	const struct node *root = yaml_parse(&input, document->arena, &syntax);
	for (size_t i = 0; i < diags.count; i++)
		edit_mark(document, root, &diags.items[i]);
	diags_free(&syntax);
	diags_free(&diags);
}
