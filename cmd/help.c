#include "cmd/help.h"

#include "cmd/commands.h"
#include "cmd/exit.h"
#include "cmd/output.h"
#include "cmd/output_json.h"
#include "cmd/terminal.h"
#include "lib/did_you_mean.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define ARGUMENTS_WIDTH 15
#define NAME_INDENT     11
#define SUMMARY_INDENT  27

const struct command *command_find(const char *name)
{
	const struct command *command;
	for (size_t i = 0; (command = command_at(i)); i++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

static const char *const group_titles[] = {
	[COMMANDS_EVERYDAY] = "Everyday",
	[COMMANDS_SERVICE] = "Service and rollback",
	[COMMANDS_CHECK] = "Check and explain",
	[COMMANDS_MIGRATE] = "Migrate",
	[COMMANDS_MORE] = "More",
};

enum { N_GROUPS = sizeof(group_titles) / sizeof(group_titles[0]) };

/* Arguments that are wider than their column have a line of their own. */
static void help_line(struct arena *arena, FILE *out, const struct command *command)
{
	const bool wide = strlen(command->arguments) > ARGUMENTS_WIDTH;
	const char *name = arena_printf(arena, "  %-8s ", command->name);
	const char *first =
		wide ? arena_printf(arena, "%*s", SUMMARY_INDENT, "")
		     : arena_printf(arena, "%s%-*s ", name, ARGUMENTS_WIDTH, command->arguments);
	if (wide)
		fprintf(out, "%s\n",
			terminal_wrap(arena, out, name, NAME_INDENT, command->arguments));
	fprintf(out, "%s\n", terminal_wrap(arena, out, first, SUMMARY_INDENT, command->summary));
}

static void help_group(struct arena *arena, FILE *out, enum command_group group)
{
	const struct command *command, *first = NULL;
	fprintf(out, "%s:\n", group_titles[group]);
	for (size_t i = 0; (command = command_at(i)); i++) {
		if (command->group != group)
			continue;
		help_line(arena, out, command);
		first = first ? first : command;
	}
	if (first)
		fprintf(out, "  example: %s\n\n", first->examples[0]);
}

static void help_text(struct arena *arena, FILE *out, const char *text)
{
	fprintf(out, "%s\n", terminal_wrap(arena, out, "", 0, text));
}

void help_all(FILE *out)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	help_text(arena, out,
		  "mvapply connects containers to the LAN: YAML files declare macvlan, ipvlan and "
		  "VLAN networks and the containers attached to them, and mvapply applies them.");
	fputs("\nusage: mvapply [COMMAND] [OPTION]...\n\n", out);
	for (size_t group = 0; group < N_GROUPS; group++)
		help_group(arena, out, (enum command_group)group);
	help_text(
		arena, out,
		"`mvapply -f PATH` is `mvapply apply -f PATH`. `mvapply COMMAND --help` lists the "
		"options of a command.");
	fputc('\n', out);
	help_text(arena, out,
		  "Exit codes: 0 in sync, 1 something failed, 2 diff found changes, 3 invalid "
		  "input, 4 refused, 5 rolled back.");
}

static json_t *json_option(const struct option_text *option)
{
	char letter[2] = {option->letter, '\0'};
	return json_pack("{s:o, s:s, s:o, s:b, s:s}", "letter", json_text(*letter ? letter : NULL),
			 "name", option->name, "argument", json_text(option->argument), "required",
			 option->argument_required, "summary", option->summary);
}

static json_t *json_command(const struct command *command)
{
	json_t *options = json_array();
	struct option_text option;
	for (size_t at = 0; options_next(command, &at, &option);)
		json_push(options, json_option(&option));
	return json_pack("{s:s, s:s, s:s, s:o}", "name", command->name, "arguments",
			 command->arguments, "summary", command->summary, "options", options);
}

int help_command(const struct command *command, const struct options *options)
{
	if (options->output == OUTPUT_JSON)
		return json_finish(json_pack("{s:[o]}", "commands", json_command(command)),
				   EXIT_CONVERGED);
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	puts(terminal_wrap(arena, stdout, "usage: mvapply ", 4,
			   arena_printf(arena, "%s %s", command->name, command->arguments)));
	help_text(arena, stdout, command->summary);
	putchar('\n');
	options_help(command);
	puts("\nexamples:");
	for (size_t i = 0; i < EXAMPLES_MAX && command->examples[i]; i++)
		printf("  %s\n", command->examples[i]);
	return EXIT_CONVERGED;
}

static bool names_file(const char *word)
{
	const char *dot = strrchr(word, '.');
	return access(word, F_OK) == 0 ||
	       (dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0));
}

/* Names of the command in other tools. */
static const struct synonym {
	const char *word, *meant;
} synonyms[] = {
	{"plan", "diff"},      {"preview", "diff"},      {"compare", "diff"},
	{"up", "apply"},       {"create", "apply"},      {"sync", "apply"},
	{"start", "apply"},    {"add", "apply"},         {"down", "delete"},
	{"rm", "delete"},      {"remove", "delete"},     {"destroy", "delete"},
	{"stop", "delete"},    {"del", "delete"},        {"prune", "delete"},
	{"ls", "status"},      {"list", "status"},       {"ps", "status"},
	{"show", "status"},    {"get", "status"},        {"check", "validate"},
	{"lint", "validate"},  {"test", "validate"},     {"daemon", "watch"},
	{"run", "watch"},      {"serve", "watch"},       {"describe", "explain"},
	{"convert", "import"}, {"dump", "export"},       {"save", "export"},
	{"draw", "graph"},     {"version", "--version"}, {"inspect", "status"},
	{"info", "status"},    {"config", "validate"},
};

static const char *command_meant(const char *name)
{
	const struct command *command;
	struct suggestion suggestion = {.text = name};
	for (size_t i = 0; i < sizeof(synonyms) / sizeof(synonyms[0]); i++)
		if (strcasecmp(synonyms[i].word, name) == 0)
			return synonyms[i].meant;
	for (size_t i = 0; (command = command_at(i)); i++)
		suggestion_try(&suggestion, command->name);
	return suggestion.best;
}

int unknown_command(const char *name, const struct options *options)
{
	struct error error;
	const char *meant = command_meant(name);
	error_set(&error, EINVAL, "there is no command \"%s\"%s%s%s", name,
		  meant ? "; did you mean `mvapply " : "", meant ? meant : "", meant ? "`?" : "");
	if (names_file(name))
		error_hint(&error, "name files with -f: `mvapply -f %s`", name);
	else
		error_hint(&error, "`mvapply --help` lists the commands");
	error_code(&error, CODE_COMMAND);
	return run_error(&error, options);
}

int command_help(const struct options *options)
{
	if (options->n_words) {
		const struct command *command = command_find(options->words[0]);
		return command ? help_command(command, options)
			       : unknown_command(options->words[0], options);
	}
	if (options->output == OUTPUT_TEXT) {
		help_all(stdout);
		return EXIT_CONVERGED;
	}
	const struct command *command;
	json_t *list = json_array();
	for (size_t i = 0; (command = command_at(i)); i++)
		json_push(list, json_command(command));
	return json_finish(json_pack("{s:o}", "commands", list), EXIT_CONVERGED);
}
