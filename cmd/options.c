#include "cmd/options.h"

#include "cmd/terminal.h"
#include "lib/did_you_mean.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUMMARY_INDENT 35 /* of an option, in help */

#define WAIT_SECONDS_DEFAULT    60
#define WATCH_SECONDS_DEFAULT   1
#define CONFIRM_SECONDS_DEFAULT 120

/* Each sets one option from its argument (NULL if it has none); false: invalid value. */
static bool set_file(struct options *options, const char *value)
{
	*array_push(options->arena, options->files, options->n_files) = value;
	return *value != '\0';
}

static bool set_name(struct options *options, const char *value)
{
	*array_push(options->arena, options->names, options->n_names) = value;
	return *value != '\0';
}

static bool set_host(struct options *options, const char *value)
{
	options->host = value;
	return *value != '\0';
}

static bool number_parse(const char *text, unsigned *ret)
{
	char *end;
	if (!isdigit((unsigned char)*text))
		return false;
	unsigned long number = strtoul(text, &end, 10);
	if (*end || number > INT_MAX)
		return false;
	*ret = (unsigned)number;
	return true;
}

static bool word_find(const char *const *words, const char *word, unsigned *ret)
{
	for (unsigned i = 0; words[i]; i++) {
		if (strcmp(words[i], word) == 0) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static bool set_output(struct options *options, const char *value)
{
	static const char *const words[] = {"text", "json", NULL};
	return word_find(words, value, &options->output);
}

static bool set_form(struct options *options, const char *value)
{
	static const char *const words[] = {[OUTPUT_TEXT] = "text",
					    [OUTPUT_JSON] = "json",
					    [OUTPUT_IP] = "ip",
					    [OUTPUT_MARKDOWN] = "markdown",
					    NULL};
	return word_find(words, value, &options->output);
}

static bool set_format(struct options *options, const char *value)
{
	static const char *const words[] = {
		[FORMAT_MERMAID] = "mermaid", [FORMAT_DOT] = "dot", [FORMAT_SVG] = "svg", NULL};
	return word_find(words, value, &options->format);
}

static bool set_color(struct options *options, const char *value)
{
	static const char *const words[] = {"auto", "always", "never", NULL};
	return word_find(words, value, &options->color);
}

static bool set_wait(struct options *options, const char *value)
{
	options->wait = true;
	options->wait_seconds = WAIT_SECONDS_DEFAULT;
	return !value || number_parse(value, &options->wait_seconds);
}

static bool set_watch(struct options *options, const char *value)
{
	options->watch_seconds = WATCH_SECONDS_DEFAULT;
	return !value || (number_parse(value, &options->watch_seconds) &&
			  options->watch_seconds >= 1 && options->watch_seconds <= 3600);
}

static bool set_confirm(struct options *options, const char *value)
{
	options->confirm_seconds = CONFIRM_SECONDS_DEFAULT;
	return !value ||
	       (number_parse(value, &options->confirm_seconds) && options->confirm_seconds > 0);
}

static bool set_max_delete(struct options *options, const char *value)
{
	size_t length = strlen(value);
	bool percent = length && value[length - 1] == '%';
	const char *digits = arena_strndup(options->arena, value, length - percent);
	options->plan.max_delete.percent = percent;
	options->plan.max_delete.from = 0;
	return number_parse(digits, &options->plan.max_delete.limit) &&
	       (!percent || options->plan.max_delete.limit <= 100);
}

static bool set_quiet(struct options *options, const char *value)
{
	(void)value;
	return options->quiet = true;
}

static bool set_verbose(struct options *options, const char *value)
{
	(void)value;
	return options->verbose = true;
}

static bool set_dry_run(struct options *options, const char *value)
{
	(void)value;
	return options->dry_run = true;
}

static bool set_adopt(struct options *options, const char *value)
{
	(void)value;
	return options->plan.adopt = true;
}

static bool set_probe(struct options *options, const char *value)
{
	(void)value;
	return options->plan.probe = true;
}

static bool set_exit_code(struct options *options, const char *value)
{
	(void)value;
	return options->exit_differs = true;
}

static bool set_traffic(struct options *options, const char *value)
{
	(void)value;
	return options->traffic = true;
}

static bool set_metrics(struct options *options, const char *value)
{
	options->metrics = value;
	return *value != '\0';
}

static bool set_insecure(struct options *options, const char *value)
{
	(void)value;
	return options->insecure = true;
}

static bool set_out(struct options *options, const char *value)
{
	options->out = value;
	return *value != '\0';
}

static bool set_on_failure(struct options *options, const char *value)
{
	static const char *const words[] = {"stop", "start", NULL};
	unsigned word;
	if (!word_find(words, value, &word))
		return false;
	options->start_anyway = word == 1;
	return true;
}

static bool set_help(struct options *options, const char *value)
{
	(void)value;
	return options->help = true;
}

static bool set_version(struct options *options, const char *value)
{
	(void)value;
	return options->version = true;
}

static const struct row {
	unsigned group;
	char letter; /* '\0': none */
	const char *name;
	int has_argument;
	const char *argument; /* its form in help */
	const char *summary;
	bool (*set)(struct options *, const char *value);
} rows[] = {
	{OPTIONS_FILES, 'f', "file", required_argument, "PATH",
	 "a file, a directory (its *.yaml and *.yml), or -; can be repeated", set_file},
	{OPTIONS_NAMES, '\0', "name", required_argument, "SET", "only this set; can be repeated",
	 set_name},
	{OPTIONS_HOST, '\0', "host", required_argument, "NAME",
	 "name of this host for `hosts` in the files (default: hostname)", set_host},
	{OPTIONS_HOSTS, '\0', "host", required_argument, "NAME",
	 "check only what is assigned to this host (default: all hosts)", set_host},
	{OPTIONS_HOST | OPTIONS_SAVED, '\0', "insecure", no_argument, NULL,
	 "as root, accept files that other users can write", set_insecure},
	{OPTIONS_IMPORT, '\0', "insecure", no_argument, NULL,
	 "as root, read files of other users that a Compose file names", set_insecure},
	{OPTIONS_APPLY, '\0', "dry-run", no_argument, NULL,
	 "show the plan and change nothing, like `diff`", set_dry_run},
	{OPTIONS_DELETE, '\0', "dry-run", no_argument, NULL,
	 "show what would be removed; change nothing", set_dry_run},
	{OPTIONS_APPLY, '\0', "wait", optional_argument, "[=SECONDS]",
	 "wait for containers that do not exist yet (default 60 s)", set_wait},
	{OPTIONS_APPLY | OPTIONS_SAVED, '\0', "confirm", optional_argument, "[=SECONDS]",
	 "roll back unless confirmed in time (default 120 s)", set_confirm},
	{OPTIONS_PROBE | OPTIONS_SAVED, '\0', "probe", no_argument, NULL,
	 "ask the LAN whether a new address is in use before using it", set_probe},
	{OPTIONS_DOCTOR, '\0', "traffic", no_argument, NULL,
	 "send a request to the gateway through each live attachment; report where the path breaks",
	 set_traffic},
	{OPTIONS_PLAN, '\0', "adopt", no_argument, NULL,
	 "take over unmanaged links and routes that conflict", set_adopt},
	{OPTIONS_STATUS, '\0', "watch", optional_argument, "[=SECONDS]",
	 "update the table (default: every second) until Ctrl-C", set_watch},
	{OPTIONS_STATUS, '\0', "exit-code", no_argument, NULL,
	 "exit 2 if anything is missing, pending or differs (default: 0)", set_exit_code},
	{OPTIONS_ADOPT, '\0', "adopt", no_argument, NULL,
	 "include unmanaged links, for `apply --adopt`", set_adopt},
	{OPTIONS_PLAN, '\0', "max-delete", required_argument, "N|N%",
	 "abort if more attachments of a set would be deleted (default 50% once it has 10)",
	 set_max_delete},
	{OPTIONS_DELETE, '\0', "max-delete", required_argument, "N|N%",
	 "allow this many deletions if the files declare no live object of the set",
	 set_max_delete},
	{OPTIONS_DIFF, '\0', "out", required_argument, "PLAN",
	 "save the plan to a file, for `mvapply apply PLAN`", set_out},
	{OPTIONS_WATCH, '\0', "metrics", required_argument, "FILE",
	 "write Prometheus metrics to FILE", set_metrics},
	{OPTIONS_HOOK, '\0', "on-failure", required_argument, "stop|start",
	 "a container that cannot be attached: fails to start (default), or starts",
	 set_on_failure},
	{OPTIONS_OUTPUT, 'o', "output", required_argument, "text|json", "output format",
	 set_output},
	{OPTIONS_FORMS, 'o', "output", required_argument, "text|json|ip|markdown",
	 "output format of the plan (ip: shell commands)", set_form},
	{OPTIONS_GRAPH, '\0', "format", required_argument, "mermaid|dot|svg",
	 "output format (default mermaid)", set_format},
	{OPTIONS_EACH, 'q', "quiet", no_argument, NULL, "print errors only", set_quiet},
	{OPTIONS_EACH, 'v', "verbose", no_argument, NULL, "print more details", set_verbose},
	{OPTIONS_EACH, '\0', "color", required_argument, "auto|always|never",
	 "colour; auto: on a terminal, but not with NO_COLOR or TERM=dumb", set_color},
	{OPTIONS_EACH, 'h', "help", no_argument, NULL, "show this help", set_help},
	{OPTIONS_EACH, 'V', "version", no_argument, NULL, "show the version", set_version},
};

enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

static const char *row_argument(const struct row *row)
{
	return row->argument ? row->argument : "";
}

bool options_next(const struct command *command, size_t *at, struct option_text *ret)
{
	while (*at < N_ROWS && !(rows[*at].group & command->groups))
		++*at;
	if (*at == N_ROWS)
		return false;
	const struct row *row = &rows[(*at)++];
	*ret = (struct option_text){.letter = row->letter,
				    .name = row->name,
				    .argument = row->argument,
				    .argument_required = row->has_argument == required_argument,
				    .summary = row->summary};
	return true;
}

/* An option that is wider than its column has a line of its own. */
static void help_line(struct arena *arena, const struct row *row)
{
	const char *letter = row->letter ? arena_printf(arena, "-%c,", row->letter) : "   ";
	const char *head =
		arena_printf(arena, "  %s --%s%s%s", letter, row->name,
			     row->has_argument == required_argument ? "=" : "", row_argument(row));
	if (strlen(head) >= SUMMARY_INDENT) {
		puts(head);
		head = "";
	}
	head = arena_printf(arena, "%-*s", SUMMARY_INDENT, head);
	puts(terminal_wrap(arena, stdout, head, SUMMARY_INDENT, row->summary));
}

void options_help(const struct command *command)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	for (size_t i = 0; i < N_ROWS; i++)
		if (rows[i].group & command->groups)
			help_line(arena, &rows[i]);
}

/* getopt's tables, built from the option table for the options of the command. */
static void getopt_tables(const struct command *command, struct option *longs, char *letters)
{
	*letters++ = ':';
	for (size_t i = 0; i < N_ROWS; i++) {
		if (!(rows[i].group & command->groups))
			continue;
		*longs++ = (struct option){
			.name = rows[i].name, .has_arg = rows[i].has_argument, .val = (int)i + 256};
		if (rows[i].letter)
			*letters++ = rows[i].letter;
		if (rows[i].letter && rows[i].has_argument)
			*letters++ = ':';
	}
	*letters = '\0';
	*longs = (struct option){0};
}

static const struct row *row_of(const struct command *command, int found)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (rows[i].group & command->groups &&
		    (found == (int)i + 256 || (rows[i].letter && found == rows[i].letter)))
			return &rows[i];
	return NULL;
}

static int fault_unknown(struct arena *arena, const struct command *command, const char *text,
			 struct error *error)
{
	struct suggestion suggestion = {.text = text};
	for (size_t i = 0; i < N_ROWS; i++)
		if (rows[i].group & command->groups)
			suggestion_try(&suggestion, arena_printf(arena, "--%s", rows[i].name));
	error_set(error, EINVAL, "%s takes no option %s%s", command->name, text,
		  suggestion_text(arena, &suggestion));
	error_hint(error, "`mvapply %s --help` lists its options", command->name);
	return error_code(error, CODE_OPTION);
}

static int fault_value(const struct row *row, const char *value, struct error *error)
{
	error_set(error, EINVAL, "invalid value \"%s\" for --%s", value, row->name);
	error_hint(error, "write --%s%s%s", row->name,
		   row->has_argument == required_argument ? "=" : "", row_argument(row));
	return error_code(error, CODE_OPTION_VALUE);
}

static int fault_bare(const struct command *command, const char *text, struct error *error)
{
	error_set(error, EINVAL, "%s needs a value", text);
	error_hint(error, "`mvapply %s --help` shows it", command->name);
	return error_code(error, CODE_OPTION_VALUE);
}

static int parse_one(struct options *options, const struct command *command, int found,
		     char *const *argv, struct error *error)
{
	const char *text = argv[optind - 1];
	if (found == '?')
		return fault_unknown(options->arena, command, text, error);
	if (found == ':')
		return fault_bare(command, text, error);
	const struct row *row = row_of(command, found);
	if (!(row->group & OPTIONS_SAVED))
		options->given |= row->group;
	return row->set(options, optarg) ? 0 : fault_value(row, optarg ? optarg : "", error);
}

/* The positional arguments. */
static int words_parse(struct options *options, const struct command *command, int count,
		       char *const *words, struct error *error)
{
	const bool files = command->groups & OPTIONS_FILES;
	const int most = command->groups & OPTIONS_WORDS  ? INT_MAX
			 : command->groups & OPTIONS_WORD ? 1
							  : 0;
	if (count > most) {
		error_set(error, EINVAL, "%s: unexpected argument \"%s\"", command->name,
			  words[most]);
		error_hint(error, "%s`mvapply %s %s`",
			   files ? "files are named with -f, as in " : "", command->name,
			   files ? "-f network.yaml" : "--help");
		return error_code(error, CODE_WORDS);
	}
	for (int i = 0; i < count; i++)
		*array_push(options->arena, options->words, options->n_words) = words[i];
	return 0;
}

/* A saved plan takes no other input: it contains its own files and options. */
static int saved_check(const struct options *options, const struct command *command,
		       struct error *error)
{
	if (!(command->groups & OPTIONS_SAVED) || !options->n_words ||
	    !(options->given & ~(unsigned)OPTIONS_COMMON))
		return 0;
	error_set(error, EINVAL,
		  "\"%s\" is read as a saved plan, which has its own files and options",
		  options->words[0]);
	if (!options->words[0][strspn(options->words[0], "0123456789")] &&
	    (options->wait || options->confirm_seconds))
		error_hint(error, "write the seconds after '=': --%s=%s",
			   options->wait ? "wait" : "confirm", options->words[0]);
	else
		error_hint(error,
			   "write the command first, and each file after -f; or apply only the "
			   "saved plan: `mvapply apply %s`",
			   options->words[0]);
	return error_code(error, CODE_TOGETHER);
}

/* After an error in the command line, reads the output format from the rest of it. */
static void output_find(struct options *options, char *const *rest)
{
	static const char *const forms[] = {"-ojson", "--output=json", "-o", "--output"};
	for (; *rest; rest++)
		for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
			bool attached = strchr(forms[i], 'j') != NULL;
			if (strcmp(*rest, forms[i]) == 0 &&
			    (attached || (rest[1] && strcmp(rest[1], "json") == 0)))
				options->output = OUTPUT_JSON;
		}
}

int options_parse(struct options *options, const struct command *command, int argc, char **argv,
		  struct error *error)
{
	struct option longs[N_ROWS + 1];
	char letters[3 * N_ROWS + 2];
	getopt_tables(command, longs, letters);
	opterr = 0;
	optind = 1;
	for (int found; (found = getopt_long(argc, argv, letters, longs, NULL)) != -1;)
		if (parse_one(options, command, found, argv, error) < 0) {
			output_find(options, argv + optind);
			return -error->errnum;
		}
	if (words_parse(options, command, argc - optind, argv + optind, error) < 0)
		return -error->errnum;
	return saved_check(options, command, error);
}
