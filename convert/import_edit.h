/* Marks the parts of an import that the user has to complete: comments "edit this: ..." in the
 * result. */
#ifndef CONVERT_IMPORT_EDIT_H
#define CONVERT_IMPORT_EDIT_H

#include "convert/yaml_tree.h"
#include "lib/ip.h"

/* Writes the key with a value that `validate` refuses, under the comment "edit this: ...". For keys
 * that determine the LAN or the addresses, and cannot be converted. */
__attribute__((format(printf, 3, 4))) void import_edit(struct tree *map, const char *key,
						       const char *format, ...);

/* The prefix at the key, without host bits. A text that is none is to be edited as the key `as` of
 * `map`. Returns whether there is one. */
bool import_prefix_at(const json_t *object, const char *key, struct tree *map, const char *as,
		      struct prefix *ret);

/* The value of an attachment's key, `key` in the input; a text that is none is to be edited in
 * `map`, since another one would be chosen. Each returns whether there is one. */
bool import_ipv4_at(const json_t *object, const char *key, struct tree *map, struct ip *ret);
bool import_ipv6_at(const json_t *object, const char *key, struct tree *map, struct ip *ret);
bool import_mac_at(const json_t *object, const char *key, struct tree *map, struct mac *ret);

struct diags;

/* Adds to `diags` the findings of `validate` for the document as YAML. */
void import_validate(const struct tree *document, struct diags *diags);

/* Writes a comment "edit this: ..." above each line of the document that `validate` refuses, except
 * those of import_edit. */
void import_mark_edits(struct tree *document);

#endif
