#include "cmd/terminal.h"

#include "lib/wrap.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_DEFAULT 80
#define COLUMNS_MIN     40
#define TEXT_MIN        20 /* columns beside an indent */
#define INDENT_NARROW   4

bool terminal_draws(int fd)
{
	const char *term = getenv("TERM");
	return term && *term && strcmp(term, "dumb") != 0 && isatty(fd);
}

/* $COLUMNS, as POSIX has it; 0: it is not set, or no number of columns. */
static size_t columns_of_environment(void)
{
	const char *text = getenv("COLUMNS");
	if (!text || !*text || text[strspn(text, "0123456789")])
		return 0;
	const unsigned long columns = strtoul(text, NULL, 10);
	return columns <= USHRT_MAX ? columns : 0;
}

static size_t columns_of_kernel(int fd)
{
	struct winsize size;
	return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : COLUMNS_DEFAULT;
}

size_t terminal_columns(int fd)
{
	if (!isatty(fd))
		return WRAP_NEVER;
	const size_t columns = columns_of_environment();
	return columns ? columns : columns_of_kernel(fd);
}

size_t terminal_wrap_columns(int fd)
{
	const size_t columns = terminal_columns(fd);
	return columns < COLUMNS_MIN ? COLUMNS_MIN : columns;
}

const char *terminal_wrap(struct arena *arena, FILE *out, const char *first, unsigned indent,
			  const char *text)
{
	const size_t columns = terminal_wrap_columns(fileno(out));
	if (columns >= indent + TEXT_MIN)
		return wrap(arena, columns, first, indent, text);
	if (!first[strspn(first, " ")])
		first = arena_printf(arena, "%*s", INDENT_NARROW, "");
	return wrap(arena, columns, first, INDENT_NARROW, text);
}
