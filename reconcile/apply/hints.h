/* What to do about an error of the kernel, by its errno and the operation that it refused. */
#ifndef RECONCILE_APPLY_HINTS_H
#define RECONCILE_APPLY_HINTS_H

#include "kernel/link.h"
#include "lib/error_codes.h"
#include "reconcile/plan/operations.h"

/* The links that a hint is for. */
enum hint_kind {
	HINT_ANY,
	HINT_DRIVER, /* macvlan, macvtap, ipvlan */
	HINT_IPVLAN,
	HINT_VLAN,
};

struct hint {
	int errnum;
	uint32_t operations; /* a bit for each enum operation_type */
	enum hint_kind kind;
	enum code code;
	/* LINK, PARENT and MODULE stand for the names of the link, its parent and its module. */
	const char *text;
};

/* All rows, and their number. No errno, operation and kind has two. tests/kernel/test_hints.py
 * provokes each. */
const struct hint *hints_all(size_t *ret_count);

/* The row for an error, or NULL. */
const struct hint *hint_find(int errnum, enum operation_type type, enum link_kind kind);

#endif
