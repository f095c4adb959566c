/* The error convention: a function that can fail takes a struct error as its last parameter and
 * returns a negative errno; the error is written only on failure. Each layer prepends its own
 * operation. Errors of the input have places, and there can be several: see schema/diag.h. */
#ifndef LIB_ERROR_H
#define LIB_ERROR_H

#include "lib/error_codes.h"

struct error {
	enum code code; /* the kind of error */
	int errnum;     /* positive errno, or 0 if there is none */
	char text[512]; /* the problem and its place; no newline */
	char hint[512]; /* the fix; may be empty */
};

/* Sets the text, clears the hint, returns -errnum. errnum 0 is returned as EINVAL. strerror is not
 * appended: include it in the text where it helps. The code is CODE_RIGHTS for EPERM and EACCES,
 * else CODE_SYSTEM, until error_code sets another. */
__attribute__((format(printf, 3, 4))) int error_set(struct error *error, int errnum,
						    const char *format, ...);

/* Sets the kind of error. Returns -errnum, or -EINVAL if errnum is 0, as error_set does. */
int error_code(struct error *error, enum code code);

/* Puts "format: " before the text. */
__attribute__((format(printf, 2, 3))) void error_prepend(struct error *error, const char *format,
							 ...);

__attribute__((format(printf, 2, 3))) void error_hint(struct error *error, const char *format, ...);

#endif
