#include "cmd/attach/runtime.h"
#include "cmd/commands.h"
#include "cmd/docker_plugin/prepare.h"
#include "cmd/exit.h"
#include "cmd/help.h"
#include "cmd/output.h"
#include "cmd/output_text.h"
#include "cmd/sandbox.h"
#include "dhcp/broker.h"
#include "dhcp/udhcpc_script.h"
#include "lib/memory.h"
#include "lib/thread_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLANNING (OPTIONS_COMMON | OPTIONS_FILES | OPTIONS_HOST | OPTIONS_PLAN)

/* By group, in the order of help. */
static const struct command commands[] = {
	{COMMANDS_EVERYDAY,
	 "diff",
	 "-f PATH...",
	 "show what apply would change; change nothing",
	 {"mvapply diff -f network.yaml", "mvapply diff -f network.yaml --out=plan.json"},
	 (PLANNING & ~OPTIONS_OUTPUT) | OPTIONS_FORMS | OPTIONS_DIFF,
	 true,
	 false,
	 command_diff},
	{COMMANDS_EVERYDAY,
	 "apply",
	 "-f PATH...|PLAN",
	 "apply the configuration, or a saved plan",
	 {"mvapply apply -f network.yaml --probe", "mvapply apply plan.json"},
	 PLANNING | OPTIONS_PROBE | OPTIONS_APPLY | OPTIONS_SAVED | OPTIONS_WORD,
	 true,
	 true,
	 command_apply},
	{COMMANDS_EVERYDAY,
	 "status",
	 "[-f PATH...]",
	 "show what is live, pending and drifted",
	 {"mvapply status -f network.yaml", "mvapply status --watch"},
	 OPTIONS_COMMON | OPTIONS_FILES | OPTIONS_HOST | OPTIONS_STATUS,
	 false,
	 false,
	 command_status},
	{COMMANDS_EVERYDAY,
	 "delete",
	 "-f PATH... | --name SET...",
	 "remove everything of the files' sets, or of a named set",
	 {"mvapply delete -f network.yaml --dry-run", "mvapply delete --name lab"},
	 OPTIONS_COMMON | OPTIONS_FILES | OPTIONS_HOST | OPTIONS_NAMES | OPTIONS_DELETE,
	 true,
	 true,
	 command_delete},
	{COMMANDS_SERVICE,
	 "watch",
	 "-f PATH...",
	 "run as a service and keep the host in sync",
	 {"mvapply watch -f /etc/mvapply"},
	 PLANNING | OPTIONS_PROBE | OPTIONS_WATCH,
	 true,
	 true,
	 command_watch},
	{COMMANDS_SERVICE,
	 "hook",
	 "-f PATH...",
	 "attach a container before its first process runs (OCI hook)",
	 {"mvapply hook -f /etc/mvapply"},
	 OPTIONS_EACH | OPTIONS_FILES | OPTIONS_HOST | OPTIONS_HOOK,
	 true,
	 true,
	 command_hook},
	{COMMANDS_SERVICE,
	 "cni",
	 "",
	 "attach a container as a CNI plugin (a runtime calls it)",
	 {"CNI_COMMAND=VERSION mvapply cni"},
	 OPTIONS_EACH | OPTIONS_HOST | OPTIONS_CNI,
	 false,
	 true,
	 command_cni},
	{COMMANDS_SERVICE,
	 "docker-plugin",
	 "-f PATH...",
	 "serve Docker as a network and IPAM driver",
	 {"mvapply docker-plugin -f /etc/mvapply"},
	 OPTIONS_EACH | OPTIONS_FILES | OPTIONS_HOST | OPTIONS_DOCKER_PLUGIN,
	 true,
	 true,
	 command_docker_plugin},
	{COMMANDS_SERVICE,
	 "netavark",
	 "info | create | setup NETNS | teardown NETNS",
	 "attach a container as a plugin of Podman's netavark",
	 {"mvapply netavark info"},
	 OPTIONS_EACH | OPTIONS_HOST | OPTIONS_CNI | OPTIONS_WORDS,
	 false,
	 true,
	 command_netavark},
	{COMMANDS_SERVICE,
	 "confirm",
	 "",
	 "keep the changes of an apply with --confirm",
	 {"mvapply confirm"},
	 OPTIONS_COMMON | OPTIONS_CONFIRM_GUARD,
	 false,
	 false,
	 command_confirm},
	{COMMANDS_CHECK,
	 "validate",
	 "-f PATH...",
	 "check the files without reading the host",
	 {"mvapply validate -f network.yaml"},
	 OPTIONS_COMMON | OPTIONS_FILES | OPTIONS_HOSTS,
	 true,
	 false,
	 command_validate},
	{COMMANDS_CHECK,
	 "doctor",
	 "[-f PATH...]",
	 "check this host for problems, with a fix for each",
	 {"mvapply doctor", "mvapply doctor -f network.yaml --traffic"},
	 OPTIONS_COMMON | OPTIONS_FILES | OPTIONS_HOST | OPTIONS_DOCTOR,
	 false,
	 false,
	 command_doctor},
	{COMMANDS_CHECK,
	 "explain",
	 "[KEY|CODE]",
	 "explain a key of the files or an error code",
	 {"mvapply explain networks.NAME.mode", "mvapply explain MV0401"},
	 OPTIONS_COMMON | OPTIONS_WORD,
	 false,
	 false,
	 command_explain},
	{COMMANDS_CHECK,
	 "graph",
	 "-f PATH...",
	 "draw the networks and containers, and what apply would change",
	 {"mvapply graph -f network.yaml --format=svg"},
	 OPTIONS_COMMON | OPTIONS_FILES | OPTIONS_HOST | OPTIONS_GRAPH,
	 true,
	 false,
	 command_graph},
	{COMMANDS_MIGRATE,
	 "import",
	 "docker | podman | compose PATH... | cni PATH... | quadlet PATH...",
	 "import configuration from Docker, Podman, Compose, CNI or Quadlet",
	 {"mvapply import docker", "mvapply import compose compose.yaml"},
	 OPTIONS_COMMON | OPTIONS_WORDS | OPTIONS_IMPORT,
	 false,
	 false,
	 command_import},
	{COMMANDS_MIGRATE,
	 "export",
	 "[-f PATH...]",
	 "write the live state as a file; applying it changes nothing",
	 {"mvapply export", "mvapply export --adopt"},
	 OPTIONS_COMMON | OPTIONS_FILES | OPTIONS_HOST | OPTIONS_NAMES | OPTIONS_ADOPT,
	 false,
	 false,
	 command_export},
	{COMMANDS_MORE,
	 "schema",
	 "",
	 "write the JSON Schema of the files, for editors",
	 {"mvapply schema"},
	 OPTIONS_COMMON,
	 false,
	 false,
	 command_schema},
	{COMMANDS_MORE,
	 "help",
	 "[COMMAND]",
	 "list the commands, or the options of a command",
	 {"mvapply help diff"},
	 OPTIONS_COMMON | OPTIONS_WORD,
	 false,
	 false,
	 command_help},
	{COMMANDS_MORE,
	 "complete",
	 "-- WORD...",
	 "list completions of the last word, for shells",
	 {"mvapply complete -- mvapply di"},
	 OPTIONS_COMMON | OPTIONS_WORDS | OPTIONS_OBSERVE,
	 false,
	 false,
	 command_complete},
};

enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

const struct command *command_at(size_t index)
{
	return index < N_COMMANDS ? &commands[index] : NULL;
}

/* gethostname(2) does not terminate a truncated name. */
static const char *host_name(struct arena *arena)
{
	char *name = arena_alloc(arena, HOST_NAME_MAX + 1);
	gethostname(name, HOST_NAME_MAX);
	return name;
}

static int file_missing(const struct command *command, const struct options *options)
{
	return usage_error(
		options, CODE_NO_FILE,
		arena_printf(options->arena, "`mvapply %s -f network.yaml`", command->name),
		"%s needs a file", command->name);
}

/* What needs privileges that the command itself does not have. */
static int prepare(const struct command *command, struct options *options)
{
	struct error error;
	if (command->run == command_cni)
		cni_prepare(options);
	if (!(command->groups & OPTIONS_DOCKER_PLUGIN))
		return EXIT_CONVERGED;
	options->docker_plugin = docker_plugin_prepare(options->arena, &error);
	return options->docker_plugin ? EXIT_CONVERGED : run_error(&error, options);
}

static int run(const struct command *command, struct options *options)
{
	if (options->version)
		return command_version(options);
	if (options->help)
		return help_command(command, options);
	if (command->needs_file && !options->n_files && !options->n_words && !options->n_names)
		return file_missing(command, options);
	/* Commands that change nothing accept files that other users can write. An import reads
	 * files that others name. */
	if (!(command->groups & (OPTIONS_HOST | OPTIONS_IMPORT)))
		options->insecure = true;
	if (!options->host && command->groups & OPTIONS_HOST)
		options->host = host_name(options->arena);
	/* Every namespace takes a descriptor or two. */
	pool_raise_limit();
	/* The broker is started before the files are read, which happens without privileges: they
	 * may contain DHCP. */
	if (command->changes && !options->dry_run)
		options->broker = dhcp_broker_new();
	/* The reader of the output may end early; changes are completed nevertheless. */
	if (command->changes)
		(void)signal(SIGPIPE, SIG_IGN);
	int code = prepare(command, options);
	if (code == EXIT_CONVERGED) {
		confine(command, options);
		code = command->run(options);
	}
	dhcp_broker_free(options->broker);
	return code;
}

static int usage_missing(void)
{
	help_all(stderr);
	return EXIT_USAGE;
}

/* Incomplete output, because of a full disk or a broken device, is an error. */
static int output_end(int code)
{
	struct error error;
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	if (errno)
		error_set(&error, errno, "cannot write the output: %s", strerror(errno));
	else
		error_set(&error, EIO, "not all of the output could be written");
	text_error(&error);
	return EXIT_FAILED;
}

static int command_line(int argc, char **argv)
{
	if (argc && runtime_meant(argv))
		return runtime_run(argc, argv);
	if (argc < 2)
		return usage_missing();
	if (script_meant(argc, argv))
		return script_run(argv[1]);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		help_all(stdout);
		return EXIT_CONVERGED;
	}

	bool named = argv[1][0] != '-';
	const struct command *command = command_find(named ? argv[1] : "apply");
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct options options = {.arena = arena, .plan = plan_options_default};
	struct error error;
	if (!command)
		return unknown_command(argv[1], &options);
	if (options_parse(&options, command, argc - named, argv + named, &error) < 0)
		return run_error(&error, &options);
	return run(command, &options);
}

/* A socket's descriptor must not replace a standard stream that the caller closed. */
static void descriptors_fill(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* A container runtime starts a CNI plugin without arguments, by the name in the configuration. */
static int program(int argc, char **argv)
{
	static char name[] = "mvapply", command[] = "cni";
	char *cni[] = {name, command, NULL};
	return argc == 1 && getenv("CNI_COMMAND") ? command_line(2, cni) : command_line(argc, argv);
}

int main(int argc, char **argv)
{
	memory_share();
	descriptors_fill();
	return output_end(program(argc, argv));
}
