/* The rules for names of objects, links and namespaces. */
#ifndef SCHEMA_NAME_RULES_H
#define SCHEMA_NAME_RULES_H

#include "schema/keys.h"

/* What is wrong with a text of this type, to be read after the text itself, or NULL. Sets
 * *ret_hint, or leaves it where the problem says it all. */
const char *text_problem(enum key_type type, const char *text, const char **ret_hint);

/* Where a parent's name such as eth0.10, which is short for a VLAN of eth0, has its dot; NULL: it
 * is no such short form. */
const char *parent_dot(const char *parent);

#endif
