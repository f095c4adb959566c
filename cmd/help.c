#include "cmd/help.h"

#include "cmd/commands.h"
#include "cmd/exit.h"
#include "cmd/output.h"
#include "cmd/output_json.h"
#include "lib/did_you_mean.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define ARGUMENTS_WIDTH 15

const struct command *command_find(const char *name)
{
	const struct command *command;
	for (size_t i = 0; (command = command_at(i)); i++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

void help_all(FILE *out)
{
	const struct command *command;
	fputs("mvapply puts containers on a real LAN: one YAML says which networks and "
	      "attachments\n"
	      "there shall be, mvapply makes the kernel so.\n\n"
	      "usage: mvapply [COMMAND] [OPTION]...\n\n",
	      out);
	for (size_t i = 0; (command = command_at(i)); i++) {
		bool fits = strlen(command->arguments) <= ARGUMENTS_WIDTH;
		fprintf(out, "  mvapply %-8s %-*s%s%*s%s\n", command->name, ARGUMENTS_WIDTH,
			command->arguments, fits ? " " : "\n",
			fits ? 0 : (int)strlen("  mvapply          ") + ARGUMENTS_WIDTH + 1, "",
			command->summary);
	}
	fputs("\n`mvapply COMMAND --help` shows the options of a command. Exit codes: 0 converged, "
	      "1\n"
	      "something failed, 2 diff has something to do, 3 wrong input, 4 refused, 5 went "
	      "back.\n",
	      out);
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
	printf("usage: mvapply %s %s\n%s\n\n", command->name, command->arguments, command->summary);
	options_help(command);
	return EXIT_CONVERGED;
}

static bool names_file(const char *word)
{
	const char *dot = strrchr(word, '.');
	return access(word, F_OK) == 0 ||
	       (dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0));
}

int unknown_command(const char *name, const struct options *options)
{
	struct error error;
	const struct command *command;
	struct suggestion suggestion = {.text = name};
	for (size_t i = 0; (command = command_at(i)); i++)
		suggestion_try(&suggestion, command->name);
	error_set(&error, EINVAL, "there is no command \"%s\"%s", name,
		  suggestion_text(options->arena, &suggestion));
	if (names_file(name))
		error_hint(&error, "files are named with -f: `mvapply -f %s`", name);
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
