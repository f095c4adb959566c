/* Help texts, generated from the tables of commands and options. */
#ifndef CMD_HELP_H
#define CMD_HELP_H

#include "cmd/options.h"

#include <stdio.h>

/* The commands, in the order of help; NULL after the last. */
const struct command *command_at(size_t index);
const struct command *command_find(const char *name);

void help_all(FILE *out);
/* Prints the help of one command to stdout, in the format of the options. Returns an enum
 * exit_code. */
int help_command(const struct command *command, const struct options *options);
/* Reports an unknown command, with a suggestion. Returns EXIT_USAGE. */
int unknown_command(const char *name, const struct options *options);

#endif
