/* Marks the parts of an import that the user has to complete: comments "edit this: ..." in the
 * result. */
#ifndef CONVERT_IMPORT_EDIT_H
#define CONVERT_IMPORT_EDIT_H

#include "convert/yaml_tree.h"

/* Writes the key with a value that `validate` refuses, under the comment "edit this: ...". For keys
 * that determine the LAN or the addresses, and cannot be converted. */
__attribute__((format(printf, 3, 4))) void import_edit(struct tree *map, const char *key,
						       const char *format, ...);

struct diags;

/* Adds to `diags` the findings of `validate` for the document as YAML. */
void import_validate(const struct tree *document, struct diags *diags);

/* Writes a comment "edit this: ..." above each line of the document that `validate` refuses, except
 * those of import_edit. */
void import_mark_edits(struct tree *document);

#endif
