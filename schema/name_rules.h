/* The rules for names of objects, links and namespaces. */
#ifndef SCHEMA_NAME_RULES_H
#define SCHEMA_NAME_RULES_H

#include "schema/keys.h"

/* The problem of a text of this type, worded to follow the text, or NULL. Sets *ret_hint if there
 * is an addition. */
const char *text_problem(enum key_type type, const char *text, const char **ret_hint);

#endif
