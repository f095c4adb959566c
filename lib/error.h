/* The error convention: the last parameter of a function that can fail is a struct error, the
 * return value is a negative errno, and the error is written only on failure. Each layer prepends
 * what it was doing. Errors of the input, of which there can be several and which have places, are
 * in schema/diag.h. */
#ifndef LIB_ERROR_H
#define LIB_ERROR_H

#include "lib/error_codes.h"

struct error {
	enum code code; /* which kind of error it is */
	int errnum;     /* positive errno, or 0 if there is none */
	char text[512]; /* what is wrong and where; no newline */
	char hint[512]; /* what to do next; may be empty */
};

/* Sets the text, clears the hint, returns -errnum. errnum 0 is returned as EINVAL. strerror is not
 * appended: include it in the text where it helps. The code is CODE_RIGHTS for EPERM and EACCES,
 * else CODE_SYSTEM, until error_code sets another. */
__attribute__((format(printf, 3, 4))) int error_set(struct error *error, int errnum,
						    const char *format, ...);

/* Says which kind of error it is. Returns -errnum, or -EINVAL without one, as error_set does. */
int error_code(struct error *error, enum code code);

/* Puts "format: " before the text. */
__attribute__((format(printf, 2, 3))) void error_prepend(struct error *error, const char *format,
							 ...);

__attribute__((format(printf, 2, 3))) void error_hint(struct error *error, const char *format, ...);

#endif
