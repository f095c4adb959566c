/* Parses the command line of an OCI runtime, as runc(8) and crun(1) have it. Pure. */
#ifndef CMD_ATTACH_RUNTIME_ARGUMENTS_H
#define CMD_ATTACH_RUNTIME_ARGUMENTS_H

#include <stddef.h>

#define RUNTIME_OWN_PREFIX "--mvapply-"

struct runtime_arguments {
	int first;   /* the number of the first argument that is not RUNTIME_OWN_PREFIX... */
	int command; /* the number of the command ("create"); argc: there is none */
	const char *log, *pid_file, *bundle, *id; /* NULL: not given; the last three of `create` */
};

struct runtime_arguments runtime_arguments_parse(int argc, const char *const *argv);

#endif
