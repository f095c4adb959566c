#include "lib/hashmap.h"
#include "schema/diag_report.h"
#include "schema/yaml.h"

#include <string.h>

/* Up to this number, comparing each with each is faster than an index. */
#define SMALL_COUNT 8

/* Whether a key is valid; otherwise reports it. */
static bool key_fits(struct context *context, const struct node *key)
{
	if (key->bad)
		return false;
	if (key->kind != NODE_SCALAR)
		report(context, CODE_YAML_KEY, NULL, key, "use a single word as the key",
		       "a list or map cannot be a key");
	else if (!*key->text)
		report(context, CODE_YAML_KEY, NULL, key, "write `KEY: VALUE`",
		       "a key is missing before the ':'");
	else if (!key->quoted && strcmp(key->text, "<<") == 0)
		report(context, CODE_YAML_UNSUPPORTED, NULL, key,
		       "write the keys in full where they are used",
		       "merge keys (<<) are not supported");
	else
		return true;
	return false;
}

/* An earlier key with the same text; adds the key otherwise. */
static const struct node *find_same(const struct node *mapping, struct index *index,
				    struct node *key)
{
	if (index)
		return index_put_text(index, key->text, key);
	for (const struct node *node = mapping->first; node != key; node = node->next->next)
		if (strcmp(node->text, key->text) == 0)
			return node;
	return NULL;
}

void yaml_check_keys(struct context *context, struct node *mapping)
{
	__attribute__((cleanup(index_cleanup))) struct index *index =
		mapping->count > SMALL_COUNT ? index_new(mapping->count) : NULL;

	for (struct node **link = &mapping->first, *key; (key = *link);) {
		const struct node *same = NULL;
		bool fits = key_fits(context, key);
		if (fits && (same = find_same(mapping, index, key))) {
			struct place place = place_of(context, same);
			report(context, CODE_YAML_KEY, NULL, key, "remove one of the two",
			       "duplicate key %s, first at %s", printable_text(context, key->text),
			       place_text(context, &place));
		}
		if (fits && !same) {
			link = &key->next->next;
			continue;
		}
		*link = key->next->next;
		mapping->count--;
		mapping->incomplete = true;
		context->incomplete |= !same;
	}
}
