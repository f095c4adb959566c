/* A plugin of Docker: a network driver and an IPAM driver. The kernel's links are its state. */
#include "cmd/commands.h"
#include "cmd/docker_plugin/server.h"
#include "cmd/exit.h"
#include "cmd/output.h"
#include "cmd/watch/sd_notify.h"

/* Docker's plugin runs for all of Docker's containers: a mistake in the files is an answer to their
 * calls, and the service goes on. */
int command_docker_plugin(const struct options *options)
{
	struct error error;
	notify("READY=1\nSTATUS=answering Docker");
	return docker_serve(options->docker_plugin, options, &error) < 0
		       ? run_error(&error, options)
		       : EXIT_CONVERGED;
}
