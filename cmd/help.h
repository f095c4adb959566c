/* Help texts, generated from the tables of commands and options. */
#ifndef CMD_HELP_H
#define CMD_HELP_H

#include "cmd/options.h"

#include <stdio.h>

/* The commands, in the order in which help shows them; NULL past the last. */
const struct command *command_at(size_t index);
const struct command *command_find(const char *name);

void help_all(FILE *out);
/* Of one command, to stdout, as the options want it. Returns an enum exit_code. */
int help_command(const struct command *command, const struct options *options);
/* Says that there is no such command, with a guess. Returns EXIT_USAGE. */
int unknown_command(const char *name, const struct options *options);

#endif
