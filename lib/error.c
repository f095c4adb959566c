#include "lib/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *error, int errnum, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	error->errnum = errnum;
	error->code = errnum == EPERM || errnum == EACCES    ? CODE_RIGHTS
		      : errnum == EMFILE || errnum == ENFILE ? CODE_DESCRIPTORS
							     : CODE_SYSTEM;
	error->hint[0] = '\0';
	return errnum ? -errnum : -EINVAL;
}

int error_code(struct error *error, enum code code)
{
	error->code = code;
	return error->errnum ? -error->errnum : -EINVAL;
}

void error_prepend(struct error *error, const char *format, ...)
{
	struct error after = *error;
	va_list args;
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);

	size_t used = strlen(error->text), room = sizeof(error->text) - used;
	size_t length = strnlen(after.text, sizeof(after.text));
	if (room <= 3)
		return;
	memcpy(error->text + used, ": ", 2);
	if (length > room - 3)
		length = room - 3;
	memcpy(error->text + used + 2, after.text, length);
	error->text[used + 2 + length] = '\0';
}

void error_hint(struct error *error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(error->hint, sizeof(error->hint), format, args);
	va_end(args);
}
