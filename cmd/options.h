/* Command line options: one table of options, one of commands. Help comes from both. */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include "convert/saved_plan.h"
#include "reconcile/plan/plan.h"
#include "reconcile/plan/selection.h"

#include <stdbool.h>
#include <stddef.h>

enum output { OUTPUT_TEXT, OUTPUT_JSON, OUTPUT_IP, OUTPUT_MARKDOWN };
enum format { FORMAT_MERMAID, FORMAT_DOT, FORMAT_SVG };
enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct dhcp_broker;
struct docker_plugin;

struct options {
	struct arena *arena;
	const char **files; /* -f, in order */
	size_t n_files;
	const char **names; /* --name: of sets */
	size_t n_names;
	const char *host; /* the host whose part of the files is used; NULL: all */
	enum output output;
	enum format format; /* of a graph */
	enum color color;
	bool quiet, verbose, dry_run, help, version;
	bool insecure; /* accept files that other users can write, even as root */
	bool traffic;  /* ask the gateways through the live attachments */
	bool wait;
	unsigned wait_seconds;
	unsigned confirm_seconds; /* 0: no confirmation is required */
	unsigned watch_seconds;   /* between two observations of status; 0: one observation */
	bool exit_differs;        /* status: EXIT_DIFFERS if anything differs */
	const char *metrics;      /* a file, or NULL */
	const char **words;       /* positional arguments, of commands that take them */
	size_t n_words;
	const char *out;                /* the path for the plan, or NULL */
	const struct saved_plan *saved; /* its content */
	unsigned given; /* groups of options that a saved plan contains and that were given */
	struct plan_options plan;
	/* The run attaches these alone, whose processes are known, and asks no engine; NULL: all.
	 */
	const struct containers *only;
	bool handed_over;  /* their links are created for another program (apply_options) */
	bool start_anyway; /* a container that cannot be attached starts without it */
	struct dhcp_broker *broker; /* requests DHCP leases; NULL: the command changes nothing */
	const struct docker_plugin *docker_plugin; /* opened before the process was confined */
	const char *scratch;   /* the path of an empty network namespace, made likewise; or NULL */
	const char **warnings; /* from before the first observation, for the JSON document */
	size_t n_warnings;
};

/* The options of a command: a bit for each group of the option table. */
enum option_group {
	OPTIONS_EACH = 1 << 0,
	OPTIONS_OUTPUT = 1 << 16,
	OPTIONS_COMMON = OPTIONS_EACH | OPTIONS_OUTPUT,
	OPTIONS_FORMS = 1 << 17, /* instead of OPTIONS_OUTPUT: for a plan */
	OPTIONS_FILES = 1 << 1,
	OPTIONS_PLAN = 1 << 2,
	OPTIONS_APPLY = 1 << 3,
	OPTIONS_WATCH = 1 << 4,
	OPTIONS_HOST = 1 << 5,   /* for one host */
	OPTIONS_HOSTS = 1 << 6,  /* for all hosts, or one */
	OPTIONS_WORD = 1 << 12,  /* positional arguments */
	OPTIONS_WORDS = 1 << 13, /* any number of positional arguments */
	OPTIONS_NAMES = 1 << 18,
	OPTIONS_GRAPH = 1 << 19,
	OPTIONS_ADOPT = 1 << 20,
	OPTIONS_STATUS = 1 << 21,
	OPTIONS_DIFF = 1 << 7,
	OPTIONS_PROBE = 1 << 22,
	OPTIONS_DELETE = 1 << 23,
	OPTIONS_DOCTOR = 1 << 27,
	OPTIONS_OBSERVE = 1 << 24, /* no option: the command reads the host */
	OPTIONS_IMPORT = 1 << 25,
	OPTIONS_HOOK = 1 << 26,
	OPTIONS_CNI = 1 << 28,           /* no option: the files are named by the standard input */
	OPTIONS_DOCKER_PLUGIN = 1 << 29, /* no option: the command is called by Docker */
	OPTIONS_CONFIRM_GUARD = 1 << 10, /* no option: the command connects to a confirm guard */
	OPTIONS_SAVED = 1 << 9, /* the command accepts a saved plan in place of files, and the
				   option is allowed with one */
};

/* The groups of help. */
enum command_group {
	COMMANDS_EVERYDAY,
	COMMANDS_SERVICE,
	COMMANDS_CHECK,
	COMMANDS_MIGRATE,
	COMMANDS_MORE,
};

#define EXAMPLES_MAX 2

struct command {
	enum command_group group;
	const char *name, *arguments, *summary;
	const char *examples[EXAMPLES_MAX]; /* at least one */
	unsigned groups;
	bool needs_file;
	bool changes; /* the host */
	/* Returns an enum exit_code. */
	int (*run)(const struct options *options);
};

/* Parses argv after the command's name. Returns 0 or a negative errno. Even then options->output is
 * set, so that the error is printed in that format. */
int options_parse(struct options *options, const struct command *command, int argc, char **argv,
		  struct error *error);

/* An option in the form of help. */
struct option_text {
	char letter; /* '\0': none */
	const char *name;
	const char *argument; /* NULL: it has no argument */
	bool argument_required;
	const char *summary;
};

/* The command's next option from row *at on; advances *at. False: there is none. */
bool options_next(const struct command *command, size_t *at, struct option_text *ret);

/* The options of a command, as lines of its help. */
void options_help(const struct command *command);

#endif
