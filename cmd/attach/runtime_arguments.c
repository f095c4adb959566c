#include "cmd/attach/runtime_arguments.h"

#include <stdbool.h>
#include <string.h>

/* Options whose value may be the next argument. */
static const char *const with_value[] = {
	"--log",      "--log-format",     "--log-level", "--root", "--criu",
	"--rootless", "--cgroup-manager", "--bundle",    "-b",     "--console-socket",
	"--pid-file", "--preserve-fds",   "--file",      "-f",     NULL};

static bool takes_value(const char *argument)
{
	for (size_t i = 0; with_value[i]; i++)
		if (strcmp(with_value[i], argument) == 0)
			return true;
	return false;
}

/* The value if the argument is the option: the next argument, or the text after "=". */
static const char *value_of(const char *option, const char *argument, const char *next)
{
	const size_t length = strlen(option);
	if (strcmp(argument, option) == 0)
		return next;
	return strncmp(argument, option, length) == 0 && argument[length] == '='
		       ? argument + length + 1
		       : NULL;
}

static void option_take(struct runtime_arguments *arguments, const char *argument, const char *next)
{
	const struct {
		const char *option;
		const char **value;
	} rows[] = {{"--log", &arguments->log},
		    {"--pid-file", &arguments->pid_file},
		    {"--bundle", &arguments->bundle},
		    {"-b", &arguments->bundle}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *value = value_of(rows[i].option, argument, next);
		if (value)
			*rows[i].value = value;
	}
}

struct runtime_arguments runtime_arguments_parse(int argc, const char *const *argv)
{
	struct runtime_arguments arguments = {.first = 1, .command = argc};
	while (arguments.first < argc &&
	       strncmp(argv[arguments.first], RUNTIME_OWN_PREFIX, strlen(RUNTIME_OWN_PREFIX)) == 0)
		arguments.first++;
	for (int i = arguments.first; i < argc; i++) {
		const char *next = i + 1 < argc ? argv[i + 1] : NULL;
		option_take(&arguments, argv[i], next);
		if (takes_value(argv[i]))
			i++;
		else if (*argv[i] != '-' && arguments.command == argc)
			arguments.command = i;
		else if (*argv[i] != '-')
			arguments.id = argv[i];
	}
	return arguments;
}
